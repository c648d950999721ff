package movein

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

// Questions' purposes. A contact's and a utility's end in "_" and which.
const (
	askDate      = "move_in_date"
	askContact   = "contact"
	askInspector = "inspection"
	askPackage   = "package"
	askUtility   = "utility"
)

// sorry is what somebody is told whose answer is none of the choices.
const sorry = "Sorry, that is none of the answers. Please choose one of them."

// Tick lets time pass: what has come due is told, asked or planned.
func (s *State) Tick(now time.Time) {
	if s.Outcome != "" {
		return
	}
	for _, w := range s.Remind(now) {
		s.unanswered(w, now)
	}
	s.begin(now)
	if s.Day == "" {
		s.missing(now)
	} else {
		s.contacts(now)
		s.inspect(now)
		s.order(now)
		s.utilities(now)
		s.checks()
		s.welcome(now)
	}
	s.advance(now)
}

// advance says how far the move-in has come, and ends it when everything has ended.
func (s *State) advance(now time.Time) {
	switch {
	case s.Day == "":
		s.Move(Waiting, now)
		return
	case s.past(now):
		s.Move(MovedIn, now)
	default:
		s.Move(Preparing, now)
	}
	outcome := Completed
	for _, p := range s.Parts {
		if !p.State.ended() {
			return
		}
		if p.State == Failed {
			outcome = Gaps
		}
	}
	if len(s.Waits) == 0 && s.Todo(now) == campaign.Nothing {
		s.End(outcome, now)
	}
}

// Next is when Tick has something to do, zero for never, and what.
func (s *State) Next(now time.Time) (at time.Time, why string) {
	if s.Outcome != "" {
		return time.Time{}, ""
	}
	at, why = s.NextWait()
	if s.Day == "" {
		return at, why
	}
	if t := s.nextInspection(); !t.IsZero() {
		at, why = campaign.Sooner(at, why, t, "inspection")
	}
	if s.is(PartPackage, Planned) {
		at, why = campaign.Sooner(at, why, s.at(-s.Rules.MoveIn.Package.DaysBefore), "order the welcome package")
	}
	for _, u := range s.Rules.MoveIn.Utilities {
		if name := partOf(PartUtility, u.Name); s.is(name, Planned) {
			at, why = campaign.Sooner(at, why, s.nextUtility(u), policy.Words(keyOf(u.Name)))
		}
	}
	for _, w := range s.Rules.MoveIn.Welcome {
		if s.is(mailOf(w), Planned) {
			at, why = campaign.Sooner(at, why, s.at(w.Day), policy.Words(w.Text))
		}
	}
	return at, why
}

// Todo is the next piece of work, Nothing where there is none now. After the end there is
// only what is to be undone.
func (s *State) Todo(now time.Time) campaign.Task {
	if v := s.Visit; v.Want.none() && !v.Have.none() && !v.Held {
		return campaign.Task{Do: DoCancelInspection}
	}
	for _, o := range s.Orders {
		if o.Off {
			return campaign.Task{Do: DoCancelPackage, Key: strconv.Itoa(o.Number)}
		}
	}
	for _, c := range s.Contacts {
		if !c.Saved { // what somebody has said is kept, whatever comes of the lease
			return campaign.Task{Do: DoSaveContact, Key: c.Person}
		}
	}
	if s.Outcome != "" {
		return campaign.Nothing
	}
	if v := s.Visit; !v.Held && v.Want.Start.After(now) {
		switch {
		case v.Have.none():
			return campaign.Task{Do: DoScheduleInspection}
		case !v.Have.same(v.Want):
			return campaign.Task{Do: DoMoveInspection}
		}
	}
	for _, o := range s.Orders {
		if o.Book && !o.Tried {
			return campaign.Task{Do: DoOrderPackage, Key: strconv.Itoa(o.Number)}
		}
	}
	return campaign.Nothing
}

// Heard takes the answer to a question that is open, and says what the person is told.
func (s *State) Heard(w campaign.Wait, a durable.Answer, now time.Time) durable.Outcome {
	if s.Outcome != "" || s.Waiting(w.Purpose) == nil {
		return durable.Outcome{Late: true, Message: "Thank you. This has been settled meanwhile; there is nothing more to do."}
	}
	out := s.heard(w, a, now)
	s.Tick(now)
	return out
}

func (s *State) heard(w campaign.Wait, a durable.Answer, now time.Time) durable.Outcome {
	switch kind, which := split(w.Purpose); kind {
	case askDate:
		return s.heardDate(a, now)
	case askContact:
		return s.heardContact(which, a, now)
	case askInspector:
		return s.heardInspector(a, now)
	case askPackage:
		return s.heardVendor(a, now)
	case askUtility:
		return s.heardUtility(which, a, now)
	}
	return durable.Outcome{Message: sorry}
}

// unanswered takes a question whose time is up; it is settled already.
func (s *State) unanswered(w campaign.Wait, now time.Time) {
	switch kind, which := split(w.Purpose); kind {
	case askDate:
		s.set(PartDate, Planned, "nobody has said it: waits for RentVine")
		s.Note(now, "nobody has said when the move-in is")
	case askContact:
		s.set(partOf(PartContact, which), Done, "no answer: offers go by mail")
	case askInspector:
		s.fail(PartInspection, "the inspector has not said whether the inspection was done", now)
	case askPackage:
		s.fail(PartPackage, "the vendor has not confirmed the welcome package; the order stands", now)
	case askUtility:
		s.fail(PartUtility+"/"+which, "the tenants have not said whether "+policy.Words(which)+" is transferred", now)
	}
}

// split parts a purpose into what is asked and about which of several.
func split(purpose string) (kind, which string) {
	for _, kind := range []string{askContact, askUtility} {
		if which, ok := strings.CutPrefix(purpose, kind+"_"); ok {
			return kind, which
		}
	}
	return purpose, ""
}

// keyOf is the name of a utility where ids are wanted.
func keyOf(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}), "_")
}

// partOf is the name of one of several parts: of a utility by its name, of a contact by
// the tenant's id.
func partOf(part, which string) string {
	if part == PartUtility {
		which = keyOf(which)
	}
	return part + "/" + which
}

// Changed takes a lease that has changed at RentVine: Lease is the new one.
func (s *State) Changed(before activities.LeaseView, now time.Time) {
	if s.Outcome != "" {
		return
	}
	if s.Lease.Over() {
		why := "the lease is closed"
		if !s.Lease.Found {
			why = "RentVine does not know the lease any more"
			gone := s.Lease
			s.Lease = before // so that people can still be told of what
			s.Lease.Found, s.Lease.ReadAt = false, gone.ReadAt
		}
		if len(s.Lease.Tenants) == 0 {
			s.Lease.Tenants = before.Tenants
		}
		s.Stop(why, now)
		return
	}
	s.begin(now)
	s.redate(now)
	s.left()
	s.joined(before, now)
	s.Tick(now)
}

// Stop ends the move-in: what is open is settled and what was done is undone. Where the
// day has passed already the tenants live there, and nothing but what is to come is.
func (s *State) Stop(why string, now time.Time) {
	if s.Outcome != "" {
		return
	}
	s.begin(now)
	s.drop(func(t campaign.Tell) bool { return t.Ask == nil && s.toTenants(t) })
	s.Note(now, "%s", why)
	if !s.past(now) {
		s.unorder(now)
		s.unrequest()
	}
	s.End(Cancelled, now)
	if !s.past(now) {
		if s.Reached {
			s.tell(campaign.Tell{To: campaign.Tenants, Text: policy.TextMoveInCancelled})
		}
	}
	s.Visit.Want = Slot{}
	for _, p := range s.Parts {
		if !p.State.ended() {
			s.set(p.Name, CalledOff, why)
		}
	}
}

// redate plans anew for another day: what has not happened silently, what has is done
// again, and people are told.
func (s *State) redate(now time.Time) {
	old, day, today := s.Day, s.movesIn(), s.dayOf(now)
	if day == old {
		return
	}
	s.Day = day
	s.Settle(askDate)
	s.AskedDate = false
	if day == "" {
		s.set(PartDate, Planned, "RentVine has none any more")
		s.Note(now, "the move-in has no date any more")
	} else {
		s.set(PartDate, Done, "")
		s.Note(now, "the move-in is on %s", day)
	}
	if old == "" {
		return
	}
	s.rerequest(now)
	if day != "" && old <= today && day <= today {
		return // it has taken place, and RentVine says now when
	}
	s.drop(func(t campaign.Tell) bool { return t.Text == policy.TextMoveInMoved })
	if s.Reached && day >= today {
		s.tell(campaign.Tell{To: campaign.Tenants, Text: policy.TextMoveInMoved, Data: policy.LeaseData{From: old}})
	}
	s.reinspect()
	s.reorder(now)
	for _, p := range s.Parts {
		several, _, _ := strings.Cut(p.Name, "/")
		again := several == PartUtility && (p.State != Planned && p.State != Failed) ||
			several == PartWelcome && p.State == Skipped
		if again {
			s.Settle(askUtility + "_" + strings.TrimPrefix(p.Name, PartUtility+"/"))
			s.set(p.Name, Planned, "planned again for another day")
			s.due(p.Name, "")
		}
	}
}

// left takes back what was asked of tenants who are none any more.
func (s *State) left() {
	for _, p := range slices.Clone(s.Parts) {
		if id, ok := strings.CutPrefix(p.Name, PartContact+"/"); ok && p.State == Asked && !s.tenant(id) {
			s.Settle(askContact + "_" + id)
			s.set(p.Name, CalledOff, "not a tenant any more")
		}
	}
}

// joined tells tenants who are new of the inspection; all else reaches them as it comes.
func (s *State) joined(before activities.LeaseView, now time.Time) {
	v := s.Visit
	if v.Held || !v.Have.Start.After(now) || !v.Have.Start.Equal(v.Want.Start) || v.Have.For != s.Day || !s.is(PartInspection, Planned) {
		return
	}
	for _, p := range s.Lease.Tenants {
		if !slices.ContainsFunc(before.Tenants, func(o activities.Person) bool { return o.ID == p.ID }) {
			s.tell(campaign.Tell{To: campaign.One, Person: p, Text: policy.TextMoveInInspection, Data: s.when(v.Have)})
		}
	}
}
