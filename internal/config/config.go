// Package config holds every setting in one struct.
//
// A Config starts from Default or Dev, is overlaid by a YAML file and by key=value overrides, and is then validated as a whole,
// so that all problems are told at once. The comments of the fields below are the reference: docs/config.md and the output of
// `waxwing config defaults` are generated from them. A setting that nothing reads does not belong here.
package config

import (
	"time"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Config is the whole configuration. Its zero value is not usable; start from Default or Dev.
type Config struct {
	// Address (host:port) of the AWS API, Meta's callbacks (`/webhooks/meta`), `/healthz` and `/readyz`. Port 0 picks a free one.
	Listen string `yaml:"listen"`
	// Address of the simulated WhatsApp that `waxwing dev` starts. `waxwing serve` starts none.
	MetaListen string `yaml:"meta_listen"`
	// Address of `/metrics` and pprof. They have neither authentication nor TLS: keep it private. Empty switches them off.
	OpsListen string `yaml:"ops_listen"`
	// Directory of everything that is kept: the database and the encryption key, unless they are placed elsewhere. A relative
	// path starts where the command is run, not at the file with the settings.
	Data string `yaml:"data"`
	// AWS Region this installation answers for. It is part of every ARN and of the scope of every signature.
	Region string `yaml:"region"`
	// URL under which others reach `listen`, without a path. Links in SNS messages (SigningCertURL, SubscribeURL) start with it, and
	// Meta sends the callbacks of business accounts there that are linked while it is set, whatever the app's own address is.
	// Empty: made from `listen`.
	PublicURL string `yaml:"public_url"`
	// Allows plain HTTP on addresses other than loopback, for installations behind a proxy that ends TLS.
	AllowPlaintext bool `yaml:"allow_plaintext"`

	TLS         TLS         `yaml:"tls"`
	Store       Store       `yaml:"store"`
	Secrets     Secrets     `yaml:"secrets"`
	Auth        Auth        `yaml:"auth"`
	Meta        Meta        `yaml:"meta"`
	Webhook     Webhook     `yaml:"webhook"`
	Handover    Handover    `yaml:"handover"`
	Templates   Templates   `yaml:"templates"`
	Delivery    Delivery    `yaml:"delivery"`
	Topics      Topics      `yaml:"topics"`
	Retention   Retention   `yaml:"retention"`
	SNS         SNS         `yaml:"sns"`
	EventBridge EventBridge `yaml:"eventbridge"`
	Connect     Connect     `yaml:"connect"`
	S3          S3          `yaml:"s3"`
	KMS         KMS         `yaml:"kms"`
	SQS         SQS         `yaml:"sqs"`
	CloudWatch  CloudWatch  `yaml:"cloudwatch"`
	Outbound    Outbound    `yaml:"outbound"`
	Log         Log         `yaml:"log"`

	// Requests per second that one account may make of an operation, by the operation's name, for example
	// `limits.SendWhatsAppMessage: 2000`. Operations that are not named keep the quota AWS publishes.
	Limits map[string]float64 `yaml:"limits"`
}

// TLS of the listen address. Both files or neither.
type TLS struct {
	// PEM file with the certificate and its chain.
	CertFile string `yaml:"cert_file"`
	// PEM file with the certificate's private key.
	KeyFile string `yaml:"key_file"`
}

// Store says where data is kept.
type Store struct {
	// Database: `sqlite:PATH`. Empty: `waxwing.db` in `data`. `postgres://…` is reserved for many nodes and refused by this
	// version.
	URL string `yaml:"url"`
	// Room on the file system of the database, or up to `max_size`, that has to be left for new work: with less, sending is
	// refused with 503 until there is more, and what was accepted before goes on. With less than a quarter of it nothing more is
	// handed over, and callbacks are refused, which Meta repeats; the rest is for recording what is under way. 0 never looks.
	MinFree Size `yaml:"min_free"`
	// Largest size of the database file; 0 leaves it to the disk. A log of up to 64 MiB beside it comes on top.
	MaxSize Size `yaml:"max_size"`
}

// Secrets says how stored secrets and message bodies are encrypted.
type Secrets struct {
	// File with the encryption keys, readable by its owner only; created at the first start. Without it the stored data cannot be
	// read: back it up, apart from the database. Empty: `waxwing.key` beside the database file.
	KeyFile string `yaml:"key_file"`
}

// Auth governs the check of request signatures.
type Auth struct {
	// How far the time of a request's signature may be from ours.
	ClockSkew time.Duration `yaml:"clock_skew"`
}

// Meta is the WhatsApp Cloud API upstream.
type Meta struct {
	// Base URL of the Graph API or a server compatible with it. Empty: `https://graph.facebook.com`; under `waxwing dev` the
	// simulated WhatsApp, which is not started when another URL is given.
	BaseURL string `yaml:"base_url"`
	// Id of the Meta app that WhatsApp Business Accounts are connected with.
	AppID string `yaml:"app_id"`
	// Secret of the Meta app. It proves that callbacks come from Meta; without it every callback is refused.
	AppSecret identity.Secret `yaml:"app_secret"`
	// Token that Meta repeats when the callback URL is set up. Without it the set-up is refused.
	VerifyToken identity.Secret `yaml:"verify_token"`
	// How long one request to the Graph API may take.
	Timeout time.Duration `yaml:"timeout"`
	// How often Meta is asked about each business account and its numbers (status, quality, limits, names); also asked when a
	// callback says that something changed.
	RefreshInterval time.Duration `yaml:"refresh_interval"`
}

// Webhook governs Meta's callbacks.
type Webhook struct {
	// Largest callback that is taken, in bytes. Meta sends at most 3 MB.
	MaxBody int64 `yaml:"max_body"`
	// How long after WhatsApp took a message its first status may take to come. Then an alert says that callbacks may be missing: once
	// for each number, again when it has become ten times as many messages, and when it is over. 0 switches it off.
	ExpectStatusWithin time.Duration `yaml:"expect_status_within"`
}

// Handover governs how accepted messages are handed to WhatsApp.
type Handover struct {
	// How long after its acceptance a message is still tried; then it is dropped and an event says so.
	RetryWindow time.Duration `yaml:"retry_window"`
	// Pause after the first transient failure; it doubles with every further one, with jitter.
	BackoffMin time.Duration `yaml:"backoff_min"`
	// Longest pause between two attempts, also where `backoff_min` is longer.
	BackoffMax time.Duration `yaml:"backoff_max"`
	// How long to wait for a status that proves a message was sent when an attempt ended without an answer, before it is tried
	// again.
	InDoubtWait time.Duration `yaml:"in_doubt_wait"`
	// Requests to the Graph API in flight at once, over all phone numbers.
	Concurrency int `yaml:"concurrency"`
	// Refuses a message other than a template before it is accepted if, as far as is known here, the customer has not written to the
	// number within 24 hours: WhatsApp would report that it failed (131047). AWS accepts such messages, so does this by default. Only
	// for senders that address customers by the number WhatsApp knows them under; messages for later are not checked.
	CheckWindow bool `yaml:"check_window"`
}

// Templates governs message templates.
type Templates struct {
	// `on` refuses definitions that Meta would certainly refuse before Meta is asked, with everything that is wrong; `off` leaves
	// that to Meta.
	Lint string `yaml:"lint"`
	// Compares each template message with its template before it is accepted, and refuses what WhatsApp would refuse later. While
	// Meta cannot be asked for the templates, messages are accepted unchecked.
	CheckSends bool `yaml:"check_sends"`
}

// Delivery governs how events are published to their destinations.
type Delivery struct {
	// How old an event gets while its destination does not take it; then it becomes a dead letter.
	RetryWindow time.Duration `yaml:"retry_window"`
	// How long an additional event destination may take nothing before it is disabled, which an alert tells; 0 never disables one.
	DisableAfter time.Duration `yaml:"disable_after"`
}

// Topics are the built-in publish/subscribe topics.
type Topics struct {
	// How long a message is retried at a subscriber that does not take it; then it becomes a dead letter.
	RetryWindow time.Duration `yaml:"retry_window"`
}

// Retention says how long data is kept that nothing waits for any more.
type Retention struct {
	// Messages and what became of them, after they were accepted. Messages still to be handed over stay longer.
	Messages time.Duration `yaml:"messages"`
	// Published events, dead letters, and what makes repeated callbacks recognisable: Meta repeats its callbacks for up to 7 days.
	Events time.Duration `yaml:"events"`
	// Callbacks that belonged to nobody here.
	Unclaimed time.Duration `yaml:"unclaimed"`
}

// SNS is the service behind event destinations that are topics.
type SNS struct {
	// Endpoint of Amazon SNS or a compatible service, called with the AWS credentials of the process. Empty: the built-in topics.
	Endpoint string `yaml:"endpoint"`
}

// EventBridge is the service behind the event bus that gets all events, beside the event destinations of business accounts.
type EventBridge struct {
	// Endpoint of Amazon EventBridge or a compatible service, called with the AWS credentials of the process: all events of all
	// accounts are put on `bus` there. Empty: the built-in event bus, for the events of accounts that have a rule on it.
	Endpoint string `yaml:"endpoint"`
	// Name or ARN of the event bus at `endpoint`.
	Bus string `yaml:"bus"`
	// Source of the events at `endpoint`. Amazon EventBridge takes none from others that begins with `aws.`, as
	// `aws.social-messaging`, which AWS's own events and those on the built-in bus have, does.
	Source string `yaml:"source"`
}

// Connect is the service behind event destinations that are instances of Amazon Connect.
type Connect struct {
	// Endpoint of Amazon Connect or a service that speaks its API, called with the AWS credentials of the process. Empty: instances
	// can be event destinations, but get nothing.
	Endpoint string `yaml:"endpoint"`
}

// S3 is where media come from and go to.
type S3 struct {
	// Endpoint of Amazon S3 or a compatible object store, called with the AWS credentials of the process. Empty: the built-in
	// buckets, which keep their objects in `data` and answer S3 requests at `listen`.
	Endpoint string `yaml:"endpoint"`
	// Puts the bucket into the path of requests to `endpoint`, as most compatible stores want it, not into the host's name.
	PathStyle bool `yaml:"path_style"`
	// Buckets at `endpoint` that may be used: patterns in which `*` stands for anything and `{account}` for the account's id, for
	// example `{account}-*`. Empty: all that the credentials reach, for every account.
	Buckets []string `yaml:"buckets"`
	// Hosts that presigned URLs may lead to, beside Amazon S3, `endpoint` and the built-in buckets: `host` or `host:port`, in which
	// `*` stands for anything but a dot. Private addresses also need `outbound.allow_hosts`.
	PresignedHosts []string `yaml:"presigned_hosts"`
}

// KMS is where the public keys of Flow endpoints can come from.
type KMS struct {
	// Endpoint of AWS KMS, for example `https://kms.us-east-1.amazonaws.com`, or of a compatible service, called with the AWS
	// credentials of the process, which need `kms:GetPublicKey`. Empty: `kmsKeyArn` is refused, and keys have to be given in PEM.
	Endpoint string `yaml:"endpoint"`
}

// SQS is the service behind event destinations and subscribers of the built-in topics that are queues.
type SQS struct {
	// Endpoint of Amazon SQS or a compatible service in `region`, for example `https://sqs.us-east-1.amazonaws.com`, called with the AWS
	// credentials of the process. Empty: queues get neither events nor what is published to the built-in topics.
	Endpoint string `yaml:"endpoint"`
}

// CloudWatch is reserved for metrics in CloudWatch.
type CloudWatch struct {
	// Endpoint of Amazon CloudWatch or a compatible service. Reserved: without effect in this version.
	Endpoint string `yaml:"endpoint"`
}

// Outbound guards connections to URLs that callers choose, such as subscriptions.
type Outbound struct {
	// Allows connections to loopback, private and link-local addresses.
	AllowPrivate bool `yaml:"allow_private"`
	// Hosts, addresses or networks (`10.1.0.0/16`) that may be reached although they are private.
	AllowHosts []string `yaml:"allow_hosts"`
}

// Log is what is written to standard error. It never holds message text, tokens or full phone numbers.
type Log struct {
	// Least severe level that is written: `debug`, `info`, `warn` or `error`.
	Level string `yaml:"level"`
	// `text` or `json`.
	Format string `yaml:"format"`
}

// MetaURL is the Graph API itself, used when Meta.BaseURL is empty.
const MetaURL = "https://graph.facebook.com"

// Default returns the settings of `waxwing serve` before the file is read. They validate, and hold no secret.
func Default() Config {
	return Config{
		Listen:     "127.0.0.1:7766",
		MetaListen: "127.0.0.1:7767",
		OpsListen:  "127.0.0.1:7768",
		Data:       "/var/lib/waxwing",
		Region:     "us-east-1",
		Auth:       Auth{ClockSkew: 5 * time.Minute},
		Meta:       Meta{Timeout: 30 * time.Second, RefreshInterval: time.Hour},
		Webhook:    Webhook{MaxBody: 3 << 20, ExpectStatusWithin: 15 * time.Minute},
		Handover: Handover{
			RetryWindow: 180 * time.Minute,
			BackoffMin:  time.Second,
			BackoffMax:  5 * time.Minute,
			InDoubtWait: 15 * time.Second,
			Concurrency: 128,
		},
		EventBridge: EventBridge{Bus: "default", Source: "waxwing.social-messaging"},
		Store:       Store{MinFree: 64 << 20},
		S3:          S3{PathStyle: true},
		Templates:   Templates{Lint: "on"},
		Delivery:    Delivery{RetryWindow: 72 * time.Hour, DisableAfter: 120 * time.Hour},
		Topics:      Topics{RetryWindow: 6 * time.Hour},
		Retention:   Retention{Messages: 90 * 24 * time.Hour, Events: 7 * 24 * time.Hour, Unclaimed: 30 * 24 * time.Hour},
		Log:         Log{Level: "info", Format: "json"},
		Limits:      map[string]float64{},
	}
}
