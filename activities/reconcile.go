package activities

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// ReconcileRentVine compares what RentVine holds with what is known of it, and tells the
// workflow of each record that differs, by the event that the webhook would have been. Once
// a day it goes through everything, else through what may have changed lately. It changes
// nothing at RentVine. What it has told it tells again under the same key, which workflows
// take once, so repeating it is harmless. A walk that breaks off goes on with the page on
// which it was.
//
// The first walk through a kind of records learns them without telling anybody: what was
// there before is not new.
var ReconcileRentVine = durable.Activity[ReconcileInput, Reconciled]{
	Name: "rentvine.reconcile", Queue: QueueBulk, Attempt: 2 * time.Hour, Heartbeat: 2 * time.Minute, Priority: 5,
}

type (
	// ReconcileInput asks for a look.
	ReconcileInput struct {
		// Full goes through everything, also where the daily look is not due.
		Full bool `json:"full,omitempty"`
	}
	// Reconciled tells what a look has done.
	Reconciled struct {
		Full bool `json:"full"`
		// Seen counts records, Adopted those that were learned silently, and Events what was told,
		// Told by its type. Parked are those events that no workflow takes.
		Seen    int            `json:"seen"`
		Adopted int            `json:"adopted,omitempty"`
		Events  int            `json:"events,omitempty"`
		Told    map[string]int `json:"told,omitempty"`
		Parked  int            `json:"parked,omitempty"`
		// Left tells that there was more to tell than one look may: the next goes on.
		Left bool `json:"left,omitempty"`
		// Failed are the kinds of records that RentVine does not show whole, and records that
		// could not be told of: the first of these by name, Untold counts all.
		Failed []FailedKind `json:"failed,omitempty"`
		Untold int          `json:"untold,omitempty"`
		// Began is when it began (business time). Kind and Page are where a walk that broke off
		// goes on.
		Began time.Time `json:"began,omitzero"`
		Kind  string    `json:"kind,omitempty"`
		Page  int       `json:"page,omitempty"`
	}
	// FailedKind is a kind of records that could not be looked through, or one of its records
	// that could not be told of, and the kind of error.
	FailedKind struct {
		Kind   string `json:"kind"`
		Record string `json:"record,omitempty"`
		Why    string `json:"why"`
	}
	// A Difference is a record that differs from what is known of it.
	Difference struct {
		// Record is such as "work-order/7"; Event is what its workflow would be told.
		Record string `json:"record"`
		Event  string `json:"event"`
		// Fields are the names of those that differ, none where nothing is known of the record.
		Fields []string `json:"fields,omitempty"`
	}
	// Compared is what a comparison that tells nobody has found.
	Compared struct {
		Seen        int          `json:"seen"`
		Differences []Difference `json:"differences,omitempty"`
		// Left tells that there are more differences than were asked for.
		Left   bool         `json:"left,omitempty"`
		Failed []FailedKind `json:"failed,omitempty"`
	}
)

// The settings in which the store keeps how far the comparison has come. Times are RFC 3339
// in business time.
const (
	// syncLearned and a kind of records is when the walk began that has learned it first.
	syncLearned = "sync.rentvine.learned."
	// syncLeases is when the last walk through leases began that came to its end.
	syncLeases = "sync.rentvine.leases"
	// syncFull is when the last walk through everything began that left nothing out, and
	// syncTried when the last one began that came to its end.
	syncFull  = "sync.rentvine.full"
	syncTried = "sync.rentvine.full_tried"
	// syncWhole is when the last look began, of either kind, in which nothing failed.
	syncWhole = "sync.rentvine.whole"
	// SettingReconciled is the last look: Reconciled as JSON.
	SettingReconciled = "sync.rentvine.last"
)

const (
	// modifiedOverlap is how far back leases are asked for beyond the last walk: RentVine's
	// clock may be another. The client allows for zones.
	modifiedOverlap = 3 * time.Hour
	// createdSlack is by how much a time of creation may be wrong, whose zone is not known
	// (contracts/rentvine.md 1.6).
	createdSlack = 14 * time.Hour
	// toldFor is after how long a record of which nothing is known is told again, that its
	// workflow has still not read (real time).
	toldFor = 180 * 24 * time.Hour
	// triedAgain is after how long everything is gone through again where something could not
	// be read or told.
	triedAgain = time.Hour
	// backDated is by how much a charge or bill may be dated before its kind was learned, and
	// still be news where it was not there then.
	backDated = 7 * 24 * time.Hour
	// mostUntold is how many records in a row that cannot be told of end a look, and mostNamed
	// how many it names.
	mostUntold = 20
	mostNamed  = 20
)

// syncRules are how it is compared where the policy does not say: a comparison that is asked
// for works without.
func syncRules(rules policy.Sync) policy.Sync {
	if rules.On() {
		return rules
	}
	const day = 24 * time.Hour
	return policy.Sync{TimeZone: "UTC", LookBack: 45 * day, FullLookBack: 120 * day, Pause: 50 * time.Millisecond, Most: 2000}
}

// fullDue tells whether the daily look through everything has not been made since it was to
// begin last. One that was missed is made up for at once.
func fullDue(now, last time.Time, at policy.TimeOfDay, zone string) bool {
	place, err := time.LoadLocation(zone)
	if err != nil {
		place = time.UTC
	}
	local := now.In(place)
	due := time.Date(local.Year(), local.Month(), local.Day(), 0, int(at), 0, 0, place)
	if due.After(now) {
		due = time.Date(local.Year(), local.Month(), local.Day()-1, 0, int(at), 0, 0, place)
	}
	return last.Before(due)
}

// reconciling is one look.
type reconciling struct {
	*Activities
	rules policy.Sync
	// dry tells nobody and keeps nothing; differences and most are what it has found and may.
	dry         bool
	differences []Difference
	most        int

	done Reconciled
	// learned is when the kind that is walked was learned first, zero where it is being.
	learned time.Time
	// untold is how many records could not be told of since one could.
	untold int
	// adopted waits to be kept.
	adopted []store.KnownRecord
	// visited is when the last record was looked at, and began when the reading of the present
	// page began, at the latest (real time).
	visited, began time.Time
}

// errEnough ends a look that may tell no more.
var errEnough = errors.New("there is more to tell than one look may")

func (a *Activities) reconcileRentVine(ctx context.Context, in ReconcileInput) (Reconciled, error) {
	r := &reconciling{Activities: a, rules: syncRules(a.Policy.Sync()), done: resumed(ctx, Reconciled{})}
	r.most = r.rules.Most
	if r.done.Began.IsZero() {
		r.done.Began = a.businessNow()
		last, err := a.settingTime(ctx, syncFull)
		if err != nil {
			return Reconciled{}, err
		}
		tried, err := a.settingTime(ctx, syncTried)
		if err != nil {
			return Reconciled{}, err
		}
		due := fullDue(r.done.Began, last, r.rules.FullAt, r.rules.TimeZone) && !r.done.Began.Before(tried.Add(triedAgain))
		r.done.Full = in.Full || due
	}
	if err := r.walk(ctx); err != nil {
		return Reconciled{}, toTemporal(ctx, err)
	}
	if err := r.keepFull(ctx); err != nil {
		return Reconciled{}, err
	}
	if len(r.done.Failed) == 0 {
		if err := r.setSettingTime(ctx, syncWhole, r.done.Began); err != nil {
			return Reconciled{}, err
		}
	}
	r.done.Kind, r.done.Page = "", 0
	text, err := json.Marshal(r.done)
	if err != nil {
		return Reconciled{}, err
	}
	return r.done, a.Store.SetSetting(ctx, SettingReconciled, string(text))
}

// keepFull keeps that everything was gone through: one that left something out is made again,
// not at once.
func (r *reconciling) keepFull(ctx context.Context) error {
	if !r.done.Full || r.done.Left {
		return nil
	}
	if err := r.setSettingTime(ctx, syncTried, r.done.Began); err != nil || len(r.done.Failed) > 0 {
		return err
	}
	return r.setSettingTime(ctx, syncFull, r.done.Began)
}

// Differences compares what RentVine holds with what is known of it, tells nobody and
// writes nothing; it finds at most most. Full goes through everything. What was told, and
// its workflow has not read yet, is no difference. The error is of kind partner.Error where
// RentVine cannot be asked now.
func (a *Activities) Differences(ctx context.Context, full bool, most int) (Compared, error) {
	r := &reconciling{Activities: a, rules: syncRules(a.Policy.Sync()), dry: true, most: most, done: Reconciled{Full: full, Began: a.businessNow()}}
	if err := r.walk(ctx); err != nil {
		return Compared{}, err
	}
	return Compared{Seen: r.done.Seen, Differences: r.differences, Left: r.done.Left, Failed: r.done.Failed}, nil
}

// walk goes through the kinds of records, from where an earlier try was. A kind that
// RentVine refuses to show holds up no other.
func (r *reconciling) walk(ctx context.Context) error {
	kinds := r.kinds()
	if !r.done.Full {
		kinds = slices.DeleteFunc(kinds, func(k recordKind) bool { return k.fullOnly })
	}
	first := slices.IndexFunc(kinds, func(k recordKind) bool { return k.name == r.done.Kind })
	for i := max(first, 0); i < len(kinds); i++ {
		kind := kinds[i]
		if kind.name != r.done.Kind {
			r.done.Kind, r.done.Page = kind.name, 1
		}
		err := r.walkKind(ctx, kind)
		switch refusal := partner.KindOf(err); {
		case errors.Is(err, errEnough):
			r.done.Left = true
			return nil
		case err == nil:
		case refusal == partner.Forbidden, refusal == partner.Invalid, refusal == partner.NotFound, refusal == partner.Malformed:
			r.done.Failed = append(r.done.Failed, FailedKind{Kind: kind.name, Why: string(refusal)})
			r.Log.Warn("RentVine does not show what is to be compared", zap.String("kind", kind.name), zap.Error(err))
		default:
			return err
		}
	}
	return nil
}

// walkKind goes through one kind of records, and keeps that it was learned.
func (r *reconciling) walkKind(ctx context.Context, kind recordKind) (err error) {
	if r.learned, err = r.settingTime(ctx, syncLearned+kind.name); err != nil {
		return err
	}
	r.visited = r.Now()
	err = kind.walk(ctx)
	// What was learned until the walk broke off need not be learned again.
	err = cmp.Or(err, ctx.Err(), r.keepAdopted(ctx))
	if err != nil || r.dry || !r.learned.IsZero() {
		return err
	}
	return r.setSettingTime(ctx, syncLearned+kind.name, r.done.Began)
}

// page begins with the comparison of a page, by its number, of which nothing was read
// before a time: it waits, tells where the walk is, and keeps what was learned before.
func (r *reconciling) page(ctx context.Context, number int, began time.Time) error {
	r.began, r.done.Page = began, number
	if err := r.keepAdopted(ctx); err != nil {
		return err
	}
	return r.rest(ctx)
}

// rest pauses between two calls and tells where the walk is.
func (r *reconciling) rest(ctx context.Context) error {
	if activity.IsActivity(ctx) && !r.dry {
		activity.RecordHeartbeat(ctx, r.done)
	}
	if r.rules.Pause <= 0 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
	case <-time.After(r.rules.Pause):
	}
	return ctx.Err()
}

func (r *reconciling) keepAdopted(ctx context.Context) error {
	adopted := r.adopted
	r.adopted = nil
	if len(adopted) == 0 || r.dry {
		return nil
	}
	return r.Store.Know(ctx, adopted...)
}

// held is a record as RentVine holds it.
type held struct {
	// record is its name, entity the id of its workflow at RentVine and workflow the first
	// part of that one's.
	record, entity string
	// created and updated are the types of its events.
	created, updated string
	fields           map[string]string
	// createdAt is zero where RentVine does not say; day is when it was posted, "" for others.
	createdAt time.Time
	day       string
	// data is what the event says of it, by RentVine's names.
	data map[string]any
}

// comparePage is compare for the records of a page.
func (r *reconciling) comparePage(ctx context.Context, page []held) error {
	names := make([]string, len(page))
	for i, h := range page {
		names[i] = h.record
	}
	known, err := r.Store.KnownOf(ctx, names)
	if err != nil {
		return err
	}
	for _, h := range page {
		r.done.Seen++
		k, isKnown := known[h.record]
		if isKnown && r.same(h, k) {
			continue
		}
		if err := r.compare(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// same tells whether there is nothing to do about a record that is known.
func (r *reconciling) same(h held, known store.KnownRecord) bool {
	changes, unlike := r.changesOf(known, h.fields)
	return len(changes) == 0 && len(unlike) == 0 && !known.LeftOut && (known.Listed == "" || known.Listed == r.listMark(h.fields))
}

// compare tells the workflow of a record where it differs from what is known, and the list
// shows another one than when it was looked at last: some lists differ from what their
// workflows read for good, which is told once.
func (r *reconciling) compare(ctx context.Context, h held) error {
	known, err := r.Store.KnownRecord(ctx, h.record)
	if errors.Is(err, store.ErrNotFound) {
		return r.unknown(ctx, h)
	}
	if err != nil {
		return err
	}
	changes, unlike := r.changesOf(known, h.fields)
	mark := r.listMark(h.fields)
	switch {
	case len(changes) > 0 && moved(known.Listed, mark):
		digest := toldDigest(h.fields, changes, known.Moves)
		told, err := r.tell(ctx, h, h.updated, changes, digest)
		if err != nil || !told {
			return err
		}
		return r.Store.ListedAs(ctx, h.record, mark, true)
	case r.dry:
		return nil
	case len(unlike) > 0 || known.LeftOut:
		// Learned as it is, with what is known of the rest, unless somebody knows more meanwhile.
		maps.Copy(known.Fields, unlike)
		r.adopted = append(r.adopted, store.KnownRecord{Record: h.record, Fields: known.Fields, At: known.At, Listed: mark})
		return nil
	case known.Listed != "" && known.Listed != mark:
		return r.Store.ListedAs(ctx, h.record, mark, false)
	}
	return nil
}

// changesOf are the fields that differ, in both, but for those that were written since the
// page was read; unlike are values that cannot be compared, hashed by other keys.
func (r *reconciling) changesOf(known store.KnownRecord, holds map[string]string) (changes map[string]durable.Change, unlike map[string]string) {
	changes, unlike = map[string]durable.Change{}, map[string]string{}
	mark := r.Keys.KnownMark()
	for name, value := range holds {
		before, ok := known.Fields[name]
		switch {
		case !ok || before == value || known.At.After(r.began) || known.Written[name].After(r.began):
		case strings.HasPrefix(value, mark) && strings.HasPrefix(before, "#") && !strings.HasPrefix(before, mark):
			unlike[name] = value
		default:
			changes[name] = durable.Change{Old: before, New: value}
		}
	}
	return changes, unlike
}

// listMark marks what a list shows: its plain values, the keys that hash the others, and
// those.
func (r *reconciling) listMark(fields map[string]string) string {
	keys := r.Keys.KnownMark()
	var plain, hashed []string
	for name, value := range fields {
		if strings.HasPrefix(value, keys) {
			hashed = append(hashed, name+"\x00"+value)
		} else {
			plain = append(plain, name+"\x00"+value)
		}
	}
	slices.Sort(plain)
	slices.Sort(hashed)
	return strings.Join([]string{shortDigest(plain...), keys, shortDigest(hashed...)}, "/")
}

// moved tells whether a list shows another record than it did. By other keys, only what is
// plain counts.
func moved(before, now string) bool {
	was, is := strings.Split(before, "/"), strings.Split(now, "/")
	if len(was) != len(is) || was[1] == is[1] {
		return before != now
	}
	return was[0] != is[0]
}

// unknown learns a record silently while its kind is being learned, and tells of it after
// that. What was made since the learning began is told at once, and what is dated long
// before it is learned: somebody has entered it late.
func (r *reconciling) unknown(ctx context.Context, h held) error {
	learning := r.learned.IsZero()
	old := learning && !h.createdAt.After(r.done.Began)
	if h.day != "" && !learning {
		old = h.day < r.learned.Add(-backDated).UTC().Format(time.DateOnly)
	}
	if old {
		r.adopt(h)
		return nil
	}
	what := h.created
	if !h.createdAt.IsZero() && !learning && h.createdAt.Before(r.learned.Add(-createdSlack)) {
		what = h.updated
	}
	about, digest := "sync/"+h.record, toldDigest(h.fields, nil, 0)
	told, err := r.Store.HandedOn(ctx, about, digest, r.Now().Add(-toldFor))
	if err != nil || told {
		return err
	}
	if told, err = r.tell(ctx, h, what, nil, digest); err != nil || !told {
		return err
	}
	return r.Store.HandOn(ctx, about, digest, r.Now())
}

// adopt learns a record as the list shows it.
func (r *reconciling) adopt(h held) {
	r.adopted = append(r.adopted, store.KnownRecord{Record: h.record, Fields: h.fields, At: r.began, Listed: r.listMark(h.fields)})
	r.done.Adopted++
}

// tell sends the event, and tells whether it did. What is told is not known for that: its
// workflow reads the record itself; but what was parked nobody reads. One record that cannot
// be told of holds up no other.
func (r *reconciling) tell(ctx context.Context, h held, what string, changes map[string]durable.Change, digest string) (bool, error) {
	if r.done.Events+len(r.differences) >= r.most {
		return false, errEnough
	}
	if r.dry {
		r.differences = append(r.differences, Difference{Record: h.record, Event: what, Fields: slices.Sorted(maps.Keys(changes))})
		return false, nil
	}
	data, err := json.Marshal(h.data)
	if err != nil {
		return false, err
	}
	got, err := r.Deliver(ctx, durable.Event{
		Source: "rentvine", Type: what, EntityID: h.entity, Key: "rentvine/sync/" + h.record + "/" + digest,
		ReceivedAt: r.Now().UTC(), Changes: shown(changes), Data: data,
	})
	if err != nil {
		return false, r.failed(ctx, h.record, "not told", err)
	}
	r.untold = 0
	if r.done.Told == nil {
		r.done.Told = map[string]int{}
	}
	r.done.Told[what]++
	r.done.Events++
	if !got.Routed {
		r.done.Parked++
		if err := r.Store.Know(ctx, store.KnownRecord{Record: h.record, Fields: h.fields, At: r.began, Listed: r.listMark(h.fields)}); err != nil {
			return false, err
		}
	}
	return true, r.rest(ctx)
}

// failed counts a record about which something failed. The error is that of the record where
// the look should end: nobody can be told of anything now.
func (r *reconciling) failed(ctx context.Context, record, why string, err error) error {
	if ctx.Err() != nil || isAway(err) || r.untold+1 >= mostUntold {
		return err
	}
	r.untold++
	r.done.Untold++
	r.Log.Warn("a record of RentVine could not be told of", zap.String("record", record), zap.Error(err))
	if r.done.Untold <= mostNamed {
		r.done.Failed = append(r.done.Failed, FailedKind{Kind: r.done.Kind, Record: record, Why: why})
	}
	return nil
}

// isAway tells whether Temporal could not be asked at all.
func isAway(err error) bool {
	return errors.As(err, new(*serviceerror.Unavailable)) || errors.As(err, new(*serviceerror.ResourceExhausted)) ||
		errors.As(err, new(*serviceerror.NamespaceNotFound)) || errors.As(err, new(*serviceerror.PermissionDenied))
}

// toldDigest is of what is told: of what differs, and how much was told before of the
// record, or of all.
func toldDigest(fields map[string]string, changes map[string]durable.Change, moves int) string {
	parts := []string{strconv.Itoa(moves)}
	for name, value := range fields {
		if _, changed := changes[name]; changed || changes == nil {
			parts = append(parts, name+"\x00"+value)
		}
	}
	slices.Sort(parts[1:])
	return shortDigest(parts...)
}

// shown are changes as events say them: of values that are known by their hash alone, only
// that they have changed.
func shown(changes map[string]durable.Change) map[string]durable.Change {
	if changes == nil {
		return nil
	}
	out := make(map[string]durable.Change, len(changes))
	for name, c := range changes {
		if strings.HasPrefix(c.Old, "#") || strings.HasPrefix(c.New, "#") {
			c = durable.Change{}
		}
		out[name] = c
	}
	return out
}

// settingTime reads a time that the store keeps, zero where there is none.
func (a *Activities) settingTime(ctx context.Context, name string) (time.Time, error) {
	text, err := a.Store.Setting(ctx, name)
	if err != nil || text == "" {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339Nano, text)
}

func (a *Activities) setSettingTime(ctx context.Context, name string, at time.Time) error {
	return a.Store.SetSetting(ctx, name, at.UTC().Format(time.RFC3339Nano))
}

// ReconcileState is how far the comparison with RentVine has come. Times are business time,
// zero where there is none.
type ReconcileState struct {
	// Last is the last look that came to its end.
	Last Reconciled `json:"last"`
	// FullAt is when the last look through everything began.
	FullAt time.Time `json:"full_at,omitzero"`
	// Unlearned are the kinds of records that no look has gone through to the end yet.
	Unlearned []string `json:"unlearned,omitempty"`
}

// ReadReconcileState reads how far the comparison has come, of a store.
func ReadReconcileState(ctx context.Context, s store.Store) (ReconcileState, error) {
	a := &Activities{Config: Config{Store: s}}
	var state ReconcileState
	text, err := s.Setting(ctx, SettingReconciled)
	if err != nil {
		return state, err
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &state.Last); err != nil {
			return state, err
		}
	}
	if state.FullAt, err = a.settingTime(ctx, syncFull); err != nil {
		return state, err
	}
	for _, kind := range (&reconciling{}).kinds() {
		at, err := a.settingTime(ctx, syncLearned+kind.name)
		if err != nil {
			return state, err
		}
		if at.IsZero() {
			state.Unlearned = append(state.Unlearned, kind.name)
		}
	}
	return state, nil
}
