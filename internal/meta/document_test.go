package meta

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

// document is docs/errors.md.
func document() string {
	var b strings.Builder
	b.WriteString(`# Errors of WhatsApp

<!-- Generated from internal/meta/errors.go by ` + "`make generate`" + `; a test compares the two. -->

What Meta's error codes mean, what Waxwing does about them, and what you can do. The same words come with every failure that
[GetMessage](extensions.md#getmessage) reports, beside Meta's own. Two ways lead to an error: WhatsApp refuses a message when it is
handed over, or takes it and reports later that it failed.

The class decides what happens at the hand-over:

| Class | |
|---|---|
| permanent | The message fails at once, and an event says why. The same request would not succeed within hours. |
| transient | It is tried again with growing pauses until ` + "`handover.retry_window`" + ` is over, then dropped, and an event says so. |
| blocked | The number or the whole business account may not send. Messages are kept: nothing is tried but one message in a while, until WhatsApp takes it or ` + "`handover.retry_window`" + ` is over. An alert says when it begins and when it is over. |
| throttled | What the error reaches slows down, and the message is tried again. |
| credentials | As blocked, for the business account whose access token was refused. Once the token is replaced its numbers go on at once. |

The third column says how far an error reaches: the *pair* of a number and a recipient, everything the *number* does, everything
the business *account* or the Meta *app* does. Empty: this request only. A transient error of a number or an account, such as maintenance, pauses the number as well. Codes that are not listed go by Meta's HTTP status: 401
is credentials, 429 is throttled, any other 4xx is permanent unless Meta calls the error transient, the rest is transient.

## Codes

`)
	table(&b, Codes())
	b.WriteString(`
## Subcodes

Where one code stands for many unrelated errors, Meta's ` + "`error_subcode`" + ` tells them apart.

`)
	table(&b, Subcodes())
	b.WriteString(`
## Codes that are not Meta's

Some messages end without WhatsApp having had a part in it. The events about them, and GetMessage, name these codes.

| Code | Title | What it means | What to do |
|---|---|---|---|
`)
	for _, r := range message.Reasons() {
		fmt.Fprintf(&b, "| %d | %s | %s | %s |\n", r.Code, r.Title, r.Explanation, r.Action)
	}
	return b.String()
}

func table(b *strings.Builder, rows []Row) {
	b.WriteString("| Code | Class | Reaches | Meta's title | What it means | What to do |\n|---|---|---|---|---|---|\n")
	for _, r := range rows {
		code := fmt.Sprint(r.Code)
		if r.Last != 0 {
			code = fmt.Sprintf("%d – %d", r.Code, r.Last)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", code, r.Class, r.Scope, r.Title, r.Explanation, r.Action)
	}
}

func TestDocumentIsCurrent(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "errors.md")
	want := document()
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), want); diff != "" {
		t.Errorf("docs/errors.md is out of date; run `make generate` (-have +want):\n%s", diff)
	}
}

// Every code is explained to whoever gets it: its class, what it means, what to do.
func TestDocumentHasNoGaps(t *testing.T) {
	t.Parallel()
	rows := 0
	documented, own, _ := strings.Cut(document(), "## Codes that are not Meta's")
	for _, r := range message.Reasons() {
		if !strings.Contains(own, fmt.Sprint(r.Code)) || r.Title == "" || r.Explanation == "" || r.Action == "" {
			t.Errorf("reason %d is not explained", r.Code)
		}
		if _, metas := Lookup(r.Code, 0); metas {
			t.Errorf("%d is a code of Meta's", r.Code)
		}
	}
	for line := range strings.Lines(documented) {
		if cells := strings.Split(line, " | "); len(cells) == 6 && strings.ContainsAny(cells[0], "0123456789") {
			rows++
			for _, i := range []int{0, 1, 3, 4, 5} {
				if strings.Trim(cells[i], "| \n") == "" {
					t.Errorf("cell %d is empty in %s", i, line)
				}
			}
		} else if strings.HasPrefix(line, "| ") && strings.ContainsAny(line, "0123456789") {
			t.Errorf("not six cells: %s", line)
		}
	}
	if want := len(Codes()) + len(Subcodes()); rows != want {
		t.Errorf("%d rows, want %d", rows, want)
	}
}
