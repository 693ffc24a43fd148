package sim

import (
	"encoding/json"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/definition"
	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// Statuses of a template, and events about it that are no status.
const (
	statusPending  = "PENDING"
	statusApproved = "APPROVED"
	statusRejected = "REJECTED"
	statusPaused   = "PAUSED"
	statusDisabled = "DISABLED"

	eventPendingDeletion = "PENDING_DELETION"
	eventDeleted         = "DELETED"
)

// Times of a template's life; the setting time_scale shortens them.
const (
	firstPause     = 3 * time.Hour
	secondPause    = 6 * time.Hour
	categoryNotice = 24 * time.Hour
	pacedFor       = 7 * 24 * time.Hour // how long a utility template is paced after a pause
)

// life is what becomes of a template.
type life struct {
	def      *definition.Definition
	quality  string // GREEN, YELLOW, RED, UNKNOWN
	rated    int64  // unix nanoseconds; 0 is never
	rejected string // rejected_reason
	previous string // category before Meta changed it
	correct  string // category that Meta has announced
	pauses   int    // for low quality
	byPacing bool   // paused while its messages were held: only unpause ends it
	resumed  int64  // end of the latest pause
	edits    []int64
	turn     uint64 // counts changes of status: what was planned before the latest does not happen
	wave     wave
}

// wave is the pacing of a new or resumed template: a sample of messages goes out, the next ones wait for what users make of it.
type wave struct {
	sent    int
	release int64 // of the held ones; 0 while there are none
	over    bool
}

// scaled is a time of a template's life at the speed of the setting.
func (s *Sim) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / s.st.settings.TimeScale)
}

// later plans something for a template: it does not happen if the template is deleted, or its status changes, before.
func (s *Sim) later(t *template, due int64, do func(t *template, now int64)) {
	id, turn := t.ID, t.turn
	s.at(due, timer{then: func(now int64) {
		if t := s.st.templates[id]; t != nil && t.turn == turn {
			do(t, now)
		}
	}})
}

// change is what a webhook tells about a change of status.
type change struct {
	event       string
	reason      string // "" is NONE
	title, text string // other_info
	disabled    bool   // adds disable_info
}

// become puts a template into a status and tells the app.
func (s *Sim) become(t *template, status string, c change) {
	t.Status = status
	t.turn++
	if status == statusApproved {
		t.rejected, t.wave = "NONE", wave{}
	}
	s.tellStatus(t, c)
}

// submit hands a template to review, which decides by itself unless the setting leaves that to the control API.
func (s *Sim) submit(t *template, now int64) {
	t.Status = statusPending
	t.turn++
	set := &s.st.settings
	if !set.AutoApprove {
		return
	}
	s.later(t, now+set.ReviewMS*int64(time.Millisecond), func(t *template, _ int64) {
		if set := &s.st.settings; set.RejectDuplicates && t.duplicate() {
			s.reject(t, "INVALID_FORMAT")
			return
		}
		s.become(t, statusApproved, change{event: statusApproved})
	})
}

func (s *Sim) reject(t *template, reason string) {
	t.rejected = reason
	s.become(t, statusRejected, change{event: statusRejected, reason: reason})
}

// duplicate reports whether another template of the account says the same.
func (t *template) duplicate() bool {
	for _, o := range t.account.templates {
		if o != t && o.Language == t.Language && t.Category != definition.Authentication && o.Status != statusRejected &&
			o.compiled.Body == t.compiled.Body && o.compiled.Footer == t.compiled.Footer {
			return true
		}
	}
	return false
}

// rate gives a template a quality. Low quality pauses it for a while, the third time for good.
func (s *Sim) rate(t *template, score string, now int64) {
	if score != t.quality {
		s.announce(t.account, "message_template_quality_update", qualityUpdate{t.quality, score, t.number(), t.Name, t.Language}, time.Unix(0, now))
	}
	t.quality, t.rated = score, now
	if score != "RED" || t.Status != statusApproved {
		return
	}
	if t.wave.release > 0 && !t.wave.over {
		t.byPacing = true
		s.become(t, statusPaused, change{event: statusPaused, title: "RATE_LIMITING_PAUSE", text: "Paused while its messages were held, because of early feedback"})
		return
	}
	t.pauses++
	switch t.pauses {
	case 1:
		s.pause(t, firstPause, change{event: statusPaused, title: "FIRST_PAUSE", text: "Paused for 3 hours because of low quality"}, now)
	case 2:
		s.pause(t, secondPause, change{event: statusPaused, title: "SECOND_PAUSE", text: "Paused for 6 hours because of low quality"}, now)
	default:
		s.become(t, statusDisabled, change{event: statusDisabled, title: "DISABLED", text: "Disabled because of low quality", disabled: true})
	}
}

func (s *Sim) pause(t *template, d time.Duration, c change, now int64) {
	s.become(t, statusPaused, c)
	s.later(t, now+int64(s.scaled(d)), func(t *template, now int64) { s.resume(t, now) })
}

// resume ends a pause. The quality starts over.
func (s *Sim) resume(t *template, now int64) {
	t.quality, t.rated, t.byPacing, t.resumed = "UNKNOWN", 0, false, now
	s.become(t, statusApproved, change{event: statusApproved, title: "UNPAUSE", text: "The pause is over"})
}

type unpauseReply struct {
	Success bool   `json:"success"`
	Reason  string `json:"reason,omitempty"`
}

// unpauseTemplate is POST /{template}/unpause. Only a pause by pacing ends this way; the others end by themselves.
func unpauseTemplate(s *Sim, c *call) (any, *graph.Error) {
	switch t := c.template; {
	case t.Status != statusPaused:
		return unpauseReply{Reason: "The template is not paused."}, nil
	case !t.byPacing:
		return unpauseReply{Reason: "The template was paused for low quality. It is unpaused when the pause is over."}, nil
	default:
		s.resume(t, c.now)
	}
	return unpauseReply{Success: true}, nil
}

// reclassify gives a template another category, after a notice unless there is none.
func (s *Sim) reclassify(t *template, category string, notice time.Duration, now int64) {
	if notice <= 0 {
		s.move(t, category, now)
		return
	}
	due := now + int64(notice)
	t.correct = category
	s.announce(t.account, "template_category_update", categoryUpdate{ID: t.number(), Name: t.Name, Language: t.Language,
		Correct: category, New: t.Category, At: due / int64(time.Second)}, time.Unix(0, now))
	id := t.ID
	s.at(due, timer{then: func(now int64) {
		if t := s.st.templates[id]; t != nil && t.correct == category {
			s.move(t, category, now)
		}
	}})
}

func (s *Sim) move(t *template, category string, now int64) {
	t.previous, t.Category, t.correct = t.Category, category, ""
	t.def.Category = category
	s.announce(t.account, "template_category_update", categoryUpdate{ID: t.number(), Name: t.Name, Language: t.Language,
		Previous: t.previous, New: category}, time.Unix(0, now))
}

// hold reports whether a message of the template waits for the quality assessment, and until when.
func (s *Sim) hold(t *template, now int64) (until int64, held bool) {
	set, w := &s.st.settings, &t.wave
	paced := t.Category == definition.Marketing ||
		t.Category == definition.Utility && t.resumed > 0 && now-t.resumed < int64(s.scaled(pacedFor))
	if set.PacingSample == 0 || set.HeldMS < 0 || w.over || !paced {
		return 0, false
	}
	if w.sent < set.PacingSample {
		w.sent++
		return 0, false
	}
	if w.release == 0 {
		w.release = set.HeldMS.after(now)
		s.later(t, w.release, func(t *template, _ int64) { t.wave.over = true })
	}
	return w.release, true
}

// assessed is what a held message fails with when its time has come: nothing, unless its template was stopped meanwhile.
func (s *Sim) assessed(m *message) (code int, details string) {
	if t := s.st.templates[m.template.ID]; t != nil && (t.Status == statusPaused || t.Status == statusDisabled) {
		return 132015, "The template was paused while this message was held for quality assessment."
	}
	return 0, ""
}

// lifetime is how long WhatsApp tries to deliver a message of the template; 0 is as long as any. A marketing template's own
// time only counts for the Marketing Messages API.
func (t *template) lifetime(marketingAPI bool) time.Duration {
	ttl := t.def.TTL
	switch {
	case t.Category == definition.Authentication && ttl == 0:
		return 10 * time.Minute
	case ttl < 0 || t.Category == definition.Marketing && !marketingAPI:
		return 0
	}
	return time.Duration(ttl) * time.Second
}

func (t *template) number() json.Number { return json.Number(t.ID) }

// expired reports whether a message was not delivered in its template's time.
func (m *message) expired(now int64) bool {
	if m.template == nil {
		return false
	}
	life := m.template.lifetime(m.price.category == "marketing_lite")
	return life > 0 && now-m.at > int64(life)
}
