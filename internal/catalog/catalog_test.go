package catalog

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/template"
)

const (
	owner    = "111122223333"
	waba     = "aaaa"
	elsewhen = "bbbb" // another business account behind the same token
)

// world is a Meta and a store in memory.
type world struct {
	mu        sync.Mutex
	templates map[string][]template.Template // by business account
	known     map[string][]template.Known
	calls     []string
	broken    error // what calls to Meta return
	lost      int   // answers to creations that get lost
}

func (w *world) call(format string, args ...any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, fmt.Sprintf(format, args...))
	return w.broken
}

// told returns the calls since the last time.
func (w *world) told() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	calls := w.calls
	w.calls = nil
	return calls
}

func (w *world) Access(_ context.Context, accountID, key string) (account.Access, error) {
	if accountID != owner || w.templates[key] == nil {
		return account.Access{}, fault.New(fault.NotFound, "no such business account")
	}
	return account.Access{AccountID: accountID, WABAKey: key, MetaID: key, Token: "t"}, nil
}

func (w *world) Owner(_ context.Context, key string) (string, error) {
	if w.templates[key] == nil {
		return "", fault.New(fault.NotFound, "no such business account")
	}
	return owner, nil
}

func (w *world) Template(_ context.Context, _ account.Access, id string) (template.Template, error) {
	if err := w.call("read %s", id); err != nil {
		return template.Template{}, err
	}
	for _, list := range w.templates {
		for _, t := range list {
			if t.ID == id {
				return t, nil
			}
		}
	}
	return template.Template{}, fault.New(fault.NotFound, "no such template")
}

func (w *world) TemplateNamed(_ context.Context, a account.Access, ref template.Ref) (template.Template, error) {
	if err := w.call("find %s%s", ref.Name, ref.Language); err != nil {
		return template.Template{}, err
	}
	for _, t := range w.templates[a.MetaID] {
		if t.Name == ref.Name && (ref.ID == "" || t.ID == ref.ID) && (ref.Language == "" || t.Language == ref.Language) {
			return t, nil
		}
	}
	return template.Template{}, fault.New(fault.NotFound, "no such template")
}

// Templates lists two to a page.
func (w *world) Templates(_ context.Context, a account.Access, q template.Query) (template.Page, error) {
	if err := w.call("list %s", q.After); err != nil {
		return template.Page{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.templates[a.MetaID]
	if q.After != "" {
		list = list[2:]
	}
	p := template.Page{Templates: append([]template.Template{}, list[:min(2, len(list))]...)}
	if len(list) > 2 {
		p.After = "next"
	}
	return p, nil
}

func (w *world) CreateTemplate(_ context.Context, a account.Access, definition []byte) (template.Created, error) {
	if err := w.call("create %s", definition); err != nil {
		return template.Created{}, err
	}
	t, err := template.Parse(definition)
	if err != nil {
		return template.Created{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, other := range w.templates[a.MetaID] {
		if other.Name == t.Name {
			return template.Created{}, fault.New(fault.Conflict, "There is one already.")
		}
	}
	t.ID, t.Status = fmt.Sprint(len(w.templates[a.MetaID])+70), template.Pending
	w.templates[a.MetaID] = append(w.templates[a.MetaID], t)
	if w.lost > 0 {
		w.lost--
		return template.Created{}, fault.New(fault.Dependency, "no answer")
	}
	return template.Created{ID: t.ID, Status: t.Status, Category: t.Category}, nil
}

func (w *world) UpdateTemplate(_ context.Context, _ account.Access, id string, e template.Edit) error {
	return w.call("update %s %s %s", id, e.Category, e.Components)
}

func (w *world) DeleteTemplate(_ context.Context, _ account.Access, name, id string) error {
	return w.call("delete %s %s", name, id)
}

func (w *world) TemplateLibrary(_ context.Context, _ account.Access, q template.LibraryQuery) (template.LibraryPage, error) {
	return template.LibraryPage{After: "next"}, w.call("library %s", q.Search)
}

// store is the world's store: a type of its own because both have a method Templates.
type store struct{ *world }

func (s store) Templates(_ context.Context, key string) ([]template.Known, error) {
	return s.known[key], nil
}

func (s store) ListedTemplates(_ context.Context, key string, listed []template.Template, at time.Time) ([]template.Known, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	put, _, dearer := template.Merge(s.known[key], listed, at)
	for _, k := range put {
		replaced := false
		for i := range s.known[key] {
			if s.known[key][i].ID == k.ID {
				s.known[key][i], replaced = k, true
			}
		}
		if !replaced {
			s.known[key] = append(s.known[key], k)
		}
	}
	return dearer, nil
}

const hello = `{"id":"1","name":"hello","language":"en","status":"APPROVED","category":"UTILITY","components":[{"type":"BODY","text":"Dear {{1}}, hello to you."}]}`

func newCatalog(t *testing.T) (*world, *Catalog, *bytes.Buffer) {
	t.Helper()
	w := &world{templates: map[string][]template.Template{}, known: map[string][]template.Known{}}
	for key, list := range map[string][]string{
		waba:     {hello, strings.NewReplacer(`"1"`, `"2"`, `"en"`, `"de"`).Replace(hello), `{"id":"3","name":"bye","language":"en","status":"PAUSED","category":"MARKETING"}`},
		elsewhen: {`{"id":"9","name":"other","language":"en","status":"APPROVED"}`},
	} {
		for _, raw := range list {
			one, err := template.Parse([]byte(raw))
			if err != nil {
				t.Fatal(err)
			}
			w.templates[key] = append(w.templates[key], one)
		}
	}
	var log bytes.Buffer
	return w, New(Options{Reader: w, Writer: w, Library: w, Accounts: w, Store: store{w}, Lint: true, Now: time.Now,
		Logger: slog.New(slog.NewTextHandler(&log, nil))}), &log
}

func message(name, language, parameters string) []byte {
	return []byte(`{"messaging_product":"whatsapp","to":"+14255550150","type":"template","template":{"name":"` + name + `","language":{"code":"` + language +
		`"},"components":[{"type":"body","parameters":[` + parameters + `]}]}}`)
}

const ada = `{"type":"text","text":"Ada"}`

func TestCheckTemplate(t *testing.T) {
	t.Parallel()
	_, c, _ := newCatalog(t)
	for _, tc := range []struct {
		name string
		body []byte
		want string // of the only problem
	}{
		{"fits", message("hello", "en", ada), ""},
		{"too few", message("hello", "en", ""), "template.components[0].parameters: the body has 0 parameters"},
		{"not in this language", message("hello", "fr", ada), "it exists in de, en"},
		{"not there", message("nothing", "en", ""), `there is no template "nothing"`},
		{"of another business account", message("other", "en", ""), `there is no template "other"`},
		{"paused", message("bye", "en", ""), "is paused"},
	} {
		problems, err := c.CheckTemplate(t.Context(), owner, waba, tc.body)
		if err != nil || !strings.Contains(template.Tell(problems), tc.want) || (tc.want == "") != (len(problems) == 0) {
			t.Errorf("%s: %s, %v, want %s", tc.name, template.Tell(problems), err, tc.want)
		}
		if err := c.CheckSend(t.Context(), owner, waba, tc.body); (err != nil) != (tc.want != "") || err != nil && !fault.Is(err, fault.InvalidParameters) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	if _, err := c.CheckTemplate(t.Context(), "444455556666", waba, message("hello", "en", ada)); !fault.Is(err, fault.NotFound) {
		t.Errorf("another account: %v", err)
	}
}

// What is remembered is used for a while, renewed in the background, and forgotten at the first word of a change.
func TestMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, c, _ := newCatalog(t)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		check := func(what string, wantProblem bool, wantCalls ...string) {
			t.Helper()
			problems, err := c.CheckTemplate(ctx, owner, waba, message("hello", "en", ada))
			synctest.Wait()
			if err != nil || (len(problems) > 0) != wantProblem {
				t.Errorf("%s: %s, %v", what, template.Tell(problems), err)
			}
			if diff := cmp.Diff(wantCalls, w.told()); diff != "" {
				t.Errorf("%s: calls (-want +got):\n%s", what, diff)
			}
		}
		list := []string{"list ", "list next"}
		check("first", false, list...)
		check("again", false)
		time.Sleep(fresh + time.Second)
		check("stale: answered at once, renewed behind", false, list...)
		check("renewed", false)

		c.Changed([]template.Changed{{WABAKey: waba}})
		check("changed", false, list...)

		w.templates[waba][0].Status = template.Disabled
		check("not known yet", false)
		time.Sleep(fresh + time.Second)
		check("stale", false, list...)
		check("known now", true)
		w.templates[waba][0].Status = template.Approved
		time.Sleep(recheck)
		check("a refusal is looked at again", false, list...)

		w.broken = fault.New(fault.Dependency, "Meta is away")
		time.Sleep(fresh + time.Second)
		check("Meta is away", false, "list ")
		time.Sleep(useful)
		if _, err := c.CheckTemplate(ctx, owner, waba, message("hello", "en", ada)); !fault.Is(err, fault.Dependency) {
			t.Errorf("too old to use: %v", err)
		}
		if err := c.CheckSend(ctx, owner, waba, message("hello", "en", "")); err != nil {
			t.Errorf("a send is held up because Meta is away: %v", err)
		}
		if diff := cmp.Diff([]string{"list "}, w.told()); diff != "" {
			t.Errorf("Meta is asked too often while it is away (-want +got):\n%s", diff)
		}
		w.broken = nil
		time.Sleep(failedWait)
		check("Meta is back", false, list...)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// slow is a Meta that takes half a second to answer with what it knew when it was asked.
type slow struct{ *world }

func (s slow) Templates(ctx context.Context, a account.Access, q template.Query) (template.Page, error) {
	p, err := s.world.Templates(ctx, a, q)
	time.Sleep(500 * time.Millisecond)
	return p, err
}

// A template that came to be while the others were being listed is not refused for want of it.
func TestChangeWhileListing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, c, _ := newCatalog(t)
		c.Reader = slow{w}
		first := make(chan error)
		go func() { first <- c.CheckSend(t.Context(), owner, waba, message("hello", "en", ada)) }()
		time.Sleep(750 * time.Millisecond) // its second and last page has been asked for
		made, err := template.Parse([]byte(strings.NewReplacer(`"1"`, `"4"`, `"hello"`, `"new"`).Replace(hello)))
		if err != nil {
			t.Fatal(err)
		}
		w.mu.Lock()
		w.templates[waba] = append(w.templates[waba], made)
		w.mu.Unlock()
		c.Changed([]template.Changed{{WABAKey: waba}})
		if err := c.CheckSend(t.Context(), owner, waba, message("new", "en", ada)); err != nil {
			t.Error(err)
		}
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
}

// Many at once make one listing.
func TestMemoryAtOnce(t *testing.T) {
	t.Parallel()
	w, c, _ := newCatalog(t)
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if problems, err := c.CheckTemplate(t.Context(), owner, waba, message("hello", "en", ada)); err != nil || len(problems) > 0 {
				t.Errorf("%s, %v", template.Tell(problems), err)
			}
		})
	}
	group.Wait()
	if calls := w.told(); len(calls) != 2 {
		t.Errorf("calls: %v", calls)
	}
}

func TestCategory(t *testing.T) {
	t.Parallel()
	_, c, _ := newCatalog(t)
	for _, tc := range []struct{ waba, name, language, want string }{
		{waba, "hello", "en", "UTILITY"}, {waba, "bye", "en", "MARKETING"}, {waba, "bye", "de", ""}, {waba, "no", "en", ""}, {"cccc", "hello", "en", ""},
		{elsewhen, "other", "en", ""},
	} {
		got, ok := c.Category(t.Context(), tc.waba, tc.name, tc.language)
		if got != tc.want || ok != (tc.want != "") {
			t.Errorf("%v: %q, %v", tc, got, ok)
		}
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, c, log := newCatalog(t)
		states, err := c.States(t.Context(), owner, waba)
		if err != nil || len(states) != 3 || states[0].Category != template.Utility || states[0].PriceRise {
			t.Fatalf("states %+v, %v", states, err)
		}
		w.templates[waba][0].Category = template.Marketing
		time.Sleep(time.Hour)
		if states, err = c.States(t.Context(), owner, waba); err != nil || !states[0].PriceRise || states[0].Previous != template.Utility {
			t.Errorf("after the change: %+v, %v", states, err)
		}
		if text := log.String(); !strings.Contains(text, "cost more") || !strings.Contains(text, "previous_category=UTILITY") {
			t.Errorf("log %q", text)
		}
		w.broken = fault.New(fault.Dependency, "Meta is away")
		time.Sleep(time.Hour)
		if states, err = c.States(t.Context(), owner, waba); err != nil || len(states) != 3 {
			t.Errorf("while Meta is away: %+v, %v", states, err)
		}
		if _, err = c.States(t.Context(), "444455556666", waba); !fault.Is(err, fault.NotFound) {
			t.Errorf("another account: %v", err)
		}
	})
}

func TestChangedTellsOfPrices(t *testing.T) {
	t.Parallel()
	_, c, log := newCatalog(t)
	c.Changed([]template.Changed{{WABAKey: waba, PriceRise: true, Template: template.Known{Name: "hello", Category: template.Utility, Upcoming: template.Marketing}}})
	if text := log.String(); !strings.Contains(text, "upcoming_category=MARKETING") {
		t.Errorf("log %q", text)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	_, c, _ := newCatalog(t)
	problems, err := c.Validate(t.Context(), owner, waba, []byte(`{"id":"7","name":"hello","language":"en","category":"UTILITY","components":[{"type":"BODY","text":"{{1}} hello"}]}`))
	if err != nil || len(template.Certain(problems)) != 2 || !strings.Contains(template.Tell(problems), "already") || !strings.Contains(template.Tell(problems), "starts with a variable") {
		t.Errorf("%s, %v", template.Tell(problems), err)
	}
	if problems, err = c.Validate(t.Context(), owner, waba, []byte(`[`)); err != nil || len(problems) != 1 {
		t.Errorf("%s, %v", template.Tell(problems), err)
	}
}
