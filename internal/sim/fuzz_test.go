package sim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

// FuzzGraph sends any body to the messages edge: whatever it says, the answer is JSON with a sane status.
func FuzzGraph(f *testing.F) {
	for _, body := range []string{textTo(Diego, "x"), templateTo(Diego, "statement"), `{"messaging_product":"whatsapp","status":"read","message_id":"x"}`,
		`{"messaging_product":"whatsapp","recipient":"US.1","type":"reaction","reaction":{"message_id":"x","emoji":""}}`, `{`, `[]`, ``} {
		f.Add("/v25.0/"+NumberID+"/messages", body)
	}
	f.Add("/"+AccountID+"/message_templates?after=QVFIMQ&fields=a{b,c}", "")
	f.Add("//..//v25.0///x", "")
	s := New(Options{Seed: 1, Now: func() time.Time { return epoch }})
	s.st.settings.PairRate, s.st.settings.Throughput = false, false
	f.Fuzz(func(t *testing.T, path, body string) {
		u, err := url.ParseRequestURI(path)
		if err != nil {
			return
		}
		for _, method := range []string{http.MethodPost, http.MethodGet} {
			r := &http.Request{Method: method, URL: u, Host: "sim.test", Header: http.Header{"Authorization": {"Bearer " + AccessToken}},
				Body: http.NoBody, ContentLength: -1}
			if body != "" {
				r = httptest.NewRequest(method, "/", bytes.NewReader([]byte(body)))
				r.URL, r.Header = u, http.Header{"Authorization": {"Bearer " + AccessToken}}
			}
			w := httptest.NewRecorder()
			s.graphAPI(w, r)
			if w.Code < 200 || w.Code > 599 || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s %s answered %d %q", method, path, w.Code, w.Body)
			}
		}
	})
}

// FuzzControl sends any body to the control API: it takes it or says 400, and the simulator still works.
func FuzzControl(f *testing.F) {
	f.Add("PUT", "/sim/v1/settings", `{"sent_ms":5,"read_ms":"off"}`)
	f.Add("PUT", "/sim/v1/faults", `{"rules":[{"match":{"edge":"messages"},"when":{"every":2},"effect":{"webhooks":{"duplicate":true}}}]}`)
	f.Add("PUT", "/sim/v1/customers/"+Diego, `{"on_whatsapp":false}`)
	f.Add("POST", "/sim/v1/customers/"+Diego+"/messages", `{"phone_number_id":"`+NumberID+`","message":{"type":"image","image":{"data":"AA==","mime_type":"image/png"},"context":{"message_id":"x"}}}`)
	f.Add("POST", "/sim/v1/webhooks", `{"waba_id":"`+AccountID+`","field":"flows","value":{"a":"é"}}`)
	f.Add("PATCH", "/sim/v1/phone-numbers/"+NumberID, `{"throughput":"HIGH"}`)
	f.Fuzz(func(t *testing.T, method, path, body string) {
		u, err := url.ParseRequestURI(path)
		if err != nil || len(path) < 5 || path[:5] != "/sim/" {
			return
		}
		s := New(Options{Seed: 1, WebhookURL: hookURL, Now: func() time.Time { return epoch }})
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader([]byte(body)))
		r.Method, r.URL = method, u
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%s %s answered %d %s", method, path, w.Code, w.Body)
		}
		state := httptest.NewRecorder()
		s.Handler().ServeHTTP(state, httptest.NewRequest(http.MethodGet, "/sim/v1/state", nil))
		if !json.Valid(state.Body.Bytes()) {
			t.Errorf("the state is broken: %s", state.Body)
		}
		for _, m := range s.st.messages {
			if !json.Valid(m.raw) {
				t.Errorf("a message that is not JSON: %q", m.raw)
			}
		}
	})
}
