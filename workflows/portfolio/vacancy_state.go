package portfolio

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/appointments"
	"github.com/aictive/keyholder/activities/listingtext"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// The stages of a vacancy. The last three are outcomes too.
const (
	StagePreparing = "preparing"
	StageApproving = "approving"
	StageListed    = "listed"
	StageShowing   = "showing"
	StageApplied   = "applied"
	StageLet       = "let"
	StageWithdrawn = "withdrawn" // by people
	StageStopped   = "stopped"   // by something else
)

type (
	// VacancyState is what the marketing of a unit knows. It decides; the workflow carries
	// out. Times are business time in UTC where nothing else is said.
	VacancyState struct {
		BeganAt time.Time `json:"began_at"`
		// EmptySince is the day on which the last tenancy ended, "" where nobody knows.
		EmptySince string `json:"empty_since,omitempty"`
		// Rules are the policy as read last, at RulesAt.
		Rules   policy.Portfolio `json:"rules"`
		RulesAt time.Time        `json:"rules_at,omitzero"`

		// Rent is what is asked for a month, RentWhy where it comes from. It is Known where
		// it needs nobody's word; Priced tells that a suggestion was looked for. PricedAt is
		// when the rent was settled while the home was offered, zero for never.
		Rent     policy.Cents `json:"rent,omitempty"`
		RentWhy  string       `json:"rent_why,omitempty"`
		Known    bool         `json:"known,omitempty"`
		Priced   bool         `json:"priced,omitempty"`
		PricedAt time.Time    `json:"priced_at,omitzero"`

		// Words are those of the listing, written for the facts WordsFor. Edited ones are a
		// person's and stay.
		Words    listingtext.Words `json:"words"`
		WordsFor string            `json:"words_for,omitempty"`
		Edited   bool              `json:"edited,omitempty"`

		// Asked counts the questions whether to publish; the next is due at AskAt. Without an
		// answer it is published at PublishAt, zero for never: only where somebody was reached.
		Asked     int       `json:"asked,omitempty"`
		AskAt     time.Time `json:"ask_at,omitzero"`
		PublishAt time.Time `json:"publish_at,omitzero"`
		// Approved is who has approved, "silence" for nobody. Publish tells that what is
		// published is not what it should be.
		Approved string    `json:"approved,omitempty"`
		Publish  bool      `json:"publish,omitempty"`
		ListedAt time.Time `json:"listed_at,omitzero"`

		// Prospects are those whom the home is shown to, Numbered the number of the last who
		// asked. Crowd are those beyond them who have no answer yet, Crowded how many there were.
		Prospects []Prospect    `json:"prospects,omitempty"`
		Numbered  int           `json:"numbered,omitempty"`
		Crowd     []Prospect    `json:"crowd,omitempty"`
		Crowded   int           `json:"crowded,omitempty"`
		Sources   []SourceCount `json:"sources,omitempty"`
		// Seen are the ids of requests.
		Seen durable.Seen `json:"seen,omitzero"`
		// Replies counts first answers to prospects, ReplyTime sums up how long they took
		// (real time).
		Replies   int           `json:"replies,omitempty"`
		ReplyTime time.Duration `json:"reply_time,omitempty"`

		// Notices wait to be mailed to our own people; Noticed numbers them. Closes are
		// prefixes of steps whose questions are to be closed.
		Notices []Notice `json:"notices,omitempty"`
		Noticed int      `json:"noticed,omitempty"`
		Closes  []string `json:"closes,omitempty"`
		// Taken are the last answers, and what was said to them.
		Taken []TakenAnswer `json:"taken,omitempty"`

		// The price is looked at again at ReviewAt. Spoken tells that the escalation contact
		// knows that nobody applies.
		ReviewAt time.Time `json:"review_at,omitzero"`
		Reviews  int       `json:"reviews,omitempty"`
		Spoken   bool      `json:"spoken,omitempty"`

		// Outcome is how it ended and Why says more, "" while it goes on. Withdrawn tells that
		// the listing is gone from the feed, Reported that the manager is told, Recorded that
		// it counts in the figures.
		Outcome   string    `json:"outcome,omitempty"`
		Why       string    `json:"why,omitempty"`
		EndedAt   time.Time `json:"ended_at,omitzero"`
		Withdrawn bool      `json:"withdrawn,omitempty"`
		Reported  bool      `json:"reported,omitempty"`
		Recorded  bool      `json:"recorded,omitempty"`
		// Log is what has happened, newest last, without personal data.
		Log []LogEntry `json:"log,omitempty"`

		// pause is how long what failed waits at least; see later.
		pause time.Duration
	}
	// SourceCount is what came of a source.
	SourceCount struct {
		ID           string `json:"id"`
		Leads        int    `json:"leads"`
		Showings     int    `json:"showings"`
		Applications int    `json:"applications"`
	}
	// Notice is a mail to one of our own people.
	Notice struct {
		Step    string        `json:"step"`
		To      policy.Person `json:"to"`
		Subject string        `json:"subject"`
		Text    string        `json:"text"`
		At      time.Time     `json:"at"`
	}
	// TakenAnswer is an answer that was taken, and what the person was told.
	TakenAnswer struct {
		ID      string          `json:"id"`
		Outcome durable.Outcome `json:"outcome"`
	}
	// LogEntry is a line of the log.
	LogEntry struct {
		At   time.Time `json:"at"`
		What string    `json:"what"`
	}
)

// Line is the entry as the audit is told of it.
func (e LogEntry) Line() durable.Line { return durable.Line{At: e.At, What: e.What} }

const (
	maxLog   = 60
	maxTaken = 200
	// maxNotices bounds what waits to be mailed.
	maxNotices = 100
	// giveUp is how long after the end people are still told.
	giveUp = 3 * 24 * time.Hour
	// askedLong is when a question that all have got is asked again, and questionLife how
	// long one is open.
	askedLong    = 30 * 24 * time.Hour
	questionLife = 90 * 24 * time.Hour
	bySilence    = "silence"
	rentOfUnit   = "the unit's rent at RentVine"
)

// The work of the marketing, beside letters.
type task string

const (
	taskNone     task = ""
	taskPrice    task = "price"
	taskWrite    task = "write"
	taskAsk      task = "ask"
	taskPublish  task = "publish"
	taskReview   task = "review"
	taskBook     task = "book"
	taskUnbook   task = "unbook"
	taskInvite   task = "invite"
	taskUninvite task = "uninvite"
	taskApply    task = "apply"
	taskClose    task = "close"
	taskWithdraw task = "withdraw"
	taskRecord   task = "record"
)

// newVacancy begins the marketing of a unit.
func newVacancy(in UnitNow, now time.Time) *VacancyState {
	s := &VacancyState{BeganAt: now, AskAt: now, EmptySince: in.Unit.EmptySince}
	s.Rent, s.RentWhy, s.Known = in.Unit.Rent, rentOfUnit, true
	if s.Rent == 0 {
		s.Rent, s.RentWhy = in.Unit.LastRent, "what the last tenancy paid"
	}
	if s.Rent == 0 {
		s.RentWhy, s.Known = "", false
	}
	return s
}

// doubt has somebody asked where the unit's rent at RentVine may be a placeholder: it is
// further from what the last tenancy paid than the policy lets a price move.
func (s *VacancyState) doubt(u UnitNow) {
	last, rules := u.Unit.LastRent, s.Rules.Pricing
	near := s.Rent >= last-rules.Below.Of(last) && s.Rent <= last+rules.Above.Of(last)
	if s.RentWhy != rentOfUnit || s.Approved != "" || last == 0 || near {
		return
	}
	s.Known, s.PublishAt = false, time.Time{}
	s.RentWhy = fmt.Sprintf("%s; the last tenancy paid %s", rentOfUnit, s.money(last))
}

// stage is how far it has come.
func (s *VacancyState) stage() string {
	has := func(list ...string) bool {
		return slices.ContainsFunc(s.Prospects, func(p Prospect) bool { return slices.Contains(list, p.Status) })
	}
	switch {
	case s.Outcome != "":
		return s.Outcome
	case s.ListedAt.IsZero() && s.Approved == "" && s.Asked == 0:
		return StagePreparing
	case s.ListedAt.IsZero():
		return StageApproving
	case has(statusApplying, statusApplied):
		return StageApplied
	case has(statusChosen, statusBooked, statusSeen):
		return StageShowing
	}
	return StageListed
}

// todo is the next piece of work, and the number of the prospect whom it is for.
func (s *VacancyState) todo(u UnitNow, now time.Time) (task, int) {
	if len(s.Closes) > 0 { // before anything new is asked
		return taskClose, 0
	}
	if t, n := s.todoForProspects(now); t != taskNone {
		return t, n
	}
	switch {
	case s.Outcome != "" && !s.Withdrawn:
		return taskWithdraw, 0
	case s.Outcome != "" && !s.Recorded:
		return taskRecord, 0
	case s.Outcome != "":
		return taskNone, 0
	case s.Rent == 0 && !s.Priced:
		return taskPrice, 0
	case s.WordsFor != s.wanted(u, now):
		return taskWrite, 0
	case s.Approved == "" && !s.AskAt.After(now):
		return taskAsk, 0
	case s.Publish:
		return taskPublish, 0
	case s.reviews() && !s.ReviewAt.After(now):
		return taskReview, 0
	}
	return taskNone, 0
}

// wanted names the facts that the words are to be written for. A person's words stay, and
// so do a model's, which name no rent or day, where only those have changed.
func (s *VacancyState) wanted(u UnitNow, now time.Time) string {
	if s.Edited {
		return s.WordsFor
	}
	return s.wordsFor(s.facts(u, now))
}

func (s *VacancyState) wordsFor(f listingtext.Facts) string {
	if s.Words.Model != "" {
		f.Available, f.Rent = "", 0
	}
	return fmt.Sprintf("%d/%t/%d/%d/%s/%s/%d/%s", f.Beds, f.BedsKnown, f.Baths, f.Size, f.City, f.State, f.Rent, f.Available)
}

// facts are what the listing may say.
func (s *VacancyState) facts(u UnitNow, now time.Time) listingtext.Facts {
	return listingtext.Facts{
		Beds: u.Unit.Beds, BedsKnown: u.Unit.BedsKnown, Baths: u.Unit.Baths, Size: u.Unit.Size,
		City: u.Property.City, State: u.Property.State, Rent: s.Rent, Currency: s.Rules.Currency,
		Available: s.available(u, now), Company: s.Rules.Company,
	}
}

// available is the day from which the home is free, YYYY-MM-DD: that of the listing where
// it stands empty already.
func (s *VacancyState) available(u UnitNow, now time.Time) string {
	if !s.ListedAt.IsZero() {
		now = s.ListedAt
	}
	return max(u.Unit.EmptySince, activities.DayIn(now, s.zone(u)))
}

func (s *VacancyState) zone(u UnitNow) string { return cmp.Or(u.Property.Zone, s.Rules.TimeZone) }

// wrote takes the words of the listing, written for some facts; a person's stand.
func (s *VacancyState) wrote(w listingtext.Words, f listingtext.Facts) {
	if s.Edited {
		return
	}
	s.Words = w
	s.WordsFor = s.wordsFor(f)
	s.Publish = s.Approved != "" && s.Outcome == ""
}

// listing is the home as it is published.
func (s *VacancyState) listing(u UnitNow, workflowID string, now time.Time) activities.Listing {
	l := activities.Listing{
		Property: u.Property, Unit: u.Unit, Rent: s.Rent, Currency: s.Rules.Currency, Available: s.available(u, now),
		Headline: s.Words.Headline, Text: s.Words.Text, Contact: s.Rules.Company, WorkflowID: workflowID,
		PublishedAt: s.ListedAt, ChangedAt: now,
	}
	if l.PublishedAt.IsZero() {
		l.PublishedAt = now
	}
	l.Property.Units = nil
	return l
}

// heard takes an answer to any question.
func (s *VacancyState) heard(a durable.Answer, u UnitNow, now time.Time) durable.Outcome {
	if s.approves(a) {
		return s.heardApproval(a, u, now)
	}
	return s.heardProspect(a, now)
}

// priced takes a suggestion of the rent, 0 for none. It needs somebody's word.
func (s *VacancyState) priced(rent policy.Cents, why string, now time.Time) {
	s.Priced = true
	if rent > 0 && s.Rent == 0 {
		s.Rent, s.RentWhy = rent, why
	}
	s.note(now, "a rent was looked for: %s", cmp.Or(why, "none found"))
}

// askee is whom the next question whether to publish goes to.
func (s *VacancyState) askee() policy.Person {
	if s.Asked >= s.Rules.Questions.Times {
		return s.Rules.Escalation
	}
	return s.Rules.Manager
}

// askedToPublish notes that the question has left, and whether it has reached somebody: a
// silence of who was never asked publishes nothing.
func (s *VacancyState) askedToPublish(reached bool, now time.Time) {
	s.Asked++
	s.AskAt = now.Add(s.Rules.Questions.RemindAfter)
	if s.Asked > s.Rules.Questions.Times {
		s.AskAt = now.Add(askedLong)
	}
	if reached && s.PublishAt.IsZero() && s.Known && s.Rules.Vacancy.PublishAfter > 0 {
		s.PublishAt = now.Add(s.Rules.Vacancy.PublishAfter)
	}
}

// approves tells whether an answer is to the question whether to publish.
func (s *VacancyState) approves(a durable.Answer) bool {
	return strings.HasPrefix(a.Step, stepApprove+"/") && s.Outcome == ""
}

// settled tells that a person has approved. Silence leaves the question open.
func (s *VacancyState) settled() bool { return s.Approved != "" && s.Approved != bySilence }

// refuses says what to mend in an approval, "" for nothing.
func (s *VacancyState) refuses(a durable.Answer, u UnitNow) string {
	if !s.approves(a) || s.settled() || a.Choice != choicePublish {
		return ""
	}
	if rent, err := policy.ParseCents(a.Fields[fieldRent]); err != nil || rent <= 0 {
		return "Please give the rent, such as 1250.00."
	}
	if word := listingtext.Steering(a.Fields[fieldHeadline]+"\n"+a.Fields[fieldText], u.Property.City, s.Rules.Company); word != "" {
		return fmt.Sprintf("Please find other words for %q: a listing may not say who should live there.", word)
	}
	return ""
}

// heardApproval takes the answer to the question whether to publish.
func (s *VacancyState) heardApproval(a durable.Answer, u UnitNow, now time.Time) durable.Outcome {
	if s.settled() {
		return durable.Outcome{Late: true, Message: "Thank you. The home is published already."}
	}
	if why := s.refuses(a, u); why != "" {
		return durable.Outcome{Late: true, Message: why}
	}
	switch a.Choice {
	case choiceWithdraw:
		s.end(StageWithdrawn, "the manager withdrew it", now)
		return durable.Outcome{Message: "Thank you. The home is not offered."}
	case choicePublish:
		rent, _ := policy.ParseCents(a.Fields[fieldRent]) // not refused
		if rent != s.Rent {
			s.Rent, s.RentWhy = rent, "the manager's word"
			s.priceStands(now)
		}
		headline, text := strings.TrimSpace(a.Fields[fieldHeadline]), strings.TrimSpace(a.Fields[fieldText])
		s.Words.Headline, s.Words.Text = cmp.Or(headline, s.Words.Headline), cmp.Or(text, s.Words.Text)
		s.Edited = s.Edited || headline != "" || text != ""
		s.approve(a.Person, now)
		return durable.Outcome{Message: "Thank you. The home is published for " + s.money(rent) + " a month."}
	}
	return durable.Outcome{Late: true, Message: "That is not one of the answers."}
}

// approve has the listing published. After silence the question stays open: the manager
// may still change it, or take it off the market.
func (s *VacancyState) approve(by string, now time.Time) {
	s.Approved, s.Publish = by, true
	if by != bySilence {
		s.Closes = append(s.Closes, stepApprove+"/")
	}
	s.note(now, "approved by %s", by)
}

// listed notes that the home is published as it should be.
func (s *VacancyState) listed(now time.Time) {
	if !s.ListedAt.IsZero() {
		s.note(now, "published again for %s", s.money(s.Rent))
		return
	}
	s.ListedAt = now
	if after := s.Rules.Vacancy.ReviewPriceAfter; after > 0 {
		s.ReviewAt = now.Add(after)
	}
	s.note(now, "published for %s", s.money(s.Rent))
}

// reviews tells whether the price is looked at while nobody applies.
func (s *VacancyState) reviews() bool {
	return !s.ListedAt.IsZero() && !s.ReviewAt.IsZero() && s.applications() == 0
}

// reviewed notes that the price is being looked at.
func (s *VacancyState) reviewed(now time.Time) {
	s.Reviews++
	s.ReviewAt = now.Add(max(s.Rules.Vacancy.ReviewPriceAfter, 24*time.Hour))
	s.note(now, "the price is looked at")
}

// repriced takes what a pricing came to.
func (s *VacancyState) repriced(p Price, now time.Time) {
	if p.Rent <= 0 || s.Outcome != "" {
		return
	}
	s.priceStands(now)
	if p.Rent == s.Rent {
		return
	}
	s.Rent, s.RentWhy, s.Known = p.Rent, "a pricing", true
	s.rentChanged(now)
}

// priceStands notes that the rent was settled while the home is offered.
func (s *VacancyState) priceStands(now time.Time) {
	if !s.ListedAt.IsZero() {
		s.PricedAt = now
	}
}

// rentChanged has the new rent shown to whoever reads the old one.
func (s *VacancyState) rentChanged(now time.Time) {
	s.note(now, "the rent is %s: %s", s.money(s.Rent), s.RentWhy)
	if s.Approved == "" {
		s.AskAt, s.PublishAt = now, time.Time{} // the manager has seen another
		return
	}
	s.Publish = true
}

// changed takes the unit as it is now in place of what it was; an older look changes
// nothing.
func (s *VacancyState) changed(before *UnitNow, after UnitNow, now time.Time) {
	if after.Property.ReadAt.Before(before.Property.ReadAt) || after.Unit.ID != before.Unit.ID {
		return
	}
	was := *before
	*before = after
	s.EmptySince = cmp.Or(after.Unit.EmptySince, s.EmptySince)
	if s.Outcome != "" || s.over(after, now) {
		return
	}
	if after.Unit.Rent > 0 && after.Unit.Rent != was.Unit.Rent && after.Unit.Rent != s.Rent {
		s.Rent, s.RentWhy, s.Known = after.Unit.Rent, rentOfUnit, true
		s.priceStands(now)
		s.doubt(after)
		s.rentChanged(now)
		return
	}
	if !s.ListedAt.IsZero() && shown(was) != shown(after) {
		s.Publish = true
	}
}

// shown is what a listing shows of a home beside its words and rent.
func shown(u UnitNow) string {
	p, unit := u.Property, u.Unit
	return fmt.Sprint(
		p.Address, p.City, p.State, p.PostalCode, p.Latitude, p.Longitude, p.Located,
		unit.Label, unit.Beds, unit.BedsKnown, unit.Baths, unit.Size, unit.EmptySince)
}

// over ends the marketing where the unit is not to be let any more.
func (s *VacancyState) over(u UnitNow, now time.Time) bool {
	switch {
	case !u.Property.Found || !u.Property.Active || !u.Unit.Active:
		s.end(StageStopped, "the unit is not managed any more", now)
	case !u.Unit.Empty():
		s.end(StageLet, "it has a lease", now)
	}
	return s.Outcome != ""
}

// tick lets time pass.
func (s *VacancyState) tick(u UnitNow, now time.Time) {
	if s.Outcome != "" {
		if !s.Reported {
			s.Reported = true
			s.report(u)
		}
		s.forget(now)
		return
	}
	about := homeOf(u)
	if s.Approved == "" && !s.PublishAt.IsZero() && !s.PublishAt.After(now) {
		s.approve(bySilence, now)
		s.tell(s.Rules.Manager, now, about+": published", fmt.Sprintf(
			"Nobody answered, so the home is published for %s a month.\n\n%s\n%s\n\n"+
				"To change the rent or the words, or to take it off the market, use the link of the question whether to publish it.",
			s.money(s.Rent), s.Words.Headline, s.Words.Text))
	}
	if at := s.speakAt(); !at.IsZero() && !at.After(now) {
		s.Spoken = true
		s.tell(s.Rules.Escalation, now, about+": nobody applies", fmt.Sprintf(
			"The home has been listed for %d days at %s a month, and nobody has applied.\n\n%s", daysOf(now.Sub(s.ListedAt)), s.money(s.Rent), s.table()))
		s.note(now, "the escalation contact is told that nobody applies")
	}
	for i := range s.Prospects {
		s.tickProspect(&s.Prospects[i], now)
	}
}

// speakAt is when the escalation contact is told that nobody applies, zero for never.
func (s *VacancyState) speakAt() time.Time {
	if s.Spoken || s.ListedAt.IsZero() || s.Rules.Vacancy.SpeakAfter == 0 || s.applications() > 0 {
		return time.Time{}
	}
	return s.ListedAt.Add(s.Rules.Vacancy.SpeakAfter)
}

// next is when there is something to do, zero for never, and what.
func (s *VacancyState) next() (at time.Time, why string) {
	sooner := func(t time.Time, what string) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at, why = t, what
		}
	}
	for _, n := range s.Notices {
		sooner(n.At, "tell our people")
	}
	for _, list := range [][]Prospect{s.Prospects, s.Crowd} {
		for _, p := range list {
			sooner(p.dueAt(s))
		}
	}
	if s.Outcome != "" {
		return at, why
	}
	if s.Approved == "" {
		sooner(s.AskAt, "ask whether to publish")
		sooner(s.PublishAt, "publish without an answer")
	}
	if s.reviews() {
		sooner(s.ReviewAt, "look at the price")
	}
	sooner(s.speakAt(), "tell the escalation contact that nobody applies")
	return at, why
}

// end ends the marketing; what was begun with prospects is taken back.
func (s *VacancyState) end(outcome, why string, now time.Time) {
	if s.Outcome != "" {
		return
	}
	s.Outcome, s.Why, s.EndedAt, s.Publish = outcome, why, now, false
	s.Closes = append(s.Closes, "")
	for i := range s.Prospects {
		s.farewell(&s.Prospects[i], now)
	}
	for i := range s.Crowd {
		s.farewell(&s.Crowd[i], now)
	}
	s.note(now, "ended: %s, %s", outcome, why)
}

// finished tells whether all is told and taken back.
func (s *VacancyState) finished(u UnitNow, now time.Time) bool {
	t, _ := s.todo(u, now)
	at, _ := s.next()
	return s.Outcome != "" && s.Reported && t == taskNone && at.IsZero()
}

// later is when what has failed is tried again.
func (s *VacancyState) later(now time.Time) time.Time { return now.Add(max(retryPause, s.pause)) }

// prospect finds one by his number, nil where he is not kept.
func (s *VacancyState) prospect(n int) *Prospect {
	for _, list := range [][]Prospect{s.Prospects, s.Crowd} {
		for i := range list {
			if list[i].N == n {
				return &list[i]
			}
		}
	}
	return nil
}

// forget gives up, a while after the end, what could not be told.
func (s *VacancyState) forget(now time.Time) {
	if now.Before(s.EndedAt.Add(giveUp)) {
		return
	}
	s.Notices, s.Crowd = nil, nil
	for i := range s.Prospects {
		p := &s.Prospects[i]
		p.Letter, p.Off = "", nil
		if p.Status == statusApplying {
			p.Status = statusApplied
		}
	}
}

// tell has one of our people mailed.
func (s *VacancyState) tell(to policy.Person, now time.Time, subject, text string) {
	s.Noticed++
	s.Notices = append(s.Notices, Notice{Step: fmt.Sprintf("tell/%d", s.Noticed), To: to, Subject: subject, Text: text, At: now})
	s.Notices = s.Notices[max(0, len(s.Notices)-maxNotices):]
}

// source is the count of one.
func (s *VacancyState) source(id string) *SourceCount {
	i := slices.IndexFunc(s.Sources, func(c SourceCount) bool { return c.ID == id })
	if i < 0 {
		i = len(s.Sources)
		s.Sources = append(s.Sources, SourceCount{ID: id})
	}
	return &s.Sources[i]
}

// note adds to the log.
func (s *VacancyState) note(now time.Time, what string, args ...any) {
	s.Log = append(s.Log, LogEntry{now, fmt.Sprintf(what, args...)})
	s.Log = s.Log[max(0, len(s.Log)-maxLog):]
}

// money is an amount as people read it.
func (s *VacancyState) money(c policy.Cents) string {
	return policy.Money{Amount: c, Currency: s.Rules.Currency}.String()
}

// homeOf is a home as people know it.
func homeOf(u UnitNow) string {
	name := cmp.Or(u.Property.Address, u.Property.Name, "the home")
	if u.Unit.Label != "" {
		name += ", unit " + u.Unit.Label
	}
	return name
}

// windowText is a window as people read it.
func windowText(w appointments.Window, zone string) string {
	place, err := time.LoadLocation(zone)
	if err != nil {
		place = time.UTC
	}
	return w.Text(place, "")
}
