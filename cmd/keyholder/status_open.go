package main

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// statusSources is what "keyholder status" asks. What could not be reached is nil, and before says so.
type statusSources struct {
	cfg       statusConfig
	limits    []store.Limit
	namespace string
	temporal  client.Client
	store     store.Store
	clock     durable.Clock
	// rules is nil where no policy is configured.
	rules  *policy.Policy
	before []check
}

// openAsked reaches Temporal and the store. The error is that of a wrong configuration alone.
func openAsked(ctx context.Context, cfg statusConfig, address string, limit time.Duration) (*statusSources, error) {
	a := &statusSources{cfg: cfg}
	var err error
	if a.limits, err = parseLimits(cfg.OpenMooveLimits); err != nil {
		return nil, usageError{fmt.Errorf("KEYHOLDER_OPENMOOVE_LIMITS: %w", err)}
	}
	if a.namespace, err = cluster.Namespace(cluster.Options{Address: address, Plain: address != ""}); err != nil {
		return nil, usageError{err}
	}
	if _, err := cluster.ParseKeys(cfg.PayloadKeys); err != nil {
		return nil, usageError{fmt.Errorf("KEYHOLDER_PAYLOAD_KEYS: %w", err)}
	}
	a.readPolicy()
	a.openTemporal(ctx, address, limit)
	a.openStore(ctx, limit)
	return a, nil
}

func (a *statusSources) readPolicy() {
	if a.cfg.Policy == "" {
		return
	}
	rules, err := policy.Load(a.cfg.Policy)
	if err != nil {
		a.before = append(a.before, check{Name: "policy", Level: levelBad, Says: "cannot be used: " + oneLine(err.Error()), Do: "mend the file of KEYHOLDER_POLICY; until then running workers keep the last good one, and none starts"})
		return
	}
	a.rules = rules
}

func (a *statusSources) openTemporal(ctx context.Context, address string, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	c, err := dial(ctx, zap.NewNop(), a.cfg.PayloadConfig, address, newRegistry())
	if err != nil {
		a.before = append(a.before, check{
			Name: "temporal", Level: levelBad, Says: "cannot be reached: " + oneLine(err.Error()),
			Do: "start it, or correct TEMPORAL_ADDRESS or TEMPORAL_PROFILE; the ingress answers 503 until then, and senders keep their events",
		})
		return
	}
	a.temporal = c
}

// openStore opens the store only where its tables are those of this program: opening brings
// them up to date, which is for a deploy to do.
func (a *statusSources) openStore(ctx context.Context, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	have, want, err := store.SchemaVersion(ctx, a.cfg.StoreURL)
	line, good := judgeSchema(have, want, err)
	if good {
		a.store, err = store.Open(ctx, a.cfg.StoreURL)
		if err == nil {
			a.clock, err = storedClock(ctx, a.store)
		}
		if err != nil {
			line, _ = judgeSchema(have, want, err)
		}
	}
	a.before = append(a.before, line)
}

// judgeSchema says how the store is, and whether it may be opened.
func judgeSchema(have, want int64, err error) (line check, good bool) {
	const name = "store"
	switch {
	case err != nil:
		return check{Name: name, Level: levelBad, Says: "cannot be read: " + oneLine(err.Error()), Do: "see that the database of KEYHOLDER_STORE_URL runs and takes connections; activities wait meanwhile"}, false
	case have < want:
		return check{
			Name: name, Level: levelLook, Says: fmt.Sprintf("answers; its tables are of version %d, this program's of %d", have, want),
			Do: "ask with the program that runs, or deploy this one: its worker brings the tables up to date",
		}, false
	case have > want:
		return check{
			Name: name, Level: levelLook, Says: fmt.Sprintf("answers; its tables are of version %d, this program knows %d", have, want),
			Do: "ask with the program that runs: this one is older",
		}, false
	}
	return fine(name, "answers, tables of version %d", have), true
}

func (a *statusSources) close() {
	if a.temporal != nil {
		a.temporal.Close()
	}
	if a.store != nil {
		_ = a.store.Close() // nothing was written
	}
}

// questions are those that can be asked, in the order in which they are printed.
func (a *statusSources) questions() []question {
	var list []question
	if a.temporal != nil {
		list = append(list, question{"temporal", a.askCluster})
		for _, q := range polledQueues() {
			list = append(list, question{"queue " + q.name, func(ctx context.Context) ([]check, error) { return a.askQueue(ctx, q) }})
		}
		list = append(list,
			question{"deployment", a.askDeployment}, question{"workflows", a.askWorkflows},
			question{"emergencies", a.askEmergencies}, question{"promises", a.askPromises},
			question{"parked events", a.askParked}, question{"stuck work", a.askStuck}, question{"failed work", a.askFailed},
			question{"schedules", a.askSchedules},
		)
	}
	if a.store != nil {
		list = append(list, question{"comparison", a.askComparison})
		for _, l := range a.limits {
			list = append(list, question{openMooveCalls, func(ctx context.Context) ([]check, error) { return a.askCalls(ctx, l) }})
		}
		list = append(list, question{"messages", a.askOutbound}, question{"quickbooks", a.askQuickBooks})
	}
	return list
}
