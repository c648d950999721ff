package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/clients/inventory"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/quickbooks"
	"github.com/aictive/keyholder/store"
)

// newQuickBooks is none where nothing of it is configured; half a configuration is a
// mistake.
func (c SpendConfig) newQuickBooks(tokens store.Tokens, observer *partner.Observer) (activities.QuickBooks, error) {
	var missing []string
	needed := []struct{ name, value string }{
		{"KEYHOLDER_QUICKBOOKS_CLIENT_ID", c.QuickBooksClientID}, {"KEYHOLDER_QUICKBOOKS_CLIENT_SECRET", c.QuickBooksClientSecret},
		{"KEYHOLDER_QUICKBOOKS_REALM", c.QuickBooksRealm}, {"KEYHOLDER_QUICKBOOKS_REFRESH_TOKEN", c.QuickBooksRefresh},
	}
	for _, n := range needed {
		if n.value == "" {
			missing = append(missing, n.name)
		}
	}
	if len(missing) == len(needed) {
		return activities.QuickBooks{}, nil
	}
	if c.TokenKeys == "" {
		missing = append(missing, "KEYHOLDER_TOKEN_KEY")
	}
	if len(missing) > 0 {
		return activities.QuickBooks{}, fmt.Errorf("to book orders in QuickBooks, set also %s; to leave it out, set none of KEYHOLDER_QUICKBOOKS_*", strings.Join(missing, ", "))
	}
	keys, err := store.ParseTokenKeys(c.TokenKeys)
	if err != nil {
		err = fmt.Errorf("KEYHOLDER_TOKEN_KEY: %w", err)
	}
	for _, at := range []struct{ name, value string }{
		{"KEYHOLDER_QUICKBOOKS_URL", c.QuickBooksURL}, {"KEYHOLDER_QUICKBOOKS_TOKEN_URL", c.QuickBooksTokenURL},
	} {
		if u, wrong := url.Parse(at.value); wrong != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			err = errors.Join(err, fmt.Errorf("%s must be an http or https address", at.name))
		}
	}
	if err != nil {
		return activities.QuickBooks{}, err
	}
	return activities.QuickBooks{Account: c.QuickBooksAccount, Client: quickbooks.New(quickbooks.Config{
		BaseURL: c.QuickBooksURL, Realm: c.QuickBooksRealm, HTTP: partner.HTTPConfig{Observer: observer},
		PerMinute: c.QuickBooksPerMinute - c.QuickBooksPerMinute/10, // room for others who ask
		Tokens: quickbooks.NewTokens(quickbooks.OAuthConfig{
			TokenURL: c.QuickBooksTokenURL, ClientID: c.QuickBooksClientID, ClientSecret: c.QuickBooksClientSecret, RefreshToken: c.QuickBooksRefresh, HTTP: partner.HTTPConfig{Observer: observer},
			Store: store.NewToken(tokens, keys, "quickbooks/"+c.QuickBooksRealm),
		}),
	})}, nil
}

// newInventory is nil where there is no stock list.
func (c SpendConfig) newInventory(observer *partner.Observer) (*inventory.Client, error) {
	if c.Inventory == "" {
		return nil, nil
	}
	if err := inventory.CheckSource(c.Inventory); err != nil {
		return nil, fmt.Errorf("KEYHOLDER_INVENTORY: %w", err)
	}
	return inventory.New(inventory.Config{Source: c.Inventory, HTTP: partner.HTTPConfig{Observer: observer}}), nil
}
