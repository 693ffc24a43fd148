package ingest

import (
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// called notes which customers call, which opens the customer service window as a message does (Meta).
func (c *change) called(calls rawjson.Value) {
	received := c.At
	for _, call := range calls.Elements() {
		if !call.Get("event").Is("connect") || !call.Get("direction").Is("USER_INITIATED") {
			continue
		}
		from := names(call.Get("from"), call.Get("from_user_id"))
		if at := timestamp(call.Get("timestamp"), received); len(from) > 0 && (c.Opens == nil || at.Before(c.At)) {
			c.At = at // of the first: no window is open for longer than Meta's
		}
		c.Opens = append(c.Opens, from...)
	}
	if len(c.Opens) > 0 {
		c.Kind = event.InboundChange
	}
}
