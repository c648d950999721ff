package sourcing

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/policy"
)

// Technicians ranks our own people for a job, best first, and lists those passed over
// in the order of the roster. rate is the price of an hour. load is how many open jobs
// each holds, cards are their records, and asked are those who were asked before, all
// by the person's id in policy. Nobody needs to be on shift at the business time now,
// but must be soon: within a day where the job is urgent, else within a week.
func Technicians(job Job, roster []policy.Technician, rate policy.Cents, load map[string]int, cards map[string]Card, asked map[string]bool, now time.Time) (ranked []Candidate, passed []Passed) {
	for _, t := range roster {
		id := t.Person.ID
		tenths, known := job.distance(true, t.Latitude, t.Longitude)
		if why := job.unfit(t, load[id], tenths, known, asked[id], now); why != "" {
			passed = append(passed, Passed{id, why})
			continue
		}
		near, room, skilled, proven := 45, 20, 10, 25
		if job.Urgent {
			near, room, skilled, proven = 60, 25, 5, 10
		}
		free := part{full - share(load[id], t.MaxJobs), room, fmt.Sprintf("%d of %d jobs", load[id], t.MaxJobs)}
		points, reason := score(job.near(tenths, known, near), free, job.skill(t.Trades, skilled), record(cards[id], proven))
		ranked = append(ranked, Candidate{
			Kind: Technician, ID: id, UserID: t.ID, Name: t.Person.Name, Phone: t.Person.Phone, Email: t.Person.Email,
			Estimate: job.estimate(rate), Score: points, Reason: reason, DistanceKm: float64(tenths) / 10, Card: cards[id],
		})
	}
	slices.SortStableFunc(ranked, best)
	return ranked, passed
}

// unfit says why a technician is passed over, "" where not.
func (j Job) unfit(t policy.Technician, load, tenths int, known, asked bool, now time.Time) string {
	switch {
	case asked:
		return "asked before"
	// Any of our own people takes a general job.
	case j.trade() != policy.TradeGeneral && !Suits(t.Trades, j.trade()):
		return "does not do " + j.Trade
	case !worksSoon(t.Shifts, now, j.Urgent):
		return "has no shift soon"
	case load >= t.MaxJobs:
		return fmt.Sprintf("has %d of %d jobs", load, t.MaxJobs)
	}
	return j.tooFar(tenths, known)
}

// worksSoon looks a day further on both sides, since the day of a shift is that of
// its own zone.
func worksSoon(shifts []policy.Shift, now time.Time, urgent bool) bool {
	days := 7
	if urgent {
		days = 1
	}
	for n := -1; n <= days+1; n++ {
		day := strings.ToLower(now.UTC().AddDate(0, 0, n).Weekday().String()[:3])
		if slices.ContainsFunc(shifts, func(s policy.Shift) bool { return slices.Contains(s.Days, day) }) {
			return true
		}
	}
	return false
}

// Vendors ranks vendors for a job whose work is done on a day ("2026-11-24"), best
// first, and lists those passed over in the order of the firms. Nobody is ranked whose
// insurance is not known to cover that day. rate is the price of an hour; cards are
// records and asked are those who were asked before, both by the id of a candidate.
// ranked is never nil, as Prefer wants it.
func Vendors(job Job, firms []Firm, rate policy.Cents, day string, cards map[string]Card, asked map[string]bool) (ranked []Candidate, passed []Passed) {
	ranked = []Candidate{}
	for _, f := range firms {
		id := VendorID(f.ContactID)
		tenths, known := job.distance(f.HasPosition, f.Latitude, f.Longitude)
		covered, insured := coverage(f.InsuranceExpires, day)
		why := f.unfit(job, insured, asked[id])
		if why == "" {
			why = job.tooFar(tenths, known)
		}
		if why != "" {
			passed = append(passed, Passed{id, why})
			continue
		}
		near, skilled, proven, safe := 35, 10, 45, 10
		if job.Urgent {
			near, skilled, proven, safe = 60, 5, 25, 10
		}
		points, reason := score(job.near(tenths, known, near), job.skill(f.Trades, skilled), record(cards[id], proven), insurance(covered, safe))
		ranked = append(ranked, Candidate{
			Kind: Vendor, ID: id, ContactID: f.ContactID, Name: f.Name, Phone: f.Phone, Email: f.Email,
			Estimate: job.estimate(rate), Score: points, Reason: reason, DistanceKm: float64(tenths) / 10,
			InsuranceExpires: f.InsuranceExpires, Card: cards[id],
		})
	}
	slices.SortStableFunc(ranked, best)
	return ranked, passed
}

// VendorID is the id of the candidate who is a contact at RentVine.
func VendorID(contactID string) string { return "contact:" + contactID }

// coverage is how many days after a day an insurance still covers; what cannot be read
// covers nothing.
func coverage(expires, day string) (days int, insured bool) {
	until, known := dayOf(expires)
	on, valid := dayOf(day)
	if !known || !valid || until.Before(on) {
		return 0, false
	}
	return daysBetween(on, until), true
}

// insurance is how long somebody is still insured as part of a score: a year is full.
func insurance(days, weight int) part {
	const month = 30
	return part{share(days, 365), weight, fmt.Sprintf("insured %d months more", days/month)}
}

// unfit says why a vendor is passed over, "" where not.
func (f Firm) unfit(job Job, insured, asked bool) string {
	switch {
	case asked:
		return "asked before"
	case !f.Active:
		return "is not active"
	case !Suits(f.Trades, job.trade()):
		return "does not do " + job.trade()
	case f.InsuranceExpires == "":
		return "insurance unknown"
	case !insured:
		return "not insured on the day"
	case strings.TrimSpace(f.Phone) == "" && strings.TrimSpace(f.Email) == "":
		return "has neither phone nor e-mail"
	}
	return ""
}

// Prefer decides whether one of our own people or a vendor is asked first. A technician
// comes first where one suits, the job is not longer than rules.TechniciansUpTo, and he
// costs no more by the rates or the job is urgent. vendors is nil where nobody has
// looked for them yet; where it is empty, a technician is better than nobody. The reason
// has no names.
func Prefer(job Job, technicians, vendors []Candidate, rules policy.Repairs) (Kind, string) {
	rate := rules.RateOf(job.Trade)
	ours, theirs := job.estimate(rate.Technician), job.estimate(rate.Vendor)
	length := time.Duration(job.Minutes) * time.Minute
	switch {
	case len(technicians) == 0:
		return Vendor, "no technician suits"
	case vendors != nil && len(vendors) == 0:
		return Technician, "no vendor suits"
	case length > rules.TechniciansUpTo:
		return Vendor, fmt.Sprintf("%s of work is more than the %s that technicians take", hours(length), hours(rules.TechniciansUpTo))
	case job.Urgent:
		return Technician, fmt.Sprintf("it is urgent, %s of work, and %s suit", hours(length), people(len(technicians)))
	case ours > theirs:
		return Vendor, fmt.Sprintf("a vendor costs about %s, a technician %s", money(theirs, rules), money(ours, rules))
	}
	return Technician, fmt.Sprintf("%s of work costs about %s by a technician, %s by a vendor", hours(length), money(ours, rules), money(theirs, rules))
}

func money(c policy.Cents, rules policy.Repairs) string {
	return policy.Money{Amount: c, Currency: rules.Currency}.String()
}

func people(n int) string {
	if n == 1 {
		return "1 technician"
	}
	return fmt.Sprintf("%d technicians", n)
}

// hours is "1:30 h".
func hours(d time.Duration) string {
	minutes := int(d / time.Minute)
	return fmt.Sprintf("%d:%02d h", minutes/60, minutes%60)
}
