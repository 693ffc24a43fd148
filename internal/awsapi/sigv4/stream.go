package sigv4

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"strconv"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// The ways of object storage to sign a body, beside its hash and UNSIGNED-PAYLOAD: in chunks that are signed one by one, or
// not, with headers behind the last one, or not.
const (
	signedChunks          = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	signedChunksTrailer   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	unsignedChunksTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// Body is a request's body on its way in. Reading it to the end proves that it is what was signed: an *Error comes in place of the
// end when it is not, and where the length was announced already in place of the last bytes.
type Body struct {
	Size int64 // of the content in bytes; less than 0 if it is not announced
	io.Reader
	raw io.Closer
	err *Error
}

// Close closes the request's own body.
func (b *Body) Close() error { return b.raw.Close() }

// Refusal is why reading the body failed: an *Error of this package, or nil if it was for another reason or has not failed.
func (b *Body) Refusal() *Error { return b.err }

// Read reads the content.
func (b *Body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if refused, ok := err.(*Error); ok { //nolint:errorlint // our own readers return it bare
		b.err = refused
	}
	return n, err
}

// Stream is Verify for a service whose bodies are not read first; it needs UnsignedPayload. The content of the request is the
// returned Body, with the framing of chunks taken off. A refusal is an *Error.
func (v *Verifier) Stream(r *http.Request, c *Claim, key identity.AccessKey, s *Service) (*Body, error) {
	stated := r.Header.Get("X-Amz-Content-Sha256")
	if stated == "" && c.Presigned {
		stated = unsignedPayload
	}
	if stated == "" {
		return nil, refuse(Incomplete, "Missing required header for this request: x-amz-content-sha256")
	}
	if err := v.check(r, c, key, s, []byte(stated)); err != nil {
		return nil, err
	}
	raw := r.Body
	if raw == nil {
		raw = http.NoBody
	}
	b := &Body{Size: r.ContentLength, Reader: raw, raw: raw}
	switch stated {
	case unsignedPayload:
		return b, nil
	case signedChunks, signedChunksTrailer, unsignedChunksTrailer:
		size, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
		if err != nil || size < 0 {
			return nil, refuse(Incomplete, "Missing required header for this request: x-amz-decoded-content-length")
		}
		chunks := &chunkReader{in: bufio.NewReaderSize(raw, maxLine), left: size, trailer: stated != signedChunks,
			sums: checksums(r.Header.Values("X-Amz-Trailer"))}
		if stated != unsignedChunksTrailer {
			signingKey := v.signing.get(key, c.Date, c.Region, c.Service)
			chunks.signer = &chunkSigner{key: signingKey[:], scope: c.timestamp + "\n" + c.scope + "\n", previous: c.Signature, sum: sha256.New()}
		}
		b.Size, b.Reader = size, chunks
		return b, nil
	}
	want, err := hex.DecodeString(stated)
	if err != nil || len(want) != sha256.Size {
		return nil, errMismatch
	}
	b.Reader = &hashReader{in: raw, left: r.ContentLength, want: want, sum: sha256.New()}
	return b, nil
}

// hashReader compares a body with its hash before it lets the last bytes pass.
type hashReader struct {
	in   io.Reader
	left int64 // less than 0: not known
	want []byte
	sum  hash.Hash
}

func (h *hashReader) Read(p []byte) (int, error) {
	n, err := h.in.Read(p)
	h.sum.Write(p[:n])
	if h.left >= 0 {
		h.left -= int64(n)
	}
	if (h.left == 0 || err == io.EOF) && subtle.ConstantTimeCompare(h.sum.Sum(nil), h.want) != 1 {
		return 0, refuse(Invalid, "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return n, err
}
