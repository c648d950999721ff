package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

var write = flag.Bool("write", false, "write docs/reference anew")

// requireReference compares a page of docs/reference with what the code says.
func requireReference(t *testing.T, file, want string) {
	t.Helper()
	file = "../../docs/reference/" + file
	if *write {
		require.NoError(t, os.MkdirAll("../../docs/reference", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
	}
	have, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, want, string(have), "write it anew: go test ./cmd/keyholder -run Reference -write")
}

// cell is text for one cell of a table.
func cell(text string) string {
	return strings.NewReplacer("\n", " ", "|", `\|`, "<", "&lt;").Replace(strings.TrimSpace(text))
}

func TestTheReferenceOfCommandsIsComplete(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("# Commands\n\nGenerated from the code: `go test ./cmd/keyholder -run Reference -write`. `keyholder COMMAND --help` says the same.\n\n" +
		"Exit codes: 0 done, 1 failed or something differs, 2 wrong usage or configuration.\n\n| command | what it does |\n|---|---|\n")
	described(root(), func(c *cobra.Command) {
		fmt.Fprintf(&b, "| [%s](#%s) | %s |\n", c.CommandPath(), strings.ReplaceAll(c.CommandPath(), " ", "-"), cell(c.Short))
	})
	described(root(), func(c *cobra.Command) { describe(&b, c) })
	requireReference(t, "commands.md", b.String())
}

// described goes through all commands that people see.
func described(c *cobra.Command, each func(*cobra.Command)) {
	if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
		return
	}
	if c.Name() != "keyholder" {
		each(c)
	}
	for _, sub := range c.Commands() {
		described(sub, each)
	}
}

func describe(b *strings.Builder, c *cobra.Command) {
	fmt.Fprintf(b, "\n## %s\n\n%s.\n", c.CommandPath(), strings.TrimSuffix(c.Short, "."))
	if c.Runnable() {
		fmt.Fprintf(b, "\n```text\n%s\n```\n", c.UseLine())
	}
	if c.Long != "" {
		fmt.Fprintf(b, "\n```text\n%s\n```\n", strings.TrimSpace(c.Long))
	}
	if c.Example != "" {
		fmt.Fprintf(b, "\n```text\n%s\n```\n", strings.TrimRight(c.Example, "\n "))
	}
	head := "\n| flag | built in | meaning |\n|---|---|---|\n"
	row := func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value := ""
		if f.DefValue != "" && f.DefValue != "[]" && f.DefValue != "false" {
			value = "`" + f.DefValue + "`"
		}
		fmt.Fprintf(b, "%s| `--%s` | %s | %s |\n", head, f.Name, value, cell(f.Usage))
		head = ""
	}
	c.LocalFlags().VisitAll(row)
	c.InheritedFlags().VisitAll(row)
}
