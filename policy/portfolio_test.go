package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// portfolioProblems are the paths of what is wrong with keys of the section on homes that
// take the place of the built-in ones.
func portfolioProblems(t *testing.T, p *Policy, keys string) []string {
	t.Helper()
	root, err := syntax("test", []byte("portfolio: "+keys))
	require.NoError(t, err)
	s, d, c := p.company, newDecoder(), &checker{}
	d.into(root, &s, "")
	c.portfolio(s)
	var paths []string
	for _, problem := range append(d.problems, c.problems...) {
		paths = append(paths, strings.TrimPrefix(problem.Path, "portfolio."))
	}
	return paths
}

func TestBuiltInPortfolio(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	h := p.Portfolio("1", "1")
	require.True(t, h.On())
	require.Equal(t, p.Version(), h.Version)
	require.Equal(t, []string{"Harbor Homes", "America/Los_Angeles", "USD"}, []string{h.Company, h.TimeZone, h.Currency})
	require.Equal(t, []string{"grace", "chloe", "omar"}, []string{h.Manager.ID, h.Agent.ID, h.Escalation.ID})
	require.Equal(t, []int{60, 30, 14, 7, 1}, h.Compliance.RemindDays)
	require.Equal(t, Cents(39_99), h.Vacancy.Sources[1].Monthly)
	require.Equal(t, StandingStep{After: 45 * day, Off: 50}, h.Pricing.Standing[1])
	require.Equal(t, Permille(3), h.Pricing.PerYear)
	require.Equal(t, "rental_licence", h.Compliance.Requirements[2].ID)
	require.Equal(t, time.Minute, h.Owners.Targets.FirstReply)
	require.Equal(t, []string{"helen", "chloe", "helen"}, func() []string {
		portland := p.Portfolio("2", "9")
		return []string{portland.Manager.ID, portland.Agent.ID, portland.Escalation.ID}
	}())
}

// What a property overrides is its own; all else is the company's.
func TestAPropertyMayOverridePortfolio(t *testing.T) {
	t.Parallel()
	p, err := withProperty(t, "{portfolio: {pricing: {built: 1962, below: 5%}, vacancy: {publish_after: 0s}}}")
	require.NoError(t, err)
	want := p.Portfolio("1", "1")
	want.Pricing.Built, want.Pricing.Below, want.Vacancy.PublishAfter = 1962, 50, 0
	require.Equal(t, want, p.Portfolio("1", "7"))
	require.Zero(t, p.Portfolio("1", "1").Pricing.Built)

	p, err = withProperty(t, "{portfolio: {questions: {times: 0}}}")
	require.NoError(t, err)
	require.False(t, p.Portfolio("1", "7").On(), "one property may be left alone")
	require.True(t, p.Portfolio("1", "1").On())

	_, err = withProperty(t, "{portfolio: {pricing: {built: 62}}}")
	require.ErrorContains(t, err, "properties.7.portfolio.pricing.built must be a year such as 1962")
}

func TestSchedulesAreTheCompanysAlone(t *testing.T) {
	t.Parallel()
	for _, override := range []string{
		"{currency: EUR}", "{time_zone: America/Denver}", "{owners: {pack_day: 9}}", "{owners: {pack_at: 08:00}}", "{owners: {digest_at: 08:00}}",
	} {
		_, err := withProperty(t, "{portfolio: "+override+"}")
		var invalid *InvalidError
		require.ErrorAs(t, err, &invalid, override)
		require.Len(t, invalid.Problems, 1, override)
		require.Positive(t, invalid.Problems[0].Line)
		require.ErrorContains(t, err, "cannot be overridden", override)
	}
	_, err := load(t, "    property_manager: helen\n", "    property_manager: helen\n    portfolio: {currency: EUR}\n")
	require.ErrorContains(t, err, "portfolios.2.portfolio.currency cannot be overridden")
}

func TestPortfolioMayBeLeftOut(t *testing.T) {
	t.Parallel()
	text := string(embedded)
	from, to := strings.Index(text, "\n  portfolio:"), strings.Index(text, "\nportfolios:")
	p, err := parse("test", []byte(text[:from]+text[to:]))
	require.NoError(t, err)
	require.Equal(t, Portfolio{Version: p.Version(), Company: "Harbor Homes"}, p.Portfolio("1", "1"))
	require.False(t, p.Portfolio("1", "1").On())
}

func TestPortfolioSharesNothing(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	h := p.Portfolio("1", "1")
	h.Onboarding.Items[0], h.Vacancy.Text[0], h.Vacancy.Sources[0].ID, h.Vacancy.Sources[1].Match[0] = "changed", "changed", "changed", "changed"
	h.Vacancy.Showings.Days[0], h.Vacancy.Showings.Slots[0].From, h.Pricing.Standing[0].Off = "sun", 0, 1
	h.Compliance.RemindDays[0], h.Compliance.Requirements[0].ID = 1, "changed"
	h.Compliance.Requirements[2].States[0], h.Compliance.Requirements[2].Cities[0] = "XX", "changed"
	require.Equal(t, mustLoad(t).Portfolio("1", "1"), p.Portfolio("1", "1"))
}

func TestPortfolioSurvivesJSON(t *testing.T) {
	t.Parallel()
	want := mustLoad(t).Portfolio("1", "1")
	encoded, err := json.Marshal(want)
	require.NoError(t, err)
	require.Less(t, len(encoded), 16<<10)
	var got Portfolio
	require.NoError(t, json.Unmarshal(encoded, &got))
	require.Equal(t, want, got)
}

func TestRulesOfPortfolio(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	require.Empty(t, portfolioProblems(t, p, "{}"))
	sources := func(list string) string { return "{vacancy: {sources: [" + list + "]}}" }
	required := func(list string) string { return "{compliance: {requirements: [" + list + "]}}" }
	const own, gas = "{id: web, name: Web}", "id: gas, name: Gas, kind: certificate, months: 12, first_within: 30d"
	for keys, want := range map[string][]string{
		`{currency: usd}`:                                            {"currency"},
		`{time_zone: ""}`:                                            {"time_zone"},
		`{time_zone: Nowhere}`:                                       {"time_zone"},
		`{agent: nobody}`:                                            {"agent"},
		`{agents: chloe}`:                                            {"agents"},
		`{questions: {remind_after: 0s}}`:                            {"questions.remind_after"},
		`{questions: {times: 11}}`:                                   {"questions.times"},
		`{onboarding: {items: []}}`:                                  {"onboarding.items"},
		`{onboarding: {items: [a, "", a]}}`:                          {"onboarding.items[1]", "onboarding.items[2]"},
		`{onboarding: {within: 367d}}`:                               {"onboarding.within"},
		`{vacancy: {publish_after: 0s}}`:                             nil,
		`{vacancy: {publish_after: 61d}}`:                            {"vacancy.publish_after"},
		`{vacancy: {headline: ""}}`:                                  {"vacancy.headline"},
		`{vacancy: {headline: "{Beds}"}}`:                            {"vacancy.headline"},
		`{vacancy: {headline: "{beds} {pets}"}}`:                     {"vacancy.headline"},
		`{vacancy: {headline: "{beds} {"}}`:                          {"vacancy.headline"},
		`{vacancy: {headline: "{be{beds}ds}"}}`:                      {"vacancy.headline"},
		`{vacancy: {text: []}}`:                                      {"vacancy.text"},
		`{vacancy: {text: [ok, "{{rent}}"]}}`:                        {"vacancy.text[1]"},
		`{vacancy: {text: ["a\nb"]}}`:                                {"vacancy.text[0]"},
		`{vacancy: {apply_after: 0s}}`:                               {"vacancy.apply_after"},
		`{vacancy: {review_price_after: 0s}}`:                        {"vacancy.review_price_after"},
		`{vacancy: {speak_after: 367d}}`:                             {"vacancy.speak_after"},
		`{vacancy: {showings: {days: []}}}`:                          {"vacancy.showings.days"},
		`{vacancy: {showings: {days: [monday]}}}`:                    {"vacancy.showings.days[0]"},
		`{vacancy: {showings: {slots: []}}}`:                         {"vacancy.showings.slots"},
		`{vacancy: {showings: {slots: [{from: 10:00, to: 09:00}]}}}`: {"vacancy.showings.slots[0]"},
		sources(""):                                       {"vacancy.sources", "vacancy.sources"},
		sources(own):                                      nil,
		sources(own + ", {id: a, name: A}"):               {"vacancy.sources"},
		sources("{id: a, name: A, match: [a]}"):           {"vacancy.sources"},
		sources(own + ", {id: web, name: A, match: [a]}"): {"vacancy.sources[1].id"},
		sources(own + ", {id: A!, match: [a, A, '']}"):    {"vacancy.sources[1].id", "vacancy.sources[1].name", "vacancy.sources[1].match[1]", "vacancy.sources[1].match[2]"},
		sources(own + ", {id: a, name: A, match: [a]}, {id: b, name: B, match: [a]}"): {"vacancy.sources[2].match[0]"},
		sources(own + ", {id: a, name: A, match: [a], monthly: 10000.01}"):            {"vacancy.sources[1].monthly"},
		sources(own + ", {id: a, name: A, match: [a], per_lead: -1}"):                 {"vacancy.sources[1].per_lead"},
		`{pricing: {below: 100%}}`:                                              {"pricing.below"},
		`{pricing: {above: 100.1%}}`:                                            {"pricing.above"},
		`{pricing: {round_to: 0}}`:                                              {"pricing.round_to"},
		`{pricing: {per_bed: 101%}}`:                                            {"pricing.per_bed"},
		`{pricing: {per_bath: 101%}}`:                                           {"pricing.per_bath"},
		`{pricing: {per_size: 101%}}`:                                           {"pricing.per_size"},
		`{pricing: {per_year: 10.1%}}`:                                          {"pricing.per_year"},
		`{pricing: {market_fresh: 0s}}`:                                         {"pricing.market_fresh"},
		`{pricing: {standing: []}}`:                                             nil,
		`{pricing: {standing: [{after: 9d, off: 5%}, {after: 9d, off: 5%}]}}`:   {"pricing.standing[1].after", "pricing.standing[1].off"},
		`{pricing: {standing: [{after: 1h, off: 0%}]}}`:                         {"pricing.standing[0].after", "pricing.standing[0].off"},
		`{pricing: {standing: [{after: 9d, off: 51%}]}}`:                        {"pricing.standing[0].off"},
		`{pricing: {ask_from: 101%}}`:                                           {"pricing.ask_from"},
		`{pricing: {built: 1499}}`:                                              {"pricing.built"},
		`{compliance: {remind_days: []}}`:                                       nil,
		`{compliance: {remind_days: [7, 7]}}`:                                   {"compliance.remind_days[1]"},
		`{compliance: {remind_days: [7, -1]}}`:                                  {"compliance.remind_days[1]"},
		`{compliance: {overdue_every: 1h}}`:                                     {"compliance.overdue_every"},
		required(""):                                                            nil,
		required("{" + gas + "}, {" + gas + "}"):                                {"compliance.requirements[1].id"},
		required("{" + gas + ", states: [OR, or, OR], cities: [Portland, '']}"): {"compliance.requirements[0].states[1]", "compliance.requirements[0].states[2]", "compliance.requirements[0].cities[1]"},
		required("{" + gas + ", inspection_type: '1'}"):                         {"compliance.requirements[0].inspection_status"},
		required("{" + gas + ", inspection_type: '1', inspection_status: '2'}"): nil,
		required("{" + gas + ", inspection_type: x, inspection_status: '0'}"):   {"compliance.requirements[0].inspection_type", "compliance.requirements[0].inspection_status"},
		required("{}"): {
			"compliance.requirements[0].id", "compliance.requirements[0].name", "compliance.requirements[0].kind",
			"compliance.requirements[0].months", "compliance.requirements[0].first_within",
		},
		required("{" + gas + ", what: " + strings.Repeat("x", maxWhat+1) + "}"): {"compliance.requirements[0].what"},
		`{owners: {pack_day: 29}}`:                    {"owners.pack_day"},
		`{owners: {pack_at: 7}}`:                      {"owners.pack_at"},
		`{owners: {digest_age: 0s}}`:                  {"owners.digest_age"},
		`{owners: {digest_every: 0s}}`:                {"owners.digest_every"},
		`{owners: {page_life: 59m}}`:                  {"owners.page_life"},
		`{owners: {targets: {repair: 0s}}}`:           {"owners.targets.repair"},
		`{owners: {targets: {invoice: 0s}}}`:          {"owners.targets.invoice"},
		`{owners: {targets: {make_ready: 0s}}}`:       {"owners.targets.make_ready"},
		`{owners: {targets: {first_reply: 0s}}}`:      {"owners.targets.first_reply"},
		`{owners: {targets: {rating: 51}}}`:           {"owners.targets.rating"},
		`{owners: {targets: {first_time_fix: 101%}}}`: {"owners.targets.first_time_fix"},
		`{owners: {targets: {occupancy: 101%}}}`:      {"owners.targets.occupancy"},
	} {
		require.Equal(t, want, portfolioProblems(t, p, keys), keys)
	}
}

// The largest section that Load takes is still small for a history.
func TestPortfolioIsBounded(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	list := func(n int, item func(int) string) string {
		var items []string
		for i := range n {
			items = append(items, item(i))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	long := func(i int) string { return fmt.Sprintf("%0100d", i) }
	requirement := func(i int) string {
		return fmt.Sprintf("{id: r%d, name: %s, kind: licence, months: 12, first_within: 30d, what: %s, cities: %s}",
			i, long(i), strings.Repeat("x", maxWhat), list(maxWhere, long))
	}
	keys := func(more int) string {
		return "{onboarding: {items: " + list(maxOnboarding+more, long) + "}, compliance: {requirements: " + list(maxRequirements+more, requirement) + "}}"
	}
	require.Empty(t, portfolioProblems(t, p, keys(0)))
	require.Equal(t, []string{"onboarding.items", "compliance.requirements"}, portfolioProblems(t, p, keys(1)))
	root, err := syntax("test", []byte("portfolio: "+keys(0)))
	require.NoError(t, err)
	s := p.company
	newDecoder().into(root, &s, "")
	encoded, err := json.Marshal(s.resolvePortfolio("v"))
	require.NoError(t, err)
	require.Less(t, len(encoded), 256<<10)
	require.True(t, slices.Contains(portfolioProblems(t, p, "{vacancy: {text: "+list(maxListingLines+1, long)+"}}"), "vacancy.text"))
}
