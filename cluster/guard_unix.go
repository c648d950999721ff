//go:build unix && !linux

package cluster

import "os/exec"

// guarded prepares a command in a process group of its own that ends when this
// process does. These systems cannot tie a child's life to its parent's, so a
// shell watches over it (watched).
func guarded(binary string, args ...string) (cmd *exec.Cmd, release func(), err error) {
	return watched(binary, args...)
}
