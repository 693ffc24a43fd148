package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	var set map[string]any
	if err := json.Unmarshal(f.control(http.MethodGet, "/sim/v1/settings", ""), &set); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"sent_ms": 200.0, "delivered_ms": 600.0, "read_ms": nil, "pair_rate": true, "throughput": true, "window": true, "webhook_url": hookURL}
	for k, v := range want {
		if got, ok := set[k]; !ok || got != v {
			t.Errorf("%s = %v, want %v", k, got, v)
		}
	}
	f.control(http.MethodPut, "/sim/v1/settings", `{"read_ms":900}`)
	f.control(http.MethodPut, "/sim/v1/settings", `{"sent_ms":0}`)
	if got := f.sim.st.settings; got.ReadMS != 900 || got.SentMS != 0 || got.DeliveredMS != 600 {
		t.Errorf("settings %+v: what was left out must stay", got)
	}
	for _, tc := range []struct{ body, say string }{
		{`{"sent":1}`, "unknown field"},
		{`{"sent_ms":"soon"}`, "milliseconds"},
		{`{"sent_ms":1.5}`, "milliseconds"},
		{`{"webhook_url":"nowhere"}`, "webhook_url"},
		{`{"webhook_version":"latest"}`, "webhook_version"},
		{`{"webhook_concurrency":0}`, "webhook_concurrency"},
		{`{"retry_min_ms":5000,"retry_max_ms":1}`, "retry_max_ms"},
		{`{"marketing_cap":-1}`, "marketing_cap"},
		{`[]`, "not valid"},
		{``, "not valid"},
	} {
		r, err := f.do(f.request(http.MethodPut, "/sim/v1/settings", tc.body))
		if err != nil || r.status != http.StatusBadRequest || !strings.Contains(string(r.body), tc.say) {
			t.Errorf("PUT %s = %d %s, want 400 that says %q", tc.body, r.status, r.body, tc.say)
		}
	}
	if got := f.sim.st.settings; got.ReadMS != 900 || got.WebhookConcurrency != 1 {
		t.Errorf("settings %+v: a refused change must change nothing", got)
	}
}

func TestWebhookURLCanMove(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.control(http.MethodPut, "/sim/v1/settings", `{"webhook_url":""}`)
		f.writes(Diego, hi)
		after(time.Second)
		if n := len(f.app.taken()); n != 0 {
			t.Errorf("%d webhooks without an address", n)
		}
		f.control(http.MethodPut, "/sim/v1/settings", `{"webhook_url":"http://elsewhere.test/"}`)
		f.writes(Diego, hi)
		after(time.Second)
		if n := len(f.app.taken()); n != 1 {
			t.Errorf("%d webhooks at the new address, want 1", n)
		}
	})
}

func TestReset(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		first := f.writes(Diego, hi)
		f.send(textTo(Diego, "x"))
		f.control(http.MethodPut, "/sim/v1/settings", `{"sent_ms":1,"webhook_url":""}`)
		f.control(http.MethodPut, "/sim/v1/customers/"+Diego, `{"on_whatsapp":false}`)
		f.control(http.MethodPatch, "/sim/v1/phone-numbers/"+NumberID, `{"status":"BANNED"}`)
		f.faults(`{"effect":{"code":131000}}`)
		f.control(http.MethodPost, "/sim/v1/reset", "")
		f.app.mu.Lock()
		f.app.hooks = nil
		f.app.mu.Unlock()
		after(time.Minute)
		if n := len(f.app.taken()); n != 0 {
			t.Errorf("%d webhooks of what was before", n)
		}
		var snap struct {
			Settings Settings          `json:"settings"`
			Messages map[string]uint64 `json:"messages"`
			Windows  []window          `json:"windows"`
			Faults   []Rule            `json:"faults"`
		}
		if err := json.Unmarshal(f.control(http.MethodGet, "/sim/v1/state", ""), &snap); err != nil {
			t.Fatal(err)
		}
		if snap.Settings.SentMS != 200 || snap.Settings.WebhookURL != hookURL || snap.Messages["accepted"] != 0 || len(snap.Windows) != 0 || len(snap.Faults) != 0 {
			t.Errorf("after a reset: %+v", snap)
		}
		if again := f.writes(Diego, hi); again != first {
			t.Errorf("the seed's first id is %s, then %s", first, again)
		}
		f.send(textTo(Diego, "x"))
		after(time.Minute)
		if got := names(f.app.statuses(t)); got != "sent delivered" {
			t.Errorf("statuses %q", got)
		}
	})
}

func TestState(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.writes(Diego, hi)
		f.send(textTo(Diego, "x"))
		after(time.Second)
		body := f.control(http.MethodGet, "/sim/v1/state", "")
		var snap snapshot
		if err := json.Unmarshal(body, &snap); err != nil {
			t.Fatal(err)
		}
		want := map[string]uint64{"accepted": 1, "received": 1, "sent": 1, "delivered": 1, "read": 0, "played": 0, "failed": 0}
		if diff := cmp.Diff(want, snap.Messages); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
		if len(snap.Windows) != 1 || snap.Windows[0].Customer != Diego || len(snap.Accounts) != 2 || len(snap.Customers) != 3 {
			t.Errorf("state %s", body)
		}
		if !snap.Webhooks.Verified || snap.Webhooks.Delivered != 3 || snap.Webhooks.Queued != 0 {
			t.Errorf("webhooks %+v", snap.Webhooks)
		}
		for _, secret := range []string{AppSecret, AccessToken, NumberPIN, VerifyToken} {
			if bytes.Contains(body, []byte(secret)) {
				t.Errorf("the state shows the secret %s", secret)
			}
		}
	})
}

func TestLedger(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.writes(Diego, hi)
		a := f.send(`{"messaging_product":"whatsapp","to":"14255550150","biz_opaque_callback_data":"job-1","text":{"body":"Hello"}}`)
		b := f.send(templateTo(Amara, "hello_world"))
		f.send(`{"messaging_product":"whatsapp","to":"14255550150","biz_opaque_callback_data":"job-1","text":{"body":"Hello"}}`)
		after(time.Second)
		var got struct {
			Accepted uint64  `json:"accepted"`
			Count    int     `json:"count"`
			More     bool    `json:"more"`
			Messages []entry `json:"messages"`
		}
		load := func(query string) {
			t.Helper()
			got.Messages = nil
			if err := json.Unmarshal(f.control(http.MethodGet, "/sim/v1/ledger"+query, ""), &got); err != nil {
				t.Fatal(err)
			}
		}
		load("")
		if got.Accepted != 3 || got.Count != 3 || got.More {
			t.Errorf("ledger %+v", got)
		}
		if m := got.Messages[0]; m.ID != a || m.Opaque != "job-1" || m.Text != "Hello" || m.To != Diego || m.Status != "delivered" || m.Times["sent"] == 0 {
			t.Errorf("first entry %+v", m)
		}
		if m := got.Messages[1]; m.ID != b || m.Template != "hello_world" || m.Category != "utility" {
			t.Errorf("second entry %+v", m)
		}
		if x, y := got.Messages[0].Sum, got.Messages[2].Sum; x != y || len(x) != 64 {
			t.Errorf("equal bodies have sums %s and %s", x, y)
		}
		load("?limit=2")
		if got.Count != 2 || !got.More {
			t.Errorf("limited ledger %+v", got)
		}
		load(fmt.Sprintf("?after=%d", got.Messages[1].Serial))
		if got.Count != 1 || got.More {
			t.Errorf("the rest of the ledger %+v", got)
		}
		f.control(http.MethodPut, "/sim/v1/faults", `{"rules":[{"effect":{"webhooks":{"drop":true}}}]}`)
		f.send(templateTo(Priya, "hello_world"))
		load("")
		if m := got.Messages; m[0].Untold || !m[len(m)-1].Untold {
			t.Errorf("untold are %v and %v, want only the last", m[0].Untold, m[len(m)-1].Untold)
		}
		for query, want := range map[string]int{"wamid=" + strings.NewReplacer("+", "%2B", "=", "%3D").Replace(a): 1, "biz_opaque_callback_data=job-1": 2, "to=%2B447700900123": 1, "wamid=x": 0} {
			var found struct {
				Count int `json:"count"`
			}
			if err := json.Unmarshal(f.control(http.MethodGet, "/sim/v1/messages?"+query, ""), &found); err != nil || found.Count != want {
				t.Errorf("messages?%s = %d %v, want %d", query, found.Count, err, want)
			}
		}
		for _, path := range []string{"/sim/v1/messages", "/sim/v1/ledger?after=x", "/sim/v1/requests?limit=-1"} {
			if r, _ := f.do(f.request(http.MethodGet, path, "")); r.status != http.StatusBadRequest {
				t.Errorf("GET %s = %d, want 400", path, r.status)
			}
		}
	})
}

func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	st := newState(SeededWorld(), defaultSettings())
	for i := range 2*historyLimit + 1 {
		st.remember(&message{serial: uint64(i + 1), wamid: fmt.Sprint(i)})
	}
	if len(st.messages) != historyLimit+1 || len(st.byWamid) != historyLimit+1 || st.message("0") != nil || st.message(fmt.Sprint(2*historyLimit)) == nil {
		t.Errorf("%d messages and %d ids remembered", len(st.messages), len(st.byWamid))
	}
}

func TestThreadsAreBounded(t *testing.T) {
	t.Parallel()
	n := &number{threads: map[string]*thread{}}
	now := epoch.UnixNano()
	for i := range threadLimit {
		n.thread(fmt.Sprint(i), now)
	}
	n.threads["7"].written = now
	n.thread("one more", now)
	if n.threads["7"] == nil || len(n.threads) != 2 {
		t.Errorf("%d threads; the open one must stay, idle ones go", len(n.threads))
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Now: func() time.Time { return epoch }})
	f.send(templateTo(Diego, "hello_world"))
	f.post(textTo("nobody", "x"))
	f.graph(http.MethodGet, "/v25.0/"+NumberID+"?access_token="+AccessToken, "")
	body := f.control(http.MethodGet, "/sim/v1/requests?limit=2", "")
	var got struct {
		Total    int       `json:"total"`
		Requests []request `json:"requests"`
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if got.Total != 3 || len(got.Requests) != 2 || got.Requests[0].Method != http.MethodGet || got.Requests[1].Code != 100 || got.Requests[1].To != "nobody" {
		t.Errorf("requests %s", body)
	}
	if all := f.control(http.MethodGet, "/sim/v1/requests", ""); bytes.Contains(all, []byte(AccessToken)) {
		t.Errorf("requests show the token: %s", all)
	}
	for range requestLimit {
		f.post(`{}`)
	}
	if err := json.Unmarshal(f.control(http.MethodGet, "/sim/v1/requests", ""), &got); err != nil || got.Total != requestLimit+3 || len(got.Requests) != requestLimit || got.Requests[0].Serial != requestLimit+3 {
		t.Errorf("%d of %d requests shown: %v", len(got.Requests), got.Total, err)
	}
}

func TestNumberPatch(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		path := "/sim/v1/phone-numbers/" + NumberID
		f.control(http.MethodPatch, path, `{"quality_rating":"RED","messaging_limit_tier":"TIER_2K","throughput":"high"}`)
		after(time.Second)
		e := parse(t, f.app.taken()[0].body).Entry[0]
		if e.Time == 0 || e.Changes[0].Field != "phone_number_quality_update" || e.Changes[0].Value.Event != "THROUGHPUT_UPGRADE" {
			t.Errorf("announced %+v", e)
		}
		r := f.graph(http.MethodGet, "/v25.0/"+NumberID+"?fields=quality_rating,throughput,messaging_limit_tier", "")
		want := `{"id":"1100000000000001","messaging_limit_tier":"TIER_2K","quality_rating":"RED","throughput":{"level":"HIGH"}}`
		if string(r.body) != want {
			t.Errorf("number %s, want %s", r.body, want)
		}
		f.control(http.MethodPatch, path, `{"status":"BANNED"}`)
		if r := f.post(textTo(Diego, "x")); r.errorCode(t) != 133010 {
			t.Errorf("a banned number answered %s", r.body)
		}
		for body, status := range map[string]int{`{"throughput":"warp"}`: 400, `{"messaging_limit_tier":"TIER_3"}`: 400, `{"colour":1}`: 400} {
			if r, _ := f.do(f.request(http.MethodPatch, path, body)); r.status != status {
				t.Errorf("PATCH %s = %d, want %d", body, r.status, status)
			}
		}
		if r, _ := f.do(f.request(http.MethodPatch, "/sim/v1/phone-numbers/1", `{}`)); r.status != http.StatusNotFound {
			t.Errorf("PATCH of an unknown number = %d", r.status)
		}
	})
}

// What Meta would tell about a number when it decides something.
func TestNumberPatchIsAnnounced(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ patch, field, want string }{
		{`{"throughput":"HIGH"}`, "phone_number_quality_update", `"event":"THROUGHPUT_UPGRADE","max_daily_conversations_per_business":"TIER_`},
		{`{"messaging_limit_tier":"TIER_10K"}`, "business_capability_update", `"max_daily_conversations_per_business":"TIER_10K"`},
		{`{"name_status":"DECLINED"}`, "phone_number_name_update", `"decision":"REJECTED",`},
		{`{"name_status":"PENDING_REVIEW"}`, "phone_number_name_update", `"decision":"PENDING",`},
		{`{"verified_name":"Better name"}`, "phone_number_name_update", `"decision":"APPROVED",`},
		{`{"is_official_business_account":true}`, "account_alerts", `"alert_type":"OBA_APPROVED"`},
		{`{"quality_rating":"YELLOW"}`, "", ""}, // Meta tells of nothing
	} {
		t.Run(tc.patch, func(t *testing.T) {
			t.Parallel()
			bubble(t, Options{}, func(f *fixture) {
				f.control(http.MethodPatch, "/sim/v1/phone-numbers/"+NumberID, tc.patch)
				after(time.Second)
				var got []string
				for _, h := range f.app.taken() {
					got = append(got, string(h.body))
				}
				if tc.field == "" {
					if len(got) != 0 {
						t.Errorf("told %q, want nothing", got)
					}
					return
				}
				if len(got) != 1 || !strings.Contains(got[0], `"field":"`+tc.field+`"`) || !strings.Contains(got[0], tc.want) {
					t.Errorf("told %q, want one %s with %s", got, tc.field, tc.want)
				}
			})
		})
	}
}

func TestInjectedWebhook(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.control(http.MethodPost, "/sim/v1/webhooks", `{"waba_id":"`+AccountID+`","field":"account_review_update","value":{"decision":"APPROVED"}}`)
		f.control(http.MethodPost, "/sim/v1/webhooks", `{"phone_number_id":"`+NumberID+`","field":"history","value":{"history":[]}}`)
		after(time.Second)
		var got []string
		for _, h := range f.app.taken() {
			for _, e := range parse(t, h.body).Entry {
				got = append(got, fmt.Sprintf("%s %v", e.Changes[0].Field, e.Time > 0))
			}
		}
		if diff := cmp.Diff([]string{"account_review_update true", "history false"}, got); diff != "" {
			t.Errorf("fields and times (-want +got):\n%s", diff)
		}
		for body, status := range map[string]int{`{"field":"x","value":{}}`: 404, `{"waba_id":"` + AccountID + `"}`: 400} {
			if r, _ := f.do(f.request(http.MethodPost, "/sim/v1/webhooks", body)); r.status != status {
				t.Errorf("POST %s = %d, want %d", body, r.status, status)
			}
		}
	})
}

func TestCrossOriginControlIsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	for site, want := range map[string]int{"cross-site": http.StatusForbidden, "same-origin": http.StatusOK} {
		r, err := f.do(f.request(http.MethodPost, "/sim/v1/reset", "", "Sec-Fetch-Site", site))
		if err != nil || r.status != want {
			t.Errorf("%s: %d %v, want %d", site, r.status, err, want)
		}
	}
}

func TestUnknownControlPath(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	for path, want := range map[string]int{"/sim/v1/nope": http.StatusNotFound, "/": http.StatusOK} {
		r, err := f.do(f.request(http.MethodGet, path, ""))
		if err != nil || r.status != want || r.header.Get("x-waxwing-simulator") != "1" {
			t.Errorf("GET %s = %d %v, want %d from a simulator", path, r.status, err, want)
		}
	}
}

// TestRealServer goes through net/http on both sides, where a cut connection is a cut connection.
func TestRealServer(t *testing.T) {
	t.Parallel()
	got := make(chan string, 10)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c := r.URL.Query().Get("hub.challenge"); c != "" {
			_, _ = w.Write([]byte(c))
			return
		}
		got <- r.Header.Get("X-Hub-Signature-256")
	}))
	defer app.Close()
	s := New(Options{WebhookURL: app.URL})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	front := httptest.NewServer(s.Handler())
	defer front.Close()
	post := func(path, body string) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, front.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+AccessToken)
		return front.Client().Transport.RoundTrip(req)
	}
	res, err := post("/sim/v1/customers/"+Diego+"/messages", `{"phone_number_id":"`+NumberID+`","message":`+hi+`}`)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("the customer could not write: %v %v", res, err)
	}
	res.Body.Close()
	if sig := <-got; !strings.HasPrefix(sig, "sha256=") {
		t.Errorf("signature %q", sig)
	}
	s.mu.Lock()
	s.st.rules = []*Rule{{Effect: Effect{Cut: "after"}}}
	s.mu.Unlock()
	if res, err := post(messagesPath, templateTo(Diego, "hello_world")); err == nil {
		res.Body.Close()
		t.Errorf("a cut call was answered %d", res.StatusCode)
	}
	s.mu.Lock()
	accepted := s.st.accepted
	s.mu.Unlock()
	if accepted != 1 {
		t.Errorf("%d messages accepted, want 1", accepted)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run = %v", err)
	}
}
