package sim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"sort"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/sim/content"
	"github.com/waxwing-messaging/waxwing/internal/sim/courier"
	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// request is one Graph call as it is remembered. Tokens are not kept.
type request struct {
	Serial  uint64          `json:"serial"`
	At      time.Time       `json:"at"`
	Method  string          `json:"method"`
	Path    string          `json:"path"`
	Version string          `json:"version"` // as served
	Edge    string          `json:"edge,omitempty"`
	Number  string          `json:"phone_number_id,omitempty"`
	To      string          `json:"to,omitempty"`
	Status  int             `json:"status"` // 0 when the connection was cut
	Code    int             `json:"code,omitempty"`
	Details string          `json:"details,omitempty"`
	Cut     string          `json:"cut,omitempty"`
	Message string          `json:"message_id,omitempty"`
	Body    json.RawMessage `json:"body,omitempty"`
	raw     []byte
}

// maxShown is the longest body that GET /sim/v1/requests repeats.
const maxShown = 64 << 10

// record files a finished call, over the oldest one when the ring is full, and returns its fbtrace_id.
func (s *Sim) record(c *call, status int, refusal *graph.Error, cut string) (trace string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.st
	st.calls++
	r := request{Serial: st.calls, At: time.Unix(0, c.now).UTC(), Method: c.r.Method, Path: c.path, Version: c.version, Edge: c.edge,
		Number: c.numberID(), Status: status, Cut: cut}
	if to, ok := c.params.String("to"); ok {
		r.To = to
	}
	if refusal != nil {
		r.Code, r.Details = refusal.Code, refusal.Details
	}
	if c.message != nil {
		r.Message = c.message.wamid
	}
	if _, secret := c.params["access_token"]; !secret && c.malformed == nil && len(c.raw) <= maxShown {
		r.raw = c.raw
	}
	st.requests[(st.calls-1)%requestLimit] = r
	return st.traces.trace()
}

func getRequests(s *Sim, r *http.Request) (any, error) {
	limit, err := query(r, "limit", requestLimit)
	if err != nil {
		return nil, err
	}
	list := []request{}
	total := uint64(0)
	s.with(func(st *state) {
		total = st.calls
		for i := st.calls; i > 0 && st.calls-i < requestLimit && len(list) < limit; i-- {
			q := st.requests[(i-1)%requestLimit]
			q.Body = q.raw
			list = append(list, q)
		}
	})
	return struct {
		Total    uint64    `json:"total"`
		Requests []request `json:"requests"`
	}{total, list}, nil
}

// entry is a message in the books of the simulator: the truth a test compares with.
type entry struct {
	Serial   uint64           `json:"serial"`
	ID       string           `json:"wamid"`
	From     string           `json:"phone_number_id"`
	To       string           `json:"to"`
	Type     string           `json:"type"`
	Opaque   string           `json:"biz_opaque_callback_data,omitempty"`
	Text     string           `json:"text,omitempty"`
	Template string           `json:"template,omitempty"`
	Sum      string           `json:"body_sha256"`
	Status   string           `json:"status"`
	Times    map[string]int64 `json:"times_ms"` // status → unix milliseconds
	Code     int              `json:"error_code,omitempty"`
	Untold   bool             `json:"untold,omitempty"` // a rule dropped its webhooks
	Category string           `json:"pricing_category,omitempty"`
	Price    string           `json:"pricing_type,omitempty"`
}

func (m *message) entry() entry {
	sum := sha256.Sum256(m.raw)
	e := entry{Serial: m.serial, ID: m.wamid, From: m.number.ID, To: m.user.key(), Type: m.kind, Opaque: m.opaque,
		Text: content.TextOf(m.raw), Sum: hex.EncodeToString(sum[:]), Status: m.stage.String(), Times: map[string]int64{},
		Category: m.price.category, Price: m.price.kind}
	for st, at := range m.stamps {
		if at > 0 {
			e.Times[stage(st).String()] = at / int64(time.Millisecond)
		}
	}
	if m.template != nil {
		e.Template = m.template.Name
	}
	e.Untold = m.effect != nil && m.effect.Drop
	if m.stage == failed {
		e.Code = m.code
	}
	return e
}

// outbound copies the messages accepted from businesses after a serial, oldest first. Rendering them needs no lock for what
// never changes; the rest is copied here.
func (s *Sim) outbound(after uint64, limit int, keep func(*message) bool) (list []message, total uint64, more bool) {
	s.with(func(st *state) {
		total = st.accepted
		from := sort.Search(len(st.messages), func(i int) bool { return st.messages[i].serial > after })
		for _, m := range st.messages[from:] {
			if m.inbound || m.onPhone || !keep(m) {
				continue
			}
			if len(list) == limit {
				more = true
				return
			}
			list = append(list, *m)
		}
	})
	return list, total, more
}

// getLedger lists every message accepted from a business that is still remembered, in order of acceptance. accepted counts all
// there ever were; more says that limit cut the list, to go on with after=<last serial>.
func getLedger(s *Sim, r *http.Request) (any, error) {
	after, err := query(r, "after", 0)
	if err != nil {
		return nil, err
	}
	limit, err := query(r, "limit", 2*historyLimit)
	if err != nil {
		return nil, err
	}
	list, total, more := s.outbound(uint64(after), limit, func(*message) bool { return true })
	entries := make([]entry, len(list))
	for i := range list {
		entries[i] = list[i].entry()
	}
	return struct {
		Accepted uint64  `json:"accepted"`
		Count    int     `json:"count"`
		More     bool    `json:"more"`
		Messages []entry `json:"messages"`
	}{total, len(entries), more, entries}, nil
}

// getMessages finds messages by wamid, by biz_opaque_callback_data or by recipient; more than one match of the second is a
// duplicate send.
func getMessages(s *Sim, r *http.Request) (any, error) {
	q := r.URL.Query()
	id, opaque, to := q.Get("wamid"), q.Get("biz_opaque_callback_data"), q.Get("to")
	if id == "" && opaque == "" && to == "" {
		return nil, fault.New(fault.Validation, "give wamid, biz_opaque_callback_data or to")
	}
	list, _, _ := s.outbound(0, 1000, func(m *message) bool {
		return (id == "" || m.wamid == id) && (opaque == "" || m.opaque == opaque) && (to == "" || m.user.key() == canonical(digitsOnly(to)))
	})
	found := make([]object, len(list))
	for i := range list {
		m := &list[i]
		found[i] = object{"message": m.entry(), "body": json.RawMessage(m.raw)}
		if m.template != nil {
			found[i]["rendered"] = m.rendered()
		}
	}
	return object{"count": len(found), "messages": found}, nil
}

func (m *message) rendered() content.Rendered {
	dec := json.NewDecoder(bytes.NewReader(m.raw))
	dec.UseNumber()
	var p graph.Params
	_ = dec.Decode(&p) // it was parsed when it was accepted
	return m.template.compiled.Render(p)
}

// injection is POST /sim/v1/webhooks: any webhook at all, for fields this simulator has no story for.
type injection struct {
	Account string          `json:"waba_id"`
	Number  string          `json:"phone_number_id"` // routes as the number's messages do; entry.time is then left out
	Field   string          `json:"field"`
	Value   json.RawMessage `json:"value"`
}

func postWebhook(s *Sim, r *http.Request) (any, error) {
	var in injection
	if err := input(r, &in); err != nil {
		return nil, err
	}
	if in.Field == "" || len(in.Value) == 0 {
		return nil, fault.New(fault.Validation, "field and value are required")
	}
	var err error
	s.with(func(st *state) {
		now := s.now()
		body := graph.AppendEscaped(nil, in.Value)
		if n := st.numbers[in.Number]; n != nil {
			u := n.update(courier.Value, body)
			u.Field = in.Field
			s.post(n, u, nil, 0, now.UnixNano())
			return
		}
		a := st.accounts[in.Account]
		if a == nil || in.Number != "" {
			err = fault.New(fault.NotFound, "no such phone_number_id or waba_id")
			return
		}
		if a.subscribed {
			s.courier.Send("", &courier.Update{Account: a.ID, Field: in.Field, Kind: courier.Value, Body: body, Time: now.Unix()})
		}
	})
	return nil, err
}
