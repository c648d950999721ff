package ingress

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"go.temporal.io/api/serviceerror"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/ingress/intake"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/sales"
)

// acceptedImport is the body of a 202 to an import.
type acceptedImport struct {
	ImportID   string `json:"import_id"`
	Status     string `json:"status"` // accepted
	Rows       int    `json:"rows"`
	Valid      int    `json:"valid"`
	Invalid    int    `json:"invalid"`
	Duplicate  int    `json:"duplicate"`
	WorkflowID string `json:"workflow_id"`
	StatusURL  string `json:"status_url"`
	ResultsURL string `json:"results_url"`
	// Problems are the first of the rows that are left out, in their order.
	Problems []FieldError `json:"problems"`
}

// importTime is what checking, keeping and starting an import may take.
const importTime = time.Minute

func importPath(id string) string { return "/v1/sales/import/" + id }

// importID is the keyed hash of a file and which run of it this is, from 1: the
// same bytes are the same import until it is run again.
func importID(keys store.Keys, body []byte, run int) string {
	sum := sha256.Sum256(body)
	text := "import " + hex.EncodeToString(sum[:])
	if run > 1 {
		text += " " + strconv.Itoa(run)
	}
	return keys.Address(text)
}

// maxRuns bounds how often a file may be run.
const maxRuns = 100

// findRun is the import that a file means: its newest run, or with again a new one
// where that has finished. The error is store.ErrNotFound where the run of this id
// is not there yet.
func (a *API) findRun(ctx context.Context, body []byte, again bool) (id string, known store.Import, err error) {
	for run := 1; run <= maxRuns; run++ {
		next := importID(a.cfg.Hashes, body, run)
		found, err := a.cfg.Imports.Import(ctx, next)
		switch {
		case errors.Is(err, store.ErrNotFound) && run > 1 && !again:
			return id, known, nil
		case err != nil:
			return next, store.Import{}, err
		case found.FinishedAt.IsZero():
			return next, found, nil
		}
		id, known = next, found
	}
	return id, known, nil
}

// createImport checks a whole file, keeps its rows and starts the workflow that
// creates them.
func (a *API) createImport(c echo.Context) apiReply {
	leave, ok := enter(a.imports)
	if !ok {
		return tooMany("too_many_in_flight", "Too many imports at once. Send this one again later.")
	}
	defer leave()
	again, refused, ok := wantsAgain(c)
	if !ok {
		return refused
	}
	allowTime(c, a.cfg.Limits.Upload, a.cfg.Limits.Upload+importTime)
	media, body, unread := readBody(c, a.cfg.Limits.ImportBytes, mediaCSV, mediaJSON)
	if unread != nil {
		return unread.reply()
	}
	allowTime(c, 0, importTime)
	// Who hangs up leaves a whole import behind, not half of one.
	ctx := context.WithoutCancel(c.Request().Context())
	id, known, err := a.findRun(ctx, body, again)
	switch {
	case err == nil:
		return a.knownImport(ctx, known)
	case !errors.Is(err, store.ErrNotFound):
		return a.storeAway(id, err)
	}
	return a.newImport(ctx, id, media, body)
}

// wantsAgain tells whether a finished import is to be run again.
func wantsAgain(c echo.Context) (again bool, refused apiReply, ok bool) {
	switch c.QueryParam("again") {
	case "true":
		return true, apiReply{}, true
	case "", "false":
		return false, apiReply{}, true
	}
	return false, apiReply{status: http.StatusBadRequest, reason: "query", detail: "Write again=true, or leave it out."}, false
}

func (a *API) storeAway(id string, err error) apiReply {
	if errors.Is(err, context.Canceled) {
		return away("caller_gone", "The request was given up.")
	}
	a.cfg.Log.Warn("the store does not answer for an import", zap.String("import", id), zap.Error(err))
	return away("store_away", "Imports cannot be read or kept now. Ask again later.")
}

// newImport keeps the rows of a file that has not been seen before.
func (a *API) newImport(ctx context.Context, id, media string, body []byte) apiReply {
	parsed, err := intake.File(media, body)
	if err != nil {
		return unreadableFile(err)
	}
	rows, problems, err := importRows(a.cfg.Hashes, parsed)
	if err != nil {
		a.cfg.Log.Error("a row does not encode", zap.String("import", id), zap.Error(err))
		return apiReply{status: http.StatusInternalServerError, reason: "internal", detail: "Something went wrong here. Try again later."}
	}
	answer := acceptedImport{ImportID: id, Status: "accepted", Rows: len(rows), WorkflowID: sales.ImportWorkflowID(id),
		StatusURL: importPath(id), ResultsURL: importPath(id) + "/results.csv", Problems: firstFields(problems)}
	for _, r := range rows {
		switch r.State {
		case store.RowWaiting:
			answer.Valid++
		case store.RowDuplicate:
			answer.Duplicate++
		case store.RowInvalid, store.RowCreated, store.RowExisting, store.RowRefused, store.RowCancelled:
			answer.Invalid++
		}
	}
	if answer.Valid == 0 {
		return apiReply{status: http.StatusUnprocessableEntity, reason: "no_valid_row", fields: answer.Problems,
			detail: fmt.Sprintf("None of the %d rows can be used; errors names the first problems. Nothing was stored.", answer.Rows)}
	}
	created, err := a.cfg.Imports.CreateImport(ctx, id, rows)
	if err != nil {
		return a.storeAway(id, err)
	}
	if !created {
		// Somebody else has sent the same file at the same time.
		known, err := a.cfg.Imports.Import(ctx, id)
		if err != nil {
			return a.storeAway(id, err)
		}
		return a.knownImport(ctx, known)
	}
	if err := a.startImport(ctx, id); err != nil {
		return a.notStarted(id, err)
	}
	return apiReply{status: http.StatusAccepted, reason: "accepted", workflowID: answer.WorkflowID, location: answer.StatusURL, body: answer}
}

// unreadableFile answers a file of which nothing can be used.
func unreadableFile(err error) apiReply {
	r := apiReply{status: http.StatusBadRequest, reason: "unreadable_file", detail: "The file cannot be read. Send CSV with a header line or a JSON array of sales."}
	var file *intake.FileError
	if errors.As(err, &file) {
		r.detail = file.Detail
		if file.Line > 0 {
			r.detail = fmt.Sprintf("Line %d: %s", file.Line, file.Detail)
		}
		r.fields = []FieldError{{Row: file.Line, Message: file.Detail}}
	}
	return r
}

// importRows makes the rows of the store. A row that repeats an earlier good one is
// a duplicate of it.
func importRows(keys store.Keys, parsed []intake.Row) (rows []store.ImportRow, problems []FieldError, err error) {
	first := map[string]int{}
	rows = make([]store.ImportRow, 0, len(parsed))
	for _, p := range parsed {
		row := store.ImportRow{Number: p.Number, State: store.RowWaiting}
		if len(p.Problems) > 0 {
			row.State = store.RowInvalid
			for _, wrong := range p.Problems {
				row.Problems = append(row.Problems, store.RowProblem{Field: wrong.Path, Message: wrong.Message})
			}
		} else {
			row.Key = keys.SaleRequest(p.Sale.Address, p.Sale.Postcode, p.Sale.Email)
			if earlier, repeated := first[row.Key]; repeated {
				row.State = store.RowDuplicate
				row.Problems = []store.RowProblem{{Message: fmt.Sprintf("the same sale as row %d", earlier)}}
			} else {
				first[row.Key] = p.Number
				if row.Payload, err = json.Marshal(p.Sale); err != nil {
					return nil, nil, err
				}
			}
		}
		for _, wrong := range row.Problems {
			problems = append(problems, FieldError{Row: p.Number, Path: wrong.Field, Message: wrong.Message})
		}
		rows = append(rows, row)
	}
	return rows, problems, nil
}

// startImport starts the import's workflow, unless it runs or has succeeded.
func (a *API) startImport(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Limits.Start)
	defer cancel()
	run, err := a.cfg.Temporal.ExecuteWorkflow(ctx, a.startOptions(sales.ImportWorkflowID(id), "import sales", importPriority),
		sales.ImportName, sales.ImportInput{ImportID: id})
	var started *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &started) {
		run, err = a.cfg.Temporal.GetWorkflow(ctx, sales.ImportWorkflowID(id), started.RunId), nil
	}
	if err != nil {
		return err
	}
	return tell(ctx, a.cfg.Audit, a.cfg.Log, submittedEntry("import of sales", id, run))
}

func (a *API) notStarted(id string, err error) apiReply {
	a.cfg.Log.Warn("an import was not confirmed", zap.String("workflow", sales.ImportWorkflowID(id)), zap.Error(err))
	return away("not_confirmed", "The rows are kept, but their creation could not be started now. Send the same file again: nothing is created twice.")
}

// knownImport answers the state of a file that was sent before, and starts its
// workflow where a crash had come between.
func (a *API) knownImport(ctx context.Context, known store.Import) apiReply {
	if known.FinishedAt.IsZero() {
		if err := a.startImport(ctx, known.ID); err != nil {
			return a.notStarted(known.ID, err)
		}
	}
	answer := a.describeImport(ctx, known)
	return apiReply{status: http.StatusOK, reason: "existing", workflowID: answer.WorkflowID, location: answer.StatusURL, body: answer}
}
