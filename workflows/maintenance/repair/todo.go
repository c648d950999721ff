package repair

// Task is something that the workflow does next; its result comes back by the method
// named beside it.
type Task string

// The tasks.
const (
	Nothing Task = ""
	// Analyse: Analysed.
	Analyse Task = "analyse"
	// Reserve: PartsReserved.
	Reserve Task = "reserve parts"
	// Choose: Chosen.
	Choose Task = "choose"
	// Bid: Bids.
	Bid Task = "ask for bids"
	// ReadOwners: OwnersFound.
	ReadOwners Task = "read owners"
	// PlaceOrders: OrderPlaced for each, then AllOrdered.
	PlaceOrders Task = "place orders"
	// FindWindows: WindowsFound.
	FindWindows Task = "find windows"
	// Book: Booked.
	Book Task = "book"
	// Invite: Invited.
	Invite Task = "send invitations"
	// Inspect: Inspected.
	Inspect Task = "inspect"
	// Finish: Closed.
	Finish Task = "close"
)

// Todo is the one thing to do next.
func (r *State) Todo() Task {
	switch r.Stage {
	case Analysing:
		return Analyse
	case Choosing:
		if !r.VendorsOnly && r.Parts == nil && len(r.Analysis.Parts) > 0 {
			return Reserve
		}
		return Choose
	case Bidding:
		return Bid
	case Approving:
		if !r.OwnersRead {
			return ReadOwners
		}
	case Ordering:
		if r.Accounted && !r.Ordered {
			return PlaceOrders
		}
	case Scheduling:
		switch {
		case r.Picked != nil:
			return Book
		case len(r.Windows) == 0:
			return FindWindows
		}
	case Scheduled:
		if !r.Visit.Invited {
			return Invite
		}
	case Checking:
		if r.Verdict == nil {
			return Inspect
		}
	case Finishing:
		return Finish
	case Offering, OnTheWay, OnSite, Reviewing, Confirming, Stuck, Finished, Stopped:
	}
	return Nothing
}

// Invited takes that calendars and people know of a visit. One that was given up
// meanwhile is withdrawn.
func (r *State) Invited(v Visit) {
	v.Invited = true
	if r.Visit != nil && r.Visit.Number == v.Number {
		r.Visit.Invited, r.Visit.People = true, v.People
		return
	}
	r.Undo.Visits = append(r.Undo.Visits, v)
}
