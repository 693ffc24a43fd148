package https

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/waxwing-messaging/waxwing/internal/destination/destinationtest"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/outbound"
)

const (
	newSecret = "whsec_bmV3LXNlY3JldC10aGF0LW5vYm9keS1tYXktc2Vl"
	oldSecret = "whsec_b2xkLXNlY3JldC10aGF0LW5vYm9keS1tYXktc2Vl"
	header    = "header-that-nobody-may-see"
	query     = "token-that-nobody-may-see"
)

func target() event.Destination {
	return event.Destination{Name: "dst-1", Kind: event.HTTPS, Address: "https://hook.test/events?token=" + query, AccountID: "000000000000",
		Secrets: []identity.Secret{newSecret, oldSecret}, Headers: []event.Header{{Name: "Authorization", Value: header}, {Name: "Webhook-Id", Value: "mine"},
			{Name: "X-Team", Value: "7"}}}
}

// read checks a request with the library that the authors of Standard Webhooks publish, for each secret.
func read(t testing.TB, r *http.Request, body []byte) []string {
	if r.Method != http.MethodPost || r.URL.String() != target().Address || r.Header.Get("Content-Type") != "application/json" ||
		r.Header.Get("User-Agent") != "waxwing" || r.Header.Get("Authorization") != header || r.Header.Get("X-Team") != "7" {
		t.Errorf("%s %s with %v", r.Method, r.URL, r.Header)
	}
	for _, secret := range []string{newSecret, oldSecret} {
		verifier, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := verifier.Verify(body, r.Header); err != nil {
			t.Errorf("signature: %v", err)
		}
	}
	return []string{r.Header.Get("Webhook-Id") + string(body)}
}

func answer(status int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, "you sent ", r.URL, destinationtest.Echo(r))
	}
}

func after(status int, value string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", value)
		w.WriteHeader(status)
	}
}

func TestPublisher(t *testing.T) {
	t.Parallel()
	destinationtest.Run(t, destinationtest.Suite{
		New:   func(client *http.Client) (destinationtest.Publisher, event.Destination) { return New(client), target() },
		Form:  func(o *event.Outgoing) string { return o.ID + string(o.Envelope()) },
		Read:  read,
		Taken: func(w http.ResponseWriter, _ int) { w.WriteHeader(http.StatusNoContent) },
		Batch: 1,
		Answers: []destinationtest.Answer{
			{Name: "taken with words", Respond: answer(200), Want: destinationtest.Arrived},
			{Name: "no more", Respond: answer(410), Want: destinationtest.Gone, Text: "the receiver answered 410 Gone"},
			{Name: "too large", Respond: answer(413), Want: destinationtest.Dead, Text: "413"},
			{Name: "not yet set up", Respond: answer(404), Want: destinationtest.Later, Text: "the receiver answered 404 Not Found"},
			{Name: "out of order", Respond: answer(500), Want: destinationtest.Later},
			{Name: "too many, for a time", Respond: after(429, "90"), Want: destinationtest.Throttled, After: 90 * time.Second},
			{Name: "too many, until", Respond: after(429, "Sat, 01 Jan 2000 00:01:00 GMT"), Want: destinationtest.Throttled, After: time.Minute},
			{Name: "away for a time", Respond: after(503, "20"), Want: destinationtest.Later, After: 20 * time.Second},
			{Name: "an unusual status", Respond: after(599, "x"), Want: destinationtest.Later, Text: "the receiver answered 599"},
			{Name: "a redirect", Respond: func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://elsewhere.test/", http.StatusPermanentRedirect)
			}, Want: destinationtest.Later, Text: "308 Permanent Redirect. Redirects are not followed"},
		},
		Statuses: func(status int) destinationtest.Verdict {
			switch {
			case status < 300:
				return destinationtest.Arrived
			case status == 410:
				return destinationtest.Gone
			case status == 413:
				return destinationtest.Dead
			case status == 429:
				return destinationtest.Throttled
			default:
				return destinationtest.Later
			}
		},
		Secrets: []string{newSecret, strings.TrimPrefix(newSecret, "whsec_"), oldSecret, strings.TrimPrefix(oldSecret, "whsec_"), header, query},
	})
}

// A published example of a signature.
func TestSignatureVector(t *testing.T) {
	t.Parallel()
	keys, err := signingKeys([]identity.Secret{"whsec_plJ3nmyCDGBKInavdOK15jsl"})
	if err != nil {
		t.Fatal(err)
	}
	got := sign(keys, "msg_loFOjxBNrRLzqYUf", time.Unix(1731705121, 0), []byte(`{"event_type":"ping","data":{"success":true}}`))
	if want := "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

// An event that a receiver refuses does not keep the others from it.
func TestRefusalOfOneEvent(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if body, err := io.ReadAll(r.Body); err != nil || strings.Contains(string(body), "number 1,") {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(server.Close)
	d := target()
	d.Address, d.Concurrency = server.URL, 1
	errs := New(server.Client()).Publish(t.Context(), d, destinationtest.Events(4))
	for i, err := range errs {
		if (err != nil) != (i == 1) {
			t.Errorf("event %d: %v", i, err)
		}
	}
	if requests.Load() != 4 {
		t.Errorf("%d requests", requests.Load())
	}
}

func TestUnusable(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request was made") }))
	t.Cleanup(server.Close)
	secret, address, private := target(), target(), target()
	secret.Secrets = []identity.Secret{"whsec_not base64"}
	address.Address = "https://hook.test/%zz?token=" + query
	private.Address = server.URL + "/?token=" + query
	for want, d := range map[string]event.Destination{
		"a signing secret cannot be used": secret, "the destination's URL cannot be used": address, "loopback addresses are not allowed (outbound.allow_hosts)": private,
	} {
		err := New(outbound.Client(outbound.Options{})).Publish(t.Context(), d, destinationtest.Events(1))[0]
		if destinationtest.VerdictOf(err) != destinationtest.Later || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), query) ||
			strings.Contains(err.Error(), "not base64") {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Without a secret there is no signature, not an empty one.
func TestUnsigned(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, ok := r.Header["Webhook-Signature"]; ok {
			t.Errorf("headers %v", r.Header)
		}
	}))
	t.Cleanup(server.Close)
	if errs := New(server.Client()).Publish(t.Context(), event.Destination{Address: server.URL}, destinationtest.Events(1)); errs[0] != nil {
		t.Error(errs[0])
	}
}
