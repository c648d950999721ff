package renewal

import (
	"fmt"
	"slices"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/comparables"
	"github.com/aictive/keyholder/activities/leasescore"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

// lookAgain is the pause between looks at open work orders.
const lookAgain = 3 * day

// Counted takes how many work orders are open, negative where that could not be read.
func (s *State) Counted(open int, now time.Time) {
	if s.Outcome != "" || s.Stage != Repairs {
		return
	}
	s.Looks++
	s.OpenOrders = max(open, 0)
	until := s.BeganAt.Add(max(s.Rules.Renewal.WorkOrdersWait, 0))
	switch {
	case open < 0:
		s.Note(now, "open work orders could not be read: they do not hold the offer back")
	case open > 0 && now.Before(until):
		if s.Looks == 1 {
			s.tellManager(fmt.Sprintf("%s open. They are best closed before a renewal is offered, which waits until %s at most.",
				workOrders(open), activities.DayIn(until, s.Lease.Zone)))
		}
		s.LookAt = now.Add(lookAgain)
		if s.LookAt.After(until) {
			s.LookAt = until
		}
		s.Note(now, "%s open: the offer waits", workOrders(open))
		return
	case open > 0:
		s.Note(now, "%s open still: the offer waits no longer", workOrders(open))
	}
	s.Move(Pricing, now)
}

func workOrders(n int) string {
	if n == 1 {
		return "1 work order is"
	}
	return fmt.Sprintf("%d work orders are", n)
}

// Assessed takes the assessment of the tenancy; problem says why there is none.
func (s *State) Assessed(a leasescore.Assessment, problem string, now time.Time) {
	if s.Outcome != "" || s.Stage != Pricing || s.Got.Assessment {
		return
	}
	s.Got.Assessment = true
	if problem != "" {
		s.Note(now, "the tenancy could not be assessed")
	} else {
		s.Assessment = &a
		s.Note(now, "likely to renew %d%%, risk %d%%, confidence %d%%", a.RenewalProbability, a.Risk, a.Confidence)
	}
	s.priced(now)
}

// Suggested takes the suggestion of a rent; problem says why there is none.
func (s *State) Suggested(g comparables.Suggestion, problem string, now time.Time) {
	if s.Outcome != "" || s.Stage != Pricing || s.Got.Price {
		return
	}
	s.Got.Price = true
	s.PriceWhy = campaign.Clip(g.Reason, maxText)
	if problem != "" || g.Rent <= 0 {
		s.PriceWhy = fmt.Sprintf("nothing could be compared: the usual increase of %s", s.Rules.Renewal.Pricing.Usual)
		s.Note(now, "%s", s.PriceWhy)
		g.Rent = 0
	} else {
		s.Suggestion = &g
	}
	if s.Lease.Rent > 0 {
		s.Price = s.proposed(g.Rent)
		s.Note(now, "suggested rent: %s", s.change(s.Price))
	}
	s.priced(now)
}

// OwnersRead takes who is asked for approval; nobody leaves it to the manager.
func (s *State) OwnersRead(owners []activities.Person, now time.Time) {
	if s.Outcome != "" || s.Stage != Pricing || s.Got.Owners {
		return
	}
	s.Got.Owners, s.Owners = true, owners
	s.priced(now)
}

// priced goes on once all is known.
func (s *State) priced(now time.Time) {
	if s.Got != (Got{true, true, true}) {
		return
	}
	r := s.Rules.Renewal
	a := s.Assessment
	switch {
	case s.Lease.Rent <= 0:
		s.left("The present rent is not known at RentVine.", now)
	case a != nil && !s.WorthIt && (a.RenewalProbability < r.OfferFrom || a.Risk > r.MaxRisk):
		s.Move(Worth, now)
		reason := fmt.Sprintf("The tenants are %d%% likely to renew, at a risk of %d%%.", a.RenewalProbability, a.Risk)
		s.askManager(AskWorth, policy.TextManagerWorth, []string{Offer, Leave}, nil, s.priceDetails(), reason, now)
	default:
		s.checkLaw(now)
	}
}

// askManager asks the manager, four times at most.
func (s *State) askManager(
	purpose, text string, choices []string, fields []activities.Field, details []activities.Detail, reason string, now time.Time,
) {
	const again = 3
	each := campaign.Within(s.Rules.Renewal.DecideWithin, patience)
	until := now.Add((again + 1) * each)
	s.Question(campaign.Question{
		Tell: campaign.Tell{To: campaign.Manager, Text: text, Data: s.data(policy.LeaseData{
			Reason: reason, DueBy: activities.DayIn(until, s.Lease.Zone),
		})},
		Purpose: purpose, Choices: choices, Fields: fields, Details: details, RemindAt: chases(now, each, again), GiveUpAt: until,
	}, now)
}

// checkLaw has the notice rule for the rent signed off where it needs to be, and goes on.
func (s *State) checkLaw(now time.Time) {
	_, refused, open := s.ruling(s.Price)
	if open {
		s.Move(Law, now)
		reason := "No notice rule is known for this increase."
		if rule, known, _ := s.rule(s.Price); known {
			reason = fmt.Sprintf("Sources disagree about the notice for this increase; here it is taken to be %d days.", rule.Days)
		}
		s.askManager(AskLaw, policy.TextManagerLaw, []string{Confirm, Decline}, nil, s.priceDetails(), reason, now)
		return
	}
	if refused {
		s.Price, s.PriceWhy = s.Lease.Rent, "the rent stays: the increase was declined for its notice rule"
	}
	if s.Approval != nil && s.Approval.Rent == s.Price {
		s.offer(now)
		return
	}
	s.approve(now)
}

// approve asks the owners, or the manager where none is known.
func (s *State) approve(now time.Time) {
	s.Approval = nil
	s.Move(Approving, now)
	if len(s.Owners) == 0 {
		s.askManagerToApprove("No owner is known.", now)
		return
	}
	r := s.Rules.Renewal
	until := now.Add(campaign.Within(r.EscalateOwner, patience))
	var again []time.Time
	for _, after := range r.RemindOwner {
		if t := now.Add(after); t.After(now) && t.Before(until) {
			again = append(again, t)
		}
	}
	slices.SortFunc(again, time.Time.Compare)
	s.OwnersAsked = true
	s.Question(campaign.Question{
		Tell: campaign.Tell{To: campaign.Owners, Text: policy.TextOwnerApprove, Data: s.data(policy.LeaseData{
			Reason: s.PriceWhy, DueBy: activities.DayIn(until, s.Lease.Zone), Lines: s.compared(),
		})},
		Purpose: AskOwner, Choices: []string{Approve, Change, Decline}, Fields: s.amountField(Change),
		Details: s.priceDetails(), RemindAt: again, GiveUpAt: until,
	}, now)
}

func (s *State) askManagerToApprove(reason string, now time.Time) {
	s.askManager(AskApprove, policy.TextManagerApprove, []string{Approve, Change, Decline}, s.amountField(Change), s.priceDetails(), reason, now)
}

func (s *State) amountField(choice string) []activities.Field {
	return []activities.Field{{Name: FieldAmount, Label: "Rent a month", Kind: activities.FieldMoney, For: []string{choice}, Currency: s.Rules.Currency}}
}

// compared are the comparables, a line each.
func (s *State) compared() (lines []string) {
	if s.Suggestion == nil {
		return nil
	}
	for _, c := range s.Suggestion.Comparables[:min(len(s.Suggestion.Comparables), maxShown)] {
		lines = append(lines, campaign.Clip(fmt.Sprintf("%s (adjusted %s): %s", s.money(c.Rent), s.money(c.AdjustedRent), c.Reason), maxText))
	}
	return lines
}

// hearWorth takes whether a renewal is offered at all.
func (s *State) hearWorth(a durable.Answer, now time.Time) durable.Outcome {
	s.Settle(AskWorth)
	if a.Choice == Offer {
		s.WorthIt = true
		s.Note(now, "%s decided to offer a renewal", a.Person)
		s.checkLaw(now)
		return campaign.Taken("Thank you. The renewal goes ahead.")
	}
	s.Note(now, "%s decided to offer no renewal", a.Person)
	s.tellOwners("No renewal is offered to the tenants.")
	s.End(OutcomeLetGo, now)
	return campaign.Taken("Understood. No renewal is offered.")
}

// hearLaw takes whether an increase may be offered under a notice rule.
func (s *State) hearLaw(a durable.Answer, now time.Time) durable.Outcome {
	s.Settle(AskLaw)
	name, _, open := s.ruling(s.Price)
	if open {
		const most = 20
		s.Rulings = append(s.Rulings, Ruling{Rule: name, OK: a.Choice == Confirm, By: a.Person, At: now})
		s.Rulings = s.Rulings[max(0, len(s.Rulings)-most):]
	}
	if a.Choice == Confirm {
		s.Note(now, "%s has confirmed the notice rule", a.Person)
		s.checkLaw(now)
		return campaign.Taken("Thank you. The increase goes ahead.")
	}
	s.Note(now, "%s has declined the increase for its notice rule: the rent stays", a.Person)
	s.Price, s.PriceWhy = s.Lease.Rent, "the rent stays: the increase was declined for its notice rule"
	s.checkLaw(now)
	return campaign.Taken("Understood. The renewal goes ahead without an increase.")
}

// hearApproval takes the owner's decision about the rent, or the manager's instead.
func (s *State) hearApproval(w campaign.Wait, a durable.Answer, now time.Time) durable.Outcome {
	who := activities.PersonOf(s.Rules.Manager)
	if w.Purpose == AskOwner {
		owner, ok := among(s.Owners, a.Person)
		if !ok {
			return campaign.Late("Thank you. Somebody else decides about that now.")
		}
		who = owner
	}
	rent := s.Price
	switch a.Choice {
	case Decline:
		s.Settle(w.Purpose)
		s.Note(now, "%s declined the renewal", a.Person)
		s.tellManager("The renewal was declined before it was offered. The tenants were not asked.")
		s.End(OutcomeOwnerDeclined, now)
		return campaign.Taken("Understood. No renewal is offered; the property manager is told.")
	case Change:
		changed, why := s.refuses(a.Fields[FieldAmount])
		if why != "" {
			return s.again(w.Purpose, who, why, now)
		}
		rent = changed
	}
	s.Settle(w.Purpose)
	if rent != s.Price {
		s.Price, s.PriceWhy = rent, "set by who approved it"
	}
	s.Approval = &Approval{By: a.Person, Rent: rent, At: now}
	s.Note(now, "%s approved the rent: %s", a.Person, s.change(rent))
	s.checkLaw(now)
	if s.Stage == Law {
		return campaign.Taken("Thank you. The property manager looks at the notice rule for " + s.money(rent) + " first.")
	}
	return campaign.Taken("Thank you. The tenants are offered " + s.money(rent) + " a month.")
}

// again asks somebody once more whose answer could not be taken.
func (s *State) again(purpose string, who activities.Person, why string, now time.Time) durable.Outcome {
	if s.Anew(purpose, who) {
		s.Note(now, "%s is asked again: the answer could not be taken", who.ID)
		why += " A new link is on its way."
	}
	return campaign.Taken(why)
}
