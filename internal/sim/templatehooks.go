package sim

import (
	"encoding/json"

	"github.com/waxwing-messaging/waxwing/internal/sim/definition"
)

// The values of the webhooks about templates. The id is a number in all of them, although it is a string everywhere else.

type statusUpdate struct {
	Event     string         `json:"event"`
	ID        json.Number    `json:"message_template_id"`
	Name      string         `json:"message_template_name"`
	Language  string         `json:"message_template_language"`
	Reason    string         `json:"reason"`
	Category  string         `json:"message_template_category"`
	Disable   *disableInfo   `json:"disable_info,omitempty"`
	Other     *otherInfo     `json:"other_info,omitempty"`
	Rejection *rejectionInfo `json:"rejection_info,omitempty"`
}

type disableInfo struct {
	Date int64 `json:"disable_date"`
}

type otherInfo struct {
	Title       string `json:"title"`
	Description string `json:"description"`
}

type rejectionInfo struct {
	Reason         string `json:"reason"`
	Recommendation string `json:"recommendation"`
}

type qualityUpdate struct {
	Previous string      `json:"previous_quality_score"`
	New      string      `json:"new_quality_score"`
	ID       json.Number `json:"message_template_id"`
	Name     string      `json:"message_template_name"`
	Language string      `json:"message_template_language"`
}

// categoryUpdate has two forms: the notice (correct, new for the category in force, and when) and the change (previous and new).
type categoryUpdate struct {
	ID       json.Number `json:"message_template_id"`
	Name     string      `json:"message_template_name"`
	Language string      `json:"message_template_language"`
	Previous string      `json:"previous_category,omitempty"`
	Correct  string      `json:"correct_category,omitempty"`
	New      string      `json:"new_category"`
	At       int64       `json:"category_update_timestamp,omitempty"`
}

type componentsUpdate struct {
	ID       json.Number    `json:"message_template_id"`
	Name     string         `json:"message_template_name"`
	Language string         `json:"message_template_language"`
	Title    string         `json:"message_template_title,omitempty"`
	Element  string         `json:"message_template_element"`
	Footer   string         `json:"message_template_footer,omitempty"`
	Buttons  []buttonUpdate `json:"message_template_buttons,omitempty"`
}

type buttonUpdate struct {
	Type  string `json:"message_template_button_type"`
	Text  string `json:"message_template_button_text"`
	URL   string `json:"message_template_button_url,omitempty"`
	Phone string `json:"message_template_button_phone_number,omitempty"`
}

func (s *Sim) tellStatus(t *template, c change) {
	now := s.now()
	u := statusUpdate{Event: c.event, ID: t.number(), Name: t.Name, Language: t.Language, Reason: "NONE", Category: t.Category}
	if c.reason != "" {
		u.Reason = c.reason
	}
	if c.title != "" {
		u.Other = &otherInfo{c.title, c.text}
	}
	if c.disabled {
		u.Disable = &disableInfo{now.Unix()}
	}
	if c.reason == "INVALID_FORMAT" {
		u.Rejection = &rejectionInfo{"The format of the template is not valid", "Look at its variables and at templates that say the same, then edit it."}
	}
	s.announce(t.account, "message_template_status_update", u, now)
}

func (s *Sim) tellComponents(t *template) {
	u := componentsUpdate{ID: t.number(), Name: t.Name, Language: t.Language}
	for _, c := range t.def.Components {
		switch c.Type {
		case "HEADER":
			u.Title = c.Text
		case "BODY":
			u.Element = c.Text
		case "FOOTER":
			u.Footer = c.Text
		case "BUTTONS":
			u.Buttons = buttonUpdates(c.Buttons)
		}
	}
	s.announce(t.account, "message_template_components_update", u, s.now())
}

func buttonUpdates(buttons []definition.Button) (list []buttonUpdate) {
	for _, b := range buttons {
		list = append(list, buttonUpdate{b.Type, b.Text, b.URL, b.Phone})
	}
	return list
}
