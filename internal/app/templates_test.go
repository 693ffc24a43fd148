package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/sim"
)

var templateOperations = []string{"CreateWhatsAppMessageTemplate", "CreateWhatsAppMessageTemplateFromLibrary", "DeleteWhatsAppMessageTemplate",
	"GetWhatsAppMessageTemplate", "ListWhatsAppMessageTemplates", "ListWhatsAppTemplateLibrary", "UpdateWhatsAppMessageTemplate", "ListTemplateStates",
	"ValidateTemplate"}

// templateNode is a node without quotas in the way, behind which templates are reviewed at once.
func templateNode(t *testing.T, change func(*config.Config)) *node {
	t.Helper()
	n := start(t, t.TempDir(), func(c *config.Config) {
		liftQuotas(templateOperations...)(c)
		if change != nil {
			change(c)
		}
	})
	n.control(t, "PUT", "/sim/v1/settings", `{"review_ms":0}`)
	return n
}

func (n *node) createTemplate(t *testing.T, definition string) (id string) {
	t.Helper()
	var out struct{ MetaTemplateID, TemplateStatus, Category string }
	n.ask(t, "POST", "/v1/whatsapp/template/put", object{"id": seededWABA, "templateDefinition": blob(definition)}, &out)
	if out.MetaTemplateID == "" || out.TemplateStatus == "" || out.Category == "" {
		t.Fatalf("created %+v", out)
	}
	return out.MetaTemplateID
}

func definition(name, language, body string) string {
	return `{"name":"` + name + `","language":"` + language + `","category":"UTILITY","components":[{"type":"BODY","text":"` + body + `"}]}`
}

func templateQuery(of string, parameters ...string) string {
	q := url.Values{"id": {seededWABA}}
	for i := 0; i < len(parameters); i += 2 {
		q.Set(parameters[i], parameters[i+1])
	}
	return "/v1/whatsapp/template" + of + "?" + q.Encode()
}

// metaTemplate is a template as Meta shows it.
type metaTemplate struct {
	ID, Name, Language, Status, Category string
	Components                           []struct{ Type, Text string }
}

func (n *node) template(t *testing.T, id string) (m metaTemplate) {
	t.Helper()
	var out struct{ Template string }
	n.ask(t, "GET", templateQuery("", "metaTemplateId", id), nil, &out)
	if err := json.Unmarshal([]byte(out.Template), &m); err != nil {
		t.Fatalf("template %q: %v", out.Template, err)
	}
	return m
}

// The examples of AWS's guide are created as they are printed there, line breaks within texts included.
func TestGuideTemplates(t *testing.T) {
	t.Parallel()
	n := templateNode(t, nil)
	files, err := filepath.Glob("../template/testdata/guide-*.json")
	if err != nil || len(files) != 5 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	for _, file := range files {
		printed, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		id := n.createTemplate(t, string(printed))
		if !strings.Contains(string(printed), `"`+n.template(t, id).Name+`"`) {
			t.Errorf("%s became %+v", file, n.template(t, id))
		}
		waitFor(t, "approval of "+file, func() bool { return n.template(t, id).Status == "APPROVED" })
	}
	var list struct {
		Templates []struct{ TemplateName, TemplateStatus string }
	}
	n.ask(t, "GET", templateQuery("/list"), nil, &list)
	if len(list.Templates) != 8 { // with the three of the development world
		t.Errorf("listed %+v", list)
	}
}

// shownState is an element of ListTemplateStates.
type shownState struct {
	TemplateName, MetaTemplateID, TemplateLanguage, TemplateStatus, RejectedReason, TemplateQualityScore string
	TemplateCategory, PreviousCategory, UpcomingCategory                                                 string
	PriceRise                                                                                            bool
	PausedUntil, CategoryChangedAt                                                                       float64
}

func (n *node) templateState(t *testing.T, id string) shownState {
	t.Helper()
	var out struct{ Templates []shownState }
	n.ask(t, "GET", path("templates/list", "id", seededWABA), nil, &out)
	i := slices.IndexFunc(out.Templates, func(s shownState) bool { return s.MetaTemplateID == id })
	if i < 0 {
		return shownState{}
	}
	return out.Templates[i]
}

// What Meta's webhooks say about a template over its life is kept, and survives a restart.
func TestTemplateStates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, dir, liftQuotas(templateOperations...))
	n.control(t, "PUT", "/sim/v1/settings", `{"auto_approve":false}`)
	id := n.createTemplate(t, definition("welcome", "en_US", "Welcome to our shop."))
	tell := func(what, body string, want func(s shownState) bool) {
		t.Helper()
		n.control(t, "POST", "/sim/v1/templates/"+id+"/"+what, body)
		waitFor(t, "what "+what+" "+body+" brings", func() bool { return want(n.templateState(t, id)) })
	}
	tell("review", `{"decision":"REJECTED","reason":"TAG_CONTENT_MISMATCH"}`, func(s shownState) bool {
		return s.TemplateStatus == "REJECTED" && s.RejectedReason == "TAG_CONTENT_MISMATCH" && s.TemplateName == "welcome" && s.TemplateLanguage == "en_US"
	})
	tell("review", `{"decision":"APPROVED"}`, func(s shownState) bool {
		return s.TemplateStatus == "APPROVED" && s.RejectedReason == "" && !s.PriceRise
	})
	tell("category", `{"category":"MARKETING"}`, func(s shownState) bool {
		return s.TemplateCategory == "UTILITY" && s.UpcomingCategory == "MARKETING" && s.PriceRise
	})
	tell("category", `{"category":"MARKETING","notice_ms":0}`, func(s shownState) bool {
		return s.TemplateCategory == "MARKETING" && s.PreviousCategory == "UTILITY" && s.UpcomingCategory == "" && s.PriceRise && s.CategoryChangedAt > 0
	})
	tell("quality", `{"score":"RED"}`, func(s shownState) bool {
		hours := (s.PausedUntil - float64(time.Now().Unix())) / 3600
		return s.TemplateStatus == "PAUSED" && s.TemplateQualityScore == "RED" && hours > 2.9 && hours < 3.1
	})
	n.stop()

	// The simulated WhatsApp starts anew and has lost the template; what was known is shown while Meta is away.
	again := start(t, dir, liftQuotas(templateOperations...))
	again.control(t, "PUT", "/sim/v1/faults", `{"rules":[{"match":{"edge":"message_templates"},"when":"always","effect":{"code":2}}]}`)
	if s := again.templateState(t, id); s.TemplateStatus != "PAUSED" || !s.PriceRise || s.PausedUntil == 0 {
		t.Errorf("after the restart: %+v", s)
	}
	again.control(t, "DELETE", "/sim/v1/faults", "")
	waitFor(t, "forgotten template", func() bool { return again.templateState(t, id).MetaTemplateID == "" })
	again.refuses(t, again.stranger(t), refusal{"another account", "GET", path("templates/list", "id", seededWABAARN), nil, 404, "ResourceNotFoundException", ""})
	again.refuses(t, again.api, refusal{"unknown account", "GET", path("templates/list", "id", unknownWABA), nil, 404, "ResourceNotFoundException", ""})
}

// listen subscribes to the topic of events and passes on the entry of each.
func (n *node) listen(t *testing.T, entry func(string)) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var doc struct{ SubscribeURL, Message string }
		var envelope struct {
			Entry string `json:"whatsAppWebhookEntry"`
		}
		if err := json.NewDecoder(r.Body).Decode(&doc); err != nil {
			t.Errorf("notification: %v", err)
			return
		}
		if doc.SubscribeURL != "" {
			go func() {
				if res, err := http.Get(doc.SubscribeURL); err == nil {
					res.Body.Close()
				}
			}()
			return
		}
		if err := json.Unmarshal([]byte(doc.Message), &envelope); err != nil {
			t.Errorf("envelope %s: %v", doc.Message, err)
			return
		}
		entry(envelope.Entry)
	}))
	t.Cleanup(s.Close)
	n.subscribe(t, s.URL)
}

// Webhooks about templates are relayed as events, each with what Meta sent.
func TestTemplateEvents(t *testing.T) {
	t.Parallel()
	n := templateNode(t, nil)
	fields := make(chan string, 100)
	n.listen(t, func(entry string) {
		var e struct {
			Changes []struct {
				Field string
				Value struct {
					ID json.Number `json:"message_template_id"`
				}
			}
		}
		if err := json.Unmarshal([]byte(entry), &e); err != nil || len(e.Changes) != 1 {
			t.Errorf("entry %s: %v", entry, err)
			return
		}
		fields <- e.Changes[0].Field + " " + e.Changes[0].Value.ID.String()
	})
	id := n.createTemplate(t, definition("welcome", "en_US", "Welcome to our shop."))
	waitFor(t, "approval", func() bool { return n.template(t, id).Status == "APPROVED" })
	n.control(t, "POST", "/sim/v1/templates/"+id+"/quality", `{"score":"YELLOW"}`)
	n.control(t, "POST", "/sim/v1/templates/"+id+"/category", `{"category":"MARKETING","notice_ms":0}`)
	expect(t, fields, "message_template_status_update "+id, "message_template_quality_update "+id, "message_template_components_update "+id,
		"template_category_update "+id)
}

func templateMessage(name, language, parameters string) string {
	return `{"messaging_product":"whatsapp","to":"+14255550150","type":"template","template":{"name":"` + name + `","language":{"code":"` + language +
		`"},"components":[{"type":"body","parameters":[` + parameters + `]}]}}`
}

const amount = `{"type":"text","text":"1000"}`

func sendBody(object_ string) object {
	return object{"originationPhoneNumberId": seededPhone, "metaApiVersion": "v20.0", "message": blob(object_)}
}

// With templates.check_sends, what WhatsApp would refuse because of its template is refused before it is accepted.
func TestCheckSends(t *testing.T) {
	t.Parallel()
	n := templateNode(t, func(c *config.Config) { c.Templates.CheckSends = true })
	for _, r := range []refusal{
		{name: "too few parameters", body: templateMessage("statement", "en_US", ""), text: "template.components[0].parameters: the body has 0 parameters, and the template has 1"},
		{name: "another language", body: templateMessage("statement", "de", amount), text: "it exists in en_US"},
		{name: "no template", body: templateMessage("welcome", "en_US", ""), text: `there is no template "welcome"`},
	} {
		r.method, r.path, r.status, r.code = "POST", "/v1/whatsapp/send", 400, "InvalidParametersException"
		r.body = sendBody(r.body.(string))
		n.refuses(t, n.api, r)
	}
	n.await(t, n.send(t, templateMessage("statement", "en_US", amount)), "delivered")
	// A new template can be used as soon as it is approved, and no longer than that.
	id := n.createTemplate(t, definition("welcome", "en_US", "Welcome to our shop."))
	accepted := func() bool {
		return n.api.Do(t, "POST", "/v1/whatsapp/send", sendBody(templateMessage("welcome", "en_US", ""))).Status == http.StatusOK
	}
	waitFor(t, "accepted message", accepted)
	n.control(t, "POST", "/sim/v1/templates/"+id+"/review", `{"decision":"DISABLED"}`)
	waitFor(t, "refused message", func() bool { return !accepted() })
	// While Meta cannot be asked, messages are accepted: WhatsApp will tell.
	m := start(t, t.TempDir(), func(c *config.Config) { c.Templates.CheckSends = true })
	m.control(t, "PUT", "/sim/v1/faults", `{"rules":[{"match":{"edge":"message_templates"},"when":"always","effect":{"code":2}}]}`)
	m.waitState(t, m.send(t, templateMessage("statement", "en_US", "")), "failed", 132000)
}

// Without the setting they are accepted and fail; the dry run shows it beforehand.
func TestTemplateDryRun(t *testing.T) {
	t.Parallel()
	n := templateNode(t, nil)
	var out struct {
		Valid    bool
		Problems []struct {
			Member, Problem, SuggestedAction string
			Code                             int
		}
	}
	n.ask(t, "POST", "/v1/waxwing/messages/validate", sendBody(templateMessage("statement", "en_US", "")), &out)
	if out.Valid || len(out.Problems) != 1 || out.Problems[0].Code != 132000 || out.Problems[0].Member != "template.components[0].parameters" || out.Problems[0].SuggestedAction == "" {
		t.Errorf("dry run %+v", out)
	}
	n.waitState(t, n.send(t, templateMessage("statement", "en_US", "")), "failed", 132000)
	n.ask(t, "POST", "/v1/waxwing/messages/validate", sendBody(templateMessage("statement", "en_US", amount)), &out)
	if !out.Valid {
		t.Errorf("dry run of a good message %+v", out)
	}
}

func TestValidateTemplate(t *testing.T) {
	t.Parallel()
	n := templateNode(t, nil)
	const at = "/v1/waxwing/templates/validate"
	for _, tc := range []struct {
		name, definition string
		valid            bool
		want             []string // "member certain", in order
	}{
		{"good", definition("welcome", "en_US", "Welcome to our shop."), true, nil},
		{"without samples", definition("welcome", "en_US", "Welcome {{1}} to our shop."), true, []string{"components[0].example false"}},
		{"wrong", `{"name":"Welcome","language":"en_US","components":[{"type":"BODY","text":"{{1}} is welcome in our shop"}]}`, false,
			[]string{"name true", "category true", "components[0].text true", "components[0].example false"}},
		{"taken", definition("statement", "en_US", "Welcome to our shop."), false, []string{"name true"}},
		{"copy", definition("welcome", "en_US", "Thank you for being our customer."), true, []string{"components false"}},
		{"promotion", definition("welcome", "en_US", "Get 20% off in our shop today."), true, []string{"components[0].text false"}},
		{"no JSON", "hello", false, []string{" true"}},
	} {
		var out struct {
			Valid    bool
			Problems []struct {
				Member, Problem, SuggestedAction string
				Certain                          bool
			}
		}
		n.ask(t, "POST", at, object{"id": seededWABAARN, "templateDefinition": blob(tc.definition)}, &out)
		var got []string
		for _, p := range out.Problems {
			got = append(got, fmt.Sprint(p.Member, " ", p.Certain))
			if p.Problem == "" || p.SuggestedAction == "" {
				t.Errorf("%s: %+v", tc.name, p)
			}
		}
		if out.Valid != tc.valid || !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v %q, want %v %q", tc.name, out.Valid, got, tc.valid, tc.want)
		}
	}
	n.refuses(t, n.stranger(t), refusal{"another account", "POST", at, object{"id": seededWABAARN, "templateDefinition": blob(definition("welcome", "en_US", "Hi"))},
		404, "ResourceNotFoundException", ""})
	n.refuses(t, n.api, refusal{"nothing", "POST", at, object{}, 400, "ValidationException", "2 validation errors"})
}

// With templates.lint off, Meta alone decides, and its own words are passed on.
func TestTemplateLintOff(t *testing.T) {
	t.Parallel()
	n := templateNode(t, func(c *config.Config) { c.Templates.Lint = "off" })
	for _, r := range []refusal{
		{name: "name", body: definition("Welcome", "en_US", "Welcome to our shop."), text: "Meta refused the request"},
		{name: "trailing variable", body: definition("welcome", "en_US", "Welcome {{1}}"), text: "Meta refused the request"},
		{name: "no JSON", body: "hello", text: "not JSON"},
	} {
		r.method, r.path, r.status, r.code = "POST", "/v1/whatsapp/template/put", 400, "InvalidParametersException"
		r.body = object{"id": seededWABA, "templateDefinition": blob(r.body.(string))}
		n.refuses(t, n.api, r)
	}
}

// A call that an SDK repeats after its answer got lost makes one template.
func TestCreateTemplateOnce(t *testing.T) {
	t.Parallel()
	n := templateNode(t, nil)
	n.control(t, "PUT", "/sim/v1/faults", `{"rules":[{"match":{"method":"POST","edge":"message_templates"},"when":{"next":1},"effect":{"cut":"after"}}]}`)
	client := *n.api
	client.Header = http.Header{"Amz-Sdk-Invocation-Id": {"0199f0c4-0000-7000-8000-000000000001"}}
	body := object{"id": seededWABA, "templateDefinition": blob(definition("welcome", "en_US", "Welcome to our shop."))}
	if res := client.Do(t, "POST", "/v1/whatsapp/template/put", body); res.Code() != "DependencyException" {
		t.Fatalf("the lost answer: %d %s", res.Status, res.Body)
	}
	var first, second struct{ MetaTemplateID string }
	client.Do(t, "POST", "/v1/whatsapp/template/put", body).JSON(t, &first)
	client.Do(t, "POST", "/v1/whatsapp/template/put", body).JSON(t, &second)
	if first.MetaTemplateID == "" || first != second || n.template(t, first.MetaTemplateID).Name != "welcome" {
		t.Errorf("repeated: %+v, %+v", first, second)
	}
	n.refuses(t, n.api, refusal{"another call", "POST", "/v1/whatsapp/template/put", body, 400, "InvalidParametersException", "already"})
}

// One token may open several business accounts; a template is still only found in its own.
func TestTemplatesOfAnotherBusinessAccount(t *testing.T) {
	t.Parallel()
	world := sim.SeededWorld()
	world.Accounts[1].Subscribed = true
	world.Tokens = []sim.Token{{Value: sim.AccessToken, UserID: "1", Accounts: []string{sim.AccountID, sim.NewAccountID}}}
	n := startWorld(t, world, liftQuotas(templateOperations...))
	const second = "waba-00000000000000000000000000000002"
	var made struct{ MetaTemplateID string }
	n.ask(t, "POST", "/v1/whatsapp/template/put", object{"id": second, "templateDefinition": blob(definition("theirs", "en_US", "Welcome to our shop."))}, &made)
	for _, r := range []refusal{
		{name: "read", method: "GET", path: templateQuery("", "metaTemplateId", made.MetaTemplateID)},
		{name: "read by name", method: "GET", path: templateQuery("", "templateName", "theirs", "templateLanguageCode", "en_US")},
		{name: "update", method: "POST", path: "/v1/whatsapp/template", body: object{"id": seededWABA, "metaTemplateId": made.MetaTemplateID, "templateCategory": "MARKETING"}},
		{name: "delete", method: "DELETE", path: templateQuery("", "templateName", "theirs", "metaTemplateId", made.MetaTemplateID)},
		{name: "delete all", method: "DELETE", path: templateQuery("", "templateName", "theirs", "deleteAllTemplates", "true")},
	} {
		r.status, r.code = http.StatusNotFound, "ResourceNotFoundException"
		n.refuses(t, n.api, r)
	}
	var out struct{ Template string }
	n.ask(t, "GET", "/v1/whatsapp/template?id="+second+"&metaTemplateId="+made.MetaTemplateID, nil, &out)
}

func TestTemplateOperationsRefuse(t *testing.T) {
	t.Parallel()
	n := templateNode(t, nil)
	other := n.stranger(t)
	const put, library = "/v1/whatsapp/template/put", "/v1/whatsapp/template/library?id=" + seededWABA
	good := definition("welcome", "en_US", "Welcome to our shop.")
	calls := []struct {
		name, method, path, edge string
		body                     any
	}{
		{"create", "POST", put, "message_templates", object{"id": seededWABA, "templateDefinition": blob(good)}},
		{"create from the library", "POST", "/v1/whatsapp/template/create", "message_templates", object{"id": seededWABA, "metaLibraryTemplate": object{"templateName": "x",
			"libraryTemplateName": "order_confirmation_2", "templateCategory": "UTILITY", "templateLanguage": "en_US"}}},
		{"get", "GET", templateQuery("", "templateName", "statement", "templateLanguageCode", "en_US"), "message_templates", nil},
		{"list", "GET", templateQuery("/list"), "message_templates", nil},
		{"update", "POST", "/v1/whatsapp/template", "message_templates", object{"id": seededWABA, "templateName": "statement", "templateLanguageCode": "en_US", "templateCategory": "UTILITY"}},
		{"delete", "DELETE", templateQuery("", "templateName", "nothing", "deleteAllTemplates", "true"), "message_templates", nil},
		{"library", "POST", library, "message_template_library", object{}},
	}
	for _, c := range calls {
		n.refuses(t, other, refusal{c.name + " of another tenant", c.method, c.path, c.body, 404, "ResourceNotFoundException", seededWABA})
		for _, tc := range []struct {
			meta, status int
			code         string
		}{{190, 403, "AccessDeniedByMetaException"}, {10, 403, "AccessDeniedByMetaException"}, {80007, 429, "ThrottledRequestException"},
			{2, 502, "DependencyException"}, {100, 400, "InvalidParametersException"}} {
			n.fails(t, c.edge, tc.meta)
			n.refuses(t, n.api, refusal{fmt.Sprint(c.name, ": Meta's ", tc.meta), c.method, c.path, c.body, tc.status, tc.code, "Meta"})
		}
		n.control(t, "PUT", "/sim/v1/faults", `{"rules":[{"match":{"edge":"`+c.edge+`"},"when":"always","effect":{"cut":"before"}}]}`)
		n.refuses(t, n.api, refusal{c.name + ": no answer", c.method, c.path, c.body, 502, "DependencyException", "could not be reached"})
		n.control(t, "DELETE", "/sim/v1/faults", "")
	}
	for _, r := range []refusal{
		{"two errors at once", "POST", put, object{"id": "x", "templateDefinition": ""}, 400, "ValidationException", "2 validation errors"},
		{"no members", "POST", put, object{}, 400, "ValidationException", "2 validation errors"},
		{"definition that is no blob", "POST", put, object{"id": seededWABA, "templateDefinition": "{}"}, 400, "SerializationException", ""},
		{"id of a template that is no number", "GET", templateQuery("", "metaTemplateId", "x"), nil, 400, "ValidationException", "'metaTemplateId'"},
		{"long language", "GET", templateQuery("", "templateName", "x", "templateLanguageCode", "english"), nil, 400, "ValidationException", "'templateLanguageCode'"},
		{"long page", "GET", templateQuery("/list", "maxResults", "101"), nil, 400, "ValidationException", "'maxResults'"},
		{"token of another list", "POST", library, object{"nextToken": "abc"}, 400, "InvalidParametersException", "nextToken"},
		{"delete of everything by mistake", "DELETE", templateQuery("", "templateName", "statement"), nil, 400, "InvalidParametersException", "deleteAllLanguages"},
		{"delete without a name", "DELETE", templateQuery("", "deleteAllTemplates", "true"), nil, 400, "ValidationException", "'templateName'"},
		{"update of nothing", "POST", "/v1/whatsapp/template", object{"id": seededWABA, "metaTemplateId": "1"}, 400, "InvalidParametersException", "nothing to change"},
		{"unknown account", "GET", "/v1/whatsapp/template/list?id=" + unknownWABA, nil, 404, "ResourceNotFoundException", unknownWABA},
		{"wrong verb", "PUT", templateQuery(""), nil, 404, "UnknownOperationException", ""},
	} {
		n.refuses(t, n.api, r)
	}
}
