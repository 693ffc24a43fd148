package sim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/sim/flowjson"
	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// Statuses of a Flow.
const (
	flowDraft      = "DRAFT"
	flowPublished  = "PUBLISHED"
	flowDeprecated = "DEPRECATED"
	flowBlocked    = "BLOCKED"   // by Meta's monitoring: cannot be sent
	flowThrottled  = "THROTTLED" // by Meta's monitoring: ten messages an hour
)

// flow is a Flow of a business account.
type flow struct {
	id, name   string
	status     string
	categories []string
	endpoint   string
	app        string
	text       []byte // Flow JSON; nil when none was given
	checked    flowjson.Flow
	account    *account
	preview    string // secret part of the preview's address
	until      int64  // end of the preview, unix nanoseconds
	sent       []int64
}

const (
	maxFlowName = 200
	maxFlowJSON = 10 << 20
	previewLife = 30 * 24 * time.Hour
)

var flowCategories = []string{"SIGN_UP", "SIGN_IN", "APPOINTMENT_BOOKING", "LEAD_GENERATION", "SHOPPING", "CONTACT_US", "CUSTOMER_SUPPORT", "SURVEY", "OTHER"}

// flowError is a refusal in the form of the Flow edges: the words are in the title and text meant for users.
func flowError(code int, title, text string) *graph.Error {
	e := graph.Fail(code, "")
	if code == 100 {
		e.Message = "Invalid parameter"
	}
	e.UserTitle, e.UserMsg = title, text
	return e
}

type flowReply struct {
	ID       string             `json:"id,omitempty"`
	Success  bool               `json:"success"`
	Problems []flowjson.Problem `json:"validation_errors"`
}

// createFlow is POST /{account}/flows. The text is checked before the lock is taken: it may be long.
func createFlow(s *Sim, c *call) (any, *graph.Error) {
	if c.malformed != nil {
		return nil, c.malformed
	}
	text, err := flowText(c.params["flow_json"])
	if err != nil {
		return nil, err
	}
	checked := flowjson.Check(text)
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.st.accounts[c.account.ID]
	if a == nil {
		return nil, graph.UnknownObject(c.r.Method, c.id)
	}
	f := &flow{account: a, status: flowDraft, app: s.o.AppID}
	if err := f.describe(c, true); err != nil {
		return nil, err
	}
	f.endpoint, _ = c.params.String("endpoint_uri")
	if id, given := c.params.String("clone_flow_id"); given && id != "" {
		source := s.st.flows[id]
		if source == nil || source.account != a {
			return nil, flowError(100, "Flow with specified ID does not exist", "Flow with ID "+id+" does not exist in this WhatsApp Business Account.")
		}
		f.text, f.checked = source.text, source.checked
		if f.endpoint == "" {
			f.endpoint = source.endpoint
		}
	}
	if text != nil {
		f.text, f.checked = text, checked
	}
	f.id = s.st.ids.digits()
	s.st.flows[f.id] = f
	a.flows = append(a.flows, f)
	s.flowChanged(f, "", flowDraft)
	if publish, _ := c.params.String("publish"); publish == "true" && f.refusesPublishing() == nil {
		s.setFlowStatus(f, flowPublished)
	}
	return flowReply{ID: f.id, Success: true, Problems: f.problems()}, nil
}

// flowText reads flow_json, which is a string; a form's decoded object is taken too.
func flowText(v any) ([]byte, *graph.Error) {
	var text []byte
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		text = []byte(v)
	default:
		var err error
		if text, err = json.Marshal(v); err != nil {
			return nil, graph.Param("Param flow_json must be a JSON string.")
		}
	}
	if len(text) > maxFlowJSON {
		return nil, flowError(100, "Flow JSON is too large", "Flow JSON must be at most 10 MB.")
	}
	return text, nil
}

// describe takes over name and categories; for a new Flow both are required.
func (f *flow) describe(c *call, creating bool) *graph.Error {
	name, named := c.params.String("name")
	switch {
	case !named && creating:
		return graph.Param("The parameter name is required.")
	case named && (name == "" || utf8.RuneCountInString(name) > maxFlowName):
		return graph.Param("Param name must be from 1 to %d characters long.", maxFlowName)
	case named && f.account.flowNamed(name, f) != nil:
		return flowError(100, "Flow name is not unique", "This WhatsApp Business Account already has a Flow named "+name+". Choose another name.")
	}
	categories, given := c.params["categories"]
	if !given && creating {
		return graph.Param("The parameter categories is required.")
	}
	if given {
		list, ok := words(categories)
		if !ok || len(list) == 0 {
			return graph.Param("Param categories must be an array of at least 1 category.")
		}
		for _, w := range list {
			if !slices.Contains(flowCategories, w) {
				return graph.Param("Param categories[0] must be one of {%s} - got \"%s\".", strings.Join(flowCategories, ", "), w)
			}
		}
		f.categories = list
	}
	if named {
		f.name = name
	}
	return nil
}

// words reads a list of strings.
func words(v any) (list []string, ok bool) {
	items, ok := v.([]any)
	if !ok {
		return nil, false
	}
	for _, item := range items {
		w, isWord := item.(string)
		if !isWord {
			return nil, false
		}
		list = append(list, w)
	}
	return list, true
}

// flowNamed finds another Flow of that name.
func (a *account) flowNamed(name string, but *flow) *flow {
	i := slices.IndexFunc(a.flows, func(f *flow) bool { return f.name == name && f != but })
	if i < 0 {
		return nil
	}
	return a.flows[i]
}

// updateFlow is POST /{flow}: name, categories, endpoint and app.
func updateFlow(_ *Sim, c *call) (any, *graph.Error) {
	f := c.flow
	switch {
	case c.malformed != nil:
		return nil, c.malformed
	case f.status == flowDeprecated:
		return nil, flowError(139001, "Flow can't be updated", "A deprecated Flow cannot be changed.")
	}
	if err := f.describe(c, false); err != nil {
		return nil, err
	}
	if uri, given := c.params.String("endpoint_uri"); given {
		f.endpoint = uri
	}
	if app, given := c.params.String("application_id"); given {
		f.app = app
	}
	return success, nil
}

// updateFlowAssets is POST /{flow}/assets, a multipart upload. Problems in the text do not refuse it. A published Flow goes
// back to being a draft.
func updateFlowAssets(s *Sim, c *call) (any, *graph.Error) {
	if c.malformed != nil {
		return nil, c.malformed
	}
	name, _ := c.params.String("name")
	kind, _ := c.params.String("asset_type")
	file, ok := c.params["file"].(graph.File)
	switch {
	case !ok:
		return nil, graph.Param("The parameter file is required.")
	case name != "flow.json":
		return nil, graph.Param("Param name must be one of {flow.json} - got \"%s\".", name)
	case kind != "FLOW_JSON":
		return nil, graph.Param("Param asset_type must be one of {FLOW_JSON} - got \"%s\".", kind)
	case len(file.Data) > maxFlowJSON:
		return nil, flowError(100, "Flow JSON is too large", "Flow JSON must be at most 10 MB.")
	}
	checked := flowjson.Check(file.Data)
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.st.flows[c.id]
	switch {
	case f == nil:
		return nil, graph.UnknownObject(c.r.Method, c.id)
	case f.status == flowDeprecated || f.status == flowBlocked:
		return nil, flowError(139001, "Flow can't be updated", "A Flow with status "+f.status+" cannot be changed.")
	}
	f.text, f.checked = file.Data, checked
	if f.status != flowDraft {
		s.setFlowStatus(f, flowDraft)
	}
	return flowReply{Success: true, Problems: f.problems()}, nil
}

func (f *flow) problems() []flowjson.Problem {
	if f.checked.Problems == nil {
		return []flowjson.Problem{}
	}
	return f.checked.Problems
}

func publishFlow(s *Sim, c *call) (any, *graph.Error) {
	if err := c.flow.refusesPublishing(); err != nil {
		return nil, err
	}
	s.setFlowStatus(c.flow, flowPublished)
	return success, nil
}

// refusesPublishing returns why a Flow cannot be published, or nil.
func (f *flow) refusesPublishing() *graph.Error {
	endpoint := f.checked.DataAPIVersion != ""
	signed := slices.ContainsFunc(f.account.numbers, func(n *number) bool { return n.publicKey != "" && n.keyStatus == keyValid })
	switch {
	case f.status == flowBlocked:
		return flowError(139000, "Flow is blocked", "The Flow or its account is blocked for integrity reasons.")
	case f.status != flowDraft:
		return flowError(139002, "Publishing Flow in invalid state", "Only a Flow with status DRAFT can be published. This one is "+f.status+".")
	case f.text == nil:
		return flowError(139002, "Publishing Flow without Flow JSON", "Upload Flow JSON before publishing.")
	case !f.checked.Valid():
		return flowError(139002, "Publishing Flow with validation errors", "Correct all validation errors before publishing.")
	case len(f.account.numbers) == 0:
		return flowError(139002, "No Phone Number connected to WhatsApp Business Account", "Add a phone number before publishing.")
	case f.app == "":
		return flowError(139002, "No Application connected to the Flow", "Connect a Meta app to the Flow before publishing.")
	case endpoint && f.endpoint == "":
		return flowError(139002, "Publishing Flow without endpoint_uri", "Set endpoint_uri before publishing.")
	case endpoint && !signed:
		return flowError(139002, "Missing Flows Signed Public Key", "Upload a public key for a phone number of the account before publishing.")
	case endpoint && !f.account.subscribed:
		return flowError(139002, "WhatsApp Business Account is not subscribed to Flows Webhooks", "Subscribe an app to the account before publishing.")
	}
	return nil
}

func deprecateFlow(s *Sim, c *call) (any, *graph.Error) {
	switch c.flow.status {
	case flowDraft:
		return nil, flowError(139003, "Can't deprecate unpublished flow", "Only a published Flow can be deprecated. Delete a draft instead.")
	case flowDeprecated:
		return nil, flowError(139003, "Flow is already deprecated", "The Flow has been deprecated before.")
	}
	s.setFlowStatus(c.flow, flowDeprecated)
	return success, nil
}

func deleteFlow(s *Sim, c *call) (any, *graph.Error) {
	f := c.flow
	if f.status != flowDraft {
		return nil, flowError(139004, "Can't delete published Flow", "Only a Flow with status DRAFT can be deleted. Deprecate this one instead.")
	}
	delete(s.st.flows, f.id)
	f.account.flows = slices.DeleteFunc(f.account.flows, func(other *flow) bool { return other == f })
	return success, nil
}

// setFlowStatus moves a Flow and tells the app.
func (s *Sim) setFlowStatus(f *flow, to string) {
	from := f.status
	f.status, f.sent = to, nil
	s.flowChanged(f, from, to)
}

// flowChanged is the webhook of a status; a new Flow has no old one.
func (s *Sim) flowChanged(f *flow, from, to string) {
	value := object{"event": "FLOW_STATUS_CHANGE", "flow_id": f.id, "new_status": to}
	if from == "" {
		value["message"] = "Flow " + f.name + " has been created with status " + to
	} else {
		value["message"] = "Flow " + f.name + " changed status from " + from + " to " + to
		value["old_status"] = from
	}
	s.announce(f.account, "flows", value, s.now())
}

// flowAlerts are what Meta's monitoring reports of a Flow beside its status.
var flowAlerts = []string{"CLIENT_ERROR_RATE", "ENDPOINT_ERROR_RATE", "ENDPOINT_LATENCY", "ENDPOINT_AVAILABILITY", "FLOW_VERSION_EXPIRY_WARNING"}

// patchFlow is PATCH /sim/v1/flows/{id}: what Meta's monitoring does to a Flow.
func patchFlow(s *Sim, r *http.Request) (shown any, err error) {
	var p struct {
		Status string         `json:"status"`
		Alert  map[string]any `json:"alert"`
	}
	if err := input(r, &p); err != nil {
		return nil, err
	}
	if p.Status != "" && !slices.Contains([]string{flowDraft, flowPublished, flowDeprecated, flowBlocked, flowThrottled}, p.Status) {
		return nil, fault.New(fault.Validation, "status must be DRAFT, PUBLISHED, DEPRECATED, BLOCKED or THROTTLED")
	}
	if event, _ := p.Alert["event"].(string); p.Alert != nil && !slices.Contains(flowAlerts, event) {
		return nil, fault.New(fault.Validation, "alert.event must be one of %s", strings.Join(flowAlerts, ", "))
	}
	s.with(func(st *state) {
		f := st.flows[r.PathValue("id")]
		if f == nil {
			err = fault.New(fault.NotFound, "no Flow has the id %q", r.PathValue("id"))
			return
		}
		if p.Status != "" && f.status != p.Status {
			s.setFlowStatus(f, p.Status)
		}
		if p.Alert != nil {
			p.Alert["flow_id"] = f.id
			s.announce(f.account, "flows", p.Alert, s.now())
		}
		shown = f.object(s)
	})
	return shown, err
}
