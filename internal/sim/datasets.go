package sim

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// scopeEvents is the permission to report conversions.
const scopeEvents = "whatsapp_business_manage_events"

// dataset collects the conversions of a business account.
type dataset struct {
	id       string
	account  *account
	received uint64
	recent   []json.RawMessage // the newest, for tests to look at
}

// maxEventsShown is how many conversions are remembered, maxEventsCall how many Meta takes at once, and maxEventAge how old
// they may be.
const (
	maxEventsShown = 100
	maxEventsCall  = 1000
	maxEventAge    = 7 * 24 * time.Hour
)

// createDataset is POST /{account}/dataset: it makes the account's dataset or returns the one it has.
func createDataset(s *Sim, c *call) (any, *graph.Error) {
	if c.account.dataset == nil {
		c.account.dataset = &dataset{id: s.st.ids.digits(), account: c.account}
		s.st.datasets[c.account.dataset.id] = c.account.dataset
	}
	return object{"id": c.account.dataset.id}, nil
}

func getDataset(_ *Sim, c *call) (any, *graph.Error) {
	if c.account.dataset == nil {
		return object{}, nil
	}
	return object{"id": c.account.dataset.id}, nil
}

// postEvents is POST /{dataset}/events. Either all of the events are taken or none.
func postEvents(s *Sim, c *call) (any, *graph.Error) {
	if c.malformed != nil {
		return nil, c.malformed
	}
	list, ok := c.params["data"].([]any)
	switch {
	case !ok || len(list) == 0:
		return nil, graph.Param("The parameter data is required.")
	case len(list) > maxEventsCall:
		return nil, graph.Param("Param data must have at most %d elements.", maxEventsCall)
	}
	for i, v := range list {
		if problem := s.eventProblem(v, c.now); problem != "" {
			e := graph.Param("Invalid parameter")
			e.Subcode, e.UserTitle, e.UserMsg = 2804050, "Invalid event", "data["+strconv.Itoa(i)+"]: "+problem
			return nil, e
		}
	}
	for _, v := range list {
		c.dataset.received++
		c.dataset.recent = append(c.dataset.recent, graph.Marshal(v))
	}
	if extra := len(c.dataset.recent) - maxEventsShown; extra > 0 {
		c.dataset.recent = slices.Clone(c.dataset.recent[extra:])
	}
	return object{"events_received": len(list), "messages": []string{}, "fbtrace_id": s.st.traces.trace()}, nil
}

// eventProblem says what a conversion lacks, "" for nothing.
func (s *Sim) eventProblem(v any, now int64) string {
	e, ok := v.(map[string]any)
	if !ok {
		return "an event must be an object"
	}
	user, _ := e["user_data"].(map[string]any)
	name, _ := e["event_name"].(string)
	source, _ := e["action_source"].(string)
	channel, _ := e["messaging_channel"].(string)
	when, _ := graph.Scalar(e["event_time"])
	seconds, err := strconv.ParseInt(when, 10, 64)
	at := time.Unix(seconds, 0)
	switch {
	case name == "":
		return "event_name is required"
	case err != nil:
		return "event_time must be a Unix time in seconds"
	case at.After(time.Unix(0, now).Add(time.Minute)):
		return "event_time is in the future"
	case time.Unix(0, now).Sub(at) > maxEventAge:
		return "event_time is more than 7 days ago"
	case source != "business_messaging":
		return "action_source must be business_messaging"
	case channel != "whatsapp":
		return "messaging_channel must be whatsapp"
	case user == nil:
		return "user_data is required"
	}
	return ""
}

// getDatasets is GET /sim/v1/datasets: what was reported.
func getDatasets(s *Sim, _ *http.Request) (any, error) {
	list := []object{}
	s.with(func(st *state) {
		for _, a := range st.order {
			if d := a.dataset; d != nil {
				list = append(list, object{"id": d.id, "waba_id": a.ID, "received": d.received, "events": slices.Clone(d.recent)})
			}
		}
	})
	return object{"datasets": list}, nil
}

// Status of the signature of a number's public key. It no longer fits after the number was registered anew.
const (
	keyValid    = "VALID"
	keyMismatch = "MISMATCH"
)

const keyBits = 2048

// putPublicKey is POST /{number}/whatsapp_business_encryption.
func putPublicKey(_ *Sim, c *call) (any, *graph.Error) {
	if c.malformed != nil {
		return nil, c.malformed
	}
	text, _ := c.params.String("business_public_key")
	if text == "" {
		return nil, graph.Param("The parameter business_public_key is required.")
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, graph.Param("Param business_public_key must be a public key in PEM format.")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	key, ok := parsed.(*rsa.PublicKey)
	if err != nil || !ok || key.N.BitLen() != keyBits {
		return nil, graph.Param("Param business_public_key must be an RSA key of %d bits.", keyBits)
	}
	c.number.publicKey, c.number.keyStatus = text, keyValid
	return success, nil
}

func getPublicKey(_ *Sim, c *call) (any, *graph.Error) {
	data := []object{}
	if c.number.publicKey != "" {
		data = append(data, object{"business_public_key": c.number.publicKey, "business_public_key_signature_status": c.number.keyStatus})
	}
	return object{"data": data}, nil
}

// putKeyStatus is PUT /sim/v1/phone-numbers/{id}/public-key: it plays what a new registration does to the signature.
func putKeyStatus(s *Sim, r *http.Request) (any, error) {
	var in struct {
		Status string `json:"signature_status"`
	}
	if err := input(r, &in); err != nil {
		return nil, err
	}
	if in.Status != keyValid && in.Status != keyMismatch {
		return nil, fault.New(fault.Validation, "signature_status must be VALID or MISMATCH")
	}
	var err error
	s.with(func(st *state) {
		n := st.numbers[r.PathValue("id")]
		if n == nil || n.publicKey == "" {
			err = fault.New(fault.NotFound, "no phone number with a public key has the id %q", r.PathValue("id"))
			return
		}
		n.keyStatus = in.Status
	})
	return nil, err
}
