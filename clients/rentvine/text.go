package rentvine

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxText is the longest plain text in runes; what is beyond is cut.
const maxText = 10_000

// PlainText is HTML as text: blocks and line breaks become line ends, entities
// their characters, scripts and styles nothing. Text that is not HTML stays as it
// is but for its white space, and so does a "tag" that HTML does not know: a
// tenant may write "<gas smell>". The result has at most 10,000 runes.
func PlainText(s string) string {
	var out strings.Builder
	z := html.NewTokenizer(strings.NewReader(s))
	read, hidden := 0, atom.Atom(0)
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		raw := string(z.Raw())
		read += len(raw)
		token := z.Token()
		switch {
		case hidden != 0:
			if kind == html.EndTagToken && token.DataAtom == hidden {
				hidden = 0
			}
		case kind == html.TextToken:
			out.WriteString(token.Data)
		case kind == html.StartTagToken && (token.DataAtom == atom.Script || token.DataAtom == atom.Style):
			hidden = token.DataAtom
		case breaksLine(token.DataAtom):
			out.WriteByte('\n')
		case kind == html.StartTagToken && token.DataAtom == 0 && isWord(token.Data):
			out.WriteString(raw)
		}
	}
	if hidden == 0 {
		out.WriteString(s[min(read, len(s)):]) // an unfinished tag at the end
	}
	return tidy(out.String())
}

func breaksLine(a atom.Atom) bool {
	return slices.Contains([]atom.Atom{
		atom.Br, atom.P, atom.Div, atom.Li, atom.Ul, atom.Ol, atom.Tr, atom.Table, atom.Blockquote, atom.Hr, atom.Pre,
		atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Section, atom.Article,
	}, a)
}

func isWord(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
}

// tidy joins runs of white space, drops empty lines and cuts at maxText.
func tidy(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	s = strings.Join(lines, "\n")
	if r := []rune(s); len(r) > maxText {
		s = string(r[:maxText])
	}
	return s
}
