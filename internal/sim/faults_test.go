package sim

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (f *fixture) faults(rules string) {
	f.t.Helper()
	f.control(http.MethodPut, "/sim/v1/faults", `{"rules":[`+rules+`]}`)
}

// outcomes posts n messages and spells each outcome: the status, the code, or "cut".
func (f *fixture) outcomes(n int) (list []int) {
	f.t.Helper()
	for range n {
		r, err := f.do(f.request(http.MethodPost, messagesPath, templateTo(Diego, "hello_world"), "Authorization", "Bearer "+AccessToken))
		switch {
		case err != nil:
			list = append(list, 0)
		default:
			list = append(list, r.status)
		}
	}
	return list
}

func TestWhen(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, when string
		want       []int
	}{
		{"left out is always", ``, []int{500, 500, 500}},
		{"always", `"when":{"always":true},`, []int{500, 500, 500}},
		{"the word", `"when":"always",`, []int{500, 500, 500}},
		{"next", `"when":{"next":2},`, []int{500, 500, 200, 200}},
		{"every", `"when":{"every":2},`, []int{200, 500, 200, 500}},
		{"certain", `"when":{"probability":1},`, []int{500, 500}},
		{"impossible", `"when":{"probability":0},`, []int{200, 200}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, Options{Now: func() time.Time { return epoch }})
			f.faults(`{` + tc.when + `"effect":{"code":131000}}`)
			if diff := cmp.Diff(tc.want, f.outcomes(len(tc.want))); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProbabilityIsSeeded(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) []int {
		f := newFixture(t, Options{Seed: seed, Now: func() time.Time { return epoch }})
		f.faults(`{"when":{"probability":0.5},"effect":{"code":131000}}`)
		return f.outcomes(40)
	}
	if diff := cmp.Diff(run(3), run(3)); diff != "" {
		t.Errorf("one seed, two outcomes:\n%s", diff)
	}
	if cmp.Equal(run(3), run(4)) {
		t.Error("two seeds, one outcome")
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, match string
		want        int
	}{
		{"all", `{}`, 500},
		{"method", `{"method":"post"}`, 500},
		{"another method", `{"method":"GET"}`, 200},
		{"edge", `{"edge":"messages"}`, 500},
		{"another edge", `{"edge":"media"}`, 200},
		{"number", `{"phone_number_id":"` + NumberID + `"}`, 500},
		{"another number", `{"phone_number_id":"1"}`, 200},
		{"recipient", `{"to":"+1 425-555-0150"}`, 500},
		{"another recipient", `{"to":"447700900123"}`, 200},
		{"customers only", `{"edge":"inbound"}`, 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, Options{Now: func() time.Time { return epoch }})
			f.faults(`{"match":` + tc.match + `,"effect":{"code":131000}}`)
			if got := f.outcomes(1)[0]; got != tc.want {
				t.Errorf("answered %d, want %d", got, tc.want)
			}
		})
	}
}

func TestErrorEffects(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, effect string
		status, code int
	}{
		{"code", `{"code":131016}`, 500, 131016},
		{"throttled", `{"code":130429}`, 429, 130429},
		{"pair", `{"code":131056}`, 400, 131056},
		{"expired token", `{"code":190}`, 401, 190},
		{"unknown code", `{"code":999999}`, 400, 999999},
		{"status alone", `{"http_status":503}`, 503, 2},
		{"throttled by status", `{"http_status":429}`, 429, 4},
		{"teapot", `{"http_status":418}`, 418, 100},
		{"both", `{"code":131026,"http_status":400}`, 400, 131026},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, Options{Now: func() time.Time { return epoch }})
			f.faults(`{"effect":` + tc.effect + `}`)
			r := f.post(templateTo(Diego, "hello_world"))
			if r.status != tc.status || r.errorCode(t) != tc.code {
				t.Errorf("answered %d %s, want %d and code %d", r.status, r.body, tc.status, tc.code)
			}
			if f.sim.st.accepted != 0 {
				t.Error("the message was accepted")
			}
		})
	}
}

func TestGatewayPage(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.faults(`{"effect":{"http_status":502}}`)
	if r := f.post(templateTo(Diego, "hello_world")); r.status != 502 || !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") || json.Valid(r.body) {
		t.Errorf("answered %d %v %s, want a page", r.status, r.header, r.body)
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for when, accepted := range map[string]uint64{"before": 0, "after": 1} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			bubble(t, Options{}, func(f *fixture) {
				f.faults(`{"effect":{"cut":"` + when + `","delay_ms":30000},"when":{"next":1}}`)
				start := time.Now()
				if got := f.outcomes(1); got[0] != 0 {
					t.Fatalf("answered %d, want a cut connection", got[0])
				}
				if d := time.Since(start); d != 30*time.Second {
					t.Errorf("cut after %s, want 30s", d)
				}
				after(time.Minute)
				if f.sim.st.accepted != accepted || len(f.app.statuses(t)) != int(accepted)*2 {
					t.Errorf("%d messages accepted with statuses %q, want %d", f.sim.st.accepted, names(f.app.statuses(t)), accepted)
				}
				var shown struct {
					Requests []struct {
						Cut    string `json:"cut"`
						Status int    `json:"status"`
					} `json:"requests"`
				}
				if err := json.Unmarshal(f.control(http.MethodGet, "/sim/v1/requests", ""), &shown); err != nil || shown.Requests[0].Cut != when {
					t.Errorf("requests %+v %v do not show the cut", shown, err)
				}
			})
		})
	}
}

func TestDelay(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.faults(`{"effect":{"delay_ms":2000}}`)
		start := time.Now()
		f.send(templateTo(Diego, "hello_world"))
		if d := time.Since(start); d != 2*time.Second {
			t.Errorf("answered after %s, want 2s", d)
		}
	})
}

func TestWebhookEffects(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, effect, want string }{
		{"duplicate", `{"duplicate":true}`, "sent sent delivered delivered read read"},
		{"two copies", `{"duplicate":2}`, "sent sent sent delivered delivered delivered read read read"},
		{"drop", `{"drop":true}`, ""},
		{"reorder", `{"reorder":true}`, "read delivered sent"},
		{"wrong signature first", `{"signature":"wrong"}`, "sent delivered read"},
		{"no signature first", `{"signature":"missing"}`, "sent delivered read"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, Options{}, func(f *fixture) {
				f.app.answer = func(n int, body []byte) int {
					if hooks := f.app.hooks; hooks[n-1].header.Get("X-Hub-Signature-256") != signed(body) {
						f.app.hooks = hooks[:n-1] // a careful app forgets what it cannot trust
						return http.StatusUnauthorized
					}
					return http.StatusOK
				}
				f.control(http.MethodPut, "/sim/v1/settings", `{"read_ms":3000}`)
				f.faults(`{"match":{"edge":"messages"},"when":{"next":1},"effect":{"webhooks":` + tc.effect + `}}`)
				f.send(templateTo(Diego, "hello_world"))
				after(time.Minute)
				got := names(f.app.statuses(t))
				if got != tc.want {
					t.Errorf("statuses %q, want %q", got, tc.want)
				}
				f.send(templateTo(Amara, "hello_world"))
				f.app.mu.Lock()
				f.app.hooks = nil
				f.app.mu.Unlock()
				after(time.Minute)
				if got := names(f.app.statuses(t)); got != "sent delivered read" {
					t.Errorf("the next message, which no rule struck, had %q", got)
				}
			})
		})
	}
}

func TestWebhookDelay(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		after(time.Second)
		f.faults(`{"effect":{"webhooks":{"delay_ms":60000}}}`)
		start := time.Now()
		f.send(templateTo(Diego, "hello_world"))
		f.writes(Diego, hi)
		after(2 * time.Minute)
		if hooks := f.app.taken(); len(hooks) != 3 || hooks[0].at.Sub(start) < time.Minute {
			t.Errorf("%d webhooks, want 3 after a minute", len(hooks))
		}
	})
}

func TestSentBeforeTheReply(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		after(time.Second)
		f.app.delay = 3 * time.Second
		f.faults(`{"effect":{"webhooks":{"before_reply":true}}}`)
		id := f.send(templateTo(Diego, "hello_world"))
		if list := f.app.statuses(t); names(list) != "sent" || list[0].ID != id {
			t.Errorf("the app knew %q when the send was answered, want sent", names(list))
		}
	})
}

func TestHeld(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ effect, want string }{
		"released": {`{"held":true}`, "sent delivered"},
		"dropped":  {`{"held":true,"code":132015}`, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, Options{}, func(f *fixture) {
				f.faults(`{"effect":` + tc.effect + `}`)
				if r := f.post(templateTo(Diego, "hello_world")); !strings.Contains(string(r.body), `"message_status":"held_for_quality_assessment"`) {
					t.Fatalf("answered %s", r.body)
				}
				after(4 * time.Second)
				if n := len(f.app.statuses(t)); n != 0 {
					t.Fatalf("%d statuses while held", n)
				}
				after(time.Minute)
				if got := names(f.app.statuses(t)); got != tc.want {
					t.Errorf("statuses %q, want %q", got, tc.want)
				}
			})
		})
	}
}

func TestAsyncCode(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.faults(`{"effect":{"code":131049,"details":"enough"}}`)
		f.send(templateTo(Diego, "hello_world"))
		after(time.Minute)
		list := f.app.statuses(t)
		if names(list) != "failed" || list[0].Errors[0].Code != 131049 {
			t.Errorf("statuses %+v, want failed with 131049", list)
		}
	})
}

func TestEffectsAddUp(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.faults(`{"effect":{"webhooks":{"duplicate":true}}},{"when":{"next":1},"effect":{"cut":"after"}},{"effect":{"webhooks":{"signature":"wrong"}}}`)
		if got := f.outcomes(1)[0]; got != 0 {
			t.Errorf("answered %d, want a cut connection", got)
		}
		after(time.Minute)
		if got := names(f.app.statuses(t)); got != "sent sent delivered delivered" {
			t.Errorf("statuses %q", got)
		}
		if n := f.sim.courier.Stats().Forged; n != 2 {
			t.Errorf("%d forged requests, want 2", n)
		}
	})
}

func TestFaultsAreChecked(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	for _, tc := range []struct{ body, say string }{
		{`{"rules":[{"effect":{}}]}`, "rules[0]: effect is empty"},
		{`{"rules":[{"effect":{"cut":"during"}}]}`, "cut"},
		{`{"rules":[{"effect":{"http_status":200}}]}`, "http_status"},
		{`{"rules":[{"effect":{"delay_ms":-1}}]}`, "delay_ms"},
		{`{"rules":[{"effect":{"code":-1}}]}`, "code"},
		{`{"rules":[{"when":{"probability":2},"effect":{"code":1}}]}`, "probability"},
		{`{"rules":[{"when":{"every":0},"effect":{"code":1}}]}`, "every"},
		{`{"rules":[{"when":{"next":1,"every":2},"effect":{"code":1}}]}`, "one of"},
		{`{"rules":[{"when":{"often":1},"effect":{"code":1}}]}`, "often"},
		{`{"rules":[{"match":{"colour":"red"},"effect":{"code":1}}]}`, "colour"},
		{`{"rules":[{"effect":{"webhooks":{"lose":true}}}]}`, "lose"},
		{`{"rules":[{"effect":{"webhooks":{"signature":"blue"}}}]}`, "signature"},
		{`{"rules":[{"effect":{"webhooks":{"duplicate":11}}}]}`, "duplicate"},
		{`{"rules":[null]}`, "null"},
		{`{"rule":[]}`, "rule"},
		{`{} {}`, "unexpected data"},
		{`{`, "not valid"},
	} {
		r, err := f.do(f.request(http.MethodPut, "/sim/v1/faults", tc.body))
		if err != nil || r.status != http.StatusBadRequest || !strings.Contains(string(r.body), tc.say) {
			t.Errorf("PUT %s = %d %s, want 400 that says %q", tc.body, r.status, r.body, tc.say)
		}
	}
}

func TestFaultsAreListedAndCleared(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Now: func() time.Time { return epoch }})
	f.faults(`{"when":{"every":2},"effect":{"code":131000}}`)
	f.outcomes(5)
	var list ruleList
	if err := json.Unmarshal(f.control(http.MethodGet, "/sim/v1/faults", ""), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Rules) != 1 || list.Rules[0].Matched != 5 || list.Rules[0].Struck != 2 {
		t.Errorf("listed %+v, want one rule that matched 5 and struck 2", list.Rules)
	}
	f.control(http.MethodDelete, "/sim/v1/faults", "")
	if got := f.outcomes(2); !cmp.Equal(got, []int{200, 200}) {
		t.Errorf("after DELETE: %v", got)
	}
}
