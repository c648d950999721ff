package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// BinaryVariable names the environment variable that says which temporal binary
// to use.
const BinaryVariable = "KEYHOLDER_TEMPORAL_BIN"

// FindTemporal finds Temporal's command line tool, 1.5 or later: where
// KEYHOLDER_TEMPORAL_BIN says, else on PATH, else bin/temporal in this folder or
// one above it. The error lists what was looked at and says how to build one.
func FindTemporal() (string, error) {
	if path := os.Getenv(BinaryVariable); path != "" {
		if err := suitable(path); err != nil {
			return "", fmt.Errorf("%s: %w", BinaryVariable, err)
		}
		return path, nil
	}
	var tried []error
	if path, err := exec.LookPath("temporal"); err == nil {
		if err = suitable(path); err == nil {
			return path, nil
		}
		tried = append(tried, err)
	}
	path, err := builtTemporal()
	if err == nil {
		if err = suitable(path); err == nil {
			return path, nil
		}
	}
	tried = append(tried, err, errors.New("no temporal 1.5 or later found: run `make bin/temporal` (about 5 minutes), or set "+BinaryVariable))
	return "", errors.Join(tried...)
}

// builtTemporal is bin/temporal of this folder or the nearest one above.
func builtTemporal() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		path := filepath.Join(dir, "bin", "temporal")
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path, nil
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", errors.New("no bin/temporal in this folder or above")
		}
		dir = above
	}
}

var versionLine = regexp.MustCompile(`temporal version (\d+)\.(\d+)\.\d+(\S*) \(Server (\d+)\.(\d+)\.`)

// suitable asks the binary for its version. One built without a version calls
// itself 0.0.0-DEV and is judged by its server: 1.5 came with server 1.29.
func suitable(path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return fmt.Errorf("%s --version: %w", path, err)
	}
	m := versionLine.FindSubmatch(out)
	if m == nil {
		return fmt.Errorf("%s is not Temporal's command line tool: it has no version line", path)
	}
	if string(m[3]) == "-DEV" && atLeast(m[4], m[5], 1, 29) || atLeast(m[1], m[2], 1, 5) {
		return nil
	}
	return fmt.Errorf("%s is version %s.%s, needed is 1.5 or later", path, m[1], m[2])
}

func atLeast(major, minor []byte, wantMajor, wantMinor int) bool {
	a, errA := strconv.Atoi(string(major))
	b, errB := strconv.Atoi(string(minor))
	return errA == nil && errB == nil && (a > wantMajor || a == wantMajor && b >= wantMinor)
}
