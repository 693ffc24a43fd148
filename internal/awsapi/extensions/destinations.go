package extensions

import (
	"context"
	"strconv"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/page"
)

// DestinationEditor makes, changes and forgets additional event destinations. Errors are faults.
type DestinationEditor interface {
	Create(ctx context.Context, accountID string, s event.Spec) (event.Additional, identity.Secret, error)
	Update(ctx context.Context, accountID, key string, s event.Spec) error
	Rotate(ctx context.Context, accountID, key string, secret identity.Secret, overlap time.Duration) (identity.Secret, error)
	Delete(ctx context.Context, accountID, key string) error
}

// DestinationReader tells which destinations an account has and how they are doing, by the names of their queues.
type DestinationReader interface {
	List(ctx context.Context, accountID string) ([]event.Described, error)
	Get(ctx context.Context, accountID, destination string) (event.Described, error)
	Attempts(ctx context.Context, accountID, destination string, before time.Time, limit int) ([]event.Attempts, error)
}

// DestinationSwitch stops, starts and tries destinations.
type DestinationSwitch interface {
	Pause(ctx context.Context, accountID, destination, reason string) error
	Resume(ctx context.Context, accountID, destination string) error
	Test(ctx context.Context, accountID, destination string) (event.Trial, error)
}

// DestinationOptions are the parts behind the operations on event destinations. All are required.
type DestinationOptions struct {
	Editor DestinationEditor
	Reader DestinationReader
	Switch DestinationSwitch
	Pages  *page.Sealer
}

type destinationServer struct{ DestinationOptions }

// DestinationOperations returns the rows about event destinations to add to the table.
func DestinationOperations(o DestinationOptions) []awsapi.Operation {
	s := destinationServer{o}
	const at = "/v1/waxwing/event-destinations"
	made := []fault.Kind{fault.InvalidParameters, fault.NotFound, fault.LimitExceeded}
	return []awsapi.Operation{
		{Name: "CreateEventDestination", Method: "POST", Path: at, Errors: made, Do: awsapi.Op(s.create)},
		{Name: "UpdateEventDestination", Method: "PUT", Path: at, Errors: errors, Do: awsapi.Op(s.update)},
		{Name: "DeleteEventDestination", Method: "DELETE", Path: at, Errors: errors, Do: awsapi.Op(s.remove)},
		{Name: "ListEventDestinations", Method: "GET", Path: at + "/list", Errors: errors, Do: awsapi.Op(s.list)},
		{Name: "GetEventDestination", Method: "GET", Path: at + "/details", Errors: errors, Do: awsapi.Op(s.get)},
		{Name: "RotateEventDestinationSecret", Method: "POST", Path: at + "/rotate-secret", Errors: errors, Do: awsapi.Op(s.rotate)},
		{Name: "PauseEventDestination", Method: "POST", Path: at + "/pause", Errors: errors, Do: awsapi.Op(s.pause)},
		{Name: "ResumeEventDestination", Method: "POST", Path: at + "/resume", Errors: errors, Do: awsapi.Op(s.resume)},
		{Name: "TestEventDestination", Method: "POST", Path: at + "/test", Errors: append(made, fault.Conflict), Do: awsapi.Op(s.test)},
		{Name: "ListDeliveryAttempts", Method: "GET", Path: at + "/attempts", Errors: errors, Do: awsapi.Op(s.attempts)},
	}
}

// filter is an event.Filter on the wire: numbers by id or ARN.
type filter struct {
	Fields   []string `json:"fields,omitempty" len:"0..50" each:"1..100"`
	Statuses []string `json:"statuses,omitempty" len:"0..50" each:"1..100"`
	Numbers  []string `json:"phoneNumberIds,omitempty" len:"0..50" each:"1..115"`
}

type header struct {
	Name  string          `json:"name" required:"true" len:"1..100"`
	Value identity.Secret `json:"value" required:"true" len:"0..1024"`
}

type createInput struct {
	Name        *string         `json:"name" len:"0..100"`
	Type        string          `json:"type" required:"true" enum:"https|sns|sqs|eventbridge"`
	Address     string          `json:"address" required:"true" len:"1..2048"`
	RoleARN     *string         `json:"roleArn" len:"0..2048"`
	WABA        *string         `json:"businessAccountId" len:"0..115"`
	Filter      *filter         `json:"filter"`
	Concurrency int             `json:"concurrency" range:"1..64"`
	PerSecond   *int            `json:"maxEventsPerSecond" range:"0..10000"`
	Secret      identity.Secret `json:"secret" len:"1..100"`
	Headers     *[]header       `json:"headers" len:"0..20"`
}

type updateInput struct {
	ID          string    `query:"eventDestinationId" required:"true" len:"1..2048"`
	Name        *string   `json:"name" len:"0..100"`
	Address     string    `json:"address" len:"1..2048"`
	RoleARN     *string   `json:"roleArn" len:"0..2048"`
	WABA        *string   `json:"businessAccountId" len:"0..115"`
	Filter      *filter   `json:"filter"`
	Concurrency int       `json:"concurrency" range:"1..64"`
	PerSecond   *int      `json:"maxEventsPerSecond" range:"0..10000"`
	Headers     *[]header `json:"headers" len:"0..20"`
}

type createOutput struct {
	ID     string `json:"eventDestinationId"`
	ARN    string `json:"arn"`
	Secret string `json:"secret,omitempty"` // of HTTPS destinations; shown this once
}

func (s destinationServer) create(ctx context.Context, in *createInput) (*createOutput, error) {
	scope := awsapi.From(ctx).Scope()
	spec := event.Spec{Name: in.Name, Kind: event.Kind(in.Type), Address: in.Address, RoleARN: in.RoleARN, Concurrency: in.Concurrency,
		PerSecond: perSecond(in.PerSecond), Secret: in.Secret, Headers: headers(in.Headers)}
	if err := resolve(scope, &spec, in.WABA, in.Filter); err != nil {
		return nil, err
	}
	a, secret, err := s.Editor.Create(ctx, scope.AccountID, spec)
	if err != nil {
		return nil, err
	}
	return &createOutput{ID: a.ID(), ARN: scope.ARN(account.KindEventDestination, a.Key), Secret: secret.Reveal()}, nil
}

func (s destinationServer) update(ctx context.Context, in *updateInput) (*additional, error) {
	scope := awsapi.From(ctx).Scope()
	key, err := additionalKey(scope, in.ID)
	if err != nil {
		return nil, err
	}
	spec := event.Spec{Name: in.Name, Address: in.Address, RoleARN: in.RoleARN, Concurrency: in.Concurrency, PerSecond: perSecond(in.PerSecond),
		Headers: headers(in.Headers)}
	if err := resolve(scope, &spec, in.WABA, in.Filter); err != nil {
		return nil, err
	}
	if err := s.Editor.Update(ctx, scope.AccountID, key, spec); err != nil {
		return nil, err
	}
	return s.get(ctx, &chosenInput{in.ID})
}

// resolve turns ids and ARNs into keys.
func resolve(scope account.Scope, spec *event.Spec, waba *string, f *filter) error {
	if waba != nil {
		key := ""
		if *waba != "" {
			var ok bool
			if key, ok = account.ResolveKey(scope, account.KindWABA, *waba); !ok {
				return fault.New(fault.NotFound, "There is no WhatsApp Business Account %s in this account and Region.", *waba)
			}
		}
		spec.WABAKey = &key
	}
	if f == nil {
		return nil
	}
	spec.Filter = &event.Filter{Fields: f.Fields, Statuses: f.Statuses}
	for _, id := range f.Numbers {
		key, ok := account.ResolveKey(scope, account.KindPhoneNumber, id)
		if !ok {
			return fault.New(fault.NotFound, "There is no phone number %s in this account and Region.", id)
		}
		spec.Filter.Numbers = append(spec.Filter.Numbers, key)
	}
	return nil
}

func headers(in *[]header) *[]event.Header {
	if in == nil {
		return nil
	}
	out := make([]event.Header, 0, len(*in))
	for _, h := range *in {
		out = append(out, event.Header{Name: h.Name, Value: h.Value})
	}
	return &out
}

// additionalKey reads the id or ARN of an additional destination.
func additionalKey(scope account.Scope, id string) (string, error) {
	key, ok := account.ResolveKey(scope, account.KindEventDestination, id)
	if !ok {
		return "", fault.New(fault.NotFound, "There is no additional event destination %s in this account and Region.", id)
	}
	return key, nil
}

// queueName reads what any destination goes by: the id or ARN of an additional one, or the ARN of an AWS event destination.
func queueName(scope account.Scope, id string) string {
	if key, ok := account.ResolveKey(scope, account.KindEventDestination, id); ok {
		return account.ID(account.KindEventDestination, key)
	}
	return id
}

type chosenInput struct {
	ID string `query:"eventDestinationId" required:"true" len:"1..2048"`
}

type chosenBody struct {
	ID     string `json:"eventDestinationId" required:"true" len:"1..2048"`
	Reason string `json:"reason" len:"0..300"`
}

func (s destinationServer) remove(ctx context.Context, in *chosenInput) (*struct{}, error) {
	scope := awsapi.From(ctx).Scope()
	key, err := additionalKey(scope, in.ID)
	if err != nil {
		return nil, err
	}
	return new(struct{}), s.Editor.Delete(ctx, scope.AccountID, key)
}

type rotateInput struct {
	ID      string          `json:"eventDestinationId" required:"true" len:"1..2048"`
	Secret  identity.Secret `json:"secret" len:"1..100"`
	Overlap *int            `json:"overlapSeconds" range:"0..604800"` // a day unless given
}

type rotateOutput struct {
	Secret string `json:"secret"`
}

// rotate makes a new signing secret. The old one signs, too, while the overlap lasts.
func (s destinationServer) rotate(ctx context.Context, in *rotateInput) (*rotateOutput, error) {
	scope := awsapi.From(ctx).Scope()
	key, err := additionalKey(scope, in.ID)
	if err != nil {
		return nil, err
	}
	overlap := 24 * time.Hour
	if in.Overlap != nil {
		overlap = time.Duration(*in.Overlap) * time.Second
	}
	secret, err := s.Editor.Rotate(ctx, scope.AccountID, key, in.Secret, overlap)
	if err != nil {
		return nil, err
	}
	return &rotateOutput{secret.Reveal()}, nil
}

func (s destinationServer) pause(ctx context.Context, in *chosenBody) (*struct{}, error) {
	scope := awsapi.From(ctx).Scope()
	return new(struct{}), s.Switch.Pause(ctx, scope.AccountID, queueName(scope, in.ID), in.Reason)
}

func (s destinationServer) resume(ctx context.Context, in *chosenBody) (*struct{}, error) {
	scope := awsapi.From(ctx).Scope()
	return new(struct{}), s.Switch.Resume(ctx, scope.AccountID, queueName(scope, in.ID))
}

type testOutput struct {
	EventID   string `json:"eventId"`
	Delivered bool   `json:"delivered"`
	Reason    string `json:"reason,omitempty"`
	TookMS    int64  `json:"tookMilliseconds"`
}

// test publishes one test event and tells what came of it.
func (s destinationServer) test(ctx context.Context, in *chosenBody) (*testOutput, error) {
	scope := awsapi.From(ctx).Scope()
	t, err := s.Switch.Test(ctx, scope.AccountID, queueName(scope, in.ID))
	if err != nil {
		return nil, err
	}
	return &testOutput{EventID: t.EventID, Delivered: t.Failure == "", Reason: t.Failure, TookMS: t.Took.Milliseconds()}, nil
}

type attemptsInput struct {
	ID         string `query:"eventDestinationId" required:"true" len:"1..2048"`
	NextToken  string `query:"nextToken" len:"1..600"`
	MaxResults int    `query:"maxResults" range:"1..100"`
}

type attemptsOutput struct {
	Attempts  []attempts `json:"attempts"`
	NextToken string     `json:"nextToken,omitempty"`
}

// attempts sums up the calls of one minute that ended the same way.
type attempts struct {
	Minute    restjson.Time `json:"minute"`
	Result    string        `json:"result"` // delivered or failed
	Reason    string        `json:"reason,omitempty"`
	Calls     int           `json:"calls"`
	Events    int           `json:"events"`
	SlowestMS int64         `json:"slowestMilliseconds"`
	LastAt    restjson.Time `json:"lastAt"`
}

func (s destinationServer) attempts(ctx context.Context, in *attemptsInput) (*attemptsOutput, error) {
	request := awsapi.From(ctx)
	scope := request.Scope()
	name := queueName(scope, in.ID)
	if in.MaxResults == 0 {
		in.MaxResults = 100
	}
	purpose := []string{scope.AccountID, scope.Region, request.Operation, name}
	var before time.Time
	if in.NextToken != "" {
		cursor, err := s.Pages.Open(in.NextToken, purpose...)
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(cursor, 10, 64)
		if err != nil {
			return nil, err
		}
		before = time.UnixMicro(n)
	}
	// A minute is shown whole: its rows are few, and the next page begins before it.
	const most = 1000
	list, err := s.Reader.Attempts(ctx, scope.AccountID, name, before, most)
	if err != nil {
		return nil, err
	}
	out := &attemptsOutput{Attempts: []attempts{}}
	for i, a := range list {
		if i >= in.MaxResults && !a.Minute.Equal(list[i-1].Minute) {
			out.NextToken = s.Pages.Seal(strconv.FormatInt(list[i-1].Minute.UnixMicro(), 10), purpose...)
			break
		}
		row := attempts{Minute: restjson.Time(a.Minute), Result: "delivered", Reason: a.Reason, Calls: a.Rounds, Events: a.Events,
			SlowestMS: a.Slowest.Milliseconds(), LastAt: restjson.Time(a.LastAt)}
		if a.Reason != "" {
			row.Result = "failed"
		}
		out.Attempts = append(out.Attempts, row)
	}
	return out, nil
}

func perSecond(n *int) *float64 {
	if n == nil {
		return nil
	}
	rate := float64(*n)
	return &rate
}
