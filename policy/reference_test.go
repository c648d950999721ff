package policy

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var write = flag.Bool("write", false, "write docs/reference anew")

const policyPage = "../docs/reference/policy.md"

// deepest is how far below "company" a key has a row of its own.
const deepest = 4

// reference writes the page: every key that the decoder knows, with what policy.yaml has there.
type reference struct {
	strings.Builder
	lines map[string]int
	file  []string
	// docs are the comments of fields, by type and name.
	docs map[string]string
}

func TestTheReferenceOfThePolicyIsComplete(t *testing.T) {
	t.Parallel()
	l := loader{name: "built-in policy", text: embedded, decoder: newDecoder()}
	_, err := l.policy()
	require.NoError(t, err)
	r := &reference{lines: l.lines, file: strings.Split(string(embedded), "\n"), docs: fieldDocs(t)}
	r.WriteString("# The policy\n\nGenerated from the code and `policy/policy.yaml`: `go test ./policy -run Reference -write`. Start from that file: it has all texts, and examples of every list. " +
		"`portfolios` and `properties` (by RentVine id) override any part of `company`: keys one by one, lists as a whole. Durations: `15m`, `4h`, `3d`. The file is followed while the worker runs.\n")
	for _, part := range []struct {
		name string
		of   reflect.Type
	}{{"company", reflect.TypeFor[section]()}, {"sales", reflect.TypeFor[salesSection]()}} {
		fmt.Fprintf(r, "\n## %s\n\n| key | built in | meaning |\n|---|---|---|\n", part.name)
		r.keys(part.of, part.name, 1)
	}
	if *write {
		require.NoError(t, os.MkdirAll(filepath.Dir(policyPage), 0o755))
		require.NoError(t, os.WriteFile(policyPage, []byte(r.String()), 0o644))
	}
	have, err := os.ReadFile(policyPage)
	require.NoError(t, err)
	require.Equal(t, r.String(), string(have), "write it anew: go test ./policy -run Reference -write")
}

// keys adds a row for each field of a type, and those below it.
func (r *reference) keys(of reflect.Type, path string, depth int) {
	for i := range of.NumField() {
		f := of.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if key == "" || key == "-" {
			continue
		}
		at := join(path, key)
		value, remark := r.written(at)
		about := r.docs[of.Name()+"."+f.Name]
		if about == "" || remark != "" && len(remark) > len(about) {
			about = remark
		}
		fmt.Fprintf(r, "| `%s` | %s | %s |\n", at, value, about)
		isText := reflect.PointerTo(f.Type).Implements(reflect.TypeFor[interface{ UnmarshalText([]byte) error }]())
		if f.Type.Kind() == reflect.Struct && !isText && depth < deepest {
			r.keys(f.Type, at, depth+1)
		}
	}
}

// written is what policy.yaml has at a path on one line, and says of it.
func (r *reference) written(at string) (value, remark string) {
	line := r.lines[at]
	if line == 0 {
		return "", ""
	}
	text := r.file[line-1]
	if above, key := at[:strings.LastIndex(at, ".")], at[strings.LastIndex(at, ".")+1:]; r.lines[above] == line {
		return inFlow(text, key), "" // {from: 21:00, to: 08:00}
	}
	_, value, _ = strings.Cut(text, ":")
	value, remark, _ = strings.Cut(value, " #")
	value = strings.TrimSpace(value)
	var above []string
	for i := line - 2; i >= 0 && remark == ""; i-- {
		said, ok := strings.CutPrefix(strings.TrimSpace(r.file[i]), "#")
		if !ok {
			break
		}
		above = append([]string{strings.TrimSpace(said)}, above...)
	}
	if remark == "" {
		remark = strings.Join(above, " ")
	}
	const widest = 60
	switch {
	case value == "" || len(value) > widest || strings.HasPrefix(value, "|") || strings.HasPrefix(value, ">") || strings.Count(value, "{") != strings.Count(value, "}") ||
		strings.Count(value, "[") != strings.Count(value, "]"):
		value = ""
	default:
		value = "`" + value + "`"
	}
	return value, row(remark)
}

// inFlow is the value of a key in a map that stands on one line.
func inFlow(text, key string) string {
	found := regexp.MustCompile(`[{,]\s*` + regexp.QuoteMeta(key) + `:\s*(\[[^\]]*\]|[^,{}]+)[,}]`).FindStringSubmatch(text)
	if found == nil {
		return ""
	}
	return "`" + strings.TrimSpace(found[1]) + "`"
}

// fieldDocs reads the comments of all structs. A type that the file alone uses has those of
// the one that it is resolved to.
func fieldDocs(t *testing.T) map[string]string {
	t.Helper()
	resolved := map[string]string{"Settings": "section", "OnCall": "rotation", "Technician": "roster", "Leasing": "leasing", "Finance": "finance", "Portfolio": "portfolio", "Sales": "salesSection", "Person": "entry"}
	docs := map[string]string{}
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.ParseComments)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				for _, f := range s.Fields.List {
					said := row(f.Doc.Text() + " " + f.Comment.Text())
					for _, name := range f.Names {
						for _, of := range []string{spec.Name.Name, resolved[spec.Name.Name]} {
							if docs[of+"."+name.Name] == "" {
								docs[of+"."+name.Name] = said
							}
						}
					}
				}
			}
			return true
		})
	}
	return docs
}

// row is text for one cell of a table.
func row(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(strings.TrimSuffix(strings.Join(strings.Fields(text), " "), "."))
}
