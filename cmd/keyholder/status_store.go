package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/clients/quickbooks"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows"
)

const (
	openMooveCalls = "openmoove calls"
	// openMooveLedger names OpenMoove's calls in the store.
	openMooveLedger = "openmoove"
)

// comparisonFacts is how far the comparison with RentVine has come. Ages are real time.
type comparisonFacts struct {
	// every is how often it should be made, 0 where nobody says.
	every time.Duration
	// waiting is for how long its Schedule has been there, where none has ended yet.
	waiting   time.Duration
	age, full time.Duration
	state     activities.ReconcileState
}

func (a *statusSources) askComparison(ctx context.Context) ([]check, error) {
	state, err := activities.ReadReconcileState(ctx, a.store)
	if err != nil {
		return nil, err
	}
	f := comparisonFacts{state: state}
	if a.rules != nil {
		if !a.rules.Sync().On() {
			return []check{fine("comparison", "the policy asks for none")}, nil
		}
		f.every = a.clock.Real(a.rules.Sync().Every)
	}
	now := a.clock.Now()
	f.age, f.full = a.clock.Real(now.Sub(state.Last.Began)), a.clock.Real(now.Sub(state.FullAt))
	if state.Last.Began.IsZero() && a.temporal != nil {
		d, err := a.temporal.ScheduleClient().GetHandle(ctx, workflows.ScheduleRentVine).Describe(ctx)
		if err != nil && !errors.As(err, new(*serviceerror.NotFound)) {
			return nil, err
		}
		if err == nil {
			f.waiting = time.Since(d.Info.CreatedAt)
		}
	}
	return []check{judgeComparison(f)}, nil
}

const (
	// firstComparison is how long the first one may take, which reads everything.
	firstComparison = 6 * time.Hour
	// wholeWithin is how old the last look through everything may be: one a day, and one that
	// has failed.
	wholeWithin = 50 * time.Hour
	// comparedWithin is how old the last look may be where nobody says how often one is made.
	comparedWithin = 2 * time.Hour
)

func judgeComparison(f comparisonFacts) check {
	const name, how = "comparison", "\"keyholder sync status\" says more; see that RentVine answers and the Schedule sync-rentvine runs"
	last := f.state.Last
	if last.Began.IsZero() {
		if f.waiting > firstComparison {
			return check{Name: name, Level: levelLook, Says: "none has come to its end in " + howLong(f.waiting), Do: how}
		}
		return fine(name, "none has come to its end yet")
	}
	c := fine(name, "with RentVine %s ago", howLong(f.age))
	c.Do = how
	if f.state.FullAt.IsZero() {
		c.Says += ", never through everything"
	} else {
		c.Says += ", through everything " + howLong(f.full) + " ago"
	}
	within := comparedWithin
	if f.every > 0 {
		within = max(4*f.every, 30*time.Minute)
	}
	if f.age > within || (!f.state.FullAt.IsZero() && f.full > wholeWithin) {
		c.Level = levelLook
	}
	if last.Untold > 0 {
		c.Level = levelLook
		c.Says += fmt.Sprintf("; %d %s not be told of", last.Untold, plural(last.Untold, "record could", "records could"))
	}
	for _, k := range last.Failed {
		if k.Record == "" {
			c.Level = levelLook
			c.Says += fmt.Sprintf("; RentVine does not show all %s (%s)", k.Kind, k.Why)
		}
	}
	if c.Level == levelOK {
		c.Do = ""
	}
	return c
}

// askCalls asks the ledger how many calls of one limit are left, and takes none.
func (a *statusSources) askCalls(ctx context.Context, limit store.Limit) ([]check, error) {
	g, err := a.store.TakeCalls(ctx, store.CallRequest{Partner: openMooveLedger, Limits: []store.Limit{limit}})
	if err != nil {
		return nil, err
	}
	return []check{judgeCalls(limit, g.Left)}, nil
}

func judgeCalls(limit store.Limit, left int) check {
	c := fine(openMooveCalls, "%d of %d left in %s", left, limit.Calls, howLong(limit.Window))
	c.Counts = map[string]int64{"left": int64(left), "limit": int64(limit.Calls), "window_seconds": int64(limit.Window.Seconds())}
	// Polling takes what is free, and a minute that is used up passes by itself: only an hour
	// of which people's reserve is gone too is worth a look.
	if left <= 0 && limit.Window >= time.Hour {
		c.Level, c.Do = levelLook, "calls wait until some are free again; see whether another program uses the key"
	}
	return c
}

func (a *statusSources) askOutbound(ctx context.Context) ([]check, error) {
	paused, err := a.store.Setting(ctx, pausedSetting)
	if err != nil {
		return nil, err
	}
	if paused == "1" {
		return []check{{Name: "messages", Level: levelLook, Says: "held back, but for those of life safety", Do: "\"keyholder outbound resume\" lets them leave"}}, nil
	}
	return []check{fine("messages", "flow (unless KEYHOLDER_OUTBOUND of the workers only records them)")}, nil
}

// askQuickBooks asks whether the kept token can be opened.
func (a *statusSources) askQuickBooks(ctx context.Context) ([]check, error) {
	const name = "quickbooks"
	if a.cfg.QuickBooksRealm == "" || a.cfg.TokenKeys == "" {
		return []check{fine(name, "not looked at: KEYHOLDER_QUICKBOOKS_REALM or KEYHOLDER_TOKEN_KEY is not set")}, nil
	}
	keys, err := store.ParseTokenKeys(a.cfg.TokenKeys)
	if err != nil {
		return nil, fmt.Errorf("KEYHOLDER_TOKEN_KEY: %w", err)
	}
	value, version, err := store.NewToken(a.store, keys, "quickbooks/"+a.cfg.QuickBooksRealm).Load(ctx)
	return []check{judgeToken(value, version, err, time.Now())}, nil
}

// refreshLives is how long a refresh token is good for that nobody uses
// (contracts/sms-and-accounting.md 2), less the time to authorise the app again.
const refreshLives = 80 * 24 * time.Hour

func judgeToken(value []byte, version int64, err error, now time.Time) check {
	const name = "quickbooks"
	const again = "authorise the app again and set KEYHOLDER_QUICKBOOKS_REFRESH_TOKEN"
	if err != nil {
		return check{Name: name, Level: levelBad, Says: "the kept token cannot be opened: " + oneLine(err.Error()), Do: "set the KEYHOLDER_TOKEN_KEY that sealed it, or " + again}
	}
	if version == 0 {
		return fine(name, "no token kept yet: nothing was booked since the app was authorised")
	}
	state, err := quickbooks.ReadTokenState(value)
	if err != nil {
		return check{Name: name, Level: levelBad, Says: oneLine(err.Error()), Do: again}
	}
	unused := now.Sub(state.UseUntil)
	switch {
	case unused > refreshLives:
		return check{Name: name, Level: levelLook, Says: fmt.Sprintf("the token was not refreshed for %s and dies unused", howLong(unused)), Do: "run \"keyholder finance check\", which refreshes it; where that is refused, " + again}
	case unused > 0:
		return fine(name, "token kept; the next call refreshes it, last good %s ago", howLong(unused))
	}
	return fine(name, "token kept, good for %s", howLong(-unused))
}
