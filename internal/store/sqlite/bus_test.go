package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/store/storetest"
)

func TestRuleContract(t *testing.T) {
	t.Parallel()
	storetest.RunRules(t, func(t *testing.T) storetest.BusStore {
		return open(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{Exclusive: true})
	})
}
