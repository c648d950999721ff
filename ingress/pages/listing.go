package pages

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"
)

//go:embed listing.html listings.html listing.css style.css
var listingFiles embed.FS

var (
	listingPage  = template.Must(template.New("listing.html").Funcs(template.FuncMap{"style": listingStyle}).ParseFS(listingFiles, "listing.html"))
	listingsPage = template.Must(template.New("listings.html").Funcs(template.FuncMap{"style": listingStyle}).ParseFS(listingFiles, "listings.html"))
)

// listingStyle is the sheet of all pages and what those of homes add.
func listingStyle() (template.CSS, error) {
	shared, err := listingFiles.ReadFile("style.css")
	if err != nil {
		return "", err
	}
	own, err := listingFiles.ReadFile("listing.css")
	return template.CSS(string(shared) + string(own)), err //nolint:gosec // our own embedded files
}

// ListingPolicy is the Content-Security-Policy under which the pages of homes work.
func ListingPolicy() (string, error) {
	css, err := listingStyle()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(css))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", nil
}

// ListingsView lists homes.
type ListingsView struct {
	Company string
	Homes   []Home
	// More is the query of the next page, "" for none.
	More string
}

// Home is one of a list. Path is relative to the page.
type Home struct{ Path, Name, Place, Rent, Facts string }

// ListingView is the page of a home.
type ListingView struct {
	Company, Headline, Place, Rent string
	// Text are paragraphs.
	Text  []string
	Facts []Detail
	Form  LeadForm
}

// LeadForm asks who is interested. What was typed is kept where it was wrong.
type LeadForm struct {
	// Source is where the visitor comes from, hidden.
	Source, Name, Email, Phone, Message string
	// Texts tells that he agrees to be texted.
	Texts      bool
	Company    string
	MaxMessage int
	// Wrong says what is wrong, by field: name, email, phone, message, or form.
	Wrong map[string]string
}

// RenderListings and RenderListing write the pages. The error is w's.
func RenderListings(w io.Writer, v ListingsView) error { return listingsPage.Execute(w, v) }

// RenderListing writes the page of a home.
func RenderListing(w io.Writer, v ListingView) error { return listingPage.Execute(w, v) }
