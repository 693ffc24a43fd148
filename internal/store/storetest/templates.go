package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/template"
)

// TemplateStore keeps what is known about message templates.
type TemplateStore interface {
	Templates(ctx context.Context, wabaKey string) ([]template.Known, error)
	ListedTemplates(ctx context.Context, wabaKey string, listed []template.Template, at time.Time) (dearer []template.Known, err error)
	Owner(ctx context.Context, wabaKey string) (accountID string, err error)
}

// templateWebhook is a webhook about a template.
func (w *world) templateWebhook(t *testing.T, key string, u template.Update) event.Applied {
	t.Helper()
	return w.receive(t, event.Change{Kind: event.OtherChange, WABAMetaID: w.waba.MetaID, Field: "message_template_status_update", Key: []byte(key),
		Template: &u, Entry: []byte("{}"), EventID: key})
}

func templatesListed(t *testing.T, w *world) {
	list := []template.Template{{ID: "1", Name: "b", Language: "en", Status: template.Approved, Category: template.Utility, Quality: "GREEN"},
		{ID: "2", Name: "a", Language: "en", Status: template.Rejected, Reason: "SCAM", Category: template.Marketing}}
	dearer, err := w.ListedTemplates(w.ctx, w.waba.Key, list, w.now)
	must(t, err)
	want := []template.Known{
		{ID: "2", Name: "a", Language: "en", Status: template.Rejected, Reason: "SCAM", Category: template.Marketing, StatusAt: w.now, CategoryAt: w.now},
		{ID: "1", Name: "b", Language: "en", Status: template.Approved, Category: template.Utility, Quality: "GREEN", StatusAt: w.now, QualityAt: w.now,
			CategoryAt: w.now}}
	w.knows(t, want)
	if len(dearer) != 0 {
		t.Errorf("dearer: %+v", dearer)
	}
	// An hour later one is gone, and the other costs more.
	later := w.now.Add(time.Hour)
	list[0].Category = template.Marketing
	dearer, err = w.ListedTemplates(w.ctx, w.waba.Key, list[:1], later)
	must(t, err)
	want = want[1:]
	want[0].Category, want[0].Previous, want[0].PriceRise = template.Marketing, template.Utility, true
	want[0].StatusAt, want[0].QualityAt, want[0].CategoryAt = later, later, later
	w.knows(t, want)
	if diff := cmp.Diff(want, dearer); diff != "" {
		t.Errorf("dearer (-want +got):\n%s", diff)
	}
	_, err = w.ListedTemplates(w.ctx, "nobody", list, later)
	must(t, err)
	if owner, err := w.Owner(w.ctx, w.waba.Key); err != nil || owner != w.waba.AccountID {
		t.Errorf("owner %q, %v", owner, err)
	}
	if owner, err := w.Owner(w.ctx, "nobody"); !fault.Is(err, fault.NotFound) {
		t.Errorf("owner of nothing: %q, %v", owner, err)
	}
	if known, err := w.Templates(w.ctx, "nobody"); err != nil || len(known) != 0 {
		t.Errorf("templates of a business account that is not linked: %+v, %v", known, err)
	}
}

func (w *world) knows(t *testing.T, want []template.Known) {
	t.Helper()
	got, err := w.Templates(w.ctx, w.waba.Key)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("templates (-want +got):\n%s", diff)
	}
}

func templatesTold(t *testing.T, w *world) {
	paused := template.Update{ID: "1", Name: "b", Language: "en", At: w.now, Status: template.Paused, Pause: 3 * time.Hour}
	res := w.templateWebhook(t, "one", paused)
	want := template.Known{ID: "1", Name: "b", Language: "en", Status: template.Paused, PausedUntil: w.now.Add(3 * time.Hour), StatusAt: w.now}
	w.knows(t, []template.Known{want})
	if diff := cmp.Diff([]template.Changed{{AccountID: w.waba.AccountID, WABAKey: w.waba.Key, Template: want}}, res.Templates); diff != "" || res.Events != 1 {
		t.Errorf("%d events, changed (-want +got):\n%s", res.Events, diff)
	}
	w.templateWebhook(t, "late", template.Update{ID: "1", At: w.now.Add(-time.Minute), Status: template.Approved})
	w.knows(t, []template.Known{want})

	at := w.now.Add(time.Minute)
	res = w.templateWebhook(t, "dearer", template.Update{ID: "1", At: at, Category: template.Marketing, Previous: template.Utility})
	want.Category, want.Previous, want.PriceRise, want.CategoryAt = template.Marketing, template.Utility, true, at
	w.knows(t, []template.Known{want})
	if len(res.Templates) != 1 || !res.Templates[0].PriceRise {
		t.Errorf("the rise is not told: %+v", res.Templates)
	}
	if res = w.templateWebhook(t, "again", template.Update{ID: "1", At: at, Category: template.Marketing, Previous: template.Utility}); len(res.Templates) != 1 || res.Templates[0].PriceRise {
		t.Errorf("the rise is told twice: %+v", res.Templates)
	}
	// A listing that began before the news does not undo it.
	_, err := w.ListedTemplates(w.ctx, w.waba.Key, []template.Template{{ID: "1", Name: "b", Language: "en", Status: template.Approved, Category: template.Utility}}, w.now)
	must(t, err)
	w.knows(t, []template.Known{want})

	if res = w.templateWebhook(t, "gone", template.Update{ID: "1", Name: "b", Language: "en", At: at, Deleted: true}); len(res.Templates) != 1 || !res.Templates[0].Deleted {
		t.Errorf("the deletion is not told: %+v", res.Templates)
	}
	w.knows(t, nil)
	w.templateWebhook(t, "new", paused)
	must(t, w.Unlink(w.ctx, w.waba.AccountID, w.waba.Key, w.now))
	w.knows(t, nil)
}
