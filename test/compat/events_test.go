package compat

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/events"
)

// eventBusDoc is what users read about the built-in event bus.
func eventBusDoc(t *testing.T) string {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "event-bus.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

// The commands of the document on the event bus are run as they are written, and what it promises arrives.
func TestEventBusDocument(t *testing.T) {
	t.Parallel()
	n := start(t)
	awsCLI(t, n) // or skip
	var mu sync.Mutex
	var orders []string
	shop := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		orders = append(orders, r.URL.Path+" "+r.Header.Get("X-Api-Key")+" "+string(body))
	}))
	t.Cleanup(shop.Close)
	s := subscribe(t)
	places := strings.NewReplacer("http://127.0.0.1:9999/", s.url, "http://127.0.0.1:9998", shop.URL)
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(eventBusDoc(t), -1)
	if len(blocks) != 4 {
		t.Fatalf("the document has %d blocks of commands, want 4", len(blocks))
	}
	env := n.environment(t)
	run := func(script string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", places.Replace(script))
		cmd.Env = env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s\n%s", err, script, out)
		}
	}
	run(blocks[0][1])
	run(`until aws sns list-subscriptions | grep -q :picked:; do :; done`)

	run(blocks[1][1])
	id := sendTemplate(t, n)
	until(t, "event about what was delivered", func() bool { _, ok := s.find(`"` + id + ` is delivered"`); return ok })

	run(blocks[2][1])
	until(t, "large order", func() bool { _, ok := s.find(`"source":"shop"`, `{"total":250}`); return ok })
	if _, ok := s.find(`{"total":7}`); ok {
		t.Error("a small order was picked")
	}

	run(blocks[3][1])
	until(t, "order at the URL", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return slices.Contains(orders, `/orders a-secret {"total":300}`)
	})
}

func sendTemplate(t *testing.T, n node) (id string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "aws", "socialmessaging", "send-whatsapp-message", "--query", "messageId", "--output", "text",
		"--message", `{"messaging_product":"whatsapp","to":"+`+diego+`","type":"template","template":{"name":"hello_world","language":{"code":"en_US"}}}`,
		"--origination-phone-number-id", phoneID, "--meta-api-version", "v20.0")
	cmd.Env = n.environment(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("send: %v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestEventBusDocumentListsOperationsTruthfully(t *testing.T) {
	t.Parallel()
	var listed, served []string
	for _, row := range regexp.MustCompile(`(?m)^\| ([A-Z]\w+(?:, [A-Z]\w+)*) \|`).FindAllStringSubmatch(eventBusDoc(t), -1) {
		if row[1] != "Operations" {
			listed = append(listed, strings.Split(row[1], ", ")...)
		}
	}
	for _, op := range events.Service(events.Options{}).Operations {
		served = append(served, op.Name)
	}
	slices.Sort(listed)
	slices.Sort(served)
	if diff := cmp.Diff(served, listed); diff != "" {
		t.Errorf("docs/event-bus.md lists (+) what is served (-):\n%s", diff)
	}
}
