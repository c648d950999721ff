// Package docs_test holds the documentation to what it says: commands run, links
// lead somewhere, files and flags that are named exist.
package docs_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// root is the repository's, seen from this package.
const root = ".."

// page is one file of the documentation.
type page struct {
	// path is relative to the root, with slashes.
	path string
	// prose are the lines outside of fences; those inside are empty here.
	prose  []string
	blocks []block
	// beside is the "keyholder dev" that the page's commands run beside, if it says so
	// rather than starts it.
	beside string
}

// block is one fenced block.
type block struct {
	language, text string
	line           int
	// notRun is why the block cannot run here.
	notRun string
	// prints must all be in the output.
	prints []string
	// waits is how long the block is tried again until it succeeds; 0 is once.
	waits time.Duration
}

// remark is a comment that says something about the block below, or the page.
var remark = regexp.MustCompile(`^<!-- (not run|prints|waits|beside): (.*) -->$`)

// pages reads all of the documentation, the README first, tutorials and tasks next.
func pages(t *testing.T) []page {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, ".md") {
			paths = append(paths, strings.TrimPrefix(filepath.ToSlash(path), root+"/"))
		}
		return err
	})
	require.NoError(t, err)
	slices.SortStableFunc(paths, func(a, b string) int { return strings.Compare(order(a), order(b)) })
	var all []page
	for _, path := range append([]string{"README.md"}, paths...) {
		text, err := os.ReadFile(filepath.Join(root, path))
		require.NoError(t, err)
		p, err := parse(path, string(text))
		require.NoError(t, err)
		all = append(all, p)
	}
	return all
}

func order(path string) string {
	switch {
	case strings.HasPrefix(path, "docs/tutorial"):
		return "1" + strings.TrimSuffix(path, ".md")
	case strings.HasPrefix(path, "docs/how-to/"):
		return "2" + path
	}
	return "3" + path
}

// parse takes a page apart. Remarks hold for the block that follows them.
func parse(path, text string) (page, error) {
	p := page{path: path}
	var next block
	open := ""
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case open != "" && trimmed == open:
			p.blocks = append(p.blocks, next)
			next, open, line = block{}, "", ""
		case open != "":
			next.text += line + "\n"
			line = ""
		case strings.HasPrefix(trimmed, "```"):
			open = "```"
			next.language, next.line = strings.TrimPrefix(trimmed, "```"), i+1
			line = ""
		case strings.HasPrefix(trimmed, "<!--"):
			if err := p.remark(trimmed, &next); err != nil {
				return p, fmt.Errorf("%s:%d: %w", path, i+1, err)
			}
		case trimmed != "" && (next.notRun != "" || next.waits > 0 || len(next.prints) > 0):
			return p, fmt.Errorf("%s:%d: a remark about a block stands right above it", path, i+1)
		}
		p.prose = append(p.prose, line)
	}
	if open != "" {
		return p, fmt.Errorf("%s: the block of line %d has no end", path, next.line)
	}
	return p, nil
}

func (p *page) remark(line string, next *block) (err error) {
	found := remark.FindStringSubmatch(line)
	if found == nil {
		return nil // another comment
	}
	switch value := found[2]; found[1] {
	case "not run":
		next.notRun = value
	case "prints":
		next.prints = append(next.prints, value)
	case "waits":
		next.waits, err = time.ParseDuration(value)
	case "beside":
		p.beside = value
	}
	return err
}

func TestAPageIsTakenApart(t *testing.T) {
	t.Parallel()
	p, err := parse("x.md", strings.Join([]string{
		"<!-- beside: make dev -->", "words `a`", "```", "just text", "```", "<!-- not run: no account -->", "```sh", "send it", "```",
		"<!-- waits: 30s -->", "<!-- prints: one -->", "<!-- prints: two -->", "", "```sh", "a", "b", "```",
	}, "\n"))
	require.NoError(t, err)
	require.Equal(t, "make dev", p.beside)
	require.Equal(t, []block{
		{text: "just text\n", line: 3},
		{language: "sh", text: "send it\n", line: 7, notRun: "no account"},
		{language: "sh", text: "a\nb\n", line: 14, waits: 30 * time.Second, prints: []string{"one", "two"}},
	}, p.blocks)
	require.NotContains(t, strings.Join(p.prose, "\n"), "just text")

	_, err = parse("x.md", "```sh\nnever ends")
	require.ErrorContains(t, err, "no end")
	_, err = parse("x.md", "<!-- prints: x -->\nwords\n")
	require.ErrorContains(t, err, "right above")
}
