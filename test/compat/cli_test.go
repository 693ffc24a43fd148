package compat

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// awsCLI returns how to run the AWS CLI against a node. It skips the test where there is none that knows the service.
func awsCLI(t *testing.T, n node) func(args ...string) (stdout, stderr string, err error) {
	t.Helper()
	path, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("the AWS CLI is not installed")
	}
	version, err := exec.CommandContext(t.Context(), path, "--version").CombinedOutput()
	if err != nil {
		t.Skipf("the AWS CLI does not run: %v: %s", err, version)
	}
	// Version 2 wants blobs in base64 unless told otherwise, as the guide says.
	second := bytes.HasPrefix(version, []byte("aws-cli/2"))
	run := func(args ...string) (string, string, error) {
		if second && args[0] == "socialmessaging" {
			args = append(args, "--cli-binary-format", "raw-in-base64-out")
		}
		cmd := exec.CommandContext(t.Context(), path, args...)
		cmd.Env = n.environment(t)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		return stdout.String(), stderr.String(), err
	}
	if _, stderr, err := run("socialmessaging", "list-linked-whatsapp-business-accounts"); strings.Contains(stderr, "argument command: Invalid choice") {
		t.Skipf("%s has no socialmessaging", bytes.TrimSpace(version))
	} else if err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	return run
}

// The commands are those of the guide, with its placeholders filled in, in the order in which one would type them.
func TestAWSCLI(t *testing.T) {
	t.Parallel()
	n := start(t)
	aws := awsCLI(t, n)
	ok := func(into any, args ...string) {
		t.Helper()
		stdout, stderr, err := aws(args...)
		if err != nil {
			t.Fatalf("aws %s: %v: %s", strings.Join(args, " "), err, stderr)
		}
		if into != nil {
			if err := json.Unmarshal([]byte(stdout), into); err != nil {
				t.Fatalf("aws %s printed %q: %v", strings.Join(args, " "), stdout, err)
			}
		}
	}
	fails := func(want string, args ...string) {
		t.Helper()
		if stdout, stderr, err := aws(args...); err == nil || !strings.Contains(stderr, want) {
			t.Errorf("aws %s: %v, stdout %q, stderr %q, want an error with %q", strings.Join(args, " "), err, stdout, stderr, want)
		}
	}
	send := func(message string) (id string) {
		t.Helper()
		var out struct{ MessageID string }
		ok(&out, "socialmessaging", "send-whatsapp-message", "--message", message, "--origination-phone-number-id", phoneID, "--meta-api-version", "v20.0")
		return out.MessageID
	}

	var me struct{ Account, Arn string }
	ok(&me, "sts", "get-caller-identity")
	if me.Account != "000000000000" || me.Arn != "arn:aws:iam::000000000000:user/admin" {
		t.Errorf("caller %+v", me)
	}

	var list struct {
		LinkedAccounts []struct{ ID, Arn, WabaID string }
	}
	ok(&list, "socialmessaging", "list-linked-whatsapp-business-accounts")
	var waba struct {
		Account struct {
			ID, Arn      string
			PhoneNumbers []struct{ PhoneNumberID, Arn string }
		}
	}
	ok(&waba, "socialmessaging", "get-linked-whatsapp-business-account", "--id", list.LinkedAccounts[0].ID)
	if waba.Account.ID != wabaID || waba.Account.PhoneNumbers[0].PhoneNumberID != phoneID {
		t.Errorf("account %+v", waba)
	}
	var phone struct{ PhoneNumber struct{ PhoneNumber string } }
	ok(&phone, "socialmessaging", "get-linked-whatsapp-business-account-phone-number", "--id", waba.Account.PhoneNumbers[0].Arn)
	if phone.PhoneNumber.PhoneNumber != "+15550100001" {
		t.Errorf("number %+v", phone)
	}

	s := subscribe(t)
	ok(nil, "sns", "subscribe", "--topic-arn", topicARN, "--protocol", "http", "--notification-endpoint", s.url)
	ok(nil, "socialmessaging", "put-whatsapp-business-account-event-destinations", "--id", wabaID, "--event-destinations", "eventDestinationArn="+topicARN)

	statement := send(`{"messaging_product":"whatsapp","to":"+` + diego + `","type":"template","template":{"name":"statement","language":{"code":"en_US"},` +
		`"components":[{"type":"body","parameters":[{"type":"text","text":"1000"}]}]}}`)
	n.arrived(t, statement, `"template": "statement"`)
	simple := send(`{"messaging_product": "whatsapp","to": "` + diego + `","type": "template","template": {"name":"simple_template","language": {"code": "en_US"}}}`)
	n.arrived(t, simple, `"template": "simple_template"`)
	for _, status := range []string{"accepted", "sent", "delivered"} {
		until(t, status+" event", func() bool { _, ok := s.find(statement, `\"status\":\"`+status+`\"`); return ok })
	}

	// Diego writes; he gets blue ticks, a wave and an answer.
	var written struct{ ID string }
	answer := n.control(t, "POST", "/sim/v1/customers/"+diego+"/messages", `{"phone_number_id":"`+metaID+`","message":{"type":"text","text":{"body":"Hi"}}}`)
	if err := json.Unmarshal([]byte(answer), &written); err != nil {
		t.Fatal(err)
	}
	until(t, "event about Diego's message", func() bool { _, ok := s.find(written.ID); return ok })
	send(`{"messaging_product":"whatsapp","message_id":"` + written.ID + `","status":"read"}`)
	until(t, "receipt at WhatsApp", func() bool { return strings.Contains(n.control(t, "GET", "/sim/v1/requests", ""), `"status": "read"`) })
	wave := send(`{"messaging_product":"whatsapp","recipient_type":"individual","to":"` + diego + `","type":"reaction","reaction": {"message_id": "` +
		written.ID + `","emoji": "\uD83D\uDC4B"}}`)
	n.arrived(t, wave, `"type": "reaction"`)
	n.arrived(t, send(`{"messaging_product":"whatsapp","to":"`+diego+`","text":{"body":"Hello Diego"}}`), "Hello Diego")

	ok(nil, "socialmessaging", "tag-resource", "--resource-arn", waba.Account.Arn, "--tags", "key=team,value=ops", "key=stage,value=test")
	ok(nil, "socialmessaging", "untag-resource", "--resource-arn", waba.Account.Arn, "--tag-keys", "stage")
	var tags struct{ Tags []struct{ Key, Value string } }
	ok(&tags, "socialmessaging", "list-tags-for-resource", "--resource-arn", waba.Account.Arn)
	if diff := cmp.Diff([]struct{ Key, Value string }{{"team", "ops"}}, tags.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}

	fails("(ResourceNotFoundException)", "socialmessaging", "get-linked-whatsapp-business-account", "--id", "waba-"+strings.Repeat("f", 32))
	fails("(ValidationException)", "socialmessaging", "get-linked-whatsapp-business-account", "--id", phoneID)
	fails("(InvalidParametersException)", "socialmessaging", "send-whatsapp-message", "--message", "{}", "--origination-phone-number-id", phoneID, "--meta-api-version", "v20.0")
	fails("(NotFound)", "sns", "publish", "--topic-arn", "arn:aws:sns:us-east-1:000000000000:missing", "--message", "x")
}
