package sim

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// profileTexts are the members of a business profile that are text, with the most characters each may have.
var profileTexts = map[string]int{"about": 139, "address": 256, "description": 512, "email": 128}

// verticals are Meta's words for industries.
var verticals = strings.Fields("ALCOHOL APPAREL AUTO BEAUTY EDU ENTERTAIN EVENT_PLAN FINANCE GOVT GROCERY HEALTH HOTEL NONPROFIT NOT_A_BIZ " +
	"ONLINE_GAMBLING OTC_DRUGS OTHER PHYSICAL_GAMBLING PROF_SERVICES RESTAURANT RETAIL TRAVEL UNDEFINED")

// getProfile answers with a list of one; members that were never set are left out.
func getProfile(_ *Sim, c *call) (any, *graph.Error) {
	o := object{"messaging_product": "whatsapp"}
	fields, _ := c.params.String("fields")
	names := splitFields(fields)
	for _, name := range names {
		if _, text := profileTexts[name]; !text && !slices.Contains([]string{"websites", "vertical", "profile_picture_url", "messaging_product", "id"}, name) {
			return nil, graph.Param("Tried accessing nonexisting field (%s) on node type (WhatsAppBusinessProfile)", name)
		}
	}
	for name, v := range c.number.setup.profile {
		if slices.Contains(names, name) {
			o[name] = v
		}
	}
	return object{"data": []object{o}}, nil
}

// setProfile changes the members that are present; an empty text clears all but about.
func setProfile(s *Sim, c *call) (any, *graph.Error) {
	if c.malformed != nil {
		return nil, c.malformed
	}
	if product, _ := c.params.String("messaging_product"); product != "whatsapp" {
		return nil, graph.Param("The parameter messaging_product is required.")
	}
	changed := maps.Clone(c.number.setup.profile)
	if changed == nil {
		changed = map[string]any{}
	}
	for name, most := range profileTexts {
		v, given := c.params[name]
		if !given {
			continue
		}
		text, ok := graph.Scalar(v)
		if length := utf8.RuneCountInString(text); !ok || length > most || length == 0 && name == "about" {
			return nil, graph.Param("Param %s must be a string of at most %d characters.", name, most)
		}
		setText(changed, name, text)
	}
	if v, given := c.params["websites"]; given {
		sites, problem := websites(v)
		if problem != nil {
			return nil, problem
		}
		if delete(changed, "websites"); len(sites) > 0 {
			changed["websites"] = sites
		}
	}
	if v, given := c.params.String("vertical"); given {
		if v != "" && !slices.Contains(verticals, v) {
			return nil, graph.Param("Param vertical must be one of {%s} - got %q.", strings.Join(verticals, ", "), v)
		}
		setText(changed, "vertical", v)
	}
	if handle, given := c.params.String("profile_picture_handle"); given && handle != "" {
		changed["profile_picture_url"] = s.o.PublicURL + "/picture/" + url.PathEscape(c.number.ID)
	}
	c.number.setup.profile = changed
	return success, nil
}

func setText(m map[string]any, name, text string) {
	if text == "" {
		delete(m, name)
	} else {
		m[name] = text
	}
}

func websites(v any) ([]string, *graph.Error) {
	list, ok := v.([]any)
	if !ok || len(list) > 2 {
		return nil, graph.Param("Param websites must be an array of at most 2 URLs.")
	}
	var sites []string
	for _, item := range list {
		site, _ := item.(string)
		u, err := url.Parse(site)
		if site == "" {
			continue
		}
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || len(site) > 256 {
			return nil, graph.Param("Param websites must hold URLs with http:// or https:// of at most 256 characters.")
		}
		sites = append(sites, site)
	}
	return sites, nil
}
