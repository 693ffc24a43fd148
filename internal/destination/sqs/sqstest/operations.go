package sqstest

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of SQS.
const (
	maxEntries    = 10
	maxBytes      = 1 << 20
	maxAttributes = 10
)

// input has the members of all operations.
type input struct {
	QueueName           string
	QueueURL            string `json:"QueueUrl"`
	Entries             []entry
	MaxNumberOfMessages int
	ReceiptHandle       string
	entry
}

type entry struct {
	ID                string `json:"Id"`
	MessageBody       string
	MessageAttributes map[string]Attribute
	MessageGroupID    string `json:"MessageGroupId"`
}

// queue finds the queue that a URL names.
func (s *Server) queue(url string) (*queue, *refusal) {
	path, here := strings.CutPrefix(url, s.URL+"/")
	_, name, _ := strings.Cut(path, "/") // after the account
	if q := s.queues[name]; q != nil && here {
		return q, nil
	}
	return nil, &refusal{http.StatusBadRequest, "QueueDoesNotExist", "The specified queue does not exist."}
}

func (s *Server) send(in *input) (any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, refused := s.queue(in.QueueURL)
	if refused == nil {
		refused = in.check()
	}
	if refused != nil {
		return nil, refused
	}
	if in.size() > maxBytes {
		return nil, &refusal{http.StatusBadRequest, "InvalidParameterValue",
			fmt.Sprintf("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", maxBytes)}
	}
	return s.store(q, &in.entry), nil
}

func (s *Server) sendBatch(in *input) (any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, refused := s.queue(in.QueueURL)
	if refused != nil {
		return nil, refused
	}
	size, ids := 0, map[string]bool{}
	for i := range in.Entries {
		size += in.Entries[i].size()
		ids[in.Entries[i].ID] = true
	}
	switch {
	case len(in.Entries) == 0:
		return nil, &refusal{http.StatusBadRequest, "EmptyBatchRequest", "There should be at least one SendMessageBatchRequestEntry in the request."}
	case len(in.Entries) > maxEntries:
		return nil, &refusal{http.StatusBadRequest, "TooManyEntriesInBatchRequest", fmt.Sprintf("Maximum number of entries per request are %d. You have sent %d.", maxEntries, len(in.Entries))}
	case len(ids) < len(in.Entries):
		return nil, &refusal{http.StatusBadRequest, "BatchEntryIdsNotDistinct", "Id repeated."}
	case size > maxBytes:
		return nil, &refusal{http.StatusBadRequest, "BatchRequestTooLong", fmt.Sprintf("Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxBytes, size)}
	}
	type failure struct {
		ID          string `json:"Id"`
		Code        string
		Message     string
		SenderFault bool
	}
	var out struct {
		Successful []map[string]string
		Failed     []failure
	}
	for i := range in.Entries {
		e := &in.Entries[i]
		if refused := e.check(); refused != nil {
			out.Failed = append(out.Failed, failure{e.ID, refused.code, refused.message, true})
			continue
		}
		stored := s.store(q, e)
		stored["Id"] = e.ID
		out.Successful = append(out.Successful, stored)
	}
	return out, nil
}

// store keeps a message and returns what SQS says of it.
func (s *Server) store(q *queue, e *entry) map[string]string {
	s.serial++
	m := &Message{ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", s.serial), Body: e.MessageBody, Attributes: e.MessageAttributes, receipt: strconv.Itoa(s.serial)}
	q.messages = append(q.messages, m)
	close(s.changed)
	s.changed = make(chan struct{})
	out := map[string]string{"MessageId": m.ID, "MD5OfMessageBody": checksum([]byte(m.Body))}
	if len(m.Attributes) > 0 {
		out["MD5OfMessageAttributes"] = attributesChecksum(m.Attributes)
	}
	return out
}

func (s *Server) receive(in *input) (any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, refused := s.queue(in.QueueURL)
	if refused != nil {
		return nil, refused
	}
	var out struct{ Messages []map[string]any }
	for _, m := range q.messages[:min(len(q.messages), max(in.MaxNumberOfMessages, 1))] {
		received := map[string]any{"MessageId": m.ID, "ReceiptHandle": m.receipt, "Body": m.Body, "MD5OfBody": checksum([]byte(m.Body))}
		if len(m.Attributes) > 0 {
			received["MessageAttributes"], received["MD5OfMessageAttributes"] = m.Attributes, attributesChecksum(m.Attributes)
		}
		out.Messages = append(out.Messages, received)
	}
	return out, nil
}

func (s *Server) remove(in *input) (any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, refused := s.queue(in.QueueURL)
	if refused != nil {
		return nil, refused
	}
	q.messages = slices.DeleteFunc(q.messages, func(m *Message) bool { return m.receipt == in.ReceiptHandle })
	return struct{}{}, nil
}

func (s *Server) create(in *input) (any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queues[in.QueueName] == nil {
		s.queues[in.QueueName] = &queue{}
	}
	return map[string]string{"QueueUrl": s.URL + "/" + AccountID + "/" + in.QueueName}, nil
}

func (s *Server) locate(in *input) (any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	url := s.URL + "/" + AccountID + "/" + in.QueueName
	if _, refused := s.queue(url); refused != nil {
		return nil, refused
	}
	return map[string]string{"QueueUrl": url}, nil
}

func (e *entry) size() int {
	n := len(e.MessageBody)
	for name, a := range e.MessageAttributes {
		n += len(name) + len(a.DataType) + len(a.BinaryValue)
		if a.StringValue != nil {
			n += len(*a.StringValue)
		}
	}
	return n
}

var (
	attributeName = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
	attributeType = regexp.MustCompile(`^(String|Number|Binary)(\.[A-Za-z0-9_.-]+)?$`)
)

// check reports why SQS does not take a message.
func (e *entry) check() *refusal {
	if e.MessageBody == "" {
		return &refusal{http.StatusBadRequest, "MissingParameter", "The request must contain the parameter MessageBody."}
	}
	if !utf8.ValidString(e.MessageBody) || strings.ContainsFunc(e.MessageBody, forbidden) {
		return &refusal{http.StatusBadRequest, "InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"}
	}
	if len(e.MessageAttributes) > maxAttributes {
		return &refusal{http.StatusBadRequest, "InvalidParameterValue", fmt.Sprintf("Number of message attributes [%d] exceeds the allowed maximum [%d].", len(e.MessageAttributes), maxAttributes)}
	}
	for name, a := range e.MessageAttributes {
		binary := strings.HasPrefix(a.DataType, "Binary")
		if !attributeName.MatchString(name) || !attributeType.MatchString(a.DataType) || binary != (a.BinaryValue != nil) || binary == (a.StringValue != nil) ||
			a.StringValue != nil && *a.StringValue == "" {
			return &refusal{http.StatusBadRequest, "InvalidParameterValue", fmt.Sprintf("The message attribute '%s' is invalid.", name)}
		}
	}
	return nil
}

func forbidden(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff
}

func checksum(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}

// attributesChecksum is over names, types and values, each after its length, in order of the names.
func attributesChecksum(attributes map[string]Attribute) string {
	var b []byte
	add := func(s string) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		add(name)
		add(a.DataType)
		if a.StringValue != nil {
			b = append(b, 1)
			add(*a.StringValue)
		} else {
			b = append(b, 2)
			add(string(a.BinaryValue))
		}
	}
	return checksum(b)
}
