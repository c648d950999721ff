package activities

import (
	"context"
	"errors"
	"time"

	"github.com/aictive/keyholder/clients/partner"
)

// once carries out one write at a partner that cannot deduplicate. The store's
// journal tells a first try, which acts at once, from a repeat, which returns
// the recorded result or looks for the earlier effect at the partner before it
// acts. The key is made of workflow id and step, never of an attempt number, so
// that a reset workflow finds its own traces.
//
// act returns the partner's id of what it did. find looks for an effect that
// began no earlier than since.
func (a *Activities) once(ctx context.Context, key string,
	find func(ctx context.Context, since time.Time) (ref string, found bool, err error),
	act func(ctx context.Context) (ref string, err error),
) (ref string, err error) {
	effect, first, err := a.Store.BeginEffect(ctx, key)
	if err != nil {
		return "", err
	}
	if effect.Done {
		return effect.Ref, nil
	}
	if !first {
		// A minute of grace for clocks that disagree.
		ref, found, err := find(ctx, effect.BegunAt.Add(-time.Minute))
		if err != nil {
			return "", err
		}
		if found {
			return ref, a.Store.FinishEffect(ctx, key, ref)
		}
		onItsWay := &partner.Error{Op: "effect", Kind: partner.Unavailable, RetryAfter: stillOnItsWay / 2, Cause: errOnItsWay}
		if time.Since(effect.TriedAt) < stillOnItsWay {
			return "", onItsWay
		}
		// Of several that have waited, one tries.
		if mine, err := a.Store.TryEffect(ctx, effect); err != nil {
			return "", err
		} else if !mine {
			return "", onItsWay
		}
	}
	ref, err = act(ctx)
	if err != nil {
		if didNothing(err) && first {
			// Forgetting spares the next try its look-up; failing to forget only costs one.
			_ = a.Store.ForgetEffect(context.WithoutCancel(ctx), key)
		}
		return "", err
	}
	return ref, a.Store.FinishEffect(context.WithoutCancel(ctx), key, ref)
}

// errOnItsWay is why a repeat waits.
var errOnItsWay = errors.New("an earlier try may still be on its way")

// stillOnItsWay is how long after its beginning an earlier try may still reach the
// partner: a little more than the clients' time limit.
const stillOnItsWay = 12 * time.Second

// didNothing tells whether a failed call is known to have had no effect.
func didNothing(err error) bool {
	var e *partner.Error
	return errors.As(err, &e) && e.Kind != partner.UnknownOutcome && e.Kind != partner.Malformed
}
