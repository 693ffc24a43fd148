// Package socialmessaging is the API of AWS End User Messaging Social as the front door serves it: the table of its
// operations, their inputs and outputs with the constraints of AWS's model, and what each one asks of the stores behind it.
//
// Operations resolve ids and ARNs, check what the model cannot express, and leave the rest to the interfaces below.
package socialmessaging

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/page"
)

// Accounts is what is linked to an account. What does not exist in that account is a fault.NotFound.
type Accounts interface {
	// WABAs returns up to limit business accounts ordered by link time and key, starting after the one with the key after,
	// or with the first when it is "".
	WABAs(ctx context.Context, accountID, after string, limit int) ([]account.WABA, error)
	// WABA returns a business account and its phone numbers.
	WABA(ctx context.Context, accountID, key string) (account.WABA, []account.PhoneNumber, error)
	PhoneNumber(ctx context.Context, accountID, key string) (account.PhoneNumber, error)
	// SetDestination replaces a business account's event destination; nil removes it.
	SetDestination(ctx context.Context, accountID, wabaKey string, d *account.Destination) error
}

// Tags are the labels of an account's resources, by ARN. A resource that does not exist is a fault.NotFound.
type Tags interface {
	Tags(ctx context.Context, accountID, arn string) ([]account.Tag, error)
	// PutTags adds or overwrites the tags given and leaves others alone, or does nothing and returns a fault.LimitExceeded
	// when the resource would have more than 50.
	PutTags(ctx context.Context, accountID, arn string, tags []account.Tag) error
	// DeleteTags removes the tags with these keys; keys that are not there are no error.
	DeleteTags(ctx context.Context, accountID, arn string, keys []string) error
}

// Sender accepts messages. When Send returns without error the message is durable; a call with an InvocationID that was seen
// before returns the first one's id.
type Sender interface {
	Send(ctx context.Context, o message.Outbound) (id string, err error)
}

// Options are the parts behind the operations. All are required but KMS, Windows and CheckSend.
type Options struct {
	Accounts       Accounts
	SignUps        SignUps
	Tags           Tags
	Sender         Sender
	Lines          Lines
	FlowEditor     FlowEditor
	FlowReader     FlowReader
	Calls          Calls
	Datasets       Datasets
	PublicKeys     PublicKeys
	KMS            KeyStore // nil: keys have to be given in PEM
	Media          Media
	Samples        Samples
	Objects        Objects
	Presigned      Presigned
	TemplateEditor TemplateEditor
	TemplateReader TemplateReader
	Pages          *page.Sealer
	Now            func() time.Time
	// Windows tell whether a customer may be written to without a template; nil accepts without asking.
	Windows interface {
		Window(ctx context.Context, phoneKey, recipient string) (message.Window, error)
	}
	// CheckSend refuses template messages that do not fit their template; nil leaves that to WhatsApp.
	CheckSend func(ctx context.Context, accountID, wabaKey string, body []byte) error
}

type server struct{ Options }

// Service returns the table of operations.
func Service(o Options) awsapi.Service {
	s := server{o}
	return awsapi.Service{
		Name:     "social-messaging",
		Protocol: restjson.Protocol{},
		Codes:    codes,
		Operations: slices.Concat(s.signUpOperations(), s.flowOperations(), s.callOperations(), s.datasetOperations(), s.mediaOperations(), s.templateOperations(), []awsapi.Operation{
			{Name: "GetLinkedWhatsAppBusinessAccount", Method: "GET", Path: "/v1/whatsapp/waba/details",
				Errors: readErrors, Do: awsapi.Op(s.getWABA)},
			{Name: "GetLinkedWhatsAppBusinessAccountPhoneNumber", Method: "GET", Path: "/v1/whatsapp/waba/phone/details",
				Errors: readErrors, Do: awsapi.Op(s.getPhoneNumber)},
			{Name: "ListLinkedWhatsAppBusinessAccounts", Method: "GET", Path: "/v1/whatsapp/waba/list",
				Errors: []fault.Kind{fault.InvalidParameters, fault.NotFound}, Do: awsapi.Op(s.listWABAs)},
			{Name: "ListTagsForResource", Method: "GET", Path: "/v1/tags/list",
				Errors: badInputOnly, Do: awsapi.Op(s.listTags)},
			{Name: "PutWhatsAppBusinessAccountEventDestinations", Method: "PUT", Path: "/v1/whatsapp/waba/eventdestinations",
				Errors: badInputOnly, Do: awsapi.Op(s.putDestinations)},
			{Name: "SendWhatsAppMessage", Method: "POST", Path: "/v1/whatsapp/send",
				Errors: readErrors, Rate: 1000, MaxBody: maxSendBody, Do: awsapi.Op(s.send)},
			{Name: "TagResource", Method: "POST", Path: "/v1/tags/tag-resource",
				Errors: badInputOnly, Do: awsapi.Op(s.tag)},
			{Name: "UntagResource", Method: "POST", Path: "/v1/tags/untag-resource",
				Errors: badInputOnly, Do: awsapi.Op(s.untag)},
		}),
	}
}

// Sets of modelled errors that several operations share.
var (
	readErrors   = []fault.Kind{fault.InvalidParameters, fault.NotFound, fault.Dependency}
	badInputOnly = []fault.Kind{fault.InvalidParameters}
)

// maxSendBody lets the largest message through: base64, and room for what is around it.
var maxSendBody = int64(base64.StdEncoding.EncodedLen(message.MaxBytes)) + 64<<10

// codes are the errors of AWS's model, with ConflictException of its newest operations, and AWS's common 503.
var codes = awsapi.Codes{
	fault.Validation:         {Name: "ValidationException", Status: http.StatusBadRequest},
	fault.InvalidParameters:  {Name: "InvalidParametersException", Status: http.StatusBadRequest},
	fault.LimitExceeded:      {Name: "LimitExceededException", Status: http.StatusBadRequest},
	fault.AccessDenied:       {Name: "AccessDeniedException", Status: http.StatusForbidden},
	fault.AccessDeniedByMeta: {Name: "AccessDeniedByMetaException", Status: http.StatusForbidden},
	fault.NotFound:           {Name: "ResourceNotFoundException", Status: http.StatusNotFound},
	fault.Conflict:           {Name: "ConflictException", Status: http.StatusConflict},
	fault.Throttled:          {Name: "ThrottledRequestException", Status: http.StatusTooManyRequests},
	fault.Internal:           {Name: "InternalServiceException", Status: http.StatusInternalServerError},
	fault.Dependency:         {Name: "DependencyException", Status: http.StatusBadGateway},
	fault.Unavailable:        {Name: "ServiceUnavailable", Status: http.StatusServiceUnavailable},
}
