package sim

import (
	"slices"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/content"
	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// fate decides what an accepted message will fail with: 0 when WhatsApp sends it. Meta answers 200 first in all these cases.
func (s *Sim) fate(c *call, d *draft) (code int, details string) {
	if code := c.effect.later(); code != 0 {
		return code, c.effect.Details
	}
	user, set := d.user, &s.st.settings
	hash, _ := c.params.String("recipient_identity_key_hash")
	switch {
	case user.NotOnWhatsApp:
		return 131026, "Message Undeliverable."
	case user.BusinessBlocked:
		return 130403, "The business has blocked this user."
	case hash != "" && user.IdentityKeyHash != "" && hash != user.IdentityKeyHash:
		return 137000, "The recipient's identity key hash does not match."
	case d.kind != "text" && s.badMedia(c, d.kind) != "":
		return 131053, s.badMedia(c, d.kind)
	case d.kind == "reaction" && !s.canReact(c, d):
		return 131009, "The message to react to is unknown, too old, or a reaction itself."
	case !understands(user, c.params, d.kind):
		return 1026, "The recipient cannot receive this type of message."
	}
	if d.template != nil {
		return s.templateFate(c, d)
	}
	if set.Window && !d.thread.open(c.now) && d.thread.freeTill <= c.now {
		return 131047, "Message failed to send because more than 24 hours have passed since the customer last replied to this number."
	}
	return 0, ""
}

// templateFate applies what limits business-initiated messages: opt-outs and caps for marketing, and the messaging limit.
func (s *Sim) templateFate(c *call, d *draft) (code int, details string) {
	user, set := d.user, &s.st.settings
	if d.template.Category == "MARKETING" {
		switch {
		case user.MarketingOptOut:
			return 131050, "The recipient chose to stop receiving marketing messages from this business."
		case !set.USMarketing && isUS(user.WAID):
			return 131049, "Marketing messages are not delivered to users in the United States."
		case set.MarketingCap > 0 && !s.st.allowMarketing(user.key(), c.now, set.MarketingCap):
			return 131049, "The recipient received as many marketing messages as WhatsApp lets through for now."
		}
	}
	limit, limited := tiers[c.number.Tier]
	if set.MessagingLimit && limited && !d.thread.open(c.now) && !s.st.reach.take(user.key(), c.now, limit) {
		return 131048, "The messaging limit of the business portfolio is reached."
	}
	return 0, ""
}

// allowMarketing books a marketing message to a user against a cap per moving 24 hours.
func (st *state) allowMarketing(user string, now int64, limit int) bool {
	recent := slices.DeleteFunc(st.market[user], func(at int64) bool { return now-at >= int64(24*time.Hour) })
	ok := len(recent) < limit
	if ok {
		recent = append(recent, now)
	}
	st.market[user] = recent
	return ok
}

// badMedia says what is wrong with the stored files a message refers to, or "".
func (s *Sim) badMedia(c *call, kind string) string {
	for _, ref := range content.Media(kind, c.params) {
		m := s.st.media.get(ref.ID, c.now)
		switch {
		case m == nil, m.number.account != c.number.account, m.uploaded && m.number != c.number:
			return "The media id is unknown or has expired."
		case !m.uploaded || ref.Kind == "document": // any file can be a document
		case m.class() != ref.Kind:
			return "Unsupported " + ref.Kind + " mime type " + m.mime + "."
		}
		if m.uploaded && !m.genuine() {
			return "The file is not of the type it was uploaded as, " + m.mime + "."
		}
	}
	return ""
}

func (s *Sim) canReact(c *call, d *draft) bool {
	target := s.st.message(content.Member(c.params, "reaction", "message_id"))
	return target != nil && target.number == c.number && target.user.key() == d.user.key() && !target.reaction &&
		c.now-target.at < int64(30*24*time.Hour)
}

// understands is false for messages the user's client cannot show: address messages outside India, anything interactive on an
// old client.
func understands(user *customer, p graph.Params, kind string) bool {
	if kind != "interactive" {
		return true
	}
	if strings.EqualFold(content.Member(p, "interactive", "type"), "address_message") && !strings.HasPrefix(user.WAID, "91") {
		return false
	}
	return !user.CannotReceiveNew
}
