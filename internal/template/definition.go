package template

import (
	"encoding/json"
	"strconv"
)

// Definition is a definition ready to be submitted.
type Definition struct {
	JSON     []byte
	Name     string
	Language string
}

// ours are members that AWS's examples carry and Meta does not take: what only a template that exists has.
var ours = []string{"id", "metaTemplateId", "status"}

// Define prepares what CreateWhatsAppMessageTemplate was given: cleaned, and without what belongs to an existing template. What
// cannot be read stays as it is, for Lint or Meta to refuse.
func Define(raw []byte) Definition {
	d := Definition{JSON: Clean(raw)}
	var m map[string]json.RawMessage
	if json.Unmarshal(d.JSON, &m) != nil {
		return d
	}
	root, err := parse(d.JSON)
	if err != nil {
		return d
	}
	d.Name, d.Language = root.get("name").str(), root.get("language").str()
	before := len(m)
	for _, name := range ours {
		delete(m, name)
	}
	if len(m) < before {
		if trimmed, err := json.Marshal(m); err == nil {
			d.JSON = trimmed
		}
	}
	return d
}

// Components returns the array of components in what UpdateWhatsAppMessageTemplate was given: the array itself, or an object that
// has it.
func Components(raw []byte) []byte {
	raw = Clean(raw)
	var holder struct {
		Components json.RawMessage `json:"components"`
	}
	if json.Unmarshal(raw, &holder) == nil && holder.Components != nil {
		return holder.Components
	}
	return raw
}

// Taken is the problem with a name that has a template in the language already.
func Taken(name, language string) Problem {
	return Problem{Member: "name", Code: codeDuplicate, Certain: true, Text: "there is a template " + strconv.Quote(name) + " in " + language + " already",
		Mend: "choose another name, or update that template"}
}
