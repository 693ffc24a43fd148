package catalog

import (
	"context"
	"encoding/json"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/template"
)

// Create submits a definition for review. What Meta would certainly refuse is refused here, with all that is wrong. After an attempt
// whose outcome is not known, repeated says that the template may be there already: then it is the one that was to be made.
func (c *Catalog) Create(ctx context.Context, access account.Access, definition []byte, repeated bool) (template.Created, error) {
	d := template.Define(definition)
	if c.Lint {
		if err := refuse(template.Lint(d.JSON)); err != nil {
			return template.Created{}, err
		}
	}
	return c.create(ctx, access, d, repeated)
}

// CreateFromLibrary makes a template of one of Meta's library. The definition is in Meta's terms.
func (c *Catalog) CreateFromLibrary(ctx context.Context, access account.Access, definition []byte, repeated bool) (template.Created, error) {
	return c.create(ctx, access, template.Define(definition), repeated)
}

func (c *Catalog) create(ctx context.Context, access account.Access, d template.Definition, repeated bool) (template.Created, error) {
	if !json.Valid(d.JSON) {
		return template.Created{}, fault.New(fault.InvalidParameters, "The definition of the template is not JSON.")
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
