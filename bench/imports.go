package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aictive/keyholder/ingress/intake/intaketest"
	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/sales"
)

const (
	// The contract's 100 a minute, ten times as fast and in windows of 12 seconds, so
	// that a short file already meets the limit.
	importLimits = "200/12s,1000000/1h"
	importEach   = 12 * time.Second / 200
	importSeed   = 11
)

// imports measures a bulk import beside the least time that the partner's limit
// allows for as many calls, one a row, and counts what a row costs.
func imports(ctx context.Context, s settings, dir string) (err error) {
	stack, err := e2e.Start(ctx, e2e.Options{Binary: s.binary, Data: dir, Args: []string{"--ephemeral"},
		Env: []string{"KEYHOLDER_OPENMOOVE_LIMITS=" + importLimits}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Stop()) }()
	bad, duplicates := s.importRows/50, s.importRows*3/100
	began := time.Now()
	submitted, err := stack.Import(ctx, intaketest.CSV(s.importRows, bad, duplicates, importSeed))
	if err != nil {
		return err
	}
	state, err := stack.UntilImported(ctx, submitted.ID, func(i e2e.ImportState) bool { return i.Status == "finished" }, 10*time.Minute)
	if err != nil {
		return err
	}
	took := time.Since(began)
	rows := state.Counts["created"]
	if want := s.importRows - bad - duplicates; rows != want {
		return fmt.Errorf("the import created %d rows, not %d", rows, want)
	}
	least := time.Duration(rows) * importEach
	statuses, err := stack.Statuses(ctx, "openmoove")
	if err != nil {
		return err
	}
	fmt.Printf("\nimport of %d rows (%d created) at %s: %s, %.2f of the least that the limit allows; %d answers of 429\n",
		s.importRows, rows, importLimits, took.Round(100*time.Millisecond), float64(took)/float64(least), statuses["429"])
	return importCost(ctx, stack, submitted.ID, rows, took)
}

// importCost counts the import's actions, and those of the first sales that it
// made.
func importCost(ctx context.Context, stack *e2e.Stack, id string, rows int, took time.Duration) error {
	whole, err := stack.Cost(ctx, sales.ImportWorkflowID(id))
	if err != nil {
		return err
	}
	properties, err := stack.Properties(ctx)
	if err != nil {
		return err
	}
	sample := properties[:min(len(properties), 20)]
	each := 0
	breakdown := ""
	for _, p := range sample {
		c, err := stack.Cost(ctx, sales.SaleID(p.ID.String()))
		if err != nil {
			return err
		}
		each += c.Actions
		breakdown = c.Breakdown()
	}
	// A heartbeat is billed where it reaches the server: every 8 seconds here.
	beats := int(took / (8 * time.Second))
	fmt.Printf("  actions a row until created: %.2f (the import %d, about %d heartbeats; each sale %.1f: %s)\n",
		float64(whole.Actions+beats)/float64(rows)+float64(each)/float64(len(sample)), whole.Actions, beats,
		float64(each)/float64(len(sample)), breakdown)
	return nil
}
