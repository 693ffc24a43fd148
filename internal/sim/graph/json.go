package graph

import (
	"bytes"
	"encoding/json"
	"unicode/utf16"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// Marshal renders v the way Meta's servers do; see AppendEscaped. The value must be one that encoding/json can render.
func Marshal(v any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("graph: unmarshalable value: " + err.Error()) // only our own wire types come here
	}
	return AppendEscaped(make([]byte, 0, buf.Len()+64), bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
}

// AppendEscaped appends valid JSON to dst in the byte form Meta signs: no white space, a slash as \/, and every character
// beyond ASCII as \uXXXX with lower-case digits. A client that parses and re-serialises before it checks the signature fails
// on this form, as it would with Meta. Key order is kept.
func AppendEscaped(dst, src []byte) []byte {
	inString := false
	for i := 0; i < len(src); {
		c := src[i]
		switch {
		case !inString:
			i++
			switch c {
			case ' ', '\t', '\r', '\n':
				continue
			case '"':
				inString = true
			}
			dst = append(dst, c)
		case c == '"':
			inString = false
			dst = append(dst, c)
			i++
		case c == '\\' && i+5 < len(src) && src[i+1] == 'u':
			dst = appendUnit(dst, hexUnit(src[i+2:i+6]))
			i += 6
		case c == '\\' && i+1 < len(src):
			dst = append(dst, c, src[i+1])
			i += 2
		default:
			var n int
			dst, n = appendChar(dst, src[i:])
			i += n
		}
	}
	return dst
}

// AppendString appends s as a JSON string in Meta's byte form.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	plain := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' && c != '/' {
			i++
			continue
		}
		dst = append(dst, s[plain:i]...)
		if c < utf8.RuneSelf {
			dst = appendUnit(dst, uint16(c))
			i++
		} else {
			r, n := utf8.DecodeRuneInString(s[i:])
			dst = appendRune(dst, r)
			i += n
		}
		plain = i
	}
	return append(append(dst, s[plain:]...), '"')
}

// appendChar appends the first character of src, which is not an escape sequence, and returns how many bytes it took.
func appendChar(dst, src []byte) ([]byte, int) {
	if src[0] < utf8.RuneSelf {
		if src[0] == '/' {
			return append(dst, '\\', '/'), 1
		}
		return append(dst, src[0]), 1
	}
	r, n := utf8.DecodeRune(src)
	return appendRune(dst, r), n
}

func appendRune(dst []byte, r rune) []byte {
	if r1, r2 := utf16.EncodeRune(r); r1 != utf8.RuneError {
		return appendUnit(appendUnit(dst, uint16(r1)), uint16(r2))
	}
	return appendUnit(dst, uint16(r))
}

// appendUnit appends one UTF-16 code unit inside a string: short escapes where JSON has them, the character itself when it is
// printable ASCII, \uXXXX otherwise.
func appendUnit(dst []byte, u uint16) []byte {
	switch u {
	case '"', '\\', '/':
		return append(dst, '\\', byte(u))
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	if u >= 0x20 && u < utf8.RuneSelf {
		return append(dst, byte(u))
	}
	return append(dst, '\\', 'u', hexDigits[u>>12], hexDigits[u>>8&15], hexDigits[u>>4&15], hexDigits[u&15])
}

func hexUnit(digits []byte) uint16 {
	var u uint16
	for _, c := range digits {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		default:
			c -= 'A' - 10
		}
		u = u<<4 | uint16(c)
	}
	return u
}
