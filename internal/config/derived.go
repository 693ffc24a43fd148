package config

import (
	"net"
	"net/netip"
	"path/filepath"
	"strings"
)

const (
	sqliteScheme = "sqlite:"
	databaseFile = "waxwing.db"
	keyFile      = "waxwing.key"
)

// SQLitePath returns the path of the database file.
func (c *Config) SQLitePath() string {
	if path, ok := strings.CutPrefix(c.Store.URL, sqliteScheme); ok {
		return path
	}
	return filepath.Join(c.Data, databaseFile)
}

// KeyPath returns the path of the file with the encryption keys.
func (c *Config) KeyPath() string {
	if c.Secrets.KeyFile != "" {
		return c.Secrets.KeyFile
	}
	return filepath.Join(filepath.Dir(c.SQLitePath()), keyFile)
}

// GraphURL returns the base URL of the Graph API, without a trailing slash.
func (c *Config) GraphURL() string {
	if c.Meta.BaseURL == "" {
		return MetaURL
	}
	return strings.TrimRight(c.Meta.BaseURL, "/")
}

// TLSEnabled reports whether the API speaks TLS.
func (c *Config) TLSEnabled() bool { return c.TLS.CertFile != "" }

// BaseURL returns the URL under which others reach the API, without a trailing slash. addr is the address really listened on,
// which differs from Listen when that asked for any free port.
func (c *Config) BaseURL(addr string) string {
	if c.PublicURL != "" {
		return strings.TrimRight(c.PublicURL, "/")
	}
	scheme := "http://"
	if c.TLSEnabled() {
		scheme = "https://"
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return scheme + addr
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + net.JoinHostPort(host, port)
}

// loopback reports whether only this machine can reach a listen address.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
