package ingest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/waxwing-messaging/waxwing/internal/account"
)

// sample is one callback of a field as Meta documents it, with made-up contents, and what it says about the account or a number.
type sample struct {
	name    string
	Field   string
	Value   json.RawMessage
	Notices []struct {
		Matter                         account.Matter
		Subject, State, Reason, Detail string
		Number                         bool // it is about the number
		Until                          int64
	}
}

// samples reads testdata/fields.
func samples(t testing.TB) (list []sample) {
	t.Helper()
	names, err := filepath.Glob("testdata/fields/*.json")
	if err != nil || len(names) < 50 {
		t.Fatal(len(names), "samples", err)
	}
	for _, name := range names {
		s := sample{name: strings.TrimSuffix(filepath.Base(name), ".json")}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(name, err)
		}
		list = append(list, s)
	}
	return list
}

func (s sample) webhook() []byte {
	return []byte(`{"object":"whatsapp_business_account","entry":[{"id":"1200000000000001","time":1795400000,"changes":[{"value":` + string(s.Value) + `,"field":"` + s.Field + `"}]}]}`)
}

// Every field is passed on byte for byte, and what it says about an account or number is understood.
func TestParseEveryField(t *testing.T) {
	t.Parallel()
	for _, s := range samples(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			changes, err := parse(s.webhook(), received)
			if err != nil || len(changes) != 1 {
				t.Fatalf("%d changes, %v", len(changes), err)
			}
			c := changes[0]
			entry := `{"id":"1200000000000001","time":1795400000,"changes":[{"value":` + string(s.Value) + `,"field":"` + s.Field + `"}]}`
			if diff := cmp.Diff(entry, string(c.entry)); diff != "" || c.Field != s.Field || c.WABAMetaID != "1200000000000001" {
				t.Errorf("passed on (-want +got):\n%s", diff)
			}
			var want []account.Notice
			for _, n := range s.Notices {
				notice := account.Notice{Matter: n.Matter, Subject: n.Subject, State: n.State, Reason: n.Reason, Detail: n.Detail, At: time.Unix(1795400000, 0)}
				if n.Until > 0 {
					notice.Until = time.Unix(n.Until, 0)
				}
				want = append(want, notice)
			}
			byState := cmpopts.SortSlices(func(a, b account.Notice) bool { return a.Subject < b.Subject })
			if diff := cmp.Diff(want, c.Notices, byState, cmpopts.IgnoreFields(account.Notice{}, "Number")); diff != "" {
				t.Errorf("notices (-want +got):\n%s", diff)
			}
			for i := range c.Notices {
				if named := c.Notices[i].Number != (account.NumberRef{}); named != s.Notices[i].Number {
					t.Errorf("%+v names a number: %v", c.Notices[i], named)
				}
			}
		})
	}
}
