package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQuickBooksIsConfiguredWhollyOrNotAtAll(t *testing.T) {
	t.Parallel()
	none := SpendConfig{QuickBooksURL: "https://quickbooks.api.intuit.com", QuickBooksTokenURL: "https://oauth.platform.intuit.com/x"}
	books, err := none.newQuickBooks(nil, nil)
	require.NoError(t, err)
	require.Nil(t, books.Client)

	half := none
	half.QuickBooksRealm = "913"
	_, err = half.newQuickBooks(nil, nil)
	for _, name := range []string{"KEYHOLDER_QUICKBOOKS_CLIENT_ID", "KEYHOLDER_QUICKBOOKS_CLIENT_SECRET", "KEYHOLDER_QUICKBOOKS_REFRESH_TOKEN", "KEYHOLDER_TOKEN_KEY"} {
		require.ErrorContains(t, err, name)
	}
	require.NotContains(t, err.Error(), "KEYHOLDER_QUICKBOOKS_REALM")

	whole := half
	whole.QuickBooksClientID, whole.QuickBooksClientSecret, whole.QuickBooksRefresh, whole.TokenKeys = "id", "secret", "rt", devTokenKey
	books, err = whole.newQuickBooks(nil, nil)
	require.NoError(t, err)
	require.NotNil(t, books.Client)

	whole.TokenKeys, whole.QuickBooksURL = "verysecret", "quickbooks"
	_, err = whole.newQuickBooks(nil, nil)
	require.ErrorContains(t, err, "KEYHOLDER_TOKEN_KEY")
	require.ErrorContains(t, err, "KEYHOLDER_QUICKBOOKS_URL")
	require.NotContains(t, err.Error(), "verysecret")
}

func TestTheStockListIsOptional(t *testing.T) {
	t.Parallel()
	stock, err := SpendConfig{}.newInventory(nil)
	require.NoError(t, err)
	require.Nil(t, stock)
	stock, err = SpendConfig{Inventory: "/var/lib/stock.csv"}.newInventory(nil)
	require.NoError(t, err)
	require.NotNil(t, stock)
	_, err = SpendConfig{Inventory: "ftp://user:verysecret@example.com"}.newInventory(nil)
	require.ErrorContains(t, err, "KEYHOLDER_INVENTORY")
	require.NotContains(t, err.Error(), "verysecret")
}
