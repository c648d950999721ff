package renewal

import (
	"slices"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

// Met takes what others had changed of the lease when the renewal was to be written: the
// manager decides, or the policy's rule has decided. What was written over theirs is noted
// alone. differences say why ours could not be put in the place of theirs.
func (s *State) Met(met []activities.Conflict, differences []string, now time.Time) {
	if s.Outcome != "" || s.Stage != Writing {
		return
	}
	for _, c := range met {
		s.Note(now, "%s", c.Text())
	}
	outcome := func(o activities.ConflictOutcome) bool {
		return slices.ContainsFunc(met, func(c activities.Conflict) bool { return c.Outcome == o })
	}
	s.Conflicts = met
	switch {
	case outcome(activities.ConflictTheirs):
		s.keepTheirs("What RentVine shows stays: nothing was written.", now, differences...)
	case outcome(activities.ConflictAsks):
		reason := "Somebody has changed the lease at RentVine."
		s.askManager(AskConflict, policy.TextManagerConflict, []string{Ours, Theirs}, nil, s.conflictDetails(), reason, now)
		s.shows(AskConflict)
	}
}

// shows puts what differs into a question that was just asked, and into its reminders.
func (s *State) shows(purpose string) {
	w := s.Waiting(purpose)
	if w == nil {
		return
	}
	w.Tell.Data.Lines = s.conflictLines()
	for i := range s.Tells {
		if s.Tells[i].Step == w.Step {
			s.Tells[i].Data.Lines = s.conflictLines()
		}
	}
}

// hearConflict takes which holds.
func (s *State) hearConflict(a durable.Answer, now time.Time) durable.Outcome {
	s.Settle(AskConflict)
	if a.Choice == Ours {
		s.Force = true
		s.Note(now, "%s has the signed renewal written", a.Person)
		return campaign.Taken("Thank you. What was signed is written to RentVine.")
	}
	s.Note(now, "%s keeps what RentVine shows", a.Person)
	s.keepTheirs("What RentVine shows stays, as you decided: nothing was written.", now)
	return campaign.Taken("Understood. Nothing is written to RentVine. Please tell the tenants.")
}

// keepTheirs ends a signed renewal that is not written.
func (s *State) keepTheirs(why string, now time.Time, more ...string) {
	s.Note(now, "RentVine shows something else than was signed")
	s.tellManager("All tenants have signed. "+why+" Please tell the tenants, who have no confirmation.", append(s.conflictLines(), more...)...)
	s.End(OutcomeRenewedUnwritten, now)
}

// conflictLines say what differs, a line each.
func (s *State) conflictLines() (lines []string) {
	for _, d := range s.conflictDetails() {
		lines = append(lines, d.Label+": "+d.Text)
	}
	return lines
}

func (s *State) conflictDetails() (list []activities.Detail) {
	for _, c := range s.Conflicts[:min(len(s.Conflicts), maxShown)] {
		theirs := c.Theirs
		if theirs == "" {
			theirs = "nothing"
		}
		list = append(list, detail(policy.Words(string(c.Field)), "%s at RentVine, %s signed", theirs, c.Ours))
	}
	return list
}
