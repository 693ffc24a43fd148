// Package sqlitetest gives tests databases to start from.
package sqlitetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
)

// Seed puts an empty database of the current schema at path, unless something is there. A new database takes a second to make under
// the race detector, a copy takes nothing.
func Seed(t testing.TB, path string) {
	t.Helper()
	file, err := template()
	if err == nil {
		if _, missing := os.Stat(path); missing == nil {
			return
		}
		err = os.WriteFile(path, file, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Open opens a database of the test's own.
func Open(t testing.TB, o sqlite.Options) *sqlite.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "waxwing.db")
	Seed(t, path)
	db, err := sqlite.Open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// template makes the database that the others are copies of.
var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "waxwing-template")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "waxwing.db")
	db, err := sqlite.Open(context.Background(), path, sqlite.Options{Exclusive: true})
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})
