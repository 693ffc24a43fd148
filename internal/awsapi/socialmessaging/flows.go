package socialmessaging

import (
	"context"
	"encoding/base64"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/flow"
)

// Lines tell what is needed to act at Meta. What does not exist in the account is a fault.NotFound.
type Lines interface {
	Access(ctx context.Context, accountID, wabaKey string) (account.Access, error)
	Line(ctx context.Context, accountID, phoneKey string) (account.Line, error)
}

// FlowEditor changes Flows at Meta. A Flow that does not belong to the business account is a fault.NotFound.
type FlowEditor interface {
	CreateFlow(ctx context.Context, a account.Access, d flow.Draft) (flow.Created, error)
	UpdateFlow(ctx context.Context, a account.Access, id string, changes flow.Changes) error
	UpdateFlowAssets(ctx context.Context, a account.Access, id string, text []byte) (problems []string, err error)
	PublishFlow(ctx context.Context, a account.Access, id string) error
	DeprecateFlow(ctx context.Context, a account.Access, id string) error
	DeleteFlow(ctx context.Context, a account.Access, id string) error
}

// FlowReader reads Flows at Meta. Lists take and return cursors of Meta's; "" is the first page, and what follows the last.
type FlowReader interface {
	Flow(ctx context.Context, a account.Access, id string) (flow.Flow, error)
	FlowPreview(ctx context.Context, a account.Access, id string, invalidate bool) (flow.Preview, error)
	Flows(ctx context.Context, a account.Access, after string, limit int) ([]flow.Summary, string, error)
	FlowAssets(ctx context.Context, a account.Access, id, after string, limit int) ([]flow.Asset, string, error)
}

// metaErrors are the errors of operations that are carried out at Meta.
var metaErrors = []fault.Kind{fault.AccessDeniedByMeta, fault.InvalidParameters, fault.NotFound, fault.Dependency}

// maxFlowBody lets the longest Flow JSON through: base64, and room for what is around it.
var maxFlowBody = int64(base64.StdEncoding.EncodedLen(flow.MaxJSON)) + 64<<10

// flowOperations are the operations on Flows.
func (s server) flowOperations() []awsapi.Operation {
	return []awsapi.Operation{
		{Name: "CreateWhatsAppFlow", Method: "POST", Path: "/v1/whatsapp/flow/create", Errors: metaErrors, MaxBody: maxFlowBody, Once: true, Do: awsapi.Op(s.createFlow)},
		{Name: "DeleteWhatsAppFlow", Method: "DELETE", Path: "/v1/whatsapp/flow", Errors: metaErrors, Do: awsapi.Op(s.deleteFlow)},
		{Name: "DeprecateWhatsAppFlow", Method: "POST", Path: "/v1/whatsapp/flow/deprecate", Errors: metaErrors, Do: awsapi.Op(s.deprecateFlow)},
		{Name: "GetWhatsAppFlow", Method: "GET", Path: "/v1/whatsapp/flow", Errors: metaErrors, Do: awsapi.Op(s.getFlow)},
		{Name: "GetWhatsAppFlowPreview", Method: "GET", Path: "/v1/whatsapp/flow/preview", Errors: metaErrors, Do: awsapi.Op(s.getFlowPreview)},
		{Name: "ListWhatsAppFlowAssets", Method: "GET", Path: "/v1/whatsapp/flow/assets", Errors: metaErrors, Do: awsapi.Op(s.listFlowAssets)},
		{Name: "ListWhatsAppFlows", Method: "GET", Path: "/v1/whatsapp/flow/list", Errors: metaErrors, Do: awsapi.Op(s.listFlows)},
		{Name: "PublishWhatsAppFlow", Method: "POST", Path: "/v1/whatsapp/flow/publish", Errors: metaErrors, Do: awsapi.Op(s.publishFlow)},
		{Name: "UpdateWhatsAppFlow", Method: "POST", Path: "/v1/whatsapp/flow/update", Errors: metaErrors, Do: awsapi.Op(s.updateFlow)},
		{Name: "UpdateWhatsAppFlowAssets", Method: "POST", Path: "/v1/whatsapp/flow/assets/update", Errors: metaErrors, MaxBody: maxFlowBody,
			Do: awsapi.Op(s.updateFlowAssets)},
	}
}

// access finds a business account by id or ARN and what is needed to act on it.
func (s server) access(ctx context.Context, id string) (account.Access, error) {
	scope := awsapi.From(ctx).Scope()
	key, ok := account.ResolveKey(scope, account.KindWABA, id)
	if !ok {
		return account.Access{}, noWABA(id)
	}
	a, err := s.Lines.Access(ctx, scope.AccountID, key)
	return a, named(err, noWABA(id))
}

type createFlowInput struct {
	ID         string   `json:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
	Name       string   `json:"flowName" required:"true" len:"1..200"`
	Categories []string `json:"categories" required:"true" len:"1..9"`
	JSON       []byte   `json:"flowJson" len:"1..10485760"`
	Publish    bool     `json:"publish"`
	CloneID    string   `json:"cloneFlowId" len:"1..100" pattern:"[0-9]+"`
}

type createFlowOutput struct {
	ID       string   `json:"flowId"`
	Problems []string `json:"validationErrors,omitempty"`
}

// createFlow makes a Flow. What is wrong with its JSON is told, and keeps it a draft.
func (s server) createFlow(ctx context.Context, in *createFlowInput) (*createFlowOutput, error) {
	if err := checkCategories(in.Categories); err != nil {
		return nil, err
	}
	a, err := s.access(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	created, err := s.FlowEditor.CreateFlow(ctx, a, flow.Draft{Name: in.Name, Categories: in.Categories, JSON: in.JSON, Publish: in.Publish,
		CloneID: in.CloneID})
	if fault.Is(err, fault.InvalidParameters) && awsapi.From(ctx).Repeated {
		if made, ok := s.flowNamed(ctx, a, in.Name); ok { // by the attempt whose outcome was not known
			created, err = flow.Created{ID: made.ID, Problems: made.Problems}, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return &createFlowOutput{created.ID, created.Problems}, nil
}

// flowNamed finds a Flow by its name, which is unique within a business account.
func (s server) flowNamed(ctx context.Context, a account.Access, name string) (flow.Summary, bool) {
	for after := ""; ; {
		list, next, err := s.FlowReader.Flows(ctx, a, after, 100)
		for _, f := range list {
			if f.Name == name {
				return f, true
			}
		}
		if err != nil || next == "" || next == after {
			return flow.Summary{}, false
		}
		after = next
	}
}

type updateFlowInput struct {
	ID         string   `json:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
	FlowID     string   `json:"flowId" required:"true" len:"1..100" pattern:"[0-9]+"`
	Name       string   `json:"flowName" len:"1..200"`
	Categories []string `json:"categories" len:"1..9"`
}

func (s server) updateFlow(ctx context.Context, in *updateFlowInput) (*struct{}, error) {
	if in.Name == "" && in.Categories == nil {
		return nil, refuse("Nothing to update: give flowName, categories, or both.")
	}
	if err := checkCategories(in.Categories); err != nil {
		return nil, err
	}
	a, err := s.access(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return new(struct{}), s.FlowEditor.UpdateFlow(ctx, a, in.FlowID, flow.Changes{Name: in.Name, Categories: in.Categories})
}

type updateFlowAssetsInput struct {
	ID     string `json:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
	FlowID string `json:"flowId" required:"true" len:"1..100" pattern:"[0-9]+"`
	JSON   []byte `json:"flowJson" required:"true" len:"1..10485760"`
}

type updateFlowAssetsOutput struct {
	Problems []string `json:"validationErrors,omitempty"`
}

func (s server) updateFlowAssets(ctx context.Context, in *updateFlowAssetsInput) (*updateFlowAssetsOutput, error) {
	a, err := s.access(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	problems, err := s.FlowEditor.UpdateFlowAssets(ctx, a, in.FlowID, in.JSON)
	if err != nil {
		return nil, err
	}
	return &updateFlowAssetsOutput{problems}, nil
}

// flowInput names a Flow in a body, flowQuery in a query string.
type flowInput struct {
	ID     string `json:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
	FlowID string `json:"flowId" required:"true" len:"1..100" pattern:"[0-9]+"`
}

type flowQuery struct {
	ID     string `query:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
	FlowID string `query:"flowId" required:"true" len:"1..100" pattern:"[0-9]+"`
}

func (s server) publishFlow(ctx context.Context, in *flowInput) (*struct{}, error) {
	return s.moveFlow(ctx, *in, s.FlowEditor.PublishFlow)
}

func (s server) deprecateFlow(ctx context.Context, in *flowInput) (*struct{}, error) {
	return s.moveFlow(ctx, *in, s.FlowEditor.DeprecateFlow)
}

func (s server) deleteFlow(ctx context.Context, in *flowQuery) (*struct{}, error) {
	return s.moveFlow(ctx, flowInput(*in), s.FlowEditor.DeleteFlow)
}

func (s server) moveFlow(ctx context.Context, in flowInput, move func(context.Context, account.Access, string) error) (*struct{}, error) {
	a, err := s.access(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return new(struct{}), move(ctx, a, in.FlowID)
}

// flowCategories are the values of MetaFlowCategory.
var flowCategories = map[string]bool{"SIGN_UP": true, "SIGN_IN": true, "APPOINTMENT_BOOKING": true, "LEAD_GENERATION": true, "SHOPPING": true,
	"CONTACT_US": true, "CUSTOMER_SUPPORT": true, "SURVEY": true, "OTHER": true}

// checkCategories holds the enumeration, which tags cannot say of the items of a list.
func checkCategories(categories []string) error {
	for i, c := range categories {
		if !flowCategories[c] {
			return fault.New(fault.Validation, "1 validation error detected: Value '%.100s' at 'categories.%d.member' failed to satisfy constraint: "+
				"Member must satisfy enum value set: [SIGN_UP, SIGN_IN, APPOINTMENT_BOOKING, LEAD_GENERATION, SHOPPING, CONTACT_US, CUSTOMER_SUPPORT, SURVEY, OTHER]", c, i+1)
		}
	}
	return nil
}
