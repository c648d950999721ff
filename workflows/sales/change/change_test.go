package change

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/activities"
)

const london = "Europe/London"

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func member(role activities.Role, email string, active bool) Member {
	return Member{Role: role, Email: email, Active: active}
}

func team(members ...Member) Snapshot { return Snapshot{Team: members} }

func steps(list ...activities.Milestone) Snapshot { return Snapshot{Milestones: list} }

func step(id, name string) activities.Milestone {
	return activities.Milestone{ID: id, Name: name, Order: 1}
}

func dueAt(m activities.Milestone, text string) activities.Milestone {
	m.DueAt = at(text)
	return m
}

func completed(m activities.Milestone, text string) activities.Milestone {
	m.Completed, m.CompletedAt = true, at(text)
	return m
}

func TestDiffByMeaning(t *testing.T) {
	t.Parallel()
	agent, lawyer := member(activities.EstateAgent, "agent@example.com", true), member(activities.Conveyancer, "lawyer@example.com", false)
	accepted := lawyer
	accepted.Active = true
	exchange := dueAt(step("5", "Exchange of Contracts"), "2026-12-01T00:00:00Z")
	for _, c := range []struct {
		name          string
		before, after Snapshot
		want          []string
	}{
		{"nothing", Snapshot{}, Snapshot{}, nil},
		{"a status", Snapshot{Status: "For sale"}, Snapshot{Status: "Sold"}, []string{`status_changed: The status has changed from “For sale” to “Sold”.`}},
		{"the first status", Snapshot{}, Snapshot{Status: "For sale"}, []string{`status_changed: The status is “For sale”.`}},
		{"a status in other case", Snapshot{Status: "For sale"}, Snapshot{Status: " FOR SALE "}, nil},
		{"a status that is not shown", Snapshot{Status: "For sale"}, Snapshot{}, nil},

		{"invited", team(agent), team(agent, lawyer), []string{"joined: The conveyancer has been invited."}},
		{"joined", team(), team(agent), []string{"joined: The estate agent has joined."}},
		{"accepted", team(lawyer), team(accepted), []string{"accepted: The conveyancer has accepted the invitation."}},
		{"invited again", team(accepted), team(lawyer), []string{"invited_again: The conveyancer has an open invitation again."}},
		{"left", team(agent, lawyer), team(agent), []string{"left: The conveyancer is no longer part of the sale."}},
		{"the guide's fault: one for another, the number is the same", team(agent, lawyer), team(agent, member(activities.Conveyancer, "other@example.com", false)),
			[]string{"joined: The conveyancer has been invited.", "left: The conveyancer is no longer part of the sale."}},
		{"another role", team(lawyer), team(member(activities.MortgageBroker, "lawyer@example.com", false)),
			[]string{"role_changed: The conveyancer now has the role mortgage broker."}},
		{"another role, and accepted", team(lawyer), team(member(activities.MortgageBroker, "lawyer@example.com", true)),
			[]string{"role_changed: The conveyancer now has the role mortgage broker.", "accepted: The mortgage broker has accepted the invitation."}},
		{"a second role", team(agent), team(agent, member(activities.Auctioneer, "agent@example.com", true)), []string{"joined: The auctioneer has joined."}},
		{"no e-mail is nobody in particular", team(member(activities.EstateAgent, "", true)), team(member(activities.Auctioneer, "", true)),
			[]string{"joined: The auctioneer has joined.", "left: The estate agent is no longer part of the sale."}},
		{"e-mails in other case, and twice", team(agent, lawyer), team(member("Estate_Agent", " Agent@Example.com ", true), lawyer, lawyer), nil},
		{"order", team(agent, lawyer), team(lawyer, agent), nil},
		{"a look without a team", team(agent, lawyer), Snapshot{NoTeam: true}, nil},

		{"added", steps(), steps(exchange), []string{"milestone_added: The milestone “Exchange of Contracts” has been added, due on 1 December 2026."}},
		{"removed", steps(exchange), steps(), []string{"milestone_removed: The milestone “Exchange of Contracts” has been removed."}},
		{"completed", steps(exchange), steps(completed(exchange, "2026-11-20T10:00:00Z")), []string{"milestone_completed: The milestone “Exchange of Contracts” is completed."}},
		{"reopened", steps(completed(exchange, "2026-11-20T10:00:00Z")), steps(exchange), []string{"milestone_reopened: The milestone “Exchange of Contracts” is open again."}},
		{"due date moved", steps(exchange), steps(dueAt(exchange, "2026-12-15T23:59:59Z")),
			[]string{"due_moved: The milestone “Exchange of Contracts” is now due on 15 December 2026 rather than 1 December 2026."}},
		{"the same day written otherwise", steps(exchange), steps(dueAt(exchange, "2026-12-01T23:59:59Z")), []string{"milestone_amended: quiet"}},
		{"another time that day", steps(exchange), steps(dueAt(exchange, "2026-12-01T12:00:00Z")),
			[]string{"due_moved: The milestone “Exchange of Contracts” is due at another time on 1 December 2026."}},
		{"the same instant in another zone", steps(exchange), steps(dueAt(exchange, "2026-12-01T01:00:00+01:00")), nil},
		{"no due date any more", steps(exchange), steps(step("5", "Exchange of Contracts")),
			[]string{"due_moved: The milestone “Exchange of Contracts” has no due date any more; it was 1 December 2026."}},
		{"a due date at last", steps(step("5", "Exchange of Contracts")), steps(exchange), []string{"due_moved: The milestone “Exchange of Contracts” is now due on 1 December 2026."}},
		{"renamed", steps(step("5", "Exchange")), steps(step("5", "Contracts")), []string{"milestone_renamed: The milestone “Exchange” is now called “Contracts”."}},
		{"renamed in case alone", steps(step("5", "Exchange")), steps(step("5", "EXCHANGE")), []string{"milestone_amended: quiet"}},
		{"all at once", steps(step("5", "Exchange")), steps(completed(dueAt(step("5", "Contracts"), "2026-12-01T00:00:00Z"), "2026-11-20T10:00:00Z")), []string{
			"milestone_renamed: The milestone “Exchange” is now called “Contracts”.", "milestone_completed: The milestone “Contracts” is completed.",
			"due_moved: The milestone “Contracts” is now due on 1 December 2026."}},
		{"another place", steps(step("5", "Exchange")), steps(activities.Milestone{ID: "5", Name: "Exchange", Order: 4}), []string{"milestone_amended: quiet"}},
		{"made anew under another id", steps(step("5", "Exchange")), steps(step("6", "Exchange")), []string{
			"milestone_added: The milestone “Exchange” has been added.", "milestone_removed: The milestone “Exchange” has been removed."}},
		{"an id that is missing now", steps(step("5", "Exchange")), steps(step("", "exchange ")), []string{"milestone_amended: quiet"}},
		{"an id that was missing", steps(step("", "Exchange")), steps(step("5", "Exchange")), []string{"milestone_amended: quiet"}},
		{"two of a name, one completed", steps(step("1", "Search"), step("2", "Search")), steps(step("2", "Search"), completed(step("1", "Search"), "2026-11-20T10:00:00Z")),
			[]string{"milestone_completed: The milestone “Search” is completed."}},
		{"the first of two of a name and no id is gone", steps(step("", "Search"), activities.Milestone{Name: "Search", Order: 2}), steps(activities.Milestone{Name: "Search", Order: 2}),
			[]string{"milestone_removed: The milestone “Search” has been removed."}},
		{"the id twice", steps(step("1", "Search")), steps(step("1", "Search"), step("1", "Search")), nil},
		{"a look without milestones", steps(exchange), Snapshot{NoMilestones: true}, nil},
		{"no name", steps(), steps(step("1", "")), []string{"milestone_added: A milestone without a name has been added."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, change := range Diff(c.before, c.after) {
				sentence := change.Sentence(london)
				if change.Quiet() {
					sentence = "quiet"
				}
				got = append(got, string(change.Kind)+": "+sentence)
			}
			require.Equal(t, c.want, got)
			require.Equal(t, c.after.Over(c.before), Apply(c.before, Diff(c.before, c.after)))
		})
	}
}

func TestOverKeepsWhatALookDoesNotShow(t *testing.T) {
	t.Parallel()
	before := Snapshot{Status: "For sale", Team: []Member{member(activities.EstateAgent, "A@b.example", true)}, Milestones: []activities.Milestone{step("5", "Exchange")}}
	require.Equal(t, before.Normal(), Snapshot{NoTeam: true, NoMilestones: true}.Over(before))
	require.Equal(t, Snapshot{Status: "For sale"}, Snapshot{}.Over(before), "an empty team that is shown is empty")
	require.Equal(t, "5", Snapshot{Milestones: []activities.Milestone{step("", "EXCHANGE")}}.Over(before).Milestones[0].ID)
	require.Equal(t, "agent@example.com", team(member(activities.EstateAgent, " Agent@Example.com", true)).Normal().Team[0].Email)
}

func TestApplyToleratesChangesThatDoNotFit(t *testing.T) {
	t.Parallel()
	m, s := member(activities.EstateAgent, "a@b.example", true), step("5", "Exchange")
	s.Completed = true
	before := Snapshot{Status: "For sale"}
	for _, kind := range kinds() {
		if kind == StatusChanged || kind == Joined || kind == MilestoneAdded {
			continue
		}
		require.Equal(t, before, Apply(before, []Change{{Kind: kind}, {Kind: kind, Member: &m, Ref: "id:5", Milestone: &s}}), kind)
	}
	require.Equal(t, before, Apply(before, []Change{{Kind: Joined}, {Kind: MilestoneAdded}, {Kind: "something else"}}))
}

func kinds() []Kind {
	return []Kind{
		StatusChanged, Joined, Left, RoleChanged, Accepted, InvitedAgain, MilestoneAdded, MilestoneRemoved, MilestoneCompleted, MilestoneReopened,
		DueMoved, MilestoneRenamed, MilestoneAmended,
	}
}

func instants() *rapid.Generator[time.Time] {
	zone := time.FixedZone("elsewhere", 5*3600)
	return rapid.SampledFrom([]time.Time{
		{}, at("2026-12-01T00:00:00Z"), at("2026-12-01T23:59:59Z"), at("2026-12-01T12:00:00Z"), at("2026-12-01T12:00:00Z").In(zone), at("2026-12-02T00:00:00Z"), time.Unix(1796126400, 5),
	})
}

// snapshots are small, so that names, ids and people meet again, and untidy.
func snapshots() *rapid.Generator[Snapshot] {
	members := rapid.Custom(func(t *rapid.T) Member {
		return Member{
			Role:   rapid.SampledFrom(append(activities.Roles(), "", "Seller", " seller ")).Draw(t, "role"),
			Email:  rapid.OneOf(rapid.SampledFrom([]string{"", "a@b.example", "A@B.example", " c@d.example ", "e@f.example"}), rapid.String()).Draw(t, "email"),
			Active: rapid.Bool().Draw(t, "active"),
		}
	})
	milestones := rapid.Custom(func(t *rapid.T) activities.Milestone {
		return activities.Milestone{
			ID:    rapid.SampledFrom([]string{"", "", "1", "2", "3", "4"}).Draw(t, "id"),
			Name:  rapid.OneOf(rapid.SampledFrom([]string{"", "Exchange", "exchange", " Completion", "Search", "Search#0", "search#1"}), rapid.String()).Draw(t, "name"),
			Order: rapid.IntRange(0, 3).Draw(t, "order"), Completed: rapid.Bool().Draw(t, "completed"),
			CompletedAt: instants().Draw(t, "completed at"), DueAt: instants().Draw(t, "due at"),
		}
	})
	return rapid.Custom(func(t *rapid.T) Snapshot {
		return Snapshot{
			Status: rapid.SampledFrom([]string{"", "For sale", "for sale ", "Sold"}).Draw(t, "status"),
			Team:   rapid.SliceOfN(members, 0, 6).Draw(t, "team"), NoTeam: rapid.IntRange(0, 9).Draw(t, "no team") == 0,
			Milestones: rapid.SliceOfN(milestones, 0, 7).Draw(t, "milestones"), NoMilestones: rapid.IntRange(0, 9).Draw(t, "no milestones") == 0,
		}
	})
}

func TestDiffThenApplyGivesTheNewState(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before, after := snapshots().Draw(t, "before"), snapshots().Draw(t, "after")
		if rapid.Bool().Draw(t, "a later look at the same") {
			after.Milestones = append(slices.Clone(before.Milestones), after.Milestones...)
			after.Team = append(slices.Clone(before.Team), after.Team...)
		}
		changes := Diff(before, after)
		now := Apply(before, changes)
		require.Equal(t, after.Over(before), now)
		require.Empty(t, Diff(now, after), "nothing is left to find")
		require.Equal(t, now, now.Normal())
		require.Equal(t, now, Apply(now, nil))

		// A state that went through a workflow's history gives the same.
		encoded, err := json.Marshal(changes)
		require.NoError(t, err)
		var back []Change
		require.NoError(t, json.Unmarshal(encoded, &back))
		require.Len(t, back, len(changes))
		for i, c := range changes {
			require.Contains(t, kinds(), c.Kind)
			require.Equal(t, c.Kind, back[i].Kind)
			sentence := c.Sentence(london)
			require.True(t, strings.HasSuffix(sentence, "."), sentence)
			if c.Member != nil {
				require.NotContains(t, sentence, "@")
			}
		}
	})
}

// One of two alike has lost its id: it is still found again after the changes.
func TestALookAgainFindsNothing(t *testing.T) {
	t.Parallel()
	before := steps(step("1", "Search"))
	after := steps(step("", "Search"), activities.Milestone{Name: "Search", Order: 2})
	now := Apply(before, Diff(before, after))
	require.Empty(t, Diff(now, after))
}

func TestNothingHasChangedInTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := snapshots().Draw(t, "a")
		b := a
		b.Team = rapid.Permutation(a.Team).Draw(t, "team")
		b.Milestones = rapid.Permutation(a.Milestones).Draw(t, "milestones")
		require.Empty(t, Diff(a, a))
		require.Empty(t, Diff(a, b))
		require.Empty(t, Diff(b, a))
		require.Empty(t, Diff(a, a.Normal().Over(a)))
	})
}

func TestTheOrderOfListsDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before, after := snapshots().Draw(t, "before"), snapshots().Draw(t, "after")
		want := Diff(before, after)
		givenBefore, givenAfter := slices.Clone(before.Milestones), slices.Clone(after.Milestones)
		for _, s := range []*Snapshot{&before, &after} {
			s.Team = rapid.Permutation(s.Team).Draw(t, "team")
			s.Milestones = rapid.Permutation(s.Milestones).Draw(t, "milestones")
		}
		shuffledBefore, shuffledAfter := slices.Clone(before.Milestones), slices.Clone(after.Milestones)
		require.Equal(t, want, Diff(before, after))
		require.Equal(t, shuffledBefore, before.Milestones, "the arguments are left alone")
		require.Equal(t, shuffledAfter, after.Milestones)
		require.ElementsMatch(t, givenBefore, shuffledBefore)
		require.ElementsMatch(t, givenAfter, shuffledAfter)
	})
}
