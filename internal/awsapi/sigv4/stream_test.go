package sigv4

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

var (
	storage  = Service{Name: "s3", Regions: []string{"us-east-1"}, UnsignedPayload: true, RawPath: true}
	may2013  = time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	examples = keys{"AKIAIOSFODNN7EXAMPLE": {ID: "AKIAIOSFODNN7EXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", Active: true}}
)

// chunked is the upload of AWS's documentation of chunked signatures: 65 KiB of the letter a, in chunks of 64 KiB. Signatures are
// those printed there.
type chunked struct {
	payload    string // x-amz-content-sha256
	trailer    string // x-amz-trailer
	seed       string
	signatures [3]string // of the chunks; "" sends none
	tail       string    // behind the last chunk
	letter     byte
	announced  int
}

var (
	signedUpload = chunked{payload: signedChunks, letter: 'a', announced: 66560, tail: "\r\n",
		seed: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
		signatures: [3]string{"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
			"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"}}
	signedTrailer = chunked{payload: signedChunksTrailer, trailer: "x-amz-checksum-crc32c", letter: 'a', announced: 66560,
		tail: "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n",
		seed: "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
		signatures: [3]string{"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
			"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7", "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"}}
	unsignedTrailer = chunked{payload: unsignedChunksTrailer, trailer: "x-amz-checksum-crc32c", letter: 'a', announced: 66560,
		tail: "x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n"}
)

func (c chunked) body() string {
	var b strings.Builder
	for i, size := range [...]int{65536, 1024, 0} {
		fmt.Fprintf(&b, "%x", size)
		if c.signatures[i] != "" {
			b.WriteString(";chunk-signature=" + c.signatures[i])
		}
		b.WriteString("\r\n")
		if size > 0 {
			b.WriteString(strings.Repeat(string(c.letter), size) + "\r\n")
		}
	}
	return b.String() + c.tail
}

// request is the upload with the documentation's signature, or with one made now if there is none.
func (c chunked) request(t testing.TB) *http.Request {
	t.Helper()
	body := c.body()
	r := httptest.NewRequest(http.MethodPut, "http://s3.amazonaws.com/examplebucket/chunkObject.txt", strings.NewReader(body))
	r.Header = http.Header{"Content-Encoding": {"aws-chunked"}, "X-Amz-Content-Sha256": {c.payload}, "X-Amz-Date": {"20130524T000000Z"},
		"X-Amz-Decoded-Content-Length": {fmt.Sprint(c.announced)}, "X-Amz-Storage-Class": {"REDUCED_REDUNDANCY"}}
	signed := "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class"
	if c.trailer != "" {
		r.Header.Set("X-Amz-Trailer", c.trailer)
		signed = strings.Replace(signed, "content-length;", "", 1) + ";x-amz-trailer"
	}
	if c.seed == "" {
		sign3(t, r, c.payload)
		return r
	}
	r.ContentLength = 66824 // whatever the test changed, this is what was signed
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders="+
		signed+",Signature="+c.seed)
	return r
}

func sign3(t testing.TB, r *http.Request, payload string) {
	t.Helper()
	r.Header.Set("X-Amz-Content-Sha256", payload)
	credentials := aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: examples["AKIAIOSFODNN7EXAMPLE"].Secret.Reveal()}
	raw := func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }
	if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, payload, "s3", "us-east-1", may2013, raw); err != nil {
		t.Fatal(err)
	}
}

// stream reads a request through to its end.
func stream(r *http.Request, wrap func(io.Reader) io.Reader) (string, error) {
	v := New(examples, 0, func() time.Time { return may2013 })
	claim := Parse(r)
	key, err := v.Identify(r.Context(), r, &claim, &storage)
	if err != nil {
		return "", err
	}
	r.Body = io.NopCloser(wrap(r.Body))
	body, err := v.Stream(r, &claim, key, &storage)
	if err != nil {
		return "", err
	}
	defer body.Close()
	content, err := io.ReadAll(body)
	if e, ok := errors.AsType[*Error](err); ok && body.Refusal() != e {
		return string(content), fmt.Errorf("the refusal is not remembered: %w", e)
	}
	return string(content), err
}

func plain(r io.Reader) io.Reader { return r }

func TestStream(t *testing.T) {
	t.Parallel()
	want := strings.Repeat("a", 66560)
	for _, tc := range []struct {
		name string
		of   chunked
	}{
		{"signed chunks", signedUpload}, {"signed chunks and trailer", signedTrailer}, {"unsigned chunks and trailer", unsignedTrailer},
	} {
		for name, wrap := range map[string]func(io.Reader) io.Reader{"": plain, ", byte by byte": iotest.OneByteReader, ", end with data": iotest.DataErrReader} {
			t.Run(tc.name+name, func(t *testing.T) {
				t.Parallel()
				if got, err := stream(tc.of.request(t), wrap); err != nil || got != want {
					t.Errorf("%d bytes, %v; want %d", len(got), err, len(want))
				}
			})
		}
	}
}

func TestStreamNoticesTampering(t *testing.T) {
	t.Parallel()
	with := func(c chunked, change func(*chunked)) chunked { change(&c); return c }
	other := strings.Repeat("0", 64)
	for _, tc := range []struct {
		name string
		of   chunked
	}{
		{"content of signed chunks", with(signedUpload, func(c *chunked) { c.letter = 'b' })},
		{"signature of the first chunk", with(signedUpload, func(c *chunked) { c.signatures[0] = other })},
		{"signature of the second chunk", with(signedUpload, func(c *chunked) { c.signatures[1] = other })},
		{"signature of the end", with(signedUpload, func(c *chunked) { c.signatures[2] = other })},
		{"no signature of a chunk", with(signedUpload, func(c *chunked) { c.signatures[1] = "" })},
		{"trailer of signed chunks", with(signedTrailer, func(c *chunked) { c.tail = strings.Replace(c.tail, "sOO8", "sOO9", 1) })},
		{"signature of the trailer", with(signedTrailer, func(c *chunked) { c.tail = strings.Replace(c.tail, ":d81", ":e81", 1) })},
		{"no signature of the trailer", with(signedTrailer, func(c *chunked) { c.tail = "x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n" })},
		{"content with a checksum", with(unsignedTrailer, func(c *chunked) { c.letter = 'b' })},
		{"checksum", with(unsignedTrailer, func(c *chunked) { c.tail = "x-amz-checksum-crc32c:AAAAAA==\r\n\r\n" })},
		{"checksum that is none", with(unsignedTrailer, func(c *chunked) { c.tail = "x-amz-checksum-crc32c:?\r\n\r\n" })},
		{"trailer without a value", with(unsignedTrailer, func(c *chunked) { c.tail = "x\r\n\r\n" })},
		{"more than announced", with(unsignedTrailer, func(c *chunked) { c.announced = 66559 })},
		{"less than announced", with(unsignedTrailer, func(c *chunked) { c.announced = 66561 })},
		{"nothing announced", with(unsignedTrailer, func(c *chunked) { c.announced = -1 })},
		{"endless trailers", with(unsignedTrailer, func(c *chunked) { c.tail = strings.Repeat("a:b\r\n", 100) })},
		{"endless line", with(unsignedTrailer, func(c *chunked) { c.tail = strings.Repeat("a", 100_000) })},
		{"signature where none is due", with(unsignedTrailer, func(c *chunked) { c.tail = "x-amz-trailer-signature:00\r\n\r\n" })},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := stream(tc.of.request(t), plain)
			if _, refused := errors.AsType[*Error](err); !refused || len(got) >= max(tc.of.announced, 1) {
				t.Errorf("read %d bytes, %v; want a refusal before the end", len(got), err)
			}
		})
	}
	t.Run("cut short", func(t *testing.T) {
		t.Parallel()
		r := unsignedTrailer.request(t)
		got, err := stream(r, func(r io.Reader) io.Reader { return io.LimitReader(r, 66570) })
		if !errors.Is(err, io.ErrUnexpectedEOF) || len(got) >= 66560 {
			t.Errorf("read %d bytes, %v; want an unexpected end", len(got), err)
		}
	})
}

// A body with its own hash, and one without anything.
func TestStreamOfWholeBodies(t *testing.T) {
	t.Parallel()
	const hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	for _, tc := range []struct {
		name, payload, body string
		length              int64
		ok                  bool
	}{
		{"hash", hello, "hello", 5, true},
		{"hash of a body of unknown length", hello, "hello", -1, true},
		{"another hash", hello, "hellO", 5, false},
		{"another hash of a body of unknown length", hello, "hellO", -1, false},
		{"hash of nothing", emptyHash, "", 0, true},
		{"no hash at all", "whatever", "hello", 5, false},
		{"not signed", unsignedPayload, "hello", 5, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPut, "http://s3.amazonaws.com/b/k", bytes.NewReader([]byte(tc.body)))
			r.ContentLength = tc.length
			sign3(t, r, tc.payload)
			got, err := stream(r, plain)
			if tc.ok && (err != nil || got != tc.body) {
				t.Errorf("read %q, %v", got, err)
			}
			if _, refused := errors.AsType[*Error](err); !tc.ok && (!refused || got == tc.body && tc.length >= 0) {
				t.Errorf("read %q, %v; want a refusal", got, err)
			}
		})
	}
	t.Run("nothing said about the body", func(t *testing.T) {
		t.Parallel()
		r := httptest.NewRequest(http.MethodPut, "http://s3.amazonaws.com/b/k", strings.NewReader("hello"))
		sign3(t, r, unsignedPayload)
		r.Header.Del("X-Amz-Content-Sha256")
		if _, err := stream(r, plain); err == nil {
			t.Error("accepted")
		}
	})
}

func FuzzChunks(f *testing.F) {
	for _, c := range []chunked{signedUpload, signedTrailer, unsignedTrailer} {
		f.Add(c.body(), int64(66560), c.trailer != "", c.seed != "")
	}
	f.Add("0\r\n\r\n", int64(0), false, false)
	f.Fuzz(func(t *testing.T, body string, announced int64, trailer, signed bool) {
		if announced < 0 {
			t.Skip()
		}
		v := New(examples, 0, time.Now)
		key := v.signing.get(identity.AccessKey{Secret: "x"}, "d", "r", "s")
		c := &chunkReader{in: bufio.NewReaderSize(strings.NewReader(body), maxLine), left: announced, trailer: trailer, sums: checksums([]string{"x-amz-checksum-crc32c"})}
		if signed {
			c.signer = &chunkSigner{key: key[:], scope: "scope\n", previous: "seed", sum: sha256.New()}
		}
		got, err := io.ReadAll(c)
		if err == nil && int64(len(got)) != announced {
			t.Errorf("read %d bytes of %d announced, without an error", len(got), announced)
		}
		if err == nil && signed {
			t.Error("accepted what nobody signed")
		}
	})
}
