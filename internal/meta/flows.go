package meta

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/flow"
)

// The methods of this file answer with faults; see Fault. A token may open several business accounts, so every call about a Flow
// first makes sure that it belongs to the one it was asked for.

// flowNode is a Flow as Graph shows it; what was not asked for is missing.
type flowNode struct {
	ID         string        `json:"id"`
	Name       string        `json:"name"`
	Status     string        `json:"status"`
	Categories []string      `json:"categories"`
	Problems   []flowProblem `json:"validation_errors"`
	Version    string        `json:"json_version"`
	DataAPI    string        `json:"data_api_version"`
	Endpoint   string        `json:"endpoint_uri"`
	Preview    *struct {
		URL     string `json:"preview_url"`
		Expires string `json:"expires_at"`
	} `json:"preview"`
	Account *struct {
		ID        string `json:"id"`
		Name      string `json:"name"`
		Currency  string `json:"currency"`
		Timezone  string `json:"timezone_id"`
		Namespace string `json:"message_template_namespace"`
	} `json:"whatsapp_business_account"`
	Application *struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Link string `json:"link"`
	} `json:"application"`
	Health *struct {
		Can      string `json:"can_send_message"`
		Entities []struct {
			Type string `json:"entity_type"`
			ID   string `json:"id"`
			Can  string `json:"can_send_message"`
		} `json:"entities"`
	} `json:"health_status"`
}

// flowProblem is an element of validation_errors.
type flowProblem struct {
	Code     string `json:"error"`
	Message  string `json:"message"`
	Line     int    `json:"line_start"`
	Column   int    `json:"column_start"`
	Pointers []struct {
		Path string `json:"path"`
	} `json:"pointers"`
}

// String puts a problem on one line: code, message, and the place.
func (p flowProblem) String() string {
	s := p.Code + ": " + p.Message
	if p.Line > 0 {
		s += " (line " + strconv.Itoa(p.Line) + ", column " + strconv.Itoa(p.Column)
		if len(p.Pointers) > 0 && p.Pointers[0].Path != "" {
			s += ", " + p.Pointers[0].Path
		}
		s += ")"
	}
	return s
}

func problemLines(problems []flowProblem) []string {
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.String()
	}
	return lines
}

func (n *flowNode) summary() flow.Summary {
	return flow.Summary{ID: n.ID, Name: n.Name, Status: n.Status, Categories: n.Categories, Problems: problemLines(n.Problems)}
}

func (n *flowNode) whole() flow.Flow {
	f := flow.Flow{Summary: n.summary(), JSONVersion: n.Version, DataAPIVersion: n.DataAPI, EndpointURI: n.Endpoint}
	if p := n.Preview; p != nil {
		f.Preview = &flow.Preview{URL: p.URL, ExpiresAt: p.Expires}
	}
	if a := n.Account; a != nil {
		f.Account = &flow.Account{ID: a.ID, Name: a.Name, Currency: a.Currency, TimezoneID: a.Timezone, Namespace: a.Namespace}
	}
	if a := n.Application; a != nil {
		f.Application = &flow.Application{ID: a.ID, Name: a.Name, Link: a.Link}
	}
	if h := n.Health; h != nil {
		f.Health = &flow.Health{CanSend: h.Can}
		for _, e := range h.Entities {
			f.Health.Entities = append(f.Health.Entities, flow.Entity{Type: e.Type, ID: e.ID, CanSend: e.Can})
		}
	}
	return f
}

// CreateFlow makes a Flow. What is wrong with its JSON comes back with it and does not keep it from being made.
func (c *Client) CreateFlow(ctx context.Context, a account.Access, d flow.Draft) (flow.Created, error) {
	body := map[string]any{"name": d.Name, "categories": d.Categories}
	if d.JSON != nil {
		body["flow_json"] = string(d.JSON)
	}
	if d.Publish {
		body["publish"] = true
	}
	if d.CloneID != "" {
		if err := c.ownFlow(ctx, a, d.CloneID); err != nil {
			return flow.Created{}, err
		}
		body["clone_flow_id"] = d.CloneID
	}
	var answer struct {
		ID       string        `json:"id"`
		Problems []flowProblem `json:"validation_errors"`
	}
	err := c.Do(ctx, Call{Method: http.MethodPost, Version: Version, Path: a.MetaID + "/flows", Token: a.Token, Body: mustJSON(body)}, &answer)
	if err == nil && answer.ID == "" {
		err = &Unanswered{Fate: Unknown, Err: errNoID}
	}
	return flow.Created{ID: answer.ID, Problems: problemLines(answer.Problems)}, Fault(err)
}

// UpdateFlow changes a Flow's name or categories.
func (c *Client) UpdateFlow(ctx context.Context, a account.Access, id string, changes flow.Changes) error {
	body := map[string]any{}
	if changes.Name != "" {
		body["name"] = changes.Name
	}
	if len(changes.Categories) > 0 {
		body["categories"] = changes.Categories
	}
	return c.changeFlow(ctx, a, id, Call{Method: http.MethodPost, Path: id, Body: mustJSON(body)}, nil)
}

// UpdateFlowAssets replaces a Flow's JSON and returns what is wrong with the new one. A published Flow becomes a draft again.
func (c *Client) UpdateFlowAssets(ctx context.Context, a account.Access, id string, text []byte) ([]string, error) {
	form, contentType, err := flowForm(text)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Problems []flowProblem `json:"validation_errors"`
	}
	err = c.changeFlow(ctx, a, id, Call{Method: http.MethodPost, Path: id + "/assets", Body: form, ContentType: contentType}, &answer)
	return problemLines(answer.Problems), err
}

// flowForm is the upload of a Flow's JSON.
func flowForm(text []byte) (form []byte, contentType string, err error) {
	b := bytes.NewBuffer(make([]byte, 0, len(text)+1024))
	w := multipart.NewWriter(b)
	for _, field := range [...][2]string{{"name", "flow.json"}, {"asset_type", "FLOW_JSON"}} {
		if err := w.WriteField(field[0], field[1]); err != nil {
			return nil, "", err
		}
	}
	part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="flow.json"`},
		"Content-Type": {"application/json"}})
	if err != nil {
		return nil, "", err
	}
	if _, err = part.Write(text); err == nil {
		err = w.Close()
	}
	return b.Bytes(), w.FormDataContentType(), err
}

// PublishFlow publishes a draft for good.
func (c *Client) PublishFlow(ctx context.Context, a account.Access, id string) error {
	return c.changeFlow(ctx, a, id, Call{Method: http.MethodPost, Path: id + "/publish"}, nil)
}

// DeprecateFlow retires a published Flow for good.
func (c *Client) DeprecateFlow(ctx context.Context, a account.Access, id string) error {
	return c.changeFlow(ctx, a, id, Call{Method: http.MethodPost, Path: id + "/deprecate"}, nil)
}

// DeleteFlow deletes a draft.
func (c *Client) DeleteFlow(ctx context.Context, a account.Access, id string) error {
	return c.changeFlow(ctx, a, id, Call{Method: http.MethodDelete, Path: id}, nil)
}

// changeFlow makes a call that changes a Flow of the account.
func (c *Client) changeFlow(ctx context.Context, a account.Access, id string, call Call, out any) error {
	if err := c.ownFlow(ctx, a, id); err != nil {
		return err
	}
	call.Version, call.Token = Version, a.Token
	if call.Method == http.MethodPost && call.Body == nil {
		call.Body = []byte("{}")
	}
	return Fault(c.Do(ctx, call, out))
}

// ownFlow makes sure that a Flow belongs to the account.
func (c *Client) ownFlow(ctx context.Context, a account.Access, id string) error {
	_, err := c.readFlow(ctx, a, id, "id,whatsapp_business_account")
	return err
}

// readFlow reads fields of a Flow; whatsapp_business_account has to be among them.
func (c *Client) readFlow(ctx context.Context, a account.Access, id, fields string) (*flowNode, error) {
	var n flowNode
	err := c.Do(ctx, Call{Version: Version, Path: id, Query: url.Values{"fields": {fields}}, Token: a.Token}, &n)
	if e, ok := errors.AsType[*Error](err); ok && e.Graph && e.Code == 100 {
		err = nil // the id is nobody's, or that of something without such fields
		n = flowNode{}
	}
	switch {
	case err != nil:
		return nil, Fault(err)
	case n.ID != id || n.Account == nil || n.Account.ID != a.MetaID:
		return nil, fault.New(fault.NotFound, "There is no Flow %s in this WhatsApp Business Account.", id)
	}
	return &n, nil
}

// Flow reads a Flow.
func (c *Client) Flow(ctx context.Context, a account.Access, id string) (flow.Flow, error) {
	n, err := c.readFlow(ctx, a, id, "id,name,status,categories,validation_errors,json_version,data_api_version,endpoint_uri,"+
		"preview.invalidate(false),whatsapp_business_account,application,health_status")
	if err != nil {
		return flow.Flow{}, err
	}
	return n.whole(), nil
}

// FlowPreview returns a public page that shows a Flow; with invalidate a new one, and earlier ones end.
func (c *Client) FlowPreview(ctx context.Context, a account.Access, id string, invalidate bool) (flow.Preview, error) {
	if invalidate { // make sure before an earlier preview ends
		if err := c.ownFlow(ctx, a, id); err != nil {
			return flow.Preview{}, err
		}
	}
	n, err := c.readFlow(ctx, a, id, fmt.Sprintf("id,whatsapp_business_account,preview.invalidate(%t)", invalidate))
	if err != nil {
		return flow.Preview{}, err
	}
	if n.Preview == nil {
		return flow.Preview{}, fault.New(fault.Dependency, "Meta has no preview of Flow %s.", id)
	}
	return flow.Preview{URL: n.Preview.URL, ExpiresAt: n.Preview.Expires}, nil
}

// Flows lists up to limit Flows of an account behind a cursor, "" for the first, and returns the cursor of the next page, ""
// on the last one.
func (c *Client) Flows(ctx context.Context, a account.Access, after string, limit int) (list []flow.Summary, next string, err error) {
	nodes, next, err := listed[flowNode](ctx, c, a.MetaID+"/flows", url.Values{"fields": {"id,name,status,categories,validation_errors"}}, a, after, limit)
	for i := range nodes {
		list = append(list, nodes[i].summary())
	}
	return list, next, err
}

// FlowAssets lists the files of a Flow, as Flows does.
func (c *Client) FlowAssets(ctx context.Context, a account.Access, id, after string, limit int) (list []flow.Asset, next string, err error) {
	if err := c.ownFlow(ctx, a, id); err != nil {
		return nil, "", err
	}
	type asset struct {
		Name string `json:"name"`
		Type string `json:"asset_type"`
		URL  string `json:"download_url"`
	}
	nodes, next, err := listed[asset](ctx, c, id+"/assets", url.Values{}, a, after, limit)
	for _, n := range nodes {
		list = append(list, flow.Asset{Name: n.Name, Type: n.Type, URL: n.URL})
	}
	return list, next, err
}

// listed reads one page of a list.
func listed[T any](ctx context.Context, c *Client, path string, query url.Values, a account.Access, after string, limit int) ([]T, string, error) {
	query.Set("limit", strconv.Itoa(limit))
	if after != "" {
		query.Set("after", after)
	}
	var page struct {
		Data   []T `json:"data"`
		Paging struct {
			Next    json.RawMessage `json:"next"`
			Cursors struct {
				After string `json:"after"`
			} `json:"cursors"`
		} `json:"paging"`
	}
	if err := c.Do(ctx, Call{Version: Version, Path: path, Query: query, Token: a.Token}, &page); err != nil {
		return nil, "", Fault(err)
	}
	if len(page.Paging.Next) == 0 { // the cursor is there on the last page, too
		return page.Data, "", nil
	}
	return page.Data, page.Paging.Cursors.After, nil
}
