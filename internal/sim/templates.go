package sim

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/content"
	"github.com/waxwing-messaging/waxwing/internal/sim/definition"
	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// nameLock is how long the name of a deleted template that had been approved stays taken in its language.
const nameLock = 30 * 24 * time.Hour

// template is a message template. An edit puts another value in its place, so that messages keep the one they were sent with;
// what is to happen later therefore looks it up by id.
type template struct {
	Template
	account  *account
	compiled *content.Template
	life
}

// shelf is what an account remembers of templates besides those it has.
type shelf struct {
	locks   map[string]int64 // end of a name's lock, by name and language
	created []int64          // creations within the last hour
}

func lockKey(name, language string) string { return name + "\n" + language }

// addTemplate files a template. One that cannot be read is a mistake of the program that made the world.
func (st *state) addTemplate(a *account, w Template, d *definition.Definition) *template {
	t := &template{Template: w, account: a, life: life{quality: "UNKNOWN", rejected: "NONE", def: d}}
	if d == nil {
		t.def = &definition.Definition{Name: w.Name, Language: w.Language, Category: w.Category, Format: w.Format}
		if err := json.Unmarshal(w.Components, &t.def.Components); err != nil {
			panic("sim: template " + w.Name + ": " + err.Error())
		}
	}
	t.compile()
	a.templates = append(a.templates, t)
	st.templates[w.ID] = t
	return t
}

// compile makes the form that sends are checked against.
func (t *template) compile() {
	var err error
	if t.compiled, err = content.Compile(t.Components, t.Format == definition.Named); err != nil {
		panic("sim: template " + t.Name + ": " + err.Error())
	}
	t.compiled.Types, t.compiled.Code = t.def.Types, t.Category == definition.Authentication
}

// remove takes a template away and, if its name is to stay taken, locks it.
func (st *state) remove(t *template, lockedUntil int64) {
	delete(st.templates, t.ID)
	t.account.templates = slices.DeleteFunc(t.account.templates, func(o *template) bool { return o == t })
	if lockedUntil > 0 {
		if t.account.locks == nil {
			t.account.locks = map[string]int64{}
		}
		t.account.locks[lockKey(t.Name, t.Language)] = lockedUntil
	}
}

type createReply struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Category string `json:"category"`
}

// createTemplate is POST /{account}/message_templates.
func createTemplate(s *Sim, c *call) (any, *graph.Error) {
	if c.malformed != nil {
		return nil, c.malformed
	}
	var d *definition.Definition
	var err *graph.Error
	if name, _ := c.params.String("library_template_name"); name != "" {
		d, err = definition.FromLibrary(c.params)
	} else {
		d, err = definition.Parse(c.params, s.rules(c.account))
	}
	if err != nil {
		return nil, err
	}
	t, err := s.create(c.account, d, c.now)
	if err != nil {
		return nil, err
	}
	return createReply{t.ID, t.Status, t.Category}, nil
}

func (s *Sim) rules(a *account) definition.Options {
	o := definition.Options{Examples: s.st.settings.RequireExamples, Flow: func(id, name string) (string, bool) {
		f := a.flow(id, name)
		if f == nil {
			return "", false
		}
		return f.id, true
	}}
	if s.st.settings.RequireUploads {
		o.Uploaded = func(handle string) bool { return s.st.media.sample(handle) != nil }
	}
	return o
}

// create files a definition unless the account has no room for it, and hands it to review. What comes from the library is approved
// at once.
func (s *Sim) create(a *account, d *definition.Definition, now int64) (*template, *graph.Error) {
	if err := s.admit(a, d, now); err != nil {
		return nil, err
	}
	w := Template{ID: s.st.ids.digits(), Name: d.Name, Language: d.Language, Category: d.Category, Status: statusPending, Format: d.Format}
	s.showSamples(w.ID, d)
	w.Components = d.JSON()
	t := s.st.addTemplate(a, w, d)
	a.created = append(a.created, now)
	s.tellComponents(t)
	if d.Library != "" {
		s.become(t, statusApproved, change{event: statusApproved})
	} else {
		s.submit(t, now)
	}
	return t, nil
}

// showSamples puts the address of Meta's content network in the place of a sample's handle.
func (s *Sim) showSamples(id string, d *definition.Definition) {
	d.ShowSamples(func(handle string) string {
		sum := strconv.FormatUint(hash64(id, handle), 36)
		return "https://scontent.whatsapp.net/v/t61.29466-34/" + id + "_" + sum + "_n?ccb=1-7&_nc_sid=8b1bef&oh=01_" + sum + "&oe=0"
	})
}

// admit checks name, room and rate, in this order.
func (s *Sim) admit(a *account, d *definition.Definition, now int64) *graph.Error {
	set := &s.st.settings
	a.created = slices.DeleteFunc(a.created, func(at int64) bool { return now-at >= int64(time.Hour) })
	switch {
	case a.template(d.Name, d.Language) != nil:
		return definition.Refuse(definition.Exists, "There is already content in the language %s for the template %s. Create another template, or edit this one.",
			d.Language, d.Name)
	case a.locks[lockKey(d.Name, d.Language)] > now:
		return definition.Refuse(definition.BeingDeleted, "The content in the language %s of the template %s is being deleted. "+
			"Use another name, or try again in 4 weeks.", d.Language, d.Name)
	case set.TemplateLimit > 0 && len(a.templates) >= set.TemplateLimit:
		return definition.Refuse(definition.LimitReached, "This WhatsApp Business account has %d templates, as many as it may have.", len(a.templates))
	case set.TemplateRate > 0 && len(a.created) >= set.TemplateRate:
		return graph.Fail(80007, "There have been too many templates created for this WhatsApp Business account within an hour.")
	}
	return nil
}

// editTemplate is POST /{template}: other components, category or settings. The template goes back to review.
func editTemplate(s *Sim, c *call) (any, *graph.Error) {
	if c.malformed != nil {
		return nil, c.malformed
	}
	t := c.template
	if !slices.Contains([]string{statusApproved, statusRejected, statusPaused}, t.Status) {
		return nil, definition.Refuse(definition.Unchangeable, "A template can be edited when it is approved, rejected or paused; this one is %s.", t.Status)
	}
	given := false
	for _, key := range []string{"components", "category", "message_send_ttl_seconds", "cta_url_link_tracking_opted_out", "parameter_format"} {
		given = given || c.params[key] != nil
	}
	if !given {
		return nil, graph.Param("At least one of components, category and message_send_ttl_seconds is required.")
	}
	edited, err := s.edit(t, c.params, c.now)
	if err != nil {
		return nil, err
	}
	return object{"success": true, "id": edited.ID, "name": edited.Name, "category": edited.Category}, nil
}

// Quotas of edits of an approved template.
const (
	editsPerDay   = 1
	editsPerMonth = 10
)

// edit replaces a template by its edited form and hands that to review.
func (s *Sim) edit(t *template, p graph.Params, now int64) (*template, *graph.Error) {
	if category, _ := p.String("category"); category != "" && t.Status == statusApproved && !strings.EqualFold(category, t.Category) {
		return nil, definition.Refuse(definition.Unchangeable, "The category of an approved template can't be changed.")
	}
	day, month := now-int64(s.scaled(24*time.Hour)), now-int64(s.scaled(30*24*time.Hour))
	recent := slices.DeleteFunc(slices.Clone(t.edits), func(at int64) bool { return at <= month })
	today := 0
	for _, at := range recent {
		if at > day {
			today++
		}
	}
	if t.Status == statusApproved && (today >= editsPerDay || len(recent) >= editsPerMonth) {
		return nil, definition.Refuse(definition.Unchangeable, "An approved template can be edited once in 24 hours and 10 times in 30 days.")
	}
	rules := s.rules(t.account)
	rules.Shown = func(address string) bool {
		return strings.HasPrefix(address, "https://") && strings.Contains(string(t.Components), address)
	}
	d, err := t.def.Edit(p, rules)
	if err != nil {
		return nil, err
	}
	edited := *t
	if t.Status == statusApproved {
		edited.edits = append(recent, now)
	}
	s.showSamples(t.ID, d)
	edited.def, edited.Category, edited.Format, edited.Components = d, d.Category, d.Format, d.JSON()
	edited.rejected, edited.correct = "NONE", ""
	edited.compile()
	s.st.templates[t.ID] = &edited
	edited.account.templates[slices.Index(edited.account.templates, t)] = &edited
	s.tellComponents(&edited)
	if edited.Status == statusApproved {
		s.tellStatus(&edited, change{event: statusPending})
	}
	s.submit(&edited, now)
	return &edited, nil
}

// deleteTemplates is DELETE /{account}/message_templates: a name in all its languages, one id of a name, or a list of ids.
func deleteTemplates(s *Sim, c *call) (any, *graph.Error) {
	if c.malformed != nil {
		return nil, c.malformed
	}
	victims, err := c.victims()
	if err != nil {
		return nil, err
	}
	for _, t := range victims {
		if t.Status == statusDisabled {
			return nil, definition.Refuse(definition.Unchangeable, "A disabled template can't be deleted.")
		}
	}
	for _, t := range victims {
		s.discard(t, c.now)
	}
	return success, nil
}

// maxIDs is how many templates one call may delete by id.
const maxIDs = 100

func (c *call) victims() (list []*template, err *graph.Error) {
	name, _ := c.params.String("name")
	id, _ := c.params.String("hsm_id")
	pick := func(ok func(t *template) bool) {
		for _, t := range c.account.templates {
			if ok(t) {
				list = append(list, t)
			}
		}
	}
	ids := idList(c.params["hsm_ids"])
	switch {
	case len(ids) > maxIDs:
		return nil, graph.Param("Param hsm_ids must have at most %d elements.", maxIDs)
	case len(ids) > 0:
		pick(func(t *template) bool { return slices.Contains(ids, t.ID) })
		if len(list) < len(ids) {
			return nil, definition.Refuse(definition.NotFound, "Not all of these templates exist.")
		}
	case name == "":
		return nil, graph.Param("The parameter name is required.")
	default:
		pick(func(t *template) bool { return t.Name == name && (id == "" || t.ID == id) })
		if len(list) == 0 {
			return nil, definition.Refuse(definition.NotFound, "There is no template %s %s in this WhatsApp Business account.", name, id)
		}
	}
	return list, nil
}

// idList reads a list of ids: a JSON array, or words between commas.
func idList(v any) (ids []string) {
	list, ok := v.([]any)
	if text, isText := graph.Scalar(v); !ok && isText && text != "" {
		for word := range strings.SplitSeq(text, ",") {
			list = append(list, strings.TrimSpace(word))
		}
	}
	for _, v := range list {
		if id, _ := graph.Scalar(v); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// discard deletes a template. One that was approved may still be on its way to customers: its name stays taken meanwhile.
func (s *Sim) discard(t *template, now int64) {
	if t.Status != statusApproved && t.Status != statusPaused {
		s.st.remove(t, 0)
		s.tellStatus(t, change{event: eventDeleted})
		return
	}
	until := now + int64(s.scaled(nameLock))
	s.st.remove(t, until)
	s.tellStatus(t, change{event: eventPendingDeletion})
	s.at(until, timer{then: func(int64) { s.tellStatus(t, change{event: eventDeleted}) }})
}

// upsertTemplates is POST /{account}/upsert_message_templates: an authentication template in several languages at once.
func upsertTemplates(s *Sim, c *call) (any, *graph.Error) {
	if c.malformed != nil {
		return nil, c.malformed
	}
	if category, _ := c.params.String("category"); !strings.EqualFold(category, definition.Authentication) {
		return nil, graph.Param("Param category must be one of {AUTHENTICATION} - got \"%s\".", category)
	}
	languages := idList(c.params["languages"])
	if len(languages) == 0 {
		return nil, graph.Param("The parameter languages is required.")
	}
	data := []object{}
	for _, language := range languages {
		p := graph.Params{}
		for key, v := range c.params {
			p[key] = v
		}
		p["language"] = language
		d, err := definition.Parse(p, s.rules(c.account))
		if err != nil {
			return nil, err
		}
		t := c.account.template(d.Name, language)
		if t == nil {
			t, err = s.create(c.account, d, c.now)
		} else if slices.Contains([]string{statusApproved, statusRejected, statusPaused}, t.Status) {
			t, err = s.edit(t, p, c.now)
		} else {
			err = definition.Refuse(definition.Unchangeable, "The template %s in the language %s is %s.", t.Name, language, t.Status)
		}
		if err != nil {
			return nil, err
		}
		data = append(data, object{"id": t.ID, "status": t.Status, "language": language})
	}
	return object{"data": data}, nil
}
