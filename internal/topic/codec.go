package topic

import (
	"encoding/binary"
	"errors"
	"slices"
)

// The sealed part of a stored message is a version byte and length-prefixed fields: cheap to write and read on the way
// through, and free of the escaping that JSON would add to a JSON body.
const codecVersion = 1

var errCodec = errors.New("unknown form")

// encode returns everything about the message that is not kept in columns of its own.
func (m *Message) encode() []byte {
	b := make([]byte, 0, m.Size()+len(m.Subject)+len(m.Token)+16+16*len(m.Attributes)+16*len(m.Variants))
	b = append(b, codecVersion)
	b = putString(b, m.Subject)
	b = putString(b, m.Body)
	b = putString(b, m.Token)
	b = binary.AppendUvarint(b, uint64(len(m.Variants)))
	names := make([]string, 0, len(m.Variants))
	for name := range m.Variants {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b = putString(b, name)
		b = putString(b, m.Variants[name])
	}
	b = binary.AppendUvarint(b, uint64(len(m.Attributes)))
	for i := range m.Attributes {
		a := &m.Attributes[i]
		b = putString(b, a.Name)
		b = putString(b, a.Type)
		b = putString(b, a.String)
		b = putString(b, a.Binary)
	}
	return b
}

func putString[T string | []byte](b []byte, s T) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// decode reads what encode wrote. The message keeps references into b.
func (m *Message) decode(b []byte) error {
	if len(b) == 0 || b[0] != codecVersion {
		return errCodec
	}
	r := reader{b: b[1:]}
	m.Subject = string(r.bytes())
	m.Body = r.bytes()
	m.Token = string(r.bytes())
	if n := r.count(); n > 0 {
		m.Variants = make(map[string][]byte, n)
		for range n {
			name := string(r.bytes())
			m.Variants[name] = r.bytes()
		}
	}
	if n := r.count(); n > 0 {
		m.Attributes = make([]Attribute, n)
		for i := range m.Attributes {
			a := &m.Attributes[i]
			a.Name, a.Type, a.String = string(r.bytes()), string(r.bytes()), string(r.bytes())
			if v := r.bytes(); len(v) > 0 {
				a.Binary = v
			}
		}
	}
	if r.bad || len(r.b) != 0 {
		return errCodec
	}
	return nil
}

// reader takes fields off the front of b and remembers when that fails.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[size:]
	return n
}

// count reads a number of entries, each of which takes at least one byte.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return 0
	}
	return int(n)
}

func (r *reader) bytes() []byte {
	n := r.count()
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}
