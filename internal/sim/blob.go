package sim

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
)

// smallFile is the size up to which a file is kept in memory.
const smallFile = 1 << 20

// blob is a file somebody sent: in memory when it is small, else in a temporary file without a name, which the system removes
// with the last reference to it.
type blob struct {
	data []byte
	file *os.File // instead of data
	size int64
	sum  [sha256.Size]byte
}

var errBlobTooLarge = errors.New("sim: file too large")

// newBlob reads a file to its end, or to just beyond limit, which is errBlobTooLarge. With an error of the reader's the blob holds
// what came before it.
func newBlob(r io.Reader, limit int64) (*blob, error) {
	r = io.LimitReader(r, limit+1)
	hash := sha256.New()
	var head bytes.Buffer
	n, err := io.Copy(io.MultiWriter(&head, hash), io.LimitReader(r, smallFile))
	b := &blob{size: n, data: head.Bytes()}
	if err == nil && n == smallFile {
		err = b.spill(r, hash)
	}
	hash.Sum(b.sum[:0])
	if err == nil && b.size > limit {
		err = errBlobTooLarge
	}
	return b, err
}

// spill moves the blob into a file and reads the rest there.
func (b *blob) spill(r io.Reader, hash io.Writer) error {
	file, err := os.CreateTemp("", "waxwing-sim-*")
	if err != nil {
		return err
	}
	os.Remove(file.Name()) // where that fails, the name stays until the system cleans up
	if _, err := file.Write(b.data); err != nil {
		file.Close()
		return err
	}
	b.data, b.file = nil, file
	n, err := io.Copy(io.MultiWriter(file, hash), r)
	b.size += n
	return err
}

// open returns a reader of its own for each caller.
func (b *blob) open() io.ReadSeeker {
	if b.file == nil {
		return bytes.NewReader(b.data)
	}
	return io.NewSectionReader(b.file, 0, b.size)
}

// head returns the first bytes, for telling what the file is.
func (b *blob) head() []byte {
	if b.file == nil {
		return b.data[:min(len(b.data), 512)]
	}
	head := make([]byte, 512)
	n, _ := b.file.ReadAt(head, 0) // what cannot be read looks like nothing
	return head[:n]
}
