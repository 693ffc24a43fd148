package sim

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/definition"
	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

const templateFields = "name,parameter_format,components,language,status,category,sub_category"

func (t *template) object() object {
	o := object{"id": t.ID, "name": t.Name, "language": t.Language, "status": t.Status, "category": t.Category,
		"parameter_format": t.Format, "components": t.Components, "rejected_reason": t.rejected, "sub_category": nil,
		"previous_category": nil, "correct_category": nil, "message_send_ttl_seconds": nil, "cta_url_link_tracking_opted_out": nil,
		"library_template_name": nil, "last_updated_time": nil}
	quality := object{"score": t.quality}
	if t.rated > 0 {
		quality["date"] = t.rated / int64(time.Second)
	}
	o["quality_score"] = quality
	for key, text := range map[string]string{"previous_category": t.previous, "correct_category": t.correct, "library_template_name": t.def.Library} {
		if text != "" {
			o[key] = text
		}
	}
	if t.def.TTL != 0 {
		o["message_send_ttl_seconds"] = t.def.TTL
	}
	if t.def.Untracked != nil {
		o["cta_url_link_tracking_opted_out"] = *t.def.Untracked
	}
	return o
}

func getTemplate(_ *Sim, c *call) (any, *graph.Error) {
	return c.template.object().pick(c, nodeTemplate, templateFields)
}

// listTemplates filters as Meta does: exact words for status, category, language and quality, a part of the text for the others.
func listTemplates(s *Sim, c *call) (any, *graph.Error) {
	name, _ := c.params.String("name")
	body, _ := c.params.String("content")
	either, _ := c.params.String("name_or_content")
	either, body = strings.ToLower(either), strings.ToLower(body)
	var all []object
	for _, t := range c.account.templates {
		text := strings.ToLower(t.compiled.Title + "\n" + t.compiled.Body + "\n" + t.compiled.Footer)
		if strings.Contains(t.Name, name) && strings.Contains(text, body) && strings.Contains(t.Name+"\n"+text, either) &&
			filtered(c, "status", t.Status) && filtered(c, "category", t.Category) && filtered(c, "language", t.Language) &&
			filtered(c, "quality_score", t.quality) {
			all = append(all, t.object())
		}
	}
	list, err := s.paged(c, nodeTemplate, templateFields, all)
	if p, ok := list.(page); ok && c.params["summary"] != nil {
		summary := object{"total_count": len(all), "message_template_count": len(c.account.templates),
			"message_template_limit": s.st.settings.TemplateLimit, "are_translations_complete": true}
		asked, _ := c.params.String("summary")
		p.Summary = object{}
		for _, field := range splitFields(asked) {
			if v, known := summary[field]; known {
				p.Summary[field] = v
			}
		}
		return p, nil
	}
	return list, err
}

// filtered reports whether a value passes the filter of that name: a word, a list of words, or none.
func filtered(c *call, name, value string) bool {
	words := idList(c.params[name])
	return len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, value) })
}

// previewTemplates is GET /{account}/message_template_previews: the fixed texts of authentication templates.
func previewTemplates(_ *Sim, c *call) (any, *graph.Error) {
	if category, _ := c.params.String("category"); !strings.EqualFold(category, definition.Authentication) {
		return nil, graph.Param("Param category must be one of {AUTHENTICATION} - got \"%s\".", category)
	}
	languages := idList(c.params["languages"])
	if len(languages) == 0 {
		languages = idList(c.params["language"])
	}
	if len(languages) == 0 {
		languages = []string{"en_US"}
	}
	security, _ := c.params.String("add_security_recommendation")
	text, _ := c.params.String("code_expiration_minutes")
	minutes, err := strconv.Atoi(text)
	if text != "" && (err != nil || minutes < 1 || minutes > 90) {
		return nil, graph.Param("Param code_expiration_minutes must be an integer between 1 and 90.")
	}
	data := []definition.Preview{}
	for _, language := range languages {
		p, ok := definition.PreviewOf(language, security == "true", minutes, len(idList(c.params["button_types"])) > 0)
		if !ok {
			return nil, graph.Param("Param languages must be codes of supported languages - got \"%s\".", language)
		}
		data = append(data, p)
	}
	return struct {
		Data []definition.Preview `json:"data"`
	}{data}, nil
}

const libraryFields = "name,language,category,topic,usecase,industry,header,body,body_params,body_param_types,buttons"

// listLibrary is GET /message_template_library and the same under an account.
func listLibrary(s *Sim, c *call) (any, *graph.Error) {
	get := func(key string) string { v, _ := c.params.String(key); return v }
	f := definition.Filter{Search: get("search"), Topic: get("topic"), UseCase: get("usecase"), Industry: get("industry"), Language: get("language")}
	byName := get("name")
	var all []object
	for _, e := range definition.Library() {
		if !f.Match(&e) || byName != "" && e.Name != byName {
			continue
		}
		o := object{"id": e.ID, "name": e.Name, "language": e.Language, "category": e.Category, "topic": e.Topic, "usecase": e.UseCase,
			"industry": e.Industry, "header": nil, "body": e.Body, "body_params": e.Params, "body_param_types": e.Types, "buttons": nil}
		if e.Header != "" {
			o["header"] = e.Header
		}
		if len(e.Buttons) > 0 {
			o["buttons"] = e.Buttons
		}
		all = append(all, o)
	}
	return s.paged(c, nodeTemplate, libraryFields, all)
}
