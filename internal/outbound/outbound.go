// Package outbound builds HTTP clients for URLs that came from outside: subscriptions, presigned URLs, webhooks. Such a client
// cannot be talked into reaching what only this machine can reach.
//
// The decision is made about the address a connection is about to be opened to, after the name was resolved and for every
// attempt and redirect anew; a name that changes its mind in between gains nothing. Proxies of the environment are not used:
// they would resolve names themselves.
package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// Options configure a client. The zero value reaches the public Internet only.
type Options struct {
	AllowPrivate bool     // no address is refused: for development
	AllowHosts   []string // hosts that may have any address: names, addresses, or networks such as 10.1.0.0/16

	Timeout             time.Duration // of a whole exchange, body included; default 15 s
	DialTimeout         time.Duration // default 5 s
	MaxRedirects        int           // default 3; less than 0 follows none
	MaxIdleConnsPerHost int           // default 8
	MaxIdleConns        int           // default 256
	MaxHeaderBytes      int64         // of an answer; default 64 KiB
	Resolver            *net.Resolver // default the system's
}

// Refused is why a connection was not opened or a redirect not followed. It is found in the error of the request with
// errors.As.
type Refused struct {
	Target string // host and port as they were named, or the scheme and host of a redirect
	Reason string
}

func (r *Refused) Error() string { return "connection to " + r.Target + " refused: " + r.Reason }

// Client returns a new client with a connection pool of its own. Compression is left to the caller, so that a small answer
// cannot unpack into a large one.
func Client(o Options) *http.Client {
	g := newGuard(o)
	timeout := orDefault(o.Timeout, 15*time.Second)
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: redirects(orDefault(o.MaxRedirects, 3)),
		Transport: &http.Transport{
			Proxy:                  nil,
			DialContext:            g.dial,
			ForceAttemptHTTP2:      true,
			DisableCompression:     true,
			TLSHandshakeTimeout:    min(timeout, 10*time.Second),
			ResponseHeaderTimeout:  timeout,
			IdleConnTimeout:        60 * time.Second,
			MaxIdleConns:           orDefault(o.MaxIdleConns, 256),
			MaxIdleConnsPerHost:    orDefault(o.MaxIdleConnsPerHost, 8),
			MaxResponseHeaderBytes: orDefault(o.MaxHeaderBytes, 64<<10),
		},
	}
}

func orDefault[T int | int64 | time.Duration](v, or T) T {
	if v == 0 {
		return or
	}
	return v
}

// guard decides about addresses.
type guard struct {
	open     net.Dialer // asks nobody
	checked  net.Dialer
	anything bool
	names    map[string]bool
	networks []netip.Prefix
}

func newGuard(o Options) *guard {
	g := &guard{anything: o.AllowPrivate, names: make(map[string]bool)}
	for _, host := range o.AllowHosts {
		if network, err := netip.ParsePrefix(host); err == nil {
			g.networks = append(g.networks, network.Masked())
		} else if address, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
			address = address.Unmap().WithZone("")
			g.networks = append(g.networks, netip.PrefixFrom(address, address.BitLen()))
		} else {
			g.names[canonical(host)] = true
		}
	}
	g.open = net.Dialer{Timeout: orDefault(o.DialTimeout, 5*time.Second), KeepAlive: 30 * time.Second, Resolver: o.Resolver}
	g.checked = g.open
	g.checked.Control = g.control
	return g
}

func canonical(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	dialer := &g.checked
	if g.anything || g.names[canonical(host)] {
		dialer = &g.open
	}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, discreet(err, address)
	}
	return conn, nil
}

// discreet keeps to ourselves what only this network knows: where a name leads in it, and which server has been asked. The owner of the
// URL is shown the error.
func discreet(err error, address string) error {
	if r, ok := errors.AsType[*Refused](err); ok {
		return &Refused{Target: address, Reason: r.Reason}
	}
	if d, ok := errors.AsType[*net.DNSError](err); ok {
		told := *d
		told.Server = ""
		return &told
	}
	return err
}

// control is called with each resolved address just before the connection is opened.
func (g *guard) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return &Refused{Target: address, Reason: "not an address"}
	}
	kind := classify(to.Addr())
	if kind == "" {
		return nil
	}
	plain := to.Addr().Unmap().WithZone("")
	for _, network := range g.networks {
		if network.Contains(plain) {
			return nil
		}
	}
	return &Refused{Target: address, Reason: fmt.Sprintf("%s addresses are not allowed (outbound.allow_hosts)", kind)}
}

// redirects follows at most the given number, never from https to http, and does not tell the next host where it came from:
// the URL may hold a secret. Where a redirect leads is checked when it is dialled.
func redirects(most int) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, via []*http.Request) error {
		target := r.URL.Scheme + "://" + r.URL.Host
		switch {
		case len(via) > max(most, 0):
			return &Refused{Target: target, Reason: "too many redirects"}
		case r.URL.Scheme != "http" && r.URL.Scheme != "https":
			return &Refused{Target: target, Reason: "redirect to another protocol"}
		case via[len(via)-1].URL.Scheme == "https" && r.URL.Scheme == "http":
			return &Refused{Target: target, Reason: "redirect from https to http"}
		}
		r.Header.Del("Referer")
		return nil
	}
}
