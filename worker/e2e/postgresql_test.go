package e2e_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	deploymentpb "go.temporal.io/api/deployment/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"

	keyholderworker "github.com/aictive/keyholder/worker"
	"github.com/aictive/keyholder/worker/e2e"
)

// patience is how long anything may take on a server with its database on a slow machine.
const patience = 2 * time.Minute

// operated is an installation on PostgreSQL, and what an operator does with it.
type operated struct {
	*e2e.Installation
	s       *e2e.Stack
	ingress *e2e.Process
	workers map[string]*e2e.Process
	ready   map[string]string
}

// The growth path, played: Temporal's own server and the store on PostgreSQL, mutual TLS,
// encrypted payloads, and workers in two builds. Each story goes on where the last one
// ended.
func TestPostgreSQL(t *testing.T) {
	server := os.Getenv(e2e.ServerVariable)
	if server == "" {
		t.Skipf("needs Temporal's server, which make e2e-postgres builds, and %s", e2e.ServerVariable)
	}
	_, err := temporal()
	require.NoError(t, err)
	o := operate(t, server)
	for _, story := range []struct {
		name string
		play func(*testing.T, *operated)
	}{
		{"the cluster is set up", setUp},
		{"a versioned worker waits for its version", waitsForVersion},
		{"an emergency is seen to", seenTo},
		{"a second build takes over, half of the work first", takesOver},
		{"the old build comes back", comesBack},
		{"the server is killed", serverKilled},
		{"PostgreSQL is restarted under webhooks", databaseRestarted},
		{"all list filters of the documentation work", filtersWork},
		{"nothing differs", nothingDiffers},
		{"webhooks a second", perSecond},
	} {
		began := time.Now()
		if !t.Run(story.name, func(t *testing.T) { story.play(t, o) }) {
			return
		}
		t.Logf("%s: %s", story.name, time.Since(began).Round(time.Second))
	}
}

// The settings of the server are known to the version of it that is pinned.
func TestPostgreSQLServerKnowsOurSettings(t *testing.T) {
	server := os.Getenv(e2e.ServerVariable)
	if server == "" {
		t.Skipf("needs Temporal's server, which make e2e-postgres builds, and %s", e2e.ServerVariable)
	}
	out, err := exec.CommandContext(t.Context(), server, "validate-dynamic-config", filepath.Join(repo, "cluster", "dynamicconfig.yaml")).CombinedOutput()
	require.NoError(t, err, string(out))
	require.NotContains(t, string(out), "warning", "a setting that this server does not know")
	require.NotContains(t, string(out), "error")
}

// operate installs everything until the end of the test.
func operate(t *testing.T, server string) *operated {
	t.Helper()
	i, err := e2e.Install(t.Context(), keyholder(), server, repo, t.TempDir(), capless(t))
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := i.Remove(); err != nil {
			t.Errorf("it did not stop cleanly: %v", err)
		}
		if t.Failed() {
			t.Logf("it said:\n%s", i.Output())
		}
	})
	return &operated{Installation: i, s: i.Doors, workers: map[string]*e2e.Process{}, ready: map[string]string{}}
}

// capless is the steady policy for many reports of one tenant: it writes about all of
// them on the same day.
func capless(t *testing.T) string {
	t.Helper()
	return steady(t, "caps: {routine_per_day: 6}", "caps: {routine_per_day: 1000}")
}

// keyholder runs a command in the environment and requires that it succeeds.
func (o *operated) keyholder(t *testing.T, args ...string) string {
	t.Helper()
	return o.run(t, keyholder(), args...)
}

// run returns what a command prints on its standard output, and requires that it succeeds.
func (o *operated) run(t *testing.T, binary string, args ...string) string {
	t.Helper()
	said, why, code := o.try(t, binary, args...)
	require.Zero(t, code, "%s: %s %s", strings.Join(args, " "), said, why)
	return said
}

// try runs a command to its end.
func (o *operated) try(t *testing.T, binary string, args ...string) (said, why string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var out, errs strings.Builder
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), o.Env...), &out, &errs
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		require.NoError(t, err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// worker runs a worker of a build.
func (o *operated) worker(t *testing.T, build string) {
	t.Helper()
	w, ready, err := o.Worker(t.Context(), build)
	require.NoError(t, err)
	o.workers[build], o.ready[build] = w, ready
}

// deployment runs a command about the versions of the worker, which ask before they act,
// and waits until the server has told all task queues.
func (o *operated) deployment(t *testing.T, command, build string, more ...string) {
	t.Helper()
	binary, err := temporal()
	require.NoError(t, err)
	args := append([]string{"worker", "deployment", command, "--deployment-name", keyholderworker.DefaultDeployment, "--build-id", build, "--yes"}, more...)
	// A build is known once its workers have asked every task queue for work.
	require.Eventually(t, func() bool {
		_, why, code := o.try(t, binary, args...)
		if code != 0 {
			t.Logf("%s %s: %s", command, build, why)
		}
		return code == 0
	}, patience, time.Second, "%s %s", command, build)
	require.Eventually(t, func() bool {
		d, err := o.s.Client.WorkflowService().DescribeWorkerDeployment(t.Context(), &workflowservice.DescribeWorkerDeploymentRequest{
			Namespace: namespaceOfProfile, DeploymentName: keyholderworker.DefaultDeployment,
		})
		return err == nil && d.GetWorkerDeploymentInfo().GetRoutingConfigUpdateState() != enumspb.ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS
	}, patience, 100*time.Millisecond)
}

// namespaceOfProfile is the one that deploy/temporal/temporal.toml names.
const namespaceOfProfile = "keyholder"

// build is the one that had a workflow's last task, "" where there was none yet.
func (o *operated) build(t *testing.T, workflowID string) string {
	t.Helper()
	d, err := o.s.Client.DescribeWorkflowExecution(t.Context(), workflowID, "")
	require.NoError(t, err)
	return d.GetWorkflowExecutionInfo().GetVersioningInfo().GetDeploymentVersion().GetBuildId()
}

// requireBuild waits until a workflow has moved to a build.
func (o *operated) requireBuild(t *testing.T, build, workflowID string) {
	t.Helper()
	require.Eventually(t, func() bool { return o.build(t, workflowID) == build }, patience, 100*time.Millisecond, "%s on build %s", workflowID, build)
}

// closed waits until the workflow of a work order has completed.
func (o *operated) closed(t *testing.T, workOrderID string) {
	t.Helper()
	err := o.s.UntilClosed(t.Context(), workOrderID, patience)
	if err != nil {
		d, why := o.s.Describe(t.Context(), workOrderID)
		require.NoError(t, err, "%+v %v", d, why)
	}
}

// drained waits until no open workflow needs a build.
func (o *operated) drained(t *testing.T, build string) {
	t.Helper()
	require.Eventually(t, func() bool {
		d, err := o.s.Client.WorkflowService().DescribeWorkerDeploymentVersion(t.Context(), &workflowservice.DescribeWorkerDeploymentVersionRequest{
			Namespace:         namespaceOfProfile,
			DeploymentVersion: &deploymentpb.WorkerDeploymentVersion{DeploymentName: keyholderworker.DefaultDeployment, BuildId: build},
		})
		return err == nil && d.GetWorkerDeploymentVersionInfo().GetDrainageInfo().GetStatus() == enumspb.VERSION_DRAINAGE_STATUS_DRAINED
	}, patience, 250*time.Millisecond, "build %s drained", build)
}

// readiness is what a worker's /readyz says.
func (o *operated) readiness(t *testing.T, build string) (status int, why string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, o.ready[build], nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}
