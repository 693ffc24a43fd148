package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/waxwing-messaging/waxwing"
	root   = "../.." // of the repository
)

// domain is values and rules. It sees itself, fault and the standard library, and nothing that touches the world.
var domain = []string{"account", "audit", "billing", "bus", "calling", "deadletter", "event", "fault", "flow", "grace", "identity", "lease", "limit", "media", "message", "page", "pattern", "queue",
	"rawjson", "retry", "template", "topic"}

// layer is what the packages of one kind may import of ours, beside their own folder.
type layer struct {
	name     string
	packages []string // folders of internal/, with everything below them
	may      []string // folders of internal/
	any      bool     // may import all of ours
	pure     bool     // standard library without the world, and no other module
}

var layers = []layer{
	{name: "domain", packages: domain, may: domain, pure: true},
	{name: "settings", packages: []string{"config"}, may: []string{"identity"}},
	{name: "services", packages: []string{"catalog", "directory", "onboarding"}, may: domain},
	{name: "edges in", packages: []string{"awsapi", "console", "ops", "webhook"}, may: domain},
	{name: "engines", packages: []string{"deliver", "dispatch", "fanout", "ingest", "refresh"}, may: domain},
	{name: "edges out", packages: []string{"destination", "kms", "meta", "notify", "objectstore", "outbound", "secret"}, may: domain},
	{name: "simulator", packages: []string{"sim"}, may: []string{"fault"}},       // a twin that shared our rules would share our mistakes
	{name: "storage contract", packages: []string{"store/storetest"}, any: true}, // holds stores to what each engine asks for
	{name: "stores", packages: []string{"store"}, may: domain},
	{name: "load generator", packages: []string{"bench"}, any: true},
	{name: "wiring", packages: []string{"app"}, any: true},
	{name: "guards", packages: []string{"archtest"}},
}

// world is what the domain must not see of the standard library.
var world = []string{"database/sql", "net", "net/http", "net/rpc", "os/exec", "os/signal", "syscall"}

func TestImportRule(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for file, imports := range sources(t) {
		dir := path.Dir(file)
		rest, internal := strings.CutPrefix(dir, "internal/")
		if !internal {
			continue // cmd and test may import anything
		}
		l, ok := layerOf(rest)
		if !ok {
			t.Errorf("internal/%s belongs to no layer: add it to the table", rest)
			continue
		}
		seen[top(rest)] = true
		for _, imported := range imports {
			if why := l.refuses(rest, imported); why != "" {
				t.Errorf("%s imports %s: %s", file, imported, why)
			}
		}
	}
	if !seen["message"] || !seen["fault"] || !seen["config"] {
		t.Fatalf("the test has not read the repository: %v", seen)
	}
}

// refuses says why a layer's package may not import another one; "" allows it.
func (l layer) refuses(from, imported string) string {
	ours, isOurs := strings.CutPrefix(imported, module+"/internal/")
	switch {
	case isOurs && (l.any || top(ours) == top(from) || slices.Contains(l.may, top(ours))):
		return ""
	case isOurs:
		return l.name + " may import only " + strings.Join(append([]string{"its own folder"}, l.may...), ", ")
	case l.pure && strings.Contains(strings.Split(imported, "/")[0], "."):
		return l.name + " may import no other module"
	case l.pure && slices.Contains(world, imported):
		return l.name + " must not see the world"
	}
	return ""
}

func TestImportRuleRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		from, imported string
		refused        bool
	}{
		{"message", module + "/internal/fault", false},
		{"message", module + "/internal/store/sqlite", true},
		{"message", "net/http", true},
		{"message", "net/netip", false},
		{"message", "github.com/google/uuid", true},
		{"awsapi", module + "/internal/awsapi/sigv4", false},
		{"awsapi/sns", module + "/internal/topic", false},
		{"awsapi", module + "/internal/store/sqlite", true},
		{"dispatch", module + "/internal/ingest", true},
		{"dispatch", module + "/internal/meta", true},
		{"sim", module + "/internal/message", true},
		{"store/sqlite", module + "/internal/dispatch", true},
		{"store/storetest", module + "/internal/dispatch", false},
		{"app", module + "/internal/store/sqlite", false},
	} {
		l, ok := layerOf(tc.from)
		if why := l.refuses(tc.from, tc.imported); !ok || (why != "") != tc.refused {
			t.Errorf("%s importing %s: %q, want refused %v", tc.from, tc.imported, why, tc.refused)
		}
	}
}

// layerOf returns the first layer that has the package or its folder.
func layerOf(pkg string) (layer, bool) {
	i := slices.IndexFunc(layers, func(l layer) bool { return slices.Contains(l.packages, pkg) || slices.Contains(l.packages, top(pkg)) })
	if i < 0 {
		return layer{}, false
	}
	return layers[i], true
}

func top(pkg string) string {
	name, _, _ := strings.Cut(pkg, "/")
	return name
}

// sources returns what every file of Go that is not a test imports, by its path from the root of the repository.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	tree := os.DirFS(root)
	files := map[string][]string{}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
		if err != nil {
			return err
		}
		files[name] = nil // also when it imports nothing
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			files[name] = append(files[name], imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
