package policy

import (
	"maps"
	"slices"
)

// leasing is "leasing" of a section. People are named by id.
type leasing struct {
	// Currency of all amounts, ISO 4217; Language is that of people of whom none is known.
	Currency  string    `json:"currency"`
	Language  string    `json:"language"`
	MoveIn    MoveIn    `json:"move_in"`
	Renewal   Renewal   `json:"renewal"`
	Retention Retention `json:"retention"`
	Scoring   Scoring   `json:"scoring"`
	// Words are what the policy's own names of utilities, packages and incentives are
	// called, by language and name.
	Words map[string]map[string]string `json:"words"`
	// Texts are by language and id.
	Texts map[string]map[string]leaseSource `json:"texts"`
}

// leaseSource is LeaseText as it is written in the file.
type leaseSource struct {
	Subject string            `json:"subject"`
	Body    paragraphs        `json:"body"`
	SMS     string            `json:"sms"`
	Title   string            `json:"title"`
	Options map[string]string `json:"options"`
	Fields  map[string]string `json:"fields"`
}

// on tells whether leases are accompanied.
func (l leasing) on() bool { return l.Renewal.Lead > 0 }

// sectionFor is what applies to a property: the company's section, overridden by the
// portfolio's, overridden by the property's.
func (p *Policy) sectionFor(portfolioID, propertyID string) section {
	s := p.company
	d := newDecoder()
	if node, ok := p.portfolios[portfolioID]; ok {
		d.into(node, &s, "portfolios."+portfolioID)
	}
	if node, ok := p.properties[propertyID]; ok {
		d.into(node, &s, "properties."+propertyID)
	}
	return s
}

// Leasing is how the leases of a property are accompanied, resolved as For does it. The
// result shares nothing with the policy.
func (p *Policy) Leasing(portfolioID, propertyID string) Leasing {
	return p.sectionFor(portfolioID, propertyID).resolveLeasing(p.version)
}

// Leasing is how the leases of a property are accompanied now; see Policy.Leasing.
func (f *File) Leasing(portfolioID, propertyID string) Leasing {
	return f.Current().Leasing(portfolioID, propertyID)
}

// LeaseText renders a text for the people of a property in a language (a BCP 47 tag),
// and tells in which it is. It is that asked for, else one of the same base ("es" for
// "es-MX"), else the policy's own. It depends on nothing but the policy and data. The
// placeholders {code} and {link} stay as they are, and values cannot bring in others.
// The error is ErrUnknownText, or the template's, which Load rules out.
func (p *Policy) LeaseText(portfolioID, propertyID, language, id string, data LeaseData) (text LeaseText, in string, err error) {
	return p.sectionFor(portfolioID, propertyID).leaseText(language, id, data)
}

// LeaseText renders a text as the policy has it now; see Policy.LeaseText.
func (f *File) LeaseText(portfolioID, propertyID, language, id string, data LeaseData) (text LeaseText, in string, err error) {
	return f.Current().LeaseText(portfolioID, propertyID, language, id, data)
}

// resolveLeasing puts people in the place of their ids and copies whatever could be
// changed.
func (s section) resolveLeasing(version string) Leasing {
	l := s.Leasing
	out := Leasing{
		Version: version, Company: s.Name, TimeZone: s.TimeZone, Currency: l.Currency, Language: l.Language,
		Manager: s.person(s.PropertyManager), MoveIn: l.MoveIn, Renewal: l.Renewal, Retention: l.Retention, Scoring: l.Scoring,
	}
	out.Outreach = out.Manager
	if id := l.Retention.OutreachBy; id != "" {
		out.Outreach = s.person(id)
	}
	if id := l.MoveIn.Inspection.Inspector; id != "" {
		out.Inspector = s.person(id)
	}
	m, r := &out.MoveIn, &out.Renewal
	m.Welcome, m.Utilities, m.Checks = slices.Clone(m.Welcome), slices.Clone(m.Utilities), slices.Clone(m.Checks)
	m.UtilityChase = slices.Clone(m.UtilityChase)
	r.Notice, r.RemindOwner, r.Chase = slices.Clone(r.Notice), slices.Clone(r.RemindOwner), slices.Clone(r.Chase)
	out.Retention.Incentives = slices.Clone(out.Retention.Incentives)
	out.Scoring.Factors = maps.Clone(out.Scoring.Factors)
	return out
}
