package bench

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

const sendHelp = `
Calls SendWhatsAppMessage over and over, with a signature of its own for every request, and prints how many messages a second were
accepted, how long that took, and the codes of refusals. Without --endpoint and AWS_ENDPOINT_URL it starts a node for the time of the
measurement. With --baseline it goes back and forth between the service and a process whose handler does nothing, and prints the ratio,
which is the figure to compare between machines.

Credentials are those of the environment, else of ` + "`waxwing dev`" + `. A service with the usual quota accepts 1,000 messages a second.
`

// sendOptions are the flags of bench send.
type sendOptions struct {
	target      Target
	phone       string
	connections int
	duration    time.Duration
	rate        float64
	size        int
	message     string
	baseline    bool
	own         ownNode
}

// maxConnections keeps a typing mistake from using up the machine's ports.
const maxConnections = 10_000

func (o *sendOptions) declare(flags *flag.FlagSet) {
	flags.StringVar(&o.target.Endpoint, "endpoint", "", "`URL` of the service (default AWS_ENDPOINT_URL, else a node of our own)")
	flags.StringVar(&o.phone, "phone-number-id", phoneNumberID(1), "`id` or ARN of the number to send from")
	flags.IntVar(&o.connections, "connections", 128, "`count` of connections that are kept busy")
	flags.DurationVar(&o.duration, "duration", 10*time.Second, "`time` to measure for")
	flags.Float64Var(&o.rate, "rate", 0, "`requests` a second; 0 sends the next one when one is answered")
	flags.IntVar(&o.size, "size", 0, "send a text of this many `bytes` instead of a template")
	flags.StringVar(&o.message, "message", "", "`JSON` of the message to send; without a recipient every request gets another one")
	flags.BoolVar(&o.baseline, "baseline", false, "measure a handler that does nothing as well, and print the ratio")
	o.own.declare(flags)
}

func (o *sendOptions) check(getenv func(string) string) error {
	switch {
	case o.connections < 1 || o.connections > maxConnections:
		return usage(fmt.Sprintf("--connections must be from 1 to %d", maxConnections))
	case o.duration <= 0:
		return usage("--duration must be positive")
	case o.rate < 0:
		return usage("--rate must not be negative")
	case o.size < 0 || o.size > 4096:
		return usage("--size must be from 1 to 4096, the longest text")
	case o.size > 0 && o.message != "":
		return usage("--size and --message exclude each other")
	case o.target.Endpoint != "" && (len(o.own.sets) > 0 || o.own.dir != ""):
		return usage("--set and --dir are for a node of our own, and --endpoint names another")
	}
	if o.target.Endpoint == "" {
		o.target.Endpoint = getenv("AWS_ENDPOINT_URL")
	}
	o.target.Region = getenv("AWS_REGION")
	if o.target.Region == "" {
		o.target.Region = getenv("AWS_DEFAULT_REGION")
	}
	o.target.KeyID, o.target.Secret = getenv("AWS_ACCESS_KEY_ID"), identity.Secret(getenv("AWS_SECRET_ACCESS_KEY"))
	if o.target.KeyID != "" && o.target.Secret == "" {
		return usage("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not")
	}
	return nil
}

func runSend(ctx context.Context, flags *flag.FlagSet, args []string, stdout, _ io.Writer) error {
	var o sendOptions
	o.declare(flags)
	if err := parse(flags, args); err != nil {
		return err
	}
	if err := o.check(os.Getenv); err != nil {
		return err
	}
	if o.target.Endpoint == "" {
		child, err := o.own.start(ctx)
		if err != nil {
			return err
		}
		o.target = Target{Endpoint: child.Env[envEndpoint]}
		defer child.Stop() //nolint:errcheck // it is thrown away
	}
	return o.run(ctx, stdout)
}

func (o *sendOptions) run(ctx context.Context, stdout io.Writer) error {
	text, err := newMessages(o.message, o.size, o.phone)
	if err != nil {
		return err
	}
	client, err := NewClient(o.target, o.connections)
	if err != nil {
		return usage(err.Error())
	}
	defer client.Close()
	body := text.next(nil)
	if _, err := client.Send(ctx, body, ""); err != nil {
		return fmt.Errorf("the first message was not accepted: %w", err)
	}
	real := o.load(text, client)
	manner := "as fast as it answers"
	if o.rate > 0 {
		manner = fmt.Sprintf("%g requests a second", o.rate)
	}
	fmt.Fprintf(stdout, "%s: %d connections, %s, requests of %d bytes\n", o.target.Endpoint, o.connections, manner, len(body))
	if !o.baseline {
		got := real.drive(ctx)
		got.print(stdout, "accepted")
		return verdict(ctx, &got)
	}

	null, err := new(ownNode).start(ctx, "--null")
	if err != nil {
		return err
	}
	defer null.Stop() //nolint:errcheck // it is thrown away
	t := o.target
	t.Endpoint = null.Env[envEndpoint]
	nothing, err := NewClient(t, o.connections)
	if err != nil {
		return err
	}
	defer nothing.Close()
	got, base := alternate(ctx, real, o.load(text, nothing))
	got.print(stdout, "accepted")
	base.print(stdout, "baseline")
	fmt.Fprintf(stdout, "%-10s %9.2f\n", "ratio", got.perSecond()/max(base.perSecond(), 1))
	return verdict(ctx, &got)
}

// rounds is how often alternate changes sides: what disturbs the machine for a moment disturbs both.
const rounds = 5

// alternate drives two loads in turns, each for its whole duration in the end.
func alternate(ctx context.Context, a, b load) (outcome, outcome) {
	results := [2]outcome{{errors: map[string]uint64{}}, {errors: map[string]uint64{}}}
	for range rounds {
		for i, l := range [2]load{a, b} {
			l.duration /= rounds
			got := l.drive(ctx)
			results[i].add(&got)
		}
	}
	return results[0], results[1]
}

// verdict refuses figures that mean nothing.
func verdict(ctx context.Context, o *outcome) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("interrupted: %w", err)
	}
	if o.ok == 0 {
		return errors.New("nothing was accepted")
	}
	return nil
}

// load sends messages through a client. Bodies are reused between requests.
func (o *sendOptions) load(m *messages, c *Client) load {
	var bodies sync.Pool
	return load{connections: o.connections, duration: o.duration, rate: o.rate, call: func(ctx context.Context) error {
		b, _ := bodies.Get().(*[]byte)
		if b == nil {
			b = new([]byte)
		}
		*b = m.next((*b)[:0])
		_, err := c.Send(ctx, *b, "")
		if err == nil { // after an error the transport may still be reading
			bodies.Put(b)
		}
		return err
	}}
}

// messages composes requests that differ in their recipient.
type messages struct {
	phone string
	rest  []byte // of the object, after its recipient; nil when it has one of its own
	fixed []byte
	count atomic.Uint64
}

const defaultMessage = `{"messaging_product":"whatsapp","type":"template","template":{"name":"hello_world","language":{"code":"en_US"}}}`

func newMessages(message string, size int, phone string) (*messages, error) {
	if size > 0 {
		message = `{"messaging_product":"whatsapp","type":"text","text":{"body":"` + strings.Repeat("x", size) + `"}}`
	} else if message == "" {
		message = defaultMessage
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(message), &object); err != nil || len(object) == 0 {
		return nil, usage("--message is not a JSON object with members")
	}
	m := &messages{phone: phone}
	if object["to"] != nil || object["recipient"] != nil || object["message_id"] != nil {
		m.fixed = []byte(message)
	} else {
		m.rest = append([]byte(`","`), strings.TrimLeft(message[strings.Index(message, "{")+1:], " \t\r\n\"")...)
	}
	return m, nil
}

// next appends the body of a request to b. Recipients are numbers of the United Kingdom's mobile range, a hundred million before
// one comes again.
func (m *messages) next(b []byte) []byte {
	if m.fixed != nil {
		return Compose(b, m.phone, m.fixed)
	}
	var buf [512]byte
	message := append(buf[:0], `{"to":"+4479`...)
	n := 100_000_000 + m.count.Add(1)%100_000_000
	var digits [20]byte
	message = append(message, strconv.AppendUint(digits[:0], n, 10)[1:]...)
	return Compose(b, m.phone, append(message, m.rest...))
}
