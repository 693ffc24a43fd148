package event

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Additional is a destination that gets copies of an account's events, beside the one AWS event destination that each business
// account may have.
type Additional struct {
	Key         string // 32 hex digits: the variable part of its id and ARN
	AccountID   string
	WABAKey     string // whose events it gets; "" for every business account of the account
	Name        string // for people
	Kind        Kind
	Address     string // ARN, or URL of an HTTPS destination
	RoleARN     string // to assume for publishing; "" for none
	Filter      Filter
	Concurrency int     // calls in flight at once; with 1 events are published in order
	PerSecond   float64 // most events a second; 0 sets no limit
	Sealed      []byte  // Settings, sealed with the key as associated data; nil without
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// ID is what an additional destination goes by, and the name of its queue.
func (a *Additional) ID() string { return account.ID(account.KindEventDestination, a.Key) }

// Described is a destination as people see it.
type Described struct {
	Name       string      // of its queue
	Additional *Additional // nil for the AWS event destination of business accounts
	Headers    []string    // names of an HTTPS destination's own headers; their values are not told
	Health     Health
}

// Trial is what came of a test event.
type Trial struct {
	EventID string
	Took    time.Duration
	Failure string // why the destination did not take it; "" if it did
}

// Filter says which events a destination gets. A list that is empty admits everything; an event has to pass all of them.
type Filter struct {
	Fields   []string `json:"fields,omitempty"`   // Meta's webhook fields, e.g. messages
	Statuses []string `json:"statuses,omitempty"` // of messages, e.g. delivered; received for what customers write
	Numbers  []string `json:"numbers,omitempty"`  // keys of phone numbers
}

// Admits reports whether an event passes the filter.
func (f *Filter) Admits(e *Event) bool {
	return admits(f.Fields, e.Field) && admits(f.Statuses, e.Status) && admits(f.Numbers, e.PhoneKey)
}

func admits(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }

// Settings are the secret part of an additional destination.
type Settings struct {
	Secrets []SigningSecret // the newest first
	Headers []Header
}

// SigningSecret signs what an HTTPS destination receives, until its time is over.
type SigningSecret struct {
	Value identity.Secret // whsec_…
	Until time.Time       // zero: until it is replaced
}

// Valid returns the secrets that sign at a time.
func (s *Settings) Valid(now time.Time) (secrets []identity.Secret) {
	for _, k := range s.Secrets {
		if k.Until.IsZero() || now.Before(k.Until) {
			secrets = append(secrets, k.Value)
		}
	}
	return secrets
}

// stored is Settings with its secrets in the clear, which is why it stays in this file.
type stored struct {
	Secrets []storedSecret `json:"secrets,omitempty"`
	Headers [][2]string    `json:"headers,omitempty"`
}

type storedSecret struct {
	Value string    `json:"value"`
	Until time.Time `json:"until,omitzero"`
}

// Reveal returns the settings in the clear, to be sealed at once.
func (s *Settings) Reveal() []byte {
	var plain stored
	for _, k := range s.Secrets {
		plain.Secrets = append(plain.Secrets, storedSecret{k.Value.Reveal(), k.Until})
	}
	for _, h := range s.Headers {
		plain.Headers = append(plain.Headers, [2]string{h.Name, h.Value.Reveal()})
	}
	b, err := json.Marshal(plain)
	if err != nil {
		panic(err) // strings and times always marshal
	}
	return b
}

// ParseSettings reads what Reveal returned.
func ParseSettings(b []byte) (s Settings, err error) {
	var plain stored
	if err := json.Unmarshal(b, &plain); err != nil {
		return Settings{}, err
	}
	for _, k := range plain.Secrets {
		s.Secrets = append(s.Secrets, SigningSecret{identity.Secret(k.Value), k.Until})
	}
	for _, h := range plain.Headers {
		s.Headers = append(s.Headers, Header{h[0], identity.Secret(h[1])})
	}
	return s, nil
}
