package sqlite

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

// What a statement takes comes back as it was, and as what database/sql reads.
func TestStatementKeepsValues(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{})
	type row struct {
		Text   string
		State  message.State
		Number int64
		Small  message.Priority
		Flag   bool
		Bytes  []byte
		None   *string
		Some   *string
	}
	some := "x\x00y\xff"
	in := row{"é\x00", message.Sent, -1 << 62, 3, true, []byte{0, 1}, nil, &some}
	var out, again row
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const columns = `SELECT c1, c2, c3, c4, c5, c6, c7, c8 FROM kept WHERE c3 = ?`
	must(db.write(t.Context(), func(tx *tx) error {
		if _, err := tx.exec(`CREATE TABLE kept (c1 TEXT, c2 TEXT, c3 INTEGER, c4 INTEGER, c5 INTEGER, c6 BLOB, c7 TEXT, c8 TEXT)`); err != nil {
			return err
		}
		n, err := tx.exec(`INSERT INTO kept VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, in.Text, in.State, in.Number, in.Small, in.Flag, in.Bytes, in.None, in.Some)
		if err != nil || n != 1 {
			t.Errorf("%d rows changed, %v", n, err)
		}
		found, err := tx.row(columns, args(in.Number), &out.Text, &out.State, &out.Number, &out.Small, &out.Flag, &out.Bytes, &out.None, &out.Some)
		if err != nil || !found {
			t.Errorf("found %v, %v", found, err)
		}
		found, err = tx.row(columns, args(0), &out.Text, &out.State, &out.Number, &out.Small, &out.Flag, &out.Bytes, &out.None, &out.Some)
		if err != nil || found {
			t.Errorf("found what is not there: %v, %v", found, err)
		}
		return nil
	}))
	must(db.queryRow(t.Context(), columns, in.Number).Scan(&again.Text, &again.State, &again.Number, &again.Small, &again.Flag, &again.Bytes, &again.None, &again.Some))
	if diff := cmp.Diff(in, out); diff != "" {
		t.Errorf("written and read (-in +out):\n%s", diff)
	}
	if diff := cmp.Diff(again, out); diff != "" {
		t.Errorf("read by database/sql and by a statement:\n%s", diff)
	}
}

// Bytes that are empty are not the bytes that are not there.
func TestStatementTellsEmptyFromNull(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{})
	if err := db.write(t.Context(), func(tx *tx) error {
		for value, want := range map[string][]byte{`x''`: {}, `NULL`: nil, `x'00'`: {0}} {
			var got []byte
			if found, err := tx.row(`SELECT `+value, nil, &got); err != nil || !found || (got == nil) != (want == nil) || len(got) != len(want) {
				t.Errorf("%s is %v (%v, %v)", value, got, found, err)
			}
		}
		for _, value := range [][]byte{nil, {}} {
			var isNull bool
			if _, err := tx.row(`SELECT ? IS NULL`, args(value), &isNull); err != nil || isNull != (value == nil) {
				t.Errorf("%#v is stored as NULL: %v, %v", value, isNull, err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// A mistake in a statement is an error, and the next use of the statement works.
func TestStatementRefusesMistakes(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{})
	if err := db.write(t.Context(), func(tx *tx) error {
		var text string
		var number int
		for _, tc := range []struct {
			name, query string
			args, dest  []any
			want        string
		}{
			{"no SQL", `SELEC 1`, nil, []any{&number}, "prepare"},
			{"too few values", `SELECT ? + ?`, args(1), []any{&number}, "1 values for the 2"},
			{"too many values", `SELECT ?`, args(1, 2), []any{&number}, "2 values for the 1"},
			{"a value of no kind", `SELECT ?`, args(struct{}{}), []any{&number}, "cannot be stored"},
			{"too few places", `SELECT 1, 2`, nil, []any{&number}, "1 places for the 2"},
			{"no place", `SELECT 1`, nil, []any{number}, "no place"},
			{"NULL in a text", `SELECT NULL`, nil, []any{&text}, "NULL"},
			{"NULL in a number", `SELECT NULL`, nil, []any{&number}, "NULL"},
			{"a failing step", `SELECT abs(-9223372036854775807 - 1)`, nil, []any{&number}, "overflow"},
		} {
			if _, err := tx.row(tc.query, tc.args, tc.dest...); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
			}
		}
		if found, err := tx.row(`SELECT ? + ?`, args(1, 2), &number); err != nil || !found || number != 3 {
			t.Errorf("after a mistake: %d, %v, %v", number, found, err)
		}
		sum := 0
		err := tx.rows(`SELECT value FROM json_each('[1,2,3]')`, nil, func(scan func(...any) error) error {
			err := scan(&number)
			sum += number
			return err
		})
		if err != nil || sum != 6 {
			t.Errorf("rows add up to %d, %v", sum, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
