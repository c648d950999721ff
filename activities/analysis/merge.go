package analysis

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aictive/keyholder/activities/triage"
)

// Merge lets a model's answer refine that of the rules. The model may raise the
// urgency and never lower it; it may say trade and problem where the rules are not
// sure of them, minutes within bounds, parts of the catalogue that the trade uses. What
// is taken over comes from closed lists: no words of the model reach anybody. By and
// Overruled say who decided.
func Merge(rules, model Analysis) Analysis {
	m := merger{out: rules, model: model, sure: rules.Confidence >= confident || rules.Priority == PriorityEmergency}
	m.out.By = model.By + ", " + rules.By
	m.out.Parts, m.out.Skills = slices.Clone(rules.Parts), slices.Clone(rules.Skills)
	m.priority()
	m.matter()
	m.minutes(rules.Minutes)
	m.parts()
	if len(m.notes) > 0 {
		m.out.Reason += "; " + strings.Join(m.notes, "; ")
	}
	m.out.Overruled = strings.Join(m.kept, "; ")
	return m.out
}

type merger struct {
	out, model Analysis
	// sure tells that the rules' trade and problem stand.
	sure bool
	// notes say what the model changed, kept what it could not.
	notes, kept []string
}

func (m *merger) note(format string, a ...any) { m.notes = append(m.notes, fmt.Sprintf(format, a...)) }
func (m *merger) keep(format string, a ...any) { m.kept = append(m.kept, fmt.Sprintf(format, a...)) }

func (m *merger) priority() {
	was, said := m.out.Priority, m.model.Priority
	switch {
	case rank(said) > rank(was):
		m.note("the model raised the priority from %s to %s", was, said)
		m.out.Priority = said
	case rank(said) < 0:
		m.keep("the model's priority is none of ours")
	case rank(said) < rank(was):
		m.keep("the rules' priority %s stands over %s", was, said)
	}
}

// matter is trade, problem and skills.
func (m *merger) matter() {
	known := unnamed[m.model.Trade] != "" && slices.Contains(Problems(), m.model.Problem)
	same := m.model.Trade == m.out.Trade && m.model.Problem == m.out.Problem
	switch {
	case same:
	case !known:
		m.keep("the model's trade or problem is none of ours")
		return
	case m.sure:
		if m.model.Trade != m.out.Trade {
			m.keep("the rules' trade %s stands over %s", m.out.Trade, m.model.Trade)
		}
		return
	default:
		m.note("the model chose trade and problem")
		m.dropParts(m.model.Trade)
		m.out.Trade, m.out.Problem = m.model.Trade, m.model.Problem
		m.out.Skills = nil
		m.out.Confidence = min(max(m.model.Confidence, 0), sureOfTable)
	}
	for _, skill := range m.model.Skills {
		if len(m.out.Skills) < maxSkills && slices.Contains(Skills(), skill) && !slices.Contains(m.out.Skills, skill) {
			m.out.Skills = append(m.out.Skills, skill)
		}
	}
}

// dropParts takes the parts away that a trade does not use.
func (m *merger) dropParts(trade triage.Trade) {
	m.out.Parts = slices.DeleteFunc(m.out.Parts, func(p Part) bool { return !uses(trade, p.SKU) })
}

// minutes keeps a sure rule's estimate within half and three times.
func (m *merger) minutes(rules int) {
	low, high := MinMinutes, MaxMinutes
	if m.sure {
		low, high = max(low, rules/2), min(high, rules*3)
	}
	m.out.Minutes = min(max(m.model.Minutes, low), high)
	if m.out.Minutes != m.model.Minutes {
		m.keep("the model's minutes are out of bounds")
	}
}

// parts are the model's where it names any that are allowed, else the rules'.
func (m *merger) parts() {
	var parts []Part
	refused := 0
	for _, p := range m.model.Parts {
		twice := slices.ContainsFunc(parts, func(q Part) bool { return q.SKU == p.SKU })
		if twice || len(parts) >= MaxParts || !uses(m.out.Trade, p.SKU) {
			refused++
			continue
		}
		parts = append(parts, some(p.SKU, p.Quantity))
	}
	if refused > 0 {
		m.keep("%d of the model's parts are left out", refused)
	}
	if len(parts) > 0 {
		m.out.Parts = parts
	}
}

// uses tells whether a trade uses a part of the catalogue.
func uses(trade triage.Trade, sku string) bool {
	c, ok := findItem(sku)
	return ok && slices.Contains(c.trades, trade)
}
