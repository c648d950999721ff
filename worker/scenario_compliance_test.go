package worker_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/store/blobs"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/portfolio"
)

// watch is a scenario about one requirement.
type watch struct {
	*scenario
	in                  portfolio.ComplianceInput
	manager, escalation string
	mu                  sync.Mutex
	ended               []portfolio.Ended
}

// newWatch is about the property of the sandbox, and its unit where the requirement wants
// one.
func newWatch(t *testing.T, requirement, unit string) *watch {
	t.Helper()
	w := &watch{scenario: newScenarioWith(t, (*scenario).now)}
	w.acts.Photos = blobs.InMemory()
	t.Cleanup(func() { require.NoError(t, w.acts.Photos.Close()) })
	rules := w.rules.Portfolio("1", "1")
	w.manager, w.escalation = rules.Manager.Email, rules.Escalation.Email
	require.NotEqual(t, w.manager, w.escalation)
	w.in = portfolio.ComplianceInput{
		Property: activities.PropertyView{
			ID: "1", PortfolioID: "1", Found: true, Active: true, Address: "12 Elm St", City: "Los Angeles", State: "CA",
			Zone: "America/Los_Angeles", Units: []activities.UnitView{{ID: "1", Label: "Apt 3", Active: true}, {ID: "2", Label: "Apt 4", Active: true}},
		},
		UnitID: unit, RequirementID: requirement,
	}
	return w
}

// runs plays one run of the workflow; during is told what to do meanwhile.
func (w *watch) runs(during func()) error {
	w.t.Helper()
	w.freshEnvironment(portfolio.ComplianceID("1", w.in.UnitID, w.in.RequirementID))
	w.env.OnSignalExternalWorkflow(mock.Anything, "property/1", mock.Anything, mock.Anything, mock.Anything).
		Return(func(_, _, _, _ string, arg any) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			if ended, ok := arg.(portfolio.Ended); ok {
				w.ended = append(w.ended, ended)
			}
			return errors.New("no such workflow runs")
		}).Maybe()
	during()
	w.env.ExecuteWorkflow(portfolio.ComplianceName, w.in)
	require.True(w.t, w.env.IsWorkflowCompleted())
	w.start = w.env.Now()
	return w.env.GetWorkflowError()
}

// goesOn plays a run that goes on as new, and takes its state.
func (w *watch) goesOn(during func()) {
	w.t.Helper()
	var next *workflow.ContinueAsNewError
	require.ErrorAs(w.t, w.runs(during), &next)
	w.in = portfolio.ComplianceInput{}
	require.NoError(w.t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &w.in))
}

func (w *watch) result() string {
	w.t.Helper()
	var result portfolio.ComplianceResult
	require.NoError(w.t, w.env.GetWorkflowResult(&result))
	return result.Outcome
}

// on runs f at ten in the morning of a day.
func (w *watch) on(day string, f func()) {
	w.t.Helper()
	place, err := time.LoadLocation("America/Los_Angeles")
	require.NoError(w.t, err)
	at, err := time.ParseInLocation(time.DateOnly, day, place)
	require.NoError(w.t, err)
	w.at(at.Add(10*time.Hour).Sub(w.start), f)
}

// written are the letters to the manager and to the escalation contact so far.
func (w *watch) written() [2]int {
	w.t.Helper()
	return [2]int{len(w.mails(w.manager)), len(w.mails(w.escalation))}
}

func (w *watch) describe() portfolio.ComplianceDescription {
	w.t.Helper()
	value, err := w.env.QueryWorkflow(portfolio.DescribeCompliance.Name)
	require.NoError(w.t, err)
	var d portfolio.ComplianceDescription
	require.NoError(w.t, value.Get(&d))
	return d
}

// kept is what the store has of the requirement, zero for nothing.
func (w *watch) kept() store.ComplianceItem {
	w.t.Helper()
	items, err := w.store.ComplianceItems(context.Background(), store.PortfolioFilter{PropertyID: "1"})
	require.NoError(w.t, err)
	if len(items) == 0 {
		return store.ComplianceItem{}
	}
	require.Len(w.t, items, 1)
	return items[0]
}

// renewedBy is the manager's answer to the newest letter.
func (w *watch) renewedBy(on string, photos ...durable.Photo) durable.Answer {
	w.t.Helper()
	open := w.openBids(w.manager)
	require.NotEmpty(w.t, open)
	q := open[len(open)-1]
	return durable.Answer{ID: "link-" + q.ID, QuestionID: q.ID, Step: q.Step, Person: q.Person, Choice: "renewed",
		Fields: map[string]string{"renewed_on": on}, Photos: photos, Via: "link"}
}

func (w *watch) renews(on, until string) *updated {
	return command(w.scenario, portfolio.RenewRequirement, portfolio.RenewCommand{
		Command: durable.Command{By: "ann", Why: "the paper"}, RequirementRenewed: portfolio.RequirementRenewed{RenewedOn: on, GoodUntil: until},
	})
}

func (w *watch) filed(name string) bool {
	w.t.Helper()
	_, found, err := w.acts.RentVine.FindFile(context.Background(), rentvine.ObjectProperty, "1", name)
	require.NoError(w.t, err)
	return found
}

func TestARequirementOfANewUnit(t *testing.T) {
	t.Parallel()
	w := newWatch(t, "smoke_alarms", "1")
	w.in.New = true
	var future, taken *updated
	w.goesOn(func() {
		w.at(time.Hour, func() {
			require.Equal(t, [2]int{1, 0}, w.written(), "asked at once")
			require.Contains(t, w.mails(w.manager)[0].Text, "http://keyholder.test/a/")
			require.Contains(t, w.mails(w.manager)[0].Text, "12 Elm St, Apt 3")
			require.Equal(t, "2026-12-21", w.kept().Due)
			future = command(w.scenario, durable.GiveAnswer, w.renewedBy("2026-11-25"))
		})
		w.at(2*time.Hour, func() { taken = command(w.scenario, durable.GiveAnswer, w.renewedBy("2026-11-20")) })
	})
	require.ErrorContains(t, future.err, "in the future")
	require.NoError(t, taken.err)
	require.Equal(t, durable.Outcome{Message: "Thank you. It is recorded, and due again on 2027-11-20."}, taken.out)
	require.Empty(t, w.openBids(w.manager), "the question is closed")
	kept := w.kept()
	require.Equal(t, [4]string{"valid", "2027-11-20", "2026-11-20", "compliance/1/1/smoke_alarms"}, [4]string{kept.State, kept.Due, kept.Renewed, kept.Key})
	require.True(t, w.filed("compliance-smoke_alarms-unit-1-2026-11-20-until-2027-11-20-valid.pdf"))
	require.Len(t, w.in.Property.Units, 1, "what the letters need goes on")

	// The next period: five reminders, and letters to both once it is overdue.
	w.goesOn(func() {
		for _, c := range []struct {
			day   string
			state string
			want  [2]int
		}{
			{"2027-09-20", "valid", [2]int{1, 0}}, {"2027-09-21", "due", [2]int{2, 0}}, {"2027-10-20", "due", [2]int{2, 0}},
			{"2027-10-21", "due", [2]int{3, 0}}, {"2027-11-06", "due", [2]int{4, 0}}, {"2027-11-13", "due", [2]int{5, 0}},
			{"2027-11-19", "due", [2]int{6, 0}}, {"2027-11-20", "due", [2]int{6, 0}}, {"2027-11-21", "overdue", [2]int{7, 1}},
			{"2027-11-27", "overdue", [2]int{7, 1}}, {"2027-11-28", "overdue", [2]int{8, 2}}, {"2027-12-05", "overdue", [2]int{9, 3}},
		} {
			w.on(c.day, func() {
				require.Equal(t, c.want, w.written(), c.day)
				require.Equal(t, c.state, w.kept().State, c.day)
			})
		}
		w.on("2027-12-06", func() { taken = w.renews("2027-12-01", "2028-06-30") })
	})
	require.NoError(t, taken.err)
	require.Equal(t, "2028-06-30", w.kept().Due, "what was said counts")
	require.Empty(t, w.openBids(w.manager))

	// The one after that is armed.
	require.NoError(t, w.runs(func() {
		w.on("2028-04-30", func() { require.Equal(t, [2]int{9, 3}, w.written()) })
		w.on("2028-05-01", func() { require.Equal(t, [2]int{10, 3}, w.written()) })
		w.on("2028-05-02", func() {
			command(w.scenario, portfolio.DropRequirement, durable.Command{By: "ann", Why: "sold"})
		})
	}))
	require.Equal(t, "dropped", w.result())
	require.Empty(t, w.kept())
	require.Empty(t, w.openBids(w.manager))
	w.nothingTwice()
}

func TestAnAdoptedRequirementIsSilent(t *testing.T) {
	t.Parallel()
	w := newWatch(t, "smoke_alarms", "1")
	require.NoError(t, w.runs(func() {
		w.at(400*24*time.Hour, func() {
			require.Equal(t, [2]int{0, 0}, w.written())
			require.Equal(t, "unknown", w.kept().State)
			require.Equal(t, "unknown", w.describe().State)
			w.env.SignalWorkflow(portfolio.RequirementDropped.Name, "inactive")
			w.env.SignalWorkflow(portfolio.RequirementDropped.Name, "inactive")
		})
	}))
	require.Equal(t, "dropped", w.result())
	require.Empty(t, w.kept())
	require.Equal(t, []portfolio.Ended{{WorkflowID: "compliance/1/1/smoke_alarms", Kind: "compliance", UnitID: "1", Outcome: "dropped"}}, w.ended)
}

// TestARequirementThatIsImported has been due for long: both hear of it at once, and a row
// that is imported again changes nothing.
func TestARequirementThatIsImported(t *testing.T) {
	t.Parallel()
	w := newWatch(t, "smoke_alarms", "1")
	var first, again, older *updated
	w.goesOn(func() {
		w.at(time.Hour, func() { first = w.renews("2025-01-10", "") })
	})
	require.NoError(t, first.err)
	require.Equal(t, "overdue", w.kept().State)
	w.goesOn(func() {
		w.at(24*time.Hour, func() {
			require.Equal(t, [2]int{1, 1}, w.written())
			again, older = w.renews("2025-01-10", ""), w.renews("2024-01-10", "")
		})
		w.at(25*time.Hour, func() {
			require.Equal(t, [2]int{1, 1}, w.written())
			a := w.renewedBy("2026-11-21")
			w.fact(a)
			w.fact(a)
			command(w.scenario, durable.GiveAnswer, a)
		})
	})
	require.NoError(t, again.err)
	known := durable.Outcome{Late: true, Message: "That is known already: it was renewed on 2025-01-10, and is due on 2026-01-10."}
	require.Equal(t, known, again.out)
	require.NoError(t, older.err)
	require.Equal(t, known, older.out)
	require.Equal(t, "2027-11-21", w.kept().Due)
	require.Len(t, w.in.State.Answers.Events, 1)
	w.nothingTwice()
}

// TestAWatchThatBeginsAgain knows what it knew, and goes with the property to its next owner.
func TestAWatchThatBeginsAgain(t *testing.T) {
	t.Parallel()
	w := newWatch(t, "smoke_alarms", "1")
	w.goesOn(func() {
		w.at(time.Hour, func() { w.renews("2026-10-01", "2027-03-01") })
	})
	require.NoError(t, w.runs(func() {
		w.at(time.Hour, func() { w.env.SignalWorkflow(portfolio.RequirementDropped.Name, "inactive") })
	}))
	require.Empty(t, w.kept())
	w.in.State = nil
	require.NoError(t, w.runs(func() {
		w.at(time.Hour, func() {
			require.Equal(t, []string{"valid", "2026-10-01", "2027-03-01"}, []string{w.kept().State, w.kept().Renewed, w.kept().Due})
			now := portfolio.UnitNow{Property: w.in.Property, Unit: w.in.Property.Units[0]}
			now.Property.PortfolioID, now.Property.Units = "2", nil
			w.env.SignalWorkflow(portfolio.UnitChanged.Name, now)
			now.Property.ID = "2"
			w.env.SignalWorkflow(portfolio.UnitChanged.Name, now)
		})
		w.at(2*time.Hour, func() {
			require.Equal(t, []string{"1", "2", "valid"}, []string{w.kept().PropertyID, w.kept().PortfolioID, w.kept().State})
			w.env.SignalWorkflow(portfolio.RequirementDropped.Name, "inactive")
		})
	}))
	w.nothingTwice()
}

func TestARenewalWithEvidence(t *testing.T) {
	t.Parallel()
	w := newWatch(t, "insurance", "")
	w.in.New = true
	const photo = "0123456789abcdef0123456789abcdef"
	require.NoError(t, w.acts.Photos.Put(t.Context(), blobs.PhotoKey(photo), []byte("\xff\xd8\xff a picture")))
	var without, with *updated
	w.goesOn(func() {
		w.at(time.Hour, func() { without = command(w.scenario, durable.GiveAnswer, w.renewedBy("2026-11-21")) })
		w.at(2*time.Hour, func() {
			gone := durable.Photo{ID: "ffffffffffffffffffffffffffffffff", Field: "evidence"}
			with = command(w.scenario, durable.GiveAnswer, w.renewedBy("2026-11-21", durable.Photo{ID: photo, Field: "evidence"}, gone))
		})
	})
	require.ErrorContains(t, without.err, "Please add the certificate")
	require.NoError(t, with.err)
	require.True(t, w.filed("compliance-insurance-2026-11-21-until-2027-11-21-valid.pdf"))
	require.True(t, w.filed("compliance-insurance-2026-11-21-until-2027-11-21-valid-01234567.jpg"))
	require.Equal(t, 2, w.calls("rentvine", "POST", "/files"))
	w.nothingTwice()
}

func TestARequirementThatDoesNotApply(t *testing.T) {
	t.Parallel()
	w := newWatch(t, "gas_shutoff", "")
	w.in.New = true
	var silent *updated
	require.NoError(t, w.runs(func() {
		w.at(time.Hour, func() {
			a := w.renewedBy("")
			a.Choice, a.Fields = "not_applicable", nil
			silent = command(w.scenario, durable.GiveAnswer, a)
			a.Note = "there is no gas in this house"
			command(w.scenario, durable.GiveAnswer, a)
			w.fact(a)
		})
	}))
	require.ErrorContains(t, silent.err, "why it does not apply")
	require.Equal(t, "not_applicable", w.result())
	require.Empty(t, w.kept())
	require.Len(t, w.mails(w.escalation), 1)
	require.Contains(t, w.mails(w.escalation)[0].Text, "there is no gas in this house")
	require.True(t, w.filed("compliance-gas_shutoff-not_applicable.pdf"))
	require.Equal(t, "not_applicable", w.ended[0].Outcome)
	w.nothingTwice()
}

func TestARequirementThatThePolicyDoesNotHave(t *testing.T) {
	t.Parallel()
	w := newWatch(t, "swimming_pool", "")
	require.NoError(t, w.runs(func() {}))
	require.Equal(t, "dropped", w.result())
}

func TestAWatchIsCancelled(t *testing.T) {
	t.Parallel()
	w := newWatch(t, "insurance", "")
	w.in.New = true
	err := w.runs(func() {
		w.at(time.Hour, func() {
			require.Len(t, w.openBids(w.manager), 1)
			w.env.CancelWorkflow()
		})
	})
	require.True(t, temporal.IsCanceledError(err), "%v", err)
	require.Empty(t, w.kept())
	require.Empty(t, w.openBids(w.manager))
	require.Len(t, w.ended, 1)
}

// TestAWatchGoesOn carries everything through continue-as-new: no letter twice.
func TestAWatchGoesOn(t *testing.T) {
	t.Parallel()
	w := newWatch(t, "smoke_alarms", "1")
	w.in.New = true
	w.goesOn(func() {
		w.on("2026-12-07", func() {
			require.Equal(t, [2]int{2, 0}, w.written(), "at once, and 14 days before")
			w.env.SetContinueAsNewSuggested(true)
			w.env.SignalWorkflow("nobody knows it", 1)
			w.env.SignalWorkflow(durable.MessageFailed.Name, durable.MessageFailure{Step: "letter/0"})
			command(w.scenario, portfolio.RenewRequirement, portfolio.RenewCommand{})
		})
	})
	err := w.runs(func() {
		w.on("2026-12-08", func() { require.Equal(t, [2]int{2, 0}, w.written()) })
		w.on("2026-12-14", func() {
			require.Equal(t, [2]int{3, 0}, w.written())
			w.env.CancelWorkflow()
		})
	})
	require.True(t, temporal.IsCanceledError(err), "%v", err)
	require.Equal(t, 3, w.describe().Letters)
	require.Equal(t, 1, w.describe().Unusable)
}
