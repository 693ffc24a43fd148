package pattern

import (
	"bytes"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// leaf is a value of an event that is neither an object nor a list.
type leaf struct {
	kind  kind
	chars []byte // of a string, decoded; the text of everything else
}

type kind uint8

const (
	word kind = iota // true, false, null
	text
	digits
)

func newLeaf(v rawjson.Value) leaf {
	switch {
	case v == nil:
		return leaf{word, null}
	case v.IsString():
		return leaf{text, v.Chars()}
	case bytes.IndexByte([]byte("tf"), v[0]) >= 0:
		return leaf{word, v}
	default:
		return leaf{digits, v}
	}
}

var null = []byte("null")

// test is one thing a leaf can be compared with. Comparisons of text are met by strings only, those of numbers by numbers only.
type test interface {
	meets(l leaf) bool
}

type (
	exactText    string // case counts
	exactWord    string // true, false or null
	prefix       string
	suffix       string
	foldedText   string // case does not count
	foldedPrefix string
	foldedSuffix string
	network      netip.Prefix
	oneText      map[string]struct{} // many exactTexts
	noneOf       []test              // anything but
)

func (t exactText) meets(l leaf) bool { return l.kind == text && string(l.chars) == string(t) }
func (t exactWord) meets(l leaf) bool { return l.kind == word && string(l.chars) == string(t) }

func (t prefix) meets(l leaf) bool {
	return l.kind == text && len(l.chars) >= len(t) && string(l.chars[:len(t)]) == string(t)
}

func (t suffix) meets(l leaf) bool {
	return l.kind == text && len(l.chars) >= len(t) && string(l.chars[len(l.chars)-len(t):]) == string(t)
}

func (t foldedText) meets(l leaf) bool {
	rest, ok := cutFoldedPrefix(l.chars, string(t))
	return l.kind == text && ok && len(rest) == 0
}

func (t foldedPrefix) meets(l leaf) bool {
	_, ok := cutFoldedPrefix(l.chars, string(t))
	return l.kind == text && ok
}

func (t foldedSuffix) meets(l leaf) bool {
	return l.kind == text && hasFoldedSuffix(l.chars, string(t))
}

func (t oneText) meets(l leaf) bool {
	_, ok := t[string(l.chars)]
	return ok && l.kind == text
}

func (t noneOf) meets(l leaf) bool {
	for _, other := range t {
		if other.meets(l) {
			return false
		}
	}
	return true
}

func (t network) meets(l leaf) bool {
	const longest = len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")
	if l.kind != text || len(l.chars) > longest {
		return false
	}
	address, err := netip.ParseAddr(string(l.chars))
	return err == nil && netip.Prefix(t).Contains(address)
}

// present is met by every leaf, but not by an empty one if it wants a value.
type present struct {
	value bool
}

func (t present) meets(l leaf) bool {
	return !t.value || l.kind == digits || l.kind == word && l.chars[0] != 'n' || l.kind == text && len(l.chars) > 0
}

// cutFoldedPrefix takes letters, in whatever case, off the front of b.
func cutFoldedPrefix(b []byte, letters string) (rest []byte, ok bool) {
	for _, want := range letters {
		got, n := utf8.DecodeRune(b)
		if n == 0 || !sameFolded(got, want) {
			return nil, false
		}
		b = b[n:]
	}
	return b, true
}

func hasFoldedSuffix(b []byte, letters string) bool {
	for len(letters) > 0 {
		want, n := utf8.DecodeLastRuneInString(letters)
		got, m := utf8.DecodeLastRune(b)
		if m == 0 || !sameFolded(got, want) {
			return false
		}
		letters, b = letters[:len(letters)-n], b[:len(b)-m]
	}
	return true
}

func sameFolded(a, b rune) bool {
	return a == b || unicode.ToLower(a) == unicode.ToLower(b) || unicode.ToUpper(a) == unicode.ToUpper(b)
}

// wildcard is a text with gaps, each of which stands for any text: what comes before, between and after them.
type wildcard [][]byte

func (t wildcard) meets(l leaf) bool {
	first, last := t[0], t[len(t)-1]
	switch s := l.chars; {
	case l.kind != text:
		return false
	case len(t) == 1:
		return bytes.Equal(s, first)
	case len(s) < len(first)+len(last) || !bytes.HasPrefix(s, first) || !bytes.HasSuffix(s, last):
		return false
	}
	s := l.chars[len(first) : len(l.chars)-len(last)]
	for _, piece := range t[1 : len(t)-1] { // the earliest place leaves most for the rest
		i := bytes.Index(s, piece)
		if i < 0 {
			return false
		}
		s = s[i+len(piece):]
	}
	return true
}

// newWildcard reads a text in which * is a gap, and a backslash takes the meaning from * or another backslash. Positions in
// complaints count the opening quotation mark, as AWS's do.
func newWildcard(s string) (wildcard, error) {
	var w wildcard
	piece := []byte{}
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '*':
			if strings.HasPrefix(s[i+1:], "*") {
				return nil, complain("Consecutive wildcard characters at pos %d", i+1)
			}
			w, piece = append(w, piece), []byte{}
		case '\\':
			if i++; i == len(s) || s[i] != '*' && s[i] != '\\' {
				return nil, complain("Invalid escape character at pos %d", i)
			}
			piece = append(piece, s[i])
		default:
			piece = append(piece, s[i])
		}
	}
	return append(w, piece), nil
}
