package rentvine

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/aictive/keyholder/clients/partner"
)

// maxLeasePages bounds a walk over the leases: closed ones are listed for ever.
const maxLeasePages = 1000

// zoneSlack covers what is not known of dateTimeModifiedMin: its zone may be any
// (contracts/rentvine.md 1.6).
const zoneSlack = 14 * time.Hour

// EachLease shows each lease of the export until each says stop: those changed since a
// time where it is not zero, of the given groups or of all where there are none. The
// zone of RentVine's filter is not known, so leases changed up to 28 hours before come
// too. It walks at most 1,000 pages of 100 rows; more is partner.Invalid. A lease that
// changes meanwhile may come twice or, moved to a page that has been read, not at all:
// it is changed since, and so in the next walk. Errors are *partner.Error.
func (c *Client) EachLease(
	ctx context.Context, modifiedSince time.Time, statuses []PrimaryLeaseStatus, each func(Lease) (more bool),
) error {
	return c.EachLeaseFrom(ctx, 1, modifiedSince, statuses, func(_ int, l Lease) bool { return each(l) })
}

// EachLeaseFrom is EachLease from a page on, counting from 1, and tells each which page
// a lease is on, so that a walk that broke off goes on where it was.
func (c *Client) EachLeaseFrom(
	ctx context.Context, fromPage int, modifiedSince time.Time, statuses []PrimaryLeaseStatus,
	each func(page int, l Lease) (more bool),
) error {
	q := url.Values{}
	for _, s := range statuses {
		q.Add("primaryLeaseStatusIDs[]", strconv.Itoa(int(s)))
	}
	if !modifiedSince.IsZero() {
		q.Set("dateTimeModifiedMin", modifiedSince.Add(-zoneSlack).UTC().Format(WindowLayout))
	}
	return list[Lease]{
		op: "export_leases", path: "/leases/export", query: q, from: leaseFrom, id: func(l Lease) string { return l.ID },
		most: maxLeasePages, passes: true,
	}.eachFrom(ctx, c, fromPage, each)
}

// LeaseStatuses reads the account's names of lease statuses by their ids, such as
// "Active - Notice Given". Ids differ by account. Errors are *partner.Error.
func (c *Client) LeaseStatuses(ctx context.Context) (map[string]string, error) {
	type status struct{ id, name string }
	names := map[string]string{}
	err := list[status]{
		op: "list_lease_statuses", path: "/leases/statuses", id: func(s status) string { return s.id },
		from: func(r row) (status, error) {
			var w struct {
				LeaseStatusID key  `json:"leaseStatusID"`
				Name          text `json:"name"`
			}
			if err := r.into("leaseStatus", &w); err != nil {
				return status{}, err
			}
			if w.LeaseStatusID == "" {
				return status{}, partner.ShapeError("a lease status without an id")
			}
			return status{string(w.LeaseStatusID), string(w.Name)}, nil
		},
	}.each(ctx, c, func(s status) bool {
		names[s.id] = s.name
		return true
	})
	if err != nil {
		return nil, err
	}
	return names, nil
}
