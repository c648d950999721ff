package workflows_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
)

var write = flag.Bool("write", false, "write docs/reference anew")

const workflowsPage = "../docs/reference/workflows.md"

// handle is a typed handle of the kit as the code declares it.
type handle struct {
	domain, kind, name, takes, about, file string
}

// ids are the workflow ids, which callers make.
func ids() map[string]string {
	return map[string]string{
		"maintenance.work_order": "work-order/<workOrderID>", "maintenance.bidding": "bidding/<workOrderID>/<round>",
		"leasing.lease": "lease/<leaseID>", "leasing.move_in": "move-in/<leaseID>", "leasing.renewal": "renewal/<leaseID>/<end>",
		"leasing.retention": "retention/<leaseID>/<number>", "leasing.sweep": "lease-sweep-<time>",
		"finance.transaction": "charge/<id>, payment/<id>, invoice/<id>", "finance.review": "finding/<id>", "finance.summary": "finance-summary/<portfolioID>",
		"finance.reconcile_bank": "finance-reconcile-bank-<time>", "finance.close_day": "finance-close-day-<time>", "finance.close_month": "finance-close-month-<time>",
		"portfolio.property": "property/<propertyID>", "portfolio.vacancy": "vacancy/<unitID>", "portfolio.pricing": "pricing/<unitID>",
		"portfolio.compliance": "compliance/<propertyID>[/<unitID>]/<requirement>", "portfolio.sweep": "portfolio-sweep-<time>",
		"portfolio.month_end": "portfolio-month-end-<time>", "portfolio.digest": "portfolio-digest-<time>",
		"sales.create": "sale-request/<hash>", "sales.sale": "sale/<property_id>", "sales.invitation": "invitation/<property>/<role>",
		"sales.import": "import/<hash>", "sales.report": "sales-report-<time>",
		"sync.openmoove": "sync/openmoove-<time>", "sync.rentvine": "sync/rentvine-<time>, sync/rentvine-full", "sync.outgoing_webhook": "webhook/<subscriber>/<event>",
		"sync.parked_event": "parked/<source>/<digest>",
	}
}

func TestTheReferenceOfWorkflowsIsComplete(t *testing.T) {
	t.Parallel()
	all := handles(t)
	var b strings.Builder
	b.WriteString("# Workflows\n\nGenerated from the code: `go test ./workflows -run Reference -write`. Names are data in every running workflow and never change.\n\n" +
		"| workflow | id | input | what it does |\n|---|---|---|---|\n")
	known := ids()
	names := []string{}
	for _, w := range workflows.Registry() {
		names = append(names, w.WorkflowName())
	}
	slices.Sort(names)
	for _, name := range names {
		at := slices.IndexFunc(all, func(h handle) bool { return h.kind == "Definition" && h.name == name })
		require.GreaterOrEqual(t, at, 0, "%s is not declared as a durable.Definition with its name", name)
		require.NotEmpty(t, known[name], "say in ids what the id of %s looks like", name)
		fmt.Fprintf(&b, "| `%s` | `%s` | `%s` | %s |\n", name, known[name], all[at].takes, all[at].about)
	}
	require.Len(t, known, len(names), "ids has what the registry has not")
	for _, part := range []struct{ kind, title, text string }{
		{"Update", "Updates", "Commands: a command that does not fit is refused with the reason."},
		{"Signal", "Signals", "Facts that workflows and the ingress tell. People send none: what cannot be used is counted and passed over."},
		{"Query", "Queries", "Questions that change nothing; a worker must be up."},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| name | of | carries | what |\n|---|---|---|---|\n", part.title, part.text)
		for _, h := range all {
			if h.kind == part.kind {
				fmt.Fprintf(&b, "| `%s` | %s (`%s`) | `%s` | %s |\n", h.name, h.domain, "workflows/"+h.file, h.takes, h.about)
			}
		}
	}
	b.WriteString("\n## Search attributes\n\nIds and states, never names, phones or e-mails.\n\n| name | type |\n|---|---|\n")
	attributes := durable.SearchAttributes()
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, attributes[name])
	}
	if *write {
		require.NoError(t, os.MkdirAll(filepath.Dir(workflowsPage), 0o755))
		require.NoError(t, os.WriteFile(workflowsPage, []byte(b.String()), 0o644))
	}
	have, err := os.ReadFile(workflowsPage)
	require.NoError(t, err)
	require.Equal(t, b.String(), string(have), "write it anew: go test ./workflows -run Reference -write")
}

// handles reads the typed handles of all domains from the code.
func handles(t *testing.T) []handle {
	t.Helper()
	sources, err := filepath.Glob("*/*.go")
	require.NoError(t, err)
	var all []handle
	constants := map[string]string{}
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") || strings.HasPrefix(source, "durable/") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, d := range file.Decls {
			if general, ok := d.(*ast.GenDecl); ok {
				all = append(all, declared(general, filepath.ToSlash(source), constants)...)
			}
		}
	}
	for i, h := range all {
		if value, ok := constants[h.domain+"."+h.name]; ok {
			all[i].name = value
		}
		require.NotEmpty(t, all[i].name, h.file)
	}
	slices.SortFunc(all, func(a, b handle) int {
		return strings.Compare(a.domain+a.kind+a.name+a.file, b.domain+b.kind+b.name+b.file)
	})
	return all
}

// declared are the handles of one declaration; constants gets the texts that it names.
func declared(general *ast.GenDecl, source string, constants map[string]string) []handle {
	var all []handle
	domain := filepath.Dir(source)
	for _, spec := range general.Specs {
		value, ok := spec.(*ast.ValueSpec)
		if !ok || len(value.Values) != 1 {
			continue
		}
		if text, ok := text(value.Values[0]); ok {
			constants[domain+"."+value.Names[0].Name] = text
		}
		literal, ok := value.Values[0].(*ast.CompositeLit)
		if !ok {
			continue
		}
		kind, takes := kindOf(literal.Type)
		if kind == "" {
			continue
		}
		h := handle{domain: domain, kind: kind, takes: takes, file: source, about: sentence(value.Doc.Text(), general.Doc.Text())}
		for _, element := range literal.Elts {
			field, ok := element.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			said, _ := text(field.Value)
			if name, ok := field.Value.(*ast.Ident); ok {
				said = name.Name
			}
			switch key, _ := field.Key.(*ast.Ident); {
			case key == nil:
			case key.Name == "Name":
				h.name = said
			case key.Name == "Description" && said != "":
				h.about = said
			}
		}
		all = append(all, h)
	}
	return all
}

// kindOf tells a handle from other values, and what it carries.
func kindOf(t ast.Expr) (kind, takes string) {
	var of ast.Expr
	switch generic := t.(type) {
	case *ast.IndexExpr:
		t, of = generic.X, generic.Index
	case *ast.IndexListExpr:
		t, of = generic.X, generic.Indices[0]
	}
	selector, ok := t.(*ast.SelectorExpr)
	if !ok || of == nil {
		return "", ""
	}
	if !slices.Contains([]string{"Definition", "Update", "Signal", "Query"}, selector.Sel.Name) {
		return "", ""
	}
	return selector.Sel.Name, shown(of)
}

func shown(of ast.Expr) string {
	switch e := of.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return shown(e.X) + "." + e.Sel.Name
	case *ast.IndexExpr:
		return shown(e.X) + "[" + shown(e.Index) + "]"
	}
	return "…"
}

func text(e ast.Expr) (string, bool) {
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	value, err := strconv.Unquote(literal.Value)
	return value, err == nil
}

// sentence is the first that says something, for a cell of a table.
func sentence(texts ...string) string {
	for _, text := range texts {
		if text = strings.Join(strings.Fields(text), " "); text != "" {
			return strings.ReplaceAll(strings.TrimSuffix(text, "."), "|", `\|`)
		}
	}
	return ""
}
