package app

import (
	"crypto/tls"
	"fmt"
	"maps"
	"slices"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/config"
)

// Check tells what is wrong with valid settings that only a node could know, one problem a line. It starts and opens nothing.
func Check(cfg config.Config) (problems []string) {
	hollow := &parts{buckets: &buckets{}} // the tables of operations, with nothing behind them
	services := hollow.services(&App{cfg: &cfg}, nil)
	for _, name := range slices.Sorted(maps.Keys(cfg.Limits)) {
		known := slices.ContainsFunc(services, func(s awsapi.Service) bool {
			return slices.ContainsFunc(s.Operations, func(o awsapi.Operation) bool { return o.Name == name })
		})
		if !known {
			problems = append(problems, fmt.Sprintf("limits.%s: there is no operation of that name", name))
		}
	}
	if cfg.TLSEnabled() {
		if _, err := tls.LoadX509KeyPair(cfg.TLS.CertFile, cfg.TLS.KeyFile); err != nil {
			problems = append(problems, fmt.Sprintf("tls: %s", err))
		}
	}
	return problems
}
