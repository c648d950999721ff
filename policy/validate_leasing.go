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

// Bounds of the section on leasing, which keep Leasing small enough for histories;
// lines are in characters.
const (
	maxLeaseMails  = 12
	maxUtilities   = 10
	maxLeaseChecks = 20
	maxNoticeRules = 100
	maxIncentives  = 20
	maxLeaseCost   = Cents(100_000_00)
	maxSourceLine  = 200
	// earliest and latest are the first and last day of the series of mails.
	earliest = -60
	latest   = 400
)

var numberOrNone = regexp.MustCompile(`^([1-9][0-9]{0,17})?$`)

// ScoringFactors are the factors that a lease is assessed by: those that weights may be
// given to.
func ScoringFactors() []string {
	return []string{
		"payment_history", "past_due", "maintenance_requests", "complaints", "sentiment", "survey", "tenure",
		"rent_to_market", "vacancy", "last_retention",
	}
}

// leasing checks the section wherever any of it is given, also where no lead switches it
// off: another level may switch it on. As with repairs, some rules compare two keys; what
// a portfolio and a property break only together does no harm: people are asked sooner.
func (c *checker) leasing(s section) {
	l := s.Leasing
	c.leaseTexts(l)
	l.Texts, l.Words = nil, nil
	if reflect.ValueOf(l).IsZero() {
		return
	}
	unit, err := currency.ParseISO(l.Currency)
	c.must(err == nil && unit.String() == l.Currency, "leasing.currency", `must be an ISO 4217 code such as "USD"`)
	c.moveIn(s, l.MoveIn)
	c.inspection(s, l.MoveIn.Inspection)
	c.packages(l.MoveIn.Package)
	c.utilities(l.MoveIn)
	c.maintenanceChecks(l.MoveIn.Checks)
	c.renewal(l.Renewal)
	c.notice(l.Renewal.Notice)
	c.pricing(l.Renewal.Pricing)
	c.retention(s, l.Retention)
	c.incentives(l.Retention.Incentives)
	c.scoring(l.Scoring)
}

func (c *checker) moveIn(s section, m MoveIn) {
	const path = "leasing.move_in"
	c.within(m.Late, path+".late", 90*day)
	c.within(m.DateWithin, path+".date_within", 30*day)
	c.size(len(m.Welcome), path+".welcome", 0, maxLeaseMails)
	seen := map[string]bool{}
	for i, w := range m.Welcome {
		at := fmt.Sprintf("%s.welcome[%d]", path, i)
		c.count(w.Day, at+".day", earliest, latest)
		c.must(i == 0 || w.Day > m.Welcome[i-1].Day, at+".day", "must be later than the one before it")
		c.must(strings.HasPrefix(w.Text, welcomePrefix), at+".text", "must be the id of a text that begins with %s", welcomePrefix)
		c.must(!seen[w.Text], at+".text", "is that of an earlier mail")
		seen[w.Text] = true
		own, known := s.Leasing.Texts[s.Leasing.Language]
		_, given := own[w.Text]
		c.must(given || !known || !s.Leasing.on(), at+".text", "must be one of leasing.texts.%s", s.Leasing.Language)
	}
}

func (c *checker) inspection(s section, i Inspection) {
	const path = "leasing.move_in.inspection"
	c.person(s, i.Inspector, path+".inspector")
	c.count(i.DaysBefore, path+".days_before", 0, 60)
	c.within(i.Takes, path+".takes", 12*time.Hour)
	c.must(numberOrNone.MatchString(i.TypeID), path+".type_id", "must be an id of RentVine: a whole number")
	c.must(numberOrNone.MatchString(i.StatusID), path+".status_id", "must be an id of RentVine: a whole number")
	c.must((i.TypeID == "") == (i.StatusID == ""), path+".status_id", "must be given with type_id, or neither: RentVine needs both")
	c.within(i.RemindAfter, path+".remind_after", 30*day)
	c.count(i.Times, path+".times", 0, 10)
}

// packages checks the welcome package, where there is one.
func (c *checker) packages(p Package) {
	const path = "leasing.move_in.package"
	if p == (Package{}) {
		return
	}
	c.line(p.VendorName, path+".vendor_name")
	c.must(isEmail(p.VendorEmail), path+".vendor_email", "must be an e-mail address")
	c.must(numberOrNone.MatchString(p.VendorContact), path+".vendor_contact", "must be a contact id of RentVine: a whole number")
	c.line(p.Item, path+".item")
	c.must(p.Cost >= 0 && p.Cost <= maxLeaseCost, path+".cost", "must be at most %s", maxLeaseCost)
	c.count(p.DaysBefore, path+".days_before", 1, 90)
	c.within(p.ConfirmWithin, path+".confirm_within", 30*day)
}

// line checks a name.
func (c *checker) line(name, path string) {
	c.must(name != "" && isLine(name), path, "must be given and be one line of at most %d bytes", maxLine)
}

func (c *checker) utilities(m MoveIn) {
	const path = "leasing.move_in.utilities"
	c.size(len(m.Utilities), path, 0, maxUtilities)
	seen, least := map[string]bool{}, latest
	for i, u := range m.Utilities {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.line(u.Name, at+".name")
		c.must(!seen[strings.ToLower(u.Name)], at+".name", "is that of an earlier utility")
		seen[strings.ToLower(u.Name)] = true
		c.must(u.Email == "" || isEmail(u.Email), at+".email", "must be an e-mail address")
		c.count(u.DaysBefore, at+".days_before", 1, 90)
		least = min(least, u.DaysBefore)
	}
	c.daysBefore(m.UtilityChase, "leasing.move_in.utility_chase", 0, least-1)
}

// daysBefore checks days that count back from a date: fewer with each.
func (c *checker) daysBefore(days []int, path string, least, most int) {
	c.size(len(days), path, 0, maxRemind+1)
	for i, n := range days {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.count(n, at, least, most)
		c.must(i == 0 || n < days[i-1], at, "must be fewer days than the one before it")
	}
}

func (c *checker) maintenanceChecks(checks []MaintenanceCheck) {
	const path = "leasing.move_in.checks"
	c.size(len(checks), path, 0, maxLeaseChecks)
	seen := map[string]bool{}
	for i, m := range checks {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.must(idPattern.MatchString(m.ID), at+".id", "must be given: small letters, digits, - and _")
		c.must(!seen[m.ID], at+".id", "is the id of an earlier check")
		seen[m.ID] = true
		c.line(m.Name, at+".name")
		c.trade(m.Trade, at+".trade")
		c.between(m.First, at+".first", day, 3650*day)
		c.between(m.Every, at+".every", 7*day, 3650*day)
	}
}

func (c *checker) renewal(r Renewal) {
	const path = "leasing.renewal"
	c.between(r.Lead, path+".lead", 0, 366*day)
	c.within(r.Approval, path+".approval", 90*day)
	c.between(r.WorkOrdersWait, path+".work_orders_wait", 0, 90*day)
	c.reminders(r.RemindOwner, path+".remind_owner", 60*day, 1)
	c.within(r.EscalateOwner, path+".escalate_owner", 60*day)
	if n := len(r.RemindOwner); n > 0 {
		c.must(r.EscalateOwner > r.RemindOwner[n-1], path+".escalate_owner", "must be longer than the last of remind_owner")
	}
	c.must(r.EscalateOwner <= r.Approval, path+".escalate_owner", "must be at most approval, which is for owner and manager together")
	c.within(r.DecideWithin, path+".decide_within", 30*day)
	most := 365
	if r.Lead > 0 {
		most = int(r.Lead / day)
	}
	c.daysBefore(r.Chase, path+".chase", 1, most)
	c.count(r.SilentAt, path+".silent_at", 0, most)
	if n := len(r.Chase); n > 0 {
		c.must(r.SilentAt < r.Chase[n-1], path+".silent_at", "must be fewer days than the last of chase")
	}
	c.count(r.Term, path+".term", 1, 60)
	c.within(r.SignRemind, path+".sign_remind", 30*day)
	c.count(r.SignTimes, path+".sign_times", 0, 10)
	c.count(r.OfferFrom, path+".offer_from", 0, 100)
	c.count(r.MaxRisk, path+".max_risk", 0, 100)
}

func (c *checker) notice(rules []NoticeRule) {
	const path = "leasing.renewal.notice"
	c.size(len(rules), path, 0, maxNoticeRules)
	type key struct {
		state string
		over  Permille
	}
	seen := map[key]bool{}
	for i, n := range rules {
		at := fmt.Sprintf("%s[%d]", path, i)
		known := len(n.State) == 2 && strings.Contains(states, " "+n.State+" ")
		c.must(known || n.State == EveryArea, at+".state", `must be the two capital letters of a state, such as "OR", or "*" for all others`)
		c.must(!seen[key{n.State, n.Over}], at+".over", "is that of an earlier rule of this state")
		seen[key{n.State, n.Over}] = true
		c.must(n.Over <= 1000, at+".over", "must be at most 100%%")
		c.count(n.Days, at+".days", 1, 366)
		c.must(n.Cap == 0 || n.Cap > n.Over, at+".cap", "must be above over, or left out where no cap is known")
		c.must(n.AsOf != Date{}, at+".as_of", "must be given: the day on which somebody looked the rule up")
		c.must(n.Source != "" && isShortLine(n.Source), at+".source", "must say where the rule was looked up, in one line of at most %d characters", maxSourceLine)
		c.must(isShortLine(n.Disputed), at+".disputed", "must be one line of at most %d characters", maxSourceLine)
	}
}

func isShortLine(text string) bool {
	return utf8.RuneCountInString(text) <= maxSourceLine && !hasBreaks(text)
}

func (c *checker) pricing(p Pricing) {
	const path = "leasing.renewal.pricing"
	c.must(p.Least <= p.Usual, path+".usual", "must be least or more")
	c.must(p.Usual <= p.Most, path+".most", "must be usual or more")
	c.must(p.Most <= 1000, path+".most", "must be at most 100%%")
	c.must(p.RoundTo >= 1 && p.RoundTo <= 1000_00, path+".round_to", "must be from %s to %s", Cents(1), Cents(1000_00))
	c.must(p.PerBed <= 1000, path+".per_bed", "must be at most 100%%")
	c.must(p.PerBath <= 1000, path+".per_bath", "must be at most 100%%")
	c.must(p.PerSize <= 1000, path+".per_size", "must be at most 100%%")
}

func (c *checker) retention(s section, r Retention) {
	const path = "leasing.retention"
	c.count(r.Risk, path+".risk", 1, 100)
	c.between(r.Every, path+".every", day, 1098*day)
	c.between(r.Assess, path+".assess", day, 366*day)
	c.within(r.SurveyRemind, path+".survey_remind", 60*day)
	c.within(r.SurveyClose, path+".survey_close", 90*day)
	c.must(r.SurveyClose > r.SurveyRemind, path+".survey_close", "must be longer than survey_remind")
	c.must(r.MaxCost >= 0 && r.MaxCost <= maxLeaseCost, path+".max_cost", "must be at most %s", maxLeaseCost)
	c.must(r.ApproveOver >= 0 && r.ApproveOver <= maxLeaseCost, path+".approve_over", "must be at most %s", maxLeaseCost)
	c.within(r.AnswerWithin, path+".answer_within", 60*day)
	if r.OutreachBy != "" {
		c.person(s, r.OutreachBy, path+".outreach_by")
	}
	c.within(r.OutreachWithin, path+".outreach_within", 60*day)
	c.within(r.MeasureAfter, path+".measure_after", 366*day)
}

func (c *checker) incentives(list []Incentive) {
	const path = "leasing.retention.incentives"
	c.size(len(list), path, 0, maxIncentives)
	seen := map[string]bool{}
	for i, in := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.must(idPattern.MatchString(in.ID), at+".id", "must be given: small letters, digits, - and _")
		c.must(!seen[in.ID], at+".id", "is the id of an earlier incentive")
		seen[in.ID] = true
		c.line(in.Name, at+".name")
		c.must(in.Cost >= 0 && in.Cost <= maxLeaseCost, at+".cost", "must be at most %s", maxLeaseCost)
	}
}

func (c *checker) scoring(s Scoring) {
	const path = "leasing.scoring"
	c.count(s.Base, path+".base", 0, 100)
	c.count(s.BaseRisk, path+".base_risk", 0, 100)
	c.count(s.Grace, path+".grace", 0, 60)
	sum := 0
	for _, name := range slices.Sorted(maps.Keys(s.Factors)) {
		at := join(path, "factors", name)
		c.must(slices.Contains(ScoringFactors(), name), at, "is not a factor; those are %s", strings.Join(ScoringFactors(), ", "))
		c.count(s.Factors[name], at, 0, 1000)
		sum += s.Factors[name]
	}
	c.must(sum > 0, path+".factors", "must have one that is above 0")
}
