package socialmessaging

import (
	"cmp"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// api is every operation of AWS's API, with its route. One route is not published yet.
var api = map[string][2]string{
	"AssociateWhatsAppBusinessAccount":               {"POST", "/v1/whatsapp/signup"},
	"CreateWhatsAppDataset":                          {"POST", "/v1/whatsapp/waba/dataset"},
	"CreateWhatsAppFlow":                             {"POST", "/v1/whatsapp/flow/create"},
	"CreateWhatsAppMessageTemplate":                  {"POST", "/v1/whatsapp/template/put"},
	"CreateWhatsAppMessageTemplateFromLibrary":       {"POST", "/v1/whatsapp/template/create"},
	"CreateWhatsAppMessageTemplateMedia":             {"POST", "/v1/whatsapp/template/media"},
	"DeleteWhatsAppFlow":                             {"DELETE", "/v1/whatsapp/flow"},
	"DeleteWhatsAppMessageMedia":                     {"DELETE", "/v1/whatsapp/media"},
	"DeleteWhatsAppMessageTemplate":                  {"DELETE", "/v1/whatsapp/template"},
	"DeprecateWhatsAppFlow":                          {"POST", "/v1/whatsapp/flow/deprecate"},
	"DisassociateWhatsAppBusinessAccount":            {"DELETE", "/v1/whatsapp/waba/disassociate"},
	"GetLinkedWhatsAppBusinessAccount":               {"GET", "/v1/whatsapp/waba/details"},
	"GetLinkedWhatsAppBusinessAccountPhoneNumber":    {"GET", "/v1/whatsapp/waba/phone/details"},
	"GetWhatsAppBusinessPublicKey":                   {"GET", "/v1/whatsapp/business-public-key"},
	"GetWhatsAppCallPermission":                      {"POST", "/v1/whatsapp/call/permission/get"},
	"GetWhatsAppFlow":                                {"GET", "/v1/whatsapp/flow"},
	"GetWhatsAppFlowPreview":                         {"GET", "/v1/whatsapp/flow/preview"},
	"GetWhatsAppMessageMedia":                        {"POST", "/v1/whatsapp/media/get"},
	"GetWhatsAppMessageTemplate":                     {"GET", "/v1/whatsapp/template"},
	"ListLinkedWhatsAppBusinessAccounts":             {"GET", "/v1/whatsapp/waba/list"},
	"ListTagsForResource":                            {"GET", "/v1/tags/list"},
	"ListWhatsAppFlowAssets":                         {"GET", "/v1/whatsapp/flow/assets"},
	"ListWhatsAppFlows":                              {"GET", "/v1/whatsapp/flow/list"},
	"ListWhatsAppMessageTemplates":                   {"GET", "/v1/whatsapp/template/list"},
	"ListWhatsAppTemplateLibrary":                    {"POST", "/v1/whatsapp/template/library"},
	"PostWhatsAppMessageMedia":                       {"POST", "/v1/whatsapp/media"},
	"PublishWhatsAppFlow":                            {"POST", "/v1/whatsapp/flow/publish"},
	"PutWhatsAppBusinessAccountEventDestinations":    {"PUT", "/v1/whatsapp/waba/eventdestinations"},
	"PutWhatsAppBusinessPublicKey":                   {"PUT", "/v1/whatsapp/business-public-key"},
	"SendWhatsAppCallEvent":                          {"POST", "/v1/whatsapp/call/event"},
	"SendWhatsAppConversionEvent":                    {"POST", "/v1/whatsapp/waba/dataset/events"},
	"SendWhatsAppMessage":                            {"POST", "/v1/whatsapp/send"},
	"TagResource":                                    {"POST", "/v1/tags/tag-resource"},
	"UntagResource":                                  {"POST", "/v1/tags/untag-resource"},
	"UpdateLinkedWhatsAppBusinessAccountPhoneNumber": {"PUT", "/v1/whatsapp/waba/phone"},
	"UpdateWhatsAppFlow":                             {"POST", "/v1/whatsapp/flow/update"},
	"UpdateWhatsAppFlowAssets":                       {"POST", "/v1/whatsapp/flow/assets/update"},
	"UpdateWhatsAppMessageTemplate":                  {"POST", "/v1/whatsapp/template"},
}

// Rows are AWS's operations at AWS's routes, and what has no row answers as an unknown operation does.
func TestTable(t *testing.T) {
	t.Parallel()
	if len(api) != 38 {
		t.Fatalf("the list has %d operations, want 38", len(api))
	}
	b := newBench(t)
	have := make(map[string]bool)
	for _, op := range Service(b.options(time.Now)).Operations {
		have[op.Name] = true
		if strings.HasPrefix(op.Path, "/v1/waxwing/") {
			continue // an extension
		}
		if want, known := api[op.Name]; !known || want != [2]string{op.Method, op.Path} {
			t.Errorf("%s is %s %s, want %v", op.Name, op.Method, op.Path, want)
		}
		if op.Errors == nil {
			t.Errorf("%s does not list its errors", op.Name)
		}
	}
	t.Logf("%d of %d operations", len(have), len(api))
	for name, route := range api {
		if have[name] {
			continue
		}
		t.Logf("missing: %s", name)
		if route[1] == "" {
			continue
		}
		if got := b.Do(t, route[0], route[1], nil); got.Status != 404 || got.Code() != "UnknownOperationException" {
			t.Errorf("%s answered %d %s, want 404 UnknownOperationException", name, got.Status, got.Code())
		}
	}
}

// The default quotas are those of AWS's guide, in calls per second and account.
func TestQuotasOfTheGuide(t *testing.T) {
	t.Parallel()
	want := map[string]float64{"SendWhatsAppMessage": 1000, "PostWhatsAppMessageMedia": 100, "GetWhatsAppMessageMedia": 100, "DeleteWhatsAppMessageMedia": 100,
		"DisassociateWhatsAppBusinessAccount": 10, "ListLinkedWhatsAppBusinessAccounts": 10, "TagResource": 10, "UntagResource": 10, "ListTagsForResource": 10}
	for _, op := range Service(Options{}).Operations {
		rate, published := want[op.Name]
		if got := cmp.Or(op.Rate, awsapi.DefaultRate); published && got != rate {
			t.Errorf("%s: %v calls per second, want %v", op.Name, got, rate)
		}
		delete(want, op.Name)
	}
	if len(want) > 0 {
		t.Errorf("not served: %v", want)
	}
}

// Every kind of fault has one code, and no two kinds share one: a client can tell them apart.
func TestCodes(t *testing.T) {
	t.Parallel()
	kindOf := make(map[string]fault.Kind)
	for _, kind := range fault.Kinds() {
		code, ok := codes[kind]
		if !ok {
			t.Errorf("%s has no code", kind)
		}
		if other, taken := kindOf[code.Name]; taken {
			t.Errorf("%s and %s are both %s", kind, other, code.Name)
		}
		kindOf[code.Name] = kind
	}
	if len(codes) != len(fault.Kinds()) {
		t.Errorf("%d codes for %d kinds", len(codes), len(fault.Kinds()))
	}
}
