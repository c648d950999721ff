package activities

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/store"
)

// older is a store whose effects began a while ago.
type older struct {
	store.Store
	by time.Duration
}

func (o older) BeginEffect(ctx context.Context, key, note string) (store.Effect, bool, error) {
	e, first, err := o.Store.BeginEffect(ctx, key, note)
	e.Quiet += o.by
	e.BegunAt = e.BegunAt.Add(-o.by)
	return e, first, err
}

// world is a partner that counts what is done and looked for.
type world struct {
	t           *testing.T
	a           *Activities
	done, asked int
	since       time.Time
	// found and fail are what the next look-up and act answer.
	found string
	fail  error
}

func newWorld(t *testing.T, age time.Duration) *world {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "effects.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return &world{t: t, a: New(Config{Store: older{s, age}})}
}

func (w *world) once() (string, error) {
	return w.a.once(w.t.Context(), effect{
		key: "key",
		find: func(_ context.Context, since time.Time) (string, bool, error) {
			w.asked++
			w.since = since
			return w.found, w.found != "", nil
		},
		act: func(context.Context) (string, error) {
			w.done++
			return "ref", w.fail
		},
	})
}

func TestAFirstTryActsAtOnceAndARepeatNever(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	for range 3 {
		ref, err := w.once()
		require.NoError(t, err)
		require.Equal(t, "ref", ref)
	}
	require.Equal(t, 1, w.done)
	require.Zero(t, w.asked)
}

func TestAnUnknownOutcomeIsLookedUpAndFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	began := time.Now()
	w.fail = &partner.Error{Kind: partner.UnknownOutcome}
	_, err := w.once()
	require.Error(t, err)
	w.fail, w.found = nil, "earlier"
	for range 2 {
		ref, err := w.once()
		require.NoError(t, err)
		require.Equal(t, "earlier", ref)
	}
	require.Equal(t, 1, w.done)
	require.Equal(t, 1, w.asked, "found once, known from then on")
	require.WithinDuration(t, began.Add(-time.Minute), w.since, 5*time.Second)
}

func TestAnUnknownOutcomeThatIsNotFoundIsTriedAgainWhenNothingCanBeOnItsWay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		age  time.Duration
		acts int
	}{{0, 1}, {stillOnItsWay + time.Second, 2}} {
		w := newWorld(t, c.age)
		w.fail = &partner.Error{Kind: partner.UnknownOutcome}
		_, err := w.once()
		require.Error(t, err)
		w.fail = nil
		_, err = w.once()
		require.Equal(t, 1, w.asked)
		require.Equal(t, c.acts, w.done)
		if c.acts == 2 {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, partner.Unavailable, partner.KindOf(err))
		var e *partner.Error
		require.ErrorAs(t, err, &e)
		require.Positive(t, e.RetryAfter)
	}
}

// What the second try sent may still be on its way when the third begins, however
// long ago the first one was.
func TestARepeatWaitsForTheRepeatBeforeIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stillOnItsWay+time.Second)
	w.fail = &partner.Error{Kind: partner.UnknownOutcome}
	for range 2 {
		_, err := w.once()
		require.Error(t, err)
	}
	require.Equal(t, 2, w.done)
	w.a.Store = older{w.a.Store.(older).Store, time.Second}
	_, err := w.once()
	require.ErrorIs(t, err, errOnItsWay)
	require.Equal(t, 2, w.done)
}

// A repeat that was refused for good, after the look that found nothing, leaves
// nothing behind that could still be on its way.
func TestARepeatThatDidNothingIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stillOnItsWay+time.Second)
	w.fail = &partner.Error{Kind: partner.UnknownOutcome}
	_, err := w.once()
	require.Error(t, err)
	w.fail = &partner.Error{Kind: partner.Invalid}
	_, err = w.once()
	require.Error(t, err)
	w.fail = nil
	w.a.Store = older{w.a.Store.(older).Store, 0}
	_, err = w.once()
	require.NoError(t, err)
	require.Equal(t, 3, w.done)
}

// The look may take longer than what is left of the wait.
func TestWhetherATryHasSettledCountsBeforeTheLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	const settles = 4 * time.Second
	slow := effect{
		key: "key", settles: settles,
		find: func(context.Context, time.Time) (string, bool, error) {
			time.Sleep(settles + 100*time.Millisecond)
			return "", false, nil
		},
		act: func(context.Context) (string, error) {
			w.done++
			return "", &partner.Error{Kind: partner.UnknownOutcome}
		},
	}
	_, err := w.a.once(t.Context(), slow)
	require.Equal(t, partner.UnknownOutcome, partner.KindOf(err))
	_, err = w.a.once(t.Context(), slow)
	require.ErrorIs(t, err, errOnItsWay)
	require.Equal(t, 1, w.done)
}

func TestADefiniteFailureForgetsTheTry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.fail = &partner.Error{Kind: partner.Unavailable}
	_, err := w.once()
	require.Error(t, err)
	w.fail = nil
	ref, err := w.once()
	require.NoError(t, err)
	require.Equal(t, "ref", ref)
	require.Equal(t, 2, w.done)
	require.Zero(t, w.asked, "nothing can have happened")
}

func TestALookUpThatFailsActsOnNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, time.Hour)
	w.fail = errors.New("the process died")
	_, err := w.once()
	require.Error(t, err)
	_, err = w.a.once(t.Context(), effect{
		key:  "key",
		find: func(context.Context, time.Time) (string, bool, error) { return "", false, errors.New("no answer") },
		act:  func(context.Context) (string, error) { w.done++; return "", nil },
	})
	require.ErrorContains(t, err, "no answer")
	require.Equal(t, 1, w.done)
}
