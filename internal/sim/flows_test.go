package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	flowsPath = "/v25.0/" + AccountID + "/flows"
	goodFlow  = `{"version":"7.0","screens":[{"id":"ASK","title":"Well?","terminal":true,"layout":{"type":"SingleColumnLayout","children":[` +
		`{"type":"TextBody","text":"How <was> it?"},{"type":"Footer","label":"Done","on-click-action":{"name":"complete","payload":{}}}]}}]}`
	badFlow      = `{"version":"7.0","screens":[]}`
	endpointFlow = `{"version":"7.0","data_api_version":"3.0","routing_model":{"ASK":[]},"screens":[{"id":"ASK","title":"Well?","terminal":true,"layout":` +
		`{"type":"SingleColumnLayout","children":[{"type":"Footer","label":"Done","on-click-action":{"name":"data_exchange","payload":{}}}]}}]}`
)

// jsonText renders a string as JSON.
func jsonText(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// flow makes a Flow and returns its id.
func (f *fixture) flow(name, text string) string {
	f.t.Helper()
	body := `{"name":` + jsonText(name) + `,"categories":["OTHER"]`
	if text != "" {
		body += `,"flow_json":` + jsonText(text)
	}
	r := f.graph(http.MethodPost, flowsPath, body+`}`)
	var made struct{ ID string }
	if err := json.Unmarshal(r.body, &made); err != nil || r.status != http.StatusOK || made.ID == "" {
		f.t.Fatalf("create = %d %s", r.status, r.body)
	}
	return made.ID
}

// node reads fields of a Flow.
func (f *fixture) node(id, fields string) map[string]any {
	f.t.Helper()
	r := f.graph(http.MethodGet, "/v25.0/"+id+"?fields="+fields, "")
	var m map[string]any
	if err := json.Unmarshal(r.body, &m); err != nil || r.status != http.StatusOK {
		f.t.Fatalf("read = %d %s", r.status, r.body)
	}
	return m
}

func (f *fixture) flowStatus(id string) string {
	f.t.Helper()
	s, _ := f.node(id, "status")["status"].(string)
	return s
}

// asset uploads a file to a Flow.
func (f *fixture) asset(id, name, kind, text string) reply {
	f.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for k, v := range map[string]string{"name": name, "asset_type": kind} {
		if err := w.WriteField(k, v); err != nil {
			f.t.Fatal(err)
		}
	}
	if text != "" {
		part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="x"`}, "Content-Type": {"application/json"}})
		if err != nil {
			f.t.Fatal(err)
		}
		if _, err := part.Write([]byte(text)); err != nil {
			f.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		f.t.Fatal(err)
	}
	r, err := f.do(f.request(http.MethodPost, "/v25.0/"+id+"/assets", b.String(), "Authorization", "Bearer "+AccessToken, "Content-Type", w.FormDataContentType()))
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

func TestFlowLife(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		id := f.flow("Survey", badFlow)
		do := func(edge string) reply { return f.graph(http.MethodPost, "/v25.0/"+id+"/"+edge, "") }
		refused := func(what string, r reply, code int) {
			t.Helper()
			if r.status != http.StatusBadRequest || r.errorCode(t) != code {
				t.Errorf("%s = %d %s, want code %d", what, r.status, r.body, code)
			}
		}
		refused("publishing with problems", do("publish"), 139002)
		refused("deprecating a draft", do("deprecate"), 139003)
		if r := f.asset(id, "flow.json", "FLOW_JSON", goodFlow); string(r.body) != `{"success":true,"validation_errors":[]}` {
			t.Errorf("upload = %s", r.body)
		}
		if r := do("publish"); string(r.body) != `{"success":true}` {
			t.Errorf("publish = %s", r.body)
		}
		refused("publishing twice", do("publish"), 139002)
		refused("deleting what is published", f.graph(http.MethodDelete, "/v25.0/"+id, ""), 139004)
		if r := f.asset(id, "flow.json", "FLOW_JSON", badFlow); !strings.Contains(string(r.body), `"success":true,"validation_errors":[{"error":"MIN_ITEMS_REQUIRED"`) {
			t.Errorf("upload with problems = %s", r.body)
		}
		if s := f.flowStatus(id); s != flowDraft {
			t.Errorf("after the upload it is %s", s)
		}
		f.asset(id, "flow.json", "FLOW_JSON", goodFlow)
		do("publish")
		do("deprecate")
		refused("deprecating twice", do("deprecate"), 139003)
		refused("changing what is deprecated", f.graph(http.MethodPost, "/v25.0/"+id, `{"name":"x"}`), 139001)
		refused("uploading to what is deprecated", f.asset(id, "flow.json", "FLOW_JSON", goodFlow), 139001)
		draft := f.flow("Other", "")
		if r := f.graph(http.MethodDelete, "/v25.0/"+draft, ""); string(r.body) != `{"success":true}` {
			t.Errorf("delete = %s", r.body)
		}
		if r := f.graph(http.MethodGet, "/v25.0/"+draft, ""); r.graphError(t).Subcode != 33 {
			t.Errorf("a deleted Flow = %s", r.body)
		}
		after(time.Second)
		var told []string
		for _, h := range f.app.taken() {
			var e struct {
				Entry []struct {
					ID      string
					Changes []struct {
						Field string
						Value map[string]string
					}
				}
			}
			if err := json.Unmarshal(h.body, &e); err != nil {
				t.Fatal(err)
			}
			for _, entry := range e.Entry {
				for _, c := range entry.Changes {
					if c.Field == "flows" && c.Value["flow_id"] == id && c.Value["event"] == "FLOW_STATUS_CHANGE" && entry.ID == AccountID {
						told = append(told, c.Value["old_status"]+">"+c.Value["new_status"])
					}
				}
			}
		}
		want := []string{">DRAFT", "DRAFT>PUBLISHED", "PUBLISHED>DRAFT", "DRAFT>PUBLISHED", "PUBLISHED>DEPRECATED"}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("webhooks (-want +got):\n%s", diff)
		}
	})
}

func TestFlowCreation(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	source := f.flow("Taken", goodFlow)
	for _, tc := range []struct {
		name, body string
		code       int
		text       string
	}{
		{"no name", `{"categories":["OTHER"]}`, 100, "name is required"},
		{"long name", `{"name":"` + strings.Repeat("x", 201) + `","categories":["OTHER"]}`, 100, "200"},
		{"name that is taken", `{"name":"Taken","categories":["OTHER"]}`, 100, "not unique"},
		{"no categories", `{"name":"x"}`, 100, "categories is required"},
		{"empty categories", `{"name":"x","categories":[]}`, 100, "at least 1"},
		{"unknown category", `{"name":"x","categories":["FUN"]}`, 100, "FUN"},
		{"category that is no text", `{"name":"x","categories":[1]}`, 100, "array"},
		{"copy of nothing", `{"name":"x","categories":["OTHER"],"clone_flow_id":"1"}`, 100, "does not exist"},
		{"not JSON", `{`, 100, "JSON"},
	} {
		if r := f.graph(http.MethodPost, flowsPath, tc.body); r.status != http.StatusBadRequest || r.errorCode(t) != tc.code || !strings.Contains(string(r.body), tc.text) {
			t.Errorf("%s = %d %s, want %d that says %q", tc.name, r.status, r.body, tc.code, tc.text)
		}
	}
	r := f.graph(http.MethodPost, flowsPath, `{"name":"Copy","categories":["OTHER"],"clone_flow_id":"`+source+`","publish":true}`)
	var made flowReply
	if err := json.Unmarshal(r.body, &made); err != nil || !made.Success || f.flowStatus(made.ID) != flowPublished {
		t.Errorf("published copy = %s", r.body)
	}
	if f.node(made.ID, "json_version")["json_version"] != "7.0" {
		t.Error("the copy has no text")
	}
	for _, tc := range []struct{ name, asset, kind, text string }{
		{"no file", "flow.json", "FLOW_JSON", ""},
		{"another name", "x.json", "FLOW_JSON", goodFlow},
		{"another type", "flow.json", "IMAGE", goodFlow},
	} {
		if r := f.asset(source, tc.asset, tc.kind, tc.text); r.errorCode(t) != 100 {
			t.Errorf("%s = %s", tc.name, r.body)
		}
	}
}

// A Flow with an endpoint needs more before it can be published.
func TestFlowEndpoint(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	id := f.flow("Endpoint", endpointFlow)
	publish := func(want string) {
		t.Helper()
		if r := f.graph(http.MethodPost, "/v25.0/"+id+"/publish", ""); !strings.Contains(string(r.body), want) {
			t.Errorf("publish = %s, want %q", r.body, want)
		}
	}
	publish("without endpoint_uri")
	f.graph(http.MethodPost, "/v25.0/"+id, `{"endpoint_uri":"https://example.com/flow"}`)
	publish("Public Key")
	if r := f.graph(http.MethodPost, keyPath, `{"business_public_key":`+jsonText(testKey(t, 2048))+`}`); r.status != http.StatusOK {
		t.Fatalf("key = %s", r.body)
	}
	f.graph(http.MethodPost, "/v25.0/"+id, `{"application_id":""}`)
	publish("No Application")
	f.graph(http.MethodPost, "/v25.0/"+id, `{"application_id":"`+AppID+`"}`)
	f.graph(http.MethodDelete, "/v25.0/"+AccountID+"/subscribed_apps", "")
	publish("not subscribed")
	f.graph(http.MethodPost, "/v25.0/"+AccountID+"/subscribed_apps", "")
	publish(`{"success":true}`)
	n := f.node(id, "data_api_version,endpoint_uri,application")
	if n["data_api_version"] != "3.0" || n["endpoint_uri"] != "https://example.com/flow" || n["application"] == nil {
		t.Errorf("node = %v", n)
	}
}

func TestFlowReads(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{PublicURL: "http://127.0.0.1:7767"})
	id := f.flow("Show & tell", goodFlow)
	broken := f.flow("Broken", badFlow)
	if n := f.node(id, ""); n["name"] != "Show & tell" || n["status"] != flowDraft || len(n) != 5 {
		t.Errorf("default fields = %v", n)
	}
	for flow, want := range map[string]string{id: "AVAILABLE", broken: "BLOCKED"} {
		if h, _ := f.node(flow, "health_status")["health_status"].(map[string]any); h["can_send_message"] != want {
			t.Errorf("health = %v, want %s", h, want)
		}
	}
	link := func(fields string) string {
		p, _ := f.node(id, fields)["preview"].(map[string]any)
		s, _ := p["preview_url"].(string)
		return s
	}
	first := link("preview.invalidate(false)")
	if again := link("preview"); again != first || first == "" {
		t.Errorf("previews %q and %q, want the same", first, again)
	}
	second := link("id,preview.invalidate(true)")
	for url, want := range map[string]int{first: http.StatusNotFound, second: http.StatusOK} {
		r := f.open(url)
		if r.status != want || want == http.StatusOK && (!strings.Contains(string(r.body), "Show &amp; tell") || !strings.Contains(string(r.body), "How &lt;was&gt; it?")) {
			t.Errorf("%s = %d %s", url, r.status, r.body)
		}
	}
	f.control(http.MethodPut, "/sim/v1/settings", fmt.Sprint(`{"clock_offset_ms":`, (31*24*time.Hour).Milliseconds(), `}`))
	if r := f.open(second); r.status != http.StatusNotFound {
		t.Errorf("a preview after 31 days = %d", r.status)
	}
	var assets struct {
		Data []struct {
			Name string `json:"name"`
			Type string `json:"asset_type"`
			URL  string `json:"download_url"`
		}
	}
	r := f.graph(http.MethodGet, "/v25.0/"+id+"/assets", "")
	if err := json.Unmarshal(r.body, &assets); err != nil || len(assets.Data) != 1 || assets.Data[0].Type != "FLOW_JSON" {
		t.Fatalf("assets = %s", r.body)
	}
	url := assets.Data[0].URL
	if r := f.open(url); r.status != http.StatusOK || string(r.body) != goodFlow {
		t.Errorf("asset = %d %s", r.status, r.body)
	}
	if r := f.open(strings.Replace(url, "hash=", "hash=x", 1)); r.status != http.StatusForbidden {
		t.Errorf("asset with a wrong hash = %d", r.status)
	}
	var list struct{ Data []struct{ Name string } }
	r = f.graph(http.MethodGet, flowsPath+"?limit=1", "")
	if err := json.Unmarshal(r.body, &list); err != nil || len(list.Data) != 1 || !strings.Contains(string(r.body), `"next":`) {
		t.Errorf("list = %s", r.body)
	}
}

// open fetches an address without a token.
func (f *fixture) open(url string) reply {
	f.t.Helper()
	r, err := f.do(f.request(http.MethodGet, strings.TrimPrefix(url, "http://127.0.0.1:7767"), ""))
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

func TestFlowMessages(t *testing.T) {
	t.Parallel()
	world := SeededWorld()
	world.Accounts[0].Templates = append(world.Accounts[0].Templates, Template{ID: "1400000000000999", Name: "survey", Language: "en_US", Category: "UTILITY",
		Components: json.RawMessage(`[{"type":"BODY","text":"Two questions."},{"type":"BUTTONS","buttons":[{"type":"FLOW","text":"Start","flow_name":"Survey"}]}]`)})
	f := newFixture(t, Options{World: world})
	id := f.flow("Survey", goodFlow)
	f.writes(Diego, hi)
	open := func(parameters string) reply {
		return f.post(`{"messaging_product":"whatsapp","to":"+` + Diego + `","type":"interactive","interactive":{"type":"flow","body":{"text":"Two questions"},` +
			`"action":{"name":"flow","parameters":{"flow_message_version":"3","flow_cta":"Start",` + parameters + `}}}}`)
	}
	byID := `"flow_id":"` + id + `"`
	expect := func(what, parameters string, code int) {
		t.Helper()
		if r := open(parameters); code == 0 && r.status != http.StatusOK || code != 0 && r.errorCode(t) != code {
			t.Errorf("%s = %d %s, want code %d", what, r.status, r.body, code)
		}
	}
	expect("a draft", byID, 131009)
	expect("a draft as a draft", byID+`,"mode":"draft"`, 0)
	expect("none", `"flow_id":"1"`, 131009)
	f.graph(http.MethodPost, "/v25.0/"+id+"/publish", "")
	expect("published", byID, 0)
	f.send(templateTo(Amara, "survey"))
	expect("published, by name", `"flow_name":"Survey"`, 0)
	expect("published as a draft", byID+`,"mode":"draft"`, 131009)
	expect("a screen it has", byID+`,"flow_action_payload":{"screen":"ASK"}`, 0)
	expect("a screen it has not", byID+`,"flow_action_payload":{"screen":"TELL"}`, 131009)
	set := func(status string) {
		f.control(http.MethodPatch, "/sim/v1/flows/"+id, `{"status":"`+status+`"}`)
	}
	set(flowThrottled)
	for range throttledSends {
		expect("throttled", byID, 0)
	}
	expect("throttled, the eleventh", byID, 132069)
	f.control(http.MethodPut, "/sim/v1/settings", fmt.Sprint(`{"clock_offset_ms":`, time.Hour.Milliseconds(), `}`))
	expect("throttled, an hour later", byID, 0)
	set(flowBlocked)
	expect("blocked", byID, 132068)
	if r := f.post(templateTo(Amara, "survey")); r.errorCode(t) != 132068 {
		t.Errorf("template with a blocked Flow = %s", r.body)
	}
	if r := f.graph(http.MethodPost, "/v25.0/"+id+"/publish", ""); r.errorCode(t) != 139000 {
		t.Errorf("publishing what is blocked = %s", r.body)
	}
	set(flowDeprecated)
	expect("deprecated", byID, 131009)
	for path, body := range map[string]string{"/sim/v1/flows/1": `{"status":"BLOCKED"}`, "/sim/v1/flows/" + id: `{"status":"GONE"}`} {
		if r, err := f.do(f.request(http.MethodPatch, path, body)); err != nil || r.status == http.StatusOK {
			t.Errorf("PATCH %s %s = %d %v", path, body, r.status, err)
		}
	}
}
