package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// TestServeTLS runs a production node behind a certificate of its own: clients that trust it get the API, over HTTP/2 too, and
// nobody gets anything in plain text.
func TestServeTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.OpsListen = dir, "127.0.0.1:0", ""
	cfg.TLS.CertFile, cfg.TLS.KeyFile = certificate(t, dir)
	key, err := CreateAccount(t.Context(), cfg, identity.Account{ID: "123456789012", Alias: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := CreateAccount(t.Context(), cfg, identity.Account{ID: "123456789012"}); !fault.Is(err, fault.Conflict) {
		t.Errorf("the same account again: %v, want Conflict", err)
	}
	a, err := New(t.Context(), Options{Config: cfg, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	client := trusting(t, cfg.TLS.CertFile)
	sts := awsapitest.Client{URL: "https://" + a.APIAddr(), HTTP: client, Service: "sts", Key: key}
	res := sts.Do(t, http.MethodPost, "/", url.Values{"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}})
	if res.Status != http.StatusOK || !strings.Contains(string(res.Body), "123456789012") {
		t.Errorf("GetCallerIdentity over TLS: %d %s", res.Status, res.Body)
	}
	if health, err := client.Get("https://" + a.APIAddr() + "/healthz"); err != nil || health.ProtoMajor != 2 {
		t.Errorf("health over TLS: %+v, %v; want HTTP/2", health, err)
	} else {
		health.Body.Close()
	}
	plain, err := http.Get("http://" + a.APIAddr() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	plain.Body.Close()
	if plain.StatusCode == http.StatusOK {
		t.Error("the API answers in plain text")
	}
}

// TestDevelopmentOverTLS has the simulated WhatsApp call back over TLS, with a certificate that nobody else has heard of.
func TestDevelopmentOverTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, dir, func(c *config.Config) { c.TLS.CertFile, c.TLS.KeyFile = certificate(t, dir) })
	n.api.URL, n.api.HTTP = "https://"+n.APIAddr(), trusting(t, filepath.Join(dir, "cert.pem"))
	n.waitState(t, n.send(t, template), "delivered", 0)
}

// trusting returns a client that trusts a certificate.
func trusting(t *testing.T, certFile string) *http.Client {
	t.Helper()
	trusted, err := os.ReadFile(certFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(trusted)
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// certificate writes a self-signed certificate for 127.0.0.1 and its key.
func certificate(t *testing.T, dir string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}
