package events

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/bus"
)

type tag struct {
	Key   string `json:"Key"`
	Value string `json:"Value"`
}

type putRuleInput struct {
	Name               string `json:"Name" required:"true" len:"1..64" pattern:"[\\.\\-_A-Za-z0-9]+"`
	ScheduleExpression string `json:"ScheduleExpression" len:"0..256"`
	EventPattern       string `json:"EventPattern" len:"0..4096"`
	State              string `json:"State" enum:"ENABLED|DISABLED|ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"`
	Description        string `json:"Description" len:"0..512"`
	RoleARN            string `json:"RoleArn" len:"1..1600"`
	Tags               []tag  `json:"Tags"`
	EventBusName       string `json:"EventBusName" len:"1..1600"`
}

type putRuleOutput struct {
	RuleARN string `json:"RuleArn"`
}

func (s server) putRule(ctx context.Context, in *putRuleInput) (*putRuleOutput, error) {
	scope, err := onDefault(ctx, in.EventBusName)
	switch {
	case err != nil:
		return nil, err
	case in.ScheduleExpression != "":
		return nil, invalid("ScheduleExpression", "schedules are not supported by the built-in event bus.")
	case len(in.Tags) > 0:
		return nil, invalid("Tags", "tags are not supported by the built-in event bus.")
	}
	arn, err := s.Bus.PutRule(ctx, scope.AccountID, bus.Rule{Name: in.Name, Pattern: in.EventPattern, State: bus.State(in.State),
		Description: in.Description, RoleARN: in.RoleARN})
	if err != nil {
		return nil, err
	}
	return &putRuleOutput{arn}, nil
}

// ruleInput names a rule.
type ruleInput struct {
	Name         string `json:"Name" required:"true" len:"1..64" pattern:"[\\.\\-_A-Za-z0-9]+"`
	EventBusName string `json:"EventBusName" len:"1..1600"`
}

// rule is a rule on the wire.
type rule struct {
	Name         string
	ARN          string `json:"Arn"`
	EventPattern string
	State        bus.State
	Description  string `json:",omitempty"`
	RoleARN      string `json:"RoleArn,omitempty"`
	EventBusName string
	CreatedBy    string `json:",omitempty"`
}

func shown(r *bus.Rule) rule {
	return rule{Name: r.Name, ARN: r.ARN, EventPattern: r.Pattern, State: r.State, Description: r.Description, RoleARN: r.RoleARN,
		EventBusName: bus.Default}
}

func (s server) describeRule(ctx context.Context, in *ruleInput) (*rule, error) {
	scope, err := onDefault(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	r, err := s.Bus.Store.BusRule(ctx, bus.RuleARN(scope, in.Name))
	if err != nil {
		return nil, err
	}
	out := shown(&r)
	out.CreatedBy = r.AccountID
	return &out, nil
}

type listRulesInput struct {
	NamePrefix   string `json:"NamePrefix" len:"1..64" pattern:"[\\.\\-_A-Za-z0-9]+"`
	EventBusName string `json:"EventBusName" len:"1..1600"`
	NextToken    string `json:"NextToken" len:"1..2048"`
	Limit        int    `json:"Limit" range:"1..100"`
}

type listRulesOutput struct {
	Rules     []rule
	NextToken string `json:",omitempty"`
}

func (s server) listRules(ctx context.Context, in *listRulesInput) (*listRulesOutput, error) {
	scope, err := onDefault(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	found, next, err := list(ctx, s.Pages, in.NextToken, in.Limit, []string{in.NamePrefix}, func(r *bus.Rule) string { return r.Name },
		func(after string, limit int) ([]bus.Rule, error) {
			return s.Bus.Store.BusRules(ctx, scope.AccountID, in.NamePrefix, after, limit)
		})
	if err != nil {
		return nil, err
	}
	out := &listRulesOutput{Rules: make([]rule, len(found)), NextToken: next}
	for i := range found {
		out.Rules[i] = shown(&found[i])
	}
	return out, nil
}

func (s server) enableRule(ctx context.Context, in *ruleInput) (*struct{}, error) {
	return s.setState(ctx, in, bus.Enabled)
}

func (s server) disableRule(ctx context.Context, in *ruleInput) (*struct{}, error) {
	return s.setState(ctx, in, bus.Disabled)
}

func (s server) setState(ctx context.Context, in *ruleInput, state bus.State) (*struct{}, error) {
	scope, err := onDefault(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	return nil, s.Bus.Store.SetBusRuleState(ctx, bus.RuleARN(scope, in.Name), state)
}

type deleteRuleInput struct {
	Name         string `json:"Name" required:"true" len:"1..64" pattern:"[\\.\\-_A-Za-z0-9]+"`
	EventBusName string `json:"EventBusName" len:"1..1600"`
	Force        bool   `json:"Force"` // for rules that AWS manages: there are none
}

func (s server) deleteRule(ctx context.Context, in *deleteRuleInput) (*struct{}, error) {
	scope, err := onDefault(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	return nil, s.Bus.Store.DeleteBusRule(ctx, bus.RuleARN(scope, in.Name))
}
