package sim

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/courier"
)

// Settings are what PUT /sim/v1/settings changes; a member that is left out stays as it is. Times are milliseconds since a
// message was accepted; null, "off" or a negative number turns a status off.
type Settings struct {
	SentMS      millis `json:"sent_ms"`
	DeliveredMS millis `json:"delivered_ms"`
	ReadMS      millis `json:"read_ms"`
	HeldMS      millis `json:"held_ms"` // how long a held template message waits before it is sent or fails

	Seed uint64 `json:"seed"` // setting it restarts every sequence of ids and chances

	PairRate       bool `json:"pair_rate"`       // enforce 1 message per 6 s and user, with its burst
	Throughput     bool `json:"throughput"`      // enforce messages per second and number
	Window         bool `json:"window"`          // enforce the 24-hour customer service window
	MessagingLimit bool `json:"messaging_limit"` // enforce the numbers' tiers
	MarketingCap   int  `json:"marketing_cap"`   // marketing templates per user in 24 hours; 0 is no cap
	USMarketing    bool `json:"us_marketing"`    // deliver marketing templates to US numbers, which Meta paused

	AutoApprove      bool    `json:"auto_approve"`      // templates pass review by themselves
	ReviewMS         int64   `json:"review_ms"`         // how long that takes
	TimeScale        float64 `json:"time_scale"`        // how much faster pauses, locks and notices of templates pass
	TemplateLimit    int     `json:"template_limit"`    // templates of an account; 0 is no limit
	TemplateRate     int     `json:"template_rate"`     // templates created for an account within an hour; 0 is no limit
	RequireExamples  bool    `json:"require_examples"`  // of variables in bodies of definitions without a parameter_format, too
	RequireUploads   bool    `json:"require_uploads"`   // samples of headers must have been uploaded to this simulator
	RejectDuplicates bool    `json:"reject_duplicates"` // review rejects what says the same as another template
	PacingSample     int     `json:"pacing_sample"`     // messages of a new or resumed template before the next are held; 0 holds none

	WebhookURL         string `json:"webhook_url"`
	WebhookVersion     string `json:"webhook_version"` // decides payload details, such as conversation up to v23.0
	WebhookTimeoutMS   int64  `json:"webhook_timeout_ms"`
	WebhookConcurrency int    `json:"webhook_concurrency"` // above 1, webhooks may overtake each other
	BatchMS            int64  `json:"batch_ms"`
	RetryMinMS         int64  `json:"retry_min_ms"`
	RetryMaxMS         int64  `json:"retry_max_ms"`
	RetryForMS         int64  `json:"retry_for_ms"`
	MixedValues        bool   `json:"mixed_values"` // let messages and statuses share one value

	ClockOffsetMS int64 `json:"clock_offset_ms"` // how far the simulator's clock is ahead of the machine's
}

func defaultSettings() Settings {
	d := courier.Defaults()
	return Settings{SentMS: 200, DeliveredMS: 600, ReadMS: off, HeldMS: 5000, AutoApprove: true, ReviewMS: 1000, TimeScale: 1,
		TemplateLimit: 250, TemplateRate: 100, PairRate: true, Throughput: true, Window: true, MessagingLimit: true,
		WebhookVersion: currentVersion, WebhookTimeoutMS: d.Timeout.Milliseconds(), WebhookConcurrency: d.Concurrency,
		BatchMS: d.BatchWindow.Milliseconds(), RetryMinMS: d.RetryMin.Milliseconds(), RetryMaxMS: d.RetryMax.Milliseconds(),
		RetryForMS: d.RetryFor.Milliseconds()}
}

// check returns what is wrong with the settings, "" when nothing is.
func (s Settings) check() string {
	switch u, err := url.Parse(s.WebhookURL); {
	case s.WebhookURL != "" && (err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https")):
		return "webhook_url must be an absolute http or https URL"
	case versionNumber(s.WebhookVersion) == 0:
		return "webhook_version must look like v25.0"
	case s.WebhookConcurrency < 1 || s.WebhookConcurrency > 64:
		return "webhook_concurrency must be from 1 to 64"
	case s.WebhookTimeoutMS < 1 || s.BatchMS < 0 || s.RetryMinMS < 1 || s.RetryMaxMS < s.RetryMinMS || s.RetryForMS < 0:
		return "webhook and retry times must be positive, and retry_max_ms at least retry_min_ms"
	case s.ReviewMS < 0 || s.ReviewMS > (30*24*time.Hour).Milliseconds():
		return "review_ms must be from 0 to 30 days"
	case !(s.TimeScale >= 1e-3 && s.TimeScale <= 1e9):
		return "time_scale must be from 0.001 to 1000000000"
	case s.TemplateLimit < 0 || s.TemplateRate < 0 || s.PacingSample < 0:
		return "template_limit, template_rate and pacing_sample must not be negative"
	case s.MarketingCap < 0:
		return "marketing_cap must not be negative"
	}
	return ""
}

func (s Settings) courier() courier.Settings {
	ms := func(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
	return courier.Settings{BatchWindow: ms(s.BatchMS), Concurrency: s.WebhookConcurrency, Timeout: ms(s.WebhookTimeoutMS),
		RetryMin: ms(s.RetryMinMS), RetryMax: ms(s.RetryMaxMS), RetryFor: ms(s.RetryForMS), Mixed: s.MixedValues}
}

// millis is a delay in milliseconds, or off.
type millis int64

const off millis = -1

func (m millis) after(t int64) int64 { return t + int64(m)*int64(time.Millisecond) }

// MarshalJSON shows off as null.
func (m millis) MarshalJSON() ([]byte, error) {
	if m < 0 {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, int64(m), 10), nil
}

// UnmarshalJSON takes a number, null or "off".
func (m *millis) UnmarshalJSON(b []byte) error {
	if s := string(b); s == "null" || s == `"off"` {
		*m = off
		return nil
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil || n > int64(365*24*time.Hour/time.Millisecond) {
		return errBadDelay
	}
	*m = max(millis(n), off)
	return nil
}

// Versions of the Graph API. An expired one is served by the oldest live one.
const (
	oldestVersion  = "v21.0"
	currentVersion = "v26.0"
)

// versionNumber returns the major number of a version segment, 0 when it is none.
func versionNumber(segment string) int {
	digits, ok := strings.CutPrefix(segment, "v")
	digits, minor := strings.CutSuffix(digits, ".0")
	n, err := strconv.Atoi(digits)
	if !ok || !minor || err != nil || n < 1 || n > 99 || digits[0] == '0' || digits[0] == '+' {
		return 0
	}
	return n
}

// servedVersion is the version that answers a call for n.
func servedVersion(n int) string {
	switch {
	case n < versionNumber(oldestVersion):
		return oldestVersion
	case n > versionNumber(currentVersion):
		return currentVersion
	}
	return "v" + strconv.Itoa(n) + ".0"
}
