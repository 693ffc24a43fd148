package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

const (
	docx = officeXML + "wordprocessingml.document"
	xlsx = officeXML + "spreadsheetml.sheet"
	pptx = officeXML + "presentationml.presentation"
	doc  = "application/msword"
	xls  = "application/vnd.ms-excel"
	ppt  = "application/vnd.ms-powerpoint"
)

func webp(chunk string, flags byte) string {
	return "RIFF\x24\x00\x00\x00WEBP" + chunk + "\x0a\x00\x00\x00" + string(flags) + "\x00\x00\x00"
}

func oggPage(codec string) string {
	return "OggS\x00\x02" + strings.Repeat("\x00", 20) + "\x01\x13" + codec
}

func ftyp(brands ...string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(12+4*len(brands)))
	return string(b) + "ftyp" + brands[0] + "\x00\x00\x02\x00" + strings.Join(brands[1:], "") + "\x00\x00\x00\x08free"
}

// archive is the start of a ZIP file with empty parts of these names.
func archive(names ...string) string {
	var b bytes.Buffer
	for _, name := range names {
		b.WriteString("PK\x03\x04" + strings.Repeat("\x00", 22))
		b.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(name))))
		b.WriteString("\x00\x00" + name)
	}
	return b.String()
}

// compound is a compound file whose directory, in a sector of the given number, has one stream.
func compound(sector uint32, stream string) string {
	b := make([]byte, 512*(int(sector)+2))
	copy(b, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	b[30] = 9
	binary.LittleEndian.PutUint32(b[48:], sector)
	copy(b[512*(sector+1):], wide("Root Entry"))
	copy(b[512*(sector+1)+128:], wide(stream))
	return string(b)
}

func TestSniff(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, head string
		want       []string
		animated   bool
	}{
		{"nothing", "", nil, false},
		{"JPEG", "\xff\xd8\xff\xe0\x00\x10JFIF", []string{"image/jpeg"}, false},
		{"PNG", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", []string{"image/png"}, false},
		{"GIF", "GIF89a", nil, false},
		{"WebP, lossy", webp("VP8 ", 0x02), []string{"image/webp"}, false},
		{"WebP, extended", webp("VP8X", 0x10), []string{"image/webp"}, false},
		{"WebP, animated", webp("VP8X", 0x12), []string{"image/webp"}, true},
		{"RIFF of something else", "RIFF\x24\x00\x00\x00WAVEfmt ", nil, false},
		{"Ogg with Opus", oggPage("OpusHead\x01"), []string{"audio/ogg"}, false},
		{"Ogg with Vorbis", oggPage("\x01vorbis"), nil, false},
		{"Ogg cut short", "OggS", nil, false},
		{"AMR", "#!AMR\n\x3c", []string{"audio/amr"}, false},
		{"MP3 with tags", "ID3\x04\x00", []string{"audio/mpeg", "audio/aac"}, false},
		{"MP3", "\xff\xfb\x90\x64", []string{"audio/mpeg"}, false},
		{"AAC in ADTS, MPEG-4", "\xff\xf1\x50\x80", []string{"audio/aac"}, false},
		{"AAC in ADTS, MPEG-2", "\xff\xf9\x50\x80", []string{"audio/aac"}, false},
		{"M4A", ftyp("M4A ", "M4A ", "mp42", "isom"), []string{"audio/mp4", "video/mp4"}, false},
		{"M4A alone", ftyp("M4A "), []string{"audio/mp4"}, false},
		{"MP4", ftyp("isom", "isom", "iso2", "avc1", "mp41"), []string{"video/mp4", "audio/mp4"}, false},
		{"MP4 version 2", ftyp("mp42"), []string{"video/mp4", "audio/mp4"}, false},
		{"3GP", ftyp("3gp4", "3gp4"), []string{"video/3gpp"}, false},
		{"3GP that MP4 players read", ftyp("3gp5", "isom"), []string{"video/3gpp", "video/mp4", "audio/mp4"}, false},
		{"QuickTime", ftyp("qt  "), nil, false},
		{"HEIC", ftyp("heic", "mif1"), nil, false},
		{"a box longer than the file", "\x7f\xff\xff\xffftypmp42", []string{"video/mp4", "audio/mp4"}, false},
		{"a box shorter than a brand", "\x00\x00\x00\x08ftypmp42", nil, false},
		{"Word", archive("[Content_Types].xml", "_rels/.rels", "word/document.xml"), []string{docx}, false},
		{"Excel", archive("xl/workbook.xml"), []string{xlsx}, false},
		{"PowerPoint", archive("[Content_Types].xml", "ppt/presentation.xml"), []string{pptx}, false},
		{"Office of some kind", archive("[Content_Types].xml", "_rels/.rels"), []string{docx, xlsx, pptx}, false},
		{"a plain archive", archive("readme.txt", "swordfish/x"), nil, false},
		{"an archive cut short", "PK\x03\x04\x00", nil, false},
		{"Word 97", compound(0, "WordDocument"), []string{doc}, false},
		{"Excel 97", compound(3, "Workbook"), []string{xls}, false},
		{"Excel 5", compound(0, "Book"), []string{xls}, false},
		{"PowerPoint 97", compound(1, "PowerPoint Document"), []string{ppt}, false},
		{"a compound file of unknown streams", compound(0, "Other"), []string{doc, xls, ppt}, false},
		{"a compound file whose directory is far away", compound(0, "Other")[:48] + "\xff\xff\xff\x7f" + strings.Repeat("\x00", 600),
			[]string{doc, xls, ppt}, false},
		{"PDF", "%PDF-1.7\n%\xe2\xe3\xcf\xd3", []string{"application/pdf"}, false},
		{"PDF behind a header of some printer", "\x1b%-12345X@PJL\n%PDF-1.4", []string{"application/pdf"}, false},
		{"text", "Dear customer,\n", []string{"text/plain"}, false},
		{"text in UTF-8", "Grüße\r\n\f", []string{"text/plain"}, false},
		{"text in UTF-16", "\xff\xfeH\x00i\x00", []string{"text/plain"}, false},
		{"HTML", "<!doctype html>", []string{"text/plain"}, false},
		{"a program", "\x7fELF\x02\x01\x01\x00", nil, false},
		{"zeroes", strings.Repeat("\x00", 512), nil, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := Sniff([]byte(tc.head))
			if diff := cmp.Diff(tc.want, got.Types); diff != "" || got.Animated != tc.animated {
				t.Errorf("animated = %v, types (-want +got):\n%s", got.Animated, diff)
			}
			if got.Name == "" {
				t.Error("the content has no name")
			}
		})
	}
}

func FuzzSniff(f *testing.F) {
	for _, seed := range []string{"", ftyp("mp42", "isom"), archive("word/x"), compound(0, "Book"), oggPage("OpusHead"), webp("VP8X", 2), "\xff\xf1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		for _, name := range Sniff(head).Types {
			if got, ok := Lookup(name); !ok || got.MIME != name {
				t.Errorf("%q is not in the table", name)
			}
		}
	})
}

func TestCheck(t *testing.T) {
	t.Parallel()
	jpeg, mp4, word := "\xff\xd8\xff\xe0", ftyp("isom"), archive("word/document.xml")
	for _, tc := range []struct {
		name, declared, file, head string
		size                       int64
		want, refusal              string
	}{
		{"what it is declared to be", "image/jpeg", "x", jpeg, 5 * megabyte, "image/jpeg", ""},
		{"another name of the type", "IMAGE/JPG; q=1", "x", jpeg, 1, "image/jpeg", ""},
		{"the guide's name of 3GP", "video/3gp", "x", ftyp("3gp4"), 1, "video/3gpp", ""},
		{"a voice note", "audio/ogg; codecs=opus", "x", oggPage("OpusHead"), 1, "audio/ogg", ""},
		{"MP4 sent as sound", "audio/mp4", "x.mp4", mp4, 1, "audio/mp4", ""},
		{"not declared", "", "x", jpeg, 1, "image/jpeg", ""},
		{"declared as nothing in particular", "binary/octet-stream", "x", word, MaxBytes, docx, ""},
		{"the name tells apart what the content cannot", "application/octet-stream", "a/b.M4A", mp4, 1, "audio/mp4", ""},
		{"a name that is wrong", "", "x.png", jpeg, 1, "image/jpeg", ""},
		{"a guess of the type that is wrong", "application/zip", "x.docx", word, 1, docx, ""},
		{"a small sticker", "image/webp", "x", webp("VP8 ", 0), 100 * kilobyte, "image/webp", ""},
		{"an animated sticker", "image/webp", "x", webp("VP8X", 2), 500 * kilobyte, "image/webp", ""},

		{"a lie", "image/png", "x.png", jpeg, 1, "", "declared as image/png, but its content is image/jpeg"},
		{"a lie about something unknown", "image/png", "x.png", "\x7fELF\x00", 1, "", "of an unknown type"},
		{"Vorbis", "audio/ogg", "x.ogg", oggPage("\x01vorbis"), 1, "", "without the Opus codec"},
		{"a type WhatsApp does not take", "image/gif", "x.gif", "GIF89a", 1, "", "content is image/gif"},
		{"empty", "image/jpeg", "x", "", 0, "", "empty"},
		{"of unknown length", "image/jpeg", "x", jpeg, -1, "", "Content-Length"},
		{"a large image", "image/jpeg", "x", jpeg, 5*megabyte + 1, "", "image files of image/jpeg of at most 5242880 bytes"},
		{"a large sticker", "image/webp", "x", webp("VP8 ", 0), 100*kilobyte + 1, "", "102400"},
		{"a large animated sticker", "image/webp", "x", webp("VP8X", 2), 500*kilobyte + 1, "", "512000"},
		{"a large video", "video/mp4", "x", mp4, 16*megabyte + 1, "", "16777216"},
		{"a large sound", "audio/mp4", "x", mp4, 16*megabyte + 1, "", "16777216"},
		{"a large document", docx, "x", word, MaxBytes + 1, "", "104857600"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := Check(tc.declared, tc.file, tc.size, []byte(tc.head))
			if tc.refusal == "" {
				if err != nil || got.MIME != tc.want {
					t.Errorf("Check = %s, %v; want %s", got.MIME, err, tc.want)
				}
				return
			}
			if !fault.Is(err, fault.InvalidParameters) || !strings.Contains(err.Error(), tc.refusal) {
				t.Errorf("err = %v, want InvalidParameters with %q", err, tc.refusal)
			}
		})
	}
}

func TestInspect(t *testing.T) {
	t.Parallel()
	content := "\xff\xd8\xff\xe0" + strings.Repeat("x", Head)
	object := func(size int64, r io.Reader) Object {
		return Object{Size: size, Type: "image/jpeg", Body: io.NopCloser(r)}
	}
	t.Run("nothing is lost", func(t *testing.T) {
		t.Parallel()
		got, r, err := Inspect(object(int64(len(content)), iotest.OneByteReader(strings.NewReader(content))), "x")
		if err != nil || got.MIME != "image/jpeg" {
			t.Fatalf("Inspect = %v, %v", got, err)
		}
		if all, err := io.ReadAll(r); err != nil || string(all) != content {
			t.Errorf("read %d bytes, %v; want all %d", len(all), err, len(content))
		}
	})
	t.Run("shorter than announced", func(t *testing.T) {
		t.Parallel()
		if _, _, err := Inspect(object(100, strings.NewReader("\xff\xd8\xff\xe0")), "x"); !fault.Is(err, fault.Dependency) {
			t.Errorf("err = %v, want a Dependency", err)
		}
	})
	t.Run("broken", func(t *testing.T) {
		t.Parallel()
		if _, _, err := Inspect(object(100, iotest.ErrReader(errors.New("boom"))), "x"); !fault.Is(err, fault.Dependency) {
			t.Errorf("err = %v, want a Dependency", err)
		}
	})
	t.Run("too large for anything is not even read", func(t *testing.T) {
		t.Parallel()
		_, _, err := Inspect(object(MaxBytes+1, iotest.ErrReader(errors.New("read"))), "x")
		if !fault.Is(err, fault.InvalidParameters) {
			t.Errorf("err = %v, want InvalidParameters", err)
		}
	})
}

// The rows of AWS's guide, and of what its consumers observed.
func TestKey(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, prefix, id, mime, want string }{
		{"a name is a prefix too", "audio/example.ogg", "123", "audio/ogg; codecs=opus", "audio/example.ogg123.ogg"},
		{"a folder", "audio/", "123", "audio/ogg", "audio/123.ogg"},
		{"no separator", "inbound_", "530339869524171", "image/jpeg", "inbound_530339869524171.jpeg"},
		{"no prefix", "", "1", "video/3gpp", "1.3gp"},
		{"text", "", "1", "text/plain; charset=utf-8", "1.text"},
		{"the subtype of others", "", "1", "image/gif", "1.gif"},
		{"a subtype with a suffix", "", "1", "image/svg+xml", "1.svg+xml"},
		{"a subtype that could leave the folder", "", "1", "x/../../y", "1.....y"},
		{"no type", "", "1", "", "1"},
		{"half a type", "", "1", "image", "1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := Key(tc.prefix, tc.id, tc.mime); got != tc.want {
				t.Errorf("Key = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	if len(types) != 18 || !slices.ContainsFunc(types, func(t Type) bool { return t.Limit(false) == MaxBytes }) {
		t.Errorf("the table has %d types, want 18, some of them as large as MaxBytes", len(types))
	}
	for _, row := range types {
		if got, ok := byName("x" + row.Ext); !ok || got != row {
			t.Errorf("by the extension %s: %v, want %v", row.Ext, got, row)
		}
	}
	for alias := range aliases {
		if _, ok := Lookup(alias); !ok {
			t.Errorf("%s is an alias of nothing", alias)
		}
	}
	for ext := range extensions {
		if _, ok := byName("x" + ext); !ok {
			t.Errorf("%s is an extension of nothing", ext)
		}
	}
}
