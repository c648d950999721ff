package ingress

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"go.temporal.io/sdk/temporal"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/sales"
)

// importAnswer is the body of an answer about an import that exists.
type importAnswer struct {
	ImportID string `json:"import_id"`
	// Status is "accepted" until a worker says more: "running", "paused", "waiting"
	// for the partner's limit; then "finished" or "cancelled".
	Status string       `json:"status"`
	Rows   int          `json:"rows"`
	Counts ImportCounts `json:"counts"`
	// DoneBy and ETASeconds are when it should be finished at the present pace, left
	// out where that is not known.
	DoneBy     time.Time `json:"done_by,omitzero"`
	ETASeconds *int      `json:"eta_seconds,omitempty"`
	Note       string    `json:"note,omitempty"`
	// Message says what can be done about rows that were not created.
	Message    string    `json:"message,omitempty"`
	CreatedAt  time.Time `json:"created_at"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
	WorkflowID string    `json:"workflow_id"`
	StatusURL  string    `json:"status_url"`
	ResultsURL string    `json:"results_url"`
}

// ImportCounts are the rows of an import by state.
type ImportCounts struct {
	Waiting   int `json:"waiting"`
	Created   int `json:"created"`
	Existing  int `json:"existing"`
	Invalid   int `json:"invalid"`
	Duplicate int `json:"duplicate"`
	Refused   int `json:"refused"`
	Cancelled int `json:"cancelled"`
}

// The states of an import that the store alone can tell.
const (
	importAccepted  = "accepted"
	importFinished  = "finished"
	importCancelled = "cancelled"
)

// storedImport is what the store knows of an import.
func storedImport(i store.Import) importAnswer {
	n := i.Counts
	answer := importAnswer{
		ImportID: i.ID, Status: importAccepted, CreatedAt: i.CreatedAt.UTC(),
		Counts: ImportCounts{
			Waiting: n[store.RowWaiting], Created: n[store.RowCreated], Existing: n[store.RowExisting], Invalid: n[store.RowInvalid],
			Duplicate: n[store.RowDuplicate], Refused: n[store.RowRefused], Cancelled: n[store.RowCancelled],
		},
		WorkflowID: sales.ImportWorkflowID(i.ID), StatusURL: importPath(i.ID), ResultsURL: importPath(i.ID) + "/results.csv",
	}
	for _, rows := range n {
		answer.Rows += rows
	}
	if !i.FinishedAt.IsZero() {
		answer.Status, answer.FinishedAt = importFinished, i.FinishedAt.UTC()
		if answer.Counts.Cancelled > 0 {
			answer.Status = importCancelled
		}
		answer.Message = howToRepeat(answer.Counts)
	}
	return answer
}

// howToRepeat says how the rows of an import that has ended can be tried again, ""
// where none is left that could.
func howToRepeat(n ImportCounts) string {
	if n.Cancelled+n.Refused == 0 {
		return ""
	}
	return fmt.Sprintf("%d rows were cancelled and %d refused. To try them again send the same file with ?again=true (keyholder import FILE --again): "+
		"what exists is found, not created twice. Correct a refused row first, where the fault is its own.", n.Cancelled, n.Refused)
}

// told adds what the workflow says: its state and when it will be done. Rows are
// counted by the store, which is never behind.
func (answer *importAnswer) told(d sales.ImportDescription, now time.Time) {
	answer.Status, answer.Note = string(d.State), clip(d.Note, maxSaid)
	if d.DoneBy.IsZero() {
		return
	}
	seconds := max(0, int(math.Ceil(d.DoneBy.Sub(now).Seconds())))
	answer.DoneBy, answer.ETASeconds = d.DoneBy.UTC(), &seconds
}

// describeImport joins what the store and, while rows wait, the workflow know.
func (a *API) describeImport(ctx context.Context, i store.Import) importAnswer {
	answer := storedImport(i)
	if answer.Status != importAccepted {
		return answer
	}
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Limits.Describe/2)
	defer cancel()
	d, err := sales.DescribeImport.Ask(ctx, a.cfg.Temporal, answer.WorkflowID, "")
	if err != nil {
		answer.Note = "No worker answers now; the counts are right and the import goes on by itself."
		if workflowGone(err) {
			answer.Note = "The rows are kept, but nobody works on them yet: send the same file again."
		}
		return answer
	}
	if d.State == sales.ImportFinished || d.State == sales.ImportCancelled {
		// The rows were counted before it ended.
		if ended, err := a.cfg.Imports.Import(ctx, i.ID); err == nil {
			answer = storedImport(ended)
		}
	}
	answer.told(d, time.Now())
	if d.State == sales.ImportRunning {
		if why := a.whyWaiting(ctx, answer.WorkflowID); why != "" {
			// The estimate was made while calls succeeded.
			answer.Note, answer.DoneBy, answer.ETASeconds = why, time.Time{}, nil
		}
	}
	return answer
}

// findImport reads the import of the path.
func (a *API) findImport(c echo.Context) (store.Import, apiReply, bool) {
	id := c.Param("id")
	unknown := notFound("There is no import with this id. Send a file with POST /v1/sales/import.")
	if !hashedID.MatchString(id) {
		return store.Import{}, unknown, false
	}
	i, err := a.cfg.Imports.Import(c.Request().Context(), id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return store.Import{}, unknown, false
	case err != nil:
		return store.Import{}, a.storeAway(id, err), false
	}
	return i, apiReply{}, true
}

// showImport says how far an import is.
func (a *API) showImport(c echo.Context) apiReply {
	i, refused, ok := a.findImport(c)
	if !ok {
		return refused
	}
	answer := a.describeImport(c.Request().Context(), i)
	return apiReply{status: http.StatusOK, reason: "shown", workflowID: answer.WorkflowID, body: answer}
}

func (a *API) pauseImport(c echo.Context) apiReply  { return a.commandImport(c, sales.PauseImport) }
func (a *API) resumeImport(c echo.Context) apiReply { return a.commandImport(c, sales.ResumeImport) }
func (a *API) cancelImport(c echo.Context) apiReply { return a.commandImport(c, sales.CancelImport) }

// commandImport hands an operator's command to the import's workflow.
func (a *API) commandImport(c echo.Context, command durable.Update[sales.ImportCommand, sales.ImportDescription]) apiReply {
	i, refused, ok := a.findImport(c)
	if !ok {
		return refused
	}
	_, body, unread := readBody(c, a.cfg.Limits.SaleBytes, mediaJSON)
	if unread != nil {
		return unread.reply()
	}
	in, refused, ok := importCommand(body)
	if !ok {
		return refused
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), a.cfg.Limits.Command)
	defer cancel()
	d, err := command.Send(ctx, a.cfg.Temporal, sales.ImportWorkflowID(i.ID), uuid.NewString(), in)
	if err != nil {
		return a.commandRefused(i, err)
	}
	if again, err := a.cfg.Imports.Import(ctx, i.ID); err == nil {
		i = again
	}
	answer := storedImport(i)
	if answer.Status == importAccepted {
		answer.told(d, time.Now())
	}
	return apiReply{status: http.StatusOK, reason: command.Name, workflowID: answer.WorkflowID, body: answer}
}

// maxCommandWord bounds who commands and why, in characters.
const maxCommandWord = 200

func importCommand(body []byte) (sales.ImportCommand, apiReply, bool) {
	tree, err := parseJSON(body)
	if err != nil {
		return sales.ImportCommand{}, apiReply{status: http.StatusBadRequest, reason: err.Error(),
			detail: "Send one JSON object in UTF-8, without duplicate keys."}, false
	}
	sent, _ := tree.(map[string]any)
	var fields []FieldError
	word := func(path string) string {
		text, _ := sent[path].(string)
		text = strings.TrimSpace(text)
		if n := utf8.RuneCountInString(text); n == 0 || n > maxCommandWord {
			fields = append(fields, FieldError{Path: path, Message: fmt.Sprintf("Write a text of 1 to %d characters.", maxCommandWord)})
		}
		return text
	}
	in := sales.ImportCommand{By: word("by"), Why: word("why")}
	if len(fields) > 0 {
		refused := unprocessable(fields)
		refused.detail = "Say who commands and why; errors names what is wrong. Nothing was done."
		return in, refused, false
	}
	return in, apiReply{}, true
}

// commandRefused answers a command that was not carried out.
func (a *API) commandRefused(i store.Import, err error) apiReply {
	conflict := apiReply{status: http.StatusConflict, reason: "refused", workflowID: sales.ImportWorkflowID(i.ID)}
	var refusal *temporal.ApplicationError
	if errors.As(err, &refusal) {
		h := refusalOf(refusal)
		switch h.fate {
		case fateRefused:
			conflict.detail = h.said
			return conflict
		case fateGone:
			conflict.detail = "This import has just ended."
			return conflict
		case fateTaken, fateLate, fateReceived, fateAway:
		}
	}
	if workflowGone(err) {
		conflict.detail = "This import is not running: it has ended, or was never started. Ask for its status."
		return conflict
	}
	a.cfg.Log.Warn("an import's workflow does not answer", zap.String("workflow", conflict.workflowID), zap.Error(err))
	return away("no_answer", "The import's workflow does not answer now. The command may still be carried out: ask for the status before you repeat it.")
}
