package ingest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// A history of thousands of messages becomes events that every destination takes, with every message once and in order.
func TestLongHistoryIsDivided(t *testing.T) {
	t.Parallel()
	type historyValue struct {
		Metadata struct{ PhoneNumberID string } `json:"metadata"`
		History  []struct {
			Metadata struct{ Phase, Progress int } `json:"metadata"`
			Threads  []struct {
				ID       string
				Messages []struct{ ID string }
			}
		}
	}
	var want []string
	thread := func(customer string, n int) string {
		var list []string
		for i := range n {
			id := fmt.Sprintf("wamid.%s.%d", customer, i)
			want = append(want, customer+" "+id)
			list = append(list, `{"from":"`+customer+`","id":"`+id+`","text":{"body":"`+strings.Repeat("x", 150)+`"},"history_context":{"status":"READ"}}`)
		}
		return `{"id":"` + customer + `","messages":[` + strings.Join(list, ",") + `]}`
	}
	threads := []string{thread("441", 3), thread("442", 3000), thread("443", 0), thread("444", 700)}
	body := `{"object":"whatsapp_business_account","entry":[{"id":"12","changes":[{"field":"history","value":{` + metadata +
		`,"history":[{"metadata":{"phase":1,"chunk_order":3,"progress":55},"threads":[` + strings.Join(threads, ",") + `]}]}}]}]}`
	changes, err := parse([]byte(body), received)
	if err != nil || len(changes) < 5 || len(changes) > 16 {
		t.Fatalf("%d changes of %d bytes, %v", len(changes), len(body), err)
	}
	var got []string
	keys := map[string]bool{}
	for _, c := range changes {
		var entry struct {
			Changes []struct{ Value historyValue }
		}
		if err := json.Unmarshal(c.entry, &entry); err != nil {
			t.Fatal(err)
		}
		if len(c.entry) > maxValue+100 || c.PhoneMetaID != "11" || keys[string(c.Key)] {
			t.Errorf("a part of %d bytes, number %q", len(c.entry), c.PhoneMetaID)
		}
		keys[string(c.Key)] = true
		for _, h := range entry.Changes[0].Value.History {
			if h.Metadata.Progress != 55 {
				t.Errorf("a part has lost its progress: %+v", h.Metadata)
			}
			for _, thread := range h.Threads {
				for _, m := range thread.Messages {
					got = append(got, thread.ID+" "+m.ID)
				}
			}
		}
		if len(c.Notices) != 1 || c.Notices[0].Matter != account.HistorySync {
			t.Errorf("notices of a part: %+v", c.Notices)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

func TestDivide(t *testing.T) {
	t.Parallel()
	long := `"` + strings.Repeat("y", 60) + `"`
	for _, tc := range []struct {
		name, value string
		want        []string
	}{
		{"short", `{"a":[1,2]}`, []string{`{"a":[1,2]}`}},
		{"a list", `[1111111111,2222222222,3333333333,4444444444,5555555555]`, []string{`[1111111111,2222222222,3333333333]`, `[4444444444,5555555555]`}},
		{"a list in an object", `{"a":1, "l":[1111111111,2222222222,3333333333]}`, []string{`{"a":1,"l":[1111111111,2222222222]}`, `{"a":1,"l":[3333333333]}`}},
		{"a null beside it", `{"n":null, "l":[11111111,22222222,33333333]}`, []string{`{"n":null,"l":[11111111,22222222]}`, `{"n":null,"l":[33333333]}`}},
		{"nothing to cut", long, []string{long}},
		{"a list of one", `{"list":[` + long + `]}`, []string{`{"list":[` + long + `]}`}},
		{"one of several is too long", `[1,` + long + `,null]`, []string{`[1]`, `[` + long + `]`, `[null]`}},
		{"too much around it", `{"a":` + long + `,"list":[1111111111,2222222222,3333333333,4444444444,5555555555,6666666666,7777777777]}`, []string{`{"a":` + long + `,"list":[1111111111,2222222222,3333333333,4444444444,5555555555,6666666666,7777777777]}`}},
	} {
		v, ok := rawjson.Parse([]byte(tc.value))
		if !ok {
			t.Fatal(tc.value)
		}
		var got []string
		for _, part := range divide(v, 40) {
			got = append(got, string(part))
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

// FuzzDivide checks that parts are values, that no more comes out than goes in but for what is repeated, and that a value of one part
// is left as it was.
func FuzzDivide(f *testing.F) {
	f.Add([]byte(`{"a":1,"list":[{"b":[1,2,3,4,5,6,7,8,9,10]},null,"x"],"c":{}}`), uint16(20))
	f.Fuzz(func(t *testing.T, text []byte, limit uint16) {
		v, ok := rawjson.Parse(text)
		if !ok || v == nil {
			return
		}
		parts := divide(v, int(limit))
		if len(parts) == 1 && v.IsObject() && !slices.Equal(parts[0], v) {
			t.Fatalf("%s became %s", v, parts[0])
		}
		total := 0
		for _, p := range parts {
			total += len(p)
			if !json.Valid(p) {
				t.Fatalf("%s gave %s", v, p)
			}
			if p.IsObject() != v.IsObject() || p.IsArray() != v.IsArray() {
				t.Fatalf("%s gave %s of another kind", v, p)
			}
		}
		if len(v) > 0 && total > 64*(len(v)+64) {
			t.Fatalf("%d bytes became %d", len(v), total)
		}
	})
}
