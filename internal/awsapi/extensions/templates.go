package extensions

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/template"
)

// Templates is what is known of message templates, and what is wrong with definitions of new ones.
type Templates interface {
	States(ctx context.Context, accountID, wabaKey string) ([]template.Known, error)
	Validate(ctx context.Context, accountID, wabaKey string, definition []byte) ([]template.Problem, error)
}

// TemplateOperations returns the rows about message templates.
func TemplateOperations(t Templates) []awsapi.Operation {
	s := templateServer{t}
	return []awsapi.Operation{
		{Name: "ListTemplateStates", Method: "GET", Path: "/v1/waxwing/templates/list", Errors: templateErrors, Do: awsapi.Op(s.list)},
		{Name: "ValidateTemplate", Method: "POST", Path: "/v1/waxwing/templates/validate", Errors: templateErrors, Do: awsapi.Op(s.validate)},
	}
}

var templateErrors = []fault.Kind{fault.AccessDeniedByMeta, fault.InvalidParameters, fault.NotFound, fault.Dependency}

type templateServer struct{ templates Templates }

type listStatesInput struct {
	ID string `query:"id" required:"true" len:"1..115"`
}

type listStatesOutput struct {
	Templates []templateState `json:"templates"`
}

// templateState is a template with what Meta's listings and webhooks have said about it.
type templateState struct {
	Name             string            `json:"templateName"`
	ID               string            `json:"metaTemplateId"`
	Language         string            `json:"templateLanguage"`
	Status           template.Status   `json:"templateStatus,omitempty"`
	Reason           string            `json:"rejectedReason,omitempty"`
	PausedUntil      *restjson.Time    `json:"pausedUntil,omitempty"`
	Quality          string            `json:"templateQualityScore,omitempty"`
	Category         template.Category `json:"templateCategory,omitempty"`
	PreviousCategory template.Category `json:"previousCategory,omitempty"`
	UpcomingCategory template.Category `json:"upcomingCategory,omitempty"`
	PriceRise        bool              `json:"priceRise"` // messages cost more since the category changed, or will once it does
	ChangedAt        *restjson.Time    `json:"categoryChangedAt,omitempty"`
}

// list shows the templates of a business account by name and language.
func (s templateServer) list(ctx context.Context, in *listStatesInput) (*listStatesOutput, error) {
	accountID, key, err := resolveWABA(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	known, err := s.templates.States(ctx, accountID, key)
	if err != nil {
		return nil, err
	}
	out := &listStatesOutput{make([]templateState, len(known))}
	for i := range known {
		k := &known[i]
		out.Templates[i] = templateState{Name: k.Name, ID: k.ID, Language: k.Language, Status: k.Status, Reason: k.Reason, PausedUntil: moment(k.PausedUntil),
			Quality: k.Quality, Category: k.Category, PreviousCategory: k.Previous, UpcomingCategory: k.Upcoming, PriceRise: k.PriceRise}
		if k.Previous != "" {
			out.Templates[i].ChangedAt = moment(k.CategoryAt)
		}
	}
	return out, nil
}

// moment is a time that may be unknown.
func moment(t time.Time) *restjson.Time {
	if t.IsZero() {
		return nil
	}
	at := restjson.Time(t)
	return &at
}

func resolveWABA(ctx context.Context, id string) (accountID, key string, err error) {
	scope := awsapi.From(ctx).Scope()
	key, ok := account.ResolveKey(scope, account.KindWABA, id)
	if !ok {
		return "", "", fault.New(fault.NotFound, "There is no WhatsApp Business Account %s in this account and Region.", id)
	}
	return scope.AccountID, key, nil
}

// validateTemplateInput is the body of CreateWhatsAppMessageTemplate.
type validateTemplateInput struct {
	ID         string `json:"id" required:"true" len:"1..115"`
	Definition []byte `json:"templateDefinition" required:"true" len:"1..6000"`
}

type validateTemplateOutput struct {
	Valid    bool              `json:"valid"` // nothing that Meta certainly refuses was found
	Problems []templateProblem `json:"problems"`
}

type templateProblem struct {
	Problem
	Certain bool   `json:"certain"`                  // Meta refuses it; otherwise a reviewer may
	Reason  string `json:"rejectedReason,omitempty"` // what Meta calls it when a reviewer rejects a template for it
}

// validate tells everything that is wrong with a definition, or may be, without submitting it.
func (s templateServer) validate(ctx context.Context, in *validateTemplateInput) (*validateTemplateOutput, error) {
	accountID, key, err := resolveWABA(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	problems, err := s.templates.Validate(ctx, accountID, key, in.Definition)
	if err != nil {
		return nil, err
	}
	out := &validateTemplateOutput{Valid: len(template.Certain(problems)) == 0, Problems: make([]templateProblem, len(problems))}
	for i, p := range problems {
		out.Problems[i] = templateProblem{Problem{Member: p.Member, Problem: p.Text, Action: p.Mend, Code: p.Code}, p.Certain, p.Reason}
	}
	return out, nil
}
