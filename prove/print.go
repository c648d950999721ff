package prove

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// WriteText writes the report for a reader.
func (r *Report) WriteText(to io.Writer) error {
	fmt.Fprintf(to, "From %s to %s:\n\n", stamp(r.Since), stamp(r.Until))
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "check\tcompared\tpending\tdifferences\twhat")
	all := 0
	for _, t := range r.Tallies {
		what := t.What
		if t.Left != "" {
			what += " (" + t.Left + ")"
		}
		fmt.Fprintln(table, strings.Join([]string{t.Check, strconv.Itoa(t.Compared), strconv.Itoa(t.Pending), strconv.Itoa(t.Differences), what}, "\t"))
		all += t.Differences
	}
	if err := table.Flush(); err != nil {
		return err
	}
	writeFindings(to, "Differences", r.Differences)
	writeFindings(to, "Pending", r.Pending)
	if r.Agrees() {
		_, err := fmt.Fprintln(to, "\nNothing differs.")
		return err
	}
	if all == 0 {
		_, err := fmt.Fprintln(to, "\nNothing that was compared differs, and not everything was: see the brackets.")
		return err
	}
	plural := "s"
	if all == 1 {
		plural = ""
	}
	_, err := fmt.Fprintf(to, "\n%d difference%s.\n", all, plural)
	return err
}

func writeFindings(to io.Writer, title string, list []Finding) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(to, "\n%s:\n", title)
	for _, f := range list {
		fmt.Fprintf(to, "  %s  %s  %s\n      %s\n", f.Check, f.Entity, f.Key, f.What)
		if f.Advice != "" {
			fmt.Fprintf(to, "      -> %s\n", f.Advice)
		}
	}
}

// WriteJSON writes the report for a program: the report's fields, and "agrees".
func (r *Report) WriteJSON(to io.Writer) error {
	e := json.NewEncoder(to)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		Agrees bool `json:"agrees"`
		*Report
	}{r.Agrees(), r})
}
