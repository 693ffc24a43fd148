// Package media knows which files WhatsApp takes: their types, their sizes, how to tell what a file really is, and what the
// copy of a customer's file is called in a bucket.
//
// It sees only the beginning of a file. Types and limits are those of the AWS user guide and of Meta's page on supported media
// types, which agree; a kilobyte is 1,024 bytes, the reading that refuses nothing Meta takes.
package media

import (
	"mime"
	"path"
	"strings"
)

// Class is the kind of message a file can be part of.
type Class string

// The five classes.
const (
	Audio    Class = "audio"
	Document Class = "document"
	Image    Class = "image"
	Sticker  Class = "sticker"
	Video    Class = "video"
)

const (
	kilobyte = 1 << 10
	megabyte = 1 << 20

	// MaxBytes is the size of the largest file of any type.
	MaxBytes = 100 * megabyte
)

// Type is a row of the table of supported types.
type Type struct {
	MIME  string
	Class Class
	Ext   string // with its dot, as GetWhatsAppMessageMedia appends it
}

const officeXML = "application/vnd.openxmlformats-officedocument."

// types is the whole table.
var types = []Type{
	{"audio/aac", Audio, ".aac"},
	{"audio/amr", Audio, ".amr"},
	{"audio/mpeg", Audio, ".mp3"},
	{"audio/mp4", Audio, ".m4a"},
	{"audio/ogg", Audio, ".ogg"},
	{"text/plain", Document, ".text"},
	{"application/vnd.ms-excel", Document, ".xls"},
	{officeXML + "spreadsheetml.sheet", Document, ".xlsx"},
	{"application/msword", Document, ".doc"},
	{officeXML + "wordprocessingml.document", Document, ".docx"},
	{"application/vnd.ms-powerpoint", Document, ".ppt"},
	{officeXML + "presentationml.presentation", Document, ".pptx"},
	{"application/pdf", Document, ".pdf"},
	{"image/jpeg", Image, ".jpeg"},
	{"image/png", Image, ".png"},
	{"image/webp", Sticker, ".webp"},
	{"video/3gpp", Video, ".3gp"},
	{"video/mp4", Video, ".mp4"},
}

// aliases are other names of types in the table. AWS's guide itself writes video/3gp for the registered video/3gpp; the rest is
// what common tools guess from a file's name.
var aliases = map[string]string{
	"video/3gp": "video/3gpp", "audio/3gpp": "video/3gpp", "image/jpg": "image/jpeg", "audio/mp3": "audio/mpeg",
	"audio/m4a": "audio/mp4", "audio/x-m4a": "audio/mp4", "audio/mp4a-latm": "audio/mp4", "audio/x-aac": "audio/aac",
	"audio/opus": "audio/ogg",
}

// extensions beside those of the table.
var extensions = map[string]string{
	".jpg": "image/jpeg", ".txt": "text/plain", ".opus": "audio/ogg", ".3gpp": "video/3gpp",
}

// Lookup finds a type by its MIME type, whose parameters and case do not matter.
func Lookup(mimeType string) (Type, bool) {
	name := bare(mimeType)
	if real, ok := aliases[name]; ok {
		name = real
	}
	for _, t := range types {
		if t.MIME == name {
			return t, true
		}
	}
	return Type{}, false
}

// byName finds a type by a file's name.
func byName(file string) (Type, bool) {
	ext := strings.ToLower(path.Ext(file))
	if name, ok := extensions[ext]; ok {
		return Lookup(name)
	}
	for _, t := range types {
		if t.Ext == ext {
			return t, true
		}
	}
	return Type{}, false
}

// bare strips a MIME type of its parameters.
func bare(mimeType string) string {
	name, _, err := mime.ParseMediaType(mimeType)
	if err != nil {
		name, _, _ = strings.Cut(mimeType, ";")
		name = strings.ToLower(strings.TrimSpace(name))
	}
	return name
}

// Limit is the size of the largest file of the type, in bytes. Animated stickers may be larger.
func (t Type) Limit(animated bool) int64 {
	switch t.Class {
	case Document:
		return MaxBytes
	case Image:
		return 5 * megabyte
	case Sticker:
		if animated {
			return 500 * kilobyte
		}
		return 100 * kilobyte
	default:
		return 16 * megabyte
	}
}

// samples are the types that can be the example of a template's header (Meta's resumable upload).
var samples = map[string]bool{"image/jpeg": true, "image/png": true, "video/mp4": true, "application/pdf": true}

// Sample reports whether a file of the type can be the example of a template's header.
func (t Type) Sample() bool { return samples[t.MIME] }

// Key is the name under which GetWhatsAppMessageMedia stores a file: the caller's key is a prefix, to which the media id and an
// extension are appended without any separator. The extension is the table's, or else the MIME type's own second half.
func Key(prefix, mediaID, mimeType string) string {
	return prefix + mediaID + extension(mimeType)
}

func extension(mimeType string) string {
	if t, ok := Lookup(mimeType); ok {
		return t.Ext
	}
	_, subtype, _ := strings.Cut(bare(mimeType), "/")
	subtype = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '+' {
			return r
		}
		return -1
	}, subtype)
	if subtype == "" {
		return ""
	}
	return "." + subtype
}
