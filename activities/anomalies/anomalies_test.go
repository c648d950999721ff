package anomalies

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/policy"
)

func rules() policy.Anomalies {
	return policy.Anomalies{
		DuplicateDays: 7, UnusualLeast: 6, UnusualScore: 60, UnusualChange: 500, UnusualAmount: 5000,
		MissingAfter: 7, MissingLeast: 2500, BankAfter: 5, High: 50000,
	}
}

func charged(id int, account string, cents policy.Cents, day string) Known {
	return Known{ID: fmt.Sprintf("charge/%d", id), Kind: Charge, LeaseID: "7", Account: account, Amount: cents, Day: day, Text: "as agreed with Jane Doe"}
}

func ids(found []Finding) []string {
	out := []string{}
	for _, f := range found {
		out = append(out, f.ID)
	}
	return out
}

// sound is what every finding has, and that none names anybody.
func sound(t require.TestingT, found []Finding) {
	for _, f := range found {
		require.True(t, strings.HasPrefix(f.ID, f.Kind+"/"), f.ID)
		require.Contains(t, []string{Low, Medium, High}, f.Severity)
		require.NotEmpty(t, f.Reason)
		require.NotEmpty(t, f.Evidence)
		require.NotContains(t, fmt.Sprint(f), "Jane")
	}
}

func TestDuplicates(t *testing.T) {
	t.Parallel()
	first := charged(12, "late_fee", 5000, "2026-10-05")
	other := func(change func(k *Known)) Known {
		k := charged(15, "late_fee", 5000, "2026-10-07")
		change(&k)
		return k
	}
	for name, c := range map[string]struct {
		second Known
		found  bool
	}{
		"two days later":    {other(func(*Known) {}), true},
		"the same day":      {other(func(k *Known) { k.Day = first.Day }), true},
		"before":            {other(func(k *Known) { k.Day = "2026-09-28" }), true},
		"the last day":      {other(func(k *Known) { k.Day = "2026-10-12" }), true},
		"a day too late":    {other(func(k *Known) { k.Day = "2026-10-13" }), false},
		"a day too early":   {other(func(k *Known) { k.Day = "2026-09-27" }), false},
		"a cent more":       {other(func(k *Known) { k.Amount++ }), false},
		"another account":   {other(func(k *Known) { k.Account = "rent" }), false},
		"another lease":     {other(func(k *Known) { k.LeaseID = "8" }), false},
		"a payment":         {other(func(k *Known) { k.Kind = Payment }), false},
		"a credit":          {other(func(k *Known) { k.Kind = Credit }), false},
		"itself":            {other(func(k *Known) { k.ID = first.ID }), false},
		"a day nobody read": {other(func(k *Known) { k.Day = "soon" }), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, back := Of(first, []Known{c.second, first}, rules()), Of(c.second, []Known{first, c.second}, rules())
			sound(t, found)
			if !c.found {
				require.Empty(t, found)
				require.Empty(t, back)
				return
			}
			require.Equal(t, []string{"duplicate_charge/charge/12+charge/15"}, ids(found))
			require.Equal(t, found, back, "both find the same")
			require.Equal(t, []string{"charge/12", "charge/15"}, found[0].Transactions)
			require.Equal(t, "7", found[0].LeaseID)
			require.Equal(t, policy.Cents(5000), found[0].Amount)
			require.Contains(t, found[0].Reason, "50.00")
		})
	}
}

func TestSeverity(t *testing.T) {
	t.Parallel()
	for cents, want := range map[policy.Cents]string{50000: High, 49999: Medium, 10000: Medium, 9999: Low, 1: Low} {
		a, b := charged(9, "rent", cents, "2026-10-05"), charged(12, "rent", cents, "2026-10-05")
		found := Of(a, []Known{b}, rules())
		require.Len(t, found, 1)
		require.Equal(t, want, found[0].Severity)
		require.Equal(t, "duplicate_charge/charge/9+charge/12", found[0].ID)
	}
}

func TestThreeAlikeArePairedWithTheEarliest(t *testing.T) {
	t.Parallel()
	a, b, c := charged(15, "rent", 5000, "2026-10-05"), charged(12, "rent", 5000, "2026-10-06"), charged(13, "rent", 5000, "2026-10-06")
	all := []Known{c, a, b}
	require.Equal(t, []string{"duplicate_charge/charge/12+charge/15", "duplicate_charge/charge/13+charge/15"}, ids(Of(a, all, rules())))
	require.Equal(t, []string{"duplicate_charge/charge/12+charge/15"}, ids(Of(b, all, rules())))
	require.Equal(t, []string{"duplicate_charge/charge/13+charge/15"}, ids(Of(c, all, rules())))
}

func TestWhatRecursIsNoDuplicate(t *testing.T) {
	t.Parallel()
	wide := rules()
	wide.DuplicateDays = 40
	for _, days := range [][2]string{{"2026-10-01", "2026-11-01"}, {"2027-02-01", "2027-03-01"}, {"2028-01-31", "2028-02-29"}, {"2027-01-30", "2027-02-28"}, {"2027-02-28", "2027-03-31"}, {"2026-12-15", "2027-01-15"}} {
		a, b := charged(1, "rent", 150000, days[0]), charged(2, "rent", 150000, days[1])
		require.Empty(t, Of(a, []Known{b}, wide), days)
		require.Empty(t, Of(b, []Known{a}, wide), days)
	}
	a, b := charged(1, "rent", 150000, "2026-10-01"), charged(2, "rent", 150000, "2026-11-02")
	require.Len(t, Of(a, []Known{b}, wide), 1)
}

// monthsOf are charges of every month, the amounts in turn, of the account "utilities".
func monthsOf(cents ...policy.Cents) []Known {
	var out []Known
	for i, c := range cents {
		out = append(out, charged(100+i, "utilities", c, fmt.Sprintf("20%02d-%02d-03", 20+i/12, 1+i%12)))
	}
	return out
}

func TestUnusual(t *testing.T) {
	t.Parallel()
	usual := monthsOf(8000, 9000, 10000, 9500, 8500, 9000, 11000, 7000)
	flat := monthsOf(150000, 150000, 150000, 150000, 150000, 150000)
	for name, c := range map[string]struct {
		history []Known
		cents   policy.Cents
		found   bool
	}{
		"as always":               {usual, 9000, false},
		"within the season":       {usual, 13000, false},
		"six times":               {usual, 54000, true},
		"a tenth":                 {usual, 900, true},
		"rent rises by 5 %":       {flat, 157500, false},
		"rent rises by 49 %":      {flat, 223500, false},
		"rent by half":            {flat, 225000, true},
		"rent with a zero more":   {flat, 1500000, true},
		"too few":                 {flat[:5], 1500000, false},
		"none":                    {nil, 1500000, false},
		"small amounts":           {monthsOf(500, 500, 500, 500, 500, 500), 5499, false},
		"small, but 50.00 more":   {monthsOf(500, 500, 500, 500, 500, 500), 5500, true},
		"between two cents":       {monthsOf(500, 500, 500, 501, 501, 501), 5500, false},
		"one outlier is no usage": {monthsOf(9000, 9000, 9100, 90000, 9050, 9000), 60000, true},
		"wide spread":             {monthsOf(1000, 90000, 50000, 20000, 70000, 40000), 95000, false},
		"too large to be true":    {flat, math.MaxInt64, true},
		"medians of nothing":      {monthsOf(0, 0, 0, 0, 0, 0), 5000, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := Of(charged(500, "utilities", c.cents, "2030-01-03"), c.history, rules())
			sound(t, found)
			if !c.found {
				require.Empty(t, found)
				return
			}
			require.Equal(t, []string{"unusual_amount/charge/500"}, ids(found))
			require.Equal(t, []string{"charge/500"}, found[0].Transactions)
		})
	}
}

func TestUnusualIsExplained(t *testing.T) {
	t.Parallel()
	found := Of(charged(500, "utilities", 54000, "2030-01-03"), monthsOf(8000, 9000, 10000, 9500, 8500, 9000, 11000, 7000), rules())
	require.Equal(t, []Finding{{
		ID: "unusual_amount/charge/500", Kind: UnusualAmount, Severity: Medium,
		Reason: "540.00 is 6.0 times the median of 90.00, over 8 earlier charges of the same lease and account.",
		Evidence: []Evidence{
			{"Amount", "540.00"}, {"Day", "2030-01-03"}, {"Median of the earlier ones", "90.00"},
			// The deviations are 0, 0, 5, 5, 10, 10, 20 and 20: their median is 7.50, and
			// 0.6745 x 450 / 7.50 = 40.47.
			{"Smallest and largest of them", "70.00 and 110.00"}, {"Modified z-score", "40.4"},
		},
		Transactions: []string{"charge/500"}, LeaseID: "7", Amount: 54000,
	}}, found)
}

func TestUnusualComparesOnlyWhatIsAlike(t *testing.T) {
	t.Parallel()
	history := monthsOf(9000, 9000, 9000, 9000, 9000, 9000)
	for name, change := range map[string]func(k *Known){
		"another lease":   func(k *Known) { k.LeaseID = "8" },
		"another account": func(k *Known) { k.Account = "rent" },
		"later":           func(k *Known) { k.Day = "2031-01-01" },
		"a credit":        func(k *Known) { k.Kind = Credit },
		"itself":          func(k *Known) { k.ID = "charge/500" },
	} {
		changed := slices.Clone(history)
		change(&changed[0])
		require.Empty(t, Of(charged(500, "utilities", 90000, "2030-01-03"), changed, rules()), name)
	}
	same := slices.Clone(history)
	same[0].Day = "2030-01-03"
	require.Len(t, Of(charged(500, "utilities", 90000, "2030-01-03"), same, rules()), 1, "the same day is earlier")
	payment := charged(500, "utilities", 90000, "2030-01-03")
	payment.Kind = Payment
	require.Empty(t, Of(payment, history, rules()), "payments may be of any size")
	// Only the latest two years are compared.
	var amounts []policy.Cents
	for i := range 48 {
		amounts = append(amounts, policy.Cents(5000+15000*(i/24)))
	}
	require.Empty(t, Of(charged(500, "utilities", 20000, "2030-01-03"), monthsOf(amounts...), rules()))
	require.Len(t, Of(charged(500, "utilities", 5000, "2030-01-03"), monthsOf(amounts...), rules()), 1)
}

func TestUnusualIsFoundInWhateverOrderChargesCome(t *testing.T) {
	t.Parallel()
	history := append(monthsOf(9000, 9000, 9000, 9000, 9000, 9000), charged(500, "utilities", 90000, "2030-01-03"))
	require.Empty(t, Of(history[6], history[1:], rules()), "too few are known yet")
	require.Equal(t, []string{"unusual_amount/charge/500"}, ids(Of(history[0], history[1:], rules())))
	require.Equal(t, []string{"unusual_amount/charge/500"}, ids(Of(history[0], history, rules())))
	later := charged(501, "utilities", 9000, "2030-02-03")
	require.Empty(t, Of(later, history, rules()), "what was known already is not looked at again")
}

// The median and the spread are those of the plain definitions, in exact fractions.
func TestSpread(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		amounts := rapid.SliceOfN(rapid.Int64Range(0, 200000), 1, 30).Draw(t, "amounts")
		x := rapid.Int64Range(0, int64(maxAmount)).Draw(t, "x")
		s := spreadOver(slices.Clone(amounts))
		below, above := 0, 0
		far := make([]float64, 0, len(amounts))
		median := float64(s.halves) / 2
		for _, a := range amounts {
			if float64(a) < median {
				below++
			}
			if float64(a) > median {
				above++
			}
			far = append(far, math.Abs(float64(a)-median))
		}
		require.LessOrEqual(t, 2*below, len(amounts))
		require.LessOrEqual(t, 2*above, len(amounts))
		slices.Sort(far)
		mad := max((far[(len(far)-1)/2]+far[len(far)/2])/2, 100, median/100)
		require.InDelta(t, mad, float64(s.quarters)/4, 0.5)
		require.GreaterOrEqual(t, s.tenths(x), int64(0))
		require.InEpsilon(t, 1+0.6745*math.Abs(float64(x)-median)/mad, 1+float64(s.tenths(x))/10, 0.1)
	})
}

func TestBank(t *testing.T) {
	t.Parallel()
	bookings := []Unmatched{
		{ID: "payment/13#1", Day: "2026-10-01", LeaseID: "7", Amount: 60000}, {ID: "payment/14#1", Day: "2026-10-05", Amount: 5},
		{ID: "payment/15#1", Day: "2026-10-04", Amount: -20000}, {ID: "payment/16#1", Day: ""},
	}
	lines := []Unmatched{{ID: "F1", Day: "2026-10-04", Amount: -1250}, {ID: "F2", Day: "2026-10-09", Amount: 5}}
	found := Bank(bookings, lines, "2026-10-10", rules())
	sound(t, found)
	require.Equal(t, []string{"ledger_against_bank/payment/13#1", "ledger_against_bank/payment/15#1", "ledger_against_bank/line/F1"}, ids(found))
	require.Equal(t, []string{High, Medium, Low}, []string{found[0].Severity, found[1].Severity, found[2].Severity})
	require.Equal(t, []string{"payment/13"}, found[0].Transactions)
	require.Equal(t, "600.00 was booked on 2026-10-01 and is on no bank statement after 9 days.", found[0].Reason)
	require.Empty(t, found[2].Transactions)
	require.Equal(t, "-12.50 is on the bank statement of 2026-10-04 and in no booking after 6 days.", found[2].Reason)
	require.Len(t, Bank(bookings, lines, "2026-10-11", rules()), 4, "a day later the next has waited too long")
	require.Empty(t, Bank(bookings, lines, "today", rules()))
}
