// Package page draws the sandbox for people: phones, mailbox, records, calls and
// faults. All HTML is made here by html/template, so that everything shown is
// escaped in one place; the script in the browser only swaps parts that changed.
package page

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed assets
var assets embed.FS

//go:embed *.html
var sources embed.FS

// CSP is the page's Content-Security-Policy: nothing from elsewhere, nothing
// inline.
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Page renders Views.
type Page struct{ templates *template.Template }

// New parses the templates.
func New() (*Page, error) {
	t, err := template.New("page").Funcs(template.FuncMap{"split": Split}).ParseFS(sources, "*.html")
	if err != nil {
		return nil, fmt.Errorf("sandbox page: %w", err)
	}
	return &Page{templates: t}, nil
}

// Whole writes the complete page.
func (p *Page) Whole(w io.Writer, v View) error { return p.templates.ExecuteTemplate(w, "whole", v) }

// Books writes the page of QuickBooks' books.
func (p *Page) Books(w io.Writer, v Books) error { return p.templates.ExecuteTemplate(w, "books", v) }

// Parts renders the parts that change, by name.
func (p *Page) Parts(v View) (map[string]string, error) {
	parts := map[string]string{}
	for _, name := range []string{"tabs", "phones", "mails", "records", "openmoove", "outgoing", "calls", "faults"} {
		var b strings.Builder
		if err := p.templates.ExecuteTemplate(&b, name, v); err != nil {
			return nil, err
		}
		parts[name] = b.String()
	}
	return parts, nil
}

// Assets serves style, script and icon below /_assets/.
func Assets() (http.Handler, error) {
	dir, err := fs.Sub(assets, "assets")
	if err != nil {
		return nil, err
	}
	files := http.StripPrefix("/_assets/", http.FileServerFS(dir))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		files.ServeHTTP(w, r)
	}), nil
}
