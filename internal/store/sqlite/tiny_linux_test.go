package sqlite

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// inTinyFileSystem runs a command in a mount namespace in which a directory, named by the environment variable tiny, is a file system
// of a size of its own. It returns ErrUnsupported where that is not allowed.
func inTinyFileSystem(t *testing.T, size int, cmd *exec.Cmd) ([]byte, error) {
	t.Helper()
	dir := t.TempDir()
	mount := fmt.Sprintf(`mount -t tmpfs -o size=%d,mode=700 waxwing-test "$0" || exit 77; exec "$@"`, size)
	wrapped := exec.CommandContext(t.Context(), "/bin/sh", append([]string{"-c", mount, dir}, cmd.Args...)...)
	wrapped.Env = append(os.Environ(), tiny+"="+dir)
	wrapped.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
	out, err := wrapped.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() == 77) {
		return nil, fmt.Errorf("%w: %s", errors.ErrUnsupported, out)
	}
	return out, err
}
