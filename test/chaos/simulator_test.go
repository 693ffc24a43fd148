package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// simulator is the URL of the simulated WhatsApp.
type simulator string

var client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

// do makes a request and decodes the answer into out.
func do(req *http.Request, out any) error {
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %s", req.Method, req.URL.Path, resp.Status, raw)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}

// call makes a request to the control API.
func (s simulator) call(ctx context.Context, method, path, body string, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, string(s)+"/sim/v1/"+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	return do(req, out)
}

func (s simulator) put(t *testing.T, path, body string) {
	t.Helper()
	if err := s.call(t.Context(), http.MethodPut, path, body, nil); err != nil {
		t.Fatal(err)
	}
}

// customerWrites returns the wamid of a customer's message.
func (s simulator) customerWrites(ctx context.Context, from string) (wamid string, err error) {
	var out struct{ ID string }
	err = s.call(ctx, http.MethodPost, "customers/"+from+"/messages", `{"phone_number_id":"`+metaID+`","message":{"type":"text","text":{"body":"Hello?"}}}`, &out)
	return out.ID, err
}

// entry is a message in WhatsApp's books.
type entry struct {
	Serial  uint64
	WAMID   string
	Opaque  string `json:"biz_opaque_callback_data"`
	To      string
	Status  string
	TimesMS map[string]int64 `json:"times_ms"` // by status
	Untold  bool             // its webhooks were dropped
}

// ledger returns the messages WhatsApp has accepted after a serial.
func (s simulator) ledger(ctx context.Context, after uint64) (list []entry, err error) {
	for more := true; more; {
		var page struct {
			More     bool
			Messages []entry
		}
		if err := s.call(ctx, http.MethodGet, fmt.Sprintf("ledger?limit=5000&after=%d", after), "", &page); err != nil {
			return nil, err
		}
		list = append(list, page.Messages...)
		if more = page.More; more {
			after = list[len(list)-1].Serial
		}
	}
	return list, nil
}

// hooks counts webhooks: those that wait for a 200, those that have got one, and those that were given up.
type hooks struct{ Queued, Delivered, Dropped int }

func (s simulator) webhooks(t *testing.T) hooks {
	t.Helper()
	var state struct{ Webhooks hooks }
	if err := s.call(t.Context(), http.MethodGet, "state", "", &state); err != nil {
		t.Fatal(err)
	}
	return state.Webhooks
}
