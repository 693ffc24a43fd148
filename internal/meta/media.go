package meta

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Upload is a file to be sent to Meta. Its bytes are read once, as they are sent; nothing is kept of them here.
type Upload struct {
	Type string // MIME type
	Name string // of the file, for Meta's records
	Size int64
	Body io.Reader // exactly Size bytes
}

// Media is what Meta tells of a stored file.
type Media struct {
	ID   string
	Type string // MIME type, perhaps with parameters
	Size int64  // in bytes
	Sum  []byte // SHA-256; nil when Meta sent none that can be read
	URL  string // where its bytes are for the next five minutes
}

var errNoID = errors.New("answer has no id")

// UploadMedia stores a file for messages of a number and returns its id. Meta keeps it for 30 days, for this number only. A call
// that fails leaves nothing behind unless its fate is Unknown.
func (c *Client) UploadMedia(ctx context.Context, phoneMetaID string, token identity.Secret, u Upload) (id string, err error) {
	form, boundary, err := mediaForm(u)
	if err != nil {
		return "", err
	}
	tail := "\r\n--" + boundary + "--\r\n"
	var a struct {
		ID string `json:"id"`
	}
	err = c.Do(ctx, Call{Method: http.MethodPost, Version: Version, Path: phoneMetaID + "/media", Token: token,
		ContentType: "multipart/form-data; boundary=" + boundary, Size: int64(len(form)) + u.Size + int64(len(tail)),
		Stream: io.MultiReader(bytes.NewReader(form), exactly(u), strings.NewReader(tail))}, &a)
	if err == nil && a.ID == "" {
		err = &Unanswered{Fate: Unknown, Err: errNoID}
	}
	return a.ID, err
}

// mediaForm returns the form up to the first byte of the file, which comes last so that it can be streamed.
func mediaForm(u Upload) (form []byte, boundary string, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, field := range [...][2]string{{"messaging_product", "whatsapp"}, {"type", u.Type}} {
		if err := w.WriteField(field[0], field[1]); err != nil {
			return nil, "", err
		}
	}
	_, err = w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="` + fileName(u.Name) + `"`}, "Content-Type": {u.Type}})
	return b.Bytes(), w.Boundary(), err
}

// fileName keeps what may stand between quotes in a header.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '_'
		}
		return r
	}, name)
	return cmpOr(name, "file")
}

// exactly makes a file that is shorter than announced an error rather than a form that is cut short, and ignores what is behind
// its end.
func exactly(u Upload) io.Reader { return &exact{u.Body, u.Size} }

type exact struct {
	r    io.Reader
	left int64
}

func (e *exact) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n, err := e.r.Read(p[:min(int64(len(p)), e.left)])
	e.left -= int64(n)
	if errors.Is(err, io.EOF) && e.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Media looks a file up. With phoneMetaID Meta refuses files that are not that number's.
func (c *Client) Media(ctx context.Context, mediaID, phoneMetaID string, token identity.Secret) (Media, error) {
	var a struct {
		ID   string          `json:"id"`
		Type string          `json:"mime_type"`
		Sum  string          `json:"sha256"`
		Size json.RawMessage `json:"file_size"` // a string by Meta's page, seen as a number
		URL  string          `json:"url"`
	}
	err := c.Do(ctx, Call{Version: Version, Path: mediaID, Query: owner(phoneMetaID), Token: token}, &a)
	if err != nil {
		return Media{}, err
	}
	size, ok := whole(a.Size)
	if !ok || size < 0 || a.URL == "" {
		return Media{}, &Unanswered{Fate: Unknown, Err: errors.New("answer has no file_size or url")}
	}
	return Media{ID: cmpOr(a.ID, mediaID), Type: a.Type, Size: int64(size), Sum: sum(a.Sum), URL: a.URL}, nil
}

func owner(phoneMetaID string) url.Values {
	if phoneMetaID == "" {
		return nil
	}
	return url.Values{"phone_number_id": {phoneMetaID}}
}

// sum reads a SHA-256 in either of the forms Meta sends: hexadecimal or base64.
func sum(s string) []byte {
	for _, decode := range [...]func(string) ([]byte, error){hex.DecodeString, base64.StdEncoding.DecodeString} {
		if b, err := decode(s); err == nil && len(b) == 32 {
			return b
		}
	}
	return nil
}

// DeleteMedia removes a file and reports what Meta says of that.
func (c *Client) DeleteMedia(ctx context.Context, mediaID, phoneMetaID string, token identity.Secret) (bool, error) {
	var a struct {
		Success bool `json:"success"`
	}
	err := c.Do(ctx, Call{Method: http.MethodDelete, Version: Version, Path: mediaID, Query: owner(phoneMetaID), Token: token}, &a)
	return a.Success, err
}

// OpenMedia starts the download of a file from the address Media gave. The caller closes the body. An address that has expired
// is an Unanswered: a new one can be had.
func (c *Client) OpenMedia(ctx context.Context, m Media, token identity.Secret) (io.ReadCloser, error) {
	u, err := url.Parse(m.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != c.base.Scheme {
		return nil, &Unanswered{Fate: NotSent, Err: errors.New("Meta's address of the file is no https URL")}
	}
	ctx, cancel := context.WithTimeout(ctx, c.deadline(m.Size))
	r := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{
		"User-Agent": {userAgent}, "Authorization": {"Bearer " + token.Reveal()}, "Accept-Encoding": {"identity"}}}
	start := time.Now()
	res, err := c.http.Do(r.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, &Unanswered{Fate: Unknown, Err: withoutURL(err)}
	}
	if res.StatusCode != http.StatusOK {
		defer cancel()
		defer res.Body.Close()
		body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10)) // as much as can be read
		err := error(newError(res, body))
		if res.StatusCode == http.StatusNotFound {
			err = &Unanswered{Fate: Refused, Err: errors.New("the address of the file has expired")}
		}
		c.record(ctx, &Call{Path: "media download"}, res.StatusCode, start, err)
		return nil, err
	}
	c.record(ctx, &Call{Path: "media download"}, res.StatusCode, start, nil)
	if res.ContentLength >= 0 && res.ContentLength != m.Size {
		cancel()
		res.Body.Close()
		return nil, &Unanswered{Fate: Unknown, Err: fmt.Errorf("the file has %d bytes, Meta said %d", res.ContentLength, m.Size)}
	}
	return &download{ReadCloser: res.Body, cancel: cancel}, nil
}

// download ends its request's time-out when it is closed.
type download struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (d *download) Close() error {
	defer d.cancel()
	return d.ReadCloser.Close()
}

// UploadSample sends a file through Meta's resumable upload and returns its handle, which stands for the file as the example of
// a template's header and in a business profile, but never in a message.
func (c *Client) UploadSample(ctx context.Context, token identity.Secret, u Upload) (handle string, err error) {
	var session struct {
		ID string `json:"id"`
	}
	err = c.Do(ctx, Call{Method: http.MethodPost, Version: Version, Path: c.appID + "/uploads", Token: token, Query: url.Values{
		"file_name": {cmpOr(u.Name, "file")}, "file_length": {strconv.FormatInt(u.Size, 10)}, "file_type": {u.Type}}}, &session)
	if err != nil {
		return "", err
	}
	path, query, _ := strings.Cut(session.ID, "?")
	values, err := url.ParseQuery(query)
	if err != nil || !strings.HasPrefix(path, "upload:") {
		return "", &Unanswered{Fate: Unknown, Err: errNoID}
	}
	var a struct {
		Handle string `json:"h"`
	}
	err = c.Do(ctx, Call{Method: http.MethodPost, Version: Version, Path: path, Query: values, Token: token, Scheme: "OAuth",
		Header: http.Header{"File_offset": {"0"}}, ContentType: "application/octet-stream", Stream: u.Body, Size: u.Size}, &a)
	if err == nil && a.Handle == "" {
		err = &Unanswered{Fate: Unknown, Err: errors.New("answer has no handle")}
	}
	return a.Handle, err
}
