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

// DescribeVacancy shows a vacancy.
var DescribeVacancy = durable.Query[VacancyDescription]{
	Name: "describe", Description: "How far the marketing of the home is, what came of each source, and what is next",
}

type (
	// VacancyDescription is what an operator sees. It names nobody.
	VacancyDescription struct {
		PropertyID string `json:"property_id"`
		UnitID     string `json:"unit_id"`
		Home       string `json:"home"`
		Stage      string `json:"stage"`
		Why        string `json:"why,omitempty"`
		Rent       string `json:"rent"`
		RentWhy    string `json:"rent_why,omitempty"`
		Headline   string `json:"headline,omitempty"`
		Text       string `json:"text,omitempty"`
		// ListedAt and NextAt are business time.
		ListedAt time.Time `json:"listed_at,omitzero"`
		NextAt   time.Time `json:"next_at,omitzero"`
		Next     string    `json:"next,omitempty"`
		// Prospects are how many there are of each status, FirstReply how long they waited
		// for an answer in the mean (real time).
		Prospects  []StatusCount `json:"prospects,omitempty"`
		Crowded    int           `json:"crowded,omitempty"`
		FirstReply string        `json:"first_reply,omitempty"`
		Sources    []SourceCount `json:"sources,omitempty"`
		Cost       string        `json:"cost"`
		Reviews    int           `json:"reviews,omitempty"`
		Log        []LogEntry    `json:"log,omitempty"`
		Unusable   int           `json:"unusable,omitempty"`
	}
	// StatusCount is how many prospects are how far.
	StatusCount struct {
		Status string `json:"status"`
		Count  int    `json:"count"`
	}
)

// costOf is what sources cost a listing of so many days, by what came of them.
func costOf(rules []policy.ListingSource, counts []SourceCount, days int) (cost policy.Cents) {
	for _, r := range rules {
		cost += (r.Monthly*policy.Cents(days) + daysOfMonth/2) / daysOfMonth
		for _, c := range counts {
			if c.ID == r.ID {
				cost += r.PerLead * policy.Cents(c.Leads)
			}
		}
	}
	return cost
}

// daysOfMonth is what a month's rent and fees are spread over.
const daysOfMonth = 30

// lostRent is the rent that so many empty days would have brought.
func lostRent(rent policy.Cents, days int) policy.Cents {
	return (rent*policy.Cents(days) + daysOfMonth/2) / daysOfMonth
}

// daysOf counts days; one that has begun counts.
func daysOf(d time.Duration) int {
	if d <= 0 {
		return 0
	}
	return int((d + 24*time.Hour - 1) / (24 * time.Hour))
}

// daysListed is for how long the home was offered until a time.
func (s *VacancyState) daysListed(until time.Time) int {
	if s.ListedAt.IsZero() {
		return 0
	}
	return daysOf(until.Sub(s.ListedAt))
}

// emptyAt is since when the home stands empty: the beginning of a day in its zone, or of
// the marketing where nobody knows.
func (s *VacancyState) emptyAt(u UnitNow) time.Time {
	place, err := time.LoadLocation(s.zone(u))
	if err != nil {
		place = time.UTC
	}
	day, err := time.ParseInLocation(time.DateOnly, s.EmptySince, place)
	if err != nil {
		return s.BeganAt
	}
	return day.UTC()
}

func (s *VacancyState) firstReply() time.Duration {
	if s.Replies == 0 {
		return 0
	}
	return s.ReplyTime / time.Duration(s.Replies)
}

// totals sums up all sources.
func (s *VacancyState) totals() (all SourceCount) {
	for _, c := range s.Sources {
		all.Leads += c.Leads
		all.Showings += c.Showings
		all.Applications += c.Applications
	}
	return all
}

// result is what the workflow returns.
func (s *VacancyState) result() VacancyResult {
	all, days := s.totals(), s.daysListed(s.EndedAt)
	return VacancyResult{
		Outcome: s.Outcome, DaysListed: days, Leads: all.Leads, Showings: all.Showings, Applications: all.Applications,
		Cost: costOf(s.Rules.Vacancy.Sources, s.Sources, days),
	}
}

// letting is what is kept of it for figures, under a key.
func (s *VacancyState) letting(u UnitNow, key string) activities.Letting {
	r, emptyAt, outcome := s.result(), s.emptyAt(u), StageLet
	if s.Outcome != StageLet {
		outcome = StageWithdrawn // the figures know no third
	}
	l := activities.Letting{
		Key: key, UnitID: u.Unit.ID, PropertyID: u.Property.ID, PortfolioID: u.Property.PortfolioID, Outcome: outcome,
		EmptyAt: emptyAt, ListedAt: s.ListedAt, EndedAt: s.EndedAt, Leads: r.Leads, Showings: r.Showings, Applications: r.Applications,
		FirstReply: s.firstReply(), Cost: r.Cost, Lost: lostRent(s.Rent, daysOf(s.EndedAt.Sub(emptyAt))), Sources: map[string]int{},
	}
	if s.Outcome == StageLet {
		l.Source = s.tenantFrom()
	}
	for _, c := range s.Sources {
		l.Sources[c.ID] = c.Leads
	}
	return l
}

// report tells the manager how it ended, and the agent whom to tell.
func (s *VacancyState) report(u UnitNow) {
	r, l := s.result(), s.letting(u, "")
	lines := []string{
		fmt.Sprintf("%s: %s (%s).", homeOf(u), s.Outcome, s.Why), "",
		fmt.Sprintf("Rent        %s a month", s.money(s.Rent)),
		fmt.Sprintf("Listed      %d days", r.DaysListed),
		fmt.Sprintf("Empty       %d days, %s of rent", daysOf(s.EndedAt.Sub(l.EmptyAt)), s.money(l.Lost)),
		fmt.Sprintf("Cost        %s", s.money(r.Cost)),
	}
	if s.Replies > 0 {
		lines = append(lines, fmt.Sprintf("First reply %s in the mean", s.firstReply().Round(time.Second)))
	}
	if l.Source != "" {
		lines = append(lines, "Tenant from "+s.sourceName(l.Source))
	}
	lines = append(lines, "", s.table())
	s.tell(s.Rules.Manager, s.EndedAt, homeOf(u)+": "+s.Outcome, strings.Join(lines, "\n"))
	var applicants []string
	for _, p := range s.Prospects {
		if !p.AppliedAt.IsZero() {
			applicants = append(applicants, fmt.Sprintf("Prospect %d\n%s", p.N, p.card()))
		}
	}
	if len(applicants) > 0 {
		s.tell(s.Rules.Agent, s.EndedAt, homeOf(u)+": "+s.Outcome+", applicants", fmt.Sprintf(
			"The home is %s. These have applied; please tell those who did not get it.\n\n%s", s.Outcome, strings.Join(applicants, "\n\n")))
	}
}

// table is the funnel by source, in plain text.
func (s *VacancyState) table() string {
	all := s.totals()
	all.ID = "All"
	lines := []string{fmt.Sprintf("%-20s %6s %9s %13s", "Source", "Asked", "Showings", "Applications")}
	for _, c := range append(slices.Clone(s.Sources), all) {
		lines = append(lines, fmt.Sprintf("%-20s %6d %9d %13d", s.sourceName(c.ID), c.Leads, c.Showings, c.Applications))
	}
	return strings.Join(lines, "\n")
}

func (s *VacancyState) sourceName(id string) string {
	for _, r := range s.Rules.Vacancy.Sources {
		if r.ID == id {
			return r.Name
		}
	}
	return id
}

// describe is the vacancy as people may see it, at a time.
func (s *VacancyState) describe(u UnitNow, now time.Time) VacancyDescription {
	until := now
	if s.Outcome != "" {
		until = s.EndedAt
	}
	d := VacancyDescription{
		PropertyID: u.Property.ID, UnitID: u.Unit.ID, Home: homeOf(u), Stage: s.stage(), Why: s.Why, Rent: s.money(s.Rent), RentWhy: s.RentWhy,
		Headline: s.Words.Headline, Text: s.Words.Text, ListedAt: s.ListedAt, Crowded: s.Crowded, Sources: s.Sources, Reviews: s.Reviews,
		Cost: s.money(costOf(s.Rules.Vacancy.Sources, s.Sources, s.daysListed(until))), Log: s.Log,
	}
	d.NextAt, d.Next = s.next()
	if s.Replies > 0 {
		d.FirstReply = s.firstReply().Round(time.Second).String()
	}
	for _, status := range []string{
		statusWaiting, statusAsked, statusChosen, statusBooked, statusSeen, statusApplying, statusApplied, statusDeclined, statusLapsed, statusAgent, statusTold,
	} {
		n := 0
		for _, p := range s.Prospects {
			if p.Status == status {
				n++
			}
		}
		if n > 0 {
			d.Prospects = append(d.Prospects, StatusCount{status, n})
		}
	}
	return d
}

// details is the status in the Web UI.
func (d VacancyDescription) details() string {
	lines := []string{fmt.Sprintf("Letting %s: **%s**, %s a month", d.Home, d.Stage, d.Rent), ""}
	if d.Why != "" {
		lines = append(lines, "- "+d.Why)
	}
	for _, c := range d.Prospects {
		lines = append(lines, fmt.Sprintf("- prospects %s: %d", c.Status, c.Count))
	}
	for _, c := range d.Sources {
		lines = append(lines, fmt.Sprintf("- %s: %d asked, %d showings, %d applications", c.ID, c.Leads, c.Showings, c.Applications))
	}
	if !d.NextAt.IsZero() {
		lines = append(lines, "", fmt.Sprintf("Next: **%s**, %s", d.Next, d.NextAt.Format(time.RFC3339)))
	}
	lines = append(lines, "")
	for _, e := range d.Log[max(0, len(d.Log)-10):] {
		lines = append(lines, "- "+e.At.Format(time.RFC3339)+" "+e.What)
	}
	return strings.Join(lines, "\n")
}
