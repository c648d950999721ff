package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"

	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance"
)

const (
	// lookedAt is how many workflows are described in search of stuck and failed work.
	lookedAt = 200
	// shownIDs is how many of those found are named.
	shownIDs = 3
	// shownTypes is how many types of workflows are named.
	shownTypes = 6
	// failedWithin is how far back failed work is looked for.
	failedWithin = 24 * time.Hour
)

// The list filters of the status. docs/web-ui.md has them too.
var (
	filterOpen   = "ExecutionStatus = 'Running'"
	filterOrders = fmt.Sprintf("WorkflowType = '%s' AND %s", maintenance.WorkOrderName, filterOpen)
	filterPaging = fmt.Sprintf("%s AND %s = '%s'", filterOrders, durable.Stage.GetName(), maintenance.StagePaging)
	missedOne    = fmt.Sprintf("%s IN ('%s_missed', '%s_missed', '%s_missed', 'visit_missed')", durable.SLAState.GetName(),
		maintenance.SLAAcknowledge, maintenance.SLAAccept, maintenance.SLAOnSite)
	filterMissed = filterOrders + " AND " + missedOne
	// The state names the promise that was missed last: whoever is still being paged has
	// missed the first of them, whichever it names.
	filterUnheld = filterPaging + " AND " + missedOne
)

func (a *statusSources) count(ctx context.Context, filter string) (int64, error) {
	n, err := a.temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: a.namespace, Query: filter})
	return n.GetCount(), err
}

// some counts what a filter finds and names the first.
func (a *statusSources) some(ctx context.Context, filter string) (n int64, ids []string, err error) {
	if n, err = a.count(ctx, filter); err != nil || n == 0 {
		return n, nil, err
	}
	list, err := a.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: a.namespace, Query: filter, PageSize: shownIDs})
	if err != nil {
		return n, nil, err
	}
	for _, e := range list.GetExecutions() {
		ids = append(ids, e.GetExecution().GetWorkflowId())
	}
	return n, ids, nil
}

// someOf lists some ids of many.
func someOf(n int64, ids []string) string {
	text := strings.Join(ids, ", ")
	if left := n - int64(len(ids)); left > 0 {
		text += fmt.Sprintf(" and %d more", left)
	}
	return text
}

// askWorkflows counts what is open by type: the server groups by no other attribute than the
// status.
func (a *statusSources) askWorkflows(ctx context.Context) ([]check, error) {
	counts, lock := map[string]int64{}, sync.Mutex{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(eventsAtOnce)
	for _, w := range workflows.Registry() {
		group.Go(func() error {
			n, err := a.count(ctx, fmt.Sprintf("WorkflowType = '%s' AND %s", w.WorkflowName(), filterOpen))
			lock.Lock()
			defer lock.Unlock()
			if n > 0 {
				counts[w.WorkflowName()] = n
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return []check{describeOpen(counts)}, nil
}

func describeOpen(counts map[string]int64) check {
	names := slices.SortedFunc(maps.Keys(counts), func(x, y string) int { return cmp.Or(cmp.Compare(counts[y], counts[x]), cmp.Compare(x, y)) })
	var total int64
	var parts []string
	for i, name := range names {
		total += counts[name]
		if i < shownTypes {
			parts = append(parts, fmt.Sprintf("%d %s", counts[name], name))
		}
	}
	c := fine("workflows", "%d open", total)
	if len(parts) > 0 {
		c.Says += ": " + strings.Join(parts, ", ")
	}
	if left := len(names) - shownTypes; left > 0 {
		c.Says += fmt.Sprintf(" and %d more types", left)
	}
	c.Filter, c.Counts = filterOpen, counts
	return c
}

// askEmergencies asks who is being paged, and where nobody has answered in time.
func (a *statusSources) askEmergencies(ctx context.Context) ([]check, error) {
	paging, err := a.count(ctx, filterPaging)
	if err != nil {
		return nil, err
	}
	n, ids, err := a.some(ctx, filterUnheld)
	if err != nil {
		return nil, err
	}
	return []check{judgeEmergencies(paging, n, ids)}, nil
}

func judgeEmergencies(paging, unheld int64, ids []string) check {
	c := check{Name: "emergencies", Level: levelOK, Filter: filterPaging, Counts: map[string]int64{"paging": paging, "unacknowledged": unheld}}
	switch {
	case unheld > 0:
		c.Level, c.Filter = levelLook, filterUnheld
		c.Says = fmt.Sprintf("%d of %d being paged %s not acknowledged in time: %s", unheld, paging, plural(unheld, "is", "are"), someOf(unheld, ids))
		c.Do = "call the on-call people; take it for them by the Update acknowledge in the Web UI"
	case paging > 0:
		c.Says = fmt.Sprintf("%d being paged, within the promise", paging)
	default:
		c.Says = "nobody is being paged"
	}
	return c
}

// askPromises asks which work orders have missed one.
func (a *statusSources) askPromises(ctx context.Context) ([]check, error) {
	open, err := a.count(ctx, filterOrders)
	if err != nil {
		return nil, err
	}
	n, ids, err := a.some(ctx, filterMissed)
	if err != nil {
		return nil, err
	}
	return []check{judgePromises(open, n, ids)}, nil
}

func judgePromises(open, missed int64, ids []string) check {
	c := check{Name: "promises", Level: levelOK, Filter: filterMissed, Counts: map[string]int64{"open": open, "missed": missed}}
	if missed == 0 {
		c.Says = fmt.Sprintf("none missed by %d open work %s", open, plural(open, "order", "orders"))
		return c
	}
	c.Level = levelLook
	c.Says = fmt.Sprintf("missed by %d of %d open work %s: %s", missed, open, plural(open, "order", "orders"), someOf(missed, ids))
	c.Do = "open it in the Web UI: its page says who was asked; reassign it, or call"
	return c
}

// asEvents are the lists of "keyholder events".
func (a *statusSources) asEvents() *events {
	return &events{client: a.temporal, namespace: a.namespace}
}

func (a *statusSources) askParked(ctx context.Context) ([]check, error) {
	f := eventFilter{state: stateParked, limit: 1}
	n, err := a.count(ctx, f.query())
	if err != nil {
		return nil, err
	}
	var oldest time.Time
	if n > 0 {
		// Of very many, the number alone has to do.
		if rows, _, err := a.asEvents().findOldest(ctx, f); err == nil && len(rows) > 0 {
			oldest = rows[0].At
		}
	}
	c := judgeParked(n, oldest, time.Now())
	c.Filter = f.query()
	return []check{c}, nil
}

func judgeParked(n int64, oldest, now time.Time) check {
	c := check{Name: "parked events", Level: levelOK, Says: "none", Counts: map[string]int64{"parked": n}}
	if n == 0 {
		return c
	}
	c.Level, c.Says = levelLook, fmt.Sprintf("%d %s for somebody", n, plural(n, "waits", "wait"))
	if !oldest.IsZero() {
		c.Says += fmt.Sprintf(", the oldest for %s", howLong(now.Sub(oldest)))
		c.Counts["oldest_seconds"] = int64(now.Sub(oldest).Seconds())
	}
	c.Do = "\"keyholder events list\" shows them; replay or discard each"
	return c
}

// askStuck looks at some of the running workflows, the newest first.
func (a *statusSources) askStuck(ctx context.Context) ([]check, error) {
	rows, listed, next, err := a.asEvents().page(ctx, eventFilter{state: stateStuck, limit: lookedAt}, nil)
	if err != nil {
		return nil, err
	}
	return []check{judgeStuck(rows, listed, len(next) > 0)}, nil
}

func judgeStuck(rows []eventRow, listed int, more bool) check {
	c := check{Name: "stuck work", Level: levelOK, Says: fmt.Sprintf("none of %d running workflows", listed), Counts: map[string]int64{"stuck": int64(len(rows)), "looked_at": int64(listed)}}
	if more {
		c.Says = fmt.Sprintf("none of the newest %d running workflows", listed)
	}
	if len(rows) == 0 {
		return c
	}
	c.Level = levelLook
	c.Do = "an activity is tried again by itself, until its partner is back; \"keyholder events list --state stuck\" has all"
	first := rows[0]
	for _, r := range rows {
		if !r.trying {
			c.Level, first = levelBad, r
			c.Do = "a workflow's task fails, which needs a deploy: docs/how-to/reset-a-stuck-workflow.md"
			break
		}
	}
	c.Says = fmt.Sprintf("%d of %d looked at, such as %s: %s", len(rows), listed, first.ID, oneLine(first.Reason))
	return c
}

// askFailed looks at what failed lately and was not replaced by a newer run.
func (a *statusSources) askFailed(ctx context.Context) ([]check, error) {
	f := eventFilter{state: stateFailed, limit: lookedAt, since: time.Now().Add(-failedWithin)}
	rows, _, next, err := a.asEvents().page(ctx, f, nil)
	if err != nil {
		return nil, err
	}
	c := judgeFailed(rows, len(next) > 0)
	c.Filter = f.query()
	return []check{c}, nil
}

func judgeFailed(rows []eventRow, more bool) check {
	c := check{Name: "failed work", Level: levelOK, Says: "none in 24 hours", Counts: map[string]int64{"failed": int64(len(rows))}}
	if len(rows) == 0 {
		return c
	}
	orMore := ""
	if more {
		orMore = " or more"
	}
	c.Level, c.Says = levelLook, fmt.Sprintf("%d%s in 24 hours, such as %s: %s", len(rows), orMore, rows[0].ID, oneLine(rows[0].Reason))
	c.Do = "\"keyholder events list --state failed --since 24h\" shows them; replay what is to be done again"
	return c
}
