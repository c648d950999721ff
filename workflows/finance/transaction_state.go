package finance

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/bookkeeping"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// Stage is where a transaction is.
type Stage string

// The stages.
const (
	// StageReading: RentVine is asked what it is.
	StageReading Stage = "reading"
	// StageRefused: RentVine or QuickBooks refuses; it is tried again.
	StageRefused Stage = "refused"
	// StageUnsure: nobody knows its category yet.
	StageUnsure Stage = "unsure"
	// StageBooking: it is being booked; QuickBooks may be away or refuse for a while.
	StageBooking Stage = "booking"
	// StageBooked: the books agree with it.
	StageBooked Stage = "booked"
	// StageVoided: it is to be in no books, and is in none.
	StageVoided Stage = "voided"
	// StageNothing: there is nothing to book, such as an invoice of charges that are
	// booked by themselves.
	StageNothing Stage = "nothing_to_book"
	// StageNoBooks: the policy has no section "finance".
	StageNoBooks Stage = "no_books"
	// StageNotFound: RentVine does not show it.
	StageNotFound Stage = "not_found"
)

// TransactionState is what the workflow keeps. Times are business time.
type TransactionState struct {
	BeganAt time.Time                  `json:"began_at"`
	Hint    activities.TransactionHint `json:"hint,omitzero"`
	// Stale asks for another look at RentVine, not before RetryAt.
	Stale   bool                     `json:"stale,omitempty"`
	RetryAt time.Time                `json:"retry_at,omitzero"`
	View    *bookkeeping.Transaction `json:"view,omitempty"`
	// ReadAt is when the view was read.
	ReadAt time.Time `json:"read_at,omitzero"`
	// Categories are those of the view's parts, "" for none, each for the reason in Why.
	// Unsure are the indexes of those of which nobody is sure. Uncategorised asks for all.
	Uncategorised bool     `json:"uncategorised,omitempty"`
	Categories    []string `json:"categories,omitempty"`
	Why           []string `json:"why,omitempty"`
	Unsure        []int    `json:"unsure,omitempty"`
	// Unbooked asks for the books to be made to agree, Unchecked for a look for
	// anomalies, and Untold are entries of which the summary does not know.
	Unbooked  bool  `json:"unbooked,omitempty"`
	Unchecked bool  `json:"unchecked,omitempty"`
	Untold    []int `json:"untold,omitempty"`
	// Entries counts those in the journal, Added those of this run, and ToldUpTo is the
	// number up to which the summary knows.
	Entries  int `json:"entries,omitempty"`
	Added    int `json:"added,omitempty"`
	ToldUpTo int `json:"told_up_to,omitempty"`
	// Round counts the questions for a category, Asked how often this one was asked, and
	// AskAt is when it is asked again. UnsureAt is when it is booked without an answer.
	Round    int       `json:"round,omitempty"`
	Asked    int       `json:"asked,omitempty"`
	AskAt    time.Time `json:"ask_at,omitzero"`
	UnsureAt time.Time `json:"unsure_at,omitzero"`
	// Open tells that questions are open, Left that nobody has answered in time.
	Open     bool              `json:"open,omitempty"`
	Left     bool              `json:"left,omitempty"`
	Answered []Taken           `json:"answered,omitempty"`
	Findings []string          `json:"findings,omitempty"`
	Timeline []TransactionNote `json:"timeline,omitempty"`
	Unusable int               `json:"unusable,omitempty"`
}

// Taken is an answer that was taken.
type Taken struct {
	ID      string          `json:"id"`
	Outcome durable.Outcome `json:"outcome"`
}

// TransactionNote is a line of the timeline. It names nobody.
type TransactionNote struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
}

// Line is the entry as the audit is told of it.
func (n TransactionNote) Line() durable.Line { return durable.Line{At: n.At, What: n.What} }

const (
	maxTimeline = 30
	maxAnswered = 50
)

func (s *TransactionState) note(now time.Time, format string, args ...any) {
	s.Timeline = append(s.Timeline, TransactionNote{now, fmt.Sprintf(format, args...)})
	s.Timeline = s.Timeline[max(0, len(s.Timeline)-maxTimeline):]
}

// event takes a webhook: a hint where to look, and a reason to.
func (s *TransactionState) event(ev durable.Event) {
	s.Stale, s.RetryAt = true, time.Time{}
	var data map[string]any
	if json.Unmarshal(ev.Data, &data) != nil {
		return
	}
	s.Hint.LeaseID = told(data["leaseID"], s.Hint.LeaseID)
	s.Hint.PropertyID = told(data["propertyID"], s.Hint.PropertyID)
	s.Hint.Day = told(data["datePosted"], s.Hint.Day)
	s.Hint.PayeeID = told(data["payeeContactID"], s.Hint.PayeeID)
}

// told is a value of a webhook as text, else what was known.
func told(value any, known string) string {
	switch v := value.(type) {
	case string:
		return v
	case float64:
		return fmt.Sprintf("%.0f", v)
	}
	return known
}

// step is what is due.
type step string

const (
	stepNothing    step = ""
	stepRead       step = "read"
	stepCategorise step = "categorise"
	stepAsk        step = "ask"
	stepBook       step = "book"
	stepCheck      step = "check"
	stepTell       step = "tell"
	stepLeave      step = "leave"
	stepClose      step = "close"
)

// todo is what is due now.
func (s *TransactionState) todo(rules policy.Finance, now time.Time) step {
	waits := s.RetryAt.After(now)
	switch {
	case (s.Stale || s.View == nil) && !waits:
		return stepRead
	case s.View == nil || s.Stale:
		return stepNothing
	case s.Uncategorised:
		return stepCategorise
	case s.Unbooked && !s.holds(now) && !waits:
		return stepBook
	case s.Unchecked:
		return stepCheck
	case len(s.Untold) > 0:
		return stepTell
	case s.waitsForAnswer() && !now.Before(s.AskAt):
		if s.Asked > rules.Questions.Times+1 {
			return stepLeave
		}
		return stepAsk
	case s.Open && !s.waitsForAnswer():
		return stepClose
	}
	return stepNothing
}

// unsure tells whether somebody has to say what the transaction is for.
func (s *TransactionState) unsure() bool {
	return s.View != nil && s.View.Counts() && len(s.Unsure) > 0
}

// waitsForAnswer tells whether somebody may still say so.
func (s *TransactionState) waitsForAnswer() bool { return s.unsure() && !s.Left }

// holds tells whether the booking waits for an answer.
func (s *TransactionState) holds(now time.Time) bool { return s.unsure() && now.Before(s.UnsureAt) }

// next is the first time at which something may be due, and what.
func (s *TransactionState) next(rules policy.Finance) (at time.Time, why string) {
	earlier := func(t time.Time, what string) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at, why = t, what
		}
	}
	if s.Stale || s.Unbooked {
		earlier(s.RetryAt, "try again")
	}
	if s.unsure() && s.Unbooked && !s.Stale && s.RetryAt.IsZero() {
		earlier(s.UnsureAt, "book it on the account for what nobody could categorise")
	}
	if s.waitsForAnswer() && !s.Stale {
		what := "ask what it is for"
		if s.Asked > rules.Questions.Times+1 {
			what = "stop waiting for an answer"
		}
		earlier(s.AskAt, what)
	}
	return at, why
}

// settled tells whether there is nothing to do or to wait for. What nobody has
// categorised in spite of all questions ends on the account for that.
func (s *TransactionState) settled() bool {
	if s.Stale || s.View == nil || s.Uncategorised || s.Unbooked || s.Unchecked || len(s.Untold) > 0 {
		return false
	}
	return !s.waitsForAnswer() && !s.Open
}

func (s *TransactionState) stage() Stage {
	switch {
	case !s.RetryAt.IsZero():
		return StageRefused
	case s.View == nil:
		return StageReading
	case !s.View.Found:
		return StageNotFound
	case s.View.Voided:
		return StageVoided
	case !s.View.Counts():
		return StageNothing
	case s.unsure():
		return StageUnsure
	}
	return StageBooked
}

// refused notes that a partner refuses, and when to try again.
func (s *TransactionState) refused(now time.Time, why string) {
	s.note(now, "%s", why)
	s.RetryAt = now.Add(refusedPause)
}

// read takes what RentVine shows. A transaction that it does not show is not taken out
// of the books: that somebody deletes one is not documented, that a search misses one is
// likelier. It is looked at as an anomaly instead.
func (s *TransactionState) read(view bookkeeping.Transaction, now time.Time) {
	// What was refused before is tried again, whether or not anything has changed.
	again := !s.RetryAt.IsZero()
	s.RetryAt = time.Time{}
	before := s.View
	s.View = &view
	if before != nil && reflect.DeepEqual(*before, view) {
		s.Unchecked = s.Unchecked || again
		return
	}
	if !view.Found {
		s.note(now, "RentVine does not show it")
		if before != nil {
			view.LeaseID, view.PropertyID, view.PortfolioID = before.LeaseID, before.PropertyID, before.PortfolioID
		}
		s.Unbooked, s.Unchecked = true, true // what is planned is posted all the same
		return
	}
	s.Unbooked = true
	if before != nil {
		s.note(now, "changed at RentVine")
	}
	if !view.Counts() {
		return
	}
	if before == nil || !reflect.DeepEqual(before.Parts, view.Parts) || before.Text != view.Text || len(s.Categories) != len(view.Parts) {
		s.Uncategorised = true
	}
}

func (s *TransactionState) categorised(found activities.Categorized, now time.Time) {
	s.Categories, s.Why, s.Unsure = found.Categories, found.Why, found.Unsure
	if len(found.Unsure) > 0 {
		s.Round++
		s.Left = false
		s.Asked, s.AskAt, s.UnsureAt = 0, now, now.Add(found.UnsureAfter)
		s.note(now, "not sure what it is for")
	}
}

func (s *TransactionState) booked(b activities.BookedEntries, now time.Time) {
	s.RetryAt = time.Time{}
	if b.Stale {
		s.Stale = true
		return
	}
	s.Entries = b.Entries
	fresh := slices.DeleteFunc(slices.Clone(b.New), func(n int) bool { return n <= s.ToldUpTo })
	// Also where nothing is new: findings that it was refused, or gone, may have resolved.
	s.Unchecked = true
	s.Added += len(fresh)
	s.Untold = append(s.Untold, fresh...)
	s.ToldUpTo = max(s.ToldUpTo, b.Entries)
	switch {
	case len(fresh) == 0:
		s.note(now, "the books agree already")
	case s.unsure():
		s.note(now, "booked on the account for what nobody could categorise")
	default:
		s.note(now, "booked: %d entries added", len(fresh))
	}
}

func (s *TransactionState) found(found activities.Anomalies) {
	for _, f := range found.Raised {
		s.Findings = append(s.Findings, f.ID)
	}
}

// askedAgain notes that a question has left.
func (s *TransactionState) askedAgain(rules policy.Finance, now time.Time) {
	s.Asked++
	s.Open = true
	s.AskAt = now.Add(rules.Questions.RemindAfter)
	if s.Asked > rules.Questions.Times+1 {
		s.AskAt = now.Add(leaveAfter)
	}
}

// leaveAfter is how long the last question stays open.
const leaveAfter = 30 * 24 * time.Hour

// leave gives up waiting: it stays on the account for what nobody could categorise.
func (s *TransactionState) leave(now time.Time) {
	s.Left = true
	s.note(now, "nobody has said what it is for")
}

// answer takes what the accountant or the controller says it is for, once.
func (s *TransactionState) answer(a durable.Answer, rules policy.Finance, now time.Time) durable.Outcome {
	for _, t := range s.Answered {
		if t.ID == a.ID {
			return t.Outcome
		}
	}
	o := s.decide(a, rules, now)
	s.Answered = append(s.Answered, Taken{a.ID, o})
	s.Answered = s.Answered[max(0, len(s.Answered)-maxAnswered):]
	return o
}

func (s *TransactionState) decide(a durable.Answer, rules policy.Finance, now time.Time) durable.Outcome {
	if !s.unsure() {
		return durable.Outcome{Late: true, Message: "Thank you. This has been settled meanwhile."}
	}
	category, known := rules.Category(a.Choice)
	if !known || !slices.Contains(fitting(s.View.Kind, rules), a.Choice) {
		s.Unusable++
		return durable.Outcome{Late: true, Message: "That is not one of the answers any more. We ask again."}
	}
	part := s.Unsure[0]
	s.Categories[part], s.Why[part] = a.Choice, "somebody in accounting says so"
	s.Unsure = slices.Delete(slices.Clone(s.Unsure), 0, 1)
	s.Unbooked = true
	s.note(now, "it is for %s, says %s", policy.Words(a.Choice), a.Person)
	if len(s.Unsure) > 0 {
		s.Round, s.Asked, s.AskAt = s.Round+1, 0, now
		return durable.Outcome{Message: "Thank you. We book that as " + category.Name + ", and ask about the next part."}
	}
	return durable.Outcome{Message: "Thank you. We book it as " + category.Name + "."}
}

// fitting are the categories that a transaction of a kind may have.
func fitting(kind bookkeeping.Kind, rules policy.Finance) []string {
	var ids []string
	for _, c := range rules.Categories {
		if (c.Kind == policy.CategoryExpense) == (kind == bookkeeping.Bill) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}
