package store

import (
	"context"
	"fmt"
	"time"
)

const (
	// waitingMax and answeredMax bound the lists of a person's page.
	waitingMax  = 100
	answeredMax = 20
)

// Waiting is what the page of a person shows.
type Waiting interface {
	// WaitingQuestions lists what an address may answer at now (business time) and has
	// not, newest first, at most 100.
	WaitingQuestions(ctx context.Context, address string, now time.Time) ([]Question, error)
	// AnsweredQuestions lists what an address has answered of what it was asked, or
	// what was closed, since a real time, newest first, at most 20.
	AnsweredQuestions(ctx context.Context, address string, since time.Time) ([]Question, error)
	// WasAsked tells whether an address was ever asked anything that is remembered.
	WasAsked(ctx context.Context, address string) (bool, error)
}

// WaitingQuestions lists what an address may answer and has not.
func (d *database) WaitingQuestions(ctx context.Context, address string, now time.Time) ([]Question, error) {
	return d.questions(ctx, `
		WHERE address = $1 AND closed_at = 0 AND answer = '' AND (expires_at = 0 OR expires_at > $2)
		ORDER BY asked_at DESC, id LIMIT $3`, address, micros(now), waitingMax)
}

// AnsweredQuestions lists what an address has answered lately.
func (d *database) AnsweredQuestions(ctx context.Context, address string, since time.Time) ([]Question, error) {
	return d.questions(ctx, `
		WHERE address = $1 AND answer <> '' AND (asked_at > $2 OR closed_at > $2)
		ORDER BY asked_at DESC, id LIMIT $3`, address, micros(since), answeredMax)
}

// WasAsked tells whether an address was ever asked anything.
func (d *database) WasAsked(ctx context.Context, address string) (bool, error) {
	n := 0
	err := d.read.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM questions WHERE address = $1 LIMIT 1) AS asked`, address).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("store: was asked: %w", err)
	}
	return n > 0, nil
}
