package store

import (
	"context"
	"fmt"
	"time"
)

// ClaimIncident makes the work order the lead, or returns the lead that there is.
func (d *database) ClaimIncident(ctx context.Context, propertyID, category, workOrderID string, at, notBefore time.Time) (string, error) {
	// One statement, so that of any number of claims at once one wins.
	lead, err := d.changeReturning(ctx, `
		INSERT INTO incidents (property_id, category, lead, began_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (property_id, category) DO UPDATE SET
			lead     = CASE WHEN incidents.began_at < $5 THEN excluded.lead     ELSE incidents.lead     END,
			began_at = CASE WHEN incidents.began_at < $5 THEN excluded.began_at ELSE incidents.began_at END
		RETURNING lead`, propertyID, category, workOrderID, micros(at), micros(notBefore))
	if err != nil {
		return "", fmt.Errorf("store: claim incident: %w", err)
	}
	return lead, nil
}

// EndIncident ends the incident that the work order leads, if it leads one.
func (d *database) EndIncident(ctx context.Context, workOrderID string) error {
	if _, err := d.change(ctx, `DELETE FROM incidents WHERE lead = $1`, workOrderID); err != nil {
		return fmt.Errorf("store: end incident: %w", err)
	}
	return nil
}

// Assign records that a technician holds the workflow's job.
func (d *database) Assign(ctx context.Context, technicianID, workflowID string) error {
	_, err := d.change(ctx, `
		INSERT INTO jobs (workflow_id, technician_id, assigned_at) VALUES ($1, $2, $3)
		ON CONFLICT (workflow_id) DO UPDATE SET technician_id = excluded.technician_id, assigned_at = excluded.assigned_at`,
		workflowID, technicianID, micros(time.Now()))
	if err != nil {
		return fmt.Errorf("store: assign: %w", err)
	}
	return nil
}

// Release ends the workflow's job.
func (d *database) Release(ctx context.Context, workflowID string) error {
	if _, err := d.change(ctx, `DELETE FROM jobs WHERE workflow_id = $1`, workflowID); err != nil {
		return fmt.Errorf("store: release: %w", err)
	}
	return nil
}

// Load counts open jobs by technician.
func (d *database) Load(ctx context.Context) (map[string]int, error) {
	const technicians = 10_000
	return d.counts(ctx, `
		SELECT technician_id, count(*) FROM jobs GROUP BY technician_id ORDER BY count(*) DESC LIMIT $1`, technicians)
}
