package app

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/waxwing-messaging/waxwing/internal/config"
)

// While room is scarce nothing new is taken on and everything else works; when there is none, callbacks are refused too. /readyz and the
// metrics say so, and the log says it once, however many were refused.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before := start(t, dir, nil)
	id := before.send(t, template)
	before.waitState(t, id, "delivered", 0)
	free := config.Size(before.parts.db.Condition().Free)
	if free < 1<<20 {
		t.Fatalf("only %s are free", free)
	}
	before.stop()

	for _, tc := range []struct {
		name     string
		minFree  config.Size
		ready    string
		refusing string
		callback int
	}{
		{"scarce", 2 * free, "not ready: storage is almost full", "1", http.StatusOK},
		{"none", 1000 * free, "not ready: storage is full", "2", http.StatusServiceUnavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			log := &lines{}
			n := startOptions(t, dir, func(cfg *config.Config) { cfg.Store.MinFree = tc.minFree }, func(o *Options) {
				o.Logger = slog.New(slog.NewTextHandler(log, nil))
			})
			for range 10 {
				res := n.api.Do(t, http.MethodPost, "/v1/whatsapp/send", map[string]string{"originationPhoneNumberId": seededPhone,
					"metaApiVersion": "v20.0", "message": base64.StdEncoding.EncodeToString([]byte(template))})
				if res.Status != http.StatusServiceUnavailable || res.Header.Get("X-Amzn-Errortype") != "ServiceUnavailable" {
					t.Fatalf("send = %d %s", res.Status, res.Body)
				}
			}
			publish := *n.api
			publish.Service = "sns"
			if res := publish.Do(t, http.MethodPost, "/", url.Values{"Action": {"Publish"}, "Version": {"2010-03-31"}, "Message": {"x"},
				"TopicArn": {"arn:aws:sns:us-east-1:000000000000:whatsapp-events"}}); res.Status != http.StatusServiceUnavailable {
				t.Errorf("publish = %d %s", res.Status, res.Body)
			}
			_, err := n.s3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(devBucket), Key: aws.String("k"), Body: strings.NewReader("x")},
				func(o *s3.Options) { o.RetryMaxAttempts = 1 })
			if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != "ServiceUnavailable" {
				t.Errorf("an upload is answered with %v", err)
			}
			n.waitState(t, id, "delivered", 0)
			if got := n.callback(t); got != tc.callback {
				t.Errorf("a callback is answered with %d, want %d", got, tc.callback)
			}
			if status, text := n.get(t, "http://"+n.APIAddr()+"/readyz"); status != http.StatusServiceUnavailable || text != tc.ready+"\n" {
				t.Errorf("/readyz = %d %q", status, text)
			}
			if _, text := n.get(t, "http://"+n.OpsAddr()+"/metrics"); !strings.Contains(text, "waxwing_storage_refusing "+tc.refusing+"\n") {
				t.Error("the metrics do not say what is refused")
			}
			n.stop()
			if got := log.about("level=ERROR"); len(got) != 1 || !strings.Contains(got[0], "storage is") {
				t.Errorf("logged %q, want one line about the storage", got)
			}
		})
	}
	after := start(t, dir, nil)
	after.waitState(t, after.send(t, template), "delivered", 0)
}

// callback posts what Meta could have and returns the answer's status.
func (n *node) callback(t *testing.T) int {
	t.Helper()
	body := []byte(`{"object":"whatsapp_business_account","entry":[]}`)
	mac := hmac.New(sha256.New, []byte(config.DevMetaAppSecret.Reveal()))
	mac.Write(body)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+n.APIAddr()+webhookPath, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	status, _ := n.answer(t, req)
	return status
}

func (n *node) get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return n.answer(t, req)
}

func (n *node) answer(t *testing.T, req *http.Request) (status int, body string) {
	t.Helper()
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// lines collects what is logged.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

// about returns the lines with a text in them.
func (l *lines) about(text string) (found []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.all.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}
