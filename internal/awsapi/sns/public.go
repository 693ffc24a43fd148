package sns

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// certificates finds the certificate with an id, nil if there is none.
type certificates interface {
	Certificate(ctx context.Context, id string) ([]byte, error)
}

// Public serves what subscribers reach without a signature: the signing certificate, and the links that confirm, restore and
// end a subscription. What a link may do rests on the secret in it.
type Public struct {
	topics       *topic.Service
	certificates certificates
	log          *slog.Logger
}

// NewPublic returns the handler for GET / with an Action and for certificates.
func NewPublic(topics *topic.Service, certificates certificates, log *slog.Logger) *Public {
	return &Public{topics: topics, certificates: certificates, log: log}
}

const (
	certificatePrefix = "/SimpleNotificationService-"
	certificateSuffix = ".pem"
)

func (p *Public) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if name, ok := strings.CutPrefix(r.URL.Path, certificatePrefix); ok {
		p.certificate(w, r, name)
		return
	}
	p.link(w, r)
}

func (p *Public) certificate(w http.ResponseWriter, r *http.Request, name string) {
	id, ok := strings.CutSuffix(name, certificateSuffix)
	if !ok {
		http.NotFound(w, r)
		return
	}
	pem, err := p.certificates.Certificate(r.Context(), id)
	switch {
	case err != nil:
		p.log.Error("serve signing certificate", "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
	case pem == nil:
		http.NotFound(w, r)
	default:
		w.Header().Set("Content-Type", "application/x-pem-file")
		w.Header().Set("Cache-Control", "public, max-age=86400")
		w.Write(pem) //nolint:errcheck // the client is gone when it fails
	}
}

// link answers like the operation that the link names, in the same XML.
func (p *Public) link(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	id := uuid.NewString()
	var out any
	var err error
	action := q.Get("Action")
	switch {
	case r.Method != http.MethodGet: // looking at a link is not following it
		err = fault.New(fault.InvalidParameters, "Invalid parameter: use GET to follow this link")
	case action == "ConfirmSubscription":
		var sub topic.Subscription
		if sub, err = p.topics.Confirm(r.Context(), q.Get("TopicArn"), q.Get("Token"), false, false); err == nil {
			out = &subscriptionARN{sub.ARN}
		}
	case action == "Unsubscribe":
		err = p.topics.Unsubscribe(r.Context(), q.Get("SubscriptionArn"), false)
		out = (*struct{})(nil)
	case action == "":
		err = &awsapi.Error{Code: protocol.Unknown(), Message: "The request names no Action."}
	default:
		err = &awsapi.Error{Code: awsapi.Code{Name: "MissingAuthenticationToken", Status: http.StatusForbidden}, Message: "Request is missing Authentication Token"}
	}
	var body bytes.Buffer
	if err == nil {
		err = protocol.Encode(&body, action, id, out)
	}
	status, code := http.StatusOK, ""
	if err != nil {
		e := wireError(err)
		status, code = e.Status, e.Name
		body.Reset()
		protocol.EncodeError(w.Header(), &body, id, e)
	}
	if status >= http.StatusInternalServerError {
		p.log.Error("link", "request_id", id, "operation", known(action), "status", status, "code", code, "error", err)
	} else {
		p.log.Info("link", "request_id", id, "operation", known(action), "status", status, "code", code)
	}
	h := w.Header()
	h.Set("Content-Type", protocol.ContentType())
	h.Set("X-Amzn-Requestid", id)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body.Bytes()) //nolint:errcheck // the client is gone when it fails
	}
}

// known keeps strangers' text out of the log.
func known(action string) string {
	switch action {
	case "ConfirmSubscription", "Unsubscribe":
		return action
	default:
		return ""
	}
}

// wireError names a fault. The text of what is ours is not for strangers.
func wireError(err error) *awsapi.Error {
	if e, ok := errors.AsType[*awsapi.Error](err); ok {
		return e
	}
	table := codes()
	kind := fault.KindOf(err)
	e := &awsapi.Error{Code: table[kind], Message: "We encountered an internal error. Please try again.", Cause: err}
	if f, ok := errors.AsType[*fault.Error](err); ok && kind != fault.Internal {
		e.Message = f.Message
	}
	return e
}

// ofSender returns the fault if it says that a message is wrong, rather than anything about the topic or the service.
func ofSender(err error) *fault.Error {
	f, ok := errors.AsType[*fault.Error](err)
	if ok && (f.Kind == fault.InvalidParameters || f.Kind == fault.Validation) {
		return f
	}
	return nil
}
