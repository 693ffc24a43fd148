package compat

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/sim"
)

// The tests in cloudapi/ run published client libraries of Meta's Cloud API, unchanged, against the simulated WhatsApp: one
// simulator for each library, since each has its own app to send callbacks to.
func TestCloudAPIClients(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	install(t, "cloudapi")
	for _, file := range []string{"kapso.test.js", "whatsapp-api-js.test.js"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			run := exec.CommandContext(t.Context(), "node", "--test", "--test-reporter=spec", file)
			run.Dir = "cloudapi"
			run.Env = append(os.Environ(), "WAXWING_SIMULATOR_URL="+simulate(t), "WAXWING_APP_SECRET="+sim.AppSecret,
				"WAXWING_VERIFY_TOKEN="+sim.VerifyToken, "WAXWING_ACCESS_TOKEN="+sim.AccessToken)
			out, err := run.CombinedOutput()
			if err != nil {
				t.Fatalf("node --test: %v\n%s", err, out)
			}
			if !strings.Contains(string(out), "ℹ pass") || strings.Contains(string(out), "ℹ pass 0\n") {
				t.Fatalf("no test ran:\n%s", out)
			}
		})
	}
}

// simulate runs a simulated WhatsApp until the test is over and returns its address.
func simulate(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + listener.Addr().String()
	s := sim.New(sim.Options{PublicURL: url, Seed: 1, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	server := &http.Server{Handler: s.Handler()}
	ctx, stop := context.WithCancel(context.Background()) // not the test's context, which ends before its clean-ups
	ended := make(chan error, 2)
	go func() { ended <- s.Run(ctx) }()
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		stop()
		_ = server.Close()
		for range 2 {
			if err := <-ended; err != nil && err != http.ErrServerClosed {
				t.Errorf("the simulator ended badly: %v", err)
			}
		}
	})
	return url
}
