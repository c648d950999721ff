//go:build !unix

package cluster

import (
	"os"
	"os/exec"
)

// guarded prepares a plain command: on this system a dev server outlives a
// parent that is killed.
func guarded(binary string, args ...string) (cmd *exec.Cmd, release func(), err error) {
	cmd = exec.Command(binary, args...) //nolint:noctx // the server outlives the context of its start; Stop ends it
	return cmd, func() {}, nil
}

func killGroup(p *os.Process) error { return p.Kill() }
