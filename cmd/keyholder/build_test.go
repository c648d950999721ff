package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// settledFrom reads the version as the worker does.
func settledFrom(t *testing.T, environment map[string]string) (BuildConfig, error) {
	t.Helper()
	cfg, err := parse[BuildConfig](environment)
	require.NoError(t, err)
	return cfg.settled()
}

func TestAWorkerTakesTheVersionOfItsController(t *testing.T) {
	t.Parallel()
	cfg, err := settledFrom(t, map[string]string{"TEMPORAL_WORKER_BUILD_ID": "v2-abcd", "TEMPORAL_DEPLOYMENT_NAME": "keyholder/worker"})
	require.NoError(t, err)
	require.Equal(t, "v2-abcd", cfg.BuildID)
	require.Equal(t, "keyholder/worker", cfg.Deployment)
	require.Empty(t, cfg.awaited(), "the controller makes a version current when its pods are ready")
}

func TestAWorkerWithoutControllerHasItsOwnVersion(t *testing.T) {
	t.Parallel()
	cfg, err := settledFrom(t, map[string]string{"KEYHOLDER_BUILD_ID": "v1"})
	require.NoError(t, err)
	require.Equal(t, "v1", cfg.BuildID)
	require.Equal(t, "keyholder", cfg.Deployment)
	require.Equal(t, "keyholder", cfg.awaited())
	cfg, err = settledFrom(t, nil)
	require.NoError(t, err)
	require.Empty(t, cfg.BuildID, "no versioning without a build id")
	require.Empty(t, cfg.awaited())
}

func TestTwoVersionsAreRefused(t *testing.T) {
	t.Parallel()
	_, err := settledFrom(t, map[string]string{"KEYHOLDER_BUILD_ID": "v1", "TEMPORAL_WORKER_BUILD_ID": "v2", "TEMPORAL_DEPLOYMENT_NAME": "keyholder/worker"})
	require.ErrorAs(t, err, new(usageError))
	require.ErrorContains(t, err, "leave KEYHOLDER_BUILD_ID out")
	_, err = settledFrom(t, map[string]string{"TEMPORAL_WORKER_BUILD_ID": "v2"})
	require.ErrorAs(t, err, new(usageError))
}
