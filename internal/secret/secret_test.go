package secret

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

func TestSealOpen(t *testing.T) {
	t.Parallel()
	box, err := OpenOrCreate(filepath.Join(t.TempDir(), "data", "waxwing.key"))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := box.Seal([]byte("hello"), []byte("row-1"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("hello")) {
		t.Error("the value is readable")
	}
	if got, err := box.Open(sealed, []byte("row-1")); err != nil || string(got) != "hello" {
		t.Errorf("Open = %q, %v", got, err)
	}
	damaged := bytes.Clone(sealed)
	damaged[len(damaged)-1] ^= 1
	for name, try := range map[string]struct{ sealed, associated []byte }{
		"another row": {sealed, []byte("row-2")}, "damaged": {damaged, []byte("row-1")}, "empty": {nil, []byte("row-1")},
	} {
		if _, err := box.Open(try.sealed, try.associated); !errors.Is(err, ErrSealed) {
			t.Errorf("%s: Open = %v, want ErrSealed", name, err)
		}
	}
	other, err := OpenOrCreate(filepath.Join(t.TempDir(), "other.key"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Open(sealed, []byte("row-1")); !errors.Is(err, ErrSealed) {
		t.Errorf("with another key: %v, want ErrSealed", err)
	}
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waxwing.key")
	if _, err := Open(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open without a file = %v", err)
	}
	// Racing creators all end up with one key.
	boxes := make([]*Box, 8)
	var wg sync.WaitGroup
	for i := range boxes {
		wg.Go(func() { boxes[i], _ = OpenOrCreate(path) })
	}
	wg.Wait()
	sealed, err := boxes[0].Seal([]byte("x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range boxes {
		if _, err := b.Open(sealed, nil); err != nil {
			t.Errorf("creator %d has another key", i)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, %v; want 0600", info.Mode(), err)
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a readable key file = %v, want advice", err)
	}
	if err := errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, []byte("not a keyset"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "not a keyset") {
		t.Errorf("a damaged key file = %v", err)
	}
}

// TestRotatedKeys adds a key to a key file and makes it the one that seals: what the first one sealed must stay readable.
func TestRotatedKeys(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waxwing.key")
	before, err := OpenOrCreate(path)
	if err != nil {
		t.Fatal(err)
	}
	old, err := before.Seal([]byte("old"), []byte("row"))
	if err != nil {
		t.Fatal(err)
	}

	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	manager := keyset.NewManagerFromHandle(handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	if err := manager.SetPrimary(id); err != nil {
		t.Fatal(err)
	}
	if handle, err = manager.Handle(); err != nil {
		t.Fatal(err)
	}
	var rotated bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&rotated)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, rotated.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}

	after, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := after.Open(old, []byte("row")); err != nil || string(got) != "old" {
		t.Errorf("sealed before the rotation: %q, %v", got, err)
	}
	fresh, err := after.Seal([]byte("new"), []byte("row"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := after.Open(fresh, []byte("row")); err != nil || string(got) != "new" {
		t.Errorf("sealed after the rotation: %q, %v", got, err)
	}
	if _, err := before.Open(fresh, []byte("row")); !errors.Is(err, ErrSealed) {
		t.Errorf("the first key alone opens what the second sealed: %v", err)
	}
}

func BenchmarkSeal(b *testing.B) {
	box, err := OpenOrCreate(filepath.Join(b.TempDir(), "waxwing.key"))
	if err != nil {
		b.Fatal(err)
	}
	value, row := make([]byte, 1024), []byte("row")
	b.SetBytes(1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := box.Seal(value, row); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	box, err := OpenOrCreate(filepath.Join(f.TempDir(), "waxwing.key"))
	if err != nil {
		f.Fatal(err)
	}
	sealed, _ := box.Seal([]byte("x"), nil)
	f.Add(sealed)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if plain, err := box.Open(b, nil); err == nil && !bytes.Equal(b, sealed) {
			t.Errorf("a forged value opened as %q", plain)
		}
	})
}
