package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// SetOptedOut records STOP or START; the one with the latest at counts.
func (d *database) SetOptedOut(ctx context.Context, address string, optedOut bool, at time.Time) error {
	flag := 0
	if optedOut {
		flag = 1
	}
	_, err := d.change(ctx, `
		INSERT INTO addresses (address, opted_out, changed_at) VALUES ($1, $2, $3)
		ON CONFLICT (address) DO UPDATE SET opted_out = excluded.opted_out, changed_at = excluded.changed_at
		WHERE addresses.changed_at <= excluded.changed_at`, address, flag, micros(at))
	if err != nil {
		return fmt.Errorf("store: set opted out: %w", err)
	}
	return nil
}

// OptedOut tells whether the address asked not to be written to.
func (d *database) OptedOut(ctx context.Context, address string) (bool, error) {
	var flag int
	err := d.read.QueryRowContext(ctx, `SELECT opted_out FROM addresses WHERE address = $1`, address).Scan(&flag)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("store: opted out: %w", err)
	}
	return flag == 1, nil
}

const messageColumns = `effect_key, ref, channel, address, workflow_id, step, class, sent_at, status, error_code, campaign, contact, person, question_id, delivered_at`

// RecordMessage remembers an outbound message.
func (d *database) RecordMessage(ctx context.Context, m Message) error {
	// No conflict target: the same carrier's id under another key is ignored too.
	_, err := d.change(ctx, `
		INSERT INTO messages (`+messageColumns+`) VALUES `+places(1, 15)+`
		ON CONFLICT DO NOTHING`,
		m.Key, m.Ref, m.Channel, m.Address, m.WorkflowID, m.Step, m.Class, micros(m.SentAt), string(m.Status), m.ErrorCode,
		m.Campaign, m.Contact, m.Person, m.Question, micros(m.DeliveredAt))
	if err != nil {
		return fmt.Errorf("store: record message: %w", err)
	}
	return nil
}

// MessageByRef returns a message by the carrier's id, or ErrNotFound.
func (d *database) MessageByRef(ctx context.Context, ref string) (Message, error) {
	return messageByRef(ctx, d.read, ref)
}

func messageByRef(ctx context.Context, db *sql.DB, ref string) (Message, error) {
	var m Message
	var sent, delivered int64
	var status string
	err := db.QueryRowContext(ctx, `SELECT `+messageColumns+` FROM messages WHERE ref = $1 AND ref <> ''`, ref).
		Scan(&m.Key, &m.Ref, &m.Channel, &m.Address, &m.WorkflowID, &m.Step, &m.Class, &sent, &status, &m.ErrorCode,
			&m.Campaign, &m.Contact, &m.Person, &m.Question, &delivered)
	m.SentAt, m.DeliveredAt, m.Status = fromMicros(sent), fromMicros(delivered), MessageStatus(status)
	return m, orNotFound(err)
}

// AdvanceMessage moves a message's status forward, never backwards.
func (d *database) AdvanceMessage(ctx context.Context, ref string, status MessageStatus, errorCode string) (Message, bool, error) {
	// Each failed swap means that another callback moved the status forward, so
	// there are at most as many as there are statuses.
	const tries = 10
	for range tries {
		m, err := messageByRef(ctx, d.read, ref)
		if err != nil || !status.follows(m.Status) {
			return m, false, err
		}
		if m.DeliveredAt.IsZero() && (status == StatusDelivered || status == StatusRead) {
			m.DeliveredAt = fromMicros(micros(time.Now()))
		}
		moved, err := d.change(ctx, `
			UPDATE messages SET status = $1, error_code = $2, delivered_at = $5 WHERE ref = $3 AND status = $4`,
			string(status), errorCode, ref, string(m.Status), micros(m.DeliveredAt))
		if err != nil {
			return Message{}, false, fmt.Errorf("store: advance message: %w", err)
		}
		if moved == 1 {
			m.Status, m.ErrorCode = status, errorCode
			return m, true, nil
		}
	}
	return Message{}, false, errors.New("store: advance message: the status changes all the time")
}

// CountMessages counts an address's messages of a class since a real time.
func (d *database) CountMessages(ctx context.Context, address, class string, since time.Time) (int, error) {
	var n int
	err := d.read.QueryRowContext(ctx, `
		SELECT count(*) FROM messages WHERE address = $1 AND class = $2 AND sent_at >= $3`,
		address, class, micros(since)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("store: count messages: %w", err)
	}
	return n, nil
}
