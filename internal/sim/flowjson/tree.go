package flowjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
)

// Kinds of JSON values, as Meta's messages name them.
const (
	kindObject  = "object"
	kindArray   = "array"
	kindString  = "string"
	kindNumber  = "number"
	kindBoolean = "boolean"
	kindNull    = "null"
)

// node is a JSON value and where it stands.
type node struct {
	kind       string
	start, end int // bytes of the text
	text       string
	truth      bool
	names      []string // of members, in order; a repeated name's last value counts
	members    map[string]*node
	items      []*node

	parent *node
	name   string // of this member, when the parent is an object
	index  int    // of this item, when the parent is an array
}

// get returns a member, or nil: also of nil and of what is no object.
func (n *node) get(name string) *node {
	if n == nil {
		return nil
	}
	return n.members[name]
}

// str returns the text of a string, or "".
func (n *node) str() string {
	if n == nil || n.kind != kindString {
		return ""
	}
	return n.text
}

func (n *node) isTrue() bool { return n != nil && n.kind == kindBoolean && n.truth }

// path spells how the value is reached, as screens[0].layout.children[2].
func (n *node) path() string {
	if n.parent == nil {
		return ""
	}
	before := n.parent.path()
	switch {
	case n.parent.kind == kindArray:
		return before + "[" + strconv.Itoa(n.index) + "]"
	case before == "":
		return n.name
	default:
		return before + "." + n.name
	}
}

// maxDepth is far beyond any Flow; it bounds recursion.
const maxDepth = 64

var errDepth = errors.New("nests too deep")

// parse reads a JSON text into a tree. The offset of an error is where reading stopped.
func parse(text []byte) (root *node, offset int, err error) {
	p := parser{text: text, dec: json.NewDecoder(bytes.NewReader(text))}
	p.dec.UseNumber()
	root, err = p.value(nil, 0)
	if err == nil {
		if _, extra := p.dec.Token(); !errors.Is(extra, io.EOF) {
			err = errors.New("text after the end")
		}
	}
	offset = int(p.dec.InputOffset())
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = int(syntax.Offset)
	}
	return root, min(offset, len(text)), err
}

type parser struct {
	text []byte
	dec  *json.Decoder
}

// token reads the next token and where it is.
func (p *parser) token() (t json.Token, start, end int, err error) {
	start = int(p.dec.InputOffset())
	t, err = p.dec.Token()
	end = int(p.dec.InputOffset())
	for start < end && strings.IndexByte(" \t\r\n,:", p.text[start]) >= 0 {
		start++
	}
	return t, start, end, err
}

func (p *parser) value(parent *node, depth int) (*node, error) {
	t, start, end, err := p.token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	n := &node{start: start, end: end, parent: parent}
	switch t := t.(type) {
	case json.Delim:
		if depth == maxDepth {
			return nil, errDepth
		}
		n.kind = kindArray
		if t == '{' {
			n.kind, n.members = kindObject, map[string]*node{}
		}
		return n, p.content(n, depth+1)
	case string:
		n.kind, n.text = kindString, t
	case json.Number:
		n.kind, n.text = kindNumber, t.String()
	case bool:
		n.kind, n.truth = kindBoolean, t
	default:
		n.kind = kindNull
	}
	return n, nil
}

// content reads what is inside an object or array, and its end.
func (p *parser) content(n *node, depth int) error {
	for p.dec.More() {
		var name string
		if n.kind == kindObject {
			t, _, _, err := p.token()
			if err != nil {
				return err
			}
			name = t.(string) // the decoder admits no other names
		}
		child, err := p.value(n, depth)
		if err != nil {
			return err
		}
		if n.kind == kindArray {
			child.index = len(n.items)
			n.items = append(n.items, child)
			continue
		}
		child.name = name
		if n.members[name] == nil {
			n.names = append(n.names, name)
		}
		n.members[name] = child
	}
	_, _, end, err := p.token()
	n.end = end
	return err
}
