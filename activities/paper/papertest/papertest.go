// Package papertest reads PDFs back in tests.
package papertest

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Words is the text of a PDF in the order of reading, without spaces: pdftotext has its own
// idea of where they are. Where that program is missing the test is skipped.
func Words(t testing.TB, file []byte) string {
	t.Helper()
	require.True(t, bytes.HasPrefix(file, []byte("%PDF-")))
	tool, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Skip("pdftotext (poppler-utils) was not found: the text of the PDF cannot be read back")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool, "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(file)
	out, err := cmd.Output()
	require.NoError(t, err)
	return Squeeze(string(out))
}

// Squeeze takes out all spaces.
func Squeeze(s string) string { return strings.Join(strings.Fields(s), "") }
