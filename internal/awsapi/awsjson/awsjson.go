// Package awsjson is the AWS JSON 1.1 wire format: every request is a POST to /, a header names the operation, and inputs,
// outputs and errors are JSON objects.
//
// Their bodies are those of package restjson, members, timestamps, blobs and all. What differs is around them: an error's code is
// in its body, and whatever is the client's fault has status 400.
package awsjson

import (
	"bytes"
	"net/http"
	"reflect"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/shape"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/sigv4"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Protocol implements awsapi.Protocol.
type Protocol struct {
	Prefix string // of the service's targets, e.g. "AWSEvents"
}

// Codes returns the codes that AWS's JSON services have in common, for a service to refine.
func Codes() awsapi.Codes {
	return awsapi.Codes{
		fault.Validation:         {Name: "ValidationException", Status: http.StatusBadRequest},
		fault.InvalidParameters:  {Name: "ValidationException", Status: http.StatusBadRequest},
		fault.LimitExceeded:      {Name: "LimitExceededException", Status: http.StatusBadRequest},
		fault.AccessDenied:       {Name: "AccessDeniedException", Status: http.StatusBadRequest},
		fault.AccessDeniedByMeta: {Name: "AccessDeniedException", Status: http.StatusBadRequest},
		fault.NotFound:           {Name: "ResourceNotFoundException", Status: http.StatusBadRequest},
		fault.Conflict:           {Name: "ResourceAlreadyExistsException", Status: http.StatusBadRequest},
		fault.Throttled:          {Name: "ThrottlingException", Status: http.StatusBadRequest},
		fault.Internal:           {Name: "InternalFailure", Status: http.StatusInternalServerError},
		fault.Dependency:         {Name: "InternalFailure", Status: http.StatusInternalServerError},
		fault.Unavailable:        {Name: "ServiceUnavailable", Status: http.StatusServiceUnavailable},
	}
}

// Speaks reports whether a request's target is one of the service's.
func (p Protocol) Speaks(r *http.Request) bool {
	_, ok := p.target(r)
	return ok
}

// Action returns what the target names.
func (p Protocol) Action(r *http.Request, _ []byte) string {
	if name, ok := p.target(r); ok && r.Method == http.MethodPost && r.URL.Path == "/" {
		return name
	}
	return ""
}

func (p Protocol) target(r *http.Request) (name string, ok bool) {
	return strings.CutPrefix(r.Header.Get("X-Amz-Target"), p.Prefix+".")
}

// Decode binds the body.
func (p Protocol) Decode(_ *http.Request, body []byte, in *shape.Struct, v reflect.Value, c *shape.Checker) error {
	var seen shape.Seen
	if err := restjson.Unmarshal(body, in, v, &seen, c); err != nil {
		return &awsapi.Error{Code: p.Unreadable(), Message: err.Error()}
	}
	c.Struct(in, v, seen)
	return nil
}

// Encode renders an output; nil is an empty object, as AWS's SDKs want to have one.
func (Protocol) Encode(b *bytes.Buffer, _, _ string, out any) error {
	if out == nil {
		b.WriteString("{}")
		return nil
	}
	return restjson.Marshal(b, out)
}

// EncodeError renders an error.
func (Protocol) EncodeError(_ http.Header, b *bytes.Buffer, _ string, e *awsapi.Error) {
	// A struct of two strings cannot fail to encode.
	_ = restjson.Marshal(b, struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}{e.Name, e.Message})
}

// ContentType names the protocol and its version.
func (Protocol) ContentType() string { return "application/x-amz-json-1.1" }

// Refusal names failures of authentication as all JSON services do, with the status of this protocol.
func (Protocol) Refusal(r sigv4.Reason) awsapi.Code {
	return awsapi.Code{Name: restjson.Protocol{}.Refusal(r).Name, Status: http.StatusBadRequest}
}

// Unreadable is the code for bodies that are not the JSON the operation expects.
func (Protocol) Unreadable() awsapi.Code {
	return awsapi.Code{Name: "SerializationException", Status: http.StatusBadRequest}
}

// Unknown is the code for a target nobody has.
func (Protocol) Unknown() awsapi.Code {
	return awsapi.Code{Name: "UnknownOperationException", Status: http.StatusBadRequest}
}
