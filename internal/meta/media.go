package meta

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/media"
)

var errNoID = errors.New("answer has no id")

// UploadMedia stores a file for messages of a number and returns its id. Meta keeps it for 30 days, for this number only. A call
// that fails leaves nothing behind unless its fate is Unknown.
func (c *Client) UploadMedia(ctx context.Context, line account.Line, f media.File) (id string, err error) {
	form, boundary, err := mediaForm(f)
	if err != nil {
		return "", err
	}
	tail := "\r\n--" + boundary + "--\r\n"
	var a struct {
		ID string `json:"id"`
	}
	err = c.Do(ctx, Call{Method: http.MethodPost, Version: Version, Path: line.PhoneMetaID + "/media", Token: line.Token,
		ContentType: "multipart/form-data; boundary=" + boundary, Size: int64(len(form)) + f.Size + int64(len(tail)),
		Stream: io.MultiReader(bytes.NewReader(form), &exact{f.Body, f.Size}, strings.NewReader(tail))}, &a)
	if err == nil && a.ID == "" {
		err = &Unanswered{Fate: Unknown, Err: errNoID}
	}
	return a.ID, Fault(err)
}

// mediaForm returns the form up to the first byte of the file, which comes last so that it can be streamed.
func mediaForm(f media.File) (form []byte, boundary string, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, field := range [...][2]string{{"messaging_product", "whatsapp"}, {"type", f.Type}} {
		if err := w.WriteField(field[0], field[1]); err != nil {
			return nil, "", err
		}
	}
	_, err = w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="` + fileName(f.Name) + `"`}, "Content-Type": {f.Type}})
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

// exact makes a file that is shorter than announced an error rather than a form that is cut short, and ignores what is behind
// its end.
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

// FindMedia looks a file up that a number received or uploaded; others' are a fault.NotFound. The object's body is fetched from
// Meta when it is first read, ends with an error if it is not the file that Meta described, and has to be closed either way.
func (c *Client) FindMedia(ctx context.Context, line account.Line, id string) (media.Object, error) {
	var a struct {
		Type string          `json:"mime_type"`
		Sum  string          `json:"sha256"`
		Size json.RawMessage `json:"file_size"` // a string by Meta's page, seen as a number
		URL  string          `json:"url"`
	}
	err := c.Do(ctx, Call{Version: Version, Path: id, Query: owner(line), Token: line.Token}, &a)
	if err != nil {
		return media.Object{}, Fault(err)
	}
	size, ok := whole(a.Size)
	if !ok || size < 0 || a.URL == "" {
		return media.Object{}, Fault(&Unanswered{Fate: Unknown, Err: errors.New("answer has no file_size or url")})
	}
	return media.Object{Size: int64(size), Type: a.Type, Body: &download{ctx: ctx, client: c, token: line.Token, url: a.URL,
		left: int64(size), want: sum(a.Sum), sum: sha256.New()}}, nil
}

// owner makes Meta check whose a file is.
func owner(line account.Line) url.Values { return url.Values{"phone_number_id": {line.PhoneMetaID}} }

// sum reads a SHA-256 in either of the forms Meta sends: hexadecimal or base64.
func sum(s string) []byte {
	for _, decode := range [...]func(string) ([]byte, error){hex.DecodeString, base64.StdEncoding.DecodeString} {
		if b, err := decode(s); err == nil && len(b) == 32 {
			return b
		}
	}
	return nil
}

// DeleteMedia removes a number's file and reports what Meta says of that.
func (c *Client) DeleteMedia(ctx context.Context, line account.Line, id string) (bool, error) {
	var a struct {
		Success bool `json:"success"`
	}
	err := c.Do(ctx, Call{Method: http.MethodDelete, Version: Version, Path: id, Query: owner(line), Token: line.Token}, &a)
	return a.Success, Fault(err)
}

// download is a file on its way from the address that Meta gave for it, which is good for five minutes.
type download struct {
	ctx    context.Context
	client *Client
	token  identity.Secret
	url    string
	left   int64
	want   []byte // SHA-256; nil is not compared
	sum    hash.Hash
	body   io.ReadCloser // nil before the first read
	cancel context.CancelFunc
	err    error
}

// Read opens the file if need be, and compares its sum before it lets the last bytes pass: whoever stores them as they come is
// told in time.
func (d *download) Read(p []byte) (int, error) {
	if d.body == nil && d.err == nil {
		d.err = Fault(d.open())
	}
	if d.err != nil {
		return 0, d.err
	}
	if d.left == 0 {
		return 0, io.EOF
	}
	n, err := d.body.Read(p[:min(int64(len(p)), d.left)])
	d.left -= int64(n)
	d.sum.Write(p[:n])
	switch {
	case d.left == 0 && d.want != nil && !bytes.Equal(d.sum.Sum(nil), d.want):
		n, err = 0, errSum
	case d.left == 0:
		return n, nil
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		d.err = Fault(&Unanswered{Fate: Unknown, Err: fmt.Errorf("read the file: %w", err)})
		err = d.err
	}
	return n, err
}

var (
	errSum     = errors.New("its content is not what Meta described")
	errExpired = errors.New("the address of the file has expired")
	errAddress = errors.New("the address of the file is no https URL")
)

func (d *download) open() error {
	u, err := url.Parse(d.url)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != d.client.base.Scheme {
		return &Unanswered{Fate: NotSent, Err: errAddress}
	}
	ctx, cancel := context.WithTimeout(d.ctx, d.client.deadline(d.left))
	d.cancel = cancel
	r := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{
		"User-Agent": {userAgent}, "Authorization": {"Bearer " + d.token.Reveal()}, "Accept-Encoding": {"identity"}}}
	call, start, status := &Call{Path: "media download"}, time.Now(), 0
	res, err := d.client.http.Do(r.WithContext(ctx)) //nolint:bodyclose // Close does
	if err != nil {
		err = &Unanswered{Fate: Unknown, Err: withoutURL(err)}
	} else {
		status, d.body = res.StatusCode, res.Body
		err = d.check(res)
	}
	d.client.record(ctx, call, status, start, err)
	return err
}

// check tells whether an answer is the file.
func (d *download) check(res *http.Response) error {
	switch {
	case res.StatusCode == http.StatusNotFound:
		return &Unanswered{Fate: Refused, Err: errExpired}
	case res.StatusCode != http.StatusOK:
		body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10)) // as much as can be read
		return newError(res, body)
	case res.ContentLength >= 0 && res.ContentLength != d.left:
		return &Unanswered{Fate: Unknown, Err: fmt.Errorf("the file has %d bytes, Meta said %d", res.ContentLength, d.left)}
	}
	return nil
}

// Close ends the download.
func (d *download) Close() error {
	if d.err == nil {
		d.err = errClosed
	}
	if d.cancel != nil {
		defer d.cancel()
	}
	if d.body == nil {
		return nil
	}
	return d.body.Close()
}

var errClosed = errors.New("the download was closed")

// UploadSample sends a file through Meta's resumable upload and returns its handle, which stands for the file as the example of
// a template's header and in a business profile, but never in a message.
func (c *Client) UploadSample(ctx context.Context, a account.Access, f media.File) (handle string, err error) {
	var session struct {
		ID string `json:"id"`
	}
	err = c.Do(ctx, Call{Method: http.MethodPost, Version: Version, Path: c.appID + "/uploads", Token: a.Token, Query: url.Values{
		"file_name": {cmpOr(f.Name, "file")}, "file_length": {strconv.FormatInt(f.Size, 10)}, "file_type": {f.Type}}}, &session)
	if err != nil {
		return "", Fault(err)
	}
	path, query, _ := strings.Cut(session.ID, "?")
	values, err := url.ParseQuery(query)
	if err != nil || !strings.HasPrefix(path, "upload:") {
		return "", Fault(&Unanswered{Fate: Unknown, Err: errNoID})
	}
	var done struct {
		Handle string `json:"h"`
	}
	err = c.Do(ctx, Call{Method: http.MethodPost, Version: Version, Path: path, Query: values, Token: a.Token, Scheme: "OAuth",
		Header: http.Header{"File_offset": {"0"}}, ContentType: "application/octet-stream", Stream: f.Body, Size: f.Size}, &done)
	if err == nil && done.Handle == "" {
		err = &Unanswered{Fate: Unknown, Err: errors.New("answer has no handle")}
	}
	return done.Handle, Fault(err)
}
