package retention

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/leasescore"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

// hearSurvey takes a tenant's rating. Once all have answered, the survey closes.
func (s *State) hearSurvey(w campaign.Wait, a durable.Answer, now time.Time) durable.Outcome {
	who, ok := s.tenant(a.Person)
	if !ok {
		return campaign.Late("Thank you. This survey was for the tenants of the home.")
	}
	if w.HasAnswered(a.Person) {
		return campaign.Late("Thank you. We have your answer already.")
	}
	rating, err := strconv.Atoi(strings.TrimSpace(a.Fields[FieldRating]))
	if err != nil || rating < 1 || rating > 5 {
		why := "Please open the link and choose from 1 to 5."
		if s.Anew(AskSurvey, who) {
			why += " A new link is on its way."
		}
		return campaign.Taken(why)
	}
	s.Ratings = append(s.Ratings, Rating{By: a.Person, Rating: rating, Note: campaign.Clip(cmp.Or(a.Fields[FieldNote], a.Note), maxNote), At: now})
	s.Said(AskSurvey, a.Person)
	s.Note(now, "%s rates %d of 5", a.Person, rating)
	s.surveyed(now)
	return campaign.Taken("Thank you for telling us. It helps us to do better.")
}

// surveyed closes the survey where all tenants have answered.
func (s *State) surveyed(now time.Time) {
	w := s.Waiting(AskSurvey)
	if w == nil {
		return
	}
	for _, t := range s.Lease.Tenants {
		if !w.HasAnswered(t.ID) {
			return
		}
	}
	s.Settle(AskSurvey)
	s.Move(Offering, now)
}

// RecordRead takes how incentives have done so far, and chooses.
func (s *State) RecordRead(records []Record, now time.Time) {
	if s.Outcome != "" || s.Stage != Offering || s.RecordKnown {
		return
	}
	s.RecordKnown = true
	switch {
	case pastDue(s.Before):
		s.noIncentive("rent is past due", now)
		return
	case s.Lowest() == 5:
		s.noIncentive("the tenants are content", now)
		return
	}
	best, found := choose(s.Rules.Retention, records)
	if !found {
		s.noIncentive("policy allows none", now)
		return
	}
	s.Incentive = &best
	s.Why = "the best by record within " + s.money(s.Rules.Retention.MaxCost)
	s.Note(now, "incentive %s: %s", best.ID, s.Why)
	if best.Cost <= s.Rules.Retention.ApproveOver {
		s.offer(now)
		return
	}
	until := now.Add(campaign.Within(s.Rules.Retention.AnswerWithin, patience))
	s.Question(campaign.Question{
		Tell: campaign.Tell{To: campaign.Manager, Text: policy.TextManagerIncentive, Data: s.about(policy.LeaseData{
			Reason: s.Why, DueBy: activities.DayIn(until, s.Lease.Zone),
		})},
		Purpose: AskManager, Choices: []string{Approve, Decline}, Details: s.details(), RemindAt: half(now, until), GiveUpAt: until,
	}, now)
}

// about adds the incentive to what a text may say.
func (s *State) about(d policy.LeaseData) policy.LeaseData {
	if s.Incentive != nil {
		d.Item, d.Amount = s.Incentive.Name, s.Incentive.Cost
	}
	return d
}

// pastDue tells whether an assessment has found rent that is past due: its grade is less
// than that of a tenant who owes nothing.
func pastDue(a leasescore.Assessment) bool {
	grade := func(a leasescore.Assessment) (int, bool) {
		for _, f := range a.Factors {
			if f.Name == leasescore.PastDue {
				return f.Grade, f.Known
			}
		}
		return 0, false
	}
	found, known := grade(a)
	if !known {
		return false
	}
	nothing, _ := grade(leasescore.Assess(leasescore.Inputs{PastDue: leasescore.PastDueKnown{Known: true}}, policy.Scoring{}))
	return found < nothing
}

// choose takes the incentive with the best record for its cost, of those within the
// limit. A record is smoothed, so that few cases prove little: one kept of two offered
// is added to each. Ties go to the cheaper one, then to the earlier in policy.
func choose(rules policy.Retention, records []Record) (best policy.Incentive, found bool) {
	const most = 1_000_000 // bounds what is multiplied
	kept, offered := map[string]int64{}, map[string]int64{}
	for _, r := range records {
		n := min(max(r.Offered, 0), most)
		offered[r.Incentive] = int64(n)
		kept[r.Incentive] = int64(min(max(r.Kept, 0), n))
	}
	cost := func(i policy.Incentive) int64 { return min(max(int64(i.Cost), 1), most) }
	for _, i := range rules.Incentives {
		if i.Cost < 0 || i.Cost > rules.MaxCost {
			continue
		}
		if !found {
			best, found = i, true
			continue
		}
		// (kept+1)/(offered+2)/cost, compared crosswise.
		mine := (kept[i.ID] + 1) * (offered[best.ID] + 2) * cost(best)
		other := (kept[best.ID] + 1) * (offered[i.ID] + 2) * cost(i)
		if mine > other || mine == other && i.Cost < best.Cost {
			best = i
		}
	}
	return best, found
}

// noIncentive goes on without one.
func (s *State) noIncentive(why string, now time.Time) {
	s.Incentive, s.Why = nil, "none: "+why
	s.Note(now, "no incentive: %s", why)
	s.outreach(now)
}

// hearManager takes whether an incentive may be offered.
func (s *State) hearManager(a durable.Answer, now time.Time) durable.Outcome {
	s.Settle(AskManager)
	if a.Choice == Approve {
		s.Note(now, "%s approved the incentive", a.Person)
		s.offer(now)
		return campaign.Taken("Thank you. The tenants are offered it.")
	}
	s.Note(now, "%s declined the incentive", a.Person)
	s.noIncentive("it was not approved", now)
	return campaign.Taken("Understood. No incentive is offered.")
}

// offer offers the incentive to the tenants.
func (s *State) offer(now time.Time) {
	until := now.Add(campaign.Within(s.Rules.Retention.AnswerWithin, patience))
	s.Offered = true
	s.Question(campaign.Question{
		Tell: campaign.Tell{To: campaign.Tenants, Text: policy.TextRetentionIncentive, Marketing: true, Data: s.about(policy.LeaseData{
			DueBy: activities.DayIn(until, s.Lease.Zone),
		})},
		Purpose: AskIncentive, Choices: []string{Accept, Decline}, RemindAt: half(now, until), GiveUpAt: until,
	}, now)
}

// hearIncentive takes what the first of the tenants says.
func (s *State) hearIncentive(a durable.Answer, now time.Time) durable.Outcome {
	if _, ok := s.tenant(a.Person); !ok {
		return campaign.Late("Thank you. This was offered to the tenants of the home.")
	}
	s.Settle(AskIncentive)
	if a.Choice != Accept {
		s.Note(now, "%s declined the incentive", a.Person)
		s.outreach(now)
		return campaign.Taken("Thank you for telling us.")
	}
	s.Accepted = true
	s.Note(now, "%s accepted the incentive", a.Person)
	s.Say(campaign.Tell{To: campaign.Manager, Text: policy.TextManagerNotice, Data: s.about(policy.LeaseData{
		Reason: "The tenants have accepted: " + s.Incentive.Name + ". Please provide it.",
	})})
	s.outreach(now)
	return campaign.Taken("Thank you. The property manager arranges it.")
}

// outreach asks whoever does it to speak with the tenants.
func (s *State) outreach(now time.Time) {
	s.Move(Outreach, now)
	who := s.Rules.Outreach
	if who.ID == "" {
		s.standIn("Nobody is named in policy to speak with the tenants.", now)
		return
	}
	s.askOutreach(AskOutreach, campaign.Tell{To: campaign.One, Person: activities.PersonOf(who)}, "", now)
}

func (s *State) askOutreach(purpose string, t campaign.Tell, reason string, now time.Time) {
	until := now.Add(campaign.Within(s.Rules.Retention.OutreachWithin, patience))
	t.Text = policy.TextOutreach
	t.Data = s.about(policy.LeaseData{Reason: cmp.Or(reason, s.atRisk()), DueBy: activities.DayIn(until, s.Lease.Zone), Lines: s.Notes()})
	s.Question(campaign.Question{
		Tell: t, Purpose: purpose, Choices: []string{Done, Cannot},
		Fields:  []activities.Field{{Name: FieldNote, Label: "Note", Kind: activities.FieldText}},
		Details: s.details(), RemindAt: half(now, until), GiveUpAt: until,
	}, now)
}

// standIn tells the manager that nobody has spoken with the tenants, and asks to do it,
// once. A manager who was asked first is told alone.
func (s *State) standIn(why string, now time.Time) {
	if s.Rules.Outreach.ID == s.Rules.Manager.ID || s.Rules.Manager.ID == "" {
		s.tellManager(why + " Please do it soon: the result is measured later.")
		s.measure(now)
		return
	}
	s.tellManager(why + " You are asked to do it yourself.")
	s.askOutreach(AskStandIn, campaign.Tell{To: campaign.Manager}, why, now)
}

// hearOutreach takes what came of it.
func (s *State) hearOutreach(purpose string, a durable.Answer, now time.Time) durable.Outcome {
	s.Settle(purpose)
	s.Spoken, s.SpokenNote = a.Choice, campaign.Clip(cmp.Or(a.Fields[FieldNote], a.Note), maxNote)
	if a.Choice == Done {
		s.Note(now, "%s has spoken with the tenants", a.Person)
		s.measure(now)
		return campaign.Taken("Thank you for speaking with them.")
	}
	s.Note(now, "%s could not speak with the tenants", a.Person)
	if purpose == AskOutreach {
		s.standIn("Whoever was to speak with the tenants could not.", now)
	} else {
		s.measure(now)
	}
	return campaign.Taken("Thank you for telling us.")
}

// measure waits until the result can be measured.
func (s *State) measure(now time.Time) {
	s.Move(Measuring, now)
	s.MeasureAt = now.Add(max(s.Rules.Retention.MeasureAfter, day))
}

// Measured takes the assessment afterwards; problem says why there is none.
func (s *State) Measured(after leasescore.Assessment, problem string, now time.Time) {
	if s.Outcome != "" || s.Stage != Measuring {
		return
	}
	if problem != "" {
		s.Note(now, "the tenancy could not be assessed again")
		s.tellManager("The tenancy could not be assessed again: whether it is at risk still is not known.")
		s.End(OutcomeUnmeasured, now)
		return
	}
	s.After = &after
	outcome := OutcomeUnchanged
	switch lower := s.Before.Risk - after.Risk; {
	case lower >= difference:
		outcome = OutcomeImproved
	case lower <= -difference:
		outcome = OutcomeWorse
	}
	s.Note(now, "risk %d%% before, %d%% after", s.Before.Risk, after.Risk)
	s.tellManager(fmt.Sprintf("The retention has ended. The risk was %d%% and is %d%% now; a renewal was %d%% likely and is %d%% now.",
		s.Before.Risk, after.Risk, s.Before.RenewalProbability, after.RenewalProbability))
	s.End(outcome, now)
}

// Recorded takes that the result is kept.
func (s *State) Recorded(time.Time) { s.ResultKept = s.ResultKept || s.Outcome != "" }

// atRisk says why, in a sentence.
func (s *State) atRisk() string {
	var why []string
	for _, f := range s.worst() {
		if f.RiskPoints > 0 && len(why) < 3 {
			why = append(why, policy.Words(f.Name))
		}
	}
	if len(why) == 0 {
		return fmt.Sprintf("The tenancy is at a risk of %d%%.", s.Before.Risk)
	}
	return fmt.Sprintf("The tenancy is at a risk of %d%%, most of all for: %s.", s.Before.Risk, strings.Join(why, ", "))
}

// worst are the factors that are known, those that add most to the risk first.
func (s *State) worst() []leasescore.Contribution {
	var known []leasescore.Contribution
	for _, f := range s.Before.Factors {
		if f.Known {
			known = append(known, f)
		}
	}
	slices.SortStableFunc(known, func(a, b leasescore.Contribution) int { return cmp.Compare(b.RiskPoints, a.RiskPoints) })
	return known[:min(len(known), maxShown)]
}

// details say why the tenants are at risk and what they have said.
func (s *State) details() []activities.Detail {
	list := []activities.Detail{
		detail("Risk", "%d%% (confidence %d%%)", s.Before.Risk, s.Before.Confidence),
		detail("Likely to renew", "%d%%", s.Before.RenewalProbability),
	}
	for _, f := range s.worst() {
		list = append(list, detail(policy.Words(f.Name), "%s (%+d points of risk)", f.Value, f.RiskPoints))
	}
	if len(s.Ratings) == 0 {
		list = append(list, detail("Survey", "no answer"))
	}
	for _, r := range s.Ratings {
		list = append(list, detail("Survey", "%d of 5", r.Rating))
		if r.Note != "" {
			list = append(list, activities.Detail{Label: "The tenant writes", Text: r.Note})
		}
	}
	if s.Incentive != nil {
		said := "not offered yet"
		switch {
		case s.Accepted:
			said = "accepted"
		case s.Offered:
			said = "not accepted"
		}
		list = append(list, detail("Incentive", "%s (%s): %s", s.Incentive.Name, s.money(s.Incentive.Cost), said))
	}
	return list
}
