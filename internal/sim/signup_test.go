package sim

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func exchangePath(code string) string {
	return "/v25.0/oauth/access_token?client_id=" + AppID + "&client_secret=" + AppSecret + "&code=" + url.QueryEscape(code)
}

// bare makes a Graph call without a token.
func (f *fixture) bare(path string) reply {
	f.t.Helper()
	r := f.request(http.MethodGet, path, "")
	r.Header.Del("Authorization")
	res, err := f.do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	return res
}

func TestSignUpByControlAPI(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		var done signedUp
		if err := json.Unmarshal(f.control("POST", "/sim/v1/sign-ups", `{"waba_name":"Tea House","phone_number":"+1 555 010 0099"}`), &done); err != nil {
			t.Fatal(err)
		}
		if d := done.Session; d.Type != "WA_EMBEDDED_SIGNUP" || d.Event != "FINISH" || d.Data.Account == "" || d.Data.Number == "" {
			t.Errorf("session = %+v", d)
		}
		for _, tc := range []struct {
			name, path string
			code       int
		}{
			{"another app", strings.Replace(exchangePath(done.Code), AppID, "1", 1), 101},
			{"wrong secret", strings.Replace(exchangePath(done.Code), AppSecret, "guess", 1), 1},
			{"no code", exchangePath(""), 100},
			{"unknown code", exchangePath("AQx"), 100},
		} {
			if r := f.bare(tc.path); r.status != http.StatusBadRequest || r.errorCode(t) != tc.code {
				t.Errorf("%s = %d %s, want %d", tc.name, r.status, r.body, tc.code)
			}
		}
		r := f.bare(exchangePath(done.Code))
		var token struct {
			Value string `json:"access_token"`
			Type  string `json:"token_type"`
		}
		if err := json.Unmarshal(r.body, &token); err != nil || token.Type != "bearer" || token.Value == "" {
			t.Fatalf("exchange = %d %s", r.status, r.body)
		}
		if r := f.bare(exchangePath(done.Code)); r.graphError(t).Subcode != 36009 {
			t.Errorf("second exchange = %s, want the code to be used up", r.body)
		}
		about := f.ok("GET", "/v25.0/debug_token?input_token="+token.Value, "")["data"].(map[string]any)
		if granular, _ := json.Marshal(about["granular_scopes"]); about["is_valid"] != true || !strings.Contains(string(granular), done.Session.Data.Account) {
			t.Errorf("token = %v", about)
		}
		if r := f.bare("/v25.0/" + AccountID + "?access_token=" + token.Value); r.errorCode(t) != 100 {
			t.Errorf("the token opens another account: %s", r.body)
		}
		if r := f.bare("/v25.0/" + done.Session.Data.Account + "/phone_numbers?access_token=" + token.Value); !strings.Contains(string(r.body), done.Session.Data.Number) {
			t.Errorf("numbers = %s", r.body)
		}
	})
}

func TestCodesExpire(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		var done signedUp
		if err := json.Unmarshal(f.control("POST", "/sim/v1/sign-ups", `{"waba_id":"`+NewAccountID+`"}`), &done); err != nil {
			t.Fatal(err)
		}
		if done.Session.Event != "FINISH_ONLY_WABA" {
			t.Errorf("event = %s without a number", done.Session.Event)
		}
		time.Sleep(grantLife)
		if r := f.bare(exchangePath(done.Code)); r.graphError(t).Subcode != 36007 {
			t.Errorf("late exchange = %s, want an expired code", r.body)
		}
	})
}

func TestSignUpRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	for _, body := range []string{`{}`, `{"waba_id":"7"}`, `{"waba_name":"x","phone_number":"12"}`, `{"waba_name":"x","phone_number":"` + NumberPhone + `"}`} {
		if r, err := f.do(f.request("POST", "/sim/v1/sign-ups", body)); err != nil || r.status < 400 {
			t.Errorf("%s = %d %s", body, r.status, r.body)
		}
	}
	if len(f.sim.st.order) != 2 {
		t.Errorf("refused sign-ups left %d accounts", len(f.sim.st.order))
	}
}

// browser fills in the sign-up pages the way a person would.
type browser struct {
	f      *fixture
	action string
	page   string
}

var (
	hidden  = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	heading = regexp.MustCompile(`<h1>([^<]*)</h1>`)
	output  = regexp.MustCompile(`<output id="verification">(\d+)</output>`)
	codeTag = regexp.MustCompile(`<code id="code">([^<]*)</code>`)
)

func (b *browser) submit(fields map[string]string) string {
	b.f.t.Helper()
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(b.page, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	for k, v := range fields {
		form.Set(k, v)
	}
	req := b.f.request("POST", b.action, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	res, err := b.f.client.Do(req)
	if err != nil {
		b.f.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	b.page = string(body)
	if err != nil || res.StatusCode != http.StatusOK {
		b.f.t.Fatalf("page = %d %s %v", res.StatusCode, body, err)
	}
	return heading.FindStringSubmatch(b.page)[1]
}

// fields are what is entered on a page.
type fields map[string]string

// The owner of a business goes through all pages, the guide's steps from launching the portal to closing it.
func TestSignUpDialog(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		b := &browser{f: f, action: "/v25.0/dialog/oauth?client_id=" + AppID + "&response_type=code&redirect_uri=https%3A%2F%2Fapp.test%2Fback&state=s1"}
		first, err := f.do(f.request("GET", b.action, ""))
		if err != nil || first.status != http.StatusOK {
			t.Fatalf("first page = %d %s", first.status, first.body)
		}
		b.page = string(first.body)
		at := 1
		for i, s := range []struct {
			enter fields
			next  string // title of the next page
			step  int    // and its place
		}{
			{nil, "Log in", 2},
			{fields{"email": "o@shop.test", "password": "secret"}, "Confirm who you are", 3},
			{nil, "Allow access", 4},
			{nil, "Business portfolio", 5},
			{fields{"business": "new"}, "Business portfolio", 5}, // without a name
			{fields{"business": "new", "business_name": "Shop"}, "WhatsApp Business Account", 6},
			{fields{"waba": ""}, "WhatsApp Business profile", 7},
			{fields{"profile": "none"}, "WhatsApp Business profile", 7}, // a new account has nothing to go on with
			{fields{"profile": "new"}, "Create a business profile", 8},
			{fields{"waba_name": "Shoes & Co", "display_name": "Shoes", "category": "RETAIL", "description": "We sell shoes"}, "Phone number", 9},
			{fields{"number": "123"}, "Phone number", 9},
			{fields{"number": NumberPhone}, "Phone number", 9}, // another account's
			{fields{"number": "+1 555 010 0055"}, "How to verify your number", 10},
			{fields{"method": "VOICE"}, "Verify your number", 11},
			{fields{"code": "nonsense"}, "Verify your number", 11},
		} {
			if got := b.submit(s.enter); got != s.next {
				t.Fatalf("page %d leads to %q, want %q:\n%s", i+1, got, s.next, b.page)
			}
			if !strings.Contains(b.page, fmt.Sprintf("Step %d of 12</span>, %s of AWS's guide", s.step, dialogSteps[s.step-1].guide)) {
				t.Errorf("page %q is not step %d:\n%s", s.next, s.step, b.page)
			}
			if failed := strings.Contains(b.page, `role="alert"`); failed != (s.step == at) {
				t.Errorf("page %q after an error: %v", s.next, failed)
			}
			at = s.step
			if strings.Contains(b.page, "secret") {
				t.Error("the password is carried along")
			}
		}
		if len(f.sim.st.order) != 3 || f.sim.st.order[2].numbers[0].setup.method != "VOICE" {
			t.Errorf("accounts %v", f.sim.st.order)
		}
		if got := b.submit(fields{"code": output.FindStringSubmatch(b.page)[1]}); got != "You are ready" || !strings.Contains(b.page, "Step 12 of 12") {
			t.Fatalf("the code leads to %q:\n%s", got, b.page)
		}
		code := html.UnescapeString(codeTag.FindStringSubmatch(b.page)[1])
		if !strings.Contains(b.page, "https://app.test/back?code=") || !strings.Contains(b.page, "WA_EMBEDDED_SIGNUP") {
			t.Errorf("last page:\n%s", b.page)
		}
		if r := f.bare(exchangePath(code)); r.status != http.StatusOK {
			t.Errorf("exchange = %s", r.body)
		}
		a := f.sim.st.order[len(f.sim.st.order)-1]
		if n := a.numbers[0]; a.Name != "Shoes & Co" || n.VerifiedName != "Shoes" || n.verification() != "VERIFIED" || n.setup.profile["vertical"] != "RETAIL" {
			t.Errorf("account %q with number %+v", a.Name, n.Number)
		}
	})
}

// The pages stand for the guide's steps 3 to 14, in order, and none is left out.
func TestSignUpPagesFollowTheGuide(t *testing.T) {
	t.Parallel()
	next := 3
	for _, step := range dialogSteps {
		for number := range strings.SplitSeq(strings.TrimPrefix(strings.TrimPrefix(step.guide, "steps "), "step "), " and ") {
			n, err := strconv.Atoi(number)
			if err != nil || n != next && n != next-1 {
				t.Errorf("page %s stands for step %s, want %d", step.name, number, next)
			}
			next = n + 1
		}
	}
	if next != 15 || len(dialogSteps) != 12 {
		t.Errorf("%d pages, up to step %d", len(dialogSteps), next-1)
	}
}

func TestSignUpDialogForAnExistingAccount(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	for _, tc := range []struct {
		name, profile, next, event, number string
	}{
		{"an existing profile", NewNumberID, "You are ready", "FINISH", NewNumberID},
		{"no number", "none", "You are ready", "FINISH_ONLY_WABA", ""},
		{"a new profile", "new", "Create a business profile", "", ""},
		{"another account's profile", NumberID, "WhatsApp Business profile", "", ""},
	} {
		b := &browser{f: f, action: "/dialog/oauth?client_id=" + AppID}
		b.submit(fields{"step": "business", "business": "existing"})
		if got := b.submit(fields{"waba": NewAccountID}); got != "WhatsApp Business profile" || !strings.Contains(html.UnescapeString(b.page), "Waxwing Newcomer, +1 555-010-0002") {
			t.Fatalf("an existing account leads to %q:\n%s", got, b.page)
		}
		if got := b.submit(fields{"profile": tc.profile}); got != tc.next {
			t.Fatalf("%s leads to %q:\n%s", tc.name, got, b.page)
		}
		session := html.UnescapeString(b.page)
		if tc.event != "" && (!strings.Contains(session, `"event": "`+tc.event+`"`) || !strings.Contains(session, NewAccountID) || strings.Contains(session, `"phone_number_id": "`+NewNumberID+`"`) != (tc.number != "")) {
			t.Errorf("%s:\n%s", tc.name, b.page)
		}
		if tc.profile != "new" {
			continue
		}
		if strings.Contains(b.page, "waba_name") {
			t.Error("an existing account is asked for its name")
		}
		b.submit(fields{"display_name": "Second line"})
		b.submit(fields{"number": "+1 555 010 0077"})
		b.submit(fields{"method": "SMS"})
		if got := b.submit(fields{"code": output.FindStringSubmatch(b.page)[1]}); got != "You are ready" || len(f.sim.st.accounts[NewAccountID].numbers) != 2 {
			t.Errorf("a second number leads to %q", got)
		}
	}
	if r, err := f.do(f.request("GET", "/dialog/oauth?client_id=7", "")); err != nil || r.status != http.StatusBadRequest {
		t.Errorf("unknown app = %d", r.status)
	}
	if r, err := f.do(f.request("GET", "/dialog/oauth?client_id="+AppID+"&redirect_uri=javascript:alert(1)", "")); err != nil || r.status != http.StatusOK {
		t.Errorf("a strange return address = %d", r.status)
	}
	if returnTo("javascript:alert(1)", nil, "") != "" {
		t.Error("a page can return to a script")
	}
}

func TestSignUpCancelled(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	b := &browser{f: f, action: "/dialog/oauth?client_id=" + AppID + "&redirect_uri=https%3A%2F%2Fapp.test%2Fback&state=s1"}
	b.submit(fields{"step": "number", "waba_name": "Tea", "number": "+15550100088"})
	if got := b.submit(fields{"cancel": "1"}); got != "Sign-up cancelled" {
		t.Fatalf("cancelling leads to %q:\n%s", got, b.page)
	}
	page := html.UnescapeString(b.page)
	for _, want := range []string{`"event":"CANCEL"`, `"current_step":"METHOD"`, "https://app.test/back?error=access_denied&error_reason=user_denied&state=s1"} {
		if !strings.Contains(strings.ReplaceAll(page, `\u0022`, `"`), want) {
			t.Errorf("the page does not say %s:\n%s", want, page)
		}
	}
	if len(f.sim.st.order) != 2 {
		t.Error("a cancelled sign-up left an account")
	}
}
