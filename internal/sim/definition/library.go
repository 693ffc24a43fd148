package definition

import (
	_ "embed" // for the library
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

//go:embed library.json
var libraryText []byte

// Entry is a ready-made template of the library.
type Entry struct {
	ID       string        `json:"id"`
	Name     string        `json:"name"`
	Language string        `json:"language"`
	Category string        `json:"category"`
	Topic    string        `json:"topic"`
	UseCase  string        `json:"usecase"`
	Industry []string      `json:"industry"`
	Header   string        `json:"header,omitempty"`
	Body     string        `json:"body"`
	Params   []string      `json:"body_params"`
	Types    []string      `json:"body_param_types"`
	Buttons  []EntryButton `json:"buttons,omitempty"`
}

// EntryButton is a button of an Entry; its address and number are the user's to give.
type EntryButton struct {
	Type  string `json:"type"`
	Text  string `json:"text"`
	URL   string `json:"url,omitempty"`
	Phone string `json:"phone_number,omitempty"`
}

// Library returns the ready-made templates. The list is shared: do not change it.
var Library = sync.OnceValue(func() (entries []Entry) {
	if err := json.Unmarshal(libraryText, &entries); err != nil {
		panic("definition: library.json: " + err.Error())
	}
	return entries
})

// Filter selects entries; an empty member matches all.
type Filter struct{ Search, Topic, UseCase, Industry, Language string }

// Match reports whether an entry passes the filter. Search looks into name, header and body.
func (f Filter) Match(e *Entry) bool {
	is := func(want, got string) bool { return want == "" || strings.EqualFold(want, got) }
	text := strings.ToLower(e.Name + "\n" + e.Header + "\n" + e.Body)
	return is(f.Topic, e.Topic) && is(f.UseCase, e.UseCase) && is(f.Language, e.Language) &&
		strings.Contains(text, strings.ToLower(f.Search)) &&
		(f.Industry == "" || slices.ContainsFunc(e.Industry, func(i string) bool { return is(f.Industry, i) }))
}

// FromLibrary reads the body of a create call that names a template of the library.
func FromLibrary(p graph.Params) (*Definition, *graph.Error) {
	name, _ := p.String("library_template_name")
	d := &Definition{Library: name}
	if err := d.head(p); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(Library(), func(e Entry) bool { return e.Name == name && e.Language == d.Language })
	if i < 0 {
		return nil, Refuse(BadComponent, "The template library has no %s in the language %s.", name, d.Language)
	}
	e := &Library()[i]
	if d.Category != e.Category {
		return nil, Refuse(BadComponent, "The template %s of the library has the category %s.", name, e.Category)
	}
	if err := d.settings(p); err != nil {
		return nil, err
	}
	d.Format = Positional // as the library's bodies are
	parts, err := e.components(p)
	if err != nil {
		return nil, err
	}
	if err := d.components(graph.Params{"components": parts}, Options{}); err != nil {
		return nil, err
	}
	d.Types = e.Types
	return d, nil
}

// additions are the sentences that library_template_body_inputs add to a body.
var additions = []struct{ key, text string }{
	{"add_track_package_link", "Use the link below to follow your parcel."},
	{"add_learn_more_link", "You can read more on our website."},
	{"add_contact_number", "Our number is in our profile, in case you have a question."},
}

// components turns an entry and the inputs of a call into the components of a create call.
func (e *Entry) components(p graph.Params) ([]any, *graph.Error) {
	inputs := member(p, "library_template_body_inputs")
	on := func(key string) bool { s, _ := graph.Scalar(inputs[key]); return s == "true" }
	var parts []any
	body := map[string]any{"type": "BODY"}
	if e.Category == Authentication {
		body["add_security_recommendation"] = on("add_security_recommendation")
		if inputs["code_expiration_minutes"] != nil {
			parts = append(parts, map[string]any{"type": "FOOTER", "code_expiration_minutes": inputs["code_expiration_minutes"]})
		}
	} else {
		text := e.Body
		for _, a := range additions {
			if on(a.key) {
				text += " " + a.text
			}
		}
		samples := make([]any, len(e.Params))
		for i, s := range e.Params {
			samples[i] = s
		}
		body["text"], body["example"] = text, map[string]any{"body_text": []any{samples}}
	}
	if e.Header != "" {
		parts = append(parts, map[string]any{"type": "HEADER", "format": "TEXT", "text": e.Header})
	}
	parts = append(parts, body)
	buttons, err := e.buttons(p)
	if err != nil {
		return nil, err
	}
	if len(buttons) > 0 {
		parts = append(parts, map[string]any{"type": "BUTTONS", "buttons": buttons})
	}
	return parts, nil
}

// buttons fills an entry's buttons with library_template_button_inputs: a list, or that list as a JSON string. Each button takes
// the first unused input of its type.
func (e *Entry) buttons(p graph.Params) (list []any, err *graph.Error) {
	given, ok := p["library_template_button_inputs"].([]any)
	if text, isText := p["library_template_button_inputs"].(string); isText && text != "" {
		ok = json.Unmarshal([]byte(text), &given) == nil
	}
	if p["library_template_button_inputs"] != nil && !ok {
		return nil, graph.Param("Param library_template_button_inputs must be an array.")
	}
	used := make([]bool, len(given))
	take := func(kind string) map[string]any {
		for i, v := range given {
			m, _ := v.(map[string]any)
			if t, _ := graph.Scalar(m["type"]); !used[i] && strings.EqualFold(t, kind) {
				used[i] = true
				return m
			}
		}
		return nil
	}
	for i, b := range e.Buttons {
		input := take(b.Type)
		button := map[string]any{"type": b.Type, "text": b.Text}
		switch b.Type {
		case "URL":
			u := member(input, "url")
			button["url"], button["example"] = u["base_url"], u["url_suffix_example"]
			if u["base_url"] == nil {
				return nil, Refuse(MissingField, "library_template_button_inputs needs a URL for the button at index %d.", i)
			}
		case "PHONE_NUMBER":
			if button["phone_number"] = input["phone_number"]; input["phone_number"] == nil {
				return nil, Refuse(MissingField, "library_template_button_inputs needs a PHONE_NUMBER for the button at index %d.", i)
			}
		case "OTP":
			for _, key := range []string{"otp_type", "supported_apps", "zero_tap_terms_accepted", "autofill_text"} {
				button[key] = input[key]
			}
			if input["otp_type"] == nil {
				button["otp_type"] = "COPY_CODE"
			}
		}
		list = append(list, button)
	}
	for i := range used {
		if !used[i] {
			return nil, Refuse(BadComponent, "library_template_button_inputs has an input at index %d that fits no button of the template.", i)
		}
	}
	return list, nil
}
