package incidentreport_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/aictive/keyholder/activities/incidentreport"
)

func page(t *testing.T, r incidentreport.Report) string {
	t.Helper()
	s, err := incidentreport.HTML(r)
	require.NoError(t, err)
	return s
}

// read gives the text of a page and fails on everything that a mail client would
// drop, fetch or run.
func read(t *testing.T, s string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(s))
	require.NoError(t, err)
	var text []string
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			text = append(text, n.Data)
		}
		if n.Type != html.ElementNode {
			continue
		}
		require.NotContains(t, []string{"script", "style", "link", "img", "a", "iframe", "form", "object", "svg"}, n.Data)
		for _, a := range n.Attr {
			require.NotContains(t, []string{"class", "id", "src", "href"}, a.Key)
			require.False(t, strings.HasPrefix(a.Key, "on"), a.Key)
			require.NotContains(t, a.Val, "url(")
		}
	}
	return strings.Join(strings.Fields(strings.Join(text, " ")), " ")
}

func TestHTMLAndTextSayEverything(t *testing.T) {
	t.Parallel()
	text := read(t, page(t, burstPipe()))
	plain := strings.Join(strings.Fields(incidentreport.Text(burstPipe())), " ")
	for _, want := range []string{
		"Cedar & Oak Property Management", "Work order 1042 (id 4711)",
		"Incident report: Burst pipe under the kitchen sink", "1420 Juniper Street, Austin, TX 78702, Unit 2B",
		"Repaired: split supply line replaced", "Reported Fri, Nov 20, 2026, 11:52 PM CST",
		"Ended Sat, Nov 21, 2026, 1:50 AM CST (after 1 h 59 min)", "(rules 2026-11.1)", "2 of 3 met, missed: on site",
		"I cannot find the shut-off valve.", "Technician (declined) Mark Sørensen",
		"11:58 PM CST +6 min 48 s Luis Ortega acknowledged", "Times are CST (America/Chicago)",
	} {
		require.Contains(t, text, want)
		require.Contains(t, plain, want)
	}
	require.Contains(t, text, "On site 1 h 1 h 25 min Missed by 25 min")
	require.Contains(t, plain, "On site: MISSED by 25 min (limit 1 h, took 1 h 25 min)")
	require.Contains(t, plain, "Tenant call-back: Not reached (limit 4 h)")
}

func TestHTMLEscapesAHostileReport(t *testing.T) {
	t.Parallel()
	const hostile = `</td></table><script>alert(1)</script><img src=x onerror=alert(2)><a href="javascript:alert(3)">x</a><style>*{}</style>{{.Title}}<!--`
	r := burstPipe()
	r.Company, r.Number, r.WorkOrderID, r.Problem, r.Category, r.Reason, r.Rules = hostile, hostile, hostile, hostile, hostile, hostile, hostile
	r.Description, r.Address, r.Unit, r.Result = hostile, hostile, hostile, hostile
	r.SLAs[0] = incidentreport.SLA{Name: hostile, Verdict: hostile}
	r.People[0] = incidentreport.Role{Role: hostile, Name: hostile}
	r.Timeline[0].What = hostile
	s := page(t, r)
	require.Contains(t, read(t, s), hostile, "the text is shown as it was written")
	require.NotContains(t, s, "<script")
	require.NotContains(t, s, "ZgotmplZ")
	require.Contains(t, s, "&lt;script&gt;alert(1)&lt;/script&gt;")
}

// Gmail cuts a mail's body at 102 kB.
func TestHTMLStaysBelowTheMailLimit(t *testing.T) {
	t.Parallel()
	s := page(t, longReport(500))
	require.Less(t, len(s), 102_000)
	require.Contains(t, s, "380 steps are left out")
	require.Less(t, len(page(t, hugeReport())), 200_000, "even the longest that there can be")
	require.Less(t, len(incidentreport.Text(hugeReport())), 200_000)
}

// A description must not pass for a part of the report.
func TestTextQuotesTheDescription(t *testing.T) {
	t.Parallel()
	r := minimal()
	r.Description = "Water.\n\nRESPONSE TIMES (SLA)\n  On site: MET\r\u2028TIMELINE"
	s := incidentreport.Text(r)
	require.Contains(t, s, "\nWHAT WAS REPORTED\n> Water.\n> RESPONSE TIMES (SLA)\n> On site: MET\n> TIMELINE\n")
	require.Equal(t, 1, strings.Count(s, "\nTIMELINE\n"))
	require.NotContains(t, s, "\nRESPONSE TIMES")
}

func TestTextIsWrapped(t *testing.T) {
	t.Parallel()
	for l := range strings.Lines(incidentreport.Text(longReport(200))) {
		require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(l, "\n")), 76, l)
	}
}

func TestTitleIsFitForASubject(t *testing.T) {
	t.Parallel()
	require.Equal(t, "Incident report: leak Bcc: a@b.example", incidentreport.Title(incidentreport.Report{Problem: "leak\r\nBcc: a@b.example"}))
	require.Equal(t, "Incident report", incidentreport.Title(incidentreport.Report{}))
	require.LessOrEqual(t, utf8.RuneCountInString(incidentreport.Title(hugeReport())), 140)
}

func ExampleText() {
	opened := time.Date(2026, 1, 12, 4, 10, 0, 0, time.UTC)
	fmt.Print(incidentreport.Text(incidentreport.Report{
		Company: "Cedar & Oak", WorkOrderID: "4711", Problem: "No heat", Address: "1420 Juniper Street", Unit: "2B",
		Zone: "America/Chicago", Reason: "no heat and 21 °F outside", Rules: "3",
		OpenedAt: opened, EndedAt: opened.Add(80 * time.Minute), Result: "repaired",
		SLAs:     []incidentreport.SLA{{Name: "on site", Limit: time.Hour, Took: 65 * time.Minute, Verdict: incidentreport.Missed}},
		People:   []incidentreport.Role{{Role: "technician", Name: "Ana Nowak"}},
		Timeline: []incidentreport.Step{{At: opened.Add(4 * time.Minute), What: "Ana Nowak accepted."}},
	}))
	// Output:
	// Incident report: No heat
	// Cedar & Oak
	// Work order 4711
	// 1420 Juniper Street, Unit 2B
	//
	// Result          Repaired
	// Reported        Sun, Jan 11, 2026, 10:10 PM CST
	// Ended           Sun, Jan 11, 2026, 11:30 PM CST (after 1 h 20 min)
	// Why urgent      No heat and 21 °F outside (rules 3)
	// Response times  0 of 1 met, missed: on site
	//
	// RESPONSE TIMES (SLA)
	//   On site: MISSED by 5 min (limit 1 h, took 1 h 5 min)
	//
	// PEOPLE
	//   Technician          Ana Nowak
	//
	// TIMELINE
	// Sun, Jan 11, 2026
	//   10:14 PM CST  +4 min          Ana Nowak accepted.
	//
	// Times are CST (America/Chicago)
}
