package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrInvalidWork is returned for a record of work that makes no sense.
var ErrInvalidWork = errors.New("store: no such work")

// WorkRecord is what is known of one offer, invitation or job. All times are business
// time, zero where there is none.
type WorkRecord struct {
	// Key names it for ever, such as workflow id and step.
	Key string
	// Worker is the id of whoever was asked, never a name. It must be there.
	Worker      string
	WorkOrderID string
	Trade       string
	AskedAt     time.Time
	AnsweredAt  time.Time
	FinishedAt  time.Time
	Accepted    bool
	// Estimate and Price are in hundredths of the currency's unit, 0 for none.
	Estimate int64
	Price    int64
	// FirstTimeFixed tells whether a finished job stayed so, nil where nobody knows yet.
	FirstTimeFixed *bool
	// Rating is from 1 to 5, 0 for none.
	Rating int
}

// Card sums up the records of one worker.
type Card struct {
	// Asked counts what the worker was asked, Answered what had an answer, and
	// ResponseMinutes is the mean time until then.
	Asked           int
	Answered        int
	ResponseMinutes int
	// Jobs counts finished ones, FirstTimeFixed those not known to have come back.
	Jobs           int
	FirstTimeFixed int
	// Priced counts finished jobs with an estimate and a price; OverPercent is by how
	// much all prices together are above all estimates, below 0 where they are less.
	Priced      int
	OverPercent int
	// Rated counts ratings; RatingTenths is their mean times ten.
	Rated        int
	RatingTenths int
}

// Work is what people and vendors were asked to do, and what became of it.
type Work interface {
	// RecordWork notes what is known. A record whose Key is there already adds to it:
	// zero fields leave what is known, others replace it. ErrInvalidWork where it makes
	// no sense.
	RecordWork(ctx context.Context, w WorkRecord) error
	// Cards sums up, by worker, the records with a time at or after since (business
	// time), of at most 10,000 workers, those with the latest first.
	Cards(ctx context.Context, since time.Time) (map[string]Card, error)
}

// workKept is how long records stay at least, by real time.
const workKept = 2 * 365 * 24 * time.Hour

// maxPrice bounds what is summed up: 10 billion of the currency's unit.
const maxPrice = 1_000_000_000_000

func (w WorkRecord) check() error {
	switch {
	case w.Key == "" || w.Worker == "":
		return fmt.Errorf("%w: want a key and a worker", ErrInvalidWork)
	case w.Rating < 0 || w.Rating > 5:
		return fmt.Errorf("%w: want a rating from 1 to 5, or 0 for none", ErrInvalidWork)
	case w.Estimate < 0 || w.Price < 0 || w.Estimate > maxPrice || w.Price > maxPrice:
		return fmt.Errorf("%w: want amounts from 0 to %d", ErrInvalidWork, maxPrice)
	}
	return nil
}

// RecordWork notes what is known of an offer, invitation or job.
func (d *database) RecordWork(ctx context.Context, w WorkRecord) error {
	if err := w.check(); err != nil {
		return err
	}
	asked, answered, finished := micros(w.AskedAt), micros(w.AnsweredAt), micros(w.FinishedAt)
	accepted, fixed := 0, -1
	if w.Accepted {
		accepted = 1
	}
	if w.FirstTimeFixed != nil {
		fixed = 0
		if *w.FirstTimeFixed {
			fixed = 1
		}
	}
	_, err := d.change(ctx, `
		INSERT INTO work (work_key, worker, work_order_id, trade, asked_at, answered_at, finished_at, last_at,
			accepted, estimate, price, first_time_fixed, rating) VALUES `+places(1, 13)+`
		ON CONFLICT (work_key) DO UPDATE SET
			worker           = excluded.worker,
			work_order_id    = CASE WHEN excluded.work_order_id = ''   THEN work.work_order_id    ELSE excluded.work_order_id    END,
			trade            = CASE WHEN excluded.trade = ''           THEN work.trade            ELSE excluded.trade            END,
			asked_at         = CASE WHEN excluded.asked_at = 0         THEN work.asked_at         ELSE excluded.asked_at         END,
			answered_at      = CASE WHEN excluded.answered_at = 0      THEN work.answered_at      ELSE excluded.answered_at      END,
			finished_at      = CASE WHEN excluded.finished_at = 0      THEN work.finished_at      ELSE excluded.finished_at      END,
			last_at          = CASE WHEN excluded.last_at < work.last_at THEN work.last_at        ELSE excluded.last_at          END,
			accepted         = CASE WHEN excluded.accepted = 0         THEN work.accepted         ELSE excluded.accepted         END,
			estimate         = CASE WHEN excluded.estimate = 0         THEN work.estimate         ELSE excluded.estimate         END,
			price            = CASE WHEN excluded.price = 0            THEN work.price            ELSE excluded.price            END,
			first_time_fixed = CASE WHEN excluded.first_time_fixed < 0 THEN work.first_time_fixed ELSE excluded.first_time_fixed END,
			rating           = CASE WHEN excluded.rating = 0           THEN work.rating           ELSE excluded.rating           END`,
		w.Key, w.Worker, w.WorkOrderID, w.Trade, asked, answered, finished, max(asked, answered, finished),
		accepted, w.Estimate, w.Price, fixed, w.Rating)
	if err != nil {
		return fmt.Errorf("store: record work: %w", err)
	}
	return nil
}

// Cards sums up the records since a business time by worker.
func (d *database) Cards(ctx context.Context, since time.Time) (map[string]Card, error) {
	const workers = 10_000
	rows, err := d.read.QueryContext(ctx, `
		SELECT worker,
			sum(CASE WHEN asked_at > 0 THEN 1 ELSE 0 END),
			sum(CASE WHEN asked_at > 0 AND answered_at > 0 THEN 1 ELSE 0 END),
			CAST(sum(CASE WHEN asked_at > 0 AND answered_at > asked_at THEN (answered_at - asked_at) / 1000000 ELSE 0 END) AS BIGINT),
			sum(CASE WHEN finished_at > 0 THEN 1 ELSE 0 END),
			sum(CASE WHEN finished_at > 0 AND first_time_fixed <> 0 THEN 1 ELSE 0 END),
			sum(CASE WHEN finished_at > 0 AND estimate > 0 AND price > 0 THEN 1 ELSE 0 END),
			CAST(sum(CASE WHEN finished_at > 0 AND estimate > 0 AND price > 0 THEN estimate ELSE 0 END) AS BIGINT),
			CAST(sum(CASE WHEN finished_at > 0 AND estimate > 0 AND price > 0 THEN price ELSE 0 END) AS BIGINT),
			sum(CASE WHEN rating > 0 THEN 1 ELSE 0 END),
			CAST(sum(rating) AS BIGINT)
		FROM work WHERE last_at >= $1 GROUP BY worker ORDER BY max(last_at) DESC, worker LIMIT $2`, micros(since), workers)
	if err != nil {
		return nil, fmt.Errorf("store: cards: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	cards := map[string]Card{}
	for rows.Next() {
		var worker string
		var c Card
		var seconds, estimates, prices, ratings int64
		err := rows.Scan(&worker, &c.Asked, &c.Answered, &seconds, &c.Jobs, &c.FirstTimeFixed,
			&c.Priced, &estimates, &prices, &c.Rated, &ratings)
		if err != nil {
			return nil, fmt.Errorf("store: cards: %w", err)
		}
		c.ResponseMinutes = int(mean(seconds, 60*int64(c.Answered)))
		if estimates > 0 {
			c.OverPercent = int(mean(100*(prices-estimates), estimates))
		}
		c.RatingTenths = int(mean(10*ratings, int64(c.Rated)))
		cards[worker] = c
	}
	return cards, orNotFound(rows.Err())
}

// mean is sum / n to the nearest whole number, 0 where there is nothing.
func mean(sum, n int64) int64 {
	switch {
	case n <= 0:
		return 0
	case sum < 0:
		return -((-sum + n/2) / n)
	}
	return (sum + n/2) / n
}
