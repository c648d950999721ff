package openmoove_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox/openmoove"
)

func TestEveryChangeIsLogged(t *testing.T) {
	t.Parallel()
	now := time.Date(2031, time.March, 3, 9, 0, 0, 0, time.UTC)
	yes, no, due, never := true, false, time.Date(2031, 5, 6, 23, 59, 59, 0, time.UTC), time.Time{}
	set := func(milestone string, c openmoove.MilestoneChange) func(*openmoove.Server) error {
		return func(s *openmoove.Server) error { _, err := s.SetMilestone("1", milestone, c); return err }
	}
	happen := func(event string, wanted object) func(*openmoove.Server) error {
		return func(s *openmoove.Server) error { _, err := s.Happen(event, wanted); return err }
	}
	for name, c := range map[string]struct {
		do   func(*openmoove.Server) error
		want []string
	}{
		"completed":            {set("13", openmoove.MilestoneChange{Completed: &yes}), []string{"milestone_completed 13 Property Marketing 2026-08-24"}},
		"completed before":     {set("11", openmoove.MilestoneChange{Completed: &yes}), nil},
		"reopened":             {set("11", openmoove.MilestoneChange{Completed: &no}), []string{"milestone_reopened 11 Instruction 2026-08-05"}},
		"moved":                {set("13", openmoove.MilestoneChange{DueDate: &due}), []string{"due_date_moved 13 Property Marketing 2031-05-06"}},
		"due date taken away":  {set("13", openmoove.MilestoneChange{DueDate: &never}), []string{"due_date_moved 13 Property Marketing"}},
		"both":                 {set("13", openmoove.MilestoneChange{Completed: &yes, DueDate: &due}), []string{"due_date_moved 13 Property Marketing 2031-05-06", "milestone_completed 13 Property Marketing 2031-05-06"}},
		"nothing":              {set("13", openmoove.MilestoneChange{}), nil},
		"status":               {func(s *openmoove.Server) error { _, err := s.SetStatus("1", "Sold"); return err }, []string{"status Sold"}},
		"the same status":      {func(s *openmoove.Server) error { _, err := s.SetStatus("1", "For sale"); return err }, nil},
		"added":                {func(s *openmoove.Server) error { _, err := s.AddMilestone("1", "Survey", "", due); return err }, []string{"milestone_added 35 Survey 2031-05-06"}},
		"accepted":             {func(s *openmoove.Server) error { _, err := s.Accept("2", "conveyancer"); return err }, []string{"accepted conveyancer"}},
		"accepted before":      {func(s *openmoove.Server) error { _, err := s.Accept("2", "auctioneer"); return err }, nil},
		"a sample completes":   {happen("property.milestone.completed", nil), []string{"milestone_completed 13 Property Marketing 2026-08-24"}},
		"a sample adds":        {happen("property.milestone.created", nil), []string{"milestone_added 35 Survey 2031-03-17"}},
		"a sample adds a done": {happen("property.milestone.created", object{"milestone": object{"completed": true}}), []string{"milestone_added 35 Survey 2031-03-17", "milestone_completed 35 Survey 2031-03-17"}},
		"a sample changes not": {happen("property.updated", nil), nil},
		"a sample creates":     {happen("property.created", nil), []string{"created For sale"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := open(t, openmoove.Config{Now: func() time.Time { return now }})
			require.NoError(t, c.do(a.server))
			require.Equal(t, c.want, told(t, a.server.ChangesAfter(0), now))
		})
	}
}

// told puts changes into words.
func told(t *testing.T, changes []openmoove.Change, now time.Time) (out []string) {
	t.Helper()
	for i, c := range changes {
		require.Equal(t, i+1, c.N)
		require.Equal(t, now, c.At)
		require.NotZero(t, c.PropertyID)
		text := string(c.Kind)
		if c.MilestoneID != 0 {
			text += fmt.Sprintf(" %d %s", c.MilestoneID, c.Milestone)
		}
		if !c.DueDate.IsZero() {
			text += " " + c.DueDate.Format(time.DateOnly)
		}
		for _, word := range []string{c.Role, c.Status} {
			if word != "" {
				text += " " + word
			}
		}
		out = append(out, text)
	}
	return out
}

func TestTheLogGoesOnAfterAReset(t *testing.T) {
	t.Parallel()
	a := open(t, openmoove.Config{})
	made := a.create(nil)
	created := a.server.ChangesAfter(0)
	require.Len(t, created, 1)
	require.EqualValues(t, made["property_id"], created[0].PropertyID, "by the API too")
	_, err := a.server.SetStatus("99", "Sold")
	require.ErrorIs(t, err, openmoove.ErrNotFound)
	a.server.Reset()
	require.Empty(t, a.server.ChangesAfter(0), "what failed is no change, and a Reset forgets")
	_, err = a.server.SetStatus("1", "Sold")
	require.NoError(t, err)
	raw, err := json.Marshal(a.server.ChangesAfter(1))
	require.NoError(t, err)
	require.Regexp(t, `^\[\{"n":2,"at":"[^"]+Z","property_id":1,"kind":"status","status":"Sold"\}\]$`, string(raw))
}

func TestAPortfolioLooksAlive(t *testing.T) {
	t.Parallel()
	now := time.Date(2031, time.March, 3, 9, 0, 0, 0, time.UTC)
	in := newIngress(t, nil)
	a := open(t, openmoove.Config{Now: func() time.Time { return now }, IngressURL: in.url, WebhookSecret: "s", IDsAfter: 28_000_000, Limits: "100000/1h"})
	const count = 300
	made, err := a.server.CreatePortfolio(count, 1, false)
	require.NoError(t, err)
	require.Len(t, made, count)
	require.Zero(t, a.server.Duplicates())
	in.wait(t, count)

	seen, methods, statuses, completed := map[string]bool{}, map[string]int{}, map[string]int{}, map[int]int{}
	var overdue, soon, later, none, finished, invited int
	for i, p := range made {
		require.Equal(t, 28_000_001+i, p.ID)
		for _, one := range []string{p.Address + p.Postcode, p.Email} {
			require.False(t, seen[one], one)
			seen[one] = true
		}
		require.LessOrEqual(t, now.Sub(p.CreatedAt), 200*24*time.Hour)
		require.False(t, p.CreatedAt.After(now))
		if i > 0 {
			require.False(t, p.CreatedAt.Before(made[i-1].CreatedAt), "ids rise with time")
		}
		methods[p.Method]++
		statuses[p.Status]++
		completed[p.CompletedMilestones()]++
		for _, m := range p.Milestones[:p.CompletedMilestones()] {
			require.True(t, m.Completed(), "in their order")
			require.False(t, m.CompletedAt.After(now) || m.CompletedAt.Before(p.CreatedAt))
		}
		for _, m := range p.Team {
			if !m.Active {
				invited++
				require.Equal(t, p.CreatedAt, m.InvitedAt)
			}
		}
		current := p.Current()
		switch {
		case current == nil:
			finished++
		case current.DueDate.IsZero():
			none++
		case current.DueDate.Before(now):
			overdue++
			require.Less(t, now.Sub(current.DueDate), 5*24*time.Hour, "by a few days")
		case current.DueDate.Sub(now) < 3*24*time.Hour:
			soon++
		default:
			later++
		}
	}
	for what, n := range map[string]int{"overdue": overdue, "soon": soon, "none": none, "finished": finished} {
		require.True(t, n >= 5 && n <= 80, "%s: %d", what, n)
	}
	require.Greater(t, later, 100)
	require.Greater(t, invited, 50)
	require.Len(t, methods, 3)
	require.Len(t, statuses, 3)
	require.GreaterOrEqual(t, len(completed), 6, "at every stage: %v", completed)
	uuid := made[7].TransactionID
	require.Equal(t, made[7].Address, a.get("/properties/" + uuid + "/")["propertyPack"].(object)["address"].(object)["line1"])
	require.Contains(t, a.call("GET", "/properties/?page=4&page_size=100", "").body, strconv.Itoa(made[count-1].ID))
}

func TestPortfoliosAreRepeatableAndBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2031, time.March, 3, 9, 0, 0, 0, time.UTC)
	in := newIngress(t, nil)
	build := func(seed uint64) (texts []string) {
		a := open(t, openmoove.Config{Now: func() time.Time { return now }, IngressURL: in.url, WebhookSecret: "s"})
		made, err := a.server.CreatePortfolio(50, seed, true)
		require.NoError(t, err)
		for _, p := range made {
			texts = append(texts, fmt.Sprint(p.ID, p.Address, p.Email, p.CreatedAt, p.Status, p.Milestones))
		}
		return texts
	}
	first := build(5)
	require.Equal(t, first, build(5))
	require.NotEqual(t, first, build(6))
	require.Empty(t, in.all(), "quiet ones are not told")

	a := open(t, openmoove.Config{})
	for _, count := range []int{-1, 0, openmoove.MaxPortfolio + 1} {
		_, err := a.server.CreatePortfolio(count, 1, true)
		require.ErrorContains(t, err, "count is 1 to 5000")
	}
	for range 2 {
		_, err := a.server.CreatePortfolio(openmoove.MaxPortfolio, 1, true)
		require.NoError(t, err)
	}
	require.Zero(t, a.server.Duplicates(), "no two are the same sale, whatever the seed")
	require.Equal(t, 2*openmoove.MaxPortfolio+3, a.server.Count())
}
