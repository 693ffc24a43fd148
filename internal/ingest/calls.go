package ingest

import (
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// called notes that a customer calls, which opens the customer service window as a message does (Meta).
func (c *change) called(calls rawjson.Value) {
	for _, call := range calls.Elements() {
		if !call.Get("event").Is("connect") || !call.Get("direction").Is("USER_INITIATED") {
			continue
		}
		if from := names(call.Get("from"), call.Get("from_user_id")); len(from) > 0 {
			c.Kind, c.Opens, c.At = event.InboundChange, from, timestamp(call.Get("timestamp"), c.At)
			return
		}
	}
}
