package store

import (
	"context"
	"fmt"
	"time"
)

// Pruner is what the stores of Open can do besides: forget what is old.
type Pruner interface {
	// Prune deletes the messages sent and the questions asked before a real time
	// and tells how many rows went. Choose a time further back than the longest
	// workflow that may still ask about them.
	Prune(ctx context.Context, before time.Time) (rows int64, err error)
}

var _ Pruner = (*database)(nil)

// Prune deletes the messages sent and the questions asked before a real time,
// and tells how many rows went. Questions that may still be answered stay; so
// do effects, which hold no personal data and must be known for ever, and
// consent. It deletes a thousand rows at a time, so that others can write
// between.
func (d *database) Prune(ctx context.Context, before time.Time) (int64, error) {
	const batch = 1000
	total := int64(0)
	for _, query := range []string{
		`DELETE FROM messages WHERE effect_key IN (SELECT effect_key FROM messages WHERE sent_at < $1 LIMIT $2)`,
		`DELETE FROM questions WHERE id IN (SELECT id FROM questions
			WHERE asked_at < $1 AND (closed_at > 0 OR (expires_at > 0 AND expires_at < $1)) LIMIT $2)`,
	} {
		for {
			n, err := d.change(ctx, query, micros(before), batch)
			total += n
			if err != nil {
				return total, fmt.Errorf("store: prune: %w", err)
			}
			if n < batch {
				break
			}
		}
	}
	return total, nil
}
