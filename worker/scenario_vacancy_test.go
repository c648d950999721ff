package worker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	stdsync "sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/appointments"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/clients/twilio"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/sandbox"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/portfolio"
)

const (
	agentMail         = "chloe@example.com"
	patMail, patPhone = "pat@example.org", "+13235550190"
	quinnMail         = "quinn@example.org"
	vacancyID         = "vacancy/1"
)

// vacancy is a scenario about unit 1, which stands empty.
type vacancy struct {
	*scenario
	mu stdsync.Mutex
	// ended is what the property heard, priced which pricings were begun.
	ended  []portfolio.Ended
	priced []portfolio.PricingInput
}

func emptyHome() portfolio.UnitNow {
	return portfolio.UnitNow{
		Property: activities.PropertyView{
			ID: "1", PortfolioID: "1", Found: true, Active: true, Address: "12 Elm Street", City: "Los Angeles", State: "CA",
			PostalCode: "90012", Zone: "America/Los_Angeles", ReadAt: saturday,
		},
		Unit: activities.UnitView{ID: "1", Label: "2", Active: true, Beds: 2, BedsKnown: true, Baths: 1, Size: 850, Rent: 195000, EmptySince: "2026-11-11"},
	}
}

// letHome plays a vacancy; its error is the workflow's.
func letHome(v *vacancy, in portfolio.VacancyInput, during func()) error {
	v.t.Helper()
	v.freshEnvironment(vacancyID)
	v.env.SetWorkerOptions(v.workerOptions(&manyTries{}))
	v.env.OnSignalExternalWorkflow(mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything).
		Return(func(_, id, _, _ string, arg any) error {
			v.mu.Lock()
			defer v.mu.Unlock()
			ended, ok := arg.(portfolio.Ended)
			if !ok || id != "property/1" {
				return errors.New("no such workflow runs")
			}
			v.ended = append(v.ended, ended)
			return nil
		}).Maybe()
	v.env.OnWorkflow(portfolio.PricingName, mock.Anything, mock.Anything).
		Return(func(_ workflow.Context, in portfolio.PricingInput) (portfolio.PricingResult, error) {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.priced = append(v.priced, in)
			return portfolio.PricingResult{}, nil
		}).Maybe()
	during()
	v.env.ExecuteWorkflow(portfolio.VacancyName, in)
	require.True(v.t, v.env.IsWorkflowCompleted())
	v.start = v.env.Now()
	return v.env.GetWorkflowError()
}

func (v *vacancy) result() (r portfolio.VacancyResult) {
	v.t.Helper()
	require.NoError(v.t, v.env.GetWorkflowResult(&r))
	return r
}

func (v *vacancy) describe() (d portfolio.VacancyDescription) {
	v.t.Helper()
	value, err := v.env.QueryWorkflow(portfolio.DescribeVacancy.Name)
	require.NoError(v.t, err)
	require.NoError(v.t, value.Get(&d))
	return d
}

// asks sends a request of somebody; its id is one of its own.
func (v *vacancy) asks(l portfolio.Lead) portfolio.Lead {
	v.events++
	if l.ID == "" {
		l.ID = fmt.Sprint("lead-", v.events)
	}
	l.At = v.env.Now()
	v.env.SignalWorkflow(portfolio.LeadReceived.Name, l)
	return l
}

func pat() portfolio.Lead {
	return portfolio.Lead{Name: "Pat Prospect", Email: patMail, Phone: patPhone, Texts: true, Message: "May I bring a friend?", Source: "website", Via: "form"}
}

func quinn() portfolio.Lead {
	return portfolio.Lead{Name: "Quinn", Email: quinnMail, Source: "craigslist", Via: "mail"}
}

// asked is the newest open question to an address of a purpose.
func (v *vacancy) asked(address, purpose string) store.Question {
	v.t.Helper()
	found := store.Question{}
	for _, q := range v.openBids(address) {
		if string(q.Purpose) == purpose && !q.AskedAt.Before(found.AskedAt) {
			found = q
		}
	}
	require.NotEmpty(v.t, found.ID, "%s of %s: %+v", purpose, address, v.describe().Log)
	return found
}

// says answers it. The choice "at_0" is the first time that is offered.
func (v *vacancy) says(address, purpose, choice string, fields map[string]string) durable.Answer {
	v.t.Helper()
	q := v.asked(address, purpose)
	if choice == "at_0" {
		choice = q.Options[0].Choice
	}
	v.events++
	a := durable.Answer{ID: fmt.Sprint("link-", v.events), QuestionID: q.ID, Step: q.Step, Person: q.Person, Choice: choice, Fields: fields, Via: "link"}
	v.fact(a)
	return a
}

func (v *vacancy) approves(rent string) {
	v.t.Helper()
	v.says(officeMail, "approve_listing", "publish", map[string]string{"rent": rent})
}

// isLet tells that the unit has a lease.
func (v *vacancy) isLet() {
	u := emptyHome()
	u.Property.ReadAt = v.env.Now()
	u.Unit.LeaseID, u.Unit.EmptySince = "77", ""
	v.env.SignalWorkflow(portfolio.UnitChanged.Name, u)
}

func (v *vacancy) offered() (store.Listing, bool) {
	v.t.Helper()
	l, err := v.store.Listing(context.Background(), "1")
	if errors.Is(err, store.ErrNotFound) {
		return l, false
	}
	require.NoError(v.t, err)
	return l, true
}

// nothingLeft: nobody can answer any more, and nothing is offered or booked.
func (v *vacancy) nothingLeft() {
	v.t.Helper()
	for _, address := range []string{officeMail, agentMail, patMail, patPhone, quinnMail} {
		require.Empty(v.t, v.openBids(address), address)
	}
	_, offered := v.offered()
	require.False(v.t, offered)
	v.nothingTwice()
}

func TestAHomeIsLet(t *testing.T) {
	t.Parallel()
	v := &vacancy{scenario: newScenario(t)}
	require.NoError(t, letHome(v, portfolio.VacancyInput{UnitNow: emptyHome(), Why: "the vacancy rate rose"}, func() {
		v.at(time.Hour, func() {
			require.Equal(t, portfolio.StageApproving, v.describe().Stage)
			question := v.asked(officeMail, "approve_listing")
			require.Contains(t, fmt.Sprint(question.Details), "$1,950.00 a month")
			require.Contains(t, fmt.Sprint(question.Details), "2 bedrooms, 1 bath and 850 sq ft in Los Angeles, CA.")
			v.asks(pat()) // before it is offered
		})
		v.at(2*time.Hour, func() {
			require.Empty(t, v.textsTo(patPhone))
			v.approves("2000.00")
		})
		v.at(2*time.Hour+time.Minute, func() {
			listing, _ := v.offered()
			require.Equal(t, int64(200000), listing.Rent)
			require.Contains(t, listing.Text, "for $2,000 a month", "the words follow the rent")
			require.Equal(t, vacancyID, listing.WorkflowID)
			require.Len(t, v.textsTo(patPhone), 1)
			require.Empty(t, v.mails(patMail))
			v.asks(quinn())
		})
		v.at(2*time.Hour+2*time.Minute, func() {
			require.Len(t, v.mails(quinnMail), 1)
			require.NotContains(t, v.mails(quinnMail)[0].Text, "Quinn", "a form may hold another's address")
			v.says(patPhone, "showing", "at_0", nil)
		})
		v.at(3*time.Hour, func() {
			require.Equal(t, portfolio.StageShowing, v.describe().Stage)
			require.Len(t, v.mails(agentMail), 1, "the calendar entry")
			require.Contains(t, v.mails(agentMail)[0].Text, patPhone)
			require.Len(t, v.mails(patMail), 1)
			require.NotContains(t, v.mails(patMail)[0].Text, "friend")
			require.Equal(t, 1, saying(v.textsTo(patPhone), "we show you"))
		})
		v.at(10*time.Hour, func() { v.says(patPhone, "apply_for_home", "apply", nil) })
		v.at(11*time.Hour, func() {
			require.Equal(t, portfolio.StageApplied, v.describe().Stage)
			list, err := v.acts.RentVine.Prospects(context.Background(), time.Time{})
			require.NoError(t, err)
			require.Len(t, list, 1)
			require.Equal(t, patMail, list[0].Email)
			require.Len(t, v.mails(agentMail), 2)
		})
		v.at(50*time.Hour, func() { v.isLet(); v.isLet() })
	}))
	require.Equal(t, portfolio.VacancyResult{
		Outcome: "let", DaysListed: 2, Leads: 2, Showings: 1, Applications: 1,
		Cost: 267 + 327 + 100, // two days of Zillow and Apartments.com, and a lead from Craigslist
	}, v.result())
	require.Equal(t, []portfolio.Ended{{WorkflowID: vacancyID, Kind: "vacancy", UnitID: "1", Outcome: "let"}}, v.ended)
	require.Equal(t, 1, strings.Count(fmt.Sprint(v.mails(quinnMail)), "not available any more"))
	require.Zero(t, saying(v.textsTo(patPhone), "not available"), "he may be the tenant")
	lettings, err := v.store.Lettings(context.Background(), store.PortfolioFilter{})
	require.NoError(t, err)
	require.Len(t, lettings, 1)
	require.Equal(t, "website", lettings[0].Source)
	require.Equal(t, map[string]int{"website": 1, "craigslist": 1}, lettings[0].Sources)
	require.Positive(t, lettings[0].FirstReply)
	reports := v.mails(officeMail)
	require.Contains(t, reports[len(reports)-1].Text+reports[len(reports)-2].Text, "Tenant from Own website")
	v.nothingLeft()
}

func TestAProspectIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	v := &vacancy{scenario: newScenario(t)}
	require.NoError(t, letHome(v, portfolio.VacancyInput{UnitNow: emptyHome()}, func() {
		v.at(time.Hour, func() { v.approves("1950.00") })
		v.at(2*time.Hour, func() {
			first := v.asks(pat())
			v.asks(first) // delivered again
			v.asks(portfolio.Lead{Email: "PAT@example.org", Source: "zillow", Via: "mail"})
		})
		v.at(2*time.Hour+time.Second, func() { require.Len(t, v.textsTo(patPhone), 1) })
		v.at(2*time.Hour+9*time.Minute, func() { v.asks(pat()) })
		v.at(2*time.Hour+10*time.Minute, func() {
			require.Len(t, v.textsTo(patPhone), 1)
			require.Equal(t, []portfolio.StatusCount{{Status: "asked", Count: 1}}, v.describe().Prospects)
		})
		v.at(3*time.Hour, func() { v.asks(pat()) })
		v.at(3*time.Hour+time.Minute, func() {
			require.Len(t, v.textsTo(patPhone), 2, "he asks again after a while")
			command(v.scenario, portfolio.Withdraw, durable.Command{By: "omar", Why: "sold"})
		})
	}))
	require.Equal(t, "withdrawn", v.result().Outcome)
	require.Equal(t, 4, v.result().Leads)
	require.Empty(t, v.mails(patMail), "he is texted")
	v.nothingLeft()
}

func TestAShowingThatIsTakenIsAskedForAgain(t *testing.T) {
	t.Parallel()
	v := &vacancy{scenario: newScenario(t)}
	require.NoError(t, letHome(v, portfolio.VacancyInput{UnitNow: emptyHome()}, func() {
		v.at(time.Hour, func() { v.approves("1950.00") })
		v.at(2*time.Hour, func() { v.asks(pat()); v.asks(quinn()) })
		v.at(3*time.Hour, func() {
			pats, quinns := v.says(patPhone, "showing", "at_0", nil), v.says(quinnMail, "showing", "at_0", nil)
			require.Equal(t, pats.Choice, quinns.Choice, "the same time")
		})
		v.at(3*time.Hour+time.Minute, func() {
			require.Equal(t, []portfolio.StatusCount{{Status: "asked", Count: 1}, {Status: "booked", Count: 1}}, v.describe().Prospects)
			require.Contains(t, v.mails(quinnMail)[1].Text, "omebody was faster")
			v.says(patPhone, "showing_booked", "other", nil)
		})
		v.at(4*time.Hour, func() {
			require.Len(t, v.mails(patMail), 2, "the entry, and that it is off")
			require.Contains(t, v.mails(patMail)[1].Subject, "Cancelled")
			require.Len(t, v.mails(agentMail), 2)
			v.says(patPhone, "showing", "at_0", nil)
			v.says(quinnMail, "showing", "not_for_me", nil)
		})
		v.at(5*time.Hour, func() { v.isLet() })
	}))
	require.Equal(t, "let", v.result().Outcome)
	require.Zero(t, v.result().Showings)
	require.Contains(t, v.mails(patMail)[3].Subject, "Cancelled", "the showing that was agreed is off")
	require.Len(t, v.mails(agentMail), 4)
	require.Equal(t, 1, saying(v.textsTo(patPhone), "not available any more"))
	require.Zero(t, strings.Count(fmt.Sprint(v.mails(quinnMail)), "not available any more"))
	booked, err := v.store.Booked(context.Background(), "chloe", saturday, saturday.AddDate(0, 1, 0))
	require.NoError(t, err)
	require.Empty(t, booked)
	v.nothingLeft()
}

func TestSilencePublishesWhereARentIsKnown(t *testing.T) {
	t.Parallel()
	v := &vacancy{scenario: newScenario(t)}
	require.NoError(t, letHome(v, portfolio.VacancyInput{UnitNow: emptyHome()}, func() {
		v.at(47*time.Hour, func() {
			_, offered := v.offered()
			require.False(t, offered)
		})
		v.at(49*time.Hour, func() {
			listing, _ := v.offered()
			require.Equal(t, int64(195000), listing.Rent)
			require.Equal(t, "2026-11-23", listing.Available)
			require.Len(t, v.openBids(officeMail), 1, "the manager has not answered yet")
			v.env.SignalWorkflow(portfolio.PriceSettled.Name, portfolio.Price{Rent: 190000})
		})
		v.at(50*time.Hour, func() {
			listing, _ := v.offered()
			require.Equal(t, int64(190000), listing.Rent)
			require.Contains(t, listing.Text, "$1,900 a month")
		})
		v.at(40*24*time.Hour, func() {
			require.Len(t, v.priced, 2, "the price is looked at every two weeks")
			require.Equal(t, vacancyID, v.priced[0].Vacancy)
			require.Equal(t, int64(190000), int64(v.priced[0].Asked), "what is asked, whatever RentVine shows")
			require.Equal(t, time.Hour, v.priced[0].PricedAt.Sub(v.priced[0].ListedAt).Round(time.Hour))
			require.Equal(t, 1, strings.Count(fmt.Sprint(v.mails("omar@example.com")), "nobody has applied"))
			v.isLet()
		})
	}))
	require.Equal(t, 38, v.result().DaysListed)
	v.nothingLeft()
}

func TestTheManagerMayStillAnswerAfterSilence(t *testing.T) {
	t.Parallel()
	v := &vacancy{scenario: newScenario(t)}
	var refused *updated
	require.NoError(t, letHome(v, portfolio.VacancyInput{UnitNow: emptyHome()}, func() {
		v.at(49*time.Hour, func() {
			q := v.asked(officeMail, "approve_listing")
			refused = command(v.scenario, durable.GiveAnswer, durable.Answer{
				ID: "link-" + q.ID, QuestionID: q.ID, Step: q.Step, Person: q.Person, Choice: "publish",
				Fields: map[string]string{"rent": "1900.00", "text": "Ideal for a young couple."},
			})
			v.approves("1900.00")
		})
		v.at(50*time.Hour, func() {
			listing, _ := v.offered()
			require.Equal(t, int64(190000), listing.Rent)
			require.ErrorContains(t, refused.err, "who should live there")
			require.NotContains(t, listing.Text, "couple")
			require.Empty(t, v.openBids(officeMail))
			v.isLet()
		})
	}))
	v.nothingLeft()
}

// A mail that never left asks nobody: its silence publishes nothing.
func TestNobodyWasAskedSoNothingIsPublished(t *testing.T) {
	t.Parallel()
	v := &vacancy{scenario: newScenario(t)}
	var err error
	v.acts.Outbound, err = activities.NewOutbound("record", nil)
	require.NoError(t, err)
	require.NoError(t, letHome(v, portfolio.VacancyInput{UnitNow: emptyHome()}, func() {
		v.at(20*24*time.Hour, func() {
			_, offered := v.offered()
			require.False(t, offered)
			v.isLet()
		})
	}))
	v.nothingLeft()
}

// A reload of the policy without the section is no reason to take homes off the market.
func TestACampaignOutlastsThePolicysSection(t *testing.T) {
	t.Parallel()
	v := &vacancy{scenario: newScenario(t)}
	rules, reads := v.rules.Portfolio("1", "1"), 0
	var due []time.Time
	require.NoError(t, letHome(v, portfolio.VacancyInput{UnitNow: emptyHome()}, func() {
		v.env.OnActivity(activities.ReadPortfolio.Name, mock.Anything, mock.Anything).
			Return(func(context.Context, activities.PlaceRef) (policy.Portfolio, error) {
				if reads++; reads > 1 {
					return policy.Portfolio{}, nil
				}
				return rules, nil
			})
		v.env.OnUpsertTypedSearchAttributes(mock.Anything).Return(nil).Run(func(args mock.Arguments) {
			shown, ok := args.Get(0).(temporal.SearchAttributes)
			require.True(t, ok)
			at, _ := shown.GetTime(durable.DueBy)
			due = append(due, at)
		})
		v.at(time.Hour, func() { v.approves("1950.00") })
		v.at(40*time.Hour, func() { v.asks(quinn()) })
		v.at(41*time.Hour, func() {
			require.Greater(t, reads, 1)
			_, offered := v.offered()
			require.True(t, offered)
			require.Len(t, v.mails(quinnMail), 1)
			require.WithinDuration(t, v.describe().NextAt, due[len(due)-1], 0, "lists follow what is due")
			v.isLet()
		})
	}))
	require.Equal(t, "let", v.result().Outcome)
	v.nothingLeft()
}

func TestAHomeThatThePolicyDoesNotFollow(t *testing.T) {
	t.Parallel()
	v := &vacancy{scenario: newScenario(t)}
	require.NoError(t, letHome(v, portfolio.VacancyInput{UnitNow: emptyHome()}, func() {
		v.env.OnActivity(activities.ReadPortfolio.Name, mock.Anything, mock.Anything).Return(policy.Portfolio{}, nil)
	}))
	require.Equal(t, portfolio.VacancyResult{Outcome: "stopped"}, v.result())
}

func TestWithoutARentSomebodyMustAnswer(t *testing.T) {
	t.Parallel()
	v := &vacancy{scenario: newScenario(t)}
	home := emptyHome()
	home.Unit.Rent = 0
	require.NoError(t, letHome(v, portfolio.VacancyInput{UnitNow: home}, func() {
		v.env.OnActivity(activities.PriceUnit.Name, mock.Anything, mock.Anything).Return(activities.PriceSuggestion{}, nil)
		v.at(20*24*time.Hour, func() {
			_, offered := v.offered()
			require.False(t, offered)
			require.Len(t, v.mails(officeMail), 3)
			require.Len(t, v.mails("omar@example.com"), 1)
			v.says("omar@example.com", "approve_listing", "withdraw", nil)
		})
	}))
	require.Equal(t, portfolio.VacancyResult{Outcome: "withdrawn"}, v.result())
	v.nothingLeft()
}

func TestAProspectAtNightIsAnsweredByMail(t *testing.T) {
	t.Parallel()
	v := &vacancy{scenario: newScenario(t)}
	require.NoError(t, letHome(v, portfolio.VacancyInput{UnitNow: emptyHome()}, func() {
		v.at(time.Hour, func() { v.approves("1950.00") })
		v.at(14*time.Hour, func() { v.asks(pat()) }) // midnight in Los Angeles
		v.at(14*time.Hour+time.Second, func() {
			require.Len(t, v.mails(patMail), 1)
			require.Empty(t, v.textsTo(patPhone))
			v.env.CancelWorkflow()
		})
	}))
	require.Equal(t, "stopped", v.result().Outcome, "a cancelled workflow takes back what it began")
	require.Equal(t, "stopped", v.ended[0].Outcome)
	require.Len(t, v.mails(patMail), 2)
	v.nothingLeft()
}

func TestALettingOutlastsPartners(t *testing.T) {
	t.Parallel()
	v := &vacancy{scenario: newScenario(t)}
	// The breaker keeps real time, and the stories do not.
	v.acts.Twilio = twilio.New(twilio.Config{
		AccountSID: "AC00000000000000000000000000000001", AuthToken: "token", BaseURL: v.base + "/twilio", From: "+12135550100",
		HTTP: partner.HTTPConfig{BreakAfter: 1_000_000},
	})
	require.NoError(t, letHome(v, portfolio.VacancyInput{UnitNow: emptyHome()}, func() {
		v.at(time.Hour, func() { v.approves("1950.00") })
		v.at(2*time.Hour, func() {
			require.NoError(t, v.box.SetFault(sandbox.Twilio, sandbox.Fault{Status: 503}))
			v.asks(portfolio.Lead{Phone: patPhone, Texts: true, Source: "website", Via: "form"})
			v.asks(quinn())
		})
		v.at(2*time.Hour+5*time.Minute, func() { require.Len(t, v.mails(quinnMail), 1, "mail goes on") })
		v.at(4*time.Hour, func() { v.box.ClearFault(sandbox.Twilio) })
		v.at(6*time.Hour, func() {
			require.Len(t, v.textsTo(patPhone), 1)
			v.isLet()
		})
	}))
	v.nothingLeft()
}

func TestAVacancyContinuesAsNew(t *testing.T) {
	t.Parallel()
	v := &vacancy{scenario: newScenario(t)}
	in := portfolio.VacancyInput{UnitNow: emptyHome(), Why: "a test"}
	var chosen durable.Answer
	steps := []func(){
		func() { v.approves("1950.00"); v.asks(pat()) },
		func() { chosen = v.says(patPhone, "showing", "at_0", nil) },
		func() { v.fact(chosen) }, // again
		func() { v.says(patPhone, "apply_for_home", "apply", nil) },
		func() { v.isLet() },
	}
	for i, step := range steps {
		last := i == len(steps)-1
		err := letHome(v, in, func() {
			v.at(time.Hour, func() {
				if i == 3 {
					return
				}
				v.env.SetContinueAsNewSuggested(!last)
				step()
			})
			if i == 3 {
				v.at(24*time.Hour, func() { v.env.SetContinueAsNewSuggested(true); step() })
			}
		})
		if last {
			require.NoError(t, err)
			continue
		}
		var next *workflow.ContinueAsNewError
		require.ErrorAs(t, err, &next)
		in = portfolio.VacancyInput{}
		require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
		require.NotNil(t, in.State)
		require.Equal(t, "a test", in.Why)
	}
	require.Equal(t, portfolio.VacancyResult{Outcome: "let", DaysListed: 2, Leads: 1, Showings: 1, Applications: 1, Cost: 267 + 327}, v.result())
	require.Len(t, v.mails(patMail), 1, "one calendar entry")
	require.Equal(t, 1, v.calls(sandbox.RentVine, http.MethodPost, "/prospects"))
	v.nothingLeft()
}

// losesOne loses the reply to the first prospect that RentVine takes. Phones are shown as
// people write them.
type losesOne struct{ once stdsync.Once }

func (l *losesOne) RoundTrip(r *http.Request) (*http.Response, error) {
	reply, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && r.Method == http.MethodGet {
		data, readErr := io.ReadAll(reply.Body)
		data = bytes.ReplaceAll(data, []byte(patPhone), []byte("(323) 555-0190"))
		err = errors.Join(readErr, reply.Body.Close())
		reply.Body, reply.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
	}
	if err == nil && r.Method == http.MethodPost && strings.Contains(r.URL.Path, "prospects") {
		lost := false
		l.once.Do(func() { lost = true })
		if lost {
			return nil, errors.Join(errors.New("the connection broke"), reply.Body.Close())
		}
	}
	return reply, err
}

func TestAnApplicantIsWrittenOnce(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]activities.ProspectInput{
		"by mail address": {Ref: "a/prospect/1", UnitID: "1", Name: "Pat van Prospect", Email: patMail, Phone: patPhone},
		"by phone":        {Ref: "a/prospect/1", UnitID: "1", Name: "Pat", Phone: patPhone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t)
			s.acts.RentVine = rentvine.New(rentvine.Config{
				BaseURL: s.base + "/rentvine/api/manager", AccessKey: "key", Secret: "secret",
				HTTP: partner.HTTPConfig{BreakAfter: 1_000_000, Transport: &losesOne{}},
			})
			t.Cleanup(s.acts.RentVine.Close)
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestActivityEnvironment()
			s.acts.RegisterRentVine(env)
			_, err := env.ExecuteActivity(activities.WriteProspect.Name, in)
			require.Error(t, err)
			for range 2 {
				value, err := env.ExecuteActivity(activities.WriteProspect.Name, in)
				require.NoError(t, err)
				var written activities.ProspectWritten
				require.NoError(t, value.Get(&written))
				require.NotEmpty(t, written.ID)
			}
			list, err := s.acts.RentVine.Prospects(context.Background(), time.Time{})
			require.NoError(t, err)
			require.Len(t, list, 1)
			require.Equal(t, 1, s.calls(sandbox.RentVine, http.MethodPost, "/prospects"))
		})
	}
}

func TestShowingsOfAWorkflowAreKeptApart(t *testing.T) {
	t.Parallel()
	v := &vacancy{scenario: newScenario(t)}
	window := appointments.Window{Start: saturday, End: saturday.Add(time.Hour)}
	names := workflow.RegisterOptions{Name: "test.book"}
	v.env.RegisterWorkflowWithOptions(func(ctx workflow.Context) ([]bool, error) {
		var all []bool
		for _, visit := range []string{"prospect-1", "prospect-1", "prospect-2", ""} {
			ok, err := activities.BookAppointment.Run(ctx, activities.BookInput{Visit: visit, Worker: "chloe", Window: window, JobsPerWindow: 1}, "book")
			if err != nil {
				return nil, err
			}
			all = append(all, ok)
			if visit == "prospect-2" {
				if _, err := activities.CancelVisit.Run(ctx, "prospect-1", "cancel"); err != nil {
					return nil, err
				}
			}
		}
		return all, nil
	}, names)
	v.env.ExecuteWorkflow(names.Name)
	var all []bool
	require.NoError(t, v.env.GetWorkflowResult(&all))
	require.Equal(t, []bool{true, true, false, true}, all)
}
