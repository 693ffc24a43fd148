package meta

import (
	"errors"
	"fmt"
	"testing"
)

// documented lists every error code of Meta's Cloud API pages, by area.
func documented() []int {
	codes := []int{
		0, 3, 10, 190, 104, 368, 130497, 131031, 131005, 131064, // authorisation and integrity
		4, 613, 80007, 130429, 131048, 131056, 133016, // throttling
		1, 2, 33, 100, 2500, 1026, 130403, 130472, 131000, 131008, 131009, 131016, 131021, 131026, 131030, 131037, 131042, 131044, 131045,
		131047, 131049, 131050, 131051, 131052, 131053, 131055, 131057, 131062, 131063, 134011, 135000, 137000, // general
		131006, 131014, 470, 471, 472, 1013, 1006, // no longer listed
		132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132018, 132068, 132069, 134100, 134101, 134102, 1752041, // templates
		133000, 133004, 133005, 133006, 133008, 133009, 133010, 133015, 136024, 136025, 2388012, 2388091, 2388093, 2388103, 2494100, // numbers
		131020, 131041, 131059, 131201, 131202, 131204, 131207, 131208, 138009, 138012, 138013, 138018, 4233041, 2593107, 2593108, // the rest
	}
	for _, run := range [][2]int{{200, 299}, {131209, 131215}, {138000, 138007}, {139000, 139004}, {139100, 139103}, {147001, 147005}, {2494164, 2494179}} {
		for c := run[0]; c <= run[1]; c++ {
			codes = append(codes, c)
		}
	}
	return codes
}

func documentedSubcodes() []int {
	return []int{33, 460, 463, 467, 2494010, 2494055, 2388019, 2388024, 2388039, 2388040, 2388042, 2388043, 2388047, 2388072, 2388073, 2388293,
		2388299, 2593002, 200005, 200006, 200007}
}

func TestEveryDocumentedCodeHasOneRow(t *testing.T) {
	t.Parallel()
	for _, table := range []struct {
		name string
		rows []Row
		want []int
	}{{"codes", Codes(), documented()}, {"subcodes", Subcodes(), documentedSubcodes()}} {
		covered := map[int]int{}
		for _, r := range table.rows {
			for c := r.Code; c <= max(r.Code, r.Last); c++ {
				covered[c]++
			}
		}
		for _, c := range table.want {
			if covered[c] != 1 {
				t.Errorf("%s: %d has %d rows, want 1", table.name, c, covered[c])
			}
			delete(covered, c)
		}
		for c := range covered {
			t.Errorf("%s: %d is not documented", table.name, c)
		}
	}
}

func TestRowsAreCompleteAndInOrder(t *testing.T) {
	t.Parallel()
	for _, rows := range [][]Row{Codes(), Subcodes()} {
		end := -1
		for _, r := range rows {
			if r.Code <= end || r.Last != 0 && r.Last <= r.Code {
				t.Errorf("%d is out of order", r.Code)
			}
			end = max(r.Code, r.Last)
			if r.Title == "" || r.Explanation == "" || r.Action == "" {
				t.Errorf("%d lacks a text", r.Code)
			}
			switch r.Class {
			case Permanent, Transient, Credentials:
			case Blocked:
				if r.Scope != Number && r.Scope != Account {
					t.Errorf("%d blocks neither a number nor an account", r.Code)
				}
			case Throttled:
				if r.Scope == Single {
					t.Errorf("%d is a throttle of nothing", r.Code)
				}
			default:
				t.Errorf("%d has class %q", r.Code, r.Class)
			}
		}
	}
}

func TestErrorClassAndScope(t *testing.T) {
	t.Parallel()
	graph := func(status, code, subcode int) *Error {
		return &Error{HTTPStatus: status, Graph: true, Code: code, Subcode: subcode}
	}
	tests := []struct {
		name  string
		err   *Error
		class Class
		scope Scope
	}{
		{"throughput", graph(429, 130429, 0), Throttled, Number},
		{"pair", graph(400, 131056, 0), Throttled, Pair},
		{"a precise code outweighs its subcode", graph(400, 131056, 2494055), Throttled, Pair},
		{"account quota", graph(400, 80007, 0), Throttled, Account},
		{"app quota", graph(400, 4, 0), Throttled, App},
		{"expired token", graph(401, 190, 463), Credentials, Account},
		{"missing permission within a run", graph(403, 234, 0), Credentials, Account},
		{"just past a run", graph(400, 300, 0), Permanent, Single},
		{"unknown object", graph(400, 100, 33), Blocked, Number},
		{"a locked account", graph(403, 131031, 0), Blocked, Account},
		{"a payment problem", graph(400, 131042, 0), Blocked, Account},
		{"a number without registration", graph(400, 133010, 0), Blocked, Number},
		{"template subcode", graph(400, 100, 2388024), Permanent, Single},
		{"bad parameter", graph(400, 131009, 2494010), Permanent, Single},
		{"upgrade", graph(500, 131057, 0), Transient, Number},
		{"unknown code", graph(400, 999999, 0), Permanent, Single},
		{"unknown code of a server's trouble", graph(500, 999999, 0), Transient, Single},
		{"unknown code with a known subcode", graph(400, 999999, 2494055), Throttled, Number},
		{"Meta calls it transient", &Error{HTTPStatus: 400, Graph: true, Code: 100, Transient: true}, Transient, Single},
		{"Meta's hint does not unmake a throttle", &Error{HTTPStatus: 400, Graph: true, Code: 131056, Transient: true}, Throttled, Pair},
		{"bad gateway", &Error{HTTPStatus: 502}, Transient, Single},
		{"someone's 404 page", &Error{HTTPStatus: 404}, Transient, Single},
		{"someone's 429 page", &Error{HTTPStatus: 429}, Throttled, Number},
		{"someone's 401 page", &Error{HTTPStatus: 401}, Credentials, Account},
		{"too large for someone", &Error{HTTPStatus: 413}, Permanent, Single},
		{"code 0 without an error object is no AuthException", &Error{HTTPStatus: 503, Code: 0}, Transient, Single},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wrapped := fmt.Errorf("hand over: %w", tt.err)
			if got := ClassOf(wrapped); got != tt.class {
				t.Errorf("class %s, want %s", got, tt.class)
			}
			if got := tt.err.Scope(); got != tt.scope {
				t.Errorf("scope %q, want %q", got, tt.scope)
			}
		})
	}
	if got := ClassOf(errors.New("anything else")); got != Transient {
		t.Errorf("a foreign error is %s, want transient", got)
	}
}
