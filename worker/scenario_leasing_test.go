package worker_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	stdsync "sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/leasescore"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/sandbox"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
	"github.com/aictive/keyholder/workflows/leasing/movein"
	"github.com/aictive/keyholder/workflows/leasing/renewal"
	"github.com/aictive/keyholder/workflows/leasing/retention"
)

// Who is written to about a lease of unit 1.
const (
	renterPhone, renterMail = "+13235550177", "tia@example.com"
	landlordMail            = "contact21@example.com"
	cratesMail              = "crates@example.com"
	inspectorMail           = "technician1@example.com"
	officeMail              = "grace@example.com"
)

// tenancy is a scenario about one lease of RentVine.
type tenancy struct {
	*scenario
	lease string
	// contact is the tenant's id at RentVine.
	contact string
	mu      stdsync.Mutex
	// reports are how campaigns told the lease of their end.
	reports []leasing.Ended
	// heard is what campaigns that are not played were told of the lease.
	heard []activities.LeaseView
	// loses tells of a request of RentVine, which was carried out, whether its reply is lost.
	loses func(*http.Request) bool
}

// RoundTrip carries the requests of RentVine's client.
func (l *tenancy) RoundTrip(r *http.Request) (*http.Response, error) {
	reply, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && l.loses != nil && l.loses(r) {
		return nil, errors.Join(errors.New("the connection broke"), reply.Body.Close())
	}
	return reply, err
}

// days is a day so many days after the beginning, in Los Angeles.
func days(n int) string { return saturday.AddDate(0, 0, n).Format(time.DateOnly) }

// letting makes a lease whose tenants move in and whose end is so many days from the
// beginning.
func letting(t *testing.T, movesIn, ends int) *tenancy {
	t.Helper()
	l := &tenancy{scenario: newScenario(t)}
	// The breaker keeps real time, and the stories do not.
	l.acts.RentVine = rentvine.New(rentvine.Config{
		BaseURL: l.base + "/rentvine/api/manager", AccessKey: "key", Secret: "secret",
		HTTP: partner.HTTPConfig{BreakAfter: 1_000_000, Transport: l},
	})
	t.Cleanup(l.acts.RentVine.Close)
	l.call(http.MethodPut, "/_records/rentvine/work-orders/"+l.id+"/status", map[string]string{"status": "Completed"}, nil)
	l.call(http.MethodPut, "/_records/rentvine/work-orders/1/status", map[string]string{"status": "Completed"}, nil)
	l.let("501", movesIn, ends)
	return l
}

// let makes the lease with an id.
func (l *tenancy) let(id string, movesIn, ends int) {
	l.t.Helper()
	fields := map[string]any{
		"leaseID": id, "moveInDate": days(movesIn), "startDate": days(movesIn), "endDate": days(ends), "primaryLeaseStatusID": "2",
		"tenantName": "Tia Tenant", "phone": renterPhone, "email": renterMail,
	}
	var made struct {
		LeaseID   string `json:"lease_id"`
		ContactID string `json:"contact_id"`
	}
	l.call(http.MethodPost, "/_records/rentvine/leases", fields, &made)
	l.lease, l.contact = made.LeaseID, "contact:"+made.ContactID
}

// atRentVine changes the lease as the office would; nobody is told.
func (l *tenancy) atRentVine(fields map[string]any) {
	l.t.Helper()
	l.call(http.MethodPut, "/_records/rentvine/leases/"+l.lease, fields, nil)
}

// seen is the lease as the activity reads it now.
func (l *tenancy) seen() activities.LeaseView {
	l.t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	l.acts.RegisterRentVine(env)
	value, err := env.ExecuteActivity(activities.ReadLease.Name, l.lease)
	require.NoError(l.t, err)
	var view activities.LeaseView
	require.NoError(l.t, value.Get(&view))
	require.True(l.t, view.Found)
	return view
}

// changed tells the campaign of the lease as RentVine has it now, with a change.
func (l *tenancy) changed(change func(*activities.LeaseView)) {
	l.t.Helper()
	view := l.seen()
	if change != nil {
		change(&view)
	}
	l.env.SignalWorkflow(leasing.LeaseChanged.Name, view)
}

func (l *tenancy) leasingRules() policy.Leasing { return l.acts.Policy.Leasing("1", "1") }

func (l *tenancy) moveIn() leasing.Campaign[movein.State] {
	return leasing.Campaign[movein.State]{LeaseID: l.lease, State: movein.New(l.seen(), l.leasingRules(), l.start)}
}

func (l *tenancy) renewal() leasing.Campaign[renewal.State] {
	return leasing.Campaign[renewal.State]{LeaseID: l.lease, State: renewal.New(l.seen(), l.leasingRules(), l.start)}
}

func (l *tenancy) retention(tenants ...activities.Person) leasing.Campaign[retention.State] {
	view := l.seen()
	view.Tenants = append(view.Tenants, tenants...)
	before := leasescore.Assessment{Risk: 70, RenewalProbability: 40, Confidence: 80}
	return leasing.Campaign[retention.State]{LeaseID: l.lease, State: retention.New(view, l.leasingRules(), before, l.start)}
}

// patiently is the environment of a campaign; during is told what to do meanwhile.
func (l *tenancy) patiently(id string, during func()) {
	l.t.Helper()
	l.freshEnvironment(id)
	l.env.SetTestTimeout(40 * time.Second)
	l.env.SetWorkerOptions(l.workerOptions(&manyTries{}))
	if during != nil {
		during()
	}
	l.env.OnSignalExternalWorkflow("default-test-namespace", leasing.LeaseID(l.lease), "", leasing.CampaignEnded.Name, mock.Anything).
		Return(func(_, _, _, _ string, arg any) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			ended, ok := arg.(leasing.Ended)
			if ok {
				l.reports = append(l.reports, ended)
			}
			return nil
		}).Maybe()
}

// campaigns plays a campaign in an environment of its own.
func campaigns[S any](l *tenancy, name string, in leasing.Campaign[S], during func()) error {
	l.t.Helper()
	l.patiently(campaignID(l, name), during)
	l.env.ExecuteWorkflow(name, in)
	require.True(l.t, l.env.IsWorkflowCompleted())
	return l.env.GetWorkflowError()
}

func campaignID(l *tenancy, name string) string {
	return map[string]string{
		leasing.MoveInName: "move-in/" + l.lease, leasing.RenewalName: "renewal/" + l.lease + "/end", leasing.RetentionName: "retention/" + l.lease + "/1",
	}[name]
}

// ends plays a campaign to its end and returns how it ended, as everybody is told it.
func ends[S any](l *tenancy, name string, in leasing.Campaign[S], during func()) string {
	l.t.Helper()
	require.NoError(l.t, campaigns(l, name, in, during))
	var result leasing.CampaignResult
	require.NoError(l.t, l.env.GetWorkflowResult(&result))
	require.Len(l.t, l.reports, 1, "the lease is told once")
	require.Equal(l.t, result.Outcome, l.reports[0].Outcome)
	require.Equal(l.t, result.Outcome, l.campaign().Outcome)
	return result.Outcome
}

// goesOn runs a campaign on from where it continued as new: its state goes through JSON,
// as it does in production.
func goesOn[S any](l *tenancy, name string) leasing.Campaign[S] {
	l.t.Helper()
	var next *workflow.ContinueAsNewError
	require.ErrorAs(l.t, l.env.GetWorkflowError(), &next)
	require.Equal(l.t, name, next.WorkflowType.Name)
	var in leasing.Campaign[S]
	require.NoError(l.t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
	l.start = l.env.Now()
	return in
}

// campaign asks the campaign where it stands.
func (l *tenancy) campaign() leasing.CampaignDescription {
	l.t.Helper()
	value, err := l.env.QueryWorkflow(leasing.DescribeCampaign.Name)
	require.NoError(l.t, err)
	var d leasing.CampaignDescription
	require.NoError(l.t, value.Get(&d))
	return d
}

func logged(entries []campaign.Entry, words string) bool {
	return slices.ContainsFunc(entries, func(e campaign.Entry) bool { return strings.Contains(e.What, words) })
}

// asked is the newest open question of a purpose to an address.
func (l *tenancy) asked(address, purpose string) store.Question {
	l.t.Helper()
	open := l.openBids(address)
	for _, q := range slices.Backward(open) {
		if string(q.Purpose) == purpose {
			return q
		}
	}
	require.Failf(l.t, "not asked", "%s of %s; %+v", purpose, address, l.campaign().Log)
	return store.Question{}
}

// said is the answer to the newest open question of a purpose to an address.
func (l *tenancy) said(address, purpose, choice string, fields map[string]string) durable.Answer {
	l.t.Helper()
	q := l.asked(address, purpose)
	return durable.Answer{ID: "link-" + q.ID, QuestionID: q.ID, Step: q.Step, Person: q.Person, Choice: choice, Fields: fields, Via: "link"}
}

// says answers it.
func (l *tenancy) says(address, purpose, choice string, fields map[string]string) {
	l.t.Helper()
	l.fact(l.said(address, purpose, choice, fields))
}

// nobodyIsAsked: all questions are closed.
func (l *tenancy) nobodyIsAsked() {
	l.t.Helper()
	for _, address := range []string{renterPhone, renterMail, landlordMail, cratesMail, inspectorMail, officeMail, l.phone("grace"), l.phone("maria")} {
		require.Empty(l.t, l.openBids(address), address)
	}
}

// sent is all that reached anybody, as "whom what", in order.
func (l *tenancy) sent() []string {
	l.t.Helper()
	var all []email
	l.call(http.MethodGet, "/_mails", nil, &all)
	lines := []string{}
	for _, m := range all {
		lines = append(lines, strings.Join(m.To, ",")+" "+m.Subject)
	}
	texts := l.allTexts()
	slices.SortStableFunc(texts, func(a, b text) int { return strings.Compare(a.To, b.To) })
	for _, m := range texts {
		lines = append(lines, m.To+" "+ownWords.ReplaceAllString(m.Body, "..."))
	}
	return lines
}

// ownWords are the code and the link of a text, which are never the same again.
var ownWords = regexp.MustCompile(`\b[A-Z][0-9]\b|/a/[a-z0-9]+`)

// subjects are those of the mails to an address.
func (l *tenancy) subjects(to string) []string {
	l.t.Helper()
	subjects := []string{}
	for _, m := range l.mails(to) {
		subjects = append(subjects, m.Subject)
	}
	return subjects
}

// saying counts those of some texts that say something.
func saying(texts []string, words string) int {
	n := 0
	for _, body := range texts {
		if strings.Contains(body, words) {
			n++
		}
	}
	return n
}

// rents are the charges of rent that RentVine holds for the lease.
func (l *tenancy) rents() []rentvine.RecurringCharge {
	l.t.Helper()
	charges, err := l.acts.RentVine.RecurringCharges(context.Background(), l.lease)
	require.NoError(l.t, err)
	return slices.DeleteFunc(charges, func(c rentvine.RecurringCharge) bool { return !c.IsRent })
}

func (l *tenancy) endAtRentVine() string {
	l.t.Helper()
	lease, err := l.acts.RentVine.LeaseWithTenants(context.Background(), l.lease)
	require.NoError(l.t, err)
	return lease.EndDate
}

// whenStarted runs f once, as the first try of an activity begins.
func (l *tenancy) whenStarted(name string, f func()) {
	var once stdsync.Once
	l.env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name == name {
			once.Do(f)
		}
	})
}

// whenWriting runs f once, as the first batch with a letter of a text leaves.
func (l *tenancy) whenWriting(text string, f func()) {
	var once stdsync.Once
	l.env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, args converter.EncodedValues) {
		var in activities.SendLettersInput
		if info.ActivityType.Name != activities.SendLetters.Name || args.Get(&in) != nil {
			return
		}
		if slices.ContainsFunc(in.Letters, func(x activities.Letter) bool { return x.Text == text }) {
			once.Do(f)
		}
	})
}

// manyTries lets activities be tried as often as their time allows: the environment's
// own limit is 10 tries.
type manyTries struct {
	interceptor.WorkerInterceptorBase
}

func (*manyTries) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &triesIn{interceptor.WorkflowInboundInterceptorBase{Next: next}}
}

type triesIn struct {
	interceptor.WorkflowInboundInterceptorBase
}

func (i *triesIn) Init(out interceptor.WorkflowOutboundInterceptor) error {
	return i.Next.Init(&triesOut{interceptor.WorkflowOutboundInterceptorBase{Next: out}})
}

type triesOut struct {
	interceptor.WorkflowOutboundInterceptorBase
}

func (o *triesOut) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	options := workflow.GetActivityOptions(ctx)
	retry := *options.RetryPolicy
	retry.MaximumAttempts = 1000
	options.RetryPolicy = &retry
	return o.Next.ExecuteActivity(workflow.WithActivityOptions(ctx, options), name, args...)
}

const amountOf = renewal.FieldAmount

// agrees answers the question that a renewal asks next.
func (l *tenancy) agrees(step int) {
	l.t.Helper()
	switch step {
	case 1:
		l.says(landlordMail, renewal.AskOwner, renewal.Change, map[string]string{amountOf: "1900.00"})
	case 2:
		l.says(renterPhone, renewal.AskOffer, renewal.Accept, nil)
	case 3:
		l.says(renterPhone, renewal.AskSign, renewal.Sign, map[string]string{"name": "Tia Tenant"})
	}
}

// agreed is a renewal in which everybody says yes, an hour after being asked.
func (l *tenancy) agreed() func() {
	return func() {
		for step := 1; step <= 3; step++ {
			l.at(time.Duration(step)*time.Hour, func() { l.agrees(step) })
		}
	}
}

func TestALeasingCampaignContinuesAsNewBetweenAnyTwoSteps(t *testing.T) {
	t.Parallel()
	whole := letting(t, -275, 90)
	require.Equal(t, renewal.OutcomeRenewed, ends(whole, leasing.RenewalName, whole.renewal(), whole.agreed()))
	require.Equal(t, 1, saying(whole.textsTo(renterPhone), "like you to stay"))
	require.Len(t, whole.rents(), 2)

	parts := letting(t, -275, 90)
	in := parts.renewal()
	var approved durable.Answer
	for step := 1; step <= 3; step++ {
		last := step == 3
		err := campaigns(parts, leasing.RenewalName, in, func() {
			var repeated *updated
			parts.at(30*time.Minute, func() {
				if step > 1 { // what was taken by an earlier run counts once
					repeated = command(parts.scenario, durable.GiveAnswer, approved)
				}
			})
			parts.at(time.Hour, func() {
				if step > 1 {
					require.Equal(t, durable.Outcome{Message: "Thank you. The tenants are offered $1,900.00 a month."}, repeated.out)
				} else {
					approved = parts.said(landlordMail, renewal.AskOwner, renewal.Change, map[string]string{amountOf: "1900.00"})
				}
				parts.env.SetContinueAsNewSuggested(!last)
				parts.agrees(step)
			})
		})
		if !last {
			require.Error(t, err)
			in = goesOn[renewal.State](parts, leasing.RenewalName)
			require.Empty(t, parts.reports)
		} else {
			require.NoError(t, err)
		}
	}
	require.Len(t, parts.reports, 1)
	require.Equal(t, renewal.OutcomeRenewed, parts.reports[0].Outcome)
	require.Equal(t, campaignID(parts, leasing.RenewalName), parts.reports[0].WorkflowID)
	require.Equal(t, whole.sent(), parts.sent(), "people cannot tell")
	require.Equal(t, whole.rents(), parts.rents())
	require.Equal(t, whole.endAtRentVine(), parts.endAtRentVine())
	parts.nobodyIsAsked()
	parts.nothingTwice()
}

func TestALeasingCampaignKeepsWhatIsHeldWhenItContinuesAsNew(t *testing.T) {
	t.Parallel()
	l := letting(t, 20, 385)
	l.start = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) // 22:00 in Los Angeles
	in := l.moveIn()
	require.Error(t, campaigns(l, leasing.MoveInName, in, func() { l.env.SetContinueAsNewSuggested(true) }))
	in = goesOn[movein.State](l, leasing.MoveInName)
	require.Empty(t, l.allTexts())
	require.NotEmpty(t, in.Held)
	require.False(t, in.RulesAt.IsZero())
	require.NoError(t, campaigns(l, leasing.MoveInName, in, func() {
		l.at(9*time.Hour, func() { require.Empty(t, l.allTexts()) })
		l.at(11*time.Hour, func() {
			require.Equal(t, 1, saying(l.textsTo(renterPhone), "may we text you"))
			require.Equal(t, 1, saying(l.textsTo(renterPhone), "inspection"))
			require.Zero(t, l.campaign().Held)
			command(l.scenario, leasing.StopCampaign, durable.Command{By: "omar", Why: "a test"})
		})
	}))
	l.nothingTwice()
}

func TestALeasingCampaignLosesNoAnswer(t *testing.T) {
	t.Parallel()
	l := letting(t, -275, 90)
	second := activities.Person{ID: "contact:990", Name: "Ugo Tenant", Phone: "+13235550178", Email: "ugo@example.com"}
	in := l.retention(second)
	rated := func(person, id, rating string) durable.Answer {
		return durable.Answer{ID: id, Step: "survey/1/" + person, Person: person, Choice: retention.Send, Fields: map[string]string{"rating": rating}, Via: "link"}
	}
	const strangers, unusable = 30, 20
	last := 0
	outcome := ends(l, leasing.RetentionName, in, func() {
		l.at(0, func() {
			queue := l.env.SignalWorkflowSkippingWorkflowTask
			for i := range strangers {
				queue(durable.AnswerReceived.Name, rated("contact:980", fmt.Sprint("stranger-", i), "1"))
			}
			for i := range unusable / 2 {
				queue(durable.AnswerReceived.Name, i)
				queue("no_such_signal", i)
			}
			queue(durable.AnswerReceived.Name, rated(l.contact, "one", "2"))
			queue(durable.AnswerReceived.Name, rated(l.contact, "one", "5"))
			l.env.SignalWorkflow(durable.MessageFailed.Name, "undecodable")
		})
		l.at(time.Hour, func() {
			d := l.campaign()
			require.Equal(t, retention.Surveying, d.Stage)
			require.Equal(t, unusable+1, d.Unusable)
			require.True(t, logged(d.Log, l.contact+" rates 2 of 5"))
			require.False(t, logged(d.Log, "rates 5"), "the same answer again counts once")
		})
		// The survey closes in this very second, and the answer is there before.
		l.at(10*24*time.Hour-time.Second, func() {
			l.env.SignalWorkflowSkippingWorkflowTask(durable.AnswerReceived.Name, rated(second.ID, "two", "3"))
		})
		l.whenWriting(policy.TextManagerNotice, func() {
			for i := range unusable {
				l.env.SignalWorkflow(durable.AnswerReceived.Name, i)
				last++
			}
		})
	})
	require.Contains(t, []string{retention.OutcomeImproved, retention.OutcomeUnchanged}, outcome)
	d := l.campaign()
	require.True(t, logged(d.Log, second.ID+" rates 3 of 5"), "%+v", d.Log)
	require.False(t, logged(d.Log, "the survey closed with"))
	require.Equal(t, unusable, last)
	require.Equal(t, 2*unusable+1, d.Unusable, "those that came as the last letters left, too")
	require.Equal(t, 2, l.reports[0].Learned.Rating, "the lowest")
	l.nothingTwice()
}

// offering plays a renewal until the tenant is asked, and two hours later.
func (l *tenancy) offering(then func()) func() {
	return func() {
		l.at(time.Hour, func() { l.agrees(1) })
		l.at(3*time.Hour, func() {
			require.Equal(l.t, renewal.Offered, l.campaign().Stage)
			then()
		})
	}
}

func TestARenewalThatIsStoppedTellsAllWhoWait(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*tenancy){
		"by an operator": func(l *tenancy) {
			command(l.scenario, leasing.StopCampaign, durable.Command{By: "omar", Why: "sold"})
		},
		"by cancelling the workflow": func(l *tenancy) { l.env.CancelWorkflow() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := letting(t, -275, 90)
			require.Equal(t, renewal.OutcomeCancelled, ends(l, leasing.RenewalName, l.renewal(), l.offering(func() { stop(l) })))
			require.Equal(t, 3*time.Hour, l.since(l.env.Now()))
			require.Equal(t, 1, saying(l.textsTo(renterPhone), "no longer holds"))
			require.Len(t, l.mails(landlordMail), 2, "the question, and that it is over")
			require.Equal(t, 1, saying(l.texts("grace"), "stopped"), "%q", l.texts("grace"))
			require.Equal(t, days(90), l.endAtRentVine())
			l.nobodyIsAsked()
			l.nothingTwice()
		})
	}
}

func TestAStopNeedsAReasonAndComesOnce(t *testing.T) {
	t.Parallel()
	l := letting(t, -275, 90)
	var unexplained, first, again *updated
	ends(l, leasing.RenewalName, l.renewal(), l.offering(func() {
		unexplained = command(l.scenario, leasing.StopCampaign, durable.Command{By: "omar"})
		l.env.RegisterDelayedCallback(func() {
			first = command(l.scenario, leasing.StopCampaign, durable.Command{By: "omar", Why: "sold"})
			again = command(l.scenario, leasing.StopCampaign, durable.Command{By: "omar", Why: "sold"})
		}, time.Minute)
	}))
	require.Error(t, unexplained.err)
	require.Equal(t, durable.Outcome{Message: "The campaign ends; what was done is undone."}, first.out)
	require.Equal(t, durable.Outcome{Late: true, Message: "The campaign has ended already."}, again.out)
	require.Equal(t, 1, saying(l.textsTo(renterPhone), "no longer holds"))
}

// The environment does not wait for what a cancelled try still does, as the server does:
// whether the question is closed cannot be seen here.
func TestARenewalCancelledWhileItsOfferLeavesTellsTheTenants(t *testing.T) {
	t.Parallel()
	l := letting(t, -275, 90)
	require.Equal(t, renewal.OutcomeCancelled, ends(l, leasing.RenewalName, l.renewal(), func() {
		l.at(time.Hour, func() { l.agrees(1) })
		l.whenWriting(policy.TextRenewalOffer, l.env.CancelWorkflow)
	}))
	require.Equal(t, 1, saying(l.textsTo(renterPhone), "no longer holds"), "whoever may have been asked is told: %q", l.textsTo(renterPhone))
	l.nothingTwice()
}

func TestAMoveInThatIsStoppedIsUndone(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*tenancy){
		"by an operator": func(l *tenancy) {
			command(l.scenario, leasing.StopCampaign, durable.Command{By: "omar", Why: "sold"})
		},
		"by cancelling the workflow": func(l *tenancy) { l.env.CancelWorkflow() },
		"with its lease": func(l *tenancy) {
			l.atRentVine(map[string]any{"primaryLeaseStatusID": "3", "closedDate": days(0)})
			l.changed(nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := letting(t, 5, 370)
			require.Equal(t, movein.Cancelled, ends(l, leasing.MoveInName, l.moveIn(), func() {
				l.at(2*time.Hour, func() {
					require.Len(t, l.mails(cratesMail), 1)
					require.Len(t, l.mails("gas@example.com"), 1)
					require.NotEmpty(t, l.mails(inspectorMail))
					stop(l)
				})
			}))
			require.Equal(t, 2*time.Hour, l.since(l.env.Now()))
			require.Len(t, l.mails(cratesMail), 2, "the order is taken back")
			require.Len(t, l.mails("gas@example.com"), 2, "and the provider told")
			require.Len(t, l.mails(inspectorMail), 2, "calendars lose the inspection")
			require.Equal(t, 1, saying(l.textsTo(renterPhone), "is cancelled"))
			l.nobodyIsAsked()
			l.nothingTwice()
		})
	}
}

func TestAMoveInFollowsItsDateAndItsTenants(t *testing.T) {
	t.Parallel()
	l := letting(t, 5, 370)
	other := activities.Person{ID: "contact:991", Name: "Vera Tenant", Phone: "+13235550179", Email: "vera@example.com"}
	replace := func(v *activities.LeaseView) { v.Tenants = []activities.Person{other} }
	require.Equal(t, movein.Cancelled, ends(l, leasing.MoveInName, l.moveIn(), func() {
		l.at(time.Hour, func() {
			require.Len(t, l.mails(cratesMail), 1)
			l.atRentVine(map[string]any{"moveInDate": days(6)})
			l.changed(nil)
		})
		l.at(2*time.Hour, func() {
			require.Equal(t, 1, saying(l.textsTo(renterPhone), "is now on"))
			require.Len(t, l.mails(cratesMail), 3, "taken back, and ordered for the new day: %q", l.subjects(cratesMail))
			require.Len(t, l.mails("gas@example.com"), 2)
			require.Len(t, l.mails(inspectorMail), 2, "one move in the calendar")
			l.asked(renterPhone, "contact_"+l.contact)
			l.changed(replace)
		})
		l.at(3*time.Hour, func() {
			for _, q := range l.openBids(renterPhone) {
				require.NotEqual(t, "contact_"+l.contact, string(q.Purpose), "who is no tenant is not asked any more")
			}
			l.asked(other.Phone, "contact_"+other.ID)
			require.Equal(t, 1, saying(l.textsTo(other.Phone), "inspection"))
			l.says(other.Phone, "contact_"+other.ID, "mail", map[string]string{"language": "es"})
		})
		l.at(4*time.Hour, func() {
			known, err := l.store.Contacts(context.Background(), []string{"991"})
			require.NoError(t, err)
			require.Equal(t, "es", known["991"].Language)
			l.changed(func(v *activities.LeaseView) { replace(v); v.Status, v.Closed = activities.LeaseClosed, days(0) })
		})
	}))
	require.NotEmpty(t, l.mails(other.Email), "the new tenants are told")
	require.Zero(t, saying(l.textsTo(renterPhone), "is cancelled"), "and those before are not")
	l.nobodyIsAsked()
	l.nothingTwice()
}

func TestARenewalBeginsAgainWhereItsLeaseChanges(t *testing.T) {
	t.Parallel()
	l := letting(t, -275, 90)
	other := activities.Person{ID: "contact:992", Name: "Vera Tenant", Phone: "+13235550179", Email: "vera@example.com"}
	require.Equal(t, renewal.OutcomeNotDue, ends(l, leasing.RenewalName, l.renewal(), l.offering(func() {
		l.changed(func(v *activities.LeaseView) { v.Tenants = []activities.Person{other} })
		l.at(time.Hour, func() {
			require.Equal(t, 1, saying(l.textsTo(renterPhone), "no longer holds"))
			require.Equal(t, renewal.Approving, l.campaign().Stage)
			l.agrees(1)
		})
		l.at(2*time.Hour, func() {
			l.asked(other.Phone, renewal.AskOffer)
			l.atRentVine(map[string]any{"endDate": days(200)})
			l.changed(func(v *activities.LeaseView) { v.Tenants = []activities.Person{other} })
		})
	})))
	require.Equal(t, 1, saying(l.textsTo(other.Phone), "no longer holds"))
	require.Empty(t, l.openBids(other.Phone))
	l.nobodyIsAsked()
	l.nothingTwice()
}

func TestARenewalOutlastsADayWithoutRentVine(t *testing.T) {
	t.Parallel()
	t.Run("while it is priced", func(t *testing.T) {
		t.Parallel()
		l := letting(t, -275, 90)
		require.Equal(t, renewal.OutcomeRenewed, ends(l, leasing.RenewalName, l.renewal(), func() {
			l.whenStarted(activities.AssessLease.Name, func() {
				require.NoError(t, l.box.SetFault(sandbox.RentVine, sandbox.Fault{Status: 503}))
			})
			l.at(20*time.Hour, func() { l.box.ClearFault(sandbox.RentVine) })
			l.at(26*time.Hour, func() {
				require.True(t, logged(l.campaign().Log, "could not be assessed"), "tried for half a day: %+v", l.campaign().Log)
				require.Len(t, l.mails(landlordMail), 1)
				l.agrees(1)
			})
			l.at(28*time.Hour, func() { l.agrees(2) })
			l.at(30*time.Hour, func() { l.agrees(3) })
		}))
		require.Len(t, l.rents(), 2)
		l.nothingTwice()
	})
	t.Run("while it is written", func(t *testing.T) {
		t.Parallel()
		l := letting(t, -275, 90)
		require.Equal(t, renewal.OutcomeRenewed, ends(l, leasing.RenewalName, l.renewal(), func() {
			l.agreed()()
			// The new charge is there, its reply gets lost, and then nobody answers.
			var lost atomic.Bool
			l.loses = func(r *http.Request) bool {
				loses := r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/recurring-charges") && lost.CompareAndSwap(false, true)
				if loses {
					require.NoError(t, l.box.SetFault(sandbox.RentVine, sandbox.Fault{Status: 503}))
				}
				return loses
			}
			l.at(27*time.Hour, func() {
				require.True(t, lost.Load())
				require.Equal(t, renewal.Writing, l.campaign().Stage)
				l.box.ClearFault(sandbox.RentVine)
			})
		}))
		require.GreaterOrEqual(t, l.since(l.env.Now()), 27*time.Hour)
		l.writtenOnce()
	})
}

// writtenOnce: one charge follows another, and the lease has its new end.
func (l *tenancy) writtenOnce() {
	l.t.Helper()
	rents := l.rents()
	require.Len(l.t, rents, 2, "%+v", rents)
	require.Equal(l.t, []string{days(90), days(91)}, []string{rents[0].EndDate, rents[1].StartDate})
	require.Equal(l.t, "1900.00", rents[1].Amount)
	require.Equal(l.t, "2028-02-19", l.endAtRentVine(), "twelve months more")
	require.Equal(l.t, 1, saying(l.textsTo(renterPhone), "is renewed"))
	l.nobodyIsAsked()
	l.nothingTwice()
}

func TestAnOfferThatDidNotArriveGoesByMail(t *testing.T) {
	t.Parallel()
	l := letting(t, -275, 90)
	failed := func(step string) {
		l.env.SignalWorkflow(durable.MessageFailed.Name, durable.MessageFailure{Step: step, Ref: "SM1", Status: "undelivered", ErrorCode: "30003"})
	}
	require.Equal(t, renewal.OutcomeDeclined, ends(l, leasing.RenewalName, l.renewal(), l.offering(func() {
		require.Empty(t, l.mails(renterMail))
		failed(l.asked(renterPhone, renewal.AskOffer).Step)
		l.at(time.Minute, func() {
			mails := l.mails(renterMail)
			require.Len(t, mails, 1)
			require.Contains(t, mails[0].Text, "http://keyholder.test/a/")
			failed(l.asked(renterMail, renewal.AskOffer).Step) // and the mail neither
		})
		l.at(2*time.Minute, func() {
			require.Len(t, l.mails(renterMail), 1, "that is all that can be done")
			l.says(renterMail, renewal.AskOffer, renewal.Decline, nil)
		})
	})))
	require.Equal(t, 1, saying(l.texts("grace"), "do not renew"))
	l.nobodyIsAsked()
	l.nothingTwice()
}

func TestAnOfferThatNobodyCanReadIsLeftToTheManager(t *testing.T) {
	t.Parallel()
	l := letting(t, -275, 90)
	in := l.renewal()
	in.State.Lease.Tenants[0].Phone, in.State.Lease.Tenants[0].Email = "", ""
	require.Equal(t, renewal.OutcomeSilent, ends(l, leasing.RenewalName, in, func() {
		l.at(time.Hour, func() { l.agrees(1) })
		l.at(2*time.Hour, func() {
			d := l.campaign()
			require.True(t, logged(d.Log, "could not be sent"), "%+v", d.Log)
			require.Zero(t, d.Held)
		})
	}))
	require.InDelta(t, float64(70*24*time.Hour), float64(l.since(l.env.Now())), float64(24*time.Hour))
	require.Equal(t, 1, saying(l.texts("grace"), "have not answered"))
	require.Equal(t, days(90), l.endAtRentVine(), "silence is never a yes")
	l.nobodyIsAsked()
	l.nothingTwice()
}

func TestLettersOfACampaignWaitForTheMorning(t *testing.T) {
	t.Parallel()
	l := letting(t, -275, 90)
	l.start = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC) // 20:00 in Los Angeles
	require.Equal(t, renewal.OutcomeDeclined, ends(l, leasing.RenewalName, l.renewal(), func() {
		l.at(2*time.Hour, func() { l.agrees(1) })
		l.at(11*time.Hour, func() {
			require.Empty(t, l.textsTo(renterPhone))
			require.Equal(t, 1, l.campaign().Held)
		})
		l.at(13*time.Hour, func() {
			require.Equal(t, 1, saying(l.textsTo(renterPhone), "like you to stay"))
			require.Zero(t, l.campaign().Held)
			l.agrees(2)
		})
		l.at(27*time.Hour, func() { // 23:00: what is held loses its sense, too
			l.says(renterPhone, renewal.AskSign, renewal.Decline, nil)
		})
	}))
	l.nobodyIsAsked()
	l.nothingTwice()
}

func TestARenewalThatRentVineDoesNotTakeIsTold(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sandbox.Fault{
		"answered as done without a change": {Status: 200, Method: http.MethodPost},
		"refused":                           {Status: 400, Method: http.MethodPost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := letting(t, -275, 90)
			require.Equal(t, renewal.OutcomeRenewedUnwritten, ends(l, leasing.RenewalName, l.renewal(), func() {
				l.at(time.Hour, func() {
					l.says(landlordMail, renewal.AskOwner, renewal.Change, map[string]string{amountOf: "1850.00"})
				})
				l.at(2*time.Hour, func() { l.agrees(2) })
				l.at(3*time.Hour, func() {
					require.NoError(t, l.box.SetFault(sandbox.RentVine, fault))
					l.agrees(3)
				})
			}))
			l.box.ClearFault(sandbox.RentVine)
			require.Equal(t, days(90), l.endAtRentVine())
			require.Equal(t, 1, saying(l.texts("grace"), "does not show it"), "%q", l.texts("grace"))
			require.Zero(t, saying(l.textsTo(renterPhone), "is renewed"))
			l.nobodyIsAsked()
		})
	}
}

// played stands in for a campaign: it hears of the lease, and never ends by itself.
func played[S any](l *tenancy) func(workflow.Context, leasing.Campaign[S]) (leasing.CampaignResult, error) {
	return func(ctx workflow.Context, _ leasing.Campaign[S]) (leasing.CampaignResult, error) {
		for {
			var view activities.LeaseView
			workflow.GetSignalChannel(ctx, leasing.LeaseChanged.Name).Receive(ctx, &view)
			l.heard = append(l.heard, view)
		}
	}
}

// withoutCampaigns has played stand in for all campaigns.
func (l *tenancy) withoutCampaigns() {
	l.env.SetDetachedChildWait(false)
	for name, run := range map[string]any{
		leasing.MoveInName: played[movein.State](l), leasing.RenewalName: played[renewal.State](l), leasing.RetentionName: played[retention.State](l),
	} {
		l.env.RegisterWorkflowWithOptions(run, workflow.RegisterOptions{Name: name, DisableAlreadyRegisteredCheck: true})
	}
}

// follows runs the workflow of the lease; campaigns are not played, but counted.
func (l *tenancy) follows(during func()) (begun func() []string) {
	l.t.Helper()
	var names []string
	l.patiently(leasing.LeaseID(l.lease), func() {
		l.env.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, _ converter.EncodedValues) {
			names = append(names, info.WorkflowExecution.ID)
		})
		l.withoutCampaigns()
		during()
	})
	l.env.ExecuteWorkflow(leasing.LeaseName, leasing.LeaseInput{ID: l.lease})
	require.True(l.t, l.env.IsWorkflowCompleted())
	require.NoError(l.t, l.env.GetWorkflowError())
	var result leasing.LeaseResult
	require.NoError(l.t, l.env.GetWorkflowResult(&result))
	require.Equal(l.t, "ended", result.Outcome)
	return func() []string { return names }
}

func (l *tenancy) describeLease() leasing.LeaseDescription {
	l.t.Helper()
	value, err := l.env.QueryWorkflow(leasing.DescribeLease.Name)
	require.NoError(l.t, err)
	var d leasing.LeaseDescription
	require.NoError(l.t, value.Get(&d))
	return d
}

// happens tells the lease that something has happened to it.
func (l *tenancy) happens(kind string) {
	l.events++
	l.tell(durable.Event{
		Source: "rentvine", Type: kind, EntityID: l.lease, Key: fmt.Sprintf("rentvine/evt_%d", l.events), ReceivedAt: l.env.Now(),
	})
}

// closes ends the lease, and with it its workflow.
func (l *tenancy) closes() {
	l.t.Helper()
	l.atRentVine(map[string]any{"primaryLeaseStatusID": "3", "closedDate": days(0)})
	l.happens("lease.updated")
}

// ended tells the lease how its running campaign has ended.
func (l *tenancy) ended(kind, workflowID, outcome string) {
	l.env.SignalWorkflow(leasing.CampaignEnded.Name, leasing.Ended{Kind: kind, WorkflowID: workflowID, Outcome: outcome, At: l.env.Now()})
}

func TestALeaseOfLongAgoIsAdoptedSilently(t *testing.T) {
	t.Parallel()
	l := letting(t, -400, 60)
	begun := l.follows(func() {
		l.at(0, func() {
			l.env.SignalWorkflow(leasing.LeaseFound.Name, durable.Event{Source: "rentvine", Type: "lease.found", EntityID: l.lease, Key: "rentvine/sweep/1"})
		})
		l.at(time.Hour, func() {
			d := l.describeLease()
			require.True(t, d.Adopted)
			require.Equal(t, leasing.StageLiving, d.Stage)
			require.Equal(t, "left_to_people", d.Renewal.Outcome, "its time had begun before us")
			require.True(t, d.RenewalAt.IsZero())
			require.NotEmpty(t, d.Next)
		})
		l.at(20*24*time.Hour, func() { l.happens("lease.updated") })
		l.at(40*24*time.Hour, l.closes)
	})
	require.Empty(t, begun())
	require.Empty(t, l.sent(), "nobody who lives there is written to")
	require.Equal(t, leasing.StageEnded, l.describeLease().Stage)
}

func TestANewLeaseBeginsItsMoveIn(t *testing.T) {
	t.Parallel()
	l := letting(t, 10, 375)
	moveIn := "move-in/" + l.lease
	begun := l.follows(func() {
		l.at(0, func() { l.happens("lease.created"); l.happens("lease.created") })
		l.at(time.Hour, func() {
			d := l.describeLease()
			require.False(t, d.Adopted)
			require.Equal(t, leasing.StageMovingIn, d.Stage)
			require.Equal(t, moveIn, d.MoveIn.WorkflowID)
			require.Equal(t, days(10), d.MovesIn)
			l.atRentVine(map[string]any{"moveInDate": days(12)})
			l.happens("lease.updated")
		})
		l.at(2*time.Hour, func() {
			require.Equal(t, days(12), l.describeLease().MovesIn)
			require.Len(t, l.heard, 1)
			require.Equal(t, days(12), l.heard[0].MoveIn)
			l.ended(leasing.KindMoveIn, moveIn, movein.Completed)
		})
		l.at(3*time.Hour, func() {
			d := l.describeLease()
			require.Equal(t, leasing.StageLiving, d.Stage)
			require.Equal(t, movein.Completed, d.MoveIn.Outcome)
			l.closes()
		})
	})
	require.Equal(t, []string{moveIn}, begun(), "once")
}

func TestALeaseBeginsItsRenewalOnItsDay(t *testing.T) {
	t.Parallel()
	l := letting(t, -400, 100)
	id := "renewal/" + l.lease + "/" + days(100)
	begun := l.follows(func() {
		l.at(0, func() { l.happens("lease.updated") })
		l.at(9*24*time.Hour, func() { require.Empty(t, l.describeLease().Renewal.WorkflowID) })
		l.at(11*24*time.Hour, func() {
			require.Equal(t, leasing.StageRenewing, l.describeLease().Stage)
			l.atRentVine(map[string]any{"endDate": days(465)})
			l.ended(leasing.KindRenewal, id, renewal.OutcomeRenewed)
		})
		l.at(12*24*time.Hour, func() {
			d := l.describeLease()
			require.Equal(t, days(465), d.Ends)
			require.Equal(t, days(375), d.RenewalAt.Format(time.DateOnly), "armed for the new end")
			l.closes()
		})
	})
	require.Equal(t, []string{id}, begun())
}

func TestALeaseThatRentVineDoesNotShowYetIsLookedForAgain(t *testing.T) {
	t.Parallel()
	l := letting(t, 10, 375)
	l.lease = "777"
	begun := l.follows(func() {
		l.at(0, func() { l.happens("lease.created") })
		l.at(45*time.Second, func() {
			require.Equal(t, leasing.StageUnread, l.describeLease().Stage)
			l.let("777", 10, 375)
		})
		l.at(time.Hour, func() {
			require.Equal(t, leasing.StageMovingIn, l.describeLease().Stage)
			l.ended(leasing.KindMoveIn, "move-in/777", movein.Completed)
			l.closes()
		})
	})
	require.Equal(t, []string{"move-in/777"}, begun())
}

func TestALeaseThatRentVineNeverShowsEnds(t *testing.T) {
	t.Parallel()
	l := letting(t, 10, 375)
	l.lease = "778"
	begun := l.follows(func() { l.at(0, func() { l.happens("lease.created") }) })
	require.Empty(t, begun())
	require.Less(t, l.since(l.env.Now()), time.Hour)
}

func TestALeaseOutlastsADayWithoutRentVine(t *testing.T) {
	t.Parallel()
	l := letting(t, 10, 375)
	require.NoError(t, l.box.SetFault(sandbox.RentVine, sandbox.Fault{Status: 503}))
	begun := l.follows(func() {
		l.at(0, func() { l.happens("lease.created") })
		l.at(12*time.Hour, func() { l.happens("lease.updated") })
		l.at(24*time.Hour, func() {
			require.Equal(t, leasing.StageUnread, l.describeLease().Stage)
			l.box.ClearFault(sandbox.RentVine)
		})
		l.at(25*time.Hour, func() {
			require.Equal(t, leasing.StageMovingIn, l.describeLease().Stage)
			l.ended(leasing.KindMoveIn, "move-in/"+l.lease, movein.Completed)
			l.closes()
		})
	})
	require.Len(t, begun(), 1)
}

// A refusal is no end: RentVine is asked again hours later, and not all the time.
func TestALeaseThatRentVineRefusesIsReadAgainLater(t *testing.T) {
	t.Parallel()
	l := letting(t, 10, 375)
	require.NoError(t, l.box.SetFault(sandbox.RentVine, sandbox.Fault{Status: 400}))
	begun := l.follows(func() {
		l.at(0, func() { l.happens("lease.created") })
		l.at(time.Hour, func() {
			require.Equal(t, leasing.StageUnread, l.describeLease().Stage)
			l.happens("lease.updated")
			l.box.ClearFault(sandbox.RentVine)
		})
		l.at(5*time.Hour, func() {
			require.Equal(t, leasing.StageUnread, l.describeLease().Stage)
		})
		l.at(7*time.Hour, func() {
			require.Equal(t, leasing.StageMovingIn, l.describeLease().Stage)
			l.ended(leasing.KindMoveIn, "move-in/"+l.lease, movein.Completed)
			l.closes()
		})
	})
	require.Len(t, begun(), 1)
}

// runsOn is the input of a lease's workflow that continued as new while its move-in was
// under way, which is not in the environment.
func (l *tenancy) runsOn(first func() durable.Event) leasing.LeaseInput {
	l.t.Helper()
	l.patiently(leasing.LeaseID(l.lease), func() {
		l.withoutCampaigns()
		l.at(0, func() { l.env.SetContinueAsNewSuggested(true); l.tell(first()) })
	})
	l.env.ExecuteWorkflow(leasing.LeaseName, leasing.LeaseInput{ID: l.lease})
	var next *workflow.ContinueAsNewError
	require.ErrorAs(l.t, l.env.GetWorkflowError(), &next)
	require.Equal(l.t, leasing.LeaseName, next.WorkflowType.Name)
	var in leasing.LeaseInput
	require.NoError(l.t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
	l.start = l.env.Now()
	return in
}

func TestALeaseContinuesAsNew(t *testing.T) {
	t.Parallel()
	l := letting(t, 10, 375)
	first := func() durable.Event {
		return durable.Event{Source: "rentvine", Type: "lease.created", EntityID: l.lease, Key: "rentvine/evt_first", ReceivedAt: l.env.Now()}
	}
	in, children := l.runsOn(first), 0
	l.patiently(leasing.LeaseID(l.lease), func() {
		l.env.OnSignalExternalWorkflow(mock.Anything, mock.Anything, mock.Anything, leasing.LeaseChanged.Name, mock.Anything).Return(nil).Maybe()
		l.env.SetOnChildWorkflowStartedListener(func(*workflow.Info, workflow.Context, converter.EncodedValues) { children++ })
		l.at(time.Minute, func() { l.tell(first()) })
		l.at(time.Hour, func() {
			d := l.describeLease()
			require.Equal(t, leasing.StageMovingIn, d.Stage)
			require.Equal(t, map[string]int{"lease.created": 1}, d.Events, "what was seen before is not taken again")
			l.ended(leasing.KindMoveIn, "move-in/"+l.lease, movein.Completed)
			l.closes()
		})
	})
	l.env.ExecuteWorkflow(leasing.LeaseName, in)
	require.NoError(t, l.env.GetWorkflowError())
	require.Zero(t, children, "the move-in runs already")
}

// A campaign may end just when it is to be told of the lease.
func TestHowACampaignEndedIsKnownThoughItCannotBeToldAnyMore(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]bool{"it said so": true, "it was terminated": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := letting(t, 10, 375)
			in := l.runsOn(func() durable.Event {
				return durable.Event{Source: "rentvine", Type: "lease.created", EntityID: l.lease, Key: "rentvine/evt_first", ReceivedAt: l.env.Now()}
			})
			outcome := ""
			l.patiently(leasing.LeaseID(l.lease), func() {
				l.env.OnSignalExternalWorkflow(mock.Anything, "move-in/"+l.lease, mock.Anything, leasing.LeaseChanged.Name, mock.Anything).
					Return(func(_, _, _, _ string, _ any) error {
						if says {
							l.ended(leasing.KindMoveIn, "move-in/"+l.lease, movein.Completed)
						}
						return errors.New("there is no such workflow any more")
					}).Once()
				l.at(time.Minute, func() { l.happens("lease.updated") })
				l.at(time.Hour, func() {
					require.Empty(t, l.describeLease().MoveIn.WorkflowID)
					outcome = l.describeLease().MoveIn.Outcome
					l.closes()
				})
			})
			l.env.ExecuteWorkflow(leasing.LeaseName, in)
			require.NoError(t, l.env.GetWorkflowError())
			require.Equal(t, map[bool]string{true: movein.Completed, false: "unknown"}[says], outcome)
		})
	}
}

// A command that makes no sense is refused with what does.
func TestACampaignThatMakesNoSenseIsNotBegun(t *testing.T) {
	t.Parallel()
	l := letting(t, -400, 300)
	begin := func(kind string) *updated {
		return command(l.scenario, leasing.BeginCampaign, leasing.BeginCommand{Command: durable.Command{By: "omar", Why: "a test"}, Kind: kind})
	}
	var unknown, fits, twice *updated
	begun := l.follows(func() {
		l.at(0, func() { l.happens("lease.updated") })
		l.at(time.Hour, func() { unknown = begin("eviction"); fits = begin(leasing.KindRetention) })
		l.at(2*time.Hour, func() { twice = begin(leasing.KindRetention) })
		l.at(3*time.Hour, func() {
			l.ended(leasing.KindRetention, "retention/"+l.lease+"/1", retention.OutcomeUnchanged)
			l.closes()
		})
	})
	require.ErrorContains(t, unknown.err, "move_in, renewal, retention")
	require.NoError(t, fits.err)
	require.ErrorContains(t, twice.err, "under way")
	require.Equal(t, []string{"retention/" + l.lease + "/1"}, begun())
	var refused *temporal.ApplicationError
	require.ErrorAs(t, twice.err, &refused)
}
