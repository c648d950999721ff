package policy

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// ContactRules are how campaigns may write to people, "contact" of the file. They are
// read where a message is sent, and are no part of Settings.
type ContactRules struct {
	// QuietHoursByState are when no text goes to somebody in a state, by its two
	// letters, besides QuietHours of Settings. They are meant in the property's zone.
	QuietHoursByState map[string]QuietHours `json:"quiet_hours_by_state"`
	Caps              CampaignCaps          `json:"caps"`
}

// CampaignCaps are how many messages of all campaigns together a person gets, by any
// channel.
type CampaignCaps struct {
	PerWeek  int `json:"campaign_per_week"`
	PerMonth int `json:"campaign_per_month"`
}

// What CampaignCaps are where the file leaves them out.
const (
	defaultCapPerWeek  = 3
	defaultCapPerMonth = 8
)

// The lengths of a week and a month of caps (business time).
const (
	CapWeek  = 7 * day
	CapMonth = 30 * day
)

// marketingQuiet is when no text of marketing goes to anybody in the United States,
// whatever else the policy says: 47 CFR 64.1200(c)(1), in the zone of who gets it.
func marketingQuiet() QuietHours { return QuietHours{From: 21 * 60, To: 8 * 60} }

// Contact is what applies to the people of a property, resolved as For does it.
func (p *Policy) Contact(portfolioID, propertyID string) ContactRules {
	s := p.company
	d := newDecoder()
	if node, ok := p.portfolios[portfolioID]; ok {
		d.into(node, &s, "portfolios."+portfolioID)
	}
	if node, ok := p.properties[propertyID]; ok {
		d.into(node, &s, "properties."+propertyID)
	}
	return s.Contact.resolve()
}

// Contact is what applies to the people of a property now; see Policy.Contact.
func (f *File) Contact(portfolioID, propertyID string) ContactRules {
	return f.Current().Contact(portfolioID, propertyID)
}

// resolve puts in what was left out, and shares nothing.
func (r ContactRules) resolve() ContactRules {
	r.QuietHoursByState = maps.Clone(r.QuietHoursByState)
	if r.Caps.PerWeek == 0 {
		r.Caps.PerWeek = defaultCapPerWeek
	}
	if r.Caps.PerMonth == 0 {
		r.Caps.PerMonth = defaultCapPerMonth
	}
	return r
}

// QuietUntil tells whether a text must wait at t, and until when (UTC): quiet are
// the hours of the settings, those of the state where it is known, and for marketing
// those of federal law. All count by the wall clock of the settings' zone, which is
// the property's: where its tenants are in another one nobody knows.
func (r ContactRules) QuietUntil(s Settings, state string, marketing bool, t time.Time) (time.Time, bool) {
	quiet := []QuietHours{s.QuietHours}
	if hours, ok := r.QuietHoursByState[strings.ToUpper(state)]; ok {
		quiet = append(quiet, hours)
	}
	if marketing {
		quiet = append(quiet, marketingQuiet())
	}
	// One may end within another. Where they leave no time at all the days of a week
	// bound the search, and the text is looked at again then.
	end := t
	for range 7 * len(quiet) {
		later := false
		for _, hours := range quiet {
			s.QuietHours = hours
			if until, on := s.QuietUntil(end); on {
				end, later = until, true
			}
		}
		if !later {
			break
		}
	}
	if end.Equal(t) {
		return time.Time{}, false
	}
	return end, true
}

// Language is which of the available languages (BCP 47 tags) a person is written to
// in: the preferred one, else one with the same base ("es" for "es-MX", and the other
// way round), else "en". Case does not count, nor whether - or _ is used.
func Language(preferred string, available []string) string {
	wanted := tagOf(preferred)
	base, _, _ := strings.Cut(wanted, "-")
	if base == "" {
		return fallbackLanguage
	}
	for _, matches := range []func(tag string) bool{
		func(tag string) bool { return tag == wanted },
		func(tag string) bool { return tag == base },
		func(tag string) bool { return strings.HasPrefix(tag, base+"-") },
	} {
		if i := slices.IndexFunc(available, func(a string) bool { return matches(tagOf(a)) }); i >= 0 {
			return available[i]
		}
	}
	return fallbackLanguage
}

// fallbackLanguage is the one that every text exists in.
const fallbackLanguage = "en"

func tagOf(language string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimSpace(language), "_", "-"))
}

// states are the two letters of the states of the United States, of its capital and
// of its territories, as the postal service has them.
const states = " AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK" +
	" OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC AS GU MP PR VI "

// contact checks the section "contact".
func (c *checker) contact(r ContactRules) {
	for _, state := range slices.Sorted(maps.Keys(r.QuietHoursByState)) {
		path := join("contact.quiet_hours_by_state", state)
		c.must(len(state) == 2 && strings.Contains(states, " "+state+" "), path, `must be named by the two capital letters of a state, such as "FL"`)
		hours := r.QuietHoursByState[state]
		c.must(leavesTime(hours), path, "must leave some time between %s and %s, when marketing may be texted", marketingQuiet().To, marketingQuiet().From)
	}
	c.count(r.Caps.PerWeek, "contact.caps.campaign_per_week", 0, 1000)
	c.count(r.Caps.PerMonth, "contact.caps.campaign_per_month", 0, 1000)
}

// leavesTime tells whether the hours and those of marketing together leave any time.
func leavesTime(hours QuietHours) bool {
	for t := marketingQuiet().To; t < marketingQuiet().From; t++ {
		within := hours.From <= t && t < hours.To
		if hours.To < hours.From {
			within = t >= hours.From || t < hours.To
		}
		if !within {
			return true
		}
	}
	return false
}
