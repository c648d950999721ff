// Package workflows lists every workflow that exists. The code of each is in the
// package of its domain.
package workflows

import (
	"slices"

	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/finance"
	"github.com/aictive/keyholder/workflows/leasing"
	"github.com/aictive/keyholder/workflows/maintenance"
	"github.com/aictive/keyholder/workflows/portfolio"
	"github.com/aictive/keyholder/workflows/sales"
	"github.com/aictive/keyholder/workflows/sync"
)

// TaskQueue is where all workflows run.
const TaskQueue = "keyholder"

// Registry is the list: the worker hosts it and the replay test replays it, so
// that a workflow without a golden history is a failing test.
func Registry() []durable.Workflow {
	return []durable.Workflow{
		maintenance.WorkOrder,
		maintenance.Bidding,
		leasing.Lease,
		leasing.MoveIn,
		leasing.Renewal,
		leasing.Retention,
		leasing.Sweep,
		finance.Transaction,
		finance.Review,
		finance.Summary,
		finance.ReconcileBank,
		finance.CloseDay,
		finance.CloseMonth,
		portfolio.Vacancy,
		sales.Create,
		sales.Sale,
		sales.Invitation,
		sales.Import,
		sales.Report,
		portfolio.Property,
		portfolio.Sweep,
		portfolio.Pricing,
		portfolio.MonthEnd,
		portfolio.Digest,
		portfolio.Compliance,
		sync.OpenMoove,
		sync.RentVine,
		sync.OutgoingWebhook,
		sync.ParkedEvent,
	}
}

// Metrics are the numbers that workflows show Prometheus.
func Metrics() []durable.Metric {
	return slices.Concat(maintenance.Metrics(), leasing.Metrics(), finance.Metrics(), portfolio.Metrics(), sales.Metrics())
}
