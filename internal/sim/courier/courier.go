package courier

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Meta's bounds on one request.
const (
	maxUpdates = 1000
	maxBytes   = 3 << 20
)

// Settings steer delivery; see Defaults. They may change while Run runs.
type Settings struct {
	BatchWindow time.Duration // least time between the starts of two requests to one address
	Concurrency int           // requests in flight per address; above 1, order is no longer kept
	Timeout     time.Duration // of one request
	RetryMin    time.Duration // pause before a batch's second attempt; doubles from there
	RetryMax    time.Duration // longest pause
	RetryFor    time.Duration // age at which a batch is given up
	Mixed       bool          // let messages and statuses share a value
}

// Defaults are Meta's seven days of retries at a pace that suits tests: the first after 250 ms, then doubling to 10 s.
func Defaults() Settings {
	return Settings{BatchWindow: 5 * time.Millisecond, Concurrency: 1, Timeout: 10 * time.Second,
		RetryMin: 250 * time.Millisecond, RetryMax: 10 * time.Second, RetryFor: 7 * 24 * time.Hour}
}

// Options build a Courier.
type Options struct {
	AppSecret   string
	VerifyToken string
	Client      *http.Client // nil: one of its own that keeps connections and follows no redirects
	Logger      *slog.Logger
	Now         func() time.Time
	Limit       int // bytes of queued updates; 0: 128 MiB
}

// Stats counts what happened since New or Clear.
type Stats struct {
	Queued    int    `json:"queued"` // waiting now, retries included
	Bytes     int    `json:"queued_bytes"`
	Delivered uint64 `json:"delivered"` // updates answered with 200
	Requests  uint64 `json:"requests"`  // attempts made
	Failed    uint64 `json:"failed_requests"`
	Dropped   uint64 `json:"dropped"`   // updates given up: too old, or no room
	Unrouted  uint64 `json:"unrouted"`  // updates without any address
	Forged    uint64 `json:"forged"`    // requests sent with a bad signature on purpose
	Handshake uint64 `json:"handshake"` // verification requests made
}

// Courier owns the queues. Its methods are safe for concurrent use; nothing is delivered unless Run runs.
type Courier struct {
	o      Options
	client *http.Client
	wake   chan struct{}

	mu       sync.Mutex
	settings Settings
	app      *destination
	others   map[string]*destination // by address: overrides
	stats    Stats
	serial   uint64 // of handshakes, for challenges
}

// New returns a courier with Defaults and no address.
func New(o Options) *Courier {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Limit == 0 {
		o.Limit = 128 << 20
	}
	c := &Courier{o: o, client: o.Client, wake: make(chan struct{}, 1), settings: Defaults()}
	if c.client == nil {
		c.client = NewClient(nil)
	}
	c.Clear()
	return c
}

// NewClient returns a client for callbacks. The server with the certificate own, if there is one, is trusted by whatever name it is
// called: it is the app in this process. All others need a certificate that the system trusts.
func NewClient(own *x509.Certificate) *http.Client {
	var secure *tls.Config
	if own != nil {
		secure = &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(s tls.ConnectionState) error { return verify(&s, own) }}
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSClientConfig:     secure,
			TLSHandshakeTimeout: 5 * time.Second,
			MaxIdleConnsPerHost: 16,
			IdleConnTimeout:     time.Minute,
			ForceAttemptHTTP2:   true,
		},
		// Meta treats a redirect as a failure.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func verify(s *tls.ConnectionState, own *x509.Certificate) error {
	leaf := s.PeerCertificates[0]
	if leaf.Equal(own) {
		return nil
	}
	o := x509.VerifyOptions{DNSName: s.ServerName, Intermediates: x509.NewCertPool()}
	for _, c := range s.PeerCertificates[1:] {
		o.Intermediates.AddCert(c)
	}
	_, err := leaf.Verify(o)
	return err
}

// Configure replaces the settings.
func (c *Courier) Configure(s Settings) {
	c.mu.Lock()
	c.settings = s
	c.mu.Unlock()
	c.Wake()
}

// SetApp sets the address of the app's own callback; "" means none. A new address has to pass the handshake first; what is
// waiting goes there too.
func (c *Courier) SetApp(url string) {
	c.mu.Lock()
	if c.app.url != url {
		c.app.url, c.app.verified, c.app.notBefore = url, false, time.Time{}
		c.app.failures = 0
	}
	c.mu.Unlock()
	c.Wake()
}

// Send queues an update for an address that Verify accepted, or for the app's own callback when url is "".
func (c *Courier) Send(url string, u *Update) {
	c.mu.Lock()
	d := c.app
	if url != "" {
		d = c.override(url)
	}
	if d.url == "" {
		c.stats.Unrouted++
		c.mu.Unlock()
		u.tried()
		return
	}
	lost := c.push(d, u)
	c.mu.Unlock()
	for _, u := range lost {
		u.tried()
	}
	c.Wake()
}

// push queues u and returns what had to make room for it.
func (c *Courier) push(d *destination, u *Update) (lost []*Update) {
	d.fresh = append(d.fresh, u)
	c.stats.Queued++
	c.stats.Bytes += u.size()
	for c.stats.Bytes > c.o.Limit && d.waiting() > 1 {
		old := d.popOldest()
		c.forget(old)
		c.stats.Dropped++
		lost = append(lost, old)
	}
	return lost
}

func (c *Courier) forget(u *Update) {
	c.stats.Queued--
	c.stats.Bytes -= u.size()
}

func (c *Courier) override(url string) *destination {
	d := c.others[url]
	if d == nil {
		d = &destination{url: url, verified: true}
		c.others[url] = d
	}
	return d
}

// Clear drops everything queued, every override and all counts; the app's address stays.
func (c *Courier) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	app := &destination{}
	if c.app != nil {
		app.url, app.verified = c.app.url, c.app.verified
	}
	c.app, c.others, c.stats = app, map[string]*destination{}, Stats{}
}

// Stats returns the counts.
func (c *Courier) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

// Verified reports whether the app's callback passed its handshake.
func (c *Courier) Verified() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.app.verified
}

// Wake makes Run look again.
func (c *Courier) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run delivers until ctx ends and then returns nil, after the requests in flight were cancelled; what they carried is queued
// again.
func (c *Courier) Run(ctx context.Context) error {
	var flights sync.WaitGroup
	defer flights.Wait()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		flights0, next := c.claim(c.o.Now())
		for _, f := range flights0 {
			flights.Go(func() { c.fly(ctx, f) })
		}
		timer.Reset(next)
		select {
		case <-ctx.Done():
			return nil
		case <-c.wake:
		case <-timer.C:
		}
	}
}
