package rentvine

import (
	"context"
	"encoding/json"
	"net/url"

	"github.com/aictive/keyholder/clients/partner"
)

// Vendor is a contact who works for the company, and how long it is insured
// (contracts/rentvine.md 2.6). Of its taxes, accounts and policies nothing is read.
type Vendor struct {
	Contact
	// The dates are YYYY-MM-DD, "" for none and for what cannot be read.
	// InsuranceExpires is RentVine's own; how it comes about is not documented.
	LiabilityInsuranceExpires, WorkersCompInsuranceExpires, InsuranceExpires string
	// InsuranceDays is how many days are left until then, negative where it has passed,
	// nil where RentVine does not say.
	InsuranceDays *int
}

// Vendors reads every vendor, up to 100 pages of 100 rows; more is partner.Invalid.
// Records do not say a vendor's trades or position (contracts/rentvine.md 2.6). Errors
// are *partner.Error.
func (c *Client) Vendors(ctx context.Context) ([]Vendor, error) {
	return list[Vendor]{
		op: "list_vendors", path: "/vendors/search", from: vendorFrom, id: func(v Vendor) string { return v.ID },
	}.all(ctx, c)
}

func vendorFrom(r row) (Vendor, error) {
	who, err := contactFrom(r)
	if err != nil {
		return Vendor{}, err
	}
	var w struct {
		Liability   lenientDate  `json:"liabilityInsuranceExpiresDate"`
		WorkersComp lenientDate  `json:"workersCompInsuranceExpiresDate"`
		Expires     lenientDate  `json:"insuranceExpiresDate"`
		Days        lenientWhole `json:"daysUntilInsuranceExpires"`
	}
	if err := r.into("contact", &w); err != nil {
		return Vendor{}, err
	}
	return Vendor{
		Contact: who, LiabilityInsuranceExpires: string(w.Liability), WorkersCompInsuranceExpires: string(w.WorkersComp),
		InsuranceExpires: string(w.Expires), InsuranceDays: w.Days.n,
	}, nil
}

// lenientDate is a date that is "" where it cannot be read: one vendor's bad date must
// not hide all the others, and who is not known to be insured is not asked.
type lenientDate date

// UnmarshalJSON reads the formats of ParseTime.
func (d *lenientDate) UnmarshalJSON(b []byte) error {
	var read date
	_ = read.UnmarshalJSON(b) // "" where it fails
	*d = lenientDate(read)
	return nil
}

// lenientWhole is a whole number, nil where there is none or it cannot be read.
type lenientWhole struct{ n *int }

// UnmarshalJSON accepts a number or its text.
func (d *lenientWhole) UnmarshalJSON(b []byte) error {
	var written text
	var n whole
	*d = lenientWhole{}
	if written.UnmarshalJSON(b) == nil && written != "" && n.UnmarshalJSON(b) == nil {
		read := int(n)
		d.n = &read
	}
	return nil
}

// positive is the number, 0 where there is none or it is below.
func (d lenientWhole) positive() int {
	if d.n == nil {
		return 0
	}
	return max(0, *d.n)
}

// VendorTrade is a trade such as plumbing (contracts/rentvine.md 2.6).
type VendorTrade struct {
	ID, Name string
	// IsVisibleTenantPortal tells whether tenants may choose it.
	IsVisibleTenantPortal bool
	// VendorIDs are the contacts that have the trade, in RentVine's order, where they
	// were asked for and RentVine says so.
	VendorIDs []string
}

// VendorTrades reads the account's trades. Errors are *partner.Error.
func (c *Client) VendorTrades(ctx context.Context) ([]VendorTrade, error) {
	return c.vendorTrades(ctx, "list_vendor_trades", nil)
}

// TradesWithVendors reads the account's trades and who has them. That RentVine can be
// asked so is known, not how it answers (contracts/rentvine.md 2.6): contacts or their
// ids, beside the trade or inside it, are found, and anything else is no vendors. Errors
// are *partner.Error.
func (c *Client) TradesWithVendors(ctx context.Context) ([]VendorTrade, error) {
	return c.vendorTrades(ctx, "list_trades_with_vendors", url.Values{"includes": {"vendors"}})
}

func (c *Client) vendorTrades(ctx context.Context, op string, query url.Values) ([]VendorTrade, error) {
	return list[VendorTrade]{
		op: op, path: "/maintenance/vendor-trades", query: query, from: vendorTradeFrom,
		id: func(t VendorTrade) string { return t.ID },
	}.all(ctx, c)
}

func vendorTradeFrom(r row) (VendorTrade, error) {
	var w struct {
		VendorTradeID         key             `json:"vendorTradeID"`
		Name                  text            `json:"name"`
		IsVisibleTenantPortal flag            `json:"isVisibleTenantPortal"`
		Vendors               json.RawMessage `json:"vendors"`
	}
	// Live rows are wrapped, documented ones are bare.
	if err := r.wrappedOrBare("vendorTradeID", &w, "vendorTrade"); err != nil {
		return VendorTrade{}, err
	}
	if w.VendorTradeID == "" {
		return VendorTrade{}, partner.ShapeError("a trade without an id")
	}
	vendors := contactIDs(r["vendors"])
	if vendors == nil {
		vendors = contactIDs(w.Vendors)
	}
	return VendorTrade{
		ID: string(w.VendorTradeID), Name: string(w.Name), IsVisibleTenantPortal: bool(w.IsVisibleTenantPortal), VendorIDs: vendors,
	}, nil
}

// contactIDs are the ids in a list of ids, of contacts or of rows with a contact.
func contactIDs(raw json.RawMessage) []string {
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil {
		return nil
	}
	var ids []string
	for _, e := range elements {
		if id := contactID(e); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

func contactID(raw json.RawMessage) string {
	var id key
	if json.Unmarshal(raw, &id) == nil {
		return string(id)
	}
	type named struct {
		ContactID       key `json:"contactID"`
		VendorContactID key `json:"vendorContactID"`
	}
	var w struct {
		named
		Contact named `json:"contact"`
		Vendor  named `json:"vendor"`
	}
	if json.Unmarshal(raw, &w) != nil {
		return ""
	}
	return firstKey(w.ContactID, w.VendorContactID, w.Contact.ContactID, w.Vendor.ContactID, w.Vendor.VendorContactID)
}
