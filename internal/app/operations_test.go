package app

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/socialmessaging"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/sim"
)

// operation is a call of AWS's API that succeeds in the development world.
type operation struct {
	name string
	// owner is the member that names the resource; "" where a call names none.
	owner string
	in    object
	// gone is the code for an owner that does not exist: some operations have no ResourceNotFoundException in AWS's model.
	gone string
	// meta tells what Meta's refusals look like: "" where the operation does not ask Meta.
	meta string
}

// What AWS's model lets an operation say when Meta is the one who refuses.
const (
	refusable = "refusable" // AccessDeniedByMetaException and DependencyException
	dependent = "dependent" // DependencyException only
)

const (
	notFound = "ResourceNotFoundException"
	invalid  = "InvalidParametersException"
)

// resources are what the calls below need at Meta before they can succeed.
type resources struct{ draft, complete, template, media, dataset, pem string }

// everyCall has every operation, in an order in which all of them succeed.
func everyCall(r resources) []operation {
	const id, number, arn = "id", "originationPhoneNumberId", "resourceArn"
	event := fmt.Sprintf(`{"event_name":"Purchase","event_time":%d,"action_source":"business_messaging","messaging_channel":"whatsapp",`+
		`"user_data":{"whatsapp_business_account_id":"1","ctwa_clid":"x"},"custom_data":{"currency":"EUR","value":1.5}}`, time.Now().Unix())
	library := object{"templateName": "from_library", "libraryTemplateName": "order_confirmation_2", "templateCategory": "UTILITY", "templateLanguage": "en_US"}
	return []operation{
		{"AssociateWhatsAppBusinessAccount", "", object{"signupCallback": object{"accessToken": sim.NewAccessToken}}, "", dependent},
		{"ListLinkedWhatsAppBusinessAccounts", "", object{}, "", ""},
		{"GetLinkedWhatsAppBusinessAccount", id, object{}, notFound, ""},
		{"GetLinkedWhatsAppBusinessAccountPhoneNumber", id, object{}, notFound, ""},
		{"PutWhatsAppBusinessAccountEventDestinations", id, object{"eventDestinations": []object{}}, invalid, ""},
		{"TagResource", arn, object{"tags": []object{{"key": "team", "value": "ops"}}}, invalid, ""},
		{"ListTagsForResource", arn, object{}, invalid, ""},
		{"UntagResource", arn, object{"tagKeys": []string{"team"}}, invalid, ""},
		{"SendWhatsAppMessage", number, object{"metaApiVersion": "v20.0", "message": blob(template)}, notFound, ""},
		{"UpdateLinkedWhatsAppBusinessAccountPhoneNumber", id, object{"callSettings": object{"callEnabled": true}}, notFound, refusable},

		{"PostWhatsAppMessageMedia", number, object{"sourceS3File": s3File("a.jpeg")}, notFound, refusable},
		{"GetWhatsAppMessageMedia", number, object{"mediaId": r.media, "metadataOnly": true}, notFound, refusable},
		{"DeleteWhatsAppMessageMedia", number, object{"mediaId": r.media}, notFound, refusable},
		{"CreateWhatsAppMessageTemplateMedia", id, object{"sourceS3File": s3File("a.jpeg")}, notFound, refusable},

		{"CreateWhatsAppMessageTemplate", id, object{"templateDefinition": blob(definition("welcome", "en_US", "Welcome to our shop."))}, notFound, refusable},
		{"CreateWhatsAppMessageTemplateFromLibrary", id, object{"metaLibraryTemplate": library}, notFound, refusable},
		{"ListWhatsAppTemplateLibrary", id, object{"maxResults": 1}, notFound, refusable},
		{"ListWhatsAppMessageTemplates", id, object{}, notFound, refusable},
		{"GetWhatsAppMessageTemplate", id, object{"metaTemplateId": r.template}, notFound, refusable},
		{"UpdateWhatsAppMessageTemplate", id, object{"metaTemplateId": r.template, "templateComponents": blob(`[{"type":"BODY","text":"Good bye for now."}]`)}, notFound, refusable},
		{"DeleteWhatsAppMessageTemplate", id, object{"templateName": "doomed", "deleteAllTemplates": true}, notFound, refusable},

		{"CreateWhatsAppFlow", id, object{"flowName": "new", "categories": []string{"OTHER"}}, notFound, refusable},
		{"ListWhatsAppFlows", id, object{}, notFound, refusable},
		{"GetWhatsAppFlow", id, object{"flowId": r.draft}, notFound, refusable},
		{"GetWhatsAppFlowPreview", id, object{"flowId": r.draft}, notFound, refusable},
		{"ListWhatsAppFlowAssets", id, object{"flowId": r.complete}, notFound, refusable},
		{"UpdateWhatsAppFlow", id, object{"flowId": r.draft, "flowName": "renamed"}, notFound, refusable},
		{"UpdateWhatsAppFlowAssets", id, object{"flowId": r.draft, "flowJson": blob(oneScreen)}, notFound, refusable},
		{"DeleteWhatsAppFlow", id, object{"flowId": r.draft}, notFound, refusable},
		{"PublishWhatsAppFlow", id, object{"flowId": r.complete}, notFound, refusable},
		{"DeprecateWhatsAppFlow", id, object{"flowId": r.complete}, notFound, refusable},

		{"GetWhatsAppCallPermission", number, object{"destinationPhoneNumber": "+" + sim.Diego}, notFound, refusable},
		{"SendWhatsAppCallEvent", number, object{"metaApiVersion": "v25.0", "callEvent": blob(connectDiego)}, notFound, refusable},
		{"CreateWhatsAppDataset", id, object{}, notFound, refusable},
		{"SendWhatsAppConversionEvent", id, object{"datasetId": r.dataset, "eventData": blob(event)}, notFound, refusable},
		{"PutWhatsAppBusinessPublicKey", number, object{"businessPublicKey": r.pem}, notFound, refusable},
		{"GetWhatsAppBusinessPublicKey", number, object{}, notFound, refusable},

		{"DisassociateWhatsAppBusinessAccount", id, object{}, notFound, dependent},
	}
}

// inQuery reports whether a member travels in the query string: those of two operations are split.
func inQuery(op awsapi.Operation, member string) bool {
	switch op.Name {
	case "UpdateLinkedWhatsAppBusinessAccountPhoneNumber", "ListWhatsAppTemplateLibrary":
		return member == "id"
	}
	return op.Method == "GET" || op.Method == "DELETE"
}

// request is a call with the resource it is about; members that are not given are left out.
func request(op awsapi.Operation, owner, value string, in object) (path string, body any) {
	all := maps.Clone(in)
	if owner != "" && value != "" {
		all[owner] = value
	}
	query, rest := url.Values{}, object{}
	for member, v := range all {
		if inQuery(op, member) {
			query.Set(member, fmt.Sprint(v))
		} else {
			rest[member] = v
		}
	}
	path = op.Path
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	if op.Method == "GET" || op.Method == "DELETE" {
		return path, nil
	}
	return path, rest
}

// served are the operations of AWS's API by name.
func served() map[string]awsapi.Operation {
	all := make(map[string]awsapi.Operation)
	for _, op := range socialmessaging.Service(socialmessaging.Options{}).Operations {
		if !strings.HasPrefix(op.Path, "/v1/waxwing/") {
			all[op.Name] = op
		}
	}
	return all
}

// Every operation succeeds with the resource's id and with its ARN; refuses what is missing, unknown or another account's; and
// passes on what Meta says in the words of AWS's model.
func TestEveryOperation(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"id", "ARN"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			table := served()
			n := start(t, t.TempDir(), liftQuotas(slices.Collect(maps.Keys(table))...))
			r := n.prepare(t)
			other := n.stranger(t)
			for _, c := range everyCall(r) {
				op, ok := table[c.name]
				if !ok {
					t.Fatalf("%s is not served, or is here twice", c.name)
				}
				delete(table, c.name)
				if form == "ARN" { // the refusals do not depend on the form
					n.refusesAsModelled(t, other, op, c)
				}
				path, body := request(op, c.owner, c.named(form), c.in)
				if res := n.api.Do(t, op.Method, path, body); res.Status != http.StatusOK {
					t.Errorf("%s by %s: %d %s %s", c.name, form, res.Status, res.Code(), res.Message())
				}
			}
			for name := range table {
				t.Errorf("%s is served, but is not here", name)
			}
		})
	}
}

// prepare makes what the calls need.
func (n *node) prepare(t *testing.T) resources {
	t.Helper()
	n.control(t, "PUT", "/sim/v1/settings", `{"review_ms":0}`)
	n.control(t, "PUT", "/sim/v1/customers/"+sim.Diego+"/call-permission", `{"phone_number_id":"`+sim.NumberID+`","status":"temporary"}`)
	n.store(t, "a.jpeg", "image/jpeg", jpegData)
	flow := func(name string, more object) string {
		in := object{"id": seededWABA, "flowName": name, "categories": []string{"OTHER"}}
		maps.Copy(in, more)
		return n.does(t, "POST", "/v1/whatsapp/flow/create", in)["flowId"].(string)
	}
	n.createTemplate(t, definition("doomed", "en_US", "Gone soon, we promise."))
	r := resources{draft: flow("draft", nil), complete: flow("complete", object{"flowJson": blob(oneScreen)}), media: n.upload(t, seededPhone, "a.jpeg"),
		template: n.createTemplate(t, definition("changing", "en_US", "Good morning to you.")),
		dataset:  n.does(t, "POST", "/v1/whatsapp/waba/dataset", object{"id": seededWABA})["datasetId"].(string), pem: publicKey(t, 2048)}
	waitFor(t, "review", func() bool { return n.template(t, r.template).Status == "APPROVED" })
	return r
}

// refusesAsModelled asserts the errors that an operation's model has, with a call that is right in everything else.
func (n *node) refusesAsModelled(t *testing.T, other *awsapitest.Client, op awsapi.Operation, c operation) {
	t.Helper()
	refused := func(what string, client *awsapitest.Client, owner string, in object, code string) {
		t.Helper()
		path, body := request(op, c.owner, owner, in)
		if res := client.Do(t, op.Method, path, body); res.Code() != code || res.Status != statuses[code] || res.Message() == "" {
			t.Errorf("%s, %s: %d %s %q, want %d %s", c.name, what, res.Status, res.Code(), res.Message(), statuses[code], code)
		}
	}
	if c.owner != "" {
		refused("nothing given", n.api, "", object{}, "ValidationException")
		refused("too long", n.api, "arn:"+strings.Repeat("x", 2100), c.in, "ValidationException")
		own := c.arn()
		if c.owner != "resourceArn" {
			refused("unknown", n.api, own[strings.LastIndex(own, ":")+1:strings.LastIndex(own, "/")]+"-"+strings.Repeat("f", 32), c.in, c.gone)
		}
		refused("of another account", n.api, strings.Replace(own, config.DevAccountID, "111122223333", 1), c.in, c.gone)
		refused("of another Region", n.api, strings.Replace(own, "us-east-1", "eu-west-1", 1), c.in, c.gone)
		refused("by another account", other, own, c.in, c.gone)
	}
	if c.meta == "" {
		return
	}
	faults := map[string]string{`"cut":"before"`: "DependencyException", `"http_status":503,"code":2`: "DependencyException"}
	if c.meta == refusable {
		faults[`"code":190`], faults[`"code":10`], faults[`"code":80007`] = "AccessDeniedByMetaException", "AccessDeniedByMetaException", "ThrottledRequestException"
	}
	for effect, code := range faults {
		n.control(t, "PUT", "/sim/v1/faults", `{"rules":[{"when":{"always":true},"effect":{`+effect+`}}]}`)
		refused("when Meta's answer is "+effect, n.api, c.arn(), c.in, code)
	}
	n.control(t, "DELETE", "/sim/v1/faults", "")
}

// statuses are the HTTP statuses of AWS's model.
var statuses = map[string]int{"ValidationException": 400, invalid: 400, "AccessDeniedByMetaException": 403, notFound: 404,
	"ThrottledRequestException": 429, "DependencyException": 502}

// arn names the seeded resource that the operation is about.
func (c operation) arn() string {
	if c.owner == "originationPhoneNumberId" || strings.HasSuffix(c.name, "PhoneNumber") {
		return seededPhoneARN
	}
	return seededWABAARN
}

// named names it by its ARN or, where the operation takes ids, by its id.
func (c operation) named(form string) string {
	if form == "ARN" || c.owner == "resourceArn" {
		return c.arn()
	}
	_, id, _ := strings.Cut(c.arn(), config.DevAccountID+":")
	return strings.Replace(id, "/", "-", 1)
}

// The quota of an operation is its own, and says when to come back.
func TestEveryOperationHasAQuota(t *testing.T) {
	t.Parallel()
	table := served()
	n := start(t, t.TempDir(), func(c *config.Config) {
		c.Limits = map[string]float64{}
		for name := range table {
			c.Limits[name] = 0.001
		}
	})
	for name, op := range table {
		path, body := request(op, "", "", object{})
		if res := n.api.Do(t, op.Method, path, body); res.Status == http.StatusTooManyRequests {
			t.Errorf("%s: the first call was refused", name)
		}
		res := n.api.Do(t, op.Method, path, body)
		if wait, err := strconv.Atoi(res.Header.Get("X-Amz-Retry-After")); res.Status != 429 || res.Code() != "ThrottledRequestException" || err != nil || wait < 900_000 || wait > 1_000_000 {
			t.Errorf("%s: %d %s, come back in %q ms", name, res.Status, res.Code(), res.Header.Get("X-Amz-Retry-After"))
		}
	}
}
