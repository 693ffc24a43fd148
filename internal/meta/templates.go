package meta

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/template"
)

// The methods of this file answer with faults; see Fault. A token may open several business accounts: whoever names a template by
// its id has to know that it belongs to the one it was asked for, see TemplateNamed.

const templateFields = "id,name,language,status,category,parameter_format,components,quality_score,rejected_reason,previous_category," +
	"correct_category,message_send_ttl_seconds,cta_url_link_tracking_opted_out"

// subcodeExists is Meta's refusal of a second template of a name in a language.
const subcodeExists = 2388024

// CreateTemplate makes a template of a definition, or of one of Meta's library, in Meta's terms. A name that is taken in the
// language is a fault.Conflict.
func (c *Client) CreateTemplate(ctx context.Context, a account.Access, definition []byte) (template.Created, error) {
	var answer struct {
		ID       string            `json:"id"`
		Status   template.Status   `json:"status"`
		Category template.Category `json:"category"`
	}
	err := c.Do(ctx, Call{Method: http.MethodPost, Version: Version, Path: a.MetaID + "/message_templates", Token: a.Token, Body: definition}, &answer)
	if err == nil && answer.ID == "" {
		err = &Unanswered{Fate: Unknown, Err: errNoID}
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Subcode == subcodeExists {
		return template.Created{}, fault.Wrap(fault.Conflict, e, "Meta refused the request: %s", e.Words())
	}
	return template.Created{ID: answer.ID, Status: answer.Status, Category: answer.Category}, Fault(err)
}

// Template reads a template by Meta's id, whichever business account it belongs to.
func (c *Client) Template(ctx context.Context, a account.Access, id string) (template.Template, error) {
	var raw json.RawMessage
	err := c.Do(ctx, Call{Version: Version, Path: id, Query: url.Values{"fields": {templateFields}}, Token: a.Token}, &raw)
	missing := fault.Wrap(fault.NotFound, err, "Meta knows no message template %s.", id)
	if e, ok := errors.AsType[*Error](err); ok && e.Graph && e.Code == 100 {
		return template.Template{}, missing // what the id names is nothing, or something without these fields
	}
	if err != nil {
		return template.Template{}, Fault(err)
	}
	t, err := template.Parse(raw)
	if err != nil || t.ID == "" || t.Name == "" {
		return template.Template{}, missing
	}
	return t, nil
}

// page is a page of any of Graph's lists. Next is asked for only whether it is there: its address holds the token.
type page struct {
	Data   []json.RawMessage `json:"data"`
	Paging struct {
		Next    json.RawMessage `json:"next"`
		Cursors struct {
			After string `json:"after"`
		} `json:"cursors"`
	} `json:"paging"`
}

func (p *page) after() string {
	if len(p.Paging.Next) == 0 {
		return ""
	}
	return p.Paging.Cursors.After
}

// Templates reads a page of the templates of a business account, in Meta's order.
func (c *Client) Templates(ctx context.Context, a account.Access, q template.Query) (template.Page, error) {
	query := url.Values{"fields": {templateFields}, "limit": {strconv.Itoa(q.Limit)}}
	setAll(query, "name", q.Name, "after", q.After)
	var p page
	if err := c.Do(ctx, Call{Version: Version, Path: a.MetaID + "/message_templates", Query: query, Token: a.Token}, &p); err != nil {
		return template.Page{}, Fault(err)
	}
	out := template.Page{Templates: make([]template.Template, 0, len(p.Data)), After: p.after()}
	for _, raw := range p.Data {
		if t, err := template.Parse(raw); err == nil {
			out.Templates = append(out.Templates, t)
		}
	}
	return out, nil
}

// setAll sets the names that have a value.
func setAll(query url.Values, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			query.Set(pairs[i], pairs[i+1])
		}
	}
}

// TemplateNamed returns the template of a business account that has a name and a language, or a name and an id; a fault.NotFound
// when there is none.
func (c *Client) TemplateNamed(ctx context.Context, a account.Access, ref template.Ref) (template.Template, error) {
	q := template.Query{Name: ref.Name, Limit: 100}
	for range maxPages {
		p, err := c.Templates(ctx, a, q)
		if err != nil {
			return template.Template{}, err
		}
		for _, t := range p.Templates {
			if t.Name == ref.Name && (ref.ID == "" || t.ID == ref.ID) && (ref.Language == "" || t.Language == ref.Language) {
				return t, nil
			}
		}
		if q.After = p.After; q.After == "" {
			break
		}
	}
	return template.Template{}, fault.New(fault.NotFound, "The business account has no message template %s in %s.", ref.Name, ref.Language)
}

// UpdateTemplate changes a template. Meta reviews it again.
func (c *Client) UpdateTemplate(ctx context.Context, a account.Access, id string, e template.Edit) error {
	body := map[string]any{}
	if e.Category != "" {
		body["category"] = e.Category
	}
	if e.Format != "" {
		body["parameter_format"] = e.Format
	}
	if e.Components != nil {
		body["components"] = json.RawMessage(e.Components)
	}
	if e.TrackLinksOut != nil {
		body["cta_url_link_tracking_opted_out"] = *e.TrackLinksOut
	}
	return Fault(c.succeed(ctx, Call{Method: http.MethodPost, Version: Version, Path: id, Token: a.Token, Body: mustJSON(body)}))
}

// DeleteTemplate deletes a template of a business account by name and id, or with id "" the name in all languages.
func (c *Client) DeleteTemplate(ctx context.Context, a account.Access, name, id string) error {
	query := url.Values{"name": {name}}
	setAll(query, "hsm_id", id)
	return Fault(c.succeed(ctx, Call{Method: http.MethodDelete, Version: Version, Path: a.MetaID + "/message_templates", Query: query, Token: a.Token}))
}

// libraryNode is a template of Meta's library.
type libraryNode struct {
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	Language string          `json:"language"`
	Category string          `json:"category"`
	Topic    string          `json:"topic"`
	UseCase  string          `json:"usecase"`
	Industry json.RawMessage `json:"industry"`
	Header   json.RawMessage `json:"header"`
	Body     string          `json:"body"`
	Params   []string        `json:"body_params"`
	Buttons  []struct {
		Type    string              `json:"type"`
		Text    string              `json:"text"`
		Phone   string              `json:"phone_number"`
		URL     string              `json:"url"`
		OTPType string              `json:"otp_type"`
		Terms   *bool               `json:"zero_tap_terms_accepted"`
		Apps    []map[string]string `json:"supported_apps"`
	} `json:"buttons"`
}

// TemplateLibrary reads a page of Meta's library.
func (c *Client) TemplateLibrary(ctx context.Context, a account.Access, q template.LibraryQuery) (template.LibraryPage, error) {
	query := url.Values{"limit": {strconv.Itoa(q.Limit)}}
	setAll(query, "search", q.Search, "topic", q.Topic, "usecase", q.UseCase, "industry", q.Industry, "language", q.Language, "after", q.After)
	var p page
	if err := c.Do(ctx, Call{Version: Version, Path: "message_template_library", Query: query, Token: a.Token}, &p); err != nil {
		return template.LibraryPage{}, Fault(err)
	}
	out := template.LibraryPage{Templates: make([]template.LibraryTemplate, 0, len(p.Data)), After: p.after()}
	for _, raw := range p.Data {
		var n libraryNode
		if json.Unmarshal(raw, &n) == nil {
			out.Templates = append(out.Templates, n.library())
		}
	}
	return out, nil
}

func (n *libraryNode) library() template.LibraryTemplate {
	t := template.LibraryTemplate{ID: n.ID, Name: n.Name, Language: n.Language, Category: n.Category, Topic: n.Topic, UseCase: n.UseCase,
		Header: words(n.Header), Body: n.Body, BodyParams: n.Params}
	if json.Unmarshal(n.Industry, &t.Industries) != nil {
		if one := words(n.Industry); one != "" {
			t.Industries = []string{one}
		}
	}
	for _, b := range n.Buttons {
		t.Buttons = append(t.Buttons, template.LibraryButton{Type: b.Type, Text: b.Text, Phone: b.Phone, URL: b.URL, OTPType: b.OTPType,
			ZeroTapTermsAccepted: b.Terms, Apps: b.Apps})
	}
	return t
}
