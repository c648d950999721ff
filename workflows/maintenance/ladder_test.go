package maintenance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
)

var opened = time.Date(2026, 11, 20, 22, 0, 0, 0, time.UTC)

// onCall is a policy with a team of two, two tries each, two rounds, and a boss.
func onCall() activities.Settings {
	people := []policy.Person{{ID: "alice"}, {ID: "bob"}}
	return activities.Settings{
		TimeZone:   "UTC",
		Escalation: []policy.Person{{ID: "boss"}},
		OnCall: policy.OnCall{
			Starts: policy.Date{Year: 2026, Month: time.January, Day: 5}, Every: 7 * 24 * time.Hour, Teams: [][]policy.Person{people},
			TriesPerContact: 2, Gap: 5 * time.Minute, Rounds: 2, RepeatEvery: 30 * time.Minute, GiveUpAfter: 3 * time.Hour,
		},
		SLA: policy.SLA{Acknowledge: 15 * time.Minute, Accept: 30 * time.Minute, OnSite: 4 * time.Hour},
	}
}

// climb pages as the workflow would until the ladder ends or n pages are sent;
// change may alter each page after it was sent.
func climb(s activities.Settings, n int, change func(*Page)) string {
	var pages []Page
	var order []string
	now := opened
	for len(pages) < n {
		person, round, try, gap, ok := nextPage(pages, s, opened, now)
		if !ok {
			order = append(order, "give up")
			break
		}
		page := Page{Person: person.ID, Round: round, Try: try, At: now}
		if change != nil {
			change(&page)
		}
		pages = append(pages, page)
		order = append(order, fmt.Sprintf("%s%d", person.ID, try))
		now = now.Add(gap)
	}
	return strings.Join(order, " ")
}

func TestTheLadderClimbs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		n      int
		change func(*Page)
		want   string
	}{
		{"each contact in order, then round two", 8, nil, "alice1 alice2 bob1 bob2 alice1 alice2 bob1 bob2"},
		{"after the rounds the boss and everybody else, slowly, then it is given up", 99, nil,
			"alice1 alice2 bob1 bob2 alice1 alice2 bob1 bob2 boss1 alice1 bob1 boss1 alice1 give up"},
		{"who declines is passed over in that round only", 6,
			func(p *Page) { p.Declined = p.Person == "alice" && p.Round == 1 }, "alice1 bob1 bob2 alice1 alice2 bob1"},
		{"an undelivered page moves on at once", 4,
			func(p *Page) { p.Failed = p.Person == "alice" }, "alice1 bob1 bob2 alice1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, climb(onCall(), c.n, c.change))
		})
	}
}

func TestAChangeOfRotationInTheMiddlePagesTheNewTeam(t *testing.T) {
	t.Parallel()
	s := onCall()
	s.OnCall.Teams = append(s.OnCall.Teams, []policy.Person{{ID: "carol"}})
	change := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	before, _, _, _, ok := nextPage(nil, s, change, change.Add(-time.Minute))
	require.True(t, ok)
	after, _, _, _, ok := nextPage([]Page{{Person: before.ID, Round: 1, Try: 1}}, s, change, change.Add(time.Minute))
	require.True(t, ok)
	require.NotEqual(t, before.ID, after.ID)
}

func TestPromisesBreakOnceAndOnTime(t *testing.T) {
	t.Parallel()
	s := &State{OpenedAt: opened, Settings: onCall(), Stage: StagePaging}
	require.Empty(t, s.breaches(opened.Add(15*time.Minute-time.Second)))
	require.Equal(t, "on_track", s.slaState())
	require.Equal(t, []SLA{SLAAcknowledge}, s.breaches(opened.Add(15*time.Minute)))
	s.Missed = append(s.Missed, SLAAcknowledge)
	require.Empty(t, s.breaches(opened.Add(16*time.Minute)))
	require.Equal(t, "acknowledge_missed", s.slaState())
	require.Equal(t, opened.Add(30*time.Minute), s.dueBy())

	s.acknowledge(Mark{By: "alice", At: opened.Add(20 * time.Minute)})
	s.assign("tech", Mark{By: "tech", At: opened.Add(25 * time.Minute)})
	require.Equal(t, opened.Add(4*time.Hour), s.dueBy())
	require.Equal(t, "missed", s.kept(SLAAcknowledge).Verdict)
	require.Equal(t, "met", s.kept(SLAAccept).Verdict)
	require.Equal(t, "not reached", s.kept(SLAOnSite).Verdict)
}

func TestTheNextDeadlineIsTheEarliest(t *testing.T) {
	t.Parallel()
	s := &State{OpenedAt: opened, Settings: onCall(), Stage: StagePaging, NextPageAt: opened.Add(5 * time.Minute)}
	at, why := s.nextDeadline()
	require.Equal(t, opened.Add(5*time.Minute), at)
	require.Equal(t, "next page", why)

	s.Paused = &Mark{}
	at, _ = s.nextDeadline()
	require.Equal(t, opened.Add(15*time.Minute), at, "while it is paused the SLA clocks go on")

	s.Held = []Held{{Until: opened.Add(time.Minute)}}
	at, _ = s.nextDeadline()
	require.Equal(t, opened.Add(time.Minute), at)
}
