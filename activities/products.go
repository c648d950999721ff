package activities

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/aictive/keyholder/clients/openmoove"
	"github.com/aictive/keyholder/clients/partner"
)

const (
	// productsKept is how long OpenMoove's list of products is taken as it was read.
	// The contract knows no conditional request (contracts/openmoove.md 1).
	productsKept = time.Hour
	// productsYoung is how young it must be to refuse a sale.
	productsYoung = time.Minute
)

// productList is what OpenMoove sells, as this process read it last.
type productList struct {
	mu     sync.Mutex
	slugs  []string
	readAt time.Time
}

// checkProducts refuses a sale with a product that OpenMoove does not have, before a
// creation is begun. Where the list cannot be read, OpenMoove decides.
func (a *Activities) checkProducts(ctx context.Context, sale NewSale, keep float64) error {
	if len(sale.Products) == 0 {
		return nil
	}
	var known []string
	for _, age := range []time.Duration{productsKept, productsYoung} {
		list, err := a.productSlugs(ctx, age, keep)
		var e *partner.Error
		switch {
		case errors.As(err, &e):
			a.Log.Info("OpenMoove's products could not be read", zap.Error(err))
			return nil
		case err != nil:
			return err
		}
		known = list
		if !slices.ContainsFunc(sale.Products, func(slug string) bool { return !slices.Contains(list, slug) }) {
			return nil
		}
	}
	return &partner.Error{Op: CreateSale.Name, Kind: partner.Invalid, Fields: []partner.FieldProblem{{
		Field: "products", Messages: []string{"OpenMoove has no such product; it has " + strings.Join(known, ", ")},
	}}}
}

// productSlugs are the products of a list that is no older than an age.
func (a *Activities) productSlugs(ctx context.Context, age time.Duration, keep float64) ([]string, error) {
	p := &a.products
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.readAt) < age {
		return p.slugs, nil
	}
	began := time.Now()
	list, err := callOpenMoove(ctx, a, keep, func(c *openmoove.Client) ([]openmoove.Product, error) { return c.Products(ctx) })
	if err != nil {
		return nil, err
	}
	slugs := make([]string, 0, len(list))
	for _, product := range list {
		slugs = append(slugs, product.Slug)
	}
	p.slugs, p.readAt = slugs, began
	return slugs, nil
}
