package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A number that its owner uses on a phone as well.
func onPhone(f *fixture) {
	f.t.Helper()
	f.control(http.MethodPatch, numberControl, `{"throughput":"NOT_APPLICABLE"}`)
}

type historyValue struct {
	Metadata struct {
		Number string `json:"phone_number_id"`
	} `json:"metadata"`
	History []struct {
		Metadata struct {
			Phase    int `json:"phase"`
			Order    int `json:"chunk_order"`
			Progress int `json:"progress"`
		} `json:"metadata"`
		Threads []struct {
			ID       string
			Messages []map[string]any
		}
		Errors []struct{ Code int }
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.writes(Amara, hi)
		after(100 * 24 * time.Hour) // phase 2 of what follows
		f.writes(Diego, `{"type":"image","image":{"data":"aGVsbG8=","mime_type":"image/png"}}`)
		f.send(textTo(Diego, "Nice"))
		f.send(textTo(Diego, "Very nice"))
		after(time.Minute)
		onPhone(f)
		before := len(f.app.changes(t))
		var told struct{ Chunks, Messages int }
		if err := json.Unmarshal(f.control(http.MethodPost, numberControl+"/history", `{"chunk_size":2}`), &told); err != nil || told.Chunks != 4 || told.Messages != 4 {
			t.Errorf("told %+v, %v", told, err)
		}
		after(time.Second)
		var got []string
		for _, c := range f.app.changes(t)[before:] {
			raw, ok := strings.CutPrefix(c, "history ")
			var v historyValue
			if err := json.Unmarshal([]byte(raw), &v); !ok || err != nil || len(v.History) != 1 || v.Metadata.Number != NumberID {
				t.Fatalf("webhook %s, %v", c, err)
			}
			h := v.History[0]
			line := fmt.Sprintf("phase %d chunk %d at %d%%:", h.Metadata.Phase, h.Metadata.Order, h.Metadata.Progress)
			for _, thread := range h.Threads {
				for _, m := range thread.Messages {
					context, _ := m["history_context"].(map[string]any)
					line += fmt.Sprint(" ", thread.ID, " ", m["type"], " ", context["status"])
					if m["image"] != nil || m["id"] == nil || m["timestamp"] == nil {
						t.Errorf("message %v", m)
					}
				}
			}
			got = append(got, line)
		}
		want := []string{
			"phase 0 chunk 1 at 16%: " + Diego + " media_placeholder READ " + Diego + " text DELIVERED",
			"phase 0 chunk 2 at 33%: " + Diego + " text DELIVERED",
			"phase 1 chunk 1 at 66%:",
			"phase 2 chunk 1 at 100%: " + Amara + " text READ",
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("history\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestHistoryRefused(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		onPhone(f)
		f.control(http.MethodPost, numberControl+"/history", `{"refused":true}`)
		after(time.Second)
		got := f.app.changes(t)
		var v historyValue
		if err := json.Unmarshal([]byte(strings.TrimPrefix(got[0], "history ")), &v); err != nil || len(v.History[0].Errors) != 1 || v.History[0].Errors[0].Code != errHistoryOff {
			t.Errorf("webhooks %q, %v", got, err)
		}
	})
}

func TestEchoes(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		onPhone(f)
		body := f.control(http.MethodPost, numberControl+"/echoes", `{"to":"`+Diego+`","message":{"type":"text","text":{"body":"From my phone"}}}`)
		var id struct{ ID string }
		if err := json.Unmarshal(body, &id); err != nil || id.ID == "" {
			t.Fatalf("%s, %v", body, err)
		}
		after(time.Second)
		got := f.app.changes(t)
		want := `{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100001","phone_number_id":"` + NumberID + `"},"message_echoes":[{"from":"15550100001","to":"` + Diego +
			`","to_user_id":"` + f.sim.customer(Diego).UserID + `","id":"` + id.ID + `","timestamp":"` + fmt.Sprint(time.Now().Add(-time.Second).Unix()) + `","type":"text","text":{"body":"From my phone"}}]}`
		if len(got) != 1 || normal(t, strings.TrimPrefix(got[0], "smb_message_echoes ")) != normal(t, want) {
			t.Errorf("webhooks %q, want %s", got, want)
		}
		chat := string(f.control(http.MethodGet, "/sim/v1/customers/"+Diego+"/messages", ""))
		if !strings.Contains(chat, "From my phone") {
			t.Errorf("the customer sees %s", chat)
		}
		if ledger := string(f.control(http.MethodGet, "/sim/v1/ledger", "")); strings.Contains(ledger, id.ID) {
			t.Error("the ledger has what the app did not send")
		}
	})
}

func TestContactsOfThePhone(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		onPhone(f)
		f.control(http.MethodPost, numberControl+"/contacts", `{"action":"add","full_name":"Ada L","first_name":"Ada","phone_number":"+44 7700 900123"}`)
		f.control(http.MethodPost, numberControl+"/contacts", `{"action":"remove","phone_number":"447700900123"}`)
		after(time.Second)
		got := f.app.changes(t)
		for i, want := range []string{`"action":"add","contact":{"first_name":"Ada","full_name":"Ada L","phone_number":"447700900123"}`,
			`"action":"remove","contact":{"phone_number":"447700900123"}`} {
			if len(got) != 2 || !strings.HasPrefix(got[i], "smb_app_state_sync ") || !strings.Contains(got[i], want) {
				t.Errorf("webhooks %q, want %s", got, want)
			}
		}
	})
}

func TestBusinessAppRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	refuses := func(path, body, say string) {
		t.Helper()
		r, err := f.do(f.request(http.MethodPost, path, body))
		if err != nil || r.status < 400 || !strings.Contains(string(r.body), say) {
			t.Errorf("POST %s %s = %d %s, want a refusal that says %q", path, body, r.status, r.body, say)
		}
	}
	message := `{"to":"` + Diego + `","message":{"type":"text","text":{"body":"x"}}}`
	refuses(numberControl+"/history", ``, "NOT_APPLICABLE")
	refuses(numberControl+"/echoes", message, "NOT_APPLICABLE")
	refuses(numberControl+"/contacts", `{"action":"remove","phone_number":"1"}`, "NOT_APPLICABLE")
	onPhone(f)
	refuses("/sim/v1/phone-numbers/4711/history", ``, "no phone number")
	refuses(numberControl+"/history", `{"chunk_size":0}`, "chunk_size")
	refuses(numberControl+"/echoes", `{"to":"1"}`, "type")
	refuses(numberControl+"/contacts", `{"action":"add"}`, "phone_number")
	refuses(numberControl+"/contacts", `{"action":"call","phone_number":"1"}`, "action")
}
