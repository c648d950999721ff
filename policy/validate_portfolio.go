package policy

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/currency"
)

// Bounds of the section on homes, which keep Portfolio small enough for histories.
const (
	maxOnboarding    = 30
	maxListingLines  = 12
	maxListingLine   = 300 // bytes
	maxSources       = 30
	maxMatches       = 20
	maxStanding      = 10
	maxRequirements  = 30
	maxWhere         = 60
	maxWhat          = 300 // bytes
	maxSourceCost    = Cents(10_000_00)
	maxMonths        = 600
	maxDaysBeforeDue = 366
)

var placeholderPattern = regexp.MustCompile(`\{[a-z]+\}`)

// listingPlaceholders are what a listing's headline and text may name.
func listingPlaceholders() []string {
	return []string{"{beds}", "{baths}", "{size}", "{city}", "{state}", "{rent}", "{available}", "{company}"}
}

// companysPortfolio are the keys of the section that no portfolio or property may override
// (see decoder.overrides): one Schedule serves all of them, and sums are of one currency.
func companysPortfolio() []string {
	return []string{"currency", "time_zone", "owners.pack_day", "owners.pack_at", "owners.digest_at"}
}

// portfolio checks the section wherever any of it is given, also where no questions switch
// it off: another level may switch it on.
func (c *checker) portfolio(s section) {
	p := s.Portfolio
	if reflect.ValueOf(p).IsZero() {
		return
	}
	unit, err := currency.ParseISO(p.Currency)
	c.must(err == nil && unit.String() == p.Currency, "portfolio.currency", `must be an ISO 4217 code such as "USD"`)
	c.must(p.TimeZone != "", "portfolio.time_zone", `must be given: the zone of schedules and months, such as "America/Los_Angeles"`)
	c.zone(p.TimeZone, "portfolio.time_zone")
	c.person(s, p.Agent, "portfolio.agent")
	c.within(p.Questions.RemindAfter, "portfolio.questions.remind_after", 30*day)
	c.count(p.Questions.Times, "portfolio.questions.times", 0, 10)
	c.items(p.Onboarding.Items, "portfolio.onboarding.items", 1, maxOnboarding)
	c.within(p.Onboarding.Within, "portfolio.onboarding.within", 366*day)
	c.vacancy(p.Vacancy)
	c.askingPrice(p.Pricing)
	c.compliance(p.Compliance)
	c.owners(p.Owners)
}

func (c *checker) vacancy(v Vacancy) {
	const path = "portfolio.vacancy"
	c.between(v.PublishAfter, path+".publish_after", 0, 60*day)
	c.listing(v.Headline, path+".headline", maxLine)
	c.size(len(v.Text), path+".text", 1, maxListingLines)
	for i, line := range v.Text {
		c.listing(line, fmt.Sprintf("%s.text[%d]", path, i), maxListingLine)
	}
	c.sources(v.Sources)
	c.windows(v.Showings, path+".showings")
	c.must(len(v.Showings.Days) > 0, path+".showings.days", "must name a day on which homes are shown")
	c.within(v.ApplyAfter, path+".apply_after", 30*day)
	c.within(v.ReviewPriceAfter, path+".review_price_after", 366*day)
	c.within(v.SpeakAfter, path+".speak_after", 366*day)
}

// listing checks a line of a listing.
func (c *checker) listing(line, path string, most int) {
	c.must(strings.TrimSpace(line) != "" && len(line) <= most && !hasBreaks(line), path, "must be given and be one line of at most %d bytes", most)
	rest := placeholderPattern.ReplaceAllStringFunc(line, func(p string) string {
		if slices.Contains(listingPlaceholders(), p) {
			return ""
		}
		return p
	})
	c.must(!strings.ContainsAny(rest, "{}"), path, "has braces that would be published as they are; a listing knows %s", strings.Join(listingPlaceholders(), ", "))
}

// sources checks where prospects come from. What a form or mail says must mean one source,
// and one takes what no other does.
func (c *checker) sources(list []ListingSource) {
	const path = "portfolio.vacancy.sources"
	c.size(len(list), path, 1, maxSources)
	ids, matches, others := map[string]bool{}, map[string]bool{}, 0
	for i, s := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.must(idPattern.MatchString(s.ID), at+".id", "must be given: small letters, digits, - and _")
		c.must(!ids[s.ID], at+".id", "is the id of an earlier source")
		ids[s.ID] = true
		c.line(s.Name, at+".name")
		c.amount(s.Monthly, at+".monthly", 0, maxSourceCost)
		c.amount(s.PerLead, at+".per_lead", 0, maxSourceCost)
		c.size(len(s.Match), at+".match", 0, maxMatches)
		if len(s.Match) == 0 {
			others++
		}
		for j, m := range s.Match {
			word, key := fmt.Sprintf("%s.match[%d]", at, j), strings.ToLower(m)
			c.line(m, word)
			c.must(!matches[key], word, "stands for a source already: each may stand for one")
			matches[key] = true
		}
	}
	c.must(others == 1, path, "must have exactly one without match, which takes what no other does, and has %d", others)
}

// items checks a list of lines that people tick off.
func (c *checker) items(list []string, path string, least, most int) {
	c.size(len(list), path, least, most)
	for i, item := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.line(item, at)
		c.must(!slices.Contains(list[:i], item), at, "is named twice")
	}
}

func (c *checker) askingPrice(p AskingPrice) {
	const path = "portfolio.pricing"
	c.must(p.Below < 1000, path+".below", "must be below 100%%")
	c.must(p.Above <= 1000, path+".above", "must be at most 100%%")
	c.amount(p.RoundTo, path+".round_to", 1, 1000_00)
	c.must(p.PerBed <= 1000, path+".per_bed", "must be at most 100%%")
	c.must(p.PerBath <= 1000, path+".per_bath", "must be at most 100%%")
	c.must(p.PerSize <= 1000, path+".per_size", "must be at most 100%%")
	c.must(p.PerYear <= 100, path+".per_year", "must be at most 10%%")
	c.within(p.MarketFresh, path+".market_fresh", 1098*day)
	c.size(len(p.Standing), path+".standing", 0, maxStanding)
	for i, s := range p.Standing {
		at := fmt.Sprintf("%s.standing[%d]", path, i)
		c.between(s.After, at+".after", day, 1098*day)
		c.must(s.Off > 0 && s.Off <= 500, at+".off", "must be above 0%% and at most 50%%")
		if i > 0 {
			c.must(s.After > p.Standing[i-1].After, at+".after", "must be longer than the one before it")
			c.must(s.Off > p.Standing[i-1].Off, at+".off", "must be more than the one before it")
		}
	}
	c.must(p.AskFrom <= 1000, path+".ask_from", "must be at most 100%%")
	c.must(p.Built == 0 || p.Built >= 1500 && p.Built <= 2200, path+".built", "must be a year such as 1962, or be left out")
}

func (c *checker) compliance(p Compliance) {
	const path = "portfolio.compliance"
	c.daysBefore(p.RemindDays, path+".remind_days", 0, maxDaysBeforeDue)
	c.between(p.OverdueEvery, path+".overdue_every", day, 90*day)
	c.size(len(p.Requirements), path+".requirements", 0, maxRequirements)
	seen := map[string]bool{}
	for i, r := range p.Requirements {
		at := fmt.Sprintf("%s.requirements[%d]", path, i)
		c.must(!seen[r.ID], at+".id", "is the id of an earlier requirement")
		seen[r.ID] = true
		c.requirement(r, at)
	}
}

func (c *checker) requirement(r Requirement, at string) {
	c.must(idPattern.MatchString(r.ID), at+".id", "must be given: small letters, digits, - and _")
	c.line(r.Name, at+".name")
	kinds := []string{RequirementCertificate, RequirementInspection, RequirementLicence, RequirementInsurance}
	c.must(slices.Contains(kinds, r.Kind), at+".kind", "must be one of %s", strings.Join(kinds, ", "))
	c.size(len(r.States), at+".states", 0, maxWhere)
	for i, state := range r.States {
		in := fmt.Sprintf("%s.states[%d]", at, i)
		c.must(len(state) == 2 && strings.Contains(states, " "+state+" "), in, `must be the two capital letters of a state, such as "OR"`)
		c.must(!slices.Contains(r.States[:i], state), in, "is named twice")
	}
	c.items(r.Cities, at+".cities", 0, maxWhere)
	c.count(r.Months, at+".months", 1, maxMonths)
	c.within(r.FirstWithin, at+".first_within", 1098*day)
	c.must(len(r.What) <= maxWhat && !hasBreaks(r.What), at+".what", "must be one line of at most %d bytes", maxWhat)
	c.must(numberOrNone.MatchString(r.InspectionType), at+".inspection_type", "must be an id of RentVine: a whole number")
	c.must(numberOrNone.MatchString(r.InspectionStatus), at+".inspection_status", "must be an id of RentVine: a whole number")
	c.must((r.InspectionType == "") == (r.InspectionStatus == ""), at+".inspection_status", "must be given with inspection_type, or neither: RentVine needs both")
}

func (c *checker) owners(o OwnerReports) {
	const path = "portfolio.owners"
	c.count(o.PackDay, path+".pack_day", 1, 28)
	c.within(o.DigestAge, path+".digest_age", 366*day)
	c.within(o.DigestEvery, path+".digest_every", 366*day)
	c.between(o.PageLife, path+".page_life", time.Hour, 366*day)
	t := o.Targets
	c.within(t.Repair, path+".targets.repair", 366*day)
	c.within(t.Invoice, path+".targets.invoice", 366*day)
	c.within(t.MakeReady, path+".targets.make_ready", 366*day)
	c.within(t.FirstReply, path+".targets.first_reply", 366*day)
	c.count(t.Rating, path+".targets.rating", 10, 50)
	c.must(t.FirstTimeFix <= 1000, path+".targets.first_time_fix", "must be at most 100%%")
	c.must(t.Occupancy <= 1000, path+".targets.occupancy", "must be at most 100%%")
}
