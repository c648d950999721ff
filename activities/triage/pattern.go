package triage

import (
	"regexp"
	"slices"
	"strings"
)

// pattern is one compiled pattern.
type pattern struct {
	// needs holds, for every word that must be there, how it may begin: looking for
	// those is much faster than the expression, and rules out most patterns.
	needs [][]string
	expr  *regexp.Regexp
}

type patterns []pattern

// match tells whether any of the patterns is in a normalised text.
func (p patterns) match(text string) bool {
	return slices.ContainsFunc(p, func(one pattern) bool { return one.possible(text) && one.expr.MatchString(text) })
}

// cut takes all of the patterns out of a normalised text, in their order; "~" is
// left in their place, over which nothing leaps.
func (p patterns) cut(text string) string {
	for _, one := range p {
		if one.possible(text) {
			text = one.expr.ReplaceAllString(text, "~")
		}
	}
	return text
}

func (p pattern) possible(text string) bool {
	for _, any := range p.needs {
		if !slices.ContainsFunc(any, func(beginning string) bool { return strings.Contains(text, beginning) }) {
			return false
		}
	}
	return true
}

func compile(sources []string) patterns {
	out := make(patterns, len(sources))
	for i, s := range sources {
		out[i] = compileOne(s)
	}
	return out
}

func compileOne(source string) pattern {
	var p pattern
	var b strings.Builder
	b.WriteString(`\b`)
	for i, token := range strings.Fields(source) {
		switch token {
		case "..":
			b.WriteString(`(?: [^ .~]+){0,3}`)
			continue
		case "...":
			b.WriteString(`(?: [^ .~]+){0,6}`)
			continue
		}
		token, optional := strings.CutPrefix(token, "?")
		words := alternatives(token)
		expr := "(?:" + strings.ReplaceAll(regexp.QuoteMeta(strings.Join(words, "\n")), `\*`, `[a-z0-9]*`) + ")"
		expr = strings.ReplaceAll(expr, "\n", "|")
		switch {
		case i == 0:
			b.WriteString(expr)
		case optional:
			b.WriteString("(?: " + expr + ")?")
		default:
			b.WriteString(" " + expr)
		}
		if !optional {
			p.needs = append(p.needs, beginnings(words))
		}
	}
	b.WriteString(`\b`)
	p.expr = regexp.MustCompile(b.String())
	return p
}

// alternatives are the words that a token stands for.
func alternatives(token string) []string {
	var words []string
	for _, w := range strings.Split(token, "|") {
		if name, ok := strings.CutPrefix(w, "@"); ok {
			words = append(words, vocabulary[name]...)
			continue
		}
		words = append(words, strings.ReplaceAll(w, "_", " "))
	}
	return words
}

// beginnings are the words as they stand after a space of the text.
func beginnings(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		before, _, _ := strings.Cut(w, "*")
		out[i] = " " + before
	}
	return out
}
