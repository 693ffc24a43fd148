package socialmessaging

import (
	"context"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/template"
)

// TemplateEditor changes message templates at Meta. Business accounts and templates that do not exist are a fault.NotFound.
type TemplateEditor interface {
	// Create and CreateFromLibrary submit a definition in Meta's terms. After an attempt
	// whose outcome is not known (repeated) the template may be there: then it is returned.
	Create(ctx context.Context, a account.Access, definition []byte, repeated bool) (template.Created, error)
	CreateFromLibrary(ctx context.Context, a account.Access, definition []byte, repeated bool) (template.Created, error)
	Update(ctx context.Context, a account.Access, ref template.Ref, e template.Edit) error
	// Delete deletes one template, or with id "" the name in all languages.
	Delete(ctx context.Context, a account.Access, name, id string) error
}

// TemplateReader reads message templates at Meta. Pages take and return Meta's cursors.
type TemplateReader interface {
	Get(ctx context.Context, a account.Access, ref template.Ref) (template.Template, error)
	List(ctx context.Context, a account.Access, after string, limit int) (template.Page, error)
	LibraryPage(ctx context.Context, a account.Access, q template.LibraryQuery) (template.LibraryPage, error)
}

// templateOperations are the operations on message templates, but for the samples of their headers.
func (s server) templateOperations() []awsapi.Operation {
	return []awsapi.Operation{
		{Name: "CreateWhatsAppMessageTemplate", Method: "POST", Path: "/v1/whatsapp/template/put", Errors: metaErrors, Once: true, Do: awsapi.Op(s.createTemplate)},
		{Name: "CreateWhatsAppMessageTemplateFromLibrary", Method: "POST", Path: "/v1/whatsapp/template/create", Errors: metaErrors,
			Once: true, Do: awsapi.Op(s.createFromLibrary)},
		{Name: "DeleteWhatsAppMessageTemplate", Method: "DELETE", Path: "/v1/whatsapp/template", Errors: metaErrors, Do: awsapi.Op(s.deleteTemplate)},
		{Name: "GetWhatsAppMessageTemplate", Method: "GET", Path: "/v1/whatsapp/template", Errors: metaErrors, Do: awsapi.Op(s.getTemplate)},
		{Name: "ListWhatsAppMessageTemplates", Method: "GET", Path: "/v1/whatsapp/template/list", Errors: metaErrors, Do: awsapi.Op(s.listTemplates)},
		{Name: "ListWhatsAppTemplateLibrary", Method: "POST", Path: "/v1/whatsapp/template/library", Errors: metaErrors, Do: awsapi.Op(s.listLibrary)},
		{Name: "UpdateWhatsAppMessageTemplate", Method: "POST", Path: "/v1/whatsapp/template", Errors: metaErrors, Do: awsapi.Op(s.updateTemplate)},
	}
}

type createTemplateInput struct {
	ID         string `json:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
	Definition []byte `json:"templateDefinition" required:"true" len:"1..6000"`
}

// createdTemplate is the output of both ways to create a template.
type createdTemplate struct {
	ID       string            `json:"metaTemplateId"`
	Status   template.Status   `json:"templateStatus"`
	Category template.Category `json:"category"`
}

func (s server) createTemplate(ctx context.Context, in *createTemplateInput) (*createdTemplate, error) {
	a, err := s.access(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	created, err := s.TemplateEditor.Create(ctx, a, in.Definition, awsapi.From(ctx).Repeated)
	if err != nil {
		return nil, err
	}
	return &createdTemplate{created.ID, created.Status, created.Category}, nil
}

type deleteTemplateInput struct {
	ID         string `query:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
	Name       string `query:"templateName" required:"true" len:"1..512"`
	TemplateID string `query:"metaTemplateId" len:"1..100" pattern:"[0-9]+"`
	All        bool   `query:"deleteAllTemplates"` // the member is called deleteAllLanguages
}

// deleteTemplate deletes one language, by the id of its template, or all of them. Deleting cannot be undone, so it has to be
// said which.
func (s server) deleteTemplate(ctx context.Context, in *deleteTemplateInput) (*struct{}, error) {
	switch {
	case in.TemplateID == "" && !in.All:
		return nil, refuse("Give metaTemplateId to delete the template in one language, or deleteAllLanguages to delete it in all.")
	case in.TemplateID != "" && in.All:
		return nil, refuse("metaTemplateId and deleteAllLanguages exclude each other.")
	}
	a, err := s.access(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return new(struct{}), s.TemplateEditor.Delete(ctx, a, in.Name, in.TemplateID)
}

type updateTemplateInput struct {
	ID         string `json:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
	TemplateID string `json:"metaTemplateId" len:"1..100" pattern:"[0-9]+"`
	Name       string `json:"templateName" len:"1..512"`
	Language   string `json:"templateLanguageCode" len:"1..6"`
	Format     string `json:"parameterFormat" len:"1..15"`
	Category   string `json:"templateCategory" len:"1..100"`
	Components []byte `json:"templateComponents" len:"1..3000"`
	TrackOut   *bool  `json:"ctaUrlLinkTrackingOptedOut"`
}

func (s server) updateTemplate(ctx context.Context, in *updateTemplateInput) (*struct{}, error) {
	ref, err := templateRef(in.TemplateID, in.Name, in.Language)
	if err != nil {
		return nil, err
	}
	e := template.Edit{Category: strings.ToUpper(in.Category), Format: template.Format(strings.ToUpper(in.Format)), Components: in.Components,
		TrackLinksOut: in.TrackOut}
	switch {
	case e.Category == "" && e.Format == "" && e.Components == nil && e.TrackLinksOut == nil:
		return nil, refuse("There is nothing to change: give parameterFormat, templateCategory, templateComponents or ctaUrlLinkTrackingOptedOut.")
	case e.Format != "" && e.Format != template.Named && e.Format != template.Positional:
		return nil, refuse("parameterFormat must be named or positional, not %s.", in.Format)
	}
	a, err := s.access(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return new(struct{}), s.TemplateEditor.Update(ctx, a, ref, e)
}

// templateRef reads the two ways to name one template.
func templateRef(id, name, language string) (template.Ref, error) {
	if id == "" && (name == "" || language == "") {
		return template.Ref{}, refuse("Name the template by metaTemplateId, or by templateName and templateLanguageCode.")
	}
	return template.Ref{ID: id, Name: name, Language: template.NormalLanguage(language)}, nil
}
