package account

import "time"

// TemplateDay is what became of the messages of one template in one day.
type TemplateDay struct {
	TemplateID string
	Start, End time.Time
	Sent       int64
	Delivered  int64
	Read       int64
	Clicks     []Clicks
}

// Clicks counts how often a button was pressed.
type Clicks struct {
	Type   string `json:"type"`
	Button string `json:"button_content"`
	Count  int64  `json:"count"`
}
