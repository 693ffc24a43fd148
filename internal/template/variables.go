package template

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// variable is one {{…}} of a text, by byte offsets; name has no surrounding spaces.
type variable struct {
	name       string
	start, end int
}

// scanned is a text taken apart.
type scanned struct {
	variables  []variable
	unbalanced bool // an opening {{ without its }}, or the reverse, or more than two braces
	single     bool // something like {1}: a variable with too few braces
}

// scan finds the variables of a text.
func scan(s string) (r scanned) {
	for i := 0; i < len(s); {
		switch s[i] {
		case '{':
			n := run(s[i:], '{')
			if n == 1 {
				if end := strings.IndexAny(s[i+1:], "{}"); end > 0 && s[i+1+end] == '}' && nameLike(s[i+1:i+1+end]) {
					r.single = true
					if run(s[i+1+end:], '}') > 1 {
						r.unbalanced = true
					}
					i += 1 + end + run(s[i+1+end:], '}')
					continue
				}
				i++
				continue
			}
			inner := strings.IndexAny(s[i+n:], "{}")
			if n > 2 || inner < 0 || run(s[i+n+inner:], '}') != 2 {
				r.unbalanced = true
				i += n
				continue
			}
			end := i + n + inner + 2
			r.variables = append(r.variables, variable{strings.TrimSpace(s[i+n : end-2]), i, end})
			i = end
		case '}':
			n := run(s[i:], '}')
			r.unbalanced = r.unbalanced || n > 1
			i += n
		default:
			i++
		}
	}
	return r
}

// run counts how often c stands at the start of s.
func run(s string, c byte) int {
	n := 0
	for n < len(s) && s[n] == c {
		n++
	}
	return n
}

// nameLike reports whether s could have been meant as a variable.
func nameLike(s string) bool {
	s = strings.TrimSpace(s)
	for _, c := range s {
		if c != '_' && !unicode.IsDigit(c) && !unicode.IsLetter(c) {
			return false
		}
	}
	return s != ""
}

// goodName reports whether a named variable is written as Meta wants it: lower-case letters, digits and underscores.
func goodName(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// number returns the number of a positional variable, 0 if it is none.
func (v variable) number() int {
	n, err := strconv.Atoi(v.name)
	if err != nil || n < 1 || strconv.Itoa(n) != v.name {
		return 0
	}
	return n
}

// words counts what is written around the variables.
func (r *scanned) words(s string) int {
	n, at := 0, 0
	for _, v := range r.variables {
		n += words(s[at:v.start])
		at = v.end
	}
	return n + words(s[at:])
}

// words counts the words of a text. Scripts that set no spaces between words are counted by characters, two to a word.
func words(s string) int {
	n, dense := 0, 0
	inWord := false
	for _, c := range s {
		switch {
		case unicode.In(c, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
			dense++
			inWord = false
		case unicode.IsLetter(c) || unicode.IsNumber(c):
			if !inWord {
				n++
			}
			inWord = true
		case c != '\'' && c != '’' && c != '-':
			inWord = false
		}
	}
	return n + (dense+1)/2
}

func length(s string) int { return utf8.RuneCountInString(s) }
