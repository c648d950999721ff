package portfolio

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// PropertyStage is where a property is.
type PropertyStage string

// The stages.
const (
	// PropertyUnread: RentVine has not been read yet.
	PropertyUnread PropertyStage = "unread"
	// PropertyIdle: properties are not followed, by policy.
	PropertyIdle PropertyStage = "not_followed"
	// PropertyOnboarding: it is new, and its checklist is open.
	PropertyOnboarding PropertyStage = "onboarding"
	// PropertyVacant: at least one unit stands empty.
	PropertyVacant PropertyStage = "vacant"
	// PropertyLet: nothing stands empty.
	PropertyLet PropertyStage = "let"
	// PropertyGone: RentVine does not know it any more, or it is inactive.
	PropertyGone PropertyStage = "gone"
)

// The kinds of what a property begins.
const (
	kindVacancy    = "vacancy"
	kindPricing    = "pricing"
	kindCompliance = "compliance"
)

type (
	// PropertyState is all that is known of a property. Times are business time in UTC.
	PropertyState struct {
		ID string `json:"id"`
		// New tells that property.created told of it. NewUnits are the ids of units that have
		// come since, at most 500, the last of them at NewUnitAt.
		New       bool      `json:"new,omitempty"`
		NewUnits  []string  `json:"new_units,omitempty"`
		NewUnitAt time.Time `json:"new_unit_at,omitzero"`
		// Released tells that the empty units of a new property may be marketed.
		Released bool      `json:"released,omitempty"`
		BeganAt  time.Time `json:"began_at"`
		// View is as RentVine had it last; Known once it was read. Stale tells that something
		// was said since.
		View  activities.PropertyView `json:"view"`
		Known bool                    `json:"known,omitempty"`
		Stale bool                    `json:"stale,omitempty"`
		Rules policy.Portfolio        `json:"rules"`
		// RetryAt is when RentVine is read again after it refused to show the property.
		RetryAt time.Time `json:"retry_at,omitzero"`

		// Hints are what events have told of the vacancy rate and of rents since the last look.
		Hints hints `json:"hints,omitzero"`
		// ToMarket and ToPrice are the ids of units whose marketing or pricing is to begin.
		ToMarket []string `json:"to_market,omitempty"`
		ToPrice  []string `json:"to_price,omitempty"`
		// Withdrawn are the ids of units that people have taken off the market, until they are
		// let again. Stopped are the ids of compliance workflows that ended although they are
		// wanted; they are not begun again.
		Withdrawn []string `json:"withdrawn,omitempty"`
		Stopped   []string `json:"stopped,omitempty"`
		// Closing are the ids of what has said how it ends and may not have ended yet.
		Closing []string `json:"closing,omitempty"`
		// Priced is the rent of each unit that was looked at last, by the unit's id.
		Priced map[string]policy.Cents `json:"priced,omitempty"`
		// Children are what was begun and goes on, in the order of their ids.
		Children   []child    `json:"children,omitempty"`
		Onboarding onboarding `json:"onboarding,omitzero"`
		// Timeline is what has happened, newest last, without personal data.
		Timeline []entry `json:"timeline,omitempty"`

		Events   map[string]int `json:"events,omitempty"`
		Unusable int            `json:"unusable,omitempty"`
	}
	// child is something that the property has begun.
	child struct {
		ID            string `json:"id"`
		Kind          string `json:"kind"`
		UnitID        string `json:"unit_id,omitempty"`
		RequirementID string `json:"requirement_id,omitempty"`
		// New is what a compliance was told of its property or unit.
		New bool `json:"new,omitempty"`
		// Stale tells that it does not know its unit or property as it is now.
		Stale bool `json:"stale,omitempty"`
		// Dropped tells that a compliance was told to stop, and has not said that it has.
		Dropped bool `json:"dropped,omitempty"`
	}
	// entry is one thing that has happened.
	entry struct {
		At   time.Time `json:"at"`
		What string    `json:"what"`
	}
	// hints are what events have told, which RentVine may not show.
	hints struct {
		// Vacancy tells that the vacancy rate rose.
		Vacancy bool `json:"vacancy,omitempty"`
		// Rental tells that the rental rate of the property has changed, to Rent where that can
		// be read. Units are those whose own rent has.
		Rental bool         `json:"rental,omitempty"`
		Rent   policy.Cents `json:"rent,omitempty"`
		Units  []unitHint   `json:"units,omitempty"`
	}
	unitHint struct {
		UnitID string       `json:"unit_id"`
		Rent   policy.Cents `json:"rent,omitempty"`
	}
)

const (
	// maxTimeline bounds the timeline, maxUnitIDs each list of units.
	maxTimeline = 60
	maxUnitIDs  = 500
	// createdWithin is how long after a property was first seen it may be told to be new.
	createdWithin = 3 * 24 * time.Hour
	// newFor is for how long what a property or unit must have counts as new with it.
	newFor = 30 * 24 * time.Hour
)

// Line is the entry as the audit is told of it.
func (e entry) Line() durable.Line { return durable.Line{At: e.At, What: e.What} }

func (s *PropertyState) note(now time.Time, what string, args ...any) {
	s.Timeline = append(s.Timeline, entry{At: now, What: fmt.Sprintf(what, args...)})
	s.Timeline = s.Timeline[max(0, len(s.Timeline)-maxTimeline):]
}

// event takes that something has happened to the property at RentVine.
func (s *PropertyState) event(ev durable.Event, now time.Time) {
	if s.Events == nil {
		s.Events = map[string]int{}
	}
	s.Events[ev.Type]++
	s.Stale = true
	unitID := ""
	switch ev.Type {
	case "property.created":
		s.New = s.New || now.Sub(s.BeganAt) < createdWithin
	case "unit.created":
		unitID = unitOf(ev)
		s.cameTo(unitID, now)
	case "unit.updated":
		unitID = unitOf(ev)
	}
	s.Hints.take(ev, unitID)
}

// cameTo notes a unit that is new.
func (s *PropertyState) cameTo(unitID string, now time.Time) {
	before := len(s.NewUnits)
	if s.NewUnits = with(s.NewUnits, unitID); len(s.NewUnits) > before {
		s.NewUnitAt = now
	}
}

// with is a list of ids with one more, once.
func with(list []string, id string) []string {
	if id == "" || len(list) >= maxUnitIDs || slices.Contains(list, id) {
		return list
	}
	return append(list, id)
}

// without is a list of ids without one.
func without(list []string, id string) []string {
	return slices.DeleteFunc(list, func(x string) bool { return x == id })
}

// read takes a look at RentVine. The first look of a property that is not new adopts it:
// what stands empty has been seen to by others, and what its rents are too.
func (s *PropertyState) read(v activities.PropertyView, rules policy.Portfolio, now time.Time) {
	before, first := s.View, !s.Known
	if s.Known && !v.Found {
		// It is known still where it was.
		gone := before
		gone.Found, gone.Active, gone.ReadAt = false, false, v.ReadAt
		v = gone
	}
	s.View, s.Rules, s.Known, s.Stale, s.RetryAt = v, rules, true, false, time.Time{}
	told := s.Hints
	s.Hints = hints{}
	if first {
		s.adopt(v, now)
	} else {
		for _, d := range propertyDifferences(before, v) {
			s.note(now, "%s", d)
		}
	}
	if now.Sub(s.NewUnitAt) >= newFor {
		s.NewUnits = nil
	}
	for _, u := range v.Units {
		was, known := before.Unit(u.ID)
		if !known && !first {
			s.cameTo(u.ID, now)
		}
		if !u.Empty() {
			s.Withdrawn = without(s.Withdrawn, u.ID)
		}
		if !first && known && was.Rent != u.Rent {
			s.wantPrice(u, u.Rent)
		}
	}
	s.market(before, first, told.Vacancy, now)
	s.reprice(before, told)
	s.release(now)
	s.forgetStopped()
	for i := range s.Children {
		c := &s.Children[i]
		same := sameUnit
		if c.Kind == kindCompliance {
			same = sameWatch
		}
		c.Stale = c.Stale || !first && !same(before, v, c.UnitID)
	}
}

// adopt takes a property over as it is.
func (s *PropertyState) adopt(v activities.PropertyView, now time.Time) {
	units, empty := v.Vacancy()
	switch {
	case !s.lives():
		s.note(now, "RentVine does not show it as active")
	case !s.Rules.On():
		s.note(now, "properties are not followed, by policy")
	case s.New:
		s.note(now, "new: %d units, %d of them empty", units, empty)
	default:
		s.note(now, "adopted: %d units, %d of them empty, which are left to people (command begin)", units, empty)
	}
	for _, u := range v.Units {
		if u.Listed {
			// An earlier run has begun it.
			s.began(child{ID: VacancyID(u.ID), Kind: kindVacancy, UnitID: u.ID, Stale: true})
		}
	}
}

// market decides which units are marketed: those that have become empty; where the vacancy
// rate has risen, all that are empty. Those of a property that is new wait for the end of
// its onboarding, unless an event speaks of the rate.
func (s *PropertyState) market(before activities.PropertyView, first, told bool, now time.Time) {
	if !s.lives() || !s.Rules.On() {
		s.ToMarket = nil
		return
	}
	rose := told
	if told {
		s.note(now, "RentVine tells that the vacancy rate rose")
	}
	if !first && !s.onboards() && higher(before, s.View) {
		rose = true
		s.note(now, "the vacancy rate rose")
	}
	for _, u := range s.View.Units {
		was, known := before.Unit(u.ID)
		vacated := !first && known && !was.Empty() && u.Empty() && !s.onboards()
		if u.Empty() && (rose || vacated) && s.marketable(u.ID) {
			s.ToMarket = with(s.ToMarket, u.ID)
		}
		if !u.Empty() {
			s.ToMarket = without(s.ToMarket, u.ID)
		}
	}
}

// marketable tells whether nobody markets a unit, and nobody has taken it off the market.
func (s *PropertyState) marketable(unitID string) bool {
	return !slices.Contains(s.Withdrawn, unitID) && !s.runs(VacancyID(unitID))
}

// release has the empty units of a new property marketed, once its onboarding is over.
func (s *PropertyState) release(now time.Time) {
	if !s.New || s.Released || !s.lives() || !s.Rules.On() || s.onboards() {
		return
	}
	s.Released = true
	for _, u := range s.View.Units {
		if u.Empty() && s.marketable(u.ID) {
			s.ToMarket = with(s.ToMarket, u.ID)
		}
	}
	s.note(now, "onboarding is over: what is empty is marketed")
}

// forgetStopped lets what was stopped begin again when it is wanted anew.
func (s *PropertyState) forgetStopped() {
	required := s.required()
	s.Stopped = slices.DeleteFunc(s.Stopped, func(id string) bool {
		return !slices.ContainsFunc(required, func(c child) bool { return c.ID == id })
	})
}

// higher tells whether the share of empty units is greater than before.
func higher(before, after activities.PropertyView) bool {
	units, empty := before.Vacancy()
	now, emptyNow := after.Vacancy()
	return now > 0 && emptyNow*max(units, 1) > empty*now
}

// reprice decides which units are priced for what events have told of rents.
func (s *PropertyState) reprice(before activities.PropertyView, told hints) {
	if !s.lives() || !s.Rules.On() {
		s.ToPrice = nil
		return
	}
	for _, u := range s.View.Units {
		if was, known := before.Unit(u.ID); told.Rental && (u.Empty() || known && was.Rent != u.Rent) {
			s.wantPrice(u, told.Rent)
		}
	}
	for _, h := range told.Units {
		if u, ok := s.View.Unit(h.UnitID); ok {
			s.wantPrice(u, h.Rent)
		}
	}
}

// wantPrice has a unit priced, unless the rent that it has now was looked at already: each
// rent is looked at once, by however many events it is told, and the one that a pricing
// has written is not looked at. told is the rent where RentVine shows none.
func (s *PropertyState) wantPrice(u activities.UnitView, told policy.Cents) {
	rent := u.Rent
	if rent == 0 {
		rent = told
	}
	if looked, ok := s.Priced[u.ID]; !u.Active || !s.lives() || !s.Rules.On() || ok && looked == rent {
		return
	}
	if s.runs(PricingID(u.ID)) {
		return // it is told
	}
	s.ToPrice = with(s.ToPrice, u.ID)
	s.looked(u.ID, rent)
}

// looked notes the rent of a unit at which somebody looks.
func (s *PropertyState) looked(unitID string, rent policy.Cents) {
	if s.Priced == nil {
		s.Priced = map[string]policy.Cents{}
	}
	if _, ok := s.Priced[unitID]; ok || len(s.Priced) < maxUnitIDs {
		s.Priced[unitID] = rent
	}
}

// lives tells whether RentVine has the property and shows it as active.
func (s *PropertyState) lives() bool { return s.View.Found && s.View.Active }

// runs tells whether something of an id was begun and has not ended.
func (s *PropertyState) runs(id string) bool {
	_, ok := s.find(id)
	return ok
}

func (s *PropertyState) find(id string) (int, bool) {
	return slices.BinarySearchFunc(s.Children, id, func(c child, id string) int { return strings.Compare(c.ID, id) })
}

// wanted is what the policy asks for, and units wait for, in a fixed order. Compliance
// follows from the policy and the property alone.
func (s *PropertyState) wanted() (list []child) {
	if !s.Known || !s.lives() || !s.Rules.On() {
		return nil
	}
	for _, id := range s.ToMarket {
		list = append(list, child{ID: VacancyID(id), Kind: kindVacancy, UnitID: id})
	}
	for _, id := range s.ToPrice {
		list = append(list, child{ID: PricingID(id), Kind: kindPricing, UnitID: id})
	}
	return append(list, s.required()...)
}

// required is what the property and its units must have.
func (s *PropertyState) required() (list []child) {
	if !s.Known || !s.lives() || !s.Rules.On() {
		return nil
	}
	fresh := s.New && s.View.ReadAt.Sub(s.BeganAt) < newFor
	of := func(unitID, requirementID string) child {
		return child{
			ID: ComplianceID(s.ID, unitID, requirementID), Kind: kindCompliance, UnitID: unitID, RequirementID: requirementID,
			New: fresh || unitID != "" && slices.Contains(s.NewUnits, unitID),
		}
	}
	for _, r := range s.Rules.Compliance.Requirements {
		if !applies(r, s.View) {
			continue
		}
		if !r.PerUnit {
			list = append(list, of("", r.ID))
			continue
		}
		for _, u := range s.View.Units {
			if u.Active {
				list = append(list, of(u.ID, r.ID))
			}
		}
	}
	return list
}

// applies tells whether a requirement holds where a property is.
func applies(r policy.Requirement, v activities.PropertyView) bool {
	in := func(list []string, place string) bool {
		return len(list) == 0 || slices.ContainsFunc(list, func(x string) bool {
			return strings.EqualFold(strings.TrimSpace(x), strings.TrimSpace(place))
		})
	}
	return in(r.States, v.State) && in(r.Cities, v.City)
}

// toBegin is what is wanted and was not begun, at most so many. What was told to stop, and
// is wanted again, begins once it has said that it has ended.
func (s *PropertyState) toBegin(most int) (list []child) {
	for _, c := range s.wanted() {
		if len(list) < most && !s.runs(c.ID) && !slices.Contains(s.Stopped, c.ID) {
			list = append(list, c)
		}
	}
	return list
}

// toDrop is each compliance that is not wanted any more, and those that took their property
// or unit for an old one and have to begin again; at most so many.
func (s *PropertyState) toDrop(most int) (list []child) {
	if s.Known && s.lives() && !s.Rules.On() {
		return nil // what was begun under another policy goes on
	}
	wanted := map[string]bool{}
	for _, c := range s.required() {
		if at, ok := s.find(c.ID); !ok || s.Children[at].New || !c.New {
			wanted[c.ID] = true
		}
	}
	for _, c := range s.Children {
		if len(list) < most && c.Kind == kindCompliance && !c.Dropped && !wanted[c.ID] {
			list = append(list, c)
		}
	}
	return list
}

// toTell is what does not know its unit or property as it is. A compliance that is told to
// stop needs to know no more.
func (s *PropertyState) toTell(most int) (list []child) {
	for _, c := range s.Children {
		if len(list) < most && c.Stale && (c.Kind != kindCompliance || !c.Dropped && s.lives()) {
			list = append(list, c)
		}
	}
	return list
}

// began notes that something goes on.
func (s *PropertyState) began(c child) {
	s.Closing = without(s.Closing, c.ID)
	switch c.Kind {
	case kindVacancy:
		s.ToMarket = without(s.ToMarket, c.UnitID)
	case kindPricing:
		s.ToPrice = without(s.ToPrice, c.UnitID)
	}
	at, ok := s.find(c.ID)
	if !ok {
		s.Children = slices.Insert(s.Children, at, c)
	}
}

// told notes that a child knows its unit as it is.
func (s *PropertyState) told(id string) {
	if at, ok := s.find(id); ok {
		s.Children[at].Stale = false
	}
}

// dropped notes that a compliance was told to stop; where it had ended already, it is gone.
func (s *PropertyState) dropped(id string, delivered bool) {
	at, ok := s.find(id)
	switch {
	case !ok:
	case delivered:
		s.Children[at].Dropped = true
	default:
		s.Children = slices.Delete(s.Children, at, at+1)
	}
}

// lost notes that a child has ended without saying so.
func (s *PropertyState) lost(id string, now time.Time) {
	if at, ok := s.find(id); ok {
		s.note(now, "%s has ended without a word", id)
		s.Children = slices.Delete(s.Children, at, at+1)
	}
}

// settled takes the rent on which a pricing has come to a decision: nobody is asked about it
// again, even where RentVine's event about our own change comes first. A rent that others
// have set since is priced all the same.
func (s *PropertyState) settled(unitID string, rent policy.Cents) {
	wanted := slices.Contains(s.ToPrice, unitID)
	if unitID == "" || rent <= 0 || wanted && s.Priced[unitID] != rent {
		return
	}
	s.looked(unitID, rent)
	s.ToPrice = without(s.ToPrice, unitID)
}

// ended takes that something has ended, whoever began it.
func (s *PropertyState) ended(e Ended, now time.Time) {
	if e.Kind == kindPricing {
		s.settled(e.UnitID, e.Rent)
	}
	at, ok := s.find(e.WorkflowID)
	if !ok {
		return
	}
	c := s.Children[at]
	s.Children = slices.Delete(s.Children, at, at+1)
	s.Closing = append(without(s.Closing, c.ID), c.ID)
	s.Closing = s.Closing[max(0, len(s.Closing)-maxUnitIDs):]
	empty := s.unitNow(c.UnitID).Unit.Empty()
	switch {
	case c.Kind == kindVacancy && e.Outcome == outcomeWithdrawn && empty:
		s.Withdrawn = with(s.Withdrawn, c.UnitID)
	case c.Kind == kindVacancy && e.Outcome == StageLet && empty:
		// It has fallen empty again while the old campaign was wound up.
		s.ToMarket = with(s.ToMarket, c.UnitID)
	case c.Kind == kindCompliance && !c.Dropped:
		s.Stopped = with(s.Stopped, c.ID)
	}
	s.note(now, "%s ended: %s", c.ID, policy.Words(e.Outcome))
}

// outcomeWithdrawn is how a vacancy ends that people have taken off the market. After one
// that something else has stopped, the unit is marketed when the vacancy rate rises again,
// or by command.
const outcomeWithdrawn = "withdrawn"

// over tells whether nothing is left to follow.
func (s *PropertyState) over() bool {
	return s.Known && !s.Stale && !s.lives() && len(s.toTell(1)) == 0 && len(s.toDrop(1)) == 0
}

// stage is where the property is.
func (s *PropertyState) stage() PropertyStage {
	_, empty := s.View.Vacancy()
	switch {
	case !s.Known:
		return PropertyUnread
	case !s.lives():
		return PropertyGone
	case !s.Rules.On():
		return PropertyIdle
	case s.onboards():
		return PropertyOnboarding
	case empty > 0:
		return PropertyVacant
	}
	return PropertyLet
}

// propertyDifferences says what has changed between two looks, without personal data.
func propertyDifferences(before, after activities.PropertyView) (list []string) {
	differ := func(what, was, is string) {
		if was != is {
			list = append(list, fmt.Sprintf("%s: %s, was %s", what, orNone(is), orNone(was)))
		}
	}
	if before.Active != after.Active {
		list = append(list, fmt.Sprintf("active: %t", after.Active))
	}
	if placeOf(before) != placeOf(after) {
		list = append(list, "its address has changed")
	}
	for _, u := range after.Units {
		was, known := before.Unit(u.ID)
		if !known {
			list = append(list, "unit "+u.ID+" is new")
			continue
		}
		if was.Active != u.Active {
			list = append(list, fmt.Sprintf("unit %s active: %t", u.ID, u.Active))
		}
		differ("unit "+u.ID+" rent", was.Rent.String(), u.Rent.String())
		differ("unit "+u.ID+" lease", was.LeaseID, u.LeaseID)
	}
	for _, u := range before.Units {
		if _, known := after.Unit(u.ID); !known {
			list = append(list, "unit "+u.ID+" is gone")
		}
	}
	return list[:min(len(list), maxTimeline/2)]
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// place is where a property is.
type place struct{ portfolioID, address, city, state, postalCode string }

func placeOf(v activities.PropertyView) place {
	return place{v.PortfolioID, v.Address, v.City, v.State, v.PostalCode}
}

// sameUnit tells whether a unit, and what its marketing cares for of its property, is as it
// was.
func sameUnit(before, after activities.PropertyView, unitID string) bool {
	was, known := before.Unit(unitID)
	is, found := after.Unit(unitID)
	was.Listed, is.Listed = false, false
	before.Units, after.Units, before.ReadAt, after.ReadAt = nil, nil, time.Time{}, time.Time{}
	return known == found && was == is && sameProperty(before, after)
}

// sameWatch tells whether what a compliance cares for is as it was: where its property and
// unit are, and whose.
func sameWatch(before, after activities.PropertyView, unitID string) bool {
	was, _ := before.Unit(unitID)
	is, _ := after.Unit(unitID)
	return was.Label == is.Label && before.Zone == after.Zone && sameProperty(before, after)
}

func sameProperty(x, y activities.PropertyView) bool {
	return placeOf(x) == placeOf(y) && x.Found == y.Found && x.Active == y.Active && x.Name == y.Name &&
		x.Located == y.Located && x.Latitude == y.Latitude && x.Longitude == y.Longitude
}

// unitNow is a unit as it is now: one that RentVine does not show any more is inactive.
func (s *PropertyState) unitNow(unitID string) UnitNow {
	now := UnitNow{Property: s.View}
	now.Property.Units = nil
	unit, ok := s.View.Unit(unitID)
	if !ok {
		unit = activities.UnitView{ID: unitID}
	}
	now.Unit = unit
	return now
}
