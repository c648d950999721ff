// Package casefile shows what the audit has of an entity: as a timeline for a terminal, a
// file for spreadsheets, JSON, and a PDF that can be handed on. Everything is a pure
// function of the Case: the same one gives the same bytes.
package casefile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities/paper"
	"github.com/aictive/keyholder/activities/sheet"
	"github.com/aictive/keyholder/store"
)

// A Case is an entity's part of the audit, and of the entities that it links to.
type Case struct {
	// Company is whose case file it is.
	Company string
	// Entity is what it is about, such as "work-order/4711".
	Entity string
	// Chains are those of the entity and, after it, of the linked ones that are shown.
	Chains []Chain
	// Entries may come in any order.
	Entries []store.AuditEntry
	// Cut tells that there are more entries than these.
	Cut bool
	// Details shows personal details.
	Details bool
	// Zone is where times are meant; nil is UTC.
	Zone *time.Location
	// Written is when the case file was made.
	Written time.Time
}

// A Chain is how one entity's hash chain was found.
type Chain struct {
	Head   store.AuditHead
	Faults []store.AuditFault
}

// Holds tells whether the chain is whole.
func (c Chain) Holds() bool { return len(c.Faults) == 0 }

// String says in a sentence how the chain was found.
func (c Chain) String() string {
	if c.Holds() {
		return fmt.Sprintf("The chain of %s is verified: %s, head %s.", c.Head.Entity, paper.Plural(int(c.Head.Seq), "entry", "entries"), c.Head.Hash)
	}
	f := c.Faults[0]
	return fmt.Sprintf("The chain of %s does NOT hold: %s, the first at entry %d: %s.", c.Head.Entity, paper.Count(len(c.Faults), "fault"), f.Seq, line(f.Why))
}

// The most characters of a text and of personal details.
const (
	maxLine    = 400
	maxDetails = 4000
)

func line(text string) string { return sheet.Line(text, maxLine) }

// linked tells whether there are other entities than the one that it is about.
func (c Case) linked() bool { return len(c.Chains) > 1 }

func (c Case) zone() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

// timeline are the entries as they happened; a chain's order decides between those of one
// moment.
func (c Case) timeline() []store.AuditEntry {
	all := slices.Clone(c.Entries)
	slices.SortStableFunc(all, func(a, b store.AuditEntry) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.Seq, b.Seq))
	})
	return all
}

// A tally counts what has a name.
type tally struct {
	name  string
	count int
}

// tallied counts names, the most frequent first.
func tallied(names []string) []tally {
	counts := map[string]int{}
	for _, n := range names {
		counts[n]++
	}
	all := make([]tally, 0, len(counts))
	for n, count := range counts {
		all = append(all, tally{n, count})
	}
	slices.SortFunc(all, func(a, b tally) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.name, b.name))
	})
	return all
}

// deciders are those who decided, and how often.
func (c Case) deciders() []tally {
	var names []string
	for _, e := range c.Entries {
		switch e.Kind {
		case store.AuditDecision, store.AuditCommand, store.AuditAnswer, store.AuditConflict:
			names = append(names, who(e))
		case store.AuditEvent, store.AuditTook, store.AuditMessage, store.AuditWrite, store.AuditEnded, store.AuditErased:
		}
	}
	return tallied(names)
}

func (c Case) kinds() []tally {
	names := make([]string, 0, len(c.Entries))
	for _, e := range c.Entries {
		names = append(names, string(e.Kind))
	}
	return tallied(names)
}

// hidden counts the entries whose details are there and not shown.
func (c Case) hidden() int {
	n := 0
	for _, e := range c.Entries {
		if !c.Details && e.Details != "" {
			n++
		}
	}
	return n
}

func who(e store.AuditEntry) string { return cmp.Or(line(e.Actor), "workflow") }

// where is where an effect took place and its id there.
func where(e store.AuditEntry) string { return paper.Join(" ", line(e.Partner), line(e.Ref)) }

// links are what the entry hangs together with, as one text.
func links(e store.AuditEntry) string {
	return sheet.Line(strings.Join(e.Links, ", "), maxDetails)
}

// details are what may be shown of the personal details.
func (c Case) details(e store.AuditEntry) string {
	switch {
	case e.Erased:
		return "(erased)"
	case c.Details:
		return sheet.Line(e.Details, maxDetails)
	default:
		return ""
	}
}

// span is from when until when the entries are.
func (c Case) span(layout string) (first, last string) {
	all := c.timeline()
	if len(all) == 0 {
		return "", ""
	}
	return all[0].At.In(c.zone()).Format(layout), all[len(all)-1].At.In(c.zone()).Format(layout)
}
