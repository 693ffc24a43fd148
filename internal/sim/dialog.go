package sim

import (
	"bytes"
	"embed"
	"encoding/json"
	html "html/template"
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

// dialogSteps are the pages of the embedded sign-up in order. Each takes what was entered before as hidden fields, so that
// nothing of an unfinished sign-up is kept.
var dialogSteps = []struct{ name, title string }{
	{"login", "Log in"},
	{"consent", "Allow access"},
	{"business", "Business portfolio"},
	{"account", "WhatsApp Business Account"},
	{"profile", "Business profile"},
	{"number", "Phone number"},
	{"code", "Verify your number"},
	{"done", "You are ready"},
}

// dialogView is what a page shows.
type dialogView struct {
	Step, Title, Error, Action  string
	Number, Of                  int
	Carried                     map[string]string
	App, Portfolio, Phone       string
	Accounts                    []Account
	Numbers, Verticals          []string
	Verification, Code, Session string
	Finished                    signUpFinished
	Return                      html.URL
	account                     *account
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
	v := &dialogView{Action: r.URL.RequestURI(), Of: len(dialogSteps), Carried: map[string]string{}, App: s.world.AppName,
		Portfolio: "Portfolio " + s.world.Portfolio, Verticals: verticals}
	for name, values := range r.PostForm {
		if name != "step" && name != "password" && len(values) > 0 {
			v.Carried[name] = values[len(values)-1]
		}
	}
	v.account = s.st.accounts[v.Carried["waba"]]
	at := 0
	if r.Method == http.MethodPost {
		entered := r.PostForm.Get("step")
		at = slices.IndexFunc(dialogSteps, func(d struct{ name, title string }) bool { return d.name == entered }) + 1
		if err := s.enter(v, entered); err != nil {
			v.Error = err.Error()
			at--
		}
		at = min(max(at, 0), len(dialogSteps)-1)
	}
	if dialogSteps[at].name == "profile" && v.account != nil {
		at++ // an existing account has a profile
	}
	if n := s.st.numberOf(digitsOnly(v.Carried["number"])); dialogSteps[at].name == "code" && (n == nil || n.verification() == "VERIFIED") {
		at++
	}
	v.Step, v.Title, v.Number = dialogSteps[at].name, dialogSteps[at].title, at+1
	s.prepare(v, r.URL.Query().Get("redirect_uri"), r.URL.Query().Get("state"))
	for _, shown := range dialogFields[v.Step] {
		delete(v.Carried, shown)
	}
	return v
}

// dialogFields are the fields that a page asks for: they are not carried over it.
var dialogFields = map[string][]string{"login": {"email"}, "business": {"business", "business_name", "business_website", "business_country", "business_address"},
	"account": {"waba"}, "profile": {"waba_name", "display_name", "timezone", "category", "description", "website"},
	"number": {"number", "method"}, "code": {"code"}}

// enter takes what a page asked for.
func (s *Sim) enter(v *dialogView, step string) error {
	switch step {
	case "business":
		if v.Carried["business"] == "new" && v.Carried["business_name"] == "" {
			return fault.New(fault.Validation, "A new business portfolio needs a name.")
		}
	case "number":
		if v.Carried["number"] == "" {
			if v.account == nil {
				return fault.New(fault.Validation, "Enter a phone number.")
			}
			return nil
		}
		a, n, err := s.enrol(signUp{Account: v.Carried["waba"], AccountName: v.Carried["waba_name"], Number: v.Carried["number"],
			DisplayName: v.Carried["display_name"]})
		if err != nil {
			return err
		}
		v.account, v.Carried["waba"] = a, a.ID
		n.setup.profile = v.profile(n.setup.profile)
		method := v.Carried["method"]
		if method != "VOICE" {
			method = "SMS"
		}
		if n.verification() != "VERIFIED" {
			s.sendCode(n, method)
		}
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
	switch v.Step {
	case "account":
		for _, a := range s.st.order {
			v.Accounts = append(v.Accounts, a.Account)
		}
	case "number":
		if v.account != nil {
			for _, n := range v.account.numbers {
				v.Numbers = append(v.Numbers, humanNumber(n.Phone))
			}
		}
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
		v.Return = returnTo(back, done.Code, state)
	}
}

// returnTo is the application's own page with the code, for applications that open the dialog as a page and not as a window.
func returnTo(back, code, state string) html.URL {
	u, err := url.Parse(back)
	if back == "" || err != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	q := u.Query()
	q.Set("code", code)
	if state != "" {
		q.Set("state", state)
	}
	u.RawQuery = q.Encode()
	return html.URL(u.String()) //nolint:gosec // http and https only, checked above
}
