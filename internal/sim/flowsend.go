package sim

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/content"
	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// throttledSends is how many messages an hour a throttled Flow may be sent with.
const throttledSends = 10

// checkFlow checks the Flow that a message opens, if it opens one: that it exists, its status against the message's mode, and
// the screen it starts with.
func (s *Sim) checkFlow(c *call, d *draft) *graph.Error {
	switch {
	case d.template != nil:
		if bytes.Contains(d.template.Components, []byte(`"FLOW"`)) {
			return s.checkTemplateFlow(c, d.template)
		}
	case d.kind == "interactive" && strings.EqualFold(content.Member(c.params, "interactive", "type"), "flow"):
		get := func(keys ...string) string {
			return content.Member(c.params, append([]string{"interactive", "action", "parameters"}, keys...)...)
		}
		f := c.number.account.flow(get("flow_id"), get("flow_name"))
		if f == nil {
			return graph.Fail(131009, "Flow "+get("flow_id")+get("flow_name")+" does not exist in this WhatsApp Business Account.")
		}
		return s.openFlow(f, strings.EqualFold(get("mode"), "draft"), get("flow_action_payload", "screen"), c.now)
	}
	return nil
}

// flow finds a Flow by id or name.
func (a *account) flow(id, name string) *flow {
	i := slices.IndexFunc(a.flows, func(f *flow) bool { return id != "" && f.id == id || name != "" && f.name == name })
	if i < 0 {
		return nil
	}
	return a.flows[i]
}

// checkTemplateFlow checks the Flow behind a template's button.
func (s *Sim) checkTemplateFlow(c *call, t *template) *graph.Error {
	var components []struct {
		Buttons []struct {
			Type string `json:"type"`
			ID   any    `json:"flow_id"`
			Name string `json:"flow_name"`
		} `json:"buttons"`
	}
	if json.Unmarshal(t.Components, &components) != nil {
		return nil // not a list of components: there is no button either
	}
	for _, part := range components {
		for _, b := range part.Buttons {
			if b.Type != "FLOW" {
				continue
			}
			id, _ := graph.Scalar(b.ID)
			if f := t.account.flow(id, b.Name); f != nil {
				return s.openFlow(f, false, "", c.now)
			}
		}
	}
	return nil
}

// openFlow reports why a message cannot open a Flow, and counts it when it can.
func (s *Sim) openFlow(f *flow, draft bool, screen string, now int64) *graph.Error {
	switch {
	case f.status == flowBlocked:
		return graph.Fail(132068, "Flow "+f.id+" is blocked.")
	case f.status == flowDeprecated:
		return graph.Fail(131009, "Flow "+f.id+" is deprecated and cannot be sent.")
	case draft && f.status != flowDraft:
		return graph.Fail(131009, "Flow "+f.id+" is not a draft: send it with mode published.")
	case !draft && f.status == flowDraft:
		return graph.Fail(131009, "Flow "+f.id+" is not published: send it with mode draft, or publish it.")
	case screen != "" && f.text != nil && len(f.checked.Screens) > 0 && !slices.Contains(f.checked.Screens, screen):
		return graph.Fail(131009, "Flow "+f.id+" has no screen "+screen+".")
	case f.status == flowThrottled:
		f.sent = slices.DeleteFunc(f.sent, func(at int64) bool { return now-at >= int64(time.Hour) })
		if len(f.sent) >= throttledSends {
			return graph.Fail(132069, "Flow "+f.id+" is throttled: 10 messages have been sent within the hour.")
		}
		f.sent = append(f.sent, now)
	}
	return nil
}
