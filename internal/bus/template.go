package bus

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// template is a text with placeholders. One that begins with a quotation mark is prose: a JSON string, or several with space
// between. Any other is JSON.
type template struct {
	prose bool
	parts []part
}

// part is a piece of text, or a placeholder.
type part struct {
	text   string
	name   string // of the placeholder
	quoted bool   // the placeholder stands within a string
}

func parseTemplate(s string) template {
	t := template{prose: strings.HasPrefix(strings.TrimSpace(s), `"`)}
	quoted, start := false, 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if quoted {
				i++
			}
		case '"':
			quoted = !quoted
		case '<':
			end := strings.IndexByte(s[i:], '>')
			if end < 0 || !placeholderName(s[i+1:i+end]) {
				continue
			}
			t.parts = append(t.parts, part{text: s[start:i]}, part{name: s[i+1 : i+end], quoted: quoted})
			i += end
			start = i + 1
		}
	}
	return template{t.prose, append(t.parts, part{text: s[start:]})}
}

// placeholderName reports whether a text between < and > is the name of a placeholder.
func placeholderName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return s != ""
}

// names returns the placeholders, in order.
func (t template) names() (names []string) {
	for _, p := range t.parts {
		if p.name != "" {
			names = append(names, p.name)
		}
	}
	return names
}

// render puts values in place of placeholders, as EventBridge does: what does not exist is an empty string; within a string of a
// template a string loses its quotation marks, and in prose everything does. It stops soon after the text is longer than most.
func (t template) render(value func(name string) rawjson.Value, most int) []byte {
	var b []byte
	for _, p := range t.parts {
		if len(b) > most {
			break
		}
		if p.name == "" {
			b = append(b, p.text...)
			continue
		}
		v := value(p.name)
		switch {
		case v == nil && !p.quoted:
			b = append(b, `""`...)
		case !p.quoted:
			b = append(b, v...)
		case v.IsString():
			b = append(b, v[1:len(v)-1]...)
		case t.prose:
			b = appendUnquoted(b, v)
		default:
			b = append(b, v...)
		}
	}
	return b
}

// appendUnquoted appends a JSON text without the quotation marks around its strings. What is escaped within them stays so.
func appendUnquoted(b []byte, v rawjson.Value) []byte {
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case '"':
		case '\\':
			b = append(b, v[i], v[i+1])
			i++
		default:
			b = append(b, v[i])
		}
	}
	return b
}

// texts reports whether b is a JSON text, or several with space between.
func texts(b []byte) bool {
	d := json.NewDecoder(bytes.NewReader(b))
	for n := 0; ; n++ {
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return errors.Is(err, io.EOF) && n > 0
		}
	}
}
