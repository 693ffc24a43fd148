package bench

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// meta posts callbacks as Meta does, and keeps books of what becomes of their updates. Of each message there are as many updates as
// there are kinds, one after the other.
type meta struct {
	url     string
	secret  []byte
	numbers int
	http    *http.Client
	next    atomic.Int64
	began   []atomic.Int64 // when an update's callback was posted, since start
	came    []atomic.Int64 // when its event came; 0 before
	start   time.Time
	repeats atomic.Int64
	arrived atomic.Int64
	bodies  sync.Pool
}

// The kinds of updates; the last is a message of the customer's.
const kinds = 4

var statusOfKind = [kinds]string{"sent", "delivered", "read", "received"}

func newMeta(endpoint, secret string, connections, numbers, updates int) *meta {
	return &meta{url: endpoint + "/webhooks/meta", secret: []byte(secret), numbers: numbers, began: make([]atomic.Int64, updates), came: make([]atomic.Int64, updates),
		http:  &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConns: connections, MaxIdleConnsPerHost: connections, DisableCompression: true}},
		start: time.Now()}
}

func (m *meta) close() { m.http.CloseIdleConnections() }

// post sends the next updates in one callback. Anything but a 200 is an error.
func (m *meta) post(ctx context.Context, batch int) error {
	b, _ := m.bodies.Get().(*[]byte)
	if b == nil {
		b = new([]byte)
	}
	first := int(m.next.Add(int64(batch))) - batch
	*b = m.callback((*b)[:0], first, batch)
	now := max(int64(time.Since(m.start)), 1)
	for i := range batch {
		m.began[first+i].Store(now)
	}
	mac := hmac.New(sha256.New, m.secret)
	mac.Write(*b)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url, bytes.NewReader(*b))
	if err != nil {
		return err
	}
	req.Header = http.Header{"Content-Type": {"application/json"}, "User-Agent": {"facebookexternalua"},
		"X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(mac.Sum(nil))}}
	resp, err := m.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return &Refusal{Status: resp.StatusCode}
	}
	m.bodies.Put(b) // after an error the transport may still be reading
	return nil
}

// callback appends a callback with updates from the first on, each in a change of its own.
func (m *meta) callback(b []byte, first, batch int) []byte {
	b = append(b, `{"object":"whatsapp_business_account","entry":[{"id":"1200000000000001","changes":[`...)
	for i := range batch {
		if i > 0 {
			b = append(b, ',')
		}
		b = m.change(b, first+i)
	}
	return append(b, `]}]}`...)
}

func (m *meta) change(b []byte, update int) []byte {
	n := update / kinds
	number := n%m.numbers + 1
	b = append(b, `{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"`...)
	b = fmt.Appendf(b, `1555020%04d","phone_number_id":"11000000000%05d"},"contacts":[{"profile":{"name":"Ada"},"wa_id":"447900000000","user_id":"GB.88120045511209"}],`, number-1, number)
	at := strconv.AppendInt(nil, time.Now().Unix(), 10)
	if update%kinds == kinds-1 {
		b = append(b, `"messages":[{"from":"447900000000","from_user_id":"GB.88120045511209","id":"`...)
		b = fmt.Appendf(b, "wamid.HBgMNDQ3OTAwMDAwMDAwFQIAEhgU%020X", n)
		b = append(append(append(b, `","timestamp":"`...), at...), `","type":"text","text":{"body":"Thank you, that is just what I was waiting for. Until tomorrow \ud83d\udc4d"}}]`...)
	} else {
		b = append(append(b, `"statuses":[{"id":"`...), wamidOf(n)...)
		b = append(append(b, `","status":"`...), statusOfKind[update%kinds]...)
		b = append(append(append(b, `","timestamp":"`...), at...), `","recipient_id":"447900000000","recipient_user_id":"GB.88120045511209"`...)
		if update%kinds < 2 {
			b = append(b, `,"pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"utility"}`...)
		}
		b = append(b, `}]`...)
	}
	return append(b, `},"field":"messages"}`...)
}

// event files an event of the topic.
func (m *meta) event(envelope []byte) {
	update, ok := updateOf(envelope)
	if !ok || update >= len(m.came) {
		return
	}
	if !m.came[update].CompareAndSwap(0, max(int64(time.Since(m.start)), 1)) {
		m.repeats.Add(1)
		return
	}
	m.arrived.Add(1)
}

// updateOf finds which update an event is about: its number is in the id.
func updateOf(envelope []byte) (update int, ok bool) {
	e := Scan(envelope)
	const outbound, inbound = len("HBgMNDQ3OTAwMDAwMDAwFQIAERgS"), len("HBgMNDQ3OTAwMDAwMDAwFQIAEhgU")
	kind, digits := kinds-1, []byte(nil)
	switch {
	case e.Status == nil && len(e.WAMID) == inbound+20:
		digits = e.WAMID[inbound:]
	case e.Status != nil && len(e.WAMID) == outbound+18+len("AA=="):
		digits, kind = e.WAMID[outbound:outbound+18], -1
		for i, status := range statusOfKind {
			if string(e.Status) == status {
				kind = i
			}
		}
	}
	n, err := strconv.ParseInt(string(digits), 16, 32)
	if err != nil || kind < 0 {
		return 0, false
	}
	return int(n)*kinds + kind, true
}

// wait returns once every update that was posted has come, or how many have not after patience has passed without any event.
func (m *meta) wait(ctx context.Context, patience time.Duration) (missing int) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	seen, since := int64(0), time.Now()
	for {
		arrived := m.arrived.Load()
		if arrived != seen {
			seen, since = arrived, time.Now()
		}
		missing = int(m.next.Load() - arrived)
		if missing <= 0 || time.Since(since) > patience {
			return missing
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return missing
		}
	}
}

// times are those from a callback to the event of each of its updates.
func (m *meta) times() (h Histogram, repeats int64) {
	for i := range m.came {
		if came := m.came[i].Load(); came > 0 {
			h.Record(time.Duration(came - m.began[i].Load()))
		}
	}
	return h, m.repeats.Load()
}
