// Package catalog knows the message templates of linked business accounts.
//
// Meta is the authority: what is read, listed, created, changed or deleted through a Catalog is asked of Meta each time. For the
// checks of messages, which come by the thousand, it remembers a business account's listing for a short while, and forgets it
// when a webhook or a call through here says that something changed. What listings and webhooks say about a template over time
// (pauses, quality, categories and what they cost) is kept by the store.
package catalog

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/template"
)

// Reader reads templates at Meta. Errors of all three interfaces to Meta are faults.
type Reader interface {
	// Template reads by id, whichever business account the template belongs to.
	Template(ctx context.Context, a account.Access, id string) (template.Template, error)
	// TemplateNamed finds the template of the business account with a name, and a language or an id.
	TemplateNamed(ctx context.Context, a account.Access, ref template.Ref) (template.Template, error)
	Templates(ctx context.Context, a account.Access, q template.Query) (template.Page, error)
}

// Writer changes templates at Meta.
type Writer interface {
	// CreateTemplate refuses a name that is taken in the language as a fault.Conflict.
	CreateTemplate(ctx context.Context, a account.Access, definition []byte) (template.Created, error)
	UpdateTemplate(ctx context.Context, a account.Access, id string, e template.Edit) error
	// DeleteTemplate deletes one template, or with id "" all of the name.
	DeleteTemplate(ctx context.Context, a account.Access, name, id string) error
}

// Library is Meta's library of templates.
type Library interface {
	TemplateLibrary(ctx context.Context, a account.Access, q template.LibraryQuery) (template.LibraryPage, error)
}

// Accounts tells how to act on a business account; a fault.NotFound is one that the account does not have.
type Accounts interface {
	Access(ctx context.Context, accountID, wabaKey string) (account.Access, error)
}

// Store keeps what is known about templates.
type Store interface {
	Templates(ctx context.Context, wabaKey string) ([]template.Known, error)
	// ListedTemplates stores a complete listing asked for at a time, and returns those whose messages became more expensive.
	ListedTemplates(ctx context.Context, wabaKey string, listed []template.Template, at time.Time) (dearer []template.Known, err error)
	// Owner returns the account that has linked a business account.
	Owner(ctx context.Context, wabaKey string) (accountID string, err error)
}

// Options are the parts of a Catalog. All are required.
type Options struct {
	Reader   Reader
	Writer   Writer
	Library  Library
	Accounts Accounts
	Store    Store
	Lint     bool // refuse what Meta would certainly refuse, before it is asked
	Now      func() time.Time
	Logger   *slog.Logger
}

// Catalog is safe for concurrent use.
type Catalog struct {
	Options
	mu      sync.Mutex
	shelves map[string]*shelf // by WABA key
	loads   singleflight.Group
	wanted  chan want
}

// New returns a Catalog; Run keeps its memory fresh.
func New(o Options) *Catalog {
	return &Catalog{Options: o, shelves: make(map[string]*shelf), wanted: make(chan want, 64)}
}

const (
	fresh       = time.Minute      // age at which a listing is read again, in the background
	useful      = 10 * time.Minute // age up to which it is used at all
	shown       = 10 * time.Second // age up to which it is shown to people; webhooks make most changes known sooner
	recheck     = 2 * time.Second  // age from which a refusal is not believed without another look
	failedWait  = 5 * time.Second  // between attempts to list when Meta does not answer
	listTimeout = time.Minute
	pageSize    = 200
	maxPages    = 100
	maxShelves  = 1000
)

// shelf is what is remembered of one business account.
type shelf struct {
	owner   string    // account that may see it
	listing *listing  // nil before the first
	changes int       // how often it was forgotten: a listing that began before the last time is not kept
	failed  time.Time // last attempt to list that failed
	err     error
}

// listing is a complete list of templates. It does not change.
type listing struct {
	at     time.Time // when it was asked for
	byName map[string][]*template.Template
	ids    map[string]bool
}

func (l *listing) find(name, language string) *template.Template {
	for _, t := range l.byName[name] {
		if t.Language == language {
			return t
		}
	}
	return nil
}

// all returns the templates by name.
func (l *listing) all() (list []*template.Template) {
	for _, name := range slices.Sorted(maps.Keys(l.byName)) {
		list = append(list, l.byName[name]...)
	}
	return list
}

// want asks Run for a fresh listing.
type want struct{ accountID, wabaKey string }

// Run refreshes listings that are in use until ctx ends. It returns nil.
func (c *Catalog) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case w := <-c.wanted:
			if _, err := c.listing(ctx, w.accountID, w.wabaKey, fresh); err != nil && ctx.Err() == nil {
				c.Logger.Warn("list templates", "waba", w.wabaKey, "error", err)
			}
		}
	}
}

// shelf returns the memory of a business account. It is called with mu held.
func (c *Catalog) shelf(wabaKey string) *shelf {
	s := c.shelves[wabaKey]
	if s == nil {
		if len(c.shelves) >= maxShelves {
			clear(c.shelves)
		}
		s = new(shelf)
		c.shelves[wabaKey] = s
	}
	return s
}

// kept returns what is remembered for an account.
func (c *Catalog) kept(accountID, wabaKey string) shelf {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := *c.shelf(wabaKey)
	if s.owner != accountID {
		return shelf{changes: s.changes}
	}
	return s
}

// listing returns a listing that is no older than age, or an older one that is still useful when Meta does not answer.
func (c *Catalog) listing(ctx context.Context, accountID, wabaKey string, age time.Duration) (*listing, error) {
	now := c.Now()
	seen := c.kept(accountID, wabaKey)
	kept := seen.listing
	if kept != nil && now.Sub(kept.at) >= useful {
		kept = nil
	}
	switch {
	case kept != nil && now.Sub(kept.at) < age:
		return kept, nil
	case now.Sub(seen.failed) < failedWait && kept != nil:
		return kept, nil
	case now.Sub(seen.failed) < failedWait:
		return nil, seen.err
	}
	// A listing that began before the last change may lack it: who comes after does not share it.
	loaded := c.loads.DoChan(accountID+"/"+wabaKey+"/"+strconv.Itoa(seen.changes), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), listTimeout)
		defer cancel()
		// Another load may have ended between the look at the memory and this one.
		switch now := c.kept(accountID, wabaKey); {
		case now.listing != nil && now.listing != seen.listing:
			return now.listing, nil
		case now.failed.After(seen.failed):
			return nil, now.err
		}
		return c.load(ctx, accountID, wabaKey)
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-loaded:
		if r.Err == nil {
			return r.Val.(*listing), nil
		}
		if kept != nil && !fault.Is(r.Err, fault.NotFound) {
			return kept, nil
		}
		return nil, r.Err
	}
}

// recent returns a listing that is useful, from memory if there is one, and has one that is not fresh renewed in the background.
func (c *Catalog) recent(ctx context.Context, accountID, wabaKey string) (*listing, error) {
	l, err := c.listing(ctx, accountID, wabaKey, useful)
	if err == nil && c.Now().Sub(l.at) >= fresh {
		select {
		case c.wanted <- want{accountID, wabaKey}:
		default: // there is enough to do
		}
	}
	return l, err
}

// load lists the templates of a business account, all of them, and remembers them.
func (c *Catalog) load(ctx context.Context, accountID, wabaKey string) (*listing, error) {
	c.mu.Lock()
	changes := c.shelf(wabaKey).changes
	c.mu.Unlock()
	l, err := c.list(ctx, accountID, wabaKey)
	c.mu.Lock()
	defer c.mu.Unlock()
	if fault.Is(err, fault.NotFound) {
		return nil, err // it is another account's, or nobody's
	}
	s := c.shelf(wabaKey)
	s.owner = accountID
	if err != nil {
		s.failed, s.err = c.Now(), err
		return nil, err
	}
	s.failed, s.err = time.Time{}, nil
	if s.changes == changes {
		s.listing = l
	}
	return l, nil
}

func (c *Catalog) list(ctx context.Context, accountID, wabaKey string) (*listing, error) {
	access, err := c.Accounts.Access(ctx, accountID, wabaKey)
	if err != nil {
		return nil, err
	}
	l := &listing{at: c.Now(), byName: make(map[string][]*template.Template), ids: make(map[string]bool)}
	var all []template.Template
	q := template.Query{Limit: pageSize}
	for range maxPages {
		page, err := c.Reader.Templates(ctx, access, q)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Templates...)
		if q.After = page.After; q.After == "" {
			break
		}
	}
	if q.After != "" {
		return nil, fault.New(fault.Dependency, "Meta's list of message templates does not end.")
	}
	for i := range all {
		t := &all[i]
		t.Raw = nil // only checks use it from here on
		l.byName[t.Name] = append(l.byName[t.Name], t)
		l.ids[t.ID] = true
	}
	dearer, err := c.Store.ListedTemplates(ctx, wabaKey, all, l.at)
	if err != nil {
		return nil, err
	}
	for i := range dearer {
		c.warnOfPrice(wabaKey, &dearer[i])
	}
	return l, nil
}

// forget makes the next check read a business account's templates again.
func (c *Catalog) forget(wabaKey string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.shelf(wabaKey)
	s.listing, s.failed = nil, time.Time{}
	s.changes++
}

// Changed takes notice of what webhooks said about templates.
func (c *Catalog) Changed(list []template.Changed) {
	for i := range list {
		c.forget(list[i].WABAKey)
		if list[i].PriceRise {
			c.warnOfPrice(list[i].WABAKey, &list[i].Template)
		}
	}
}

func (c *Catalog) warnOfPrice(wabaKey string, k *template.Known) {
	c.Logger.Warn("a template's category changed: its messages cost more", "waba", wabaKey, "template", k.Name, "language", k.Language,
		"category", string(k.Category), "previous_category", string(k.Previous), "upcoming_category", string(k.Upcoming))
}
