package sqlite

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/store/storetest"
)

// Every statement that the contract exercises costs what it returns or changes, whatever the size of the tables: it searches an
// index, or walks a table in the order of its key and stops at a limit; and what it sorts, it returns whole. The statements are
// those that the engine has really prepared, so that none is forgotten here.
func TestStatementsUseIndexes(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var used []*DB
	with := func(t *testing.T, o Options) *DB {
		db := open(t, filepath.Join(t.TempDir(), "waxwing.db"), o)
		mu.Lock()
		defer mu.Unlock()
		used = append(used, db)
		return db
	}
	fresh := func(t *testing.T) *DB { return with(t, Options{Exclusive: true}) }
	t.Run("contract", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) storetest.Store { return fresh(t) })
	})
	t.Run("topics", func(t *testing.T) {
		storetest.RunTopics(t, func(t *testing.T) storetest.TopicStore { return fresh(t) })
	})
	t.Run("bus", func(t *testing.T) {
		storetest.RunRules(t, func(t *testing.T) storetest.BusStore { return fresh(t) })
	})
	t.Run("bus with rules", func(t *testing.T) {
		storetest.RunBusWithRules(t, func(t *testing.T, bus func(string) string) storetest.Store {
			return with(t, Options{Exclusive: true, Bus: bus, BusWithRules: true})
		})
	})

	statements := map[string]bool{}
	for _, db := range used { // they are closed by now
		db.reads.Range(func(query, _ any) bool { statements[query.(string)] = true; return true })
		for query := range db.writer.stmts {
			statements[query] = true
		}
	}
	for _, hot := range []string{"FROM outbox o JOIN messages m", "SELECT min(phone_key) FROM outbox", "UPDATE outbox SET attempts = attempts + 1",
		"DELETE FROM outbox", "SELECT body FROM messages", "FROM wamids w LEFT JOIN states", "FROM orphans WHERE wamid", "FROM inbox ORDER BY seq",
		"FROM deliveries d JOIN events e", "SELECT min(destination) FROM deliveries", "FROM fanout_deliveries d JOIN fanout_messages m", "FROM bus_rules r JOIN bus_targets t", "SELECT 1 FROM bus_rules WHERE account_id",
		"INSERT INTO invocations", "FROM access_keys k"} {
		if !anyContains(statements, hot) {
			t.Errorf("no statement with %q: was it renamed?", hot)
		}
	}
	db := open(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{})
	tables := tablesOf(t, db)
	for query := range statements {
		steps := planOf(t, db, query)
		for _, step := range steps {
			if problem := expensive(query, step, tables); problem != "" {
				t.Errorf("%s: %s\nplan: %s", strings.Join(strings.Fields(query), " "), problem, strings.Join(steps, "; "))
			}
		}
	}
}

// few are tables of which all that a statement can find is little: queues, most of them with work, numbers whose statuses are
// missing, the times a number was unlinked, and a row a table.
var few = map[string]bool{"fanout_queues": true, "unlinked": true, "silences": true, "sqlite_sequence": true}

var firstTable = regexp.MustCompile(`FROM\s+(\w*)`)

// expensive says what is wrong with a step of a plan, or "".
func expensive(query, step string, tables map[string]bool) string {
	if strings.Contains(step, "TEMP B-TREE") && strings.Contains(query, "LIMIT") && !few[firstTable.FindStringSubmatch(query)[1]] {
		return "it sorts more than it returns"
	}
	name, scans := strings.CutPrefix(step, "SCAN ")
	if search, ok := strings.CutPrefix(step, "SEARCH "); ok && !strings.Contains(search, " USING ") {
		name, scans = search, true // the least or greatest of a column without an index
	}
	if !scans {
		return ""
	}
	name, _, _ = strings.Cut(name, " ")
	if m := regexp.MustCompile(`(?:FROM|JOIN)\s+(\w+)\s+` + regexp.QuoteMeta(name) + `\b`).FindStringSubmatch(query); m != nil && tables[m[1]] {
		name = m[1] // it was an alias
	}
	bounded := regexp.MustCompile(`FROM ` + name + ` ORDER BY (seq|key)( DESC)? LIMIT`)
	if !tables[name] || few[name] || bounded.MatchString(query) {
		return "" // what is no table is a part of the query that has its own steps
	}
	return "it reads all of " + name
}

func TestExpensive(t *testing.T) {
	t.Parallel()
	tables := map[string]bool{"outbox": true, "fanout_queues": true}
	for query, want := range map[string]struct {
		step string
		bad  bool
	}{
		"SELECT seq FROM outbox ORDER BY seq LIMIT ?":            {"SCAN outbox", false},
		"SELECT seq FROM outbox WHERE not_before < ? LIMIT 1":    {"SCAN outbox", true},
		"SELECT o.seq FROM outbox o WHERE o.not_before < ?":      {"SCAN o", true},
		"SELECT min(not_before) FROM outbox":                     {"SEARCH outbox", true},
		"SELECT seq FROM outbox WHERE phone_key = ?":             {"SEARCH outbox USING INDEX outbox_lane (phone_key=?)", false},
		"SELECT seq FROM outbox WHERE phone_key = ? ORDER BY id": {"USE TEMP B-TREE FOR ORDER BY", false},
		"SELECT seq FROM outbox ORDER BY not_before LIMIT ?":     {"USE TEMP B-TREE FOR ORDER BY", true},
		"SELECT s.seq FROM fanout_queues s WHERE EXISTS (…)":     {"SCAN s", false},
	} {
		if got := expensive(query, want.step, tables); (got != "") != want.bad {
			t.Errorf("%s: %q", query, got)
		}
	}
}

func anyContains(statements map[string]bool, text string) bool {
	for query := range statements {
		if strings.Contains(strings.Join(strings.Fields(query), " "), text) {
			return true
		}
	}
	return false
}

func tablesOf(t *testing.T, db *DB) map[string]bool {
	t.Helper()
	rows, err := db.readers.QueryContext(t.Context(), `SELECT name FROM sqlite_master WHERE type = 'table'`)
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]bool{}
	if err := collect(rows, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		tables[name] = true
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return tables
}

var parameter = regexp.MustCompile(`\?(\d*)`)

// planOf returns the steps in which SQLite would run a statement.
func planOf(t *testing.T, db *DB, query string) (steps []string) {
	t.Helper()
	if strings.HasPrefix(query, "BEGIN") || query == "COMMIT" || query == "ROLLBACK" {
		return nil
	}
	count := 0
	for _, m := range parameter.FindAllStringSubmatch(query, -1) {
		if n, err := strconv.Atoi(m[1]); err == nil {
			count = max(count, n)
		} else {
			count++
		}
	}
	values := make([]any, count)
	for i := range values {
		values[i] = 1
	}
	rows, err := db.readers.QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+query, values...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if err := collect(rows, func(scan func(...any) error) error {
		var id, parent, unused int
		var detail string
		err := scan(&id, &parent, &unused, &detail)
		steps = append(steps, detail)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return steps
}
