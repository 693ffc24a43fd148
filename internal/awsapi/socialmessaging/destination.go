package socialmessaging

import (
	"context"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// eventDestination is WhatsAppBusinessAccountEventDestination, in inputs and outputs. The pattern of roles admits none with a
// path.
type eventDestination struct {
	ARN     string `json:"eventDestinationArn" required:"true" len:"0..2048" pattern:"arn:.*:[a-z-]+([/:](.*))?"`
	RoleARN string `json:"roleArn,omitempty" pattern:"arn:.*:iam::\\d{12}:role\\/[a-zA-Z0-9+=,.@\\-_]+"`
}

type putDestinationsInput struct {
	ID           string             `json:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
	Destinations []eventDestination `json:"eventDestinations" required:"true" len:"0..1"`
}

// putDestinations replaces the destination; an empty list stops publishing. The destination is checked for what it is, not
// whether it can be reached: that shows when events are delivered.
func (s server) putDestinations(ctx context.Context, in *putDestinationsInput) (*struct{}, error) {
	scope := awsapi.From(ctx).Scope()
	key, ok := account.ResolveKey(scope, account.KindWABA, in.ID)
	if !ok {
		return nil, noWABA(in.ID)
	}
	var destination *account.Destination
	if len(in.Destinations) > 0 {
		d := in.Destinations[0]
		if err := checkDestination(scope, d); err != nil {
			return nil, err
		}
		destination = &account.Destination{ARN: d.ARN, RoleARN: d.RoleARN}
	}
	return new(struct{}), named(s.Accounts.SetDestination(ctx, scope.AccountID, key, destination), noWABA(in.ID))
}

// checkDestination admits a standard SNS topic, or an Amazon Connect instance with the role it needs, of the caller's own
// account and Region.
func checkDestination(scope account.Scope, d eventDestination) error {
	parts := strings.SplitN(d.ARN, ":", 6)
	if len(parts) < 6 {
		return refuse("eventDestinationArn %s is not a complete ARN.", d.ARN)
	}
	partition, service, region, owner, resource := parts[1], parts[2], parts[3], parts[4], parts[5]
	switch service {
	case "sns":
		switch {
		case strings.HasSuffix(resource, ".fifo"):
			return refuse("eventDestinationArn %s is a FIFO topic. Events can only be published to standard topics.", d.ARN)
		case !topicName(resource):
			return refuse("eventDestinationArn %s is not the ARN of an SNS topic.", d.ARN)
		}
	case "connect":
		switch id, ok := strings.CutPrefix(resource, "instance/"); {
		case !ok || id == "" || strings.Contains(id, "/"):
			return refuse("eventDestinationArn %s is not the ARN of an Amazon Connect instance.", d.ARN)
		case d.RoleARN == "":
			return refuse("roleArn is required when the event destination is an Amazon Connect instance.")
		}
	default:
		return refuse("eventDestinationArn %s is neither an SNS topic nor an Amazon Connect instance.", d.ARN)
	}
	switch {
	case partition != scope.Partition || region != scope.Region:
		return refuse("eventDestinationArn %s must be in the same Region as the WhatsApp Business Account, %s.", d.ARN, scope.Region)
	case owner != scope.AccountID:
		return refuse("eventDestinationArn %s must belong to this account, %s.", d.ARN, scope.AccountID)
	case d.RoleARN != "" && !strings.HasPrefix(d.RoleARN, "arn:"+scope.Partition+":iam::"+scope.AccountID+":role/"):
		return refuse("roleArn %s must be a role of this account, %s.", d.RoleARN, scope.AccountID)
	}
	return nil
}

// topicName reports whether s can be the name of a topic: 1 to 256 letters, digits, hyphens and underscores (SNS).
func topicName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 256
}

func refuse(format string, args ...any) error {
	return fault.New(fault.InvalidParameters, format, args...)
}
