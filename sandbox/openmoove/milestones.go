package openmoove

import "time"

// step is a milestone as a sale begins with it. Its due date is the end of the day
// so many days after the creation.
type step struct {
	name, description, assignedTo string
	days                          int
}

// Names of milestones (contracts/openmoove.md 2).
const (
	instruction      = "Instruction"
	legalPack        = "Legal Pack Preparation"
	marketing        = "Property Marketing"
	offer            = "Offer Acceptance"
	exchange         = "Exchange of Contracts"
	completion       = "Completion"
	auctionMarketing = "Auction Marketing Period"
	auctionExchange  = "Auction Exchange"
)

// steps are the milestones that a sale of a method begins with.
func steps(method string) []step {
	if method == ModernAuction || method == SecureSale {
		return []step{
			{legalPack, "Legal documentation and property pack preparation", "Conveyancer", 10},
			{auctionMarketing, "Property marketed until the auction", "Auctioneer", 38},
			{auctionExchange, "Contracts exchanged at the fall of the hammer", "Auctioneer", 66},
			{completion, "Keys handed over", "Conveyancer", 94},
		}
	}
	return []step{
		{instruction, "Property instruction received from seller", "Estate Agent", 2},
		{legalPack, "Legal documentation and property pack preparation", "Conveyancer", 12},
		{marketing, "Property listed and marketed to potential buyers", "Estate Agent", 21},
		{offer, "Offer accepted by the seller", "Estate Agent", 56},
		{exchange, "Contracts exchanged between the parties", "Conveyancer", 112},
		{completion, "Keys handed over", "Conveyancer", 140},
	}
}

// milestonesOf is a sale's milestones at its creation, numbered after an id.
func milestonesOf(method string, created time.Time, after int) []Milestone {
	var out []Milestone
	for i, s := range steps(method) {
		out = append(out, Milestone{
			ID: after + 1 + i, Name: s.name, Description: s.description, AssignedTo: s.assignedTo,
			Order: i + 1, DueDate: endOfDay(created.AddDate(0, 0, s.days)),
		})
	}
	return out
}

// endOfDay is the last second of a day in UTC, at which OpenMoove's due dates fall.
func endOfDay(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d, 23, 59, 59, 0, time.UTC)
}
