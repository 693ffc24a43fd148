package sqlite

import (
	"context"
	"database/sql"
	"fmt"
)

// Reads run beside the writer on connections of their own and see what is committed. Every query is prepared once.

// query runs a query that returns rows.
func (db *DB) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := db.prepare(ctx, query) //nolint:sqlclosecheck // statements live as long as the database
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// queryRow runs a query that returns at most one row.
func (db *DB) queryRow(ctx context.Context, query string, args ...any) row {
	s, err := db.prepare(ctx, query) //nolint:sqlclosecheck // statements live as long as the database
	if err != nil {
		return row{err: err}
	}
	return row{row: s.QueryRowContext(ctx, args...)}
}

// row is the answer of queryRow.
type row struct {
	row *sql.Row
	err error
}

// Scan copies the columns, or returns sql.ErrNoRows.
func (r row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	return r.row.Scan(dest...)
}

func (db *DB) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := db.reads.Load(query); ok {
		return s.(*sql.Stmt), nil
	}
	s, err := db.readers.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare %.60q: %w", query, err)
	}
	if first, raced := db.reads.LoadOrStore(query, s); raced {
		s.Close() //nolint:sqlclosecheck // the other one is used
		return first.(*sql.Stmt), nil
	}
	return s, nil
}
