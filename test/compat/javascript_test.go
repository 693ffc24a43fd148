package compat

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/socialmessaging"
)

// The tests in javascript/ drive AWS's SDK for JavaScript. They get three nodes: one without quotas in the way, one
// on which every operation may be called once, and one whose accounts they may link and unlink.
func TestJavaScriptSDK(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	install(t, "javascript")
	var strict []string
	for _, operation := range operations() {
		strict = append(strict, "limits."+operation+"=0.01")
	}
	open, limited, signUp := start(t), start(t, strict...), start(t)
	run := exec.CommandContext(t.Context(), "node", "--test", "--test-reporter=spec")
	run.Dir = "javascript"
	run.Env = open.environment(t, "WAXWING_SIMULATOR_URL="+open.simulator, "WAXWING_THROTTLED_URL="+limited.url,
		"WAXWING_SIGNUP_URL="+signUp.url, "WAXWING_SIGNUP_SIMULATOR_URL="+signUp.simulator,
		"WAXWING_OPERATIONS="+strings.Join(operations(), ","), "WAXWING_MODEL="+model(t))
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) { // the diagnostics and the count
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "ℹ "); ok {
			t.Log(text)
		}
	}
}

// model writes down what our table says, for comparison with the SDK's schemas.
func model(t *testing.T) (path string) {
	t.Helper()
	text, err := json.Marshal(awsapitest.Describe(socialmessaging.Service(socialmessaging.Options{})))
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "model.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// install fetches the packages of a folder's lock file unless that has happened already.
func install(t *testing.T, dir string) {
	t.Helper()
	done, errDone := os.Stat(filepath.Join(dir, "node_modules/.package-lock.json"))
	lock, err := os.Stat(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	if errDone == nil && !done.ModTime().Before(lock.ModTime()) {
		return
	}
	ci := exec.CommandContext(t.Context(), "npm", "ci", "--no-fund", "--no-audit")
	ci.Dir = dir
	if out, err := ci.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
}

func TestLockFileNamesNoRegistry(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*/package-lock.json")
	if err != nil || !slices.Contains(files, filepath.Join("javascript", "package-lock.json")) {
		t.Fatalf("lock files: %v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), `"resolved"`) || !strings.Contains(string(text), `"integrity"`) {
			t.Errorf("%s pins packages to a registry, or does not pin their contents", file)
		}
	}
}
