package app

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/dispatch"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/meta"
	"github.com/waxwing-messaging/waxwing/internal/sim"
)

// known is a fixed set of categories by name.
type known map[string]string

func (k known) Category(_ context.Context, wabaKey, name, language string) (string, bool) {
	category, ok := k[wabaKey+" "+name+" "+language]
	return category, ok
}

// Marketing templates of onboarded accounts, and only those, go through the Marketing Messages API.
func TestMarketingMessages(t *testing.T) {
	t.Parallel()
	const text = `{"messaging_product":"whatsapp","to":"+447700900123","type":"text","text":{"body":"Hi"}}`
	send := func(template string) string {
		return `{"messaging_product":"whatsapp","to":"+447700900123","type":"template","template":{"name":"` + template + `","language":{"code":"en_US"}}}`
	}
	templates := known{"w sale en_US": "MARKETING", "w hello_world en_US": "UTILITY", "w simple_template en_US": "MARKETING"}
	for _, tc := range []struct {
		name      string
		onboarded bool // here
		atMeta    bool
		waba      string
		kind      string
		body      string
		want      string // the edges called, in order
	}{
		{"marketing template", true, true, "w", message.KindTemplate, send("sale"), "marketing_messages"},
		{"account that is not onboarded", false, false, "w", message.KindTemplate, send("sale"), "messages"},
		{"utility template", true, true, "w", message.KindTemplate, send("hello_world"), "messages"},
		{"template that is not known", true, true, "other", message.KindTemplate, send("sale"), "messages"},
		{"text", true, true, "w", message.KindText, text, "messages"},
		{"template that is no longer marketing", true, true, "w", message.KindTemplate, send("simple_template"), "marketing_messages messages"},
		{"account that is no longer onboarded", true, false, "w", message.KindTemplate, send("sale"), "marketing_messages messages"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			world := sim.SeededWorld()
			world.Accounts[0].Marketing = tc.atMeta
			world.Accounts[0].Templates = append(world.Accounts[0].Templates, sim.Template{ID: "1400000000000999", Name: "sale", Language: "en_US",
				Category: "MARKETING", Components: json.RawMessage(`[{"type":"BODY","text":"Everything must go."}]`)})
			server := httptest.NewServer(sim.New(sim.Options{World: world}).Handler())
			t.Cleanup(server.Close)
			graph, err := meta.New(meta.Options{BaseURL: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			line := account.Line{WABAKey: tc.waba, PhoneMetaID: sim.NumberID, Token: sim.AccessToken, Marketing: tc.onboarded}
			out := upstream{graph, templates}.HandOver(t.Context(), line, &message.Job{ID: "id", Kind: tc.kind, MetaVersion: "v25.0"}, []byte(tc.body))
			if tc.kind == message.KindTemplate && (out.Verdict != dispatch.Taken || out.WAMID == "") {
				t.Errorf("outcome = %+v", out)
			}
			if got := edges(t, server.URL); got != tc.want {
				t.Errorf("edges called = %q, want %q", got, tc.want)
			}
		})
	}
}

// Meta may refuse the endpoint to an account that seems to be onboarded. The message goes the ordinary way then.
func TestMarketingNotEligible(t *testing.T) {
	t.Parallel()
	world := sim.SeededWorld()
	world.Accounts[0].Marketing = true
	server := httptest.NewServer(sim.New(sim.Options{World: world}).Handler())
	t.Cleanup(server.Close)
	rule := `{"rules":[{"match":{"edge":"marketing_messages"},"when":"always","effect":{"code":10,"http_status":403}}]}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+"/sim/v1/faults", strings.NewReader(rule))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	res.Body.Close()
	graph, err := meta.New(meta.Options{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	line := account.Line{WABAKey: "w", PhoneMetaID: sim.NumberID, Token: sim.AccessToken, Marketing: true}
	out := upstream{graph, known{"w simple_template en_US": "MARKETING"}}.HandOver(t.Context(), line, &message.Job{ID: "id", Kind: message.KindTemplate, MetaVersion: "v25.0"},
		[]byte(`{"messaging_product":"whatsapp","to":"+447700900123","type":"template","template":{"name":"simple_template","language":{"code":"en_US"}}}`))
	if got := edges(t, server.URL); out.Verdict != dispatch.Taken || got != "marketing_messages messages" {
		t.Errorf("outcome %+v after %q", out, got)
	}
}

// edges lists what a simulator was called for, oldest first.
func edges(t *testing.T, simulator string) string {
	t.Helper()
	res, err := http.Get(simulator + "/sim/v1/requests")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var list struct{ Requests []struct{ Edge string } }
	body, err := io.ReadAll(res.Body)
	if err != nil || json.Unmarshal(body, &list) != nil {
		t.Fatalf("requests: %s, %v", body, err)
	}
	var names []string
	for i := len(list.Requests) - 1; i >= 0; i-- {
		names = append(names, list.Requests[i].Edge)
	}
	return strings.Join(names, " ")
}
