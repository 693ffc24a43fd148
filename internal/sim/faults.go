package sim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/courier"
	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

var errBadDelay = errors.New("a delay must be a number of milliseconds of at most a year, null or \"off\"")

// edgeInbound is the edge by which rules name customers' messages; their only possible effects are on webhooks.
const edgeInbound = "inbound"

// Rule is one fault: which calls it is about, when it strikes, and what then happens. Effects of several rules that strike one
// call add up; where they contradict, the first rule wins.
type Rule struct {
	Match  Match  `json:"match"`
	When   When   `json:"when"`
	Effect Effect `json:"effect"`

	Matched uint64 `json:"matched"` // calls that matched; ignored on input
	Struck  uint64 `json:"struck"`  // times the rule struck; ignored on input
}

// Match selects calls; an empty member matches all.
type Match struct {
	Method string `json:"method,omitempty"`
	Edge   string `json:"edge,omitempty"` // "messages", "subscribed_apps", …, or "inbound" for a customer's message
	Number string `json:"phone_number_id,omitempty"`
	To     string `json:"to,omitempty"` // the customer
}

// When decides which of the matching calls are struck. At most one member is set; none is always.
type When struct {
	Always      bool     `json:"always,omitempty"`
	Next        *uint64  `json:"next,omitempty"`        // the next N
	Every       *uint64  `json:"every,omitempty"`       // every Nth
	Probability *float64 `json:"probability,omitempty"` // seeded
}

// UnmarshalJSON takes the object form and the bare word "always".
func (w *When) UnmarshalJSON(b []byte) error {
	if string(b) == `"always"` {
		*w = When{Always: true}
		return nil
	}
	type plain When
	return strict(b, (*plain)(w))
}

// Effect is what happens to a struck call.
type Effect struct {
	Code       int            `json:"code,omitempty"`        // Meta's code; one that Meta reports later becomes a failed status
	HTTPStatus int            `json:"http_status,omitempty"` // forces an immediate answer with this status
	DelayMS    int64          `json:"delay_ms,omitempty"`    // before anything else; with cut "after", between acceptance and cut
	Cut        string         `json:"cut,omitempty"`         // drop the connection "before" or "after" the call took effect
	Details    string         `json:"details,omitempty"`     // text for the developer
	Held       bool           `json:"held,omitempty"`        // message_status held_for_quality_assessment; a code 132015 then fails it later
	Webhooks   *WebhookEffect `json:"webhooks,omitempty"`    // what happens to the message's webhooks
}

// WebhookEffect disturbs every webhook about one message.
type WebhookEffect struct {
	Duplicate   count  `json:"duplicate,omitempty"` // true, or how many extra copies
	DelayMS     int64  `json:"delay_ms,omitempty"`
	Reorder     bool   `json:"reorder,omitempty"` // statuses arrive in reverse; a customer's message after the next one
	Drop        bool   `json:"drop,omitempty"`
	Signature   string `json:"signature,omitempty"`    // "wrong" or "missing" at the first attempt
	BeforeReply bool   `json:"before_reply,omitempty"` // tell sent before the send is answered
}

func (w *WebhookEffect) forgery() courier.Forgery {
	switch {
	case w == nil || w.Signature == "":
		return courier.Genuine
	case w.Signature == "wrong":
		return courier.WrongSignature
	}
	return courier.NoSignature
}

// count is a number that may be given as true.
type count int

// UnmarshalJSON takes a boolean or a number from 0 to 10.
func (c *count) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "true":
		*c = 1
		return nil
	case "false", "null":
		*c = 0
		return nil
	}
	var n int
	if err := json.Unmarshal(b, &n); err != nil || n < 0 || n > 10 {
		return errors.New("duplicate must be true, false or a number from 0 to 10")
	}
	*c = count(n)
	return nil
}

const maxFaultDelay = 10 * time.Minute

// check returns what is wrong with a rule.
func (r *Rule) check() error {
	e, w, set := &r.Effect, &r.When, 0
	for _, given := range []bool{w.Always, w.Next != nil, w.Every != nil, w.Probability != nil} {
		if given {
			set++
		}
	}
	switch {
	case set > 1:
		return errors.New("when takes one of always, next, every and probability")
	case w.Probability != nil && (*w.Probability < 0 || *w.Probability > 1):
		return errors.New("probability must be from 0 to 1")
	case w.Every != nil && *w.Every == 0:
		return errors.New("every must be at least 1")
	case e.Cut != "" && e.Cut != "before" && e.Cut != "after":
		return errors.New(`cut must be "before" or "after"`)
	case e.HTTPStatus != 0 && (e.HTTPStatus < 300 || e.HTTPStatus > 599):
		return errors.New("http_status must be from 300 to 599")
	case e.Code < 0:
		return errors.New("code must not be negative")
	case e.DelayMS < 0 || e.DelayMS > maxFaultDelay.Milliseconds():
		return fmt.Errorf("delay_ms must be from 0 to %d", maxFaultDelay.Milliseconds())
	}
	if w := e.Webhooks; w != nil {
		switch {
		case w.DelayMS < 0 || w.DelayMS > (7*24*time.Hour).Milliseconds():
			return errors.New("webhooks.delay_ms must be from 0 to seven days")
		case w.Signature != "" && w.Signature != "wrong" && w.Signature != "missing":
			return errors.New(`webhooks.signature must be "wrong" or "missing"`)
		}
	} else if *e == (Effect{}) {
		return errors.New("effect is empty")
	}
	return nil
}

// matches compares a call with the rule. Inbound messages only concern rules that can do something to webhooks.
func (r *Rule) matches(method, edge, number, to string) bool {
	m := &r.Match
	return (m.Method == "" || strings.EqualFold(m.Method, method)) &&
		(m.Edge == "" || m.Edge == edge) &&
		(m.Number == "" || m.Number == number) &&
		(m.To == "" || to != "" && canonical(digitsOnly(m.To)) == to) &&
		(edge != edgeInbound || r.Effect.Webhooks != nil)
}

// strike counts a matching call and decides whether the rule strikes it.
func (r *Rule) strike(chance *source) bool {
	r.Matched++
	hit := true
	switch {
	case r.When.Next != nil:
		hit = r.Struck < *r.When.Next
	case r.When.Every != nil:
		hit = r.Matched%*r.When.Every == 0
	case r.When.Probability != nil:
		hit = chance.float() < *r.When.Probability
	}
	if hit {
		r.Struck++
	}
	return hit
}

// fault returns what strikes a call, or nil.
func (st *state) fault(method, edge, number, to string) *Effect {
	var struck *Effect
	for _, r := range st.rules {
		switch {
		case !r.matches(method, edge, number, to) || !r.strike(&st.chance):
		case struck == nil:
			struck = &r.Effect
		default:
			struck = struck.and(&r.Effect)
		}
	}
	return struck
}

// and returns both effects together; e wins where they contradict.
func (e *Effect) and(o *Effect) *Effect {
	both := *e
	if both.Code == 0 && both.HTTPStatus == 0 {
		both.Code, both.HTTPStatus, both.Details = o.Code, o.HTTPStatus, o.Details
	}
	both.DelayMS = max(both.DelayMS, o.DelayMS)
	both.Cut = cmp.Or(both.Cut, o.Cut)
	both.Held = both.Held || o.Held
	switch {
	case both.Webhooks == nil:
		both.Webhooks = o.Webhooks
	case o.Webhooks != nil:
		a, b := *both.Webhooks, o.Webhooks
		both.Webhooks = &WebhookEffect{Duplicate: max(a.Duplicate, b.Duplicate), DelayMS: max(a.DelayMS, b.DelayMS),
			Reorder: a.Reorder || b.Reorder, Drop: a.Drop || b.Drop, Signature: cmp.Or(a.Signature, b.Signature),
			BeforeReply: a.BeforeReply || b.BeforeReply}
	}
	return &both
}

// refusal is the immediate error an effect asks for, or nil when the call should be accepted (perhaps to fail later).
func (e *Effect) refusal(now time.Time) *graph.Error {
	if e.HTTPStatus == 0 && (e.Code == 0 || e.later() != 0) {
		return nil
	}
	code := e.Code
	if code == 0 {
		code = map[int]int{401: 190, 403: 10, 429: 4, 500: 1, 503: 2}[e.HTTPStatus]
	}
	if code == 0 {
		code = 100
		if e.HTTPStatus >= 500 {
			code = 2
		}
	}
	err := graph.Fail(code, e.Details)
	if code == 190 {
		err = graph.ExpiredToken(metaTime(now.Add(-time.Hour)))
	}
	if e.HTTPStatus != 0 {
		err.HTTP = e.HTTPStatus
	}
	return err
}

// later is the code a message that this effect let pass fails with, 0 for none.
func (e *Effect) later() int {
	if e == nil || e.HTTPStatus != 0 || (!graph.Lookup(e.Code).Async && !(e.Held && e.Code != 0)) {
		return 0
	}
	return e.Code
}

// gateway reports a status that a proxy in front of Meta answers, with a page instead of JSON.
func (e *Effect) gateway() bool {
	return e.Code == 0 && (e.HTTPStatus == http.StatusBadGateway || e.HTTPStatus == http.StatusGatewayTimeout)
}

func digitsOnly(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// strict decodes one JSON value and refuses unknown members and trailing data.
func strict(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("unexpected data after the JSON value")
	}
	return nil
}

// metaTime prints a time as Meta's token errors do.
func metaTime(t time.Time) string { return t.UTC().Format("Monday, 02-Jan-06 15:04:05 MST") }
