package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestContactRulesOfALevel(t *testing.T) {
	t.Parallel()
	text := strings.Replace(string(embedded), "    property_manager: helen", `    property_manager: helen
    contact: {quiet_hours_by_state: {OR: {from: 19:00, to: 09:00}}, caps: {campaign_per_week: 1}}`, 1)
	p, err := parse("test", []byte(text))
	require.NoError(t, err)
	la := p.Contact("1", "1")
	require.Equal(t, CampaignCaps{PerWeek: 3, PerMonth: 8}, la.Caps)
	require.Equal(t, QuietHours{From: 20 * 60, To: 8 * 60}, la.QuietHoursByState["FL"])
	require.NotContains(t, la.QuietHoursByState, "OR")
	portland := p.Contact("2", "9")
	require.Equal(t, CampaignCaps{PerWeek: 1, PerMonth: 8}, portland.Caps)
	require.Equal(t, QuietHours{From: 19 * 60, To: 9 * 60}, portland.QuietHoursByState["OR"])
	require.Contains(t, portland.QuietHoursByState, "FL", "the company's states apply too")

	la.QuietHoursByState["FL"] = QuietHours{}
	require.NotZero(t, p.Contact("1", "1").QuietHoursByState["FL"], "nothing is shared")
}

// Policies that are older than campaigns have no such section.
func TestContactRulesThatAreLeftOut(t *testing.T) {
	t.Parallel()
	begin := strings.Index(string(embedded), "  contact:\n")
	end := begin + strings.Index(string(embedded)[begin:], "\n\n")
	p, err := parse("test", []byte(string(embedded)[:begin]+string(embedded)[end:]))
	require.NoError(t, err)
	require.Equal(t, ContactRules{Caps: CampaignCaps{PerWeek: 3, PerMonth: 8}}, p.Contact("1", "1"))
}

func TestContactRulesAreChecked(t *testing.T) {
	t.Parallel()
	_, err := load(t,
		"      FL: {from: 20:00, to: 08:00}", "      Florida: {from: 20:00, to: 08:00}",
		"      MD: {from: 20:00, to: 08:00}", "      \"L F\": {from: 20:00, to: 08:00}",
		"      OK: {from: 20:00, to: 08:00}", "      OK: {from: 07:00, to: 21:00}",
		"      WA: {from: 20:00, to: 08:00}", "      WA: {from: 20:00, to: 20:00}",
		"campaign_per_week: 3, campaign_per_month: 8", "campaign_per_week: -1, campaign_per_month: 1001")
	var invalid *InvalidError
	require.ErrorAs(t, err, &invalid)
	var got []string
	for _, p := range invalid.Problems {
		require.Positive(t, p.Line, p)
		got = append(got, p.Path)
	}
	require.ElementsMatch(t, []string{
		"company.contact.quiet_hours_by_state.Florida", "company.contact.quiet_hours_by_state.L F", "company.contact.quiet_hours_by_state.OK",
		"company.contact.caps.campaign_per_week", "company.contact.caps.campaign_per_month",
	}, got, "equal times are no quiet hours, and allowed")
}

func TestQuietHoursLeaveTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to TimeOfDay
		leaves   bool
	}{
		{20 * 60, 8 * 60, true}, {0, 0, true}, {12 * 60, 12 * 60, true}, {9 * 60, 21 * 60, true}, {8 * 60, 20*60 + 59, true},
		{8 * 60, 21 * 60, false}, {7 * 60, 22 * 60, false}, {8 * 60, 7 * 60, false}, {8*60 + 1, 8 * 60, true},
	} {
		require.Equal(t, c.leaves, leavesTime(QuietHours{From: c.from, To: c.to}), "%s to %s", c.from, c.to)
	}
}

func TestQuietHoursOfTexts(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	rules := p.Contact("1", "1")
	la := p.For("1", "1") // 21:00 to 08:00
	miami := la
	miami.TimeZone = "America/New_York"
	open := miami
	open.QuietHours = QuietHours{}
	late := miami
	late.QuietHours = QuietHours{From: 22 * 60, To: 10 * 60}
	phoenix := open
	phoenix.TimeZone = "America/Phoenix"
	never := open
	never.QuietHours = QuietHours{From: 8 * 60, To: 21 * 60}

	for _, c := range []struct {
		name, state string
		marketing   bool
		when, until string
		s           Settings
	}{
		{"no state: the property's begin at nine", "", false, "2026-01-10T20:59:59-05:00", "", miami},
		{"no state: and end at eight", "", false, "2026-01-10T21:00:00-05:00", "2026-01-11T13:00:00Z", miami},
		{"a state's begin sooner", "FL", false, "2026-01-10T20:00:00-05:00", "2026-01-11T13:00:00Z", miami},
		{"in small letters too", "fl", false, "2026-01-10T20:00:00-05:00", "2026-01-11T13:00:00Z", miami},
		{"not before", "FL", false, "2026-01-10T19:59:59-05:00", "", miami},
		{"and are over", "FL", false, "2026-01-11T08:00:00-05:00", "", miami},
		{"a state's end later than the property's", "CT", false, "2026-01-10T21:30:00-05:00", "2026-01-11T14:00:00Z", miami},
		{"a state without its own", "NV", false, "2026-01-10T20:30:00-05:00", "", miami},
		{"the property's end later than the state's", "FL", false, "2026-01-10T21:30:00-05:00", "2026-01-11T15:00:00Z", late},
		{"none, for service", "", false, "2026-01-10T23:00:00-05:00", "", open},
		{"never at night, for marketing", "", true, "2026-01-10T21:00:00-05:00", "2026-01-11T13:00:00Z", open},
		{"nor in the morning", "", true, "2026-01-11T07:59:59-05:00", "2026-01-11T13:00:00Z", open},
		{"but by day", "", true, "2026-01-11T08:00:00-05:00", "", open},
		{"marketing in a state", "FL", true, "2026-01-10T20:15:00-05:00", "2026-01-11T13:00:00Z", open},
		{"a night that loses an hour", "FL", true, "2026-03-07T20:30:00-05:00", "2026-03-08T12:00:00Z", open},
		{"a night that gains an hour", "FL", true, "2026-10-31T20:30:00-04:00", "2026-11-01T13:00:00Z", open},
		{"the hour that comes twice", "FL", true, "2026-11-01T01:30:00-05:00", "2026-11-01T13:00:00Z", open},
		{"a zone without summer time", "", true, "2026-07-10T21:30:00-07:00", "2026-07-11T15:00:00Z", phoenix},
		{"the sender's day is the receiver's night", "", true, "2026-01-10T18:30:00-08:00", "2026-01-11T13:00:00Z", open},
	} {
		until, quiet := rules.QuietUntil(c.s, c.state, c.marketing, at(t, c.when))
		require.Equal(t, c.until != "", quiet, c.name)
		if quiet {
			require.Equal(t, at(t, c.until), until, c.name)
		}
	}

	// Two levels may leave no time together; that must end, and be looked at again.
	until, quiet := rules.QuietUntil(never, "", true, at(t, "2026-01-10T12:00:00Z"))
	require.True(t, quiet)
	require.WithinDuration(t, at(t, "2026-01-10T12:00:00Z"), until, 15*24*time.Hour)
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		preferred string
		available []string
		want      string
	}{
		{"es", []string{"en", "es"}, "es"},
		{"ES", []string{"en", "es"}, "es"},
		{"es-MX", []string{"en", "es"}, "es"},
		{"es_mx", []string{"en", "es", "es-MX"}, "es-MX"},
		{"es", []string{"en", "es-US"}, "es-US"},
		{"es-MX", []string{"en", "es-US"}, "es-US"},
		{"zh-Hant-TW", []string{"en", "zh"}, "zh"},
		{"fr", []string{"en", "es"}, "en"},
		{"e", []string{"en", "es"}, "en"},
		{"", []string{"es", "en"}, "en"},
		{" ", []string{"es"}, "en"},
		{"-", []string{"es"}, "en"},
		{"es", nil, "en"},
	} {
		require.Equal(t, c.want, Language(c.preferred, c.available), "%q of %v", c.preferred, c.available)
	}
}
