package ownerreport_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/aictive/keyholder/activities/ownerreport"
)

// read is the text of HTML. It fails on what mail clients drop, what the Policy forbids,
// and what would be fetched from elsewhere.
func read(t require.TestingT, s string) string {
	root, err := html.Parse(strings.NewReader(s))
	require.NoError(t, err)
	var text []string
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" {
			text = append(text, n.Data)
		}
		if n.Type != html.ElementNode {
			continue
		}
		require.NotContains(t, []string{"script", "link", "iframe", "form", "object", "base", "a"}, n.Data)
		for _, a := range n.Attr {
			require.False(t, strings.HasPrefix(a.Key, "on"), a.Key)
			require.NotContains(t, []string{"srcset", "href"}, a.Key)
			if a.Key == "src" {
				require.Equal(t, "cid:"+ownerreport.PictureID, a.Val)
			}
			require.NotContains(t, a.Val, "url(")
		}
	}
	return strings.Join(strings.Fields(strings.Join(text, " ")), " ")
}

func TestPage(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, report(ownerreport.Page).HTML(&out))
	page := out.String()
	text := read(t, page)
	for _, want := range []string{
		"Sunset Portfolio", "October 2026 so far", "$9,250.00", "Costs $1,837.50 Balance $19,712.50", "3 of 4", "1 home is empty, 1 is offered.", "Received and costs", "Oct",
		"Cases 2 · Result 2.4 days · Target 3 days · kept", "Boiler service Overdue", "Number 1031 · Opened Oct 28 · Open for 6.2 days", "Found by Zillow",
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, page, " style=", "the Policy allows the style sheet alone")
	require.NotContains(t, page, "<img")
	require.Equal(t, 2, strings.Count(page, "<svg"))
	require.Contains(t, page, `aria-label="Bars by month: received $105,420 in all`)
	require.Contains(t, page, `aria-label="Bars by month: homes that were let: from 50% in April 2026`)
	require.Less(t, len(page), 40_000)

	sheet := page[strings.Index(page, "<style>")+len("<style>") : strings.Index(page, "</style>")]
	sum := sha256.Sum256([]byte(sheet))
	allowed, err := ownerreport.Policy()
	require.NoError(t, err)
	require.Contains(t, allowed, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	require.Contains(t, allowed, "default-src 'none'")
}
