package activities

import (
	"context"
	"sync"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
)

// ownerList is whose portfolios are, read once for many of them; each owner is read when
// first wanted, and then kept. Several may use it at once.
type ownerList struct {
	portfolios map[string]rentvine.Portfolio

	mu sync.Mutex
	// people are those that were read, by contact; nil where RentVine does not have them or
	// they are not active.
	people map[string]*Person
}

// readOwnerList reads all portfolios: from their list, and where that is not to be had or
// names no owners, from the export of properties.
func (a *Activities) readOwnerList(ctx context.Context) (*ownerList, error) {
	list := &ownerList{portfolios: map[string]rentvine.Portfolio{}, people: map[string]*Person{}}
	named := false
	err := a.RentVine.EachPortfolio(ctx, func(p rentvine.Portfolio) bool {
		list.portfolios[p.ID] = p
		named = named || len(p.OwnerContactIDs) > 0
		return true
	})
	if kind := partner.KindOf(err); err != nil && kind != partner.NotFound && kind != partner.Forbidden || named {
		return list, err
	}
	err = a.RentVine.EachProperty(ctx, 1, func(_ int, p rentvine.Property) bool {
		of := list.portfolios[p.PortfolioID]
		if len(of.OwnerContactIDs) == 0 {
			of.ID, of.OwnerContactIDs = p.PortfolioID, p.OwnerContactIDs
			list.portfolios[p.PortfolioID] = of
		}
		return true
	})
	return list, err
}

func (l *ownerList) name(portfolioID string) string { return l.portfolios[portfolioID].Name }

// ownersOnce are the active owners of a portfolio, at most 10, each read once.
func (a *Activities) ownersOnce(ctx context.Context, l *ownerList, portfolioID string) ([]Person, error) {
	var people []Person
	for _, id := range l.portfolios[portfolioID].OwnerContactIDs {
		if len(people) == maxOwners {
			break
		}
		p, err := a.ownerOnce(ctx, l, id)
		if err != nil {
			return nil, err
		}
		if p != nil {
			people = append(people, *p)
		}
	}
	return people, nil
}

func (a *Activities) ownerOnce(ctx context.Context, l *ownerList, contactID string) (*Person, error) {
	l.mu.Lock()
	known, ok := l.people[contactID]
	l.mu.Unlock()
	if ok {
		return known, nil
	}
	o, err := a.RentVine.Owner(ctx, contactID)
	switch {
	case err != nil && partner.KindOf(err) != partner.NotFound:
		return nil, err
	case err == nil && o.IsActive:
		p := a.person(o.ID, o.Name, o.Phone, o.Email)
		known = &p
	}
	l.mu.Lock()
	l.people[contactID] = known
	l.mu.Unlock()
	return known, nil
}
