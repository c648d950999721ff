package ingress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"github.com/aictive/keyholder/workflows/durable"
)

// quiet keeps the SDK's chatter out of the test's output.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

var _ log.Logger = quiet{}

// devServer is the one Temporal server of this package's tests, started by the
// first test that needs it and stopped by TestMain.
var devServer struct {
	once    sync.Once
	started *testsuite.DevServer
	err     error
}

func TestMain(m *testing.M) {
	openapi3filter.RegisterBodyDecoder("text/html", openapi3filter.PlainBodyDecoder)
	code := m.Run()
	if devServer.started != nil {
		if err := devServer.started.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop temporal:", err)
		}
	}
	os.Exit(code)
}

// testTemporal is a client of a real Temporal server in memory, with our search
// attributes. The test is skipped where there is no binary: KEYHOLDER_TEMPORAL_BIN,
// temporal on PATH, or bin/temporal of this repository.
func testTemporal(t *testing.T) client.Client {
	t.Helper()
	bin, err := temporalBinary()
	if err != nil {
		t.Skip("needs a Temporal server: ", err)
	}
	devServer.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		args := []string{"--dynamic-config-value", "system.enableActivityEagerExecution=true"}
		for name, kind := range durable.SearchAttributes() {
			args = append(args, "--search-attribute", name+"="+kind.String())
		}
		devServer.started, devServer.err = testsuite.StartDevServer(ctx, testsuite.DevServerOptions{
			ExistingPath: bin, ExtraArgs: args, LogLevel: "error", Stdout: io.Discard, Stderr: io.Discard,
			ClientOptions: &client.Options{Logger: quiet{}},
		})
	})
	require.NoError(t, devServer.err)
	return devServer.started.Client()
}

func temporalBinary() (string, error) {
	if bin := os.Getenv("KEYHOLDER_TEMPORAL_BIN"); bin != "" {
		return bin, nil
	}
	if bin, err := exec.LookPath("temporal"); err == nil {
		return bin, nil
	}
	bin, err := filepath.Abs(filepath.Join("..", "bin", "temporal"))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(bin); err != nil {
		return "", errors.New("set KEYHOLDER_TEMPORAL_BIN, or run make bin/temporal")
	}
	return bin, nil
}
