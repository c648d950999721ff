package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// secretFile writes a secret as an operator would and names it.
func secretFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret.txt")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestASecretIsReadFromItsFile(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"", "\n", "\r\n", "\n\n"} {
		cfg, err := parse[StoreConfig](map[string]string{"KEYHOLDER_STORE_URL_FILE": secretFile(t, "postgres://a:b c@d/e"+end)})
		require.NoError(t, err)
		require.Equal(t, "postgres://a:b c@d/e", cfg.StoreURL)
	}
}

func TestAFileHoldsAListAsTheVariableDoes(t *testing.T) {
	t.Parallel()
	cfg, err := parse[TwilioTokens](map[string]string{"KEYHOLDER_TWILIO_AUTH_TOKEN_FILE": secretFile(t, "new,old\n")})
	require.NoError(t, err)
	require.Equal(t, []string{"new", "old"}, cfg.TwilioAuthTokens)
}

func TestAnEmptyFileIsAMissingValue(t *testing.T) {
	t.Parallel()
	_, err := parse[StoreConfig](map[string]string{"KEYHOLDER_STORE_URL_FILE": secretFile(t, "\n")})
	require.ErrorAs(t, err, new(usageError))
	require.ErrorContains(t, err, "KEYHOLDER_STORE_URL")
	cfg, err := parse[APIConfig](map[string]string{"KEYHOLDER_API_KEY_FILE": secretFile(t, "")})
	require.NoError(t, err, "what may be left out may be empty")
	require.Empty(t, cfg.APIKeys)
}

func TestAllThatIsWrongWithFilesIsNamedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := parse[ingressConfig](map[string]string{
		"KEYHOLDER_STORE_URL": "sqlite:a.db", "KEYHOLDER_STORE_URL_FILE": secretFile(t, "secret-of-the-store"),
		"KEYHOLDER_LINK_KEY_FILE": filepath.Join(t.TempDir(), "missing.txt"),
		"KEYHOLDER_API_KEY_FILE":  secretFile(t, strings.Repeat("k", maxSecret+1)),
	})
	require.ErrorAs(t, err, new(usageError))
	require.ErrorContains(t, err, "KEYHOLDER_STORE_URL and KEYHOLDER_STORE_URL_FILE are both set")
	require.ErrorContains(t, err, "KEYHOLDER_LINK_KEY_FILE: open")
	require.ErrorContains(t, err, "KEYHOLDER_API_KEY_FILE")
	require.ErrorContains(t, err, "larger than")
	require.NotContains(t, err.Error(), "secret-of-the-store")
	require.NotContains(t, err.Error(), "kkkk")
}

func TestFilesOfOtherCommandsAreLeftAlone(t *testing.T) {
	t.Parallel()
	_, err := parse[codecConfig](map[string]string{"KEYHOLDER_PAYLOAD_KEYS": "a:b", "KEYHOLDER_LINK_KEY_FILE": "/nowhere/at/all"})
	require.NoError(t, err, "the codec server uses no links")
}

func TestDevReadsSecretsFromFilesToo(t *testing.T) {
	t.Parallel()
	filled, err := withFiles[devConfig](map[string]string{
		"KEYHOLDER_LLM_KEY_FILE": secretFile(t, "of the worker\n"), "KEYHOLDER_API_KEY_FILE": secretFile(t, "of the ingress\n"),
		"KEYHOLDER_TWILIO_AUTH_TOKEN_FILE": secretFile(t, "of both, and of the sandbox\n"),
	})
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"KEYHOLDER_LLM_KEY": "of the worker", "KEYHOLDER_API_KEY": "of the ingress", "KEYHOLDER_TWILIO_AUTH_TOKEN": "of both, and of the sandbox",
	}, filled)
}

func TestAFileOfTheShellGoesBeforeWhatDevWrote(t *testing.T) {
	t.Setenv("KEYHOLDER_LINK_KEY_FILE", secretFile(t, "of the shell\n"))
	wrote := filepath.Join(t.TempDir(), "env")
	require.NoError(t, os.WriteFile(wrote, []byte("KEYHOLDER_LINK_KEY='of dev'\nKEYHOLDER_PUBLIC_URL=http://127.0.0.1:8080\n"), 0o600))
	cfg, err := parse[LinkConfig](environ(wrote))
	require.NoError(t, err)
	require.Equal(t, "of the shell", cfg.LinkKey)
	require.Equal(t, "http://127.0.0.1:8080", cfg.PublicURL)
}
