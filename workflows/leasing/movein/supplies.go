package movein

import (
	"slices"
	"strconv"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

// Order is an order of the welcome package.
type Order struct {
	// Number tells the orders of a move-in apart, from 1.
	Number int `json:"number"`
	// For is the day of the move-in, before which it is delivered.
	For    string            `json:"for"`
	Vendor activities.Person `json:"vendor"`
	// Contact is the vendor's contactID at RentVine, where a purchase order is booked too.
	Contact string       `json:"contact,omitempty"`
	Item    string       `json:"item"`
	Cost    policy.Cents `json:"cost"`
	// Book tells that a purchase order is booked, Tried that it was tried, and Placed is
	// what came of it.
	Book   bool                     `json:"book,omitempty"`
	Tried  bool                     `json:"tried,omitempty"`
	Placed activities.PurchaseOrder `json:"placed,omitzero"`
	// Off tells that it does not hold any more and its purchase order is to be cancelled.
	Off bool `json:"off,omitempty"`
}

// order orders the package when its day has come.
func (s *State) order(now time.Time) {
	rules := s.Rules.MoveIn.Package
	if s.Part(PartPackage).State == "" {
		s.set(PartPackage, Planned, "")
	}
	if !s.is(PartPackage, Planned) {
		return
	}
	at := s.at(-rules.DaysBefore)
	s.due(PartPackage, s.dayOf(at))
	switch {
	case rules.VendorEmail == "":
		s.set(PartPackage, Skipped, "the policy names no vendor")
		return
	case at.After(now):
		return
	case s.Day <= s.dayOf(now):
		s.set(PartPackage, Skipped, "too late to be delivered before the move-in")
		return
	}
	s.OrderCount++
	o := Order{
		Number: s.OrderCount, For: s.Day, Contact: rules.VendorContact, Item: rules.Item, Cost: rules.Cost, Book: rules.VendorContact != "",
		Vendor: activities.Person{ID: "package_vendor", Name: rules.VendorName, Email: rules.VendorEmail},
	}
	if o.Book {
		o.Vendor.ID = "contact:" + rules.VendorContact
	}
	s.Orders = append(s.Orders, o)
	s.set(PartPackage, Asked, "")
	within := max(rules.ConfirmWithin, time.Hour)
	s.ask(campaign.Question{
		Tell: campaign.Tell{
			To: campaign.One, Person: o.Vendor, Text: policy.TextPackageOrder, MailOnly: true,
			Data: policy.LeaseData{Item: o.Item, Amount: o.Cost, DueBy: o.For},
		},
		Purpose: askPackage, Choices: []string{"confirm", "cannot"},
		RemindAt: []time.Time{now.Add(within)}, GiveUpAt: now.Add(2 * within),
	}, now)
	s.Note(now, "the welcome package is ordered")
}

// standing is the order that holds, nil for none.
func (s *State) standing() *Order {
	for i := range s.Orders {
		if !s.Orders[i].Off {
			return &s.Orders[i]
		}
	}
	return nil
}

// callOff ends the order that holds.
func (s *State) callOff(o *Order) {
	o.Off = true
	if number := o.Number; !o.Book {
		s.Orders = slices.DeleteFunc(s.Orders, func(o Order) bool { return o.Number == number })
	}
}

// unorder takes the order back and tells the vendor, unless it is delivered; ok tells
// whether there was one to take back.
func (s *State) unorder(now time.Time) (ok bool) {
	o := s.standing()
	if o == nil || o.For <= s.dayOf(now) {
		return false
	}
	w := s.Waiting(askPackage)
	unsent := w != nil && s.Unsent(w.Step)
	s.Settle(askPackage)
	if !unsent { // who was not asked for anything need not be told
		s.tell(campaign.Tell{
			To: campaign.One, Person: o.Vendor, Text: policy.TextPackageOff, MailOnly: true,
			Data: policy.LeaseData{Item: o.Item, Amount: o.Cost, MoveIn: o.For, Reason: "It was for the move-in on " + o.For + "."},
		})
	}
	s.callOff(o)
	s.set(PartPackage, CalledOff, "taken back")
	return true
}

// reorder plans the package for another day.
func (s *State) reorder(now time.Time) {
	if s.unorder(now) || s.is(PartPackage, Skipped) {
		s.set(PartPackage, Planned, "planned again for another day")
		s.due(PartPackage, "")
	}
}

func (s *State) heardVendor(a durable.Answer, now time.Time) durable.Outcome {
	switch a.Choice {
	case "confirm":
		s.Settle(askPackage)
		s.set(PartPackage, Done, "the vendor has confirmed")
		s.Note(now, "the vendor has confirmed the welcome package")
		return durable.Outcome{Message: "Thank you. The order is confirmed."}
	case "cannot":
		s.Settle(askPackage)
		if o := s.standing(); o != nil {
			s.callOff(o)
		}
		s.fail(PartPackage, "the vendor cannot deliver the welcome package", now)
		return durable.Outcome{Message: "Thank you. The order is off; the property manager is told."}
	}
	return durable.Outcome{Message: sorry}
}

// Order is one of the package by the key of its task; ok is false where there is none.
func (s *State) Order(key string) (o Order, ok bool) {
	for _, o := range s.Orders {
		if strconv.Itoa(o.Number) == key {
			return o, true
		}
	}
	return Order{}, false
}

// Ordered takes what came of an order's purchase order; failure says why there is none,
// "" otherwise: the order itself stands, and the manager is told.
func (s *State) Ordered(key string, placed activities.PurchaseOrder, failure string, now time.Time) {
	for i := range s.Orders {
		if o := &s.Orders[i]; strconv.Itoa(o.Number) == key {
			o.Tried, o.Placed = true, placed
		}
	}
	if failure != "" {
		s.Note(now, "purchase order: %s", failure)
		s.tellManager("the purchase order of the welcome package could not be booked: please see to it")
	}
	s.Tick(now)
}

// OrderCancelled takes that an order's purchase order is cancelled; failure says why it
// could not be, "" otherwise: the manager is told.
func (s *State) OrderCancelled(key, failure string, now time.Time) {
	s.Orders = slices.DeleteFunc(s.Orders, func(o Order) bool { return o.Off && strconv.Itoa(o.Number) == key })
	if failure != "" {
		s.Note(now, "purchase order: %s", failure)
		s.tellManager("the purchase order of the welcome package could not be cancelled: please see to it")
	}
	s.Tick(now)
}

// utilities requests their transfer and asks the tenants about it.
func (s *State) utilities(now time.Time) {
	var known []string
	for _, u := range s.Rules.MoveIn.Utilities {
		name := partOf(PartUtility, u.Name)
		known = append(known, name)
		if s.Part(name).State == "" {
			s.set(name, Planned, "")
		}
		if !s.is(name, Planned) {
			continue
		}
		next := s.nextUtility(u)
		s.due(name, s.dayOf(next))
		if !next.After(now) && u.Email != "" && s.requested(u.Name) == "" {
			s.request(u)
			s.set(name, Planned, "requested")
			s.Note(now, "%s is requested", policy.Words(keyOf(u.Name)))
			if len(s.Rules.MoveIn.UtilityChase) == 0 {
				s.set(name, Done, "requested")
				continue
			}
			next = s.nextUtility(u)
		}
		if !next.After(now) {
			s.askTenants(u, now)
		}
	}
	s.forget(PartUtility, known)
}

// nextUtility is when a planned utility is requested, or asked about where that is done.
func (s *State) nextUtility(u policy.Utility) time.Time {
	at := s.at(-u.DaysBefore)
	if u.Email == "" || s.requested(u.Name) == "" {
		return at
	}
	if chase := s.chase(); len(chase) > 0 {
		return chase[0]
	}
	return at
}

// chase are the days on which tenants are asked, in order.
func (s *State) chase() []time.Time {
	var all []time.Time
	for _, days := range s.Rules.MoveIn.UtilityChase {
		all = append(all, s.at(-days))
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

// askTenants asks until a day after the last chase, and two days at least.
func (s *State) askTenants(u policy.Utility, now time.Time) {
	const day = 24 * time.Hour
	name := partOf(PartUtility, u.Name)
	again, until := s.chase(), now.Add(2*day)
	if len(again) > 0 && again[len(again)-1].Add(day).After(until) {
		until = again[len(again)-1].Add(day)
	}
	s.set(name, Asked, s.Part(name).Note)
	s.due(name, s.dayOf(until))
	s.ask(campaign.Question{
		Tell:    campaign.Tell{To: campaign.Tenants, Text: policy.TextMoveInUtility, Data: policy.LeaseData{Item: u.Name}},
		Purpose: askUtility + "_" + keyOf(u.Name), Choices: []string{"done", "help"},
		RemindAt: later(again, now), GiveUpAt: until,
	}, now)
}

// requested is the day for which a provider was asked, "" for none.
func (s *State) requested(name string) string {
	for _, u := range s.Utilities {
		if u.Name == name {
			return u.For
		}
	}
	return ""
}

func (s *State) request(u policy.Utility) {
	to := activities.Person{ID: askUtility + "_" + keyOf(u.Name), Name: u.Name, Email: u.Email}
	s.Utilities = slices.DeleteFunc(s.Utilities, func(o Utility) bool { return o.Name == u.Name })
	s.Utilities = append(s.Utilities, Utility{Name: u.Name, Provider: to, For: s.Day})
	s.tellProvider(policy.TextUtilityRequest, s.Utilities[len(s.Utilities)-1])
}

func (s *State) tellProvider(text string, u Utility) {
	s.tell(campaign.Tell{
		To: campaign.One, Person: u.Provider, Text: text, MailOnly: true,
		Data: policy.LeaseData{Item: u.Name, MoveIn: u.For, DueBy: u.For},
	})
}

// rerequest tells the providers who were asked of the new day, or that there is none.
func (s *State) rerequest(now time.Time) {
	if s.Day == "" {
		s.unrequest()
		return
	}
	for i := range s.Utilities {
		u := &s.Utilities[i]
		if u.For != "" && u.For != s.Day {
			id, was := u.Provider.ID, u.For
			s.drop(func(t campaign.Tell) bool { return t.Person.ID == id && t.Data.DueBy == was })
			u.For = s.Day
			s.tellProvider(policy.TextUtilityRequest, *u)
			s.Note(now, "%s is requested for the new day", policy.Words(keyOf(u.Name)))
		}
	}
}

// unrequest tells the providers who were asked that it is off.
func (s *State) unrequest() {
	for i := range s.Utilities {
		if u := &s.Utilities[i]; u.For != "" {
			s.tellProvider(policy.TextUtilityOff, *u)
			u.For = ""
			if name := partOf(PartUtility, u.Name); !s.is(name, Failed) {
				s.set(name, CalledOff, "the provider is told")
			}
		}
	}
}

func (s *State) heardUtility(key string, a durable.Answer, now time.Time) durable.Outcome {
	name := PartUtility + "/" + key
	switch a.Choice {
	case "done":
		s.Settle(askUtility + "_" + key)
		s.set(name, Done, "the tenants say so")
		return durable.Outcome{Message: "Thank you. That is settled."}
	case "help":
		s.Settle(askUtility + "_" + key)
		s.fail(name, "the tenants need help with the transfer of "+policy.Words(key), now)
		return durable.Outcome{Message: "Thank you. The property manager will help you."}
	}
	return durable.Outcome{Message: sorry}
}
