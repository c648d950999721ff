package quickbooks

import (
	"cmp"
	"context"
	"fmt"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

const (
	accountsPage = 500
	accountsMost = 1000
)

// The types of accounts whose lines need a customer or a vendor.
const (
	TypeReceivable = "Accounts Receivable"
	TypePayable    = "Accounts Payable"
)

// Account is one of the chart of accounts.
type Account struct {
	ID string
	// Name is with those of the accounts above it, such as "Repairs:Roof".
	Name string
	// Type is QuickBooks', such as "Bank", "Income" or TypeReceivable.
	Type string
	// Currency is ISO 4217, "" where the company has one only.
	Currency string
	Active   bool
	// Balance is debits less credits, negative for what is owed. QuickBooks keeps none of
	// income and expenses: theirs is 0.
	Balance Amount
}

type wireAccount struct {
	ID                 wire.ID    `json:"Id"`
	Name               wire.Text  `json:"Name"`
	FullyQualifiedName wire.Text  `json:"FullyQualifiedName"`
	AccountType        wire.Text  `json:"AccountType"`
	CurrencyRef        wireNamed  `json:"CurrencyRef"`
	Active             *wire.Flag `json:"Active"`
	CurrentBalance     Amount     `json:"CurrentBalance"`
}

func (w wireAccount) account(op string) (Account, error) {
	if w.ID == "" {
		return Account{}, &partner.Error{Op: "quickbooks." + op, Kind: partner.Malformed, Message: "an account without an id"}
	}
	return Account{
		ID: string(w.ID), Name: string(cmp.Or(w.FullyQualifiedName, w.Name)), Type: string(w.AccountType), Currency: string(w.CurrencyRef.Value),
		Active: w.Active == nil || bool(*w.Active), Balance: w.CurrentBalance,
	}, nil
}

// Accounts lists the chart of accounts with what is no longer active, by name. Errors
// are *partner.Error; Invalid where there are more than 1,000.
func (c *Client) Accounts(ctx context.Context) ([]Account, error) {
	const op = "list_accounts"
	var all []Account
	for start := 1; start <= accountsMost; start += accountsPage {
		var reply struct{ Account []wireAccount }
		statement := fmt.Sprintf("select * from Account where Active in (true, false) orderby Name startposition %d maxresults %d", start, accountsPage)
		if err := c.query(ctx, op, statement, &reply); err != nil {
			return nil, err
		}
		for _, w := range reply.Account {
			a, err := w.account(op)
			if err != nil {
				return nil, err
			}
			all = append(all, a)
		}
		if len(reply.Account) < accountsPage {
			return all, nil
		}
	}
	return nil, invalid(op, "the company has more than %d accounts", accountsMost)
}

// FindAccount finds an active account by its name, without those above it. Errors are
// *partner.Error.
func (c *Client) FindAccount(ctx context.Context, name string) (Account, bool, error) {
	return c.account(ctx, "find_account", "select * from Account where Name = "+quoted(name))
}

// PayablesAccount finds the account of what the company owes, which an order credits.
// Errors are *partner.Error.
func (c *Client) PayablesAccount(ctx context.Context) (Account, bool, error) {
	return c.account(ctx, "find_payables_account", "select * from Account where AccountType = "+quoted(TypePayable))
}

func (c *Client) account(ctx context.Context, op, statement string) (Account, bool, error) {
	var reply struct{ Account []wireAccount }
	if err := c.query(ctx, op, statement+" maxresults 1", &reply); err != nil {
		return Account{}, false, err
	}
	if len(reply.Account) == 0 {
		return Account{}, false, nil
	}
	a, err := reply.Account[0].account(op)
	return a, err == nil, err
}
