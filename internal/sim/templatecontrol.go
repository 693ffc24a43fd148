package sim

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/sim/definition"
)

// templateReview is POST /sim/v1/templates/{id}/review: Meta decides. Besides APPROVED and REJECTED, any event of Meta's about a
// template's status will do.
type templateReview struct {
	Decision string `json:"decision"`
	Reason   string `json:"reason"`
}

// decisions are the events a review may end with, and the status each leaves behind.
var decisions = map[string]string{
	"APPROVED": statusApproved, "REJECTED": statusRejected, "PENDING": statusPending, "PAUSED": statusPaused, "DISABLED": statusDisabled,
	"FLAGGED": "FLAGGED", "REINSTATED": statusApproved, "IN_APPEAL": "IN_APPEAL", "LIMIT_EXCEEDED": "LIMIT_EXCEEDED",
	"LOCKED": "LOCKED", "ARCHIVED": "ARCHIVED", "UNARCHIVED": statusApproved,
}

var rejectionReasons = []string{"ABUSIVE_CONTENT", "CATEGORY_NOT_AVAILABLE", "INCORRECT_CATEGORY", "INVALID_FORMAT", "NONE",
	"PROMOTIONAL", "SCAM", "TAG_CONTENT_MISMATCH"}

func postReview(s *Sim, r *http.Request) (any, error) {
	var in templateReview
	if err := input(r, &in); err != nil {
		return nil, err
	}
	event := strings.ToUpper(in.Decision)
	switch event {
	case "APPROVE":
		event = statusApproved
	case "REJECT":
		event = statusRejected
	}
	status, ok := decisions[event]
	if !ok {
		return nil, fault.New(fault.Validation, "decision must be APPROVED, REJECTED, or another event of Meta's about a template's status")
	}
	reason := strings.ToUpper(in.Reason)
	if reason != "" && !slices.Contains(rejectionReasons, reason) {
		return nil, fault.New(fault.Validation, "reason must be one of %s", strings.Join(rejectionReasons, ", "))
	}
	return s.withTemplate(r, func(t *template, _ time.Time) {
		if event == statusRejected {
			if reason == "" {
				reason = "INVALID_FORMAT"
			}
			s.reject(t, reason)
			return
		}
		s.become(t, status, change{event: event, reason: reason, disabled: event == statusDisabled || event == "FLAGGED"})
	})
}

// postQuality is POST /sim/v1/templates/{id}/quality: users made up their minds.
func postQuality(s *Sim, r *http.Request) (any, error) {
	var in struct {
		Score string `json:"score"`
	}
	if err := input(r, &in); err != nil {
		return nil, err
	}
	score := strings.ToUpper(in.Score)
	if !slices.Contains([]string{"GREEN", "YELLOW", "RED", "UNKNOWN"}, score) {
		return nil, fault.New(fault.Validation, "score must be GREEN, YELLOW, RED or UNKNOWN")
	}
	return s.withTemplate(r, func(t *template, now time.Time) { s.rate(t, score, now.UnixNano()) })
}

// postCategory is POST /sim/v1/templates/{id}/category: Meta finds that the template belongs into another category. The change
// comes a day after its notice; notice_ms is another time, 0 for at once.
func postCategory(s *Sim, r *http.Request) (any, error) {
	in := struct {
		Category string `json:"category"`
		NoticeMS *int64 `json:"notice_ms"`
	}{}
	if err := input(r, &in); err != nil {
		return nil, err
	}
	category := strings.ToUpper(in.Category)
	if !slices.Contains([]string{definition.Marketing, definition.Utility, definition.Authentication}, category) {
		return nil, fault.New(fault.Validation, "category must be MARKETING, UTILITY or AUTHENTICATION")
	}
	if n := in.NoticeMS; n != nil && (*n < 0 || *n > (365*24*time.Hour).Milliseconds()) {
		return nil, fault.New(fault.Validation, "notice_ms must be from 0 to a year")
	}
	return s.withTemplate(r, func(t *template, now time.Time) {
		notice := s.scaled(categoryNotice)
		if in.NoticeMS != nil {
			notice = time.Duration(*in.NoticeMS) * time.Millisecond
		}
		s.reclassify(t, category, notice, now.UnixNano())
	})
}

// withTemplate does something to the template a control call is about, and shows it.
func (s *Sim) withTemplate(r *http.Request, do func(t *template, now time.Time)) (shown any, err error) {
	s.with(func(st *state) {
		t := st.templates[r.PathValue("id")]
		if t == nil {
			err = fault.New(fault.NotFound, "no template has the id %q", r.PathValue("id"))
			return
		}
		do(t, s.now())
		shown = t.object()
	})
	return shown, err
}

// getTemplateState is GET /sim/v1/templates/{id}.
func getTemplateState(s *Sim, r *http.Request) (any, error) {
	return s.withTemplate(r, func(*template, time.Time) {})
}
