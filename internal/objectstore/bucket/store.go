// Package bucket is the built-in object store: buckets on a local disk, and the part of Amazon S3's protocol that people use
// them with.
//
// Store keeps the objects; Handler speaks S3 on top of it, with the protocol's breadth left to gofakes3. Who may call is
// decided before: whoever serves the Handler has verified a signature and says which account made the call. A bucket belongs
// to the account that created it and does not exist for others, but its name is taken for all, as on AWS.
//
// An object is one file: its bytes, then what is known about it. It appears under its name only when it is complete, so a crash
// or an interrupted upload leaves nothing. Objects are not encrypted; buckets hold what their owners put there on purpose.
package bucket

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rclone/gofakes3"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Store is a directory of buckets. It is safe for concurrent use by one process.
type Store struct {
	root string
	tmp  string // of files that are not objects yet

	mu      sync.RWMutex
	buckets map[string]*bucket
}

// bucket and its index, which is sorted by key.
type bucket struct {
	name    string
	account string
	created time.Time
	dir     string

	mu      sync.RWMutex
	gone    bool
	objects []*object
}

// owner is what is stored about a bucket.
type owner struct {
	Account string    `json:"account"`
	Created time.Time `json:"created"`
}

const (
	ownerFile = "bucket.json"
	tmpDir    = ".tmp"
)

// Open opens or creates a store in a directory that is its own.
func Open(dir string) (*Store, error) {
	s := &Store{root: dir, tmp: filepath.Join(dir, tmpDir), buckets: make(map[string]*bucket)}
	if err := os.RemoveAll(s.tmp); err != nil { // uploads that a crash interrupted
		return nil, fmt.Errorf("open buckets: %w", err)
	}
	if err := os.MkdirAll(s.tmp, 0o700); err != nil {
		return nil, fmt.Errorf("open buckets: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open buckets: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		b, err := openBucket(filepath.Join(dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // a crash came between its directory and its owner
		}
		if err != nil {
			return nil, fmt.Errorf("open bucket %s: %w", e.Name(), err)
		}
		s.buckets[b.name] = b
	}
	return s, nil
}

func openBucket(dir string) (*bucket, error) {
	raw, err := os.ReadFile(filepath.Join(dir, ownerFile))
	if err != nil {
		return nil, err
	}
	var o owner
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, err
	}
	b := &bucket{name: filepath.Base(dir), account: o.Account, created: o.Created, dir: dir}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Name() == ownerFile {
			continue
		}
		o, err := readObject(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		b.objects = append(b.objects, o)
	}
	slices.SortFunc(b.objects, func(x, y *object) int { return strings.Compare(x.Key, y.Key) })
	return b, nil
}

// Ensure creates a bucket unless the account has it already. A name that another account has is a fault.Conflict.
func (s *Store) Ensure(account, name string) error {
	if err := gofakes3.ValidateBucketName(name); err != nil {
		return fault.New(fault.InvalidParameters, "%q is not a valid bucket name.", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.buckets[name]; b != nil {
		if b.account != account {
			return fault.New(fault.Conflict, "The bucket %s belongs to another account.", name)
		}
		return nil
	}
	b := &bucket{name: name, account: account, created: time.Now().UTC().Truncate(time.Millisecond), dir: filepath.Join(s.root, name)}
	raw, err := json.Marshal(owner{Account: account, Created: b.created})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(b.dir, ownerFile), raw, 0o600); err != nil {
		return err
	}
	s.buckets[name] = b
	return nil
}

// find returns an account's bucket, or nil.
func (s *Store) find(account, name string) *bucket {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if b := s.buckets[name]; b != nil && b.account == account {
		return b
	}
	return nil
}

// drop removes an empty bucket; it reports false when there is something in it.
func (s *Store) drop(b *bucket) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.objects) > 0 {
		return false, nil
	}
	b.gone = true
	delete(s.buckets, b.name)
	return true, os.RemoveAll(b.dir)
}

// get returns what is known of an object, or nil.
func (b *bucket) get(key string) *object {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if i, ok := b.search(key); ok {
		return b.objects[i]
	}
	return nil
}

// search finds a key's place in the index. The lock is held.
func (b *bucket) search(key string) (int, bool) {
	return slices.BinarySearchFunc(b.objects, key, func(o *object, key string) int { return strings.Compare(o.Key, key) })
}

// remove deletes an object, if there is one.
func (b *bucket) remove(key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	i, ok := b.search(key)
	if !ok {
		return nil
	}
	if err := os.Remove(b.objects[i].path(b)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	b.objects = slices.Delete(b.objects, i, i+1)
	return nil
}

// page calls visit with the objects whose keys come after marker, in order, until it returns false.
func (b *bucket) page(marker string, visit func(*object) bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	i, ok := b.search(marker)
	if ok && marker != "" {
		i++
	}
	for _, o := range b.objects[i:] {
		if !visit(o) {
			return
		}
	}
}
