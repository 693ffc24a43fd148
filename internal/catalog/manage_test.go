package catalog

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/template"
)

const welcome = `{"name":"welcome","language":"en","category":"UTILITY","status":"APPROVED","id":"7","components":[{"type":"BODY","text":"Welcome to our` + "\n" + `shop."}]}`

var mine = account.Access{AccountID: owner, WABAKey: waba, MetaID: waba, Token: "t"}

func TestCreate(t *testing.T) {
	t.Parallel()
	w, c, _ := newCatalog(t)
	created, err := c.Create(t.Context(), mine, []byte(welcome), false)
	if want := (template.Created{ID: "73", Status: template.Pending, Category: template.Utility}); err != nil || created != want {
		t.Errorf("created %+v, %v", created, err)
	}
	want := []string{`create {"category":"UTILITY","components":[{"type":"BODY","text":"Welcome to our\nshop."}],"language":"en","name":"welcome"}`}
	if diff := cmp.Diff(want, w.told()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if _, err := c.Create(t.Context(), mine, []byte(welcome), false); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second one: %v", err)
	}
	w.told()
	_, err = c.Create(t.Context(), mine, []byte(`{"name":"A","language":"en","components":[{"type":"BODY","text":"{{1}}"}]}`), false)
	for _, member := range []string{"name", "category", "components[0].text"} {
		if !fault.Is(err, fault.InvalidParameters) || !strings.Contains(err.Error(), member+": ") {
			t.Errorf("%s is not named by %v", member, err)
		}
	}
	c.Lint = false
	if _, err := c.Create(t.Context(), mine, []byte(`{`), false); !fault.Is(err, fault.InvalidParameters) {
		t.Errorf("no JSON: %v", err)
	}
	if calls := w.told(); len(calls) > 0 {
		t.Errorf("Meta was asked: %v", calls)
	}
}

// After an attempt whose outcome is not known, the template may be there; otherwise its name is taken.
func TestCreateAgain(t *testing.T) {
	t.Parallel()
	w, c, _ := newCatalog(t)
	w.lost = 1
	if _, err := c.Create(t.Context(), mine, []byte(welcome), false); !fault.Is(err, fault.Dependency) {
		t.Fatalf("the answer got lost: %v", err)
	}
	want := template.Created{ID: "73", Status: template.Pending, Category: template.Utility}
	if created, err := c.Create(t.Context(), mine, []byte(welcome), true); err != nil || created != want {
		t.Errorf("repeated: %+v, %v", created, err)
	}
	if _, err := c.Create(t.Context(), mine, []byte(welcome), false); !fault.Is(err, fault.Conflict) {
		t.Errorf("another call: %v", err)
	}
	calls := w.told()
	if len(calls) != 4 || !strings.HasPrefix(calls[1], "create") || calls[2] != "find welcomeen" {
		t.Errorf("calls: %v", calls)
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	_, c, _ := newCatalog(t)
	for _, tc := range []struct {
		name string
		ref  template.Ref
		want string
		kind fault.Kind
	}{
		{"by id", template.Ref{ID: "2"}, "2", ""},
		{"by name", template.Ref{Name: "hello", Language: "de"}, "2", ""},
		{"by both", template.Ref{ID: "2", Name: "hello", Language: "de"}, "2", ""},
		{"that disagree", template.Ref{ID: "2", Name: "hello", Language: "en"}, "", fault.InvalidParameters},
		{"unknown id", template.Ref{ID: "5"}, "", fault.NotFound},
		{"unknown name", template.Ref{Name: "hello", Language: "fr"}, "", fault.NotFound},
		{"of another business account", template.Ref{ID: "9"}, "", fault.NotFound},
	} {
		got, err := c.Get(t.Context(), mine, tc.ref)
		if got.ID != tc.want || tc.kind != "" && !fault.Is(err, tc.kind) || tc.kind == "" && err != nil {
			t.Errorf("%s: %q, %v", tc.name, got.ID, err)
		}
	}
	// With a listing in memory, one call is enough to know whose template it is.
	w, c, _ := newCatalog(t)
	if _, ok := c.Category(t.Context(), waba, "hello", "en"); !ok {
		t.Fatal("nothing listed")
	}
	w.told()
	if _, err := c.Get(t.Context(), mine, template.Ref{ID: "1"}); err != nil || len(w.told()) != 1 {
		t.Errorf("get: %v", err)
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	w, c, _ := newCatalog(t)
	if err := c.Update(t.Context(), mine, template.Ref{ID: "1"}, template.Edit{Components: []byte(`{"components":[{"type":"BODY","text":"Good day."}]}`)}); err != nil {
		t.Fatal(err)
	}
	if err := c.Update(t.Context(), mine, template.Ref{Name: "hello", Language: "de"}, template.Edit{Category: "MARKETING"}); err != nil {
		t.Fatal(err)
	}
	want := []string{"read 1", "find hello", `update 1  [{"type":"BODY","text":"Good day."}]`, "find hellode", "update 2 MARKETING "}
	if diff := cmp.Diff(want, w.told()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	for name, tc := range map[string]struct {
		ref  template.Ref
		edit template.Edit
		kind fault.Kind
	}{
		"unknown":                     {template.Ref{ID: "5"}, template.Edit{Category: "UTILITY"}, fault.NotFound},
		"of another business account": {template.Ref{ID: "9"}, template.Edit{Category: "UTILITY"}, fault.NotFound},
		"leading variable":            {template.Ref{ID: "1"}, template.Edit{Components: []byte(`[{"type":"BODY","text":"{{1}} hello there"}]`)}, fault.InvalidParameters},
		"numbers where names go":      {template.Ref{ID: "1"}, template.Edit{Format: template.Named, Components: []byte(`[{"type":"BODY","text":"Hello {{A}} there"}]`)}, fault.InvalidParameters},
		"no JSON":                     {template.Ref{ID: "1"}, template.Edit{Components: []byte(`[`)}, fault.InvalidParameters},
	} {
		if err := c.Update(t.Context(), mine, tc.ref, tc.edit); !fault.Is(err, tc.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, call := range w.told() {
		if strings.HasPrefix(call, "update") {
			t.Errorf("Meta was asked to %s", call)
		}
	}
}

func TestOthers(t *testing.T) {
	t.Parallel()
	w, c, _ := newCatalog(t)
	if err := c.Delete(t.Context(), mine, "hello", "1"); err != nil {
		t.Error(err)
	}
	if p, err := c.List(t.Context(), mine, "", 2); err != nil || len(p.Templates) != 2 || p.After != "next" {
		t.Errorf("list %+v, %v", p, err)
	}
	if p, err := c.LibraryPage(t.Context(), mine, template.LibraryQuery{Search: "pay"}); err != nil || p.After != "next" {
		t.Errorf("library %+v, %v", p, err)
	}
	if diff := cmp.Diff([]string{"delete hello 1", "list ", "library pay"}, w.told()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}
