package activities

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aictive/keyholder/activities/analysis"
	"github.com/aictive/keyholder/clients/inventory"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// ReserveParts sets parts of the stock aside for a work order and tells which of them
// there are not enough of. It is safe to repeat: a work order that has parts set aside
// gets the first answer again. Without a stock list everything is missing. A list with
// mistakes is tried again: somebody mends it meanwhile.
var ReserveParts = durable.Activity[ReservePartsInput, ReservedParts]{
	Name: "inventory.reserve_parts", Attempt: 15 * time.Second, Within: time.Hour,
}

// ReleaseParts gives back what is set aside for a work order, and UseParts notes that
// it was used up. Repeating either is harmless.
var (
	ReleaseParts = durable.Activity[string, None]{
		Name: "inventory.release_parts", Attempt: 5 * time.Second,
	}
	UseParts = durable.Activity[string, None]{
		Name: "inventory.use_parts", Attempt: 5 * time.Second,
	}
)

// ReservePartsInput names the work order and what its repair is likely to need.
type ReservePartsInput struct {
	WorkOrderID string          `json:"work_order_id"`
	Parts       []analysis.Part `json:"parts"`
}

// ReservedParts tells what is set aside and what has to be ordered.
type ReservedParts struct {
	Reserved []PartLine `json:"reserved,omitempty"`
	Missing  []PartLine `json:"missing,omitempty"`
}

// PartLine is a quantity of one part. What the stock list does not say is empty.
type PartLine struct {
	SKU      string       `json:"sku"`
	Name     string       `json:"name"`
	Quantity int          `json:"quantity"`
	UnitCost policy.Cents `json:"unit_cost"`
	// SupplierContact is the contactID at RentVine of who sells it.
	SupplierContact string `json:"supplier_contact,omitempty"`
	// LeadDays is how many days the supplier takes.
	LeadDays int `json:"lead_days,omitempty"`
}

// The bounds of what one repair may ask for.
const (
	maxParts    = 50
	maxOfOne    = 1000
	quickLookup = 2 * time.Second
)

func (a *Activities) reserveParts(ctx context.Context, in ReservePartsInput) (ReservedParts, error) {
	parts, err := wantedParts(in.Parts)
	if err != nil {
		return ReservedParts{}, toTemporal(ctx, err)
	}
	var out ReservedParts
	if a.Inventory == nil || len(parts) == 0 {
		for _, p := range parts {
			out.Missing = append(out.Missing, PartLine{SKU: p.SKU, Name: p.Name, Quantity: p.Quantity})
		}
		return out, nil
	}
	list, err := a.Inventory.List(ctx)
	if err != nil {
		return ReservedParts{}, toTemporal(ctx, mendable(err))
	}
	var wants []store.StockWant
	for _, p := range parts {
		item, _ := list.Item(p.SKU)
		wants = append(wants, store.StockWant{SKU: p.SKU, Quantity: p.Quantity, OnHand: item.Quantity})
	}
	granted, err := a.Store.ReserveStock(ctx, in.WorkOrderID, list.Digest, wants)
	if err != nil {
		return ReservedParts{}, err
	}
	for _, p := range parts {
		line := partLine(list, p)
		here := min(granted[p.SKU], p.Quantity)
		if line.Quantity = here; here > 0 {
			out.Reserved = append(out.Reserved, line)
		}
		if line.Quantity = p.Quantity - here; line.Quantity > 0 {
			out.Missing = append(out.Missing, line)
		}
	}
	return out, nil
}

// wantedParts names each part once.
func wantedParts(parts []analysis.Part) ([]analysis.Part, error) {
	var wanted []analysis.Part
	for _, p := range parts {
		if p.Quantity <= 0 || p.SKU == "" {
			continue
		}
		if i := slices.IndexFunc(wanted, func(w analysis.Part) bool { return w.SKU == p.SKU }); i >= 0 {
			wanted[i].Quantity += p.Quantity
		} else {
			wanted = append(wanted, p)
		}
	}
	tooMany := slices.ContainsFunc(wanted, func(p analysis.Part) bool { return p.Quantity > maxOfOne })
	if len(wanted) > maxParts || tooMany {
		return nil, &partner.Error{Op: ReserveParts.Name, Kind: partner.Invalid, Message: "a repair asks for at most 50 parts and 1,000 of each"}
	}
	return wanted, nil
}

// partLine says of a part what the list knows.
func partLine(list *inventory.List, p analysis.Part) PartLine {
	line := PartLine{SKU: p.SKU, Name: p.Name}
	if item, ok := list.Item(p.SKU); ok {
		line.Name, line.UnitCost = item.Name, policy.Cents(item.UnitCost)
		line.SupplierContact, line.LeadDays = item.SupplierContact, item.LeadDays
	}
	return line
}

// mendable is an error that waiting may mend: whatever is wrong with the list or its
// address, an operator can set it right.
func mendable(err error) error {
	var e *partner.Error
	if errors.As(err, &e) && !retryable(e.Kind) {
		mended := *e
		mended.Kind = partner.Unavailable
		return &mended
	}
	return err
}

func (a *Activities) releaseParts(ctx context.Context, workOrderID string) (None, error) {
	return None{}, a.Store.ReleaseStock(ctx, workOrderID)
}

// useParts counts against the list as it is now; where that cannot be read at once,
// against the one that parts were last set aside from.
func (a *Activities) useParts(ctx context.Context, workOrderID string) (None, error) {
	digest := ""
	if a.Inventory != nil {
		quick, cancel := context.WithTimeout(ctx, quickLookup)
		defer cancel()
		if list, err := a.Inventory.List(quick); err == nil {
			digest = list.Digest
		}
	}
	return None{}, a.Store.UseStock(ctx, workOrderID, digest)
}
