package catalog

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/template"
)

// Create submits a definition for review. What Meta would certainly refuse is refused here, with all that is wrong. A call that
// is repeated with the same invocation id, as SDKs do when an answer got lost, makes one template.
func (c *Catalog) Create(ctx context.Context, access account.Access, definition []byte, invocation string) (template.Created, error) {
	d := template.Define(definition)
	if c.Lint {
		if err := refuse(template.Lint(d.JSON)); err != nil {
			return template.Created{}, err
		}
	}
	return c.create(ctx, access, d, invocation)
}

// CreateFromLibrary makes a template of one of Meta's library. The definition is in Meta's terms.
func (c *Catalog) CreateFromLibrary(ctx context.Context, access account.Access, definition []byte, invocation string) (template.Created, error) {
	return c.create(ctx, access, template.Define(definition), invocation)
}

func (c *Catalog) create(ctx context.Context, access account.Access, d template.Definition, invocation string) (template.Created, error) {
	if !json.Valid(d.JSON) {
		return template.Created{}, fault.New(fault.InvalidParameters, "The definition of the template is not JSON.")
	}
	key := ""
	if invocation != "" {
		key = access.WABAKey + "/" + invocation
	}
	earlier, repeated := c.attempts.begin(key, c.Now())
	if earlier.ID != "" {
		return earlier, nil
	}
	defer c.forget(access.WABAKey)
	created, err := c.Writer.CreateTemplate(ctx, access, d.JSON)
	if repeated && fault.Is(err, fault.Conflict) {
		// It is there because the first attempt made it.
		t, missing := c.Reader.TemplateNamed(ctx, access, template.Ref{Name: d.Name, Language: d.Language})
		if missing == nil {
			created, err = template.Created{ID: t.ID, Status: t.Status, Category: t.Category}, nil
		}
	}
	if err == nil {
		c.attempts.done(key, created)
	}
	return created, err
}

// refuse makes one fault of what is certainly wrong.
func refuse(problems []template.Problem) error {
	problems = template.Certain(problems)
	if len(problems) == 0 {
		return nil
	}
	return fault.New(fault.InvalidParameters, "Meta would refuse the template: %s", template.Tell(problems))
}

// Get reads a template by id, or by name and language. Templates of other business accounts that the same token opens are not
// found.
func (c *Catalog) Get(ctx context.Context, access account.Access, ref template.Ref) (template.Template, error) {
	if ref.ID == "" {
		return c.Reader.TemplateNamed(ctx, access, ref)
	}
	missing := fault.New(fault.NotFound, "The business account has no message template %s.", ref.ID)
	t, err := c.Reader.Template(ctx, access, ref.ID)
	if err != nil {
		return t, err
	}
	if !c.owns(access.WABAKey, ref.ID) {
		if _, err := c.Reader.TemplateNamed(ctx, access, template.Ref{ID: ref.ID, Name: t.Name}); fault.Is(err, fault.NotFound) {
			return template.Template{}, missing
		} else if err != nil {
			return template.Template{}, err
		}
	}
	if ref.Name != "" && ref.Name != t.Name || ref.Language != "" && ref.Language != t.Language {
		return template.Template{}, fault.New(fault.InvalidParameters, "The message template %s is another one: %s in %s.", ref.ID, t.Name, t.Language)
	}
	return t, nil
}

// owns reports whether a listing in memory shows that the template is the business account's.
func (c *Catalog) owns(wabaKey, id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.shelf(wabaKey).listing
	return l != nil && l.ids[id]
}

// List reads a page of templates in Meta's order. after is Meta's cursor.
func (c *Catalog) List(ctx context.Context, access account.Access, after string, limit int) (template.Page, error) {
	return c.Reader.Templates(ctx, access, template.Query{After: after, Limit: limit})
}

// Update changes a template. Meta reviews it again, and until then it cannot be sent.
func (c *Catalog) Update(ctx context.Context, access account.Access, ref template.Ref, e template.Edit) error {
	t, err := c.Get(ctx, access, ref)
	if err != nil {
		return err
	}
	if e.Components != nil {
		if e.Components = template.Components(e.Components); !json.Valid(e.Components) {
			return fault.New(fault.InvalidParameters, "The components of the template are not JSON.")
		}
	}
	if c.Lint && e.Components != nil {
		if e.Category != "" {
			t.Category = template.Category(e.Category)
		}
		if e.Format != "" {
			t.Format = e.Format
		}
		if err := refuse(template.LintEdit(&t, e.Components)); err != nil {
			return err
		}
	}
	defer c.forget(access.WABAKey)
	return c.Writer.UpdateTemplate(ctx, access, t.ID, e)
}

// Delete deletes one template, or with id "" the name in all languages.
func (c *Catalog) Delete(ctx context.Context, access account.Access, name, id string) error {
	defer c.forget(access.WABAKey)
	return c.Writer.DeleteTemplate(ctx, access, name, id)
}

// LibraryPage reads a page of Meta's library.
func (c *Catalog) LibraryPage(ctx context.Context, access account.Access, q template.LibraryQuery) (template.LibraryPage, error) {
	return c.Library.TemplateLibrary(ctx, access, q)
}

// attempts remember for a while which creations were asked for, so that a repetition is recognised. They do not outlive the
// process: Meta refuses a second template of the same name anyway.
type attempts struct {
	mu sync.Mutex
	m  map[string]attempt
}

type attempt struct {
	created template.Created // ID is "" while the outcome is not known
	at      time.Time
}

const (
	attemptLife = time.Hour
	maxAttempts = 10_000
)

// begin notes an attempt and returns what an earlier one came to, if there was one.
func (a *attempts) begin(key string, now time.Time) (created template.Created, repeated bool) {
	if key == "" {
		return template.Created{}, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if earlier, ok := a.m[key]; ok && now.Sub(earlier.at) < attemptLife {
		return earlier.created, true
	}
	if a.m == nil || len(a.m) >= maxAttempts {
		a.m = make(map[string]attempt)
	}
	a.m[key] = attempt{at: now}
	return template.Created{}, false
}

func (a *attempts) done(key string, created template.Created) {
	if key == "" {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if earlier, ok := a.m[key]; ok {
		earlier.created = created
		a.m[key] = earlier
	}
}
