package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/sim/definition"
)

// told lists the values of the webhooks about templates, in order, each after its field.
func (f *fixture) told() (list []string) {
	f.t.Helper()
	for _, h := range f.app.taken() {
		var e struct {
			Entry []struct {
				Time    json.Number
				Changes []struct {
					Field string
					Value json.RawMessage
				}
			}
		}
		if err := json.Unmarshal(h.body, &e); err != nil {
			f.t.Fatalf("webhook is not JSON: %s", h.body)
		}
		for _, entry := range e.Entry {
			for _, c := range entry.Changes {
				if strings.Contains(c.Field, "template") {
					if entry.Time == "" {
						f.t.Errorf("no time in %s", h.body)
					}
					list = append(list, c.Field+" "+string(c.Value))
				}
			}
		}
	}
	return list
}

// events are the events of told, in order, with the names of the other fields.
func (f *fixture) events() string {
	f.t.Helper()
	var words []string
	for _, line := range f.told() {
		field, value, _ := strings.Cut(line, " ")
		var v struct {
			Event string `json:"event"`
		}
		if err := json.Unmarshal([]byte(value), &v); err != nil {
			f.t.Fatal(err)
		}
		if v.Event == "" {
			v.Event = strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(field, "message_"), "template_"), "_update")
		}
		words = append(words, v.Event)
	}
	return strings.Join(words, " ")
}

func TestReview(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, settings, decision string
		body                     string
		want                     string // status after an hour
		reason                   string
		events                   string
	}{
		{name: "by itself", want: "APPROVED", reason: "NONE", events: "components APPROVED"},
		{name: "never", settings: `{"auto_approve":false}`, want: "PENDING", reason: "NONE", events: "components"},
		{name: "late", settings: `{"review_ms":7200000}`, want: "PENDING", reason: "NONE", events: "components"},
		{name: "approved", settings: `{"auto_approve":false}`, decision: `{"decision":"approved"}`, want: "APPROVED", reason: "NONE", events: "components APPROVED"},
		{name: "rejected", settings: `{"auto_approve":false}`, decision: `{"decision":"REJECTED","reason":"SCAM"}`, want: "REJECTED", reason: "SCAM", events: "components REJECTED"},
		{name: "rejected before it passes by itself", decision: `{"decision":"REJECTED"}`, want: "REJECTED", reason: "INVALID_FORMAT", events: "components REJECTED"},
		{name: "a duplicate", settings: `{"reject_duplicates":true}`, body: bodyTemplate("again", "Thank you for being our customer."), want: "REJECTED", reason: "INVALID_FORMAT", events: "components REJECTED"},
		{name: "a duplicate that nobody minds", body: bodyTemplate("again", "Thank you for being our customer."), want: "APPROVED", reason: "NONE", events: "components APPROVED"},
		{name: "locked", decision: `{"decision":"LOCKED"}`, want: "LOCKED", reason: "NONE", events: "components LOCKED"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, Options{}, func(f *fixture) {
				if tc.settings != "" {
					f.control(http.MethodPut, "/sim/v1/settings", tc.settings)
				}
				if tc.body == "" {
					tc.body = bodyTemplate("parcel", "Your parcel is here.")
				}
				id := f.create(tc.body)
				if tc.decision != "" {
					f.control(http.MethodPost, "/sim/v1/templates/"+id+"/review", tc.decision)
				}
				after(time.Hour)
				got := f.template(id, "status,rejected_reason")
				if got["status"] != tc.want || got["rejected_reason"] != tc.reason {
					t.Errorf("template %v, want %s for %s", got, tc.want, tc.reason)
				}
				if events := f.events(); events != tc.events {
					t.Errorf("events %q, want %q", events, tc.events)
				}
			})
		})
	}
}

func TestReviewRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	id := f.create(bodyTemplate("parcel", "Your parcel is here."))
	for _, tc := range []struct {
		path, body string
		status     int
	}{
		{id + "/review", `{"decision":"MAYBE"}`, 400},
		{id + "/review", `{"decision":"REJECTED","reason":"UGLY"}`, 400},
		{id + "/quality", `{"score":"BLUE"}`, 400},
		{id + "/category", `{"category":"OTHER"}`, 400},
		{id + "/category", `{"category":"MARKETING","notice_ms":-1}`, 400},
		{"1/review", `{"decision":"APPROVED"}`, 404},
	} {
		if r, err := f.do(f.request(http.MethodPost, "/sim/v1/templates/"+tc.path, tc.body)); err != nil || r.status != tc.status {
			t.Errorf("%s %s = %d %v, want %d", tc.path, tc.body, r.status, err, tc.status)
		}
	}
}

// The bytes of the webhooks about templates, but for ids and times.
func TestWebhooksAboutTemplates(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		after(time.Second)
		id := f.create(`{"name":"parcel","language":"en_GB","category":"UTILITY","components":[{"type":"HEADER","format":"TEXT","text":"Ready"},{"type":"BODY","text":"Hi {{1}}, it is here.","example":{"body_text":[["Ada"]]}},{"type":"FOOTER","text":"Demo Ltd"},` +
			`{"type":"BUTTONS","buttons":[{"type":"URL","text":"Track","url":"https://ex.org/t/{{1}}","example":["https://ex.org/t/8"]},{"type":"PHONE_NUMBER","text":"Call","phone_number":"+15550100123"}]}]}`)
		after(time.Minute)
		f.control(http.MethodPost, "/sim/v1/templates/"+id+"/quality", `{"score":"GREEN"}`)
		f.control(http.MethodPost, "/sim/v1/templates/"+id+"/quality", `{"score":"RED"}`)
		after(3 * time.Hour)
		f.control(http.MethodPost, "/sim/v1/templates/"+id+"/category", `{"category":"MARKETING"}`)
		notice := time.Now().Add(24 * time.Hour).Unix()
		after(25 * time.Hour)
		f.control(http.MethodPost, "/sim/v1/templates/"+id+"/review", `{"decision":"REJECTED","reason":"INVALID_FORMAT"}`)
		after(time.Second)
		head := `"message_template_id":` + id + `,"message_template_name":"parcel","message_template_language":"en_GB"`
		event := func(event, reason, category, more string) string {
			return `message_template_status_update {"event":"` + event + `",` + head + `,"reason":"` + reason + `","message_template_category":"` + category + `"` + more + `}`
		}
		want := []string{
			`message_template_components_update {` + head + `,"message_template_title":"Ready","message_template_element":"Hi {{1}}, it is here.","message_template_footer":"Demo Ltd","message_template_buttons":[` +
				`{"message_template_button_type":"URL","message_template_button_text":"Track","message_template_button_url":"https:\/\/ex.org\/t\/{{1}}"},{"message_template_button_type":"PHONE_NUMBER","message_template_button_text":"Call","message_template_button_phone_number":"+15550100123"}]}`,
			event("APPROVED", "NONE", "UTILITY", ""),
			`message_template_quality_update {"previous_quality_score":"UNKNOWN","new_quality_score":"GREEN",` + head + `}`,
			`message_template_quality_update {"previous_quality_score":"GREEN","new_quality_score":"RED",` + head + `}`,
			event("PAUSED", "NONE", "UTILITY", `,"other_info":{"title":"FIRST_PAUSE","description":"Paused for 3 hours because of low quality"}`),
			event("APPROVED", "NONE", "UTILITY", `,"other_info":{"title":"UNPAUSE","description":"The pause is over"}`),
			fmt.Sprintf(`template_category_update {%s,"correct_category":"MARKETING","new_category":"UTILITY","category_update_timestamp":%d}`, head, notice),
			`template_category_update {` + head + `,"previous_category":"UTILITY","new_category":"MARKETING"}`,
			event("REJECTED", "INVALID_FORMAT", "MARKETING", `,"rejection_info":{"reason":"The format of the template is not valid","recommendation":"Look at its variables and at templates that say the same, then edit it."}`),
		}
		if diff := cmp.Diff(want, f.told()); diff != "" {
			t.Errorf("webhooks (-want +got):\n%s", diff)
		}
		if h := f.app.taken()[0]; h.header.Get("X-Hub-Signature-256") != signed(h.body) {
			t.Errorf("signature %q", h.header.Get("X-Hub-Signature-256"))
		}
		got := f.template(id, "category,previous_category,status")
		if got["category"] != "MARKETING" || got["previous_category"] != "UTILITY" {
			t.Errorf("template %v", got)
		}
	})
}

func TestLowQuality(t *testing.T) {
	t.Parallel()
	for _, scale := range []float64{1, 3600} {
		t.Run(fmt.Sprint("time_scale ", scale), func(t *testing.T) {
			t.Parallel()
			bubble(t, Options{}, func(f *fixture) {
				f.control(http.MethodPut, "/sim/v1/settings", fmt.Sprintf(`{"time_scale":%g}`, scale))
				id := f.create(bodyTemplate("parcel", "Your parcel is here."))
				after(time.Minute)
				wait := func(d time.Duration) { after(time.Duration(float64(d) / scale)) }
				send := func(code int) {
					t.Helper()
					r := f.post(templateTo("+"+Amara, "parcel"))
					if code == 0 && r.status != 200 || code != 0 && r.errorCode(t) != code {
						t.Errorf("send = %d %s, want %d", r.status, r.body, code)
					}
				}
				for _, pause := range []time.Duration{3 * time.Hour, 6 * time.Hour} {
					send(0)
					f.control(http.MethodPost, "/sim/v1/templates/"+id+"/quality", `{"score":"RED"}`)
					send(132015)
					if r := f.graph(http.MethodPost, "/v25.0/"+id+"/unpause", ""); !strings.Contains(string(r.body), `"success":false,"reason":`) {
						t.Errorf("unpause of a template of low quality = %s", r.body)
					}
					wait(pause - time.Minute)
					if got := f.status(id); got != "PAUSED" {
						t.Errorf("%s a minute before the end of %v", got, pause)
					}
					wait(2 * time.Minute)
					if got := f.status(id); got != "APPROVED" {
						t.Errorf("%s after %v", got, pause)
					}
				}
				f.control(http.MethodPost, "/sim/v1/templates/"+id+"/quality", `{"score":"RED"}`)
				send(132016)
				wait(30 * 24 * time.Hour)
				if got := f.status(id); got != "DISABLED" {
					t.Errorf("%s after the third time", got)
				}
				var last struct {
					Event   string
					Disable struct {
						Date int64 `json:"disable_date"`
					} `json:"disable_info"`
				}
				told := f.told()
				_, value, _ := strings.Cut(told[len(told)-1], " ")
				if err := json.Unmarshal([]byte(value), &last); err != nil || last.Event != "DISABLED" || last.Disable.Date == 0 {
					t.Errorf("last webhook %s", value)
				}
			})
		})
	}
}

func TestEditTemplate(t *testing.T) {
	t.Parallel()
	edit := func(text string) string { return `{"components":[{"type":"BODY","text":"` + text + `"}]}` }
	bubble(t, Options{}, func(f *fixture) {
		f.control(http.MethodPut, "/sim/v1/settings", `{"auto_approve":false}`)
		id := f.create(bodyTemplate("parcel", "Your parcel is here."))
		path := "/v25.0/" + id
		approve := func() {
			f.control(http.MethodPost, "/sim/v1/templates/"+id+"/review", `{"decision":"APPROVED"}`)
		}
		f.refused(f.graph(http.MethodPost, path, edit("Pending.")), 400, 100, definition.Unchangeable)
		f.control(http.MethodPost, "/sim/v1/templates/"+id+"/review", `{"decision":"REJECTED"}`)
		for range 3 { // as often as one likes
			if r := f.graph(http.MethodPost, path, `{"category":"MARKETING"}`); r.status != 200 {
				t.Fatalf("edit of a rejected template = %d %s", r.status, r.body)
			}
			f.control(http.MethodPost, "/sim/v1/templates/"+id+"/review", `{"decision":"REJECTED"}`)
		}
		approve()
		f.refused(f.graph(http.MethodPost, path, `{}`), 400, 100, 0)
		f.refused(f.graph(http.MethodPost, path, `{"category":"UTILITY"}`), 400, 100, definition.Unchangeable)
		f.refused(f.graph(http.MethodPost, path, edit("{{1}} is broken now.")), 400, 100, definition.DanglingVariables)
		sentBefore := f.send(templateTo("+"+Diego, "parcel"))
		if r := f.graph(http.MethodPost, path, edit("First edit.")); r.status != 200 || !strings.Contains(string(r.body), `"success":true`) {
			t.Fatalf("first edit = %d %s", r.status, r.body)
		}
		if f.status(id) != "PENDING" || f.post(templateTo("+"+Amara, "parcel")).errorCode(t) != 132001 {
			t.Error("an edited template can be sent before its review")
		}
		if body := string(f.control(http.MethodGet, "/sim/v1/messages?wamid="+sentBefore, "")); !strings.Contains(body, "Your parcel is here.") {
			t.Errorf("the edit changed a message sent before it: %s", body)
		}
		approve()
		f.refused(f.graph(http.MethodPost, path, edit("Second edit.")), 400, 100, definition.Unchangeable)
		for i := range 9 {
			after(24*time.Hour + time.Second)
			if r := f.graph(http.MethodPost, path, edit(fmt.Sprint("Edit of day ", i))); r.status != 200 {
				t.Fatalf("edit of day %d = %d %s", i, r.status, r.body)
			}
			approve()
		}
		after(25 * time.Hour)
		f.refused(f.graph(http.MethodPost, path, edit("The eleventh.")), 400, 100, definition.Unchangeable)
		after(20 * 24 * time.Hour)
		if r := f.graph(http.MethodPost, path, edit("A month later.")); r.status != 200 {
			t.Errorf("edit after a month = %d %s", r.status, r.body)
		}
	})
}

func TestNameLock(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		body := bodyTemplate("parcel", "Your parcel is here.")
		f.create(body)
		f.graph(http.MethodDelete, templatesPath+"?name=parcel", "")
		id := f.create(body) // it was never approved: free at once
		after(time.Minute)
		f.graph(http.MethodDelete, templatesPath+"?name=parcel", "")
		if r := f.graph(http.MethodGet, "/v25.0/"+id, ""); r.status != 400 || r.graphError(t).Subcode != 33 {
			t.Errorf("a deleted template is there: %s", r.body)
		}
		if r := f.post(templateTo("+"+Diego, "parcel")); r.errorCode(t) != 132001 {
			t.Errorf("a deleted template can be sent: %s", r.body)
		}
		f.refused(f.graph(http.MethodPost, templatesPath, body), 400, 100, definition.BeingDeleted)
		f.create(strings.Replace(body, "en_US", "es", 1))
		after(29 * 24 * time.Hour)
		f.refused(f.graph(http.MethodPost, templatesPath, body), 400, 100, definition.BeingDeleted)
		after(24 * time.Hour)
		f.create(body)
		after(time.Minute)
		if got, want := f.events(), "components DELETED components APPROVED PENDING_DELETION components APPROVED DELETED components APPROVED"; got != want {
			t.Errorf("events %q, want %q", got, want)
		}
	})
}

func TestCreationRate(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		for i := range 100 {
			f.create(bodyTemplate(fmt.Sprint("parcel_", i), "Your parcel is here."))
		}
		f.refused(f.graph(http.MethodPost, templatesPath, bodyTemplate("more", "x")), 400, 80007, 0)
		after(time.Hour)
		f.create(bodyTemplate("more", "x"))
	})
}

func TestPacing(t *testing.T) {
	t.Parallel()
	marketing := strings.Replace(bodyTemplate("sale", "Everything is cheaper today."), "UTILITY", "MARKETING", 1)
	for _, tc := range []struct {
		name     string
		feedback string // quality after the held messages were accepted
		want     string // statuses of the first held message
		after    string // message_status of a message after the assessment
	}{
		{"released", "", "sent delivered", "accepted"},
		{"liked", "GREEN", "sent delivered", "accepted"},
		{"disliked", "RED", "failed", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, Options{}, func(f *fixture) {
				f.control(http.MethodPut, "/sim/v1/settings", `{"pacing_sample":2,"held_ms":3600000,"us_marketing":true}`)
				id := f.create(marketing)
				after(time.Minute)
				var states, ids []string
				for i := range 4 {
					r := f.post(templateTo(fmt.Sprint("+4477009001", 10+i), "sale"))
					var ok sendReply
					if err := json.Unmarshal(r.body, &ok); err != nil || len(ok.Messages) != 1 {
						t.Fatalf("send = %d %s", r.status, r.body)
					}
					states, ids = append(states, ok.Messages[0].Status), append(ids, ok.Messages[0].ID)
				}
				if diff := cmp.Diff([]string{"accepted", "accepted", "held_for_quality_assessment", "held_for_quality_assessment"}, states); diff != "" {
					t.Fatalf("states (-want +got):\n%s", diff)
				}
				after(time.Minute)
				if tc.feedback != "" {
					f.control(http.MethodPost, "/sim/v1/templates/"+id+"/quality", `{"score":"`+tc.feedback+`"}`)
				}
				after(2 * time.Hour)
				var got []status
				for _, s := range f.app.statuses(t) {
					if s.ID == ids[2] {
						got = append(got, s)
					}
				}
				if names(got) != tc.want {
					t.Fatalf("held message %q, want %q", names(got), tc.want)
				}
				if tc.want == "failed" {
					if code := got[0].Errors[0].Code; code != 132015 {
						t.Errorf("failed with %d", code)
					}
					if r := f.graph(http.MethodPost, "/v25.0/"+id+"/unpause", ""); string(r.body) != `{"success":true}` || f.status(id) != "APPROVED" {
						t.Errorf("unpause = %s, template %s", r.body, f.status(id))
					}
					return
				}
				if r := f.post(templateTo("+"+Amara, "sale")); !strings.Contains(string(r.body), `"message_status":"`+tc.after+`"`) {
					t.Errorf("after the assessment: %s", r.body)
				}
			})
		})
	}
}

// A message that is not delivered in its template's time disappears without a status.
func TestTimeToLive(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name      string
		ttl       string
		delivered int // milliseconds
		want      string
	}{
		{"in time", `"message_send_ttl_seconds":60,`, 59_000, "sent delivered"},
		{"too late", `"message_send_ttl_seconds":60,`, 61_000, "sent"},
		{"without end", `"message_send_ttl_seconds":-1,`, 61_000, "sent delivered"},
		{"not given", ``, 61_000, "sent delivered"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, Options{}, func(f *fixture) {
				f.control(http.MethodPut, "/sim/v1/settings", fmt.Sprintf(`{"delivered_ms":%d}`, tc.delivered))
				f.create(strings.Replace(bodyTemplate("parcel", "Your parcel is here."), `"components"`, tc.ttl+`"components"`, 1))
				after(time.Minute)
				f.send(templateTo("+"+Amara, "parcel"))
				after(time.Hour)
				if got := names(f.app.statuses(t)); got != tc.want {
					t.Errorf("statuses %q, want %q", got, tc.want)
				}
			})
		})
	}
}

func TestCategoryAtOnce(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		const id = "1400000000000101"
		f.control(http.MethodPost, "/sim/v1/templates/"+id+"/category", `{"category":"MARKETING","notice_ms":0}`)
		if got := f.template(id, "category,previous_category"); got["category"] != "MARKETING" || got["previous_category"] != "UTILITY" {
			t.Errorf("template %v", got)
		}
		f.control(http.MethodPost, "/sim/v1/templates/"+id+"/category", `{"category":"AUTHENTICATION"}`)
		if got := f.template(id, "category,correct_category"); got["category"] != "MARKETING" || got["correct_category"] != "AUTHENTICATION" {
			t.Errorf("template under notice %v", got)
		}
		f.control(http.MethodPost, "/sim/v1/templates/"+id+"/category", `{"category":"UTILITY","notice_ms":1000}`) // Meta thinks again
		after(25 * time.Hour)
		if got := f.template(id, "category")["category"]; got != "UTILITY" {
			t.Errorf("category %v", got)
		}
		if got, want := f.events(), "category category category category"; got != want {
			t.Errorf("events %q, want %q", got, want)
		}
	})
}

// A reset takes back what happened to templates, and what was to happen.
func TestResetForgetsTemplates(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.create(bodyTemplate("parcel", "Your parcel is here."))
		f.control(http.MethodPost, "/sim/v1/templates/1400000000000101/category", `{"category":"MARKETING"}`)
		f.control(http.MethodPost, "/sim/v1/reset", "")
		after(48 * time.Hour)
		if got := strings.Join(f.list("").names(), " "); got != "hello_world statement simple_template" {
			t.Errorf("templates %q", got)
		}
		if got := f.template("1400000000000101", "category")["category"]; got != "UTILITY" {
			t.Errorf("category %v", got)
		}
	})
}
