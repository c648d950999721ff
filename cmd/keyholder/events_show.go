package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/aictive/keyholder/ingress"
	"github.com/aictive/keyholder/workflows/durable"
	partnersync "github.com/aictive/keyholder/workflows/sync"
)

// shownEvent is one event as it is shown.
type shownEvent struct {
	eventRow
	// Parked is what its workflow says, nil where it is about no parked event or no worker
	// answers.
	Parked *partnersync.ParkedDescription `json:"parked,omitempty"`
	Event  *durable.Event                 `json:"event,omitempty"`
	// Advice is what can be done.
	Advice string `json:"advice"`
	// Silent is why its workflow did not say more.
	Silent string `json:"silent,omitempty"`
}

// show reads one event, with its data where they are wanted.
func (e *events) show(ctx context.Context, id string, withData bool) (shownEvent, error) {
	row, described, err := e.one(ctx, id)
	if err != nil {
		return shownEvent{}, fmt.Errorf("%s: %w", id, err)
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	shown := shownEvent{eventRow: row}
	switch {
	case row.State == stateFailed:
		_, err = e.failed(ctx, &shown.eventRow)
	case row.parked() && row.State != stateParked:
		_, err = e.decided(ctx, &shown.eventRow)
	case row.State == "running":
		shown.stuckBy(described)
	}
	if err != nil {
		return shown, err
	}
	shown.Advice = advice(shown.eventRow)
	if !row.parked() {
		return shown, nil
	}
	d, err := partnersync.DescribeParked.Ask(ctx, e.client, row.ID, row.RunID)
	if err != nil {
		shown.Silent = "its workflow does not answer; is a worker running? " + err.Error()
		return shown, nil
	}
	shown.Parked = &d
	if !withData {
		return shown, nil
	}
	event, err := partnersync.ShowParked.Ask(ctx, e.client, row.ID, row.RunID)
	if err != nil {
		return shown, fmt.Errorf("the event's data cannot be read: %w", err)
	}
	shown.Event = &event
	return shown, nil
}

// advice is what can be done about an event.
func advice(r eventRow) string {
	switch {
	case r.State == stateParked && r.Source == ingress.SourceMail:
		return "No workflow takes a mail, so it cannot be replayed: read it (--with-data), answer it, and discard it."
	case r.State == stateParked && !routed(r):
		return "No workflow of this build takes " + r.Type + ": replay it when one does, or discard it."
	case r.State == stateParked && r.Reason == ingress.ParkedEntityClosed:
		return "Its entity had ended, and the event is none that opens it again. Replay it where the entity is open again, else discard it."
	case r.State == stateParked:
		return "Replay it, or discard it."
	case r.State == stateFailed && r.parked():
		return "Its holder ended without a decision. Replay holds the event again; then replay or discard that."
	case r.State == stateFailed:
		return "Mend what the reason says, then replay it: it runs again, and does nothing twice."
	case r.State == stateStuck && r.trying:
		return "Mend what the reason says: its activity is tried again by itself. docs/how-to/reset-a-stuck-workflow.md says what else there is."
	case r.State == stateStuck:
		return "docs/how-to/reset-a-stuck-workflow.md says what to do."
	}
	return "There is nothing to do."
}

func (s shownEvent) print(to io.Writer) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(table, "%s\t%s\n", name, oneLine(value))
		}
	}
	line("id", s.ID)
	line("run", s.RunID)
	line("state", s.State)
	line("source", s.Source)
	line("type", s.Type)
	line("reason", s.Reason)
	line("at", s.At.UTC().Format(time.RFC3339))
	if s.Parked != nil {
		line("entity", s.Parked.EntityID)
		line("key", s.Parked.Key)
		if s.Parked.Repeats > 0 {
			line("repeats", fmt.Sprint(s.Parked.Repeats))
		}
		if s.Parked.Unusable > 0 {
			line("unreadable", fmt.Sprint(s.Parked.Unusable))
		}
	}
	line("sent to", s.SentTo)
	line("by", s.By)
	line("why", s.Why)
	if err := table.Flush(); err != nil {
		return err
	}
	if s.Event != nil {
		text, err := json.MarshalIndent(s.Event, "", "  ")
		if err != nil {
			return err
		}
		fmt.Fprintf(to, "%s\n", text)
	}
	if s.Silent != "" {
		fmt.Fprintln(to, s.Silent)
	}
	_, err := fmt.Fprintln(to, s.Advice)
	return err
}
