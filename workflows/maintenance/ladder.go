package maintenance

import (
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
)

// nextPage decides whom to page next: each contact in order as many times as the
// policy says, then the next one, and again from the top for as many rounds.
// After the last round the escalation contacts are paged with them, one after
// the other, at the slower pace of RepeatEvery. Who said that they cannot is
// passed over in that round. It works from the pages already sent, so that a
// change of rotation in the middle does no harm.
//
// ok is false once the response has been given up to a person.
func nextPage(pages []Page, s activities.Settings, openedAt, now time.Time) (person policy.Person, round, try int, gap time.Duration, ok bool) {
	onCall := s.OnCallAt(now)
	round = 1
	if n := len(pages); n > 0 {
		round = pages[n-1].Round
	}
	for range 2 {
		contacts, tries, gap := onCall, s.OnCall.TriesPerContact, s.OnCall.Gap
		if round > s.OnCall.Rounds {
			contacts, tries, gap = append(append([]policy.Person{}, s.Escalation...), onCall...), 1, s.OnCall.RepeatEvery
			if now.Sub(openedAt) >= s.OnCall.GiveUpAfter {
				return policy.Person{}, round, 0, 0, false
			}
		}
		for _, c := range contacts {
			if done, out := tried(pages, round, c.ID); !out && done < tries {
				return c, round, done + 1, gap, true
			}
		}
		round++
	}
	return policy.Person{}, round, 0, 0, false
}

// tried counts the pages of a person in a round, and tells whether they are out
// of it: they declined, or a page did not arrive.
func tried(pages []Page, round int, person string) (count int, out bool) {
	for _, p := range pages {
		if p.Round == round && p.Person == person {
			count++
			out = out || p.Declined || p.Failed
		}
	}
	return count, out
}

// limit is how long a promise allows, counted from when it became an emergency.
func limit(s activities.Settings, sla SLA) time.Duration {
	switch sla {
	case SLAAcknowledge:
		return s.SLA.Acknowledge
	case SLAAccept:
		return s.SLA.Accept
	case SLAOnSite:
		return s.SLA.OnSite
	}
	return 0
}

// allSLAs are the promises in the order in which they fall due.
func allSLAs() []SLA { return []SLA{SLAAcknowledge, SLAAccept, SLAOnSite} }

// keptAt is when a promise was kept, zero while it is not.
func (s *State) keptAt(sla SLA) time.Time {
	switch sla {
	case SLAAcknowledge:
		if s.Acknowledged != nil {
			return s.Acknowledged.At
		}
	case SLAAccept:
		if s.Job != nil {
			return s.Job.Accepted.At
		}
	case SLAOnSite:
		if s.Job != nil && s.Job.OnSite != nil {
			return s.Job.OnSite.At
		}
	}
	return time.Time{}
}

// breaches lists the promises that are newly broken at now.
func (s *State) breaches(now time.Time) []SLA {
	var broken []SLA
	for _, sla := range allSLAs() {
		if s.missed(sla) || !s.keptAt(sla).IsZero() {
			continue
		}
		if !now.Before(s.since().Add(limit(s.Settings, sla))) {
			broken = append(broken, sla)
		}
	}
	return broken
}

func (s *State) missed(sla SLA) bool {
	for _, m := range s.Missed {
		if m == sla {
			return true
		}
	}
	return false
}

// dueBy is when the next promise must be kept, zero where none is open.
func (s *State) dueBy() time.Time {
	for _, sla := range allSLAs() {
		if s.keptAt(sla).IsZero() && !s.missed(sla) {
			return s.since().Add(limit(s.Settings, sla))
		}
	}
	return time.Time{}
}

// slaState is one word for the search attribute: "on_track", "<promise>_missed"
// for the latest one broken, or "met".
func (s *State) slaState() string {
	if n := len(s.Missed); n > 0 {
		return string(s.Missed[n-1]) + "_missed"
	}
	if s.dueBy().IsZero() {
		return "met"
	}
	return "on_track"
}

// SLAStates are all values of the search attribute SLAState, for whoever counts them.
func SLAStates() []string {
	states := []string{"on_track", "met"}
	for _, sla := range allSLAs() {
		states = append(states, string(sla)+"_missed")
	}
	return append(states, visitMissed)
}

// nextDeadline is when the workflow must look again, and why.
func (s *State) nextDeadline() (at time.Time, why string) {
	consider := func(t time.Time, reason string) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at, why = t, reason
		}
	}
	for _, h := range s.Held {
		consider(h.Until, "messages held back")
	}
	consider(s.RefreshAt, "read RentVine again")
	if s.repairing() && s.Ended == nil && !s.resting() {
		consider(s.Repair.NextDeadline(s.Settings.Repairs.Visit))
	}
	if s.Ended != nil || !s.emergency() || s.Stage == StageRepaired {
		return at, why
	}
	if s.Stage == StagePaging && s.Paused == nil {
		consider(s.NextPageAt, "next page")
	}
	if s.Stage == StageDispatching && s.Paused == nil {
		consider(s.NextOfferAt, "next offer")
	}
	if s.Job != nil && (s.Stage == StageAccepted || s.Stage == StageOnSite) {
		consider(s.Job.AskAgainAt, "ask the technician again")
	}
	if due := s.dueBy(); !due.IsZero() {
		consider(due, "SLA")
	}
	return at, why
}

// promised is a promise in words, after "not".
func promised(sla SLA) string {
	switch sla {
	case SLAAcknowledge:
		return "acknowledged"
	case SLAAccept:
		return "accepted by a technician"
	case SLAOnSite:
		return "on site"
	}
	return string(sla)
}
