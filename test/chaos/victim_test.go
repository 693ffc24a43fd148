package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// victim is a node that is killed and started again with the same arguments.
type victim struct {
	binary string
	args   []string
	cmd    *exec.Cmd
	stderr output
}

func (v *victim) start(t *testing.T) {
	t.Helper()
	v.cmd = exec.Command(v.binary, v.args...)
	v.cmd.Stderr = &v.stderr
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

// kill is kill -9, and waits until the process is gone.
func (v *victim) kill() {
	v.cmd.Process.Kill() //nolint:errcheck // it may have died by itself, which its log tells
	v.cmd.Wait()         //nolint:errcheck // it was killed
}

// log is the end of what all lives have logged.
func (v *victim) log() string { return v.stderr.tail(8 << 10) }

// output collects what processes write one after the other.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) tail(n int) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.buf.Bytes()
	return string(all[max(0, len(all)-n):])
}

// simulator is the URL of the simulated WhatsApp.
type simulator string

var client = &http.Client{Timeout: 10 * time.Second}

// call makes a request to the control API and decodes the answer into out.
func (s simulator) call(ctx context.Context, method, path, body string, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, string(s)+"/sim/v1/"+path, strings.NewReader(body))
	if err != nil {
		return err
	}
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
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, raw)
	}
	return json.Unmarshal(raw, out)
}

func (s simulator) put(t *testing.T, path, body string) {
	t.Helper()
	var out any
	if err := s.call(t.Context(), http.MethodPut, path, body, &out); err != nil {
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
	Status  string
	TimesMS map[string]int64 `json:"times_ms"` // by status
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

// undelivered is how many webhooks have not been answered with 200 yet; dropped is how many were given up.
func (s simulator) undelivered(ctx context.Context) (queued, dropped int, err error) {
	var state struct {
		Webhooks struct{ Queued, Dropped int }
	}
	err = s.call(ctx, http.MethodGet, "state", "", &state)
	return state.Webhooks.Queued, state.Webhooks.Dropped, err
}
