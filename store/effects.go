package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// BeginEffect records that a try begins.
func (d *database) BeginEffect(ctx context.Context, key string) (Effect, bool, error) {
	// The record found missing after a refused insert was forgotten in between:
	// then the insert is tried again.
	const tries = 10
	for range tries {
		now := micros(time.Now())
		inserted, err := d.change(ctx, `
			INSERT INTO effects (effect_key, begun_at, tried_at) VALUES ($1, $2, $2)
			ON CONFLICT (effect_key) DO NOTHING`, key, now)
		if err != nil {
			return Effect{}, false, fmt.Errorf("store: begin effect: %w", err)
		}
		if inserted == 1 {
			return Effect{Key: key, BegunAt: fromMicros(now), TriedAt: fromMicros(now)}, true, nil
		}
		e, err := d.effect(ctx, key)
		if !errors.Is(err, sql.ErrNoRows) {
			return e, false, err
		}
	}
	return Effect{}, false, errors.New("store: begin effect: others begin and forget it all the time")
}

func (d *database) effect(ctx context.Context, key string) (Effect, error) {
	var begun, tried, finished int64
	e := Effect{Key: key}
	err := d.read.QueryRowContext(ctx, `SELECT begun_at, tried_at, finished_at, ref FROM effects WHERE effect_key = $1`, key).
		Scan(&begun, &tried, &finished, &e.Ref)
	if err != nil {
		return Effect{}, fmt.Errorf("store: read effect: %w", err)
	}
	e.BegunAt, e.TriedAt, e.Done = fromMicros(begun), fromMicros(tried), finished != 0
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

// TryEffect records that a repeat begins now, and is true for one caller.
func (d *database) TryEffect(ctx context.Context, e Effect) (bool, error) {
	n, err := d.change(ctx, `
		UPDATE effects SET tried_at = $1 WHERE effect_key = $2 AND tried_at = $3 AND finished_at = 0`,
		micros(time.Now()), e.Key, micros(e.TriedAt))
	if err != nil {
		return false, fmt.Errorf("store: try effect: %w", err)
	}
	return n == 1, nil
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

// ForgetEffect removes the record, unless a try has succeeded.
func (d *database) ForgetEffect(ctx context.Context, key string) error {
	_, err := d.change(ctx, `DELETE FROM effects WHERE effect_key = $1 AND finished_at = 0`, key)
	if err != nil {
		return fmt.Errorf("store: forget effect: %w", err)
	}
	return nil
}
