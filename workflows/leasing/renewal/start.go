package renewal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/comparables"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

const (
	day = 24 * time.Hour
	// morning is the time of day at which campaigns begin and chase.
	morning policy.TimeOfDay = 9 * 60
	// patience stands in where policy names no time to decide.
	patience = 2 * day
	// usualTerm stands in where policy names no term, in months.
	usualTerm = 12
)

// StartAt is when the renewal of a lease begins: so long before its end as policy says,
// or as the notice for the greatest increase that policy and law allow and the owner's
// approval take together, if that is longer. ok is false for a lease that is not to be
// renewed: without an end, from month to month, over, or of tenants who leave.
func StartAt(lease activities.LeaseView, rules policy.Leasing) (start time.Time, ok bool) {
	if lease.Over() || lease.Leaving() || lease.MonthToMonth || lease.End == "" {
		return time.Time{}, false
	}
	r := rules.Renewal
	most := r.Pricing.Most
	if limit := comparables.LimitsOf(r, lease.State).Cap; limit > 0 {
		most = min(most, limit)
	}
	lead := days(r.Lead)
	if rule, known := r.NoticeFor(lease.State, most); known && most > 0 {
		lead = max(lead, rule.Days+days(r.Approval))
	}
	return campaign.Day(lease.End, -lead, morning, lease.Zone)
}

// days is how many days a duration takes, rounded up.
func days(d time.Duration) int { return int((d + day - 1) / day) }

// chases are so many moments, each a pause after the one before.
func chases(now time.Time, pause time.Duration, times int) (moments []time.Time) {
	for i := range times {
		moments = append(moments, now.Add(time.Duration(i+1)*pause))
	}
	return moments
}

// monthsAfter is the same day of another month, or that month's last one; it is the day
// itself where that cannot be read.
func monthsAfter(of string, n int) string {
	d, err := time.Parse(time.DateOnly, of)
	if err != nil {
		return of
	}
	first := time.Date(d.Year(), d.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(d.Day(), last)-1).Format(time.DateOnly)
}

// rule is the notice rule for a rent. needed is false where the rent does not rise, and
// known where no rule is.
func (s *State) rule(rent policy.Cents) (rule policy.NoticeRule, known, needed bool) {
	increase := policy.Increase(s.Lease.Rent, rent)
	if increase <= 0 {
		return policy.NoticeRule{}, false, false
	}
	rule, known = s.Rules.Renewal.NoticeFor(s.Lease.State, increase)
	return rule, known, true
}

// ruling is what was decided about the rule for a rent. open tells that a person has to
// decide still.
func (s *State) ruling(rent policy.Cents) (name string, refused, open bool) {
	rule, known, needed := s.rule(rent)
	if !needed || known && rule.Disputed == "" {
		return "", false, false
	}
	name = "no rule for " + s.Lease.State
	if known {
		asOf, _ := rule.AsOf.MarshalText()
		name = fmt.Sprintf("%s over %s: %d days (%s, %s)", rule.State, rule.Over, rule.Days, asOf, campaign.Clip(rule.Disputed, 80))
	}
	for _, r := range slices.Backward(s.Rulings) {
		if r.Rule == name {
			return name, !r.OK, false
		}
	}
	return name, false, true
}

// mostLawful is the greatest rent that the law is known to allow, 0 for no limit.
func (s *State) mostLawful() (rent policy.Cents, limit policy.Permille) {
	limit = comparables.LimitsOf(s.Rules.Renewal, s.Lease.State).Cap
	if limit <= 0 {
		return 0, 0
	}
	return s.Lease.Rent + s.Lease.Rent*policy.Cents(limit)/1000, limit
}

// refuses says why a rent that somebody typed cannot be taken, "" where it can.
func (s *State) refuses(text string) (rent policy.Cents, why string) {
	rent, err := policy.ParseCents(strings.TrimSpace(text))
	now := s.Lease.Rent
	most, limit := s.mostLawful()
	switch {
	case err != nil || rent <= 0:
		return 0, `Please write a rent above zero, such as "1850.00".`
	case limit > 0 && rent > most:
		return 0, fmt.Sprintf("The law is known to allow an increase of %s at most here: up to %s.", limit, s.money(most))
	case rent > 2*now:
		return 0, fmt.Sprintf("Please check the rent: it is more than twice the present %s.", s.money(now))
	case 2*rent < now:
		return 0, fmt.Sprintf("Please check the rent: it is less than half of the present %s.", s.money(now))
	}
	if _, refused, _ := s.ruling(rent); refused {
		return 0, fmt.Sprintf("The manager has declined such an increase for its notice rule: up to %s.", s.money(now))
	}
	return rent, ""
}

// proposed is a rent within what policy and law allow, the usual one where none is
// suggested.
func (s *State) proposed(rent policy.Cents) policy.Cents {
	now, p := s.Lease.Rent, s.Rules.Renewal.Pricing
	step := max(p.RoundTo, 1)
	if rent <= 0 {
		rent = (now + p.Usual.Of(now)) / step * step
	}
	most := min(now+p.Most.Of(now), 2*now)
	if lawful, limit := s.mostLawful(); limit > 0 {
		most = min(most, lawful)
	}
	if rent > most {
		rent = most / step * step
	}
	if rent < now && p.Least >= 0 || 2*rent < now {
		return now
	}
	if _, refused, _ := s.ruling(rent); refused {
		return now
	}
	return rent
}

// termsFor are the terms at a rent that was offered on a day. ok is false where the
// lease has no end. late tells that the rent rises later than the new lease begins, since
// the notice takes so long.
func (s *State) termsFor(rent policy.Cents, offeredOn string) (t Terms, late, ok bool) {
	t = Terms{Rent: rent, Start: campaign.DayAfter(s.Lease.End, 1), Months: s.Rules.Renewal.Term}
	if t.Months <= 0 {
		t.Months = usualTerm
	}
	if _, isDay := campaign.Day(s.Lease.End, 0, morning, s.Lease.Zone); !isDay {
		return t, false, false
	}
	t.End = campaign.DayAfter(monthsAfter(t.Start, t.Months), -1)
	if rent == s.Lease.Rent {
		return t, false, true
	}
	t.From = t.Start
	if rule, known, needed := s.rule(rent); needed {
		if known {
			t.From = max(t.From, campaign.DayAfter(offeredOn, rule.Days))
		}
		t.From = max(t.From, s.Lease.IncreaseFrom)
	}
	return t, t.From > t.Start, true
}
