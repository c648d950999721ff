package paper

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
)

// Policy is the Content-Security-Policy of a page that has one style sheet, known by its
// hash, and nothing else.
func Policy(style template.CSS) string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
}
