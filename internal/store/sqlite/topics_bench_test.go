package sqlite

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// plainSealer leaves messages as they are.
type plainSealer struct{}

func (plainSealer) Seal(plain, _ []byte) ([]byte, error)  { return plain, nil }
func (plainSealer) Open(sealed, _ []byte) ([]byte, error) { return sealed, nil }

// BenchmarkPublish measures publishing to ten subscriptions, with and without filter policies.
func BenchmarkPublish(b *testing.B) {
	const subscriptions = 10
	message := topic.Message{Body: []byte(`{"kind": "status", "detail": {"state": "delivered", "note": "` + strings.Repeat("x", 1500) + `"}}`)}
	for name, policy := range map[string]string{
		"no filters":            "",
		"filters that want it":  `{"detail": {"state": ["delivered", "read"]}}`,
		"filters that do not":   `{"detail": {"state": ["failed"]}}`,
		"filters on attributes": `{"kind": ["other"]}`,
	} {
		b.Run(name, func(b *testing.B) {
			db := open(b, filepath.Join(b.TempDir(), "waxwing.db"), Options{Exclusive: true})
			topics := topic.NewService(topic.Options{Store: db, Sealer: plainSealer{}, Wake: func(...int64) {}, Now: time.Now})
			seedTopic(b, db, subscriptions, time.Now())
			scope := "MessageBody"
			if strings.Contains(policy, "other") {
				scope = "MessageAttributes"
			}
			for i := range subscriptions {
				for _, set := range [][2]string{{topic.AttrFilterScope, scope}, {topic.AttrFilterPolicy, policy}} {
					if err := topics.SetSubscriptionAttribute(b.Context(), fmt.Sprint(seededTopic, ":", i), set[0], set[1]); err != nil {
						b.Fatal(err)
					}
				}
			}
			batch := make([]topic.Message, 100)
			b.ResetTimer()
			for n := 0; n < b.N; n += len(batch) {
				for i := range batch {
					batch[i] = message
				}
				if err := topics.PublishBatch(b.Context(), seededTopic, batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}
