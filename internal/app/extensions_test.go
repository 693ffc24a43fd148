package app

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/sim"
)

const text = `{"messaging_product":"whatsapp","to":"+14255550150","type":"text","text":{"body":"Hello"}}`

// stranger is a client with the key of another account of the node.
func (n *node) stranger(t *testing.T) *awsapitest.Client {
	t.Helper()
	key, err := CreateAccount(t.Context(), *n.cfg, identity.Account{})
	if err != nil {
		t.Fatal(err)
	}
	c := *n.api
	c.Key = key
	return &c
}

// ask calls an operation that has to succeed, and reads its answer.
func (n *node) ask(t *testing.T, method, path string, body, out any) {
	t.Helper()
	res := n.api.Do(t, method, path, body)
	if res.Status != http.StatusOK {
		t.Fatalf("%s %s: %d %s %s", method, path, res.Status, res.Code(), res.Body)
	}
	res.JSON(t, out)
}

func path(operation string, parameters ...string) string {
	q := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		q.Set(parameters[i], parameters[i+1])
	}
	return "/v1/waxwing/" + operation + "?" + q.Encode()
}

// shown is a message as GetMessage and ListMessages show it.
type shown struct {
	MessageID, WAMID, PhoneNumberID, Recipient, Type, TemplateName, State string
	AcceptedAt, UpdatedAt, SendAt, ValidUntil                             float64
	Timeline                                                              []struct {
		Status                string
		Timestamp, RecordedAt float64
		Errors                []struct {
			Code                                                         int
			Title, Message, Details, Class, Explanation, SuggestedAction string
		}
	}
	Object []byte
}

// await asks for a message until it has come to a state.
func (n *node) await(t *testing.T, id, state string) (m shown) {
	t.Helper()
	waitFor(t, state+" message", func() bool {
		var out struct{ Message shown }
		n.ask(t, "GET", path("messages/details", "id", id), nil, &out)
		m = out.Message
		return m.State == state
	})
	return m
}

func TestGetMessage(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	id := n.send(t, template)
	m := n.await(t, id, "delivered")
	if m.MessageID != id || !strings.HasPrefix(m.WAMID, "wamid.") || m.PhoneNumberID != seededPhone || m.Recipient != sim.Diego || m.Type != "template" ||
		m.TemplateName != "hello_world" || m.AcceptedAt == 0 || m.UpdatedAt < m.AcceptedAt || m.Object != nil {
		t.Errorf("message = %+v", m)
	}
	var steps []string
	for _, s := range m.Timeline {
		steps = append(steps, s.Status)
		if s.Timestamp == 0 || s.RecordedAt == 0 || len(s.Errors) != 0 {
			t.Errorf("step = %+v", s)
		}
	}
	if got := strings.Join(steps, " "); got != "accepted sent delivered" {
		t.Errorf("timeline = %s", got)
	}

	var out struct{ Message shown }
	n.ask(t, "GET", path("messages/details", "id", m.WAMID, "includeMessage", "true"), nil, &out)
	if out.Message.MessageID != id || string(out.Message.Object) != template {
		t.Errorf("by wamid: %s with %s", out.Message.MessageID, out.Message.Object)
	}

	failed := n.await(t, n.send(t, strings.Replace(template, "hello_world", "no_such_template", 1)), "failed")
	last := failed.Timeline[len(failed.Timeline)-1]
	if len(last.Errors) != 1 {
		t.Fatalf("timeline of a failure = %+v", failed.Timeline)
	}
	if e := last.Errors[0]; e.Code != 132001 || e.Title == "" || e.Details == "" || e.Class != "permanent" || e.Explanation == "" || e.SuggestedAction == "" {
		t.Errorf("reason = %+v", e)
	}

	other := n.stranger(t)
	for _, tc := range []struct {
		name   string
		client *awsapitest.Client
		id     string
		status int
		code   string
	}{
		{"an unknown id", n.api, "0199f0c4-0000-7000-8000-000000000000", 404, "ResourceNotFoundException"},
		{"an unknown wamid", n.api, "wamid.HBgLMTQyNTU1NTAxNTA=", 404, "ResourceNotFoundException"},
		{"another account's message", other, id, 404, "ResourceNotFoundException"},
		{"another account's wamid", other, m.WAMID, 404, "ResourceNotFoundException"},
		{"no id", n.api, "", 400, "ValidationException"},
		{"an id too long", n.api, strings.Repeat("x", 257), 400, "ValidationException"},
	} {
		if res := tc.client.Do(t, "GET", path("messages/details", "id", tc.id), nil); res.Status != tc.status || res.Code() != tc.code {
			t.Errorf("%s: %d %s %s", tc.name, res.Status, res.Code(), res.Body)
		}
	}
}

func TestListMessages(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), func(c *config.Config) { c.Limits = map[string]float64{"ListMessages": 1000} })
	list := func(parameters ...string) (ids []string, next string) {
		t.Helper()
		var out struct {
			Messages  []shown
			NextToken string
		}
		n.ask(t, "GET", path("messages/list", parameters...), nil, &out)
		for _, m := range out.Messages {
			if m.Timeline != nil || m.Object != nil {
				t.Errorf("a list gives too much: %+v", m)
			}
			ids = append(ids, m.MessageID)
		}
		return ids, out.NextToken
	}
	if ids, next := list(); len(ids) != 0 || next != "" {
		t.Errorf("before anything was sent: %v, %q", ids, next)
	}

	began := time.Now()
	first := n.send(t, template)
	n.await(t, first, "delivered")
	refused := n.send(t, strings.Replace(template, "hello_world", "no_such_template", 1))
	n.await(t, refused, "failed")
	second := n.send(t, strings.Replace(template, "14255550150", "447700900123", 1))
	n.await(t, second, "delivered")
	for _, tc := range []struct {
		name string
		q    []string
		want []string
	}{
		{"everything", nil, []string{second, refused, first}},
		{"a recipient", []string{"recipient", "+1 (425) 555-0150"}, []string{refused, first}},
		{"no recipient of ours", []string{"recipient", "nobody"}, nil},
		{"a state", []string{"state", "delivered"}, []string{second, first}},
		{"a template", []string{"templateName", "hello_world"}, []string{second, first}},
		{"an error", []string{"errorCode", "132001"}, []string{refused}},
		{"another error", []string{"errorCode", "131000"}, nil},
		{"a number", []string{"phoneNumberId", seededPhone}, []string{second, refused, first}},
		{"a recipient's template", []string{"recipient", sim.Diego, "templateName", "hello_world"}, []string{first}},
		{"since the start", []string{"from", began.Add(-time.Minute).Format(time.RFC3339)}, []string{second, refused, first}},
		{"until the start", []string{"to", fmt.Sprint(began.Add(-time.Minute).Unix())}, nil},
	} {
		ids, next := list(tc.q...)
		if !slices.Equal(ids, tc.want) || next != "" {
			t.Errorf("%s: %v, %q; want %v", tc.name, ids, next, tc.want)
		}
	}

	page, next := list("maxResults", "2")
	if !slices.Equal(page, []string{second, refused}) || next == "" {
		t.Fatalf("first page = %v, %q", page, next)
	}
	if rest, end := list("maxResults", "2", "nextToken", next); !slices.Equal(rest, []string{first}) || end != "" {
		t.Errorf("second page = %v, %q", rest, end)
	}

	const club = "120363000000000001@g.us" // the simulator has no such group
	group := n.send(t, `{"messaging_product":"whatsapp","recipient_type":"group","to":"`+club+`","text":{"body":"all of you"}}`)
	if ids, _ := list("recipient", club); !slices.Equal(ids, []string{group}) {
		t.Errorf("to a group: %v, want %s", ids, group)
	}

	for _, tc := range []struct {
		name string
		q    []string
		code string
	}{
		{"a number nobody has", []string{"phoneNumberId", strings.Replace(seededPhone, "1", "2", 1)}, "ResourceNotFoundException"},
		{"no such state", []string{"state", "lost"}, "ValidationException"},
		{"a page too large", []string{"maxResults", "101"}, "ValidationException"},
		{"no time", []string{"from", "yesterday"}, "InvalidParametersException"},
		{"a forged token", []string{"nextToken", next + "x"}, "InvalidParametersException"},
	} {
		if res := n.api.Do(t, "GET", path("messages/list", tc.q...), nil); res.Code() != tc.code {
			t.Errorf("%s: %d %s %s, want %s", tc.name, res.Status, res.Code(), res.Body, tc.code)
		}
	}

	other := n.stranger(t)
	if res := other.Do(t, "GET", path("messages/list"), nil); string(res.Body) != `{"messages":[]}` {
		t.Errorf("another account sees %s", res.Body)
	}
	if res := other.Do(t, "GET", path("messages/list", "nextToken", next), nil); res.Code() != "InvalidParametersException" {
		t.Errorf("another account's token: %d %s", res.Status, res.Code())
	}
}

func TestCustomerServiceWindow(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	type window struct {
		Open, MarketingOptOut                           bool
		OpenUntil, LastInboundAt, MarketingPreferenceAt *float64
	}
	ask := func() (w window) {
		n.ask(t, "GET", path("windows/details", "phoneNumberId", seededPhone, "recipient", "+14255550150"), nil, &w)
		return w
	}
	if w := ask(); w != (window{}) {
		t.Errorf("before the customer wrote: %+v", w)
	}
	n.control(t, http.MethodPost, "/sim/v1/customers/"+sim.Diego+"/messages", `{"phone_number_id":"`+sim.NumberID+`","message":{"type":"text","text":{"body":"Hi"}}}`)
	var w window
	waitFor(t, "open window", func() bool { w = ask(); return w.Open })
	if w.LastInboundAt == nil || w.OpenUntil == nil || *w.OpenUntil-*w.LastInboundAt != 24*60*60 || w.MarketingOptOut || w.MarketingPreferenceAt != nil {
		t.Errorf("after the customer wrote: %+v", w)
	}
	n.control(t, http.MethodPut, "/sim/v1/customers/"+sim.Diego, `{"marketing_opt_out":true}`)
	waitFor(t, "opt-out", func() bool { w = ask(); return w.MarketingOptOut })
	if !w.Open || w.MarketingPreferenceAt == nil {
		t.Errorf("after the customer opted out: %+v", w)
	}

	other := n.stranger(t)
	for _, tc := range []struct {
		name         string
		client       *awsapitest.Client
		phone, whose string
		code         string
	}{
		{"another account's number", other, seededPhone, sim.Diego, "ResourceNotFoundException"},
		{"no number", n.api, "", sim.Diego, "ValidationException"},
		{"no recipient", n.api, seededPhone, "", "ValidationException"},
		{"a recipient without digits", n.api, seededPhone, "Diego", "InvalidParametersException"},
	} {
		res := tc.client.Do(t, "GET", path("windows/details", "phoneNumberId", tc.phone, "recipient", tc.whose), nil)
		if res.Code() != tc.code {
			t.Errorf("%s: %d %s %s, want %s", tc.name, res.Status, res.Code(), res.Body, tc.code)
		}
	}
}

func TestValidateMessage(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	type answer struct {
		Valid    bool
		Problems []struct {
			Member, Problem, SuggestedAction string
			Code                             int
		}
	}
	body := func(phone, version, object string) map[string]string {
		return map[string]string{"originationPhoneNumberId": phone, "metaApiVersion": version, "message": base64.StdEncoding.EncodeToString([]byte(object))}
	}
	for _, tc := range []struct {
		name, version, object string
		want                  []string // "member code", in order
	}{
		{"a template", "v20.0", template, nil},
		{"text to a closed window", "v20.0", text, []string{"message 131047"}},
		{"two problems", "20", text, []string{"metaApiVersion 0", "message 131047"}},
		{"no WhatsApp message", "v20.0", `{"to":"1"}`, []string{"message 0"}},
		{"no JSON", "v20.0", `Hello`, []string{"message 0"}},
	} {
		var got answer
		n.ask(t, "POST", "/v1/waxwing/messages/validate", body(seededPhone, tc.version, tc.object), &got)
		var problems []string
		for _, p := range got.Problems {
			problems = append(problems, fmt.Sprint(p.Member, " ", p.Code))
			if p.Problem == "" {
				t.Errorf("%s: a problem without words", tc.name)
			}
		}
		if !slices.Equal(problems, tc.want) || got.Valid != (len(tc.want) == 0) {
			t.Errorf("%s: %+v, want %v", tc.name, got, tc.want)
		}
	}

	n.control(t, http.MethodPost, "/sim/v1/customers/"+sim.Diego+"/messages", `{"phone_number_id":"`+sim.NumberID+`","message":{"type":"text","text":{"body":"Hi"}}}`)
	waitFor(t, "valid text", func() bool {
		var got answer
		n.ask(t, "POST", "/v1/waxwing/messages/validate", body(seededPhone, "v20.0", text), &got)
		return got.Valid
	})
	// In an open window a template is an answer: it may go where the business must not begin, and may not where it must not answer.
	restrict := func(kind string) {
		n.control(t, "PATCH", "/sim/v1/accounts/"+sim.AccountID, `{"restrictions":[{"restriction_type":"`+kind+`"}]}`)
		waitFor(t, kind, func() bool {
			return strings.Contains(string(n.api.Do(t, "GET", path("accounts/notices", "id", seededWABA), nil).Body), kind)
		})
	}
	var got answer
	restrict("RESTRICTED_BIZ_INITIATED_MESSAGING")
	if n.ask(t, "POST", "/v1/waxwing/messages/validate", body(seededPhone, "v20.0", template), &got); !got.Valid {
		t.Errorf("a template as an answer: %+v", got)
	}
	restrict("RESTRICTED_CUSTOMER_INITIATED_MESSAGING")
	if n.ask(t, "POST", "/v1/waxwing/messages/validate", body(seededPhone, "v20.0", template), &got); got.Valid || got.Problems[0].Code != 368 {
		t.Errorf("a template as an answer where there may be none: %+v", got)
	}
	if res := n.api.Do(t, "GET", path("messages/list"), nil); string(res.Body) != `{"messages":[]}` {
		t.Errorf("validating has sent something: %s", res.Body)
	}

	for _, tc := range []struct {
		name   string
		client *awsapitest.Client
		body   any
		code   string
	}{
		{"another account's number", n.stranger(t), body(seededPhone, "v20.0", template), "ResourceNotFoundException"},
		{"no message", n.api, map[string]string{"originationPhoneNumberId": seededPhone, "metaApiVersion": "v20.0"}, "ValidationException"},
	} {
		if res := tc.client.Do(t, "POST", "/v1/waxwing/messages/validate", tc.body); res.Code() != tc.code {
			t.Errorf("%s: %d %s %s, want %s", tc.name, res.Status, res.Code(), res.Body, tc.code)
		}
	}
}

// The extensions are in the table of social-messaging: unsigned requests and wrong methods end as they do there.
func TestExtensionsAreSigned(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	forged := *n.api
	forged.Key.Secret = "wrong"
	if res := forged.Do(t, "GET", path("messages/list"), nil); res.Status != http.StatusForbidden {
		t.Errorf("a wrong signature: %d %s", res.Status, res.Code())
	}
	if res := n.api.Do(t, "DELETE", path("messages/list"), nil); res.Code() != "UnknownOperationException" {
		t.Errorf("a wrong method: %d %s", res.Status, res.Code())
	}
}
