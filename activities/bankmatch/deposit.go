package bankmatch

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/aictive/keyholder/policy"
)

// How a deposit is looked for: among the bookings of its day and some before, of which
// there may not be too many, for then some sum fits by chance, in so many steps.
const (
	depositDays       = 3
	depositCandidates = 20
	depositSteps      = 200_000
)

// What proposals are made of: bookings so many days and so much of the amount away.
const (
	proposalsOfLine = 3
	proposalDays    = 14
	proposalShare   = 100 // permille
	depositScore    = 50
)

// deposits match lines with the one sum of bookings that each may be. Where two lines
// want the same booking, neither gets it.
func (p *pairing) deposits() {
	type deposit struct {
		line *line
		of   []*booking
	}
	var found []deposit
	wanted := map[*booking]int{}
	for _, l := range p.lines {
		sums, sure := p.sums(l)
		if !sure || len(sums) != 1 {
			continue
		}
		found = append(found, deposit{l, sums[0]})
		for _, b := range sums[0] {
			wanted[b]++
		}
	}
	for _, d := range found {
		if !slices.ContainsFunc(d.of, func(b *booking) bool { return wanted[b] > 1 }) {
			p.take(Deposit, fmt.Sprintf("The line is the sum of these %d bookings, and of no others of these days.", len(d.of)), []*line{d.line}, d.of...)
		}
	}
}

// sums lists at most two sums of bookings that an open line may be. Sure is false where
// there was too much to look through. Of more candidates than can be told apart, only
// those of one day together are looked at.
func (p *pairing) sums(l *line) (found [][]*booking, sure bool) {
	if l.done || l.Amount <= 0 {
		return nil, true
	}
	var candidates []*booking
	for b := range p.around(l, depositDays, 0) {
		if b.Amount > 0 && b.Amount < l.Amount {
			candidates = append(candidates, b)
		}
	}
	sets := [][]*booking{candidates}
	if len(candidates) > depositCandidates {
		sets = nil
		for day := l.day - depositDays; day <= l.day; day++ {
			sets = append(sets, slices.DeleteFunc(slices.Clone(candidates), func(b *booking) bool { return b.day != day }))
		}
	}
	search := sumSearch{most: p.rules.DepositOf, steps: depositSteps}
	for _, set := range sets {
		if len(set) > depositCandidates {
			return nil, false
		}
		slices.SortStableFunc(set, func(a, b *booking) int { return cmp.Compare(b.Amount, a.Amount) })
		search.from(set, l.Amount, nil)
	}
	return search.found, search.steps > 0
}

// sumSearch finds bookings that add up to an amount, until there are two answers.
type sumSearch struct {
	most, steps int
	found       [][]*booking
}

func (s *sumSearch) from(set []*booking, rest policy.Cents, taken []*booking) {
	if rest == 0 {
		if len(taken) > 1 {
			s.found = append(s.found, slices.Clone(taken))
		}
		return
	}
	for i, b := range set {
		if s.steps--; s.steps <= 0 || len(s.found) > 1 || len(taken) == s.most {
			return
		}
		// The highest come first: not even as many of this one as may be taken are enough.
		if b.Amount*policy.Cents(s.most-len(taken)) < rest {
			return
		}
		if b.Amount <= rest {
			s.from(set[i+1:], rest-b.Amount, append(taken, b))
		}
	}
}

// proposals lists what a person may find an open line to be, the likeliest first.
func (p *pairing) proposals(l *line) []Proposal {
	if l.Amount == 0 {
		return nil
	}
	var list []Proposal
	sums, _ := p.sums(l)
	for _, sum := range sums {
		proposal := Proposal{Lines: []string{l.ID}, Why: "The line is the sum of these bookings, but that may be chance.", Score: depositScore}
		for _, b := range sum {
			proposal.Bookings = append(proposal.Bookings, b.ID)
		}
		slices.Sort(proposal.Bookings)
		list = append(list, proposal)
	}
	list = append(list, p.near(l)...)
	slices.SortStableFunc(list, func(a, b Proposal) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), slices.Compare(a.Bookings, b.Bookings))
	})
	return list[:min(len(list), proposalsOfLine)]
}

// near lists the likeliest single bookings of an open line.
func (p *pairing) near(l *line) []Proposal {
	type candidate struct {
		*booking
		score int
	}
	var best []candidate
	for b := range p.around(l, proposalDays, proposalDays) {
		apart := abs(l.Amount - b.Amount)
		if (l.Amount > 0) != (b.Amount > 0) || apart > p.rules.AmountApart && apart > abs(l.Amount)/1000*proposalShare {
			continue
		}
		// From 100, half of it by the amount and 3 a day.
		score := 100 - 3*abs(l.day-b.day) - int(min(apart*500/abs(l.Amount), 50))
		if l.names(b) {
			score += 20
		}
		at := len(best)
		for at > 0 && (best[at-1].score < score || best[at-1].score == score && best[at-1].ID > b.ID) {
			at--
		}
		if at < proposalsOfLine {
			best = slices.Insert(best, at, candidate{b, score})
			best = best[:min(len(best), proposalsOfLine)]
		}
	}
	var list []Proposal
	for _, b := range best {
		away := days(abs(l.day - b.day))
		why := fmt.Sprintf("The same amount, %s apart.", away)
		if apart := abs(l.Amount - b.Amount); apart > 0 {
			why = fmt.Sprintf("%s and %s apart.", money(apart), away)
		}
		if l.names(b.booking) {
			why += " The line names it."
		}
		list = append(list, Proposal{Lines: []string{l.ID}, Bookings: []string{b.ID}, Why: why, Score: min(max(b.score, 1), 100)})
	}
	return list
}
