package topic

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// Sealer encrypts what is stored. The associated data must be the same on both ways.
type Sealer interface {
	Seal(plaintext, associated []byte) ([]byte, error)
	Open(sealed, associated []byte) ([]byte, error)
}

// settings keeps small sealed values under a name.
type settings interface {
	// Setting returns nil for a name that was never stored.
	Setting(ctx context.Context, name string) ([]byte, error)
	// InitSetting stores the value unless there is one, and returns what is stored then.
	InitSetting(ctx context.Context, name string, sealed []byte) ([]byte, error)
}

const (
	signingKeySetting = "topics.signing-key"
	signingKeyBits    = 2048
	certificateLife   = 20 * 365 * 24 * time.Hour
)

// Signer signs documents with a key of the installation, RSA with 2048 bits and a self-signed certificate. The key is made
// and stored at its first use, because making one takes longer than a whole start should. All nodes use the same.
type Signer struct {
	settings settings
	sealer   Sealer
	now      func() time.Time

	mu     sync.Mutex
	loaded *credentials
}

type credentials struct {
	key *rsa.PrivateKey
	pem []byte // certificate
	id  string // names the certificate in its URL
}

// NewSigner returns a signer whose key is kept in settings.
func NewSigner(s settings, sealer Sealer, now func() time.Time) *Signer {
	return &Signer{settings: s, sealer: sealer, now: now}
}

// Certificate returns the PEM certificate with an id out of a SigningCertURL, nil if there is none.
func (s *Signer) Certificate(ctx context.Context, id string) ([]byte, error) {
	c, err := s.credentials(ctx, false)
	if err != nil || c == nil || c.id != id {
		return nil, err
	}
	return c.pem, nil
}

// sign returns the base64 signature of a text in a version.
func (c *credentials) sign(version string, text []byte) (string, error) {
	hash, digest := crypto.SHA1, []byte(nil)
	if version == SHA256 {
		sum := sha256.Sum256(text)
		hash, digest = crypto.SHA256, sum[:]
	} else {
		sum := sha1.Sum(text) // version 1 of the format is defined with it
		digest = sum[:]
	}
	signature, err := rsa.SignPKCS1v15(nil, c.key, hash, digest)
	return base64.StdEncoding.EncodeToString(signature), err
}

// credentials returns the key, loading it and, if asked, making it.
func (s *Signer) credentials(ctx context.Context, create bool) (*credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loaded != nil {
		return s.loaded, nil
	}
	sealed, err := s.settings.Setting(ctx, signingKeySetting)
	if err != nil {
		return nil, fmt.Errorf("load signing key: %w", err)
	}
	if sealed == nil {
		if !create {
			return nil, nil
		}
		if sealed, err = s.create(ctx); err != nil {
			return nil, fmt.Errorf("create signing key: %w", err)
		}
	}
	plain, err := s.sealer.Open(sealed, []byte(signingKeySetting))
	if err != nil {
		return nil, fmt.Errorf("open signing key: %w", err)
	}
	if s.loaded, err = parseCredentials(plain); err != nil {
		return nil, fmt.Errorf("read signing key: %w", err)
	}
	return s.loaded, nil
}

// create makes a key and stores it, unless another node was faster: then that one's counts.
func (s *Signer) create(ctx context.Context) ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, signingKeyBits)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	now := s.now()
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Organization: []string{"Waxwing"}, CommonName: "Waxwing topics"},
		NotBefore:    now.Add(-24 * time.Hour),
		NotAfter:     now.Add(certificateLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	plain := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	plain = append(plain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})...)
	sealed, err := s.sealer.Seal(plain, []byte(signingKeySetting))
	if err != nil {
		return nil, err
	}
	return s.settings.InitSetting(ctx, signingKeySetting, sealed)
}

func parseCredentials(plain []byte) (*credentials, error) {
	private, rest := pem.Decode(plain)
	cert, _ := pem.Decode(rest)
	if private == nil || cert == nil {
		return nil, fmt.Errorf("expected a key and a certificate")
	}
	key, err := x509.ParsePKCS8PrivateKey(private.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("expected an RSA key, not %T", key)
	}
	sum := sha256.Sum256(cert.Bytes)
	return &credentials{key: signer, pem: pem.EncodeToMemory(cert), id: hex.EncodeToString(sum[:16])}, nil
}
