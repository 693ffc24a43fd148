package sim

import (
	"cmp"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// object is a node as Graph shows it: every field it has.
type object map[string]any

// pick reduces an object to the fields asked for, or to the defaults. The id is always there.
func (o object) pick(c *call, kind nodeKind, defaults string) (object, *graph.Error) {
	asked, _ := c.params.String("fields")
	asked = cmp.Or(asked, defaults)
	picked := object{"id": o["id"]}
	for _, f := range splitFields(asked) {
		v, ok := o[f]
		if !ok {
			return nil, graph.Param("Tried accessing nonexisting field (%s) on node type (%s)", f, kind)
		}
		if v != nil {
			picked[f] = v
		}
	}
	return picked, nil
}

// splitFields reads a fields parameter: names, whose own sub-fields and arguments in braces or after dots are dropped.
func splitFields(s string) (names []string) {
	depth, start := 0, 0
	add := func(end int) {
		name := strings.TrimSpace(s[start:end])
		if i := strings.IndexAny(name, ".{("); i >= 0 {
			name = name[:i]
		}
		if name != "" {
			names = append(names, name)
		}
		start = end + 1
	}
	for i, r := range s {
		switch r {
		case '{', '(', '[':
			depth++
		case '}', ')', ']':
			depth--
		case ',':
			if depth == 0 {
				add(i)
			}
		}
	}
	add(len(s))
	return names
}

type page struct {
	Data   []object `json:"data"`
	Paging *paging  `json:"paging,omitempty"`
	// Summary counts what the list is taken from, when the call asks for it.
	Summary object `json:"summary,omitempty"`
}

type paging struct {
	Cursors struct {
		Before string `json:"before"`
		After  string `json:"after"`
	} `json:"cursors"`
	Next string `json:"next,omitempty"`
}

const defaultPage = 25

func cursor(i int) string {
	return "QVFI" + base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(i)))
}

func uncursor(s string) (int, bool) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(s, "QVFI"))
	if err != nil || !strings.HasPrefix(s, "QVFI") {
		return 0, false
	}
	i, err := strconv.Atoi(string(b))
	return i, err == nil && i >= 0
}

// paged answers a list in pages. next is absent on the last page while cursors stay.
func (s *Sim) paged(c *call, kind nodeKind, defaults string, all []object) (any, *graph.Error) {
	limit, start := defaultPage, 0
	if v, given := c.params.String("limit"); given {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return nil, graph.Param("Param limit must be an integer of at least 1.")
		}
		limit = min(n, 1000)
	}
	if v, given := c.params.String("after"); given && v != "" {
		i, ok := uncursor(v)
		if !ok {
			return nil, graph.Param("Invalid cursors values: after")
		}
		start = min(i+1, len(all))
	} else if v, given := c.params.String("before"); given && v != "" {
		i, ok := uncursor(v)
		if !ok {
			return nil, graph.Param("Invalid cursors values: before")
		}
		start = max(0, min(i, len(all))-limit)
	}
	end := min(start+limit, len(all))
	p := page{Data: make([]object, 0, end-start)}
	for _, o := range all[start:end] {
		picked, err := o.pick(c, kind, defaults)
		if err != nil {
			return nil, err
		}
		p.Data = append(p.Data, picked)
	}
	if end > start {
		p.Paging = &paging{}
		p.Paging.Cursors.Before, p.Paging.Cursors.After = cursor(start), cursor(end-1)
		if end < len(all) {
			q := c.r.URL.Query()
			q.Del("access_token")
			q.Set("after", cursor(end-1))
			p.Paging.Next = s.o.PublicURL + "/" + c.version + c.path + "?" + q.Encode()
		}
	}
	return p, nil
}

func (n *number) object(s *Sim) object {
	onPhone := n.Throughput == ThroughputCoexistence
	var callback any
	if urls := n.callbacks(s.st.settings.WebhookURL); len(urls) > 0 {
		callback = urls
	}
	return object{"id": n.ID, "display_phone_number": humanNumber(n.Phone), "verified_name": n.VerifiedName,
		"quality_rating": n.Quality, "quality_score": object{"score": n.Quality}, "status": n.Status,
		"code_verification_status": n.verification(), "platform_type": "CLOUD_API", "throughput": object{"level": n.Throughput},
		"account_mode": n.Mode, "name_status": n.NameStatus, "new_name_status": "NONE", "is_official_business_account": n.Official,
		"is_on_biz_app": onPhone, "is_pin_enabled": n.PIN != "", "messaging_limit_tier": n.Tier,
		"whatsapp_business_manager_messaging_limit": n.Tier, "country_dial_code": countryOf(n.digits).code,
		"country_code": countryOf(n.digits).iso, "webhook_configuration": callback,
		"health_status": object{"can_send_message": worse(n.health(), n.account.health(s.now().UnixNano())), "entities": []object{
			{"entity_type": "PHONE_NUMBER", "id": n.ID, "can_send_message": n.health()},
			{"entity_type": "WABA", "id": n.account.ID, "can_send_message": n.account.health(s.now().UnixNano())},
			{"entity_type": "APP", "id": s.o.AppID, "can_send_message": "AVAILABLE"}}},
	}
}

func (n *number) health() string {
	switch {
	case n.Status == statusFlagged || n.Status == statusRestricted:
		return "LIMITED"
	case n.registered():
		return "AVAILABLE"
	}
	return "BLOCKED"
}

// worse returns the one of two states of health that lets less pass.
func worse(a, b string) string {
	for _, state := range []string{"BLOCKED", "LIMITED"} {
		if a == state || b == state {
			return state
		}
	}
	return a
}

func (n *number) callbacks(app string) object {
	urls := object{}
	for name, url := range map[string]string{"application": app, "whatsapp_business_account": n.account.callback, "phone_number": n.callback} {
		if url != "" {
			urls[name] = url
		}
	}
	return urls
}

func getNumber(s *Sim, c *call) (any, *graph.Error) {
	return c.number.object(s).pick(c, nodeNumber, "verified_name,code_verification_status,display_phone_number,quality_rating")
}

func listNumbers(s *Sim, c *call) (any, *graph.Error) {
	var all []object
	for _, n := range c.account.numbers {
		all = append(all, n.object(s))
	}
	return s.paged(c, nodeNumber, "verified_name,code_verification_status,display_phone_number,quality_rating,platform_type,throughput,webhook_configuration", all)
}

func getAccount(s *Sim, c *call) (any, *graph.Error) {
	a := c.account
	marketing := "ELIGIBLE"
	if a.Marketing {
		marketing = "ONBOARDED"
	}
	health := a.health(c.now)
	o := object{"id": a.ID, "name": a.Name, "currency": a.Currency, "timezone_id": "1", "country": a.Country, "primary_business_location": a.Country,
		"auth_international_rate_eligibility": nil,
		"message_template_namespace":          "wx_" + strconv.FormatUint(hash64(a.ID), 36), "account_review_status": cmp.Or(a.standing.review, "APPROVED"),
		"business_verification_status": "verified", "ownership_type": "SELF", "status": "ACTIVE",
		"owner_business_info":                object{"id": s.world.Portfolio, "name": a.Name},
		"marketing_messages_lite_api_status": marketing, "marketing_messages_onboarding_status": marketing,
		"health_status": object{"can_send_message": health, "entities": []object{
			{"entity_type": "WABA", "id": a.ID, "can_send_message": health}}}, "template_analytics": nil}
	if a.standing.eligible != nil {
		o["auth_international_rate_eligibility"] = a.standing.eligible
	}
	if fields, _ := c.params.String("fields"); strings.Contains(fields, "template_analytics") {
		analytics, err := s.templateAnalytics(a, fields, c.now)
		if err != nil {
			return nil, err
		}
		o["template_analytics"] = analytics
	}
	return o.pick(c, nodeAccount, "name,currency,timezone_id,message_template_namespace")
}

func getMe(s *Sim, c *call) (any, *graph.Error) {
	return object{"id": c.token.UserID, "name": s.world.AppName}.pick(c, nodeRoot, "name")
}

type tokenScope struct {
	Scope   string   `json:"scope"`
	Targets []string `json:"target_ids,omitempty"`
}

// debugToken describes another token. One that was never issued is still a 200, with the error inside.
func debugToken(s *Sim, c *call) (any, *graph.Error) {
	input, _ := c.params.String("input_token")
	if input == "" {
		return nil, graph.Param("The parameter input_token is required.")
	}
	t := s.st.tokens[input]
	if t == nil {
		return object{"data": object{"error": object{"code": 190, "message": "The access token could not be decrypted"},
			"is_valid": false, "scopes": []string{}}}, nil
	}
	scopes := t.Scopes
	if len(scopes) == 0 {
		scopes = []string{scopeManagement, scopeMessaging}
	}
	granular := make([]tokenScope, len(scopes))
	for i, scope := range scopes {
		granular[i] = tokenScope{scope, t.Accounts}
	}
	expires := int64(0)
	if !t.Expires.IsZero() {
		expires = t.Expires.Unix()
	}
	data := object{"app_id": s.o.AppID, "type": "SYSTEM_USER", "application": s.world.AppName, "expires_at": expires,
		"data_access_expires_at": 0, "is_valid": true, "scopes": scopes, "granular_scopes": granular, "user_id": t.UserID}
	if expires != 0 && c.now >= t.Expires.UnixNano() {
		data["is_valid"] = false
		data["error"] = object{"code": 190, "subcode": 463, "message": graph.ExpiredToken(metaTime(t.Expires)).Message}
	}
	return object{"data": data}, nil
}
