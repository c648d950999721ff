package activities

import (
	"context"
	"errors"
	"time"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/store"
)

// effect is one write at a partner that cannot deduplicate. The store's journal
// tells a first try, which acts at once, from a repeat, which returns the recorded
// result or looks for the earlier effect at the partner before it acts.
type effect struct {
	// key is made of workflow id and step, never of an attempt number, so that a
	// reset workflow finds its own traces.
	key string
	// note is kept with a try that begins.
	note string
	// settles is how long after its beginning a try may still have its effect: more
	// than the clients' time limit; 0 is stillOnItsWay.
	settles time.Duration
	// find looks for an effect that began no earlier than since.
	find func(ctx context.Context, since time.Time) (ref string, found bool, err error)
	// act returns the partner's id of what it did. Its context ends when the try may
	// no longer begin to have its effect.
	act func(ctx context.Context) (ref string, err error)
	// about says to the audit what it is.
	about about
}

// stillOnItsWay is how long after its beginning an earlier try may still reach the
// partner: a little more than the clients' time limit.
const stillOnItsWay = 12 * time.Second

// maxDelay is how late after its record a try may begin. A process that was
// suspended in between must not act: others have waited for it and gone on.
const maxDelay = time.Second

// errOnItsWay is why a repeat waits.
var errOnItsWay = errors.New("an earlier try may still be on its way")

// once carries the effect out once, and records it: also where an earlier try is found to
// have done it, whose record may be missing.
func (a *Activities) once(ctx context.Context, e effect) (ref string, err error) {
	if ref, err = a.carryOut(ctx, e); err == nil {
		record(ctx, e.entry(ref))
	}
	return ref, err
}

func (a *Activities) carryOut(ctx context.Context, e effect) (ref string, err error) {
	if e.settles == 0 {
		e.settles = stillOnItsWay
	}
	asked := time.Now()
	begun, first, err := a.Store.BeginEffect(ctx, e.key, e.note)
	if err != nil {
		return "", err
	}
	if begun.Done {
		return begun.Ref, nil
	}
	if !first {
		// Whether it is settled counts before the look, which takes a while itself.
		settled := begun.Quiet >= e.settles
		// A minute of grace for clocks that disagree.
		ref, found, err := e.find(ctx, begun.BegunAt.Add(-time.Minute))
		if err != nil {
			return "", err
		}
		if found {
			return ref, a.Store.FinishEffect(ctx, e.key, ref)
		}
		mine := false
		asked = time.Now()
		if settled {
			// Of several that have waited, one tries.
			if begun, mine, err = a.Store.TryEffect(ctx, begun, e.note); err != nil {
				return "", err
			}
		}
		if !mine {
			return "", &partner.Error{Op: "effect", Kind: partner.Unavailable, RetryAfter: e.settles / 2, Cause: errOnItsWay}
		}
	}
	return a.actOnce(ctx, e, begun, asked)
}

// actOnce makes a try that is recorded. Nothing of an earlier one is to come: it
// is the first, or was looked for after it had settled.
func (a *Activities) actOnce(ctx context.Context, e effect, begun store.Effect, asked time.Time) (string, error) {
	if time.Since(asked) > maxDelay {
		return "", &partner.Error{Op: "effect", Kind: partner.Unavailable, RetryAfter: e.settles / 2, Cause: errOnItsWay}
	}
	acting, stop := context.WithTimeout(ctx, e.settles-maxDelay)
	defer stop()
	ref, err := e.act(acting)
	if err != nil {
		if didNothing(err) {
			// Forgetting spares the next try its look-up and its wait; failing to forget
			// only costs them.
			_ = a.Store.ForgetEffect(context.WithoutCancel(ctx), begun)
		}
		return "", err
	}
	return ref, a.Store.FinishEffect(context.WithoutCancel(ctx), e.key, ref)
}

// didNothing tells whether a failed call is known to have had no effect.
func didNothing(err error) bool {
	var e *partner.Error
	return errors.As(err, &e) && e.Kind != partner.UnknownOutcome && e.Kind != partner.Malformed
}
