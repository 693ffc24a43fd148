package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

func TestDefaultAndDevValidate(t *testing.T) {
	t.Parallel()
	def, dev := Default(), Dev(t.TempDir())
	for name, c := range map[string]Config{"default": def, "dev": dev} {
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if def.Meta.AppSecret != "" || def.Meta.VerifyToken != "" {
		t.Error("the defaults hold a secret")
	}
}

// The keys and defaults that scripts depend on.
func TestStableKeys(t *testing.T) {
	t.Parallel()
	c := Default()
	for _, tc := range []struct {
		key, value string
		got        func() any
		want       any
	}{
		{"handover.retry_window", "2s", func() any { return c.Handover.RetryWindow }, 2 * time.Second},
		{"handover.backoff_min", "10ms", func() any { return c.Handover.BackoffMin }, 10 * time.Millisecond},
		{"handover.backoff_max", "1m", func() any { return c.Handover.BackoffMax }, time.Minute},
		{"handover.in_doubt_wait", "0s", func() any { return c.Handover.InDoubtWait }, time.Duration(0)},
		{"meta.base_url", "http://127.0.0.1:7767", func() any { return c.Meta.BaseURL }, "http://127.0.0.1:7767"},
		{"sns.endpoint", "http://127.0.0.1:4566", func() any { return c.SNS.Endpoint }, "http://127.0.0.1:4566"},
		{"eventbridge.endpoint", "http://e", func() any { return c.EventBridge.Endpoint }, "http://e"},
		{"eventbridge.bus", "b", func() any { return c.EventBridge.Bus }, "b"},
		{"connect.endpoint", "http://c", func() any { return c.Connect.Endpoint }, "http://c"},
		{"s3.endpoint", "http://s", func() any { return c.S3.Endpoint }, "http://s"},
		{"kms.endpoint", "http://k", func() any { return c.KMS.Endpoint }, "http://k"},
		{"sqs.endpoint", "http://q", func() any { return c.SQS.Endpoint }, "http://q"},
		{"cloudwatch.endpoint", "http://w", func() any { return c.CloudWatch.Endpoint }, "http://w"},
		{"limits.SendWhatsAppMessage", "2500.5", func() any { return c.Limits["SendWhatsAppMessage"] }, 2500.5},
		{"store.url", "sqlite:/tmp/x.db", func() any { return c.SQLitePath() }, "/tmp/x.db"},
		{"store.min_free", "128KiB", func() any { return c.Store.MinFree }, Size(128 << 10)},
		{"store.max_size", "20 GiB", func() any { return c.Store.MaxSize }, Size(20 << 30)},
		{"store.max_size", "1048577", func() any { return c.Store.MaxSize }, Size(1<<20 + 1)},
		{"outbound.allow_hosts", "a.example, b.example", func() any { return c.Outbound.AllowHosts }, []string{"a.example", "b.example"}},
		{"allow_plaintext", "true", func() any { return c.AllowPlaintext }, true},
		{"handover.concurrency", "7", func() any { return c.Handover.Concurrency }, 7},
		{"meta.app_secret", "x", func() any { return c.Meta.AppSecret.Reveal() }, "x"},
	} {
		if err := c.Set(tc.key, tc.value); err != nil {
			t.Errorf("Set(%q, %q): %v", tc.key, tc.value, err)
		} else if diff := cmp.Diff(tc.want, tc.got()); diff != "" {
			t.Errorf("Set(%q, %q) (-want +got):\n%s", tc.key, tc.value, diff)
		}
	}
	if err := c.Validate(); err != nil {
		t.Errorf("Validate: %v", err)
	}
	if got := Default().Handover.RetryWindow; got != 180*time.Minute {
		t.Errorf("default retry window: %v, want 180m", got)
	}
}

func TestSetRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, key, value, want string }{
		{"typo", "handover.retry_windw", "1s", "handover.retry_windw: unknown setting (did you mean handover.retry_window?)"},
		{"nothing near", "zzz", "1", "zzz: unknown setting"},
		{"section", "handover", "1", "handover: unknown setting"},
		{"map without entry", "limits", "1", "limits: unknown setting (name an operation, as in limits.SendWhatsAppMessage)"},
		{"map with empty entry", "limits.", "1", "limits.: unknown setting"},
		{"duration without unit", "meta.timeout", "30", `meta.timeout: "30" is not a duration such as 90s or 3h`},
		{"bool", "allow_plaintext", "si", `allow_plaintext: "si" is neither true nor false`},
		{"size", "store.min_free", "64 MB", `store.min_free: "64 MB" is not a size such as 64MiB or 20GiB`},
		{"negative size", "store.min_free", "-1", `store.min_free: "-1" is not a size`},
		{"size out of range", "store.min_free", "9999999TiB", `store.min_free: "9999999TiB" is not a size`},
		{"number", "handover.concurrency", "1.5", `handover.concurrency: "1.5" is not a whole number`},
		{"rate", "limits.X", "fast", `limits.X: "fast" is not a number`},
		{"rate not finite", "limits.X", "NaN", `limits.X: "NaN" is not a number`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := Default()
			err := c.Set(tc.key, tc.value)
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Fatalf("got %v, want %s", err, tc.want)
			}
			if diff := cmp.Diff(Default(), c); diff != "" {
				t.Errorf("a refused value changed something:\n%s", diff)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	path := write(t, `
# production
listen: 0.0.0.0:443
tls:
  cert_file: /etc/cert.pem
  key_file: /etc/key.pem
region: eu-central-1
meta: &m
  app_id: 12345
  app_secret: "s3cret"
  timeout:
limits:
  SendWhatsAppMessage: 80
outbound:
  allow_hosts: [hooks.internal, 10.0.0.7]
handover:
`)
	got, err := Load(path, []string{"region=eu-west-1", "limits.TagResource=5", "meta.app_secret=over=ridden"})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Listen = "0.0.0.0:443"
	want.TLS = TLS{CertFile: "/etc/cert.pem", KeyFile: "/etc/key.pem"}
	want.Region = "eu-west-1"
	want.Meta.AppID, want.Meta.AppSecret = "12345", "over=ridden"
	want.Limits = map[string]float64{"SendWhatsAppMessage": 80, "TagResource": 5}
	want.Outbound.AllowHosts = []string{"hooks.internal", "10.0.0.7"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadReportsEverything(t *testing.T) {
	t.Parallel()
	path := write(t, `listne: 127.0.0.1:1
region: Mars
handover:
  retry_window: soon
  backoff_max: 0s
meta:
  app_secret: [a, b]
  base_url: ftp://example.com
listen: 0.0.0.0:80
region: eu-west-1
store: here
log.level: debug
`)
	_, err := Load(path, []string{"region=Mars-1", "nonsense", "ops_listen=nowhere"})
	if err == nil {
		t.Fatal("no error")
	}
	got := strings.ReplaceAll(err.Error(), path, "FILE")
	want := `FILE:1: listne: unknown setting (did you mean listen?)
FILE:4: handover.retry_window: "soon" is not a duration such as 90s or 3h
FILE:7: meta.app_secret: want one value
FILE:10: region: set twice
FILE:11: store: want settings of the form key: value
--set nonsense: want key=value
FILE:9: listen: 0.0.0.0:80 can be reached from other machines without TLS: set tls.cert_file and tls.key_file, or allow_plaintext behind a proxy that ends TLS
ops_listen: "nowhere" is not an address such as 127.0.0.1:7766
FILE:5: handover.backoff_max: 0s is outside 1ms to 24h
region: "Mars-1" is not the name of an AWS Region such as us-east-1
FILE:8: meta.base_url: want a URL such as https://example.com`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadGivesUpOnNonsense(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&b, "k%d: 1\n", i)
	}
	_, err := Load(write(t, b.String()), nil)
	if problems, ok := errors.AsType[Problems](err); !ok || len(problems) != maxProblems {
		t.Errorf("got %d problems, want %d", len(problems), maxProblems)
	}
}

func TestLoadRefusesFile(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing.yaml")
	for _, tc := range []struct{ name, path, want string }{
		{"missing", missing, "no such file"},
		{"not YAML", write(t, "a: [\n"), "line 1"},
		{"a list", write(t, "- a\n"), "want settings of the form key: value"},
		{"too large", write(t, "# "+strings.Repeat("x", maxFile)), "larger than"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Load(tc.path, nil); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, want string
		sets       []string
	}{
		{"postgres is told apart", "store.url: PostgreSQL is not available in this version: use sqlite:PATH", []string{"store.url=postgres://u:p@h/d"}},
		{"store scheme", "store.url: want sqlite:PATH", []string{"store.url=mysql://u:p@h/d"}},
		{"sqlite without path", "store.url: want sqlite:PATH", []string{"store.url=sqlite:"}},
		{"data", "data: name a directory", []string{"data="}},
		{"bound without a reserve", "store.max_size: needs store.min_free", []string{"store.max_size=1GiB", "store.min_free=0"}},
		{"bound below the reserve", "store.max_size: 100MiB is less than four times store.min_free, 64MiB", []string{"store.max_size=100MiB"}},
		{"all interfaces", "listen: :7766 can be reached", []string{"listen=:7766"}},
		{"unknown host name", "listen: box:7766 can be reached", []string{"listen=box:7766"}},
		{"simulator has no TLS", "meta_listen: 0.0.0.0:1 can be reached", []string{"meta_listen=0.0.0.0:1", "tls.cert_file=a", "tls.key_file=b"}},
		{"port range", `listen: "127.0.0.1:70000" is not an address`, []string{"listen=127.0.0.1:70000"}},
		{"half of TLS", "tls: cert_file and key_file belong together", []string{"tls.cert_file=a"}},
		{"credentials in a URL", "sns.endpoint: a URL with a user name or password is not taken", []string{"sns.endpoint=http://u:p@h"}},
		{"query in a URL", "public_url: https://h: a query", []string{"public_url=https://h/?x=secret"}},
		{"path in the public URL", `public_url: "https://h/x": a path`, []string{"public_url=https://h/x"}},
		{"app id", `meta.app_id: "abc" is not a number`, []string{"meta.app_id=abc"}},
		{"negative patience", "webhook.expect_status_within: -1s is negative", []string{"webhook.expect_status_within=-1s"}},
		{"body limit", "webhook.max_body: 1 is outside", []string{"webhook.max_body=1"}},
		{"concurrency", "handover.concurrency: 0 is outside", []string{"handover.concurrency=0"}},
		{"host list", `outbound.allow_hosts: "http://x" is neither a host nor a network`, []string{"outbound.allow_hosts=http://x"}},
		{"bucket", `s3.buckets: "a/b" is not a pattern`, []string{"s3.buckets=a/b"}},
		{"bucket pattern", `s3.buckets: "[" is not a pattern`, []string{"s3.buckets=["}},
		{"presigned host", `s3.presigned_hosts: "https://x" is neither`, []string{"s3.presigned_hosts=https://x"}},
		{"bus", `eventbridge.bus: "arn:aws:events:x" is neither`, []string{"eventbridge.bus=arn:aws:events:x"}},
		{"no bus", `eventbridge.bus: "" is neither`, []string{"eventbridge.bus="}},
		{"source", `eventbridge.source: "a b" is no source`, []string{"eventbridge.source=a b"}},
		{"source of AWS's", "eventbridge.source: Amazon EventBridge takes no source", []string{"eventbridge.source=aws.social-messaging",
			"eventbridge.endpoint=https://events.eu-west-1.amazonaws.com"}},
		{"level", `log.level: "loud" is none of debug, info, warn, error`, []string{"log.level=loud"}},
		{"format", "log.format:", []string{"log.format=xml"}},
		{"rate", "limits.X: 0 is outside", []string{"limits.X=0"}},
		{"time", "meta.timeout: 1ms is outside 100ms to 10m", []string{"meta.timeout=1ms"}},
		{"events are given up at once", "delivery.retry_window: 0s is outside 1ms to 720h", []string{"delivery.retry_window=0"}},
		{"negative patience", "delivery.disable_after: -1h is outside", []string{"delivery.disable_after=-1h"}},
		{"host with a port", `outbound.allow_hosts: "127.0.0.1:80"`, []string{"outbound.allow_hosts=127.0.0.1:80"}},
		{"name with a port", `outbound.allow_hosts: "crm:8080"`, []string{"outbound.allow_hosts=crm:8080"}},
		{"negative time", "handover.in_doubt_wait: -1s is outside", []string{"handover.in_doubt_wait=-1s"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := Default()
			err := c.Override(tc.sets)
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), ":p@") {
				t.Errorf("the error shows a password: %v", err)
			}
		})
	}
	for _, sets := range [][]string{
		{"listen=0.0.0.0:1", "allow_plaintext=true"}, {"listen=[::1]:0"}, {"listen=localhost:80"}, {"ops_listen="},
		{"region=us-gov-west-1"}, {"meta.base_url=https://proxy/graph/"}, {"listen=:443", "tls.cert_file=a", "tls.key_file=b"},
		{"s3.buckets={account}-*,media", "s3.presigned_hosts=minio:9000,*.example", "s3.path_style=false"},
		{"outbound.allow_hosts=10.1.0.0/16,hooks.internal,fd00::1"}, {"eventbridge.source=aws.social-messaging", "eventbridge.endpoint=http://127.0.0.1:4566"},
		{"eventbridge.bus=arn:aws:events:eu-west-1:111122223333:event-bus/orders/eu", "eventbridge.endpoint=https://events.eu-west-1.amazonaws.com"},
	} {
		c := Default()
		if err := c.Override(sets); err != nil {
			t.Errorf("%v: %v", sets, err)
		}
	}
}

func TestDerived(t *testing.T) {
	t.Parallel()
	c := Default()
	c.Data = "/d"
	if got, want := [2]string{c.SQLitePath(), c.KeyPath()}, [2]string{"/d/waxwing.db", "/d/waxwing.key"}; got != want {
		t.Errorf("paths %v, want %v", got, want)
	}
	c.Store.URL = "sqlite:/e/other.db"
	if got, want := c.KeyPath(), "/e/waxwing.key"; got != want {
		t.Errorf("key path %s, want it beside the database, %s", got, want)
	}
	c.Secrets.KeyFile = "/k"
	if got := c.KeyPath(); got != "/k" {
		t.Errorf("key path %s, want /k", got)
	}
	for addr, want := range map[string]string{
		"127.0.0.1:7766": "http://127.0.0.1:7766", "[::]:80": "http://127.0.0.1:80", "0.0.0.0:80": "http://127.0.0.1:80",
		"[::1]:80": "http://[::1]:80", ":80": "http://127.0.0.1:80",
	} {
		if got := c.BaseURL(addr); got != want {
			t.Errorf("BaseURL(%q) = %s, want %s", addr, got, want)
		}
	}
	c.TLS.CertFile = "cert"
	if got := c.BaseURL("h:1"); got != "https://h:1" {
		t.Errorf("with TLS: %s", got)
	}
	c.PublicURL = "https://api.example.com/"
	if got := c.BaseURL("h:1"); got != "https://api.example.com" {
		t.Errorf("with public_url: %s", got)
	}
	if got := c.GraphURL(); got != "https://graph.facebook.com" {
		t.Errorf("GraphURL %s", got)
	}
	c.Meta.BaseURL = "http://x/graph/"
	if got := c.GraphURL(); got != "http://x/graph" {
		t.Errorf("GraphURL %s", got)
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	c := Dev("/d")
	if got := c.Warnings(); len(got) != 0 {
		t.Errorf("dev warns: %v", got)
	}
	c.CloudWatch.Endpoint, c.Meta.AppSecret, c.Meta.VerifyToken = "http://s", "", ""
	want := []string{"cloudwatch.endpoint: without effect in this version", "meta.app_secret: empty, so every callback of Meta will be refused",
		"meta.verify_token: empty, so Meta cannot set up the callback URL"}
	if diff := cmp.Diff(want, c.Warnings()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDevDataDir(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", "/x")
	if got := DevDataDir(); got != "/x/waxwing" {
		t.Errorf("got %s", got)
	}
	t.Setenv("XDG_DATA_HOME", "relative is ignored, says the specification")
	t.Setenv("HOME", "/h")
	if got := DevDataDir(); !strings.HasPrefix(got, "/h/") {
		t.Errorf("got %s", got)
	}
	t.Setenv("XDG_DATA_HOME", "")
	t.Setenv("HOME", "")
	if got := DevDataDir(); got != "" {
		t.Errorf("without a home: %s", got)
	}
}

func TestYAML(t *testing.T) {
	t.Parallel()
	c := Dev("/tmp/with space, and: colon")
	c.Limits = map[string]float64{"B": 2, "A": 0.5, "yes": 1}
	c.Outbound.AllowHosts = []string{"a.example", "true", "x,y"}
	c.S3.Buckets, c.S3.PresignedHosts = []string{"{account}-*"}, []string{"*.example:9000"}
	c.SNS.Endpoint = "http://h:1"
	for _, comments := range []bool{false, true} {
		out := c.YAML(comments)
		for _, secret := range []identity.Secret{c.Meta.AppSecret, c.Meta.VerifyToken} {
			if strings.Contains(out, secret.Reveal()) {
				t.Fatalf("a secret is printed:\n%s", out)
			}
		}
		// What was printed is read back as it was, but for the secrets.
		back := Default()
		if problems := back.parse([]byte(out), map[string]int{}); problems != nil {
			t.Fatalf("%v\n%s", problems, out)
		}
		want := c
		want.Meta.AppSecret, want.Meta.VerifyToken = "[secret]", "[secret]"
		if diff := cmp.Diff(reveal(want), reveal(back)); diff != "" {
			t.Errorf("(-want +got):\n%s\n%s", diff, out)
		}
		if got := strings.Contains(out, "# "); got != comments {
			t.Errorf("comments: %v, want %v", got, comments)
		}
	}
}

// reveal makes secrets comparable in a diff.
func reveal(c Config) [3]any {
	return [3]any{c, c.Meta.AppSecret.Reveal(), c.Meta.VerifyToken.Reveal()}
}

func TestPrintingMasksSecrets(t *testing.T) {
	t.Parallel()
	c := Default()
	c.Meta.AppSecret = "hunter2"
	for _, out := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), fmt.Sprintf("%v", &c)} {
		if strings.Contains(out, "hunter2") {
			t.Errorf("printed: %s", out)
		}
	}
}

func TestEveryFieldIsDocumented(t *testing.T) {
	t.Parallel()
	docs := fieldDocs()
	c := Default()
	for _, s := range c.settings() {
		if docs[s.path] == "" {
			t.Errorf("%s has no comment", s.path)
		}
		if s.key == "" || strings.HasSuffix(s.key, ".") || strings.ToLower(s.key) != s.key {
			t.Errorf("%s has the key %q", s.path, s.key)
		}
	}
}

// With UPDATE set in the environment the file is written instead.
func TestMarkdownIsCurrent(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "config.md")
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(Markdown()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), Markdown()); diff != "" {
		t.Errorf("docs/config.md is out of date; run `make generate` (-have +want):\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	def := Default()
	f.Add(def.YAML(true))
	f.Add("a: &a [*a]\nlisten: *a\n")
	f.Add("handover: &h\n  <<: *h\n")
	f.Add("limits: {X: .inf, Y: 1e999}\n")
	f.Add("? {a: b}\n: c\n")
	f.Fuzz(func(t *testing.T, text string) {
		c := Default()
		lines := map[string]int{}
		problems := c.parse([]byte(text), lines)
		problems = append(problems, c.check()...)
		_ = problems.Error()
		if len(problems) > 0 {
			return
		}
		// A configuration without problems survives being printed and read again.
		c.Meta.AppSecret, c.Meta.VerifyToken = "", ""
		back := Default()
		if again := back.parse([]byte(c.YAML(false)), lines); again != nil {
			t.Fatalf("printed configuration is refused: %v\n%s", again, c.YAML(false))
		}
		if diff := cmp.Diff(c.YAML(false), back.YAML(false)); diff != "" {
			t.Errorf("printed and read again (-want +got):\n%s", diff)
		}
	})
}

func FuzzSet(f *testing.F) {
	c := Default()
	for _, s := range c.settings() {
		f.Add(s.key, "1s")
	}
	f.Add("limits.X", "1e3")
	f.Fuzz(func(t *testing.T, key, value string) {
		c := Default()
		if err := c.Set(key, value); err != nil {
			if !strings.HasPrefix(err.Error(), key) {
				t.Errorf("the error does not name the key: %v", err)
			}
			return
		}
		_ = c.check().Error()
		_ = c.YAML(true)
	})
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "waxwing.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
