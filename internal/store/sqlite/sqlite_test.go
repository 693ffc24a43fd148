package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/store/storetest"
)

func open(t testing.TB, path string, o Options) *DB {
	t.Helper()
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) { // a copy takes no time, a new one a second under the race detector
		file, err := emptyFile()
		if err == nil {
			err = os.WriteFile(path, file, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// emptyFile is an empty database of the current schema.
var emptyFile = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "waxwing-template")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "waxwing.db")
	db, err := Open(context.Background(), path, Options{Exclusive: true})
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func TestContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Store {
		return open(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{Exclusive: true})
	})
}

func TestBusContract(t *testing.T) {
	t.Parallel()
	storetest.RunBus(t, func(t *testing.T, bus func(string) string) storetest.Store {
		return open(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{Exclusive: true, Bus: bus})
	})
}

func TestBusWithRulesContract(t *testing.T) {
	t.Parallel()
	storetest.RunBusWithRules(t, func(t *testing.T, bus func(string) string) storetest.Store {
		return open(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{Exclusive: true, Bus: bus, BusWithRules: true})
	})
}

func TestExclusive(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waxwing.db")
	first := open(t, path, Options{Exclusive: true})
	if _, err := Open(t.Context(), path, Options{Exclusive: true}); !errors.Is(err, ErrInUse) {
		t.Fatalf("second exclusive open = %v, want ErrInUse", err)
	}
	open(t, path, Options{}) // tools work beside it
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path, Options{Exclusive: true})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waxwing.db")
	db := open(t, path, Options{})
	db.Close()
	pool, err := openPool(path, 1, "rw")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(`PRAGMA user_version = 999`); err != nil {
		t.Fatal(err)
	}
	pool.Close()
	_, err = Open(t.Context(), path, Options{})
	var schema *SchemaError
	if !errors.As(err, &schema) || schema.Have != 999 {
		t.Fatalf("open = %v, want a SchemaError", err)
	}
}
