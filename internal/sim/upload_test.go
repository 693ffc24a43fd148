package sim

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

const (
	jpegData = "\xff\xd8\xff\xe0\x00\x10JFIF"
	pdfData  = "%PDF-1.7\n"
	webpData = "RIFF\x24\x00\x00\x00WEBPVP8 \x0a\x00\x00\x00"
)

// mediaForm is the body of an upload and its content type.
func mediaForm(t *testing.T, kind string, file io.Reader) (io.Reader, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := errors.Join(w.WriteField("messaging_product", "whatsapp"), w.WriteField("type", kind)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="a.bin"`}, "Content-Type": {kind}}); err != nil {
		t.Fatal(err)
	}
	return io.MultiReader(&b, file, strings.NewReader("\r\n--"+w.Boundary()+"--\r\n")), w.FormDataContentType()
}

func (f *fixture) upload(number, kind string, file io.Reader) (reply, error) {
	f.t.Helper()
	body, contentType := mediaForm(f.t, kind, file)
	r, err := http.NewRequest(http.MethodPost, "http://127.0.0.1:7767/v25.0/"+number+"/media", body)
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+AccessToken)
	r.Header.Set("Content-Type", contentType)
	return f.do(r)
}

// stored uploads a file that must be taken and returns its id.
func (f *fixture) stored(kind, data string) string {
	f.t.Helper()
	r, err := f.upload(NumberID, kind, strings.NewReader(data))
	var a struct{ ID string }
	if err != nil || r.status != http.StatusOK || json.Unmarshal(r.body, &a) != nil || a.ID == "" {
		f.t.Fatalf("upload = %d %v\n%s", r.status, err, r.body)
	}
	return a.ID
}

func TestUploadedMediaCanBeFetched(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{"small": pdfData, "large": pdfData + strings.Repeat("x", 3*smallFile)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, Options{})
			id := f.stored("application/pdf", data)
			var m struct {
				URL, SHA256 string
				Type        string `json:"mime_type"`
				Size        string `json:"file_size"`
			}
			if err := json.Unmarshal(f.graph(http.MethodGet, "/v25.0/"+id+"?phone_number_id="+NumberID, "").body, &m); err != nil {
				t.Fatal(err)
			}
			if m.Size != fmt.Sprint(len(data)) || m.Type != "application/pdf" || len(m.SHA256) != 64 {
				t.Errorf("media = %+v", m)
			}
			r, err := f.do(f.request(http.MethodGet, strings.TrimPrefix(m.URL, "http://127.0.0.1:7767"), "", "Authorization", "Bearer "+AccessToken,
				"Range", "bytes=1-3"))
			if err != nil || r.status != http.StatusPartialContent || string(r.body) != "PDF" {
				t.Errorf("range = %d %v %q", r.status, err, r.body)
			}
			r, err = f.do(f.request(http.MethodGet, strings.TrimPrefix(m.URL, "http://127.0.0.1:7767"), "", "Authorization", "Bearer "+AccessToken))
			if err != nil || string(r.body) != data {
				t.Errorf("read %d bytes, %v; want %d", len(r.body), err, len(data))
			}
			if r := f.graph(http.MethodDelete, "/v25.0/"+id, ""); string(r.body) != `{"success":true}` {
				t.Errorf("delete = %s", r.body)
			}
			if e := f.graph(http.MethodGet, "/v25.0/"+id, "").graphError(t); e.Code != 100 || e.Subcode != 33 {
				t.Errorf("after its deletion: %+v", e)
			}
		})
	}
}

func TestUploadRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, kind string
		size       int
		code       int
		text       string
	}{
		{"type", "application/zip", 10, 100, "(#100) Param file must be a file with one of the following types: audio/aac, "},
		{"nothing", "image/png", 0, 131053, "empty"},
		{"image", "image/png", 5<<20 + 1, 131053, "image limit of 5242880"},
		{"sound", "audio/mpeg", 16<<20 + 1, 131053, "16777216"},
		{"sticker", "image/webp", 100<<10 + 1, 131053, "102400"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, Options{})
			r, err := f.upload(NumberID, tc.kind, strings.NewReader(strings.Repeat("x", tc.size)))
			if err != nil || r.status != http.StatusBadRequest || r.errorCode(t) != tc.code ||
				!strings.Contains(strings.ReplaceAll(string(r.body), `\/`, "/"), tc.text) {
				t.Errorf("upload = %d %v %s", r.status, err, r.body)
			}
			if n := len(f.sim.st.media.items); n != 0 {
				t.Errorf("%d files are kept, want none", n)
			}
		})
	}
	t.Run("no file", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t, Options{})
		if r := f.graph(http.MethodPost, "/v25.0/"+NumberID+"/media", `{"messaging_product":"whatsapp"}`); r.errorCode(t) != 100 {
			t.Errorf("upload = %s", r.body)
		}
	})
	t.Run("connection that breaks", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t, Options{})
		_, err := f.upload(NumberID, "image/jpeg", io.MultiReader(strings.NewReader(jpegData), iotest.ErrReader(errors.New("broken pipe"))))
		if err == nil || len(f.sim.st.media.items) != 0 {
			t.Errorf("err = %v with %d files kept, want an error and none", err, len(f.sim.st.media.items))
		}
	})
}

func TestMediaOfMessages(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, kind, data, message string
		failed                    bool
	}{
		{"image", "image/jpeg", jpegData, `"type":"image","image":{"id":"ID"}`, false},
		{"sticker", "image/webp", webpData, `"type":"sticker","sticker":{"id":"ID"}`, false},
		{"anything as a document", "image/jpeg", jpegData, `"type":"document","document":{"id":"ID"}`, false},
		{"header of buttons", "image/jpeg", jpegData, `"type":"interactive","interactive":{"type":"button","header":{"type":"image","image":{"id":"ID"}},` +
			`"body":{"text":"b"},"action":{"buttons":[{"type":"reply","reply":{"id":"1","title":"t"}}]}}`, false},
		{"wrong class", "image/jpeg", jpegData, `"type":"video","video":{"id":"ID"}`, true},
		{"lie at the upload", "image/png", jpegData, `"type":"image","image":{"id":"ID"}`, true},
		{"sound without Opus", "audio/ogg", "OggS\x00" + strings.Repeat("\x00", 30) + "vorbis", `"type":"audio","audio":{"id":"ID"}`, true},
		{"unknown", "image/jpeg", jpegData, `"type":"image","image":{"id":"123"}`, true},
		{"unknown header of buttons", "image/jpeg", jpegData, `"type":"interactive","interactive":{"type":"button","header":{"type":"image","image":{"id":"9"}},` +
			`"body":{"text":"b"},"action":{"buttons":[{"type":"reply","reply":{"id":"1","title":"t"}}]}}`, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, Options{}, func(f *fixture) {
				id := f.stored(tc.kind, tc.data)
				f.writes(Diego, hi)
				f.send(`{"messaging_product":"whatsapp","to":"+` + Diego + `",` + strings.ReplaceAll(tc.message, "ID", id) + `}`)
				after(5 * time.Second)
				list := f.app.statuses(t)
				last := list[len(list)-1]
				if failed := last.Status == "failed"; failed != tc.failed || failed && last.Errors[0].Code != 131053 {
					t.Errorf("statuses = %s, %+v; want failed with 131053: %v", names(list), last.Errors, tc.failed)
				}
			})
		})
	}
	t.Run("of another number", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t, Options{})
		id := f.stored("image/jpeg", jpegData)
		if e := f.graph(http.MethodGet, "/v25.0/"+id+"?phone_number_id="+NewNumberID, "").graphError(t); e.Subcode != 33 {
			t.Errorf("error = %+v, want subcode 33", e)
		}
	})
	t.Run("after 30 days", func(t *testing.T) {
		t.Parallel()
		now := epoch
		f := newFixture(t, Options{Now: func() time.Time { return now }})
		id := f.stored("image/jpeg", jpegData)
		now = now.Add(30*24*time.Hour - time.Second)
		if r := f.graph(http.MethodGet, "/v25.0/"+id, ""); r.status != http.StatusOK {
			t.Errorf("a second before: %s", r.body)
		}
		now = now.Add(time.Second)
		if e := f.graph(http.MethodGet, "/v25.0/"+id, "").graphError(t); e.Subcode != 33 {
			t.Errorf("error = %+v, want subcode 33", e)
		}
	})
}

// begin starts a resumable upload and returns its path.
func (f *fixture) begin(query string) string {
	f.t.Helper()
	var a struct{ ID string }
	r := f.graph(http.MethodPost, "/v25.0/"+AppID+"/uploads?"+query, "")
	if err := json.Unmarshal(r.body, &a); err != nil || !strings.HasPrefix(a.ID, "upload:") {
		f.t.Fatalf("begin = %d %s", r.status, r.body)
	}
	return "/v25.0/" + a.ID
}

func (f *fixture) piece(path, offset string, body io.Reader) (reply, error) {
	f.t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://127.0.0.1:7767"+path, body)
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Authorization", "OAuth "+AccessToken)
	r.Header["File_offset"] = []string{offset}
	return f.do(r)
}

func TestResumableUpload(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	path := f.begin("file_name=a.jpg&file_length=10&file_type=image/jpeg")
	if r, err := f.piece(path, "0", iotest.DataErrReader(io.MultiReader(strings.NewReader("12345"), iotest.ErrReader(errors.New("broken pipe"))))); err == nil {
		t.Errorf("a piece whose connection broke was answered: %s", r.body)
	}
	if r := f.graph(http.MethodGet, path, ""); !strings.Contains(string(r.body), `"file_offset":5`) {
		t.Errorf("state = %s, want an offset of 5", r.body)
	}
	for _, tc := range []struct{ name, offset, body string }{
		{"no offset", "", "67890"}, {"wrong offset", "0", "67890"}, {"too long", "5", "678901"},
	} {
		if r, err := f.piece(path, tc.offset, strings.NewReader(tc.body)); err != nil || r.errorCode(t) != 100 {
			t.Errorf("%s: %v %s", tc.name, err, r.body)
		}
	}
	r, err := f.piece(path, "5", strings.NewReader("67890"))
	var a struct{ H string }
	if err != nil || json.Unmarshal(r.body, &a) != nil || !strings.HasPrefix(a.H, "4::"+base64.StdEncoding.EncodeToString([]byte("image/jpeg"))+":") {
		t.Fatalf("last piece: %v %s", err, r.body)
	}
	if u := f.sim.st.media.sample(a.H); u == nil || u.kind != "image/jpeg" || u.have != 10 {
		t.Errorf("sample = %+v", u)
	}
	if again, err := f.piece(path, "10", strings.NewReader("")); err != nil || string(again.body) != string(r.body) {
		t.Errorf("asked again for the handle: %v %s", err, again.body)
	}
}

func TestResumableUploadRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	for _, query := range []string{"", "file_length=10&file_type=text/plain", "file_length=0&file_type=image/png", "file_length=x&file_type=image/png",
		"file_length=104857601&file_type=image/png"} {
		if r := f.graph(http.MethodPost, "/v25.0/"+AppID+"/uploads?"+query, ""); r.errorCode(t) != 100 {
			t.Errorf("%q: %s", query, r.body)
		}
	}
	if e := f.graph(http.MethodGet, "/v25.0/upload:none", "").graphError(t); e.Subcode != 33 {
		t.Errorf("an unknown session: %+v", e)
	}
}
