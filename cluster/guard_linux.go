package cluster

import (
	"os/exec"
	"syscall"
)

// guarded prepares a command in a process group of its own that the kernel kills
// when the thread that started it ends: the caller must keep that thread
// (runtime.LockOSThread) until the command has ended. release frees what guards
// it.
func guarded(binary string, args ...string) (cmd *exec.Cmd, release func(), err error) {
	cmd = exec.Command(binary, args...) //nolint:noctx // the server outlives the context of its start; Stop ends it
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd, func() {}, nil
}
