package financereport_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/activities/financereport"
	"github.com/aictive/keyholder/activities/paper/papertest"
	"github.com/aictive/keyholder/policy"
)

type figures = financereport.Figures

const zone = "America/Los_Angeles"

func written() time.Time { return time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC) }

func report(kind financereport.Kind) financereport.Report {
	r := financereport.Report{Kind: kind, Company: "Harbor Homes", Currency: "USD", At: written(), TimeZone: zone, From: "2026-11-01", To: "2026-11-30"}
	switch kind {
	case financereport.Summary, financereport.OwnerLedger:
		r.PortfolioID, r.Portfolio = "1", "Sunset Portfolio"
		r.Lines = lines()
		r.MonthToDate = figures{Charged: 3_775_00, Received: 1_850_00, Billed: 412_50}
		r.Opening = 2_300_00
	case financereport.Daily:
		r.From, r.To = "2026-11-21", "2026-11-21"
		company(&r)
	case financereport.Monthly:
		company(&r)
		for day := range 30 {
			row := financereport.Row{Label: fmt.Sprintf("2026-11-%02d", day+1)}
			switch {
			case day == 0:
				row.Charged = 18_500_00
			case day < 6:
				row.Received = policy.Cents(3_700_00 - 400_00*day)
			case day%7 == 0:
				row.Billed = 612_50
			case day == 20:
				row.Received = -850_00
			}
			r.Days = append(r.Days, row)
		}
	}
	return r
}

func lines() []financereport.Line {
	line := func(day, kind, category, text string, amount policy.Cents) financereport.Line {
		return financereport.Line{PortfolioID: "1", Day: day, Kind: kind, Category: category, Where: "88 Bay Street, Unit 2B", Text: text, Amount: amount}
	}
	all := []financereport.Line{
		line("2026-11-01", financereport.Charge, "Rent", "November rent", 1_850_00),
		line("2026-11-03", financereport.Payment, "", "ACH 5531", 1_850_00),
		line("2026-11-09", financereport.Charge, "Late fee", "Late <fee> & more", 75_00),
		line("2026-11-10", financereport.Charge, "Late fee", "Late fee", -75_00),
		line("2026-11-12", financereport.Bill, "Repairs and maintenance", "Kitchen tap", 412_50),
		line("2026-11-13", financereport.Credit, "Rent", "Goodwill", 50_00),
	}
	all[2].Review = true
	all[3].Corrected = true
	return all
}

func company(r *financereport.Report) {
	r.Total = figures{Charged: 18_760_00, Received: 9_250_00, Billed: 1_837_50}
	r.Categories = []financereport.Row{
		{Label: "Rent", Figures: figures{Charged: 18_500_00}},
		{Label: "Late fee", Figures: figures{Charged: 260_00}},
		{Label: "Payments", Figures: figures{Received: 9_250_00}},
		{Label: "Repairs and maintenance", Figures: figures{Billed: 1_837_50}},
		{Label: "Parking"},
	}
	r.Portfolios = []financereport.Row{
		{Label: "Sunset Portfolio", Figures: figures{Charged: 11_000_00, Received: 9_250_00}},
		{Label: "Portland", Figures: figures{Charged: 7_760_00, Billed: 1_837_50}},
	}
	r.Findings = []financereport.Finding{{
		Kind: "duplicate_charge", Severity: "high", Reason: "Two charges of $1,850.00 for rent within 2 days.",
		Amount: 1_850_00, Days: 3, Link: "https://keyholder.example.com/a/find-me",
	}}
	r.Unsure = []financereport.Unsure{{Day: "2026-11-20", Where: "88 Bay Street", Text: "Misc", Amount: 42_00, Link: "https://keyholder.example.com/a/name-me"}}
	r.Bank = financereport.Bank{
		Account: "Trust Checking", Until: "2026-11-20", Proved: true,
		OpenLines: []financereport.Aged{{Age: "8 to 30 days", Count: 2, Amount: 310_25}},
	}
	r.Books = financereport.Books{Planned: 42, Posted: 41, Unposted: 1, UnpostedSince: "2026-11-21"}
}

func kinds() []financereport.Kind {
	return []financereport.Kind{financereport.Summary, financereport.Daily, financereport.Monthly, financereport.OwnerLedger}
}

// page is the text of HTML. It fails on what mail clients drop, would fetch or run.
func page(t require.TestingT, s string) string {
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
		require.NotContains(t, []string{"script", "link", "iframe", "form", "object", "base", "style", "svg"}, n.Data)
		for _, a := range n.Attr {
			require.False(t, strings.HasPrefix(a.Key, "on"), a.Key)
			switch a.Key {
			case "src":
				require.Equal(t, "cid:"+financereport.PictureID, a.Val)
			case "href":
				require.True(t, strings.HasPrefix(a.Val, "https://") || strings.HasPrefix(a.Val, "#"), a.Val)
			}
		}
	}
	return strings.Join(strings.Fields(strings.Join(text, " ")), " ")
}

func TestMailOfADay(t *testing.T) {
	t.Parallel()
	subject, text, body, err := report(financereport.Daily).Mail()
	require.NoError(t, err)
	require.Equal(t, "Daily finance report, November 21, 2026: $9,250.00 received, 2 to decide", subject)
	for _, want := range []string{
		"Harbor Homes", "Saturday, November 21, 2026", "$18,760.00", "$9,250.00", "$1,837.50",
		"The books balance: debits and credits are equal.", "QuickBooks has 41 of 42 entries of this period.",
		"1 entry in all waits for QuickBooks, the oldest since November 21.", "Trust Checking is proved until November 20",
		"1 finding is open.", "1 booking waits for a category.", "Duplicate charge", "Two charges of $1,850.00 for rent within 2 days.", "3 days",
		"Repairs and maintenance", "Sunset Portfolio", "On a statement, not booked, 8 to 30 days", "$310.25",
		"Written November 22, 2026, 7:00 AM PST.", "Amounts are in USD.",
	} {
		require.Contains(t, page(t, body), want)
		require.Contains(t, strings.Join(strings.Fields(text), " "), want)
	}
	for _, link := range []string{"find-me", "name-me"} {
		require.Contains(t, body, `href="https://keyholder.example.com/a/`+link)
		require.Contains(t, text, "https://keyholder.example.com/a/"+link)
	}
	require.Contains(t, body, `src="cid:figures.png" alt="Bars by category: charged $18,760.00 in all, the most $18,500.00 (Rent); received`)
	require.Less(t, len(body), 30_000)
}

// Amounts of a text end in the same column.
func TestAmountsAreRightAligned(t *testing.T) {
	t.Parallel()
	_, text, body, err := report(financereport.Summary).Mail()
	require.NoError(t, err)
	ends := map[int]bool{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "Nov ") {
			ends[len([]rune(strings.TrimSpace(line)))] = true
		}
	}
	require.Len(t, ends, 1, text)
	require.Equal(t, len(lines()), strings.Count(body, `<td align="right"`))
}

func TestASummaryShowsBookingsAlone(t *testing.T) {
	t.Parallel()
	r := report(financereport.Summary)
	company(&r) // what is of others is not shown, even if it is there
	subject, text, body, err := r.Mail()
	require.NoError(t, err)
	require.Equal(t, "Harbor Homes: 6 bookings for Sunset Portfolio", subject)
	got := page(t, body)
	for _, want := range []string{
		"Charged this month", "$3,775.00", "Charge: Rent", "Payment", "Bill: Repairs and maintenance", "-$75.00", "Under review", "Corrected",
		"88 Bay Street, Unit 2B · Late <fee> & more", "Nov 12",
	} {
		require.Contains(t, got, want)
	}
	file, err := r.PDF()
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, r.CSV(&out))
	for _, s := range []string{got, text, out.String(), papertest.Words(t, file)} {
		for _, secret := range []string{"Portland", "Duplicate", "find-me", "name-me", "Trust", "QuickBooks", "Misc"} {
			require.NotContains(t, s, secret)
		}
	}
	picture, alt, err := r.Picture()
	require.NoError(t, err)
	require.Empty(t, picture)
	require.Empty(t, alt)
}

func TestALineOfAnotherPortfolioIsNeverDrawn(t *testing.T) {
	t.Parallel()
	for _, kind := range []financereport.Kind{financereport.Summary, financereport.OwnerLedger} {
		r := report(kind)
		r.Lines[4].PortfolioID = "2"
		_, _, _, err := r.Mail()
		require.ErrorIs(t, err, financereport.ErrOtherPortfolio)
		_, err = r.PDF()
		require.ErrorIs(t, err, financereport.ErrOtherPortfolio)
		var out bytes.Buffer
		require.ErrorIs(t, r.CSV(&out), financereport.ErrOtherPortfolio)
		require.Empty(t, out.String())
	}
	_, _, _, err := financereport.Report{Kind: "weekly"}.Mail()
	require.ErrorContains(t, err, `"weekly" is no kind of report`)
}

func TestTheLedgerClosesWithCash(t *testing.T) {
	t.Parallel()
	r := report(financereport.OwnerLedger)
	require.Equal(t, policy.Cents(2_300_00+1_850_00-412_50), r.Closing())
	file, err := r.PDF()
	require.NoError(t, err)
	text := papertest.Words(t, file)
	for _, want := range []string{
		"Owner's ledger, November 2026", "Sunset Portfolio", "Opening balance", "Nov 1 Opening balance $2,300.00", "Nov 3 Payment $1,850.00 $4,150.00",
		"Nov 12 Bill: Repairs and maintenance $412.50 $3,737.50", "Nov 30 Closing balance $1,800.00 $1,850.00 $412.50 $3,737.50",
		"The balance is cash", "Page 1 of 1",
	} {
		require.Contains(t, text, papertest.Squeeze(want))
	}
	rows := table(t, r)
	require.Equal(t, []string{"opening balance", "2026-11-01", "", "", "", "", "", "", "", "2300.00", "USD", ""}, rows[1])
	require.Equal(t, []string{"booking", "2026-11-10", "charge", "Late fee", "88 Bay Street, Unit 2B", "Late fee", "-75.00", "0.00", "0.00", "-75.00", "USD", "corrected"}, rows[5])
	require.Equal(t, []string{"booking", "2026-11-13", "credit", "Rent", "88 Bay Street, Unit 2B", "Goodwill", "-50.00", "0.00", "0.00", "50.00", "USD", ""}, rows[7])
	require.Equal(t, []string{"closing balance", "2026-11-30", "", "", "", "", "", "", "", "3737.50", "USD", ""}, rows[8])
}

// However the lines are split into months, each closes with what opens the next.
func TestLedgersFollowEachOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.Custom(func(t *rapid.T) financereport.Line {
			return financereport.Line{
				PortfolioID: "1", Kind: rapid.SampledFrom([]string{"charge", "credit", "payment", "bill"}).Draw(t, "kind"),
				Amount: policy.Cents(rapid.Int64Range(-1_000_000, 1_000_000).Draw(t, "amount")),
			}
		})
		all := rapid.SliceOf(line).Draw(t, "lines")
		cut := rapid.IntRange(0, len(all)).Draw(t, "cut")
		whole := financereport.Report{Kind: financereport.OwnerLedger, PortfolioID: "1", Lines: all, Opening: 100}
		first, second := whole, whole
		first.Lines, second.Lines = all[:cut], all[cut:]
		second.Opening = first.Closing()
		require.Equal(t, whole.Closing(), second.Closing())
	})
}

// table is the file read back.
func table(t *testing.T, r financereport.Report) [][]string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, r.CSV(&out))
	require.Equal(t, strings.Count(out.String(), "\n"), strings.Count(out.String(), "\r\n"), "lines end as RFC 4180 says")
	rows, err := csv.NewReader(&out).ReadAll()
	require.NoError(t, err)
	return rows
}

func TestCSVOfAMonth(t *testing.T) {
	t.Parallel()
	r := report(financereport.Monthly)
	r.Unsure[0].Text = "=HYPERLINK(\"x\")\n,two"
	r.Unsure[0].Where = "-1+1"
	rows := table(t, r)
	require.Equal(t, strings.Fields("section day kind label where text charged received billed amount currency state"), rows[0])
	require.Equal(t, []string{"total", "", "", "", "", "", "18760.00", "9250.00", "1837.50", "", "USD", ""}, rows[1])
	require.Contains(t, rows, []string{"category", "", "", "Rent", "", "", "18500.00", "0.00", "0.00", "", "USD", ""})
	require.Contains(t, rows, []string{"day", "2026-11-21", "", "", "", "", "0.00", "-850.00", "0.00", "", "USD", ""})
	require.Contains(t, rows, []string{"unsure", "2026-11-20", "", "", "'-1+1", `'=HYPERLINK("x") ,two`, "", "", "", "42.00", "USD", ""})
	require.Contains(t, rows, []string{"finding", "", "duplicate_charge", "", "", "Two charges of $1,850.00 for rent within 2 days.", "", "", "", "1850.00", "USD", "high, open for 3 days"})
	require.Contains(t, rows, []string{"state", "", "", "", "", "1 finding is open.", "", "", "", "", "USD", "bad"})
	for _, row := range rows {
		require.NotContains(t, strings.Join(row, ","), "https://", "a file is passed on")
	}
}

type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestCSVTellsThatItCouldNotBeWritten(t *testing.T) {
	t.Parallel()
	r := report(financereport.OwnerLedger)
	require.ErrorContains(t, r.CSV(&full{left: 100}), "disk full")
}

func TestPictures(t *testing.T) {
	t.Parallel()
	for kind, want := range map[financereport.Kind]string{
		financereport.Daily:   "Bars by category: charged $18,760.00 in all, the most $18,500.00 (Rent); received $9,250.00 in all, the most $9,250.00 (Payments); billed $1,837.50 in all, the most $1,837.50 (Repairs and maintenance).",
		financereport.Monthly: "Bars by day: charged $18,500.00 in all, the most $18,500.00 (November 1); received $11,650.00 in all, the most $3,300.00 (November 2); billed $2,450.00 in all, the most $612.50 (November 8).",
	} {
		data, alt, err := report(kind).Picture()
		require.NoError(t, err)
		require.Equal(t, want, alt)
		img, err := png.Decode(bytes.NewReader(data))
		require.NoError(t, err)
		require.Equal(t, 1200, img.Bounds().Dx())
		colors := map[[3]uint32]int{}
		for y := range img.Bounds().Dy() {
			for x := range 1200 {
				r, g, b, _ := img.At(x, y).RGBA()
				colors[[3]uint32{r >> 8, g >> 8, b >> 8}]++
			}
		}
		charged, received, billed := colors[[3]uint32{0x00, 0x72, 0xb2}], colors[[3]uint32{0x00, 0x8a, 0x64}], colors[[3]uint32{0xd5, 0x5e, 0x00}]
		require.Greater(t, charged, received)
		require.Greater(t, received, billed)
		require.Greater(t, billed, 24*24, "more than its legend")
	}
}

func TestNothingWasBooked(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		r := financereport.Report{Kind: kind, Company: "Harbor Homes", Currency: "EUR", From: "2026-11-01", To: "2026-11-30"}
		subject, text, body, err := r.Mail()
		require.NoError(t, err)
		require.NotEmpty(t, subject)
		require.NotEmpty(t, text)
		require.NotContains(t, body, "<img")
		file, err := r.PDF()
		require.NoError(t, err)
		require.Contains(t, string(file), "/MediaBox [0 0 595.28 841.89]", "A4 where the dollar is not used")
		picture, alt, err := r.Picture()
		require.NoError(t, err)
		require.Empty(t, picture)
		require.Empty(t, alt)
		require.GreaterOrEqual(t, len(table(t, r)), 2)
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	t.Parallel()
	r := report(financereport.Daily)
	r.Books.Difference = -1
	r.Bank.Proved, r.Bank.Difference = false, 12_34
	_, text, _, err := r.Mail()
	require.NoError(t, err)
	require.Contains(t, text, "(!) The books do not balance: debits and credits differ by -$0.01.")
	require.Contains(t, text, "(!) Trust Checking is not proved until November 20: nothing explains $12.34.")
	r.Bank = financereport.Bank{}
	_, text, _, err = r.Mail()
	require.NoError(t, err)
	require.Contains(t, text, "(!) No bank statement was read in yet.")
}

// Whatever people write, mails stay small and harmless and files can be read.
func TestAnyText(t *testing.T) {
	t.Parallel()
	r := report(financereport.OwnerLedger)
	bad := "\u202e<script>alert(1)</script>\r\nBcc: x@example.com " + strings.Repeat("長い", 3000) + "🏡"
	worst := financereport.Line{PortfolioID: "1", Day: bad, Kind: bad, Category: bad, Where: bad, Text: bad, Amount: 1}
	r.Lines = append(r.Lines, slices.Repeat([]financereport.Line{worst}, 30)...)
	r.Lines = append(r.Lines, slices.Repeat(lines(), 500)...)
	r.Portfolio, r.Company = bad, bad
	subject, text, body, err := r.Mail()
	require.NoError(t, err)
	require.NotContains(t, subject, "\n")
	require.LessOrEqual(t, len([]rune(subject)), 150)
	require.Less(t, len(body), 96_001)
	require.NotContains(t, body, "<script")
	require.NotContains(t, body, "\u202e")
	require.Contains(t, page(t, body), "more in the attached files")
	require.Contains(t, text, "more in the attached files")
	require.Len(t, table(t, r), 3+len(r.Lines), "the CSV file has all")
	r.Lines = r.Lines[:40]
	file, err := r.PDF()
	require.NoError(t, err)
	require.Contains(t, papertest.Words(t, file), papertest.Squeeze("stands for a character that this document cannot print"))

	d := report(financereport.Daily)
	d.Categories = slices.Repeat(d.Categories, 100)
	_, text, body, err = d.Mail()
	require.NoError(t, err)
	require.Contains(t, text, "… and 340 more in the attached files.")
	require.Regexp(t, `All +\$18,760.00 `, text, "the sum stays where rows are left out")
	require.Contains(t, page(t, body), "All $18,760.00")
	d.Findings[0].Link = "javascript:alert(1)"
	_, _, body, err = d.Mail()
	require.NoError(t, err)
	require.NotContains(t, body, "javascript:")
}

func TestPDFOfAMonth(t *testing.T) {
	t.Parallel()
	r := report(financereport.Monthly)
	file, err := r.PDF()
	require.NoError(t, err)
	again, err := r.PDF()
	require.NoError(t, err)
	require.Equal(t, file, again, "the same report gives the same bytes")
	require.Contains(t, string(file), "/MediaBox [0 0 612.00 792.00]")
	require.Contains(t, string(file), "/Subtype /Image")
	text := papertest.Words(t, file)
	for _, want := range []string{
		"Monthly finance report", "November 2026", "Charged Received Billed", "By portfolio", "Portland $7,760.00 – $1,837.50", "All $18,760.00 $9,250.00 $1,837.50",
		"Duplicate charge 3 days $1,850.00", "High: Two charges", "Sun, Nov 1 $18,500.00", "Page 1 of 2", "Page 2 of 2",
	} {
		require.Contains(t, text, papertest.Squeeze(want))
	}
	require.NotContains(t, string(file), "keyholder.example.com", "a file is passed on")
	require.NotContains(t, text, "keyholder.example.com")
}

func TestByAge(t *testing.T) {
	t.Parallel()
	open := []financereport.Open{
		{Day: "2026-11-21", Amount: 1}, {Day: "2026-11-14", Amount: 2}, {Day: "2026-11-13", Amount: 4}, {Day: "2026-10-22", Amount: 8},
		{Day: "2026-09-21", Amount: -16}, {Day: "2026-12-24", Amount: 32}, {Day: "", Amount: 64},
	}
	require.Equal(t, []financereport.Aged{
		{Age: "up to 7 days", Count: 4, Amount: 1 + 2 + 32 + 64}, {Age: "8 to 30 days", Count: 2, Amount: 12}, {Age: "more than 60 days", Count: 1, Amount: -16},
	}, financereport.ByAge("2026-11-21", open))
	require.Empty(t, financereport.ByAge("2026-11-21", nil))
}
