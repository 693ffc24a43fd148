package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	s3api "github.com/waxwing-messaging/waxwing/internal/awsapi/s3"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/socialmessaging"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/objectstore"
	"github.com/waxwing-messaging/waxwing/internal/objectstore/bucket"
	"github.com/waxwing-messaging/waxwing/internal/outbound"
)

// devBucket is where the media of the development world can go.
const devBucket = "whatsapp-media"

// copyTimeout bounds a copy from or to a presigned URL: 100 MB at a quarter of a megabyte a second.
const copyTimeout = 7 * time.Minute

// buckets is where media come from and go to.
type buckets struct {
	objects   socialmessaging.Objects
	presigned *objectstore.Presigned
	builtin   *bucket.Store // nil when s3.endpoint names another store
	door      http.Handler  // of the built-in buckets
}

// newBuckets opens the built-in buckets, or sets up access to those of s3.endpoint.
func newBuckets(ctx context.Context, a *App, p *parts) (*buckets, error) {
	cfg := a.cfg
	guard := outbound.Options{AllowPrivate: cfg.Outbound.AllowPrivate, AllowHosts: cfg.Outbound.AllowHosts, Timeout: copyTimeout}
	access := objectstore.PresignedOptions{Hosts: cfg.S3.PresignedHosts}
	b := &buckets{}
	if cfg.S3.Endpoint != "" {
		base, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(cfg.Region))
		if err != nil {
			return nil, fmt.Errorf("AWS settings for S3: %w", err)
		}
		b.objects = objectstore.New(objectstore.Options{Endpoint: cfg.S3.Endpoint, Region: cfg.Region, PathStyle: cfg.S3.PathStyle,
			Credentials: base.Credentials, Buckets: cfg.S3.Buckets})
		if u, err := url.Parse(cfg.S3.Endpoint); err == nil { // whoever set it trusts it, wherever it is
			access.Hosts = append(access.Hosts, u.Host)
			guard.AllowHosts = append(guard.AllowHosts, u.Hostname())
		}
	} else {
		store, err := bucket.Open(filepath.Join(cfg.Data, "buckets"))
		if err != nil {
			return nil, err
		}
		inner := bucket.Handler(store)
		origin := cfg.BaseURL(a.api.Addr().String())
		access.Own = origins(origin)
		b.builtin, b.objects = store, store
		b.door = s3api.New(s3api.Options{Region: cfg.Region, Keys: p.directory, Hosts: names(origin), ClockSkew: cfg.Auth.ClockSkew,
			Admit: p.admit, Logger: a.log,
			Serve: func(w http.ResponseWriter, r *http.Request, account string) {
				inner.ServeHTTP(w, bucket.For(r, account))
			}})
		access.Local = objectstore.InProcess{Handler: b.door}
	}
	access.Client = outbound.Client(guard)
	b.presigned = objectstore.NewPresigned(access)
	return b, nil
}

// origins are the ways to write our own, since this machine has two names for itself.
func origins(origin string) []string {
	u, err := url.Parse(origin)
	if err != nil {
		return nil
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && ip.IsLoopback() {
		return []string{origin, u.Scheme + "://" + net.JoinHostPort("localhost", u.Port())}
	}
	return []string{origin}
}

// names are the hosts whose subdomains clients take for buckets.
func names(origin string) []string {
	list := []string{"localhost"}
	if u, err := url.Parse(origin); err == nil {
		if _, err := netip.ParseAddr(u.Hostname()); err != nil {
			list = append(list, u.Hostname())
		}
	}
	return list
}

// seedBucket makes the bucket of the development world.
func (b *buckets) seedBucket() error {
	if b.builtin == nil {
		return nil
	}
	return b.builtin.Ensure(config.DevAccountID, devBucket)
}
