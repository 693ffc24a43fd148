package socialmessaging

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/flow"
	"github.com/waxwing-messaging/waxwing/internal/page"
)

// flowSummary is MetaFlowSummary.
type flowSummary struct {
	ID         string   `json:"flowId"`
	Name       string   `json:"flowName"`
	Status     string   `json:"flowStatus"`
	Categories []string `json:"flowCategories"`
	Problems   []string `json:"validationErrors"`
}

// flowPreview is MetaFlowPreviewInfo. Its time is text, as Meta writes it.
type flowPreview struct {
	URL       string `json:"previewUrl"`
	ExpiresAt string `json:"expiresAt"`
}

// flowAccount is MetaFlowWhatsAppBusinessAccountInfo.
type flowAccount struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Currency   string `json:"currency,omitempty"`
	TimezoneID string `json:"timezoneId,omitempty"`
	Namespace  string `json:"messageTemplateNamespace,omitempty"`
}

// flowApplication is MetaFlowApplicationInfo.
type flowApplication struct {
	Name string `json:"name"`
	ID   string `json:"id"`
	Link string `json:"link,omitempty"`
}

// flowHealth is MetaFlowHealthStatus.
type flowHealth struct {
	CanSend  string       `json:"canSendMessage"`
	Entities []flowEntity `json:"entities,omitempty"`
}

type flowEntity struct {
	Type    string `json:"entityType"`
	ID      string `json:"id"`
	CanSend string `json:"canSendMessage"`
}

type getFlowOutput struct {
	ID             string           `json:"flowId"`
	Name           string           `json:"flowName"`
	Status         string           `json:"flowStatus"`
	Categories     []string         `json:"categories,omitempty"`
	Problems       []string         `json:"validationErrors,omitempty"`
	JSONVersion    string           `json:"jsonVersion,omitempty"`
	DataAPIVersion string           `json:"dataApiVersion,omitempty"`
	EndpointURI    string           `json:"endpointUri,omitempty"`
	Preview        *flowPreview     `json:"preview,omitempty"`
	Account        *flowAccount     `json:"whatsAppBusinessAccount,omitempty"`
	Application    *flowApplication `json:"application,omitempty"`
	Health         *flowHealth      `json:"healthStatus,omitempty"`
}

func (s server) getFlow(ctx context.Context, in *flowQuery) (*getFlowOutput, error) {
	a, err := s.access(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	f, err := s.FlowReader.Flow(ctx, a, in.FlowID)
	if err != nil {
		return nil, err
	}
	return describeFlow(&f), nil
}

func describeFlow(f *flow.Flow) *getFlowOutput {
	out := &getFlowOutput{ID: f.ID, Name: f.Name, Status: f.Status, Categories: f.Categories, Problems: f.Problems, JSONVersion: f.JSONVersion,
		DataAPIVersion: f.DataAPIVersion, EndpointURI: f.EndpointURI}
	if p := f.Preview; p != nil {
		out.Preview = &flowPreview{p.URL, p.ExpiresAt}
	}
	if a := f.Account; a != nil {
		out.Account = &flowAccount{a.ID, a.Name, a.Currency, a.TimezoneID, a.Namespace}
	}
	if a := f.Application; a != nil {
		out.Application = &flowApplication{a.Name, a.ID, a.Link}
	}
	if h := f.Health; h != nil {
		out.Health = &flowHealth{CanSend: h.CanSend}
		for _, e := range h.Entities {
			out.Health.Entities = append(out.Health.Entities, flowEntity{e.Type, e.ID, e.CanSend})
		}
	}
	return out
}

type getFlowPreviewInput struct {
	ID         string `query:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
	FlowID     string `query:"flowId" required:"true" len:"1..100" pattern:"[0-9]+"`
	Invalidate bool   `query:"invalidate"`
}

type getFlowPreviewOutput struct {
	FlowID  string      `json:"flowId"`
	Preview flowPreview `json:"preview"`
}

func (s server) getFlowPreview(ctx context.Context, in *getFlowPreviewInput) (*getFlowPreviewOutput, error) {
	a, err := s.access(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	p, err := s.FlowReader.FlowPreview(ctx, a, in.FlowID, in.Invalidate)
	if err != nil {
		return nil, err
	}
	return &getFlowPreviewOutput{in.FlowID, flowPreview{p.URL, p.ExpiresAt}}, nil
}

type listFlowsInput struct {
	ID         string `query:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
	NextToken  string `query:"nextToken" len:"1..600"`
	MaxResults int    `query:"maxResults" range:"1..100"`
}

type listFlowsOutput struct {
	Flows     []flowSummary `json:"flows"`
	NextToken string        `json:"nextToken,omitempty"`
}

func (s server) listFlows(ctx context.Context, in *listFlowsInput) (*listFlowsOutput, error) {
	a, err := s.access(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	after, err := s.openCursor(ctx, in.NextToken, a.WABAKey)
	if err != nil {
		return nil, err
	}
	list, next, err := s.FlowReader.Flows(ctx, a, after, pageSize(in.MaxResults))
	if err != nil {
		return nil, err
	}
	out := &listFlowsOutput{Flows: make([]flowSummary, len(list))}
	for i, f := range list {
		out.Flows[i] = flowSummary{f.ID, f.Name, f.Status, listOf(f.Categories), listOf(f.Problems)}
	}
	out.NextToken, err = s.sealCursor(ctx, next, a.WABAKey)
	return out, err
}

type listFlowAssetsInput struct {
	ID         string `query:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
	FlowID     string `query:"flowId" required:"true" len:"1..100" pattern:"[0-9]+"`
	NextToken  string `query:"nextToken" len:"1..600"`
	MaxResults int    `query:"maxResults" range:"1..100"`
}

// flowAsset is MetaFlowAsset.
type flowAsset struct {
	Name string `json:"name"`
	Type string `json:"assetType"`
	URL  string `json:"downloadUrl"`
}

type listFlowAssetsOutput struct {
	Assets    []flowAsset `json:"flowAssets"`
	NextToken string      `json:"nextToken,omitempty"`
}

func (s server) listFlowAssets(ctx context.Context, in *listFlowAssetsInput) (*listFlowAssetsOutput, error) {
	a, err := s.access(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	after, err := s.openCursor(ctx, in.NextToken, a.WABAKey, in.FlowID)
	if err != nil {
		return nil, err
	}
	list, next, err := s.FlowReader.FlowAssets(ctx, a, in.FlowID, after, pageSize(in.MaxResults))
	if err != nil {
		return nil, err
	}
	out := &listFlowAssetsOutput{Assets: make([]flowAsset, len(list))}
	for i, f := range list {
		out.Assets[i] = flowAsset(f)
	}
	out.NextToken, err = s.sealCursor(ctx, next, a.WABAKey, in.FlowID)
	return out, err
}

// openCursor returns the cursor of Meta's in a token of ours, "" for no token. It is bound to the account, the operation and
// what else the next page must be asked with.
func (s server) openCursor(ctx context.Context, token string, purpose ...string) (string, error) {
	if token == "" {
		return "", nil
	}
	return s.Pages.Open(token, cursorPurpose(ctx, purpose)...)
}

// sealCursor is the inverse of openCursor.
func (s server) sealCursor(ctx context.Context, cursor string, purpose ...string) (string, error) {
	switch {
	case cursor == "":
		return "", nil
	case len(cursor) > page.MaxCursor:
		return "", fault.New(fault.Dependency, "Meta's position in the list is too long for a nextToken.")
	}
	return s.Pages.Seal(cursor, cursorPurpose(ctx, purpose)...), nil
}

func cursorPurpose(ctx context.Context, more []string) []string {
	request := awsapi.From(ctx)
	return append([]string{request.Caller.AccountID, request.Region, request.Operation}, more...)
}

func pageSize(asked int) int {
	if asked == 0 {
		return maxPage
	}
	return asked
}

// listOf makes an absent list one without items: the model says that it is always there.
func listOf(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
