package renewal

import (
	"fmt"
	"strconv"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/leasescore"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

const (
	// maxShown bounds the comparables and factors that people are shown.
	maxShown = 8
	// maxText bounds what a page says in one line, maxNote what a tenant wrote, maxName a
	// signature; in characters.
	maxText = 300
	maxNote = 500
	maxName = 100
)

func (s *State) money(c policy.Cents) string {
	return policy.Money{Amount: c, Currency: s.Rules.Currency}.String()
}

// data adds the rents and the terms to what a text may say.
func (s *State) data(d policy.LeaseData) policy.LeaseData {
	d.Rent, d.NewRent = s.Lease.Rent, s.Price
	if t := s.Terms; t != nil {
		d.NewRent, d.NewEnd, d.From, d.Months = t.Rent, t.End, t.From, t.Months
	}
	if i := policy.Increase(d.Rent, d.NewRent); i > 0 && d.NewRent <= 2*d.Rent {
		d.Increase = i
	}
	return d
}

func detail(label, text string, args ...any) activities.Detail {
	return activities.Detail{Label: label, Text: campaign.Clip(fmt.Sprintf(text, args...), maxText)}
}

// priceDetails say what a decision about the rent rests on.
func (s *State) priceDetails() []activities.Detail {
	list := []activities.Detail{
		detail("Rent now", "%s a month", s.money(s.Lease.Rent)),
		detail("Suggested rent", "%s a month: %s", s.money(s.Price), s.change(s.Price)),
		detail("Lease ends on", "%s", s.Lease.End),
		detail("Why", "%s", s.PriceWhy),
	}
	if g := s.Suggestion; g != nil {
		if g.Low > 0 && g.High > 0 {
			list = append(list, detail("Range", "%s to %s", s.money(g.Low), s.money(g.High)))
		}
		list = append(list, detail("Confidence", "%d%%", g.Confidence))
		for _, c := range g.Comparables[:min(len(g.Comparables), maxShown)] {
			list = append(list, detail("Lease "+c.LeaseID, "%s, adjusted %s, counts %d: %s", s.money(c.Rent), s.money(c.AdjustedRent), c.Weight, c.Reason))
		}
	}
	list = append(list, s.lawDetails(s.Price)...)
	return append(list, s.assessmentDetails()...)
}

// change says how a rent compares with the present one.
func (s *State) change(rent policy.Cents) string {
	switch by := policy.Increase(s.Lease.Rent, rent); {
	case by > 0:
		return by.String() + " more"
	case rent < s.Lease.Rent:
		return s.money(s.Lease.Rent-rent) + " less"
	}
	return "as now"
}

func (s *State) lawDetails(rent policy.Cents) []activities.Detail {
	rule, known, needed := s.rule(rent)
	if !needed {
		return []activities.Detail{detail("Notice", "none: the rent does not rise")}
	}
	if !known {
		return []activities.Detail{detail("Notice", "no rule is known for %s: please look it up", s.Lease.State)}
	}
	asOf, _ := rule.AsOf.MarshalText()
	list := []activities.Detail{
		detail("Notice", "%d days for increases over %s in %s", rule.Days, rule.Over, s.Lease.State),
		detail("Source", "%s, as of %s", rule.Source, asOf),
	}
	if most, limit := s.mostLawful(); limit > 0 {
		list = append(list, detail("Greatest lawful increase", "%s: up to %s", limit, s.money(most)))
	}
	if rule.Disputed != "" {
		list = append(list, detail("Disputed", "%s", rule.Disputed))
	}
	return list
}

func (s *State) assessmentDetails() []activities.Detail {
	a := s.Assessment
	if a == nil {
		return []activities.Detail{detail("Assessment", "could not be made")}
	}
	list := []activities.Detail{
		detail("Likely to renew", "%d%% (confidence %d%%)", a.RenewalProbability, a.Confidence),
		detail("Risk", "%d%%", a.Risk),
	}
	for _, f := range shown(a.Factors) {
		list = append(list, detail(policy.Words(f.Name), "%s (%s points)", f.Value, signed(f.Points)))
	}
	return list
}

// shown are the factors that are known.
func shown(all []leasescore.Contribution) (known []leasescore.Contribution) {
	for _, f := range all {
		if f.Known && len(known) < maxShown {
			known = append(known, f)
		}
	}
	return known
}

func signed(n int) string {
	if n > 0 {
		return "+" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// termDetails are what tenants agree to.
func (s *State) termDetails() []activities.Detail {
	t := s.Terms
	list := []activities.Detail{
		detail("New lease", "%s to %s (%d months)", t.Start, t.End, t.Months),
		detail("Rent", "%s a month", s.money(t.Rent)),
	}
	if t.From != "" {
		list = append(list, detail("New rent from", "%s; until then %s", t.From, s.money(s.Lease.Rent)))
	}
	return list
}
