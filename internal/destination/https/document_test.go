package https

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// programs make a program of a function verify that reads requests and prints what it says of each.
var programs = map[string]struct{ file, before, after, command string }{
	"js": {"verify.js", "", `
for (const { secret, headers, body } of JSON.parse(require("node:fs").readFileSync(0))) console.log(verify(secret, headers, Buffer.from(body, "base64")));`, "node"},
	"python": {"verify.py", "", `
import json, sys
for r in json.load(sys.stdin):
    print(str(verify(r["secret"], r["headers"], base64.b64decode(r["body"]))).lower())`, "python3"},
	"go": {"verify.go", `package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	var list []struct {
		Secret  string
		Headers map[string]string
		Body    []byte
	}
	json.NewDecoder(os.Stdin).Decode(&list)
	for _, r := range list {
		h := http.Header{}
		for name, value := range r.Headers {
			h.Set(name, value)
		}
		fmt.Println(verify(r.Secret, h, r.Body))
	}
}

`, "", "go run"},
}

// The lines of docs/events.md that verify a signature do.
func TestDocumentedVerification(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "events.md"))
	if err != nil {
		t.Fatal(err)
	}
	type request struct {
		Secret  string            `json:"secret"`
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body"`
	}
	body := []byte(`{"whatsAppWebhookEntry":"ünï 👍"}`)
	signed := func(secret identity.Secret, at time.Time, body []byte, signers ...identity.Secret) request {
		keys, err := signingKeys(signers)
		if err != nil {
			t.Fatal(err)
		}
		return request{secret.Reveal(), map[string]string{"webhook-id": "e-1", "webhook-timestamp": strconv.FormatInt(at.Unix(), 10),
			"webhook-signature": sign(keys, "e-1", at, []byte(`{"whatsAppWebhookEntry":"ünï 👍"}`))}, base64.StdEncoding.EncodeToString(body)}
	}
	now := time.Now()
	input, err := json.Marshal([]request{signed(newSecret, now, body, newSecret), signed(oldSecret, now, body, newSecret, oldSecret), signed(oldSecret, now, body, newSecret),
		signed(newSecret, now, append(body, ' '), newSecret), signed(newSecret, now.Add(-time.Hour), body, newSecret), signed(newSecret, now.Add(time.Hour), body, newSecret)})
	if err != nil {
		t.Fatal(err)
	}
	for language, p := range programs {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			command := strings.Fields(p.command)
			if _, err := exec.LookPath(command[0]); err != nil {
				t.Skip(command[0] + " is not installed")
			}
			lines := ""
			for _, m := range regexp.MustCompile("(?s)```(\\w+)\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
				if m[1] == language && strings.Contains(m[2], "verify(") {
					lines = m[2]
				}
			}
			if lines == "" {
				t.Fatal("docs/events.md does not verify signatures in this language")
			}
			file := filepath.Join(t.TempDir(), p.file)
			if err := os.WriteFile(file, []byte(p.before+lines+p.after), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), command[0], append(command[1:], file)...)
			cmd.Stdin = bytes.NewReader(input)
			out, err := cmd.CombinedOutput()
			if got := strings.Fields(string(out)); err != nil || strings.Join(got, " ") != "true true false false false false" {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
