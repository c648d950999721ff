package quickbooks

import (
	"context"
	"net/http"
	"strings"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

// named is a vendor, customer or item.
type named struct {
	ID   string
	Name string
}

type wireName struct {
	ID          wire.ID   `json:"Id"`
	DisplayName wire.Text `json:"DisplayName"`
	Name        wire.Text `json:"Name"`
}

func (w wireName) named(op string, kind partner.Kind) (named, error) {
	if w.ID == "" {
		return named{}, &partner.Error{Op: "quickbooks." + op, Kind: kind, Message: "an object without an id"}
	}
	return named{ID: string(w.ID), Name: string(w.DisplayName + w.Name)}, nil
}

// findName finds an active object of a kind by the field that holds its name.
func (c *Client) findName(ctx context.Context, op, kind, field, name string) (named, bool, error) {
	var reply struct{ Vendor, Customer, Item []wireName }
	if err := c.query(ctx, op, "select * from "+kind+" where "+field+" = "+quoted(name), &reply, name); err != nil {
		return named{}, false, err
	}
	for _, found := range [][]wireName{reply.Vendor, reply.Customer, reply.Item} {
		if len(found) > 0 {
			n, err := found[0].named(op, partner.Malformed)
			return n, err == nil, err
		}
	}
	return named{}, false, nil
}

// createName makes a vendor or customer.
func (c *Client) createName(ctx context.Context, op, kind string, v NewVendor) (named, error) {
	q, err := requestID(op, v.RequestID)
	if err != nil {
		return named{}, err
	}
	body := map[string]any{"DisplayName": VendorName(v.Name)}
	if v.Email != "" {
		body["PrimaryEmailAddr"] = map[string]string{"Address": v.Email}
	}
	if v.Phone != "" {
		body["PrimaryPhone"] = map[string]string{"FreeFormNumber": v.Phone}
	}
	var reply wireName
	err = c.call(ctx, request{
		op: op, method: http.MethodPost, path: "/" + strings.ToLower(kind), query: q, body: body, key: kind, personal: []string{v.Name, v.Email, v.Phone},
	}, &reply)
	if err != nil {
		return named{}, err
	}
	return reply.named(op, partner.UnknownOutcome)
}
