package policy

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// following is the part of the built-in policy that other files may leave out.
func following(t *testing.T) string {
	t.Helper()
	from, to := strings.Index(string(embedded), "  polling:\n"), strings.Index(string(embedded), "  products: [")
	require.Positive(t, from)
	require.Greater(t, to, from)
	return string(embedded[from:to])
}

// instead loads the built-in policy with other sections polling, reported and report.
func instead(t *testing.T, sections string) (*Policy, error) {
	t.Helper()
	return load(t, following(t), sections)
}

func TestBuiltInFollowing(t *testing.T) {
	t.Parallel()
	s := mustLoad(t).Sales()
	require.Equal(t, Polling{
		Overdue: 5 * time.Minute, DueSoon: 15 * time.Minute, Rest: 30 * time.Minute, SoonWithin: day, List: 30 * time.Minute, Shards: 1,
	}, s.Polling)
	require.Equal(t, Reported{
		Events: map[string]string{
			"legal_pack_completed": "Legal Pack Preparation", "property_listed": "Property Marketing", "offer_accepted": "Offer Acceptance",
			"contracts_exchanged": "Exchange of Contracts", "completion_date_set": "Completion",
		},
		ConfirmWithin: 3 * day,
	}, s.Reported)
	require.Equal(t, SalesReport{Days: []string{"mon"}, At: 7*60 + 30}, s.Report)
	require.True(t, s.Report.Given())
	for _, milestone := range s.Reported.Events {
		require.Contains(t, s.Milestones[MethodStandard], milestone)
	}
}

func TestWhatIsLeftOutOfFollowing(t *testing.T) {
	t.Parallel()
	builtIn := mustLoad(t).Sales()
	for name, c := range map[string]struct {
		sections string
		change   func(*Sales)
	}{
		"everything":      {"", func(s *Sales) { s.Report = SalesReport{} }},
		"some of polling": {"  polling: {rest: 1h, shards: 4}\n", func(s *Sales) { s.Polling.Rest, s.Polling.Shards, s.Report = time.Hour, 4, SalesReport{} }},
		"nothing is soon": {"  polling: {soon_within: 0s}\n", func(s *Sales) { s.Polling.SoonWithin, s.Report = 0, SalesReport{} }},
		"events":          {"  reported: {confirm_within: 60d}\n", func(s *Sales) { s.Reported.ConfirmWithin, s.Report = 60*day, SalesReport{} }},
		"when events are late": {"  reported: {events: {keys_handed_over: Completion}}\n", func(s *Sales) {
			s.Reported.Events, s.Report = map[string]string{"keys_handed_over": "Completion"}, SalesReport{}
		}},
		"all events, on purpose": {"  reported: {events: {}}\n", func(s *Sales) { s.Reported.Events, s.Report = map[string]string{}, SalesReport{} }},
		"days of the report":     {"  report: {days: []}\n", func(s *Sales) { s.Report = SalesReport{} }},
		"nothing of the report": {
			"  report: {days: [sat, sun], at: 00:00, to: [{email: a@example.com}, {name: B, email: b@example.com}]}\n",
			func(s *Sales) {
				s.Report = SalesReport{Days: []string{"sat", "sun"}, To: []Contact{{Email: "a@example.com"}, {"B", "b@example.com"}}}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := instead(t, c.sections)
			require.NoError(t, err)
			want := builtIn.clone()
			c.change(&want)
			want.Version = p.Version()
			got := p.Sales()
			require.Equal(t, want, got)
			require.Equal(t, len(want.Report.Days) > 0, got.Report.Given())
			encoded, err := json.Marshal(got)
			require.NoError(t, err)
			require.Equal(t, got.Report.Given(), strings.Contains(string(encoded), `"report":`), "no report, none in JSON")
			var back Sales
			require.NoError(t, json.Unmarshal(encoded, &back))
			require.Equal(t, want, back)
		})
	}

	without, _, _ := strings.Cut(string(embedded), "\nsales:")
	p, err := parse("test", []byte(without))
	require.NoError(t, err)
	require.Zero(t, p.Sales().Polling, "no sales, none to read")
	require.Zero(t, p.Sales().Reported)
	require.False(t, p.Sales().Report.Given())
}

func TestFollowingSharesNothing(t *testing.T) {
	t.Parallel()
	const report = "report: {days: [mon], at: 07:30}"
	to := strings.Replace(report, "}", ", to: [{name: A, email: a@example.com}]}", 1)
	p := mustLoad(t, report, to)
	s := p.Sales()
	s.Reported.Events["property_listed"] = "changed"
	s.Report.Days[0] = "changed"
	s.Report.To[0].Name = "changed"
	require.Equal(t, mustLoad(t, report, to).Sales(), p.Sales())
	usual, err := instead(t, "")
	require.NoError(t, err)
	usual.Sales().Reported.Events["property_listed"] = "changed"
	require.Equal(t, usualEvents(), usual.Sales().Reported.Events)
}

func TestEverythingWrongWithFollowingIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sections string
		paths    []string
	}{
		"too short": {
			`  polling: {overdue: 59s, due_soon: 0s, rest: 1s, list: 30s, shards: 0}
  reported: {confirm_within: 59m}
  report: {at: 07:30}
`,
			[]string{
				"polling.overdue", "polling.due_soon", "polling.due_soon", "polling.rest", "polling.list", "polling.shards",
				"reported.confirm_within", "report.days",
			},
		},
		"too long": {
			`  polling: {overdue: 2d, due_soon: 25h, rest: 1d1s, soon_within: 15d, list: 2d, shards: 17}
  reported: {confirm_within: 61d}
  report: {days: [mon, tue, wed, thu, fri, sat, sun, mon]}
`,
			[]string{
				"polling.overdue", "polling.due_soon", "polling.due_soon", "polling.rest", "polling.rest", "polling.soon_within", "polling.list", "polling.shards",
				"reported.confirm_within", "report.days", "report.days[7]", "report.at",
			},
		},
		"out of order":               {"  polling: {overdue: 10m, due_soon: 9m, rest: 8m}\n", []string{"polling.due_soon", "polling.rest"}},
		"less than what is left out": {"  polling: {rest: 10m}\n", []string{"polling.rest"}},
		"unreadable": {
			`  polling: {overdue: soon, every: 5m, shards: many}
  reported: {events: [offer_accepted], confirm: 3d}
  report: {days: mon, at: 7am, to: manager}
`,
			[]string{
				"polling.overdue", "polling.every", "polling.shards", "reported.events", "reported.confirm", "report.days", "report.at", "report.to",
			},
		},
		"values": {
			`  reported:
    events: {Offer Accepted: Offer Acceptance, offer-made: Secret, sold: "", quiet: "a\nb", ` + strings.Repeat("x", 65) + `: Completion, long: ` + strings.Repeat("é", 256) + `, right: ` + strings.Repeat("é", 255) + `}
  report:
    days: [monday]
    at: 24:00
    to: [{name: Nobody}, {email: here}, {email: a@example.com}, {email: A@example.com}, {name: "a\nb", email: b@example.com}]
`,
			[]string{
				"reported.events.Offer Accepted", "reported.events.offer-made", "reported.events.sold", "reported.events.quiet",
				"reported.events." + strings.Repeat("x", 65), "reported.events.long",
				"report.days[0]", "report.at", "report.at", "report.to[0].email", "report.to[1].email", "report.to[3].email", "report.to[4].name",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := instead(t, c.sections)
			var invalid *InvalidError
			require.ErrorAs(t, err, &invalid)
			var got []string
			for _, p := range invalid.Problems {
				require.Positive(t, p.Line, p)
				got = append(got, strings.TrimPrefix(p.Path, "sales."))
			}
			require.ElementsMatch(t, c.paths, got, err)
			for _, value := range []string{"Secret", "Nobody", "here\n", "monday", "many", "24:00"} {
				require.NotContains(t, err.Error(), value, "values stay out of errors")
			}
		})
	}
}

// The most that Load takes is still small for a history.
func TestFollowingIsBounded(t *testing.T) {
	t.Parallel()
	reported := Reported{Events: map[string]string{}, ConfirmWithin: time.Hour}
	for i := range maxEvents {
		reported.Events[fmt.Sprintf("%02d%s", i, strings.Repeat("x", 62))] = strings.Repeat("<", maxEventNames/maxEvents) // JSON writes < as six bytes
	}
	report := SalesReport{Days: weekdays(), At: 24*60 - 1}
	for i := range maxReportTo {
		report.To = append(report.To, Contact{strings.Repeat("<", maxLine), fmt.Sprintf("%02d%s@example.com", i, strings.Repeat("x", 240))})
	}
	c := &checker{}
	c.reported(reported)
	c.report(report)
	require.Empty(t, c.problems)
	encoded, err := json.Marshal(Sales{Reported: reported, Report: report})
	require.NoError(t, err)
	require.Less(t, len(encoded), 56<<10)

	reported.Events["one_more"] = "x"
	report.To = append(report.To, Contact{"", "one.more@example.com"})
	c.reported(reported)
	c.report(report)
	var paths []string
	for _, p := range c.problems {
		paths = append(paths, p.Path)
	}
	require.Equal(t, []string{"reported.events", "reported.events", "report.to"}, paths, "too many, too long together, too many")
}
