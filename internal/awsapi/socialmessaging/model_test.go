package socialmessaging

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
)

// deliberate are the differences between AWS's model and our table that are meant: by what compare says of them, why.
var deliberate = map[string]string{
	"AssociateWhatsAppBusinessAccount: answers InternalServiceException":    "trouble of ours is always possible",
	"DisassociateWhatsAppBusinessAccount: answers InternalServiceException": "trouble of ours is always possible",

	"AssociateWhatsAppBusinessAccount: setupFinalization.phoneNumbers[].id: 1 to 115, not 1 to 100": "the model has Meta's ids, its text ours: both are taken, and ARNs",
	"AssociateWhatsAppBusinessAccount: setupFinalization.waba.id: 1 to 115, not 1 to 100":           "the model has Meta's ids, its text ours: both are taken, and ARNs",

	// Where presigned URLs may lead is a setting; AWS's pattern is always allowed.
	`GetWhatsAppMessageMedia: destinationS3PresignedUrl.url: pattern "", not "https://(.*)s3(.*).amazonaws.com/(.*)"`: "widened by s3.presigned_hosts",
	`PostWhatsAppMessageMedia: sourceS3PresignedUrl.url: pattern "", not "https://(.*)s3(.*).amazonaws.com/(.*)"`:     "widened by s3.presigned_hosts",

	"UntagResource: tagKeys[]: 1 to 128, not any to any": "what tags may be called holds across AWS",

	// Models since the release of Flows list it.
	"CreateWhatsAppMessageTemplate: answers AccessDeniedByMetaException":            "newer models",
	"CreateWhatsAppMessageTemplateFromLibrary: answers AccessDeniedByMetaException": "newer models",
	"CreateWhatsAppMessageTemplateMedia: answers AccessDeniedByMetaException":       "newer models",
	"DeleteWhatsAppMessageTemplate: answers AccessDeniedByMetaException":            "newer models",
	"GetWhatsAppMessageTemplate: answers AccessDeniedByMetaException":               "newer models",
	"ListWhatsAppMessageTemplates: answers AccessDeniedByMetaException":             "newer models",
	"ListWhatsAppTemplateLibrary: answers AccessDeniedByMetaException":              "newer models",
	"UpdateWhatsAppMessageTemplate: answers AccessDeniedByMetaException":            "newer models",
}

// compared is how many operations the model had that was compared last. A newer CLI may know members and errors that are not here
// yet: that is told, and no error.
const compared = 21

// TestModel compares the table with the model that the AWS CLI of this machine works by: every operation, member, place,
// constraint and error of it, and what we have beyond it.
func TestModel(t *testing.T) {
	t.Parallel()
	model := botocore(t)
	ours := awsapitest.Describe(Service(Options{}))
	found := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(model.Operations)) {
		for _, difference := range model.compare(name, ours[name]) {
			found[difference] = true
			switch {
			case deliberate[difference] != "":
			case len(model.Operations) > compared && (strings.HasSuffix(difference, " is missing") || strings.Contains(difference, ": does not answer ")):
				t.Log("newer than this table: ", difference)
			default:
				t.Error(difference)
			}
		}
	}
	for difference, why := range deliberate {
		if !found[difference] && why != "newer models" { // this one may be such
			t.Errorf("listed, but not so: %s", difference)
		}
	}
	t.Logf("%d operations compared", len(model.Operations))
}

// awsModel is a service model as botocore has it.
type awsModel struct {
	Operations map[string]struct {
		HTTP          struct{ Method, RequestURI string }
		Input, Output *struct{ Shape string }
		Errors        []struct{ Shape string }
	}
	Shapes map[string]struct {
		Type                    string
		Required                []string
		Members                 map[string]awsMember
		Member, Value           awsMember
		Min, Max                *int64
		Pattern                 string
		Enum                    []string
		Sensitive, Box, Wrapper bool
	}
}

type awsMember struct{ Shape, Location, LocationName string }

// botocore reads the model of the AWS CLI's library, or skips the test where there is none.
func botocore(t *testing.T) (m awsModel) {
	t.Helper()
	path, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("the AWS CLI is not installed")
	}
	var dirs []string
	if python, err := exec.LookPath("python3"); err == nil { // version 1 is a Python package
		if out, err := exec.CommandContext(t.Context(), python, "-c", "import botocore, os; print(os.path.dirname(botocore.__file__))").Output(); err == nil {
			dirs = append(dirs, strings.TrimSpace(string(out)))
		}
	}
	if real, err := filepath.EvalSymlinks(path); err == nil { // version 2 brings its own
		dirs = append(dirs, filepath.Join(filepath.Dir(real), "awscli", "botocore"), filepath.Join(filepath.Dir(real), "botocore"))
	}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "data", "socialmessaging", "*", "service-2.json*"))
		if err != nil || len(files) == 0 {
			continue
		}
		f, err := os.Open(files[len(files)-1])
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var r io.Reader = f
		if strings.HasSuffix(f.Name(), ".gz") {
			if r, err = gzip.NewReader(f); err != nil {
				t.Fatal(err)
			}
		}
		if err := json.NewDecoder(r).Decode(&m); err != nil || len(m.Operations) < 20 {
			t.Fatalf("%s: %d operations, %v", f.Name(), len(m.Operations), err)
		}
		return m
	}
	t.Skip("the AWS CLI's model of the service was not found")
	return m
}

// compare says how an operation differs.
func (m *awsModel) compare(name string, ours awsapitest.Operation) (list []string) {
	op := m.Operations[name]
	differ := func(format string, args ...any) { list = append(list, name+": "+fmt.Sprintf(format, args...)) }
	if ours.Method != op.HTTP.Method || ours.Path != op.HTTP.RequestURI {
		differ("is %s %s, not %s %s", ours.Method, ours.Path, op.HTTP.Method, op.HTTP.RequestURI)
		return list
	}
	var errors []string
	for _, e := range op.Errors {
		errors = append(errors, e.Shape)
	}
	for _, e := range errors {
		if !slices.Contains(ours.Errors, e) {
			differ("does not answer %s", e)
		}
	}
	for _, e := range ours.Errors {
		if !slices.Contains(errors, e) {
			differ("answers %s", e)
		}
	}
	if op.Input != nil {
		m.structure(op.Input.Shape, ours.Input, true, "", differ)
	}
	if op.Output != nil {
		m.structure(op.Output.Shape, ours.Output, false, "output.", differ)
	}
	return list
}

func (m *awsModel) structure(shape string, ours *awsapitest.Shape, input bool, path string, differ func(string, ...any)) {
	s := m.Shapes[shape]
	known := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(s.Members)) {
		member := s.Members[name]
		wire, where := name, "body"
		if member.LocationName != "" {
			wire = member.LocationName
		}
		known[wire] = true
		if member.Location == "querystring" {
			where = "query"
		}
		have, ok := ours.Members[wire]
		if !ok {
			differ("%s%s is missing", path, wire)
			continue
		}
		if input && have.Where != where {
			differ("%s%s is in the %s", path, wire, have.Where)
		}
		if required := slices.Contains(s.Required, name); input && have.Required != required {
			differ("%s%s: required is %v", path, wire, have.Required)
		}
		m.value(member.Shape, have.Shape, input, path+wire, differ)
	}
	for _, name := range slices.Sorted(maps.Keys(ours.Members)) {
		if !known[name] {
			differ("%s%s is extra", path, name)
		}
	}
}

func (m *awsModel) value(shape string, ours *awsapitest.Shape, input bool, path string, differ func(string, ...any)) {
	s := m.Shapes[shape]
	kind := s.Type
	if kind == "long" {
		kind = "integer"
	}
	if kind != ours.Type {
		differ("%s is a %s, not a %s", path, ours.Type, kind)
		return
	}
	if input {
		bound := func(p *int64) string {
			if p == nil {
				return "any"
			}
			return fmt.Sprint(*p)
		}
		if bound(s.Min) != bound(ours.Min) || bound(s.Max) != bound(ours.Max) {
			differ("%s: %s to %s, not %s to %s", path, bound(ours.Min), bound(ours.Max), bound(s.Min), bound(s.Max))
		}
		if s.Pattern != ours.Pattern {
			differ("%s: pattern %q, not %q", path, ours.Pattern, s.Pattern)
		}
		if !slices.Equal(s.Enum, ours.Enum) {
			differ("%s: values %v, not %v", path, ours.Enum, s.Enum)
		}
		if s.Sensitive && !hidden(ours) {
			differ("%s: is sensitive", path)
		}
	}
	switch kind {
	case "structure":
		m.structure(shape, ours, input, path+".", differ)
	case "list":
		m.value(s.Member.Shape, ours.Element, input, path+"[]", differ)
	case "map":
		m.value(s.Value.Shape, ours.Element, input, path+"{}", differ)
	}
}

// hidden reports whether a value is never repeated: it is sensitive itself, or all there is in it.
func hidden(s *awsapitest.Shape) bool {
	for _, m := range s.Members {
		if !hidden(m.Shape) {
			return false
		}
	}
	return s.Sensitive || len(s.Members) > 0
}

// Operations that the CLI does not know yet are compared with the SDK for JavaScript, in test/compat; of the others, these are all.
func TestModelIsWhole(t *testing.T) {
	t.Parallel()
	ours := awsapitest.Describe(Service(Options{}))
	for name, op := range ours {
		if op.Input == nil || op.Output == nil || len(op.Input.Members) == 0 && name != "ListLinkedWhatsAppBusinessAccounts" || len(op.Errors) < 4 {
			t.Errorf("%s is described as %+v", name, op)
		}
	}
	send := ours["SendWhatsAppMessage"].Input.Members
	if m := send["message"]; m.Type != "blob" || !m.Required || !m.Sensitive || m.Where != "body" || *m.Max != 2_048_000 {
		t.Errorf("message is described as %+v", m)
	}
}
