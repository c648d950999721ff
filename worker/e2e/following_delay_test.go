package e2e_test

import (
	"fmt"
	"slices"
	"time"
)

// delays says how long it took from a change to its letter, by how pressing the sale
// was and by whether OpenMoove told of it.
func (f *following) delays(checks []*saleCheck) {
	took := map[string][]time.Duration{}
	for _, c := range checks {
		for _, m := range c.matches {
			how := "webhooks on"
			if m.happened.At.After(f.silenced) && m.happened.At.Before(f.heard) {
				how = "webhooks off"
			}
			delay := m.at.Sub(f.realAt(m.happened.At))
			took[how] = append(took[how], delay)
			how += ", " + classAt(c.before, c.happened, m.happened)
			took[how] = append(took[how], delay)
			if m.happened.Kind == "accepted" || m.happened.Kind == "status" {
				how = "team and status, " + how
				took[how] = append(took[how], delay)
			}
		}
	}
	var lines []string
	for how, list := range took {
		slices.Sort(list)
		sum := time.Duration(0)
		for _, d := range list {
			sum += d
		}
		mean, late := sum/time.Duration(len(list)), list[(len(list)*95+99)/100-1]
		lines = append(lines, fmt.Sprintf("%-45s %4d  mean %6.1fs (%6.1f min business)  p95 %6.1fs (%6.1f min)",
			how, len(list), mean.Seconds(), f.clock.Business(mean).Minutes(), late.Seconds(), f.clock.Business(late).Minutes()))
	}
	slices.Sort(lines)
	for _, line := range lines {
		f.Logf("from a change to its letter: %s", line)
	}
}

// classAt is how pressing a sale was just before a change.
func classAt(before listing, all []happened, h happened) string {
	due := map[string]time.Time{}
	for _, m := range before.Milestones {
		if m.CompletedAt.IsZero() && !m.DueDate.IsZero() {
			due[m.Name] = m.DueDate
		}
	}
	for _, one := range all {
		if one.N >= h.N {
			break
		}
		switch one.Kind {
		case "milestone_completed":
			delete(due, one.Milestone)
		case "milestone_added", "due_date_moved":
			due[one.Milestone] = one.DueDate
		}
	}
	class := "rest"
	for _, at := range due {
		switch {
		case at.Before(h.At):
			return "overdue"
		case at.Before(h.At.Add(24 * time.Hour)):
			class = "due soon"
		}
	}
	return class
}
