package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

func search(t *testing.T, w *world) {
	other, _ := w.link(t, "111122223333", 2)
	names := map[string]string{}
	add := func(name string, change func(*message.Outbound)) message.Job {
		m := w.outbound()
		m.AcceptedAt = w.now.Add(time.Duration(len(names)) * time.Minute)
		change(m)
		names[m.ID] = name
		return w.accept(t, m)
	}
	add("plain", func(*message.Outbound) {})
	add("to-b", func(m *message.Outbound) { m.Recipient = "b" })
	add("template", func(m *message.Outbound) { m.Kind, m.Template = "template", "hello" })
	add("template-b", func(m *message.Outbound) { m.Kind, m.Template, m.Recipient = "template", "hello", "b" })
	add("other-number", func(m *message.Outbound) { m.PhoneKey = "other-number" })
	failing := add("failed", func(m *message.Outbound) { m.Recipient = "b" })
	add("foreign", func(m *message.Outbound) { m.AccountID, m.Recipient = other.AccountID, "b" })

	l := w.lane(t)
	w.begin(t, l, &failing)
	e := w.event(failing.ID, "", "failed")
	e.Failures = []message.Failure{{Code: 131009}, {Code: 100}}
	if ok, err := w.Finish(w.ctx, &failing, message.Failed, "", e, w.now); err != nil || !ok {
		t.Fatal(ok, err)
	}

	for _, tc := range []struct {
		name string
		q    message.Query
		want string
	}{
		{"everything", message.Query{}, "failed other-number template-b template to-b plain"},
		{"a recipient", message.Query{Recipient: "b"}, "failed template-b to-b"},
		{"a template", message.Query{Template: "hello"}, "template-b template"},
		{"a template to a recipient", message.Query{Template: "hello", Recipient: "b"}, "template-b"},
		{"a number", message.Query{PhoneKey: "other-number"}, "other-number"},
		{"queued", message.Query{State: message.Queued, Recipient: "b"}, "template-b to-b"},
		{"failed", message.Query{State: message.Failed}, "failed"},
		{"an error", message.Query{ErrorCode: 100}, "failed"},
		{"another error", message.Query{ErrorCode: 131047}, ""},
		{"since", message.Query{From: w.now.Add(3 * time.Minute)}, "failed other-number template-b"},
		{"until", message.Query{To: w.now.Add(2 * time.Minute)}, "to-b plain"},
		{"between", message.Query{From: w.now.Add(time.Minute), To: w.now.Add(3 * time.Minute)}, "template to-b"},
		{"nobody", message.Query{Recipient: "nobody"}, ""},
	} {
		tc.q.Limit = 100
		found, err := w.Search(w.ctx, w.waba.AccountID, tc.q)
		must(t, err)
		var got []string
		for _, m := range found.Messages {
			got = append(got, names[m.ID])
		}
		if strings.Join(got, " ") != tc.want || found.Next != 0 {
			t.Errorf("%s: found %v (next %d), want %q", tc.name, got, found.Next, tc.want)
		}
	}

	// One whose request took long stands before those that came after it and were stored at once.
	add("slow", func(m *message.Outbound) { m.AcceptedAt = w.now.Add(5*time.Minute - time.Second) })
	found, err := w.Search(w.ctx, w.waba.AccountID, message.Query{From: w.now.Add(5 * time.Minute), Limit: 100})
	must(t, err)
	if len(found.Messages) != 1 || found.Messages[0].ID != failing.ID || found.Next != 0 {
		t.Errorf("since the last but one: found %+v, want the failed one", found)
	}

	found, err = w.Search(w.ctx, w.waba.AccountID, message.Query{State: message.Failed, Limit: 1})
	must(t, err)
	if m := found.Messages[0]; m.Recipient != "b" || m.Kind != "text" || m.PhoneKey != w.phone.Key || m.AcceptedAt.IsZero() || m.UpdatedAt.IsZero() {
		t.Errorf("summary = %+v", m)
	}
}

func searchConcurrently(t *testing.T, w *world) {
	const n = 20
	for range n {
		w.accept(t, w.outbound())
	}
	ctx, cancel := context.WithTimeout(w.ctx, 10*time.Second)
	defer cancel()
	for _, err := range parallel(100, func(i int) error {
		q := message.Query{Limit: 2 * n}
		if i%2 == 0 {
			q.ErrorCode = 131009
		}
		found, err := w.Search(ctx, w.waba.AccountID, q)
		if want := n * (i % 2); err == nil && len(found.Messages) != want {
			err = fmt.Errorf("search %d found %d messages, want %d", i, len(found.Messages), want)
		}
		return err
	}) {
		must(t, err)
	}
}

func searchPages(t *testing.T, w *world) {
	const n = 25
	for range n {
		w.accept(t, w.outbound())
	}
	seen := map[string]bool{}
	q, pages := message.Query{Limit: 10}, 0
	for {
		found, err := w.Search(w.ctx, w.waba.AccountID, q)
		must(t, err)
		pages++
		for i, m := range found.Messages {
			if seen[m.ID] || i > 0 && m.Seq >= found.Messages[i-1].Seq {
				t.Errorf("%s comes twice or out of order", m.ID)
			}
			seen[m.ID] = true
		}
		if q.Before = found.Next; q.Before == 0 {
			break
		}
		w.accept(t, w.outbound()) // newer ones do not disturb
	}
	if len(seen) != n || pages != 3 {
		t.Errorf("%d messages on %d pages, want %d on 3", len(seen), pages, n)
	}
}
