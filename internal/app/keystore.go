package app

import (
	"context"
	"fmt"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/socialmessaging"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/kms"
)

// newKeyStore sets up access to the keys at kms.endpoint; without one there are none.
func newKeyStore(ctx context.Context, cfg *config.Config) (socialmessaging.KeyStore, error) {
	if cfg.KMS.Endpoint == "" {
		return nil, nil
	}
	base, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(cfg.Region))
	if err != nil {
		return nil, fmt.Errorf("AWS settings for KMS: %w", err)
	}
	return kms.New(kms.Options{Endpoint: cfg.KMS.Endpoint, Region: cfg.Region, Credentials: base.Credentials}), nil
}
