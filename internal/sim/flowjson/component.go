package flowjson

// property is what a component's property may be.
type property struct {
	kind     string   // "" takes anything
	also     string   // another kind it may be
	required bool     // must be there
	limit    int      // characters of a string, items of an array; 0 is unlimited
	least    int      // items of an array
	enum     []string // the only values of a string
	fixed    bool     // may not refer to data
	since    int      // version that brought it, as 601 for 6.1; 0 is always
}

// component is a kind of building block.
type component struct {
	properties map[string]property
	since      int
	perScreen  int  // how many a screen may have; 0 is unlimited
	input      bool // the user's answer is ${form.name}
	holds      []string
}

func required(p property) property     { p.required = true; return p }
func since(v int, p property) property { p.since = v; return p }

func text(limit int) property                { return property{kind: kindString, limit: limit} }
func flag() property                         { return property{kind: kindBoolean} }
func number() property                       { return property{kind: kindNumber, also: kindString} }
func list(least, limit int) property         { return property{kind: kindArray, least: least, limit: limit} }
func word(enum ...string) property           { return property{kind: kindString, enum: enum} }
func object() property                       { return property{kind: kindObject} }
func action() property                       { return property{kind: kindObject, fixed: true} }
func name() property                         { return property{kind: kindString, required: true, fixed: true, limit: 120} }
func either(a, b string, limit int) property { return property{kind: a, also: b, limit: limit} }

// maxComponents is how many components a screen may have.
const maxComponents = 50

var fontWeights = word("bold", "italic", "bold_italic", "normal")

// components is every building block. Limits are those of Meta's component reference.
var components = map[string]component{
	"TextHeading":    {properties: map[string]property{"text": required(text(80)), "visible": flag()}},
	"TextSubheading": {properties: map[string]property{"text": required(text(80)), "visible": flag()}},
	"TextBody":       {properties: paragraph},
	"TextCaption":    {properties: paragraph},
	"RichText":       {properties: map[string]property{"text": required(either(kindString, kindArray, 0)), "visible": flag()}},
	"TextInput": {input: true, properties: with(field(20), map[string]property{
		"input-type": word("text", "number", "email", "password", "passcode", "phone"), "pattern": since(602, text(0)),
		"min-chars": number(), "max-chars": number(), "helper-text": text(80), "label-variant": since(700, word("large"))})},
	"TextArea": {input: true, properties: with(field(20), map[string]property{
		"max-length": number(), "helper-text": text(80), "label-variant": since(700, word("large"))})},
	"CheckboxGroup": {input: true, properties: with(choice(30, 1, 20), map[string]property{
		"min-selected-items": number(), "max-selected-items": number(), "description": text(300), "media-size": word("regular", "large")})},
	"RadioButtonsGroup": {input: true, properties: with(choice(30, 1, 20), map[string]property{
		"description": text(300), "media-size": word("regular", "large")})},
	"ChipsSelector": {since: 603, input: true, properties: with(choice(80, 2, 20), map[string]property{
		"min-selected-items": number(), "max-selected-items": number(), "description": text(300)})},
	"Dropdown": {input: true, properties: choice(20, 1, 200)},
	"Footer": {perScreen: 1, properties: map[string]property{"label": required(text(35)), "left-caption": text(15),
		"center-caption": text(15), "right-caption": text(15), "enabled": flag(), "on-click-action": required(action())}},
	"OptIn": {perScreen: 5, input: true, properties: map[string]property{"name": name(), "label": required(text(120)), "required": flag(),
		"visible": flag(), "init-value": flag(), "on-click-action": action(), "on-select-action": action(), "on-unselect-action": action()}},
	"EmbeddedLink": {perScreen: 2, properties: map[string]property{"text": required(text(25)), "visible": flag(), "on-click-action": required(action())}},
	"DatePicker": {input: true, properties: with(field(40), map[string]property{"min-date": text(0), "max-date": text(0),
		"unavailable-dates": list(0, 0), "helper-text": text(80), "on-select-action": action()})},
	"CalendarPicker": {since: 601, input: true, properties: with(field(0), map[string]property{"label": required(either(kindString, kindObject, 40)),
		"title": text(80), "description": text(300), "helper-text": either(kindString, kindObject, 80), "required": either(kindBoolean, kindObject, 0),
		"mode": word("single", "range"), "min-date": text(0), "max-date": text(0), "unavailable-dates": list(0, 0), "include-days": list(0, 7),
		"min-days": number(), "max-days": number(), "on-select-action": action(), "init-value": either(kindString, kindObject, 0),
		"error-message": either(kindString, kindObject, 0)})},
	"Image": {perScreen: 3, properties: map[string]property{"src": required(text(0)), "width": number(), "height": number(),
		"scale-type": word("cover", "contain"), "aspect-ratio": number(), "alt-text": text(0), "visible": flag()}},
	"ImageCarousel": {since: 701, perScreen: 2, properties: map[string]property{"images": required(list(1, 3)),
		"aspect-ratio": word("4:3", "16:9"), "scale-type": word("cover", "contain"), "visible": flag()}},
	"NavigationList": {since: 602, perScreen: 2, properties: map[string]property{"name": name(), "list-items": required(list(1, 20)),
		"label": text(80), "description": text(300), "media-size": word("regular", "large"), "on-click-action": action(), "visible": flag()}},
	"PhotoPicker": {perScreen: 1, input: true, properties: with(picker, map[string]property{
		"photo-source": word("camera_gallery", "camera", "gallery"), "min-uploaded-photos": number(), "max-uploaded-photos": number()})},
	"DocumentPicker": {perScreen: 1, input: true, properties: with(picker, map[string]property{
		"allowed-mime-types": list(0, 0), "min-uploaded-documents": number(), "max-uploaded-documents": number()})},
	"Form": {properties: map[string]property{"name": name(), "children": required(list(0, 0)), "init-values": either(kindObject, kindString, 0),
		"error-messages": either(kindObject, kindString, 0)}, holds: []string{"children"}},
	"If": {properties: map[string]property{"condition": required(either(kindString, kindBoolean, 0)), "then": required(list(1, 0)),
		"else": list(1, 0)}, holds: []string{"then", "else"}},
	"Switch": {properties: map[string]property{"value": required(text(0)), "cases": required(object())}, holds: []string{"cases"}},
}

var paragraph = map[string]property{"text": required(either(kindString, kindArray, 4096)), "font-weight": fontWeights, "strikethrough": flag(),
	"visible": flag(), "markdown": flag()}

var picker = map[string]property{"name": name(), "label": required(text(80)), "description": text(300), "max-file-size-kb": number(),
	"enabled": flag(), "visible": flag(), "error-message": either(kindString, kindObject, 0)}

// field has the properties of everything one fills in.
func field(label int) map[string]property {
	return map[string]property{"name": name(), "label": required(text(label)), "required": flag(), "enabled": flag(), "visible": flag(),
		"init-value": text(0), "error-message": text(0)}
}

// choice has the properties of everything one chooses from.
func choice(label, least, most int) map[string]property {
	return with(field(label), map[string]property{"data-source": required(list(least, most)), "init-value": either(kindString, kindArray, 0),
		"on-select-action": action(), "on-unselect-action": since(600, action())})
}

func with(base, more map[string]property) map[string]property {
	all := make(map[string]property, len(base)+len(more))
	for name, p := range base {
		all[name] = p
	}
	for name, p := range more {
		all[name] = p
	}
	return all
}
