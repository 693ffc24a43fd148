package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// SubcodeParameter marks a value of the wrong type or form on messaging edges; Meta still sends it although subcodes were
// announced as retired in v16.
const SubcodeParameter = 2494010

// Error is a refusal in Meta's envelope. Code is what clients branch on.
type Error struct {
	HTTP      int
	Code      int
	Subcode   int
	Type      string // "" is OAuthException
	Message   string
	Details   string // rendered as error_data{messaging_product, details} when set
	Data      string // error_data as the bare string that management edges send; ignored when Details is set
	Transient bool
	UserTitle string
	UserMsg   string
}

func (e *Error) Error() string {
	if e.Details != "" {
		return e.Message + ": " + e.Details
	}
	return e.Message
}

type wireError struct {
	Message   string `json:"message"`
	Type      string `json:"type"`
	Code      int    `json:"code"`
	Subcode   int    `json:"error_subcode,omitempty"`
	Data      any    `json:"error_data,omitempty"`
	Transient bool   `json:"is_transient,omitempty"`
	UserTitle string `json:"error_user_title,omitempty"`
	UserMsg   string `json:"error_user_msg,omitempty"`
	Trace     string `json:"fbtrace_id"`
}

type messagingData struct {
	Product string `json:"messaging_product"`
	Details string `json:"details"`
}

// Envelope returns the body of the reply.
func (e *Error) Envelope(trace string) any {
	w := wireError{Message: e.Message, Type: e.Type, Code: e.Code, Subcode: e.Subcode, Transient: e.Transient,
		UserTitle: e.UserTitle, UserMsg: e.UserMsg, Trace: trace}
	if w.Type == "" {
		w.Type = "OAuthException"
	}
	switch {
	case e.Details != "":
		w.Data = messagingData{Product: "whatsapp", Details: e.Details}
	case e.Data != "":
		w.Data = e.Data
	}
	return struct {
		Error wireError `json:"error"`
	}{w}
}

type webhookData struct {
	Details string `json:"details"`
}

type webhookError struct {
	Code    int         `json:"code"`
	Title   string      `json:"title"`
	Message string      `json:"message"`
	Data    webhookData `json:"error_data"`
	Href    string      `json:"href"`
}

// WebhookNode returns one element of errors[] in a webhook, which differs from the reply's form: no "(#code)" prefix, no
// type, no trace, and the message repeats the title.
func WebhookNode(code int, details string) json.RawMessage {
	title := Lookup(code).Title
	if details == "" {
		details = title
	}
	return Marshal(webhookError{Code: code, Title: title, Message: title, Data: webhookData{details},
		Href: "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"})
}

// Fail returns the error of a code with Meta's title and, on messaging edges, details for the developer.
func Fail(code int, details string) *Error {
	k := Lookup(code)
	e := &Error{HTTP: k.HTTP, Code: code, Details: details, Transient: k.Transient, Subcode: k.Subcode}
	e.Message = k.Bare
	if e.Message == "" {
		e.Message = fmt.Sprintf("(#%d) %s", code, k.Title)
	}
	return e
}

// Invalid is code 100 for a value of the wrong type or form, naming it in details.
func Invalid(format string, args ...any) *Error {
	return &Error{HTTP: http.StatusBadRequest, Code: 100, Subcode: SubcodeParameter, Message: "(#100) Invalid parameter",
		Details: fmt.Sprintf(format, args...)}
}

// Param is code 100 with the whole story in the message and no error_data, as Graph's own argument checks answer.
func Param(format string, args ...any) *Error {
	return &Error{HTTP: http.StatusBadRequest, Code: 100, Message: "(#100) " + fmt.Sprintf(format, args...)}
}

// UnknownObject is Graph's answer for an id that does not exist or is not visible to the token: 400 and never 404.
func UnknownObject(method, id string) *Error {
	verb := "get"
	switch method {
	case http.MethodPost:
		verb = "post"
	case http.MethodDelete:
		verb = "delete"
	}
	return &Error{HTTP: http.StatusBadRequest, Code: 100, Subcode: 33, Type: "GraphMethodException",
		Message: fmt.Sprintf("Unsupported %s request. Object with ID '%s' does not exist, cannot be loaded due to missing "+
			"permissions, or does not support this operation. Please read the Graph API documentation at "+
			"https://developers.facebook.com/docs/graph-api", verb, id)}
}

// UnknownPath is Graph's answer for an edge it does not have.
func UnknownPath(path string) *Error {
	return &Error{HTTP: http.StatusBadRequest, Code: 2500, Message: "Unknown path components: " + path}
}

// Token errors. Meta does not prefix these with a code.
var (
	errNoToken = Error{HTTP: http.StatusUnauthorized, Code: 190,
		Message: "An access token is required to request this resource."}
	errNoAppID  = Error{HTTP: http.StatusUnauthorized, Code: 200, Message: "(#200) Provide valid app ID"}
	errBadToken = Error{HTTP: http.StatusUnauthorized, Code: 190,
		Message: "Invalid OAuth access token - Cannot parse access token"}
)

// NoToken is the answer to a call without any token.
func NoToken() *Error { e := errNoToken; return &e }

// NoAppID is how some reading edges put the same thing.
func NoAppID() *Error { e := errNoAppID; return &e }

// BadToken is the answer to a token that was never issued.
func BadToken() *Error { e := errBadToken; return &e }

// ExpiredToken is the answer to a token whose session ended; when is printed in Meta's style.
func ExpiredToken(when string) *Error {
	return &Error{HTTP: http.StatusUnauthorized, Code: 190, Subcode: 463,
		Message: "Error validating access token: Session has expired on " + when + "."}
}
