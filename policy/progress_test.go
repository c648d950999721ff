package policy

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBuiltInProgress(t *testing.T) {
	t.Parallel()
	p := mustLoad(t).Sales().Progress
	require.Equal(t, 2*day, p.AtRiskWithin)
	require.Equal(t, Norm{Days{120, true}, Days{180, true}}, p.Norms[MethodStandard].Total)
	require.Equal(t, Norm{Days{10, false}, Days{50, false}}, p.Norms[MethodStandard].Step(" searches RETURNED "))
	require.Equal(t, Norm{Days{28, false}, Days{42, false}}, p.Norms[MethodModernAuction].Step("Auction Exchange"))
	require.False(t, p.Norms[MethodStandard].Step("Party").Given())
	require.False(t, p.Norms[MethodSecureSale].Total.Given())
	require.Contains(t, p.Holidays, Date{2026, time.December, 28})
	for _, d := range p.Holidays {
		require.NotContains(t, []string{"sat", "sun"}, weekday(d.Year, d.Month, d.Day), "a holiday at a weekend is moved to a weekday")
	}
	require.Equal(t, []string{RoleEstateAgent}, p.Tell[AlertAtRisk])
	require.Equal(t, []string{RoleEstateAgent, ToManager}, p.Tell[AlertOverdue])
	for _, kind := range []string{AlertMilestones, AlertTeam, AlertStatus} {
		require.Equal(t, []string{RoleEstateAgent}, p.Tell[kind], kind)
	}
	require.Equal(t, []string{RoleEstateAgent, RoleConveyancer}, p.Tell[AlertReported])
	require.Equal(t, []string{RoleEstateAgent, ToManager}, p.Tell[AlertUnconfirmed])
	require.Len(t, p.Tell, len(AlertKinds()))
}

func TestProgressSharesNothing(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	s := p.Sales().Progress
	s.Norms[MethodStandard].Steps["enquiries"] = Norm{}
	s.Norms[MethodSecureSale] = Norms{}
	s.Holidays[0] = Date{}
	s.Tell[AlertOverdue][0] = "changed"
	s.Tell[AlertAtRisk] = nil
	require.Equal(t, mustLoad(t).Sales().Progress, p.Sales().Progress)
}

func TestDays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Days{"": {}, "1d": {1, false}, "71d": {71, false}, "120wd": {120, true}} {
		var d Days
		require.NoError(t, d.UnmarshalText([]byte(text)), text)
		require.Equal(t, want, d)
		back, err := d.MarshalText()
		require.NoError(t, err)
		require.Equal(t, text, string(back))
	}
	for _, text := range []string{"71", "d", "wd", "-1d", "1.5d", "71h", "71d12h", "71 d", "71dd", "71wdd", "70000d"} {
		var d Days
		require.Error(t, d.UnmarshalText([]byte(text)), text)
	}
}

func TestEverythingWrongWithProgressIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := load(t,
		"at_risk_within: 2d", "at_risk_within: 36h",
		"total: {typical: 120wd, late: 180wd}", "total: {typical: 120wd, late: 180d}",
		"Searches Ordered: {typical: 23d, late: 35d}", "Searches Ordered: {typical: 36d, late: 35d}",
		"Searches Returned: {typical: 10d, late: 50d}", "Searches Returned: {late: 50d}",
		"Enquiries: {typical: 31d, late: 47d}", "Enquiries: {typical: 31, late: 2001d}",
		"Mortgage Offer: {typical: 21d, late: 32d}", "mortgage application: {typical: 21d, late: 32d}",
		"      secure_sale:\n        steps:\n          Auction Exchange: {typical: 28d, late: 42d}\n          Completion: {typical: 28d, late: 42d}\n",
		"      raffle: {}\n",
		"2026-04-03", "2026-01-01", "2026-04-06", "2026-04-31",
		"at_risk: [estate_agent]", "risky: [estate_agent]",
		"overdue: [estate_agent, manager]", "overdue: [estate_agent, estate_agent, butler]",
		"      team_changes: [estate_agent] # somebody joined or left\n", "",
	)
	var invalid *InvalidError
	require.ErrorAs(t, err, &invalid)
	var got []string
	for _, p := range invalid.Problems {
		require.Positive(t, p.Line, p)
		got = append(got, strings.TrimPrefix(p.Path, "sales.progress."))
	}
	require.ElementsMatch(t, []string{
		"at_risk_within", "norms.standard.total", "norms.standard.steps.Searches Ordered", "norms.standard.steps.Searches Returned.typical",
		"norms.standard.steps.Enquiries.typical", "norms.standard.steps.Enquiries.typical", "norms.standard.steps.Enquiries.late",
		"norms.standard.steps.mortgage application", "norms.raffle", "norms.raffle",
		"holidays[1]", "holidays[2]", "holidays[2]",
		"tell.risky", "tell.at_risk", "tell.overdue[1]", "tell.overdue[2]", "tell.team_changes",
	}, got, err)
	require.NotContains(t, err.Error(), "butler", "values stay out of errors")

	_, err = load(t, "  progress:\n", "  progresses:\n")
	require.ErrorContains(t, err, "sales.progress.at_risk_within must be whole days")
	_, err = load(t, "completed: [estate_agent, manager]", "completed: []")
	require.NoError(t, err, "nobody is told")
}

// The largest progress that Load takes is still small for a history.
func TestProgressIsBounded(t *testing.T) {
	t.Parallel()
	p := Progress{AtRiskWithin: day, Norms: map[string]Norms{}, Tell: map[string][]string{}}
	steps := map[string]Norm{}
	for i := range maxNorms {
		steps[fmt.Sprintf("%02d%s", i, strings.Repeat("<", maxLine-2))] = Norm{Days{2000, true}, Days{2000, true}} // JSON writes < as six bytes
	}
	p.Norms[MethodStandard] = Norms{Steps: steps}
	for i := range maxHolidays {
		p.Holidays = append(p.Holidays, Date{2026 + i, time.December, 25})
	}
	for _, kind := range AlertKinds() {
		p.Tell[kind] = recipients()
	}
	c := &checker{}
	c.progress(p)
	require.Empty(t, c.problems)
	encoded, err := json.Marshal(p)
	require.NoError(t, err)
	require.Less(t, len(encoded), 20<<10)

	steps["one more"] = Norm{Days{1, false}, Days{1, false}}
	p.Holidays = append(p.Holidays, Date{2025, time.December, 25})
	c.progress(p)
	require.Len(t, c.problems, 2)
}
