package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/aictive/keyholder/clients/mail"
	"github.com/aictive/keyholder/clients/partner"
)

// mailOnce sends a mail to one person once; its key is its Message-ID. Whoever cannot be
// mailed is no failure. A pause of outbound messages holds it back. what and links say to
// the audit what the mail is.
func (a *Activities) mailOnce(ctx context.Context, key string, to Person, m mail.Message, what string, links ...string) (SentOutcome, error) {
	unsent := func(outcome SentOutcome, why string) {
		notSent(ctx, key, mailTo(to.ID, what), Sent{Outcome: outcome, Why: why}, links...)
	}
	if to.Email == "" {
		unsent(MessageImpossible, whyNoAddress)
		return MessageImpossible, nil
	}
	if !a.Outbound.Allows(to.Email) {
		unsent(MessageRecorded, "KEYHOLDER_OUTBOUND is "+string(a.Outbound.Mode))
		return MessageRecorded, nil
	}
	paused, err := a.Store.Setting(ctx, "outbound_paused")
	if err != nil {
		return "", err
	}
	if paused == "1" {
		unsent(MessageHeld, errPaused.Error())
		return "", &partner.Error{Op: "mail.send", Kind: partner.Unavailable, RetryAfter: pauseLook, Cause: errPaused}
	}
	m.To = []mail.Address{{Name: oneLine(to.Name), Email: to.Email}}
	_, err = a.sendMail(ctx, key, m, mailAbout(to.ID, what, m.Subject, links...))
	if kind := partner.KindOf(err); kind != "" && !retryable(kind) {
		unsent(MessageImpossible, "refused as "+string(kind))
		return MessageImpossible, nil
	}
	if err != nil {
		return "", err
	}
	return MessageSent, nil
}

// sendMail sends a mail once and returns its Message-ID, which is made of the key. It
// needs no look-up: a repeat carries the same Message-ID, by which mail systems collapse
// it.
func (a *Activities) sendMail(ctx context.Context, key string, m mail.Message, w about) (string, error) {
	m.MessageID = a.messageID(key)
	return a.once(ctx, effect{
		key: key, find: notToBeFound, settles: mailSettles, about: w,
		act: func(ctx context.Context) (string, error) { return m.MessageID, a.Mail.Send(ctx, m) },
	})
}

// mailSettles is more than the mail client's time limit.
const mailSettles = 40 * time.Second

// notToBeFound is for mail: a repeat carries the same Message-ID.
func notToBeFound(context.Context, time.Time) (string, bool, error) { return "", false, nil }

func (a *Activities) messageID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return fmt.Sprintf("%s@%s", hex.EncodeToString(sum[:12]), a.MailDomain)
}
