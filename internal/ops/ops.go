// Package ops lets an operator look inside: metrics, profiles and health.
package ops

import (
	"io"
	"net/http"
	"net/http/pprof"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Handler serves /metrics and /debug/pprof/. It is meant for a private listener.
func Handler(m *Metrics) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// Health answers /healthz, which is fine while the process lives, and /readyz, which is fine while it takes work.
type Health struct {
	ready   atomic.Bool
	trouble atomic.Pointer[string]
}

// SetReady says whether the process takes work.
func (h *Health) SetReady(ready bool) { h.ready.Store(ready) }

// SetTrouble says why a process that is up takes no work; "" says that it does.
func (h *Health) SetTrouble(why string) { h.trouble.Store(&why) }

// state is what /readyz answers.
func (h *Health) state() (text string, ok bool) {
	switch why := h.trouble.Load(); {
	case !h.ready.Load():
		return "not ready", false
	case why != nil && *why != "":
		return "not ready: " + *why, false
	default:
		return "ready", true
	}
}

// Register adds the two paths to a mux.
func (h *Health) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) }) //nolint:errcheck // the client is gone
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		text, ok := h.state()
		if !ok {
			http.Error(w, text, http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, text+"\n") //nolint:errcheck // the client is gone
	})
}
