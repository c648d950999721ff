package activities

import (
	"context"
	"time"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// RecordRepair notes how a work order went, for the figures that owners get. It is safe
// to repeat: the same work order again adds to what is known.
var RecordRepair = durable.Activity[RepairRecord, None]{
	Name: "maintenance.record_repair", Attempt: 5 * time.Second,
}

// RepairRecord is a work order that has come to its end; see store.Repair.
type RepairRecord struct {
	WorkOrderID    string    `json:"work_order_id"`
	PropertyID     string    `json:"property_id"`
	UnitID         string    `json:"unit_id,omitempty"`
	PortfolioID    string    `json:"portfolio_id,omitempty"`
	Emergency      bool      `json:"emergency,omitempty"`
	What           string    `json:"what,omitempty"`
	OpenedAt       time.Time `json:"opened_at,omitzero"`
	AcknowledgedAt time.Time `json:"acknowledged_at,omitzero"`
	OnSiteAt       time.Time `json:"on_site_at,omitzero"`
	DoneAt         time.Time `json:"done_at,omitzero"`
	Cost           int64     `json:"cost,omitempty"`
	Rating         int       `json:"rating,omitempty"`
	Fixed          *bool     `json:"fixed,omitempty"`
}

func (a *Activities) recordRepair(ctx context.Context, in RepairRecord) (None, error) {
	return None{}, toTemporal(ctx, a.Store.RecordRepair(ctx, store.Repair(in)))
}
