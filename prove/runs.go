package prove

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"golang.org/x/sync/errgroup"
)

const (
	// mostRuns is how many runs of a list are looked at, one by one, and lookingLimit how long.
	mostRuns     = 100_000
	lookingLimit = 15 * time.Minute
)

var errLooked = errors.New("looked for long enough")

// runs lists the runs that failed and the work that does not get done.
func (p *prover) runs(ctx context.Context) error {
	if err := p.ended(ctx); err != nil {
		return err
	}
	return p.stuck(ctx)
}

// ended lists the runs of the period that failed, were terminated or timed out, unless
// another run has taken their place.
func (p *prover) ended(ctx context.Context) error {
	t := p.tally(CheckRuns, "runs that failed, were terminated or timed out have another in their place")
	list := func(each func(WorkflowRun) error) (bool, error) {
		return p.Temporal.EndedBadly(ctx, p.Since, p.Until, mostRuns, each)
	}
	return p.eachRun(ctx, t, list, func(ctx context.Context, run WorkflowRun) error {
		last, err := p.Temporal.Latest(ctx, run.WorkflowID)
		if err != nil && !errors.Is(err, ErrNoWorkflow) {
			return err
		}
		if err == nil && last.RunID != run.RunID && !last.badly() {
			return nil
		}
		t.differs(Finding{
			Entity: run.WorkflowID, Key: run.RunID, What: fmt.Sprintf("%s %s at %s", run.Type, ending(run.Status), stamp(run.EndedAt)),
			Advice: fmt.Sprintf("see why in the Web UI, then keyholder events replay %s --by NAME --why TEXT", run.WorkflowID),
		})
		return nil
	})
}

// eachRun looks at the runs of a list, some at a time, within bounds.
func (p *prover) eachRun(ctx context.Context, t *tally,
	list func(each func(WorkflowRun) error) (all bool, err error), look func(context.Context, WorkflowRun) error,
) error {
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(askedAtOnce)
	began := time.Now()
	all, err := list(func(run WorkflowRun) error {
		if time.Since(began) > lookingLimit {
			return errLooked
		}
		t.compared(1)
		group.Go(func() error { return look(within, run) })
		return within.Err()
	})
	slow := errors.Is(err, errLooked)
	if slow {
		err = nil
	}
	if err := errors.Join(group.Wait(), err); err != nil {
		return err
	}
	switch {
	case slow:
		t.cut("as many as could be looked at in %s; there are more", lookingLimit)
	case !all:
		t.cut("the latest %d; there are more", mostRuns)
	}
	return nil
}

func ending(s enumspb.WorkflowExecutionStatus) string {
	switch s {
	case enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED:
		return "was terminated"
	case enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
		return "timed out"
	}
	return "failed"
}

// stuck lists the running workflows with work that has failed, or waited for a worker, for
// too long.
func (p *prover) stuck(ctx context.Context) error {
	t := p.tally(CheckRuns, "running workflows get their work done")
	list := func(each func(WorkflowRun) error) (bool, error) { return p.Temporal.EachRunning(ctx, mostRuns, each) }
	return p.eachRun(ctx, t, list, func(ctx context.Context, run WorkflowRun) error { return p.look(ctx, t, run) })
}

func (p *prover) look(ctx context.Context, t *tally, run WorkflowRun) error {
	troubles, err := p.Temporal.Troubles(ctx, run.WorkflowID)
	if errors.Is(err, ErrNoWorkflow) {
		return nil // it has ended and is forgotten
	}
	if err != nil {
		return fmt.Errorf("%s: %w", run.WorkflowID, err)
	}
	for _, trouble := range troubles {
		if p.young(trouble.Since) {
			continue
		}
		f := Finding{
			Entity: run.WorkflowID, Key: run.RunID, What: trouble.line(),
			Advice: "see why in the Web UI; docs/how-to/reset-a-stuck-workflow.md",
		}
		if trouble.Queued || p.Now.Sub(trouble.Since) < p.Stuck {
			t.pending(f)
			continue
		}
		t.differs(f)
	}
	return nil
}
