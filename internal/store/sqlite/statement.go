package sqlite

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/ncruces/go-sqlite3"
)

// statement is a prepared statement of the writer's connection. It goes past database/sql, whose locks, contexts and conversions
// the one goroutine that writes does not need, and which cost as much as SQLite itself takes for a small statement. What may be
// bound and read is what database/sql allows: strings, integers, booleans, bytes, types made of them, and pointers for NULL.
type statement struct {
	conn *sqlite3.Conn
	stmt *sqlite3.Stmt
}

func prepare(conn *sqlite3.Conn, query string) (*statement, error) {
	stmt, _, err := conn.Prepare(query)
	if err != nil {
		return nil, err
	}
	return &statement{conn, stmt}, nil
}

func (s *statement) close() { s.stmt.Close() }

// exec runs the statement to its end.
func (s *statement) exec(args []any) error {
	if err := s.bind(args); err != nil {
		return err
	}
	s.conn.SetLastInsertRowID(0)
	return errors.Join(s.stmt.Exec(), s.stmt.ClearBindings())
}

// row reads the first row and reports whether there was one.
func (s *statement) row(args, dest []any) (found bool, err error) {
	if err := s.bind(args); err != nil {
		return false, err
	}
	if found = s.stmt.Step(); found {
		err = s.scan(dest...)
	}
	err = errors.Join(err, s.stmt.Reset(), s.stmt.ClearBindings())
	return found && err == nil, err
}

// each calls fn for every row until it returns an error. What scan reads is a copy.
func (s *statement) each(args []any, fn func(scan func(dest ...any) error) error) (err error) {
	if err := s.bind(args); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stmt.Reset(), s.stmt.ClearBindings()) }()
	for s.stmt.Step() {
		if err := fn(s.scan); err != nil {
			return err
		}
	}
	return nil // Reset tells what went wrong
}

// bind gives the statement its values.
func (s *statement) bind(args []any) error {
	if want := s.stmt.BindCount(); want != len(args) {
		return fmt.Errorf("%d values for the %d of %.60q", len(args), want, s.stmt.SQL())
	}
	for i, a := range args {
		if err := s.bindOne(i+1, a); err != nil {
			return err
		}
	}
	return nil
}

func (s *statement) bindOne(i int, value any) error {
	switch v := value.(type) {
	case nil:
		return s.stmt.BindNull(i)
	case string:
		return s.stmt.BindText(i, v)
	case int64:
		return s.stmt.BindInt64(i, v)
	case int:
		return s.stmt.BindInt(i, v)
	case bool:
		return s.stmt.BindBool(i, v)
	case []byte:
		return s.stmt.BindBlob(i, v)
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return s.stmt.BindNull(i)
		}
		return s.bindOne(i, v.Elem().Interface())
	case reflect.String:
		return s.stmt.BindText(i, v.String())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return s.stmt.BindInt64(i, v.Int())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return s.stmt.BindInt64(i, int64(v.Uint()))
	case reflect.Bool:
		return s.stmt.BindBool(i, v.Bool())
	case reflect.Float64:
		return s.stmt.BindFloat(i, v.Float())
	default:
		return fmt.Errorf("a %T cannot be stored", value)
	}
}

// scan copies the columns of the present row.
func (s *statement) scan(dest ...any) error {
	if have := s.stmt.ColumnCount(); have != len(dest) {
		return fmt.Errorf("%d places for the %d columns of %.60q", len(dest), have, s.stmt.SQL())
	}
	for i, d := range dest {
		if err := s.scanOne(i, d); err != nil {
			return err
		}
	}
	return nil
}

func (s *statement) scanOne(i int, dest any) error {
	switch d := dest.(type) {
	case *string:
		*d = s.stmt.ColumnText(i)
		return s.notNull(i)
	case *int64:
		*d = s.stmt.ColumnInt64(i)
		return s.notNull(i)
	case *int:
		*d = s.stmt.ColumnInt(i)
		return s.notNull(i)
	case *bool:
		*d = s.stmt.ColumnBool(i)
		return s.notNull(i)
	case *[]byte:
		if *d = nil; s.stmt.ColumnType(i) != sqlite3.NULL {
			*d = s.stmt.ColumnBlob(i, []byte{})
		}
		return nil
	}
	v := reflect.ValueOf(dest)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("a %T is no place for column %d", dest, i)
	}
	switch v = v.Elem(); v.Kind() {
	case reflect.Pointer:
		if s.stmt.ColumnType(i) == sqlite3.NULL {
			v.SetZero()
			return nil
		}
		v.Set(reflect.New(v.Type().Elem()))
		return s.scanOne(i, v.Interface())
	case reflect.String:
		v.SetString(s.stmt.ColumnText(i))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(s.stmt.ColumnInt64(i))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		v.SetUint(uint64(s.stmt.ColumnInt64(i)))
	case reflect.Bool:
		v.SetBool(s.stmt.ColumnBool(i))
	case reflect.Float64:
		v.SetFloat(s.stmt.ColumnFloat(i))
	default:
		return fmt.Errorf("a %T is no place for column %d", dest, i)
	}
	return s.notNull(i)
}

// notNull refuses to read NULL as a zero, as database/sql does: it would hide a mistake.
func (s *statement) notNull(i int) error {
	if s.stmt.ColumnType(i) == sqlite3.NULL {
		return fmt.Errorf("column %d of %.60q is NULL", i, s.stmt.SQL())
	}
	return s.stmt.Err()
}
