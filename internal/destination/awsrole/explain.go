package awsrole

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/waxwing-messaging/waxwing/internal/destination"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Meaning is what an error code says about the call that got it.
type Meaning struct {
	// Kind is fault.InvalidParameters if the event can never be taken, fault.Throttled if there were too many, and otherwise
	// empty: trouble with the destination, which ends one day.
	Kind fault.Kind
	// Advice says in plain words what is wrong and what to do, after the code; "" when the service's own words do.
	Advice string
}

// Service is an AWS service, or one compatible with it, and what it answers.
type Service struct {
	Name  string
	Codes map[string]Meaning // beside those that all services have

	// About are words by which a refusal shows that it is not the event that is invalid but how the destination is set up. It is
	// trouble then, with Correct as the advice: the event can be taken once that is corrected.
	About   []string
	Correct string
}

// Errors that have nothing to do with what was asked for.
var common = map[string]Meaning{
	"InvalidClientTokenId":        {Advice: unknownKey},
	"UnrecognizedClientException": {Advice: unknownKey},
	"InvalidAccessKeyId":          {Advice: unknownKey},
	"MissingAuthenticationToken":  {Advice: unknownKey},
	"SignatureDoesNotMatch":       {Advice: wrongKey},
	"InvalidSignatureException":   {Advice: wrongKey},
	"IncompleteSignature":         {Advice: wrongKey},
	"ExpiredToken":                {Advice: expired},
	"ExpiredTokenException":       {Advice: expired},
	"RequestExpired":              {Advice: "the clocks of this server and of the service differ: set them by NTP"},
	"InvalidAction":               {Advice: "the service at the endpoint does not offer this operation"},
	"UnknownOperationException":   {Advice: "the service at the endpoint does not offer this operation"},
}

const (
	unknownKey = "the service does not know the AWS credentials of this server: set valid ones in its environment"
	wrongKey   = "the service computes another signature: the secret key is wrong, or a proxy changes requests"
	expired    = "the session of the AWS credentials is over: give this server credentials that renew themselves"
)

// assume is what STS answers when a role is assumed.
var assume = Service{Name: "STS", Codes: map[string]Meaning{
	"AccessDenied": {Advice: "let the identity of this server call sts:AssumeRole on the role, and name that identity in the role's trust " +
		"policy; a condition on sts:ExternalId has to name the account's id"},
	"RegionDisabledException": {Advice: "activate STS for the Region in the account's settings"},
	"ValidationError":         {Advice: "the ARN is not that of a role"},
}}

// Explain returns what the error of a call means, as a fault.
func (s *Service) Explain(err error) error {
	if inner := unidentified(err); inner != nil {
		return inner
	}
	e := s.explain(err)
	if resp, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && resp.Response != nil && resp.Response.Response != nil {
		e.RetryAfter = destination.RetryAfter(resp.Response.Header, time.Now())
	}
	return e
}

func (s *Service) explain(err error) *fault.Error {
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() != "" && api.ErrorCode() != "UnknownError" {
		return s.refused(api.ErrorCode(), api.ErrorMessage())
	}
	if resp, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && resp.HTTPStatusCode() >= 300 {
		kind := fault.Dependency
		if resp.HTTPStatusCode() == 429 {
			kind = fault.Throttled
		}
		return fault.New(kind, "%s answered with HTTP status %d", s.Name, resp.HTTPStatusCode())
	}
	if _, ok := errors.AsType[*smithy.DeserializationError](err); ok {
		return fault.New(fault.Dependency, "%s gave an answer that cannot be read", s.Name)
	}
	return fault.New(fault.Dependency, "%s", destination.Unreached(s.Name, err))
}

// Refused returns what the code means that one entry of a batch got.
func (s *Service) Refused(code, message string) error { return s.refused(code, message) }

func (s *Service) refused(code, message string) *fault.Error {
	m, ok := s.Codes[code]
	if !ok {
		m = common[code]
	}
	if _, busy := retry.DefaultThrottleErrorCodes[code]; busy && m.Kind == "" {
		m.Kind = fault.Throttled
	}
	about := func(word string) bool { return strings.Contains(message, word) }
	if m.Kind == fault.InvalidParameters && slices.ContainsFunc(s.About, about) {
		m = Meaning{Advice: s.Correct}
	}
	if m.Kind == "" {
		m.Kind = fault.Dependency
	}
	text := s.Name + " answered " + clip(code, 100)
	if message = clip(message, 300); message != "" && m.Advice != wrongKey { // AWS explains signatures with the headers they cover
		text += ": " + message
	}
	if m.Advice != "" {
		text = strings.TrimSuffix(text, ".") + ". " + strings.ToUpper(m.Advice[:1]) + m.Advice[1:]
	}
	return fault.New(m.Kind, "%s", text)
}

// unidentified explains a call that was never made, since there was nobody to make it as. It returns nil for other errors.
func unidentified(err error) error {
	for op, ok := errors.AsType[*smithy.OperationError](err); ok; op, ok = errors.AsType[*smithy.OperationError](op.Err) {
		switch {
		case op.Service() == sts.ServiceID && op.Operation() == "AssumeRole":
			if deeper := unidentified(op.Err); deeper != nil {
				return deeper
			}
			e := assume.explain(op.Err)
			kind := e.Kind
			if kind != fault.Throttled {
				kind = fault.Dependency
			}
			return fault.New(kind, "the role cannot be assumed: %s", e.Message)
		case op.Service() == "ec2imds":
			return errNoCredentials
		}
	}
	return nil
}

var errNoCredentials = fault.New(fault.Dependency, "this server has no AWS credentials: set them in its environment")

// clip makes one line of a text that came from outside, of a bounded length.
func clip(s string, most int) string {
	s = strings.TrimSpace(s)
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		s = strings.TrimSpace(s[:i])
	}
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}
