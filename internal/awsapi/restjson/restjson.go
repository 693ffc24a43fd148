// Package restjson is the restJson1 wire format of AWS: operations have paths, inputs come in the query string and in a JSON
// body, outputs and errors are JSON objects, and the code of an error is in a header.
//
// Inputs are bound by our own reader, which follows the description in package shape: it matches member names exactly, tells
// absent from empty, decodes blobs straight from the body, ignores members it does not know, and bounds nesting. Outputs go
// through encoding/json.
package restjson

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/sigv4"
)

// Protocol implements awsapi.Protocol.
type Protocol struct{}

// Speaks reports nothing: only the path tells such a request.
func (Protocol) Speaks(*http.Request) bool { return false }

// Action returns nothing: every operation has a path.
func (Protocol) Action(*http.Request, []byte) string { return "" }

// ContentType is JSON's.
func (Protocol) ContentType() string { return "application/json" }

// Encode renders an output; nil is an empty object.
func (Protocol) Encode(b *bytes.Buffer, _, _ string, out any) error {
	if out == nil {
		b.WriteString("{}")
		return nil
	}
	return Marshal(b, out)
}

// EncodeError renders an error: its code in the header that SDKs look at first, its text in the body.
func (Protocol) EncodeError(h http.Header, b *bytes.Buffer, _ string, e *awsapi.Error) {
	h.Set("X-Amzn-Errortype", e.Name)
	// A struct of one string cannot fail to encode.
	_ = Marshal(b, struct {
		Message string `json:"message"`
	}{e.Message})
}

// Marshal appends a value in the form of all of AWS's JSON protocols.
func Marshal(b *bytes.Buffer, v any) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // the encoder's newline
	return nil
}

// Refusal names failures of authentication as AWS's JSON services do.
func (Protocol) Refusal(r sigv4.Reason) awsapi.Code {
	switch r {
	case sigv4.Missing:
		return awsapi.Code{Name: "MissingAuthenticationTokenException", Status: http.StatusForbidden}
	case sigv4.Incomplete:
		return awsapi.Code{Name: "IncompleteSignatureException", Status: http.StatusForbidden}
	case sigv4.UnknownKey:
		return awsapi.Code{Name: "UnrecognizedClientException", Status: http.StatusForbidden}
	default:
		return awsapi.Code{Name: "InvalidSignatureException", Status: http.StatusForbidden}
	}
}

// Unreadable is the code for bodies that are not the JSON the operation expects.
func (Protocol) Unreadable() awsapi.Code {
	return awsapi.Code{Name: "SerializationException", Status: http.StatusBadRequest}
}

// Unknown is the code for a path or method nobody serves.
func (Protocol) Unknown() awsapi.Code {
	return awsapi.Code{Name: "UnknownOperationException", Status: http.StatusNotFound}
}

// Time is a timestamp in an output: a number of seconds since 1970, with milliseconds as its fraction.
type Time time.Time

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	ms := time.Time(t).UnixMilli()
	b := strconv.AppendInt(nil, ms/1000, 10)
	if fraction := ms % 1000; fraction > 0 {
		digits := strconv.Itoa(int(1000 + fraction))[1:]
		b = append(append(b, '.'), bytes.TrimRight([]byte(digits), "0")...)
	}
	return b, nil
}
