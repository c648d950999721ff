package activities

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/aictive/keyholder/clients/openmoove"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/store"
)

// OpenMoove is what calls to OpenMoove work with.
type OpenMoove struct {
	Client *openmoove.Client
	// Limits are those of the key (contracts/openmoove.md 1).
	Limits []store.Limit
}

// openMoove names the key in the ledger of calls.
const openMoove = "openmoove"

// The shares of each limit that a call leaves free for what is more pressing.
const (
	// forPerson: somebody waits for the answer.
	forPerson = 0.0
	// forBulk: looks after webhooks.
	forBulk = 0.03
	// forImport: imports, where nothing is polled; see importLeaves.
	forImport = 0.05
	// forPolling: reads of followed sales that nothing has told us to make.
	forPolling = 0.1
)

// permit takes one call from the ledger, which all processes share, and tells how
// many are left, or says when there may be one. keep is the share that it leaves free.
func (a *Activities) permit(ctx context.Context, keep float64) (left int, err error) {
	grant, err := a.Store.TakeCalls(ctx, store.CallRequest{
		Partner: openMoove, Limits: a.OpenMoove.Limits, Want: 1, Urgent: keep == forPerson, Reserve: keep,
	})
	if err != nil {
		return 0, err
	}
	if grant.Granted == 0 {
		return 0, &partner.Error{Op: openMoove, Kind: partner.RateLimited, RetryAfter: max(grant.RetryAfter, 10*time.Millisecond),
			Message: "the key's calls are used up for now"}
	}
	return grant.Left, nil
}

// callOpenMoove makes one call within the limits.
func callOpenMoove[T any](ctx context.Context, a *Activities, keep float64, call func(*openmoove.Client) (T, error)) (T, error) {
	left, err := a.permit(ctx, keep)
	if err != nil {
		var none T
		return none, err
	}
	began := time.Now()
	out, err := call(a.OpenMoove.Client)
	a.noteLimits(ctx, began, left, err)
	return out, err
}

// noteLimits keeps the partner's word about what is left where it is clearly less
// than the ledger's: another program uses the same key.
func (a *Activities) noteLimits(ctx context.Context, began time.Time, left int, err error) {
	said := a.OpenMoove.Client.Limits()
	if said.SeenAt.Before(began) {
		return // no reply
	}
	others := said.Known && said.Remaining < left-max(10, said.Limit/20)
	if partner.KindOf(err) == partner.RateLimited {
		others, said.Remaining = true, 0
	}
	if !others {
		return
	}
	if err := a.Store.NoteCalls(context.WithoutCancel(ctx), openMoove, said.Remaining, said.Reset); err != nil {
		a.Log.Warn("the partner's word about its limits could not be kept", zap.Error(err))
	}
}
