package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// AWS's own signer is the referee.
func TestSignatureIsThatOfTheSDK(t *testing.T) {
	t.Parallel()
	s := &signer{key: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", region: "eu-west-1", service: "social-messaging"}
	day := time.Date(2026, 11, 23, 23, 59, 59, 999, time.UTC)
	for _, now := range []time.Time{day, day.Add(time.Second), day, day.In(time.FixedZone("", 3600))} { // the key of a day is kept, and replaced
		for _, body := range []string{"", "{}", strings.Repeat("x", 10_000)} {
			req, err := http.NewRequest(http.MethodPost, "http://127.0.0.1:7766/v1/whatsapp/send", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			req.ContentLength = -1 // the SDK would sign the length of one it knows
			sum := sha256.Sum256([]byte(body))
			err = v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: s.key, SecretAccessKey: s.secret}, req,
				hex.EncodeToString(sum[:]), s.service, s.region, now)
			if err != nil {
				t.Fatal(err)
			}
			h := http.Header{"Content-Type": {"application/json"}}
			s.sign(h, http.MethodPost, "127.0.0.1:7766", "/v1/whatsapp/send", []byte(body), now)
			for _, name := range []string{"Authorization", "X-Amz-Date"} {
				if h.Get(name) != req.Header.Get(name) {
					t.Errorf("%v, %d bytes: %s is\n%s, want\n%s", now, len(body), name, h.Get(name), req.Header.Get(name))
				}
			}
		}
	}
}

func BenchmarkSign(b *testing.B) {
	s := &signer{key: "AKIDEXAMPLE", secret: "secret", region: "us-east-1", service: "social-messaging"}
	m, err := newMessages("", 0, phoneNumberID(1))
	if err != nil {
		b.Fatal(err)
	}
	body := m.next(nil)
	h := http.Header{"Content-Type": {"application/json"}}
	b.ReportAllocs()
	for b.Loop() {
		s.sign(h, http.MethodPost, "127.0.0.1:7766", sendPath, body, time.Now())
	}
}

func TestEveryRequestHasAnotherRecipient(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, message string
		size          int
		kind          string
		same          bool
	}{
		{"a template", "", 0, "template", false},
		{"a text", "", 100, "text", false},
		{"one's own", `{ "messaging_product":"whatsapp","type":"text","text":{"body":"é"}}`, 0, "text", false},
		{"one's own with a recipient", `{"messaging_product":"whatsapp","to":"+1","type":"text","text":{"body":"x"}}`, 0, "text", true},
		{"a receipt", `{"messaging_product":"whatsapp","status":"read","message_id":"wamid.x"}`, 0, "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m, err := newMessages(tc.message, tc.size, "phone-number-id-1")
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for range 100 {
				var request struct{ OriginationPhoneNumberID, MetaAPIVersion, Message string }
				if err := json.Unmarshal(m.next(nil), &request); err != nil {
					t.Fatal(err)
				}
				raw, err := base64.StdEncoding.DecodeString(request.Message)
				if err != nil {
					t.Fatal(err)
				}
				var object struct {
					To, Type string
					Text     struct{ Body string }
				}
				if err := json.Unmarshal(raw, &object); err != nil || object.Type != tc.kind || tc.size > 0 && len(object.Text.Body) != tc.size {
					t.Fatalf("%s: %v", raw, err)
				}
				if seen[object.To] = true; !tc.same && !strings.HasPrefix(object.To, "+4479") || request.MetaAPIVersion != "v20.0" {
					t.Fatalf("request %+v, message %s", request, raw)
				}
			}
			if want := map[bool]int{true: 1, false: 100}[tc.same]; len(seen) != want {
				t.Errorf("%d recipients, want %d", len(seen), want)
			}
		})
	}
	for _, bad := range []string{"x", "[]", "{}", "null"} {
		if _, err := newMessages(bad, 0, ""); err == nil {
			t.Errorf("%s was taken as a message", bad)
		}
	}
}

func TestClientReadsAnswers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		status int
		header string
		body   string
		want   string
	}{
		{"accepted", 200, "", `{"messageId":"m"}`, ""},
		{"something else", 200, "", `<html>`, "send answered"},
		{"no id", 200, "", `{}`, "send answered"},
		{"refused in JSON", 404, "ResourceNotFoundException", `{"message":"none"}`, "404 ResourceNotFoundException: none"},
		{"refused in XML", 403, "", `<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error></ErrorResponse>`, "403 SignatureDoesNotMatch: no"},
		{"refused by something else", 502, "", `Bad Gateway`, "502 : "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if tc.header != "" {
					w.Header().Set("X-Amzn-Errortype", tc.header)
				}
				w.WriteHeader(tc.status)
				fmt.Fprint(w, tc.body)
			}))
			defer server.Close()
			c, err := NewClient(Target{Endpoint: server.URL}, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			id, err := c.Send(t.Context(), []byte("{}"), "")
			if tc.want == "" && (id != "m" || err != nil) || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("%q, %v, want %q", id, err, tc.want)
			}
		})
	}
}

func TestSubscriberReadsEnvelopes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, envelope string
		want           string
	}{
		{"a status", `{"whatsAppWebhookEntry":"{\"id\":\"1\",\"changes\":[{\"value\":{\"statuses\":[{\"id\":\"wamid.AB==\",\"status\":\"sent\"}]}}]}","aws_account_id":"0","messageId":"m-1"}`, "m-1 sent AB=="},
		{"a customer's message", `{"whatsAppWebhookEntry":"{\"id\":\"1\",\"changes\":[{\"value\":{\"messages\":[{\"from\":\"2\",\"id\":\"wamid.CD\"}]}}]}","aws_account_id":"0"}`, "  CD"},
		{"cut off", `{"whatsAppWebhookEntry":"{\"status\":\"sen`, "  "},
		{"nothing", ``, "  "},
	} {
		e := Scan([]byte(tc.envelope))
		if got := string(bytes.Join([][]byte{e.MessageID, e.Status, e.WAMID}, []byte(" "))); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte(`{"whatsAppWebhookEntry":"{\"status\":\"sent\"","messageId":"m"`))
	f.Fuzz(func(t *testing.T, envelope []byte) {
		e := Scan(envelope)
		for _, part := range [][]byte{e.MessageID, e.Status, e.WAMID} {
			if !bytes.Contains(envelope, part) {
				t.Errorf("%q is not in %q", part, envelope)
			}
		}
	})
}
