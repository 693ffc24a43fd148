package compat

import (
	"context"
	"encoding/pem"
	"net/http/httptest"
	"net/http/httputil"
	neturl "net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/destination/sqs/sqstest"
)

// The tests in consumers/ run published programs that read events as people do who use AWS: unchanged, at a node with
// a proxy in front that speaks TLS, since one of them takes certificates from nowhere else, and with a small SQS beside it.
func TestConsumers(t *testing.T) {
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	install(t, "consumers")
	t.Setenv("AWS_ACCESS_KEY_ID", config.DevAccessKeyID) // of the node, for the queue
	t.Setenv("AWS_SECRET_ACCESS_KEY", config.DevSecretAccessKey.Reveal())
	queues := sqstest.New(t, "consumer")
	public, cert, leadTo := inFront(t)
	n := start(t, "public_url="+public, "sqs.endpoint="+queues.URL)
	leadTo(n.url)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, "node", "--test", "--test-reporter=spec")
	run.Dir = "consumers"
	run.Env = n.environment(t, "WAXWING_SIMULATOR_URL="+n.simulator, "WAXWING_PUBLIC_URL="+public, "WAXWING_SQS_URL="+queues.URL, "NODE_EXTRA_CA_CERTS="+cert)
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
	if !strings.Contains(string(out), "ℹ pass 5\n") {
		t.Errorf("not all tests ran:\n%s", out)
	}
}

// inFront starts a proxy that ends TLS. Its certificate is in a file, and where it leads to is said later.
func inFront(t *testing.T) (url, certFile string, leadTo func(target string)) {
	t.Helper()
	var target atomic.Pointer[neturl.URL]
	proxy := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target.Load()) }})
	t.Cleanup(proxy.Close)
	certFile = filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: proxy.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return proxy.URL, certFile, func(address string) {
		u, err := neturl.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		target.Store(u)
	}
}
