package media

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
)

// Head is how many bytes of a file's beginning tell its type. Only Office files need more than a few: their parts come in any
// order.
const Head = 64 << 10

// Content is what a file looks like from its first bytes.
type Content struct {
	Types    []string // of the table, likeliest first: a container can hold several; none if it is nothing WhatsApp takes
	Animated bool     // a sticker that moves
	Name     string   // for people: what it seems to be
}

// Sniff looks at the first bytes of a file, at most Head of which matter.
func Sniff(head []byte) Content {
	head = head[:min(len(head), Head)]
	switch {
	case len(head) == 0:
		return Content{Name: "empty"}
	case prefix(head, "\xff\xd8\xff"):
		return of("image/jpeg")
	case prefix(head, "\x89PNG\r\n\x1a\n"):
		return of("image/png")
	case prefix(head, "RIFF") && at(head, 8, "WEBP"):
		c := of("image/webp")
		c.Animated = at(head, 12, "VP8X") && len(head) > 20 && head[20]&0x02 != 0
		return c
	case prefix(head, "GIF8"):
		return Content{Name: "image/gif"}
	case prefix(head, "OggS"):
		return ogg(head)
	case prefix(head, "#!AMR"):
		return of("audio/amr")
	case prefix(head, "ID3"):
		return of("audio/mpeg", "audio/aac")
	case len(head) > 1 && head[0] == 0xff && head[1]&0xf6 == 0xf0: // ADTS: the layer is always 0
		return of("audio/aac")
	case len(head) > 1 && head[0] == 0xff && head[1]&0xe6 == 0xe2: // any version of MPEG, layer III
		return of("audio/mpeg")
	case at(head, 4, "ftyp"):
		return isoMedia(head)
	case prefix(head, "PK\x03\x04"):
		return office(head)
	case prefix(head, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
		return oldOffice(head)
	case bytes.Contains(head[:min(len(head), 1024)], []byte("%PDF-")):
		return of("application/pdf")
	}
	if isText(head) {
		return of("text/plain")
	}
	return Content{Name: "of an unknown type"}
}

// isText reports whether there is no byte in the file that no text has, by the rule of the WHATWG's MIME sniffing standard
// (section 7.1). HTML, XML and JSON are text to WhatsApp; UTF-16 is text when it says so.
func isText(head []byte) bool {
	if prefix(head, "\xfe\xff") || prefix(head, "\xff\xfe") {
		return true
	}
	return !slices.ContainsFunc(head, func(b byte) bool {
		return b <= 0x08 || b == 0x0b || 0x0e <= b && b <= 0x1a || 0x1c <= b && b <= 0x1f
	})
}

func of(types ...string) Content { return Content{Types: types, Name: types[0]} }

func prefix(b []byte, s string) bool { return at(b, 0, s) }

func at(b []byte, i int, s string) bool { return len(b) >= i+len(s) && string(b[i:i+len(s)]) == s }

// ogg admits Opus only, as Meta does: other codecs in the same container are refused.
func ogg(head []byte) Content {
	if len(head) > 26 && at(head, 27+int(head[26]), "OpusHead") {
		return of("audio/ogg")
	}
	return Content{Name: "audio/ogg without the Opus codec"}
}

// isoMedia tells the members of the MP4 family apart by the brands in the first box. Nothing but M4A says that there is no
// picture, so that an MP4 may be either.
func isoMedia(head []byte) Content {
	end := min(int64(binary.BigEndian.Uint32(head)), int64(len(head)))
	var c Content
	add := func(t string) {
		if !slices.Contains(c.Types, t) {
			c.Types = append(c.Types, t)
		}
	}
	for i := int64(8); i+4 <= end; i += 4 {
		if i == 12 {
			continue // the version of the first brand
		}
		switch brand := string(head[i : i+4]); {
		case brand == "M4A ", brand == "M4B ":
			add("audio/mp4")
		case strings.HasPrefix(brand, "3gp"), strings.HasPrefix(brand, "3gr"), strings.HasPrefix(brand, "3gs"):
			add("video/3gpp")
		case brand == "isom", strings.HasPrefix(brand, "iso"), strings.HasPrefix(brand, "mp4"), brand == "avc1", brand == "dash",
			brand == "M4V ", brand == "MSNV", brand == "f4v ":
			add("video/mp4")
			add("audio/mp4")
		}
	}
	if c.Name = "an unknown member of the MP4 family"; len(c.Types) > 0 {
		c.Name = c.Types[0]
	}
	return c
}

// office tells Office files from other ZIP archives by the names of their parts.
func office(head []byte) Content {
	any := false
	for rest := head; ; {
		i := bytes.Index(rest, []byte("PK\x03\x04"))
		if i < 0 || len(rest) < i+30 {
			break
		}
		rest = rest[i:]
		name := rest[30:min(len(rest), 30+int(binary.LittleEndian.Uint16(rest[26:])))]
		switch {
		case prefix(name, "word/"):
			return of(officeXML + "wordprocessingml.document")
		case prefix(name, "xl/"):
			return of(officeXML + "spreadsheetml.sheet")
		case prefix(name, "ppt/"):
			return of(officeXML + "presentationml.presentation")
		case prefix(name, "[Content_Types].xml"), prefix(name, "_rels/"), prefix(name, "docProps/"):
			any = true
		}
		rest = rest[4:]
	}
	if !any {
		return Content{Name: "application/zip"}
	}
	return Content{Name: "an Office file", Types: []string{officeXML + "wordprocessingml.document", officeXML + "spreadsheetml.sheet",
		officeXML + "presentationml.presentation"}}
}

// oldOffice looks for the streams of Word, Excel and PowerPoint in the directory of a compound file (MS-CFB, section 2.6). A
// directory further back than Head leaves all three possible.
func oldOffice(head []byte) Content {
	c := Content{Name: "an Office 97-2003 file",
		Types: []string{"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"}}
	if len(head) < 512 {
		return c
	}
	size := int64(512)
	if binary.LittleEndian.Uint16(head[30:]) == 12 {
		size = 4096
	}
	const entry = 128
	from := (int64(binary.LittleEndian.Uint32(head[48:])) + 1) * size
	for i := from; i < from+size && i+entry <= int64(len(head)); i += entry {
		switch name := head[i : i+64]; {
		case prefix(name, wide("WordDocument")):
			return of("application/msword")
		case prefix(name, wide("Workbook")), prefix(name, wide("Book")):
			return of("application/vnd.ms-excel")
		case prefix(name, wide("PowerPoint Document")):
			return of("application/vnd.ms-powerpoint")
		}
	}
	return c
}

// wide is UTF-16, with the zero that ends a name.
func wide(s string) string {
	b := make([]byte, 0, 2*len(s)+2)
	for i := range len(s) {
		b = append(b, s[i], 0)
	}
	return string(append(b, 0, 0))
}
