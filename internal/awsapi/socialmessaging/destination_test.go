package socialmessaging

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
)

const destinations = "/v1/whatsapp/waba/eventdestinations"

func to(arn, role string) []object {
	d := object{"eventDestinationArn": arn}
	if role != "" {
		d["roleArn"] = role
	}
	return []object{d}
}

func TestPutDestinations(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		id   string
		list any
		want *account.Destination
	}{
		{"topic", wabaID, to(topicARN, ""), &account.Destination{ARN: topicARN}},
		{"topic, by ARN", wabaARN, to(topicARN, ""), &account.Destination{ARN: topicARN}},
		{"topic with role", wabaID, to(topicARN, roleARN), &account.Destination{ARN: topicARN, RoleARN: roleARN}},
		{"Connect instance", wabaID, to(connect, roleARN), &account.Destination{ARN: connect, RoleARN: roleARN}},
		{"none", wabaID, []object{}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.wabas[0].Destination = &account.Destination{ARN: "the one before"}
			got := b.Do(t, "PUT", destinations, object{"id": tc.id, "eventDestinations": tc.list})
			if got.Status != 200 || string(got.Body) != "{}" {
				t.Fatalf("answer = %d %s", got.Status, got.Body)
			}
			if diff := cmp.Diff(tc.want, b.wabas[0].Destination); diff != "" {
				t.Errorf("destination (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPutDestinationsRefuses(t *testing.T) {
	t.Parallel()
	before := &account.Destination{ARN: "the one before"}
	for _, tc := range []struct {
		name   string
		id     string
		list   any
		code   string
		text   string
		broken error
	}{
		{"no list", wabaID, nil, "ValidationException", "Value null at 'eventDestinations' failed", nil},
		{"no id", "", []object{}, "ValidationException", "'id'", nil},
		{"two", wabaID, append(to(topicARN, ""), to(topicARN, "")...), "ValidationException",
			"Value '[more than 1 items]' at 'eventDestinations' failed to satisfy constraint: Member must have length less than or equal to 1", nil},
		{"entry without ARN", wabaID, []object{{}}, "ValidationException",
			"Value null at 'eventDestinations.1.member.eventDestinationArn' failed to satisfy constraint: Member must not be null", nil},
		{"not an ARN", wabaID, to("whatsapp-events", ""), "ValidationException",
			"'eventDestinations.1.member.eventDestinationArn' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:.*:[a-z-]+([/:](.*))?", nil},
		{"role with a path", wabaID, to(connect, "arn:aws:iam::111122223333:role/team/ConnectBridge"), "ValidationException",
			`pattern: arn:.*:iam::\d{12}:role\/[a-zA-Z0-9+=,.@\-_]+`, nil},
		{"half an ARN", wabaID, to("arn:aws:sns", ""), "InvalidParametersException", "complete ARN", nil},
		{"FIFO topic", wabaID, to(topicARN+".fifo", ""), "InvalidParametersException", "FIFO", nil},
		{"another Region's topic", wabaID, to(strings.Replace(topicARN, region, "us-east-1", 1), ""), "InvalidParametersException", "same Region", nil},
		{"another partition's topic", wabaID, to(strings.Replace(topicARN, "aws", "aws-cn", 1), ""), "InvalidParametersException", "same Region", nil},
		{"another account's topic", wabaID, to(strings.Replace(topicARN, accountID, otherID, 1), ""), "InvalidParametersException", "belong to this account", nil},
		{"a subscription", wabaID, to(topicARN+":0a1b2c3d-0000-4000-8000-000000000000", ""), "InvalidParametersException", "not the ARN of an SNS topic", nil},
		{"a queue", wabaID, to("arn:aws:sqs:eu-west-1:111122223333:queue", ""), "InvalidParametersException", "neither", nil},
		{"Connect without role", wabaID, to(connect, ""), "InvalidParametersException", "roleArn is required", nil},
		{"Connect contact flow", wabaID, to(connect+"/contact-flow/x", roleARN), "InvalidParametersException", "not the ARN of an Amazon Connect instance", nil},
		{"another account's role", wabaID, to(topicARN, strings.Replace(roleARN, accountID, otherID, 1)), "InvalidParametersException", "role of this account", nil},
		{"unknown business account", "waba-" + strings.Repeat("0", 32), []object{}, "InvalidParametersException", "There is no WhatsApp Business Account", nil},
		{"another account's", strings.Replace(wabaARN, accountID, otherID, 1), []object{}, "InvalidParametersException", "There is no WhatsApp Business Account", nil},
		{"store down", wabaID, []object{}, "InternalServiceException", "", errors.New("boom")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.wabas[0].Destination, b.broken = before, tc.broken
			body := object{}
			if tc.id != "" {
				body["id"] = tc.id
			}
			if tc.list != nil {
				body["eventDestinations"] = tc.list
			}
			got := b.Do(t, "PUT", destinations, body)
			if got.Code() != tc.code || !strings.Contains(got.Message(), tc.text) {
				t.Errorf("answer = %d %s %q\nwant %s %q", got.Status, got.Code(), got.Message(), tc.code, tc.text)
			}
			if b.wabas[0].Destination != before {
				t.Errorf("the destination changed to %v", b.wabas[0].Destination)
			}
		})
	}
}
