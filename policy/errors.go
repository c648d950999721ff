package policy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// maxShown bounds how many problems an error spells out.
const maxShown = 50

// Problem is one thing that is wrong with a policy file. It never repeats a
// value, which may be a phone or a name.
type Problem struct {
	// File is the directory's where the problem is in it; "" is the policy file.
	File string
	// Path is the key, such as "company.on_call.teams[0]", or the directory's column;
	// "" is the file or line itself.
	Path string
	// Line is where the key is, or the nearest one around it; 0 where unknown.
	Line int
	// Message says what is wrong with it.
	Message string
}

// String is the problem in one line.
func (p Problem) String() string {
	s := strings.TrimSpace(p.Path + " " + p.Message)
	if p.Line > 0 {
		s = fmt.Sprintf("line %d: %s", p.Line, s)
	}
	if p.File != "" {
		s = p.File + " " + s
	}
	return s
}

// InvalidError lists everything that is wrong with a policy file.
type InvalidError struct {
	File     string
	Problems []Problem
}

// Error lists the problems, one a line.
func (e *InvalidError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "policy: %s: %d problem(s)", e.File, len(e.Problems))
	for i, p := range e.Problems {
		if i == maxShown {
			fmt.Fprintf(&b, "\n  and %d more", len(e.Problems)-maxShown)
			break
		}
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}

// syntaxMessage is the parser's message with its position and without the
// excerpt of the file, which may hold personal data.
func syntaxMessage(err error) string {
	var e yaml.Error
	if !errors.As(err, &e) || e.GetToken() == nil {
		return "is not YAML"
	}
	return fmt.Sprintf("is not YAML: line %d: %s", e.GetToken().Position.Line, firstLine(e.GetMessage()))
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}
