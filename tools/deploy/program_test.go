package deploy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// variables are those that the program reads: the env tags of its configuration.
func variables(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(root, "cmd/keyholder/*.go"))
	require.NoError(t, err)
	for _, path := range files {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		file, err := parser.ParseFile(token.NewFileSet(), path, text, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			field, ok := n.(*ast.Field)
			if !ok || field.Tag == nil {
				return true
			}
			tag, err := strconv.Unquote(field.Tag.Value)
			require.NoError(t, err)
			name, _, _ := strings.Cut(reflect.StructTag(tag).Get("env"), ",")
			known[name] = name != ""
			return true
		})
	}
	require.True(t, known["KEYHOLDER_STORE_URL"], "the configuration was not found")
	return known
}

// queues are the names of the program's task queues: the constants that are called
// Queue..., and the one of workflows.
func queues(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"activities/*.go", "workflows/registry.go"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		for _, path := range files {
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			require.NoError(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				spec, ok := n.(*ast.ValueSpec)
				if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Queue") && spec.Names[0].Name != "TaskQueue" {
					return true
				}
				if value, ok := spec.Values[0].(*ast.BasicLit); ok {
					name, err := strconv.Unquote(value.Value)
					require.NoError(t, err)
					names = append(names, name)
				}
				return true
			})
		}
	}
	require.Contains(t, names, "keyholder")
	return names
}
