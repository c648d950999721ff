package activities

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities/polling"
	"github.com/aictive/keyholder/store"
)

// What the store knows of a followed sale is what was last read of it, whoever read
// it: the workflow of the sale after a webhook, or the polling. Each read lets the
// polling's clock begin anew.

// watchView is what is kept of the last reads, for the portfolio report.
type watchView struct {
	Address    string      `json:"address,omitempty"`
	Postcode   string      `json:"postcode,omitempty"`
	Method     SaleMethod  `json:"method,omitempty"`
	Status     string      `json:"status,omitempty"`
	CreatedAt  time.Time   `json:"created_at,omitzero"`
	Milestones []Milestone `json:"milestones"`
}

// viewOf reads what was kept; nothing where that cannot be read.
func viewOf(w store.Watch) (v watchView, known bool) {
	if w.View == "" || json.Unmarshal([]byte(w.View), &v) != nil {
		return watchView{}, false
	}
	return v, true
}

// pollRules are the policy's, on this process's clock, for one of several pollers.
func (a *Activities) pollRules(shards int) polling.Rules {
	p := a.Policy.Sales().Polling
	rules := polling.Defaults(a.OpenMoove.Limits)
	rules.Overdue, rules.DueSoon, rules.Rest = a.pollTarget(p.Overdue), a.pollTarget(p.DueSoon), a.pollTarget(p.Rest)
	rules.SoonWithin, rules.Reserve, rules.Shards = p.SoonWithin, forPolling, shards
	return rules
}

// pollShards is how many pollers the policy wants, or as many as the limits carry.
func (a *Activities) pollShards() int {
	shards := max(a.Policy.Sales().Polling.Shards, 1)
	for shards > 1 && a.pollRules(shards).Check() != nil {
		shards--
	}
	return shards
}

// shortestTarget keeps a fast clock from asking for more than a machine can do.
const shortestTarget = time.Second

func (a *Activities) pollTarget(d time.Duration) time.Duration {
	return max(a.Clock.Real(d), shortestTarget)
}

// addWatch lets a sale be polled that has not been read yet.
func (a *Activities) addWatch(ctx context.Context, rules polling.Rules, propertyID, transactionID string) error {
	w := store.Watch{PropertyID: propertyID, TransactionID: strings.ToLower(transactionID), AddedAt: time.Now()}
	added, err := a.Store.AddWatch(ctx, rules.Schedule(w, a.Clock.Now()))
	if err != nil || added || w.TransactionID == "" {
		return err
	}
	known, err := a.Store.Watch(ctx, propertyID)
	if err != nil || known.TransactionID != "" {
		return err
	}
	known.TransactionID = w.TransactionID
	_, err = a.Store.UpdateWatch(ctx, known, known.ReadAt)
	return err
}

// wasLookedAt keeps what a workflow has read. Where that shows something new and the
// reader is not the sale's own workflow, the digests are left out: the next poll tells
// that.
func (a *Activities) wasLookedAt(ctx context.Context, in ReadSaleInput, view SaleView) error {
	for range lookTries {
		w, err := a.Store.Watch(ctx, in.PropertyID)
		if errors.Is(err, store.ErrNotFound) {
			w, err = store.Watch{PropertyID: in.PropertyID, AddedAt: view.ReadAt}, nil
		}
		if err != nil {
			return err
		}
		if w.ReadAt.After(view.ReadAt) {
			break
		}
		loaded := w.ReadAt
		w.TransactionID = cmp.Or(strings.ToLower(in.TransactionID), w.TransactionID)
		w, changed := afterRead(w, view)
		if changed && !in.Own {
			w.MilestonesDigest, w.DetailDigest = "", ""
		}
		if updated, err := a.Store.PutWatch(ctx, a.pollRules(1).Schedule(w, a.Clock.Now()), loaded); err != nil || updated {
			return err
		}
	}
	// A later read was kept. Its reader may have found nothing new where this look has
	// seen, or taken the milestones alone.
	if !in.Own {
		return nil
	}
	return a.Store.ForgetSeen(ctx, in.PropertyID)
}

// lookTries bounds how often a read is kept that others overtake.
const lookTries = 5

// afterRead is the watch after a read, before it is scheduled anew, and whether the
// read showed anything new.
func afterRead(w store.Watch, view SaleView) (after store.Watch, changed bool) {
	kept, _ := viewOf(w)
	milestones, detail := digest(milestonesByID(view.Milestones)), w.DetailDigest
	kept.Milestones = view.Milestones
	if !view.CreatedAt.IsZero() {
		kept.CreatedAt = view.CreatedAt
	}
	if !view.TeamUnread {
		detail = digest(view.Team, sorted(view.Joined), view.Status)
		kept.Address, kept.Postcode = cmp.Or(view.Address, kept.Address), cmp.Or(view.Postcode, kept.Postcode)
		kept.Status = cmp.Or(view.Status, kept.Status)
	}
	kept.Method = SaleMethod(cmp.Or(string(view.Method), string(kept.Method)))
	changed = milestones != w.MilestonesDigest || detail != w.DetailDigest
	if view.TeamGone {
		detail = "none" // it is asked for again at every Nth read
	}
	after = polling.WasRead(w, view.ReadAt, !view.TeamUnread || view.TeamGone)
	after.MilestonesDigest, after.DetailDigest, after.NextDue = milestones, detail, nextDue(view.Milestones)
	if text, err := json.Marshal(kept); err == nil { // it always is
		after.View = string(text)
	}
	return after, changed
}

// nextDue is the earliest due date of an open milestone, zero for none.
func nextDue(milestones []Milestone) (first time.Time) {
	for _, m := range milestones {
		if !m.Completed && !m.DueAt.IsZero() && (first.IsZero() || m.DueAt.Before(first)) {
			first = m.DueAt
		}
	}
	return first
}

// milestonesByID is the one order of milestones, whatever that of the reply.
func milestonesByID(list []Milestone) []Milestone {
	list = slices.Clone(list)
	for i := range list {
		list[i].DueAt, list[i].CompletedAt = list[i].DueAt.UTC(), list[i].CompletedAt.UTC()
	}
	slices.SortStableFunc(list, func(a, b Milestone) int { return strings.Compare(a.ID+" "+a.Name, b.ID+" "+b.Name) })
	return list
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

// digest is the same for the same parts, and says nothing of them.
func digest(parts ...any) string {
	text, err := json.Marshal(parts)
	if err != nil {
		return "" // it never fails: there is nothing in them that JSON has no form for
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
