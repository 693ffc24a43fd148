package outbound

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"8.8.8.8": "", "157.240.1.60": "", "100.63.255.255": "", "100.128.0.0": "", "172.32.0.1": "", "192.0.1.1": "", "198.20.0.1": "",
		"2606:4700:4700::1111": "", "2a03:2880::1": "", "::ffff:8.8.8.8": "", "64:ff9b::808:808": "", "2002:808:808::1": "",
		"127.0.0.1": "loopback", "127.255.255.254": "loopback", "::1": "loopback", "::ffff:127.0.0.1": "loopback", "::ffff:7f00:1": "loopback",
		"64:ff9b::7f00:1": "loopback", "2002:7f00:1::": "loopback",
		"10.0.0.1": "private", "172.16.0.1": "private", "172.31.255.255": "private", "192.168.1.1": "private", "fc00::1": "private",
		"fd00:ec2::254": "private", "::ffff:10.0.0.1": "private", "64:ff9b::a00:1": "private", "2002:c0a8:101::": "private",
		"169.254.169.254": "link-local", "169.254.170.2": "link-local", "fe80::1": "link-local", "fe80::1%eth0": "link-local",
		"::ffff:169.254.169.254": "link-local", "64:ff9b::a9fe:a9fe": "link-local",
		"224.0.0.1": "multicast", "239.255.255.255": "multicast", "ff02::1": "multicast",
		"0.0.0.0": "unspecified", "0.1.2.3": "unspecified", "::": "unspecified", "::ffff:0.0.0.0": "unspecified",
		"100.64.0.1": "carrier-grade NAT", "100.100.100.200": "carrier-grade NAT", "168.63.129.16": "metadata service",
		"192.0.0.192": "reserved", "192.88.99.1": "reserved", "198.18.0.1": "benchmarking", "203.0.113.7": "documentation",
		"240.0.0.1": "reserved", "255.255.255.255": "reserved",
		"::127.0.0.1": "reserved", "64:ff9b:1::a00:1": "reserved", "fec0::1": "reserved", "100::1": "reserved", "4000::1": "reserved",
		"2001:0:a00:1::": "reserved", "2001:db8::1": "documentation", "3fff::1": "documentation",
	}
	for in, want := range tests {
		if got := classify(netip.MustParseAddr(in)); got != want {
			t.Errorf("classify(%s) = %q, want %q", in, got, want)
		}
	}
	if got := classify(netip.Addr{}); got != "unspecified" {
		t.Errorf("classify of no address = %q", got)
	}
}

// FuzzClassify checks that the several ways of writing an IPv4 address in IPv6 make no difference.
func FuzzClassify(f *testing.F) {
	f.Add([]byte{127, 0, 0, 1})
	f.Add([]byte{8, 8, 8, 8})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) != 4 {
			t.Skip()
		}
		plain := classify(netip.AddrFrom4([4]byte(b)))
		for _, prefix := range []string{"00000000000000000000ffff", "0064ff9b0000000000000000", "2002"} {
			var a [16]byte
			n, err := hex.Decode(a[:], []byte(prefix))
			if err != nil {
				t.Fatal(err)
			}
			copy(a[n:], b)
			if got := classify(netip.AddrFrom16(a)); got != plain {
				t.Errorf("%v is %q, as %s %q", b, plain, netip.AddrFrom16(a), got)
			}
		}
	})
}

// get returns the body of an answer, or why there is none.
func get(t *testing.T, c *http.Client, target string) (string, error) {
	t.Helper()
	t.Cleanup(c.CloseIdleConnections)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

func wantRefused(t *testing.T, err error, reason string) {
	t.Helper()
	if r, ok := errors.AsType[*Refused](err); !ok || !strings.Contains(r.Reason, reason) {
		t.Errorf("got %v, want a refusal with %q", err, reason)
	}
}

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

func TestLoopbackIsRefusedUnlessAllowed(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(hello))
	t.Cleanup(srv.Close)
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())

	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]", "[::1]"} {
		_, err := get(t, Client(Options{}), "http://"+host+":"+port)
		if _, ok := errors.AsType[*Refused](err); !ok {
			t.Errorf("%s: got %v, want a refusal", host, err)
		}
	}
	tests := []struct {
		name, host string
		o          Options
	}{
		{"everything allowed", "127.0.0.1", Options{AllowPrivate: true}},
		{"address allowed", "127.0.0.1", Options{AllowHosts: []string{"127.0.0.1"}}},
		{"address allowed, reached by name", "localhost", Options{AllowHosts: []string{"127.0.0.1", "[::1]"}}},
		{"mapped form of an allowed address", "[::ffff:127.0.0.1]", Options{AllowHosts: []string{"127.0.0.1"}}},
		{"network allowed", "127.0.0.1", Options{AllowHosts: []string{"127.9.9.9/8"}}},
		{"name allowed", "localhost", Options{AllowHosts: []string{"LocalHost."}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if body, err := get(t, Client(tt.o), "http://"+tt.host+":"+port); err != nil || body != "hello" {
				t.Errorf("got %q, %v", body, err)
			}
		})
	}
	t.Run("another name for an allowed one", func(t *testing.T) {
		t.Parallel()
		_, err := get(t, Client(Options{AllowHosts: []string{"localhost"}}), "http://127.0.0.1:"+port)
		wantRefused(t, err, "loopback")
	})
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	var referer atomic.Value
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		referer.Store(r.Referer())
		hello(w, r)
	})
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("url"), http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	plain := httptest.NewServer(mux)
	t.Cleanup(plain.Close)
	secure := httptest.NewUnstartedServer(mux)
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	_, port, _ := net.SplitHostPort(plain.Listener.Addr().String())
	from := func(base, target string) string { return base + "/to?secret=1&url=" + url.QueryEscape(target) }
	allowed := func(o Options) *http.Client {
		o.AllowHosts = []string{"127.0.0.1/32"}
		c := Client(o)
		c.Transport.(*http.Transport).TLSClientConfig = secure.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		return c
	}

	if body, err := get(t, allowed(Options{}), from(plain.URL, "/hello")); err != nil || body != "hello" || referer.Load() != "" {
		t.Errorf("within one host: %q, %v, referer %q", body, err, referer.Load())
	}
	if body, err := get(t, allowed(Options{}), from(plain.URL, secure.URL+"/hello")); err != nil || body != "hello" {
		t.Errorf("from http to https: %q, %v", body, err)
	}
	tests := []struct {
		name, start, reason string
		o                   Options
	}{
		{"to a private address", from(plain.URL, "http://10.0.0.1/"), "private", Options{}},
		{"to the metadata service", from(plain.URL, "http://169.254.169.254/latest/meta-data/"), "link-local", Options{}},
		{"to loopback by another address", from(plain.URL, "http://127.0.0.2:"+port+"/hello"), "loopback", Options{}},
		{"to loopback in IPv6", from(plain.URL, "http://[::1]:"+port+"/hello"), "loopback", Options{}},
		{"to a number that is loopback", from(plain.URL, "http://[::ffff:7f00:2]:"+port+"/hello"), "loopback", Options{}},
		{"from https to http", from(secure.URL, plain.URL+"/hello"), "https to http", Options{}},
		{"to another protocol", from(plain.URL, "gopher://127.0.0.1/"), "another protocol", Options{}},
		{"round and round", plain.URL + "/loop", "too many", Options{}},
		{"none followed", from(plain.URL, "/hello"), "too many", Options{MaxRedirects: -1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := get(t, allowed(tt.o), tt.start)
			wantRefused(t, err, tt.reason)
		})
	}
}

// TestNamesThatChangeTheirMind resolves a name to a harmless address when it is looked up first and to loopback when it is
// dialled: only the address that is dialled counts.
func TestNamesThatChangeTheirMind(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(hello))
	t.Cleanup(srv.Close)
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	var asked atomic.Int32
	resolver := fakeDNS(t, func(string) [4]byte {
		if asked.Add(1) == 1 {
			return [4]byte{8, 8, 8, 8}
		}
		return [4]byte{127, 0, 0, 1}
	})
	first, err := resolver.LookupNetIP(t.Context(), "ip4", "rebind.example")
	if err != nil || len(first) != 1 || classify(first[0].Unmap()) != "" {
		t.Fatalf("first look-up: %v, %v", first, err)
	}
	_, err = get(t, Client(Options{Resolver: resolver}), "http://rebind.example:"+port)
	wantRefused(t, err, "loopback")
	if strings.Contains(err.Error(), "127.0.0.1") || !strings.Contains(err.Error(), "rebind.example:"+port) {
		t.Errorf("the error tells where a name leads: %v", err)
	}

	body, err := get(t, Client(Options{Resolver: resolver, AllowHosts: []string{"rebind.example"}}), "http://Rebind.Example:"+port)
	if err != nil || body != "hello" {
		t.Errorf("allowed by name: %q, %v", body, err)
	}
}

func TestResolverIsNotTold(t *testing.T) {
	t.Parallel()
	silent := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no way") }}
	_, err := get(t, Client(Options{Resolver: silent}), "http://nowhere.example")
	if d, ok := errors.AsType[*net.DNSError](err); !ok || d.Server != "" || d.Name != "nowhere.example" {
		t.Errorf("the error tells who was asked: %v", err)
	}
}

// fakeDNS returns a resolver that answers every question for an IPv4 address with what answer says.
func fakeDNS(t *testing.T, answer func(name string) [4]byte) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = server.WriteTo(reply(buf[:n], answer), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// reply answers one DNS query (RFC 1035): its header and question again, then an A record that points back at the name.
func reply(query []byte, answer func(name string) [4]byte) []byte {
	end, name := 12, ""
	for query[end] != 0 {
		name += string(query[end+1:end+1+int(query[end])]) + "."
		end += 1 + int(query[end])
	}
	kind := binary.BigEndian.Uint16(query[end+1:])
	out := append([]byte(nil), query[:end+5]...)
	out[2], out[3] = 0x84, 0x80                     // an authoritative answer
	copy(out[4:12], []byte{0, 1, 0, 0, 0, 0, 0, 0}) // one question, nothing else
	if kind == 1 {                                  // A
		out[7] = 1
		ip := answer(name)
		out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
		out = append(out, ip[:]...)
	}
	return out
}

func TestEnvironmentProxyIsNotUsed(t *testing.T) {
	t.Parallel()
	transport := Client(Options{}).Transport.(*http.Transport)
	if transport.Proxy != nil {
		t.Error("the transport asks for a proxy")
	}
}

func TestAnswerLimits(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			w.WriteHeader(http.StatusTeapot)
		}
		w.Header().Set("X-Long", strings.Repeat("x", 8<<10))
		hello(w, r)
	}))
	t.Cleanup(srv.Close)
	if _, err := get(t, Client(Options{AllowPrivate: true, MaxHeaderBytes: 4 << 10}), srv.URL); err == nil {
		t.Error("long headers were taken")
	}
	if body, err := get(t, Client(Options{AllowPrivate: true}), srv.URL); err != nil || body != "hello" {
		t.Errorf("got %q, %v", body, err)
	}

	done := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-done }))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(done) })
	_, err := get(t, Client(Options{AllowPrivate: true, Timeout: 20 * time.Millisecond}), slow.URL)
	if e, ok := errors.AsType[net.Error](err); !ok || !e.Timeout() {
		t.Errorf("got %v, want a time-out", err)
	}
}
