package events

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/bus"
)

type transformer struct {
	Paths    map[string]string `json:"InputPathsMap,omitempty" len:"0..100" each:"0..256"`
	Template string            `json:"InputTemplate" required:"true" len:"1..8192"`
}

type httpParameters struct {
	Path   []string          `json:"PathParameterValues,omitempty"`
	Header map[string]string `json:"HeaderParameters,omitempty" each:"0..512"`
	Query  map[string]string `json:"QueryStringParameters,omitempty" each:"0..512"`
}

type retryPolicy struct {
	Retries *int `json:"MaximumRetryAttempts,omitempty" range:"0..185"`
	MaxAge  *int `json:"MaximumEventAgeInSeconds,omitempty" range:"60..86400"`
}

// target is a target on the wire, as both sides say it.
type target struct {
	ID          string          `json:"Id" required:"true" len:"1..64" pattern:"[\\.\\-_A-Za-z0-9]+"`
	ARN         string          `json:"Arn" required:"true" len:"1..1600"`
	RoleARN     string          `json:"RoleArn,omitempty" len:"1..1600"`
	Input       string          `json:"Input,omitempty" len:"0..8192"`
	InputPath   string          `json:"InputPath,omitempty" len:"0..256"`
	Transformer *transformer    `json:"InputTransformer,omitempty"`
	HTTP        *httpParameters `json:"HttpParameters,omitempty"`
	Retry       *retryPolicy    `json:"RetryPolicy,omitempty"`

	// Of EventBridge's other targets, and refused.
	Kinesis    *struct{} `json:"KinesisParameters,omitempty"`
	RunCommand *struct{} `json:"RunCommandParameters,omitempty"`
	ECS        *struct{} `json:"EcsParameters,omitempty"`
	Batch      *struct{} `json:"BatchParameters,omitempty"`
	SQS        *struct{} `json:"SqsParameters,omitempty"`
	Redshift   *struct{} `json:"RedshiftDataParameters,omitempty"`
	SageMaker  *struct{} `json:"SageMakerPipelineParameters,omitempty"`
	AppSync    *struct{} `json:"AppSyncParameters,omitempty"`
	DeadLetter *struct{} `json:"DeadLetterConfig,omitempty"`
}

// understood checks that everything that was said about a target means something here.
func (t *target) understood() error {
	for name, given := range map[string]*struct{}{"KinesisParameters": t.Kinesis, "RunCommandParameters": t.RunCommand, "EcsParameters": t.ECS,
		"BatchParameters": t.Batch, "RedshiftDataParameters": t.Redshift, "SageMakerPipelineParameters": t.SageMaker, "AppSyncParameters": t.AppSync} {
		if given != nil {
			return invalid(name, "the built-in event bus invokes SNS topics, SQS queues and API destinations.")
		}
	}
	switch {
	case t.SQS != nil:
		return invalid("SqsParameters", "FIFO queues are not supported by the built-in event bus.")
	case t.DeadLetter != nil:
		return invalid("DeadLetterConfig", "the built-in event bus keeps what it cannot deliver itself: see GET /v1/waxwing/events/dead-letters.")
	default:
		return nil
	}
}

// read makes of it what the domain knows.
func (t *target) read() (bus.Target, error) {
	out := bus.Target{ID: t.ID, ARN: t.ARN, Settings: bus.Settings{RoleARN: t.RoleARN, Input: bus.Input{Constant: t.Input, Path: t.InputPath}}}
	if x := t.Transformer; x != nil {
		out.Input.Template, out.Input.Paths = x.Template, x.Paths
	}
	if h := t.HTTP; h != nil {
		out.HTTP = &bus.HTTPParameters{Path: h.Path, Header: h.Header, Query: h.Query}
	}
	if r := t.Retry; r != nil {
		if r.Retries != nil {
			out.Attempts = *r.Retries + 1
		}
		if r.MaxAge != nil {
			out.MaxAge = *r.MaxAge
		}
	}
	return out, t.understood()
}

// written is the inverse of read.
func written(t *bus.Target) target {
	out := target{ID: t.ID, ARN: t.ARN, RoleARN: t.RoleARN, Input: t.Input.Constant, InputPath: t.Input.Path}
	if t.Input.Template != "" {
		out.Transformer = &transformer{Paths: t.Input.Paths, Template: t.Input.Template}
	}
	if h := t.HTTP; h != nil {
		out.HTTP = &httpParameters{Path: h.Path, Header: h.Header, Query: h.Query}
	}
	if t.Attempts > 0 || t.MaxAge > 0 {
		out.Retry = &retryPolicy{}
		if retries := t.Attempts - 1; retries >= 0 {
			out.Retry.Retries = &retries
		}
		if t.MaxAge > 0 {
			out.Retry.MaxAge = &t.MaxAge
		}
	}
	return out
}

type putTargetsInput struct {
	Rule         string   `json:"Rule" required:"true" len:"1..64" pattern:"[\\.\\-_A-Za-z0-9]+"`
	EventBusName string   `json:"EventBusName" len:"1..1600"`
	Targets      []target `json:"Targets" required:"true" len:"1..100"`
}

// targetsOutput tells of targets one by one. Putting them succeeds or fails as a whole.
type targetsOutput struct {
	FailedEntryCount int
	FailedEntries    []failedTarget
}

type failedTarget struct {
	TargetID     string `json:"TargetId"`
	ErrorCode    string
	ErrorMessage string
}

func (s server) putTargets(ctx context.Context, in *putTargetsInput) (*targetsOutput, error) {
	scope, err := onDefault(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	list := make([]bus.Target, len(in.Targets))
	for i := range in.Targets {
		if list[i], err = in.Targets[i].read(); err != nil {
			return nil, err
		}
	}
	return &targetsOutput{FailedEntries: []failedTarget{}}, s.Bus.PutTargets(ctx, scope.AccountID, in.Rule, list)
}

type removeTargetsInput struct {
	Rule         string   `json:"Rule" required:"true" len:"1..64" pattern:"[\\.\\-_A-Za-z0-9]+"`
	EventBusName string   `json:"EventBusName" len:"1..1600"`
	IDs          []string `json:"Ids" required:"true" len:"1..100" each:"1..64"`
	Force        bool     `json:"Force"` // for rules that AWS manages: there are none
}

func (s server) removeTargets(ctx context.Context, in *removeTargetsInput) (*targetsOutput, error) {
	scope, err := onDefault(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	missing, err := s.Bus.RemoveTargets(ctx, scope.AccountID, in.Rule, in.IDs)
	if err != nil {
		return nil, err
	}
	out := &targetsOutput{FailedEntryCount: len(missing), FailedEntries: make([]failedTarget, len(missing))}
	for i, id := range missing {
		out.FailedEntries[i] = failedTarget{id, "ResourceNotFoundException", "Target " + id + " does not exist on Rule " + in.Rule + "."}
	}
	return out, nil
}

type listTargetsInput struct {
	Rule         string `json:"Rule" required:"true" len:"1..64" pattern:"[\\.\\-_A-Za-z0-9]+"`
	EventBusName string `json:"EventBusName" len:"1..1600"`
	NextToken    string `json:"NextToken" len:"1..2048"`
	Limit        int    `json:"Limit" range:"1..100"`
}

type listTargetsOutput struct {
	Targets   []target
	NextToken string `json:",omitempty"`
}

func (s server) listTargetsByRule(ctx context.Context, in *listTargetsInput) (*listTargetsOutput, error) {
	scope, err := onDefault(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	found, next, err := list(ctx, s.Pages, in.NextToken, in.Limit, []string{in.Rule}, func(t *bus.Target) string { return t.ID },
		func(after string, limit int) ([]bus.Target, error) {
			return s.Bus.Store.BusTargets(ctx, bus.RuleARN(scope, in.Rule), after, limit)
		})
	if err != nil {
		return nil, err
	}
	out := &listTargetsOutput{Targets: make([]target, len(found)), NextToken: next}
	for i := range found {
		out.Targets[i] = written(&found[i])
	}
	return out, nil
}

type listRuleNamesInput struct {
	TargetARN    string `json:"TargetArn" required:"true" len:"1..1600"`
	EventBusName string `json:"EventBusName" len:"1..1600"`
	NextToken    string `json:"NextToken" len:"1..2048"`
	Limit        int    `json:"Limit" range:"1..100"`
}

type listRuleNamesOutput struct {
	RuleNames []string
	NextToken string `json:",omitempty"`
}

func (s server) listRuleNamesByTarget(ctx context.Context, in *listRuleNamesInput) (*listRuleNamesOutput, error) {
	scope, err := onDefault(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	found, next, err := list(ctx, s.Pages, in.NextToken, in.Limit, []string{in.TargetARN}, func(name *string) string { return *name },
		func(after string, limit int) ([]string, error) {
			return s.Bus.Store.BusRuleNames(ctx, scope.AccountID, in.TargetARN, after, limit)
		})
	if err != nil {
		return nil, err
	}
	return &listRuleNamesOutput{RuleNames: append([]string{}, found...), NextToken: next}, nil
}
