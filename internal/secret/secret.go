// Package secret protects what is stored: message bodies, webhooks, tokens and access keys.
//
// Values are encrypted with AES-256-GCM under a Tink keyset that lives in a file of its own. Every ciphertext names the key it
// was made with, so keys can be rotated while old data stays readable. Each value is bound to what it belongs to (its
// associated data): a ciphertext moved to another row does not open.
package secret

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Box seals and opens values. It is safe for concurrent use.
type Box struct{ aead tink.AEAD }

// ErrSealed is returned for a value that does not open: made with another key, for another place, or damaged.
var ErrSealed = errors.New("stored value cannot be decrypted with this key file")

// Open reads the key file at path. It refuses one that others than its owner can read.
func Open(path string) (*Box, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return nil, fmt.Errorf("key file %s can be read by others (mode %04o): run chmod 600 on it", path, mode)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, fmt.Errorf("key file %s is not a keyset: %w", path, err)
	}
	return newBox(handle)
}

// OpenOrCreate is Open, making a new key file first if there is none. Of several processes that do so at once, one makes the
// file and all use it.
func OpenOrCreate(path string) (*Box, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, fmt.Errorf("create key file: %w", err)
		}
	}
	return Open(path)
}

// create writes a new keyset so that the file is either whole and on disk, or absent.
func create(path string) error {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return err
	}
	var raw bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&raw)); err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(raw.Bytes())
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	// A link, unlike a rename, never replaces the key that another process has just made.
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func newBox(handle *keyset.Handle) (*Box, error) {
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("use keyset: %w", err)
	}
	return &Box{primitive}, nil
}

// Seal encrypts a value and binds it to associated.
func (b *Box) Seal(plaintext, associated []byte) ([]byte, error) {
	return b.aead.Encrypt(plaintext, associated)
}

// Open decrypts a value that was sealed with the same associated data, or returns ErrSealed.
func (b *Box) Open(sealed, associated []byte) ([]byte, error) {
	plaintext, err := b.aead.Decrypt(sealed, associated)
	if err != nil {
		return nil, ErrSealed
	}
	return plaintext, nil
}
