package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	_ "github.com/ncruces/go-sqlite3/driver"
	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a story waits for something before it fails.
const patience = 20 * time.Second

var client = &http.Client{Timeout: patience}

// poll tries until ok or until patience is at its end.
func poll(ts *testscript.TestScript, what string, ok func() bool) {
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			ts.Fatalf("no %s within %v", what, patience)
		}
	}
}

func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	refuseNeg(ts, neg)
	wantArgs(ts, args, 1, 1)
	poll(ts, "answer from "+args[0], func() bool {
		status, _ := get(args[0])
		return status == http.StatusOK
	})
}

func cmdUntil(ts *testscript.TestScript, neg bool, args []string) {
	refuseNeg(ts, neg)
	wantArgs(ts, args, 2, 2)
	poll(ts, args[0]+" from "+args[1], func() bool {
		_, body := get(args[1])
		return strings.Contains(body, args[0])
	})
}

func cmdRefuses(ts *testscript.TestScript, neg bool, args []string) {
	refuseNeg(ts, neg)
	wantArgs(ts, args, 1, 1)
	poll(ts, "silence from "+args[0], func() bool {
		status, _ := get(args[0])
		return status == 0
	})
}

// get returns status 0 when there is no answer.
func get(url string) (status int, body string) {
	resp, err := client.Get(url)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, ""
	}
	return resp.StatusCode, string(raw)
}

func cmdHTTP(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, args, 2, 3)
	req, err := http.NewRequest(args[0], args[1], strings.NewReader(strings.Join(args[2:], "")))
	ts.Check(err)
	do(ts, neg, req)
}

func cmdAWS(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, args, 3, 4)
	call(ts, neg, args[0], args[1], args[2], []byte(strings.Join(args[3:], "")))
}

func cmdSend(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, args, 1, 1)
	body, err := json.Marshal(map[string]any{
		"originationPhoneNumberId": "phone-number-id-00000000000000000000000000000001", "metaApiVersion": "v20.0",
		"message": []byte(ts.ReadFile(args[0])), // a blob: base64 on the wire
	})
	ts.Check(err)
	call(ts, neg, "social-messaging", http.MethodPost, "/v1/whatsapp/send", body)
}

// call makes a request signed with the variables that were exported.
func call(ts *testscript.TestScript, neg bool, service, method, path string, body []byte) {
	req, err := http.NewRequest(method, ts.Getenv("AWS_ENDPOINT_URL")+path, bytes.NewReader(body))
	ts.Check(err)
	switch {
	case len(body) > 0 && body[0] == '{':
		req.Header.Set("Content-Type", "application/json")
	case len(body) > 0:
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	hash := sha256.Sum256(body)
	key := aws.Credentials{AccessKeyID: ts.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: ts.Getenv("AWS_SECRET_ACCESS_KEY")}
	ts.Check(v4.NewSigner().SignHTTP(context.Background(), key, req, hex.EncodeToString(hash[:]), service, ts.Getenv("AWS_REGION"), time.Now()))
	do(ts, neg, req)
}

// do prints an answer. A story says with ! that it expects a refusal.
func do(ts *testscript.TestScript, neg bool, req *http.Request) {
	resp, err := client.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	_, err = io.Copy(ts.Stdout(), resp.Body)
	ts.Check(err)
	if refused := resp.StatusCode >= 400; refused != neg {
		ts.Fatalf("%s %s: %s", req.Method, req.URL, resp.Status)
	}
}

// subscriber is an HTTP endpoint of a topic.
type subscriber struct {
	mu            sync.Mutex
	confirmed     bool
	notifications []string
}

// sinks finds the subscriber behind a URL that a story knows.
var sinks sync.Map

func cmdSink(ts *testscript.TestScript, neg bool, args []string) {
	refuseNeg(ts, neg)
	wantArgs(ts, args, 1, 1)
	s := &subscriber{}
	server := httptest.NewServer(s)
	ts.Defer(server.Close)
	sinks.Store(server.URL, s)
	ts.Setenv(args[0], server.URL)
}

func (s *subscriber) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var m struct{ Type, SubscribeURL, Message string }
	if json.NewDecoder(r.Body).Decode(&m) != nil {
		return
	}
	if m.Type == "SubscriptionConfirmation" {
		status, _ := get(m.SubscribeURL)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.confirmed = status == http.StatusOK
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notifications = append(s.notifications, m.Message)
}

func cmdReceived(ts *testscript.TestScript, neg bool, args []string) {
	refuseNeg(ts, neg)
	wantArgs(ts, args, 1, 20)
	found, ok := sinks.Load(ts.Getenv(args[0]))
	if !ok {
		ts.Fatalf("no sink %s", args[0])
	}
	s := found.(*subscriber)
	poll(ts, "confirmed subscription", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.confirmed
	})
	for _, text := range args[1:] {
		poll(ts, "notification with "+text, func() bool { return s.take(text) })
	}
}

// take removes the first notification with a text and reports whether there was one.
func (s *subscriber) take(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, n := range s.notifications {
		if strings.Contains(n, text) {
			s.notifications = append(s.notifications[:i], s.notifications[i+1:]...)
			return true
		}
	}
	return false
}

func cmdSQLite(ts *testscript.TestScript, neg bool, args []string) {
	refuseNeg(ts, neg)
	wantArgs(ts, args, 2, 2)
	db, err := sql.Open("sqlite3", "file:"+ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = db.Exec(args[1])
	ts.Check(errors.Join(err, db.Close()))
}

// exports reads the lines that a shell would evaluate.
func exports(text string) (pairs [][2]string) {
	for line := range strings.Lines(text) {
		words, ok := strings.CutPrefix(strings.TrimSpace(line), "export ")
		if !ok {
			continue
		}
		for word := range strings.FieldsSeq(words) {
			if name, value, ok := strings.Cut(word, "="); ok {
				pairs = append(pairs, [2]string{name, value})
			}
		}
	}
	return pairs
}
