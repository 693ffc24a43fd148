package socialmessaging

import (
	"encoding/base64"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

var uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestSend(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, phone string }{
		{"by id", phoneID},
		{"by ARN", phoneARN},
		{"by ARN that repeats the prefix", strings.Replace(phoneARN, "id/", "id/phone-number-id-", 1)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.Header = http.Header{"Amz-Sdk-Invocation-Id": {"7a0c1f1e-0000-4000-8000-000000000000"}}
			body := sendBody(object{"originationPhoneNumberId": tc.phone})
			got := b.Do(t, "POST", "/v1/whatsapp/send", body)
			if got.Status != 200 {
				t.Fatalf("answer = %d %s %s", got.Status, got.Code(), got.Body)
			}
			var out struct{ MessageID string }
			got.JSON(t, &out)
			if !uuidPattern.MatchString(out.MessageID) {
				t.Errorf("messageId = %q, want a UUID of version 7", out.MessageID)
			}
			want := []message.Outbound{{ID: out.MessageID, AccountID: accountID, WABAKey: wabaKey, PhoneKey: phoneKey,
				MetaVersion: "v20.0", Kind: "text", Recipient: "14255550150", Body: []byte(hello), AcceptedAt: startTime,
				InvocationID: "7a0c1f1e-0000-4000-8000-000000000000"}}
			if diff := cmp.Diff(want, b.sent); diff != "" {
				t.Errorf("accepted (-want +got):\n%s", diff)
			}
			again := b.Do(t, "POST", "/v1/whatsapp/send", body)
			if string(again.Body) != string(got.Body) || len(b.sent) != 1 {
				t.Errorf("the SDK's own retry got %s and left %d messages, want %s and 1", again.Body, len(b.sent), got.Body)
			}
		})
	}
}

// The message travels byte for byte, whatever the JSON around it does to its base64.
func TestSendKeepsTheMessage(t *testing.T) {
	t.Parallel()
	original := "{ \"messaging_product\" : \"whatsapp\",\n\t\"to\":\"14255550150\", \"text\":{\"body\":\"\\u00e9\u00e9 \U0001F600 >>>???\"}, \"new\": [1.50] }"
	b := newBench(t)
	encoded := strings.ReplaceAll(base64.StdEncoding.EncodeToString([]byte(original)), "/", `\/`)
	got := b.Do(t, "POST", "/v1/whatsapp/send", `{"originationPhoneNumberId":"`+phoneID+`","metaApiVersion":"v23.0","message":"`+encoded+`"}`)
	if got.Status != 200 || len(b.sent) != 1 || string(b.sent[0].Body) != original {
		t.Errorf("answer = %d %s, accepted %v; want the message unchanged", got.Status, got.Body, b.sent)
	}
}

func TestSendRefuses(t *testing.T) {
	t.Parallel()
	blob := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	noPhone := "phone-number-id-" + strings.Repeat("0", 32)
	for _, tc := range []struct {
		name   string
		body   any
		status int
		code   string
		text   string // part of the message
	}{
		{"no members", object{}, 400, "ValidationException",
			"3 validation errors detected: Value null at 'originationPhoneNumberId' failed to satisfy constraint: Member must not be null; " +
				"Value null at 'message' failed to satisfy constraint: Member must not be null; " +
				"Value null at 'metaApiVersion' failed to satisfy constraint: Member must not be null"},
		{"no body", nil, 400, "ValidationException", "3 validation errors detected"},
		{"null member", sendBody(object{"metaApiVersion": (*int)(nil)}), 400, "ValidationException",
			"1 validation error detected: Value null at 'metaApiVersion' failed to satisfy constraint: Member must not be null"},
		{"id of another kind", sendBody(object{"originationPhoneNumberId": wabaID}), 400, "ValidationException",
			"1 validation error detected: Value '" + wabaID + "' at 'originationPhoneNumberId' failed to satisfy constraint: " +
				"Member must satisfy regular expression pattern: .*(^phone-number-id-.*$)|(^arn:.*:phone-number-id/[0-9a-zA-Z]+$).*"},
		{"empty id", sendBody(object{"originationPhoneNumberId": ""}), 400, "ValidationException",
			"Member must have length greater than or equal to 1"},
		{"long id", sendBody(object{"originationPhoneNumberId": "phone-number-id-" + strings.Repeat("0", 100)}), 400,
			"ValidationException", "Member must have length less than or equal to 115"},
		{"empty message", sendBody(object{"message": ""}), 400, "ValidationException",
			"Value at 'message' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"message too long", sendBody(object{"message": blob(strings.Repeat("x", 2_048_001))}), 400, "ValidationException",
			"Value at 'message' failed to satisfy constraint: Member must have length less than or equal to 2048000"},
		{"body too large", sendBody(object{"message": blob(strings.Repeat("x", 2_200_000))}), 413,
			"RequestEntityTooLargeException", ""},
		{"message not base64", sendBody(object{"message": "%%%"}), 400, "SerializationException", "base64"},
		{"message not a string", sendBody(object{"message": object{}}), 400, "SerializationException", "structure"},
		{"version a number", sendBody(object{"metaApiVersion": 20}), 400, "SerializationException",
			"NUMBER_VALUE can not be converted to a String"},
		{"not JSON", "{", 400, "SerializationException", ""},
		{"JSON and more", "{} {}", 400, "SerializationException", ""},
		{"a list", "[]", 400, "SerializationException", "object"},
		{"nested without end", strings.Repeat(`{"a":`, 10_000), 400, "SerializationException", ""},
		{"unknown number", sendBody(object{"originationPhoneNumberId": noPhone}), 404, "ResourceNotFoundException", noPhone},
		{"another account's number", sendBody(object{"originationPhoneNumberId": strings.Replace(phoneARN, accountID, otherID, 1)}),
			404, "ResourceNotFoundException", otherID},
		{"another Region's number", sendBody(object{"originationPhoneNumberId": strings.Replace(phoneARN, region, "us-east-1", 1)}),
			404, "ResourceNotFoundException", "us-east-1"},
		{"old version", sendBody(object{"metaApiVersion": "v19.0"}), 400, "InvalidParametersException", "metaApiVersion"},
		{"message not JSON", sendBody(object{"message": blob("hi")}), 400, "InvalidParametersException", "JSON"},
		{"nobody to send to", sendBody(object{"message": blob(`{"messaging_product":"whatsapp","type":"text","text":{"body":"x"}}`)}),
			400, "InvalidParametersException", "Invalid destination phone number or message Id"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			got := b.Do(t, "POST", "/v1/whatsapp/send", tc.body)
			if got.Status != tc.status || got.Code() != tc.code || !strings.Contains(got.Message(), tc.text) {
				t.Errorf("answer = %d %s %q\nwant %d %s %q", got.Status, got.Code(), got.Message(), tc.status, tc.code, tc.text)
			}
			if len(b.sent) != 0 {
				t.Errorf("accepted %d messages, want none", len(b.sent))
			}
		})
	}
}

func TestSendFromInactiveNumber(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.numbers[0].Status = account.IncompleteSetup
	got := b.Do(t, "POST", "/v1/whatsapp/send", sendBody(nil))
	if got.Status != 400 || got.Code() != "InvalidParametersException" || !strings.Contains(got.Message(), "Incomplete setup") {
		t.Errorf("answer = %d %s %q, want InvalidParametersException", got.Status, got.Code(), got.Message())
	}
}

// What goes wrong behind the operation is told apart, and its inner text kept from the caller.
func TestSendFailures(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		err    error
		status int
		code   string
		retry  string
	}{
		{"plain error", errors.New("disk exploded"), 500, "InternalServiceException", ""},
		{"internal fault", fault.Wrap(fault.Internal, errors.New("disk exploded"), "secret plan"), 500, "InternalServiceException", ""},
		{"dependency", fault.New(fault.Dependency, "Meta is away"), 502, "DependencyException", ""},
		{"unavailable", &fault.Error{Kind: fault.Unavailable, RetryAfter: 1500 * time.Millisecond}, 503, "ServiceUnavailable", "1500"},
		{"throttled by the store", fault.New(fault.Throttled, "slow down"), 429, "ThrottledRequestException", ""},
		{"conflict, which send does not model", fault.New(fault.Conflict, "busy"), 400, "InvalidParametersException", ""},
		{"refused by Meta, likewise", fault.New(fault.AccessDeniedByMeta, "no"), 403, "AccessDeniedException", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.broken = tc.err
			got := b.Do(t, "POST", "/v1/whatsapp/send", sendBody(nil))
			if got.Status != tc.status || got.Code() != tc.code || got.Header.Get("X-Amz-Retry-After") != tc.retry {
				t.Errorf("answer = %d %s, retry after %q; want %d %s, %q", got.Status, got.Code(),
					got.Header.Get("X-Amz-Retry-After"), tc.status, tc.code, tc.retry)
			}
			if text := got.Message(); text == "" || strings.Contains(text, "exploded") || strings.Contains(text, "secret") {
				t.Errorf("message = %q, want one that gives nothing away", text)
			}
		})
	}
}

func TestSendQuota(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *awsapi.Options) {
		o.Limits = awsapi.NewQuotas(o.Services, map[string]float64{"SendWhatsAppMessage": 2})
	})
	for i, want := range []int{200, 200, 429} {
		got := b.Do(t, "POST", "/v1/whatsapp/send", sendBody(nil))
		if got.Status != want {
			t.Fatalf("call %d: %d %s, want %d", i+1, got.Status, got.Body, want)
		}
		if want == 429 && (got.Code() != "ThrottledRequestException" || got.Header.Get("X-Amz-Retry-After") != "500") {
			t.Errorf("answer = %s, retry after %q; want ThrottledRequestException, 500", got.Code(), got.Header.Get("X-Amz-Retry-After"))
		}
	}
	if got := b.stranger.Do(t, "POST", "/v1/whatsapp/send", sendBody(nil)); got.Status != 404 {
		t.Errorf("another account got %d %s, want its own quota (and 404)", got.Status, got.Body)
	}
}

// BenchmarkSend measures everything but HTTP itself and the store: signature, binding, checks, and the answer.
func BenchmarkSend(b *testing.B) {
	bench := newBench(b, func(o *awsapi.Options) {
		o.Limits = awsapi.NewQuotas(o.Services, map[string]float64{"SendWhatsAppMessage": 1e12})
	})
	req := bench.Request(b, "POST", "/v1/whatsapp/send", sendBody(nil))
	w := &discard{header: make(http.Header)}
	b.ReportAllocs()
	for b.Loop() {
		bench.world.sent = bench.world.sent[:0]
		req.Body, _ = req.GetBody()
		clear(w.header)
		bench.Handler.ServeHTTP(w, req)
		if w.status != 200 {
			b.Fatalf("status %d", w.status)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
