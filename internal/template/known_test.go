package template

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestParseUpdate(t *testing.T) {
	t.Parallel()
	const about = `"message_template_id":778899001122334455,"message_template_name":"parcel_ready","message_template_language":"en-GB"`
	base := Update{ID: "778899001122334455", Name: "parcel_ready", Language: "en_GB", At: noon}
	with := func(change func(*Update)) Update { u := base; change(&u); return u }
	for _, tc := range []struct {
		name, field, value string
		want               Update
	}{
		{"approved", "message_template_status_update", `"event":"APPROVED","reason":"NONE"`, with(func(u *Update) { u.Status = Approved })},
		{"rejected", "message_template_status_update", `"event":"REJECTED","reason":"INVALID_FORMAT"`,
			with(func(u *Update) { u.Status, u.Reason = Rejected, "INVALID_FORMAT" })},
		{"first pause", "message_template_status_update", `"event":"PAUSED","reason":null,"other_info":{"title":"FIRST_PAUSE"}`,
			with(func(u *Update) { u.Status, u.Pause = Paused, 3*time.Hour })},
		{"second pause", "message_template_status_update", `"event":"PAUSED","other_info":{"title":"SECOND_PAUSE"}`,
			with(func(u *Update) { u.Status, u.Pause = Paused, 6*time.Hour })},
		{"paused by pacing", "message_template_status_update", `"event":"PAUSED","other_info":{"title":"RATE_LIMITING_PAUSE"}`, with(func(u *Update) { u.Status = Paused })},
		{"reinstated", "message_template_status_update", `"event":"REINSTATED"`, with(func(u *Update) { u.Status = Approved })},
		{"deleted", "message_template_status_update", `"event":"DELETED"`, with(func(u *Update) { u.Deleted = true })},
		{"quality", "message_template_quality_update", `"previous_quality_score":"GREEN","new_quality_score":"RED"`, with(func(u *Update) { u.Quality = "RED" })},
		{"category", "template_category_update", `"previous_category":"UTILITY","new_category":"MARKETING"`,
			with(func(u *Update) { u.Category, u.Previous = Marketing, Utility })},
		{"category tomorrow", "template_category_update", `"correct_category":"MARKETING","new_category":"UTILITY","category_update_timestamp":1`,
			with(func(u *Update) { u.Category, u.Upcoming = Utility, Marketing })},
		{"members of another form", "message_template_status_update", `"event":"DISABLED","other_info":[],"reason":{},"message_template_category":7`,
			with(func(u *Update) { u.Status = Disabled })},
		{"components", "message_template_components_update", `"message_template_element":"Hi {{1}}"`, base},
	} {
		got, ok := ParseUpdate(tc.field, []byte("{"+about+","+tc.value+"}"), noon)
		if diff := cmp.Diff(tc.want, got); diff != "" || !ok {
			t.Errorf("%s: %v (-want +got):\n%s", tc.name, ok, diff)
		}
	}
	for field, value := range map[string]string{"messages": "{" + about + "}", "message_template_quality_update": `{"message_template_name":"x"}`,
		"message_template_status_update": `[]`, "template_category_update": `{"message_template_id":null}`, "message_template_components_update": `{"message_template_id":{}}`} {
		if u, ok := ParseUpdate(field, []byte(value), noon); ok {
			t.Errorf("%s %s is %+v", field, value, u)
		}
	}
}

func TestPrice(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		from, to Category
		want     bool
	}{{Utility, Marketing, true}, {Authentication, Marketing, true}, {Marketing, Utility, false}, {Utility, Authentication, false}, {"", Marketing, false}, {Utility, "", false}} {
		if got := PriceRises(tc.from, tc.to); got != tc.want {
			t.Errorf("from %q to %q: %v", tc.from, tc.to, got)
		}
	}
}

func TestKnownCategory(t *testing.T) {
	t.Parallel()
	k := Known{}.see(&Template{ID: "7", Name: "x", Language: "en", Status: Approved, Category: Utility}, noon)
	k, _ = k.Apply(Update{ID: "7", At: noon.Add(time.Hour), Category: Utility, Upcoming: Marketing})
	if !k.PriceRise || k.Category != Utility || k.Upcoming != Marketing || k.Previous != "" {
		t.Errorf("announced: %+v", k)
	}
	k, _ = k.Apply(Update{ID: "7", At: noon.Add(2 * time.Hour), Category: Marketing, Previous: Utility})
	if !k.PriceRise || k.Category != Marketing || k.Upcoming != "" || k.Previous != Utility {
		t.Errorf("done: %+v", k)
	}
	k, changed := k.Apply(Update{ID: "7", At: noon.Add(time.Minute), Category: Utility})
	if changed || k.Category != Marketing {
		t.Errorf("older news: %+v", k)
	}
	// Without webhooks the listings show it too.
	k = Known{}.see(&Template{ID: "7", Category: Utility}, noon).see(&Template{ID: "7", Category: Marketing}, noon.Add(time.Hour))
	if !k.PriceRise || k.Previous != Utility {
		t.Errorf("listed: %+v", k)
	}
}

func TestKnownPause(t *testing.T) {
	t.Parallel()
	k, _ := Known{}.Apply(Update{ID: "7", At: noon, Status: Paused, Pause: firstPause})
	k = k.see(&Template{ID: "7", Status: Paused}, noon.Add(time.Hour))
	if !k.PausedUntil.Equal(noon.Add(3 * time.Hour)) {
		t.Errorf("a listing forgot the end of the pause: %+v", k)
	}
	k, _ = k.Apply(Update{ID: "7", At: noon.Add(3 * time.Hour), Status: Approved})
	if !k.PausedUntil.IsZero() || k.Status != Approved {
		t.Errorf("after the pause: %+v", k)
	}
}

// A listing may tell that a template is paused before the webhook does; for how long, only the webhook says.
func TestKnownPauseListedFirst(t *testing.T) {
	t.Parallel()
	k := Known{ID: "7", Status: Approved, StatusAt: noon}.see(&Template{ID: "7", Status: Paused}, noon.Add(5*time.Second))
	k, changed := k.Apply(Update{ID: "7", At: noon.Add(3 * time.Second), Status: Paused, Pause: firstPause})
	if want := noon.Add(3*time.Second + 3*time.Hour); !changed || !k.PausedUntil.Equal(want) {
		t.Errorf("paused until %v, want %v", k.PausedUntil, want)
	}
	if k, changed = k.Apply(Update{ID: "7", At: noon.Add(-4 * time.Hour), Status: Paused, Pause: firstPause}); changed {
		t.Errorf("an old pause counts: %+v", k)
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	known := []Known{{ID: "1", Name: "stays", Language: "en", Status: Approved, StatusAt: noon}, {ID: "2", Name: "gone", StatusAt: noon},
		{ID: "3", Name: "newer than the listing", StatusAt: noon.Add(time.Hour)}, {ID: "4", Name: "changes", Status: Pending, StatusAt: noon}}
	at := noon.Add(time.Minute)
	put, drop, dearer := Merge(known, []Template{{ID: "1", Name: "stays", Language: "en", Status: Approved}, {ID: "4", Name: "changes", Status: Rejected, Reason: "SCAM"},
		{ID: "5", Name: "new", Status: Pending, Reason: "NONE"}}, at)
	want := []Known{{ID: "4", Name: "changes", Status: Rejected, Reason: "SCAM", StatusAt: at}, {ID: "5", Name: "new", Status: Pending, StatusAt: at}}
	if diff := cmp.Diff(want, put); diff != "" {
		t.Errorf("put (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"2"}, drop); diff != "" {
		t.Errorf("drop (-want +got):\n%s", diff)
	}
	if len(dearer) != 0 {
		t.Errorf("dearer: %+v", dearer)
	}
	_, _, dearer = Merge([]Known{{ID: "6", Category: Utility}}, []Template{{ID: "6", Category: Marketing}, {ID: "8", Category: Marketing, Previous: Utility}}, at)
	if len(dearer) != 1 || dearer[0].ID != "6" {
		t.Errorf("dearer: %+v", dearer)
	}
}

// Whatever the order in which updates of different moments arrive, and however often, what is known in the end is the same.
func TestKnownOrder(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	statuses := []Status{Approved, Paused, Disabled, Rejected}
	qualities := []string{"GREEN", "YELLOW", "RED"}
	for range 500 {
		var updates []Update
		category := Utility
		for i := range 6 {
			u := Update{ID: "7", Name: "x", Language: "en", At: noon.Add(time.Duration(i) * time.Second)}
			switch r.IntN(3) {
			case 0:
				u.Status = statuses[r.IntN(len(statuses))]
			case 1:
				u.Quality = qualities[r.IntN(len(qualities))]
			default:
				u.Previous, category = category, []Category{Utility, Marketing, Authentication}[r.IntN(3)]
				u.Category = category
			}
			updates = append(updates, u)
		}
		apply := func(list []Update) (k Known) {
			for _, u := range list {
				k, _ = k.Apply(u)
			}
			return k
		}
		want := apply(updates)
		shuffled := append(append([]Update{}, updates...), updates[r.IntN(len(updates))])
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		got := apply(shuffled)
		got.Previous, got.PriceRise = want.Previous, want.PriceRise // what came before the last change may be lost with a late one
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%+v (-want +got):\n%s", shuffled, diff)
		}
	}
}

func FuzzParseUpdate(f *testing.F) {
	f.Add("message_template_status_update", []byte(`{"event":"PAUSED","message_template_id":1,"other_info":{"title":"FIRST_PAUSE"}}`))
	f.Add("template_category_update", []byte(`{"message_template_id":"1","new_category":"MARKETING"}`))
	f.Fuzz(func(t *testing.T, field string, raw []byte) {
		u, ok := ParseUpdate(field, raw, noon)
		if !ok {
			return
		}
		once, _ := Known{}.Apply(u)
		if twice, changed := once.Apply(u); changed {
			t.Errorf("a repeat changed %+v to %+v", once, twice)
		}
	})
}
