package ops

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// Metrics are the numbers an operator watches. Labels come from closed sets.
type Metrics struct {
	Registry *prometheus.Registry

	requests   *prometheus.CounterVec
	requestDur *prometheus.HistogramVec
	attempts   *prometheus.CounterVec
	waited     prometheus.Histogram
	webhooks   *prometheus.CounterVec
	changes    *prometheus.CounterVec
	events     *prometheus.CounterVec
	lag        prometheus.Histogram
	alerts     *prometheus.CounterVec
	fanout     *prometheus.CounterVec
	overdue    prometheus.Gauge
	blocked    *prometheus.GaugeVec
}

// NewMetrics returns metrics on a registry of their own.
func NewMetrics() *Metrics {
	seconds := []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60}
	m := &Metrics{
		Registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "waxwing_api_requests_total",
			Help: "API requests by operation and error code; an empty code is a success."}, []string{"operation", "code"}),
		requestDur: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "waxwing_api_request_seconds",
			Help: "Time to answer an API request.", Buckets: seconds}, []string{"operation"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "waxwing_handover_attempts_total",
			Help: "Attempts to hand a message to WhatsApp, by verdict."}, []string{"verdict"}),
		waited: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "waxwing_handover_wait_seconds",
			Help: "Age of a message when an attempt to hand it over begins.", Buckets: seconds}),
		webhooks: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "waxwing_webhooks_total",
			Help: "Callbacks from Meta, by the answer they got."}, []string{"answer"}),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "waxwing_changes_total",
			Help: "Updates in Meta's callbacks by what became of them: event, repeat, orphan or unclaimed."}, []string{"result"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "waxwing_event_deliveries_total",
			Help: "Events by kind of destination and result: delivered, failed (an attempt) or dead (given up)."}, []string{"destination", "result"}),
		alerts: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "waxwing_alerts_total",
			Help: "Alerts by what they are about and whether it began (raised) or is over (cleared)."}, []string{"alert", "state"}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "waxwing_event_lag_seconds",
			Help: "Time from a change to its delivery.", Buckets: seconds}),
		fanout: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "waxwing_fanout_deliveries_total",
			Help: "Messages of built-in topics to subscribers, and events on the built-in event bus to targets, by result: delivered, failed (an attempt) or dead (given up)."}, []string{"result"}),
	}
	m.overdue = prometheus.NewGauge(prometheus.GaugeOpts{Name: "waxwing_messages_without_status",
		Help: "Messages that WhatsApp took and has reported nothing about in time."})
	m.blocked = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "waxwing_handover_blocked_lanes",
		Help: "Phone numbers whose messages wait because WhatsApp takes none, by cause: the access token, the business account or the number."},
		[]string{"cause"})
	for _, c := range message.Causes() {
		m.blocked.WithLabelValues(string(c)) // so that it shows nothing is blocked
	}
	m.Registry.MustRegister(m.overdue, m.blocked, m.requests, m.requestDur, m.attempts, m.waited, m.webhooks, m.changes, m.events, m.lag, m.alerts, m.fanout,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Request counts an API request. operation must be the name of a known one, or "".
func (m *Metrics) Request(operation, code string, took time.Duration) {
	m.requests.WithLabelValues(operation, code).Inc()
	m.requestDur.WithLabelValues(operation).Observe(took.Seconds())
}

// Attempt counts an attempt to hand a message over.
func (m *Metrics) Attempt(verdict string, waited time.Duration) {
	m.attempts.WithLabelValues(verdict).Inc()
	m.waited.Observe(waited.Seconds())
}

// Webhook counts a callback from Meta.
func (m *Metrics) Webhook(answer string) { m.webhooks.WithLabelValues(answer).Inc() }

// Changes counts what became of a callback's updates.
func (m *Metrics) Changes(events, repeats, orphans, unclaimed int) {
	for result, n := range map[string]int{"event": events, "repeat": repeats, "orphan": orphans, "unclaimed": unclaimed} {
		if n > 0 {
			m.changes.WithLabelValues(result).Add(float64(n))
		}
	}
}

// Delivered counts an event that arrived.
func (m *Metrics) Delivered(k event.Kind, lag time.Duration) {
	m.events.WithLabelValues(string(k), "delivered").Inc()
	m.lag.Observe(lag.Seconds())
}

// Undelivered counts failed attempts to publish.
func (m *Metrics) Undelivered(k event.Kind, n int) {
	m.events.WithLabelValues(string(k), "failed").Add(float64(n))
}

// DeadLetters counts events that were given up.
func (m *Metrics) DeadLetters(k event.Kind, n int) {
	m.events.WithLabelValues(string(k), "dead").Add(float64(n))
}

// Alert counts an alert.
func (m *Metrics) Alert(k event.AlertKind, state string) {
	m.alerts.WithLabelValues(string(k), state).Inc()
}

// Blocked counts lanes that became blocked, or less than 0 that are not any more.
func (m *Metrics) Blocked(c message.Cause, lanes int) {
	m.blocked.WithLabelValues(string(c)).Add(float64(lanes))
}

// Overdue notes how many messages lack a status.
func (m *Metrics) Overdue(n int) { m.overdue.Set(float64(n)) }

// FanoutDelivered counts messages that subscribers of built-in topics, and events that targets of rules, took.
func (m *Metrics) FanoutDelivered(n int) { m.fanout.WithLabelValues("delivered").Add(float64(n)) }

// FanoutFailed counts failed attempts to deliver to them.
func (m *Metrics) FanoutFailed(n int) { m.fanout.WithLabelValues("failed").Add(float64(n)) }

// FanoutDead counts deliveries to them that were given up.
func (m *Metrics) FanoutDead(n int) { m.fanout.WithLabelValues("dead").Add(float64(n)) }

// WatchStorage shows how much room is left for data: in bytes, and as what is refused for lack of it.
func (m *Metrics) WatchStorage(state func() (free int64, refused int)) {
	m.Registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "waxwing_storage_free_bytes",
			Help: "Bytes that may still be stored, on the file system of the database or up to store.max_size."},
			func() float64 { free, _ := state(); return float64(free) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "waxwing_storage_refusing",
			Help: "What is refused for lack of room: 0 nothing, 1 new messages, 2 also callbacks and hand-overs."},
			func() float64 { _, refused := state(); return float64(refused) }))
}
