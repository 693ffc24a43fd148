package content

import (
	"strings"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// shape is what an interactive message may consist of.
type shape struct {
	header string // what may stand in the header: "" nothing, "text", "image", "media" (text or any media)
	must   bool   // the header is required
	body   int    // longest body
	noBody bool   // the body is optional
	footer bool
	action func(*checker, *node)
}

var shapes = map[string]shape{
	"button":                   {header: "media", body: maxBody, footer: true, action: checkButtons},
	"list":                     {header: "text", body: 4096, footer: true, action: checkList},
	"cta_url":                  {header: "media", body: maxBody, footer: true, action: checkCTA},
	"location_request_message": {body: maxBody, action: named("send_location")},
	"product":                  {body: maxBody, noBody: true, footer: true, action: checkProduct},
	"product_list":             {header: "text", must: true, body: maxBody, footer: true, action: checkProductList},
	"catalog_message":          {body: maxBody, footer: true, action: named("catalog_message")},
	"flow":                     {header: "media", body: maxBody, footer: true, action: checkFlow},
	"address_message":          {body: maxBody, footer: true, action: checkAddress},
	"carousel":                 {body: maxBody, action: checkCarousel},
	"voice_call":               {body: maxBody, footer: true, action: named("voice_call")},
	"call_permission_request":  {body: maxBody, noBody: true, action: named("call_permission_request")},
	"request_contact_info":     {body: maxBody, action: named("request_contact_info")},
	"order_details":            {header: "image", body: maxBody, footer: true, action: named("review_and_pay")},
	"order_status":             {header: "image", body: maxBody, footer: true, action: named("review_order")},
}

func checkInteractive(c *checker, root *node) {
	n := c.object(root, "interactive")
	if n == nil {
		return
	}
	kind := strings.ToLower(c.text(n, "type", 0))
	if c.err != nil {
		return
	}
	s, ok := shapes[kind]
	if !ok {
		c.fail(graph.Param("Param interactive['type'] must be one of {ADDRESS_MESSAGE, BUTTON, CALL_PERMISSION_REQUEST, CAROUSEL, "+
			"CATALOG_MESSAGE, CTA_URL, FLOW, LIST, LOCATION_REQUEST_MESSAGE, ORDER_DETAILS, ORDER_STATUS, PRODUCT, PRODUCT_LIST, "+
			"REQUEST_CONTACT_INFO, VOICE_CALL} - got \"%s\".", kind))
		return
	}
	s.checkHeader(c, n)
	if body := c.optional(n, "body"); body != nil {
		c.text(body, "text", s.body)
	} else if !s.noBody {
		c.missing("Parameter 'interactive['body']' is mandatory for type '" + kind + "'.")
	}
	if footer := c.optional(n, "footer"); footer != nil {
		if !s.footer {
			c.unexpected(n, "footer")
		}
		c.text(footer, "text", maxFooter)
	}
	if action := c.object(n, "action"); action != nil {
		s.action(c, action)
	}
}

func (c *checker) unexpected(n *node, key string) {
	c.fail(graph.Param("Unexpected key \"%s\" on param \"%s\".", key, n.path("")))
}

func (s shape) checkHeader(c *checker, n *node) {
	h := c.optional(n, "header")
	switch {
	case h == nil && s.must:
		c.missing("Parameter 'interactive['header']' is mandatory.")
		return
	case h == nil:
		return
	case s.header == "":
		c.unexpected(n, "header")
		return
	}
	allowed := map[string][]string{"text": {"text"}, "image": {"image"}, "media": {"text", "image", "video", "document"}}[s.header]
	switch kind := c.oneOf(h, "type", allowed...); kind {
	case "":
	case "text":
		if !h.has("text") {
			c.invalid("Text cannot be null for header type text")
		}
		c.text(h, "text", maxHeader)
	default:
		checkMedia(c, c.object(h, kind), false)
	}
}

// lengthOf words a length complaint as WhatsApp's layer does for buttons and rows.
func (c *checker) lengthOf(n *node, key, what string, limit int) string {
	if c.err != nil {
		return ""
	}
	s, ok := graph.Scalar(n.m[key])
	if n.has(key) && !ok {
		c.fail(graph.Param("Param %s must be a string.", n.path(key)))
	}
	if l := utf8.RuneCountInString(s); l < 1 || l > limit {
		c.invalid(what + " length invalid. Min length: 1, Max length: " + itoa(limit))
	}
	return s
}

func checkButtons(c *checker, action *node) {
	if list, ok := action.m["buttons"].([]any); ok && (len(list) < 1 || len(list) > 3) {
		c.invalid("Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3")
		return
	}
	ids, titles := map[string]bool{}, map[string]bool{}
	for _, b := range c.array(action, "buttons", 1, 3) {
		c.oneOf(b, "type", "reply")
		reply := c.object(b, "reply")
		if reply == nil {
			return
		}
		id := c.lengthOf(reply, "id", "Button id", 256)
		title := c.lengthOf(reply, "title", "Button title", 20)
		switch {
		case c.err != nil:
			return
		case strings.TrimSpace(id) != id:
			c.invalid("Button id must not have leading or trailing spaces.")
		case ids[id]:
			c.invalid("Duplicated button id: " + id)
		case titles[title]:
			c.invalid("Duplicated button title: " + title)
		}
		ids[id], titles[title] = true, true
	}
}

func checkList(c *checker, action *node) {
	c.lengthOf(action, "button", "List button label", 20)
	sections := c.array(action, "sections", 1, 10)
	rows, ids := 0, map[string]bool{}
	for _, s := range sections {
		if len(sections) > 1 || s.has("title") {
			c.lengthOf(s, "title", "Section title", 24)
		}
		for _, row := range c.array(s, "rows", 1, 0) {
			rows++
			id := c.lengthOf(row, "id", "Row id", 200)
			c.lengthOf(row, "title", "Row title", 24)
			if row.has("description") {
				c.maybe(row, "description", 72)
			}
			if c.err == nil && ids[id] {
				c.invalid("Row id is duplicated: " + id)
			}
			ids[id] = true
		}
	}
	if rows > 10 {
		c.invalid("Total row count exceed max allowed count: 10")
	}
}

func checkCTA(c *checker, action *node) {
	c.oneOf(action, "name", "cta_url")
	if p := c.object(action, "parameters"); p != nil {
		c.lengthOf(p, "display_text", "CTA display text", 20)
		c.webURL(p, "url", 2000)
	}
}

func checkProduct(c *checker, action *node) {
	c.text(action, "catalog_id", 0)
	c.text(action, "product_retailer_id", 0)
}

func checkProductList(c *checker, action *node) {
	c.text(action, "catalog_id", 0)
	total := 0
	sections := c.array(action, "sections", 1, 10)
	for _, s := range sections {
		if len(sections) > 1 || s.has("title") {
			c.lengthOf(s, "title", "Section title", 24)
		}
		for _, item := range c.array(s, "product_items", 1, 0) {
			total++
			c.text(item, "product_retailer_id", 0)
		}
	}
	if total > 30 {
		c.invalid("Total product count exceed max allowed count: 30")
	}
}

// checkFlow follows the Flow message rules; the label may have 30 characters, the laxer of the two documented limits.
func checkFlow(c *checker, action *node) {
	c.oneOf(action, "name", "flow")
	p := c.object(action, "parameters")
	if p == nil {
		return
	}
	c.oneOf(p, "flow_message_version", "3")
	if p.has("flow_id") == p.has("flow_name") {
		c.invalid("Exactly one of flow_id and flow_name must be given.")
	}
	c.lengthOf(p, "flow_cta", "Flow CTA", 30)
	if p.has("mode") {
		c.oneOf(p, "mode", "draft", "published")
	}
	act := "navigate"
	if p.has("flow_action") {
		act = c.oneOf(p, "flow_action", "navigate", "data_exchange")
	}
	if payload := c.optional(p, "flow_action_payload"); payload != nil {
		if act == "data_exchange" {
			c.unexpected(p, "flow_action_payload")
		}
		c.text(payload, "screen", 0)
		if data := c.optional(payload, "data"); data != nil && len(data.m) == 0 {
			c.invalid("flow_action_payload.data must not be empty.")
		}
	}
}

func checkAddress(c *checker, action *node) {
	c.oneOf(action, "name", "address_message")
	if p := c.object(action, "parameters"); p != nil {
		c.text(p, "country", 2)
	}
}

func checkCarousel(c *checker, action *node) {
	kind, media := "", ""
	for i, card := range c.array(action, "cards", 2, 10) {
		if card.has("card_index") {
			c.number(card, "card_index", 9)
		}
		k := c.oneOf(card, "type", "cta_url", "product")
		act := c.object(card, "action")
		if act == nil {
			return
		}
		if i > 0 && k != kind {
			c.invalid("All cards of a carousel must have the same type.")
		}
		kind = k
		if k == "product" {
			checkProduct(c, act)
			continue
		}
		h := c.object(card, "header")
		if h == nil {
			return
		}
		m := c.oneOf(h, "type", "image", "video")
		if i > 0 && m != media {
			c.invalid("All cards of a carousel must have the same header type.")
		}
		media = m
		if c.err == nil {
			checkMedia(c, c.object(h, m), false)
		}
		if body := c.optional(card, "body"); body != nil {
			if text := c.text(body, "text", 160); strings.Count(text, "\n") > 2 {
				c.invalid("A card's body may have at most 2 line breaks.")
			}
		}
		checkCTA(c, act)
	}
}

// named is the check of an action that only has to carry its own name.
func named(name string) func(*checker, *node) {
	return func(c *checker, action *node) { c.oneOf(action, "name", name) }
}
