package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// BeginEffect records that a try begins.
func (d *database) BeginEffect(ctx context.Context, key, note string) (Effect, bool, error) {
	// The record found missing after a refused insert was forgotten in between:
	// then the insert is tried again.
	const tries = 10
	for range tries {
		inserted, err := d.change(ctx, `
			INSERT INTO effects (effect_key, begun_at, tried_at, note)
			SELECT $1, t.now, t.now, $2 FROM (SELECT `+d.clock+` AS now) AS t WHERE true
			ON CONFLICT (effect_key) DO NOTHING`, key, note)
		if err != nil {
			return Effect{}, false, fmt.Errorf("store: begin effect: %w", err)
		}
		e, err := d.effect(ctx, key)
		if !errors.Is(err, sql.ErrNoRows) {
			return e, inserted == 1, err
		}
	}
	return Effect{}, false, errors.New("store: begin effect: others begin and forget it all the time")
}

func (d *database) effect(ctx context.Context, key string) (Effect, error) {
	var begun, tried, finished, now int64
	e := Effect{Key: key}
	err := d.read.QueryRowContext(ctx, `
		SELECT begun_at, tried_at, finished_at, ref, note, `+d.clock+` FROM effects WHERE effect_key = $1`, key).
		Scan(&begun, &tried, &finished, &e.Ref, &e.Note, &now)
	if err != nil {
		return Effect{}, fmt.Errorf("store: read effect: %w", err)
	}
	e.BegunAt, e.TriedAt, e.Done = fromMicros(begun), fromMicros(tried), finished != 0
	e.Quiet = time.Duration(max(now-tried, 0)) * time.Microsecond
	return e, nil
}

// Effect returns the record of an effect, or ErrNotFound where no try has begun.
func (d *database) Effect(ctx context.Context, key string) (Effect, error) {
	e, err := d.effect(ctx, key)
	if errors.Is(err, sql.ErrNoRows) {
		return Effect{}, ErrNotFound
	}
	return e, err
}

// TryEffect records that a repeat begins now, and returns the record as it is
// then to one caller.
func (d *database) TryEffect(ctx context.Context, e Effect, note string) (Effect, bool, error) {
	n, err := d.change(ctx, `
		UPDATE effects SET tried_at = `+d.clock+`, note = $1 WHERE effect_key = $2 AND tried_at = $3 AND finished_at = 0`,
		note, e.Key, micros(e.TriedAt))
	if err != nil {
		return Effect{}, false, fmt.Errorf("store: try effect: %w", err)
	}
	if n != 1 {
		return Effect{}, false, nil
	}
	now, err := d.effect(ctx, e.Key)
	return now, err == nil, err
}

// FinishEffect records success. The first success is kept.
func (d *database) FinishEffect(ctx context.Context, key, ref string) error {
	// A success counts even where another try has forgotten the record meanwhile.
	_, err := d.change(ctx, `
		INSERT INTO effects (effect_key, begun_at, tried_at, finished_at, ref) VALUES ($1, $2, $2, $2, $3)
		ON CONFLICT (effect_key) DO UPDATE SET finished_at = excluded.finished_at, ref = excluded.ref
		WHERE effects.finished_at = 0`, key, micros(time.Now()), ref)
	if err != nil {
		return fmt.Errorf("store: finish effect: %w", err)
	}
	return nil
}

// ForgetEffect removes the record, unless a try has succeeded or a later one has
// begun.
func (d *database) ForgetEffect(ctx context.Context, e Effect) error {
	_, err := d.change(ctx, `DELETE FROM effects WHERE effect_key = $1 AND tried_at = $2 AND finished_at = 0`, e.Key, micros(e.TriedAt))
	if err != nil {
		return fmt.Errorf("store: forget effect: %w", err)
	}
	return nil
}
