package renewal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

// among finds a person by id.
func among(people []activities.Person, id string) (activities.Person, bool) {
	i := slices.IndexFunc(people, func(p activities.Person) bool { return p.ID == id })
	if i < 0 {
		return activities.Person{}, false
	}
	return people[i], true
}

// each is a list of people in which nobody is twice.
func each(people []activities.Person) (once []activities.Person) {
	for _, p := range people {
		if _, twice := among(once, p.ID); !twice {
			once = append(once, p)
		}
	}
	return once
}

// Heard takes the answer to a question that is open.
func (s *State) Heard(w campaign.Wait, a durable.Answer, now time.Time) durable.Outcome {
	open := s.Waiting(w.Purpose)
	if s.Outcome != "" || open == nil || open.Step != w.Step {
		return campaign.Late("Thank you. This has been settled meanwhile; there is nothing more to do.")
	}
	if !slices.Contains(open.Tell.Ask.Choices, a.Choice) {
		return campaign.Late("Sorry, that answer is not one of the choices. Please open the link.")
	}
	switch w.Purpose {
	case AskWorth:
		return s.hearWorth(a, now)
	case AskLaw:
		return s.hearLaw(a, now)
	case AskOwner, AskApprove:
		return s.hearApproval(*open, a, now)
	case AskOffer:
		return s.hearOffer(a, now)
	case AskCounter:
		return s.hearCounter(a, now)
	case AskSign:
		return s.hearSign(*open, a, now)
	case AskConflict:
		return s.hearConflict(a, now)
	}
	return campaign.Late("Thank you. We do not know that question.")
}

// offer asks the tenants on the terms that were approved.
func (s *State) offer(now time.Time) {
	if len(s.Lease.Tenants) == 0 {
		s.left("RentVine names no tenant to whom a renewal could be offered.", now)
		return
	}
	s.OfferedOn = activities.DayIn(now, s.Lease.Zone)
	terms, delayed, ok := s.termsFor(s.Price, s.OfferedOn)
	if !ok {
		s.left("The end of the lease is not a day.", now)
		return
	}
	s.Terms, s.Offered = &terms, each(s.Lease.Tenants)
	if delayed {
		s.Note(now, "the rent rises on %s only, after the new lease begins on %s", terms.From, terms.Start)
		s.tellManager(fmt.Sprintf("The offer leaves so late that the rent can rise on %s only, after the new lease begins on %s.", terms.From, terms.Start))
	}
	s.askTenants(now)
}

// askTenants asks them on the present terms, and chases them on the days of policy.
func (s *State) askTenants(now time.Time) {
	s.Move(Offered, now)
	r := s.Rules.Renewal
	until, ok := campaign.Day(s.Lease.End, -r.SilentAt, morning, s.Lease.Zone)
	if least := now.Add(campaign.Within(r.DecideWithin, patience)); !ok || until.Before(least) {
		until = least
	}
	var chase []time.Time
	for _, before := range r.Chase {
		if t, ok := campaign.Day(s.Lease.End, -before, morning, s.Lease.Zone); ok && t.After(now) && t.Before(until) {
			chase = append(chase, t)
		}
	}
	slices.SortFunc(chase, time.Time.Compare)
	choices, fields := []string{Accept, Decline}, []activities.Field(nil)
	if !s.Stood {
		choices = append(choices, Counter)
		fields = append(s.amountField(Counter), activities.Field{Name: FieldNote, Label: "Note", Kind: activities.FieldText})
	}
	s.Question(campaign.Question{
		Tell: campaign.Tell{To: campaign.Tenants, Text: policy.TextRenewalOffer, Data: s.data(policy.LeaseData{
			DueBy: activities.DayIn(until, s.Lease.Zone),
		})},
		Purpose: AskOffer, Choices: choices, Fields: fields, Details: s.termDetails(), RemindAt: chase, GiveUpAt: until,
	}, now)
}

// leftOn counts the notice from the day on which the offer left, which may be later than
// the day of the decision: what is signed names the later day.
func (s *State) leftOn(now time.Time) {
	left := now
	if w := s.Waiting(AskOffer); w != nil && !w.LeftAt.IsZero() {
		left = w.LeftAt
	}
	day := activities.DayIn(left, s.Lease.Zone)
	if s.Terms == nil || s.Terms.From == "" || day <= s.OfferedOn {
		return
	}
	terms, _, ok := s.termsFor(s.Terms.Rent, day)
	if !ok || terms.From <= s.Terms.From {
		return
	}
	s.OfferedOn, s.Terms.From = day, terms.From
	s.Note(now, "the offer left on %s: the rent rises on %s", day, terms.From)
	s.tellManager(fmt.Sprintf("The offer left on %s only, so the rent rises on %s.", day, terms.From))
}

// hearOffer takes what the first of the tenants says.
func (s *State) hearOffer(a durable.Answer, now time.Time) durable.Outcome {
	who, ok := among(s.Offered, a.Person)
	if !ok {
		return campaign.Late("Thank you. This offer was made to somebody else.")
	}
	switch a.Choice {
	case Accept:
		s.leftOn(now)
		s.Settle(AskOffer)
		s.Note(now, "%s accepted the offer", a.Person)
		s.sign(now)
		return campaign.Taken("Thank you. We send you the agreement to sign.")
	case Counter:
		return s.countered(who, a, now)
	}
	s.Settle(AskOffer)
	s.declined(a.Person, now)
	return campaign.Taken("Thank you for telling us. The property manager is told.")
}

// declined ends it for all tenants, since one of them does not renew.
func (s *State) declined(person string, now time.Time) {
	s.Note(now, "%s declined to renew", person)
	s.withdraw(now, person)
	s.tellManager("The tenants do not renew.")
	s.tellOwners("The tenants do not renew.")
	s.End(OutcomeDeclined, now)
}

// countered takes what a tenant wants instead to the manager.
func (s *State) countered(who activities.Person, a durable.Answer, now time.Time) durable.Outcome {
	rent, err := policy.ParseCents(strings.TrimSpace(a.Fields[FieldAmount]))
	switch {
	case err != nil || rent <= 0:
		return s.again(AskOffer, who, "Please open the link and write the rent that you would agree to.", now)
	case rent >= s.Terms.Rent:
		return s.again(AskOffer, who, "That is not less than the rent that we offer. Please accept the offer, or write less.", now)
	}
	note := a.Fields[FieldNote]
	if note == "" {
		note = a.Note
	}
	s.Settle(AskOffer)
	s.Counter = &CounterOffer{By: a.Person, Rent: rent, Note: campaign.Clip(note, maxNote), At: now}
	s.Note(now, "%s made a counter-offer", a.Person)
	s.Move(Countered, now)
	details := []activities.Detail{
		detail("Rent now", "%s a month", s.money(s.Lease.Rent)),
		detail("Offered", "%s a month", s.money(s.Terms.Rent)),
		detail("The tenant wants", "%s a month: %s", s.money(rent), s.change(rent)),
	}
	if s.Counter.Note != "" {
		details = append(details, activities.Detail{Label: "The tenant writes", Text: s.Counter.Note})
	}
	details = append(details, s.lawDetails(rent)...)
	s.askManager(AskCounter, policy.TextManagerCounter, []string{Agree, Stand, Decline}, nil, append(details, s.assessmentDetails()...),
		"A tenant made a counter-offer.", now)
	if w := s.Waiting(AskCounter); w != nil {
		s.amountOf(w.Step, rent)
	}
	return campaign.Taken("Thank you. The property manager looks at it and answers you.")
}

// amountOf puts an amount into a question that was just asked, and into its reminders.
func (s *State) amountOf(step string, amount policy.Cents) {
	for i := range s.Tells {
		if s.Tells[i].Step == step {
			s.Tells[i].Data.Amount = amount
		}
	}
	for i := range s.Waits {
		if s.Waits[i].Step == step {
			s.Waits[i].Tell.Data.Amount = amount
		}
	}
}

// hearCounter takes what the manager says to a counter-offer.
func (s *State) hearCounter(a durable.Answer, now time.Time) durable.Outcome {
	s.Settle(AskCounter)
	switch a.Choice {
	case Agree:
		// The manager has seen the notice rule with the question: agreeing signs it off.
		terms, _, ok := s.termsFor(s.Counter.Rent, s.OfferedOn)
		if !ok {
			s.withdraw(now)
			s.left("The end of the lease is not a day.", now)
			return campaign.Taken("The lease has no end at RentVine any more. Please look at it there.")
		}
		s.Terms, s.Price = &terms, terms.Rent
		s.Approval = &Approval{By: a.Person, Rent: terms.Rent, At: now}
		s.Note(now, "%s agreed to the counter-offer: %s", a.Person, s.change(terms.Rent))
		s.sign(now)
		return campaign.Taken("Thank you. The tenants are asked to sign at that rent.")
	case Stand:
		s.Stood = true
		s.Note(now, "%s stands by the offer", a.Person)
		s.askTenants(now)
		return campaign.Taken("Thank you. The tenants are asked once more whether they accept.")
	}
	s.Note(now, "%s declined the counter-offer", a.Person)
	s.withdraw(now)
	s.tellOwners("No agreement on the rent was reached. The lease is not renewed.")
	s.End(OutcomeNotAgreed, now)
	return campaign.Taken("Understood. The offer is withdrawn and the tenants are told.")
}

// sign asks all tenants to sign.
func (s *State) sign(now time.Time) {
	s.Move(Signing, now)
	const most = 20
	r := s.Rules.Renewal
	pause, times := campaign.Within(r.SignRemind, patience), min(max(r.SignTimes, 0), most)
	until := now.Add(time.Duration(times+1) * pause)
	s.Signatures = nil
	s.Question(campaign.Question{
		Tell: campaign.Tell{To: campaign.Tenants, Text: policy.TextRenewalSign, Data: s.data(policy.LeaseData{
			DueBy: activities.DayIn(until, s.Lease.Zone),
		})},
		Purpose: AskSign, Choices: []string{Sign, Decline},
		Fields:  []activities.Field{{Name: FieldName, Label: "Full name", Kind: activities.FieldText, For: []string{Sign}}},
		Details: s.termDetails(), RemindAt: chases(now, pause, times), GiveUpAt: until,
	}, now)
}

// hearSign takes a signature. Once all have signed, the lease is renewed.
func (s *State) hearSign(w campaign.Wait, a durable.Answer, now time.Time) durable.Outcome {
	who, ok := among(s.Offered, a.Person)
	if !ok {
		return campaign.Late("Thank you. This agreement is for somebody else.")
	}
	if w.HasAnswered(a.Person) {
		return campaign.Late("Thank you. You have signed already.")
	}
	if a.Choice == Decline {
		s.Settle(AskSign)
		s.declined(a.Person, now)
		return campaign.Taken("Understood. The lease is not renewed; the property manager is told.")
	}
	name := campaign.Clip(a.Fields[FieldName], maxName)
	if name == "" {
		return s.again(AskSign, who, "Please open the link and write your full name to sign.", now)
	}
	s.Signatures = append(s.Signatures, Signature{By: a.Person, Name: name, At: now, Via: a.Via})
	s.Said(AskSign, a.Person)
	s.Note(now, "%s signed", a.Person)
	if len(s.Signatures) < len(s.Offered) {
		return campaign.Taken("Thank you. The others are asked to sign, too.")
	}
	s.Settle(AskSign)
	s.Move(Writing, now)
	return campaign.Taken("Thank you. Everybody has signed.")
}

// Written takes that the renewed lease was written to RentVine; where ok is false,
// differences say what RentVine shows instead, without personal data.
func (s *State) Written(ok bool, differences []string, now time.Time) {
	if s.Outcome != "" || s.Stage != Writing || s.Waiting(AskConflict) != nil {
		return
	}
	if !ok {
		var lines []string
		for _, d := range differences[:min(len(differences), maxShown)] {
			lines = append(lines, campaign.Clip(d, maxText))
		}
		s.Note(now, "RentVine shows something else than was signed")
		s.tellManager("All tenants have signed, and RentVine does not show it. Please correct the lease there.", lines...)
		s.End(OutcomeRenewedUnwritten, now)
		return
	}
	done := "The lease is renewed: signed by all tenants and written to RentVine."
	s.Say(campaign.Tell{To: campaign.Tenants, Text: policy.TextRenewalDone, Data: s.data(policy.LeaseData{})})
	s.tellOwners("The lease is renewed.")
	s.tellManager(done)
	s.End(OutcomeRenewed, now)
}
