package activities

import (
	"context"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2/expirable"
	"github.com/ringsaturn/tzf"

	"github.com/aictive/keyholder/clients/rentvine"
)

const (
	// propertyFresh is how long a property is not asked for again; addresses and
	// coordinates hardly ever change.
	propertyFresh = 10 * time.Minute
	// tradeFresh is the same for the account's list of trades.
	tradeFresh = time.Hour
)

// propertyCache spares RentVine the same questions at every event.
type propertyCache struct {
	properties *lru.LRU[string, Property]
	trades     *lru.LRU[string, string]
}

func newPropertyCache() *propertyCache {
	return &propertyCache{
		properties: lru.NewLRU[string, Property](10_000, nil, propertyFresh),
		trades:     lru.NewLRU[string, string](1_000, nil, tradeFresh),
	}
}

func (a *Activities) property(ctx context.Context, id string) (Property, error) {
	if p, ok := a.properties.properties.Get(id); ok {
		return p, nil
	}
	raw, err := a.RentVine.Property(ctx, id)
	if err != nil {
		return Property{}, err
	}
	p := Property{
		ID: raw.ID, PortfolioID: raw.PortfolioID, Address: addressOf(raw),
		HasPosition: raw.Located, Latitude: raw.Latitude, Longitude: raw.Longitude,
	}
	if p.HasPosition && a.Policy.For(p.PortfolioID, p.ID).TimeZone == "" {
		p.Zone = a.zones.at(p.Latitude, p.Longitude)
	}
	a.properties.properties.Add(id, p)
	return p, nil
}

func addressOf(p rentvine.Property) string {
	parts := make([]string, 0, 2)
	for _, part := range []string{p.Address, p.City} {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

func (a *Activities) tradeName(ctx context.Context, id string) (string, error) {
	if name, ok := a.properties.trades.Get(id); ok {
		return name, nil
	}
	trades, err := a.RentVine.VendorTrades(ctx)
	if err != nil {
		return "", err
	}
	name := ""
	for _, t := range trades {
		a.properties.trades.Add(t.ID, t.Name)
		if t.ID == id {
			name = t.Name
		}
	}
	return name, nil
}

// zoneFinder finds time zones by coordinates. Its table is loaded when first
// needed, because a policy that names its zones never needs it.
type zoneFinder struct {
	load   sync.Once
	finder tzf.F
}

// at is the IANA zone at a position, "" where the table cannot be loaded.
func (z *zoneFinder) at(latitude, longitude float64) string {
	z.load.Do(func() {
		if f, err := tzf.NewDefaultFinder(); err == nil {
			z.finder = f
		}
	})
	if z.finder == nil {
		return ""
	}
	return z.finder.GetTimezoneName(longitude, latitude)
}
