package media

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Object is a file on its way from where it is kept. Whoever gets one closes its Body.
type Object struct {
	Size int64  // in bytes; less than 0 if it is not known
	Type string // MIME type as it was declared; may be "" or wrong
	Body io.ReadCloser
}

// File is a file that has been checked, on its way to WhatsApp.
type File struct {
	Type string    // MIME type
	Name string    // for Meta's records
	Size int64     // in bytes
	Body io.Reader // exactly Size bytes, to be read once
}

// Check decides what a file is sent as, or refuses it as InvalidParameters: because its type or size is none WhatsApp takes, or
// because it is not what it is declared to be. name is the file's, for its extension; head its first bytes.
//
// A declared type of the table has to agree with the content. Any other declaration, such as application/octet-stream, is
// ignored in favour of the name and the content.
func Check(declared, name string, size int64, head []byte) (Type, error) {
	if size < 0 {
		return Type{}, refuse("The size of the file is not known: its source has to send a Content-Length.")
	}
	if size == 0 {
		return Type{}, refuse("The file is empty.")
	}
	content := Sniff(head)
	t, known := Lookup(declared)
	switch {
	case known && !slices.Contains(content.Types, t.MIME):
		return Type{}, refuse("The file is declared as %s, but its content is %s.", t.MIME, content.Name)
	case known:
	case len(content.Types) == 0:
		return Type{}, refuse("WhatsApp does not take files like this one: its content is %s.", content.Name)
	default:
		if t, known = byName(name); !known || !slices.Contains(content.Types, t.MIME) {
			t, _ = Lookup(content.Types[0])
		}
	}
	if limit := t.Limit(content.Animated); size > limit {
		return Type{}, refuse("The file has %d bytes. WhatsApp takes %s files of %s of at most %d bytes.", size, t.Class, t.MIME, limit)
	}
	return t, nil
}

// Inspect checks an object by its first bytes and returns a reader of all of it. The object's Body still has to be closed.
func Inspect(o Object, name string) (Type, io.Reader, error) {
	if o.Size > MaxBytes { // whatever it is
		return Type{}, nil, refuse("The file has %d bytes. WhatsApp takes at most %d.", o.Size, int64(MaxBytes))
	}
	head := make([]byte, min(max(o.Size, 0), Head))
	n, err := io.ReadFull(o.Body, head)
	if err != nil && !errors.Is(err, io.EOF) {
		return Type{}, nil, fault.Wrap(fault.Dependency, err, "The file could not be read: %s.", short(n, o.Size))
	}
	t, err := Check(o.Type, name, o.Size, head)
	return t, io.MultiReader(bytes.NewReader(head), o.Body), err
}

func short(n int, size int64) string {
	return "its source ended after " + strconv.Itoa(n) + " of " + strconv.FormatInt(size, 10) + " bytes"
}

func refuse(format string, args ...any) error {
	return fault.New(fault.InvalidParameters, format, args...)
}
