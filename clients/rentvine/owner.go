package rentvine

import (
	"context"
	"slices"

	"github.com/aictive/keyholder/clients/partner"
)

// Portfolio is what a group of owners has let (contracts/rentvine.md 2.5).
type Portfolio struct {
	ID, Name string
	IsActive bool
	// OwnerContactIDs are contacts, in the order of the record.
	OwnerContactIDs []string
}

type wirePortfolio struct {
	PortfolioID key   `json:"portfolioID"`
	Name        text  `json:"name"`
	IsActive    *flag `json:"isActive"`
	Owners      []struct {
		ContactID key `json:"contactID"`
	} `json:"owners"`
}

func (w wirePortfolio) portfolio() Portfolio {
	p := Portfolio{ID: string(w.PortfolioID), Name: string(w.Name), IsActive: w.IsActive == nil || bool(*w.IsActive)}
	for _, o := range w.Owners {
		if id := string(o.ContactID); id != "" && !slices.Contains(p.OwnerContactIDs, id) {
			p.OwnerContactIDs = append(p.OwnerContactIDs, id)
		}
	}
	return p
}

func portfolioFrom(r row) (Portfolio, error) {
	var w wirePortfolio
	if err := r.into("portfolio", &w); err != nil {
		return Portfolio{}, err
	}
	if w.PortfolioID == "" {
		return Portfolio{}, partner.ShapeError("a portfolio without an id")
	}
	return w.portfolio(), nil
}

// exported is a row of the export of properties: the property and its portfolio.
type exported struct {
	propertyID string
	portfolio  Portfolio
}

func exportedFrom(r row) (exported, error) {
	var p struct {
		PropertyID  key `json:"propertyID"`
		PortfolioID key `json:"portfolioID"`
	}
	if err := r.into("property", &p); err != nil {
		return exported{}, err
	}
	if p.PropertyID == "" {
		return exported{}, partner.ShapeError("a property without an id")
	}
	var w wirePortfolio
	if err := r.beside("portfolio", &w); err != nil {
		return exported{}, err
	}
	if w.PortfolioID == "" {
		w.PortfolioID = p.PortfolioID
	}
	return exported{string(p.PropertyID), w.portfolio()}, nil
}

// PortfolioOf finds the portfolio of a property with its owners. RentVine documents no
// way to read one portfolio, so the list of portfolios is read until it comes, and
// where that may not be read or its record names no owners, the export of properties until one of the same
// portfolio does (contracts/rentvine.md 2.1, 2.5). portfolioID or propertyID may be
// "". Errors are *partner.Error; NotFound where neither is listed.
func (c *Client) PortfolioOf(ctx context.Context, portfolioID, propertyID string) (Portfolio, error) {
	const op = "get_portfolio"
	for _, id := range []string{portfolioID, propertyID} {
		if id == "" {
			continue
		}
		if err := number(op, id); err != nil {
			return Portfolio{}, err
		}
	}
	var found Portfolio
	if portfolioID != "" {
		err := list[Portfolio]{
			op: op, path: "/portfolios", from: portfolioFrom, id: func(p Portfolio) string { return p.ID },
		}.each(ctx, c, func(p Portfolio) bool {
			if p.ID == portfolioID {
				found = p
			}
			return found.ID == ""
		})
		unusable := partner.KindOf(err) == partner.NotFound || partner.KindOf(err) == partner.Forbidden
		if err != nil && !unusable || len(found.OwnerContactIDs) > 0 {
			return found, err
		}
	}
	err := list[exported]{
		op: op, path: "/properties/export", from: exportedFrom, id: func(e exported) string { return e.propertyID },
	}.each(ctx, c, func(e exported) bool {
		if e.propertyID == propertyID || portfolioID != "" && e.portfolio.ID == portfolioID {
			found = e.portfolio
		}
		return len(found.OwnerContactIDs) == 0
	})
	if err == nil && found.ID == "" {
		err = &partner.Error{Op: "rentvine." + op, Kind: partner.NotFound, Message: "no such portfolio or property is listed"}
	}
	return found, err
}

// Owner reads one owner (contracts/rentvine.md 2.4). Errors are *partner.Error.
func (c *Client) Owner(ctx context.Context, contactID string) (Contact, error) {
	const op = "get_owner"
	var out Contact
	if err := number(op, contactID); err != nil {
		return out, err
	}
	err := c.get(ctx, op, "/owners/"+contactID, nil, one(&out, contactFrom))
	return out, err
}

// EachPortfolio shows every portfolio with its owners, until each says stop. The list is up
// to 100 pages of 100 rows; more is partner.Invalid. It may be forbidden, and records may
// name no owners (contracts/rentvine.md 2.5): EachProperty tells them then. Errors are
// *partner.Error.
func (c *Client) EachPortfolio(ctx context.Context, each func(Portfolio) (more bool)) error {
	return list[Portfolio]{
		op: "list_portfolios", path: "/portfolios", from: portfolioFrom, id: func(p Portfolio) string { return p.ID },
	}.each(ctx, c, each)
}
