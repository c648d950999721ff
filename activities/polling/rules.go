// Package polling decides which followed sales are read next under one budget of
// calls. It is pure: times, what is known of the sales and where the last decision
// stood go in; what to read comes out.
//
// A class of sales has a target, the time between two reads. Where the budget
// cannot meet the targets, the overdue come first, then those due soon, then the
// rest, each in the order in which its reads were due; but those due soon and the
// rest have a least share of the calls for as long as they wait, so that nobody
// starves. Calls are spread evenly over the window of the tightest limit, which a
// burst at its start would leave empty for the rest of it.
//
// A read takes the milestones, one call. Every Nth read of a sale takes team and
// status too, a second and a third call: a change of those is found within N times
// the time in which one of the milestones is. N is 1 where the budget allows, else as
// small as it allows, at most Rules.MaxDetailEvery.
package polling

import (
	"errors"
	"fmt"
	"time"

	"github.com/aictive/keyholder/store"
)

// Rules are the policy of polling. Times are real, but for SoonWithin: whoever runs
// on a faster clock divides the targets.
type Rules struct {
	// The targets: the longest time between two reads of a sale of the class.
	Overdue time.Duration
	DueSoon time.Duration
	Rest    time.Duration
	// SoonWithin is how long before its due date a milestone is due soon (business
	// time).
	SoonWithin time.Duration
	// DueSoonShare and RestShare are the least shares of the calls that the two
	// classes get while they wait. Together they are below 1.
	DueSoonShare float64
	RestShare    float64
	// MaxDetailEvery is the largest N of the reads that take status and team.
	MaxDetailEvery int
	// Limits are those of the key; polling leaves Reserve of each free. Pass both to
	// the ledger of calls too, which counts what others take.
	Limits  []store.Limit
	Reserve float64
	// Shards is how many pollers share the budget evenly; 0 is 1.
	Shards int
}

// Defaults are the targets of the partner's guide, with a tenth of the limits left
// to interactive calls.
func Defaults(limits []store.Limit) Rules {
	return Rules{
		Overdue: 5 * time.Minute, DueSoon: 15 * time.Minute, Rest: 30 * time.Minute, SoonWithin: 24 * time.Hour,
		DueSoonShare: 0.2, RestShare: 0.4, MaxDetailEvery: 4, Limits: limits, Reserve: 0.1,
	}
}

// Check says what is wrong with the rules.
func (r Rules) Check() error {
	var errs []error
	if r.Overdue <= 0 || r.DueSoon <= 0 || r.Rest <= 0 || r.SoonWithin < 0 {
		errs = append(errs, errors.New("targets are above 0, and what is soon is not below 0"))
	}
	if r.DueSoonShare <= 0 || r.RestShare <= 0 || r.DueSoonShare+r.RestShare >= 1 {
		errs = append(errs, errors.New("least shares are above 0 and together below 1, or a class starves"))
	}
	if r.MaxDetailEvery < 1 || r.Shards < 0 {
		errs = append(errs, errors.New("status and team are read at every read or every so many, by 1 poller or more"))
	}
	if r.Reserve < 0 || r.Reserve >= 1 || len(r.Limits) == 0 {
		errs = append(errs, errors.New("there is a limit, and the reserve is a share from 0 to below 1"))
	}
	for _, limit := range r.Limits {
		if limit.Window <= 0 || r.allowance(limit) <= r.burst()*r.shards() {
			errs = append(errs, fmt.Errorf("a limit of %d calls in %s leaves nothing to %d pollers", limit.Calls, limit.Window, r.shards()))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("polling: %w", err)
	}
	return nil
}

// Target is the longest time between two reads of a sale of the class.
func (r Rules) Target(class store.WatchClass) time.Duration {
	switch class {
	case store.WatchOverdue:
		return r.Overdue
	case store.WatchDueSoon:
		return r.DueSoon
	case store.WatchRest:
	}
	return r.Rest
}

func (r Rules) shards() int { return max(r.Shards, 1) }
