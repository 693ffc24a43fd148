package app

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	"github.com/waxwing-messaging/waxwing/internal/config"
)

// as is a client whose calls are attempts of one call.
func (n *node) as(invocation string) *awsapitest.Client {
	c := *n.api
	c.Header = http.Header{"Amz-Sdk-Invocation-Id": {invocation}}
	return &c
}

// calls counts what the simulator was asked for on an edge.
func (n *node) calls(t *testing.T, method, edge string) (count int) {
	t.Helper()
	for _, r := range n.simulator(t, "GET", "/sim/v1/requests", nil)["requests"].([]any) {
		if q := r.(object); q["method"] == method && q["edge"] == edge {
			count++
		}
	}
	return count
}

// What is made by a call is made once, however often an SDK repeats it, and whether or not the node was restarted meanwhile.
func TestRepeatedCallsMakeOneThing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, dir, liftQuotas("CreateWhatsAppFlow", "PostWhatsAppMessageMedia", "CreateWhatsAppMessageTemplateMedia", "AssociateWhatsAppBusinessAccount"))
	n.store(t, "a.jpeg", "image/jpeg", jpegData)
	for _, tc := range []struct {
		name, path string
		body       object
		edge       string // where it is made
		member     string // of the output
	}{
		{"media", "/v1/whatsapp/media", object{"originationPhoneNumberId": seededPhone, "sourceS3File": s3File("a.jpeg")}, "media", "mediaId"},
		{"sample", "/v1/whatsapp/template/media", object{"id": seededWABA, "sourceS3File": s3File("a.jpeg")}, "uploads", "metaHeaderHandle"},
		{"Flow", "/v1/whatsapp/flow/create", object{"id": seededWABA, "flowName": "Once", "categories": []string{"OTHER"}, "flowJson": blob(oneScreen)}, "flows", "flowId"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var made string
			for i := range 3 {
				var out map[string]any
				if res := n.as("call-of-"+tc.name).Do(t, "POST", tc.path, tc.body); res.Status != http.StatusOK {
					t.Fatalf("attempt %d: %d %s", i, res.Status, res.Body)
				} else if res.JSON(t, &out); made == "" {
					made = out[tc.member].(string)
				} else if out[tc.member] != made {
					t.Errorf("attempt %d made %v, the first %s", i, out[tc.member], made)
				}
			}
			if count := n.calls(t, "POST", tc.edge); count != 1 {
				t.Errorf("Meta was asked %d times", count)
			}
		})
	}
	// The code of a sign-up is good once, and its call may be repeated all the same.
	code := n.simulator(t, "POST", "/sim/v1/sign-ups", object{"waba_name": "Tea House", "phone_number": "+15550100055"})["code"].(string)
	begin := object{"signupCallback": object{"accessToken": code}}
	first, second := n.as("sign-up").Do(t, "POST", signUpPath, begin), n.as("sign-up").Do(t, "POST", signUpPath, begin)
	if first.Status != http.StatusOK || string(first.Body) != string(second.Body) {
		t.Errorf("sign-up: %d %s, then %d %s", first.Status, first.Body, second.Status, second.Body)
	}

	id := string(n.as("call-of-media").Do(t, "POST", "/v1/whatsapp/media", object{"originationPhoneNumberId": seededPhone, "sourceS3File": s3File("a.jpeg")}).Body)
	n.stop()
	n = start(t, dir, nil)
	if res := n.as("call-of-media").Do(t, "POST", "/v1/whatsapp/media", object{"originationPhoneNumberId": seededPhone, "sourceS3File": s3File("a.jpeg")}); string(res.Body) != id {
		t.Errorf("after a restart: %d %s, want %s", res.Status, res.Body, id)
	}
}

// A Flow whose answer got lost is found again by its name.
func TestFlowWhoseAnswerGotLost(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), liftQuotas("CreateWhatsAppFlow", "ListWhatsAppFlows"))
	body := func(name string) object {
		return object{"id": seededWABA, "flowName": name, "categories": []string{"OTHER"}}
	}
	for i := range 30 { // so that it is not on the first page of Meta's list
		n.ask(t, "POST", "/v1/whatsapp/flow/create", body(fmt.Sprint("Other ", i)), &object{})
	}
	n.control(t, "PUT", "/sim/v1/faults", `{"rules":[{"match":{"method":"POST","edge":"flows"},"when":{"next":1},"effect":{"cut":"after"}}]}`)
	if res := n.as("lost").Do(t, "POST", "/v1/whatsapp/flow/create", body("Survey")); res.Code() != "DependencyException" {
		t.Fatalf("the lost answer: %d %s", res.Status, res.Body)
	}
	var made struct{ FlowID string }
	for range 2 {
		res := n.as("lost").Do(t, "POST", "/v1/whatsapp/flow/create", body("Survey"))
		if res.JSON(t, &made); res.Status != http.StatusOK || made.FlowID == "" {
			t.Errorf("repeated: %d %s", res.Status, res.Body)
		}
	}
	// For another call the name is taken.
	if res := n.as("another").Do(t, "POST", "/v1/whatsapp/flow/create", body("Survey")); res.Code() != "InvalidParametersException" {
		t.Errorf("another call: %d %s", res.Status, res.Body)
	}
}

// An SDK that gives up waiting and repeats an upload gets what the first attempt uploads.
func TestImpatientUpload(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), func(c *config.Config) { c.Limits["PostWhatsAppMessageMedia"] = 1000 })
	n.store(t, "a.jpeg", "image/jpeg", jpegData)
	n.control(t, "PUT", "/sim/v1/faults", `{"rules":[{"match":{"edge":"media"},"when":{"next":1},"effect":{"delay_ms":4000}}]}`)
	body := object{"originationPhoneNumberId": seededPhone, "sourceS3File": s3File("a.jpeg")}
	ctx, hangUp := context.WithCancel(t.Context())
	impatient := n.as("upload").Request(t, "POST", "/v1/whatsapp/media", body).WithContext(ctx)
	gone := make(chan error)
	go func() {
		res, err := http.DefaultClient.Do(impatient)
		if err == nil {
			res.Body.Close()
		}
		gone <- err
	}()
	waitFor(t, "the upload at Meta", func() bool {
		return strings.Contains(n.control(t, "GET", "/sim/v1/faults", ""), `"struck": 1`)
	})
	hangUp()
	if err := <-gone; err == nil {
		t.Error("the first attempt was answered")
	}
	var out struct{ MediaID string }
	if res := n.as("upload").Do(t, "POST", "/v1/whatsapp/media", body); res.Status != http.StatusOK {
		t.Fatalf("repeated: %d %s", res.Status, res.Body)
	} else {
		res.JSON(t, &out)
	}
	if count := n.calls(t, "POST", "media"); count != 1 || out.MediaID == "" {
		t.Errorf("Meta was asked %d times, for %q", count, out.MediaID)
	}
}
