package activities

import (
	"context"
	"strconv"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/aictive/keyholder/clients/openmoove"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/store"
)

// OpenMoove cannot be asked for a property by its address, and its list holds
// neither UUID nor seller (contracts/openmoove.md 2). So the store keeps an index
// of all properties, as keyed hashes. It is made by one walk over the list, which
// keeps its place, and is kept up to date by reading what is new at either end of
// the list: its order is not known.

const (
	listPage = 100
	// maxListPages bounds a walk over the list.
	maxListPages = 2000
	// walkSetting is the store's setting of the walk: the next page, or walkDone.
	walkSetting = "openmoove_walk"
	walkDone    = "done"
)

// findSale looks for the property of a sale: same address, postcode and seller. It
// reads whatever is new in OpenMoove's list first. since is when a creation of
// ours began, zero where none has: a property that we have known for no longer is
// ours even where OpenMoove does not show its seller.
func (a *Activities) findSale(ctx context.Context, sale NewSale, since time.Time, keep float64) (store.PropertyRef, bool, error) {
	if err := a.refreshIndex(ctx, keep); err != nil {
		return store.PropertyRef{}, false, err
	}
	return a.indexed(ctx, sale, since, keep)
}

// indexed looks in the index alone, and asks OpenMoove about what it finds there.
func (a *Activities) indexed(ctx context.Context, sale NewSale, since time.Time, keep float64) (store.PropertyRef, bool, error) {
	refs, err := a.Store.PropertiesAt(ctx, a.Keys.SaleAddress(sale.Address, sale.Postcode))
	if err != nil {
		return store.PropertyRef{}, false, err
	}
	seller := a.Keys.Address(sale.Email)
	for _, ref := range refs {
		if ref.SellerKey != "" && ref.SellerKey != seller {
			continue
		}
		ref, there, err := a.confirmed(ctx, ref, keep)
		switch {
		case err != nil:
			return store.PropertyRef{}, false, err
		case !there:
		case ref.SellerKey == seller:
			return ref, true, nil
		case ref.SellerKey == "" && !since.IsZero() && ref.KnownSince.After(since):
			return ref, true, nil
		case ref.SellerKey == "":
			return ref, false, &partner.Error{Op: CreateSale.Name, Kind: partner.Conflict,
				Message: "OpenMoove has property " + ref.ID + " at this address and does not show who sells it: look there whether it is the same sale"}
		}
	}
	return store.PropertyRef{}, false, nil
}

// confirmed reads a property that may be the one: it may be gone, and its seller
// may not be known yet.
func (a *Activities) confirmed(ctx context.Context, ref store.PropertyRef, keep float64) (store.PropertyRef, bool, error) {
	detail, err := callOpenMoove(ctx, a, keep, func(c *openmoove.Client) (openmoove.Detail, error) {
		return c.PropertyDetail(ctx, ref.ID)
	})
	switch {
	case partner.KindOf(err) == partner.NotFound && ref.TransactionID != "":
		return a.confirmedByUUID(ctx, ref, keep)
	case partner.KindOf(err) == partner.NotFound:
		// Gone, or the older form of the detail is: the list tells.
		return ref, true, nil
	case err != nil:
		return ref, false, err
	}
	if detail.Seller.Email == "" {
		return ref, true, nil
	}
	ref.SellerKey = a.Keys.Address(detail.Seller.Email)
	return ref, true, a.Store.PutProperties(ctx, ref)
}

func (a *Activities) confirmedByUUID(ctx context.Context, ref store.PropertyRef, keep float64) (store.PropertyRef, bool, error) {
	_, err := callOpenMoove(ctx, a, keep, func(c *openmoove.Client) (openmoove.Property, error) {
		return c.Property(ctx, ref.TransactionID)
	})
	if partner.KindOf(err) == partner.NotFound {
		return ref, false, a.Store.ForgetProperty(ctx, ref.ID)
	}
	return ref, err == nil, err
}

// refreshIndex brings the index up to date.
func (a *Activities) refreshIndex(ctx context.Context, keep float64) error {
	place, err := a.Store.Setting(ctx, walkSetting)
	if err != nil {
		return err
	}
	if place != walkDone {
		return a.walkList(ctx, place, keep)
	}
	first, known, err := a.indexPage(ctx, 1, keep)
	if err != nil {
		return err
	}
	last := pagesOf(first)
	for n := 2; n <= last && known == 0; n++ {
		if _, known, err = a.indexPage(ctx, n, keep); err != nil {
			return err
		}
	}
	known = 0
	for n := last; n >= 2 && known == 0; n-- {
		if _, known, err = a.indexPage(ctx, n, keep); err != nil {
			return err
		}
	}
	return nil
}

// walkList reads the whole list once, from where an earlier try has come to.
func (a *Activities) walkList(ctx context.Context, place string, keep float64) error {
	n, err := strconv.Atoi(place)
	if err != nil {
		n = 1
	}
	for ; ; n++ {
		list, _, err := a.indexPage(ctx, n, keep)
		if err != nil {
			return err
		}
		if n >= pagesOf(list) {
			return a.Store.SetSetting(ctx, walkSetting, walkDone)
		}
		if err := a.Store.SetSetting(ctx, walkSetting, strconv.Itoa(n+1)); err != nil {
			return err
		}
	}
}

func pagesOf(list openmoove.PropertyList) int {
	return min((list.Count+listPage-1)/listPage, maxListPages)
}

// indexPage reads a page of the list into the index and tells how many of it were
// known. A page beyond the end, where the list has shrunk, is an empty one.
func (a *Activities) indexPage(ctx context.Context, n int, keep float64) (list openmoove.PropertyList, known int, err error) {
	list, err = callOpenMoove(ctx, a, keep, func(c *openmoove.Client) (openmoove.PropertyList, error) {
		return c.Properties(ctx, openmoove.Page{Number: n, Size: listPage})
	})
	if partner.KindOf(err) == partner.NotFound && n > 1 {
		return openmoove.PropertyList{}, 0, nil
	}
	if err != nil {
		return list, 0, err
	}
	refs := make([]store.PropertyRef, 0, len(list.Rows))
	ids := make([]string, 0, len(list.Rows))
	for _, row := range list.Rows[:min(len(list.Rows), listPage)] {
		refs = append(refs, store.PropertyRef{ID: row.ID, AddressKey: a.Keys.SaleAddress(row.Address, row.Postcode), CreatedAt: row.CreatedAt})
		ids = append(ids, row.ID)
	}
	if known, err = a.Store.KnownProperties(ctx, ids...); err != nil {
		return list, 0, err
	}
	activity.RecordHeartbeat(ctx, "list page")
	return list, known, a.Store.PutProperties(ctx, refs...)
}
