package main

// Query is one line of a panel: PromQL, and how its series are named.
type Query struct {
	Expr, Legend string
	// Exemplars shows the traces that Prometheus keeps with a histogram.
	Exemplars bool
}

// Step colours values from a value on.
type Step struct {
	From  float64
	Color string
}

// Panel is one picture.
type Panel struct {
	Title, Description string
	// Kind is Grafana's: timeseries, stat, table or bargauge.
	Kind string
	// Unit is Grafana's: s, short, reqps, percentunit, bytes, ...
	Unit    string
	Queries []Query
	// Steps colour values, from green at the lowest.
	Steps []Step
	// Width is of 24, Height in rows of the grid.
	Width, Height int
	// Stacked adds series up.
	Stacked bool
}

// Row is a heading and what is under it.
type Row struct {
	Title  string
	Panels []Panel
}

// Variable is a choice at the top: the values of a label.
type Variable struct{ Name, Label, Query string }

// Dashboard is one page.
type Dashboard struct {
	UID, Title, Description string
	Variables               []Variable
	Rows                    []Row
}

// graph is a panel over time, a third of the page unless wide says otherwise.
func graph(title, description, unit string, queries ...Query) Panel {
	return Panel{Title: title, Description: description, Kind: "timeseries", Unit: unit, Queries: queries, Width: 8, Height: 8}
}

// number is one figure, an eighth of the page.
func number(title, description, unit, expr string, steps ...Step) Panel {
	return Panel{Title: title, Description: description, Kind: "stat", Unit: unit, Queries: []Query{{Expr: expr}}, Steps: steps, Width: 4, Height: 4}
}

// list shows the labels and the value of each series now.
func list(title, description, unit, expr string) Panel {
	return Panel{Title: title, Description: description, Kind: "table", Unit: unit, Queries: []Query{{Expr: expr}}, Width: 12, Height: 8}
}

// wide gives a panel half of the page.
func (p Panel) wide() Panel { p.Width = 12; return p }

// stacked adds its series up.
func (p Panel) stacked() Panel { p.Stacked = true; return p }

// limit draws a line and colours what is above.
func (p Panel) limit(at float64) Panel {
	p.Steps = append(p.Steps, Step{From: at, Color: red})
	return p
}

// warn and bad are the usual steps of a figure that should be low.
func warn(at float64) Step { return Step{From: at, Color: orange} }
func bad(at float64) Step  { return Step{From: at, Color: red} }

// good turns a figure that should be high from red to green.
func good(at float64) []Step { return []Step{{From: 0, Color: red}, {From: at, Color: green}} }

const (
	green  = "green"
	orange = "orange"
	red    = "red"
)

// quantiles are the usual three of a histogram, by its labels.
func quantiles(metric, selector, by, legend string) []Query {
	var queries []Query
	for _, q := range []struct{ value, name string }{{"0.5", "half"}, {"0.95", "19 of 20"}, {"0.99", "99 of 100"}} {
		queries = append(queries, Query{Expr: quantile(q.value, metric, selector, by), Legend: q.name + " " + legend, Exemplars: q.value == "0.99"})
	}
	return queries
}

// quantile of a histogram over the interval of the graph.
func quantile(q, metric, selector, by string) string {
	if by != "" {
		by += ", "
	}
	return "histogram_quantile(" + q + ", sum by (" + by + "le) (rate(" + metric + "_bucket" + selector + "[$__rate_interval])))"
}

// rate of a counter over the interval of the graph, summed by labels.
func rate(metric, by string) string {
	return "sum by (" + by + ") (rate(" + metric + "[$__rate_interval]))"
}

// share of one counter in another.
func share(part, whole, by string) string { return rate(part, by) + " / " + rate(whole, by) }
