package ownerreport_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"image/png"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/activities/ownerreport"
	"github.com/aictive/keyholder/activities/paper/papertest"
	"github.com/aictive/keyholder/policy"
)

func kinds() []ownerreport.Kind {
	return []ownerreport.Kind{ownerreport.Pack, ownerreport.Page, ownerreport.Digest}
}

func TestMailOfAPack(t *testing.T) {
	t.Parallel()
	subject, text, body, err := report(ownerreport.Pack).Mail()
	require.NoError(t, err)
	require.Equal(t, "Owner's report, October 2026, Sunset Portfolio", subject)
	for _, want := range []string{
		"Harbor Homes", "Received", "$9,250.00", "Costs", "$1,837.50", "Closing balance", "$19,712.50", "3 of 4",
		"1 home is empty, 1 is offered.", "1 request is open for longer than 48 hours, the oldest for 6.2 days.",
		"1 certificate, licence or inspection is overdue.", "Nobody has said yet how long 1 certificate, licence or inspection is good.",
		"3 of 6 targets missed: Vendor's bill after the work; Repaired at the first visit; Homes let.", "2 repairs were done, 1 empty home was let.",
		"Empty for 12 days, offered at $1,925.00", "Dec 31, 2026", "Lease ends, the tenants leave", "Jan 15, 2027", "1031", "Waiting for parts",
		"3 entries wait for a category: sums by category may still change.", "Written November 3, 2026, 7:00 AM PST.",
	} {
		require.Contains(t, read(t, body), want)
		require.Contains(t, strings.Join(strings.Fields(text), " "), want)
	}
	require.NotContains(t, text, "Oct 31, 2027", "a lease that ends in a year is not what is next")
	require.Contains(t, body, `src="cid:figures.png" alt="Bars by month: received $105,420`)
	require.Less(t, len(body), 20_000)
}

// What is next goes by the day on which the report is written, where it is meant.
func TestWhatIsNext(t *testing.T) {
	t.Parallel()
	for ends, want := range map[string]bool{
		"2026-11-02": false, "2026-11-03": true, "2027-02-01": true, "2027-02-02": false, "soon": false, "": false,
	} {
		r := report(ownerreport.Pack)
		r.Properties[1].Units[0].LeaseEnds = ends
		_, text, _, err := r.Mail()
		require.NoError(t, err)
		require.Equal(t, want, strings.Contains(text, "12 Oak Court, Portland, OR 97202, House"), ends)
	}
	for due, want := range map[string]bool{"2026-10-20": true, "2027-01-02": true, "2027-01-03": false, "": false} {
		r := report(ownerreport.Pack)
		r.Compliance = []ownerreport.Requirement{{PortfolioID: "1", Name: "Gas safety", Where: "12 Oak Court", State: "due", Due: due}}
		_, text, _, err := r.Mail()
		require.NoError(t, err)
		require.Equal(t, want, strings.Contains(text, "Gas safety"), due)
	}
}

func TestADigestHasOldRequestsAlone(t *testing.T) {
	t.Parallel()
	r := report(ownerreport.Digest)
	subject, text, body, err := r.Mail()
	require.NoError(t, err)
	require.Equal(t, "1 request is open for longer than 48 hours, Sunset Portfolio", subject)
	for _, s := range []string{text, read(t, body)} {
		require.Contains(t, s, "1031")
		require.Contains(t, s, "Waiting for parts")
		for _, other := range []string{"1044", "$", "Lease ends", "Boiler", "Target", "balance"} {
			require.NotContains(t, s, other)
		}
	}
	require.NotContains(t, body, "<img")
	require.Len(t, r.Old(), 1)
	r.OldAfter = 10 * time.Hour
	require.Len(t, r.Old(), 2)
	require.Equal(t, "1031", r.Old()[0].Number, "the oldest first")
	r.OldAfter = 7 * day
	require.Empty(t, r.Old())
	r.OldAfter = 0
	r.Requests[1].OpenedAt = ago(48 * time.Hour)
	require.Empty(t, r.Old(), "48 hours are not longer than 48 hours")
}

func TestNothingOfAnotherPortfolioIsDrawn(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*ownerreport.Report){
		"property": func(r *ownerreport.Report) { r.Properties[1].PortfolioID = "2" },
		"repair":   func(r *ownerreport.Report) { r.Repairs[1].PortfolioID = "2" },
		"request":  func(r *ownerreport.Report) { r.Requests[1].PortfolioID = "" },
		"letting":  func(r *ownerreport.Report) { r.Lettings[0].PortfolioID = "2" },
		"required": func(r *ownerreport.Report) { r.Compliance[3].PortfolioID = "2" },
	} {
		for _, kind := range kinds() {
			r := report(kind)
			change(&r)
			_, _, _, err := r.Mail()
			require.ErrorIs(t, err, ownerreport.ErrOtherPortfolio, name)
			_, err = r.PDF()
			require.ErrorIs(t, err, ownerreport.ErrOtherPortfolio, name)
			_, _, err = r.Picture()
			require.ErrorIs(t, err, ownerreport.ErrOtherPortfolio, name)
			var out bytes.Buffer
			require.ErrorIs(t, r.CSV(&out), ownerreport.ErrOtherPortfolio, name)
			require.ErrorIs(t, r.HTML(&out), ownerreport.ErrOtherPortfolio, name)
			require.Empty(t, out.String())
		}
	}
	_, _, _, err := ownerreport.Report{Kind: "weekly"}.Mail()
	require.ErrorContains(t, err, `"weekly" is no kind of report`)
}

func TestPDFOfAPack(t *testing.T) {
	t.Parallel()
	r := report(ownerreport.Pack)
	file, err := r.PDF()
	require.NoError(t, err)
	again, err := r.PDF()
	require.NoError(t, err)
	require.Equal(t, file, again, "the same report gives the same bytes")
	require.Contains(t, string(file), "/MediaBox [0 0 612.00 792.00]")
	text := papertest.Words(t, file)
	first, rest, two := strings.Cut(text, "Page1of3")
	require.True(t, two, text)
	for _, want := range []string{
		"Owner's report, October 2026", "Sunset Portfolio", "$19,712.50", "3 of 4", "1 home is empty, 1 is offered.", "Received and costs", "$10,000", "Homes that were let", "100%",
		"Repair, from request to done 2 2.4 days 3 days kept", "Ready after move-out 0 not known 10 days –", "First answer to a prospect 14 40 seconds 5 minutes kept",
		"Rating by tenants 1 5 of 5 4 of 5 kept", "Repaired at the first visit 2 50% 80% missed",
	} {
		require.Contains(t, first, papertest.Squeeze(want), "the first page tells how things stand")
	}
	for _, want := range []string{
		"88 Bay Street 2 of 3 let $3,645.00", "Unit 3C empty for 12 days, offered $1,925.00", "Rent $9,325.00", "Landscaping $412.50", "All $9,400.00 $1,837.50",
		"Oct 16 Plumbing 12 minutes 24 hours 2.4 days $412.50 5 of 5", "Oct 26 Hvac – – 18 hours $1,012.50 –", "Emergency: 12 Oak Court",
		"1031 88 Bay Street, Unit 2B Oct 28 6.2 days", "Longer than 48 hours: Waiting for parts", "88 Bay Street, Unit 1A 18 days 14 5 2 $86.00 $1,418.33", "Found by Zillow",
		"Boiler service overdue Oct 20, 2026", "Lead paint disclosure not known yet", "Page 3 of 3",
	} {
		require.Contains(t, rest, papertest.Squeeze(want))
	}
	require.Less(t, strings.Index(rest, "Boilerserviceoverdue"), strings.Index(rest, "Landlordinsurancevalid"), "the worst first")
}

// A hundred homes are a file that can be read: lists end, and say so.
func TestManyHomes(t *testing.T) {
	t.Parallel()
	r := many(ownerreport.Pack, 300)
	file, err := r.PDF()
	require.NoError(t, err)
	require.Contains(t, papertest.Words(t, file), papertest.Squeeze("… and 187 more in the CSV file."))
	require.Less(t, len(file), 200_000)
	rows := table(t, r)
	homes := slices.DeleteFunc(slices.Clone(rows), func(row []string) bool { return row[0] != "home" })
	require.Len(t, homes, 304, "the CSV file has all")
	var page bytes.Buffer
	r.Kind = ownerreport.Page
	require.NoError(t, r.HTML(&page))
	require.Contains(t, read(t, page.String()), "Show 299 more")
}

func TestNothingIsKnown(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		r := nothing(kind)
		subject, text, body, err := r.Mail()
		require.NoError(t, err)
		require.NotEmpty(t, subject)
		require.NotContains(t, body, "<img")
		file, err := r.PDF()
		require.NoError(t, err)
		require.Contains(t, string(file), "/MediaBox [0 0 595.28 841.89]", "A4 where the dollar is not used")
		var page bytes.Buffer
		require.NoError(t, r.HTML(&page))
		require.NotContains(t, page.String(), "<svg")
		picture, alt, err := r.Picture()
		require.NoError(t, err)
		require.Empty(t, picture)
		require.Empty(t, alt)
		rows := table(t, r)
		if kind == ownerreport.Digest {
			require.Len(t, rows, 1)
			continue
		}
		for _, s := range []string{strings.Join(strings.Fields(text), " "), read(t, page.String())} {
			require.Contains(t, s, "No books are kept for this portfolio: there are no amounts.")
			require.Contains(t, s, "0 repairs were done, 0 empty homes were let.")
			require.NotContains(t, s, "balance", "what is not known is not zero")
		}
	}
}

func TestOccupancy(t *testing.T) {
	t.Parallel()
	share, known := report(ownerreport.Page).Occupancy()
	require.True(t, known)
	require.Equal(t, policy.Permille(750), share, "those who leave still live there")
	_, known = nothing(ownerreport.Page).Occupancy()
	require.False(t, known)
}

func TestKPI(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kpi ownerreport.KPI
		met bool
	}{
		{ownerreport.KPI{Measure: ownerreport.Duration, Value: 5, Target: 5}, true}, {ownerreport.KPI{Measure: ownerreport.Duration, Value: 6, Target: 5}, false},
		{ownerreport.KPI{Measure: ownerreport.Share, Value: 5, Target: 5}, true}, {ownerreport.KPI{Measure: ownerreport.Stars, Value: 4, Target: 5}, false},
	} {
		require.Equal(t, c.met, c.kpi.Met(), c.kpi)
		require.False(t, c.kpi.Known())
	}
}

// pixels counts those of the data's colours: received, costs and homes let.
func pixels(t *testing.T, picture []byte) (received, costs, let int) {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(picture))
	require.NoError(t, err)
	require.Equal(t, 1200, img.Bounds().Dx())
	for y := range img.Bounds().Dy() {
		for x := range 1200 {
			r, g, b, _ := img.At(x, y).RGBA()
			switch [3]uint32{r >> 8, g >> 8, b >> 8} {
			case [3]uint32{0x00, 0x8a, 0x64}:
				received++
			case [3]uint32{0xd5, 0x5e, 0x00}:
				costs++
			case [3]uint32{0x00, 0x72, 0xb2}:
				let++
			}
		}
	}
	return received, costs, let
}

func TestPicture(t *testing.T) {
	t.Parallel()
	r := report(ownerreport.Pack)
	picture, alt, err := r.Picture()
	require.NoError(t, err)
	require.Equal(t, "Bars by month: received $105,420 in all, the most $9,250 in November 2025; costs $19,060.50 in all, the most $2,602 in March 2026; "+
		"homes that were let: from 50% in April 2026 to 100% in May 2026, 50% in October 2026.", alt)
	received, costs, let := pixels(t, picture)
	require.Greater(t, received, 2*costs)
	require.Greater(t, costs, 24*24, "more than its legend")
	require.Positive(t, let)

	r.Months = r.Months[11:] // the first month of an owner
	picture, _, err = r.Picture()
	require.NoError(t, err)
	one, _, _ := pixels(t, picture)
	require.Less(t, one, received/4, "its bar is as wide as that of any month")

	r.Months[0].Occupancy = nil
	picture, alt, err = r.Picture()
	require.NoError(t, err)
	require.NotContains(t, alt, "homes")
	_, _, let = pixels(t, picture)
	require.Zero(t, let)
	r.Months[0].Month = "2024-01"
	picture, _, err = r.Picture()
	require.NoError(t, err)
	require.Empty(t, picture, "older than what is drawn")
}

func TestCSV(t *testing.T) {
	t.Parallel()
	r := report(ownerreport.Pack)
	r.Requests[0].Status = "=HYPERLINK(\"x\")\n,two"
	rows := table(t, r)
	require.Equal(t, strings.Fields("section day what where state amount currency number unit"), rows[0])
	for _, want := range [][]string{
		{"opening balance", "2026-10-01", "", "", "", "12300.00", "USD", "", ""}, {"closing balance", "2026-10-31", "", "", "", "19712.50", "USD", "", ""},
		{"costs by category", "", "Landscaping", "", "", "412.50", "USD", "", ""}, {"month let", "2026-10", "", "", "", "", "", "50", "percent"},
		{"home", "", "Unit 3C", "88 Bay Street", "listed", "1925.00", "USD", "12", "days empty"},
		{"repair", "2026-10-26", "Hvac", "12 Oak Court", "emergency", "1012.50", "USD", "18", "hours to done"},
		{"open request", "2026-11-02", "1044", "88 Bay Street, Unit 1A", `'=HYPERLINK("x") ,two`, "", "", "20", "hours open"},
		{"requirement", "2026-12-10", "Smoke alarms", "88 Bay Street, Unit 2B", "due", "", "", "", ""},
		{"target", "", "Vendor's bill after the work", "", "missed: 9 days, target 7 days", "", "", "2", "cases"},
	} {
		require.Contains(t, rows, want)
	}
	require.ErrorContains(t, r.CSV(full{}), "disk full")
	require.ErrorContains(t, r.HTML(full{}), "disk full")
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// Whatever people write, and however the figures are, everything is drawn and harmless.
func TestAnyText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		bad := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
			"\u202e<script>alert(1)</script>\r\nBcc: x@example.com ", `"><img src=x onerror=alert(1)>`, strings.Repeat("長い", 3000) + "🏡", "2026-13-45", "{{.}}",
		}))
		number := rapid.Int64Range(-1e12, 1e12)
		r := report(rapid.SampledFrom(kinds()).Draw(t, "kind"))
		r.Company, r.Portfolio, r.Currency, r.TimeZone = bad.Draw(t, "company"), bad.Draw(t, "portfolio"), bad.Draw(t, "currency"), bad.Draw(t, "zone")
		r.Money.Opening, r.Money.Bills[0] = policy.Cents(number.Draw(t, "opening")), ownerreport.Amount{Label: bad.Draw(t, "label"), Amount: policy.Cents(number.Draw(t, "bill"))}
		r.Months[3].Income, r.Months[9].Costs = policy.Cents(number.Draw(t, "income")), policy.Cents(number.Draw(t, "costs"))
		r.Properties[0].Units[1] = ownerreport.Unit{Label: bad.Draw(t, "unit"), State: ownerreport.State(bad.Draw(t, "state")), LeaseEnds: bad.Draw(t, "ends"), EmptyDays: int(number.Draw(t, "days"))}
		r.Requests[0].Number, r.Requests[1].Status = bad.Draw(t, "number"), bad.Draw(t, "status")
		r.Repairs[0].What, r.Repairs[1].OpenedAt = bad.Draw(t, "what"), time.Time{}
		r.Compliance[0] = ownerreport.Requirement{PortfolioID: "1", Name: bad.Draw(t, "name"), State: bad.Draw(t, "standing"), Due: bad.Draw(t, "due")}
		r.KPIs[0] = ownerreport.KPI{Name: bad.Draw(t, "kpi"), Measure: ownerreport.Measure(bad.Draw(t, "measure")), Value: number.Draw(t, "value"), Count: 1}
		r.Notes = append(r.Notes, bad.Draw(t, "note"))
		subject, _, body, err := r.Mail()
		require.NoError(t, err)
		require.NotContains(t, subject, "\n")
		require.LessOrEqual(t, len([]rune(subject)), 150)
		require.Less(t, len(body), 96_001)
		read(t, body)
		var page bytes.Buffer
		require.NoError(t, r.HTML(&page))
		read(t, page.String())
		require.NotContains(t, page.String()+body, "\u202e")
		require.NoError(t, r.CSV(io.Discard))
		if rapid.IntRange(0, 3).Draw(t, "file") > 0 {
			return // it takes the longest
		}
		file, err := r.PDF()
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(file, []byte("%PDF-")))
	})
}

// table is the file read back.
func table(t *testing.T, r ownerreport.Report) [][]string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, r.CSV(&out))
	rows, err := csv.NewReader(&out).ReadAll()
	require.NoError(t, err)
	return rows
}

// BenchmarkPack draws what one owner gets for a month, all in all and part by part.
func BenchmarkPack(b *testing.B) {
	for name, r := range map[string]ownerreport.Report{"4homes": report(ownerreport.Pack), "100homes": many(ownerreport.Pack, 100)} {
		all := func() error {
			_, pdf := r.PDF()
			_, _, _, text := r.Mail()
			_, _, picture := r.Picture()
			return errors.Join(pdf, text, picture, r.CSV(io.Discard))
		}
		for part, draw := range map[string]func() error{
			"all":     all,
			"pdf":     func() error { _, err := r.PDF(); return err },
			"mail":    func() error { _, _, _, err := r.Mail(); return err },
			"picture": func() error { _, _, err := r.Picture(); return err },
			"csv":     func() error { return r.CSV(io.Discard) },
			"page":    func() error { return r.HTML(io.Discard) },
		} {
			b.Run(name+"/"+part, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					require.NoError(b, draw())
				}
			})
		}
	}
}
