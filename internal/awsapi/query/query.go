// Package query is the query protocol of AWS's older services (SNS, STS, IAM): the operation and its input are a form, outputs
// and errors are XML.
//
// Members of structures are joined by dots, items of lists are X.member.N, entries of maps X.entry.N.key and .value (also
// .Name and .Value, as SNS has them); the flattened X.N is understood too. Forms are bounded in size, in the number of their
// parameters and in depth.
package query

import (
	"bytes"
	"encoding/xml"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/sigv4"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Protocol implements awsapi.Protocol.
type Protocol struct {
	Namespace string // of the service's XML, e.g. "http://sns.amazonaws.com/doc/2010-03-31/"
}

// Codes returns the codes that AWS's query services have in common, for a service to refine.
func Codes() awsapi.Codes {
	return awsapi.Codes{
		fault.Validation:         {Name: "ValidationError", Status: http.StatusBadRequest},
		fault.InvalidParameters:  {Name: "InvalidParameterValue", Status: http.StatusBadRequest},
		fault.LimitExceeded:      {Name: "LimitExceeded", Status: http.StatusConflict},
		fault.AccessDenied:       {Name: "AccessDenied", Status: http.StatusForbidden},
		fault.AccessDeniedByMeta: {Name: "AccessDeniedByMeta", Status: http.StatusForbidden},
		fault.NotFound:           {Name: "NotFound", Status: http.StatusNotFound},
		fault.Conflict:           {Name: "Conflict", Status: http.StatusConflict},
		fault.Throttled:          {Name: "Throttling", Status: http.StatusTooManyRequests},
		fault.Internal:           {Name: "InternalFailure", Status: http.StatusInternalServerError},
		fault.Dependency:         {Name: "DependencyFailure", Status: http.StatusBadGateway},
		fault.Unavailable:        {Name: "ServiceUnavailable", Status: http.StatusServiceUnavailable},
	}
}

// Speaks reports whether a request's body says it is a form.
func (Protocol) Speaks(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == "application/x-www-form-urlencoded"
}

// Action returns the form's Action without taking the whole form apart.
func (Protocol) Action(r *http.Request, body []byte) string {
	form := string(body)
	if r.Method == http.MethodGet {
		form = r.URL.RawQuery
	}
	for len(form) > 0 {
		var pair string
		pair, form, _ = strings.Cut(form, "&")
		if value, ok := strings.CutPrefix(pair, "Action="); ok {
			action, err := url.QueryUnescape(value)
			if err != nil {
				return ""
			}
			return action
		}
	}
	return ""
}

// ContentType is XML's.
func (Protocol) ContentType() string { return "text/xml" }

// Encode renders an output. One that has no fields, or is nil, has no result element.
func (p Protocol) Encode(b *bytes.Buffer, operation, requestID string, out any) error {
	b.WriteString("<" + operation + `Response xmlns="` + p.Namespace + `">`)
	if hasResult(out) {
		e := xml.NewEncoder(b)
		if err := e.EncodeElement(out, xml.StartElement{Name: xml.Name{Local: operation + "Result"}}); err != nil {
			return err
		}
		if err := e.Close(); err != nil {
			return err
		}
	}
	b.WriteString("<ResponseMetadata><RequestId>" + requestID + "</RequestId></ResponseMetadata></" + operation + "Response>")
	return nil
}

func hasResult(out any) bool {
	t := reflect.TypeOf(out)
	return t != nil && !reflect.ValueOf(out).IsNil() && t.Elem().NumField() > 0
}

// EncodeError renders an error.
func (p Protocol) EncodeError(_ http.Header, b *bytes.Buffer, requestID string, e *awsapi.Error) {
	fault := "Sender"
	if e.Status >= 500 {
		fault = "Receiver"
	}
	b.WriteString(`<ErrorResponse xmlns="` + p.Namespace + `"><Error><Type>` + fault + "</Type><Code>")
	escape(b, e.Name)
	b.WriteString("</Code><Message>")
	escape(b, e.Message)
	b.WriteString("</Message></Error><RequestId>" + requestID + "</RequestId></ErrorResponse>")
}

func escape(b *bytes.Buffer, s string) {
	_ = xml.EscapeText(b, []byte(s)) // a Buffer takes everything
}

// Refusal names failures of authentication as the query services do.
func (Protocol) Refusal(r sigv4.Reason) awsapi.Code {
	switch r {
	case sigv4.Missing:
		return awsapi.Code{Name: "MissingAuthenticationToken", Status: http.StatusForbidden}
	case sigv4.Incomplete:
		return awsapi.Code{Name: "IncompleteSignature", Status: http.StatusForbidden}
	case sigv4.UnknownKey:
		return awsapi.Code{Name: "InvalidClientTokenId", Status: http.StatusForbidden}
	default:
		return awsapi.Code{Name: "SignatureDoesNotMatch", Status: http.StatusForbidden}
	}
}

// Unreadable is the code for a form that cannot be taken apart.
func (Protocol) Unreadable() awsapi.Code {
	return awsapi.Code{Name: "MalformedQueryString", Status: http.StatusBadRequest}
}

// Unknown is the code for an Action that is missing or that nobody has.
func (Protocol) Unknown() awsapi.Code {
	return awsapi.Code{Name: "InvalidAction", Status: http.StatusBadRequest}
}

// Map is a map in an output: entries of key and value, ordered by key.
type Map map[string]string

// MarshalXML implements xml.Marshaler.
func (m Map) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	type entry struct {
		Key   string `xml:"key"`
		Value string `xml:"value"`
	}
	entries := make([]entry, 0, len(m))
	for key, value := range m {
		entries = append(entries, entry{key, value})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.Key, b.Key) })
	return e.EncodeElement(struct {
		Entries []entry `xml:"entry"`
	}{entries}, start)
}
