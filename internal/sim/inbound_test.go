package sim

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCustomerWrites sends every kind of message a customer can, and compares what the app gets beyond from, id and timestamp.
func TestCustomerWrites(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, message, want string }{
		{"text", `{"type":"text","text":{"body":"Hi"}}`, ``},
		{"location", `{"type":"location","location":{"latitude":51.5,"longitude":-0.12,"name":"Pier"}}`, ``},
		{"contacts", `{"type":"contacts","contacts":[{"name":{"formatted_name":"Bo Ek"},"phones":[{"phone":"+46","wa_id":"46"}]}]}`, ``},
		{"button without a context", `{"type":"button","button":{"payload":"later","text":"Later"}}`, ``},
		{"button reply to a message", `{"type":"interactive","context":{"message_id":"wamid.OUT"},"interactive":{"type":"button_reply","button_reply":{"id":"y","title":"Yes"}}}`,
			`{"type":"interactive","context":{"from":"15550100001","id":"wamid.OUT"},"interactive":{"type":"button_reply","button_reply":{"id":"y","title":"Yes"}}}`},
		{"list reply", `{"type":"interactive","context":{"from":"1","id":"wamid.OUT"},"interactive":{"type":"list_reply","list_reply":{"id":"r","title":"R"}}}`, ``},
		{"flow reply", `{"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow","body":"Sent","response_json":"{\"rating\":\"5\"}"}}}`, ``},
		{"reaction", `{"type":"reaction","reaction":{"message_id":"wamid.OUT","emoji":"👍"}}`, ``},
		{"reaction removed", `{"type":"reaction","reaction":{"message_id":"wamid.OUT"}}`, ``},
		{"order", `{"type":"order","order":{"catalog_id":"5","product_items":[{"product_retailer_id":"s","quantity":2,"item_price":7.5,"currency":"GBP"}]}}`, ``},
		{"forwarded", `{"type":"text","text":{"body":"x"},"context":{"forwarded":true}}`, ``},
		{"from an ad", `{"type":"text","text":{"body":"x"},"referral":{"source_type":"ad","ctwa_clid":"AR"}}`, ``},
		{"unsupported", `{"type":"unsupported","errors":[{"code":131051,"title":"Message type unknown"}]}`, ``},
		{"edit", `{"type":"edit","edit":{"original_message_id":"wamid.A","message":{"type":"text","text":{"body":"y"}}}}`, ``},
		{"revoke", `{"type":"revoke","revoke":{"original_message_id":"wamid.A"}}`, ``},
		{"a type of the future", `{"type":"hologram","hologram":[1,"zwei",null]}`, ``},
		{"a future type without a body", `{"type":"wave"}`, ``},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, Options{}, func(f *fixture) {
				id := f.writes(Diego, tc.message)
				after(time.Second)
				list := f.app.messages(t)
				if len(list) != 1 {
					t.Fatalf("the app got %d messages, want 1", len(list))
				}
				got := list[0]
				if got["id"] != id || got["from"] != Diego || got["from_user_id"] == "" || got["timestamp"] != "946684800" {
					t.Errorf("got %v from %v at %v", got["id"], got["from"], got["timestamp"])
				}
				for _, key := range []string{"id", "from", "from_user_id", "timestamp"} {
					delete(got, key)
				}
				want := map[string]any{}
				text := tc.want
				if text == "" {
					text = tc.message
				}
				if err := json.Unmarshal([]byte(text), &want); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("message (-want +got):\n%s", diff)
				}
				if user, business, _, err := parseWamid(id); err != nil || business || user != Diego {
					t.Errorf("wamid of %q, business %v: %v", user, business, err)
				}
			})
		})
	}
}

func TestSystemMessageHasNoContacts(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.writes(Amara, `{"type":"system","system":{"type":"user_changed_number","body":"Amara changed","wa_id":"447700900456"}}`)
		after(time.Second)
		v := parse(t, f.app.taken()[0].body).Entry[0].Changes[0].Value
		if len(v.Contacts) != 0 || len(v.Messages) != 1 {
			t.Errorf("value %+v", v)
		}
		if c := f.sim.customer("447700900456"); c.Name != "Amara" {
			t.Errorf("the new number belongs to %q", c.Name)
		}
		if state := string(f.control(http.MethodGet, "/sim/v1/state", "")); !strings.Contains(state, `"windows": []`) {
			t.Error("a window is open, though Amara has not written")
		}
	})
}

// A user who goes by a username is known by the business-scoped id only, in everything the app is told.
func TestUserWhoHidesTheNumber(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.control(http.MethodPut, "/sim/v1/customers/"+Diego, `{"hides_number":true}`)
		id := f.writes(Diego, hi)
		scoped := scopedID(f.sim.world.Portfolio, Diego)
		r := f.post(`{"messaging_product":"whatsapp","recipient":"` + scoped + `","type":"text","text":{"body":"Hello"}}`)
		if !strings.Contains(string(r.body), `"contacts":[{"input":"`+scoped+`","user_id":"`+scoped+`"}]`) {
			t.Errorf("answer %s", r.body)
		}
		after(time.Minute)
		f.control(http.MethodPut, "/sim/v1/customers/"+Diego, `{"marketing_opt_out":true}`)
		after(time.Second)
		var fields []string
		for _, h := range f.app.taken() {
			if !strings.Contains(string(h.body), `"`+scoped+`"`) || strings.Contains(string(h.body), Diego) {
				t.Errorf("told %s, want the scoped id only", h.body)
			}
			for _, e := range parse(t, h.body).Entry {
				fields = append(fields, e.Changes[0].Field)
			}
		}
		if strings.Join(fields, " ") != "messages messages messages user_preferences" {
			t.Errorf("told of %v", fields)
		}
		if user, business, _, err := parseWamid(id); err != nil || business || user != scoped {
			t.Errorf("wamid of %q, business %v: %v", user, business, err)
		}
	})
}

func TestValueErrors(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		const problem = `[{"code":131000,"title":"Something went wrong"}]`
		f.control(http.MethodPost, "/sim/v1/customers/"+Diego+"/messages", `{"phone_number_id":"`+NumberID+`","message":{"type":"interactive"},"errors":`+problem+`}`)
		f.control(http.MethodPost, "/sim/v1/customers/"+Diego+"/messages", `{"phone_number_id":"`+NumberID+`","errors":`+problem+`}`)
		after(time.Second)
		var errors, messages int
		for _, h := range f.app.taken() {
			for _, c := range parse(t, h.body).Entry[0].Changes {
				errors += len(c.Value.Errors)
				messages += len(c.Value.Messages)
			}
		}
		if errors != 2 || messages != 1 {
			t.Errorf("%d errors and %d messages, want 2 and 1", errors, messages)
		}
	})
}

func TestInboundMedia(t *testing.T) {
	t.Parallel()
	bubble(t, Options{PublicURL: "http://sim.test"}, func(f *fixture) {
		data := []byte("\x89PNG, more or less")
		f.writes(Diego, `{"type":"image","image":{"data":"`+base64.StdEncoding.EncodeToString(data)+`","mime_type":"image/png","caption":"my door"}}`)
		after(time.Second)
		image := f.app.messages(t)[0]["image"].(map[string]any)
		sum := sha256.Sum256(data)
		if image["mime_type"] != "image/png" || image["caption"] != "my door" || image["sha256"] != base64.StdEncoding.EncodeToString(sum[:]) || image["data"] != nil {
			t.Fatalf("image %v", image)
		}
		id := image["id"].(string)
		var shown struct {
			URL  string `json:"url"`
			Sum  string `json:"sha256"`
			Size string `json:"file_size"`
		}
		if err := json.Unmarshal(f.graph(http.MethodGet, "/v25.0/"+id+"?phone_number_id="+NumberID, "").body, &shown); err != nil {
			t.Fatal(err)
		}
		if shown.Sum != hex.EncodeToString(sum[:]) || shown.Size != "18" {
			t.Errorf("media %+v", shown)
		}
		if r := f.graph(http.MethodGet, "/v25.0/"+id+"?phone_number_id=1", ""); r.errorCode(t) != 100 {
			t.Errorf("another number's media: %s", r.body)
		}
		fetch := func(url string, headers ...string) reply {
			t.Helper()
			r, err := f.do(f.request(http.MethodGet, strings.TrimPrefix(strings.TrimPrefix(url, "http://sim.test"), "http://127.0.0.1:7767"), "", headers...))
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		token := []string{"Authorization", "Bearer " + AccessToken}
		for name, url := range map[string]string{"the webhook's address": image["url"].(string), "the second hop": shown.URL} {
			if r := fetch(url, token...); r.status != http.StatusOK || string(r.body) != string(data) || r.header.Get("Content-Type") != "image/png" {
				t.Errorf("%s: %d %q", name, r.status, r.body)
			}
		}
		for name, tc := range map[string]struct {
			url     string
			headers []string
			status  int
		}{
			"no token":             {shown.URL, nil, http.StatusUnauthorized},
			"another's token":      {shown.URL, []string{"Authorization", "Bearer " + NewAccessToken}, http.StatusUnauthorized},
			"a forged address":     {strings.Replace(shown.URL, "hash=AR", "hash=AX", 1), token, http.StatusNotFound},
			"a part of the bytes":  {shown.URL, append([]string{"Range", "bytes=1-3"}, token...), http.StatusPartialContent},
			"an unknown medium":    {strings.Replace(shown.URL, "mid=", "mid=9", 1), token, http.StatusNotFound},
			"a stretched life":     {strings.Replace(shown.URL, "ext=", "ext=9", 1), token, http.StatusNotFound},
			"without any question": {"http://sim.test" + lookaside, token, http.StatusNotFound},
		} {
			if r := fetch(tc.url, tc.headers...); r.status != tc.status {
				t.Errorf("%s: %d, want %d", name, r.status, tc.status)
			}
		}
		f.writes(Diego, hi)
		f.send(`{"messaging_product":"whatsapp","to":"14255550150","type":"image","image":{"id":"` + id + `"}}`)
		after(5 * time.Minute)
		if r := fetch(shown.URL, token...); r.status != http.StatusNotFound {
			t.Errorf("after five minutes: %d, want 404", r.status)
		}
		if got := names(f.app.statuses(t)); got != "sent delivered" {
			t.Errorf("a known media id gave %q", got)
		}
		if r := f.graph(http.MethodDelete, "/v25.0/"+id, ""); string(r.body) != `{"success":true}` {
			t.Errorf("DELETE: %s", r.body)
		}
		if e := f.graph(http.MethodGet, "/v25.0/"+id, "").graphError(t); e.Code != 100 || e.Subcode != 33 {
			t.Errorf("deleted media: %+v, want 100/33", e)
		}
	})
}

func TestMediaLibraryIsBounded(t *testing.T) {
	t.Parallel()
	l := library{items: map[string]*media{}}
	for _, id := range []string{"a", "b", "c"} {
		l.add(&media{id: id, blob: blob{data: make([]byte, mediaLimit/2)}, expires: 1})
	}
	if l.get("a", 0) != nil || l.get("c", 0) == nil || l.bytes > mediaLimit || len(l.order) != 2 {
		t.Errorf("%d bytes in %d items", l.bytes, len(l.order))
	}
}

func TestCustomerMessageRefusals(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	path := "/sim/v1/customers/" + Diego + "/messages"
	for _, tc := range []struct {
		name, path, body string
		status           int
		say              string
	}{
		{"unknown number", path, `{"phone_number_id":"1","message":` + hi + `}`, 404, "no phone number"},
		{"no message", path, `{"phone_number_id":"` + NumberID + `"}`, 400, "message is required"},
		{"no type", path, `{"phone_number_id":"` + NumberID + `","message":{}}`, 400, "message.type"},
		{"text without text", path, `{"phone_number_id":"` + NumberID + `","message":{"type":"text"}}`, 400, "message.text"},
		{"message not an object", path, `{"phone_number_id":"` + NumberID + `","message":[]}`, 400, "object"},
		{"own id", path, `{"phone_number_id":"` + NumberID + `","message":{"type":"text","text":{},"id":"x"}}`, 400, "message.id"},
		{"context not an object", path, `{"phone_number_id":"` + NumberID + `","message":{"type":"text","text":{},"context":1}}`, 400, "context"},
		{"media not base64", path, `{"phone_number_id":"` + NumberID + `","message":{"type":"image","image":{"data":"%","mime_type":"image/png"}}}`, 400, "base64"},
		{"media without a type", path, `{"phone_number_id":"` + NumberID + `","message":{"type":"image","image":{"data":"AA=="}}}`, 400, "mime_type"},
		{"unknown member", path, `{"phone_number_id":"` + NumberID + `","message":` + hi + `,"mood":1}`, 400, "mood"},
		{"a name for a number", "/sim/v1/customers/diego/messages", `{}`, 400, "7 to 15 digits"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := f.do(f.request(http.MethodPost, tc.path, tc.body))
			if err != nil || r.status != tc.status || !strings.Contains(string(r.body), tc.say) {
				t.Errorf("answered %d %s, want %d that says %q", r.status, r.body, tc.status, tc.say)
			}
		})
	}
	if f.sim.st.received != 0 {
		t.Errorf("%d messages received by refused calls", f.sim.st.received)
	}
}

func TestInboundWebhookFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, rule string
		want       string
	}{
		{"duplicate", `{"match":{"edge":"inbound","to":"14255550150"},"when":{"next":1},"effect":{"webhooks":{"duplicate":true}}}`, "1 1 2"},
		{"drop", `{"when":{"next":1},"effect":{"webhooks":{"drop":true}}}`, "2"},
		{"reorder", `{"when":{"next":1},"effect":{"webhooks":{"reorder":true}}}`, "2 1"},
		{"rules about calls do not count", `{"when":{"next":1},"effect":{"code":131000}}`, "1 2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, Options{}, func(f *fixture) {
				after(time.Second)
				f.faults(tc.rule)
				for _, n := range []string{"1", "2"} {
					f.writes(Diego, `{"type":"text","text":{"body":"`+n+`"}}`)
					after(50 * time.Millisecond)
				}
				after(time.Minute)
				var got []string
				for _, m := range f.app.messages(t) {
					got = append(got, m["text"].(map[string]any)["body"].(string))
				}
				if s := strings.Join(got, " "); s != tc.want {
					t.Errorf("the app got %q, want %q", s, tc.want)
				}
			})
		})
	}
}

func TestChat(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		wrote := f.writes(Diego, hi)
		late := f.send(textTo(Diego, "on its way"))
		bad := f.send(textTo(Amara, "no window"))
		chat := func(who string) (list []map[string]any) {
			t.Helper()
			var c struct {
				Messages []map[string]any `json:"messages"`
			}
			if err := json.Unmarshal(f.control(http.MethodGet, "/sim/v1/customers/"+who+"/messages?phone_number_id="+NumberID, ""), &c); err != nil {
				t.Fatal(err)
			}
			return c.Messages
		}
		if c := chat(Diego); len(c) != 1 || c[0]["id"] != wrote || c[0]["direction"] != "inbound" {
			t.Errorf("before delivery the chat has %v", c)
		}
		sentTemplate := f.send(`{"messaging_product":"whatsapp","to":"14255550150","type":"template","template":{"name":"statement","language":{"code":"en_US"},` +
			`"components":[{"type":"body","parameters":[{"type":"text","text":"1000"}]}]}}`)
		after(time.Second)
		c := chat(Diego)
		if len(c) != 3 || c[1]["id"] != late || c[1]["status"] != "delivered" || c[1]["text"].(map[string]any)["body"] != "on its way" {
			t.Fatalf("the chat has %v", c)
		}
		if got := c[2]["rendered"].(map[string]any)["body"]; c[2]["id"] != sentTemplate || got != "Your statement is ready. The balance is 1000 today." {
			t.Errorf("the template reads %q", got)
		}
		if c := chat(Amara); len(c) != 0 {
			t.Errorf("a failed message %s reached the phone: %v", bad, c)
		}
	})
}

func TestCustomerReads(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.writes(Diego, hi)
		a, b := f.send(textTo(Diego, "a")), f.send(textTo(Diego, "b"))
		after(time.Second)
		read := func(body string) string {
			t.Helper()
			var got struct {
				Read []string `json:"read"`
			}
			if err := json.Unmarshal(f.control(http.MethodPost, "/sim/v1/customers/"+Diego+"/read", body), &got); err != nil {
				t.Fatal(err)
			}
			return strings.Join(got.Read, " ")
		}
		if got := read(`{"message_id":"` + a + `"}`); got != a {
			t.Errorf("read %q, want %s", got, a)
		}
		if got := read(`{"phone_number_id":"` + NumberID + `"}`); got != b {
			t.Errorf("then read %q, want %s", got, b)
		}
		if got := read(``); got != "" {
			t.Errorf("read %q again", got)
		}
		after(time.Second)
		if got := names(f.app.statuses(t)); got != "sent sent delivered delivered read read" {
			t.Errorf("statuses %q", got)
		}
		if r, _ := f.do(f.request(http.MethodPost, "/sim/v1/customers/"+Diego+"/read", `{"message_id":"wamid.x"}`)); r.status != http.StatusNotFound {
			t.Errorf("unknown message: %d", r.status)
		}
	})
}

func TestOptOutIsAnnounced(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.writes(Diego, hi)
		f.control(http.MethodPut, "/sim/v1/customers/"+Diego, `{"marketing_opt_out":true}`)
		f.control(http.MethodPut, "/sim/v1/customers/"+Amara, `{"marketing_opt_out":true}`) // never talked to anybody here
		after(time.Second)
		var fields []string
		for _, h := range f.app.taken() {
			for _, c := range parse(t, h.body).Entry[0].Changes {
				fields = append(fields, c.Field)
			}
		}
		if diff := cmp.Diff([]string{"messages", "user_preferences"}, fields); diff != "" {
			t.Errorf("fields (-want +got):\n%s", diff)
		}
	})
}
