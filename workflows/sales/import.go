package sales

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/durable"
)

// Import creates the rows of a file that were found good when it was submitted,
// batch after batch, at the pace of OpenMoove's limits. Which rows are done is
// kept in the store, row by row, so that a batch that dies is simply begun again.
var Import = durable.Definition[ImportInput, ImportProgress]{
	Name: ImportName, Run: importSales, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// ImportName is the durable name.
const ImportName = "sales.import"

// ImportWorkflowID is the workflow id of an import.
func ImportWorkflowID(id string) string { return "import/" + id }

type (
	// ImportInput starts the workflow. The rows are in the store under ImportID.
	ImportInput struct {
		ImportID string `json:"import_id"`
		// State is what continue-as-new carries; nil in the first run.
		State *ImportState `json:"state,omitempty"`
	}
	// ImportState is what a long import carries from run to run.
	ImportState struct {
		Paused    *ImportCommand `json:"paused,omitempty"`
		Cancelled *ImportCommand `json:"cancelled,omitempty"`
		Progress  ImportProgress `json:"progress"`
		// DoneBy is the batch's estimate (real time).
		DoneBy time.Time `json:"done_by,omitzero"`
		// WaitUntil is when the next batch may begin (real time), and Why what it waits for.
		WaitUntil time.Time `json:"wait_until,omitzero"`
		Why       string    `json:"why,omitempty"`
		Unknown   int       `json:"unknown_signals,omitempty"`
	}
	// ImportCommand says who commands and why.
	ImportCommand = durable.Command
	// ImportProgress counts rows by what became of them.
	ImportProgress = activities.ImportProgress
	// ImportDescription is what an operator sees.
	ImportDescription struct {
		State    ImportStage    `json:"state"`
		Progress ImportProgress `json:"progress"`
		// DoneBy is when it should be finished at the present pace (real time), zero
		// where that is not known.
		DoneBy time.Time `json:"done_by,omitzero"`
		Note   string    `json:"note,omitempty"`
		// Unknown counts signals that nobody expected.
		Unknown int `json:"unknown_signals,omitempty"`
	}
	// ImportStage is how far an import is.
	ImportStage string
)

// The stages.
const (
	ImportRunning   ImportStage = "running"
	ImportPaused    ImportStage = "paused"
	ImportWaiting   ImportStage = "waiting" // for the partner
	ImportFinished  ImportStage = "finished"
	ImportCancelled ImportStage = "cancelled"
)

// The operator's commands. Each is refused where it makes no sense, with a text
// that says what is possible.
var (
	PauseImport    = durable.Update[ImportCommand, ImportDescription]{Name: "pause", Description: "Stop creating until resume; say who and why"}
	ResumeImport   = durable.Update[ImportCommand, ImportDescription]{Name: "resume", Description: "Go on after pause"}
	CancelImport   = durable.Update[ImportCommand, ImportDescription]{Name: "cancel", Description: "Give up the rows that wait; what is created stays"}
	DescribeImport = durable.Query[ImportDescription]{Name: "describe", Description: "How far this import is"}
)

// importRun is one run of the workflow.
type importRun struct {
	in    ImportInput
	state *ImportState
	// stopBatch cancels the batch under way, nil where there is none.
	stopBatch workflow.CancelFunc
	alarm     durable.Alarm
	finished  bool
}

func importSales(ctx workflow.Context, in ImportInput) (ImportProgress, error) {
	// Only business time is scaled; an import keeps real time.
	w := &importRun{in: in, state: in.State}
	if w.state == nil {
		w.state = &ImportState{}
	}
	if err := w.handle(ctx); err != nil {
		return ImportProgress{}, err
	}
	for {
		w.state.Unknown += durable.DrainUnknown(ctx)
		workflow.SetCurrentDetails(ctx, w.details())
		if w.state.Cancelled != nil || w.finished {
			if err := durable.Settle(ctx, func(workflow.Context) bool { return false }); err != nil {
				return ImportProgress{}, err
			}
			return w.finish(ctx)
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			if err := durable.Settle(ctx, func(workflow.Context) bool { return false }); err != nil {
				return ImportProgress{}, err
			}
			next := ImportInput{ImportID: in.ImportID, State: w.state}
			return ImportProgress{}, workflow.NewContinueAsNewError(ctx, ImportName, next)
		}
		if err := w.goOn(ctx); err != nil && ctx.Err() != nil {
			w.state.Cancelled = &ImportCommand{By: "operator", Why: "the workflow was cancelled"}
			ctx, _ = workflow.NewDisconnectedContext(ctx)
		} else if err != nil {
			return ImportProgress{}, err
		}
	}
}

// goOn waits while the import is paused or at the partner's limit, else runs a
// batch.
func (w *importRun) goOn(ctx workflow.Context) error {
	now := durable.Now(ctx)
	if w.state.Paused != nil {
		return workflow.Await(ctx, func() bool { return w.state.Paused == nil || w.state.Cancelled != nil })
	}
	if w.state.WaitUntil.After(now) {
		w.alarm.Set(ctx, w.state.WaitUntil, w.state.Why)
		return workflow.Await(ctx, func() bool {
			return w.alarm.Rang() || w.state.Paused != nil || w.state.Cancelled != nil
		})
	}
	w.state.WaitUntil = time.Time{}
	workflow.SetCurrentDetails(ctx, w.details())
	batchCtx, stop := workflow.WithCancel(ctx)
	w.stopBatch = stop
	batch, err := activities.ImportBatch.Run(batchCtx, activities.ImportBatchInput{ImportID: w.in.ImportID}, "create the next rows")
	w.stopBatch = nil
	stopped := batchCtx.Err() != nil
	stop()
	if err != nil && stopped && ctx.Err() == nil {
		return nil // paused or cancelled by command; the rows know how far it came
	}
	if err != nil {
		return err
	}
	w.state.Progress, w.state.DoneBy = batch.Progress, batch.DoneBy
	w.state.WaitUntil, w.state.Why = time.Time{}, batch.Why
	if batch.Wait > 0 {
		w.state.WaitUntil = durable.Now(ctx).Add(batch.Wait)
	}
	w.finished = batch.Progress.Waiting == 0
	return nil
}

func (w *importRun) finish(ctx workflow.Context) (ImportProgress, error) {
	progress, err := activities.FinishImport.Run(ctx, activities.ImportBatchInput{ImportID: w.in.ImportID}, "note the end")
	if err != nil {
		return ImportProgress{}, err
	}
	w.state.Progress, w.state.DoneBy = progress, time.Time{}
	w.finished = true
	workflow.SetCurrentDetails(ctx, w.details())
	return progress, nil
}

func (w *importRun) handle(ctx workflow.Context) error {
	describe := func() (ImportDescription, error) { return w.describe(), nil }
	if err := DescribeImport.Handle(ctx, describe); err != nil {
		return err
	}
	interrupt := func() {
		if w.stopBatch != nil {
			w.stopBatch()
		}
	}
	for _, command := range []struct {
		update durable.Update[ImportCommand, ImportDescription]
		may    func() bool
		do     func(ImportCommand)
	}{
		{PauseImport, func() bool { return w.open() && w.state.Paused == nil },
			func(c ImportCommand) { w.state.Paused = &c; interrupt() }},
		{ResumeImport, func() bool { return w.open() && w.state.Paused != nil }, func(ImportCommand) { w.state.Paused = nil }},
		{CancelImport, w.open, func(c ImportCommand) { w.state.Cancelled = &c; interrupt() }},
	} {
		refuse := func(_ workflow.Context, c ImportCommand) error {
			if err := c.Validate(); err != nil {
				return err
			}
			if !command.may() {
				return temporal.NewApplicationError(fmt.Sprintf("the import is %s: it cannot %s", w.stage(), command.update.Name), "conflict")
			}
			return nil
		}
		err := command.update.Handle(ctx, refuse, func(_ workflow.Context, c ImportCommand) (ImportDescription, error) {
			command.do(c)
			return w.describe(), nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *importRun) open() bool { return w.state.Cancelled == nil && !w.finished }

func (w *importRun) stage() ImportStage {
	switch {
	case w.state.Cancelled != nil:
		return ImportCancelled
	case w.finished:
		return ImportFinished
	case w.state.Paused != nil:
		return ImportPaused
	case !w.state.WaitUntil.IsZero():
		return ImportWaiting
	}
	return ImportRunning
}

func (w *importRun) describe() ImportDescription {
	d := ImportDescription{State: w.stage(), Progress: w.state.Progress, Unknown: w.state.Unknown}
	switch d.State {
	case ImportPaused:
		d.Note = "paused by " + w.state.Paused.By + ": " + w.state.Paused.Why
	case ImportCancelled:
		d.Note = "cancelled by " + w.state.Cancelled.By + ": " + w.state.Cancelled.Why
	case ImportWaiting:
		d.DoneBy, d.Note = w.state.DoneBy, w.state.Why+"; next try at "+w.state.WaitUntil.Format(time.RFC3339)
	case ImportRunning:
		d.DoneBy = w.state.DoneBy
	case ImportFinished:
	}
	return d
}

// details is the status in the Web UI.
func (w *importRun) details() string {
	d := w.describe()
	p := d.Progress
	lines := []string{fmt.Sprintf("**%s** %s", d.State, bar(p.Rows-p.Waiting, p.Rows))}
	lines = append(lines, fmt.Sprintf("%d rows: %d created, %d existing, %d waiting, %d refused, %d invalid, %d duplicate, %d cancelled",
		p.Rows, p.Created, p.Existing, p.Waiting, p.Refused, p.Invalid, p.Duplicate, p.Cancelled))
	if !d.DoneBy.IsZero() {
		lines = append(lines, "Done by about "+d.DoneBy.Format(time.RFC3339))
	}
	if d.Note != "" {
		lines = append(lines, d.Note)
	}
	return strings.Join(lines, "\n\n")
}

// bar is a progress bar of 20 characters and the share in percent.
func bar(done, all int) string {
	if all == 0 {
		return ""
	}
	const width = 20
	full := width * done / all
	return fmt.Sprintf("`%s%s` %d %%", strings.Repeat("█", full), strings.Repeat("░", width-full), 100*done/all)
}
