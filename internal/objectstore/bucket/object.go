package bucket

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/media"
)

// object is what is known of a stored object: the second part of its file.
type object struct {
	Key  string            `json:"key"`
	Size int64             `json:"size"`
	MD5  []byte            `json:"md5"`
	Meta map[string]string `json:"meta"` // headers to be sent with it, Last-Modified among them
}

// magic ends every object's file, behind the length of what is known about it.
const magic = "wxo1"

var errBroken = errors.New("not an object's file")

// path is the object's file: keys may be longer than file names, and hold anything.
func (o *object) path(b *bucket) string {
	name := sha256.Sum256([]byte(o.Key))
	return filepath.Join(b.dir, hex.EncodeToString(name[:]))
}

// readObject reads the second part of an object's file.
func readObject(path string) (*object, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	const tail = 4 + len(magic)
	var end [tail]byte
	if _, err := f.ReadAt(end[:], info.Size()-int64(tail)); err != nil || string(end[4:]) != magic {
		return nil, fmt.Errorf("%s: %w", path, errBroken)
	}
	n := int64(binary.BigEndian.Uint32(end[:]))
	if n > info.Size()-int64(tail) {
		return nil, fmt.Errorf("%s: %w", path, errBroken)
	}
	raw := make([]byte, n)
	o := new(object)
	if _, err := f.ReadAt(raw, info.Size()-int64(tail)-n); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, o); err != nil || o.Size != info.Size()-int64(tail)-n {
		return nil, fmt.Errorf("%s: %w", path, errBroken)
	}
	return o, nil
}

var (
	errShort = errors.New("the body is not as long as announced")
	errGone  = errors.New("the bucket was deleted meanwhile")
)

// put stores an object in place of what has its key. size is that of r, or less than 0 if it is not known; fewer or more bytes
// are errShort. On any error nothing has changed.
func (s *Store) put(b *bucket, key string, meta map[string]string, r io.Reader, size int64) (*object, error) {
	f, err := os.CreateTemp(s.tmp, "put-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name()) // gone under this name once it is an object
	defer f.Close()
	hash := md5.New()
	n, err := io.Copy(io.MultiWriter(f, hash), r)
	if err != nil {
		return nil, err
	}
	if size >= 0 && n != size {
		return nil, errShort
	}
	o := &object{Key: key, Size: n, MD5: hash.Sum(nil), Meta: maps.Clone(meta)}
	raw, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	raw = append(binary.BigEndian.AppendUint32(raw, uint32(len(raw))), magic...)
	if _, err := f.Write(raw); err != nil {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return o, b.adopt(o, f.Name())
}

// adopt makes a complete file an object.
func (b *bucket) adopt(o *object, file string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gone {
		return errGone
	}
	if err := os.Rename(file, o.path(b)); err != nil {
		return err
	}
	if i, ok := b.search(o.Key); ok {
		b.objects[i] = o
	} else {
		b.objects = slices.Insert(b.objects, i, o)
	}
	return nil
}

// contents is an object's bytes, or a part of them.
type contents struct {
	io.Reader
	io.Closer
}

// open returns an object with its bytes from an offset on, or nil if there is none with the key.
func (b *bucket) open(key string) (*object, *os.File, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	i, ok := b.search(key)
	if !ok {
		return nil, nil, nil
	}
	f, err := os.Open(b.objects[i].path(b))
	return b.objects[i], f, err
}

// Get returns an account's object. A bucket or key that does not exist is a fault.NotFound.
func (s *Store) Get(_ context.Context, account, name, key string) (media.Object, error) {
	b := s.find(account, name)
	if b == nil {
		return media.Object{}, fault.New(fault.NotFound, "There is no bucket %s in this account.", name)
	}
	o, f, err := b.open(key)
	if err != nil {
		return media.Object{}, err
	}
	if o == nil {
		return media.Object{}, fault.New(fault.NotFound, "The bucket %s has no object of this key.", name)
	}
	return media.Object{Size: o.Size, Type: o.Meta["Content-Type"], Body: contents{io.NewSectionReader(f, 0, o.Size), f}}, nil
}

// Put stores an object for an account. On any error nothing has changed.
func (s *Store) Put(_ context.Context, account, name, key string, from media.Object) error {
	b := s.find(account, name)
	if b == nil {
		return fault.New(fault.NotFound, "There is no bucket %s in this account.", name)
	}
	_, err := s.put(b, key, stamped(map[string]string{"Content-Type": from.Type}), from.Body, from.Size)
	return err
}
