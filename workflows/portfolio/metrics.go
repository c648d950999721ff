package portfolio

import "github.com/aictive/keyholder/workflows/durable"

// lettingsEnded counts campaigns of empty homes by how they ended.
var lettingsEnded = durable.Counter{Metric: durable.Metric{
	Name: "keyholder_lettings_ended_total", Help: "Campaigns to let an empty home that have ended, by outcome: let, withdrawn or stopped.", Labels: []string{"outcome"},
}}

// Metrics are those of this package.
func Metrics() []durable.Metric { return []durable.Metric{lettingsEnded.Metric} }
