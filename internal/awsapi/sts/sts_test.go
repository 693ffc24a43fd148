package sts_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/sts"
)

// The real SDK client is the referee of signature, form and XML. It signs for its own Region; the server is elsewhere, and a
// global service accepts us-east-1 as well.
func TestGetCallerIdentityWithSDK(t *testing.T) {
	t.Parallel()
	key := awsapitest.Key("111122223333")
	server := httptest.NewServer(awsapi.New(awsapi.Options{
		Region: "eu-west-1", Keys: awsapitest.Keys{key}, Services: []awsapi.Service{sts.Service()}}))
	t.Cleanup(server.Close)
	for _, region := range []string{"eu-west-1", "us-east-1"} {
		t.Run(region, func(t *testing.T) {
			t.Parallel()
			client := awssts.New(awssts.Options{Region: region, BaseEndpoint: aws.String(server.URL),
				Credentials: credentials.NewStaticCredentialsProvider(key.ID, key.Secret.Reveal(), "")})
			out, err := client.GetCallerIdentity(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := aws.ToString(out.Account), "111122223333"; got != want {
				t.Errorf("Account = %q, want %q", got, want)
			}
			if got, want := aws.ToString(out.Arn), "arn:aws:iam::111122223333:user/admin"; got != want {
				t.Errorf("Arn = %q, want %q", got, want)
			}
			if got, want := aws.ToString(out.UserId), key.User.ID; got != want {
				t.Errorf("UserId = %q, want %q", got, want)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	key := awsapitest.Key("111122223333")
	handler := awsapi.New(awsapi.Options{Region: "us-east-1", Keys: awsapitest.Keys{key},
		Services: []awsapi.Service{sts.Service()}})
	form := func(action string) url.Values { return url.Values{"Action": {action}, "Version": {"2011-06-15"}} }
	stranger := awsapitest.Key("999999999999")
	impostor := key
	impostor.Secret = "wrong"

	for _, tc := range []struct {
		name   string
		client awsapitest.Client
		action string
		status int
		code   string
	}{
		{"unknown action", awsapitest.Client{Key: key}, "GetFederationToken", 400, "InvalidAction"},
		{"no action", awsapitest.Client{Key: key}, "", 400, "InvalidAction"},
		{"unknown key", awsapitest.Client{Key: stranger}, "GetCallerIdentity", 403, "InvalidClientTokenId"},
		{"wrong secret", awsapitest.Client{Key: impostor}, "GetCallerIdentity", 403, "SignatureDoesNotMatch"},
		{"wrong region", awsapitest.Client{Key: key, Region: "eu-west-1"}, "GetCallerIdentity", 403, "SignatureDoesNotMatch"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.client.Handler, tc.client.Service = handler, "sts"
			got := tc.client.Do(t, "POST", "/", form(tc.action))
			if got.Status != tc.status || !strings.Contains(string(got.Body), "<Code>"+tc.code+"</Code>") {
				t.Errorf("answer = %d %s, want %d %s", got.Status, got.Body, tc.status, tc.code)
			}
			if id := got.Header.Get("X-Amzn-Requestid"); id == "" || !strings.Contains(string(got.Body), "<RequestId>"+id+"</RequestId>") {
				t.Errorf("header says request id %q, body %s", id, got.Body)
			}
		})
	}

	t.Run("not signed", func(t *testing.T) {
		t.Parallel()
		client := awsapitest.Client{Handler: handler, Service: "sts", Key: key}
		req := client.Request(t, "POST", "/", form("GetCallerIdentity"))
		req.Header.Del("Authorization")
		got := client.Send(t, req)
		if got.Status != 403 || !strings.Contains(string(got.Body), "<Code>MissingAuthenticationToken</Code>") {
			t.Errorf("answer = %d %s, want 403 MissingAuthenticationToken", got.Status, got.Body)
		}
	})
}

// GetCallerIdentity as a GET with its form in the query string, as presigned requests have it.
func TestGetCallerIdentityByGet(t *testing.T) {
	t.Parallel()
	key := awsapitest.Key("111122223333")
	client := awsapitest.Client{Service: "sts", Key: key, Handler: awsapi.New(awsapi.Options{Region: "us-east-1",
		Keys: awsapitest.Keys{key}, Services: []awsapi.Service{sts.Service()}})}
	got := client.Do(t, "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", nil)
	if got.Status != 200 || !strings.Contains(string(got.Body), "<GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/admin</Arn>") {
		t.Errorf("answer = %d %s", got.Status, got.Body)
	}
	if got, want := got.Header.Get("Content-Type"), "text/xml"; got != want {
		t.Errorf("Content-Type = %q, want %q", got, want)
	}
}
