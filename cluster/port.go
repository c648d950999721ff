package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// PortTakenError tells that a port which we need is in use by another program.
type PortTakenError struct {
	// Use is what the port is needed for, such as "the Web UI".
	Use  string
	Port int
}

// Error names the port and what it was meant for.
func (e *PortTakenError) Error() string {
	return fmt.Sprintf("port %d, needed for %s, is in use by another program", e.Port, e.Use)
}

// ProbePort tells whether we could listen on a loopback port now. The error is
// *PortTakenError where somebody else does.
func ProbePort(ctx context.Context, use string, port int) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", loopback(port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return &PortTakenError{Use: use, Port: port}
	}
	if err != nil {
		return fmt.Errorf("port %d, needed for %s: %w", port, use, err)
	}
	return l.Close()
}

// FreePort is a loopback port that nobody uses now.
func FreePort(ctx context.Context) (int, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", loopback(0))
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
