package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// maxControl bounds a control request; the largest carry 100 MB of media as base64.
const maxControl = 140 << 20

// controls is the control API. A handler returns what to render as JSON, or a fault whose message says what to change.
var controls = []struct {
	pattern string
	do      func(*Sim, *http.Request) (any, error)
}{
	{"GET /sim/v1/state", getState},
	{"POST /sim/v1/reset", postReset},
	{"GET /sim/v1/settings", getSettings},
	{"PUT /sim/v1/settings", putSettings},
	{"GET /sim/v1/faults", getFaults},
	{"PUT /sim/v1/faults", putFaults},
	{"DELETE /sim/v1/faults", deleteFaults},
	{"GET /sim/v1/requests", getRequests},
	{"GET /sim/v1/messages", getMessages},
	{"GET /sim/v1/ledger", getLedger},
	{"PUT /sim/v1/customers/{wa_id}", putCustomer},
	{"GET /sim/v1/customers/{wa_id}", getCustomer},
	{"POST /sim/v1/customers/{wa_id}/messages", postCustomerMessage},
	{"GET /sim/v1/customers/{wa_id}/messages", getChat},
	{"POST /sim/v1/customers/{wa_id}/read", postRead},
	{"PATCH /sim/v1/accounts/{id}", patchAccount},
	{"PATCH /sim/v1/phone-numbers/{id}", patchNumber},
	{"GET /sim/v1/templates/{id}", getTemplateState},
	{"POST /sim/v1/templates/{id}/review", postReview},
	{"POST /sim/v1/templates/{id}/quality", postQuality},
	{"POST /sim/v1/templates/{id}/category", postCategory},
	{"GET /sim/v1/phone-numbers/{id}", getSetup},
	{"POST /sim/v1/phone-numbers/{id}/history", postHistory},
	{"POST /sim/v1/phone-numbers/{id}/echoes", postEcho},
	{"POST /sim/v1/phone-numbers/{id}/contacts", postContact},
	{"POST /sim/v1/sign-ups", postSignUp},
	{"PUT /sim/v1/phone-numbers/{id}/public-key", putKeyStatus},
	{"PATCH /sim/v1/flows/{id}", patchFlow},
	{"POST /sim/v1/customers/{wa_id}/calls", postCustomerCall},
	{"PUT /sim/v1/customers/{wa_id}/call-permission", putCallPermission},
	{"GET /sim/v1/datasets", getDatasets},
	{"POST /sim/v1/webhooks", postWebhook},
}

// Handler serves the Graph API and the control API. Browsers on other sites cannot reach the control API.
func (s *Sim) Handler() http.Handler {
	control := http.NewServeMux()
	for _, row := range controls {
		control.HandleFunc(row.pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxControl)
			value, err := row.do(s, r)
			s.reply(w, value, err)
		})
	}
	mux := http.NewServeMux()
	mux.Handle("/sim/", http.NewCrossOriginProtection().Handler(control))
	mux.HandleFunc("GET "+lookaside, s.download)
	mux.HandleFunc("GET "+assetPath+"{id}/flow.json", s.downloadFlow)
	mux.HandleFunc("GET "+previewPath+"{id}/preview/", s.previewFlow)
	mux.HandleFunc("GET /{$}", welcome)
	dialog := http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.dialog))
	graph := http.HandlerFunc(s.graphAPI)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-Waxwing-Simulator"] = []string{"1"}
		// Graph paths skip the mux, which would redirect unclean ones; Meta answers those with an error.
		if p := r.URL.Path; p == "/" && r.Method == http.MethodGet || strings.HasPrefix(p, "/sim/") || strings.HasPrefix(p, lookaside) ||
			strings.HasPrefix(p, assetPath) || strings.HasPrefix(p, previewPath) {
			mux.ServeHTTP(w, r)
			return
		}
		if isDialog(r.URL.Path) {
			dialog.ServeHTTP(w, r)
			return
		}
		graph.ServeHTTP(w, r)
	})
}

func welcome(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "This is Waxwing's simulated WhatsApp. Nothing sent here reaches a phone.\n"+
		"Graph API: /"+currentVersion+"/{phone-number-id}/messages\nControl API: /sim/v1/state\n")
}

// reply renders the outcome of a control call. Members are indented: people read this with curl.
func (s *Sim) reply(w http.ResponseWriter, value any, err error) {
	status := http.StatusOK
	if err != nil {
		status = http.StatusBadRequest
		if fault.Is(err, fault.NotFound) {
			status = http.StatusNotFound
		}
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			status = http.StatusRequestEntityTooLarge
		}
		value = object{"error": err.Error()}
	}
	if value == nil {
		value = success
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		s.log.Debug("control reply not written", "error", err)
	}
}

// input decodes a control request's body and names what is wrong with it. An empty body leaves v alone.
func input(r *http.Request, v any) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("reading the body: %w", err)
	}
	if len(body) == 0 {
		return nil
	}
	if err := strict(body, v); err != nil {
		return fault.New(fault.Validation, "the body is not valid: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

func (s *Sim) with(do func(st *state)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do(s.st)
}

func postReset(s *Sim, _ *http.Request) (any, error) {
	s.Reset()
	return nil, nil
}

func getSettings(s *Sim, _ *http.Request) (set any, err error) {
	s.with(func(st *state) { set = st.settings })
	return set, nil
}

func putSettings(s *Sim, r *http.Request) (any, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var set Settings
	s.with(func(st *state) {
		set = st.settings
		if err = strict(body, &set); err != nil {
			err = fault.New(fault.Validation, "the body is not valid: %s", strings.TrimPrefix(err.Error(), "json: "))
			return
		}
		if problem := set.check(); problem != "" {
			err = fault.New(fault.Validation, "%s", problem)
			return
		}
		if set.Seed != st.settings.Seed {
			st.reseed(set.Seed)
		}
		st.settings = set
		s.offset = time.Duration(set.ClockOffsetMS) * time.Millisecond
		s.courier.Configure(set.courier())
		s.courier.SetApp(set.WebhookURL)
	})
	if err != nil {
		return nil, err
	}
	s.poke() // the clock may have moved
	return set, nil
}

type ruleList struct {
	Rules []*Rule `json:"rules"`
}

func getFaults(s *Sim, _ *http.Request) (any, error) {
	list := ruleList{Rules: []*Rule{}}
	s.with(func(st *state) {
		for _, r := range st.rules {
			shown := *r
			list.Rules = append(list.Rules, &shown)
		}
	})
	return list, nil
}

func putFaults(s *Sim, r *http.Request) (any, error) {
	var list ruleList
	if err := input(r, &list); err != nil {
		return nil, err
	}
	for i, rule := range list.Rules {
		if rule == nil {
			return nil, fault.New(fault.Validation, "rules[%d] is null", i)
		}
		if err := rule.check(); err != nil {
			return nil, fault.New(fault.Validation, "rules[%d]: %s", i, err)
		}
		rule.Matched, rule.Struck = 0, 0
	}
	s.with(func(st *state) { st.rules = list.Rules })
	return getFaults(s, r)
}

func deleteFaults(s *Sim, _ *http.Request) (any, error) {
	s.with(func(st *state) { st.rules = nil })
	return nil, nil
}

// query reads an optional number from the query.
func query(r *http.Request, name string, fallback int) (int, error) {
	v := r.URL.Query().Get(name)
	if v == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return 0, fault.New(fault.Validation, "%s must be a number of at least 0", name)
	}
	return n, nil
}
