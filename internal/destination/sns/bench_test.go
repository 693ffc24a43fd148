package sns

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/destination/destinationtest"
	"github.com/waxwing-messaging/waxwing/internal/event"
)

// BenchmarkPublish compares a hundred events in batches with as many single ones, one call and several at a time, at a service that is
// some milliseconds away, as SNS is within its Region.
func BenchmarkPublish(b *testing.B) {
	const events, away = 100, 5 * time.Millisecond
	s := newServer(b)
	s.respond = func(w http.ResponseWriter, _ string, messages []string) bool {
		<-time.After(away)
		taken(w, len(messages))
		return true
	}
	list := destinationtest.Events(events)
	for _, tc := range []struct {
		single bool
		calls  int
	}{{true, 1}, {false, 1}, {false, 4}} {
		b.Run(fmt.Sprintf("single=%t/calls=%d", tc.single, tc.calls), func(b *testing.B) {
			p := publisher(s.url, nil)
			p.single.Store(tc.single)
			for b.Loop() {
				for len(list) > 0 {
					left := list[:0:0]
					for i, err := range p.Publish(b.Context(), event.Destination{Address: topicARN, Concurrency: tc.calls}, list) {
						if err != nil {
							left = append(left, list[i])
						}
					}
					list = left
				}
				list = destinationtest.Events(events)
			}
			b.ReportMetric(float64(events*b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
