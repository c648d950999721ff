// Package auditreport says from the audit how a month went: what came, how fast it was
// acted on, how fast people answered, who decided, what was written where, and whether the
// record holds. Entries are added one after another, so that a month of any size fits.
package auditreport

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities/sheet"
	"github.com/aictive/keyholder/store"
)

const (
	// Lookback is how long before the month entries are of use: a question that is answered
	// in the month may have been asked before.
	Lookback = 31 * 24 * time.Hour
	// reactWithin is how soon an effect follows an event that it is counted for.
	reactWithin = 24 * time.Hour
	// maxNames bounds the names of a list; the rest is counted together.
	maxNames = 200
	// maxKept bounds what is kept of one entity before it is worked off, and maxBroken the
	// entities that are named.
	maxKept   = 50_000
	maxBroken = 1000
)

// others is the name under which a list counts what it has no room for.
const others = "others"

type (
	// Report is a month. Lists have the most frequent first.
	Report struct {
		// From and To bound it (To excluded); Portfolio is whose, "" for all.
		From      time.Time `json:"from"`
		To        time.Time `json:"to"`
		Portfolio string    `json:"portfolio,omitempty"`
		// Entries and Entities are how many the month has.
		Entries  int `json:"entries"`
		Entities int `json:"entities"`
		// Events are those that were accepted by type, and Parked how many of them nobody could
		// take.
		Events []Count `json:"events"`
		Parked int     `json:"parked"`
		// Reaction is from an event to the first message or write of its entity within a day;
		// Quiet counts the events that none followed.
		Reaction Latency `json:"reaction"`
		Quiet    int     `json:"quiet"`
		// Asked are the questions that messages put; Answers is from the first such message of a
		// question to its answer.
		Asked   int     `json:"asked"`
		Answers Latency `json:"answers"`
		// Decisions are by whom: policy, person, operator, model, workflow, a partner.
		Decisions []Count `json:"decisions"`
		// Messages and Writes are by partner, Conflicts by rule, Commands by operator.
		Messages  []Count `json:"messages"`
		Writes    []Count `json:"writes"`
		Conflicts []Count `json:"conflicts"`
		Commands  []Count `json:"commands"`
		// Ended are the runs that ended, Erased how often details were erased.
		Ended  int `json:"ended"`
		Erased int `json:"erased"`
		// Broken are entities whose chain does not hold, and BrokenCount how many there are.
		Broken      []string `json:"broken"`
		BrokenCount int      `json:"broken_count"`
	}
	// Count is how often there was what has a name.
	Count struct {
		Name  string `json:"name"`
		Count int    `json:"count"`
	}
)

// Builder makes a Report of entries that come in the order of their entities.
type Builder struct {
	report    Report
	entity    string
	inMonth   bool
	kept      []kept
	reaction  latencies
	answers   latencies
	events    counter
	decisions counter
	messages  counter
	writes    counter
	conflicts counter
	commands  counter
}

// kept is what an entity's entries are remembered by until all of them are there.
type kept struct {
	at        time.Time
	kind      store.AuditKind
	questions []string
}

// New begins the report of the time between two moments, To excluded, on a portfolio or on
// all ("").
func New(from, to time.Time, portfolio string) *Builder {
	return &Builder{
		report: Report{From: from, To: to, Portfolio: portfolio}, reaction: latencies{}, answers: latencies{},
		events: counter{}, decisions: counter{}, messages: counter{}, writes: counter{}, conflicts: counter{}, commands: counter{},
	}
}

// Add takes an entry: of the month, or of the time before it that Lookback says. All
// entries of an entity come after each other.
func (b *Builder) Add(e store.AuditEntry) {
	if e.Entity != b.entity {
		b.work()
		b.entity, b.inMonth = e.Entity, false
	}
	if len(b.kept) == maxKept {
		b.work()
	}
	b.kept = append(b.kept, kept{e.At, e.Kind, questions(e)})
	if !b.within(e.At) {
		return
	}
	if !b.inMonth {
		b.inMonth = true
		b.report.Entities++
	}
	b.report.Entries++
	b.count(e)
}

func (b *Builder) within(at time.Time) bool {
	return !at.Before(b.report.From) && at.Before(b.report.To)
}

func (b *Builder) count(e store.AuditEntry) {
	switch e.Kind {
	case store.AuditEvent:
		what, rest, _ := strings.Cut(e.What, " by ")
		b.events.add(what)
		if strings.Contains(rest, ": parked") {
			b.report.Parked++
		}
	case store.AuditDecision, store.AuditAnswer:
		b.decisions.add(decider(e))
	case store.AuditCommand:
		b.decisions.add(decider(e))
		b.commands.add(strings.TrimPrefix(e.Actor, "operator/"))
	case store.AuditConflict:
		b.decisions.add(decider(e))
		b.conflicts.add(rule(e))
	case store.AuditMessage:
		b.messages.add(e.Partner)
	case store.AuditWrite:
		b.writes.add(e.Partner)
	case store.AuditEnded:
		b.report.Ended++
	case store.AuditErased:
		b.report.Erased++
	case store.AuditTook:
	}
}

// decider is what kind of actor decided: "person" of "person/7".
func decider(e store.AuditEntry) string {
	class, _, _ := strings.Cut(e.Actor, "/")
	return cmp.Or(class, "workflow")
}

// rule is the rule that decided a conflict.
func rule(e store.AuditEntry) string {
	for _, l := range e.Links {
		if name, ok := strings.CutPrefix(l, "rule/"); ok {
			return name
		}
	}
	return decider(e)
}

// questions are those that an entry asks or answers.
func questions(e store.AuditEntry) (ids []string) {
	if e.Kind != store.AuditMessage && e.Kind != store.AuditAnswer {
		return nil
	}
	for _, l := range append([]string{e.Ref}, e.Links...) {
		if strings.HasPrefix(l, "question/") && !slices.Contains(ids, l) {
			ids = append(ids, l)
		}
	}
	return ids
}

// Broken adds an entity whose chain does not hold.
func (b *Builder) Broken(entity string) {
	b.report.BrokenCount++
	if len(b.report.Broken) < maxBroken {
		b.report.Broken = append(b.report.Broken, entity)
	}
}

// work measures what is kept, in the order in which it happened: an effect may be in the
// chain before the event that caused it.
func (b *Builder) work() {
	slices.SortStableFunc(b.kept, func(a, c kept) int {
		return cmp.Or(a.at.Compare(c.at), cmp.Compare(order(a.kind), order(c.kind)))
	})
	var events []time.Time
	asked, answered := map[string]time.Time{}, map[string]bool{}
	for _, k := range b.kept {
		switch k.kind {
		case store.AuditEvent:
			events = append(events, k.at)
		case store.AuditMessage, store.AuditWrite:
			for _, at := range events {
				b.react(at, k.at)
			}
			events = events[:0]
			for _, q := range k.questions {
				if _, again := asked[q]; !again {
					asked[q] = k.at
					if b.within(k.at) {
						b.report.Asked++
					}
				}
			}
		case store.AuditAnswer:
			for _, q := range k.questions {
				if at, ok := asked[q]; ok && !answered[q] && b.within(k.at) {
					b.answers.add(k.at.Sub(at))
				}
				answered[q] = true
			}
		case store.AuditTook, store.AuditDecision, store.AuditCommand, store.AuditConflict, store.AuditEnded, store.AuditErased:
		}
	}
	for _, at := range events {
		b.react(at, time.Time{})
	}
	b.kept = b.kept[:0]
}

// order puts an event before the effect of the same moment.
func order(k store.AuditKind) int {
	if k == store.AuditEvent {
		return 0
	}
	return 1
}

// react counts an event of the month, with the effect that followed it; zero for none.
func (b *Builder) react(event, effect time.Time) {
	if !b.within(event) {
		return
	}
	if took := effect.Sub(event); !effect.IsZero() && took <= reactWithin {
		b.reaction.add(took)
		return
	}
	b.report.Quiet++
}

// Report is the month. Nothing can be added after it.
func (b *Builder) Report() Report {
	b.work()
	r := b.report
	r.Reaction, r.Answers = b.reaction.latency(), b.answers.latency()
	r.Events, r.Decisions, r.Messages = b.events.list(), b.decisions.list(), b.messages.list()
	r.Writes, r.Conflicts, r.Commands = b.writes.list(), b.conflicts.list(), b.commands.list()
	r.Broken = append([]string{}, r.Broken...)
	return r
}

// counter counts names, a bounded number of them.
type counter map[string]int

func (c counter) add(name string) {
	name = cmp.Or(sheet.Line(name, 80), "unknown")
	if _, known := c[name]; !known && len(c) >= maxNames {
		name = others
	}
	c[name]++
}

func (c counter) list() []Count {
	all := make([]Count, 0, len(c))
	for name, n := range c {
		all = append(all, Count{name, n})
	}
	slices.SortFunc(all, func(a, b Count) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	return all
}
