package meta

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/template"
)

var shop = account.Access{MetaID: "12", Token: token}

// What each call asks Meta for.
func TestTemplateCalls(t *testing.T) {
	t.Parallel()
	out := true
	for _, tc := range []struct {
		name, request, answer string
		do                    func(*Client, context.Context) error
	}{
		{"create", `POST /v25.0/12/message_templates {"name":"x"}`, `{"id":"7","status":"PENDING","category":"UTILITY"}`, func(c *Client, ctx context.Context) error {
			got, err := c.CreateTemplate(ctx, shop, []byte(`{"name":"x"}`))
			if want := (template.Created{ID: "7", Status: template.Pending, Category: template.Utility}); got != want {
				t.Errorf("created %+v", got)
			}
			return err
		}},
		{"read", `GET /v25.0/7?fields=` + strings.ReplaceAll(templateFields, ",", "%2C") + ` `, `{"id":"7","name":"x","language":"en","status":"APPROVED"}`,
			func(c *Client, ctx context.Context) error {
				got, err := c.Template(ctx, shop, "7")
				if got.Name != "x" || got.Status != template.Approved {
					t.Errorf("read %+v", got)
				}
				return err
			}},
		{"list", `GET /v25.0/12/message_templates?after=QVF&fields=` + strings.ReplaceAll(templateFields, ",", "%2C") + `&limit=2&name=x `,
			`{"data":[{"id":"7","name":"x"},7,{"id":"8","name":"xy"}],"paging":{"cursors":{"after":"QVG"},"next":"https://graph/…"}}`,
			func(c *Client, ctx context.Context) error {
				got, err := c.Templates(ctx, shop, template.Query{Name: "x", After: "QVF", Limit: 2})
				if len(got.Templates) != 2 || got.Templates[1].ID != "8" || got.After != "QVG" {
					t.Errorf("listed %+v", got)
				}
				return err
			}},
		{"update", `POST /v25.0/7 {"category":"MARKETING","components":[{"type":"BODY"}],"cta_url_link_tracking_opted_out":true,"parameter_format":"NAMED"}`, `{"success":true}`,
			func(c *Client, ctx context.Context) error {
				return c.UpdateTemplate(ctx, shop, "7", template.Edit{Category: "MARKETING", Format: template.Named, Components: []byte(`[{"type":"BODY"}]`), TrackLinksOut: &out})
			}},
		{"delete one", `DELETE /v25.0/12/message_templates?hsm_id=7&name=x `, `{"success":true}`,
			func(c *Client, ctx context.Context) error { return c.DeleteTemplate(ctx, shop, "x", "7") }},
		{"delete all", `DELETE /v25.0/12/message_templates?name=x `, `{"success":true}`,
			func(c *Client, ctx context.Context) error { return c.DeleteTemplate(ctx, shop, "x", "") }},
		{"library", `GET /v25.0/message_template_library?language=en_US&limit=3&search=pay&topic=PAYMENTS `,
			`{"data":[{"id":"9","name":"pay_1","industry":["E_COMMERCE"],"header":null,"body":"Hi {{1}}","body_params":["Ada"],"buttons":[{"type":"URL","text":"Pay","url":"https://…"}]}],"paging":{"cursors":{"after":"x"}}}`,
			func(c *Client, ctx context.Context) error {
				got, err := c.TemplateLibrary(ctx, shop, template.LibraryQuery{Search: "pay", Topic: "PAYMENTS", Language: "en_US", Limit: 3})
				want := template.LibraryPage{Templates: []template.LibraryTemplate{{ID: "9", Name: "pay_1", Industries: []string{"E_COMMERCE"}, Body: "Hi {{1}}",
					BodyParams: []string{"Ada"}, Buttons: []template.LibraryButton{{Type: "URL", Text: "Pay", URL: "https://…"}}}}}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("library (-want +got):\n%s", diff)
				}
				return err
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var request string
			c := client(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				request = r.Method + " " + r.RequestURI + " " + string(body)
				_, _ = io.WriteString(w, tc.answer)
			})
			if err := tc.do(c, t.Context()); err != nil {
				t.Fatal(err)
			}
			if request != tc.request {
				t.Errorf("request %s\nwant    %s", request, tc.request)
			}
		})
	}
}

// A name is looked for over all pages, and has to be the very name: Meta's filter takes parts of it.
func TestTemplateNamed(t *testing.T) {
	t.Parallel()
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		page := `{"data":[{"id":"1","name":"order_2","language":"en"},{"id":"2","name":"order","language":"de"}],"paging":{"cursors":{"after":"B"},"next":"…"}}`
		if r.FormValue("after") == "B" {
			page = `{"data":[{"id":"3","name":"order","language":"en"}],"paging":{"cursors":{"after":"C"}}}`
		}
		_, _ = io.WriteString(w, page)
	})
	for _, tc := range []struct {
		ref  template.Ref
		want string
	}{
		{template.Ref{Name: "order", Language: "en"}, "3"}, {template.Ref{Name: "order", ID: "2"}, "2"},
		{template.Ref{Name: "order", Language: "fr"}, ""}, {template.Ref{Name: "order", ID: "1"}, ""}, {template.Ref{Name: "orde", Language: "en"}, ""},
	} {
		got, err := c.TemplateNamed(t.Context(), shop, tc.ref)
		if got.ID != tc.want || (tc.want == "") != fault.Is(err, fault.NotFound) {
			t.Errorf("%+v: %q, %v, want %q", tc.ref, got.ID, err, tc.want)
		}
	}
}

func TestTemplateRefusals(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, answer string
		status       int
		want         fault.Kind
	}{
		{"name taken", `{"error":{"code":100,"error_subcode":2388024,"message":"Invalid parameter","error_user_msg":"There is already English content"}}`, 400, fault.Conflict},
		{"bad body", `{"error":{"code":100,"error_subcode":2388072,"message":"Invalid parameter","error_user_msg":"The body ends with a variable"}}`, 400, fault.InvalidParameters},
		{"no account", `{"error":{"code":100,"error_subcode":33,"message":"Unsupported post request"}}`, 400, fault.NotFound},
		{"expired token", `{"error":{"code":190,"message":"Error validating access token"}}`, 401, fault.AccessDeniedByMeta},
		{"too many", `{"error":{"code":80007,"message":"Too many calls"}}`, 400, fault.Throttled},
		{"no id", `{"success":true}`, 200, fault.Dependency},
	} {
		c := client(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tc.status)
			_, _ = io.WriteString(w, tc.answer)
		})
		if _, err := c.CreateTemplate(t.Context(), shop, []byte(`{}`)); !fault.Is(err, tc.want) {
			t.Errorf("%s: %v, want %s", tc.name, err, tc.want)
		}
	}
	for name, answer := range map[string]string{"a number": `{"id":"1100","display_phone_number":"+1 555"}`,
		"what lacks the fields": `{"error":{"code":100,"message":"(#100) Tried accessing nonexisting field (name)"}}`,
		"nothing":               `{"error":{"code":100,"error_subcode":33,"message":"Unsupported get request"}}`} {
		c := client(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) })
		if _, err := c.Template(t.Context(), shop, "1100"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s is a template: %v", name, err)
		}
	}
}
