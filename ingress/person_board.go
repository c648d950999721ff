package ingress

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/ingress/pages"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

const (
	// lateWait limits the look at Temporal: the page shows the rest without it.
	lateWait = 2 * time.Second
	maxLate  = 50
	// maxTeams bounds how many teams are shown.
	maxTeams = 30
)

// lateQuery finds what runs and has missed a promise, or should have been done by now
// (business time).
func lateQuery(now time.Time) string {
	return fmt.Sprintf("ExecutionStatus = 'Running' AND (%s IN ('acknowledge_missed', 'accept_missed', 'on_site_missed', 'visit_missed') OR %s < '%s')",
		durable.SLAState.GetName(), durable.DueBy.GetName(), now.UTC().Format(time.RFC3339Nano))
}

// lateNow puts what is late on the board, or that it cannot be told.
func (p *People) lateNow(ctx context.Context, board *pages.Manager, local localTime, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, lateWait)
	defer cancel()
	list, err := p.listLate(ctx, now)
	if err != nil {
		p.cfg.Log.Warn("what is late could not be listed", zap.Error(err))
		board.Unknown = true
		return
	}
	board.More = len(list) > maxLate
	slices.SortFunc(list, worseFirst)
	for _, l := range list[:min(maxLate, len(list))] {
		shown := pages.Late{WorkflowID: l.id, PropertyID: l.property, Missed: missedInWords(l.sla), Stage: inWords(l.stage), WaitingFor: inWords(l.waitingFor)}
		if !l.due.IsZero() {
			shown.Due, shown.Overdue = local.at(l.due), l.due.Before(now)
		}
		board.Late = append(board.Late, shown)
	}
}

func (p *People) listLate(ctx context.Context, now time.Time) ([]lateWorkflow, error) {
	if p.cfg.Temporal == nil {
		return nil, errors.New("ingress: no Temporal")
	}
	resp, err := p.cfg.Temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: maxLate + 1, Query: lateQuery(now)})
	if err != nil {
		return nil, err
	}
	var list []lateWorkflow
	for _, e := range resp.GetExecutions() {
		list = append(list, lateOf(e))
	}
	return list, nil
}

// lateWorkflow is what the search attributes of a workflow say.
type lateWorkflow struct {
	id, property, stage, waitingFor, sla string
	due                                  time.Time
}

func lateOf(e *workflowpb.WorkflowExecutionInfo) lateWorkflow {
	fields := e.GetSearchAttributes().GetIndexedFields()
	return lateWorkflow{
		id:       e.GetExecution().GetWorkflowId(),
		property: keywordOf(fields, durable.PropertyID.GetName()), stage: keywordOf(fields, durable.Stage.GetName()),
		waitingFor: keywordOf(fields, durable.WaitingFor.GetName()), sla: keywordOf(fields, durable.SLAState.GetName()),
		due: timeOf(fields, durable.DueBy.GetName()),
	}
}

// keywordOf and timeOf are a search attribute's value, the zero value where it has
// none.
func keywordOf(fields map[string]*commonpb.Payload, name string) (value string) {
	if fields[name] == nil || converter.GetDefaultDataConverter().FromPayload(fields[name], &value) != nil {
		return ""
	}
	return value
}

func timeOf(fields map[string]*commonpb.Payload, name string) (value time.Time) {
	if fields[name] == nil || converter.GetDefaultDataConverter().FromPayload(fields[name], &value) != nil {
		return time.Time{}
	}
	return value
}

// worseFirst puts missed promises before what is overdue, then what was due first.
func worseFirst(a, b lateWorkflow) int {
	rank := func(l lateWorkflow) int {
		if missedInWords(l.sla) != "" {
			return 0
		}
		return 1
	}
	due := func(l lateWorkflow) time.Time {
		if l.due.IsZero() {
			return time.Unix(1<<40, 0)
		}
		return l.due
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), due(a).Compare(due(b)), cmp.Compare(a.id, b.id))
}

func inWords(state string) string { return strings.ReplaceAll(state, "_", " ") }

// missedInWords is the promise that a state says was missed, "" where it says none.
func missedInWords(sla string) string {
	promise, missed := strings.CutSuffix(sla, "_missed")
	switch {
	case !missed:
		return ""
	case promise == "acknowledge":
		return "acknowledgement"
	case promise == "accept":
		return "acceptance"
	case promise == "on_site":
		return "arrival"
	default:
		return inWords(promise)
	}
}

// teamsOf is who is on call now: the company's team, and those of portfolios and
// properties that have another.
func teamsOf(known *knownPeople, live []store.Swap, now time.Time) []pages.Team {
	var list []pages.Team
	for _, d := range known.duties {
		s := d.Settings
		s.OnCall.Swaps = known.swaps(live)
		team := pages.Team{}
		for _, person := range s.OnCallAt(now) {
			team.Names = append(team.Names, known.name(person.ID))
		}
		if until := s.OnCallUntil(now); !until.IsZero() {
			team.Until = localTimeOf(s).at(until)
		}
		switch {
		case d.PortfolioID != "":
			team.Of = "Portfolio " + d.PortfolioID
		case d.PropertyID != "":
			team.Of = "Property " + d.PropertyID
		}
		if len(list) > 0 && slices.Equal(team.Names, list[0].Names) && team.Until == list[0].Until {
			continue
		}
		list = append(list, team)
		if len(list) == maxTeams {
			break
		}
	}
	if len(list) > 1 {
		list[0].Of = "Everywhere else"
		list = append(list[1:], list[0])
	}
	return list
}

// swaps are the live ones with whom the policy names.
func (k *knownPeople) swaps(live []store.Swap) []policy.Swap {
	var list []policy.Swap
	for _, w := range live {
		named := func(id string) bool {
			return slices.ContainsFunc(k.everybody, func(p policy.Person) bool { return p.ID == id })
		}
		if named(w.Out) && named(w.In) {
			list = append(list, policy.Swap{Out: policy.Person{ID: w.Out}, In: policy.Person{ID: w.In}, From: w.From, To: w.To})
		}
	}
	return list
}

func swapsShown(known *knownPeople, live []store.Swap, local localTime, now time.Time) []pages.Swap {
	var list []pages.Swap
	for _, w := range live {
		list = append(list, pages.Swap{ID: w.ID, Out: known.name(w.Out), In: known.name(w.In), From: local.at(w.From), To: local.at(w.To), Now: !now.Before(w.From)})
	}
	return list
}
