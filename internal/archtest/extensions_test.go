package archtest

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/extensions"
)

// The extensions are documented by hand; no operation and no member may be missing.
func TestExtensionsAreDocumented(t *testing.T) {
	t.Parallel()
	doc := read(t, "docs/extensions.md")
	var names []string
	for _, op := range slices.Concat(extensions.Operations(extensions.Options{}), extensions.NumberOperations(extensions.NumberOptions{}),
		extensions.TemplateOperations(nil), extensions.DestinationOperations(extensions.DestinationOptions{})) {
		names = append(names, op.Name)
		_, section, found := strings.Cut(doc, "\n### "+op.Name+"\n")
		if !found {
			t.Errorf("docs/extensions.md has no section %s", op.Name)
			continue
		}
		section, _, _ = strings.Cut(section, "\n### ")
		if !strings.Contains(section, "`"+op.Method+" "+op.Path+"`") {
			t.Errorf("%s: its section does not name `%s %s`", op.Name, op.Method, op.Path)
		}
		if example := strings.TrimPrefix(op.Path, "/v1/"); !regexp.MustCompile(`(?m)^wax "?` + example + `[" ?]`).MatchString(section) {
			t.Errorf("%s: its section has no example of %s", op.Name, op.Path)
		}
	}
	if headings := regexp.MustCompile(`(?m)^### (.*)$`).FindAllStringSubmatch(doc, -1); len(headings) != len(names) {
		t.Errorf("docs/extensions.md has %d sections, want one each for %v", len(headings), names)
	}

	tags := regexp.MustCompile("(?:json|query):\"([a-zA-Z]+)[^\"]*\"")
	members := map[string]bool{}
	for file := range sources(t) {
		if path.Dir(file) != "internal/awsapi/extensions" {
			continue
		}
		for _, m := range tags.FindAllStringSubmatch(read(t, file), -1) {
			members[m[1]] = true
		}
	}
	if len(members) < 40 {
		t.Fatalf("found only %d members", len(members))
	}
	for name := range members {
		if !strings.Contains(doc, "`"+name+"`") && !strings.Contains(doc, `"`+name+`":`) {
			t.Errorf("docs/extensions.md does not mention `%s`", name)
		}
	}
	if slices.Contains(names, "SendWhatsAppMessage") {
		t.Error("an extension has the name of an operation of AWS's")
	}
}
