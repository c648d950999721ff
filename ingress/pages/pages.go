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
)

//go:embed page.html style.css
var files embed.FS

var page = template.Must(template.New("page.html").Funcs(template.FuncMap{"style": style}).ParseFS(files, "page.html"))

// style is the one style sheet; its bytes are what Policy allows by hash.
func style() (template.CSS, error) {
	css, err := files.ReadFile("style.css")
	return template.CSS(css), err //nolint:gosec // our own embedded file
}

// Policy is the Content-Security-Policy under which the pages work: one style
// sheet, known by its hash, a form to ourselves, and nothing else.
func Policy() (string, error) {
	css, err := style()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(css))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", nil
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

	// Options are the buttons of a question, in order.
	Options []Option
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
}

// Render writes the page. The error is w's.
func Render(w io.Writer, v View) error {
	return page.Execute(w, v)
}
