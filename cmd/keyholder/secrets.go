package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"strings"

	"github.com/caarlos0/env/v11"
)

const (
	// fileSuffix makes a variable name a file that holds the value, as secrets of
	// containers are mounted.
	fileSuffix = "_FILE"
	// maxSecret bounds such a file: a wrong path may be anything.
	maxSecret = 64 << 10
)

// devConfig is all that "keyholder dev" may be told.
type devConfig struct {
	Ingress ingressConfig
	Worker  workerConfig
	Sandbox sandboxEnv
}

// withFiles puts the contents of files in the place of the variables that name
// them: for each variable NAME of a configuration, NAME_FILE. It says at once what
// is wrong with any of them.
func withFiles[C any](environment map[string]string) (map[string]string, error) {
	params, err := env.GetFieldParams(new(C))
	if err != nil {
		return nil, err
	}
	filled := maps.Clone(environment)
	var wrong []string
	for _, p := range params {
		file := p.Key + fileSuffix
		path := filled[file]
		if path == "" {
			continue
		}
		// Read once: a configuration may have a variable in two groups.
		delete(filled, file)
		if filled[p.Key] != "" {
			wrong = append(wrong, fmt.Sprintf("  %s and %s are both set; keep one", p.Key, file))
			continue
		}
		if filled[p.Key], err = readSecret(path); err != nil {
			wrong = append(wrong, fmt.Sprintf("  %s: %v", file, err))
		}
	}
	if len(wrong) > 0 {
		return nil, usageError{fmt.Errorf("variables cannot be read from their files:\n%s", strings.Join(wrong, "\n"))}
	}
	return filled, nil
}

// readSecret reads a file without the line end that editors and shells add.
func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", err
	}
	if len(text) > maxSecret {
		return "", fmt.Errorf("%s is larger than %d bytes", path, maxSecret)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}
