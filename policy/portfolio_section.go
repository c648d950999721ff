package policy

import "slices"

// portfolio is "portfolio" of a section. People are named by id; the manager and the
// escalation contact are the section's own.
type portfolio struct {
	// Currency of all amounts, ISO 4217; TimeZone is that of schedules and months, the
	// company's alone.
	Currency string `json:"currency"`
	TimeZone string `json:"time_zone"`
	// Agent shows homes.
	Agent string `json:"agent"`

	Questions  PortfolioQuestions `json:"questions"`
	Onboarding Onboarding         `json:"onboarding"`
	Vacancy    Vacancy            `json:"vacancy"`
	Pricing    AskingPrice        `json:"pricing"`
	Compliance Compliance         `json:"compliance"`
	Owners     OwnerReports       `json:"owners"`
}

// Portfolio is how the homes of a property are looked after, resolved as For does it. The
// result shares nothing with the policy.
func (p *Policy) Portfolio(portfolioID, propertyID string) Portfolio {
	return p.sectionFor(portfolioID, propertyID).resolvePortfolio(p.version)
}

// Portfolio is how the homes of a property are looked after now; see Policy.Portfolio.
func (f *File) Portfolio(portfolioID, propertyID string) Portfolio {
	return f.Current().Portfolio(portfolioID, propertyID)
}

// resolvePortfolio puts people in the place of their ids and copies whatever could be
// changed.
func (s section) resolvePortfolio(version string) Portfolio {
	p := s.Portfolio
	out := Portfolio{
		Version: version, Company: s.Name, TimeZone: p.TimeZone, Currency: p.Currency,
		Questions: p.Questions, Onboarding: p.Onboarding, Vacancy: p.Vacancy, Pricing: p.Pricing,
		Compliance: p.Compliance, Owners: p.Owners,
	}
	if !out.On() {
		return out
	}
	out.Manager, out.Agent, out.Escalation = s.person(s.PropertyManager), s.person(p.Agent), s.person(s.PropertyManager)
	if len(s.Escalation) > 0 {
		out.Escalation = s.person(s.Escalation[0])
	}
	out.Onboarding.Items = slices.Clone(out.Onboarding.Items)
	v := &out.Vacancy
	v.Text, v.Sources = slices.Clone(v.Text), slices.Clone(v.Sources)
	for i := range v.Sources {
		v.Sources[i].Match = slices.Clone(v.Sources[i].Match)
	}
	v.Showings.Days, v.Showings.Slots = slices.Clone(v.Showings.Days), slices.Clone(v.Showings.Slots)
	out.Pricing.Standing = slices.Clone(out.Pricing.Standing)
	c := &out.Compliance
	c.Requirements, c.RemindDays = slices.Clone(c.Requirements), slices.Clone(c.RemindDays)
	for i := range c.Requirements {
		r := &c.Requirements[i]
		r.States, r.Cities = slices.Clone(r.States), slices.Clone(r.Cities)
	}
	return out
}
