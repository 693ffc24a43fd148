package content

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// Longest values, in characters, as Meta documents them.
const (
	maxText     = 4096
	maxCaption  = 1024
	maxBody     = 1024
	maxHeader   = 60
	maxFooter   = 60
	maxCards    = 257 // contact cards; one page of Meta's says 5, the other 257
	maxOpaque   = 512
	maxFilename = 240
)

// Kinds that carry a media object.
var mediaKinds = []string{"image", "video", "audio", "document", "sticker"}

type check func(*checker, *node)

// checks has the payload check of every type except template, which needs the template's definition.
var checks = map[string]check{
	"text":        checkText,
	"image":       func(c *checker, n *node) { checkMedia(c, c.object(n, "image"), true) },
	"video":       func(c *checker, n *node) { checkMedia(c, c.object(n, "video"), true) },
	"document":    func(c *checker, n *node) { checkMedia(c, c.object(n, "document"), true) },
	"audio":       func(c *checker, n *node) { checkMedia(c, c.object(n, "audio"), false) },
	"sticker":     func(c *checker, n *node) { checkMedia(c, c.object(n, "sticker"), false) },
	"location":    func(c *checker, n *node) { checkLocation(c, c.object(n, "location")) },
	"contacts":    checkContacts,
	"reaction":    checkReaction,
	"interactive": checkInteractive,
}

// Check returns Meta's complaint about a message's payload, or nil. kind is the message's type; "template" is checked by
// Template.Check once the template is known.
func Check(kind string, p graph.Params) *graph.Error {
	root := &node{m: p, index: -1}
	c := &checker{}
	f, ok := checks[kind]
	switch {
	case kind == "template":
		c.object(root, "template")
	case !ok:
		return graph.Fail(131051, "Message type "+kind+" is not supported.")
	default:
		f(c, root)
	}
	c.maybe(root, "biz_opaque_callback_data", maxOpaque)
	if ctx := c.optional(root, "context"); ctx != nil && ctx.has("message_id") {
		c.text(ctx, "message_id", 128)
	}
	return c.err
}

func checkText(c *checker, root *node) {
	n := c.object(root, "text")
	if n == nil {
		return
	}
	c.text(n, "body", maxText)
	c.boolean(n, "preview_url")
}

// checkMedia checks one media object: exactly one of id and link, and a caption only where the type has one.
func checkMedia(c *checker, n *node, caption bool) {
	if n == nil {
		return
	}
	switch {
	case n.has("id") && n.has("link"):
		c.invalid("Only one of the parameters 'id' and 'link' may be given for '" + n.path("") + "'.")
	case n.has("id"):
		c.text(n, "id", 0)
	case n.has("link"):
		c.webURL(n, "link", 0)
	default:
		c.missing("Either 'id' or 'link' is mandatory for '" + n.path("") + "'.")
	}
	if caption {
		c.maybe(n, "caption", maxCaption)
	} else if n.has("caption") {
		c.fail(graph.Param("Unexpected key \"caption\" on param \"%s\".", n.path("")))
	}
	c.maybe(n, "filename", maxFilename)
	c.boolean(n, "voice")
}

func checkLocation(c *checker, n *node) {
	if n == nil {
		return
	}
	c.number(n, "latitude", 90)
	c.number(n, "longitude", 180)
	c.maybe(n, "name", 0)
	c.maybe(n, "address", 0)
}

var birthday = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

func checkContacts(c *checker, root *node) {
	for _, card := range c.array(root, "contacts", 1, maxCards) {
		name := c.object(card, "name")
		if name == nil {
			return
		}
		c.text(name, "formatted_name", 0)
		parts := 0
		for _, part := range []string{"first_name", "last_name", "middle_name", "prefix", "suffix"} {
			if c.maybe(name, part, 0) != "" {
				parts++
			}
		}
		if parts == 0 {
			c.missing("At least one of the optional parameters needs to be included along with the formatted_name parameter.")
		}
		if b := c.maybe(card, "birthday", 0); b != "" && !birthday.MatchString(b) {
			c.invalid("Param " + card.path("birthday") + " must have the format YYYY-MM-DD.")
		}
		for _, list := range []string{"phones", "emails", "urls", "addresses"} {
			c.array(card, list, 0, 0)
		}
		c.optional(card, "org")
	}
}

func checkReaction(c *checker, root *node) {
	n := c.object(root, "reaction")
	if n == nil {
		return
	}
	c.text(n, "message_id", 0)
	if !n.has("emoji") {
		c.missing("Parameter 'reaction['emoji']' is mandatory; an empty string removes the reaction.")
		return
	}
	emoji, ok := n.m["emoji"].(string)
	if !ok {
		c.fail(graph.Param("Param reaction['emoji'] must be a string."))
		return
	}
	if strings.ContainsFunc(emoji, func(r rune) bool { return r < 0x80 && !strings.ContainsRune("0123456789#*", r) }) {
		c.invalid("Param reaction['emoji'] must be a single emoji.")
	}
}

// Voice reports whether a message is a voice note, the only kind that is ever "played".
func Voice(kind string, p graph.Params) bool {
	m, _ := p["audio"].(map[string]any)
	v, _ := graph.Scalar(m["voice"])
	return kind == "audio" && v == "true"
}

// Member returns a nested string of the parameters, "" when any step is missing.
func Member(p graph.Params, keys ...string) string {
	var v any = map[string]any(p)
	for _, key := range keys {
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = m[key]
	}
	s, _ := graph.Scalar(v)
	return s
}

// TextOf returns the body of a raw text message, or "" for any other kind.
func TextOf(raw []byte) string {
	var m struct {
		Text struct {
			Body string `json:"body"`
		} `json:"text"`
	}
	if json.Unmarshal(raw, &m) != nil {
		return ""
	}
	return m.Text.Body
}
