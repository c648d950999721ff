package activities

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"golang.org/x/sync/errgroup"

	"github.com/aictive/keyholder/activities/ownerfigures"
	"github.com/aictive/keyholder/activities/ownerreport"
	"github.com/aictive/keyholder/clients/mail"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/workflows/durable"
)

// SendOwnerPacks mails each portfolio's owners the statement pack of a month (YYYY-MM) and
// files it at RentVine. It is safe to repeat: it goes on after the last portfolio that its
// heartbeat names, each mail has a key of its own in the effect journal, and a file of the
// same name is looked for before any repeat.
var SendOwnerPacks = durable.Activity[string, PacksSent]{
	Name: "portfolio.send_packs", Queue: QueueBulk, Attempt: 4 * time.Hour, Within: 72 * time.Hour, Heartbeat: 2 * time.Minute, Priority: 5,
}

// PacksSent tells what became of the packs of a month.
type PacksSent struct {
	Portfolios int `json:"portfolios"`
	Mails      int `json:"mails"`
	Files      int `json:"files"`
	// Problems counts the portfolios with one; Failed are the first of them.
	Problems int               `json:"problems,omitempty"`
	Failed   []FailedPortfolio `json:"failed,omitempty"`
}

// FailedPortfolio is one whose owners did not get what they should.
type FailedPortfolio struct {
	PortfolioID string `json:"portfolio_id"`
	// Why is short and names nobody, such as "no owner to write to" or "invalid".
	Why string `json:"why"`
}

const (
	// packsAtOnce is how many packs are made at the same time, of so many that are listed.
	packsAtOnce = 4
	packsListed = 40
	// maxFailed bounds those that are named, maxPacksAgain those that a try leaves for the
	// next one before it gives up: then a partner is away, and it is not they.
	maxFailed     = 50
	maxPacksAgain = 20
)

// packProgress is how far the packs of a month are, for a heartbeat.
type packProgress struct {
	PacksSent
	// After is the portfolio until which all have been seen to, Again those before it that
	// a passing failure kept from theirs.
	After string   `json:"after"`
	Again []string `json:"again,omitempty"`
}

// pack is what became of one.
type pack struct {
	mails, files int
	why          string
	again        error
}

func (a *Activities) sendOwnerPacks(ctx context.Context, month string) (PacksSent, error) {
	from, to, err := monthDays(month)
	if err != nil {
		return PacksSent{}, toTemporal(ctx, &partner.Error{Op: SendOwnerPacks.Name, Kind: partner.Invalid, Message: "a month is such as 2026-10"})
	}
	at := resumed(ctx, packProgress{})
	owners, err := a.readOwnerList(ctx)
	if err != nil {
		return PacksSent{}, toTemporal(ctx, err)
	}
	send := func(ctx context.Context, id string) pack { return a.sendPack(ctx, owners, id, from, to) }
	before := at.copy()
	at.Again = nil
	failed := at.send(ctx, before.Again, before, send)
	for len(at.Again) <= maxPacksAgain {
		ids, err := a.Store.Portfolios(ctx, at.After, packsListed)
		if err != nil {
			return PacksSent{}, err
		}
		if len(ids) == 0 {
			break
		}
		if err := at.send(ctx, ids, at.copy(), send); err != nil {
			failed = err
		}
		if ctx.Err() != nil {
			return PacksSent{}, ctx.Err()
		}
		if err := writeDown(ctx); err != nil {
			return PacksSent{}, err
		}
		at.After = ids[len(ids)-1]
		activity.RecordHeartbeat(ctx, at)
	}
	if len(at.Again) > 0 {
		return PacksSent{}, toTemporal(ctx, failed)
	}
	return at.PacksSent, nil
}

// monthDays are the first and the last day of a month (YYYY-MM).
func monthDays(month string) (from, to string, err error) {
	first, err := time.Parse("2006-01", month)
	return first.Format(time.DateOnly), first.AddDate(0, 1, -1).Format(time.DateOnly), err
}

// send makes the packs of some portfolios, several at once, and notes what became of
// them. A worker that dies meanwhile begins again where it was before. The error is why
// some are to be made again.
func (at *packProgress) send(ctx context.Context, ids []string, before packProgress, send func(context.Context, string) pack) error {
	var mu sync.Mutex
	var failed error
	var group errgroup.Group
	group.SetLimit(packsAtOnce)
	for _, id := range ids {
		group.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			p := send(ctx, id)
			activity.RecordHeartbeat(ctx, before)
			mu.Lock()
			defer mu.Unlock()
			if p.again != nil {
				at.Again, failed = append(at.Again, id), p.again
				return nil
			}
			at.Portfolios++
			at.Mails += p.mails
			at.Files += p.files
			if p.why != "" {
				at.Problems++
				at.Failed = noteFailed(at.Failed, id, p.why)
			}
			return nil
		})
	}
	_ = group.Wait()
	return failed
}

// copy shares nothing with at.
func (at *packProgress) copy() packProgress {
	c := *at
	c.Again, c.Failed = slices.Clone(at.Again), slices.Clone(at.Failed)
	return c
}

func noteFailed(list []FailedPortfolio, id, why string) []FailedPortfolio {
	if len(list) < maxFailed {
		list = append(list, FailedPortfolio{PortfolioID: id, Why: why})
	}
	return list
}

// sendPack makes one pack, files it and mails it.
func (a *Activities) sendPack(ctx context.Context, owners *ownerList, portfolioID, from, to string) (done pack) {
	r, err := ownerfigures.Gather(ctx, a.Store, ownerfigures.RulesOf(a.Policy, portfolioID), portfolioID, from, to, a.businessNow())
	if err != nil {
		return done.failed(err)
	}
	r.Portfolio, r.PageURL = owners.name(portfolioID), a.ownerPage(portfolioID)
	m, err := packMail(r)
	if err != nil {
		return done.failed(err)
	}
	file := m.Attachments[0]
	_, err = a.once(ctx, effect{
		key:   "portfolio/" + portfolioID + "/" + file.Name,
		about: writing(atRentVine, "file "+file.Name+" on portfolio "+portfolioID, portfolioLinks(portfolioID)...),
		find: func(ctx context.Context, _ time.Time) (string, bool, error) {
			found, ok, err := a.RentVine.FindFile(ctx, rentvine.ObjectPortfolio, portfolioID, file.Name)
			return found.ID, ok, err
		},
		act: func(ctx context.Context) (string, error) {
			made, err := a.RentVine.UploadFile(ctx, rentvine.ObjectPortfolio, portfolioID, file.Name, file.ContentType, file.Data)
			return made.ID, err
		},
	})
	// What RentVine does not take is mailed all the same.
	done = done.failed(err)
	if done.why == "" && done.again == nil {
		done.files++
	}
	people, err := a.ownersOnce(ctx, owners, portfolioID)
	if err != nil {
		return done.failed(err)
	}
	reached := 0
	for _, p := range people {
		outcome, err := a.mailOnce(ctx, "owner-pack/"+portfolioID+"/"+from[:len("2006-01")]+"/"+p.ID, p, m, "owner pack of "+from[:len("2006-01")], portfolioLinks(portfolioID)...)
		done = done.failed(err)
		if outcome == MessageSent {
			done.mails++
		}
		if outcome != MessageImpossible {
			reached++
		}
	}
	if reached == 0 && done.why == "" {
		done.why = "no owner to write to"
	}
	return done
}

// failed notes an error: one that may pass is tried again, others are only told.
func (p pack) failed(err error) pack {
	var e *partner.Error
	switch {
	case err == nil:
	case errors.As(err, &e) && !retryable(e.Kind):
		p.why = string(e.Kind)
	case errors.Is(err, ownerreport.ErrOtherPortfolio):
		p.why = "records of another portfolio"
	default:
		p.again = err
	}
	return p
}

// packMail is a pack as a mail; its first attachment is the document that is filed.
func packMail(r ownerreport.Report) (mail.Message, error) {
	pdf, err := r.PDF()
	if err != nil {
		return mail.Message{}, err
	}
	var table bytes.Buffer
	if err := r.CSV(&table); err != nil {
		return mail.Message{}, err
	}
	m, err := ownerMail(r)
	// The name is this portfolio's alone: a list of files may not say whose they are.
	name := "owner-pack-" + r.PortfolioID + "-" + r.From[:len("2006-01")]
	m.Attachments = []mail.Attachment{
		{Name: name + ".pdf", ContentType: "application/pdf", Data: pdf},
		{Name: name + ".csv", ContentType: "text/csv", Data: table.Bytes()},
	}
	return m, err
}

// ownerMail is a report as a mail without attachments.
func ownerMail(r ownerreport.Report) (mail.Message, error) {
	subject, text, html, err := r.Mail()
	if err != nil {
		return mail.Message{}, err
	}
	m := mail.Message{Subject: subject, Text: text, HTML: html}
	picture, _, err := r.Picture()
	if len(picture) > 0 {
		m.Inline = []mail.Attachment{{Name: ownerreport.PictureID, ContentType: "image/png", Data: picture, ContentID: ownerreport.PictureID}}
	}
	return m, err
}

// ownerPage is the link to a portfolio's page.
func (a *Activities) ownerPage(portfolioID string) string {
	life := a.Policy.Portfolio(portfolioID, "").Owners.PageLife
	return a.PublicURL + "/o/" + a.Keys.OwnerToken(portfolioID, time.Now().Add(life))
}
