package leasing

import "github.com/aictive/keyholder/workflows/durable"

// campaignsEnded counts campaigns by how they ended.
var campaignsEnded = durable.Counter{Metric: durable.Metric{
	Name: "keyholder_campaigns_ended_total", Help: "Campaigns of leases that have ended, by kind (move_in, renewal, retention) and outcome.", Labels: []string{"kind", "outcome"},
}}

// Metrics are those of this package.
func Metrics() []durable.Metric { return []durable.Metric{campaignsEnded.Metric} }
