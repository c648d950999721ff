package rentvine

import (
	"context"

	"github.com/aictive/keyholder/clients/partner"
)

// Account is one of the chart of accounts at RentVine (contracts/rentvine.md 2.10).
type Account struct {
	ID, Number, Name string
	IsActive, IsRent bool
}

// Accounts reads the chart of accounts. Errors are *partner.Error.
func (c *Client) Accounts(ctx context.Context) ([]Account, error) {
	return list[Account]{
		op: "list_accounts", path: "/accounting/accounts", from: accountFrom, id: func(a Account) string { return a.ID },
	}.all(ctx, c)
}

func accountFrom(r row) (Account, error) {
	var w struct {
		AccountID key  `json:"accountID"`
		Number    text `json:"number"`
		Name      text `json:"name"`
		IsActive  flag `json:"isActive"`
		IsRent    flag `json:"isRent"`
	}
	if err := r.into("account", &w); err != nil {
		return Account{}, err
	}
	if w.AccountID == "" {
		return Account{}, partner.ShapeError("an account without an id")
	}
	return Account{
		ID: string(w.AccountID), Number: string(w.Number), Name: string(w.Name), IsActive: bool(w.IsActive), IsRent: bool(w.IsRent),
	}, nil
}
