package quickbooks

import (
	"context"
	"net/http"
	"strings"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

const maxDisplayName = 100

// Vendor is who is paid.
type Vendor struct {
	ID   string
	Name string
}

// NewVendor is a vendor to create.
type NewVendor struct {
	RequestID string
	// Name is unique among a company's vendors, customers and employees.
	Name  string
	Email string
	// Phone may be "".
	Phone string
}

type wireVendor struct {
	ID          wire.ID   `json:"Id"`
	DisplayName wire.Text `json:"DisplayName"`
}

func (w wireVendor) vendor(op string, kind partner.Kind) (Vendor, error) {
	if w.ID == "" {
		return Vendor{}, &partner.Error{Op: "quickbooks." + op, Kind: kind, Message: "a vendor without an id"}
	}
	return Vendor{ID: string(w.ID), Name: string(w.DisplayName)}, nil
}

// VendorName is a name as QuickBooks takes it: on one line, without colons, of at most
// 100 characters.
func VendorName(name string) string {
	return clean(strings.ReplaceAll(name, ":", " "), maxDisplayName)
}

// FindVendor finds an active vendor by its name. Errors are *partner.Error.
func (c *Client) FindVendor(ctx context.Context, name string) (Vendor, bool, error) {
	const op = "find_vendor"
	var reply struct{ Vendor []wireVendor }
	name = VendorName(name)
	if err := c.query(ctx, op, "select * from Vendor where DisplayName = "+quoted(name), &reply, name); err != nil {
		return Vendor{}, false, err
	}
	if len(reply.Vendor) == 0 {
		return Vendor{}, false, nil
	}
	v, err := reply.Vendor[0].vendor(op, partner.Malformed)
	return v, err == nil, err
}

// CreateVendor makes a vendor. Errors are *partner.Error; Conflict says that somebody,
// maybe a customer, has the name already.
func (c *Client) CreateVendor(ctx context.Context, v NewVendor) (Vendor, error) {
	const op = "create_vendor"
	q, err := requestID(op, v.RequestID)
	if err != nil {
		return Vendor{}, err
	}
	body := map[string]any{"DisplayName": VendorName(v.Name)}
	if v.Email != "" {
		body["PrimaryEmailAddr"] = map[string]string{"Address": v.Email}
	}
	if v.Phone != "" {
		body["PrimaryPhone"] = map[string]string{"FreeFormNumber": v.Phone}
	}
	var reply wireVendor
	err = c.call(ctx, request{
		op: op, method: http.MethodPost, path: "/vendor", query: q, body: body, key: "Vendor", personal: []string{v.Name, v.Email, v.Phone},
	}, &reply)
	if err != nil {
		return Vendor{}, err
	}
	return reply.vendor(op, partner.UnknownOutcome)
}

// Account is one of the chart of accounts.
type Account struct {
	ID   string
	Name string
}

// FindAccount finds an active account by its name. Errors are *partner.Error.
func (c *Client) FindAccount(ctx context.Context, name string) (Account, bool, error) {
	return c.account(ctx, "find_account", "select * from Account where Name = "+quoted(name))
}

// PayablesAccount finds the account of what the company owes, which an order credits.
// Errors are *partner.Error.
func (c *Client) PayablesAccount(ctx context.Context) (Account, bool, error) {
	return c.account(ctx, "find_payables_account", "select * from Account where AccountType = 'Accounts Payable'")
}

func (c *Client) account(ctx context.Context, op, statement string) (Account, bool, error) {
	var reply struct {
		Account []struct {
			ID   wire.ID   `json:"Id"`
			Name wire.Text `json:"Name"`
		}
	}
	if err := c.query(ctx, op, statement+" maxresults 1", &reply); err != nil {
		return Account{}, false, err
	}
	if len(reply.Account) == 0 {
		return Account{}, false, nil
	}
	a := reply.Account[0]
	if a.ID == "" {
		return Account{}, false, &partner.Error{Op: "quickbooks." + op, Kind: partner.Malformed, Message: "an account without an id"}
	}
	return Account{ID: string(a.ID), Name: string(a.Name)}, true, nil
}
