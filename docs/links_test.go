package docs_test

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

var (
	link       = regexp.MustCompile(`!?\[[^\]]*\]\(([^()\s]+)\)`)
	code       = regexp.MustCompile("`([^`]+)`")
	heading    = regexp.MustCompile(`^#{1,6} +(.+?) *$`)
	plainPath  = regexp.MustCompile(`^[\w.-]+(/[\w.-]+)*/?$`)
	ourFile    = regexp.MustCompile(`\.(go|ya?ml|json|md|sh|toml|xsd|csv|png)$`)
	makeTarget = regexp.MustCompile(`(?m)^([a-z][a-z0-9_/-]*):`)
)

// files are all of the repository but what is built and kept.
func files(t *testing.T) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(root, func(p string, entry fs.DirEntry, err error) error {
		name := strings.TrimPrefix(filepath.ToSlash(p), root+"/")
		if err == nil && entry.IsDir() && (name == ".git" || name == "bin" || name == ".data") {
			return fs.SkipDir
		}
		all = append(all, name)
		return err
	})
	require.NoError(t, err)
	return all
}

// anchors are the headings of a page, as GitHub names them.
func anchors(p page) map[string]bool {
	all := map[string]bool{}
	for _, line := range p.prose {
		found := heading.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		name := slug(link.ReplaceAllStringFunc(found[1], func(l string) string { return l[1:strings.Index(l, "]")] }))
		for n, anchor := 1, name; ; n++ {
			if !all[anchor] {
				all[anchor] = true
				break
			}
			anchor = fmt.Sprintf("%s-%d", name, n)
		}
	}
	return all
}

func slug(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, title)
}

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	all := pages(t)
	byPath := map[string]map[string]bool{}
	for _, p := range all {
		byPath[p.path] = anchors(p)
	}
	links := 0
	for _, p := range all {
		for i, line := range p.prose {
			for _, found := range link.FindAllStringSubmatch(code.ReplaceAllString(line, ""), -1) {
				target, anchor, _ := strings.Cut(found[1], "#")
				if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
					continue
				}
				links++
				at := fmt.Sprintf("%s:%d: %s", p.path, i+1, found[1])
				to := p.path
				if target != "" {
					to = path.Join(path.Dir(p.path), target)
				}
				_, err := os.Stat(filepath.Join(root, to))
				require.NoError(t, err, at)
				if anchor != "" && strings.HasSuffix(to, ".md") && byPath[to] != nil {
					require.True(t, byPath[to][anchor], "%s: the page has no heading of that name", at)
				}
			}
		}
	}
	require.Greater(t, links, 30)
}

func TestTheIndexNamesEveryPage(t *testing.T) {
	t.Parallel()
	index, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, p := range pages(t) {
		name, below := strings.CutPrefix(p.path, "docs/")
		if below && name != "README.md" && path.Dir(name) != "decisions" {
			require.Contains(t, string(index), "("+name+")", "docs/README.md leads to every page")
		}
	}
}

// TestFilesThatAreNamedExist looks at what stands in backticks: a path that begins with a folder
// of the repository, and the name of a Go file.
func TestFilesThatAreNamedExist(t *testing.T) {
	t.Parallel()
	paths, names, folders := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, f := range files(t) {
		paths[f], names[path.Base(f)] = true, true
		if first, _, deeper := strings.Cut(f, "/"); deeper {
			folders[first] = true
		}
	}
	for _, p := range pages(t) {
		for i, line := range p.prose {
			for _, found := range code.FindAllStringSubmatch(line, -1) {
				name := strings.TrimSuffix(found[1], "/")
				first, _, deeper := strings.Cut(name, "/")
				switch {
				case !plainPath.MatchString(found[1]):
				case deeper && folders[first]:
					ok := paths[name] || paths[path.Join(path.Dir(p.path), name)] || slices.ContainsFunc([]string{".go", ".yaml", ".md"}, func(end string) bool { return paths[name+end] })
					require.True(t, ok || !ourFile.MatchString(name), "%s:%d: there is no %s", p.path, i+1, name)
				case strings.HasSuffix(name, ".go"):
					require.True(t, names[path.Base(name)], "%s:%d: there is no %s", p.path, i+1, name)
				}
			}
		}
	}
}

// commandTree is docs/reference/commands.md, which a test of cmd/keyholder generates: flags by
// command.
func commandTree(t *testing.T) map[string]map[string]bool {
	t.Helper()
	text, err := os.ReadFile("reference/commands.md")
	require.NoError(t, err)
	tree, at := map[string]map[string]bool{}, ""
	for line := range strings.SplitSeq(string(text), "\n") {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			at = strings.TrimSpace(name)
			tree[at] = map[string]bool{"--help": true, "-h": true, "--version": true}
		}
		if strings.HasPrefix(line, "| `--") {
			flag, _, _ := strings.Cut(strings.TrimPrefix(line, "| `"), "`")
			tree[at][flag] = true
		}
	}
	return tree
}

// commandLines are all calls of "keyholder" in prose and blocks of a page.
func commandLines(p page) []string {
	var lines []string
	for _, line := range p.prose {
		for _, found := range code.FindAllStringSubmatch(line, -1) {
			lines = append(lines, found[1])
		}
	}
	for _, b := range p.blocks {
		if b.language != "" && b.language != "sh" {
			continue
		}
		for line := range strings.SplitSeq(strings.ReplaceAll(b.text, "\\\n", " "), "\n") {
			lines = append(lines, strings.TrimPrefix(strings.TrimSpace(line), "$ "))
		}
	}
	return lines
}

func TestCommandsAndFlagsThatAreNamedExist(t *testing.T) {
	t.Parallel()
	tree := commandTree(t)
	require.Greater(t, len(tree), 40)
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	var targets []string
	for _, found := range makeTarget.FindAllStringSubmatch(string(makefile), -1) {
		targets = append(targets, found[1])
	}
	calls := 0
	for _, p := range pages(t) {
		if p.path == "docs/reference/commands.md" {
			continue
		}
		for _, line := range commandLines(p) {
			words := strings.Fields(strings.TrimPrefix(line, "exec "))
			for len(words) > 0 && regexp.MustCompile(`^[A-Z_]+=`).MatchString(words[0]) {
				words = words[1:]
			}
			switch {
			case len(words) < 2:
			case words[0] == "make":
				require.Contains(t, targets, words[1], "%s: %s", p.path, line)
			case path.Base(words[0]) == "keyholder":
				calls++
				require.Empty(t, unknown(tree, words[1:]), "%s: %s", p.path, line)
			}
		}
	}
	require.Greater(t, calls, 50)
}

// unknown is the first word of a call that the tree does not have.
func unknown(tree map[string]map[string]bool, words []string) string {
	command := "keyholder"
	for i, word := range words {
		if tree[command+" "+word] == nil {
			words = words[i:]
			if command == "keyholder" && !strings.HasPrefix(word, "-") && word != "help" && word != "completion" {
				return word
			}
			break
		}
		command += " " + word
		if i == len(words)-1 {
			words = nil
		}
	}
	for _, word := range words {
		if word == "|" || word == "&&" || word == ">" {
			break
		}
		flag, _, _ := strings.Cut(word, "=")
		if strings.HasPrefix(flag, "--") && flag != "--" && !tree[command][strings.TrimRight(flag, "`,.;:)")] {
			return command + " " + flag
		}
	}
	return ""
}

// TestCommandsAreToldFromOtherText keeps lines that a reader would type in blocks that are run.
func TestCommandsAreToldFromOtherText(t *testing.T) {
	t.Parallel()
	typed := regexp.MustCompile(`^(make|bin/\w+|keyholder|temporal|curl|docker|kubectl|go) `)
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.language != "" && b.language != "console" && b.language != "bash" && b.language != "shell" {
				continue
			}
			require.Empty(t, b.language, "%s:%d: blocks of commands have the language sh", p.path, b.line)
			require.False(t, typed.MatchString(b.text), "%s:%d: a block of commands has the language sh, so that it is run", p.path, b.line)
		}
	}
}

func TestWhatIsWrongInACallIsSeen(t *testing.T) {
	t.Parallel()
	tree := map[string]map[string]bool{"keyholder": {}, "keyholder sync": {}, "keyholder sync now": {"--full": true}}
	for call, want := range map[string]string{
		"sync now --full": "", "sync now": "", "sync": "", "sync now --slow": "keyholder sync now --slow", "sink now": "sink", "sync now --full=yes": "",
		"sync now > f --other": "",
	} {
		require.Equal(t, want, unknown(tree, strings.Fields(call)), call)
	}
	require.Equal(t, "a-languages-word--deed", slug("A Language's `word` – deed"))
}
