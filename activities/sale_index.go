package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/aictive/keyholder/clients/openmoove"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/store"
)

// OpenMoove cannot be asked for a property by its address, and its list holds
// neither UUID nor seller (contracts/openmoove.md 2). So the store keeps an index
// of all properties, as keyed hashes, which is brought up to date page by page:
// one call where nothing has changed.

const (
	listPage = 100
	// maxListPages bounds a walk over the list.
	maxListPages = 2000
)

// findSale looks for the property of a sale: same address, postcode and seller. It
// reads whatever is new in OpenMoove's list first.
func (a *Activities) findSale(ctx context.Context, sale NewSale, urgent bool) (store.PropertyRef, bool, error) {
	if err := a.refreshIndex(ctx, urgent); err != nil {
		return store.PropertyRef{}, false, err
	}
	return a.indexed(ctx, sale, urgent)
}

// indexed looks in the index alone, and asks OpenMoove for a seller that the index
// does not know yet.
func (a *Activities) indexed(ctx context.Context, sale NewSale, urgent bool) (store.PropertyRef, bool, error) {
	refs, err := a.Store.PropertiesAt(ctx, a.Keys.SaleAddress(sale.Address, sale.Postcode))
	if err != nil {
		return store.PropertyRef{}, false, err
	}
	seller := a.Keys.Address(sale.Email)
	for _, ref := range refs {
		if ref.SellerKey == "" {
			if ref, err = a.completeRef(ctx, ref, urgent); err != nil {
				return store.PropertyRef{}, false, err
			}
		}
		if ref.SellerKey == seller {
			return ref, true, nil
		}
	}
	return store.PropertyRef{}, false, nil
}

// completeRef reads who sells a property. One that is gone has no seller.
func (a *Activities) completeRef(ctx context.Context, ref store.PropertyRef, urgent bool) (store.PropertyRef, error) {
	detail, err := callOpenMoove(ctx, a, urgent, func(c *openmoove.Client) (openmoove.Detail, error) {
		return c.PropertyDetail(ctx, ref.ID)
	})
	if partner.KindOf(err) == partner.NotFound {
		return ref, nil
	}
	if err != nil {
		return ref, err
	}
	if detail.Seller.Email == "" {
		return ref, nil
	}
	ref.SellerKey = a.Keys.Address(detail.Seller.Email)
	return ref, a.Store.PutProperties(ctx, ref)
}

// refreshIndex brings the index up to date. The list tells how many properties
// there are: where the index has as many, nothing is new. Else the newest pages
// are read first, whichever end they are at, until the numbers agree. Properties
// that are gone make the index too large: then all pages are read and what was not
// among them is forgotten.
func (a *Activities) refreshIndex(ctx context.Context, urgent bool) error {
	began := time.Now()
	first, err := a.indexPage(ctx, 1, urgent)
	if err != nil {
		return err
	}
	pages := min((first.Count+listPage-1)/listPage, maxListPages)
	known, err := a.Store.CountProperties(ctx)
	if err != nil {
		return err
	}
	gone := known > first.Count
	order := []int{pages}
	for n := 2; n < pages; n++ {
		order = append(order, n)
	}
	for _, n := range order {
		if n < 2 || (known == first.Count && !gone) {
			break
		}
		if _, err := a.indexPage(ctx, n, urgent); err != nil {
			return err
		}
		if known, err = a.Store.CountProperties(ctx); err != nil {
			return err
		}
	}
	if gone {
		_, err = a.Store.ForgetProperties(ctx, began)
	}
	return err
}

// indexPage reads a page of the list into the index.
func (a *Activities) indexPage(ctx context.Context, n int, urgent bool) (openmoove.PropertyList, error) {
	list, err := callOpenMoove(ctx, a, urgent, func(c *openmoove.Client) (openmoove.PropertyList, error) {
		return c.Properties(ctx, openmoove.Page{Number: n, Size: listPage})
	})
	if err != nil {
		return list, err
	}
	refs := make([]store.PropertyRef, 0, len(list.Rows))
	for _, row := range list.Rows {
		refs = append(refs, store.PropertyRef{ID: row.ID, AddressKey: a.Keys.SaleAddress(row.Address, row.Postcode)})
	}
	activity.RecordHeartbeat(ctx, "list page")
	return list, a.Store.PutProperties(ctx, refs...)
}
