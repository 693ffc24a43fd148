// Package compat holds the running service to what AWS's own clients expect of it: the SDK for JavaScript, the SDK for Go and
// the command line interface, unmodified, over HTTP.
//
// Every test starts a node of its own with the development world, on free ports and with data that goes away.
package compat

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/app"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/socialmessaging"
	"github.com/waxwing-messaging/waxwing/internal/config"
)

const (
	region   = "us-east-1"
	wabaID   = "waba-00000000000000000000000000000001"
	phoneID  = "phone-number-id-00000000000000000000000000000001"
	metaID   = "1100000000000001" // Meta's id of the number
	topicARN = "arn:aws:sns:us-east-1:000000000000:whatsapp-events"
	diego    = "14255550150"
)

// node is a service that runs in this process, with the simulated WhatsApp beside it.
type node struct{ url, simulator string }

// start runs a node until the test and its subtests are over. Quotas that would get in the way of tests are raised; sets are
// key=value settings.
func start(t *testing.T, sets ...string) node {
	t.Helper()
	cfg := config.Dev(t.TempDir())
	sets = append([]string{"listen=127.0.0.1:0", "meta_listen=127.0.0.1:0", "ops_listen=", "log.level=warn"}, sets...)
	for _, operation := range operations() {
		if name := "limits." + operation; !slices.ContainsFunc(sets, func(s string) bool { return strings.HasPrefix(s, name+"=") }) {
			sets = append(sets, name+"=10000")
		}
	}
	if err := cfg.Override(sets); err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	ctx, stop := context.WithCancel(context.Background()) // not the test's context, which ends before its clean-ups
	a, err := app.New(ctx, app.Options{Config: cfg, Dev: true, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Ready: func(*app.App) { close(ready) }})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the node ended badly: %v", err)
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		t.Fatalf("the node ended before it was ready: %v", err)
	}
	return node{url: "http://" + a.APIAddr(), simulator: "http://" + a.MetaAddr()}
}

// operations are the names of what is served of the social-messaging API.
func operations() (names []string) {
	for _, op := range socialmessaging.Service(socialmessaging.Options{}).Operations {
		names = append(names, op.Name)
	}
	return names
}

// environment is ours without anything that would change how an AWS client behaves, and with what `waxwing dev` exports.
func (n node) environment(t *testing.T, more ...string) []string {
	t.Helper()
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") || strings.HasPrefix(v, "HOME=") })
	return append(append(env, "HOME="+t.TempDir(), "AWS_ENDPOINT_URL="+n.url, "AWS_REGION="+region, "AWS_DEFAULT_REGION="+region,
		"AWS_ACCESS_KEY_ID="+config.DevAccessKeyID, "AWS_SECRET_ACCESS_KEY="+config.DevSecretAccessKey.Reveal(),
		"AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER="), more...)
}

var client = &http.Client{Timeout: 10 * time.Second}

// control calls the simulated WhatsApp's control API and returns the answer.
func (n node) control(t *testing.T, method, path, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, n.simulator+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %s %v", method, path, resp.Status, raw, err)
	}
	return string(raw)
}

// until waits until ok.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("no %s", what)
		}
	}
}

// arrived waits until WhatsApp has a message that we sent, with some text in its record.
func (n node) arrived(t *testing.T, messageID, text string) {
	t.Helper()
	until(t, fmt.Sprintf("message %s with %s at WhatsApp", messageID, text), func() bool {
		return strings.Contains(n.control(t, "GET", "/sim/v1/messages?biz_opaque_callback_data="+messageID, ""), text)
	})
}
