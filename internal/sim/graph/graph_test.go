package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestAppendEscaped(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, want string }{
		{"slash", `{"url":"https://ex.org/a"}`, `{"url":"https:\/\/ex.org\/a"}`},
		{"slash already escaped", `"a\/b"`, `"a\/b"`},
		{"accent", `"é"`, `"\u00e9"`},
		{"emoji as surrogates", `"👍"`, `"\ud83d\udc4d"`},
		{"upper-case escape", `"\u00E9"`, `"\u00e9"`},
		{"needless escape", `"\u003cb\u003E"`, `"<b>"`},
		{"needed escapes stay", `"\"\\\n\u0001"`, `"\"\\\n\u0001"`},
		{"escaped quote by number", `"\u0022"`, `"\""`},
		{"white space goes", "{ \"a\" : [ 1 , 2 ] ,\n\t\"b c\":null }", `{"a":[1,2],"b c":null}`},
		{"order stays", `{"z":1,"a":2}`, `{"z":1,"a":2}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := string(AppendEscaped(nil, []byte(tc.in))); got != tc.want {
				t.Errorf("AppendEscaped(%s) = %s, want %s", tc.in, got, tc.want)
			}
		})
	}
}

func FuzzAppendEscaped(f *testing.F) {
	for _, s := range []string{`{"a":"é/👍"}`, `"\u00e9\/"`, `[1, 2.5e3, null, true]`, `"\ud83d"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if !json.Valid(in) || !utf8.Valid(in) {
			return
		}
		out := AppendEscaped(nil, in)
		if bytes.ContainsFunc(out, func(r rune) bool { return r > 0x7f }) {
			t.Errorf("not plain ASCII: %q", out)
		}
		var before, after any
		if err := json.Unmarshal(in, &before); err != nil {
			return // valid but not representable, such as 1e999
		}
		if err := json.Unmarshal(out, &after); err != nil {
			t.Fatalf("%q became invalid: %q: %v", in, out, err)
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("%q means something else as %q:\n%s", in, out, diff)
		}
		if again := AppendEscaped(nil, out); !bytes.Equal(again, out) {
			t.Errorf("not stable: %q then %q", out, again)
		}
	})
}

func FuzzAppendString(f *testing.F) {
	f.Add("é/\"\\\n\x00👍")
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		out := AppendString(nil, s)
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%q is invalid JSON: %v", out, err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); utf8.ValidString(s) && got != want {
			t.Errorf("AppendString(%q) reads back as %q", s, got)
		}
	})
}

func TestRead(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, method, query, contentType, body string
		want                                   Params
	}{
		{name: "json", body: `{"to":"1","n":12345678901234567890}`, want: Params{"to": "1", "n": json.Number("12345678901234567890")}},
		{name: "json without a content type", body: `{"to":"1"}`, want: Params{"to": "1"}},
		{name: "form", contentType: "application/x-www-form-urlencoded", body: `to=%2B1&text=%7B%22body%22%3A%22x%22%7D`,
			want: Params{"to": "+1", "text": map[string]any{"body": "x"}}},
		{name: "form with broken json stays text", contentType: "application/x-www-form-urlencoded", body: `text=%7Bx`, want: Params{"text": "{x"}},
		{name: "multipart", contentType: "multipart/form-data; boundary=B",
			body: "--B\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\n1\r\n--B--\r\n", want: Params{"to": "1"}},
		{name: "body over query", query: "to=2&x=y", body: `{"to":"1"}`, want: Params{"to": "1", "x": "y"}},
		{name: "query only", query: "to=2", want: Params{"to": "2"}},
		{name: "a get has no body", method: http.MethodGet, query: "fields=id", body: `{"to":"1"}`, want: Params{"fields": "id"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			method := tc.method
			if method == "" {
				method = http.MethodPost
			}
			r, err := http.NewRequest(method, "http://x/v25.0/1/messages?"+tc.query, strings.NewReader(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", tc.contentType)
			got, _, err := Read(r, 1000)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("params (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"broken": `{"a":`, "an array": `[1]`, "null": `null`, "trailing": `{} {}`, "text": `hello`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := http.NewRequest(http.MethodPost, "http://x/?to=1", strings.NewReader(body))
			params, _, err := Read(r, 1000)
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Code != 100 || e.HTTP != http.StatusBadRequest {
				t.Errorf("Read(%s) = %v, want code 100", body, err)
			}
			if params["to"] != "1" {
				t.Errorf("the query was lost: %v", params)
			}
		})
	}
	for name, length := range map[string]int64{"declared": 11, "chunked": -1} {
		t.Run("too large "+name, func(t *testing.T) {
			t.Parallel()
			r, _ := http.NewRequest(http.MethodPost, "http://x/", io.NopCloser(strings.NewReader(strings.Repeat(" ", 11))))
			r.ContentLength = length
			if _, _, err := Read(r, 10); !errors.Is(err, ErrTooLarge) {
				t.Errorf("Read = %v, want ErrTooLarge", err)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add("a=b", "application/json", []byte(`{"to":"1"}`))
	f.Add("", "application/x-www-form-urlencoded", []byte(`a=%7B%7D`))
	f.Add("", "multipart/form-data; boundary=B", []byte("--B\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\n1\r\n--B--\r\n"))
	f.Fuzz(func(t *testing.T, query, contentType string, body []byte) {
		r, err := http.NewRequest(http.MethodPost, "http://x/", bytes.NewReader(body))
		if err != nil {
			return
		}
		r.URL.RawQuery = query
		r.Header["Content-Type"] = []string{contentType}
		params, raw, err := Read(r, 4096)
		if params == nil {
			t.Fatal("no params")
		}
		if err == nil && raw != nil && !json.Valid(raw) {
			t.Errorf("raw is not JSON: %q", raw)
		}
	})
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		err  *Error
		want string
	}{
		{"messaging", Fail(131047, "too late"),
			`{"error":{"message":"(#131047) Re-engagement message","type":"OAuthException","code":131047,"error_data":{"messaging_product":"whatsapp","details":"too late"},"fbtrace_id":"T"}}`},
		{"parameter", Param("The parameter to is required."),
			`{"error":{"message":"(#100) The parameter to is required.","type":"OAuthException","code":100,"fbtrace_id":"T"}}`},
		{"invalid", Invalid("Parameter %s", "x"),
			`{"error":{"message":"(#100) Invalid parameter","type":"OAuthException","code":100,"error_subcode":2494010,"error_data":{"messaging_product":"whatsapp","details":"Parameter x"},"fbtrace_id":"T"}}`},
		{"bare string", &Error{Code: 368, Message: "m", Data: "why"},
			`{"error":{"message":"m","type":"OAuthException","code":368,"error_data":"why","fbtrace_id":"T"}}`},
		{"transient", Fail(2, ""),
			`{"error":{"message":"Service temporarily unavailable","type":"OAuthException","code":2,"is_transient":true,"fbtrace_id":"T"}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, string(Marshal(tc.err.Envelope("T")))); diff != "" {
				t.Errorf("envelope (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWebhookNode(t *testing.T) {
	t.Parallel()
	want := `{"code":131026,"title":"Message undeliverable","message":"Message undeliverable","error_data":{"details":"Message undeliverable"},` +
		`"href":"https:\/\/developers.facebook.com\/docs\/whatsapp\/cloud-api\/support\/error-codes\/"}`
	if diff := cmp.Diff(want, string(WebhookNode(131026, ""))); diff != "" {
		t.Errorf("node (-want +got):\n%s", diff)
	}
}

// TestCodes holds the table against what the rest relies on: every code has a title and a sensible status.
func TestCodes(t *testing.T) {
	t.Parallel()
	for code := range codes {
		k := Lookup(code)
		if k.Title == "" || k.HTTP < 400 || k.HTTP > 599 {
			t.Errorf("code %d = %+v: want a title and an error status", code, k)
		}
	}
}
