// Package triage decides, from what a tenant wrote, whether a maintenance report
// is an emergency, of which kind, and who should come. It is a pure function over
// a versioned table of rules, so that every decision can be explained, repeated
// and tested.
//
// Two principles hold throughout. What is unclear is decided for safety: a report
// that names no temperature is taken to be beyond the limit. And nothing lowers a
// rule but the exclusions that the rule itself declares: not the partner's
// priority, not pleas in the text, not the other things that the text says.
package triage

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Version names the table of rules. It changes with every change of what Assess
// answers.
const Version = "2026-11-21"

// Priority is the urgency that the partner gives a report. RentVine has the first
// three (contracts/rentvine.md 6, 4); emergency is the integration guide's.
type Priority string

// The priorities; an unknown one counts as none.
const (
	PriorityNone      Priority = ""
	PriorityLow       Priority = "low"
	PriorityMedium    Priority = "medium"
	PriorityHigh      Priority = "high"
	PriorityEmergency Priority = "emergency"
)

// Category is what a report is about. Reports of one building and category are
// one incident.
type Category string

// The categories.
const (
	CategoryGas            Category = "gas"
	CategoryCarbonMonoxide Category = "carbon_monoxide"
	CategoryFire           Category = "fire"
	CategoryLeak           Category = "leak"
	CategorySewage         Category = "sewage"
	CategoryNoWater        Category = "no_water"
	CategoryNoHeat         Category = "no_heat"
	CategoryNoCooling      Category = "no_cooling"
	CategorySecurity       Category = "security"
	CategoryPower          Category = "power"
	CategoryOther          Category = "other"
	// CategoryNone: no rule applies.
	CategoryNone Category = "none"
)

// Trade is who should come.
type Trade string

// The trades; they are those that policy knows.
const (
	TradePlumbing   Trade = "plumbing"
	TradeElectrical Trade = "electrical"
	TradeHVAC       Trade = "hvac"
	TradeGas        Trade = "gas"
	TradeLocksmith  Trade = "locksmith"
	TradeGeneral    Trade = "general"
)

// Report is what there is to judge. Everything in it is untrusted.
type Report struct {
	// Text is the tenant's description; it may be HTML. What is beyond 10 kB is
	// left out from the middle.
	Text     string
	Priority Priority
	// Trade is the partner's name of the trade, such as "Plumbing"; it decides
	// where the text does not.
	Trade string
	// Month is the local month (northern hemisphere), 0 where unknown: it tells
	// heating from cooling where an HVAC report does not say.
	Month time.Month
}

// Assessment is the decision.
type Assessment struct {
	RulesVersion string `json:"rules_version"`
	// Rule is the rule that decided, "" where none applies.
	Rule      string `json:"rule,omitempty"`
	Emergency bool   `json:"emergency"`
	// LifeSafety asks for the emergency services first. It implies Emergency.
	LifeSafety bool     `json:"life_safety"`
	Category   Category `json:"category"`
	// Problem is short words for a text message, such as "Water leak".
	Problem string `json:"problem"`
	Trade   Trade  `json:"trade"`
	// Reason says in words why, naming the rule. It quotes nothing of the text.
	Reason string `json:"reason"`
}

// Assess judges a report. The most severe rule decides, among equals the first
// of the table.
func Assess(r Report) Assessment {
	text, cut := normalise(r.Text)
	trade, _ := TradeOf(r.Trade)
	best := finding{level: levelNone}
	for i := range table {
		if f := table[i].judge(text, trade, r.Month); f.level > best.level {
			best = f
		}
	}
	return conclude(best, Priority(strings.ToLower(strings.TrimSpace(string(r.Priority)))), trade, cut)
}

// finding is what a rule says of a report.
type finding struct {
	rule  *rule
	level level
	why   string
}

// conclude weighs the decisive finding with the partner's priority, which can
// raise it and never lowers it.
func conclude(f finding, priority Priority, trade Trade, cut bool) Assessment {
	a := Assessment{
		RulesVersion: Version, Category: CategoryNone, Problem: "Maintenance request", Trade: trade,
		Reason:    "no rule applies",
		Emergency: f.level >= levelEmergency, LifeSafety: f.level == levelLifeSafety,
	}
	if f.rule != nil {
		a.Rule, a.Category, a.Problem, a.Trade = f.rule.id, f.rule.category, f.rule.problem, f.rule.trade
		if a.Trade == TradeGeneral {
			a.Trade = trade
		}
		a.Reason = fmt.Sprintf("rule %s: %s", f.rule.id, f.why)
	}
	switch {
	case a.Emergency:
	case priority == PriorityEmergency:
		a.Emergency = true
		a.Reason += "; the priority is emergency"
		if a.Category == CategoryNone {
			a.Category, a.Problem = CategoryOther, "Emergency request"
		}
	case priority == PriorityHigh && f.level == levelMinor:
		a.Emergency = true
		a.Reason += "; minor by itself, and the priority is high"
	case f.level == levelMinor:
		a.Reason += "; minor, so not an emergency"
	}
	if cut {
		a.Reason += "; only the beginning and the end of a very long text were read"
	}
	return a
}

// TradeOf maps the partner's name of a trade; accounts choose their own names. One that
// is not known is general work.
func TradeOf(name string) (trade Trade, known bool) {
	text, _ := normalise(name)
	for _, t := range tradeNames {
		for word := range strings.FieldsSeq(text) {
			if slices.ContainsFunc(t.prefixes, func(p string) bool { return strings.HasPrefix(word, p) }) {
				return t.trade, true
			}
		}
	}
	return TradeGeneral, false
}
