package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrInvalidContact is returned for what cannot be kept of a contact.
var ErrInvalidContact = errors.New("store: no such contact")

// Consent is whether a person lets us text offers and surveys. STOP is another
// matter: it belongs to a number, and stops every text but those of life safety.
type Consent string

// The consents.
const (
	ConsentUnknown Consent = ""
	ConsentGiven   Consent = "given"
	ConsentRefused Consent = "refused"
)

// Contact is how somebody wishes to be written to; neither name nor address.
type Contact struct {
	// ID is RentVine's contact id.
	ID string `json:"id"`
	// Language is a BCP 47 tag such as "en" or "es", "" where nobody knows.
	Language   string  `json:"language,omitempty"`
	SMSConsent Consent `json:"sms_consent,omitempty"`
	// PreferredChannel is "sms", "mail" or "" for none.
	PreferredChannel string `json:"preferred_channel,omitempty"`
	// Source says in a word where this comes from, such as "rentvine" or "move_in",
	// and At when it was said (business time).
	Source string    `json:"source,omitempty"`
	At     time.Time `json:"at,omitzero"`
	// ConsentSource and ConsentAt are those with which the consent came. The store
	// sets them.
	ConsentSource string    `json:"consent_source,omitempty"`
	ConsentAt     time.Time `json:"consent_at,omitzero"`
}

// CampaignMessage is a message that counts against the caps of a person.
type CampaignMessage struct {
	// Key names the message for ever, whatever channel it takes.
	Key string
	// Person is who gets it: an id or a keyed hash, never a name or an address.
	Person   string
	Campaign string
	// At is business time.
	At time.Time
}

// CampaignLimit allows a person Most messages of campaigns Within any such time
// (business time); Most 0 is no limit.
type CampaignLimit struct {
	Most   int
	Within time.Duration
}

// Contacts is how people wish to be written to, and how much campaigns did.
type Contacts interface {
	// SaveContact notes what is known. Empty fields leave what is known; of two values
	// the one with the later At counts, and of equal times the one saved last.
	// ErrInvalidContact where it makes no sense.
	SaveContact(ctx context.Context, c Contact) error
	// Contacts returns those of the ids, at most 200, that are known.
	Contacts(ctx context.Context, ids []string) (map[string]Contact, error)

	// ClaimCampaign counts the message. Where a limit is reached it counts nothing and
	// freeAt is when the message may be tried again (business time), which is zero
	// otherwise. A message that is counted already stays so.
	ClaimCampaign(ctx context.Context, m CampaignMessage, limits ...CampaignLimit) (freeAt time.Time, err error)
	// ReleaseCampaign takes back the claim of a message that could not be sent.
	ReleaseCampaign(ctx context.Context, key string) error
}

// Bounds of a contact's texts, in bytes, and of a look-up.
const (
	contactIDMax   = 64
	contactWordMax = 64
	contactsAtOnce = 200
)

// claimsKept is how long claims of campaigns stay at least: longer than any limit.
const claimsKept = 62 * 24 * time.Hour

func (c Contact) check() error {
	switch {
	case c.ID == "" || len(c.ID) > contactIDMax:
		return fmt.Errorf("%w: want an id of at most %d bytes", ErrInvalidContact, contactIDMax)
	case len(c.Language) > contactWordMax || len(c.Source) > contactWordMax:
		return fmt.Errorf("%w: want a language and a source of at most %d bytes", ErrInvalidContact, contactWordMax)
	case !slices.Contains([]Consent{ConsentUnknown, ConsentGiven, ConsentRefused}, c.SMSConsent):
		return fmt.Errorf("%w: want a consent that is given, refused or empty", ErrInvalidContact)
	case !slices.Contains([]string{"", "sms", "mail"}, c.PreferredChannel):
		return fmt.Errorf("%w: want a channel that is sms, mail or empty", ErrInvalidContact)
	case c.At.IsZero():
		return fmt.Errorf("%w: want the time at which it was said", ErrInvalidContact)
	}
	return nil
}

// SaveContact notes what is known of a contact.
func (d *database) SaveContact(ctx context.Context, c Contact) error {
	if err := c.check(); err != nil {
		return err
	}
	consentSource, consentAt := "", int64(0)
	if c.SMSConsent != ConsentUnknown {
		consentSource, consentAt = c.Source, micros(c.At)
	}
	_, err := d.change(ctx, `
		INSERT INTO contacts (id, language, sms_consent, consent_source, consent_at, preferred_channel, source, changed_at)
		VALUES `+places(1, 8)+`
		ON CONFLICT (id) DO UPDATE SET
			language          = CASE WHEN excluded.language <> '' AND (contacts.language = '' OR excluded.changed_at >= contacts.changed_at)
				THEN excluded.language ELSE contacts.language END,
			preferred_channel = CASE WHEN excluded.preferred_channel <> '' AND (contacts.preferred_channel = '' OR excluded.changed_at >= contacts.changed_at)
				THEN excluded.preferred_channel ELSE contacts.preferred_channel END,
			sms_consent       = CASE WHEN excluded.sms_consent <> '' AND excluded.consent_at >= contacts.consent_at
				THEN excluded.sms_consent ELSE contacts.sms_consent END,
			consent_source    = CASE WHEN excluded.sms_consent <> '' AND excluded.consent_at >= contacts.consent_at
				THEN excluded.consent_source ELSE contacts.consent_source END,
			consent_at        = CASE WHEN excluded.sms_consent <> '' AND excluded.consent_at >= contacts.consent_at
				THEN excluded.consent_at ELSE contacts.consent_at END,
			source            = CASE WHEN excluded.changed_at >= contacts.changed_at THEN excluded.source     ELSE contacts.source     END,
			changed_at        = CASE WHEN excluded.changed_at >= contacts.changed_at THEN excluded.changed_at ELSE contacts.changed_at END`,
		c.ID, c.Language, string(c.SMSConsent), consentSource, consentAt, c.PreferredChannel, c.Source, micros(c.At))
	if err != nil {
		return fmt.Errorf("store: save contact: %w", err)
	}
	return nil
}

// Contacts returns those of the ids that are known.
func (d *database) Contacts(ctx context.Context, ids []string) (map[string]Contact, error) {
	found := map[string]Contact{}
	if len(ids) == 0 {
		return found, nil
	}
	if len(ids) > contactsAtOnce {
		return nil, fmt.Errorf("store: contacts: %d at once, want at most %d", len(ids), contactsAtOnce)
	}
	args := make([]any, 0, len(ids))
	for _, id := range ids {
		args = append(args, id)
	}
	rows, err := d.read.QueryContext(ctx, `
		SELECT id, language, sms_consent, consent_source, consent_at, preferred_channel, source, changed_at
		FROM contacts WHERE id IN `+places(1, len(ids)), args...)
	if err != nil {
		return nil, fmt.Errorf("store: contacts: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	for rows.Next() {
		var c Contact
		var consent string
		var consentAt, changedAt int64
		if err := rows.Scan(&c.ID, &c.Language, &consent, &c.ConsentSource, &consentAt, &c.PreferredChannel, &c.Source, &changedAt); err != nil {
			return nil, fmt.Errorf("store: contacts: %w", err)
		}
		c.SMSConsent, c.ConsentAt, c.At = Consent(consent), fromMicros(consentAt), fromMicros(changedAt)
		found[c.ID] = c
	}
	return found, orNotFound(rows.Err())
}

// ClaimCampaign counts a message of a campaign, or tells when it may be tried again.
func (d *database) ClaimCampaign(ctx context.Context, m CampaignMessage, limits ...CampaignLimit) (time.Time, error) {
	if m.Key == "" || m.Person == "" || m.Campaign == "" || m.At.IsZero() {
		return time.Time{}, errors.New("store: claim campaign: want a key, a person, a campaign and a time")
	}
	var freeAt time.Time
	err := d.inTx(ctx, func(tx *sql.Tx) error {
		// Whoever writes to the same person waits here for the others' commit, and counts
		// what they have claimed.
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO campaign_people (person, last_at) VALUES ($1, $2)
			ON CONFLICT (person) DO UPDATE SET last_at = excluded.last_at`, m.Person, micros(m.At)); err != nil {
			return err
		}
		var counted int
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM campaign_claims WHERE message_key = $1`, m.Key).Scan(&counted)
		if err != nil || counted > 0 {
			return err
		}
		for _, limit := range limits {
			until, err := freeAgain(ctx, tx, m, limit)
			if err != nil {
				return err
			}
			if until.After(freeAt) {
				freeAt = until
			}
		}
		if !freeAt.IsZero() {
			return nil
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO campaign_claims (message_key, person, campaign, claimed_at) VALUES ($1, $2, $3, $4)`,
			m.Key, m.Person, m.Campaign, micros(m.At))
		return err
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("store: claim campaign: %w", err)
	}
	return freeAt, nil
}

// freeAgain is when a limit lets the message pass: when the oldest of the latest Most
// is no longer within it. Zero is now.
func freeAgain(ctx context.Context, tx *sql.Tx, m CampaignMessage, limit CampaignLimit) (time.Time, error) {
	if limit.Most <= 0 {
		return time.Time{}, nil
	}
	var oldest int64
	err := tx.QueryRowContext(ctx, `
		SELECT claimed_at FROM campaign_claims WHERE person = $1 AND claimed_at > $2
		ORDER BY claimed_at DESC LIMIT 1 OFFSET $3`, m.Person, micros(m.At.Add(-limit.Within)), limit.Most-1).Scan(&oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return fromMicros(oldest).Add(limit.Within), err
}

// ReleaseCampaign takes back the claim of a message.
func (d *database) ReleaseCampaign(ctx context.Context, key string) error {
	if _, err := d.change(ctx, `DELETE FROM campaign_claims WHERE message_key = $1`, key); err != nil {
		return fmt.Errorf("store: release campaign: %w", err)
	}
	return nil
}
