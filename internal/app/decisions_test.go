package app

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/dispatch"
	"github.com/waxwing-messaging/waxwing/internal/meta"
)

// decisions says in words what the dispatcher does about a message and its lane after an attempt; TestDecide and TestBlockedLanes in
// package dispatch hold it to them.
var decisions = map[dispatch.Verdict]map[dispatch.Scope]string{
	dispatch.Refused: {"": "fails at once"},
	dispatch.Failed: {
		"":              "kept: tried again with backoff",
		dispatch.Number: "kept: the number pauses, then tries again",
		dispatch.Shared: "kept: the number pauses, then tries again",
	},
	dispatch.Throttled: {
		dispatch.Pair:   "kept: messages to the recipient wait 4^X seconds",
		dispatch.Number: "kept: the number slows down",
		dispatch.Shared: "kept: the number slows down and pauses",
	},
	dispatch.Blocked: {
		dispatch.Number: "kept: the number is blocked, alert, one message in a while tries",
		dispatch.Shared: "kept: all numbers of the account are blocked, alert, one message in a while tries",
	},
	dispatch.Credentials: {dispatch.Shared: "kept: all numbers of the account are blocked, alert, until the token is replaced or accepted"},
	dispatch.Unknown:     {"": "in doubt: waits for a status that proves it, then tried again"},
	dispatch.Unreached:   {"": "kept: the number pauses, then tries again"},
}

// answers are those of the way to Meta, and of Graph with a code that nobody has documented.
var answers = []struct {
	name string
	err  error
}{
	{"no connection", &meta.Unanswered{Fate: meta.NotSent, Err: io.EOF}},
	{"no answer", &meta.Unanswered{Fate: meta.Unknown, Err: io.EOF}},
	{"HTTP 400 without a code", &meta.Error{HTTPStatus: 400}},
	{"HTTP 401 without a code", &meta.Error{HTTPStatus: 401}},
	{"HTTP 403 without a code", &meta.Error{HTTPStatus: 403}},
	{"HTTP 404 without a code", &meta.Error{HTTPStatus: 404}},
	{"HTTP 408 without a code", &meta.Error{HTTPStatus: 408}},
	{"HTTP 413 without a code", &meta.Error{HTTPStatus: 413}},
	{"HTTP 429 without a code", &meta.Error{HTTPStatus: 429}},
	{"HTTP 500 without a code", &meta.Error{HTTPStatus: 500}},
	{"HTTP 502 without a code", &meta.Error{HTTPStatus: 502}},
	{"HTTP 503 without a code", &meta.Error{HTTPStatus: 503}},
	{"HTTP 400 with an unknown code", &meta.Error{HTTPStatus: 400, Graph: true, Code: 987654}},
	{"HTTP 401 with an unknown code", &meta.Error{HTTPStatus: 401, Graph: true, Code: 987654}},
	{"HTTP 403 with an unknown code", &meta.Error{HTTPStatus: 403, Graph: true, Code: 987654}},
	{"HTTP 429 with an unknown code", &meta.Error{HTTPStatus: 429, Graph: true, Code: 987654}},
	{"HTTP 500 with an unknown code", &meta.Error{HTTPStatus: 500, Graph: true, Code: 987654}},
	{"an unknown code that Meta calls transient", &meta.Error{HTTPStatus: 400, Graph: true, Code: 987654, Transient: true}},
}

// The table of decisions has a row for every code and subcode of Meta's, and for answers without one.
func TestDecisionTableIsCurrent(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	row := func(name string, err error) {
		out := outcome(err, false)
		words := decisions[out.Verdict][out.Scope]
		if words == "" {
			t.Errorf("%s: nobody has decided about %s %q", name, out.Verdict, out.Scope)
		}
		fmt.Fprintf(&b, "%-52s %s\n", name, words)
	}
	named := func(r *meta.Row, prefix string) string {
		code := fmt.Sprint(r.Code)
		if r.Last != 0 {
			code = fmt.Sprint(r.Code, "-", r.Last)
		}
		return fmt.Sprintf("%-16s %.34s", prefix+code, r.Title)
	}
	for _, r := range meta.Codes() {
		row(named(&r, ""), &meta.Error{HTTPStatus: 400, Graph: true, Code: r.Code})
		if r.Last != 0 {
			if last, first := outcome(&meta.Error{HTTPStatus: 400, Graph: true, Code: r.Last}, false), outcome(&meta.Error{HTTPStatus: 400, Graph: true, Code: r.Code}, false); last.Verdict != first.Verdict {
				t.Errorf("%d is %s, %d is %s", r.Code, first.Verdict, r.Last, last.Verdict)
			}
		}
	}
	for _, r := range meta.Subcodes() {
		row(named(&r, "100/"), &meta.Error{HTTPStatus: 400, Graph: true, Code: 100, Subcode: r.Code})
	}
	for _, a := range answers {
		row(a.name, a.err)
	}

	path := filepath.Join("testdata", "decisions.txt")
	if os.Getenv("UPDATE") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), b.String()); diff != "" {
		t.Errorf("testdata/decisions.txt is out of date; run `make generate` if that is meant (-have +want):\n%s", diff)
	}
}
