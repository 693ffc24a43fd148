package bucket_test

import (
	"context"
	"net"
	"net/http/httptest"
)

// dialTo connects to a test server whatever the address.
func dialTo(server *httptest.Server) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", server.Listener.Addr().String())
	}
}
