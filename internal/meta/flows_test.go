package meta

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/calling"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/flow"
)

// exchange is a call that has to come, as "METHOD path?query", and its answer.
type exchange struct{ call, answer string }

// graphOf returns a client of a server that answers calls in order, and what their bodies were.
func graphOf(t *testing.T, script ...exchange) (*Client, *[]string) {
	t.Helper()
	bodies := new([]string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		*bodies = append(*bodies, string(body))
		call := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/"+Version+"/")
		if q := r.URL.Query(); len(q) > 0 {
			call += "?" + q.Encode()
		}
		i := len(*bodies) - 1
		if i >= len(script) || script[i].call != call {
			t.Errorf("call %d is %s", i, call)
			w.WriteHeader(http.StatusTeapot)
			return
		}
		if _, err := io.WriteString(w, script[i].answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(func() {
		server.Close()
		if len(*bodies) != len(script) {
			t.Errorf("%d calls, want %d", len(*bodies), len(script))
		}
	})
	c, err := New(Options{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return c, bodies
}

var access = account.Access{MetaID: "12", Token: "EAA"}

const (
	owned = `{"id":"7","whatsapp_business_account":{"id":"12"}}`
	own   = "GET 7?fields=id%2Cwhatsapp_business_account"
)

func TestCreateFlow(t *testing.T) {
	t.Parallel()
	c, bodies := graphOf(t, exchange{own, owned}, exchange{"POST 12/flows", `{"id":"8","success":true,"validation_errors":[` +
		`{"error":"INVALID_PROPERTY_VALUE","error_type":"FLOW_JSON_ERROR","message":"Bad type.","line_start":10,"column_start":21,"pointers":[{"path":"screens[0].id"}]},` +
		`{"error":"INVALID_FLOW_JSON","message":"Not JSON."}]}`})
	got, err := c.CreateFlow(t.Context(), access, flow.Draft{Name: "n", Categories: []string{"OTHER"}, JSON: []byte(`{"a":1}`), Publish: true, CloneID: "7"})
	if err != nil {
		t.Fatal(err)
	}
	want := flow.Created{ID: "8", Problems: []string{"INVALID_PROPERTY_VALUE: Bad type. (line 10, column 21, screens[0].id)", "INVALID_FLOW_JSON: Not JSON."}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	if want := `{"categories":["OTHER"],"clone_flow_id":"7","flow_json":"{\"a\":1}","name":"n","publish":true}`; (*bodies)[1] != want {
		t.Errorf("body = %s, want %s", (*bodies)[1], want)
	}
}

func TestUpdateFlowAssets(t *testing.T) {
	t.Parallel()
	c, bodies := graphOf(t, exchange{own, owned}, exchange{"POST 7/assets", `{"success":true,"validation_errors":[]}`})
	problems, err := c.UpdateFlowAssets(t.Context(), access, "7", []byte(`{"version":"7.0"}`))
	if err != nil || len(problems) != 0 {
		t.Fatal(problems, err)
	}
	for _, want := range []string{"name=\"name\"\r\n\r\nflow.json\r\n", "name=\"asset_type\"\r\n\r\nFLOW_JSON\r\n",
		"name=\"file\"; filename=\"flow.json\"\r\nContent-Type: application/json\r\n\r\n{\"version\":\"7.0\"}\r\n"} {
		if !strings.Contains((*bodies)[1], want) {
			t.Errorf("form lacks %q:\n%s", want, (*bodies)[1])
		}
	}
}

func TestFlowPages(t *testing.T) {
	t.Parallel()
	const call = "GET 12/flows?fields=id%2Cname%2Cstatus%2Ccategories%2Cvalidation_errors&limit=2"
	c, _ := graphOf(t,
		exchange{call, `{"data":[{"id":"1","name":"a","status":"DRAFT","categories":["OTHER"]},{"id":"2"}],"paging":{"cursors":{"after":"QVFI2"},"next":"https://x"}}`},
		exchange{strings.Replace(call, "?", "?after=QVFI2&", 1), `{"data":[{"id":"3"}],"paging":{"cursors":{"after":"QVFI3"}}}`})
	first, next, err := c.Flows(t.Context(), access, "", 2)
	if err != nil || next != "QVFI2" {
		t.Fatal(next, err)
	}
	want := []flow.Summary{{ID: "1", Name: "a", Status: "DRAFT", Categories: []string{"OTHER"}, Problems: []string{}}, {ID: "2", Problems: []string{}}}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("first page (-want +got):\n%s", diff)
	}
	if last, next, err := c.Flows(t.Context(), access, next, 2); err != nil || next != "" || len(last) != 1 {
		t.Errorf("last page = %v, %q, %v", last, next, err)
	}
}

// What is not the account's is not touched, whatever the token may open.
func TestFlowsOfOthers(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"another account's": `{"id":"7","whatsapp_business_account":{"id":"13"}}`,
		"nobody's":          `{"id":"7"}`,
		"another id":        `{"id":"8","whatsapp_business_account":{"id":"12"}}`,
		"another kind":      `{"error":{"code":100,"message":"(#100) Tried accessing nonexisting field"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, do := range []func(*Client) error{
				func(c *Client) error { return c.DeleteFlow(t.Context(), access, "7") },
				func(c *Client) error { return c.PublishFlow(t.Context(), access, "7") },
				func(c *Client) error { return c.UpdateFlow(t.Context(), access, "7", flow.Changes{Name: "x"}) },
				func(c *Client) error { _, err := c.UpdateFlowAssets(t.Context(), access, "7", nil); return err },
				func(c *Client) error { _, err := c.FlowPreview(t.Context(), access, "7", true); return err },
				func(c *Client) error { _, _, err := c.FlowAssets(t.Context(), access, "7", "", 1); return err },
			} {
				c, _ := graphOf(t, exchange{own, answer})
				if err := do(c); !fault.Is(err, fault.NotFound) {
					t.Errorf("error = %v, want not found", err)
				}
			}
		})
	}
}

func TestSendCall(t *testing.T) {
	t.Parallel()
	line := account.Line{PhoneMetaID: "11"}
	body := []byte(`{"action":"connect"}`)
	c, bodies := graphOf(t, exchange{"POST 11/calls", `{"messaging_product":"whatsapp","calls":[{"id":"wacid.1"}]}`},
		exchange{"POST 11/calls", `{"messaging_product":"whatsapp","success":true}`}, exchange{"POST 11/calls", `{"messaging_product":"whatsapp"}`})
	if id, err := c.SendCall(t.Context(), line, Version, body, true); id != "wacid.1" || err != nil || (*bodies)[0] != string(body) {
		t.Errorf("start = %q, %v, body %s", id, err, (*bodies)[0])
	}
	if id, err := c.SendCall(t.Context(), line, Version, body, false); id != "" || err != nil {
		t.Errorf("other event = %q, %v", id, err)
	}
	if _, err := c.SendCall(t.Context(), line, Version, body, true); !errors.Is(err, errNoCallID) || Outcome(err) != Unknown {
		t.Errorf("start without an id = %v", err)
	}
}

func TestCallPermission(t *testing.T) {
	t.Parallel()
	line := account.Line{PhoneMetaID: "11"}
	const answer = `{"permission":{"status":"temporary","expiration_time":1745343479},"actions":[{"action_name":"start_call","can_perform_action":false,` +
		`"limits":[{"time_period":"PT24H","max_allowed":5,"current_usage":5,"limit_expiration_time":1745622600}]}]}`
	c, _ := graphOf(t, exchange{"GET 11/call_permissions?user_wa_id=%2B14255550150", answer}, exchange{"GET 11/call_permissions?recipient=US.1", answer})
	want := calling.Permission{Status: "temporary", ExpiresAt: 1745343479, Actions: []calling.Action{{Name: "start_call",
		Limits: []calling.Limit{{Period: "PT24H", Max: 5, Used: 5, ExpiresAt: 1745622600}}}}}
	for _, who := range [][2]string{{"+14255550150", ""}, {"", "US.1"}} {
		got, err := c.CallPermission(t.Context(), line, who[0], who[1])
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("permission of %v: %v\n%s", who, err, diff)
		}
	}
}

func TestConversions(t *testing.T) {
	t.Parallel()
	c, _ := graphOf(t, exchange{"POST 12/dataset", `{"id":"99"}`}, exchange{"GET 12/dataset", `{"id":"99"}`},
		exchange{"POST 99/events", `{"events_received":1,"fbtrace_id":"Ax"}`}, exchange{"GET 12/dataset", `{"id":"99"}`}, exchange{"POST 12/dataset", `{}`})
	id, err := c.CreateDataset(t.Context(), access)
	if err != nil || id != "99" {
		t.Fatal(id, err)
	}
	if request, err := c.SendConversions(t.Context(), access, id, json.RawMessage(`{"data":[]}`)); request != "Ax" || err != nil {
		t.Errorf("request %q, %v", request, err)
	}
	if _, err := c.SendConversions(t.Context(), access, "98", nil); !fault.Is(err, fault.NotFound) {
		t.Errorf("another dataset: %v", err)
	}
	if _, err := c.CreateDataset(t.Context(), access); !fault.Is(err, fault.Dependency) {
		t.Errorf("answer without an id: %v", err)
	}
}

func TestPublicKeyAbsent(t *testing.T) {
	t.Parallel()
	line := account.Line{PhoneMetaID: "11"}
	c, bodies := graphOf(t, exchange{"GET 11/whatsapp_business_encryption", `{"data":[]}`}, exchange{"POST 11/whatsapp_business_encryption", `{"success":true}`})
	if _, _, err := c.PublicKey(t.Context(), line); !fault.Is(err, fault.NotFound) {
		t.Errorf("no key: %v", err)
	}
	if err := c.SetPublicKey(t.Context(), line, "-----BEGIN"); err != nil || (*bodies)[1] != "business_public_key=-----BEGIN" {
		t.Errorf("store: %v, body %s", err, (*bodies)[1])
	}
}
