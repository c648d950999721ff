package renewal

import (
	"slices"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

const (
	// maxAttempts bounds how often a changing lease lets a renewal begin again.
	maxAttempts = 6
	// farAhead is how much later than now a renewal begins that is not due yet.
	farAhead = 7 * day
)

// Changed takes a lease that has changed at RentVine.
func (s *State) Changed(before activities.LeaseView, now time.Time) {
	if s.Outcome != "" {
		return
	}
	l := s.Lease
	if s.Stage == Writing {
		// Our own write shows here, too. What everybody has signed is written to the end.
		if (l.Over() || l.Leaving()) && !s.Warned {
			s.Warned = true
			s.Note(now, "the lease changed while the signed renewal is written")
			s.tellManager("All tenants have signed the renewal, and RentVine shows now that they leave or that the lease has ended. Please look at it.")
		}
		return
	}
	switch {
	case l.Over():
		s.Stop("the lease has ended", now)
		return
	case l.Leaving():
		s.Stop("the tenants are leaving", now)
		return
	case l.MonthToMonth:
		s.Stop("the lease goes on from month to month", now)
		return
	}
	start, ok := StartAt(l, s.Rules)
	if !ok {
		s.Stop("the lease has no end any more", now)
		return
	}
	moved := before.End != l.End
	rent, tenants := before.Rent != l.Rent, !sameIDs(before.Tenants, l.Tenants)
	offered := s.offeredNow()
	switch {
	case moved && start.After(now.Add(farAhead)):
		s.withdraw(now)
		s.Note(now, "the lease ends on %s now: too early to renew", l.End)
		if s.OwnersAsked {
			s.tellOwners("The lease ends later now. The renewal begins again in time.")
		}
		s.End(OutcomeNotDue, now)
	case offered && (moved || rent || tenants):
		s.Note(now, "the lease has changed after the offer: the offer is withdrawn")
		s.withdraw(now)
		s.restart(now)
	case rent && s.Stage != Repairs:
		s.Note(now, "the rent has changed: the price is found again")
		s.restart(now)
	case moved:
		s.Note(now, "the lease ends on %s now", l.End)
	}
}

// offeredNow tells whether the tenants know of an offer.
func (s *State) offeredNow() bool {
	return s.Stage == Offered || s.Stage == Countered || s.Stage == Signing
}

// restart begins again from the price.
func (s *State) restart(now time.Time) {
	for len(s.Waits) > 0 {
		s.Settle(s.Waits[0].Purpose)
	}
	if s.Attempt >= maxAttempts {
		s.left("The lease changed too often during its renewal.", now)
		return
	}
	s.Attempt++
	s.Got, s.Assessment, s.Suggestion, s.Price, s.PriceWhy = Got{}, nil, nil, 0, ""
	s.Approval, s.Terms, s.Offered, s.OfferedOn = nil, nil, nil, ""
	s.Stood, s.Counter, s.Signatures = false, nil, nil
	s.Move(Pricing, now)
}

// withdraw tells those who were offered a renewal that it no longer holds, but for those
// who said so themselves. Whom no message has left for yet needs none.
func (s *State) withdraw(now time.Time, but ...string) {
	w := s.Waiting(AskOffer)
	unsent := w != nil && !s.Stood && s.Unsent(w.Step)
	for _, purpose := range []string{AskOffer, AskCounter, AskSign} {
		s.Settle(purpose)
	}
	for _, p := range s.Offered {
		if !unsent && !slices.Contains(but, p.ID) {
			s.Say(campaign.Tell{To: campaign.One, Person: p, Text: policy.TextRenewalWithdrawn, Data: s.data(policy.LeaseData{})})
		}
	}
	if len(s.Offered) > 0 {
		s.Note(now, "the offer no longer holds")
	}
	s.Offered = nil
}

// Stop ends the renewal.
func (s *State) Stop(why string, now time.Time) {
	if s.Outcome != "" {
		return
	}
	s.Note(now, "stopped: %s", why)
	signed := ""
	if s.Stage == Writing {
		signed = " All tenants had signed: please look at what RentVine shows."
	}
	s.withdraw(now)
	s.tellManager("The renewal was stopped: " + why + "." + signed)
	if s.OwnersAsked {
		s.tellOwners("The renewal was stopped: " + why + ".")
	}
	s.End(OutcomeCancelled, now)
}

// sameIDs tells whether two lists have the same people, in any order.
func sameIDs(a, b []activities.Person) bool {
	ids := func(list []activities.Person) []string {
		var all []string
		for _, p := range list {
			all = append(all, p.ID)
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	return slices.Equal(ids(a), ids(b))
}
