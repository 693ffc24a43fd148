package sim

import (
	"bytes"
	"embed"
	"encoding/json"
	html "html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// dialogPath is where the sign-up begins, as at facebook.com; a version may stand before it.
const dialogPath = "/dialog/oauth"

//go:embed pages/signup.html
var pageFiles embed.FS

var signUpPage = html.Must(html.ParseFS(pageFiles, "pages/signup.html"))

// dialogSteps are the pages of the embedded sign-up in order, each with the steps of AWS's guide that it stands for: 3 to 14, what
// happens between launching the portal and closing it. A page takes what was entered before as hidden fields, so that nothing of an
// unfinished sign-up is kept.
var dialogSteps = []struct{ name, title, guide string }{
	{"start", "Connect your business to WhatsApp", "step 3"},
	{"login", "Log in", "step 4"},
	{"identity", "Confirm who you are", "step 5"},
	{"consent", "Allow access", "step 6"},
	{"business", "Business portfolio", "steps 7 and 8"},
	{"account", "WhatsApp Business Account", "step 9"},
	{"choice", "WhatsApp Business profile", "steps 9 and 10"},
	{"profile", "Create a business profile", "step 11"},
	{"number", "Phone number", "step 12"},
	{"method", "How to verify your number", "step 13"},
	{"code", "Verify your number", "step 13"},
	{"done", "You are ready", "step 14"},
}

// dialogView is what a page shows.
type dialogView struct {
	Step, Title, Guide, Error, Action string
	Number, Of                        int
	Carried                           map[string]string
	Entered                           map[string]string // on this page, before it was refused
	App, Portfolio, Email, Phone      string
	New                               bool // the account is to be made
	Accounts                          []Account
	Profiles                          []Number
	Verticals                         []string
	Verification, Code, Session       string
	Finished                          any
	Return                            html.URL
	account                           *account
}

func isDialog(path string) bool {
	if version, rest, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/"); ok && versionNumber(version) > 0 {
		path = "/" + rest
	}
	return path == dialogPath
}

// dialog serves the embedded sign-up: GET shows the first page, each POST the next one.
func (s *Sim) dialog(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form cannot be read.", http.StatusBadRequest)
		return
	}
	if id := r.URL.Query().Get("client_id"); id != s.o.AppID {
		http.Error(w, "Invalid App ID: the client_id does not look like the id of an app.", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	v := s.nextPage(r)
	s.mu.Unlock()
	var page bytes.Buffer
	if err := signUpPage.Execute(&page, v); err != nil {
		s.log.Error("sign-up page", "error", err)
		http.Error(w, "The page cannot be shown.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = page.WriteTo(w)
}

// nextPage acts on what was entered and decides what to show.
func (s *Sim) nextPage(r *http.Request) *dialogView {
	v := &dialogView{Action: r.URL.RequestURI(), Of: len(dialogSteps), Carried: map[string]string{}, Entered: map[string]string{}, App: s.world.AppName,
		Portfolio: "Portfolio " + s.world.Portfolio, Verticals: verticals}
	for name, values := range r.PostForm {
		if name != "step" && name != "password" && name != "cancel" && len(values) > 0 {
			v.Carried[name] = values[len(values)-1]
		}
	}
	v.account, v.Email = s.st.accounts[v.Carried["waba"]], v.Carried["email"]
	back, state := r.URL.Query().Get("redirect_uri"), r.URL.Query().Get("state")
	at := 0
	if r.Method == http.MethodPost {
		entered := r.PostForm.Get("step")
		at = stepAt(entered) + 1
		if r.PostForm.Get("cancel") != "" {
			v.cancel(entered, back, state)
			return v
		}
		if err := s.enter(v, entered); err != nil {
			v.Error = err.Error()
			at--
		}
		at = min(max(at, 0), len(dialogSteps)-1)
	}
	for s.skips(v, dialogSteps[at].name) {
		at++
	}
	step := dialogSteps[at]
	v.Step, v.Title, v.Guide, v.Number = step.name, step.title, step.guide, at+1
	s.prepare(v, back, state)
	for _, shown := range dialogFields[v.Step] {
		v.Entered[shown] = v.Carried[shown]
		delete(v.Carried, shown)
	}
	return v
}

func stepAt(name string) int {
	return slices.IndexFunc(dialogSteps, func(d struct{ name, title, guide string }) bool { return d.name == name })
}

// skips reports whether a page has nothing to ask: an existing profile has a number, and a verified number needs no code.
func (s *Sim) skips(v *dialogView, step string) bool {
	n := s.st.numberOf(digitsOnly(v.Carried["number"]))
	known := n != nil && n.verification() == "VERIFIED"
	switch step {
	case "profile", "number":
		return v.Carried["profile"] != "" && v.Carried["profile"] != "new"
	case "method", "code":
		return known || v.Carried["number"] == ""
	default:
		return false
	}
}

// cancel is the page after the owner gave up. The app's page is told where.
func (v *dialogView) cancel(step, back, state string) {
	v.Step, v.Title = "cancelled", "Sign-up cancelled"
	told := signUpCancelled{Type: "WA_EMBEDDED_SIGNUP", Event: "CANCEL", Version: 3}
	told.Data.Step = strings.ToUpper(step)
	v.Finished = told
	v.Return = returnTo(back, url.Values{"error": {"access_denied"}, "error_reason": {"user_denied"}}, state)
}

// dialogFields are the fields that a page asks for: they are not carried over it.
var dialogFields = map[string][]string{"login": {"email"}, "business": {"business", "business_name", "business_website", "business_country", "business_address"},
	"account": {"waba"}, "choice": {"profile"}, "profile": {"waba_name", "display_name", "timezone", "category", "description", "website"},
	"number": {"number"}, "method": {"method"}, "code": {"code"}}

// enter takes what a page asked for.
func (s *Sim) enter(v *dialogView, step string) error {
	in := signUp{Account: v.Carried["waba"], AccountName: v.Carried["waba_name"], Number: v.Carried["number"], DisplayName: v.Carried["display_name"]}
	switch step {
	case "business":
		if v.Carried["business"] == "new" && v.Carried["business_name"] == "" {
			return fault.New(fault.Validation, "A new business portfolio needs a name.")
		}
	case "choice":
		return s.chooseProfile(v)
	case "number":
		if digitsOnly(in.Number) == "" {
			return fault.New(fault.Validation, "Enter a phone number.")
		}
		return s.checkSignUp(in)
	case "method":
		a, n, err := s.enrol(in)
		if err != nil {
			return err
		}
		v.account, v.Carried["waba"] = a, a.ID
		n.setup.profile = v.profile(n.setup.profile)
		method := v.Carried["method"]
		if method != "VOICE" {
			method = "SMS"
		}
		s.sendCode(n, method)
	case "code":
		n := s.st.numberOf(digitsOnly(v.Carried["number"]))
		if n == nil || n.verification() == "VERIFIED" {
			return nil
		}
		if problem := n.verify(v.Carried["code"], s.now().UnixNano()); problem != "" {
			return fault.New(fault.Validation, "%s", problem)
		}
	}
	return nil
}

// chooseProfile takes an existing profile, which is that of a number of the account, a new one, or none.
func (s *Sim) chooseProfile(v *dialogView) error {
	switch id := v.Carried["profile"]; {
	case id == "" || id == "new":
		return nil
	case v.account == nil:
		return fault.New(fault.Validation, "A new account needs a new profile.")
	case id == "none":
		return nil
	default:
		n := s.st.numbers[id]
		if n == nil || n.account != v.account {
			return fault.New(fault.Validation, "The account has no such profile.")
		}
		v.Carried["number"] = n.Phone
		return nil
	}
}

// profile puts what the owner told about the business into the number's profile.
func (v *dialogView) profile(have map[string]any) map[string]any {
	if have == nil {
		have = map[string]any{}
	}
	for field, name := range map[string]string{"description": "description", "category": "vertical"} {
		setText(have, name, v.Carried[field])
	}
	if site := v.Carried["website"]; site != "" {
		have["websites"] = []string{site}
	}
	return have
}

// prepare fills in what a page shows, and ends the sign-up on the last one.
func (s *Sim) prepare(v *dialogView, back, state string) {
	n := s.st.numberOf(digitsOnly(v.Carried["number"]))
	v.New = v.account == nil
	switch v.Step {
	case "account":
		for _, a := range s.st.order {
			v.Accounts = append(v.Accounts, a.Account)
		}
	case "choice":
		if v.account != nil {
			for _, n := range v.account.numbers {
				v.Profiles = append(v.Profiles, Number{ID: n.ID, VerifiedName: n.VerifiedName, Phone: humanNumber(n.Phone)})
			}
		}
	case "method":
		v.Phone = humanNumber("+" + digitsOnly(v.Carried["number"]))
	case "code":
		if n != nil {
			v.Phone, v.Verification = humanNumber(n.Phone), n.setup.code
		}
	case "done":
		if v.account == nil {
			return
		}
		done := s.finishSignUp(v.account, n)
		v.Finished, v.Code = done.Session, done.Code
		session, err := json.MarshalIndent(done.Session, "", "  ")
		if err == nil {
			v.Session = string(session)
		}
		v.Return = returnTo(back, url.Values{"code": {done.Code}}, state)
	}
}

// returnTo is the application's own page with the outcome, for applications that open the dialog as a page and not as a window.
func returnTo(back string, outcome url.Values, state string) html.URL {
	u, err := url.Parse(back)
	if back == "" || err != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	q := u.Query()
	maps.Copy(q, outcome)
	if state != "" {
		q.Set("state", state)
	}
	u.RawQuery = q.Encode()
	return html.URL(u.String()) //nolint:gosec // http and https only, checked above
}
