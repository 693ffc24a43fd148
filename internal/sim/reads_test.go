package sim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReads(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, path, token string
		status            int
		want              string // exact body, or a part of it after "…"
	}{
		{"number", "/v25.0/" + NumberID, "", 200, `{"code_verification_status":"VERIFIED","display_phone_number":"+1 555-010-0001","id":"1100000000000001","quality_rating":"GREEN","verified_name":"Waxwing Demo"}`},
		{"number's fields", "/v25.0/" + NumberID + "?fields=status,health_status{can_send_message}", "", 200, `…"status":"CONNECTED"`},
		{"field that does not exist", "/v25.0/" + NumberID + "?fields=colour", "", 400, `…(#100) Tried accessing nonexisting field (colour) on node type (WhatsAppBusinessPhoneNumber)`},
		{"account", "/" + AccountID + "?fields=id,name,currency,country", "", 200, `{"country":"US","currency":"USD","id":"1200000000000001","name":"Waxwing Demo"}`},
		{"numbers", "/v25.0/" + AccountID + "/phone_numbers", "", 200, `…"throughput":{"level":"STANDARD"}`},
		{"templates by name", "/v25.0/" + AccountID + "/message_templates?name=statement&fields=name,status", "", 200, `…{"data":[{"id":"1400000000000102","name":"statement","status":"APPROVED"}],"paging":{"cursors":{"before":"QVFI`},
		{"templates of another status", "/v25.0/" + AccountID + "/message_templates?status=FLAGGED", "", 200, `{"data":[]}`},
		{"templates by list", "/v25.0/" + AccountID + `/message_templates?status=["APPROVED"]&category=utility&language=en_US&fields=name`, "", 200, `…simple_template`},
		{"template", "/v25.0/1400000000000102?fields=components", "", 200, `…balance is {{1}} today`},
		{"a method the node lacks", "/v25.0/1400000000000102/messages", "", 400, `…Unknown path components: \/messages`},
		{"subscriptions", "/v25.0/" + AccountID + "/subscribed_apps", "", 200, `{"data":[{"whatsapp_business_api_data":{"id":"1300000000000001","link":"https:\/\/www.facebook.com\/games\/?app_id=1300000000000001","name":"Waxwing Development"}}]}`},
		{"another token's account", "/v25.0/" + NewAccountID, "", 400, `…"code":100,"error_subcode":33`},
		{"that token", "/v25.0/" + NewAccountID + "?fields=name", NewAccessToken, 200, `{"id":"1200000000000002","name":"Waxwing Newcomer"}`},
		{"not subscribed", "/v25.0/" + NewAccountID + "/subscribed_apps", NewAccessToken, 200, `{"data":[]}`},
		{"me", "/v25.0/me", "", 200, `{"id":"1600000000000001","name":"Waxwing Development"}`},
		{"unknown root", "/v25.0/you", "", 400, `…Unknown path components: \/you`},
		{"nothing but a version", "/v25.0", "", 400, `…"code":2500`},
		{"number as text", "/v25.0/abc/messages", "", 400, `…"code":2500`},
		{"bad limit", "/v25.0/" + AccountID + "/message_templates?limit=none", "", 400, `…Param limit`},
		{"bad cursor", "/v25.0/" + AccountID + "/message_templates?after=x", "", 400, `…Invalid cursors values`},
		{"debug_token", "/v25.0/debug_token?input_token=" + NewAccessToken, AppID + "|" + AppSecret, 200, `…"granular_scopes":[{"scope":"whatsapp_business_management","target_ids":["1200000000000002"]}`},
		{"debug_token of garbage", "/v25.0/debug_token?input_token=x", AppID + "|" + AppSecret, 200, `…"is_valid":false`},
		{"debug_token of an expired one", "/v25.0/debug_token?input_token=EXPIRED", AppID + "|" + AppSecret, 200, `…"subcode":463`},
		{"debug_token of nothing", "/v25.0/debug_token", AppID + "|" + AppSecret, 400, `…input_token`},
		{"app token cannot send", "/v25.0/" + NumberID + "/messages", AppID + "|" + AppSecret, 400, `…"code":100,"error_subcode":33`}, // GET
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, Options{World: testWorld(), Now: func() time.Time { return epoch }})
			token := tc.token
			if token == "" {
				token = AccessToken
			}
			path, query, ok := strings.Cut(tc.path, "?")
			if ok {
				values, err := url.ParseQuery(query)
				if err != nil {
					t.Fatal(err)
				}
				path += "?" + values.Encode()
			}
			r, err := f.do(f.request(http.MethodGet, path, "", "Authorization", "Bearer "+token))
			if err != nil {
				t.Fatal(err)
			}
			part, partial := strings.CutPrefix(tc.want, "…")
			if r.status != tc.status || (partial && !strings.Contains(string(r.body), part)) || (!partial && string(r.body) != tc.want) {
				t.Errorf("GET %s = %d\n%s\nwant %d\n%s", tc.path, r.status, r.body, tc.status, tc.want)
			}
		})
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	type listing struct {
		Data []struct {
			Name string `json:"name"`
		} `json:"data"`
		Paging struct {
			Cursors struct {
				Before string `json:"before"`
				After  string `json:"after"`
			} `json:"cursors"`
			Next string `json:"next"`
		} `json:"paging"`
	}
	get := func(path string) (l listing) {
		t.Helper()
		if err := json.Unmarshal(f.graph(http.MethodGet, path, "").body, &l); err != nil {
			t.Fatal(err)
		}
		return l
	}
	path := "/v25.0/" + AccountID + "/message_templates?fields=name&limit=2"
	first := get(path)
	if len(first.Data) != 2 || first.Paging.Next == "" {
		t.Fatalf("first page %+v", first)
	}
	next, err := url.Parse(first.Paging.Next)
	if err != nil {
		t.Fatal(err)
	}
	second := get(next.RequestURI())
	if len(second.Data) != 1 || second.Paging.Next != "" || second.Paging.Cursors.After == "" {
		t.Errorf("last page %+v: want one item, cursors and no next", second)
	}
	back := get(path + "&before=" + second.Paging.Cursors.Before)
	if diff := cmp.Diff(first.Data, back.Data); diff != "" {
		t.Errorf("back (-want +got):\n%s", diff)
	}
}

func TestManagementRate(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Now: func() time.Time { return epoch }})
	f.sim.st.accounts[AccountID].calls = gauge{}
	for range managementLimit {
		f.sim.st.accounts[AccountID].calls.add(epoch)
	}
	r := f.graph(http.MethodGet, "/v25.0/"+AccountID, "")
	if r.errorCode(t) != 80007 || !strings.Contains(r.header.Get("x-business-use-case-usage"), `"call_count":100`) {
		t.Errorf("answered %s with usage %s", r.body, r.header.Get("x-business-use-case-usage"))
	}
	f.send(templateTo(Diego, "hello_world")) // sends are not management calls
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		seen := func() string {
			f.app.mu.Lock()
			defer f.app.mu.Unlock()
			var hosts []string
			for _, h := range f.app.hooks {
				hosts = append(hosts, h.host)
			}
			f.app.hooks = nil
			return strings.Join(hosts, " ")
		}
		write := func() { f.writes(Diego, hi); after(time.Second) }
		after(time.Second)

		path := "/v25.0/" + AccountID + "/subscribed_apps"
		body := func(host, token string) string {
			return `{"override_callback_uri":"http://` + host + `/wa","verify_token":"` + token + `"}`
		}
		if r := f.graph(http.MethodPost, path, body("waba.test", "wrong")); r.errorCode(t) != 2200 {
			t.Errorf("a failed handshake answered %s", r.body)
		}
		f.app.mu.Lock()
		f.app.missing = "waba.test"
		f.app.mu.Unlock()
		if e := f.graph(http.MethodPost, path, body("waba.test", VerifyToken)).graphError(t); !strings.Contains(e.Message, "HTTP Status Code = 404") {
			t.Errorf("a missing callback answered %q", e.Message)
		}
		if r := f.graph(http.MethodPost, path, body(strings.Repeat("x", 200), VerifyToken)); r.errorCode(t) != 100 {
			t.Errorf("a long address answered %s", r.body)
		}
		if r := f.graph(http.MethodPost, path, body("waba.test", "")); r.errorCode(t) != 100 {
			t.Errorf("no verify token answered %s", r.body)
		}
		write()
		if got := seen(); got != "app.test" {
			t.Errorf("after refused overrides messages go to %q", got)
		}
		f.graph(http.MethodPost, path, body("waba.test", VerifyToken))
		write()
		if got := seen(); got != "waba.test" {
			t.Errorf("with an account's override messages go to %q", got)
		}
		if r := f.graph(http.MethodGet, path, ""); !strings.Contains(string(r.body), `"override_callback_uri":"http:\/\/waba.test\/wa"`) {
			t.Errorf("subscriptions %s", r.body)
		}
		f.graph(http.MethodPost, "/v25.0/"+NumberID, `{"webhook_configuration":`+body("number.test", VerifyToken)+`}`)
		write()
		if got := seen(); got != "number.test" {
			t.Errorf("with a number's override messages go to %q", got)
		}
		f.graph(http.MethodPost, "/v25.0/"+NumberID, `{"webhook_configuration":{"override_callback_uri":""}}`)
		f.graph(http.MethodPost, path, "")
		write()
		if got := seen(); got != "app.test" {
			t.Errorf("without overrides messages go to %q", got)
		}
	})
}

// TestEdges keeps the table honest: rows are complete, distinct, and each is reached through its path.
func TestEdges(t *testing.T) {
	t.Parallel()
	seen := map[edgeKey]bool{}
	for _, e := range edges {
		key := edgeKey{e.method, e.node, e.name}
		if seen[key] {
			t.Errorf("%v stands twice", key)
		}
		seen[key] = true
		if (e.do == nil) == (e.slow == nil) {
			t.Errorf("%v must have exactly one of do and slow", key)
		}
		if e.node != nodeRoot && e.scope == "" {
			t.Errorf("%v needs no permission", key)
		}
	}
}
