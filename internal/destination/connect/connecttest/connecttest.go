// Package connecttest is a small Amazon Connect for tests: the two operations that carry chats and import numbers, over Connect's REST
// protocol, with its limits and errors. Like Connect it knows only numbers that were imported, and a chat by customer, number and
// channel.
package connecttest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// Instance is the one that the server has.
const Instance = "arn:aws:connect:us-east-1:000000000000:instance/aaaaaaaa-0000-4000-8000-000000000001"

// Event is a chat integration event as it came.
type Event struct {
	SourceID      string `json:"SourceId"`
	DestinationID string `json:"DestinationId"`
	Subtype       string
	Event         struct{ Type, ContentType, Content string }
	Session       *struct {
		SupportedMessagingContentTypes []string
		ParticipantDetails             *struct{ DisplayName string }
		Attributes                     map[string]string
	} `json:"NewSessionDetails"`
}

// Server is an endpoint of Connect. It is an http.Handler, too.
type Server struct {
	URL string // of the listening server that New has started

	// Fail, if set, may answer a request itself; it reports whether it did. Set it before there are requests.
	Fail func(w http.ResponseWriter, r *http.Request) bool

	mu       sync.Mutex
	events   []Event
	chats    map[string]string // contact by customer, number and channel
	imported map[string]string // ARN in Connect by that of the number
	tokens   map[string]string // what was asked for with a client token
}

// New starts a server that has no numbers.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{chats: map[string]string{}, imported: map[string]string{}, tokens: map[string]string{}}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	s.URL = h.URL
	return s
}

// Events returns what came, in order.
func (s *Server) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Event(nil), s.events...)
}

// Imported returns the number of imports, and whether a number is among them.
func (s *Server) Imported(numberARN string) (n int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok = s.imported[numberARN]
	return len(s.imported), ok
}

// Refuse answers as Connect answers errors.
func Refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("X-Amzn-Errortype", code)
	reply(w, status, map[string]string{"Message": message})
}

func reply(w http.ResponseWriter, status int, doc any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(doc) //nolint:errcheck // the caller has gone
}

var credential = regexp.MustCompile(`Credential=[^/]+/\d{8}/([a-z0-9-]+)/connect/aws4_request`)

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.Fail != nil && s.Fail(w, r) {
		return
	}
	body, err := io.ReadAll(r.Body)
	switch m := credential.FindStringSubmatch(r.Header.Get("Authorization")); {
	case err != nil:
		return
	case m == nil || m[1] != "us-east-1":
		Refuse(w, http.StatusForbidden, "AccessDeniedException", "Credential should be scoped to a valid Region and service.")
	case r.Method == http.MethodPost && r.URL.Path == "/chat-integration-event":
		s.chat(w, body)
	case r.Method == http.MethodPost && r.URL.Path == "/phone-number/import":
		s.importNumber(w, body)
	default:
		Refuse(w, http.StatusNotFound, "UnknownOperationException", "")
	}
}

// Check returns what is wrong with an event, or "".
func (e *Event) Check() string {
	limit := func(name, value string, least, most int) string {
		if n := utf8.RuneCountInString(value); n < least || n > most {
			return fmt.Sprintf("%s has %d characters, want %d to %d", name, n, least, most)
		}
		return ""
	}
	problems := []string{limit("SourceId", e.SourceID, 1, 255), limit("DestinationId", e.DestinationID, 1, 255), limit("Subtype", e.Subtype, 1, 100),
		limit("ContentType", e.Event.ContentType, 1, 100), limit("Content", e.Event.Content, 1, 16384)}
	if e.Event.Type != "MESSAGE" && e.Event.Type != "EVENT" && e.Event.Type != "DISCONNECT" {
		problems = append(problems, "Type is "+e.Event.Type)
	}
	if e.Subtype != "connect:WhatsApp" && e.Subtype != "connect:sms" {
		problems = append(problems, "Subtype is "+e.Subtype)
	}
	if n := e.Session; n != nil {
		if n.ParticipantDetails == nil {
			problems = append(problems, "ParticipantDetails are missing")
		} else {
			problems = append(problems, limit("DisplayName", n.ParticipantDetails.DisplayName, 1, 256))
		}
		if !strings.Contains(" "+strings.Join(n.SupportedMessagingContentTypes, " ")+" ", " text/plain ") {
			problems = append(problems, "SupportedMessagingContentTypes lack text/plain")
		}
		size := 0
		for key, value := range n.Attributes {
			if size += len(key) + len(value); !regexp.MustCompile(`^[A-Za-z0-9_-]+$`).MatchString(key) {
				problems = append(problems, "attribute "+key)
			}
		}
		if size > 32768 {
			problems = append(problems, fmt.Sprintf("Attributes have %d bytes", size))
		}
	}
	return strings.TrimSpace(strings.Join(problems, " "))
}

func (s *Server) chat(w http.ResponseWriter, body []byte) {
	var e Event
	if err := json.Unmarshal(body, &e); err != nil {
		Refuse(w, http.StatusBadRequest, "SerializationException", "")
		return
	}
	if problem := e.Check(); problem != "" {
		Refuse(w, http.StatusBadRequest, "InvalidRequestException", problem)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.imported[e.DestinationID] == "" {
		Refuse(w, http.StatusNotFound, "ResourceNotFoundException", "No phone number "+e.DestinationID)
		return
	}
	s.events = append(s.events, e)
	key := e.SourceID + " " + e.DestinationID + " " + e.Subtype
	contact, known := s.chats[key]
	if !known {
		if e.Event.Type != "MESSAGE" || e.Session == nil { // an event of a chat that nobody has is taken, and forgotten
			reply(w, http.StatusOK, map[string]any{"NewChatCreated": false})
			return
		}
		contact = fmt.Sprintf("cccccccc-0000-4000-8000-%012d", len(s.chats)+1)
		s.chats[key] = contact
	}
	reply(w, http.StatusOK, map[string]any{"InitialContactId": contact, "NewChatCreated": !known})
}

func (s *Server) importNumber(w http.ResponseWriter, body []byte) {
	var in struct {
		InstanceID  string `json:"InstanceId"`
		Source      string `json:"SourcePhoneNumberArn"`
		Description string `json:"PhoneNumberDescription"`
		ClientToken string
	}
	if err := json.Unmarshal(body, &in); err != nil || in.Source == "" || len(in.Description) > 500 || len(in.ClientToken) > 500 {
		Refuse(w, http.StatusBadRequest, "InvalidParameterException", "One or more of the specified parameters are not valid.")
		return
	}
	if in.InstanceID != Instance[strings.LastIndexByte(Instance, '/')+1:] {
		Refuse(w, http.StatusNotFound, "ResourceNotFoundException", "The specified resource was not found.")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if asked, used := s.tokens[in.ClientToken]; used && asked != in.Source {
		Refuse(w, http.StatusConflict, "IdempotencyException", "The client token was used for another request.")
		return
	}
	s.tokens[in.ClientToken] = in.Source
	arn, known := s.imported[in.Source]
	if !known {
		arn = fmt.Sprintf("arn:aws:connect:us-east-1:000000000000:phone-number/%d", len(s.imported)+1)
		s.imported[in.Source] = arn
	}
	reply(w, http.StatusOK, map[string]string{"PhoneNumberArn": arn, "PhoneNumberId": arn[strings.LastIndexByte(arn, '/')+1:]})
}
