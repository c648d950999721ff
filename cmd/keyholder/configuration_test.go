package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// configurations are the commands by what they read of the environment.
func configurations() map[string][]any {
	return map[string][]any{
		"audit": {auditStoreConfig{}, auditCaseConfig{}}, "bank": {booksConfig{}}, "codec": {codecConfig{}},
		"compliance": {complianceConfig{}, renewalsConfig{}, calendarConfig{}}, "engagement": {engagementConfig{}}, "events": {eventsConfig{}},
		"finance": {booksConfig{}, quickBooksConfig{}}, "import": {apiClientConfig{}}, "ingress": {ingressConfig{}}, "market": {booksConfig{}},
		"outbound": {outboundCommandConfig{}}, "owner": {ownerPageConfig{}, ownerPackConfig{}}, "prove": {proveConfig{}}, "sale": {apiClientConfig{}},
		"sandbox": {sandboxEnv{}}, "schedules": {schedulesConfig{}}, "send": {sendConfig{}}, "setup": {setupConfig{}}, "status": {statusConfig{}},
		"sync": {syncConfig{}, auditStoreConfig{}}, "vendors": {vendorsConfig{}}, "verify": {setupConfig{}}, "worker": {workerConfig{}},
	}
}

// variable is one variable of the environment.
type variable struct {
	commands, required []string
	builtIn            string
}

// collect adds the variables of a configuration and all that it embeds.
func collect(all map[string]*variable, command string, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Type.Kind() == reflect.Struct {
			collect(all, command, f.Type)
		}
		name, options, _ := strings.Cut(f.Tag.Get("env"), ",")
		if name == "" {
			continue
		}
		v := all[name]
		if v == nil {
			v = &variable{}
			all[name] = v
		}
		if !slices.Contains(v.commands, command) {
			v.commands = append(v.commands, command)
		}
		if strings.Contains(options, "required") && !slices.Contains(v.required, command) {
			v.required = append(v.required, command)
		}
		if value := f.Tag.Get("envDefault"); value != "" && value != "0" && command != "sandbox" {
			v.builtIn = "`" + value + "`"
		}
	}
}

const configurationPage = "../../docs/reference/configuration.md"

// The page of variables is kept by two: people write the meaning of each, the code says which
// commands read it, which cannot do without, and what is built in.
func TestTheReferenceOfVariablesIsComplete(t *testing.T) {
	t.Parallel()
	all := map[string]*variable{}
	for _, command := range slices.Sorted(func(yield func(string) bool) {
		for c := range configurations() {
			if !yield(c) {
				return
			}
		}
	}) {
		for _, cfg := range configurations()[command] {
			collect(all, command, reflect.TypeOf(cfg))
		}
	}
	page, err := os.ReadFile(configurationPage)
	require.NoError(t, err)
	head, rows, found := strings.Cut(string(page), "|---|---|---|---|\n")
	require.True(t, found)
	var b strings.Builder
	b.WriteString(head + "|---|---|---|---|\n")
	documented := map[string]bool{}
	for row := range strings.SplitSeq(strings.TrimSpace(rows), "\n") {
		cells := strings.SplitN(strings.Trim(row, "| "), " | ", 4)
		require.Len(t, cells, 4, row)
		names := regexp.MustCompile("`([A-Z_*]+)`").FindAllStringSubmatch(cells[0], -1)
		commands, builtIn := cells[1], cells[2]
		for i, name := range names {
			documented[name[1]] = true
			v := all[name[1]]
			switch {
			case v == nil:
				require.NotContains(t, name[1], "KEYHOLDER_", "no command reads it: take it out of the page")
			case i == 0:
				commands, builtIn = v.commandList(), v.builtIn
			case v.builtIn != "":
				builtIn = strings.TrimPrefix(builtIn+", "+v.builtIn, ", ")
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cells[0], commands, orNothing(builtIn), cells[3])
	}
	for name := range all {
		require.True(t, documented[name], "%s has no row in %s: add | `%s` | - | - | what it means |, and write the rest with -write", name, configurationPage, name)
	}
	requireReference(t, "configuration.md", b.String())
}

func orNothing(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// commandList marks those that cannot do without.
func (v *variable) commandList() string {
	const most = 8
	if len(v.commands) > most && len(v.required) == 0 {
		return "most"
	}
	names := make([]string, 0, len(v.commands))
	for _, c := range v.commands {
		if slices.Contains(v.required, c) {
			c = "**" + c + "**"
		}
		names = append(names, c)
	}
	return strings.Join(names, ", ")
}

// A command that reads what the page does not know of would be missing there.
func TestTheReferenceKnowsAllConfigurations(t *testing.T) {
	t.Parallel()
	known := map[string]bool{"C": true, "LogConfig": true, "StoreConfig": true}
	for _, list := range configurations() {
		for _, cfg := range list {
			known[reflect.TypeOf(cfg).Name()] = true
		}
	}
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		text, err := os.ReadFile(source)
		require.NoError(t, err)
		for _, found := range regexp.MustCompile(`parse\[(\w+)\]`).FindAllStringSubmatch(string(text), -1) {
			require.True(t, known[found[1]], "%s reads %s: add it to configurations()", source, found[1])
		}
	}
}
