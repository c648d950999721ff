package worker_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/portfolio"
)

// homes is a scenario about property 901, in which people live in unit 9011.
type homes struct {
	*scenario
	// begun are the ids of what the property has begun, told the signals that it has sent.
	begun, told []string
	isNew       map[string]bool
}

func newHomes(t *testing.T) *homes {
	t.Helper()
	h := &homes{scenario: newScenario(t), isNew: map[string]bool{}}
	// The breaker keeps real time, and the stories do not.
	h.acts.RentVine = rentvine.New(rentvine.Config{
		BaseURL: h.base + "/rentvine/api/manager", AccessKey: "key", Secret: "secret", HTTP: partner.HTTPConfig{BreakAfter: 1_000_000},
	})
	t.Cleanup(h.acts.RentVine.Close)
	h.call(http.MethodPost, "/_records/rentvine/properties", map[string]any{
		"propertyID": "901", "portfolioID": "1", "address": "9 Elm Street", "city": "Los Angeles", "stateID": "CA", "postalCode": "90026", "isActive": "1",
	}, nil)
	for _, unit := range []string{"9011", "9012"} {
		h.call(http.MethodPost, "/_records/rentvine/units", map[string]any{
			"unitID": unit, "propertyID": "901", "address": "9 Elm Street", "address2": unit, "isActive": "1", "beds": "2", "rent": "2000.00",
		}, nil)
	}
	h.call(http.MethodPost, "/_records/rentvine/leases", map[string]any{
		"leaseID": "9901", "unitID": "9011", "propertyID": "901", "moveInDate": days(-300), "startDate": days(-300), "endDate": days(60),
		"primaryLeaseStatusID": "2", "tenantName": "Tia Tenant", "phone": renterPhone, "email": renterMail,
	}, nil)
	h.fresh()
	return h
}

// fresh is the environment of the property's workflow.
func (h *homes) fresh() {
	h.freshEnvironment(portfolio.PropertyID("901"))
	h.env.SetTestTimeout(40 * time.Second)
	for _, name := range []string{portfolio.VacancyName, portfolio.PricingName, portfolio.ComplianceName} {
		h.env.RegisterWorkflowWithOptions(h.lasts, workflow.RegisterOptions{Name: name, DisableAlreadyRegisteredCheck: true})
	}
}

// lasts stands for whatever the property begins. It outlasts the story: the environment
// waits for it.
func (h *homes) lasts(ctx workflow.Context, in struct {
	New bool `json:"new"`
},
) error {
	id := workflow.GetInfo(ctx).WorkflowExecution.ID
	h.begun, h.isNew[id] = append(h.begun, id), in.New
	over := workflow.NewTimer(ctx, 1000*time.Hour)
	for !over.IsReady() {
		heard := workflow.NewSelector(ctx).AddFuture(over, func(workflow.Future) {})
		for _, name := range []string{portfolio.UnitChanged.Name, portfolio.RequirementDropped.Name} {
			heard.AddReceive(workflow.GetSignalChannel(ctx, name), func(c workflow.ReceiveChannel, _ bool) {
				c.Receive(ctx, nil)
				h.told = append(h.told, name+" "+id)
			})
		}
		heard.Select(ctx)
	}
	return nil
}

// event is a webhook about the property, or one of its units.
func (h *homes) event(key, kind, unit string) {
	data := `{"propertyID":"901","colour":"blue"}`
	if unit != "" {
		data = `{"propertyID":"901","unitID":"` + unit + `"}`
	}
	h.env.SignalWorkflow(durable.EventReceived.Name, durable.Event{
		Source: "rentvine", Type: kind, EntityID: "901", Key: key, ReceivedAt: h.now(), Data: []byte(data),
	})
}

// lease changes the lease in RentVine, and reads it as a webhook of it does.
func (h *homes) lease(fields map[string]any) {
	h.t.Helper()
	h.call(http.MethodPut, "/_records/rentvine/leases/9901", fields, nil)
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	h.acts.RegisterRentVine(env)
	for range 2 {
		_, err := env.ExecuteActivity(activities.ReadLease.Name, "9901")
		require.NoError(h.t, err)
	}
	for _, ev := range h.found {
		h.env.SignalWorkflow(portfolio.PropertyFound.Name, ev)
	}
}

// play runs the property until it is inactive.
func (h *homes) play(ends time.Duration) {
	h.t.Helper()
	h.at(ends, func() {
		h.call(http.MethodPut, "/_records/rentvine/properties/901", map[string]any{"isActive": "0"}, nil)
		h.event("the end", "property.updated", "")
	})
	h.env.ExecuteWorkflow(portfolio.PropertyName, portfolio.PropertyInput{ID: "901"})
	require.True(h.t, h.env.IsWorkflowCompleted())
	require.NoError(h.t, h.env.GetWorkflowError())
	var result portfolio.PropertyResult
	require.NoError(h.t, h.env.GetWorkflowResult(&result))
	require.Equal(h.t, "gone", result.Outcome)
}

func (h *homes) describe() (d portfolio.PropertyDescription) {
	h.t.Helper()
	value, err := h.env.QueryWorkflow(portfolio.DescribeProperty.Name)
	require.NoError(h.t, err)
	require.NoError(h.t, value.Get(&d))
	return d
}

func TestAVacatedUnitIsMarketed(t *testing.T) {
	t.Parallel()
	h := newHomes(t)
	h.at(0, func() { h.event("1", "property.updated", "") })
	h.at(time.Hour, func() {
		d := h.describe()
		require.Equal(t, []int{2, 1}, []int{d.Units, d.Empty}, "the leases were looked through before anything looked empty")
		require.NotContains(t, h.begun, "vacancy/9012", "adopted silently")
		require.Contains(t, d.Running, "compliance/901/insurance")
		require.Positive(t, h.calls("rentvine", http.MethodGet, "/leases/export"))
		h.event("1", "property.updated", "")
	})
	h.at(2*time.Hour, func() {
		require.Equal(t, map[string]int{"property.updated": 1}, h.describe().Events, "twice is once")
		h.lease(map[string]any{"primaryLeaseStatusID": "3", "moveOutDate": days(-1), "closedDate": days(0)})
		require.Len(t, h.found, 1, "told once, however often it is read")
	})
	h.at(3*time.Hour, func() {
		require.Equal(t, 2, h.describe().Empty)
		require.Contains(t, h.begun, "vacancy/9011")
		require.Contains(t, h.begun, "vacancy/9012")
		h.lease(map[string]any{"primaryLeaseStatusID": "2", "moveOutDate": "", "closedDate": ""})
	})
	h.play(4 * time.Hour)
	require.Contains(t, h.told, "unit_changed vacancy/9011")
	require.Contains(t, h.told, "unit_changed vacancy/9012", "the property is gone")
	require.Contains(t, h.told, "requirement_dropped compliance/901/insurance")
	for id, isNew := range h.isNew {
		require.False(t, isNew, id)
	}
	place, err := h.store.Place(context.Background(), "901")
	require.NoError(t, err)
	require.False(t, place.Active)
	require.Len(t, place.Units, 2)
}

func TestARentThatIsChangedIsLookedAtOnce(t *testing.T) {
	t.Parallel()
	h := newHomes(t)
	h.at(0, func() { h.event("1", "unit.updated", "9011") })
	h.at(time.Hour, func() {
		h.call(http.MethodPut, "/_records/rentvine/units/9011", map[string]any{"rent": "2200.00"}, nil)
		h.event("2", "unit.updated", "9011")
		h.event("3", "property.updated", "")
	})
	h.at(2*time.Hour, func() {
		h.env.SignalWorkflow(portfolio.ChildEnded.Name, portfolio.Ended{WorkflowID: "pricing/9011", Kind: "pricing", UnitID: "9011", Outcome: "changed", Rent: 2150_00})
		h.call(http.MethodPut, "/_records/rentvine/units/9011", map[string]any{"rent": "2150.00"}, nil)
		h.event("4", "unit.updated", "9011")
	})
	h.play(3 * time.Hour)
	require.Equal(t, []string{"pricing/9011"}, slices.DeleteFunc(h.begun, func(id string) bool { return id[0] == 'c' }))
}

func TestANewPropertyIsSetUp(t *testing.T) {
	t.Parallel()
	h := newHomes(t)
	answer := func(id, choice, items string) {
		h.fact(durable.Answer{ID: id, Step: "onboarding/0", Person: "grace", Choice: choice, Fields: map[string]string{"items": items}, Via: "link"})
	}
	h.at(0, func() {
		h.event("1", "unit.created", "9011")
		h.event("2", "property.created", "")
	})
	h.at(30*time.Hour, func() {
		mails := h.mails(officeMail)
		require.NotEmpty(t, mails)
		require.Contains(t, mails[0].Subject, "9 Elm Street")
		require.Equal(t, "onboarding", string(h.describe().Stage))
		require.NotContains(t, h.begun, "vacancy/9012", "its units are marketed when it is set up")
		require.True(t, h.isNew["compliance/901/insurance"])
		answer("a", "save", "0,1")
		answer("a", "save", "0,1")
	})
	h.at(31*time.Hour, func() {
		require.Equal(t, "2 of 6 done", h.describe().Onboarding)
		answer("b", "close", "")
	})
	h.at(32*time.Hour, func() {
		require.Contains(t, h.begun, "vacancy/9012")
	})
	h.play(40 * time.Hour)
}

// A night's sweep tells each property once, until something changes.
func TestTheSweepTellsOfProperties(t *testing.T) {
	t.Parallel()
	h := newHomes(t)
	sweep := func() activities.SweptProperties {
		h.freshEnvironment("portfolio-sweep")
		h.env.ExecuteWorkflow(portfolio.SweepName, activities.None{})
		require.NoError(t, h.env.GetWorkflowError())
		var swept activities.SweptProperties
		require.NoError(t, h.env.GetWorkflowResult(&swept))
		return swept
	}
	first := sweep()
	require.Positive(t, first.Told)
	require.Len(t, h.found, first.Told)
	require.Equal(t, "property.found", h.found[0].Type)
	walked := h.calls("rentvine", http.MethodGet, "/leases/export")
	require.Zero(t, sweep().Told, "nothing is new")
	h.call(http.MethodPut, "/_records/rentvine/units/9012", map[string]any{"rent": "2300.00"}, nil)
	require.Equal(t, 1, sweep().Told)
	require.Equal(t, "901", h.found[len(h.found)-1].EntityID)
	require.Equal(t, walked, h.calls("rentvine", http.MethodGet, "/leases/export"), "the leases are looked through once for ever")
	tenancies, err := h.store.Tenancies(context.Background(), store.PortfolioFilter{UnitID: "9011"})
	require.NoError(t, err)
	require.Len(t, tenancies, 1)
	require.Equal(t, "active", tenancies[0].Status)
}
