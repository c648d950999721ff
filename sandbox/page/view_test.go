package page_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox/page"
)

func TestSplitFindsLinks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]page.Segment{
		"":                        nil,
		"no link":                 {{Text: "no link"}},
		"http://a.example/x?y=1":  {{Text: "http://a.example/x?y=1", URL: "http://a.example/x?y=1"}},
		"See https://a.example.":  {{Text: "See "}, {Text: "https://a.example", URL: "https://a.example"}, {Text: "."}},
		"javascript:alert(1)":     {{Text: "javascript:alert(1)"}},
		`"https://a.example/"<b>`: {{Text: `"`}, {Text: "https://a.example/", URL: "https://a.example/"}, {Text: `"<b>`}},
	} {
		require.Equal(t, want, page.Split(text), text)
	}
}

func TestEverythingIsEscaped(t *testing.T) {
	t.Parallel()
	const evil = `<img src=x onerror=alert(1)>"'`
	p, err := page.New()
	require.NoError(t, err)
	v := page.View{
		Samples: []string{evil}, Number: evil, WorkOrders: []string{evil}, Statuses: []string{evil},
		Phones: []page.Phone{{Number: evil, Name: evil, Texts: []page.Text{{ID: evil, Body: evil, Status: evil}}}},
		Mails:  []page.Mail{{From: evil, To: evil, Subject: evil, Text: evil, MessageID: evil, Problem: evil, Attachments: []page.File{{Name: evil}}}},
		Tables: []page.Table{{Name: evil, Columns: []string{evil}, Rows: []page.Row{{URL: "javascript:alert(1)", Cells: []string{evil, evil}}}}},
		Calls:  []page.Call{{Key: evil, Partner: evil, Method: evil, Path: evil, Fault: evil, Body: evil}},
		OpenMoove: page.OpenMoove{
			Samples: []string{evil}, Options: []page.Option{{Name: evil, Label: evil}}, Count: 2,
			Sales: []page.Sale{{
				Address: evil, Postcode: evil, Method: evil, Status: evil, Seller: evil, Created: evil, UUID: evil,
				Team:       []page.Professional{{Role: evil, RoleName: evil, Email: evil, Firm: evil, Invited: evil, Code: evil}},
				Milestones: []page.Milestone{{Name: evil, Due: evil, Completed: true, CompletedAt: evil}},
			}},
		},
		Outgoing: page.Outgoing{Count: 2, Webhooks: []page.Webhook{{Key: evil, ID: evil, Type: evil, Name: evil, Body: evil, Deliveries: 2, BodyChanged: true}}},
		Partners: []page.Partner{{ID: evil, Name: evil, Fault: evil, Presets: []page.Preset{{Label: evil, JSON: evil}}}},
	}
	var b strings.Builder
	require.NoError(t, p.Whole(&b, v))
	parts, err := p.Parts(v)
	require.NoError(t, err)
	require.Len(t, parts, 8)
	for _, part := range parts {
		b.WriteString(part)
	}
	require.NotContains(t, b.String(), "<img src=x")
	require.NotContains(t, b.String(), `href="javascript:`)
	require.Greater(t, strings.Count(b.String(), "&lt;img"), 50)
}
