package fanout_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fanout"
	"github.com/waxwing-messaging/waxwing/internal/notify"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// BenchmarkDeliver measures publishing in batches and delivering over loopback, endpoint included: deliveries a second.
func BenchmarkDeliver(b *testing.B) {
	for _, raw := range []string{"true", "false"} {
		b.Run("raw="+raw, func(b *testing.B) {
			var received atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body) //nolint:errcheck // measured, not checked
				received.Add(1)
			}))
			defer server.Close()
			var f *fixture
			f = newFixture(b, dbPath(b), func(o *fanout.Options) {
				o.Courier = notify.New(notify.Options{Renderer: f.renderer, Client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}})
			})
			arn := f.topic(b, "bench")
			s := f.subscribe(b, arn, server.URL)
			if err := f.SetSubscriptionAttribute(b.Context(), s.ARN, topic.AttrRaw, raw); err != nil {
				b.Fatal(err)
			}
			f.start(b)
			defer f.close(b)
			body := bytes.Repeat([]byte("x"), 1500)
			wait := func(n int) {
				for received.Load() < int64(n) {
					time.Sleep(time.Millisecond)
				}
			}
			f.publish(b, arn, 1) // make the signing key, open a connection
			wait(1)
			received.Store(0)
			b.ResetTimer()
			for sent := 0; sent < b.N; {
				batch := make([]topic.Message, min(100, b.N-sent))
				for i := range batch {
					batch[i].Body = fmt.Append(nil, sent+i, string(body))
				}
				if err := f.PublishBatch(b.Context(), arn, batch); err != nil {
					b.Fatal(err)
				}
				sent += len(batch)
				wait(sent - 2000) // a backlog, not a flood
			}
			wait(b.N)
			b.StopTimer()
			f.stop()
			if n := received.Load(); n != int64(b.N) || len(f.left(b, s)) != 0 {
				b.Fatalf("%d deliveries of %d messages, %d left", n, b.N, len(f.left(b, s)))
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
		})
	}
}
