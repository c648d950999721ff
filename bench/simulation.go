package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// simulationSeed draws the day's changes.
const simulationSeed = 4

// result is one poller's day.
type result struct {
	name    string
	watcher *watcher
	// calls are all that were sent, refused of them answered 429.
	calls, refused int
}

// simulate compares polling with the guide's own algorithm on the same virtual day,
// for portfolios of several sizes, without a network.
func simulate(w io.Writer, small bool) error {
	sizes := []int{100, 250, 1000, 5000}
	if small {
		sizes = sizes[:2]
	}
	fmt.Fprintln(w, "\npolling OpenMoove, simulated: one virtual day with the same changes for each poller, limits 100/1m and 1000/1h")
	fmt.Fprintln(w, "mean / 95th percentile from a change to its detection: of milestones by the sale's class, and of status or team")
	fmt.Fprintln(w, "unseen: changes older than 30 minutes at the end of the day, whose delays are taken to end there")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "sales\tpoller\tcalls\t429s\tchanges\tunseen\toverdue\tdue soon\trest\tstatus, team\tall\t")
	for _, sales := range sizes {
		p := newPortfolio(sales, simulationSeed)
		for _, r := range []result{simulateGuide(p), simulateOurs(p, 0, simulationSeed), simulateOurs(p, 0.9, simulationSeed)} {
			fmt.Fprintf(table, "%d\t%s\t%d\t%d\t%d\t%d\t", sales, r.name, r.calls, r.refused, len(p.changes), r.watcher.missed)
			for _, group := range groups() {
				mean, p95, n := r.watcher.figures(group)
				if n == 0 {
					fmt.Fprint(table, "-\t")
					continue
				}
				fmt.Fprintf(table, "%s / %s\t", minutes(mean), minutes(p95))
			}
			fmt.Fprintln(table)
		}
	}
	return table.Flush()
}

// minutes is a delay as people read it: "4.2m" or "3.1h".
func minutes(d time.Duration) string {
	if d >= 100*time.Minute {
		return fmt.Sprintf("%.1fh", d.Hours())
	}
	return fmt.Sprintf("%.1fm", d.Minutes())
}
