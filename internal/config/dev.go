package config

import (
	"os"
	"path/filepath"
	"runtime"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// The development world is the same at every start, so that scripts and tests can name what is in it. None of these values
// works outside `waxwing dev`.
const (
	DevAccountID       = "000000000000"
	DevAccessKeyID     = "AKIAWAXWINGDEV000000"
	DevSecretAccessKey = identity.Secret("waxwing-dev-secret-key-not-for-production")
	DevMetaAppID       = "1300000000000001"
	DevMetaAppSecret   = identity.Secret("waxwing-sim-app-secret")
	DevMetaVerifyToken = identity.Secret("waxwing-sim-verify-token")
)

// Dev returns the settings of `waxwing dev`: everything on this machine, with the secrets of the simulated WhatsApp, and
// subscribers on private addresses allowed.
func Dev(dataDir string) Config {
	c := Default()
	c.Data = dataDir
	c.Meta.AppID = DevMetaAppID
	c.Meta.AppSecret = DevMetaAppSecret
	c.Meta.VerifyToken = DevMetaVerifyToken
	c.Outbound.AllowPrivate = true
	c.Log = Log{Level: "info", Format: "text"}
	return c
}

// DevDataDir returns the directory that `waxwing dev` keeps its data in unless told otherwise: a waxwing folder in the user's
// data directory. It is empty when there is none, which validation refuses.
func DevDataDir() string {
	base := os.Getenv("XDG_DATA_HOME")
	if runtime.GOOS == "windows" {
		base = os.Getenv("LocalAppData")
	}
	if base == "" || !filepath.IsAbs(base) {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		base = filepath.Join(home, ".local", "share")
		if runtime.GOOS == "darwin" {
			base = filepath.Join(home, "Library", "Application Support")
		}
	}
	return filepath.Join(base, "waxwing")
}
