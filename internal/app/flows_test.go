package app

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/sim"
)

func blob(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

const (
	seededWABA     = "waba-00000000000000000000000000000001"
	seededWABAARN  = "arn:aws:social-messaging:us-east-1:000000000000:waba/00000000000000000000000000000001"
	seededPhoneARN = "arn:aws:social-messaging:us-east-1:000000000000:phone-number-id/00000000000000000000000000000001"
	unknownWABA    = "waba-ffffffffffffffffffffffffffffffff"
	unknownPhone   = "phone-number-id-ffffffffffffffffffffffffffffffff"
)

// liftQuotas lifts the quotas of operations.
func liftQuotas(operations ...string) func(*config.Config) {
	return func(c *config.Config) {
		c.Limits = map[string]float64{}
		for _, operation := range operations {
			c.Limits[operation] = 1000
		}
	}
}

// refusal is a call that has to be refused.
type refusal struct {
	name         string
	method, path string
	body         any
	status       int
	code, text   string
}

func (n *node) refuses(t *testing.T, client *awsapitest.Client, r refusal) {
	t.Helper()
	res := client.Do(t, r.method, r.path, r.body)
	if res.Status != r.status || res.Code() != r.code || !strings.Contains(res.Message(), r.text) {
		t.Errorf("%s: %d %s %q, want %d %s that says %q", r.name, res.Status, res.Code(), res.Message(), r.status, r.code, r.text)
	}
}

// fails lets the next call on an edge fail with an error of Meta's.
func (n *node) fails(t *testing.T, edge string, code int) {
	t.Helper()
	n.control(t, "PUT", "/sim/v1/faults", fmt.Sprintf(`{"rules":[{"match":{"edge":%q},"when":{"next":1},"effect":{"code":%d}}]}`, edge, code))
}

const oneScreen = `{"version":"7.0","screens":[{"id":"ASK","title":"Well?","terminal":true,"layout":{"type":"SingleColumnLayout","children":[` +
	`{"type":"Footer","label":"Done","on-click-action":{"name":"complete","payload":{}}}]}}]}`

// A Flow from its making to its end, and the messages that open it on the way.
func TestFlowStory(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	endpoint, told := sink(t)
	n.subscribe(t, endpoint)
	var made struct {
		FlowID           string
		ValidationErrors []string
	}
	n.ask(t, "POST", "/v1/whatsapp/flow/create", object{"id": seededWABA, "flowName": "Survey", "categories": []string{"SURVEY"}, "flowJson": blob(oneScreen)}, &made)
	if made.FlowID == "" || len(made.ValidationErrors) != 0 {
		t.Fatalf("created %+v", made)
	}
	expect(t, told, "received") // the webhook of the new draft
	n.control(t, "POST", "/sim/v1/customers/"+sim.Diego+"/messages", `{"phone_number_id":"`+sim.NumberID+`","message":{"type":"text","text":{"body":"Hi"}}}`)
	open := func(mode string) string {
		return `{"messaging_product":"whatsapp","to":"+14255550150","type":"interactive","interactive":{"type":"flow","body":{"text":"Two questions"},` +
			`"action":{"name":"flow","parameters":{"flow_message_version":"3","flow_id":"` + made.FlowID + `","flow_cta":"Start","mode":"` + mode + `",` +
			`"flow_action_payload":{"screen":"ASK"}}}}}`
	}
	n.waitState(t, n.send(t, open("published")), "failed", 131009) // still a draft
	n.await(t, n.send(t, open("draft")), "delivered")
	flow := object{"id": seededWABA, "flowId": made.FlowID}
	n.ask(t, "POST", "/v1/whatsapp/flow/publish", flow, &object{})
	n.await(t, n.send(t, open("published")), "delivered")
	n.control(t, "PATCH", "/sim/v1/flows/"+made.FlowID, `{"status":"BLOCKED"}`)
	n.waitState(t, n.send(t, open("published")), "failed", 132068)
	n.control(t, "PATCH", "/sim/v1/flows/"+made.FlowID, `{"status":"PUBLISHED"}`)
	n.ask(t, "POST", "/v1/whatsapp/flow/deprecate", flow, &object{})
	n.waitState(t, n.send(t, open("published")), "failed", 131009)
}

// A token that opens several business accounts does not let one tenant reach another's Flows or datasets through its own.
func TestFlowsOfAnotherBusinessAccount(t *testing.T) {
	t.Parallel()
	world := sim.SeededWorld()
	world.Accounts[1].Subscribed = true
	world.Tokens = []sim.Token{{Value: sim.AccessToken, UserID: "1", Accounts: []string{sim.AccountID, sim.NewAccountID}}}
	n := startWorld(t, world, liftQuotas("GetWhatsAppFlow"))
	const second = "waba-00000000000000000000000000000002"
	var made struct{ FlowID string }
	n.ask(t, "POST", "/v1/whatsapp/flow/create", object{"id": second, "flowName": "Theirs", "categories": []string{"OTHER"}, "flowJson": blob(oneScreen)}, &made)
	var dataset struct{ DatasetID string }
	n.ask(t, "POST", "/v1/whatsapp/waba/dataset", object{"id": second}, &dataset)
	ours := object{"id": seededWABA, "flowId": made.FlowID}
	with := func(more object) object {
		all := object{}
		for _, m := range []object{ours, more} {
			for k, v := range m {
				all[k] = v
			}
		}
		return all
	}
	query := "?id=" + seededWABA + "&flowId=" + made.FlowID
	for _, r := range []refusal{
		{name: "read", method: "GET", path: "/v1/whatsapp/flow" + query},
		{name: "preview", method: "GET", path: "/v1/whatsapp/flow/preview" + query},
		{name: "new preview", method: "GET", path: "/v1/whatsapp/flow/preview" + query + "&invalidate=true"},
		{name: "assets", method: "GET", path: "/v1/whatsapp/flow/assets" + query},
		{name: "delete", method: "DELETE", path: "/v1/whatsapp/flow" + query},
		{name: "publish", method: "POST", path: "/v1/whatsapp/flow/publish", body: ours},
		{name: "deprecate", method: "POST", path: "/v1/whatsapp/flow/deprecate", body: ours},
		{name: "update", method: "POST", path: "/v1/whatsapp/flow/update", body: with(object{"flowName": "Ours"})},
		{name: "upload", method: "POST", path: "/v1/whatsapp/flow/assets/update", body: with(object{"flowJson": blob(oneScreen)})},
		{name: "copy", method: "POST", path: "/v1/whatsapp/flow/create", body: object{"id": seededWABA, "flowName": "Copy", "categories": []string{"OTHER"}, "cloneFlowId": made.FlowID}},
		{name: "conversions", method: "POST", path: "/v1/whatsapp/waba/dataset/events", body: object{"id": seededWABA, "datasetId": dataset.DatasetID, "eventData": blob(`{}`)}},
	} {
		r.status, r.code = http.StatusNotFound, "ResourceNotFoundException"
		n.refuses(t, n.api, r)
	}
	var f struct{ FlowName, FlowStatus string }
	n.ask(t, "GET", "/v1/whatsapp/flow?id="+second+"&flowId="+made.FlowID, nil, &f)
	if f.FlowName != "Theirs" || f.FlowStatus != "DRAFT" {
		t.Errorf("their Flow is now %+v", f)
	}
}

// startWorld is start with another simulated world.
func startWorld(t *testing.T, world sim.World, change func(*config.Config)) *node {
	t.Helper()
	return startOptions(t, t.TempDir(), change, func(o *Options) { o.World = &world })
}

func TestFlowOperationsRefuse(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), liftQuotas("CreateWhatsAppFlow", "GetWhatsAppFlow", "ListWhatsAppFlows"))
	other := n.stranger(t)
	create := func(changes object) object {
		body := object{"id": seededWABA, "flowName": "x", "categories": []string{"OTHER"}}
		for k, v := range changes {
			body[k] = v
		}
		return body
	}
	const path = "/v1/whatsapp/flow/create"
	for _, r := range []refusal{
		{"unknown account", "POST", path, create(object{"id": unknownWABA}), 404, "ResourceNotFoundException", unknownWABA},
		{"no members", "POST", path, object{}, 400, "ValidationException", "3 validation errors"},
		{"category that is none", "POST", path, create(object{"categories": []string{"FUN"}}), 400, "ValidationException", "'categories.1.member'"},
		{"ten categories", "POST", path, create(object{"categories": strings.Split("OTHER,OTHER,OTHER,OTHER,OTHER,OTHER,OTHER,OTHER,OTHER,OTHER", ",")}), 400, "ValidationException", "'categories'"},
		{"empty JSON", "POST", path, create(object{"flowJson": ""}), 400, "ValidationException", "'flowJson'"},
		{"clone that is no number", "POST", path, create(object{"cloneFlowId": "x"}), 400, "ValidationException", "'cloneFlowId'"},
		{"token of nobody's", "GET", "/v1/whatsapp/flow/list?nextToken=abc&id=" + seededWABA, nil, 400, "InvalidParametersException", "nextToken"},
	} {
		n.refuses(t, n.api, r)
	}
	n.refuses(t, other, refusal{"another tenant", "POST", path, create(nil), 404, "ResourceNotFoundException", seededWABA})
	for _, tc := range []struct {
		meta   int
		status int
		code   string
	}{{190, 403, "AccessDeniedByMetaException"}, {10, 403, "AccessDeniedByMetaException"}, {368, 403, "AccessDeniedByMetaException"},
		{80007, 429, "ThrottledRequestException"}, {2, 502, "DependencyException"}, {100, 400, "InvalidParametersException"}} {
		n.fails(t, "flows", tc.meta)
		n.refuses(t, n.api, refusal{fmt.Sprint("Meta's ", tc.meta), "POST", path, create(nil), tc.status, tc.code, ""})
	}
	n.control(t, "PUT", "/sim/v1/faults", `{"rules":[{"match":{"edge":"flows"},"when":{"next":1},"effect":{"cut":"before"}}]}`)
	n.refuses(t, n.api, refusal{"no answer", "POST", path, create(nil), 502, "DependencyException", "could not be reached"})
}

func TestFlowPages(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), liftQuotas("CreateWhatsAppFlow", "ListWhatsAppFlows"))
	var want []string
	for i := range 5 {
		name := fmt.Sprint("Flow ", i)
		n.ask(t, "POST", "/v1/whatsapp/flow/create", object{"id": seededWABA, "flowName": name, "categories": []string{"OTHER"}}, &object{})
		want = append(want, name)
	}
	var got []string
	path := "/v1/whatsapp/flow/list?maxResults=2&id=" + seededWABAARN
	for token := ""; ; {
		var page struct {
			Flows     []struct{ FlowName string }
			NextToken *string
		}
		n.ask(t, "GET", path+token, nil, &page)
		for _, f := range page.Flows {
			got = append(got, f.FlowName)
		}
		if page.NextToken == nil {
			break
		}
		token = "&nextToken=" + *page.NextToken
	}
	if strings.Join(got, ",") != strings.Join(want, ",") {
		t.Errorf("all pages = %v, want %v", got, want)
	}
}

func TestDatasets(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), liftQuotas("CreateWhatsAppDataset", "SendWhatsAppConversionEvent"))
	var first, second struct{ DatasetID string }
	n.ask(t, "POST", "/v1/whatsapp/waba/dataset", object{"id": seededWABA}, &first)
	n.ask(t, "POST", "/v1/whatsapp/waba/dataset", object{"id": seededWABAARN}, &second)
	if first.DatasetID == "" || first != second {
		t.Fatalf("datasets %q and %q, want the same", first.DatasetID, second.DatasetID)
	}
	const path = "/v1/whatsapp/waba/dataset/events"
	event := fmt.Sprintf(`{"event_name":"Purchase","event_time":%d,"action_source":"business_messaging","messaging_channel":"whatsapp",`+
		`"user_data":{"whatsapp_business_account_id":"1","ctwa_clid":"x"},"custom_data":{"currency":"EUR","value":1.5}}`, time.Now().Unix())
	body := func(data string, changes ...string) object {
		b := object{"id": seededWABA, "datasetId": first.DatasetID, "eventData": blob(data)}
		for i := 0; i < len(changes); i += 2 {
			b[changes[i]] = changes[i+1]
		}
		return b
	}
	for _, data := range []string{event, "[" + event + "," + event + "]", `{"data":[` + event + `]}`} {
		var out struct{ RequestID string }
		n.ask(t, "POST", path, body(data), &out)
		if out.RequestID == "" {
			t.Error("no requestId")
		}
	}
	var seen struct {
		Datasets []struct {
			ID       string
			Received int
			Events   []struct {
				Name string `json:"event_name"`
			}
		}
	}
	if err := json.Unmarshal([]byte(n.control(t, "GET", "/sim/v1/datasets", "")), &seen); err != nil {
		t.Fatal(err)
	}
	if len(seen.Datasets) != 1 || seen.Datasets[0].Received != 4 || seen.Datasets[0].Events[3].Name != "Purchase" {
		t.Errorf("the simulator has %+v", seen)
	}
	for _, r := range []refusal{
		{"unknown account", "POST", "/v1/whatsapp/waba/dataset", object{"id": unknownWABA}, 404, "ResourceNotFoundException", unknownWABA},
		{"no account", "POST", "/v1/whatsapp/waba/dataset", object{}, 400, "ValidationException", "'id'"},
		{"unknown dataset", "POST", path, body(event, "datasetId", "1234567890"), 404, "ResourceNotFoundException", "1234567890"},
		{"dataset id too short", "POST", path, body(event, "datasetId", "123"), 400, "ValidationException", "'datasetId'"},
		{"not JSON", "POST", path, body("Purchase"), 400, "InvalidParametersException", "JSON"},
		{"null", "POST", path, body("null"), 400, "InvalidParametersException", "JSON"},
		{"data that is no list", "POST", path, body(`{"data":{}}`), 400, "InvalidParametersException", "list"},
		{"what Meta refuses", "POST", path, body(strings.Replace(event, "Purchase", "", 1)), 400, "InvalidParametersException", "event_name is required"},
		{"of unknown account", "POST", path, body(event, "id", unknownWABA), 404, "ResourceNotFoundException", unknownWABA},
	} {
		n.refuses(t, n.api, r)
	}
	n.fails(t, "dataset", 200)
	n.refuses(t, n.api, refusal{"permission", "POST", "/v1/whatsapp/waba/dataset", object{"id": seededWABA}, 403, "AccessDeniedByMetaException", ""})
	n.fails(t, "events", 1)
	n.refuses(t, n.api, refusal{"Meta down", "POST", path, body(event), 502, "DependencyException", ""})
}

func TestPublicKeys(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), liftQuotas("PutWhatsAppBusinessPublicKey", "GetWhatsAppBusinessPublicKey"))
	const path = "/v1/whatsapp/business-public-key"
	get := path + "?originationPhoneNumberId="
	n.refuses(t, n.api, refusal{"none yet", "GET", get + seededPhone, nil, 404, "ResourceNotFoundException", "no business public key"})
	good, small := publicKey(t, 2048), publicKey(t, 1024)
	put := func(changes object) object {
		body := object{"originationPhoneNumberId": seededPhone}
		for k, v := range changes {
			body[k] = v
		}
		return body
	}
	n.ask(t, "PUT", path, put(object{"businessPublicKey": good}), &object{})
	var key struct{ BusinessPublicKey, BusinessPublicKeySignatureStatus string }
	n.ask(t, "GET", get+seededPhoneARN, nil, &key)
	if key.BusinessPublicKey != good || key.BusinessPublicKeySignatureStatus != "VALID" {
		t.Errorf("key = %+v", key)
	}
	n.control(t, "PUT", "/sim/v1/phone-numbers/"+sim.NumberID+"/public-key", `{"signature_status":"MISMATCH"}`)
	if n.ask(t, "GET", get+seededPhone, nil, &key); key.BusinessPublicKeySignatureStatus != "MISMATCH" {
		t.Errorf("signature = %s", key.BusinessPublicKeySignatureStatus)
	}
	const arn = "arn:aws:kms:us-east-1:000000000000:key/1234"
	for _, r := range []refusal{
		{"neither", "PUT", path, put(nil), 400, "InvalidParametersException", "Exactly one"},
		{"both", "PUT", path, put(object{"businessPublicKey": good, "kmsKeyArn": arn}), 400, "InvalidParametersException", "Exactly one"},
		{"KMS", "PUT", path, put(object{"kmsKeyArn": arn}), 400, "InvalidParametersException", "kms.endpoint"},
		{"bad KMS ARN", "PUT", path, put(object{"kmsKeyArn": "arn:aws:s3:::x"}), 400, "ValidationException", "'kmsKeyArn'"},
		{"not PEM", "PUT", path, put(object{"businessPublicKey": "ssh-rsa AAAA"}), 400, "InvalidParametersException", "PEM"},
		{"two keys", "PUT", path, put(object{"businessPublicKey": good + good}), 400, "InvalidParametersException", "one public key"},
		{"small key", "PUT", path, put(object{"businessPublicKey": small}), 400, "InvalidParametersException", "2048"},
		{"long key", "PUT", path, put(object{"businessPublicKey": strings.Repeat("x", 8193)}), 400, "ValidationException", "'businessPublicKey'"},
		{"unknown number", "PUT", path, object{"originationPhoneNumberId": unknownPhone, "businessPublicKey": good}, 404, "ResourceNotFoundException", unknownPhone},
		{"unknown number, read", "GET", get + unknownPhone, nil, 404, "ResourceNotFoundException", unknownPhone},
		{"no number, read", "GET", path, nil, 400, "ValidationException", "'originationPhoneNumberId'"},
	} {
		n.refuses(t, n.api, r)
	}
	for _, meta := range []struct {
		code, status int
		name         string
	}{{190, 403, "AccessDeniedByMetaException"}, {131000, 502, "DependencyException"}} {
		n.fails(t, "whatsapp_business_encryption", meta.code)
		n.refuses(t, n.api, refusal{fmt.Sprint("write, Meta's ", meta.code), "PUT", path, put(object{"businessPublicKey": good}), meta.status, meta.name, ""})
		n.fails(t, "whatsapp_business_encryption", meta.code)
		n.refuses(t, n.api, refusal{fmt.Sprint("read, Meta's ", meta.code), "GET", get + seededPhone, nil, meta.status, meta.name, ""})
	}
}

// The key of a Flow endpoint comes out of a key management service.
func TestPublicKeyFromKMS(t *testing.T) {
	good := publicKey(t, 2048)
	block, _ := pem.Decode([]byte(good))
	double := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ KeyId string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.Header.Get("X-Amz-Target") != "TrentService.GetPublicKey" {
			t.Errorf("asked for %s: %v", r.Header.Get("X-Amz-Target"), err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		spec, usage := "RSA_2048", "ENCRYPT_DECRYPT"
		switch in.KeyId {
		case kmsARN("key/good"), kmsARN("alias/flows"):
		case kmsARN("key/signs"):
			usage = "SIGN_VERIFY"
		case kmsARN("key/long"):
			spec = "RSA_4096"
		default:
			code := map[string]string{kmsARN("key/forbidden"): "AccessDeniedException", kmsARN("key/busy"): "ThrottlingException",
				kmsARN("key/broken"): "KMSInternalException"}[in.KeyId]
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(object{"__type": cmp.Or(code, "NotFoundException"), "message": "because"})
			return
		}
		_ = json.NewEncoder(w).Encode(object{"KeyId": kmsARN("key/good"), "PublicKey": block.Bytes, "KeySpec": spec, "KeyUsage": usage})
	}))
	t.Cleanup(double.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	n := start(t, t.TempDir(), func(c *config.Config) {
		c.KMS.Endpoint = double.URL
		liftQuotas("PutWhatsAppBusinessPublicKey", "GetWhatsAppBusinessPublicKey")(c)
	})
	const path = "/v1/whatsapp/business-public-key"
	put := func(arn string) object {
		return object{"originationPhoneNumberId": seededPhone, "kmsKeyArn": arn}
	}
	for _, arn := range []string{kmsARN("key/good"), kmsARN("alias/flows")} {
		n.ask(t, "PUT", path, put(arn), &object{})
		var key struct{ BusinessPublicKey, BusinessPublicKeySignatureStatus string }
		n.ask(t, "GET", path+"?originationPhoneNumberId="+seededPhone, nil, &key)
		if key.BusinessPublicKey != good || key.BusinessPublicKeySignatureStatus != "VALID" {
			t.Errorf("key = %+v", key)
		}
	}
	for _, r := range []refusal{
		{"for signatures", "PUT", path, put(kmsARN("key/signs")), 400, "InvalidParametersException", "ENCRYPT_DECRYPT"},
		{"too long", "PUT", path, put(kmsARN("key/long")), 400, "InvalidParametersException", "RSA_2048"},
		{"unknown key", "PUT", path, put(kmsARN("key/none")), 404, "ResourceNotFoundException", "does not exist"},
		{"another account's", "PUT", path, put("arn:aws:kms:us-east-1:111122223333:key/good"), 403, "AccessDeniedException", "another account"},
		{"another Region's", "PUT", path, put("arn:aws:kms:eu-west-1:000000000000:key/good"), 400, "InvalidParametersException", "us-east-1"},
		{"not allowed", "PUT", path, put(kmsARN("key/forbidden")), 403, "AccessDeniedException", "kms:GetPublicKey"},
		{"throttled", "PUT", path, put(kmsARN("key/busy")), 429, "ThrottledRequestException", "KMS"},
		{"down", "PUT", path, put(kmsARN("key/broken")), 502, "DependencyException", "KMS"},
		{"unknown number", "PUT", path, object{"originationPhoneNumberId": unknownPhone, "kmsKeyArn": kmsARN("key/good")}, 404, "ResourceNotFoundException", unknownPhone},
	} {
		n.refuses(t, n.api, r)
	}
}

func kmsARN(resource string) string { return "arn:aws:kms:us-east-1:000000000000:" + resource }

func publicKey(t *testing.T, bits int) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}
