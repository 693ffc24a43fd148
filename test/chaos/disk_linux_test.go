package chaos

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
)

// disk is a file system of the test's own, whose size can be changed at any time.
type disk struct{ path string }

// ownDisk is set, in the process that has it, to where it is mounted.
const ownDisk = "WAXWING_CHAOS_DISK"

// plenty is more than a test can write.
const plenty = 8 << 30

// withDisk runs the test in a process that has a file system of its own, mounted in a namespace of its own, and reports whether that
// process did it all. Where file systems cannot be mounted the test goes on without.
func withDisk(t *testing.T) (done bool) {
	t.Helper()
	if os.Getenv(ownDisk) != "" {
		return false
	}
	dir := t.TempDir()
	const cannot = 77
	mount := fmt.Sprintf(`mount -t tmpfs -o size=%d,mode=700 waxwing-chaos "$0" || exit %d; exec "$@"`, int64(plenty), cannot)
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", mount, dir, os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$",
		"-test.timeout="+flag.Lookup("test.timeout").Value.String())
	cmd.Env = append(os.Environ(), ownDisk+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
	runtime.LockOSThread() // the process ends with the thread that started it
	defer runtime.UnlockOSThread()
	out, err := cmd.CombinedOutput()
	exit, ended := errors.AsType[*exec.ExitError](err)
	if err != nil && (!ended || exit.ExitCode() == cannot) {
		t.Logf("no file system can be mounted here, so the database is bounded instead of the disk: %v %s", err, out)
		return false
	}
	t.Logf("in a process of its own:\n%s", out)
	if err != nil {
		t.Error(err)
	}
	return true
}

// newDisk returns the disk of this process, nil if there is none.
func newDisk() *disk {
	if dir := os.Getenv(ownDisk); dir != "" {
		return &disk{dir}
	}
	return nil
}

// leave makes the file system so large that there is room for that many bytes.
func (d *disk) leave(t *testing.T, bytes int64) {
	t.Helper()
	var err error
	for range 100 { // somebody may write just now
		var s syscall.Statfs_t
		if err = syscall.Statfs(d.path, &s); err != nil {
			break
		}
		size := int64(s.Blocks-s.Bfree)*s.Bsize + bytes
		if err = syscall.Mount("waxwing-chaos", d.path, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", size)); err == nil {
			return
		}
	}
	t.Errorf("resize the file system: %v", err)
}
