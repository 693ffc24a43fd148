package sigv4

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"strconv"
	"strings"
)

// maxLine bounds the line ahead of a chunk, and each header behind the last one.
const maxLine = 4 << 10

// maxTrailers bounds how many headers come behind the last chunk.
const maxTrailers = 16

var errChunks = refuse(Incomplete, "The body is not in the aws-chunked encoding its headers announce.")

// chunkReader takes the aws-chunked framing off a body:
//
//	<size in hex>[;chunk-signature=<hex>]CRLF <bytes> CRLF … 0[;chunk-signature=<hex>]CRLF [<name>:<value>CRLF …] CRLF
//
// It is done when the announced content has come, and everything behind it was checked.
type chunkReader struct {
	in      *bufio.Reader
	left    int64 // of the content
	chunk   int64 // left of the chunk
	signer  *chunkSigner
	trailer bool
	sums    map[string]hash.Hash // of the content, by the name of the header that comes with it
	done    bool
	err     error
}

func (c *chunkReader) Read(p []byte) (int, error) {
	switch {
	case c.err != nil:
		return 0, c.err
	case c.done:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	n, err := c.read(p)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		c.err = err
		return 0, err
	}
	if n == 0 {
		return 0, io.EOF // there was no content at all
	}
	return n, nil
}

func (c *chunkReader) read(p []byte) (int, error) {
	if c.chunk == 0 {
		if err := c.next(); err != nil || c.done {
			return 0, err
		}
	}
	n, err := c.in.Read(p[:min(int64(len(p)), c.chunk)])
	if n == 0 && err != nil {
		return 0, err
	}
	c.chunk -= int64(n)
	c.left -= int64(n)
	for _, sum := range c.sums {
		sum.Write(p[:n])
	}
	if c.signer != nil {
		c.signer.sum.Write(p[:n])
	}
	if c.chunk > 0 {
		return n, nil
	}
	if end, err := c.line(); err != nil || len(end) > 0 {
		return 0, cmpErr(err)
	}
	if c.signer != nil {
		if err := c.signer.check("AWS4-HMAC-SHA256-PAYLOAD", emptyHash+"\n"); err != nil {
			return 0, err
		}
	}
	if c.left == 0 {
		err = c.next() // has to be the end
	}
	return n, err
}

func cmpErr(err error) error {
	if err == nil {
		return errChunks
	}
	return err
}

// next reads the line ahead of a chunk; ahead of the empty one, it reads all that follows.
func (c *chunkReader) next() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	size, extension, _ := strings.Cut(line, ";")
	n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 62)
	if err != nil || int64(n) > c.left || n == 0 && c.left > 0 {
		return errChunks
	}
	if c.signer != nil {
		signature, ok := strings.CutPrefix(extension, "chunk-signature=")
		if !ok {
			return errChunks
		}
		c.signer.claimed = signature
	}
	if c.chunk = int64(n); n > 0 {
		return nil
	}
	if c.signer != nil {
		if err := c.signer.check("AWS4-HMAC-SHA256-PAYLOAD", emptyHash+"\n"); err != nil {
			return err
		}
	}
	c.done = true
	return c.finish()
}

// finish reads what is behind the last chunk and compares the checksums there with the content.
func (c *chunkReader) finish() error {
	var signed bytes.Buffer
	for range maxTrailers {
		line, err := c.line()
		if errors.Is(err, io.EOF) && !c.trailer {
			return nil // nothing more was promised
		}
		if err != nil {
			return err
		}
		if line == "" {
			if c.signer != nil && c.trailer {
				return errMismatch // trailers have to be signed where chunks are
			}
			return nil
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !c.trailer {
			return errChunks
		}
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if name == "x-amz-trailer-signature" {
			if c.signer == nil {
				return errChunks
			}
			c.signer.claimed = value
			c.signer.sum.Write(signed.Bytes())
			return c.signer.check("AWS4-HMAC-SHA256-TRAILER", "")
		}
		signed.WriteString(name + ":" + value + "\n")
		if sum := c.sums[name]; sum != nil {
			want, err := base64.StdEncoding.DecodeString(value)
			if err != nil || subtle.ConstantTimeCompare(sum.Sum(nil), want) != 1 {
				return refuse(Invalid, "The "+name+" you specified did not match the calculated checksum.")
			}
		}
	}
	return errChunks
}

// line reads up to the end of a line, which is not part of what it returns.
func (c *chunkReader) line() (string, error) {
	line, err := c.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return "", errChunks
	}
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(string(line[:len(line)-1]), "\r"), nil
}

// emptyHash is SHA-256 of nothing.
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// chunkSigner knows what each chunk's signature has to be: it covers the one before.
type chunkSigner struct {
	key      []byte
	scope    string // time and credential scope, each with its line break
	previous string
	claimed  string // of the chunk being read
	sum      hash.Hash
}

func (s *chunkSigner) check(algorithm, middle string) error {
	text := algorithm + "\n" + s.scope + s.previous + "\n" + middle + hex.EncodeToString(s.sum.Sum(nil))
	s.sum.Reset()
	mac := sign(s.key, []byte(text))
	want := hex.EncodeToString(mac[:])
	if subtle.ConstantTimeCompare([]byte(want), []byte(s.claimed)) != 1 {
		return errMismatch
	}
	s.previous = want
	return nil
}

// checksums returns a hash for each checksum that is announced to come behind the content. Others are not compared.
func checksums(announced []string) map[string]hash.Hash {
	sums := make(map[string]hash.Hash)
	for _, list := range announced {
		for name := range strings.SplitSeq(list, ",") {
			switch name = strings.ToLower(strings.TrimSpace(name)); name {
			case "x-amz-checksum-crc32":
				sums[name] = crc32.NewIEEE()
			case "x-amz-checksum-crc32c":
				sums[name] = crc32.New(crc32.MakeTable(crc32.Castagnoli))
			case "x-amz-checksum-crc64nvme":
				sums[name] = crc64.New(crc64.MakeTable(0x9a6c9329ac4bc9b5))
			case "x-amz-checksum-sha1":
				sums[name] = sha1.New()
			case "x-amz-checksum-sha256":
				sums[name] = sha256.New()
			}
		}
	}
	return sums
}
