package socialmessaging

import (
	"context"
	"net/http"
	"strings"
	"unicode"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

type tag struct {
	Key   string `json:"key" required:"true" len:"1..128"`
	Value string `json:"value" len:"0..256"`
}

// statusOutput is what changes of tags return: the HTTP status, once more, in the body.
type statusOutput struct {
	StatusCode int `json:"statusCode"`
}

type listTagsInput struct {
	ARN string `query:"resourceArn" required:"true" len:"0..2048" pattern:"arn:.*"`
}

type listTagsOutput struct {
	statusOutput
	Tags []tag `json:"tags"`
}

func (s server) listTags(ctx context.Context, in *listTagsInput) (*listTagsOutput, error) {
	accountID, arn, err := taggable(ctx, in.ARN)
	if err != nil {
		return nil, err
	}
	tags, err := s.Tags.Tags(ctx, accountID, arn)
	if err != nil {
		return nil, named(err, noResource(in.ARN))
	}
	out := &listTagsOutput{statusOutput{http.StatusOK}, make([]tag, len(tags))}
	for i, t := range tags {
		out.Tags[i] = tag(t)
	}
	return out, nil
}

type tagInput struct {
	ARN  string `json:"resourceArn" required:"true" len:"0..2048" pattern:"arn:.*"`
	Tags []tag  `json:"tags" required:"true"`
}

func (s server) tag(ctx context.Context, in *tagInput) (*statusOutput, error) {
	accountID, arn, err := taggable(ctx, in.ARN)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if len(tags) == 0 { // nothing to do, but not to a resource that is not there
		_, err = s.Tags.Tags(ctx, accountID, arn)
	} else {
		err = s.Tags.PutTags(ctx, accountID, arn, tags)
	}
	if err != nil {
		return nil, named(err, noResource(in.ARN))
	}
	return &statusOutput{http.StatusOK}, nil
}

// newTags checks tags that are to be put on a resource.
func newTags(given []tag) ([]account.Tag, error) {
	tags := make([]account.Tag, len(given))
	seen := make(map[string]bool, len(given))
	for i, t := range given {
		if err := checkTag(t); err != nil {
			return nil, err
		}
		if seen[t.Key] {
			return nil, refuse("The tag key %q is given more than once.", t.Key)
		}
		seen[t.Key] = true
		tags[i] = account.Tag(t)
	}
	if len(tags) > maxTags {
		return nil, refuse("A resource can have at most %d tags; the request has %d.", maxTags, len(tags))
	}
	return tags, nil
}

type untagInput struct {
	ARN  string   `json:"resourceArn" required:"true" len:"0..2048" pattern:"arn:.*"`
	Keys []string `json:"tagKeys" required:"true" each:"1..128"`
}

func (s server) untag(ctx context.Context, in *untagInput) (*statusOutput, error) {
	accountID, arn, err := taggable(ctx, in.ARN)
	if err != nil {
		return nil, err
	}
	for _, key := range in.Keys {
		if reserved(key) {
			return nil, refuse("The tag key %q cannot be removed: the prefix aws: is reserved.", key)
		}
	}
	if err := s.Tags.DeleteTags(ctx, accountID, arn, in.Keys); err != nil {
		return nil, named(err, noResource(in.ARN))
	}
	return &statusOutput{http.StatusOK}, nil
}

// taggable returns the account and the canonical ARN of a resource that can have tags. Only ARNs name resources here.
func taggable(ctx context.Context, arn string) (accountID, canonical string, err error) {
	scope := awsapi.From(ctx).Scope()
	for _, kind := range [...]string{account.KindWABA, account.KindPhoneNumber} {
		if key, ok := account.ResolveKey(scope, kind, arn); ok {
			return scope.AccountID, scope.ARN(kind, key), nil
		}
	}
	return "", "", noResource(arn)
}

func noResource(arn string) *fault.Error {
	return fault.New(fault.NotFound, "There is no resource %s in this account and Region that can have tags.", arn)
}

// maxTags is how many tags a resource can have, everywhere in AWS; the service's model does not say.
const maxTags = 50

// checkTag applies the rules that hold for tags across AWS.
func checkTag(t tag) error {
	switch {
	case reserved(t.Key):
		return refuse("The tag key %q is not allowed: the prefix aws: is reserved.", t.Key)
	case !tagText(t.Key) || t.Key != strings.TrimSpace(t.Key):
		return refuse("The tag key %q is not allowed: it may hold letters, digits, inner spaces and _ . : / = + - @", t.Key)
	case !tagText(t.Value):
		return refuse("The value of the tag %q is not allowed: it may hold letters, digits, spaces and _ . : / = + - @", t.Key)
	}
	return nil
}

func reserved(key string) bool { return len(key) >= 4 && strings.EqualFold(key[:4], "aws:") }

func tagText(s string) bool {
	for _, c := range s {
		if !unicode.IsLetter(c) && !unicode.IsNumber(c) && !unicode.Is(unicode.Z, c) &&
			!strings.ContainsRune("_.:/=+-@", c) {
			return false
		}
	}
	return true
}
