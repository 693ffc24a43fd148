package meta

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/media"
)

var line = account.Line{PhoneMetaID: number, Token: token}

func picture(body io.Reader, size int64) media.File {
	return media.File{Type: "image/jpeg", Name: "a \"cät\".jpeg", Size: size, Body: body}
}

func TestUploadMedia(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("0123456789", 50_000)
	type seen struct {
		Path, Auth string
		Length     bool
		Fields     map[string]string
		Type, Name string
		Content    bool
	}
	var got seen
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		got = seen{Path: r.URL.Path, Auth: r.Header.Get("Authorization"), Length: r.ContentLength > int64(len(content)), Fields: map[string]string{}}
		_, attrs, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		form := multipart.NewReader(r.Body, attrs["boundary"])
		for {
			part, err := form.NextPart()
			if err != nil {
				break
			}
			body, _ := io.ReadAll(part)
			if part.FormName() == "file" {
				got.Type, got.Name, got.Content = part.Header.Get("Content-Type"), part.FileName(), string(body) == content
				continue
			}
			got.Fields[part.FormName()] = string(body)
		}
		_, _ = io.WriteString(w, `{"id":"1122334455667788"}`)
	})
	id, err := c.UploadMedia(t.Context(), line, picture(strings.NewReader(content+"behind the end"), int64(len(content))))
	if err != nil || id != "1122334455667788" {
		t.Fatalf("UploadMedia = %q, %v", id, err)
	}
	want := seen{Path: "/" + Version + "/" + number + "/media", Auth: "Bearer " + token.Reveal(), Length: true,
		Fields: map[string]string{"messaging_product": "whatsapp", "type": "image/jpeg"}, Type: "image/jpeg", Name: "a _c_t_.jpeg", Content: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

// A file that breaks off is no fault of Meta's, and Meta never has a whole request.
func TestUploadMediaBreaksOff(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		body io.Reader
		kind fault.Kind
		text string
	}{
		{"at once", iotest.ErrReader(errors.New("boom")), fault.Dependency, "could not be read to its end"},
		{"in the middle", io.MultiReader(strings.NewReader(strings.Repeat("x", 90_000)), iotest.ErrReader(errors.New("boom"))), fault.Dependency, "could not be read"},
		{"too short", strings.NewReader("x"), fault.Dependency, "could not be read"},
		{"with words of its own", iotest.ErrReader(fault.New(fault.NotFound, "it is gone")), fault.NotFound, "it is gone"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			whole := make(chan bool, 1)
			c := client(t, func(_ http.ResponseWriter, r *http.Request) {
				_, err := io.Copy(io.Discard, r.Body)
				whole <- err == nil
			})
			_, err := c.UploadMedia(t.Context(), line, picture(tc.body, 100_000))
			if !fault.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("err = %v, want %s", err, tc.kind)
			}
			if _, ok := errors.AsType[*Unanswered](err); ok && Outcome(err) != NotSent {
				t.Errorf("the fate is %v, want %v", Outcome(err), NotSent)
			}
			select {
			case ok := <-whole:
				if ok {
					t.Error("Meta got a whole request")
				}
			default: // not even the beginning
			}
		})
	}
}

func TestUploadMediaRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, answer string
		status       int
		kind         fault.Kind
	}{
		{"type", `{"error":{"message":"(#100) Param file must be a file","code":100}}`, 400, fault.InvalidParameters},
		{"token", `{"error":{"message":"expired","code":190}}`, 401, fault.AccessDeniedByMeta},
		{"number", `{"error":{"message":"Unsupported post request","code":100,"error_subcode":33}}`, 400, fault.NotFound},
		{"rate", `{"error":{"message":"limit","code":80007}}`, 400, fault.Throttled},
		{"trouble", `{"error":{"message":"x","code":131000}}`, 500, fault.Dependency},
		{"no id", `{}`, 200, fault.Dependency},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := client(t, answer(tc.status, "application/json", tc.answer))
			if _, err := c.UploadMedia(t.Context(), line, picture(strings.NewReader("x"), 1)); !fault.Is(err, tc.kind) {
				t.Errorf("err = %v, want %s", err, tc.kind)
			}
		})
	}
}

// shelf is a server with one file. It answers for the file with a document in which URL stands for itself.
func shelf(t *testing.T, document string, file http.HandlerFunc) *Client {
	t.Helper()
	var base string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/file" {
			file(w, r)
			return
		}
		if got := r.URL.String(); got != "/"+Version+"/4711?phone_number_id="+number {
			t.Errorf("asked for %s", got)
		}
		_, _ = io.WriteString(w, strings.ReplaceAll(document, "URL", base+"/file?hash=secret"))
	}))
	t.Cleanup(server.Close)
	base = server.URL
	return newClient(t, Options{BaseURL: server.URL})
}

func TestFindMedia(t *testing.T) {
	t.Parallel()
	const content = "hello, world"
	digest := sha256.Sum256([]byte(content))
	inHex, in64 := hex.EncodeToString(digest[:]), base64.StdEncoding.EncodeToString(digest[:])
	other := hex.EncodeToString(make([]byte, 32))
	send := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token.Reveal() || r.UserAgent() == "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, content)
	}
	for _, tc := range []struct {
		name, size, sum string
		file            http.HandlerFunc
		want            string // "" for the file, else what is wrong
		kind            fault.Kind
	}{
		{"sum in hexadecimal", `"12"`, inHex, send, "", ""},
		{"sum in base64", `12`, in64, send, "", ""},
		{"no sum that can be read", `12`, "?", send, "", ""},
		{"another sum", `12`, other, send, "not what Meta described", fault.Dependency},
		{"another length", `13`, inHex, send, "has 12 bytes, Meta said 13", fault.Dependency},
		{"cut short", `12`, inHex, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Transfer-Encoding", "chunked")
			_, _ = io.WriteString(w, content[:5])
		}, "unexpected EOF", fault.Dependency},
		{"expired", `12`, inHex, http.NotFound, "expired", fault.Dependency},
		{"refused", `12`, inHex, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, "401", fault.AccessDeniedByMeta},
		{"redirected", `12`, inHex, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/else", http.StatusFound) }, "302", fault.Dependency},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := shelf(t, `{"id":"4711","mime_type":"text/plain; charset=utf-8","file_size":`+tc.size+`,"sha256":"`+tc.sum+`","url":"URL"}`, tc.file)
			o, err := c.FindMedia(t.Context(), line, "4711")
			if err != nil || o.Type != "text/plain; charset=utf-8" || fmt.Sprint(o.Size) != strings.Trim(tc.size, `"`) {
				t.Fatalf("FindMedia = %+v, %v", o, err)
			}
			got, err := io.ReadAll(iotest.OneByteReader(o.Body))
			if tc.want == "" && (err != nil || string(got) != content) {
				t.Errorf("read %q, %v", got, err)
			}
			if tc.want != "" && (!fault.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.want) || string(got) == content) {
				t.Errorf("read %q, %v; want %s with %q and not the whole file", got, err, tc.kind, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows the address: %v", err)
			}
			if err := o.Body.Close(); err != nil {
				t.Error(err)
			}
			if n, err := o.Body.Read(make([]byte, 1)); n != 0 || err == nil {
				t.Error("a closed download can be read")
			}
		})
	}
	for name, document := range map[string]string{"no address": `{"file_size":1}`, "no size": `{"url":"URL"}`, "negative size": `{"url":"URL","file_size":-1}`} {
		if _, err := shelf(t, document, send).FindMedia(t.Context(), line, "4711"); !fault.Is(err, fault.Dependency) {
			t.Errorf("%s: %v, want a Dependency", name, err)
		}
	}
	t.Run("never fetched", func(t *testing.T) {
		t.Parallel()
		c := shelf(t, `{"file_size":"1","url":"URL"}`, func(http.ResponseWriter, *http.Request) { t.Error("the file was fetched") })
		o, err := c.FindMedia(t.Context(), line, "4711")
		if err != nil {
			t.Fatal(err)
		}
		if err := o.Body.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("an address without TLS", func(t *testing.T) {
		t.Parallel()
		for _, address := range []string{"ftp://h/x", "file:///etc/passwd", "/x", "http://%zz"} {
			c := shelf(t, `{"file_size":"1","url":"`+address+`"}`, send)
			o, err := c.FindMedia(t.Context(), line, "4711")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(o.Body); !fault.Is(err, fault.Dependency) {
				t.Errorf("%s: %v, want a Dependency", address, err)
			}
		}
	})
}

func TestDeleteMedia(t *testing.T) {
	t.Parallel()
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Method + " " + r.URL.String(); got != "DELETE /"+Version+"/4711?phone_number_id="+number {
			t.Errorf("call %s", got)
		}
		_, _ = io.WriteString(w, `{"success":true}`)
	})
	if ok, err := c.DeleteMedia(t.Context(), line, "4711"); err != nil || !ok {
		t.Errorf("DeleteMedia = %v, %v", ok, err)
	}
}

func TestUploadSample(t *testing.T) {
	t.Parallel()
	var calls []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls = append(calls, fmt.Sprint(r.Method, " ", r.URL.String(), " ", r.Header.Get("Authorization"), " ", r.Header.Get("file_offset"), " ", r.ContentLength, " ", string(body)))
		if strings.HasSuffix(r.URL.Path, "/uploads") {
			_, _ = io.WriteString(w, `{"id":"upload:MTph=?sig=ARx"}`)
			return
		}
		_, _ = io.WriteString(w, `{"h":"4::aW1hZ2UvanBlZw==:ARdemo"}`)
	}))
	t.Cleanup(srv.Close)
	c := newClient(t, Options{BaseURL: srv.URL, AppID: "700"})
	handle, err := c.UploadSample(t.Context(), account.Access{Token: token}, media.File{Type: "image/jpeg", Name: "a b.jpeg", Size: 5, Body: strings.NewReader("hello")})
	if err != nil || handle != "4::aW1hZ2UvanBlZw==:ARdemo" {
		t.Fatalf("UploadSample = %q, %v", handle, err)
	}
	want := []string{"POST /" + Version + "/700/uploads?file_length=5&file_name=a+b.jpeg&file_type=image%2Fjpeg Bearer " + token.Reveal() + "  0 ",
		"POST /" + Version + "/upload:MTph=?sig=ARx OAuth " + token.Reveal() + " 0 5 hello"}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	for _, session := range []string{`{}`, `{"id":"4711"}`, `{"id":"upload:x?%zz"}`} {
		c := client(t, answer(200, "application/json", session))
		if _, err := c.UploadSample(t.Context(), account.Access{}, media.File{Size: 1, Body: strings.NewReader("x")}); !fault.Is(err, fault.Dependency) {
			t.Errorf("%s: %v, want a Dependency", session, err)
		}
	}
}
