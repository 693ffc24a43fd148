package events_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/uuid"
)

func order(detail string) types.PutEventsRequestEntry {
	return types.PutEventsRequestEntry{Source: aws.String("shop"), DetailType: aws.String("Order"), Detail: &detail}
}

func with(e types.PutEventsRequestEntry, change func(*types.PutEventsRequestEntry)) types.PutEventsRequestEntry {
	change(&e)
	return e
}

// connect makes an API destination at a URL and returns its ARN.
func (n *node) connect(t *testing.T, name, url string) string {
	t.Helper()
	c := ok[*eventbridge.CreateConnectionOutput](t)(n.CreateConnection(t.Context(), &eventbridge.CreateConnectionInput{Name: &name,
		AuthorizationType: types.ConnectionAuthorizationTypeApiKey, AuthParameters: &types.CreateConnectionAuthRequestParameters{
			ApiKeyAuthParameters: &types.CreateConnectionApiKeyAuthRequestParameters{ApiKeyName: aws.String("X-Api-Key"), ApiKeyValue: aws.String("s3cret")}}}))
	d := ok[*eventbridge.CreateApiDestinationOutput](t)(n.CreateApiDestination(t.Context(), &eventbridge.CreateApiDestinationInput{Name: &name,
		ConnectionArn: c.ConnectionArn, InvocationEndpoint: &url, HttpMethod: types.ApiDestinationHttpMethodPost}))
	return *d.ApiDestinationArn
}

// An event that is put arrives at the API destination of the rule that it matches, with the secret header, as its input says.
func TestPutEventsArrive(t *testing.T) {
	t.Parallel()
	n, ctx := newNode(t), t.Context()
	url, requests := endpoint(t)
	hook := n.connect(t, "hook", url+"/in")
	if _, err := n.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("large"), EventPattern: aws.String(`{"source":["shop"],"detail":{"price":[{"numeric":[">",100]}]}}`)}); err != nil {
		t.Fatal(err)
	}
	n.targets(t, "large", types.Target{Id: aws.String("whole"), Arn: &hook})
	at := time.Date(2026, 11, 23, 12, 0, 0, 500_000_000, time.UTC)
	out := ok[*eventbridge.PutEventsOutput](t)(n.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{order(`{"price": 7}`),
		with(order(`{"price": 700, "text": "<é>"}`), func(e *types.PutEventsRequestEntry) {
			e.Time, e.Resources, e.EventBusName = &at, []string{"r"}, aws.String("default")
		})}}))
	if out.FailedEntryCount != 0 || len(out.Entries) != 2 {
		t.Fatalf("put %+v", out)
	}
	got := next(t, requests)
	want := `{"version":"0","id":"` + *out.Entries[1].EventId + `","detail-type":"Order","source":"shop","account":"` + owner +
		`","time":"2026-11-23T12:00:00Z","region":"us-east-1","resources":["r"],"detail":{"price":700,"text":"<é>"}}`
	same(t, "body", got.body, want)
	same(t, "secret", got.header.Get("X-Api-Key"), "s3cret")

	n.targets(t, "large", types.Target{Id: aws.String("whole"), Arn: &hook, InputTransformer: &types.InputTransformer{
		InputPathsMap: map[string]string{"price": "$.detail.price"}, InputTemplate: aws.String(`{"text": "costs <price>", "price": <price>}`)}})
	ok[*eventbridge.PutEventsOutput](t)(n.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{order(`{"price": 800}`)}}))
	for { // what was read before the change may still go out as it was
		if got := next(t, requests); got.body == `{"text": "costs 800", "price": 800}` {
			break
		} else if !strings.Contains(got.body, `"price":800`) {
			t.Fatalf("body %s", got.body)
		}
		ok[*eventbridge.PutEventsOutput](t)(n.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{order(`{"price": 800}`)}}))
	}
}

func TestPutEventsTellsOfEachEntry(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	entries := []types.PutEventsRequestEntry{
		order(`{}`),
		with(order(`{}`), func(e *types.PutEventsRequestEntry) { e.Source = nil }),
		with(order(`{}`), func(e *types.PutEventsRequestEntry) { e.DetailType = aws.String("") }),
		with(order(`{}`), func(e *types.PutEventsRequestEntry) { e.Detail = nil }),
		order(`[1]`),
		order(`"{}"`),
		with(order(`{}`), func(e *types.PutEventsRequestEntry) { e.Source = aws.String("aws.social-messaging") }),
		with(order(`{}`), func(e *types.PutEventsRequestEntry) { e.EventBusName = aws.String("other") }),
		with(order(`{}`), func(e *types.PutEventsRequestEntry) {
			e.EventBusName = aws.String("arn:aws:events:us-east-1:" + owner + ":event-bus/default")
		}),
	}
	out := ok[*eventbridge.PutEventsOutput](t)(n.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: entries}))
	same(t, "failed", out.FailedEntryCount, int32(7))
	for i, want := range [][2]string{
		{}, {"InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument."},
		{"InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType is a required argument."},
		{"InvalidArgument", "Parameter Detail is not valid. Reason: Detail is a required argument."},
		{"MalformedDetail", "Detail is malformed."}, {"MalformedDetail", "Detail is malformed."},
		{"NotAuthorizedForSourceException", "Not authorized for the source."},
		{"ResourceNotFoundException", "Event bus other does not exist."}, {},
	} {
		got := out.Entries[i]
		if code, text := aws.ToString(got.ErrorCode), aws.ToString(got.ErrorMessage); code != want[0] || text != want[1] {
			t.Errorf("entry %d: %s: %s, want %s: %s", i, code, text, want[0], want[1])
		}
		if _, err := uuid.Parse(aws.ToString(got.EventId)); (err == nil) != (want[0] == "") {
			t.Errorf("entry %d has the id %q", i, aws.ToString(got.EventId))
		}
	}
}

func TestPutEventsRefuses(t *testing.T) {
	t.Parallel()
	n, ctx := newNode(t), t.Context()
	large := order(`{"x":"` + strings.Repeat(`\"`, 300_000) + `"}`)
	_, err := n.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{large, large}})
	refused(t, "too much", err, "ValidationException", "Total size of the entries in the request is over the limit.")
	if out, err := n.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{large}}); err != nil || out.FailedEntryCount != 0 {
		t.Errorf("600 KB: %+v, %v", out, err)
	}
	_, err = n.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: make([]types.PutEventsRequestEntry, 11)})
	refused(t, "eleven", err, "ValidationException",
		"1 validation error detected: Value '[more than 10 items]' at 'entries' failed to satisfy constraint: Member must have length less than or equal to 10")
	_, err = n.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{}})
	refused(t, "none", err, "ValidationException",
		"1 validation error detected: Value '[0 items]' at 'entries' failed to satisfy constraint: Member must have length greater than or equal to 1")
}

func TestTestEventPattern(t *testing.T) {
	t.Parallel()
	n, ctx := newNode(t), t.Context()
	const event = `{"id":"1","source":"shop","detail-type":"Order","account":"1","region":"r","time":"2026-11-23T12:00:00Z","detail":{"n":5}}`
	for pattern, want := range map[string]bool{`{"source":["shop"]}`: true, `{"source":["other"]}`: false, `{"detail":{"n":[{"numeric":["<",6]}]}}`: true} {
		out := ok[*eventbridge.TestEventPatternOutput](t)(n.TestEventPattern(ctx, &eventbridge.TestEventPatternInput{EventPattern: &pattern, Event: aws.String(event)}))
		same(t, pattern, out.Result, want)
	}
	for _, bad := range []string{"plain string", `["plain string"]`, `{"testEvent":"value"}`, `null`, ``} {
		_, err := n.TestEventPattern(ctx, &eventbridge.TestEventPatternInput{EventPattern: aws.String(`{"a":["b"]}`), Event: &bad})
		refused(t, bad, err, "ValidationException", "Parameter Event is not valid.")
	}
	_, err := n.TestEventPattern(ctx, &eventbridge.TestEventPatternInput{EventPattern: aws.String(`{"a":"b"}`), Event: aws.String(event)})
	if err == nil || !strings.Contains(err.Error(), "InvalidEventPatternException: Event pattern is not valid. Reason: ") {
		t.Errorf("a pattern that is none: %v", err)
	}
	_, err = n.TestEventPattern(ctx, &eventbridge.TestEventPatternInput{EventPattern: aws.String(strings.Repeat(" ", 4097)), Event: aws.String(event)})
	if err == nil || !strings.Contains(err.Error(), "'eventPattern' failed to satisfy constraint: Member must have length less than or equal to 4096") {
		t.Errorf("a pattern too long: %v", err)
	}
}

// The output is exactly AWS's: members that SDKs do not show are seen here.
func TestWireForm(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	c := n.raw
	c.Header.Set("X-Amz-Target", "AWSEvents.PutEvents")
	c.Header.Set("Content-Type", "application/x-amz-json-1.1")
	got := c.Do(t, "POST", "/", `{"Entries":[{"Source":"a","DetailType":"b","Detail":"{}","Time":1763800000}, {}]}`)
	var out map[string]json.RawMessage
	got.JSON(t, &out)
	if got.Status != 200 || got.Header.Get("Content-Type") != "application/x-amz-json-1.1" || got.Header.Get("X-Amzn-Requestid") == "" ||
		string(out["FailedEntryCount"]) != "1" || len(out) != 2 {
		t.Errorf("answer %d %v %s", got.Status, got.Header, got.Body)
	}
}
