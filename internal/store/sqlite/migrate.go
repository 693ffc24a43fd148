package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
)

// The schema grows by numbered files, applied in order and never edited once released. PRAGMA user_version says how many
// a database has seen.
//
//go:embed migrations/*.sql
var migrationFiles embed.FS

// SchemaError says that a database and this binary do not fit together.
type SchemaError struct {
	Have, Want int // versions of the database and of the binary
}

func (e *SchemaError) Error() string {
	if e.Have > e.Want {
		return fmt.Sprintf("the data has schema version %d, newer than version %d that this release knows: upgrade waxwing", e.Have, e.Want)
	}
	return fmt.Sprintf("the data has schema version %d, this release needs %d: run waxwing migrate", e.Have, e.Want)
}

func migrations() ([]string, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql") // sorted by name, and so by number
	if err != nil {
		return nil, err
	}
	scripts := make([]string, 0, len(names))
	for _, name := range names {
		b, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, string(b))
	}
	return scripts, nil
}

// migrate brings the schema to this binary's version, one transaction a step.
func migrate(ctx context.Context, db *sql.DB, refuse bool) error {
	scripts, err := migrations()
	if err != nil {
		return err
	}
	have, err := version(ctx, db)
	if err != nil {
		return err
	}
	if have > len(scripts) || (refuse && have < len(scripts)) {
		return &SchemaError{Have: have, Want: len(scripts)}
	}
	for n := have; n < len(scripts); n++ {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("migration %d: %w", n+1, err)
		}
		// Another process may have taken this step since the version was read.
		var now int
		err = tx.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&now)
		if err == nil && now == n {
			if _, err = tx.ExecContext(ctx, scripts[n]); err == nil {
				err = setVersion(ctx, tx, n+1)
			}
		}
		if err != nil {
			tx.Rollback() //nolint:errcheck // the first error is the one to tell
			return fmt.Errorf("migration %d: %w", n+1, err)
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("migration %d: %w", n+1, err)
		}
	}
	return nil
}

// setVersion notes how many steps a database has seen.
func setVersion(ctx context.Context, db interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}, n int) error {
	_, err := db.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d`, n))
	return err
}

func version(ctx context.Context, db *sql.DB) (n int, err error) {
	if err = db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&n); err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	return n, nil
}

// Versions returns the schema version of the file at path, 0 if it is new, and the version of this binary.
func Versions(ctx context.Context, path string) (have, want int, err error) {
	scripts, err := migrations()
	if err != nil {
		return 0, 0, err
	}
	if err := prepareFile(path); err != nil {
		return 0, 0, err
	}
	pool, err := openPool(path, 1, "rwc")
	if err != nil {
		return 0, 0, err
	}
	defer pool.Close()
	have, err = version(ctx, pool)
	return have, len(scripts), err
}
