package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

const secret = identity.Secret("app-secret")

// inbox keeps what arrives, or fails.
type inbox struct {
	bodies []string
	err    error
}

func (i *inbox) Receive(_ context.Context, body []byte, _ time.Time) error {
	if i.err == nil {
		i.bodies = append(i.bodies, string(body))
	}
	return i.err
}

type sealer struct{}

func (sealer) Seal(p, ad []byte) ([]byte, error) { return append(append(ad, '|'), p...), nil }

func newHandler(in *inbox) *Handler {
	return New(Options{AppSecret: secret, VerifyToken: "verify-me", MaxBody: 1 << 10, Inbox: in, Sealer: sealer{},
		Logger: slog.New(slog.DiscardHandler)})
}

func sign(key, body string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func TestReceive(t *testing.T) {
	t.Parallel()
	body := `{"object":"whatsapp_business_account","entry":[{"n":"\u00e9"}]}`
	for _, tc := range []struct {
		name      string
		body      string
		signature string
		err       error
		want      int
	}{
		{"signed", body, sign("app-secret", body), nil, http.StatusOK},
		{"upper-case digest", body, "sha256=" + strings.ToUpper(sign("app-secret", body)[7:]), nil, http.StatusOK},
		{"no signature", body, "", nil, http.StatusUnauthorized},
		{"another secret", body, sign("other", body), nil, http.StatusUnauthorized},
		{"another body", body + " ", sign("app-secret", body), nil, http.StatusUnauthorized},
		{"sha1", body, "sha1=" + sign("app-secret", body)[7:], nil, http.StatusUnauthorized},
		{"not hex", body, "sha256=zz", nil, http.StatusUnauthorized},
		{"empty digest", body, "sha256=", nil, http.StatusUnauthorized},
		{"too large", strings.Repeat("x", 1<<10+1), "", nil, http.StatusRequestEntityTooLarge},
		{"anything signed is kept", "garbage", sign("app-secret", "garbage"), nil, http.StatusOK},
		{"storage full", body, sign("app-secret", body), fault.New(fault.Unavailable, "full"), http.StatusServiceUnavailable},
		{"storage broken", body, sign("app-secret", body), errors.New("broken"), http.StatusInternalServerError},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			in := &inbox{err: tc.err}
			r := httptest.NewRequest(http.MethodPost, "/webhooks/meta", strings.NewReader(tc.body))
			r.Header.Set("X-Hub-Signature-256", tc.signature)
			w := httptest.NewRecorder()
			newHandler(in).ServeHTTP(w, r)
			if w.Code != tc.want {
				t.Errorf("status = %d, want %d", w.Code, tc.want)
			}
			want := 0
			if tc.want == http.StatusOK {
				want = 1
			}
			if len(in.bodies) != want {
				t.Errorf("%d stored, want %d", len(in.bodies), want)
			}
			if want == 1 && in.bodies[0] != "inbox|"+tc.body {
				t.Errorf("stored %q, want the raw bytes sealed", in.bodies[0])
			}
		})
	}
}

// What was refused for a reason of ours ends the time in which every callback was taken; what is not Meta's does not.
func TestHearing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := &inbox{}
		h := newHandler(in)
		begun := time.Now()
		post := func(signature string) {
			time.Sleep(time.Minute)
			r := httptest.NewRequest(http.MethodPost, "/webhooks/meta", strings.NewReader("x"))
			r.Header.Set("X-Hub-Signature-256", signature)
			h.ServeHTTP(httptest.NewRecorder(), r)
		}
		post(sign("app-secret", "x"))
		post("sha256=00")
		if got := h.Hearing(); !got.Equal(begun) {
			t.Errorf("hearing since %v, want since the start", got.Sub(begun))
		}
		in.err = fault.New(fault.Unavailable, "full")
		post(sign("app-secret", "x"))
		in.err = nil
		post(sign("app-secret", "x"))
		if got := h.Hearing().Sub(begun); got != 3*time.Minute {
			t.Errorf("hearing since %v, want since the refusal after three minutes", got)
		}
	})
}

func TestWithoutSecretNothingIsTaken(t *testing.T) {
	t.Parallel()
	in := &inbox{}
	h := newHandler(in)
	h.AppSecret, h.VerifyToken = "", ""
	r := httptest.NewRequest(http.MethodPost, "/webhooks/meta", strings.NewReader("x"))
	r.Header.Set("X-Hub-Signature-256", sign("", "x"))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized || len(in.bodies) != 0 {
		t.Errorf("status = %d with %d stored", w.Code, len(in.bodies))
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/webhooks/meta?hub.mode=subscribe&hub.challenge=1&hub.verify_token=", nil))
	if w.Code != http.StatusForbidden {
		t.Errorf("verification = %d", w.Code)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=verify-me":                  "1158201444",
		"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=wrong":                      "",
		"hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=verify-me":                         "",
		"hub.mode=subscribe&hub.verify_token=verify-me":                                           "",
		"hub.mode=subscribe&hub.verify_token=verify-me&hub.challenge=" + strings.Repeat("x", 257): "",
		"": "",
	} {
		w := httptest.NewRecorder()
		newHandler(&inbox{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/webhooks/meta?"+query, nil))
		if (w.Code == http.StatusOK) != (want != "") || w.Body.String() != want {
			t.Errorf("%q = %d %q, want %q", query, w.Code, w.Body, want)
		}
	}
	w := httptest.NewRecorder()
	newHandler(&inbox{}).ServeHTTP(w, httptest.NewRequest(http.MethodDelete, "/webhooks/meta", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
		t.Errorf("DELETE = %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

func FuzzSigned(f *testing.F) {
	f.Add("sha256=", []byte("x"))
	f.Add(sign("app-secret", "x"), []byte("x"))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		if signed(secret, header, body) && !strings.EqualFold(header[7:], sign("app-secret", string(body))[7:]) {
			t.Errorf("%q passes for %q", header, body)
		}
	})
}
