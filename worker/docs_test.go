package worker_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The example of docs/adding-a-workflow.md is the one that the test run executes.
func TestTheDocumentedExampleIsTheOneThatRuns(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../docs/adding-a-workflow.md")
	require.NoError(t, err)
	code, err := os.ReadFile("../workflows/durable/example_test.go")
	require.NoError(t, err)
	_, shown, found := strings.Cut(string(doc), "```go\n")
	require.True(t, found)
	shown, _, found = strings.Cut(shown, "```")
	require.True(t, found)
	require.Greater(t, len(shown), 1000)
	require.Contains(t, string(code), strings.TrimSpace(shown))
}
