package connect

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/destination/connect/connecttest"
	"github.com/waxwing-messaging/waxwing/internal/destination/destinationtest"
)

// sent is a request as it is on the wire, as far as it does not differ from one call to the next.
type sent struct {
	Method, URL, Type, Service string
	Body                       string
}

// AWS's own client asks the same with the same bytes, and understands the test's Connect.
func TestClientIsLikeTheSDKs(t *testing.T) {
	t.Parallel()
	var requests []sent
	server := connecttest.New(t)
	server.Fail = func(_ http.ResponseWriter, r *http.Request) bool {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		requests = append(requests, sent{r.Method, r.URL.String(), r.Header.Get("Content-Type"), destinationtest.SignedFor(r), canonical(t, body)})
		return false
	}
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider(destinationtest.KeyID, destinationtest.Secret, ""),
		RetryMaxAttempts: 1, HTTPClient: &http.Client{}}
	ours, theirs := newClient(server.URL, cfg), connect.NewFromConfig(cfg)
	const number, instance = "arn:aws:social-messaging:us-east-1:000000000000:phone-number-id/a", "aaaaaaaa-0000-4000-8000-000000000001"

	in := phoneImport{InstanceID: instance, SourcePhoneNumberArn: number, PhoneNumberDescription: "WhatsApp <1>", ClientToken: "t"}
	arn, err := ours.importPhone(t.Context(), &in)
	imported, err2 := theirs.ImportPhoneNumber(t.Context(), &connect.ImportPhoneNumberInput{InstanceId: &in.InstanceID, SourcePhoneNumberArn: &in.SourcePhoneNumberArn,
		PhoneNumberDescription: &in.PhoneNumberDescription, ClientToken: &in.ClientToken})
	if err != nil || err2 != nil || arn == "" || arn != *imported.PhoneNumberArn {
		t.Errorf("%q, %v and %+v, %v", arn, err, imported, err2)
	}

	e := chatEvent{SourceID: "+1", DestinationID: number, Subtype: subtype, Session: &session{SupportedMessagingContentTypes: []string{"text/plain"},
		Attributes: map[string]string{"a": "b"}}}
	e.Event.Type, e.Event.ContentType, e.Event.Content, e.Session.ParticipantDetails.DisplayName = "MESSAGE", "text/plain", "é <&> \" 👍", "D"
	contact, err := ours.sendChat(t.Context(), &e)
	out, err2 := theirs.SendChatIntegrationEvent(t.Context(), &connect.SendChatIntegrationEventInput{SourceId: &e.SourceID, DestinationId: &e.DestinationID, Subtype: &e.Subtype,
		Event: &types.ChatEvent{Type: types.ChatEventType(e.Event.Type), ContentType: &e.Event.ContentType, Content: &e.Event.Content},
		NewSessionDetails: &types.NewSessionDetails{SupportedMessagingContentTypes: e.Session.SupportedMessagingContentTypes, Attributes: e.Session.Attributes,
			ParticipantDetails: &types.ParticipantDetails{DisplayName: aws.String("D")}}})
	if err != nil || err2 != nil || contact == "" || contact != *out.InitialContactId {
		t.Errorf("%q, %v and %+v, %v", contact, err, out, err2)
	}
	if len(requests) != 4 {
		t.Fatalf("%d requests", len(requests))
	}
	for i := 0; i < len(requests); i += 2 {
		if diff := cmp.Diff(requests[i+1], requests[i]); diff != "" {
			t.Errorf("(-SDK +ours):\n%s", diff)
		}
	}

	// Errors are the same to whoever explains them.
	in.InstanceID = "another"
	_, err = ours.importPhone(t.Context(), &in)
	_, err2 = theirs.ImportPhoneNumber(t.Context(), &connect.ImportPhoneNumberInput{InstanceId: &in.InstanceID, SourcePhoneNumberArn: &in.SourcePhoneNumberArn})
	for _, err := range []error{err, err2} {
		if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != "ResourceNotFoundException" || api.ErrorMessage() == "" {
			t.Errorf("%v", err)
		}
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ header, body, code, message string }{
		{"ThrottlingException", `{"Message":"slow"}`, "ThrottlingException", "slow"},
		{"ThrottlingException:http://internal/", `{"message":"slow"}`, "ThrottlingException", "slow"},
		{"", `{"__type":"com.amazonaws.connect#ThrottlingException"}`, "ThrottlingException", ""},
		{"", `{"code":"ThrottlingException"}`, "ThrottlingException", ""},
		{"", "<html>", "", ""},
		{"", "", "", ""},
	} {
		api, ok := errors.AsType[smithy.APIError](refusal(http.Header{"X-Amzn-Errortype": {tc.header}}, []byte(tc.body)))
		if !ok || api.ErrorCode() != tc.code || api.ErrorMessage() != tc.message {
			t.Errorf("%q, %s: %v", tc.header, tc.body, api)
		}
	}
}

func FuzzRefusal(f *testing.F) {
	f.Add("A:b", `{"message":"x"}`)
	f.Add("", `{"__type":"a#b#c:d"}`)
	f.Fuzz(func(t *testing.T, header, body string) {
		err := refusal(http.Header{"X-Amzn-Errortype": {header}}, []byte(body))
		if api, ok := errors.AsType[smithy.APIError](err); !ok || strings.ContainsAny(api.ErrorCode(), ":#") {
			t.Errorf("%q, %q: %v", header, body, err)
		}
		if text := service.Explain(err).Error(); strings.ContainsAny(text, "\r\n") {
			t.Errorf("%q has several lines", text)
		}
	})
}

// canonical writes a JSON text so that only its meaning counts.
func canonical(t *testing.T, body []byte) string {
	t.Helper()
	var doc any
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
