package auditreport

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aictive/keyholder/activities/paper"
)

// section is a list of the report under its name.
type section struct {
	name, title string
	counts      []Count
}

func (r Report) sections() []section {
	return []section{
		{"event", "Events accepted", r.Events},
		{"decision", "Decisions by", r.Decisions},
		{"message", "Messages through", r.Messages},
		{"write", "Writes at", r.Writes},
		{"conflict", "Conflicts by rule", r.Conflicts},
		{"command", "Commands by", r.Commands},
	}
}

// Text writes the report for a terminal. The error is w's.
func (r Report) Text(w io.Writer) error {
	const day = "2006-01-02 15:04 MST"
	var b strings.Builder
	of := "all portfolios"
	if r.Portfolio != "" {
		of = "portfolio " + r.Portfolio
	}
	fmt.Fprintf(&b, "%s until %s, %s: %s on %s\n\n", r.From.Format(day), r.To.Format(day), of,
		paper.Plural(r.Entries, "entry", "entries"), paper.Plural(r.Entities, "entity", "entities"))
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "Event to first effect\t%s\n", r.Reaction)
	fmt.Fprintf(t, "Events without an effect within a day\t%d\n", r.Quiet)
	fmt.Fprintf(t, "Events parked\t%d\n", r.Parked)
	fmt.Fprintf(t, "Questions asked\t%d\n", r.Asked)
	fmt.Fprintf(t, "Question to answer\t%s\n", r.Answers)
	fmt.Fprintf(t, "Runs ended\t%d\n", r.Ended)
	fmt.Fprintf(t, "Erasures\t%d\n", r.Erased)
	fmt.Fprintf(t, "Chains that do not hold\t%d\n", r.BrokenCount)
	if err := t.Flush(); err != nil {
		return err
	}
	for _, s := range r.sections() {
		if len(s.counts) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", s.title)
		for _, c := range s.counts {
			fmt.Fprintf(&b, "%8d  %s\n", c.Count, c.Name)
		}
	}
	if r.BrokenCount > 0 {
		b.WriteString("\nChains that do not hold\n")
		for _, e := range r.Broken {
			fmt.Fprintf(&b, "  %s\n", e)
		}
		if more := r.BrokenCount - len(r.Broken); more > 0 {
			fmt.Fprintf(&b, "  … and %d more\n", more)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// String says it for people.
func (l Latency) String() string {
	if l.Count == 0 {
		return "none"
	}
	return fmt.Sprintf("%d, median %s, 95 %% within %s", l.Count, short(l.Median), short(l.P95))
}

// short is "1m30s" or "26h".
func short(d time.Duration) string {
	if d < time.Minute {
		return d.String()
	}
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// CSV writes the report as RFC 4180: a section and a name with how often there was that, and
// the median and what 95 of 100 stayed within in seconds where it was timed. The error is w's.
func (r Report) CSV(w io.Writer) error {
	seconds := func(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }
	rows := [][]string{{"section", "name", "count", "median_seconds", "p95_seconds"}}
	total := func(name string, n int) { rows = append(rows, []string{"total", name, strconv.Itoa(n), "", ""}) }
	timed := func(name string, l Latency) {
		rows = append(rows, []string{"time", name, strconv.Itoa(l.Count), seconds(l.Median), seconds(l.P95)})
	}
	total("entries", r.Entries)
	total("entities", r.Entities)
	total("parked", r.Parked)
	timed("event to first effect", r.Reaction)
	total("events without an effect within a day", r.Quiet)
	total("questions asked", r.Asked)
	timed("question to answer", r.Answers)
	total("runs ended", r.Ended)
	total("erasures", r.Erased)
	total("chains that do not hold", r.BrokenCount)
	for _, s := range r.sections() {
		for _, c := range s.counts {
			rows = append(rows, []string{s.name, paper.Cell(c.Name), strconv.Itoa(c.Count), "", ""})
		}
	}
	for _, e := range r.Broken {
		rows = append(rows, []string{"broken", paper.Cell(e), "1", "", ""})
	}
	return paper.CSV(w, rows)
}

// JSON writes the report as one indented object. The error is w's.
func (r Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
