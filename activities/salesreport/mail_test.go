package salesreport_test

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/activities/salesreport"
)

func TestMailAndTextSayTheSame(t *testing.T) {
	t.Parallel()
	r := mixed(t)
	r.PageURL = "https://keyholder.example.com/r/token?a=1&b=2"
	subject, plain, page, err := r.Mail()
	require.NoError(t, err)
	require.Equal(t, "Sales report Monday 15 June: 1 overdue, 2 at risk, 1 on track, 2 not known", subject)
	text := read(t, page)
	flat := strings.Join(strings.Fields(plain), " ")
	for _, want := range []string{
		"2 sales need you today", "1 overdue, 1 stalled. Begin with 1 High Street, SW1A 1AA: 5 days late. 1 completed in the last 30 days.",
		"Harbor Homes Sales", "Monday 15 June 2026, 08:30 BST",
		"Completion was due on Wed 10 Jun, 5 days ago. 50% done · Standard · 30 days old",
		"Exchange of Contracts has taken 110 days; usual is up to 71, late after 107.",
		"Instruction is due tomorrow.", "1 at risk, 1 on track", "4 of usual age, 2 without a norm.",
		"Standard: usual is up to 120 working days, late after 180.", "1 sale was never read.", "Stalled: it takes longer",
	} {
		require.Contains(t, text, want)
		require.Contains(t, flat, want)
	}
	require.Contains(t, text, "Overdue (1) 1 High Street, SW1A 1AA ▲ 5 days late")
	require.Contains(t, flat, "OVERDUE (1) - 1 High Street, SW1A 1AA: 5 days late")
	require.Contains(t, flat, "2 at risk 33%")
	require.Contains(t, flat, "The whole report: https://keyholder.example.com/r/token?a=1&b=2 ")
	require.Contains(t, page, `href="https://keyholder.example.com/r/token?a=1&amp;b=2"`)
}

// What mail clients drop must not be there: styles of their own, drawings.
func TestMailIsForMailClients(t *testing.T) {
	t.Parallel()
	_, _, page, err := mixed(t).Mail()
	require.NoError(t, err)
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	for n := range root.Descendants() {
		require.NotContains(t, []string{"style", "svg", "details", "a"}, n.Data, "no link where there is no page")
		for _, a := range n.Attr {
			require.NotContains(t, []string{"class", "id"}, a.Key)
		}
	}
	require.Contains(t, page, `bgcolor="#b42318"`)
	require.Contains(t, page, "max-width:600px")
}

// Gmail cuts mails above 102 kB.
func TestMailIsBounded(t *testing.T) {
	t.Parallel()
	var many, hostiles []salesreport.Sale
	for i := range 300 {
		many = append(many, sale(strconv.Itoa(i), open(1, "Instruction", -1)), sale("r"+strconv.Itoa(i), open(1, "Instruction", 1)))
		s := hostileSale(strconv.Itoa(i))
		s.Address = strings.Repeat(`"`, 500)
		s.Milestones = append(s.Milestones, open(3, strings.Repeat("'", 99)+strconv.Itoa(i), -9), open(4, strings.Repeat("<", 99), 1))
		s.Milestones[0].Name = strconv.Itoa(i) + strings.Repeat(`"`, 300)
		hostiles = append(hostiles, s)
		s.PropertyID, s.Milestones = "r"+s.PropertyID, s.Milestones[3:]
		hostiles = append(hostiles, s)
	}
	r := salesreport.Build(many, builtIn(t), monday)
	_, plain, page, err := r.Mail()
	require.NoError(t, err)
	require.Less(t, len(page), 40_000)
	require.Equal(t, 50, strings.Count(plain, "\n- "), "25 of each list")
	require.Equal(t, 2, strings.Count(page, "… and 275 more."))
	require.Equal(t, 2, strings.Count(plain, "… and 275 more."))
	require.Contains(t, page, "Overdue (300)")
	r.PageURL = "https://keyholder.example.com/r/t"
	_, plain, page, err = r.Mail()
	require.NoError(t, err)
	require.Contains(t, page, "… and 275 more on the page.")
	require.Contains(t, plain, "… and 275 more on the page.")

	_, plain, page, err = salesreport.Build(hostiles, builtIn(t), monday).Mail()
	require.NoError(t, err)
	require.Less(t, len(page), 100_000)
	require.Less(t, len(plain), 100_000)
	require.Greater(t, strings.Count(plain, "\n- "), 10, "it still lists sales")
	require.Contains(t, page, "… and 2")
}

func TestMailOfNothing(t *testing.T) {
	t.Parallel()
	subject, plain, page, err := salesreport.Build(nil, builtIn(t), monday).Mail()
	require.NoError(t, err)
	require.Equal(t, "Sales report Monday 15 June: no sales are followed", subject)
	require.Contains(t, plain, "No sales are followed\n")
	require.NotContains(t, plain, "HOW THE SALES STAND")
	require.Contains(t, read(t, page), "No sales are followed")

	subject, _, _, err = salesreport.Report{}.Mail()
	require.NoError(t, err)
	require.Equal(t, "Sales report Monday 1 January: no sales are followed", subject)
}

// Whatever the partner says, there is a page and a mail.
func TestRenderingsOfAnything(t *testing.T) {
	t.Parallel()
	rules := builtIn(t)
	rapid.Check(t, func(t *rapid.T) {
		r := salesreport.Build(drawn().Draw(t, "sales"), rules, monday)
		r.PageURL = rapid.SampledFrom([]string{"", "https://a.example/r/1", ":", "x y"}).Draw(t, "url")
		subject, plain, page, err := r.Mail()
		require.NoError(t, err)
		require.NotContains(t, subject, "\n")
		require.Less(t, len(page), 100_000)
		for _, s := range []string{plain, page, pageOf(t, r)} {
			require.True(t, utf8.ValidString(s))
			require.NotContains(t, s, "ZgotmplZ")
			require.NotContains(t, s, "<b>&\u202e")
		}
		for l := range strings.Lines(plain) {
			words := strings.Fields(l)
			require.True(t, utf8.RuneCountInString(strings.TrimSuffix(l, "\n")) <= 76 || len(words) <= 2 || utf8.RuneCountInString(words[len(words)-1]) > 30, l)
		}
		_, _, again, err := r.Mail()
		require.NoError(t, err)
		require.Equal(t, page, again)
	})
}
