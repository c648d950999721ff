package activities

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities/triage"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// CreateCheck makes a work order at RentVine for a recurring maintenance check and
// returns its id. It is safe to repeat: the description carries a reference made of
// lease, check and number, which a try that may be a repeat looks for among the work
// orders of the lease first (contracts/rentvine.md 2.7, 6.5). RentVine itself tells
// nobody of the work order.
var CreateCheck = durable.Activity[CreateCheckInput, string]{
	Name: "leasing.create_check", Queue: QueueRentVine, Attempt: 30 * time.Second, Within: 72 * time.Hour,
}

// CreateCheckInput is one turn of a check.
type CreateCheckInput struct {
	// Ref is the lease's workflow id and incarnation.
	Ref        string `json:"ref"`
	LeaseID    string `json:"lease_id"`
	PropertyID string `json:"property_id"`
	UnitID     string `json:"unit_id,omitempty"`
	// CheckID and Name are those of policy.MaintenanceCheck; Trade is one of
	// policy.Trades.
	CheckID string `json:"check_id"`
	Name    string `json:"name"`
	Trade   string `json:"trade,omitempty"`
	// Number counts the turns of this check of this lease, from 1, for ever.
	Number int `json:"number"`
}

// checkReference is by what a check's work order is found again.
func checkReference(in CreateCheckInput) string {
	_, incarnation, _ := strings.Cut(in.Ref, "@") // a lease that is opened again counts from 1 again
	return fmt.Sprintf("[KH-check-%s-%s-%s-%d-", in.LeaseID, in.CheckID, incarnation, in.Number)
}

// checkText is the description of a check's work order, signed as a whole: its words,
// such as "smoke alarms", are no report of what they name, but nobody else can say so.
func (a *Activities) checkText(in CreateCheckInput) string {
	text := fmt.Sprintf("%s (recurring check, number %d) %s", in.Name, in.Number, checkReference(in))
	return text + a.Keys.CheckMark(text) + "]"
}

// isOwnCheck tells whether a description is that of a check of ours, to the letter.
func (a *Activities) isOwnCheck(description string) bool {
	i := strings.LastIndex(description, "-")
	if i < 0 || !strings.Contains(description, "[KH-check-") {
		return false
	}
	mark, closed := strings.CutSuffix(description[i+1:], "]")
	return closed && a.Keys.IsCheckMark(mark, description[:i+1])
}

func (a *Activities) createCheck(ctx context.Context, in CreateCheckInput) (string, error) {
	reference := checkReference(in)
	// What is read is read before the try begins: a try ends soon after its beginning.
	order, err := a.newCheck(ctx, in)
	if err != nil {
		return "", toTemporal(ctx, err)
	}
	id, err := a.once(ctx, effect{
		key: fmt.Sprintf("%s/check/%s/%d", in.Ref, in.CheckID, in.Number),
		about: about{
			kind: store.AuditWrite, partner: atRentVine, what: fmt.Sprintf("work order for check %s, number %d, of lease %s", in.CheckID, in.Number, in.LeaseID),
			makes: "work-order/",
		},
		find: func(ctx context.Context, _ time.Time) (string, bool, error) {
			orders, err := a.RentVine.LeaseWorkOrders(ctx, in.LeaseID, in.UnitID)
			if err != nil {
				return "", false, err
			}
			for _, o := range orders {
				if strings.Contains(o.Description, reference) {
					return o.ID, true, nil
				}
			}
			return "", false, nil
		},
		act: func(ctx context.Context) (string, error) {
			made, err := a.RentVine.CreateWorkOrder(ctx, order)
			return made.ID, err
		},
	})
	return id, toTemporal(ctx, err)
}

// newCheck is the work order of a check, with the account's own status and trade.
func (a *Activities) newCheck(ctx context.Context, in CreateCheckInput) (rentvine.NewWorkOrder, error) {
	order := rentvine.NewWorkOrder{
		PropertyID: in.PropertyID, UnitID: in.UnitID, LeaseID: in.LeaseID, SourceType: rentvine.SourceRecurring, Priority: rentvine.PriorityLow,
		Description: a.checkText(in),
	}
	statuses, err := a.RentVine.WorkOrderStatuses(ctx)
	if err != nil {
		return order, err
	}
	for _, primary := range []rentvine.PrimaryWorkOrderStatus{rentvine.StatusPending, rentvine.StatusOpen} {
		if s, ok := chooseStatus(statuses, nil, int(primary)); ok && order.StatusID == "" {
			order.StatusID = s.ID
		}
	}
	if in.Trade == "" {
		return order, nil
	}
	trades, err := a.RentVine.VendorTrades(ctx)
	if err != nil {
		return order, err
	}
	for _, t := range trades {
		if trade, known := triage.TradeOf(t.Name); known && string(trade) == in.Trade {
			order.VendorTradeID = t.ID
			break
		}
	}
	return order, nil
}
