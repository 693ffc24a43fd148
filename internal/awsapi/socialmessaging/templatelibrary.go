package socialmessaging

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/template"
)

type listLibraryInput struct {
	ID         string            `query:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
	NextToken  string            `json:"nextToken" len:"1..600"`
	MaxResults int               `json:"maxResults" range:"1..100"`
	Filters    map[string]string `json:"filters" len:"0..10" each:"1..100"`
}

type listLibraryOutput struct {
	Templates []libraryTemplate `json:"metaLibraryTemplates"`
	NextToken string            `json:"nextToken,omitempty"`
}

// libraryTemplate is MetaLibraryTemplateDefinition of the model.
type libraryTemplate struct {
	Name       string          `json:"templateName,omitempty"`
	Language   string          `json:"templateLanguage,omitempty"`
	Category   string          `json:"templateCategory,omitempty"`
	Topic      string          `json:"templateTopic,omitempty"`
	UseCase    string          `json:"templateUseCase,omitempty"`
	Industries []string        `json:"templateIndustry,omitempty"`
	Header     string          `json:"templateHeader,omitempty"`
	Body       string          `json:"templateBody,omitempty"`
	Buttons    []libraryButton `json:"templateButtons,omitempty"`
	ID         string          `json:"templateId,omitempty"`
	BodyParams []string        `json:"templateBodyExampleParams,omitempty"`
}

type libraryButton struct {
	Type    string              `json:"type,omitempty"`
	Text    string              `json:"text,omitempty"`
	Phone   string              `json:"phoneNumber,omitempty"`
	URL     string              `json:"url,omitempty"`
	OTPType string              `json:"otpType,omitempty"`
	Terms   *bool               `json:"zeroTapTermsAccepted,omitempty"`
	Apps    []map[string]string `json:"supportedApps,omitempty"`
}

// listLibrary lists Meta's library. Part of its input is in the query and part in the body, tokens included.
func (s server) listLibrary(ctx context.Context, in *listLibraryInput) (*listLibraryOutput, error) {
	q := template.LibraryQuery{Limit: pageSize(in.MaxResults)}
	about := []string{}
	for _, name := range slices.Sorted(maps.Keys(in.Filters)) {
		if err := filter(&q, name, in.Filters[name]); err != nil {
			return nil, err
		}
		about = append(about, name, in.Filters[name])
	}
	a, err := s.access(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	about = append(about, a.WABAKey)
	if q.After, err = s.openCursor(ctx, in.NextToken, about...); err != nil {
		return nil, err
	}
	p, err := s.TemplateReader.LibraryPage(ctx, a, q)
	if err != nil {
		return nil, err
	}
	out := &listLibraryOutput{Templates: make([]libraryTemplate, len(p.Templates))}
	for i := range p.Templates {
		out.Templates[i] = describeLibrary(&p.Templates[i])
	}
	out.NextToken, err = s.sealCursor(ctx, p.After, about...)
	return out, err
}

// filter sets one filter of the query. The model has none but these five, though it does not list them.
func filter(q *template.LibraryQuery, name, value string) error {
	switch name {
	case "searchKey":
		q.Search = value
	case "topic":
		q.Topic = value
	case "usecase":
		q.UseCase = value
	case "industry":
		q.Industry = value
	case "language":
		q.Language = value
	default:
		return refuse("There is no filter %.100s. Use searchKey, topic, usecase, industry or language.", name)
	}
	return nil
}

func describeLibrary(t *template.LibraryTemplate) libraryTemplate {
	out := libraryTemplate{Name: t.Name, Language: t.Language, Category: t.Category, Topic: t.Topic, UseCase: t.UseCase, Industries: t.Industries,
		Header: t.Header, Body: t.Body, ID: t.ID, BodyParams: t.BodyParams}
	for _, b := range t.Buttons {
		out.Buttons = append(out.Buttons, libraryButton{b.Type, b.Text, b.Phone, b.URL, b.OTPType, b.ZeroTapTermsAccepted, b.Apps})
	}
	return out
}

type createFromLibraryInput struct {
	ID       string        `json:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
	Template libraryChoice `json:"metaLibraryTemplate" required:"true"`
}

// libraryChoice is MetaLibraryTemplate of the model.
type libraryChoice struct {
	Name        string               `json:"templateName" required:"true" len:"1..512"`
	LibraryName string               `json:"libraryTemplateName" required:"true" len:"1..512"`
	Category    string               `json:"templateCategory" required:"true" len:"1..100"`
	Language    string               `json:"templateLanguage" required:"true" len:"1..6"`
	Buttons     []libraryButtonInput `json:"libraryTemplateButtonInputs"`
	Body        *libraryBodyInput    `json:"libraryTemplateBodyInputs"`
}

type libraryButtonInput struct {
	Type    string              `json:"type" len:"1..25"`
	Phone   string              `json:"phoneNumber" len:"1..20"`
	URL     map[string]string   `json:"url" len:"0..10" each:"1..400"`
	OTPType string              `json:"otpType" len:"1..25"`
	Terms   *bool               `json:"zeroTapTermsAccepted"`
	Apps    []map[string]string `json:"supportedApps" each:"0..10/1..100"`
}

type libraryBodyInput struct {
	ContactNumber          *bool `json:"addContactNumber"`
	LearnMoreLink          *bool `json:"addLearnMoreLink"`
	SecurityRecommendation *bool `json:"addSecurityRecommendation"`
	TrackPackageLink       *bool `json:"addTrackPackageLink"`
	CodeExpirationMinutes  *int  `json:"codeExpirationMinutes"`
}

func (s server) createFromLibrary(ctx context.Context, in *createFromLibraryInput) (*createdTemplate, error) {
	a, err := s.access(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	definition, err := json.Marshal(in.Template.meta())
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "translate a choice from the library")
	}
	created, err := s.TemplateEditor.CreateFromLibrary(ctx, a, definition, awsapi.From(ctx).Repeated)
	if err != nil {
		return nil, err
	}
	return &createdTemplate{created.ID, created.Status, created.Category}, nil
}

// The same in Meta's terms.
type (
	metaChoice struct {
		Name        string            `json:"name"`
		Category    string            `json:"category"`
		Language    string            `json:"language"`
		LibraryName string            `json:"library_template_name"`
		Buttons     []metaButtonInput `json:"library_template_button_inputs,omitempty"`
		Body        *metaBodyInput    `json:"library_template_body_inputs,omitempty"`
	}
	metaButtonInput struct {
		Type    string              `json:"type,omitempty"`
		Phone   string              `json:"phone_number,omitempty"`
		URL     map[string]string   `json:"url,omitempty"`
		OTPType string              `json:"otp_type,omitempty"`
		Terms   *bool               `json:"zero_tap_terms_accepted,omitempty"`
		Apps    []map[string]string `json:"supported_apps,omitempty"`
	}
	metaBodyInput struct {
		ContactNumber          *bool `json:"add_contact_number,omitempty"`
		LearnMoreLink          *bool `json:"add_learn_more_link,omitempty"`
		SecurityRecommendation *bool `json:"add_security_recommendation,omitempty"`
		TrackPackageLink       *bool `json:"add_track_package_link,omitempty"`
		CodeExpirationMinutes  *int  `json:"code_expiration_minutes,omitempty"`
	}
)

func (c *libraryChoice) meta() metaChoice {
	m := metaChoice{Name: c.Name, Category: strings.ToUpper(c.Category), Language: template.NormalLanguage(c.Language), LibraryName: c.LibraryName}
	for _, b := range c.Buttons {
		out := metaButtonInput{Type: b.Type, Phone: b.Phone, URL: snakeKeys(b.URL), OTPType: b.OTPType, Terms: b.Terms}
		for _, app := range b.Apps {
			out.Apps = append(out.Apps, snakeKeys(app))
		}
		m.Buttons = append(m.Buttons, out)
	}
	if c.Body != nil {
		m.Body = (*metaBodyInput)(c.Body)
	}
	return m
}

// snakeKeys writes the keys of a map as Meta does. The model leaves them open, so both baseUrl and base_url are in use.
func snakeKeys(m map[string]string) map[string]string {
	if m == nil {
		return nil
	}
	out := make(map[string]string, len(m))
	for key, value := range m {
		var b strings.Builder
		for _, c := range key {
			if c >= 'A' && c <= 'Z' {
				b.WriteByte('_')
				c += 'a' - 'A'
			}
			b.WriteRune(c)
		}
		out[b.String()] = value
	}
	return out
}
