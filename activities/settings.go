package activities

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// ReadSettings reads the policy of a property as it is now. It is a recorded
// look-up: a workflow calls it again at each decision, and a replay sees what
// the decision saw.
var ReadSettings = durable.Activity[ReadSettingsInput, Settings]{
	Name: "policy.read_settings", Attempt: 5 * time.Second,
}

// ReadSettingsInput says whose settings; an empty id falls back to the company's.
type ReadSettingsInput struct {
	PortfolioID string `json:"portfolio_id,omitempty"`
	PropertyID  string `json:"property_id,omitempty"`
}

// Settings is the resolved policy of one property.
type Settings = policy.Settings

func (a *Activities) readSettings(ctx context.Context, in ReadSettingsInput) (Settings, error) {
	rules := a.Policy.Current()
	s := rules.For(in.PortfolioID, in.PropertyID)
	now := a.businessNow()
	s.OnCall.Swaps = swapsOf(s, a.liveSwaps(ctx, now), now, rules.People)
	return s, nil
}

const (
	// swapsWait limits the reading of swaps: whoever is to be paged does not wait for
	// them.
	swapsWait = 2 * time.Second
	// swapsAhead is how long before their beginning swaps are in the settings (business
	// time): these are read again at each decision.
	swapsAhead = 24 * time.Hour
)

// swapMemory is what was last read.
type swapMemory struct {
	mu   sync.Mutex
	list []store.Swap
}

// liveSwaps reads the swaps of on-call duty; while the store is away, those that were
// read last count.
func (a *Activities) liveSwaps(ctx context.Context, now time.Time) []store.Swap {
	ctx, cancel := context.WithTimeout(ctx, swapsWait)
	defer cancel()
	list, err := a.Store.LiveSwaps(ctx, now)
	a.swaps.mu.Lock()
	defer a.swaps.mu.Unlock()
	if err != nil {
		a.Log.Warn("swaps of on-call duty could not be read: those read before count", zap.Error(err))
		return slices.Clone(a.swaps.list)
	}
	a.swaps.list = list
	return slices.Clone(list)
}

// swapsOf are the swaps that matter to a property about now: of people on its teams,
// and of those who stand in. Who stands in is as the property's policy has them, else
// as it names them anywhere; a swap with somebody whom it no longer names is none.
func swapsOf(s Settings, live []store.Swap, now time.Time, everybody func() []policy.Person) []policy.Swap {
	live = slices.DeleteFunc(slices.Clone(live), func(w store.Swap) bool {
		return !w.To.After(now) || w.From.After(now.Add(swapsAhead))
	})
	people := map[string]policy.Person{}
	if len(live) > 0 {
		for _, p := range everybody() {
			if _, known := people[p.ID]; !known {
				people[p.ID] = p
			}
		}
	}
	replaced := map[string]bool{}
	for _, team := range s.OnCall.Teams {
		for _, p := range team {
			replaced[p.ID], people[p.ID] = true, p
		}
	}
	for _, w := range live {
		replaced[w.In] = true
		if p, ok := s.Person(w.In); ok {
			people[w.In] = p
		}
	}
	var list []policy.Swap
	for _, w := range live {
		out, known := people[w.Out]
		in, named := people[w.In]
		if replaced[w.Out] && known && named {
			list = append(list, policy.Swap{Out: out, In: in, From: w.From, To: w.To})
		}
	}
	return list
}
