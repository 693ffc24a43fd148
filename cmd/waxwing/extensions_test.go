package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestExtensionExamples runs the examples of docs/extensions.md as they are written, one after the other.
func TestExtensionExamples(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"curl", "bash", "base64"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the examples need %s", program)
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "extensions.md"))
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	for _, m := range blocks {
		script.WriteString(m[1])
	}

	env := story{t: t, env: append(os.Environ(), "HOME="+t.TempDir())}
	var server transcript
	env.background(&server, "waxwing", "dev", "--ephemeral", "--listen", "127.0.0.1:"+freePort(t), "--meta-listen", "127.0.0.1:"+freePort(t), "--ops-listen", "")
	server.await(t, "AWS_SECRET_ACCESS_KEY")
	for _, pair := range exports(server.String()) {
		env.env = append(env.env, pair[0]+"="+pair[1])
	}
	out := env.run(script.String())
	for _, want := range []string{`"timeline":[`, `"object":"`, `"messages":[{"messageId":"`, `{"messages":[]}`, `{"valid":true,"problems":[]}`, `"open":false`,
		`{"deadLetters":[]}`, `{"requeued":0,"skipped":0}`, `{"discarded":0}`, `{"replayed":`,
		`"maxEventsPerSecond":100`, `"state":"working"`, `"delivered":true`, `"secret":"whsec_`, `{"attempts":[`,
		`"messagesPerSecond":80`, `{"state":"cancelled"}`, `"days":[`} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in the answers:\n%s", want, out)
		}
	}
	if len(blocks) < 9 {
		t.Errorf("the document has %d blocks of commands", len(blocks))
	}
}
