package incidentreport

import (
	_ "embed"
	"fmt"
	"html/template"
	"strings"
)

//go:embed report.gohtml
var page string

// HTML is the report as the body of a mail: tables and inline styles only, which
// is what mail clients keep, nothing fetched from anywhere, every text escaped.
// The error is one of the template: no Report is known to cause one.
func HTML(r Report) (string, error) {
	t, err := template.New("report").Parse(page)
	if err != nil {
		return "", fmt.Errorf("parse the incident report's template: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, newView(r)); err != nil {
		return "", fmt.Errorf("draw the incident report: %w", err)
	}
	return b.String(), nil
}
