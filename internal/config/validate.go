package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Validate checks the configuration as a whole. The error is a Problems.
func (c *Config) Validate() error { return c.check().orNil() }

// checker collects problems.
type checker struct{ problems Problems }

func (k *checker) problem(key, format string, args ...any) {
	k.problems = append(k.problems, Problem{Key: key, Text: fmt.Sprintf(format, args...)})
}

func (c *Config) check() Problems {
	k := &checker{}
	c.checkListeners(k)
	c.checkStore(k)
	c.checkTimes(k)

	if !validRegion(c.Region) {
		k.problem("region", "%q is not the name of an AWS Region such as us-east-1", c.Region)
	}
	k.baseURL("public_url", c.PublicURL, false)
	k.baseURL("meta.base_url", c.Meta.BaseURL, true)
	k.baseURL("sns.endpoint", c.SNS.Endpoint, true)
	k.baseURL("eventbridge.endpoint", c.EventBridge.Endpoint, true)
	k.baseURL("connect.endpoint", c.Connect.Endpoint, true)
	k.baseURL("s3.endpoint", c.S3.Endpoint, true)
	k.baseURL("kms.endpoint", c.KMS.Endpoint, true)
	k.baseURL("sqs.endpoint", c.SQS.Endpoint, true)
	k.baseURL("cloudwatch.endpoint", c.CloudWatch.Endpoint, true)

	if strings.Trim(c.Meta.AppID, "0123456789") != "" {
		k.problem("meta.app_id", "%q is not a number", c.Meta.AppID)
	}
	if c.Webhook.ExpectStatusWithin < 0 {
		k.problem("webhook.expect_status_within", "%s is negative", c.Webhook.ExpectStatusWithin)
	}
	if c.Webhook.MaxBody < 1<<10 || c.Webhook.MaxBody > 64<<20 {
		k.problem("webhook.max_body", "%d is outside 1024 to 67108864 bytes", c.Webhook.MaxBody)
	}
	if c.Handover.Concurrency < 1 || c.Handover.Concurrency > 10_000 {
		k.problem("handover.concurrency", "%d is outside 1 to 10000", c.Handover.Concurrency)
	}
	for _, host := range c.Outbound.AllowHosts {
		if !hostOrNetwork(host) {
			k.problem("outbound.allow_hosts", "%q is neither a host nor a network such as 10.1.0.0/16", host)
		}
	}
	for _, pattern := range c.S3.Buckets {
		if _, err := path.Match(pattern, ""); err != nil || strings.Contains(pattern, "/") {
			k.problem("s3.buckets", "%q is not a pattern of bucket names", pattern)
		}
	}
	for _, host := range c.S3.PresignedHosts {
		if _, err := path.Match(host, ""); err != nil || host == "" || strings.ContainsAny(host, "/ @") {
			k.problem("s3.presigned_hosts", "%q is neither a host nor host:port", host)
		}
	}
	if levels := []string{"debug", "info", "warn", "error"}; !slices.Contains(levels, c.Log.Level) {
		k.problem("log.level", "%q is none of %s", c.Log.Level, strings.Join(levels, ", "))
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		k.problem("log.format", "%q is neither text nor json", c.Log.Format)
	}
	if c.BusName() == "" {
		k.problem("eventbridge.bus", "%q is neither the name nor the ARN of an event bus", c.EventBridge.Bus)
	}
	switch host := c.EventBridge.Endpoint; {
	case !sourceName.MatchString(c.EventBridge.Source):
		k.problem("eventbridge.source", "%q is no source: want letters, digits and . - _ /", c.EventBridge.Source)
	case strings.HasPrefix(c.EventBridge.Source, "aws.") && strings.Contains(host, ".amazonaws.com"):
		k.problem("eventbridge.source", "Amazon EventBridge takes no source that begins with aws. from others than AWS: %q", c.EventBridge.Source)
	}
	if c.Templates.Lint != "on" && c.Templates.Lint != "off" {
		k.problem("templates.lint", "%q is neither on nor off", c.Templates.Lint)
	}
	for _, name := range c.limitNames() {
		if rate := c.Limits[name]; rate <= 0 || rate > 1e6 {
			k.problem("limits."+name, "%v is outside 0 to 1000000 requests per second", rate)
		}
	}
	return k.problems
}

// hostOrNetwork reports whether a text is a name, an address or a network; none has a port.
func hostOrNetwork(s string) bool {
	if _, err := netip.ParsePrefix(s); err == nil {
		return true
	}
	if _, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return true
	}
	return s != "" && !strings.ContainsAny(s, "/ @:")
}

// What EventBridge takes as a source, a bus's name, and a bus's ARN.
var (
	sourceName = regexp.MustCompile(`^[\w./-]{1,256}$`)
	busARN     = regexp.MustCompile(`^(?:arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus/)?([\w./-]{1,256})$`)
)

// BusName is the name of the event bus, without the rest of its ARN.
func (c *Config) BusName() string {
	m := busARN.FindStringSubmatch(c.EventBridge.Bus)
	if m == nil {
		return ""
	}
	return m[1]
}

func (c *Config) checkListeners(k *checker) {
	for _, l := range []struct {
		key, addr     string
		optional, tls bool
	}{
		{key: "listen", addr: c.Listen, tls: true},
		{key: "meta_listen", addr: c.MetaListen},
		{key: "ops_listen", addr: c.OpsListen, optional: true},
	} {
		if l.addr == "" && l.optional {
			continue
		}
		_, port, err := net.SplitHostPort(l.addr)
		if _, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil {
			k.problem(l.key, "%q is not an address such as 127.0.0.1:7766", l.addr)
			continue
		}
		switch open := !loopback(l.addr) && !c.AllowPlaintext; {
		case open && !l.tls:
			k.problem(l.key, "%s can be reached from other machines: set allow_plaintext if that is meant", l.addr)
		case open && !c.TLSEnabled():
			k.problem(l.key, "%s can be reached from other machines without TLS: set tls.cert_file and tls.key_file, or allow_plaintext "+
				"behind a proxy that ends TLS", l.addr)
		}
	}
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		k.problem("tls", "cert_file and key_file belong together: one of them is missing")
	}
}

func (c *Config) checkStore(k *checker) {
	if c.Data == "" {
		k.problem("data", "name a directory (--data DIR)")
	}
	switch path, sqlite := strings.CutPrefix(c.Store.URL, sqliteScheme); {
	case c.Store.URL == "" || sqlite && path != "":
	case strings.HasPrefix(c.Store.URL, "postgres://"), strings.HasPrefix(c.Store.URL, "postgresql://"):
		k.problem("store.url", "PostgreSQL is not available in this version: use sqlite:PATH")
	default:
		// The value is not repeated: a database URL may hold a password.
		k.problem("store.url", "want sqlite:PATH")
	}
	switch {
	case c.Store.MaxSize == 0:
	case c.Store.MinFree == 0:
		k.problem("store.max_size", "needs store.min_free: without it nobody looks how much is left")
	case c.Store.MaxSize < 4*c.Store.MinFree:
		k.problem("store.max_size", "%s is less than four times store.min_free, %s", c.Store.MaxSize, c.Store.MinFree)
	}
}

func (c *Config) checkTimes(k *checker) {
	for _, t := range []struct {
		key      string
		value    time.Duration
		min, max time.Duration
	}{
		{"auth.clock_skew", c.Auth.ClockSkew, time.Second, 24 * time.Hour},
		{"meta.timeout", c.Meta.Timeout, 100 * time.Millisecond, 10 * time.Minute},
		{"meta.refresh_interval", c.Meta.RefreshInterval, time.Second, 7 * 24 * time.Hour},
		{"handover.retry_window", c.Handover.RetryWindow, time.Millisecond, 30 * 24 * time.Hour},
		{"handover.backoff_min", c.Handover.BackoffMin, time.Millisecond, 24 * time.Hour},
		{"handover.backoff_max", c.Handover.BackoffMax, time.Millisecond, 24 * time.Hour},
		{"handover.in_doubt_wait", c.Handover.InDoubtWait, 0, 24 * time.Hour},
		{"retention.messages", c.Retention.Messages, 24 * time.Hour, 100 * 365 * 24 * time.Hour},
		{"retention.events", c.Retention.Events, time.Hour, 100 * 365 * 24 * time.Hour},
		{"retention.unclaimed", c.Retention.Unclaimed, time.Hour, 100 * 365 * 24 * time.Hour},
		{"delivery.retry_window", c.Delivery.RetryWindow, time.Millisecond, 30 * 24 * time.Hour},
		{"delivery.disable_after", c.Delivery.DisableAfter, 0, 100 * 365 * 24 * time.Hour},
		{"topics.retry_window", c.Topics.RetryWindow, time.Millisecond, 30 * 24 * time.Hour},
	} {
		if t.value < t.min || t.value > t.max {
			k.problem(t.key, "%s is outside %s to %s", formatDuration(t.value), formatDuration(t.min), formatDuration(t.max))
		}
	}
}

// baseURL checks that a URL can have paths put behind it. Empty is always allowed.
func (k *checker) baseURL(key, raw string, path bool) {
	if raw == "" {
		return
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		k.problem(key, "want a URL such as https://example.com")
	case u.User != nil:
		k.problem(key, "a URL with a user name or password is not taken")
	case u.RawQuery != "" || u.Fragment != "":
		k.problem(key, "%s://%s: a query or fragment makes no sense here", u.Scheme, u.Host)
	case !path && strings.Trim(u.Path, "/") != "":
		k.problem(key, "%q: a path makes no sense here", raw)
	}
}

// validRegion accepts what ARNs and credential scopes can carry: lower-case words, joined by hyphens, then a number.
func validRegion(s string) bool {
	parts := strings.Split(s, "-")
	if len(parts) < 3 || len(s) > 32 {
		return false
	}
	for i, p := range parts {
		letters := strings.Trim(p, "abcdefghijklmnopqrstuvwxyz") == ""
		digits := strings.Trim(p, "0123456789") == ""
		if p == "" || i < len(parts)-1 && !letters || i == len(parts)-1 && !digits {
			return false
		}
	}
	return true
}

// Warnings tells what is allowed but probably not meant. Each is one line.
func (c *Config) Warnings() []string {
	var list []string
	for key, value := range c.reserved() {
		if value != "" {
			list = append(list, key+": without effect in this version")
		}
	}
	slices.Sort(list)
	if c.Meta.AppSecret == "" {
		list = append(list, "meta.app_secret: empty, so every callback of Meta will be refused")
	}
	if c.Meta.VerifyToken == "" {
		list = append(list, "meta.verify_token: empty, so Meta cannot set up the callback URL")
	}
	return list
}

// reserved returns the settings that are accepted now so that files stay valid, but read by a later version only.
func (c *Config) reserved() map[string]string {
	return map[string]string{
		"cloudwatch.endpoint": c.CloudWatch.Endpoint,
	}
}
