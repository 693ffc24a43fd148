package meta

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Calls that say no more than yes: what they send, and that a no is an error.
func TestCommands(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, request, body string
		do                  func(*Client, context.Context) error
	}{
		{"subscribe", "POST /v25.0/12/subscribed_apps", "", func(c *Client, ctx context.Context) error {
			return c.Subscribe(ctx, "12", token, Callback{})
		}},
		{"subscribe elsewhere", "POST /v25.0/12/subscribed_apps",
			`{"override_callback_uri":"https://wa.test/webhooks/meta","verify_token":"v"}`, func(c *Client, ctx context.Context) error {
				return c.Subscribe(ctx, "12", token, Callback{URL: "https://wa.test/webhooks/meta", VerifyToken: "v"})
			}},
		{"unsubscribe", "DELETE /v25.0/12/subscribed_apps", "", func(c *Client, ctx context.Context) error { return c.Unsubscribe(ctx, "12", token) }},
		{"register", "POST /v25.0/11/register", `{"data_localization_region":"DE","messaging_product":"whatsapp","pin":"123456"}`,
			func(c *Client, ctx context.Context) error { return c.Register(ctx, "11", token, "123456", "DE") }},
		{"register anywhere", "POST /v25.0/11/register", `{"messaging_product":"whatsapp","pin":"123456"}`,
			func(c *Client, ctx context.Context) error { return c.Register(ctx, "11", token, "123456", "") }},
		{"deregister", "POST /v25.0/11/deregister", `{"messaging_product":"whatsapp"}`,
			func(c *Client, ctx context.Context) error { return c.Deregister(ctx, "11", token) }},
		{"request a code", "POST /v25.0/11/request_code", `{"code_method":"SMS","language":"en_US"}`,
			func(c *Client, ctx context.Context) error { return c.RequestCode(ctx, "11", token, "SMS", "en_US") }},
		{"verify the code", "POST /v25.0/11/verify_code", `{"code":"424242"}`,
			func(c *Client, ctx context.Context) error { return c.VerifyCode(ctx, "11", token, "424242") }},
		{"settings", "POST /v25.0/11/settings", `{"calling":{"status":"ENABLED"}}`, func(c *Client, ctx context.Context) error {
			return c.ChangeSettings(ctx, "11", token, map[string]any{"calling": map[string]any{"status": "ENABLED"}})
		}},
		{"profile", "POST /v25.0/11/whatsapp_business_profile", `{"about":"Open all day","websites":[],"messaging_product":"whatsapp"}`,
			func(c *Client, ctx context.Context) error {
				about, none := "Open all day", []string{}
				return c.ChangeProfile(ctx, "11", token, account.Profile{About: &about, Websites: &none, PictureURL: "never sent"})
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var request, auth string
			yes := `{"success":true}`
			c := client(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				request, auth = r.Method+" "+r.RequestURI+" "+string(body), r.Header.Get("Authorization")
				_, _ = io.WriteString(w, yes)
			})
			if err := tc.do(c, t.Context()); err != nil {
				t.Fatal(err)
			}
			if want := tc.request + " " + tc.body; request != want || auth != "Bearer "+token.Reveal() {
				t.Errorf("request = %s (%s)\nwant %s", request, auth, want)
			}
			yes = `{"success":false}`
			if err := tc.do(c, t.Context()); err == nil {
				t.Error("success:false is no error")
			}
			yes = `{"error":{"code":133005,"message":"(#133005) Two step verification PIN mismatch"}}`
			var e *Error
			if err := tc.do(c, t.Context()); !errors.As(err, &e) || e.Code != 133005 {
				t.Errorf("error = %v, want Meta's 133005", err)
			}
		})
	}
}

func TestAccount(t *testing.T) {
	t.Parallel()
	answers := map[string]string{
		"/v25.0/12?fields=id%2Cname%2Cmarketing_messages_lite_api_status": `{"id":"12","name":"Shop","marketing_messages_lite_api_status":"ONBOARDED"}`,
		"/v25.0/12/phone_numbers?": `{"data":[{"id":"11","display_phone_number":"+49 1511 2345678","verified_name":"Shop","quality_rating":"GREEN",
			"status":"CONNECTED","name_status":"APPROVED","throughput":{"level":"HIGH"},"is_official_business_account":true,
			"whatsapp_business_manager_messaging_limit":"TIER_2K"}],"paging":{"cursors":{"after":"c1"},"next":"https://graph/…"}}`,
		"/v25.0/12/phone_numbers?after=c1&": `{"data":[{"id":"10","display_phone_number":"+1 555-010-0002","quality_rating":"NA","status":"PENDING",
			"throughput":{"level":"NOT_APPLICABLE"}},{"id":"9","is_on_biz_app":true,"throughput":{"level":"NOT_APPLICABLE"}}],
			"paging":{"cursors":{"after":"c2"}}}`,
	}
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		uri := r.RequestURI
		if r.URL.Path == "/v25.0/12/phone_numbers" {
			q := r.URL.Query()
			if uri = r.URL.Path + "?"; q.Get("after") != "" {
				uri += "after=" + q.Get("after") + "&"
			}
		}
		_, _ = io.WriteString(w, answers[uri])
	})
	got, err := c.Account(t.Context(), "12", token)
	if err != nil {
		t.Fatal(err)
	}
	want := account.Facts{MetaID: "12", Name: "Shop", MarketingStatus: "ONBOARDED", Numbers: []account.PhoneNumber{
		{MetaID: "11", E164: "+4915112345678", DisplayName: "Shop", DisplayNumber: "+49 1511 2345678", QualityRating: "GREEN",
			Throughput: account.ThroughputHigh, MessagingLimit: "TIER_2K", MetaStatus: "CONNECTED", NameStatus: "APPROVED", Official: true},
		{MetaID: "10", E164: "+15550100002", DisplayNumber: "+1 555-010-0002", QualityRating: "UNKNOWN",
			Throughput: account.ThroughputStandard, MetaStatus: "PENDING"},
		{MetaID: "9", E164: "+", QualityRating: "UNKNOWN", Throughput: account.ThroughputShared},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDebugToken(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, answer string
		want         TokenInfo
	}{
		{"of one business account", `{"data":{"app_id":"13","is_valid":true,"expires_at":1763800000,"scopes":["whatsapp_business_management"],
			"granular_scopes":[{"scope":"whatsapp_business_management","target_ids":["12"]},{"scope":"whatsapp_business_messaging"}]}}`,
			TokenInfo{Valid: true, AppID: "13", Expires: time.Unix(1763800000, 0), Scopes: []string{ScopeManagement}, Accounts: []string{"12"}}},
		{"unknown", `{"data":{"is_valid":false,"error":{"code":190,"message":"could not be decrypted"},"scopes":[]}}`,
			TokenInfo{Reason: "could not be decrypted", Scopes: []string{}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := client(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/v25.0/debug_token" || r.URL.Query().Get("input_token") != "EAAWtoken" || r.Header.Get("Authorization") != "Bearer |" {
					t.Errorf("request %s with %q", r.URL, r.Header.Get("Authorization"))
				}
				_, _ = io.WriteString(w, tc.answer)
			})
			got, err := c.DebugToken(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestExchangeCode(t *testing.T) {
	t.Parallel()
	given := `{"access_token":"EAAG","token_type":"bearer"}`
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query(); q.Get("code") != "AQB" || r.Header.Get("Authorization") != "" {
			t.Errorf("request %s with %q", r.URL, r.Header.Get("Authorization"))
		}
		_, _ = io.WriteString(w, given)
	})
	if got, err := c.ExchangeCode(t.Context(), "AQB"); err != nil || got != identity.Secret("EAAG") {
		t.Errorf("token = %q, %v", got.Reveal(), err)
	}
	given = `{}`
	if _, err := c.ExchangeCode(t.Context(), "AQB"); err == nil {
		t.Error("an answer without a token is no error")
	}
}

func TestProfile(t *testing.T) {
	t.Parallel()
	given := `{"data":[{"about":"Hi","websites":["https://shop.test"],"profile_picture_url":"https://pps.test/1","messaging_product":"whatsapp"}]}`
	c := client(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, given) })
	got, err := c.Profile(t.Context(), "11", token)
	if err != nil {
		t.Fatal(err)
	}
	about, sites := "Hi", []string{"https://shop.test"}
	want := account.Profile{About: &about, Websites: &sites, PictureURL: "https://pps.test/1", Product: "whatsapp"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	given = `{"data":[]}`
	if got, err := c.Profile(t.Context(), "11", token); err != nil || got != (account.Profile{}) {
		t.Errorf("no profile = %+v, %v", got, err)
	}
}

func TestTemplateAnalytics(t *testing.T) {
	t.Parallel()
	start := time.Unix(1763769600, 0).UTC()
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		want := "template_analytics.start(1763769600).end(1763856000).granularity(DAILY).template_ids([1,2]).metric_types([SENT,DELIVERED,READ,CLICKED])"
		if got := r.URL.Query().Get("fields"); got != want {
			t.Errorf("fields = %s\nwant %s", got, want)
		}
		_, _ = io.WriteString(w, `{"id":"12","template_analytics":{"data":[{"granularity":"DAILY","data_points":[{"template_id":"1","start":1763769600,
			"end":1763856000,"sent":5,"delivered":4,"read":3,"clicked":[{"type":"url_button","button_content":"Track","count":2}]}]}]}}`)
	})
	got, err := c.TemplateAnalytics(t.Context(), "12", token, start, start.AddDate(0, 0, 1), []string{"1", "2"})
	if err != nil {
		t.Fatal(err)
	}
	want := []account.TemplateDay{{TemplateID: "1", Start: start, End: start.AddDate(0, 0, 1), Sent: 5, Delivered: 4, Read: 3,
		Clicks: []account.Clicks{{Type: "url_button", Button: "Track", Count: 2}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
