package activities

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
)

// looked is when owners are told, in the tests.
func looked() time.Time { return time.Date(2026, 11, 3, 16, 30, 0, 0, time.UTC) }

// request makes a work order of a property that was opened a while before looked.
func (l *landlords) request(property string, ago time.Duration) string {
	return l.box.PutWorkOrder(map[string]any{
		"propertyID": property, "description": "A tap drips", "dateTimeCreated": looked().Add(-ago).Format("2006-01-02 15:04:05"),
	})
}

func (l *landlords) digest(after time.Duration) (DigestsSent, error) {
	env := activityEnvironment()
	SendOwnerDigests.Bind(env, l.acts.sendOwnerDigests)
	value, err := env.ExecuteActivity(SendOwnerDigests.Name, OwnerDigestInput{At: looked().Add(after)})
	var sent DigestsSent
	if err == nil {
		require.NoError(l.t, value.Get(&sent))
	}
	return sent, err
}

// newRequests are landlords whose RentVine has no open work orders but those of the test.
func newRequests(t *testing.T) *landlords {
	l := newLandlords(t)
	require.NoError(t, l.acts.RentVine.EachOpenWorkOrder(t.Context(), func(w rentvine.WorkOrder) bool {
		return l.box.SetWorkOrderStatus(w.ID, "Completed")
	}))
	for _, p := range [][2]string{{"1", "1"}, {"2", "2"}} {
		require.NoError(t, l.acts.Store.SeePlace(t.Context(), store.Place{PropertyID: p[0], PortfolioID: p[1], Name: "House " + p[0], Active: true, SeenAt: looked()}))
	}
	return l
}

func TestOwnersAreToldOfOldRequestsAtMostOnceInAWhile(t *testing.T) {
	t.Parallel()
	l := newRequests(t)
	rules := l.acts.Policy.Portfolio("", "").Owners
	old := l.request("1", rules.DigestAge+time.Hour)
	l.request("1", rules.DigestAge-time.Hour)
	sent, err := l.digest(0)
	require.NoError(t, err)
	require.Equal(t, DigestsSent{Open: 2, Told: 1, Mails: 1}, sent)
	open, err := l.acts.Store.OpenRequests(t.Context(), store.PortfolioFilter{})
	require.NoError(t, err)
	require.Len(t, open, 2)
	require.Equal(t, []string{"1", "1"}, []string{open[0].PortfolioID, open[1].PortfolioID})

	sent, err = l.digest(0)
	require.NoError(t, err)
	require.Equal(t, DigestsSent{Open: 2}, sent, "not twice")
	sent, err = l.digest(2 * time.Hour)
	require.NoError(t, err)
	require.Equal(t, DigestsSent{Open: 2, Told: 1, Mails: 1}, sent, "the younger one is old now, and is told of alone")
	sent, err = l.digest(rules.DigestEvery)
	require.NoError(t, err)
	require.Equal(t, DigestsSent{Open: 2, Told: 1, Mails: 1}, sent, "the first one again")
	require.True(t, l.box.SetWorkOrderStatus(old, "Completed"))
	sent, err = l.digest(2 * rules.DigestEvery)
	require.NoError(t, err)
	require.Equal(t, 1, sent.Open, "what is closed is not kept")

	mails := l.desk.box.Mails()
	require.Len(t, mails, 4)
	for _, m := range mails {
		require.Equal(t, []string{"contact21@example.com"}, m.To)
		require.Contains(t, m.Text, "House 1")
		require.Contains(t, m.Text, "https://keyholder.example.org/o/1-")
	}
	require.NotContains(t, mails[0].Text, "A tap drips", "what tenants write is theirs")
}

// A run that broke off between the mail and its note mails nobody twice.
func TestOwnersHearOfNothingInternal(t *testing.T) {
	t.Parallel()
	l := newRequests(t)
	old := looked().Add(-l.acts.Policy.Portfolio("", "").Owners.DigestAge - time.Hour).Format("2006-01-02 15:04:05")
	l.box.PutWorkOrder(map[string]any{"propertyID": "1", "description": "Ask for the rent", "dateTimeCreated": old, "isInternal": "1", "isSharedWithOwner": "1"})
	sent, err := l.digest(0)
	require.NoError(t, err)
	require.Equal(t, DigestsSent{}, sent)
}

func TestADigestThatBrokeOffIsNotSentTwice(t *testing.T) {
	t.Parallel()
	l := newRequests(t)
	l.request("1", 100*time.Hour)
	l.request("2", 100*time.Hour)
	fail := true
	l.during(func(w http.ResponseWriter, r *http.Request) bool {
		away := fail && strings.HasSuffix(r.URL.Path, "/owners/22")
		if away {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return away
	})
	_, err := l.digest(0)
	require.Error(t, err)
	require.Len(t, l.desk.box.Mails(), 1)
	fail = false
	sent, err := l.digest(0)
	require.NoError(t, err)
	require.Equal(t, DigestsSent{Open: 2, Told: 1, Mails: 1}, sent)
	require.Len(t, l.desk.box.Mails(), 2)
}

func TestARequestIsToldOfOnceInEachPeriod(t *testing.T) {
	t.Parallel()
	rules := policy.OwnerReports{DigestAge: 48 * time.Hour, DigestEvery: 72 * time.Hour}
	for _, c := range []struct {
		age  time.Duration
		want string
	}{
		{48 * time.Hour, ""},
		{48*time.Hour + 1, "owner-digest/4/request/7/0"},
		{120*time.Hour - 1, "owner-digest/4/request/7/0"},
		{120 * time.Hour, "owner-digest/4/request/7/1"},
		{192 * time.Hour, "owner-digest/4/request/7/2"},
	} {
		key, old := digestKey(store.OpenRequest{WorkOrderID: "7", PortfolioID: "4", OpenedAt: looked().Add(-c.age)}, rules, looked())
		require.Equal(t, c.want, key)
		require.Equal(t, c.want != "", old)
	}
	_, old := digestKey(store.OpenRequest{WorkOrderID: "7"}, rules, looked())
	require.False(t, old, "nobody knows for how long")
}
