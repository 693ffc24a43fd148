package catalog

import (
	"context"
	"slices"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/template"
)

// CheckTemplate compares a template message with its template and returns what Meta would refuse: that it does not exist, cannot
// be sent now, or gets other parameters than it has. A problem is told only if a look of the last seconds shows it. The error
// says that the templates could not be read.
func (c *Catalog) CheckTemplate(ctx context.Context, accountID, wabaKey string, body []byte) ([]template.Problem, error) {
	l, err := c.recent(ctx, accountID, wabaKey)
	if err != nil {
		return nil, err
	}
	problems := l.check(body)
	if len(problems) == 0 || c.Now().Sub(l.at) < recheck {
		return problems, nil
	}
	if l, err = c.listing(ctx, accountID, wabaKey, recheck); err != nil {
		return nil, err
	}
	return l.check(body), nil
}

func (l *listing) check(body []byte) []template.Problem {
	name, language := template.Wanted(body)
	if t := l.find(name, language); t != nil {
		return template.CheckSend(t, body)
	}
	var others []string
	for _, t := range l.byName[name] {
		others = append(others, t.Language)
	}
	slices.Sort(others)
	return template.Missing(name, language, others)
}

// CheckSend refuses a template message that Meta would certainly refuse. When the templates cannot be read it lets everything
// pass: Meta will tell.
func (c *Catalog) CheckSend(ctx context.Context, accountID, wabaKey string, body []byte) error {
	problems, err := c.CheckTemplate(ctx, accountID, wabaKey, body)
	if err != nil {
		c.Logger.Warn("check a template message", "waba", wabaKey, "error", err)
		return nil
	}
	if problems = template.Certain(problems); len(problems) > 0 {
		return fault.New(fault.InvalidParameters, "The message does not fit its template: %s", template.Tell(problems))
	}
	return nil
}

// Category returns the category that a template has, as far as that can be told.
func (c *Catalog) Category(ctx context.Context, wabaKey, name, language string) (string, bool) {
	accountID, err := c.Store.Owner(ctx, wabaKey)
	if err != nil {
		return "", false
	}
	l, err := c.recent(ctx, accountID, wabaKey)
	if err != nil {
		return "", false
	}
	t := l.find(name, language)
	if t == nil || t.Category == "" {
		return "", false
	}
	return string(t.Category), true
}

// States returns what is known of a business account's templates, with what Meta says now if it can be asked.
func (c *Catalog) States(ctx context.Context, accountID, wabaKey string) ([]template.Known, error) {
	if _, err := c.listing(ctx, accountID, wabaKey, shown); err != nil && (!fault.Is(err, fault.Dependency) && !fault.Is(err, fault.Throttled)) {
		return nil, err
	}
	return c.Store.Templates(ctx, wabaKey)
}

// Validate returns everything that is wrong with a definition, or may be, without submitting it.
func (c *Catalog) Validate(ctx context.Context, accountID, wabaKey string, definition []byte) ([]template.Problem, error) {
	d := template.Define(definition)
	problems := template.Lint(d.JSON)
	if d.Name == "" {
		return problems, nil
	}
	l, err := c.listing(ctx, accountID, wabaKey, shown)
	if err != nil {
		return nil, err
	}
	if l.find(d.Name, d.Language) != nil {
		problems = append(problems, template.Taken(d.Name, d.Language))
	}
	if t, err := template.Parse(d.JSON); err == nil {
		problems = append(problems, template.Duplicate(&t, l.all())...)
	}
	return problems, nil
}
