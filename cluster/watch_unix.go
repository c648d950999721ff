//go:build unix

package cluster

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// watchScript runs its arguments, hands SIGTERM on to them, and kills them when
// its standard input ends, which is when the parent closes it or dies.
const watchScript = `
exec 3<&0
child= asked=
trap 'asked=1; [ -z "$child" ] || kill -TERM $child 2>/dev/null' TERM
"$@" </dev/null 3<&- & child=$!
[ -z "$asked" ] || kill -TERM $child
( trap '' TERM; cat >/dev/null; kill -KILL $child 2>/dev/null ) <&3 >/dev/null 2>&1 & watcher=$!
exec 3<&-
wait $child; code=$?
while kill -0 $child 2>/dev/null; do wait $child; code=$?; done
kill -KILL $watcher 2>/dev/null
exit $code
`

// watched prepares a command under a shell that ends it when this process ends.
// It is for systems without Linux's parent-death signal. release ends the watch.
func watched(binary string, args ...string) (cmd *exec.Cmd, release func(), err error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	cmd = exec.Command("/bin/sh", append([]string{"-c", watchScript, "watch", binary}, args...)...) //nolint:noctx // the server outlives the context of its start; Stop ends it
	cmd.Stdin = read
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd, func() { ignore(read.Close(), write.Close()) }, nil
}

// ignore is for errors of closing our own pipe, which change nothing.
func ignore(...error) {}

// killGroup kills the process and all that it started.
func killGroup(p *os.Process) error {
	err := syscall.Kill(-p.Pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}
