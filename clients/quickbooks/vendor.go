package quickbooks

import (
	"context"
	"strings"
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

// VendorName is a name as QuickBooks takes it: on one line, without colons, of at most
// 100 characters.
func VendorName(name string) string {
	return clean(strings.ReplaceAll(name, ":", " "), maxDisplayName)
}

// FindVendor finds an active vendor by its name. Errors are *partner.Error.
func (c *Client) FindVendor(ctx context.Context, name string) (Vendor, bool, error) {
	v, ok, err := c.findName(ctx, "find_vendor", "Vendor", "DisplayName", VendorName(name))
	return Vendor(v), ok, err
}

// CreateVendor makes a vendor. Errors are *partner.Error; Conflict says that somebody,
// maybe a customer, has the name already.
func (c *Client) CreateVendor(ctx context.Context, v NewVendor) (Vendor, error) {
	made, err := c.createName(ctx, "create_vendor", "Vendor", v)
	return Vendor(made), err
}
