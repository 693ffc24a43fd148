package events_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/events"
)

var plain = cmp.Options{cmpopts.IgnoreTypes(middleware.Metadata{}), cmpopts.IgnoreUnexported(eventbridge.DescribeRuleOutput{}, types.Rule{},
	types.Target{}, types.InputTransformer{}, types.HttpParameters{}, types.RetryPolicy{}, eventbridge.DescribeConnectionOutput{}, types.Connection{},
	types.ConnectionAuthResponseParameters{}, types.ConnectionApiKeyAuthResponseParameters{}, types.ConnectionBasicAuthResponseParameters{},
	eventbridge.DescribeApiDestinationOutput{}, types.ApiDestination{}, eventbridge.DescribeEventBusOutput{}, types.EventBus{})}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, plain); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	n, ctx := newNode(t), t.Context()
	arn := "arn:aws:events:us-east-1:" + owner + ":rule/orders"
	same(t, "arn", n.rule(t, "orders"), arn)
	describe := ok[*eventbridge.DescribeRuleOutput](t)
	want := &eventbridge.DescribeRuleOutput{Name: aws.String("orders"), Arn: &arn, EventPattern: aws.String(anything), State: types.RuleStateEnabled,
		EventBusName: aws.String("default"), CreatedBy: aws.String(owner)}
	same(t, "rule", describe(n.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String("orders")})), want)

	// Putting it again replaces everything; what is left out is gone.
	bus := "arn:aws:events:us-east-1:" + owner + ":event-bus/default"
	ok[*eventbridge.PutRuleOutput](t)(n.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("orders"), EventBusName: &bus, EventPattern: aws.String(`{"account":["1"]}`),
		State: types.RuleStateDisabled, Description: aws.String("some"), RoleArn: aws.String("arn:aws:iam::" + owner + ":role/r")}))
	want.EventPattern, want.State, want.Description, want.RoleArn = aws.String(`{"account":["1"]}`), types.RuleStateDisabled, aws.String("some"), aws.String("arn:aws:iam::"+owner+":role/r")
	same(t, "replaced", describe(n.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String("orders"), EventBusName: aws.String("default")})), want)
	n.rule(t, "orders")
	want.EventPattern, want.State, want.Description, want.RoleArn = aws.String(anything), types.RuleStateEnabled, nil, nil
	same(t, "replaced again", describe(n.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String("orders")})), want)

	ok[*eventbridge.DisableRuleOutput](t)(n.DisableRule(ctx, &eventbridge.DisableRuleInput{Name: aws.String("orders")}))
	same(t, "disabled", describe(n.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String("orders")})).State, types.RuleStateDisabled)
	ok[*eventbridge.EnableRuleOutput](t)(n.EnableRule(ctx, &eventbridge.EnableRuleInput{Name: aws.String("orders")}))
	same(t, "enabled", describe(n.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String("orders")})).State, types.RuleStateEnabled)

	n.targets(t, "orders", types.Target{Id: aws.String("t"), Arn: aws.String(orders)})
	_, err := n.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: aws.String("orders")})
	refused(t, "deleting a rule with targets", err, "ValidationException", "Rule can't be deleted since it has targets.")
	ok[*eventbridge.RemoveTargetsOutput](t)(n.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: aws.String("orders"), Ids: []string{"t"}}))
	for range 2 { // a second time is fine
		ok[*eventbridge.DeleteRuleOutput](t)(n.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: aws.String("orders"), Force: true}))
	}
	const gone = "Rule orders does not exist on EventBus default."
	_, err = n.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String("orders")})
	refused(t, "describing what is gone", err, "ResourceNotFoundException", gone)
	_, err = n.EnableRule(ctx, &eventbridge.EnableRuleInput{Name: aws.String("orders")})
	refused(t, "enabling it", err, "ResourceNotFoundException", gone)
	_, err = n.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: aws.String("orders")})
	refused(t, "listing its targets", err, "ResourceNotFoundException", gone)
	_, err = n.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: aws.String("orders"), Ids: []string{"t"}})
	refused(t, "removing its targets", err, "ResourceNotFoundException", gone)
	_, err = n.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String("orders"), Targets: []types.Target{{Id: aws.String("t"), Arn: aws.String(orders)}}})
	refused(t, "giving it targets", err, "ResourceNotFoundException", gone)
}

func TestPutRuleRefuses(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	for _, tc := range []struct {
		name       string
		in         eventbridge.PutRuleInput
		code, text string
	}{
		{"nothing to go by", eventbridge.PutRuleInput{}, "ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified."},
		{"schedule", eventbridge.PutRuleInput{ScheduleExpression: aws.String("rate(5 minutes)")}, "ValidationException",
			"Parameter ScheduleExpression is not valid. Reason: schedules are not supported by the built-in event bus."},
		{"tags", eventbridge.PutRuleInput{EventPattern: aws.String(anything), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}, "ValidationException",
			"Parameter Tags is not valid. Reason: tags are not supported by the built-in event bus."},
		{"pattern", eventbridge.PutRuleInput{EventPattern: aws.String(`{"source":[]}`)}, "InvalidEventPatternException",
			"Event pattern is not valid. Reason: Empty arrays are not allowed"},
		{"another bus", eventbridge.PutRuleInput{EventPattern: aws.String(anything), EventBusName: aws.String("orders")}, "ResourceNotFoundException",
			"Event bus orders does not exist."},
		{"another account's bus", eventbridge.PutRuleInput{EventPattern: aws.String(anything), EventBusName: aws.String("arn:aws:events:us-east-1:999999999999:event-bus/default")},
			"ResourceNotFoundException", "Event bus default does not exist."},
		{"name and state", eventbridge.PutRuleInput{Name: aws.String("a b"), State: "ON"}, "ValidationException",
			"2 validation errors detected: Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+; " +
				"Value 'ON' at 'state' failed to satisfy constraint: Member must satisfy enum value set: [ENABLED, DISABLED, ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if tc.in.Name == nil {
				tc.in.Name = aws.String("r")
			}
			_, err := n.PutRule(t.Context(), &tc.in)
			refused(t, "PutRule", err, tc.code, tc.text)
		})
	}
}

func TestListRules(t *testing.T) {
	t.Parallel()
	n, ctx := newNode(t), t.Context()
	var names []string
	for i := range 7 {
		names = append(names, fmt.Sprint("rule-", i))
		n.rule(t, names[i])
	}
	n.rule(t, "other")
	var got []string
	in := &eventbridge.ListRulesInput{NamePrefix: aws.String("rule-"), Limit: aws.Int32(3)}
	for pages := 1; ; pages++ {
		out := ok[*eventbridge.ListRulesOutput](t)(n.ListRules(ctx, in))
		for _, r := range out.Rules {
			got = append(got, *r.Name)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			same(t, "pages", pages, 3)
			break
		}
	}
	same(t, "names", got, names)
	all := ok[*eventbridge.ListRulesOutput](t)(n.ListRules(ctx, &eventbridge.ListRulesInput{}))
	same(t, "first of all", all.Rules[0], types.Rule{Name: aws.String("other"), Arn: aws.String("arn:aws:events:us-east-1:" + owner + ":rule/other"),
		EventPattern: aws.String(anything), State: types.RuleStateEnabled, EventBusName: aws.String("default")})
	same(t, "a stranger's", len(ok[*eventbridge.ListRulesOutput](t)(n.stranger.ListRules(ctx, &eventbridge.ListRulesInput{})).Rules), 0)
	page := ok[*eventbridge.ListRulesOutput](t)(n.ListRules(ctx, &eventbridge.ListRulesInput{Limit: aws.Int32(1)}))
	_, err := n.ListRules(ctx, &eventbridge.ListRulesInput{Limit: aws.Int32(1), NamePrefix: aws.String("rule-"), NextToken: page.NextToken})
	refused(t, "a token of another list", err, "ValidationException", "Parameter NextToken is not valid.")
	_, err = n.ListRules(ctx, &eventbridge.ListRulesInput{Limit: aws.Int32(101)})
	refused(t, "a page too large", err, "ValidationException",
		"1 validation error detected: Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100")
}

func TestTargets(t *testing.T) {
	t.Parallel()
	n, ctx := newNode(t), t.Context()
	n.rule(t, "orders")
	n.rule(t, "more")
	list := []types.Target{
		{Id: aws.String("a"), Arn: aws.String(orders), RoleArn: aws.String("arn:aws:iam::" + owner + ":role/r")},
		{Id: aws.String("b"), Arn: aws.String("arn:aws:sqs:us-east-1:" + owner + ":q"), InputPath: aws.String("$.detail"),
			RetryPolicy: &types.RetryPolicy{MaximumRetryAttempts: aws.Int32(0), MaximumEventAgeInSeconds: aws.Int32(60)}},
		{Id: aws.String("c"), Arn: aws.String(orders), InputTransformer: &types.InputTransformer{InputPathsMap: map[string]string{"x": "$.id"}, InputTemplate: aws.String(`"<x>"`)}},
		{Id: aws.String("d"), Arn: aws.String(orders), Input: aws.String(`{"a":1}`)},
	}
	n.targets(t, "orders", list...)
	n.targets(t, "more", list[3])
	get := ok[*eventbridge.ListTargetsByRuleOutput](t)
	same(t, "targets", get(n.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: aws.String("orders")})).Targets, list)
	first := get(n.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: aws.String("orders"), Limit: aws.Int32(3)}))
	same(t, "first page", first.Targets, list[:3])
	same(t, "second page", get(n.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: aws.String("orders"), Limit: aws.Int32(3), NextToken: first.NextToken})).Targets, list[3:])

	names := ok[*eventbridge.ListRuleNamesByTargetOutput](t)
	page := names(n.ListRuleNamesByTarget(ctx, &eventbridge.ListRuleNamesByTargetInput{TargetArn: aws.String(orders), Limit: aws.Int32(1)}))
	same(t, "rules of a target", page.RuleNames, []string{"more"})
	same(t, "and more", names(n.ListRuleNamesByTarget(ctx, &eventbridge.ListRuleNamesByTargetInput{TargetArn: aws.String(orders), Limit: aws.Int32(1), NextToken: page.NextToken})).RuleNames, []string{"orders"})
	same(t, "rules of none", names(n.ListRuleNamesByTarget(ctx, &eventbridge.ListRuleNamesByTargetInput{TargetArn: aws.String("arn")})).RuleNames, []string{})

	list[0].RoleArn, list[0].Input = nil, aws.String(`[]`)
	n.targets(t, "orders", list[0])
	same(t, "replaced", get(n.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: aws.String("orders")})).Targets, list)
	removed := ok[*eventbridge.RemoveTargetsOutput](t)(n.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: aws.String("orders"), Ids: []string{"a", "x", "d"}}))
	if removed.FailedEntryCount != 1 || *removed.FailedEntries[0].TargetId != "x" || *removed.FailedEntries[0].ErrorCode != "ResourceNotFoundException" {
		t.Errorf("removed %+v", removed)
	}
	same(t, "left", get(n.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: aws.String("orders")})).Targets, list[1:3])
}

func TestPutTargetsRefuses(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.rule(t, "r")
	with := func(change func(*types.Target)) []types.Target {
		target := types.Target{Id: aws.String("t"), Arn: aws.String(orders)}
		change(&target)
		return []types.Target{target}
	}
	var six []types.Target
	for i := range 6 {
		six = append(six, types.Target{Id: aws.String(fmt.Sprint(i)), Arn: aws.String(orders)})
	}
	for _, tc := range []struct {
		name       string
		targets    []types.Target
		code, text string
	}{
		{"six", six, "LimitExceededException", "The requested resource exceeds the maximum number allowed."},
		{"id", with(func(x *types.Target) { x.Id = aws.String("!@#$") }), "ValidationException",
			"1 validation error detected: Value '!@#$' at 'targets.1.member.id' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+"},
		{"no ARN", with(func(x *types.Target) { x.Arn = aws.String("q") }), "ValidationException",
			"Parameter Arn is not valid. Reason: Provided Arn is not in correct format."},
		{"function", with(func(x *types.Target) { x.Arn = aws.String("arn:aws:lambda:us-east-1:" + owner + ":function:f") }), "ValidationException",
			"Parameter Arn is not valid. Reason: the built-in event bus invokes SNS topics, SQS queues and API destinations, not lambda."},
		{"stranger's topic", with(func(x *types.Target) { x.Arn = aws.String("arn:aws:sns:us-east-1:999999999999:orders") }), "ValidationException",
			"Parameter Arn is not valid. Reason: a target has to be in the account and Region of its rule."},
		{"API destination that is not there", with(func(x *types.Target) {
			x.Arn = aws.String("arn:aws:events:us-east-1:" + owner + ":api-destination/a/1")
		}), "ValidationException",
			"Parameter Arn is not valid. Reason: there is no API destination arn:aws:events:us-east-1:" + owner + ":api-destination/a/1."},
		{"two inputs", with(func(x *types.Target) { x.Input, x.InputPath = aws.String("{}"), aws.String("$") }), "ValidationException",
			"Only one of Input, InputPath, or InputTransformer must be provided for target t."},
		{"placeholder", with(func(x *types.Target) {
			x.InputTransformer = &types.InputTransformer{InputTemplate: aws.String(`"<notdefinedkey>"`)}
		}), "ValidationException",
			"InputTemplate for target t contains invalid placeholder notdefinedkey."},
		{"dead letters", with(func(x *types.Target) { x.DeadLetterConfig = &types.DeadLetterConfig{Arn: aws.String(orders)} }), "ValidationException",
			"Parameter DeadLetterConfig is not valid. Reason: the built-in event bus keeps what it cannot deliver itself: see GET /v1/waxwing/events/dead-letters."},
		{"FIFO", with(func(x *types.Target) { x.SqsParameters = &types.SqsParameters{MessageGroupId: aws.String("g")} }), "ValidationException",
			"Parameter SqsParameters is not valid. Reason: FIFO queues are not supported by the built-in event bus."},
		{"another service", with(func(x *types.Target) {
			x.KinesisParameters = &types.KinesisParameters{PartitionKeyPath: aws.String("$")}
		}), "ValidationException",
			"Parameter KinesisParameters is not valid. Reason: the built-in event bus invokes SNS topics, SQS queues and API destinations."},
		{"retry policy", with(func(x *types.Target) { x.RetryPolicy = &types.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(59)} }), "ValidationException",
			"1 validation error detected: Value '59' at 'targets.1.member.retryPolicy.maximumEventAgeInSeconds' failed to satisfy constraint: Member must have value greater than or equal to 60"},
		{"header", with(func(x *types.Target) {
			x.HttpParameters = &types.HttpParameters{HeaderParameters: map[string]string{"X-Long": strings.Repeat("a", 513)}}
		}), "ValidationException",
			"1 validation error detected: Value '" + strings.Repeat("a", 512) + "…' at 'targets.1.member.httpParameters.headerParameters.X-Long' failed to satisfy constraint: Member must have length less than or equal to 512"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := n.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("r"), Targets: tc.targets})
			refused(t, "PutTargets", err, tc.code, tc.text)
			if out, err := n.ListTargetsByRule(t.Context(), &eventbridge.ListTargetsByRuleInput{Rule: aws.String("r")}); err != nil || len(out.Targets) != 0 {
				t.Errorf("half applied: %v, %v", out, err)
			}
		})
	}
}

func TestEventBuses(t *testing.T) {
	t.Parallel()
	n, ctx := newNode(t), t.Context()
	arn := aws.String("arn:aws:events:us-east-1:" + owner + ":event-bus/default")
	same(t, "described", ok[*eventbridge.DescribeEventBusOutput](t)(n.DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{})),
		&eventbridge.DescribeEventBusOutput{Name: aws.String("default"), Arn: arn})
	_, err := n.DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: aws.String("other")})
	refused(t, "another", err, "ResourceNotFoundException", "Event bus other does not exist.")
	list := ok[*eventbridge.ListEventBusesOutput](t)
	same(t, "listed", list(n.ListEventBuses(ctx, &eventbridge.ListEventBusesInput{NamePrefix: aws.String("def")})).EventBuses, []types.EventBus{{Name: aws.String("default"), Arn: arn}})
	same(t, "others", list(n.ListEventBuses(ctx, &eventbridge.ListEventBusesInput{NamePrefix: aws.String("x")})).EventBuses, []types.EventBus{})
}

// Every operation of the table is one of EventBridge's own, and answers under its name.
func TestTableIsEventBridges(t *testing.T) {
	t.Parallel()
	n, methods := newNode(t), clientMethods()
	call := func(op string) *awsapitest.Response {
		c := n.raw
		c.Header = http.Header{"X-Amz-Target": {"AWSEvents." + op}}
		return c.Do(t, "POST", "/", `{"unknown":1}`)
	}
	for _, op := range events.Service(events.Options{}).Operations {
		if !slices.Contains(methods, op.Name) {
			t.Errorf("EventBridge has no operation %s", op.Name)
		}
		if got := call(op.Name); got.Code() == "UnknownOperationException" || got.Status >= 500 {
			t.Errorf("%s: %d %s", op.Name, got.Status, got.Body)
		}
	}
	if got := call("CreateEventBus"); got.Status != 400 || got.Code() != "UnknownOperationException" {
		t.Errorf("CreateEventBus: %d %s", got.Status, got.Body)
	}
}
