package socialmessaging

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/template"
)

type getTemplateInput struct {
	ID         string `query:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
	TemplateID string `query:"metaTemplateId" len:"1..100" pattern:"[0-9]+"`
	Name       string `query:"templateName" len:"1..512"`
	Language   string `query:"templateLanguageCode" len:"1..6"`
}

type getTemplateOutput struct {
	Template string `json:"template"` // Meta's JSON, as text
}

func (s server) getTemplate(ctx context.Context, in *getTemplateInput) (*getTemplateOutput, error) {
	ref, err := templateRef(in.TemplateID, in.Name, in.Language)
	if err != nil {
		return nil, err
	}
	a, err := s.access(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	t, err := s.TemplateReader.Get(ctx, a, ref)
	if err != nil {
		return nil, err
	}
	return &getTemplateOutput{string(t.Raw)}, nil
}

type listTemplatesInput struct {
	ID         string `query:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
	NextToken  string `query:"nextToken" len:"1..600"`
	MaxResults int    `query:"maxResults" range:"1..100"`
}

type listTemplatesOutput struct {
	Templates []templateSummary `json:"templates"`
	NextToken string            `json:"nextToken,omitempty"`
}

// templateSummary is TemplateSummary of the model, in which every member is optional.
type templateSummary struct {
	Name     string            `json:"templateName,omitempty"`
	ID       string            `json:"metaTemplateId,omitempty"`
	Status   template.Status   `json:"templateStatus,omitempty"`
	Quality  string            `json:"templateQualityScore,omitempty"`
	Language string            `json:"templateLanguage,omitempty"`
	Category template.Category `json:"templateCategory,omitempty"`
}

// listTemplates lists in Meta's order. Its tokens hold Meta's cursors.
func (s server) listTemplates(ctx context.Context, in *listTemplatesInput) (*listTemplatesOutput, error) {
	a, err := s.access(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	after, err := s.openCursor(ctx, in.NextToken, a.WABAKey)
	if err != nil {
		return nil, err
	}
	p, err := s.TemplateReader.List(ctx, a, after, pageSize(in.MaxResults))
	if err != nil {
		return nil, err
	}
	out := &listTemplatesOutput{Templates: make([]templateSummary, len(p.Templates))}
	for i := range p.Templates {
		t := &p.Templates[i]
		out.Templates[i] = templateSummary{t.Name, t.ID, t.Status, t.Quality, t.Language, t.Category}
	}
	out.NextToken, err = s.sealCursor(ctx, p.After, a.WABAKey)
	return out, err
}
