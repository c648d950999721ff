package policy

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/currency"
)

// Bounds of the section on repairs; texts are in characters.
const (
	maxRate    = Cents(10_000_00)
	maxVendors = 100
	maxSlots   = 6
	maxRemind  = 5
	maxChecks  = 12
	maxCheck   = 120
	// maxPhotos is what the form takes of before, and of after.
	maxPhotos = 3
)

var contactPattern = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)

// repairs checks the section wherever any of it is given, also where no days for
// visits switch it off: another level may name days without the rest.
//
// Some rules compare two keys, such as the shortest notice and how far windows
// reach. They hold of each level over the company's; what a portfolio and a property
// break only together does no harm: nothing is offered, or people are asked sooner.
func (c *checker) repairs(s section) {
	c.closed(s.Statuses.Closed, s.Repairs.On())
	r := s.Repairs
	if reflect.ValueOf(r).IsZero() {
		return
	}
	unit, err := currency.ParseISO(r.Currency)
	c.must(err == nil && unit.String() == r.Currency, "repairs.currency", `must be an ISO 4217 code such as "USD"`)
	c.rates(r.Rates)
	c.within(r.TechniciansUpTo, "repairs.technicians_up_to", 30*day)
	c.within(r.OfferWithin, "repairs.offer_within", 7*day)
	c.vendors(r.Vendors)
	c.bidding(r.Bidding)
	c.spend(s)
	c.windows(r.Windows, "repairs.windows")
	c.visit(r.Visit)
	c.count(r.Check.Photos, "repairs.check.photos", 0, maxPhotos)
	c.within(r.Check.RemindAfter, "repairs.check.remind_after", 30*day)
	c.within(r.Check.CloseAfter, "repairs.check.close_after", 60*day)
	c.must(r.Check.CloseAfter > r.Check.RemindAfter, "repairs.check.close_after", "must be longer than remind_after")
	c.checklists(r.Checklists)
}

// closed checks the status that ends a checked repair; without repairs it is not
// needed.
func (c *checker) closed(s Status, needed bool) {
	if needed || s.Names != nil {
		c.status(s, "statuses.closed")
	}
}

func (c *checker) trade(trade, path string) {
	c.must(slices.Contains(Trades(), trade), path, "must be one of %s", strings.Join(Trades(), ", "))
}

func (c *checker) rates(rates map[string]Rate) {
	_, general := rates[TradeGeneral]
	c.must(general, "repairs.rates", "must have %s, which stands in for what is left out", TradeGeneral)
	for _, trade := range slices.Sorted(maps.Keys(rates)) {
		at, rate := join("repairs.rates", trade), rates[trade]
		c.trade(trade, at)
		c.rate(rate.Technician, at+".technician")
		c.rate(rate.Vendor, at+".vendor")
	}
}

func (c *checker) rate(price Cents, path string) {
	c.must(price > 0 && price <= maxRate, path, "must be above 0 and at most %s", maxRate)
}

func (c *checker) vendors(vendors []Vendor) {
	c.size(len(vendors), "repairs.vendors", 0, maxVendors)
	seen := map[string]bool{}
	for i, v := range vendors {
		at := fmt.Sprintf("repairs.vendors[%d]", i)
		c.must(contactPattern.MatchString(v.Contact), at+".contact", "must be a contact id of RentVine: a whole number")
		c.must(!seen[v.Contact], at+".contact", "is the id of an earlier vendor")
		seen[v.Contact] = true
		for j, trade := range v.Trades {
			path := fmt.Sprintf("%s.trades[%d]", at, j)
			c.trade(trade, path)
			c.must(!slices.Contains(v.Trades[:j], trade), path, "is named twice")
		}
		c.must(v.Latitude >= -90 && v.Latitude <= 90, at+".latitude", "must be from -90 to 90")
		c.must(v.Longitude >= -180 && v.Longitude <= 180, at+".longitude", "must be from -180 to 180")
	}
}

func (c *checker) bidding(b Bidding) {
	c.count(b.Invite, "repairs.bidding.invite", 1, 10)
	c.within(b.Within, "repairs.bidding.within", 30*day)
	c.within(b.Urgent, "repairs.bidding.urgent", 30*day)
	c.must(b.Least >= 1 && (b.Least <= b.Invite || b.Invite < 1), "repairs.bidding.least", "must be from 1 to invite")
	w := b.Weights
	c.count(w.Price, "repairs.bidding.weights.price", 0, 1000)
	c.count(w.Speed, "repairs.bidding.weights.speed", 0, 1000)
	c.count(w.Record, "repairs.bidding.weights.record", 0, 1000)
	c.count(w.Insurance, "repairs.bidding.weights.insurance", 0, 1000)
	c.must(max(w.Price, w.Speed, w.Record, w.Insurance) > 0, "repairs.bidding.weights", "must have one that is above 0")
}

func (c *checker) spend(s section) {
	p := s.Repairs.Spend
	c.reminders(p.RemindAfter, "repairs.spend.remind_after", 30*day, 1)
	c.within(p.EscalateAfter, "repairs.spend.escalate_after", 60*day)
	if n := len(p.RemindAfter); n > 0 {
		c.must(p.EscalateAfter > p.RemindAfter[n-1], "repairs.spend.escalate_after", "must be longer than the last of remind_after")
	}
	c.person(s, p.Accountant, "repairs.spend.accountant")
}

// reminders checks that each is longer than the one before it, or shorter where
// sign is -1.
func (c *checker) reminders(after []time.Duration, path string, longest time.Duration, sign int) {
	c.size(len(after), path, 0, maxRemind)
	order := map[int]string{1: "longer", -1: "shorter"}[sign]
	for i, d := range after {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.within(d, at, longest)
		c.must(i == 0 || time.Duration(sign)*(d-after[i-1]) > 0, at, "must be %s than the one before it", order)
	}
}

func (c *checker) windows(w Windows, path string) {
	c.size(len(w.Days), path+".days", 0, 7)
	for i, d := range w.Days {
		at := fmt.Sprintf("%s.days[%d]", path, i)
		c.must(slices.Contains(weekdays(), d), at, "must be one of %s", strings.Join(weekdays(), ", "))
		c.must(!slices.Contains(w.Days[:i], d), at, "is named twice")
	}
	c.size(len(w.Slots), path+".slots", 1, maxSlots)
	for i, slot := range w.Slots {
		at := fmt.Sprintf("%s.slots[%d]", path, i)
		c.must(slot.From < slot.To, at, "must end later than it begins, on the same day")
		c.must(i == 0 || slot.From >= w.Slots[i-1].To, at, "must begin when the one before it has ended")
	}
	c.count(w.Offered, path+".offered", 1, 6)
	c.must(w.Lead >= 0 && w.Lead <= 30*day, path+".lead", "must be at most %s", 30*day)
	c.within(w.Ahead, path+".ahead", 90*day)
	c.must(w.Ahead >= w.Lead+day, path+".ahead", "must be a day longer than lead, or more")
	c.count(w.JobsPerWindow, path+".jobs_per_window", 1, 20)
	c.within(w.AskAgain, path+".ask_again", 14*day)
	c.count(w.Times, path+".times", 1, 10)
}

func (c *checker) visit(v Visit) {
	c.reminders(v.Remind, "repairs.visit.remind", 14*day, -1)
	c.within(v.Late, "repairs.visit.late", day)
	c.count(v.Overrun, "repairs.visit.overrun", 0, 1000)
	c.count(v.NoAccess, "repairs.visit.no_access", 1, 10)
}

func (c *checker) checklists(lists map[string][]string) {
	_, general := lists[TradeGeneral]
	c.must(general, "repairs.checklists", "must have %s, which stands in for what is left out", TradeGeneral)
	for _, trade := range slices.Sorted(maps.Keys(lists)) {
		path, list := join("repairs.checklists", trade), lists[trade]
		c.trade(trade, path)
		c.size(len(list), path, 1, maxChecks)
		for i, item := range list {
			at := fmt.Sprintf("%s[%d]", path, i)
			c.must(item != "" && utf8.RuneCountInString(item) <= maxCheck, at, "must be given and have at most %d characters", maxCheck)
			c.must(!slices.Contains(list[:i], item), at, "is named twice")
		}
	}
}
