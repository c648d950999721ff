package analysis

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aictive/keyholder/activities/triage"
)

// Version names the table of everyday problems. It changes with every change of what
// Rules answers.
const Version = "2026-11-22"

// Bounds of an analysis.
const (
	// MinMinutes and MaxMinutes bound the time on site.
	MinMinutes = 10
	MaxMinutes = 960
	// MaxParts is how many kinds of parts one repair asks for.
	MaxParts = 6
	// maxSkills is how many skills one repair asks for.
	maxSkills = 4
)

// confident is from where on, in percent, a model does not change what the rules say
// of trade and problem.
const confident = 70

// How sure the rules are, in percent.
const (
	sureOfSafety  = 95 // triage found an emergency
	sureOfBoth    = 90 // triage and the table agree
	sureOfTriage  = 80 // only triage has a rule
	sureOfTable   = 85 // only the table has a rule
	unsureOfTwo   = 60 // the table has rules of different trades
	unsureOfTrade = 65 // the partner names another trade
	onlyTrade     = 40 // nothing but the partner's trade
	nothing       = 20
)

// By is who decides where no model does.
func By() string { return "rules " + Version + ", triage " + triage.Version }

// Rules judges a report by triage's rules and, within what they leave open, by the
// table of everyday problems. It is total: every report has an answer within the
// bounds above.
func Rules(r Report) Analysis {
	a := triage.Assess(triage.Report{Text: r.Text, Priority: r.Priority, Trade: r.Trade, Month: r.Month})
	found, others := find(triage.ReadText(r.Text))
	if a.Emergency {
		return emergency(a, found)
	}
	return everyday(r, a, found, others)
}

// find is the table's decisive rule, nil where none applies, and the others that apply.
func find(text triage.Text) (decisive *rule, others []*rule) {
	for i := range table {
		if !table[i].Match(text) {
			continue
		}
		if decisive == nil {
			decisive = &table[i].rule
			continue
		}
		others = append(others, &table[i].rule)
	}
	return decisive, others
}

// emergency is for the emergency response: triage has the word.
func emergency(a triage.Assessment, found *rule) Analysis {
	out := Analysis{
		Priority: PriorityEmergency, Trade: a.Trade, Problem: a.Problem, Minutes: 120,
		Confidence: sureOfSafety, Reason: a.Reason, By: By(),
	}
	// An emergency by the partner's word alone says nothing of the trade.
	if a.Rule == "" && found != nil {
		out.Trade, out.Problem, out.Minutes = tradeOf(found, a.Trade), found.problem, found.minutes
		out.Reason = fmt.Sprintf("rule %s, and %s", found.id, a.Reason)
	}
	if found != nil && found.trade == out.Trade {
		out.Skills = []string{found.skill}
	}
	return out
}

// everyday is an ordinary report. a is triage's word on it.
func everyday(r Report, a triage.Assessment, found *rule, others []*rule) Analysis {
	// A plea for speed is no rule about the matter.
	said := a.Rule != "" && a.Rule != saidUrgent
	out := Analysis{Priority: PriorityNormal, Trade: a.Trade, Problem: unnamed[a.Trade], Minutes: 60, Confidence: nothing, By: By()}
	var reasons []string
	if a.Rule != "" {
		reasons = append(reasons, a.Reason)
		out.Priority = leastOf(a.Rule)
	}
	switch {
	case said && (found == nil || !agrees(found, a)):
		out.Problem, out.Confidence = a.Problem, sureOfTriage
		found = nil
	case said:
		out.Confidence = sureOfBoth
	case found != nil:
		out.Confidence = sureOfTable
	case a.Trade != triage.TradeGeneral:
		out.Confidence = onlyTrade
		reasons = append(reasons, "only the partner's trade is known")
	default:
		reasons = append(reasons, "no rule applies")
	}
	if found != nil {
		trade := tradeOf(found, a.Trade)
		if !said && a.Trade != triage.TradeGeneral && a.Trade != trade {
			out.Confidence = unsureOfTrade
		}
		if other := another(others, found.trade); !said && other != "" {
			out.Confidence = unsureOfTwo
			reasons = append(reasons, "rule "+other+" applies too")
		}
		out.Trade, out.Problem, out.Minutes, out.Skills = trade, found.problem, found.minutes, []string{found.skill}
		out.Priority = later(out.Priority, found.priority, a.Rule)
		for _, sku := range found.parts {
			if uses(trade, sku) {
				out.Parts = append(out.Parts, some(sku, 1))
			}
		}
		reasons = slices.Insert(reasons, 0, "rule "+found.id)
	}
	if partners := priorityOf(r.Priority); rank(partners) > rank(out.Priority) {
		out.Priority = partners
		reasons = append(reasons, "the partner's priority is "+strings.ToLower(strings.TrimSpace(string(r.Priority))))
	} else if found == nil && a.Rule == "" && partners == PriorityLow {
		out.Priority = PriorityLow
	}
	out.Reason = strings.Join(reasons, "; ")
	return out
}

// saidUrgent is triage's rule about reports that call themselves urgent.
const saidUrgent = "said-urgent"

// unnamed are the problems of which nothing but the trade is known.
var unnamed = map[triage.Trade]string{
	triage.TradePlumbing: "Plumbing problem", triage.TradeElectrical: "Electrical problem", triage.TradeHVAC: "Heating or cooling problem",
	triage.TradeGas: "Gas appliance problem", triage.TradeLocksmith: "Lock problem", triage.TradeGeneral: "Maintenance request",
}

// minorPriorities are the least urgencies of what triage finds minor; those of rules
// that are not named are urgent.
var minorPriorities = map[string]Priority{"drip": PriorityNormal, "clog": PriorityNormal, "some-power": PriorityNormal}

func leastOf(triageRule string) Priority {
	if p, ok := minorPriorities[triageRule]; ok {
		return p
	}
	return PriorityUrgent
}

// later weighs triage's priority and the table's: the higher, and the table's alone
// where triage has no rule.
func later(triages, tables Priority, triageRule string) Priority {
	if triageRule == "" || rank(tables) > rank(triages) {
		return tables
	}
	return triages
}

// agrees tells whether a rule of the table may say more about what triage found.
func agrees(found *rule, a triage.Assessment) bool {
	return found.trade == a.Trade || slices.Contains(found.over, a.Rule)
}

// tradeOf is the rule's trade; general work is the partner's trade where that is known.
func tradeOf(found *rule, partners triage.Trade) triage.Trade {
	if found.trade == triage.TradeGeneral && len(found.over) == 0 {
		return partners
	}
	return found.trade
}

// another names a rule of another trade, "" where there is none.
func another(others []*rule, trade triage.Trade) string {
	for _, o := range others {
		if o.trade != trade {
			return o.id
		}
	}
	return ""
}

func priorityOf(p triage.Priority) Priority {
	switch triage.Priority(strings.ToLower(strings.TrimSpace(string(p)))) {
	case triage.PriorityLow:
		return PriorityLow
	case triage.PriorityMedium:
		return PriorityNormal
	case triage.PriorityHigh:
		return PriorityUrgent
	case triage.PriorityEmergency:
		return PriorityEmergency
	case triage.PriorityNone:
	}
	return ""
}

// rank orders priorities; an unknown one is below all.
func rank(p Priority) int {
	return slices.Index([]Priority{PriorityLow, PriorityNormal, PriorityUrgent, PriorityEmergency}, p)
}

// Problems is the closed list of what a problem may be called, sorted.
func Problems() []string {
	names := []string{}
	for _, name := range unnamed {
		names = append(names, name)
	}
	for i := range table {
		names = append(names, table[i].problem)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Skills is the closed list of skills, sorted.
func Skills() []string {
	var names []string
	for i := range table {
		names = append(names, table[i].skill)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
