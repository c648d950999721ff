package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"
)

// portfolioKept is how long lettings, repairs and market rents stay at least, by real time.
const portfolioKept = 3 * 365 * 24 * time.Hour

// RecordLetting notes how a campaign ended.
func (d *database) RecordLetting(ctx context.Context, l Letting) error {
	if l.Key == "" || l.Outcome == "" || l.EndedAt.IsZero() {
		return errors.New("store: record letting: want a key, an outcome and when it ended")
	}
	counts := map[string]int{}
	maps.Copy(counts, l.Sources)
	sources, err := json.Marshal(counts)
	if err != nil {
		return fmt.Errorf("store: record letting: %w", err)
	}
	_, err = d.change(ctx, `
		INSERT INTO lettings (letting_key, unit_id, property_id, portfolio_id, outcome, empty_at, listed_at, ended_at,
			leads, showings, applications, first_reply, cost, lost, source, sources)
		VALUES `+places(1, 16)+`
		ON CONFLICT (letting_key) DO UPDATE SET unit_id = excluded.unit_id, property_id = excluded.property_id,
			portfolio_id = excluded.portfolio_id, outcome = excluded.outcome, empty_at = excluded.empty_at,
			listed_at = excluded.listed_at, ended_at = excluded.ended_at, leads = excluded.leads, showings = excluded.showings,
			applications = excluded.applications, first_reply = excluded.first_reply, cost = excluded.cost, lost = excluded.lost,
			source = excluded.source, sources = excluded.sources`,
		l.Key, l.UnitID, l.PropertyID, l.PortfolioID, l.Outcome, micros(l.EmptyAt), micros(l.ListedAt), micros(l.EndedAt),
		l.Leads, l.Showings, l.Applications, l.FirstReply.Microseconds(), l.Cost, l.Lost, l.Source, string(sources))
	if err != nil {
		return fmt.Errorf("store: record letting: %w", err)
	}
	return nil
}

// Lettings lists campaigns in the order of their keys.
func (d *database) Lettings(ctx context.Context, f PortfolioFilter) ([]Letting, error) {
	end, args := f.clause(portfolioColumns{id: "letting_key", ended: "ended_at"})
	return rowsOf(ctx, d, "lettings", scanLetting, `
		SELECT letting_key, unit_id, property_id, portfolio_id, outcome, empty_at, listed_at, ended_at,
			leads, showings, applications, first_reply, cost, lost, source, sources FROM lettings`+end, args...)
}

func scanLetting(row scanner) (l Letting, err error) {
	var empty, listed, ended, reply int64
	var sources string
	if err := row.Scan(&l.Key, &l.UnitID, &l.PropertyID, &l.PortfolioID, &l.Outcome, &empty, &listed, &ended,
		&l.Leads, &l.Showings, &l.Applications, &reply, &l.Cost, &l.Lost, &l.Source, &sources); err != nil {
		return l, err
	}
	l.EmptyAt, l.ListedAt, l.EndedAt = fromMicros(empty), fromMicros(listed), fromMicros(ended)
	l.FirstReply = time.Duration(reply) * time.Microsecond
	if err := json.Unmarshal([]byte(sources), &l.Sources); err != nil {
		return l, fmt.Errorf("the sources of %s cannot be read: %w", l.Key, err)
	}
	return l, nil
}
