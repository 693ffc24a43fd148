// Package sqstest is a small SQS for tests: the AWS JSON 1.0 protocol with the operations that senders and readers of standard
// queues use, SQS's limits, its checksums and its errors under both of their names. Messages stay until they are deleted, and nothing
// is delayed or hidden for a time.
package sqstest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// AccountID owns the queues, as far as ARN says. The server does not tell accounts apart.
const AccountID = "000000000000"

// Region is where they are.
const Region = "us-east-1"

// Server is an SQS endpoint. It is an http.Handler, too.
type Server struct {
	URL string // of the listening server that New has started

	// Fail, if set, may answer a request itself; it reports whether it did. Set it before there are requests.
	Fail func(w http.ResponseWriter, operation string) bool

	mu      sync.Mutex
	queues  map[string]*queue
	serial  int
	changed chan struct{} // closed when a message has come, and made anew
	calls   []string
}

type queue struct {
	messages []*Message
}

// Message is a message in a queue.
type Message struct {
	ID         string
	Body       string
	Attributes map[string]Attribute
	receipt    string
}

// Attribute is a message attribute, as it is on the wire.
type Attribute struct {
	DataType    string
	StringValue *string `json:",omitempty"`
	BinaryValue []byte  `json:",omitempty"`
}

// New starts a server that has queues with the given names.
func New(t testing.TB, names ...string) *Server {
	t.Helper()
	s := &Server{queues: map[string]*queue{}, changed: make(chan struct{})}
	for _, name := range names {
		s.queues[name] = &queue{}
	}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	s.URL = h.URL
	return s
}

// ARN returns the name of a queue of the server.
func ARN(name string) string { return "arn:aws:sqs:" + Region + ":" + AccountID + ":" + name }

// Messages returns what a queue holds, in the order in which it came.
func (s *Server) Messages(name string) (list []Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.queues[name].messages {
		list = append(list, *m)
	}
	return list
}

// Bodies returns the bodies of what a queue holds, sorted: queues keep no order.
func (s *Server) Bodies(name string) (list []string) {
	for _, m := range s.Messages(name) {
		list = append(list, m.Body)
	}
	slices.Sort(list)
	return list
}

// Wait returns the first n messages of a queue once they are there.
func (s *Server) Wait(t testing.TB, name string, n int) []Message {
	t.Helper()
	late := time.NewTimer(20 * time.Second)
	defer late.Stop()
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		list := s.Messages(name)
		if len(list) >= n {
			return list[:n]
		}
		select {
		case <-changed:
		case <-late.C:
			t.Fatalf("%d messages in %s, want %d", len(list), name, n)
		}
	}
}

// Calls lists the operations that were asked for, with the number of messages of those that send.
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

const maxRequest = 4 << 20

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	operation, ours := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	var in input
	switch {
	case err != nil:
		return
	case r.Method != http.MethodPost || !ours || r.Header.Get("Content-Type") != "application/x-amz-json-1.0":
		Refuse(w, http.StatusBadRequest, "InvalidAction", "The action or operation requested is invalid.")
		return
	case !strings.Contains(r.Header.Get("Authorization"), "/"+Region+"/sqs/aws4_request"):
		Refuse(w, http.StatusForbidden, "InvalidSignatureException", "Credential should be scoped to a valid region.")
		return
	case json.Unmarshal(body, &in) != nil:
		Refuse(w, http.StatusBadRequest, "SerializationException", "")
		return
	}
	s.mu.Lock()
	s.calls = append(s.calls, cmp.Or(strings.TrimSuffix(fmt.Sprintf("%s %d", operation, len(in.Entries)), " 0"), operation))
	s.mu.Unlock()
	if s.Fail != nil && s.Fail(w, operation) {
		return
	}
	handle := map[string]func(*input) (any, *refusal){"SendMessage": s.send, "SendMessageBatch": s.sendBatch, "ReceiveMessage": s.receive,
		"DeleteMessage": s.remove, "CreateQueue": s.create, "GetQueueUrl": s.locate}[operation]
	if handle == nil {
		Refuse(w, http.StatusBadRequest, "UnknownOperationException", "")
		return
	}
	out, refused := handle(&in)
	if refused != nil {
		Refuse(w, refused.status, refused.code, refused.message)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	json.NewEncoder(w).Encode(out) //nolint:errcheck // the client is gone when it fails
}

// refusal is an error that a caller gets.
type refusal struct {
	status        int
	code, message string
}

// older are the names that SQS had for errors before it spoke JSON.
var older = map[string]string{"QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue", "BatchRequestTooLong": "AWS.SimpleQueueService.BatchRequestTooLong",
	"TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "EmptyBatchRequest": "AWS.SimpleQueueService.EmptyBatchRequest",
	"BatchEntryIdsNotDistinct": "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "UnsupportedOperation": "AWS.SimpleQueueService.UnsupportedOperation",
	"KmsAccessDenied": "KMS.AccessDeniedException", "KmsDisabled": "KMS.DisabledException", "KmsThrottled": "KMS.ThrottlingException"}

// Refuse answers with an error as SQS writes it.
func Refuse(w http.ResponseWriter, status int, code, message string) {
	h := w.Header()
	h.Set("Content-Type", "application/x-amz-json-1.0")
	h.Set("X-Amzn-Query-Error", cmp.Or(older[code], code)+";Sender")
	w.WriteHeader(status)
	text, _ := json.Marshal(map[string]string{"__type": "com.amazonaws.sqs#" + code, "message": message})
	w.Write(text) //nolint:errcheck // the client is gone when it fails
}
