package sales

import "github.com/aictive/keyholder/workflows/durable"

// invitationsEnded counts chases of invitations by how they ended.
var invitationsEnded = durable.Counter{Metric: durable.Metric{
	Name: "keyholder_invitations_ended_total", Help: "Chases of invited professionals that have ended, by how: accepted, replaced, chosen, left, given_up, too_old or cancelled.", Labels: []string{"how"},
}}

// Metrics are those of this package.
func Metrics() []durable.Metric { return []durable.Metric{invitationsEnded.Metric} }
