// Package webhook is where Meta's callbacks arrive: it proves that they are Meta's, stores them, and answers.
//
// What a callback means is worked out later, by internal/ingest: Meta wants its answer in well under a second, and whatever
// it gets a 200 for is not sent again. So a callback gets a 200 only after its raw bytes are on disk.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Inbox stores what arrived; it is on disk when Receive returns.
type Inbox interface {
	Receive(ctx context.Context, sealed []byte, now time.Time) error
}

// Sealer protects what is stored.
type Sealer interface {
	Seal(plaintext, associated []byte) ([]byte, error)
}

// Options configure a Handler.
type Options struct {
	AppSecret   identity.Secret // signs every callback
	VerifyToken identity.Secret // Meta repeats it when the callback URL is set up
	MaxBody     int64           // bytes; Meta sends at most 3 MB
	Inbox       Inbox
	Sealer      Sealer
	OnReceived  func(outcome string, took time.Duration) // optional: for metrics
	Logger      *slog.Logger
}

// Handler answers Meta: GET proves to Meta that the URL is ours, POST takes callbacks.
type Handler struct {
	Options
	hearing atomic.Pointer[time.Time]
}

// New returns a Handler. Without an app secret it refuses every callback.
func New(o Options) *Handler {
	h := &Handler{Options: o}
	h.HearAnew()
	return h
}

// Hearing returns since when every genuine callback has been taken. What came before may have been refused, and is then repeated
// by Meta at some time.
func (h *Handler) Hearing() time.Time { return *h.hearing.Load() }

// HearAnew makes Hearing begin now: after a callback was refused, or when it cannot be told any more how long ago something was.
func (h *Handler) HearAnew() {
	now := time.Now()
	h.hearing.Store(&now)
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
		h.verify(w, r)
	case http.MethodPost:
		start := time.Now()
		status := h.receive(w, r, start)
		w.WriteHeader(status)
		if h.OnReceived != nil {
			h.OnReceived(http.StatusText(status), time.Since(start))
		}
	default:
		w.Header().Set("Allow", "GET, POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// verify answers Meta's handshake with its challenge if it knows our token.
func (h *Handler) verify(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	challenge := q.Get("hub.challenge")
	if q.Get("hub.mode") != "subscribe" || challenge == "" || len(challenge) > 256 || h.VerifyToken == "" ||
		subtle.ConstantTimeCompare([]byte(q.Get("hub.verify_token")), []byte(h.VerifyToken.Reveal())) != 1 {
		h.Logger.Warn("webhook verification refused", "remote", r.RemoteAddr)
		w.WriteHeader(http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	io.WriteString(w, challenge) //nolint:errcheck // Meta asks again
}

func (h *Handler) receive(w http.ResponseWriter, r *http.Request, now time.Time) int {
	body, err := read(http.MaxBytesReader(w, r.Body, h.MaxBody), r.ContentLength)
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			h.Logger.Warn("webhook too large", "limit", h.MaxBody)
			return http.StatusRequestEntityTooLarge
		}
		return http.StatusBadRequest
	}
	if !signed(h.AppSecret, r.Header.Get("X-Hub-Signature-256"), body) {
		h.Logger.Warn("webhook signature refused", "remote", r.RemoteAddr, "bytes", len(body))
		return http.StatusUnauthorized
	}
	sealed, err := h.Sealer.Seal(body, event.InboxSeal)
	if err == nil {
		// Once the bytes are here they are kept, even if Meta hangs up meanwhile.
		err = h.Inbox.Receive(context.WithoutCancel(r.Context()), sealed, now)
	}
	if err != nil {
		h.HearAnew()
		if fault.Is(err, fault.Unavailable) {
			return http.StatusServiceUnavailable // the store has logged why
		}
		h.Logger.Error("store webhook", "error", err)
		return http.StatusInternalServerError
	}
	return http.StatusOK
}

// read takes a body in. Most are short and announced; room for long ones is made as they come.
func read(body io.Reader, announced int64) ([]byte, error) {
	const most = 64 << 10
	var b bytes.Buffer
	b.Grow(int(min(max(announced, 0), most)) + bytes.MinRead)
	_, err := b.ReadFrom(body)
	return b.Bytes(), err
}

// signed checks Meta's signature: the HMAC-SHA256 of the raw body under the app secret.
func signed(secret identity.Secret, header string, body []byte) bool {
	digest, ok := strings.CutPrefix(header, "sha256=")
	if !ok || secret == "" {
		return false
	}
	got, err := hex.DecodeString(digest)
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write(body)
	return hmac.Equal(got, mac.Sum(nil))
}
