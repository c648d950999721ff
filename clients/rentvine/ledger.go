package rentvine

import (
	"context"

	"github.com/aictive/keyholder/clients/partner"
)

// The ledger types of contracts/rentvine.md 2.10; 1 is the manager's own.
const (
	ledgerOfPortfolio = 2
	ledgerOfProperty  = 3
	ledgerOfUnit      = 4
)

// Ledger is an account of what a portfolio, property or unit has had
// (contracts/rentvine.md 2.10). The ids are "" where it does not say.
type Ledger struct {
	ID, Name                        string
	PortfolioID, PropertyID, UnitID string
}

// Ledger reads one ledger. Errors are *partner.Error.
func (c *Client) Ledger(ctx context.Context, id string) (Ledger, error) {
	const op = "get_ledger"
	var out Ledger
	if err := number(op, id); err != nil {
		return out, err
	}
	err := c.get(ctx, op, "/accounting/ledgers/"+id, nil, one(&out, ledgerFrom))
	return out, err
}

type wireLedger struct {
	LedgerID     key   `json:"ledgerID"`
	Name         text  `json:"name"`
	LedgerTypeID whole `json:"ledgerTypeID"`
	ObjectID     key   `json:"objectID"`
	LeaseID      key   `json:"leaseID"`
	UnitID       key   `json:"unitID"`
	PropertyID   key   `json:"propertyID"`
	PortfolioID  key   `json:"portfolioID"`
}

// place is what the ledger is of, by its fields or its type.
func (w wireLedger) place() Ledger {
	object := map[whole]key{w.LedgerTypeID: w.ObjectID}
	return Ledger{
		ID: string(w.LedgerID), Name: string(w.Name),
		PortfolioID: firstKey(w.PortfolioID, object[ledgerOfPortfolio]),
		PropertyID:  firstKey(w.PropertyID, object[ledgerOfProperty]),
		UnitID:      firstKey(w.UnitID, object[ledgerOfUnit]),
	}
}

func ledgerFrom(r row) (Ledger, error) {
	var w wireLedger
	if err := r.into("ledger", &w); err != nil {
		return Ledger{}, err
	}
	if w.LedgerID == "" {
		return Ledger{}, partner.ShapeError("a ledger without an id")
	}
	l := w.place()
	var beside struct {
		UnitID      key `json:"unitID"`
		PropertyID  key `json:"propertyID"`
		PortfolioID key `json:"portfolioID"`
	}
	for _, name := range []string{"portfolio", "property", "unit"} {
		if err := r.beside(name, &beside); err != nil {
			return Ledger{}, err
		}
	}
	l.UnitID = firstKey(key(l.UnitID), beside.UnitID)
	l.PropertyID = firstKey(key(l.PropertyID), beside.PropertyID)
	l.PortfolioID = firstKey(key(l.PortfolioID), beside.PortfolioID)
	return l, nil
}
