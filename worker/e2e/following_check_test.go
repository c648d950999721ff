package e2e_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The reading of TestSalesAreFollowed sees what it is there to see.
func TestTheCheckOfSalesSeesFaults(t *testing.T) {
	t.Parallel()
	noon := time.Date(2031, time.March, 3, 12, 0, 0, 0, time.UTC)
	dueOn := func(days int) time.Time { return time.Date(2031, time.March, days, 23, 59, 59, 0, time.UTC) }
	var before listing
	require.NoError(t, json.Unmarshal([]byte(`{"id": 7, "address": "1 Park Row, Leeds", "status": "For sale",
		"milestones": [{"name": "Survey", "due_date": "2031-03-05T23:59:59Z"}, {"name": "Exchange"}]}`), &before))
	did := []happened{
		{Kind: "due_date_moved", Milestone: "Survey", DueDate: dueOn(9)},
		{Kind: "due_date_moved", Milestone: "Survey", DueDate: dueOn(12)},
		{Kind: "milestone_completed", Milestone: "Survey", DueDate: dueOn(12)},
		{Kind: "accepted", Role: "mortgage_broker"},
		{Kind: "status", Status: "Under offer"},
		{Kind: "milestone_added", Milestone: "Searches", DueDate: dueOn(20)},
		{Kind: "due_date_moved", Milestone: "Searches", DueDate: dueOn(21)},
		{Kind: "status", Status: "Sold"},
	}
	for i := range did {
		did[i].N, did[i].PropertyID, did[i].At = i+1, 7, noon.Add(time.Duration(i)*time.Minute)
	}
	all := []string{
		"The milestone “Survey” is now due on 9 March 2031 rather than 5 March 2031.",
		"The milestone “Survey” is now due on 12 March 2031 rather than 9 March 2031.",
		"The milestone “Survey” is completed.",
		"The mortgage broker has accepted the invitation.",
		"The status has changed from “For sale” to “Under offer”.",
		"The milestone “Searches” has been added, due on 20 March 2031.",
		"The milestone “Searches” is now due on 21 March 2031 rather than 20 March 2031.",
		"The status has changed from “Under offer” to “Sold”.",
	}
	// less leaves out lines of all, more adds one.
	less := func(out ...int) []string {
		var lines []string
		for i, line := range all {
			if !slices.Contains(out, i) {
				lines = append(lines, line)
			}
		}
		return lines
	}
	more := func(line string) []string { return append(slices.Clone(all), line) }
	with := func(i int, line string) []string {
		lines := slices.Clone(all)
		lines[i] = line
		return lines
	}
	for name, c := range map[string]struct {
		told   []string
		merged int
		want   string
	}{
		"all":                           {all, 0, ""},
		"nothing":                       {nil, 0, "told 0 times"},
		"a move is missing in between":  {less(0), 0, `before it was due on "5 March 2031"`},
		"two moves told as one":         {with(1, "The milestone “Survey” is now due on 12 March 2031 rather than 5 March 2031.")[1:], 1, ""},
		"the last move is missing":      {less(1), 0, `now due on 12 March 2031`},
		"a move that nobody made":       {with(1, "The milestone “Survey” is now due on 13 March 2031 rather than 9 March 2031."), 0, "nobody did"},
		"moves in the wrong order":      {append([]string{all[1], all[0]}, all[2:]...), 0, "before it was due"},
		"a move twice":                  {more(all[1]), 0, "before it was due"},
		"completed twice":               {more(all[2]), 0, "told 2 times"},
		"not completed":                 {less(2), 0, "told 0 times"},
		"another is completed":          {more("The milestone “Exchange” is completed."), 0, "happened 0 times"},
		"not accepted":                  {less(3), 0, "told 0 times"},
		"somebody else accepted":        {more("The auctioneer has accepted the invitation."), 0, "happened 0 times"},
		"two statuses told as one":      {append(less(4, 7), "The status has changed from “For sale” to “Sold”."), 0, ""},
		"the last status is missing":    {less(7), 0, "nobody was told of #8 status"},
		"a status that never was":       {more("The status has changed from “Sold” to “For sale”."), 0, "nobody did"},
		"added and moved, told as one":  {append(less(5, 6), "The milestone “Searches” has been added, due on 21 March 2031."), 1, ""},
		"added and not moved":           {less(6), 0, "now due on 21 March 2031"},
		"not added":                     {less(5, 6), 0, "told 0 times"},
		"added with a day of its own":   {append(less(5, 6), "The milestone “Searches” has been added, due on 25 March 2031."), 0, "25 March"},
		"removed":                       {more("The milestone “Exchange” has been removed."), 0, "nobody did"},
		"a line that is no change":      {more("Buy one, get one free."), 0, "nobody did"},
		"a due date that was taken off": {more("The milestone “Survey” has no due date any more; it was 12 March 2031."), 0, "nobody did"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := letter{Time: noon.Add(time.Hour), Text: "What has changed:\n\n- " + strings.Join(c.told, "\n- ") + "\n\nKind regards"}
			check := &saleCheck{before: before, happened: did, told: l.lines(), statusKnown: noon, real: func(at time.Time) time.Time { return at }}
			if len(c.told) == 0 {
				check.told = nil
			}
			check.run()
			if c.want == "" {
				require.Empty(t, check.problems)
				require.Equal(t, c.merged, check.merged)
				return
			}
			require.Contains(t, strings.Join(check.problems, "\n"), c.want)
		})
	}
	early := &saleCheck{before: before, happened: did[2:3], told: letter{Time: noon, Text: "- " + all[2]}.lines(), real: func(at time.Time) time.Time { return at }}
	early.run()
	require.Contains(t, strings.Join(early.problems, "\n"), "before it happened")
}
