package prove

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

const (
	// chainsAtOnce is how many chains are recomputed at a time.
	chainsAtOnce = 4
	// entitiesPage is how many chains are listed at a time: each page looks through the period.
	entitiesPage = 10_000
)

// chains recomputes whole chains: of the entities with entries in the period, or of all,
// those without a head too.
func (p *prover) chains(ctx context.Context) error {
	t := p.tally(CheckChains, "chains of the audit hold")
	if !p.AllChains {
		t.Left = "of entities with entries in the period; --chains=all for all"
		return p.eachChain(ctx, t, func(after string) ([]string, error) {
			return p.Store.AuditTouched(ctx, p.Since, p.Until, after, entitiesPage)
		})
	}
	err := p.eachChain(ctx, t, func(after string) ([]string, error) {
		heads, err := p.Store.AuditEntities(ctx, "", after, entitiesPage)
		entities := make([]string, len(heads))
		for i, head := range heads {
			entities[i] = head.Entity
		}
		return entities, err
	})
	if err != nil {
		return err
	}
	return p.eachChain(ctx, t, func(after string) ([]string, error) { return p.Store.AuditHeadless(ctx, after, entitiesPage) })
}

// eachChain recomputes the chains of a list that comes in pages.
func (p *prover) eachChain(ctx context.Context, t *tally, list func(after string) ([]string, error)) error {
	after := ""
	for {
		entities, err := list(after)
		if err != nil || len(entities) == 0 {
			return err
		}
		group, within := errgroup.WithContext(ctx)
		group.SetLimit(chainsAtOnce)
		for _, entity := range entities {
			group.Go(func() error { return p.chain(within, t, entity) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
		t.compared(len(entities))
		after = entities[len(entities)-1]
	}
}

func (p *prover) chain(ctx context.Context, t *tally, entity string) error {
	faults, err := p.Store.VerifyAudit(ctx, entity)
	if err != nil {
		return err
	}
	for _, f := range faults {
		t.differs(Finding{
			Entity: entity, Key: fmt.Sprintf("entry %d", f.Seq), What: f.Why,
			Advice: "somebody has changed the database by hand: compare it with a backup and an anchor kept elsewhere (keyholder audit verify)",
		})
	}
	return nil
}
