package awsrole

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/destination/destinationtest"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// server is an STS endpoint. GetCallerIdentity stands for any call.
type server struct {
	clients *Clients[*sts.Client]
	assume  func(w http.ResponseWriter) bool // answers instead of STS

	mu    sync.Mutex
	calls []string // "who: action", with the external id of AssumeRole
}

func newServer(t *testing.T, provider aws.CredentialsProvider) *server {
	t.Helper()
	s := &server{}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	if provider == nil {
		provider = credentials.NewStaticCredentialsProvider(destinationtest.KeyID, destinationtest.Secret, "")
	}
	s.clients = New(aws.Config{Region: "us-east-1", BaseEndpoint: &h.URL, Credentials: provider}, func(cfg aws.Config) *sts.Client { return sts.NewFromConfig(cfg) })
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		panic(err)
	}
	action := r.Form.Get("Action")
	call := destinationtest.SignedBy(r) + ": " + action
	if action == "AssumeRole" {
		call += " " + r.Form.Get("RoleArn") + " for " + r.Form.Get("ExternalId")
	}
	s.mu.Lock()
	s.calls = append(s.calls, call)
	s.mu.Unlock()
	switch {
	case action != "AssumeRole":
		fmt.Fprint(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	case s.assume == nil || !s.assume(w):
		fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA%s</AccessKeyId><SecretAccessKey>x</SecretAccessKey>`+
			`<SessionToken>y</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`, r.Form.Get("ExternalId"))
	}
}

func (s *server) call(t *testing.T, d event.Destination) error {
	t.Helper()
	_, err := s.clients.For(&d).GetCallerIdentity(t.Context(), nil)
	return err
}

// A role is assumed once and not for another account; without a role the server is itself.
func TestIdentities(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	role := destinationtest.RoleARN
	for _, d := range []event.Destination{{RoleARN: role, AccountID: "111122223333"}, {RoleARN: role, AccountID: "111122223333", Address: "another"},
		{RoleARN: role, AccountID: "444455556666"}, {AccountID: "111122223333"}} {
		if err := s.call(t, d); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"AKIATESTOWN: AssumeRole " + role + " for 111122223333", "ASIA111122223333: GetCallerIdentity", "ASIA111122223333: GetCallerIdentity",
		"AKIATESTOWN: AssumeRole " + role + " for 444455556666", "ASIA444455556666: GetCallerIdentity", "AKIATESTOWN: GetCallerIdentity"}
	if diff := cmp.Diff(want, s.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// Roles are chosen by accounts, so there may be any number.
func TestClientsAreBounded(t *testing.T) {
	t.Parallel()
	made := 0
	clients := New(aws.Config{}, func(aws.Config) int { made++; return made })
	for i := range maxRoles + 100 {
		clients.For(&event.Destination{RoleARN: fmt.Sprint("role-", i)})
	}
	if len(clients.made) != maxRoles || made != maxRoles+100 {
		t.Errorf("%d of %d kept", len(clients.made), made)
	}
}

func TestRoleThatCannotBeAssumed(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status        int
		code, message string
		kind          fault.Kind
		want          string
	}{
		"not trusted": {403, "AccessDenied", "User: arn:aws:iam::1:user/x is not authorized to perform: sts:AssumeRole", fault.Dependency,
			"the role cannot be assumed: STS answered AccessDenied: User: arn:aws:iam::1:user/x is not authorized to perform: sts:AssumeRole. Let the identity"},
		"no ARN":      {400, "ValidationError", "1 validation error detected", fault.Dependency, "not that of a role"},
		"own session": {400, "ExpiredTokenException", "The security token included in the request is expired", fault.Dependency, "credentials that renew themselves"},
		"throttled":   {400, "Throttling", "Rate exceeded", fault.Throttled, "STS answered Throttling"},
		"region":      {403, "RegionDisabledException", "no", fault.Dependency, "activate STS"},
		"no answer":   {503, "", "", fault.Dependency, "STS answered with HTTP status 503"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, nil)
			s.assume = func(w http.ResponseWriter) bool {
				w.WriteHeader(tc.status)
				if tc.code != "" {
					fmt.Fprintf(w, `<ErrorResponse><Error><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>`, tc.code, tc.message)
				}
				return true
			}
			err := (&Service{Name: "SNS"}).Explain(s.call(t, event.Destination{RoleARN: destinationtest.RoleARN}))
			if !fault.Is(err, tc.kind) || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(tc.want)) {
				t.Errorf("%v", err)
			}
		})
	}
}

// A server without credentials of its own is told so, not that a service at an odd address cannot be reached.
func TestNoCredentials(t *testing.T) {
	t.Parallel()
	metadata := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(metadata.Close)
	provider := ec2rolecreds.New(func(o *ec2rolecreds.Options) {
		o.Client = imds.New(imds.Options{Endpoint: metadata.URL, Retryer: aws.NopRetryer{}})
	})
	s := newServer(t, aws.NewCredentialsCache(provider))
	for _, role := range []string{"", destinationtest.RoleARN} {
		err := (&Service{Name: "SNS"}).Explain(s.call(t, event.Destination{RoleARN: role}))
		if !fault.Is(err, fault.Dependency) || !strings.Contains(err.Error(), "this server has no AWS credentials") {
			t.Errorf("%v", err)
		}
	}
	if len(s.calls) > 0 {
		t.Errorf("calls without credentials: %v", s.calls)
	}
}

func TestLoad(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	cfg, err := Load(t.Context(), "eu-west-1")
	if err != nil {
		t.Fatal(err)
	}
	if found, err := cfg.Credentials.Retrieve(context.Background()); err != nil || found.AccessKeyID != "AKIAENV" || cfg.Region != "eu-west-1" {
		t.Errorf("%s in %s, %v", found.AccessKeyID, cfg.Region, err)
	}
}

func TestClip(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "", " a \n b": "a", "abcdef": "abcd…", "abcé": "abc…", "\r\nx": "x"} {
		if got := clip(in, 4); got != want {
			t.Errorf("clip(%q) = %q, want %q", in, got, want)
		}
	}
}
