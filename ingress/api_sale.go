package ingress

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/ingress/intake"
	"github.com/aictive/keyholder/workflows/sales"
)

// Temporal's priority keys of what the API starts: a sale that somebody waits for
// goes before an import, and both after events.
const (
	salePriority   = 3
	importPriority = 5
)

// answerTime is what an answer may take beyond the wait for an outcome.
const answerTime = 15 * time.Second

// saleAnswer is the body of an answer about one sale. The status is "created",
// "existing" or "queued", and of one that is shown also "refused" or "cancelled".
type saleAnswer struct {
	Status        string `json:"status"`
	RequestID     string `json:"request_id"`
	PropertyID    string `json:"property_id,omitempty"`
	TransactionID string `json:"transaction_id,omitempty"`
	WorkflowID    string `json:"workflow_id"`
	Message       string `json:"message,omitempty"`
	// Team and MissingMilestones are nil, and left out, before a property exists.
	Team              *[]saleMember `json:"team,omitempty"`
	MissingMilestones *[]string     `json:"missing_milestones,omitempty"`
	// Errors are the fields that OpenMoove refuses.
	Errors []FieldError `json:"errors,omitempty"`
}

// saleMember is a professional on a sale.
type saleMember struct {
	Role   string `json:"role"`
	Email  string `json:"email"`
	Reason string `json:"reason"`
}

// fill adds what is known of the property.
func (s *saleAnswer) fill(r sales.CreateResult) {
	s.PropertyID, s.TransactionID = r.PropertyID, r.TransactionID
	if r.PropertyID == "" {
		return
	}
	team := make([]saleMember, 0, len(r.Team))
	for _, m := range r.Team {
		team = append(team, saleMember{Role: string(m.Role), Email: m.Email, Reason: m.Reason})
	}
	missing := append([]string{}, r.MissingMilestones...)
	s.Team, s.MissingMilestones = &team, &missing
}

// createSale takes one sale, starts its workflow and waits a while for the outcome.
func (a *API) createSale(c echo.Context) apiReply {
	sale, refused, ok := a.readSale(c)
	if !ok {
		return refused
	}
	id := a.cfg.Hashes.SaleRequest(sale.Address, sale.Postcode, sale.Email)
	wait, applied := preferredWait(c.Request().Header, a.cfg.Limits.Wait)
	if applied != "" {
		c.Response().Header().Set("Preference-Applied", applied)
	}
	allowTime(c, 0, wait+a.cfg.Limits.Start+answerTime)
	// Who hangs up stops waiting, but what is begun is begun.
	run, seen, err := a.startSale(context.WithoutCancel(c.Request().Context()), id, sale)
	if err != nil {
		a.cfg.Log.Warn("a sale was not confirmed", zap.String("workflow", sales.CreateID(id)), zap.Error(err))
		return away("not_confirmed", "The sale could not be recorded now. Send it again later: it will not be created twice.")
	}
	return a.awaitSale(c.Request().Context(), id, run, seen, wait)
}

// readSale reads and checks the body in a slot of its own.
func (a *API) readSale(c echo.Context) (sales.NewSale, apiReply, bool) {
	leave, ok := enter(a.sales)
	if !ok {
		return sales.NewSale{}, tooMany("too_many_in_flight", "Too many sales at once. Send this one again later."), false
	}
	defer leave()
	_, body, unread := readBody(c, a.cfg.Limits.SaleBytes, mediaJSON)
	if unread != nil {
		return sales.NewSale{}, unread.reply(), false
	}
	sale, problems := intake.Sale(body)
	if len(problems) == 0 {
		return sale, apiReply{}, true
	}
	fields := make([]FieldError, 0, len(problems))
	for _, p := range problems {
		fields = append(fields, FieldError{Path: p.Path, Message: p.Message})
	}
	refused := unprocessable(firstFields(fields))
	if !isJSON(body) {
		refused.status, refused.reason, refused.detail = http.StatusBadRequest, "not_json", fields[0].Message
	}
	return sale, refused, false
}

// seen tells whether a sale was submitted before.
type seen int

const (
	seenNever   seen = iota
	seenRunning      // its workflow runs
	seenEnded        // its workflow had succeeded before this call
)

// startSale starts the sale's workflow, or finds the one that runs or has
// succeeded. An error means that nothing is known to have happened, or that the audit
// could not be told.
func (a *API) startSale(ctx context.Context, id string, sale sales.NewSale) (run client.WorkflowRun, before seen, err error) {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Limits.Start)
	defer cancel()
	run, err = a.cfg.Temporal.ExecuteWorkflow(ctx, a.startOptions(sales.CreateID(id), "create sale", salePriority),
		sales.CreateName, sales.CreateInput{RequestID: id, Clock: a.cfg.Clock, Sale: sale})
	var started *serviceerror.WorkflowExecutionAlreadyStarted
	if err == nil {
		return run, seenNever, tell(ctx, a.cfg.Audit, a.cfg.Log, submittedEntry("sale", id, run))
	}
	if !errors.As(err, &started) {
		return nil, seenNever, err
	}
	found, err := a.cfg.Temporal.DescribeWorkflow(ctx, sales.CreateID(id), started.RunId)
	if err != nil {
		return nil, seenNever, err
	}
	before = seenEnded
	if found.Status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		before = seenRunning
	}
	run = a.cfg.Temporal.GetWorkflow(context.WithoutCancel(ctx), sales.CreateID(id), started.RunId)
	return run, before, tell(ctx, a.cfg.Audit, a.cfg.Log, submittedEntry("sale", id, run))
}

// startOptions let a workflow run once: it starts anew only where the last run has
// failed.
func (a *API) startOptions(workflowID, summary string, priority int) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID: workflowID, TaskQueue: a.cfg.TaskQueue,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            summary,
		Priority:                                 temporal.Priority{PriorityKey: priority},
	}
}

// What an answer says of a sale that was there before.
const (
	saidUnchanged = "This sale was submitted before; this submission changed nothing."
	saidQueued    = "The sale is recorded and will be created without further ado. Ask at Location what became of it."
)

// awaitSale waits for the outcome and answers it, or that the sale is queued.
func (a *API) awaitSale(ctx context.Context, id string, run client.WorkflowRun, before seen, wait time.Duration) apiReply {
	answer := saleAnswer{RequestID: id, WorkflowID: sales.CreateID(id)}
	r := apiReply{workflowID: answer.WorkflowID, location: "/v1/sales/" + id}
	var result sales.CreateResult
	err := a.outcome(ctx, run, before == seenEnded, wait, &result)
	if before != seenNever {
		answer.Message = saidUnchanged
	}
	var failed *temporal.WorkflowExecutionError
	switch {
	case err == nil:
		r.status, r.reason = http.StatusCreated, "created"
		if before == seenEnded || result.Existing {
			r.status, r.reason = http.StatusOK, "existing"
		}
		answer.fill(result)
	case errors.As(err, &failed):
		return failedSale(r, err)
	default:
		// The start is confirmed, so that the sale is created whatever became of the
		// wait.
		r.status, r.reason = http.StatusAccepted, "queued"
		answer.Message = strings.TrimSpace(answer.Message + " " + saidQueued)
	}
	answer.Status = r.reason
	r.body = answer
	return r
}

// errNotWaited tells that a caller did not wait for the outcome.
var errNotWaited = errors.New("not waited")

// outcome reads the result of a run, within wait where it still runs. A caller for
// whom there is no place to wait does not.
func (a *API) outcome(ctx context.Context, run client.WorkflowRun, before bool, wait time.Duration, result *sales.CreateResult) error {
	if before {
		// The result is there; it only has to be read.
		wait = max(wait, a.cfg.Limits.Start)
	}
	leave, ok := enter(a.waiting)
	if !ok || wait == 0 {
		if ok {
			leave()
		}
		return errNotWaited
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return run.Get(ctx, result)
}

// saidNotTaken is what a refusal without words of its own says.
const saidNotTaken = "OpenMoove does not take this sale. Correct it and submit it again."

// Types of the errors with which the workflow tells who must act.
const (
	failedInvalid  = "invalid"
	failedConflict = "conflict"
)

// failedSale answers a creation that failed for good.
func failedSale(r apiReply, err error) apiReply {
	r.location = ""
	var app *temporal.ApplicationError
	switch {
	case errors.As(err, &app) && app.Type() == failedInvalid:
		r.status, r.reason, r.detail, r.fields = http.StatusUnprocessableEntity, "refused", refusalText(app.Message()), fieldsOf(app)
	case errors.As(err, &app) && app.Type() == failedConflict:
		r.status, r.reason, r.detail = http.StatusConflict, "conflict", refusalText(app.Message())
	default:
		r.status, r.reason = http.StatusBadGateway, "failed"
		r.detail = "The creation ended without a property; its workflow says why. Submit the sale again to begin anew."
	}
	if r.detail == "" {
		r.detail = saidNotTaken
	}
	return r
}

// machineText is how a partner error begins that was written for logs:
// "openmoove.create_client: invalid (HTTP 400): ".
var machineText = regexp.MustCompile(`^[a-z_]+\.[a-z_]+: [a-z_]+(?: \(HTTP [0-9]+\))?(?: \[[^\]]*\])?(?:: |$)`)

// refusalText is a refusal for people, "" where nothing was said for them.
func refusalText(message string) string {
	return clip(machineText.ReplaceAllString(message, ""), maxSaid)
}

// fieldsOf reads the fields that an error names in its first detail, in either of
// the forms {path, message} and {field, messages}. Anything else is no fields.
func fieldsOf(app *temporal.ApplicationError) []FieldError {
	var sent []struct {
		Path     string   `json:"path"`
		Field    string   `json:"field"`
		Message  string   `json:"message"`
		Messages []string `json:"messages"`
	}
	if !app.HasDetails() || app.Details(&sent) != nil {
		return nil
	}
	var fields []FieldError
	for _, s := range sent {
		if s.Path == "" {
			s.Path = s.Field
		}
		if s.Message != "" {
			s.Messages = append([]string{s.Message}, s.Messages...)
		}
		for _, m := range s.Messages {
			fields = append(fields, FieldError{Path: s.Path, Message: clip(m, maxSaid)})
		}
	}
	return firstFields(fields)
}

// refusedFields are the fields for which a creation has failed. Without an answer in
// time there are none: the message says the most of it.
func (a *API) refusedFields(ctx context.Context, workflowID string) []FieldError {
	var app *temporal.ApplicationError
	if err := a.cfg.Temporal.GetWorkflow(ctx, workflowID, "").Get(ctx, nil); !errors.As(err, &app) {
		return nil
	}
	return fieldsOf(app)
}

// hashedID is the form of every id of the API.
var hashedID = regexp.MustCompile(`^[a-z2-7]{24}$`)

// showSale says how far the creation of a sale is.
func (a *API) showSale(c echo.Context) apiReply {
	id := c.Param("request_id")
	unknown := notFound("There is no sale with this id. Submit it with POST /v1/sales.")
	if !hashedID.MatchString(id) {
		return unknown
	}
	answer := saleAnswer{RequestID: id, WorkflowID: sales.CreateID(id)}
	ctx, cancel := context.WithTimeout(c.Request().Context(), a.cfg.Limits.Describe)
	defer cancel()
	d, err := sales.DescribeCreate.Ask(ctx, a.cfg.Temporal, answer.WorkflowID, "")
	switch {
	case err != nil && workflowGone(err):
		return unknown
	case err != nil:
		return away("no_answer", "The workflow of this sale does not answer now. Ask again later: what was accepted goes on by itself.")
	}
	answer.fill(d.CreateResult)
	answer.Status, answer.Message = string(d.State), refusalText(d.Problem)
	switch d.State {
	case sales.CreateQueued:
		if why := a.whyWaiting(ctx, answer.WorkflowID); why != "" {
			answer.Message = why
		}
	case sales.CreateRefused:
		answer.Errors = a.refusedFields(ctx, answer.WorkflowID)
		if answer.Message == "" {
			answer.Message = saidNotTaken
		}
	case sales.CreateDone, sales.CreateExisting, sales.CreateCancelled:
	}
	return apiReply{status: http.StatusOK, reason: "shown", workflowID: answer.WorkflowID, body: answer}
}
