package openmoove

import (
	"context"
	"encoding/json"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

// MooveReadyPack is the slug of the product that is known to exist (2).
const MooveReadyPack = "moove-ready-pack"

// Product is something that can be bought with a property (2).
type Product struct {
	Name, Slug, Description string
	Price                   Price
}

// Price is an amount as the wire wrote it, "" where there is none.
type Price struct {
	Amount string
	// Currency is like "GBP".
	Currency string
}

// Products reads what can be bought. Errors are *partner.Error.
func (c *Client) Products(ctx context.Context) ([]Product, error) {
	var out []Product
	err := c.get(ctx, "list_products", "/products/", nil, one(&out, productsFrom))
	return out, err
}

func productsFrom(b json.RawMessage) ([]Product, error) {
	var l list
	if err := json.Unmarshal(b, &l); err != nil {
		return nil, err
	}
	return each(l.Results, productFrom)
}

func productFrom(b json.RawMessage) (Product, error) {
	var w struct {
		Name        wire.Text        `json:"name"`
		Slug        wire.Text        `json:"slug"`
		Description loose[wire.Text] `json:"description"`
		Price       loose[struct {
			Amount   wire.Text `json:"amount"`
			Currency wire.Text `json:"currency"`
		}] `json:"price"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return Product{}, err
	}
	if w.Slug == "" {
		return Product{}, partner.ShapeError("a product without a slug")
	}
	return Product{
		Name: string(w.Name), Slug: string(w.Slug), Description: string(w.Description.is),
		Price: Price{Amount: string(w.Price.is.Amount), Currency: string(w.Price.is.Currency)},
	}, nil
}
