package cluster_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/cluster"
)

// fake writes a program named temporal that says a version, and returns its
// path.
func fake(t *testing.T, dir, says string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	path := filepath.Join(dir, "temporal")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\necho '"+says+"'\n"), 0o755))
	return path
}

const (
	current = "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)"
	older   = "temporal version 1.4.9 (Server 1.28.0, UI 2.40.0)"
)

// Not parallel: it changes the environment and the current folder.
func TestFindTemporal(t *testing.T) {
	onPath, project := t.TempDir(), t.TempDir()
	t.Setenv("PATH", onPath+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv(cluster.BinaryVariable, "")
	inner := filepath.Join(project, "worker", "e2e")
	require.NoError(t, os.MkdirAll(inner, 0o755))
	t.Chdir(inner)

	fake(t, onPath, older)
	_, err := cluster.FindTemporal()
	require.ErrorContains(t, err, "is version 1.4, needed is 1.5 or later")
	require.ErrorContains(t, err, "make bin/temporal")

	built := fake(t, filepath.Join(project, "bin"), "temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)")
	found, err := cluster.FindTemporal()
	require.NoError(t, err)
	require.Equal(t, built, found, "the one on PATH is too old")

	first := fake(t, onPath, current)
	found, err = cluster.FindTemporal()
	require.NoError(t, err)
	require.Equal(t, first, found, "PATH comes before bin")

	chosen := fake(t, t.TempDir(), "temporal version 2.0.0 (Server 2.0.0, UI 3.0.0)")
	t.Setenv(cluster.BinaryVariable, chosen)
	found, err = cluster.FindTemporal()
	require.NoError(t, err)
	require.Equal(t, chosen, found)

	for says, want := range map[string]string{
		"temporal version 0.0.0-DEV (Server 1.28.1, UI 2.42.1)": "needed is 1.5 or later",
		"hello": "no version line",
	} {
		t.Setenv(cluster.BinaryVariable, fake(t, t.TempDir(), says))
		_, err = cluster.FindTemporal()
		require.ErrorContains(t, err, cluster.BinaryVariable)
		require.ErrorContains(t, err, want, "a chosen binary that does not fit is an error, not passed over")
	}
}
