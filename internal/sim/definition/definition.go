package definition

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// Categories and parameter formats.
const (
	Marketing      = "MARKETING"
	Utility        = "UTILITY"
	Authentication = "AUTHENTICATION"

	Positional = "POSITIONAL"
	Named      = "NAMED"
)

// Definition is what a business says a template is, in the form in which Meta shows it: words of closed lists in upper case, an
// authentication template's fixed texts filled in, its button shown as the address it is.
type Definition struct {
	Name, Language, Category string
	Format                   string // POSITIONAL or NAMED
	Components               []Component
	TTL                      int      // message_send_ttl_seconds; 0 is Meta's default, -1 thirty days
	Untracked                *bool    // cta_url_link_tracking_opted_out
	Library                  string   // name of the library's template it was made from
	Types                    []string // of the body's parameters, when the library has them
}

// Options are what the rules need to know of the account.
type Options struct {
	// Examples asks for examples of a positional body's variables even when the definition names no parameter_format. Meta wants
	// them; definitions written for its older API, among them those of AWS's user guide, leave them out.
	Examples bool
	// Shown reports that an address is what the template's sample is shown as, so that an edit may send it back.
	Shown func(address string) bool
	// Uploaded reports that a handle came from a resumable upload; nil takes any handle of the right form.
	Uploaded func(handle string) bool
	// Flow returns the id of the Flow of that id or name.
	Flow func(id, name string) (string, bool)
}

var nameForm = regexp.MustCompile(`^[a-z0-9_]{1,512}$`)

// Parse reads the body of a create call. Members it does not know are ignored, as at Meta.
func Parse(p graph.Params, o Options) (*Definition, *graph.Error) {
	d := &Definition{}
	if err := d.head(p); err != nil {
		return nil, err
	}
	if err := d.settings(p); err != nil {
		return nil, err
	}
	if err := d.components(p, o); err != nil {
		return nil, err
	}
	return d, nil
}

// Edit returns the definition with the changes of an edit call. Name and language are never part of them.
func (d *Definition) Edit(p graph.Params, o Options) (*Definition, *graph.Error) {
	changed := *d
	if p["category"] != nil {
		category, err := word(p, "category", Authentication, Marketing, Utility)
		if err != nil {
			return nil, err
		}
		changed.Category = category
	}
	if err := changed.settings(p); err != nil {
		return nil, err
	}
	if p["components"] != nil {
		if err := changed.components(p, o); err != nil {
			return nil, err
		}
		changed.Types, changed.Library = nil, "" // it is the business's own now
	}
	return &changed, nil
}

func (d *Definition) head(p graph.Params) (err *graph.Error) {
	for _, key := range []string{"name", "language", "category"} {
		if s, ok := p.String(key); !ok || s == "" {
			return graph.Param("The parameter %s is required.", key)
		}
	}
	d.Name, _ = p.String("name")
	d.Language, _ = p.String("language")
	switch {
	case !nameForm.MatchString(d.Name):
		return graph.Param("Param name must have 1 to 512 lower-case letters, digits and underscores.")
	case !languages[d.Language]:
		return graph.Param("Param language must be a code of a supported language, such as en_US - got \"%s\".", d.Language)
	}
	d.Category, err = word(p, "category", Authentication, Marketing, Utility)
	return err
}

// lives are the shortest and longest message_send_ttl_seconds of a category.
var lives = map[string][2]int{Authentication: {30, 900}, Utility: {30, 43200}, Marketing: {43200, 2592000}}

func (d *Definition) settings(p graph.Params) (err *graph.Error) {
	if p["parameter_format"] != nil || d.Format == "" {
		d.Format = Positional
	}
	if p["parameter_format"] != nil {
		if d.Format, err = word(p, "parameter_format", Named, Positional); err != nil {
			return err
		}
	}
	if p["cta_url_link_tracking_opted_out"] != nil {
		out, err := word(p, "cta_url_link_tracking_opted_out", "TRUE", "FALSE")
		if err != nil {
			return err
		}
		untracked := out == "TRUE"
		d.Untracked = &untracked
	}
	text, given := p.String("message_send_ttl_seconds")
	if !given {
		return nil
	}
	ttl, bad := strconv.Atoi(text)
	if span := lives[d.Category]; bad != nil || (ttl < span[0] || ttl > span[1]) && (ttl != -1 || d.Category == Marketing) {
		return graph.Param("Param message_send_ttl_seconds must be an integer between %d and %d for the category %s.", span[0], span[1], d.Category)
	}
	d.TTL = ttl
	return nil
}

// word reads a member of a closed list, whose case does not matter.
func word(m map[string]any, key string, words ...string) (string, *graph.Error) {
	s, _ := graph.Scalar(m[key])
	s = strings.ToUpper(s)
	if !slices.Contains(words, s) {
		return "", graph.Param("Param %s must be one of {%s} - got \"%s\".", key, strings.Join(words, ", "), s)
	}
	return s, nil
}
