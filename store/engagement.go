package store

import (
	"context"
	"fmt"
	"time"
)

// Touch is one message and what became of it. Times are real time, zero where it did
// not happen or nobody knows.
type Touch struct {
	Step     string `json:"step"`
	Person   string `json:"person,omitempty"`
	Campaign string `json:"campaign,omitempty"`
	Channel  string `json:"channel"`
	// Status is the carrier's; mail has no report of its delivery.
	Status      MessageStatus `json:"status,omitempty"`
	SentAt      time.Time     `json:"sent_at"`
	DeliveredAt time.Time     `json:"delivered_at,omitzero"`
	// OpenedAt is when the link of its question was first opened. It is a hint:
	// scanners of mail and previews of texts open links too.
	OpenedAt   time.Time `json:"opened_at,omitzero"`
	AnsweredAt time.Time `json:"answered_at,omitzero"`
	// Answer is the choice, "" while there is none.
	Answer string `json:"answer,omitempty"`
}

// Total sums up the messages of a campaign.
type Total struct {
	Campaign string `json:"campaign"`
	// Sent counts messages that a carrier has taken, and Recorded those that
	// KEYHOLDER_OUTBOUND kept.
	Sent     int `json:"sent"`
	Recorded int `json:"recorded"`
	// Delivered and Failed count what Twilio has told of texts.
	Delivered int `json:"delivered"`
	Failed    int `json:"failed"`
	// Asked counts the questions of those messages, one that went by two channels
	// once; Opened and Answered count the questions of which that is known.
	Asked    int `json:"asked"`
	Opened   int `json:"opened"`
	Answered int `json:"answered"`
}

// Engagement is what became of messages.
type Engagement interface {
	// Opened notes that the link of a question was opened (real time); the first time
	// is kept. A question that is not there is none.
	Opened(ctx context.Context, questionID string, at time.Time) error
	// Engagement lists the latest 200 messages of a workflow, oldest first.
	Engagement(ctx context.Context, workflowID string) ([]Touch, error)
	// CampaignTotals sums up, by campaign, the messages sent since a real time.
	CampaignTotals(ctx context.Context, since time.Time) ([]Total, error)
}

// Bounds of what is read at once.
const (
	touchesMax   = 200
	campaignsMax = 100
)

// Opened notes that the link of a question was opened.
func (d *database) Opened(ctx context.Context, questionID string, at time.Time) error {
	_, err := d.change(ctx, `UPDATE questions SET opened_at = $2 WHERE id = $1 AND opened_at = 0`, questionID, micros(at))
	if err != nil {
		return fmt.Errorf("store: opened: %w", err)
	}
	return nil
}

// Engagement lists the messages of a workflow.
func (d *database) Engagement(ctx context.Context, workflowID string) ([]Touch, error) {
	rows, err := d.read.QueryContext(ctx, `
		SELECT step, person, campaign, channel, status, sent_at, delivered_at, opened_at, answered_at, answer FROM (
			SELECT m.effect_key, m.step, m.person, m.campaign, m.channel, m.status, m.sent_at, m.delivered_at,
				COALESCE(q.opened_at, 0) AS opened_at, COALESCE(q.answered_at, 0) AS answered_at, COALESCE(q.answer, '') AS answer
			FROM messages m LEFT JOIN questions q ON q.id = m.question_id
			WHERE m.workflow_id = $1 ORDER BY m.sent_at DESC, m.effect_key DESC LIMIT $2) AS latest
		ORDER BY sent_at, effect_key`, workflowID, touchesMax)
	if err != nil {
		return nil, fmt.Errorf("store: engagement: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []Touch
	for rows.Next() {
		var t Touch
		var status string
		var sent, delivered, opened, answered int64
		err := rows.Scan(&t.Step, &t.Person, &t.Campaign, &t.Channel, &status, &sent, &delivered, &opened, &answered, &t.Answer)
		if err != nil {
			return nil, fmt.Errorf("store: engagement: %w", err)
		}
		t.Status, t.SentAt, t.DeliveredAt = MessageStatus(status), fromMicros(sent), fromMicros(delivered)
		t.OpenedAt, t.AnsweredAt = fromMicros(opened), fromMicros(answered)
		list = append(list, t)
	}
	return list, orNotFound(rows.Err())
}

// CampaignTotals sums up the messages of campaigns.
func (d *database) CampaignTotals(ctx context.Context, since time.Time) ([]Total, error) {
	rows, err := d.read.QueryContext(ctx, `
		SELECT m.campaign,
			count(CASE WHEN m.status <> 'recorded' THEN 1 END),
			count(CASE WHEN m.status =  'recorded' THEN 1 END),
			count(CASE WHEN m.status IN ('delivered', 'read') THEN 1 END),
			count(CASE WHEN m.status IN ('undelivered', 'failed', 'canceled') THEN 1 END),
			count(DISTINCT q.id),
			count(DISTINCT CASE WHEN q.opened_at > 0 THEN q.id END),
			count(DISTINCT CASE WHEN q.answer <> '' THEN q.id END)
		FROM messages m LEFT JOIN questions q ON q.id = m.question_id AND m.question_id <> ''
		WHERE m.campaign <> '' AND m.sent_at >= $1
		GROUP BY m.campaign ORDER BY m.campaign LIMIT $2`, micros(since), campaignsMax)
	if err != nil {
		return nil, fmt.Errorf("store: campaign totals: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []Total
	for rows.Next() {
		var t Total
		if err := rows.Scan(&t.Campaign, &t.Sent, &t.Recorded, &t.Delivered, &t.Failed, &t.Asked, &t.Opened, &t.Answered); err != nil {
			return nil, fmt.Errorf("store: campaign totals: %w", err)
		}
		list = append(list, t)
	}
	return list, orNotFound(rows.Err())
}
