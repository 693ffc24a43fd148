//go:build !linux

package chaos

import "testing"

// disk needs Linux: elsewhere the size of the database is bounded instead.
type disk struct{ path string }

const plenty = 8 << 30

func withDisk(*testing.T) bool { return false }

func newDisk() *disk { return nil }

func (*disk) leave(*testing.T, int64) {}
