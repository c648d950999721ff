package cluster_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.uber.org/goleak"

	"github.com/aictive/keyholder/cluster"
)

// shared is the one dev server that most tests of this package use, each with
// its own workflow ids or namespace.
var shared = sync.OnceValues(func() (*cluster.DevServer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	begun.Store(true)
	return cluster.StartDevServer(ctx, cluster.DevServerOptions{})
})

// begun tells whether a test has asked for the shared server.
var begun atomic.Bool

func TestMain(m *testing.M) {
	if os.Getenv(holdVariable) != "" {
		os.Exit(hold())
	}
	code := m.Run()
	if begun.Load() {
		if server, err := shared(); err == nil {
			if err := server.Close(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// needTemporal skips where there is no temporal binary to run.
func needTemporal(t *testing.T) {
	t.Helper()
	if _, err := cluster.FindTemporal(); err != nil {
		t.Skipf("needs Temporal's dev server: %v", err)
	}
}

func devServer(t *testing.T) *cluster.DevServer {
	t.Helper()
	needTemporal(t)
	server, err := shared()
	require.NoError(t, err)
	return server
}

func dial(t *testing.T, o cluster.Options) client.Client {
	t.Helper()
	o.Plain = true
	c, err := cluster.Dial(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}
