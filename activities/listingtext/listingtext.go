// Package listingtext words the listing of a home: by templates, or as a model did where
// its words say nothing but the facts. Everything here is pure.
package listingtext

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/aictive/keyholder/policy"
)

// Facts are what is known of a home that is to be let.
type Facts struct {
	// Beds is 0 for a studio where BedsKnown; Baths and Size (square feet) are 0 where
	// unknown.
	Beds      int  `json:"beds,omitempty"`
	BedsKnown bool `json:"beds_known,omitempty"`
	Baths     int  `json:"baths,omitempty"`
	Size      int  `json:"size,omitempty"`

	City     string       `json:"city,omitempty"`
	State    string       `json:"state,omitempty"`
	Rent     policy.Cents `json:"rent,omitempty"`
	Currency string       `json:"currency,omitempty"`
	// Available is YYYY-MM-DD, "" where unknown.
	Available string `json:"available,omitempty"`
	Company   string `json:"company,omitempty"`
}

// Words are those of a listing. The text may have several lines.
type Words struct {
	Headline string `json:"headline"`
	Text     string `json:"text"`
	// Model names the model that wrote them, "" where the templates did; its words hold no
	// amounts. Refused says why a model's words were not taken.
	Model   string `json:"model,omitempty"`
	Refused string `json:"refused,omitempty"`
}

const (
	maxHeadline = 120
	maxText     = 2000
	maxValue    = 100
)

// Template fills the policy's templates in. A line with a placeholder of which nothing is
// known is left out; a headline falls back to one that needs nothing.
func Template(headline string, lines []string, f Facts) Words {
	values := f.values()
	var text []string
	for _, line := range lines {
		if said, ok := fill(line, values); ok {
			text = append(text, said)
		}
	}
	w := Words{Headline: "Home to let", Text: shorten(strings.Join(text, "\n"), maxText)}
	if said, ok := fill(headline, values); ok && said != "" {
		w.Headline = shorten(said, maxHeadline)
	}
	if w.Text == "" {
		w.Text = w.Headline
	}
	return w
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// fill replaces the placeholders of a line; ok is false where one has no value.
func fill(line string, values map[string]string) (said string, ok bool) {
	ok = true
	said = placeholder.ReplaceAllStringFunc(line, func(name string) string {
		value := values[name]
		ok = ok && value != ""
		return value
	})
	return strings.TrimSpace(said), ok
}

// values are what the placeholders stand for, "" where nothing is known.
func (f Facts) values() map[string]string {
	v := map[string]string{
		"{city}": clean(f.City), "{state}": clean(f.State), "{company}": clean(f.Company), "{available}": Day(f.Available),
	}
	switch {
	case f.BedsKnown && f.Beds == 0:
		v["{beds}"] = "Studio"
	case f.BedsKnown:
		v["{beds}"] = count(f.Beds, "bedroom")
	}
	if f.Baths > 0 {
		v["{baths}"] = count(f.Baths, "bath")
	}
	if f.Size > 0 {
		v["{size}"] = thousands(f.Size) + " sq ft"
	}
	if f.Rent > 0 {
		v["{rent}"] = strings.TrimSuffix(policy.Money{Amount: f.Rent, Currency: f.Currency}.String(), ".00")
	}
	return v
}

// Day writes YYYY-MM-DD as people read it, "" for what is none.
func Day(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ""
	}
	return t.Format("January 2, 2006")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func thousands(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// clean is a value on one short line.
func clean(text string) string {
	return shorten(strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }), " "), maxValue)
}

func shorten(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return strings.TrimSpace(string(runes[:most]))
	}
	return text
}
