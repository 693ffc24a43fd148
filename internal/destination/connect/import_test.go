package connect

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/destination/connect/connecttest"
	"github.com/waxwing-messaging/waxwing/internal/destination/destinationtest"
)

var scope = account.Scope{Partition: "aws", Region: "us-east-1"}

func number(key string) account.Import {
	return account.Import{AccountID: "000000000000", PhoneKey: key, DisplayNumber: "+1 555-010-0001", InstanceARN: connecttest.Instance}
}

func importInto(t *testing.T, p *Publisher, key string) string {
	t.Helper()
	i := number(key)
	arn, err := NewImporter(ImporterOptions{Publisher: p, Scope: scope}).importNumber(t.Context(), &i)
	if err != nil {
		t.Fatal(err)
	}
	return arn
}

// An import that is repeated is the same import.
func TestImportAgain(t *testing.T) {
	t.Parallel()
	s := connecttest.New(t)
	p := publisher(s.URL, nil)
	first, again, other := importInto(t, p, "a"), importInto(t, p, "a"), importInto(t, p, "b")
	if n, ok := s.Imported("arn:aws:social-messaging:us-east-1:000000000000:phone-number-id/a"); first != again || first == other || n != 2 || !ok {
		t.Errorf("%s, %s, %s; %d imports", first, again, other, n)
	}
}

func TestImportErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*account.Import)
		fail   func(w http.ResponseWriter, r *http.Request)
		want   string
	}{
		"no such instance": {change: func(i *account.Import) { i.InstanceARN = strings.TrimSuffix(i.InstanceARN, "1") + "2" }, want: "ResourceNotFoundException"},
		"another Region":   {change: func(i *account.Import) { i.InstanceARN = strings.Replace(i.InstanceARN, "us-east-1", "eu-west-1", 1) }, want: "the instance is in eu-west-1"},
		"not allowed":      {fail: refuse(403, "AccessDeniedException", "no"), want: "connect:ImportPhoneNumber to the role"},
		"conflict":         {fail: refuse(409, "IdempotencyException", "no"), want: "IdempotencyException"},
		"empty answer":     {fail: func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("{}")) }, want: "did not say"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := connecttest.New(t)
			if tc.fail != nil {
				s.Fail = func(w http.ResponseWriter, r *http.Request) bool { tc.fail(w, r); return true }
			}
			i := number("a")
			if tc.change != nil {
				tc.change(&i)
			}
			_, err := NewImporter(ImporterOptions{Publisher: publisher(s.URL, nil), Scope: scope}).importNumber(t.Context(), &i)
			if destinationtest.VerdictOf(err) != destinationtest.Later || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}

// shelf is a store with one number that belongs into the instance.
type shelf struct {
	mu    sync.Mutex
	due   time.Time // zero: it is there
	tries []time.Time
	arn   string
}

func (s *shelf) ClaimImports(_ context.Context, now time.Time, later func(int) time.Time, _ int) ([]account.Import, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.due.IsZero() || s.due.After(now) {
		return nil, nil
	}
	i := number("a")
	i.Attempts = len(s.tries)
	s.tries = append(s.tries, now)
	s.due = later(i.Attempts)
	i.Due = s.due
	return []account.Import{i}, nil
}

func (s *shelf) Imported(_ context.Context, i *account.Import, arn string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i.Due.Equal(s.due) {
		s.due, s.arn = time.Time{}, arn
	}
	return nil
}

// What is refused is tried again, ever more rarely, until it works; the log says why, and tells no secrets.
func TestImporter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{due: time.Now()}
		refusals := 0
		service := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if refusals++; refusals <= 12 {
				connecttest.Refuse(w, 403, "AccessDeniedException", "no"+destinationtest.Echo(r))
				return
			}
			w.Write([]byte(`{"PhoneNumberArn":"arn:of-the-number"}`))
		})
		var log bytes.Buffer
		m := NewImporter(ImporterOptions{Store: s, Publisher: publisher("https://connect.test", destinationtest.Client(service)), Scope: scope,
			Logger: slog.New(slog.NewTextHandler(&log, nil))})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- m.Run(ctx) }()
		time.Sleep(72 * time.Hour)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if s.arn != "arn:of-the-number" || len(s.tries) != 13 {
			t.Errorf("%q after %d tries", s.arn, len(s.tries))
		}
		for i, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
			if got := s.tries[i+1].Sub(s.tries[i]).Round(pollEvery); got != want {
				t.Errorf("pause %d: %v, want %v", i, got, want)
			}
		}
		if last := s.tries[12].Sub(s.tries[11]).Round(time.Minute); last != pauses.Max {
			t.Errorf("last pause %v", last)
		}
		if text := log.String(); !strings.Contains(text, "connect:ImportPhoneNumber") || strings.Contains(text, destinationtest.KeyID) || strings.Contains(text, "Authorization") {
			t.Errorf("log: %s", text)
		}
	})
}
