package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestStatusesOfAMessage(t *testing.T) {
	t.Parallel()
	const free = "free_customer_service"
	for _, tc := range []struct {
		name     string
		setting  string // PUT /sim/v1/settings
		customer string // PUT for Diego
		body     string // with $ID for the id of a message Diego wrote
		silent   bool   // Diego has not written: no window
		read     bool   // Diego looks at the chat at once
		want     string
		code     int
		category string
		price    string
	}{
		{name: "text in the window", body: textTo(Diego, "x"), want: "sent delivered", category: "service", price: free},
		{name: "text outside the window", body: textTo(Diego, "x"), silent: true, want: "failed", code: 131047},
		{name: "window not enforced", setting: `{"window":false}`, body: textTo(Diego, "x"), silent: true, want: "sent delivered", category: "service", price: free},
		{name: "template outside the window", body: templateTo(Diego, "hello_world"), silent: true, want: "sent delivered", category: "utility", price: "regular"},
		{name: "utility template inside the window is charged", body: templateTo(Diego, "hello_world"), want: "sent delivered", category: "utility", price: "regular"},
		{name: "not on WhatsApp", customer: `{"on_whatsapp":false}`, body: templateTo(Diego, "hello_world"), want: "failed", code: 131026},
		{name: "unknown scoped id", body: `{"messaging_product":"whatsapp","recipient":"DE.99","text":{"body":"x"}}`, want: "failed", code: 131026},
		{name: "user blocked the business", customer: `{"blocked":true}`, body: textTo(Diego, "x"), want: "sent", category: "service", price: free},
		{name: "business blocked the user", customer: `{"business_blocked":true}`, body: textTo(Diego, "x"), want: "failed", code: 130403},
		{name: "identity changed", customer: `{"identity_key_hash":"new"}`, body: `{"messaging_product":"whatsapp","to":"14255550150","recipient_identity_key_hash":"old","text":{"body":"x"}}`, want: "failed", code: 137000},
		{name: "read by itself", setting: `{"read_ms":2000}`, body: textTo(Diego, "x"), want: "sent delivered read", category: "service", price: free},
		{name: "read receipts off", setting: `{"read_ms":2000}`, customer: `{"read_receipts":false}`, body: textTo(Diego, "x"), want: "sent delivered", category: "service", price: free},
		{name: "read before delivered", setting: `{"delivered_ms":60000}`, body: textTo(Diego, "x"), read: true, want: "sent read", category: "service", price: free},
		{name: "never delivered", setting: `{"delivered_ms":"off"}`, body: textTo(Diego, "x"), want: "sent", category: "service", price: free},
		{name: "nothing at all", setting: `{"sent_ms":null}`, body: textTo(Diego, "x"), want: ""},
		{name: "reaction", body: `{"messaging_product":"whatsapp","to":"14255550150","type":"reaction","reaction":{"message_id":"$ID","emoji":"👍"}}`, want: "sent"},
		{name: "reaction to nothing", body: `{"messaging_product":"whatsapp","to":"14255550150","type":"reaction","reaction":{"message_id":"wamid.x","emoji":"👍"}}`, want: "failed", code: 131009},
		{name: "media id unknown", body: `{"messaging_product":"whatsapp","to":"14255550150","type":"image","image":{"id":"123"}}`, want: "failed", code: 131053},
		{name: "media by link", body: `{"messaging_product":"whatsapp","to":"14255550150","type":"image","image":{"link":"https://x/a.png"}}`, want: "sent delivered", category: "service", price: free},
		{name: "voice note", setting: `{"read_ms":2000}`, body: `{"messaging_product":"whatsapp","to":"14255550150","type":"audio","audio":{"link":"https://x/a.ogg","voice":true}}`, want: "sent delivered read played", category: "service", price: free},
		{name: "address message outside India", body: `{"messaging_product":"whatsapp","to":"14255550150","type":"interactive","interactive":{"type":"address_message","body":{"text":"b"},"action":{"name":"address_message","parameters":{"country":"IN"}}}}`, want: "failed", code: 1026},
		{name: "marketing to the United States", body: templateTo(Diego, "offer"), want: "failed", code: 131049},
		{name: "marketing, pause off", setting: `{"us_marketing":true}`, body: templateTo(Diego, "offer"), want: "sent delivered", category: "marketing", price: "regular"},
		{name: "marketing to a user who opted out", setting: `{"us_marketing":true}`, customer: `{"marketing_opt_out":true}`, body: templateTo(Diego, "offer"), want: "failed", code: 131050},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, Options{World: testWorld()}, func(f *fixture) {
				inbound := ""
				if !tc.silent {
					inbound = f.writes(Diego, hi)
				}
				if tc.setting != "" {
					f.control(http.MethodPut, "/sim/v1/settings", tc.setting)
				}
				if tc.customer != "" {
					f.control(http.MethodPut, "/sim/v1/customers/"+Diego, tc.customer)
				}
				id := f.send(strings.ReplaceAll(tc.body, "$ID", inbound))
				after(time.Second)
				if tc.read {
					f.control(http.MethodPost, "/sim/v1/customers/"+Diego+"/read", `{"message_id":"`+id+`"}`)
				}
				after(2 * time.Minute)
				list := f.app.statuses(t)
				if got := names(list); got != tc.want {
					t.Fatalf("statuses %q, want %q", got, tc.want)
				}
				for i, s := range list {
					if s.ID != id {
						t.Errorf("status of %s, want %s", s.ID, id)
					}
					if tc.code != 0 && (len(s.Errors) != 1 || s.Errors[0].Code != tc.code) {
						t.Errorf("errors %+v, want code %d", s.Errors, tc.code)
					}
					checkPrice(t, s, i, tc.category, tc.price)
				}
			})
		})
	}
}

// checkPrice expects the price on sent and on the one after it, and nowhere else.
func checkPrice(t *testing.T, s status, i int, category, kind string) {
	t.Helper()
	var want *pricing
	if kind != "" && i < 2 {
		want = &pricing{Billable: kind == "regular", Model: "PMP", Type: kind, Category: category}
	}
	if diff := cmp.Diff(want, s.Pricing); diff != "" {
		t.Errorf("pricing on %s (-want +got):\n%s", s.Status, diff)
	}
	if len(s.Conversation) > 0 {
		t.Errorf("conversation on %s in a current version: %s", s.Status, s.Conversation)
	}
}

func TestStatusTimes(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		after(time.Second) // the handshake
		f.control(http.MethodPut, "/sim/v1/settings", `{"sent_ms":1000,"delivered_ms":5000,"read_ms":9000}`)
		start := time.Now()
		f.send(templateTo(Diego, "hello_world"))
		after(time.Minute)
		var got []time.Duration
		for _, h := range f.app.taken() {
			got = append(got, h.at.Sub(start))
		}
		if diff := cmp.Diff([]time.Duration{time.Second, 5 * time.Second, 9 * time.Second}, got); diff != "" {
			t.Errorf("times (-want +got):\n%s", diff)
		}
		for i, s := range f.app.statuses(t) {
			if want := fmt.Sprint(start.Add(got[i]).Unix()); s.Timestamp != want {
				t.Errorf("timestamp of %s is %s, want %s", s.Status, s.Timestamp, want)
			}
		}
	})
}

func TestWindowClosesAfterADay(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.writes(Diego, hi)
		after(24*time.Hour - time.Second)
		f.send(textTo(Diego, "in time"))
		after(time.Second)
		f.send(textTo(Diego, "too late"))
		after(time.Minute)
		f.writes(Diego, hi)
		f.send(textTo(Diego, "open again"))
		f.send(textTo(Amara, "her window is her own"))
		after(time.Minute)
		if got, want := names(f.app.statuses(t)), "sent delivered failed sent failed delivered"; got != want {
			t.Errorf("statuses %q, want %q", got, want)
		}
	})
}

func TestClockOffsetClosesTheWindow(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.writes(Diego, hi)
		f.control(http.MethodPut, "/sim/v1/settings", `{"clock_offset_ms":86400000}`)
		f.send(textTo(Diego, "x"))
		after(time.Second)
		if got := names(f.app.statuses(t)); got != "failed" {
			t.Errorf("statuses %q, want failed", got)
		}
	})
}

func TestThousandFreeServiceMessages(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.control(http.MethodPut, "/sim/v1/settings", `{"pair_rate":false,"throughput":false,"delivered_ms":null}`)
		f.writes(Diego, hi)
		for range freeServiceMessages + 2 {
			f.send(textTo(Diego, "x"))
		}
		after(time.Minute)
		kinds := map[string]int{}
		for _, s := range f.app.statuses(t) {
			kinds[s.Pricing.Type]++
		}
		if diff := cmp.Diff(map[string]int{"free_customer_service": freeServiceMessages, "regular": 2}, kinds); diff != "" {
			t.Errorf("prices (-want +got):\n%s", diff)
		}
	})
}

func TestFreeEntryPoint(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.writes(Diego, `{"type":"text","text":{"body":"Hi"},"referral":{"source_type":"ad","source_url":"https://fb.me/x"}}`)
		f.send(textTo(Diego, "the answer opens seven free days"))
		after(6 * 24 * time.Hour)
		f.send(textTo(Diego, "no window, but a free entry point"))
		after(time.Minute)
		list := f.app.statuses(t)
		if got := names(list); got != "sent delivered sent delivered" {
			t.Fatalf("statuses %q", got)
		}
		for _, s := range list {
			if s.Pricing == nil || s.Pricing.Type != "free_entry_point" || s.Pricing.Billable || len(s.Conversation) == 0 {
				t.Errorf("%s has pricing %+v and conversation %s", s.Status, s.Pricing, s.Conversation)
			}
		}
	})
}

func TestConversationInOldVersions(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.control(http.MethodPut, "/sim/v1/settings", `{"webhook_version":"v23.0"}`)
		f.send(templateTo(Diego, "hello_world"))
		after(time.Minute)
		var ids []string
		for _, s := range f.app.statuses(t) {
			var c struct {
				ID         string `json:"id"`
				Expiration string `json:"expiration_timestamp"`
				Origin     struct {
					Type string `json:"type"`
				} `json:"origin"`
			}
			if err := json.Unmarshal(s.Conversation, &c); err != nil || c.Origin.Type != "utility" || (c.Expiration != "") != (s.Status == "sent") {
				t.Errorf("%s has conversation %s", s.Status, s.Conversation)
			}
			ids = append(ids, c.ID)
		}
		if len(ids) != 2 || ids[0] != ids[1] || len(ids[0]) != 32 {
			t.Errorf("conversation ids %v, want the same twice", ids)
		}
	})
}

func TestMessagingLimit(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.control(http.MethodPatch, "/sim/v1/phone-numbers/"+NumberID, `{"messaging_limit_tier":"TIER_50"}`)
		f.writes("14165550100", hi) // in a window: does not count
		f.send(templateTo("14165550100", "hello_world"))
		for i := range 51 {
			f.send(templateTo(fmt.Sprintf("1416555%04d", 200+i), "hello_world"))
		}
		after(time.Minute)
		list := f.app.statuses(t)
		bad := 0
		for _, s := range list {
			if s.Status == "failed" {
				bad++
				if s.Errors[0].Code != 131048 || s.Recipient != "14165550250" {
					t.Errorf("failed %+v", s)
				}
			}
		}
		if bad != 1 || len(list) != 51*2+1 {
			t.Errorf("%d statuses, %d failed, want 103 and 1", len(list), bad)
		}
	})
}

func TestMarketingCap(t *testing.T) {
	t.Parallel()
	bubble(t, Options{World: testWorld()}, func(f *fixture) {
		f.control(http.MethodPut, "/sim/v1/settings", `{"marketing_cap":2,"delivered_ms":null}`)
		for range 3 {
			f.send(templateTo(Amara, "offer"))
		}
		after(25 * time.Hour)
		f.send(templateTo(Amara, "offer"))
		after(time.Minute)
		if got, want := names(f.app.statuses(t)), "sent sent failed sent"; got != want {
			t.Errorf("statuses %q, want %q", got, want)
		}
	})
}

// TestWebhookBytes pins the exact body and headers of one delivery: key order, escapes, signature.
func TestWebhookBytes(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.control(http.MethodPut, "/sim/v1/customers/"+Diego, `{"name":"Diego Muñoz 👍"}`)
		id := f.writes(Diego, `{"type":"text","text":{"body":"¿a/b?"}}`)
		after(time.Second)
		hooks := f.app.taken()
		if len(hooks) != 1 {
			t.Fatalf("%d webhooks, want 1", len(hooks))
		}
		user := scopedID("1500000000000001", Diego)
		want := `{"object":"whatsapp_business_account","entry":[{"id":"1200000000000001","changes":[{"value":{"messaging_product":"whatsapp",` +
			`"metadata":{"display_phone_number":"15550100001","phone_number_id":"1100000000000001"},` +
			`"contacts":[{"profile":{"name":"Diego Mu\u00f1oz \ud83d\udc4d"},"wa_id":"14255550150","user_id":"` + user + `"}],` +
			`"messages":[{"from":"14255550150","from_user_id":"` + user + `","id":"` + strings.ReplaceAll(id, "/", `\/`) + `","timestamp":"946684800",` +
			`"type":"text","text":{"body":"\u00bfa\/b?"}}]},"field":"messages"}]}]}`
		if diff := cmp.Diff(want, string(hooks[0].body)); diff != "" {
			t.Errorf("body (-want +got):\n%s", diff)
		}
		h := hooks[0].header
		if h.Get("X-Hub-Signature-256") != signed(hooks[0].body) || !strings.HasPrefix(h.Get("X-Hub-Signature"), "sha1=") ||
			h.Get("Content-Type") != "application/json" || h.Get("User-Agent") != "facebookexternalua" {
			t.Errorf("headers %v", h)
		}
	})
}

func TestStatusBytes(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Now: func() time.Time { return epoch }})
	m := &message{wamid: "wamid.a/b", number: f.sim.st.numbers[NumberID], user: f.sim.customer(Diego), opaque: "é",
		price: price{"utility", "regular"}, code: 131047, details: "late"}
	user := m.user.UserID
	for to, want := range map[stage]string{
		sent: `{"id":"wamid.a\/b","status":"sent","timestamp":"1795348800","recipient_id":"14255550150","recipient_user_id":"` + user + `",` +
			`"biz_opaque_callback_data":"\u00e9","pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"utility"}}`,
		failed: `{"id":"wamid.a\/b","status":"failed","timestamp":"1795348800","recipient_id":"14255550150","recipient_user_id":"` + user + `",` +
			`"biz_opaque_callback_data":"\u00e9","errors":[{"code":131047,"title":"Re-engagement message","message":"Re-engagement message",` +
			`"error_data":{"details":"late"},"href":"https:\/\/developers.facebook.com\/docs\/whatsapp\/cloud-api\/support\/error-codes\/"}]}`,
	} {
		if diff := cmp.Diff(want, string(f.sim.appendStatus(nil, m, m.user, to, to == sent, epoch.UnixNano()))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", to, diff)
		}
	}
}

func TestNoSubscriptionNoWebhooks(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		path := "/v25.0/" + AccountID + "/subscribed_apps"
		f.graph(http.MethodDelete, path, "")
		f.send(templateTo(Diego, "hello_world"))
		after(time.Minute)
		f.graph(http.MethodPost, path, "")
		after(time.Minute)
		if n := len(f.app.taken()); n != 0 {
			t.Fatalf("%d webhooks without a subscription: they must be dropped, not queued", n)
		}
		f.send(templateTo(Diego, "hello_world"))
		after(time.Minute)
		if got := names(f.app.statuses(t)); got != "sent delivered" {
			t.Errorf("statuses %q after subscribing", got)
		}
	})
}

// TestWebhooksSurviveAnOutage retries until the app is back, and then delivers each status.
func TestWebhooksSurviveAnOutage(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		after(time.Second)
		down := time.Now().Add(5 * time.Minute)
		f.app.answer = func(int, []byte) int {
			if time.Now().Before(down) {
				return http.StatusServiceUnavailable
			}
			return http.StatusOK
		}
		ids := map[string]string{}
		for i := range 20 {
			ids[f.send(templateTo(fmt.Sprintf("1416555%04d", i), "hello_world"))] = ""
			after(10 * time.Second)
		}
		after(10 * time.Minute)
		for _, h := range f.app.taken() {
			if h.at.Before(down) {
				continue
			}
			for _, s := range parse(t, h.body).Entry[0].Changes[0].Value.Statuses {
				ids[s.ID] += s.Status + " "
			}
		}
		for id, got := range ids {
			if !strings.Contains(got, "sent") || !strings.Contains(got, "delivered") {
				t.Errorf("after the outage %s had %q", id, got)
			}
		}
	})
}
