// Package pages holds the small pages that people meet when they open an action
// link: server-rendered, made for a phone, without scripts or anything loaded
// from elsewhere.
package pages

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"
)

//go:embed page.html style.css
var files embed.FS

var page = template.Must(template.New("page.html").Funcs(template.FuncMap{"style": style, "add": add}).ParseFS(files, "page.html"))

func add(a, b int) int { return a + b }

// style is the one style sheet; its bytes are what Policy allows by hash.
func style() (template.CSS, error) {
	css, err := files.ReadFile("style.css")
	return template.CSS(css), err //nolint:gosec // our own embedded file
}

// Policy is the Content-Security-Policy under which the pages work: one style
// sheet, known by its hash, pictures of ours, a form to ourselves, and nothing else.
func Policy() (string, error) {
	css, err := style()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(css))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", nil
}

// Tone colours a notice.
type Tone string

// The tones.
const (
	// Good: it worked.
	Good Tone = "good"
	// Plain: nothing to do.
	Plain Tone = "plain"
	// Bad: it did not work.
	Bad Tone = "bad"
)

// View is one page: a notice where Heading is set, the question otherwise.
type View struct {
	// Title is the question's one line, "" where the page must not tell it.
	Title string
	// Code is the short code of the text, such as "K7".
	Code string

	// Details are shown below the title, Photos are addresses of pictures, relative to
	// the page.
	Details []Detail
	Photos  []string
	// Documents are addresses of PDF files to download, relative likewise.
	Documents []string
	// Problems say what is wrong with the form that was sent.
	Problems []Problem
	// Fields are what the form asks; Multipart tells that files are among them.
	Fields    []Field
	Multipart bool

	// Options are the buttons of a question, in order.
	Options []Option
	// OneTap tells that no option needs a field.
	OneTap bool
	// Note is what was typed as a note; HideNote leaves that out.
	Note     string
	HideNote bool
	// NoteFor names the options that want a note, "" where none does.
	NoteFor string
	// MaxNote is the longest note in characters.
	MaxNote int

	// Heading and Text are what a notice says.
	Heading string
	Text    string
	// Answer is the label of the recorded answer, "" where there is none.
	Answer string
	Tone   Tone
}

// Option is a button.
type Option struct {
	// Choice is what the form posts.
	Choice string
	// Label is what the button says.
	Label string
	// Plain tells that it sends the form as it is, also where something is missing.
	Plain bool
}

// Detail is a label and what it says.
type Detail struct{ Label, Text string }

// Problem is what is wrong with a field, or with the form where Field is "".
type Problem struct {
	// Field is its name, Label what people read of it.
	Field, Label string
	Text         string
}

// Field is what a form asks.
type Field struct {
	Name, Label string
	// Kind is "money", "date", "text", "rating", "checks", "photos" or "files".
	Kind string
	// Value is what was typed.
	Value string
	// Optional tells that no choice needs it; NeededFor names the choices that do,
	// where others do not.
	Optional  bool
	NeededFor string
	// Insist lets the browser ask for it before it sends anything.
	Insist bool
	Hint   string
	// Problem is what was wrong with it, "" where nothing was.
	Problem string
	// Symbol and Currency are of money, From and To bound a date.
	Symbol, Currency string
	From, To         string
	// MaxNote is the longest text in characters.
	MaxNote int
	// Items are what can be ticked or chosen, or the places for photos or files.
	Items []Item
}

// DescribedBy lists the ids of what explains the field.
func (f Field) DescribedBy() string {
	var ids []string
	if f.Hint != "" || f.NeededFor != "" {
		ids = append(ids, "hint-"+f.Name)
	}
	if f.Problem != "" {
		ids = append(ids, "problem-"+f.Name)
	}
	return strings.Join(ids, " ")
}

// Item is one thing to tick, or one place for photos or files.
type Item struct {
	Number int
	Label  string
	Ticked bool
}

// Render writes the page. The error is w's.
func Render(w io.Writer, v View) error {
	return page.Execute(w, v)
}
