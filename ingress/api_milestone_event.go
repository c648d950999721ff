package ingress

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/sales"
)

// FoundSale is a sale that an event may be about.
type FoundSale struct {
	// PropertyID is OpenMoove's integer id, TransactionID the UUID, "" where it is
	// not known yet.
	PropertyID, TransactionID string
	// Ended is true once it is followed no more.
	Ended bool
}

// reportedMilestone is the body of a 202 to a milestone event.
type reportedMilestone struct {
	Status        string `json:"status"` // reported
	Message       string `json:"message"`
	PropertyID    string `json:"property_id"`
	TransactionID string `json:"transaction_id,omitempty"`
	Milestone     string `json:"milestone"`
	WorkflowID    string `json:"workflow_id"`
	// EventID is what the event is known by: the same event has the same.
	EventID string `json:"event_id"`
}

// saidReported tells why a milestone is not completed yet (contracts/openmoove.md 2).
const saidReported = "Reported; shown as done once OpenMoove shows it: its API cannot be written to."

// reportMilestone takes another system's word that a milestone is reached, and hands
// it to the workflow of the sale.
func (a *API) reportMilestone(c echo.Context) apiReply {
	leave, ok := enter(a.events)
	if !ok {
		return tooMany("too_many_in_flight", "Too many milestone events at once. Send this one again later.")
	}
	defer leave()
	_, body, unread := readBody(c, a.cfg.Limits.EventBytes, mediaJSON)
	if unread != nil {
		return unread.reply()
	}
	event, refused, ok := readMilestoneEvent(body, a.cfg.MilestoneEvents(), a.cfg.Clock.Now())
	if !ok {
		return refused
	}
	// Who hangs up has reported even so.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), a.cfg.Limits.Start)
	defer cancel()
	sale, refused, ok := a.saleOf(ctx, event)
	if !ok {
		return refused
	}
	return a.handOver(ctx, event, sale)
}

// handOver answers only what Temporal has confirmed and whose receipt is kept.
func (a *API) handOver(ctx context.Context, event milestoneEvent, sale FoundSale) apiReply {
	id, key := sales.SaleID(sale.PropertyID), event.key(sale.PropertyID)
	report := sales.MilestoneReport{
		Key: key, Type: event.kind, Milestone: event.milestone, By: event.by,
		OccurredAt: event.occurredAt, ReceivedAt: time.Now().UTC(),
	}
	err := sales.ReportMilestone(ctx, a.cfg.Temporal, a.cfg.TaskQueue, a.cfg.Clock, sale.PropertyID, report)
	if err == nil && a.cfg.Audit != nil {
		err = a.cfg.Audit.Accept(ctx, milestoneReceipt(report, sale.PropertyID))
	}
	switch {
	case errors.Is(err, sales.ErrSaleEnded):
		return saleEnded(sale)
	case err != nil:
		a.cfg.Log.Warn("a milestone event was not confirmed", zap.String("workflow", id), zap.Error(err))
		r := away("not_confirmed", "The event could not be recorded now. Send it again later: it counts once.")
		r.workflowID = id
		return r
	}
	return apiReply{status: http.StatusAccepted, reason: "reported", workflowID: id, body: reportedMilestone{
		Status: "reported", Message: saidReported, PropertyID: sale.PropertyID, TransactionID: sale.TransactionID,
		Milestone: event.milestone, WorkflowID: id, EventID: key,
	}}
}

func saleEnded(sale FoundSale) apiReply {
	return apiReply{status: http.StatusConflict, reason: "sale_ended", workflowID: sales.SaleID(sale.PropertyID),
		detail: "This sale has ended here, so that nothing can be reported about it any more. Look at it in OpenMoove."}
}

// saleOf finds the sale that an event is about. Where it has both ids, they must be
// of one sale.
func (a *API) saleOf(ctx context.Context, event milestoneEvent) (FoundSale, apiReply, bool) {
	sale, err := a.cfg.FindSale(ctx, event.propertyID, event.firstTransactionID())
	if err == nil && event.propertyID != "" && event.transactionID != "" {
		var agree bool
		if agree, err = a.agree(ctx, sale, event.transactionID); err == nil && !agree {
			return sale, unprocessable([]FieldError{{Path: "transaction_id",
				Message: "This is not the sale of property_id. Give one of the two."}}), false
		}
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return sale, notFound("No sale with this id is followed here. Give the property_id, OpenMoove's integer id, of a sale that is followed."), false
	case err != nil:
		a.cfg.Log.Warn("a sale could not be looked up", zap.Error(err))
		return sale, away("store_away", "Sales cannot be looked up now. Send the event again later."), false
	case sale.Ended:
		return sale, saleEnded(sale), false
	}
	return sale, apiReply{}, true
}

// agree tells whether a sale has the UUID. One whose UUID is not known yet has it
// unless another sale does.
func (a *API) agree(ctx context.Context, sale FoundSale, transactionID string) (bool, error) {
	if sale.TransactionID != "" {
		return strings.EqualFold(sale.TransactionID, transactionID), nil
	}
	other, err := a.cfg.FindSale(ctx, "", transactionID)
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	return other.PropertyID == sale.PropertyID, err
}
