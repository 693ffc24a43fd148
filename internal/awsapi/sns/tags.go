package sns

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

type tagResourceInput struct {
	ResourceArn string `form:"ResourceArn"`
	Tags        []tag  `form:"Tags"`
}

// empty is the output of operations whose result element is there, but empty: a field that is never rendered makes it so.
type empty struct {
	None string `xml:",omitempty"`
}

func (s server) tagResource(ctx context.Context, in *tagResourceInput) (*empty, error) {
	if err := own(ctx, "ResourceArn", in.ResourceArn); err != nil {
		return nil, err
	}
	tags := make(map[string]string, len(in.Tags))
	for _, t := range in.Tags {
		tags[t.Key] = t.Value
	}
	return &empty{}, noResource(s.Topics.Tag(ctx, in.ResourceArn, tags))
}

type untagResourceInput struct {
	ResourceArn string   `form:"ResourceArn"`
	TagKeys     []string `form:"TagKeys"`
}

func (s server) untagResource(ctx context.Context, in *untagResourceInput) (*empty, error) {
	if err := own(ctx, "ResourceArn", in.ResourceArn); err != nil {
		return nil, err
	}
	return &empty{}, noResource(s.Topics.Untag(ctx, in.ResourceArn, in.TagKeys))
}

type resourceInput struct {
	ResourceArn string `form:"ResourceArn"`
}

type tagEntry struct {
	Key   string
	Value string
}

type listTagsOutput struct {
	Tags []tagEntry `xml:"Tags>member"`
}

func (s server) listTagsForResource(ctx context.Context, in *resourceInput) (*listTagsOutput, error) {
	if err := own(ctx, "ResourceArn", in.ResourceArn); err != nil {
		return nil, err
	}
	t, err := s.Topics.Store.Topic(ctx, in.ResourceArn)
	if err != nil {
		return nil, noResource(err)
	}
	out := &listTagsOutput{}
	for key, value := range t.Tags {
		out.Tags = append(out.Tags, tagEntry{key, value})
	}
	slices.SortFunc(out.Tags, func(a, b tagEntry) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

// noResource renames a missing topic: the tagging operations have a code of their own for it.
func noResource(err error) error {
	if fault.Is(err, fault.NotFound) {
		return &awsapi.Error{Code: awsapi.Code{Name: "ResourceNotFound", Status: http.StatusNotFound}, Message: "Resource does not exist", Cause: err}
	}
	return err
}
