package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// Subscriber is an HTTP endpoint for a topic's messages. It confirms its subscription and hands every message to a function.
type Subscriber struct {
	URL       string
	server    *http.Server
	client    *http.Client
	take      func(message []byte)
	confirmed chan struct{}
}

// NewSubscriber listens on a free port of the loopback interface. take gets the body of every message, from several goroutines
// at once, and must not keep it; the message counts as received when take returns.
func NewSubscriber(take func(message []byte)) (*Subscriber, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Subscriber{URL: "http://" + l.Addr().String(), client: &http.Client{Timeout: 10 * time.Second}, take: take, confirmed: make(chan struct{}, 1)}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)} // peers that are killed are no news
	go s.server.Serve(l)                                                                                           //nolint:errcheck // until it is closed
	return s, nil
}

// Close stops listening.
func (s *Subscriber) Close() error { return s.server.Close() }

// Subscribe subscribes to a topic and waits until that is confirmed.
func (s *Subscriber) Subscribe(ctx context.Context, c *Client, topicARN string) error {
	if err := c.Subscribe(ctx, topicARN, s.URL); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	select {
	case <-s.confirmed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(10 * time.Second):
		return fmt.Errorf("subscribe: no confirmation came to %s", s.URL)
	}
}

func (s *Subscriber) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Amz-Sns-Message-Type") == "SubscriptionConfirmation" {
		if err := s.confirm(r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
		return
	}
	var body []byte
	if n := r.ContentLength; n > 0 && n <= maxAnswer {
		body = make([]byte, n)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return
		}
	} else if read, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer)); err == nil {
		body = read
	} else {
		return
	}
	s.take(body)
}

func (s *Subscriber) confirm(r *http.Request) error {
	var document struct{ SubscribeURL string }
	if err := json.NewDecoder(io.LimitReader(r.Body, maxAnswer)).Decode(&document); err != nil {
		return err
	}
	resp, err := s.client.Get(document.SubscribeURL)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("confirming: %s", resp.Status)
	}
	select {
	case s.confirmed <- struct{}{}:
	default: // confirmed again
	}
	return nil
}

// Event is what an envelope is about.
type Event struct {
	MessageID []byte // ours; nil when it is not about a message we sent
	Status    []byte // nil when it is not a status
	WAMID     []byte // of the status or the customer's message
}

// Scan finds the members of an envelope without parsing it: a subscriber that shares the machine with what is measured must cost
// little. The result points into the envelope.
func Scan(envelope []byte) Event {
	return Event{
		MessageID: between(envelope, `,"messageId":"`, `"`),
		Status:    between(envelope, `\"status\":\"`, `\"`),
		WAMID:     between(envelope, `\"id\":\"wamid.`, `\"`),
	}
}

// between returns what stands between two marks, nil when they are not there.
func between(text []byte, before, after string) []byte {
	i := bytes.Index(text, []byte(before))
	if i < 0 {
		return nil
	}
	rest := text[i+len(before):]
	j := bytes.Index(rest, []byte(after))
	if j < 0 {
		return nil
	}
	return rest[:j:j]
}
