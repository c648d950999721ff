package listingtext_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/listingtext"
)

var home = listingtext.Facts{
	Beds: 2, BedsKnown: true, Baths: 1, Size: 1850, City: "Los Angeles", State: "CA", Rent: 195000, Currency: "USD",
	Available: "2026-12-01", Company: "Harbor Homes",
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	lines := []string{"{beds}, {baths} and {size} in {city}, {state}.", "Available from {available} for {rent} a month.", "Ask {company}."}
	studio := home
	studio.Beds = 0
	unknown := home
	unknown.Baths, unknown.Rent = 0, 0
	odd := home
	odd.City, odd.Rent = "Los\n{rent}  Angeles", 195050
	for name, c := range map[string]struct {
		headline string
		lines    []string
		facts    listingtext.Facts
		want     listingtext.Words
	}{
		"all known": {"{beds} in {city}", lines, home, listingtext.Words{
			Headline: "2 bedrooms in Los Angeles",
			Text:     "2 bedrooms, 1 bath and 1,850 sq ft in Los Angeles, CA.\nAvailable from December 1, 2026 for $1,950 a month.\nAsk Harbor Homes.",
		}},
		"a studio": {"{beds} in {city}", lines[2:], studio, listingtext.Words{Headline: "Studio in Los Angeles", Text: "Ask Harbor Homes."}},
		"lines of which nothing is known are left out": {"{baths} in {city}", lines, unknown, listingtext.Words{
			Headline: "Home to let", Text: "Ask Harbor Homes.",
		}},
		"a placeholder that is none":    {"{pool} in {city}", []string{"{pool}"}, home, listingtext.Words{Headline: "Home to let", Text: "Home to let"}},
		"values are put in as they are": {"{city}: {rent}", nil, odd, listingtext.Words{Headline: "Los {rent} Angeles: $1,950.50", Text: "Los {rent} Angeles: $1,950.50"}},
		"nothing at all":                {"", nil, listingtext.Facts{}, listingtext.Words{Headline: "Home to let", Text: "Home to let"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, listingtext.Template(c.headline, c.lines, c.facts))
		})
	}
	long := listingtext.Template(strings.Repeat("ä", 500), []string{strings.Repeat("ö", 5000)}, home)
	require.Len(t, []rune(long.Headline), 120)
	require.Len(t, []rune(long.Text), 2000)
}

func TestAModelsWords(t *testing.T) {
	t.Parallel()
	good := "This home has 2 bedrooms, one bath and 1,850 square feet. Harbor Homes shows it soon."
	for name, c := range map[string]struct{ headline, text, refused string }{
		"the facts alone":       {"Two-bedroom home in Los Angeles", good, ""},
		"the size as digits":    {"Home in Los Angeles", "It has 1850 sq ft and two bedrooms.", ""},
		"an amount":             {"Home in Los Angeles", "Yours for $190, with two bedrooms.", "amount"},
		"an amount in words":    {"Home in Los Angeles", "Two bedrooms at a rent of nineteen € or so.", "amount"},
		"other beds":            {"Home in Los Angeles", "It has three bedrooms and one bath.", "number"},
		"another size":          {"Home in Los Angeles", "It has two bedrooms on 999 sq ft.", "number"},
		"a phone":               {"Home in Los Angeles", "Two bedrooms. Call 213 555 0100 today.", "address or a number"},
		"a mail":                {"Home in Los Angeles", "Two bedrooms. Write to me@example.com.", "address or a number"},
		"a link":                {"Home in Los Angeles", "Two bedrooms. See www.example.com.", "address or a number"},
		"steering":              {"Home in Los Angeles", "Two bedrooms, perfect for a young family.", "who should live"},
		"steering in the head":  {"For professionals in Los Angeles", good, "who should live"},
		"an invention":          {"Home in Los Angeles", "Two bedrooms and a balcony with a view.", "nobody knows"},
		"no studio":             {"Studio in Los Angeles", good, "no studio"},
		"markup":                {"Home in Los Angeles", "<b>Two bedrooms</b> in a home.", "markup"},
		"too short":             {"Home", "Nice.", "short"},
		"too long":              {"Home in Los Angeles", strings.Repeat("Two bedrooms. ", 200), "long"},
		"a date":                {"Home in Los Angeles", "Two bedrooms, from 2026-12-01 on.", "number"},
		"numbers of other beds": {"Home in Los Angeles", "2 bedrooms and 2 baths for all.", "number"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer, err := json.Marshal(map[string]string{"headline": c.headline, "text": c.text})
			require.NoError(t, err)
			got, err := listingtext.ReadAnswer(answer, "model-1", home)
			if c.refused != "" {
				require.ErrorContains(t, err, c.refused)
				require.Empty(t, got)
				return
			}
			require.NoError(t, err)
			require.Equal(t, listingtext.Words{Headline: c.headline, Text: c.text, Model: "model-1"}, got)
		})
	}
	for _, answer := range []string{"", "null", "[]", `{"headline":"Home in Los Angeles"}`, `{"headline":"Home in town","text":"` + good + `","rent":1}`} {
		_, err := listingtext.ReadAnswer([]byte(answer), "model-1", home)
		require.Error(t, err, answer)
	}
}

func TestSteering(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                  "",
		"A balcony, parking and a new roof": "",
		"Perfect for a Family":              "perfect for",
		"Near White Plains":                 "",
		"Students and a white kitchen\nin White Plains": "students",
		"Single-family home with a white kitchen":       "",
	} {
		require.Equal(t, want, listingtext.Steering(text, "White Plains", ""), text)
	}
}

func TestAModelIsToldNoRent(t *testing.T) {
	t.Parallel()
	prompt, err := listingtext.Prompt(home)
	require.NoError(t, err)
	require.JSONEq(t, `{"bedrooms":2,"baths":1,"square_feet":1850,"city":"Los Angeles","state":"CA","company":"Harbor Homes"}`, prompt)
	prompt, err = listingtext.Prompt(listingtext.Facts{Rent: 100})
	require.NoError(t, err)
	require.JSONEq(t, `{}`, prompt)
}
