package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// withProperty adds overrides of a property "7" to the built-in policy.
func withProperty(t *testing.T, overrides string) (*Policy, error) {
	t.Helper()
	return parse("test", []byte(string(embedded)+"\nproperties:\n  \"7\": "+overrides+"\n"))
}

// repairsProblems are the paths of what is wrong with repairs that override the
// company's.
func repairsProblems(t *testing.T, p *Policy, overrides string) []string {
	t.Helper()
	root, err := syntax("test", []byte("repairs: "+overrides))
	require.NoError(t, err)
	s, d, c := p.company, newDecoder(), &checker{}
	d.into(root, &s, "")
	c.repairs(s)
	var paths []string
	for _, problem := range append(d.problems, c.problems...) {
		paths = append(paths, problem.Path)
	}
	return paths
}

func TestBuiltInRepairs(t *testing.T) {
	t.Parallel()
	r := mustLoad(t).For("1", "1").Repairs
	require.True(t, r.On())
	require.Equal(t, "USD", r.Currency)
	require.Equal(t, Rate{Technician: 65_00, Vendor: 110_00}, r.RateOf(TradePlumbing))
	require.Equal(t, Rate{Technician: 55_00, Vendor: 80_00}, r.RateOf("gardening"), "general stands in")
	require.Equal(t, []string{"The problem is gone", "The place is clean"}, r.Checklist("gardening"))
	require.Contains(t, r.Checklist(TradeGas), "Leak test done")
	require.Equal(t, Cents(300_00), r.Spend.Limit)
	require.Equal(t, []time.Duration{24 * time.Hour, 72 * time.Hour}, r.Spend.RemindAfter)
	require.Equal(t, []time.Duration{24 * time.Hour, time.Hour}, r.Visit.Remind)
	require.Equal(t, 48*time.Hour, r.Check.CloseAfter)
	require.Len(t, r.Windows.Slots, 3)
	require.Equal(t, "12:00", r.Windows.Slots[0].To.String())
	require.Equal(t, "omar", mustLoad(t).For("1", "1").Accountant.ID)
	accountant, ok := mustLoad(t).For("1", "1").Person("omar")
	require.True(t, ok)
	require.Equal(t, "Omar Haddad", accountant.Name)
	require.Equal(t, []string{"Completed", "Closed"}, mustLoad(t).For("1", "1").Statuses.Closed.Names)
}

func TestRepairsDifferByPortfolioAndProperty(t *testing.T) {
	t.Parallel()
	text := strings.Replace(string(embedded), "    property_manager: helen", `    property_manager: helen
    repairs:
      spend: {limit: 450.5, accountant: helen}
      rates: {gas: {vendor: 140}}`, 1) + `
properties:
  "7":
    repairs:
      spend: {limit: 1250.00}
      windows: {days: [sat]}
      checklists: {gas: [Leak test done twice]}
  "8":
    repairs: {windows: {days: []}}
`
	p, err := parse("test", []byte(text))
	require.NoError(t, err)
	company, both := p.For("1", "1").Repairs, p.For("2", "7")
	require.Equal(t, Cents(300_00), company.Spend.Limit)
	require.Equal(t, Cents(450_50), p.For("2", "2").Repairs.Spend.Limit)
	require.Equal(t, Cents(1250_00), both.Repairs.Spend.Limit)
	require.Equal(t, "helen", both.Accountant.ID, "what the property leaves out is the portfolio's")
	require.Equal(t, Rate{Technician: 75_00, Vendor: 140_00}, both.Repairs.RateOf(TradeGas))
	require.Equal(t, []string{"sat"}, both.Repairs.Windows.Days)
	require.Equal(t, company.Windows.Slots, both.Repairs.Windows.Slots)
	require.Equal(t, []string{"Leak test done twice"}, both.Repairs.Checklist(TradeGas))
	require.Equal(t, company.Checklist(TradeHVAC), both.Repairs.Checklist(TradeHVAC))
	require.False(t, p.For("2", "8").Repairs.On())
	require.True(t, p.For("2", "9").Repairs.On())
}

// Policies that are older than repairs have neither the section nor its texts.
func TestRepairsMayBeLeftOut(t *testing.T) {
	t.Parallel()
	before, rest, ok := strings.Cut(string(embedded), "  # Ordinary work orders, from")
	require.True(t, ok)
	_, rest, ok = strings.Cut(rest, "  # Templates:")
	require.True(t, ok)
	text := before + "  # Templates:" + rest
	before, rest, ok = strings.Cut(text, "    # Ordinary repairs. Workers")
	require.True(t, ok)
	_, rest, ok = strings.Cut(rest, "\n  # Leasing: how leases")
	require.True(t, ok)
	text = before + "\n  # Leasing: how leases" + rest
	text = strings.Replace(text, "    closed: {names: [Completed, Closed]}", "    # none", 1)
	require.NotContains(t, text, "repair_")
	p, err := parse("test", []byte(text))
	require.NoError(t, err)
	s := p.For("1", "1")
	require.False(t, s.Repairs.On())
	require.Equal(t, Repairs{}, s.Repairs)
	require.Empty(t, s.Accountant)
	_, err = s.Text(TextRepairOffer, TextData{})
	require.ErrorIs(t, err, ErrUnknownText)

	// Whoever names days needs the rest: what is missing is listed.
	_, err = parse("test", []byte(text+"\nproperties: {\"7\": {repairs: {windows: {days: [mon]}}}}\n"))
	var invalid *InvalidError
	require.ErrorAs(t, err, &invalid)
	var paths []string
	for _, problem := range invalid.Problems {
		paths = append(paths, problem.Path)
	}
	for _, path := range []string{
		"repairs.currency", "repairs.rates", "repairs.windows.slots", "repairs.spend.accountant", "repairs.checklists",
		"statuses.closed.names", "texts.repair_offer", "texts.repair_visit_subject",
	} {
		require.Contains(t, paths, "properties.7."+path)
	}
}

func TestRepairTextsAreCheckedLikeTheOthers(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	for override, message := range map[string]string{
		`{texts: {repair_offer: "Take it?"}}`:                                           "must contain {code}",
		`{texts: {repair_bid: "{code}: your price?"}}`:                                  "must contain {code} and {link}",
		`{texts: {repair_worker_done: "{code}: done?"}}`:                                "must contain {code} and {link}",
		`{texts: {repair_tenant_booked: "See {link}"}}`:                                 "asks nothing",
		`{texts: {repair_tenant_windows: "Reply {{.Window}}"}}`:                         "must contain {code}",
		`{texts: {repair_tenant_windows: "{code} {{.Window}}{{.Window}} {{.Window}}"}}`: "text messages",
		`{texts: {repair_offer: ""}}`:                                                   "must be given",
		`{repairs: {windows: {days: []}}, texts: {repair_offer: ""}}`:                   "must be given",
		`{texts: {repair_offers: "{code}"}}`:                                            "is not a text",
	} {
		root, err := syntax("test", []byte(override))
		require.NoError(t, err)
		s := p.company
		newDecoder().into(root, &s, "")
		problems := validate(s)
		require.Len(t, problems, 1, override)
		require.Contains(t, problems[0].Message, message, override)
	}
}

func TestWrongRepairsAreRefused(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	long := strings.Repeat("x", 121)
	var vendors []string
	for i := range maxVendors + 1 {
		vendors = append(vendors, fmt.Sprintf("{contact: %d}", i+1))
	}
	many := "[" + strings.Join(vendors, ", ") + "]"
	for override, path := range map[string]string{
		"{currency: usd}":                                                         "currency",
		"{currency: dollars}":                                                     "currency",
		"{rates: {gas: {vendor: 0}}}":                                             "rates.gas.vendor",
		"{rates: {gas: {technician: 1e9}}}":                                       "rates.gas.technician",
		"{rates: {gas: {vendor: 10001}}}":                                         "rates.gas.vendor",
		"{rates: {gas: {vendor: -3}}}":                                            "rates.gas.vendor",
		"{rates: {gas: {vendor: 3.001}}}":                                         "rates.gas.vendor",
		"{rates: {roofing: {vendor: 3, technician: 3}}}":                          "rates.roofing",
		"{technicians_up_to: 0s}":                                                 "technicians_up_to",
		"{offer_within: 8d}":                                                      "offer_within",
		"{vendors: " + many + "}":                                                 "vendors",
		"{vendors: [{contact: joe}]}":                                             "vendors[0].contact",
		"{vendors: [{trades: [gas]}]}":                                            "vendors[0].contact",
		"{vendors: [{contact: 1}, {contact: 1}]}":                                 "vendors[1].contact",
		"{vendors: [{contact: 1, trades: [magic]}]}":                              "vendors[0].trades[0]",
		"{vendors: [{contact: 1, trades: [gas, gas]}]}":                           "vendors[0].trades[1]",
		"{vendors: [{contact: 1, latitude: 91}]}":                                 "vendors[0].latitude",
		"{vendors: [{contact: 1, longitude: -181}]}":                              "vendors[0].longitude",
		"{bidding: {invite: 0}}":                                                  "bidding.invite",
		"{bidding: {invite: 11}}":                                                 "bidding.invite",
		"{bidding: {least: 4}}":                                                   "bidding.least",
		"{bidding: {least: 0}}":                                                   "bidding.least",
		"{bidding: {within: 31d}}":                                                "bidding.within",
		"{bidding: {urgent: 0s}}":                                                 "bidding.urgent",
		"{bidding: {weights: {price: -1}}}":                                       "bidding.weights.price",
		"{bidding: {weights: {price: 0, speed: 0, record: 0, insurance: 0}}}":     "bidding.weights",
		"{spend: {limit: a lot}}":                                                 "spend.limit",
		"{spend: {remind_after: [3d, 1d]}}":                                       "spend.remind_after[1]",
		"{spend: {remind_after: [1h, 1h]}}":                                       "spend.remind_after[1]",
		"{spend: {remind_after: [1h, 2h, 3h, 4h, 5h, 6h]}}":                       "spend.remind_after",
		"{spend: {escalate_after: 72h}}":                                          "spend.escalate_after",
		"{spend: {accountant: nobody}}":                                           "spend.accountant",
		"{windows: {days: [mon, monday]}}":                                        "windows.days[1]",
		"{windows: {days: [mon, mon]}}":                                           "windows.days[1]",
		"{windows: {slots: []}}":                                                  "windows.slots",
		"{windows: {slots: [{from: 12:00, to: 12:00}]}}":                          "windows.slots[0]",
		"{windows: {slots: [{from: 22:00, to: 02:00}]}}":                          "windows.slots[0]",
		"{windows: {slots: [{from: 8:00, to: 12:00}, {from: 11:59, to: 14:00}]}}": "windows.slots[1]",
		"{windows: {offered: 7}}":                                                 "windows.offered",
		"{windows: {lead: 31d, ahead: 90d}}":                                      "windows.lead",
		"{windows: {ahead: 12h}}":                                                 "windows.ahead",
		"{windows: {jobs_per_window: 0}}":                                         "windows.jobs_per_window",
		"{windows: {ask_again: 0s}}":                                              "windows.ask_again",
		"{windows: {times: 0}}":                                                   "windows.times",
		"{visit: {remind: [1h, 24h]}}":                                            "visit.remind[1]",
		"{visit: {remind: [15d]}}":                                                "visit.remind[0]",
		"{visit: {late: 25h}}":                                                    "visit.late",
		"{visit: {overrun: 1001}}":                                                "visit.overrun",
		"{visit: {no_access: 0}}":                                                 "visit.no_access",
		"{check: {photos: 4}}":                                                    "check.photos",
		"{check: {remind_after: 48h}}":                                            "check.close_after",
		"{checklists: {gas: []}}":                                                 "checklists.gas",
		"{checklists: {gas: [a, a]}}":                                             "checklists.gas[1]",
		"{checklists: {gas: ['']}}":                                               "checklists.gas[0]",
		"{checklists: {gas: [" + long + "]}}":                                     "checklists.gas[0]",
		"{checklists: {roofing: [Dry]}}":                                          "checklists.roofing",
		"{checklists: {gas: [a,b,c,d,e,f,g,h,i,j,k,l,m]}}":                        "checklists.gas",
		// Switched off, the values are checked all the same: another level may name days.
		"{windows: {days: [], offered: 0}}": "windows.offered",
	} {
		t.Run(override[:min(60, len(override))], func(t *testing.T) {
			t.Parallel()
			require.Equal(t, []string{"repairs." + path}, repairsProblems(t, p, override))
		})
	}
	require.Empty(t, repairsProblems(t, p, `{windows: {lead: 0s, slots: [{from: 08:00, to: 12:00}, {from: 12:00, to: 23:59}]},
 check: {photos: 0}, spend: {limit: 0, remind_after: []}}`))
	_, err := withProperty(t, "{statuses: {closed: {names: []}}}")
	require.ErrorContains(t, err, "statuses.closed.names")
	_, err = load(t, "      general: {technician: 55.00, vendor: 80.00}\n", "", "      general: [The problem is gone, The place is clean]\n", "")
	require.ErrorContains(t, err, "company.repairs.rates must have general")
	require.ErrorContains(t, err, "company.repairs.checklists must have general")
}

func TestCents(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Cents{
		"0": 0, "0.00": 0, "0.01": 1, "1250": 1250_00, "1250.5": 1250_50, "1250.50": 1250_50, "007.10": 7_10, "999999999.99": 999_999_999_99,
	} {
		got, err := ParseCents(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", " 1", "1 ", "-1", "+1", "1.", ".5", "1.234", "1,000", "1e3", "$5", "0x10", "1_000", "NaN", "1000000000", "\u0661", "1\n",
	} {
		_, err := ParseCents(text)
		require.Error(t, err, "%q", text)
		untouched := Cents(7)
		require.Error(t, untouched.UnmarshalText([]byte(text)))
		require.Equal(t, Cents(7), untouched)
	}
	require.Equal(t, "-0.05", Cents(-5).String())
}

// Whatever the amount, its text is read back as the same, with two decimals, and
// leaving out trailing zeros changes nothing.
func TestCentsSurviveTheirText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := Cents(rapid.Int64Range(0, 999_999_999_99).Draw(t, "cents"))
		text, err := want.MarshalText()
		require.NoError(t, err)
		require.Regexp(t, `^[0-9]+\.[0-9]{2}$`, string(text))
		var got Cents
		require.NoError(t, got.UnmarshalText(text))
		require.Equal(t, want, got)
		short := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(string(text), "0"), "0"), ".")
		got, err = ParseCents(short)
		require.NoError(t, err, short)
		require.Equal(t, want, got, short)
		require.Equal(t, "-"+(want+1).String(), (-want - 1).String())
	})
}

// No text is read as an amount that is written differently.
func TestAnyTextIsAnAmountOrRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[-+]?[0-9.,]{0,14}`)).Draw(t, "text")
		got, err := ParseCents(text)
		if err != nil {
			require.Zero(t, got)
			return
		}
		whole, part, _ := strings.Cut(text, ".")
		require.Equal(t, strings.TrimLeft(whole, "0")+"."+(part + "00")[:2], strings.TrimPrefix(got.String(), "0"))
	})
}

func TestMoneyAsPeopleReadIt(t *testing.T) {
	t.Parallel()
	for want, m := range map[string]Money{
		"$0.00": {0, "USD"}, "$0.07": {7, "USD"}, "$999.99": {999_99, "USD"}, "$1,250.00": {1250_00, "USD"},
		"$999,999,999.99": {999_999_999_99, "USD"}, "-$1,000.00": {-1000_00, "USD"}, "-$100.00": {-100_00, "USD"},
		"\u00a3300.00": {300_00, "GBP"}, "\u20ac1,000,000.00": {1_000_000_00, "EUR"}, "CHF 1,250.00": {1250_00, "CHF"},
		"-CHF 12.50": {-12_50, "CHF"},
	} {
		require.Equal(t, want, m.String())
		for _, r := range want {
			require.Positive(t, septets(r), want)
		}
	}
}
