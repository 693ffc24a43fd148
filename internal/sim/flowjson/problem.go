package flowjson

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// Problem is an element of validation_errors, in Meta's form. Lines and columns count from 1, columns in characters; the end
// is the last character that belongs to the value.
type Problem struct {
	Code    string `json:"error"`
	Type    string `json:"error_type"` // always FLOW_JSON_ERROR
	Message string `json:"message"`
	Span
	Pointers []Pointer `json:"pointers"`
}

// Span is a stretch of the text.
type Span struct {
	LineStart   int `json:"line_start"`
	LineEnd     int `json:"line_end"`
	ColumnStart int `json:"column_start"`
	ColumnEnd   int `json:"column_end"`
}

// Pointer is a value that takes part in a problem.
type Pointer struct {
	Span
	Path string `json:"path"`
}

// Codes of problems, Meta's words.
const (
	invalidJSON         = "INVALID_FLOW_JSON"
	missingVersion      = "MISSING_FLOW_JSON_VERSION"
	invalidVersion      = "INVALID_FLOW_JSON_VERSION"
	unsupportedVersion  = "UNSUPPORTED_FLOW_JSON_VERSION"
	invalidDataVersion  = "INVALID_DATA_API_VERSION"
	invalidKey          = "INVALID_PROPERTY_KEY"
	invalidValue        = "INVALID_PROPERTY_VALUE"
	invalidType         = "INVALID_PROPERTY_TYPE"
	invalidEnum         = "INVALID_ENUM_VALUE"
	missingProperty     = "MISSING_REQUIRED_TYPE_PROPERTY"
	minItems            = "MIN_ITEMS_REQUIRED"
	maxItems            = "MAX_ITEMS_EXCEEDED"
	minChars            = "MIN_CHARS_REQUIRED"
	maxChars            = "MAX_CHARS_EXCEEDED"
	patternMismatch     = "PATTERN_MISMATCH"
	exclusive           = "NOT_KEYWORD_SCHEMA_VALIDATION_FAILED"
	invalidRouting      = "INVALID_ROUTING_MODEL"
	invalidNavigation   = "INVALID_NAVIGATE_ACTION_PAYLOAD"
	invalidNext         = "INVALID_NAVIGATE_ACTION_NEXT_SCREEN_NAME"
	invalidComplete     = "INVALID_COMPLETE_ACTION"
	invalidPayload      = "INVALID_ON_CLICK_ACTION_PAYLOAD"
	invalidScreenData   = "INVALID_SCREEN_DATA"
	invalidDynamicData  = "INVALID_SCREEN_DYNAMIC_DATA"
	tooManyScreens      = "MAX_SCREENS_NUMBER"
	tooManyComponents   = "MAX_ALLOWED_COMPONENTS_PER_SCREEN"
	invalidPlacement    = "INVALID_COMPONENT_PLACEMENT"
	reservedScreenID    = "SCREEN_ID_IS_RESERVED_KEYWORD"
	duplicateScreenIDs  = "DUPLICATE_SCREEN_IDS"
	missingTerminal     = "MISSING_TERMINAL_SCREEN"
	missingFooter       = "MISSING_FOOTER_ON_TERMINAL_SCREEN"
	missingBranchFooter = "MISSING_FOOTER_IN_IF_ELSE_BRANCHES"
	duplicateNames      = "DUPLICATE_FORM_COMPONENT_NAMES"
	minAboveMax         = "MIN_VALUE_GREATER_THAN_MAX"
)

// Bounds of a report: a text of ten megabytes can be wrong in a million places, and one problem can be about as many.
const (
	maxProblems = 100
	maxPointers = 20
)

// report collects problems of one text.
type report struct {
	text     []byte
	lines    []int // offset of the start of each line; made when first needed
	problems []Problem
}

// add files a problem with the values it is about; the first one's place is the problem's own.
func (r *report) add(code string, about []*node, format string, args ...any) {
	if len(r.problems) == maxProblems {
		return
	}
	p := Problem{Code: code, Type: "FLOW_JSON_ERROR", Message: fmt.Sprintf(format, args...), Pointers: []Pointer{}}
	for _, n := range about[:min(len(about), maxPointers)] {
		p.Pointers = append(p.Pointers, Pointer{Span: r.span(n.start, n.end), Path: n.path()})
	}
	if len(p.Pointers) > 0 {
		p.Span = p.Pointers[0].Span
	}
	r.problems = append(r.problems, p)
}

// at is add for a single value.
func (r *report) at(code string, n *node, format string, args ...any) {
	r.add(code, []*node{n}, format, args...)
}

func (r *report) span(start, end int) Span {
	var s Span
	s.LineStart, s.ColumnStart = r.place(start)
	s.LineEnd, s.ColumnEnd = r.place(max(start, end-1))
	return s
}

// place turns an offset into a line and a column.
func (r *report) place(offset int) (line, column int) {
	if r.lines == nil {
		r.lines = []int{0}
		for i, c := range r.text {
			if c == '\n' {
				r.lines = append(r.lines, i+1)
			}
		}
	}
	line = sort.SearchInts(r.lines, offset+1)
	return line, utf8.RuneCount(r.text[r.lines[line-1]:offset]) + 1
}

// quoted lists words, or the first of too many.
func quoted(words []string) string {
	more := ""
	if len(words) > maxPointers {
		words, more = words[:maxPointers], ", …"
	}
	return "'" + strings.Join(words, "', '") + "'" + more
}
