package salesreport_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/aictive/keyholder/activities/progress"
	"github.com/aictive/keyholder/activities/salesreport"
	"github.com/aictive/keyholder/policy"
)

func pageOf(t require.TestingT, r salesreport.Report) string {
	var b bytes.Buffer
	require.NoError(t, r.HTML(&b))
	return b.String()
}

// mixed has one sale of each kind.
func mixed(tb testing.TB) salesreport.Report {
	tb.Helper()
	stalled := sale("3", done(1, "Offer Acceptance", -110), open(2, "Exchange of Contracts", 9))
	over, early := sale("6", done(1, "Completion", -3)), sale("7", open(1, "Completion", -3))
	early.EndedAt = monday.Add(-2 * day)
	unread := sale("8")
	unread.Known, unread.ReadAt = false, unread.EndedAt
	return salesreport.Build([]salesreport.Sale{
		sale("1", done(1, "Instruction", -9), open(2, "Completion", -5)), sale("2", open(1, "Instruction", 1)), stalled,
		sale("4", open(1, "Instruction", 9)), sale("5"), over, early, unread,
	}, builtIn(tb), monday)
}

// read gives the text of a page. It fails on what the Policy forbids or what would
// be fetched from elsewhere.
func read(t *testing.T, s string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(s))
	require.NoError(t, err)
	ids := map[string]bool{}
	var text []string
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" {
			text = append(text, n.Data)
		}
		if n.Type != html.ElementNode {
			continue
		}
		require.NotContains(t, []string{"script", "link", "img", "iframe", "form", "object", "base"}, n.Data)
		for _, a := range n.Attr {
			require.False(t, strings.HasPrefix(a.Key, "on"), a.Key)
			require.NotContains(t, []string{"src", "srcset"}, a.Key)
			require.NotContains(t, a.Val, "url(")
			if a.Key == "id" {
				require.False(t, ids[a.Val], "two of the id "+a.Val)
				ids[a.Val] = true
			}
		}
	}
	return strings.ReplaceAll(strings.Join(strings.Fields(strings.Join(text, " ")), " "), "\u00a0", " ")
}

func TestPageSaysEverything(t *testing.T) {
	t.Parallel()
	s := pageOf(t, mixed(t))
	text := read(t, s)
	for _, want := range []string{
		"Harbor Homes Sales Monday 15 June 2026, 08:30 BST", "2 sales need you today",
		"1 overdue, 1 stalled. Begin with 1 High Street, SW1A 1AA: 5 days late. 1 completed in the last 30 days. 1 ended early in the last 30 days.",
		"1 overdue (17%), 2 at risk (33%), 1 on track (17%), 2 not known (33%)",
		"▲ 5 days late Completion was due on Wed 10 Jun, 5 days ago. 50% done · Standard · 30 days old",
		"▲ Stalled Exchange of Contracts has taken 110 days; usual is up to 71, late after 107.",
		"◆ Due tomorrow Instruction is due tomorrow.", "At Instruction · due Wed 24 Jun · 0% done",
		"8 High Street, SW1A 1AA Standard · 30 days old", "Completed · Fri 12 Jun", "Ended early, at Completion · Sat 13 Jun",
		"Exchange of Contracts 1 ▲ 1 overdue or stalled", "weeks 1 to 4: 4 sales (4 of usual age); weeks 5 to 8: 2 sales (2 without a norm).", "usual: to week 24", "late: after 36",
		"Standard: usual is up to 120 working days, late after 180.", "Standard 1 2 1 2 6",
		"Read at OpenMoove 1 minute ago on average, the oldest 1 minute ago. 1 sale was never read.",
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, s, "style=")
	require.NotContains(t, s, "http", "nothing from elsewhere, no link")
	require.NotContains(t, s, "ZgotmplZ")
}

func TestPolicyAllowsTheStyleSheet(t *testing.T) {
	t.Parallel()
	csp, err := salesreport.Policy()
	require.NoError(t, err)
	s := pageOf(t, mixed(t))
	require.Equal(t, 1, strings.Count(s, "<style>"))
	_, css, _ := strings.Cut(s, "<style>")
	css, _, _ = strings.Cut(css, "</style>")
	sum := sha256.Sum256([]byte(css))
	require.Contains(t, csp, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	require.Contains(t, csp, "default-src 'none'")
	require.NotContains(t, css, "url(")
}

func TestHeadlines(t *testing.T) {
	t.Parallel()
	overdue, risk, fine, unknown := sale("1", open(1, "A", -1)), sale("2", open(1, "A", 1)), sale("3", open(1, "A", 9)), sale("4")
	late := sale("5", done(1, "Offer Acceptance", -110), open(2, "Exchange of Contracts", 9))
	fine2, risk2 := fine, risk
	fine2.PropertyID, risk2.PropertyID = "6", "7"
	for _, c := range []struct {
		want  string
		sales []salesreport.Sale
	}{
		{"1 sale needs you today Begin with 1 High Street, SW1A 1AA: 1 day late. ", []salesreport.Sale{overdue, risk, fine, unknown}},
		{"2 sales need you today 1 overdue, 1 stalled. Begin with 1 High Street", []salesreport.Sale{overdue, late}},
		{"1 sale needs you today Nothing is overdue, but 1 stalled. Begin with 5 High Street, SW1A 1AA: stalled.", []salesreport.Sale{late, fine}},
		{"1 sale to keep an eye on Nothing is overdue. Begin with 2 High Street, SW1A 1AA: due tomorrow.", []salesreport.Sale{risk, fine, unknown}},
		{"2 sales to keep an eye on Nothing is overdue. ", []salesreport.Sale{risk, risk2}},
		{"1 sale is on track Nothing is overdue. ", []salesreport.Sale{fine}},
		{"All 2 sales are on track Nothing is overdue. ", []salesreport.Sale{fine, fine2}},
		{"2 sales are on track Nothing is overdue. ", []salesreport.Sale{fine, fine2, unknown}},
		{"1 sale cannot be judged yet", []salesreport.Sale{unknown}},
		{"No sales are followed", nil},
	} {
		text := read(t, pageOf(t, salesreport.Build(c.sales, builtIn(t), monday)))
		require.Contains(t, text, "08:30 BST "+c.want)
	}
}

func TestPageOfManySales(t *testing.T) {
	t.Parallel()
	var sales []salesreport.Sale
	for i := range 250 {
		sales = append(sales, sale(strconv.Itoa(i), open(1, "Instruction", -1-i)))
	}
	s := pageOf(t, salesreport.Build(sales, builtIn(t), monday))
	text := read(t, s)
	require.Contains(t, text, "250 sales need you today")
	require.Contains(t, text, "▲ Overdue 250")
	require.Contains(t, text, "Show 192 more")
	require.Contains(t, text, "… and 50 more that are not listed.")
	require.Equal(t, 200, strings.Count(s, `class="where"`))
}

const hostile = `</p></style><script>alert(1)</script><img src=x onerror=alert(2)>"'{{.Title}}<!--`

// hostileSale has it wherever a partner may write.
func hostileSale(id string) salesreport.Sale {
	s := sale(id, open(1, hostile, -1), progress.Milestone{ID: hostile, Name: hostile, Order: 2})
	s.TransactionID, s.Address, s.Postcode, s.Method, s.Status = hostile+id, hostile, hostile, hostile, hostile
	return s
}

func TestPageAndMailEscapeHostileText(t *testing.T) {
	t.Parallel()
	rules := builtIn(t)
	rules.Name = hostile
	r := salesreport.Build([]salesreport.Sale{hostileSale("1"), hostileSale(hostile)}, rules, monday)
	r.PageURL = "javascript:alert(1)//http://x"
	_, text, mail, err := r.Mail()
	require.NoError(t, err)
	for _, s := range []string{pageOf(t, r), mail} {
		require.NotContains(t, s, "<script")
		require.NotContains(t, s, "<img")
		require.NotContains(t, s, "javascript:")
		require.NotContains(t, s, "ZgotmplZ")
		require.Contains(t, s, "&lt;script&gt;alert(1)&lt;/script&gt;")
	}
	require.Contains(t, read(t, pageOf(t, r)), `alert(1)</script><img src=x`, "the text is shown as it was written")
	require.NotContains(t, text, "javascript:")
}

func TestTextsAreCleanedAndBounded(t *testing.T) {
	t.Parallel()
	s := sale("1", open(1, strings.Repeat("ä", 1000), -1))
	s.Address, s.Postcode, s.TransactionID = "1 Mill\r\nLane\u202e \x00\xff"+strings.Repeat("x", 1<<20), strings.Repeat("9", 1000), strings.Repeat("u", 1000)
	l := salesreport.Build([]salesreport.Sale{s}, builtIn(t), monday).Lists.Overdue.Sales[0]
	require.True(t, strings.HasPrefix(l.Address, "1 Mill Lane \ufffdxxx"), l.Address)
	for most, text := range map[int]string{160: l.Address, 16: l.Postcode, 64: l.TransactionID, 80: l.Milestone} {
		require.Equal(t, most, utf8.RuneCountInString(text))
	}

	for want, s := range map[string]salesreport.Sale{
		"Property 4711":                 {PropertyID: "4711"},
		"Property u-1":                  {TransactionID: "u-1"},
		"SW1A 1AA":                      {PropertyID: "1", Postcode: "SW1A 1AA"},
		"1 Mill Lane":                   {PropertyID: "1", Address: "1 Mill Lane"},
		"1 Mill Lane, London, SW1A 1AA": {PropertyID: "1", Address: "1 Mill Lane, London, SW1A 1AA", Postcode: "sw1a 1aa"},
	} {
		s.Method = policy.MethodStandard
		require.Contains(t, read(t, pageOf(t, salesreport.Build([]salesreport.Sale{s}, builtIn(t), monday))), "Not known 1 "+want+" Standard · ")
	}
}
