package template

import (
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// Known is what is kept about a template between listings: what Meta said last about each of its sides, and when. Webhooks come
// repeated and out of order, so each side remembers the time of what it holds, and older news changes nothing.
type Known struct {
	ID, Name, Language string
	Status             Status
	Reason             string    // of a rejection
	PausedUntil        time.Time // zero unless Status is Paused and Meta said for how long
	Quality            string
	Category           Category
	Previous           Category // before the last change; "" if none is known
	Upcoming           Category // announced; ""
	PriceRise          bool     // messages cost more since the last change of category, or will after the announced one
	StatusAt           time.Time
	QualityAt          time.Time
	CategoryAt         time.Time
}

// Update is what one webhook says about a template. Members that it does not speak of are empty.
type Update struct {
	ID, Name, Language string
	At                 time.Time
	Status             Status
	Deleted            bool
	Reason             string
	Pause              time.Duration // how long a pause lasts
	Quality            string
	Category           Category
	Previous           Category
	Upcoming           Category
}

// Meta's pauses for low quality: the first, the second; the third time a template is disabled.
const (
	firstPause  = 3 * time.Hour
	secondPause = 6 * time.Hour
)

// ParseUpdate reads the value of a webhook about a template; ok is false for other fields and for values that name no template.
// at is when Meta says it happened. Members of another form than Meta's say nothing, and the others are not lost for it.
func ParseUpdate(field string, raw []byte, at time.Time) (u Update, ok bool) {
	switch field {
	case "message_template_status_update", "message_template_quality_update", "message_template_components_update", "template_category_update":
	default:
		return Update{}, false
	}
	v, _ := rawjson.Parse(raw)
	for name, member := range v.Members() {
		text := strings.ToValidUTF8(member.Text(), "\ufffd")
		switch string(name) {
		case "message_template_id": // a number here, though a string in the API
			if u.ID = text; !member.IsObject() && !member.IsArray() && !member.IsString() {
				u.ID = string(member)
			}
		case "message_template_name":
			u.Name = text
		case "message_template_language":
			u.Language = NormalLanguage(text)
		case "new_quality_score":
			u.Quality = text
		case "previous_category":
			u.Previous = Category(text)
		case "new_category":
			u.Category = Category(text)
		case "correct_category":
			u.Upcoming = Category(text)
		}
	}
	u.At = at
	if field == "message_template_status_update" {
		u.event(v.Get("event").Text(), v.Get("other_info").Get("title").Text())
		if reason := v.Get("reason").Text(); reason != "NONE" {
			u.Reason = reason
		}
	}
	return u, u.ID != ""
}

// event translates the word of a status webhook into the status the template then has.
func (u *Update) event(event, title string) {
	switch event {
	case "REINSTATED", "UNARCHIVED":
		u.Status = Approved
	case "DELETED":
		u.Deleted = true
	default:
		u.Status = Status(event)
	}
	if u.Status == Paused {
		switch title {
		case "FIRST_PAUSE":
			u.Pause = firstPause
		case "SECOND_PAUSE":
			u.Pause = secondPause
		}
	}
}

// Apply returns what is known after an update, and whether that differs.
func (k Known) Apply(u Update) (after Known, changed bool) {
	before := k
	k.ID, k.Name, k.Language = u.ID, or(k.Name, u.Name), or(k.Language, u.Language)
	if u.Status != "" && !u.At.Before(k.StatusAt) {
		k.Status, k.Reason, k.StatusAt, k.PausedUntil = u.Status, u.Reason, u.At, time.Time{}
		if u.Pause > 0 {
			k.PausedUntil = u.At.Add(u.Pause)
		}
	} else if u.Status == k.Status && k.Status != "" {
		k.explain(u) // a listing has told the status already, and listings do not say why, or for how long
	}
	if u.Quality != "" && !u.At.Before(k.QualityAt) {
		k.Quality, k.QualityAt = u.Quality, u.At
	}
	if u.Category != "" && !u.At.Before(k.CategoryAt) {
		k.recategorise(u.Category, u.Previous, u.Upcoming)
		k.CategoryAt = u.At
	}
	return k, k != before
}

// explain adds what an update of the status that is known already says about it.
func (k *Known) explain(u Update) {
	if until := u.At.Add(u.Pause); u.Pause > 0 && k.PausedUntil.IsZero() && until.After(k.StatusAt) {
		k.PausedUntil = until
	}
	k.Reason = or(k.Reason, u.Reason)
}

func or[T ~string](a, b T) T {
	if a == "" {
		return b
	}
	return a
}

// recategorise notes the category a template has now, which one it had, as far as somebody says, and which one it will have.
func (k *Known) recategorise(now, previous, upcoming Category) {
	if previous == "" && k.Category != now {
		previous = k.Category
	}
	if upcoming == now {
		upcoming = ""
	}
	if previous != "" && previous != now {
		k.Previous = previous
	}
	k.Category, k.Upcoming = now, upcoming
	k.PriceRise = PriceRises(k.Previous, now) || PriceRises(now, upcoming)
}

// see returns what is known after a template was listed at a time.
func (k Known) see(t *Template, at time.Time) Known {
	k.ID, k.Name, k.Language = t.ID, t.Name, t.Language
	if t.Status != "" && at.After(k.StatusAt) {
		if k.Status != t.Status {
			k.PausedUntil = time.Time{}
		}
		k.Status, k.StatusAt, k.Reason = t.Status, at, ""
		if t.Reason != "NONE" {
			k.Reason = t.Reason
		}
	}
	if t.Quality != "" && at.After(k.QualityAt) {
		k.Quality, k.QualityAt = t.Quality, at
	}
	if t.Category != "" && at.After(k.CategoryAt) {
		k.recategorise(t.Category, t.Previous, t.Upcoming)
		k.CategoryAt = at
	}
	return k
}

// Merge returns what a complete listing, asked for at a time, adds to what was known: what to write, and the ids to forget
// because Meta does not list them any more. dearer are those of put whose messages became more expensive since.
func Merge(known []Known, listed []Template, at time.Time) (put []Known, drop []string, dearer []Known) {
	at = at.Truncate(time.Second) // webhooks tell no more of a time: news of this second may be newer than the listing
	byID := make(map[string]Known, len(known))
	for _, k := range known {
		byID[k.ID] = k
	}
	for i := range listed {
		t := &listed[i]
		if t.ID == "" {
			continue
		}
		before := byID[t.ID]
		if after := before.see(t, at); !after.same(before) {
			put = append(put, after)
			if after.PriceRise && !before.PriceRise && before.ID != "" {
				dearer = append(dearer, after)
			}
		}
		delete(byID, t.ID)
	}
	for _, k := range known {
		if _, gone := byID[k.ID]; gone && at.After(k.StatusAt) {
			drop = append(drop, k.ID)
		}
	}
	return put, drop, dearer
}

// same reports whether two states differ in no more than when they were confirmed.
func (k Known) same(other Known) bool {
	other.StatusAt, other.QualityAt, other.CategoryAt = k.StatusAt, k.QualityAt, k.CategoryAt
	return k == other
}

// Changed is an update that taught us something, for whoever reacts to it.
type Changed struct {
	AccountID string
	WABAKey   string
	Template  Known
	Deleted   bool
	PriceRise bool // messages became, or will become, more expensive by it
}
