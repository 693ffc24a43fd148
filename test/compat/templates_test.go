package compat

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The examples of the guide's chapter on templates, typed as they are printed there, and then the commands one needs next.
func TestAWSCLITemplates(t *testing.T) {
	t.Parallel()
	n := start(t)
	aws := awsCLI(t, n)
	call := func(into any, args ...string) {
		t.Helper()
		stdout, stderr, err := aws(append([]string{"socialmessaging"}, args...)...)
		if err != nil {
			t.Fatalf("aws socialmessaging %s: %v: %s", strings.Join(args, " "), err, stderr)
		}
		if into != nil {
			if err := json.Unmarshal([]byte(stdout), into); err != nil {
				t.Fatalf("aws socialmessaging %s printed %q: %v", strings.Join(args, " "), stdout, err)
			}
		}
	}
	examples, err := filepath.Glob("../../internal/template/testdata/guide-*.json")
	if err != nil || len(examples) != 5 {
		t.Fatalf("%d examples, %v", len(examples), err)
	}
	var last struct{ MetaTemplateID, TemplateStatus, Category string }
	for _, file := range examples {
		printed, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		call(&last, "create-whatsapp-message-template", "--region", region, "--endpoint-url", n.url, "--id", wabaID,
			"--template-definition", strings.TrimSpace(string(printed)))
		if last.MetaTemplateID == "" || last.TemplateStatus != "PENDING" {
			t.Errorf("%s: %+v", file, last)
		}
	}
	var shown struct{ Template string }
	until(t, "approved template", func() bool {
		call(&shown, "get-whatsapp-message-template", "--id", wabaID, "--meta-template-id", last.MetaTemplateID)
		return strings.Contains(shown.Template, `"status":"APPROVED"`)
	})
	if !strings.Contains(shown.Template, `"summer_sale_1"`) || last.Category != "MARKETING" {
		t.Errorf("template %s", shown.Template)
	}
	var list struct {
		Templates []struct{ TemplateName string }
	}
	call(&list, "list-whatsapp-message-templates", "--id", wabaID)
	if len(list.Templates) != 8 {
		t.Errorf("templates %+v", list)
	}
	call(nil, "update-whatsapp-message-template", "--id", wabaID, "--template-name", "summer_sale_1", "--template-language-code", "en_US",
		"--template-components", `[{"type":"BODY","text":"The summer sale is over. See you next year!"}]`)
	call(&shown, "get-whatsapp-message-template", "--id", wabaID, "--template-name", "summer_sale_1", "--template-language-code", "en_US")
	if !strings.Contains(shown.Template, "See you next year!") {
		t.Errorf("after the update: %s", shown.Template)
	}
	var library struct {
		MetaLibraryTemplates []struct{ TemplateName string }
	}
	call(&library, "list-whatsapp-template-library", "--id", wabaID, "--filters", "topic=PAYMENTS,language=en_US", "--max-items", "3")
	if len(library.MetaLibraryTemplates) != 3 {
		t.Errorf("library %+v", library)
	}
	call(&last, "create-whatsapp-message-template-from-library", "--id", wabaID, "--meta-library-template",
		`{"templateName":"thanks","libraryTemplateName":"order_confirmation_2","templateCategory":"UTILITY","templateLanguage":"en_US"}`)
	call(nil, "delete-whatsapp-message-template", "--id", wabaID, "--template-name", "thanks", "--meta-template-id", last.MetaTemplateID)
	call(nil, "delete-whatsapp-message-template", "--id", wabaID, "--template-name", "summer_sale_1", "--delete-all-languages")
	if _, stderr, err := aws("socialmessaging", "get-whatsapp-message-template", "--id", wabaID, "--meta-template-id", last.MetaTemplateID); err == nil ||
		!strings.Contains(stderr, "(ResourceNotFoundException)") {
		t.Errorf("a deleted template: %v, %s", err, stderr)
	}
}
