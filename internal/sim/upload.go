package sim

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// upload is a file that came with a call.
type upload struct {
	*blob
	name string
	kind string // Content-Type of the part
	cut  bool   // the connection broke off before its end
}

// maxFile bounds a file, whatever it is.
const maxFile = 100 << 20

// maxField bounds the other members of an upload's form.
const maxField = 64 << 10

// read reads a call's parameters. Files of uploads do not go through memory.
func (s *Sim) read(c *call) (err error) {
	form, attrs, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	switch {
	case c.r.Method != http.MethodPost:
	case strings.HasSuffix(c.r.URL.Path, "/media") && form == "multipart/form-data":
		return c.readForm(attrs["boundary"])
	case strings.Contains(c.r.URL.Path, "/upload:"):
		return c.readFile()
	}
	c.params, c.raw, err = graph.Read(c.r, bodyLimit(c.r.URL.Path))
	return err
}

// readQuery reads the parameters that are not in the body.
func (c *call) readQuery() (err error) {
	c.params, _, err = graph.Read(&http.Request{Method: http.MethodGet, URL: c.r.URL}, 0)
	return err
}

// readForm reads the form of POST /{number}/media.
func (c *call) readForm(boundary string) error {
	if err := c.readQuery(); err != nil {
		return err
	}
	form := multipart.NewReader(c.r.Body, boundary)
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return badForm(err)
		}
		if part.FileName() == "" && part.FormName() != "file" {
			value, err := io.ReadAll(io.LimitReader(part, maxField))
			if err != nil {
				return badForm(err)
			}
			c.params[part.FormName()] = string(value)
			continue
		}
		file, err := newBlob(part, maxFile)
		if err != nil && !errors.Is(err, errBlobTooLarge) {
			return badForm(err)
		}
		if err != nil {
			return graph.ErrTooLarge
		}
		if part.FormName() == "file" {
			c.file = &upload{blob: file, name: part.FileName(), kind: part.Header.Get("Content-Type")}
		}
	}
}

// badForm tells a form that makes no sense from one that broke off with its connection.
func badForm(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Unwrap(err) == nil && strings.HasPrefix(err.Error(), "multipart: ") {
		return graph.Param("Invalid multipart body")
	}
	return err
}

// readFile measures the body of POST /upload:…, which is a piece of the file itself.
func (c *call) readFile() error {
	if err := c.readQuery(); err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, io.LimitReader(c.r.Body, maxFile+1))
	if n > maxFile {
		return graph.ErrTooLarge
	}
	c.file = &upload{blob: &blob{size: n}, cut: err != nil}
	return nil
}

// kind is a type of file.
type kind struct {
	mime  string
	class string
	limit int64
}

// kinds are the types that may be uploaded, in the order of Meta's complaint, with the largest size of each.
var kinds = []kind{
	{"audio/aac", "audio", 16 << 20}, {"audio/mp4", "audio", 16 << 20}, {"audio/mpeg", "audio", 16 << 20},
	{"audio/amr", "audio", 16 << 20}, {"audio/ogg", "audio", 16 << 20}, {"audio/opus", "audio", 16 << 20},
	{"application/vnd.ms-powerpoint", "document", maxFile}, {"application/msword", "document", maxFile},
	{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "document", maxFile},
	{"application/vnd.openxmlformats-officedocument.presentationml.presentation", "document", maxFile},
	{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "document", maxFile},
	{"application/pdf", "document", maxFile}, {"text/plain", "document", maxFile}, {"application/vnd.ms-excel", "document", maxFile},
	{"image/jpeg", "image", 5 << 20}, {"image/png", "image", 5 << 20}, {"image/webp", "sticker", 500 << 10},
	{"video/mp4", "video", 16 << 20}, {"video/3gpp", "video", 16 << 20},
}

// uploadMedia is POST /{number}/media.
func uploadMedia(s *Sim, c *call) (any, *graph.Error) {
	if err := c.malformed; err != nil {
		return nil, err
	}
	if err := messagingProduct(c.params); err != nil {
		return nil, err
	}
	if c.file == nil {
		return nil, graph.Param("The parameter file is required.")
	}
	declared := c.file.kind
	if declared == "" || strings.HasPrefix(declared, "application/octet-stream") {
		declared, _ = c.params.String("type")
	}
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.mime == essence(declared) })
	if i < 0 {
		var list []string
		for _, row := range kinds {
			list = append(list, row.mime)
		}
		return nil, graph.Param("Param file must be a file with one of the following types: %s. Received file of type '%s'.",
			strings.Join(list, ", "), declared)
	}
	limit := kinds[i].limit
	if kinds[i].mime == "image/webp" && !animated(c.file.head()) {
		limit = 100 << 10
	}
	switch {
	case c.file.size == 0:
		return nil, graph.Fail(131053, "The uploaded file is empty.")
	case c.file.size > limit:
		return nil, graph.Fail(131053, "File size "+strconv.FormatInt(c.file.size, 10)+" is larger than the "+kinds[i].class+
			" limit of "+strconv.FormatInt(limit, 10)+" bytes.")
	}
	m := &media{id: s.st.ids.digits(), number: c.number, mime: declared, filename: c.file.name, blob: *c.file.blob, uploaded: true,
		expires: c.now + int64(uploadedMediaLife)}
	s.st.media.add(m)
	return struct {
		ID string `json:"id"`
	}{m.id}, nil
}

// essence is a MIME type without its parameters.
func essence(declared string) string {
	name, _, err := mime.ParseMediaType(declared)
	if err != nil {
		return strings.ToLower(declared)
	}
	return name
}

// animated reports whether a WebP file moves.
func animated(head []byte) bool {
	return len(head) > 20 && string(head[12:16]) == "VP8X" && head[20]&2 != 0
}

// class is what kind of message an uploaded file can be part of, "" if none.
func (m *media) class() string {
	for _, row := range kinds {
		if row.mime == essence(m.mime) {
			return row.class
		}
	}
	return ""
}

// genuine reports whether a file is what it was declared to be, as far as its first bytes tell. WhatsApp looks only when the
// file is sent.
func (m *media) genuine() bool {
	head := m.head()
	declared, found := essence(m.mime), essence(http.DetectContentType(head))
	switch {
	case declared == "audio/ogg" || declared == "audio/opus":
		return found == "application/ogg" && strings.Contains(string(head), "OpusHead")
	case strings.HasPrefix(declared, "image/") || declared == "application/pdf":
		return found == declared
	case strings.Contains(declared, "openxmlformats"):
		return found == "application/zip"
	default: // neither a picture nor anything else with a name
		return !strings.HasPrefix(found, "image/") && found != "application/pdf" && found != "application/zip"
	}
}
