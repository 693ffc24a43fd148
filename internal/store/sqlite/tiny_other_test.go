//go:build !linux

package sqlite

import (
	"errors"
	"os/exec"
	"testing"
)

func inTinyFileSystem(*testing.T, int, *exec.Cmd) ([]byte, error) { return nil, errors.ErrUnsupported }
