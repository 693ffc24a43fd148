package sim

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

// discard is a ResponseWriter that keeps nothing.
type discard struct{ h http.Header }

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

func loadWorld(numbers int) World {
	w := World{Portfolio: "1500000000000001", Tokens: []Token{{Value: AccessToken}}}
	a := Account{ID: AccountID, Subscribed: true, Templates: seededTemplates(1)}
	for i := range numbers {
		a.Numbers = append(a.Numbers, Number{ID: fmt.Sprintf("11%014d", i+1), Phone: fmt.Sprintf("+1555%07d", i), Throughput: ThroughputHigh})
	}
	w.Accounts = []Account{a}
	return w
}

// BenchmarkSend measures one accepted template message, without a network.
func BenchmarkSend(b *testing.B) {
	s := New(Options{World: loadWorld(50), Seed: 1})
	s.st.settings.PairRate, s.st.settings.Throughput = false, false
	h := s.Handler()
	b.ReportAllocs()
	var n atomic.Int64
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			i := n.Add(1)
			body := templateTo(fmt.Sprintf("1425%07d", i%5000), "hello_world")
			r := httptest.NewRequest(http.MethodPost, fmt.Sprintf("/v25.0/11%014d/messages", i%50+1), strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+AccessToken)
			h.ServeHTTP(&discard{h: http.Header{}}, r)
		}
	})
}

// BenchmarkPipeline measures a message from its send over loopback to its last webhook at an app that answers at once.
func BenchmarkPipeline(b *testing.B) {
	var updates atomic.Int64
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c := r.URL.Query().Get("hub.challenge"); c != "" {
			_, _ = io.WriteString(w, c)
			return
		}
		body, _ := io.ReadAll(r.Body)
		updates.Add(int64(strings.Count(string(body), `"recipient_id"`)))
	}))
	defer sink.Close()
	s := New(Options{World: loadWorld(50), Seed: 1, WebhookURL: sink.URL})
	s.st.settings.PairRate, s.st.settings.Throughput = false, false
	s.st.settings.SentMS, s.st.settings.DeliveredMS = 0, 0
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx) }()
	front := httptest.NewServer(s.Handler())
	defer front.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.ReportAllocs()
	b.ResetTimer()
	var n atomic.Int64
	b.SetParallelism(16)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			i := n.Add(1)
			r, _ := http.NewRequest(http.MethodPost, front.URL+fmt.Sprintf("/v25.0/11%014d/messages", i%50+1),
				strings.NewReader(templateTo(fmt.Sprintf("1425%07d", i%5000), "hello_world")))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+AccessToken)
			res, err := client.Do(r)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if res.StatusCode != http.StatusOK {
				b.Errorf("status %d", res.StatusCode)
				return
			}
		}
	})
	for updates.Load() < 2*n.Load() && !b.Failed() {
		runtime.Gosched() // every message gets two statuses
	}
	b.StopTimer()
	cancel()
	<-done
}
