package archtest

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/socialmessaging"
)

// operations is how many operations AWS's API has.
const operations = 38

func TestReadmeListsOperationsTruthfully(t *testing.T) {
	t.Parallel()
	row := regexp.MustCompile(`(?m)^\| ([A-Z]\w+) \| (works|not yet)\b[^|]*\| (.*) \|$`)
	link := regexp.MustCompile(`\]\(([^)]+)\)`)
	var listed, works []string
	for _, m := range row.FindAllStringSubmatch(read(t, "README.md"), -1) {
		listed = append(listed, m[1])
		tests := link.FindAllStringSubmatch(m[3], -1)
		if len(tests) == 0 {
			t.Errorf("README.md links %s to no test", m[1])
		}
		for _, test := range tests { // tests of the SDK name operations, tests that sign requests may have paths only
			if strings.HasSuffix(test[1], ".js") && !strings.Contains(read(t, test[1]), `describe("`+m[1]+`"`) {
				t.Errorf("README.md links %s to %s, which does not test it", m[1], test[1])
			}
		}
		if m[2] == "works" {
			works = append(works, m[1])
		}
	}
	if len(listed) != operations || !slices.IsSorted(listed) || len(slices.Compact(slices.Clone(listed))) != operations {
		t.Errorf("README.md lists %d operations, want %d, sorted and each once: %v", len(listed), operations, listed)
	}
	var served []string
	for _, op := range socialmessaging.Service(socialmessaging.Options{}).Operations {
		if !strings.HasPrefix(op.Path, "/v1/waxwing/") { // our own extensions
			served = append(served, op.Name)
		}
	}
	slices.Sort(served)
	if diff := cmp.Diff(served, works); diff != "" {
		t.Errorf("README.md says works (+) of what is served (-):\n%s", diff)
	}
}

func TestLinksInDocumentsLeadSomewhere(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, doc := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, doc), -1) {
			if target := path.Join(path.Dir(doc), m[1]); !exists(target) {
				t.Errorf("%s links to %s, which does not exist", doc, m[1])
			}
		}
	}
}

func TestDocumentsNameTestsThatExist(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile("\\[`(Test[A-Za-z0-9]+)`\\]\\(([^)#:]+)\\)")
	found := 0
	for _, doc := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, doc), -1) {
			found++
			if target := path.Join(path.Dir(doc), m[2]); !strings.Contains(read(t, target), "\nfunc "+m[1]+"(") {
				t.Errorf("%s names %s, which is not in %s", doc, m[1], m[2])
			}
		}
	}
	if found == 0 {
		t.Error("no document names a test")
	}
}

func TestDocumentsNameTargetsThatExist(t *testing.T) {
	t.Parallel()
	makefile := read(t, "Makefile")
	target := regexp.MustCompile("`make ([a-z-]+)")
	for _, doc := range documents(t) {
		for _, m := range target.FindAllStringSubmatch(read(t, doc), -1) {
			if !regexp.MustCompile(`(?m)^` + m[1] + `:`).MatchString(makefile) {
				t.Errorf("%s names `make %s`, which the Makefile does not have", doc, m[1])
			}
		}
	}
}

// documents returns every Markdown file of ours.
func documents(t *testing.T) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if strings.HasSuffix(name, ".md") {
			names = append(names, name)
		}
		return nil
	})
	if err != nil || len(names) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	return names
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func exists(name string) bool {
	_, err := os.Stat(filepath.Join(root, filepath.FromSlash(name)))
	return err == nil
}

// The control API is documented by hand; nothing of it may be missing.
func TestSimulatorIsDocumented(t *testing.T) {
	t.Parallel()
	doc := read(t, "docs/simulator.md")
	calls := regexp.MustCompile(`\{"([A-Z]+ /sim/v1/[^"]+)"`).FindAllStringSubmatch(read(t, "internal/sim/control.go"), -1)
	settings := regexp.MustCompile("`json:\"([a-z_]+)\"`").FindAllStringSubmatch(read(t, "internal/sim/settings.go"), -1)
	effects := regexp.MustCompile("`json:\"([a-z_]+),omitempty\"`").FindAllStringSubmatch(read(t, "internal/sim/faults.go"), -1)
	if len(calls) < 10 || len(settings) < 10 || len(effects) < 10 {
		t.Fatalf("found only %d calls, %d settings, %d effects", len(calls), len(settings), len(effects))
	}
	for _, m := range slices.Concat(calls, settings) {
		if !strings.Contains(doc, "`"+m[1]+"`") {
			t.Errorf("docs/simulator.md does not mention `%s`", m[1])
		}
	}
	for _, m := range effects {
		if !regexp.MustCompile("[`\"]" + m[1] + "[`\"]").MatchString(doc) {
			t.Errorf("docs/simulator.md does not mention %s", m[1])
		}
	}
	documented := regexp.MustCompile("`([A-Z]+ /sim/v1/[^`?]+)`").FindAllStringSubmatch(doc, -1)
	if len(documented) != len(calls) {
		t.Errorf("docs/simulator.md has %d calls, the simulator %d", len(documented), len(calls))
	}
}
