package quickbooks

import "context"

// Customer is who pays.
type Customer struct {
	ID   string
	Name string
}

// NewCustomer is a customer to create. Its fields mean what those of a vendor do.
type NewCustomer struct {
	RequestID string
	Name      string
	Email     string
	Phone     string
}

// Item is what an invoice sells, such as rent.
type Item struct {
	ID   string
	Name string
}

// FindCustomer finds an active customer by its name, of which VendorName tells how
// QuickBooks takes it. Errors are *partner.Error.
func (c *Client) FindCustomer(ctx context.Context, name string) (Customer, bool, error) {
	n, ok, err := c.findName(ctx, "find_customer", "Customer", "DisplayName", VendorName(name))
	return Customer(n), ok, err
}

// CreateCustomer makes a customer. Errors are *partner.Error; Conflict says that
// somebody, maybe a vendor, has the name already.
func (c *Client) CreateCustomer(ctx context.Context, n NewCustomer) (Customer, error) {
	made, err := c.createName(ctx, "create_customer", "Customer", NewVendor(n))
	return Customer(made), err
}

// FindItem finds an active item by its name. Errors are *partner.Error.
func (c *Client) FindItem(ctx context.Context, name string) (Item, bool, error) {
	n, ok, err := c.findName(ctx, "find_item", "Item", "Name", clean(name, maxDisplayName))
	return Item(n), ok, err
}
