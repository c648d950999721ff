package activities

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"

	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/store"
)

// landlords is an account whose owners get mail, with places of some portfolios: 1 and 2
// are RentVine's, with an owner each.
type landlords struct {
	*account
	desk    *desk
	uploads atomic.Int32
}

func newLandlords(t *testing.T, portfolios ...string) *landlords {
	t.Helper()
	l := &landlords{account: newAccount(t), desk: newDesk(t, "live")}
	l.acts.Mail, l.acts.Outbound, l.acts.MailDomain = l.desk.acts.Mail, l.desk.acts.Outbound, l.desk.acts.MailDomain
	l.acts.Keys, l.acts.PublicURL = store.NewKeys("link key of the tests"), "https://keyholder.example.org"
	l.acts.Now = func() time.Time { return time.Date(2026, 11, 3, 18, 0, 0, 0, time.UTC) }
	for _, id := range portfolios {
		require.NoError(t, l.acts.Store.SeePlace(t.Context(), store.Place{
			PropertyID: "10" + id, PortfolioID: id, Name: "House of " + id, Active: true, SeenAt: l.acts.Now(), Units: []store.PlaceUnit{{UnitID: "1", Active: true}},
		}))
	}
	l.during(func(http.ResponseWriter, *http.Request) bool { return false })
	return l
}

// during lets a fault answer in RentVine's place, and counts uploads.
func (l *landlords) during(fault func(http.ResponseWriter, *http.Request) bool) {
	l.twisted(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if fault(w, r) {
			return true
		}
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/files") {
			l.uploads.Add(1)
		}
		return false
	})
}

// month sends the packs of October, and returns where its last heartbeat was.
func (l *landlords) month(from any) (sent PacksSent, last packProgress, err error) {
	env := activityEnvironment()
	SendOwnerPacks.Bind(env, l.acts.sendOwnerPacks)
	env.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
		require.NoError(l.t, details.Get(&last))
	})
	if from != nil {
		env.SetHeartbeatDetails(from)
	}
	value, err := env.ExecuteActivity(SendOwnerPacks.Name, "2026-10")
	if err == nil {
		require.NoError(l.t, value.Get(&sent))
	}
	return sent, last, err
}

func TestEachOwnerGetsThePackOnceAndRentVineTheFile(t *testing.T) {
	t.Parallel()
	l := newLandlords(t, "1", "2")
	for range 2 {
		sent, _, err := l.month(nil)
		require.NoError(t, err)
		require.Equal(t, PacksSent{Portfolios: 2, Mails: 2, Files: 2}, sent)
	}
	require.EqualValues(t, 2, l.uploads.Load())
	mails := l.desk.box.Mails()
	require.Len(t, mails, 2)
	for _, m := range mails {
		id := map[string]string{"contact21@example.com": "1", "contact22@example.com": "2"}[m.To[0]]
		require.NotEmpty(t, id, m.To)
		name := "owner-pack-" + id + "-2026-10"
		require.Equal(t, []string{name + ".pdf", name + ".csv"}, []string{m.Attachments[0].Name, m.Attachments[1].Name})
		require.Contains(t, m.Text, "House of "+id)
		_, link, found := strings.Cut(m.Text, "https://keyholder.example.org/o/")
		require.True(t, found, "the mail links to the page")
		portfolio, good := l.acts.Keys.OwnerOf(strings.Fields(link)[0], time.Now().Add(24*time.Hour))
		require.Equal(t, []any{id, true}, []any{portfolio, good})
		_, filed, err := l.acts.RentVine.FindFile(t.Context(), rentvine.ObjectPortfolio, id, name+".pdf")
		require.NoError(t, err)
		require.True(t, filed)
	}
}

// A worker that dies goes on after the portfolio that it told of, and one that failed in
// passing gets its pack with the next try.
func TestAMonthGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	l := newLandlords(t, "1", "2")
	l.during(func(w http.ResponseWriter, r *http.Request) bool {
		away := r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/files") && r.URL.Query().Get("objectID") == "2"
		if away {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return away
	})
	_, at, err := l.month(nil)
	require.Error(t, err)
	require.Equal(t, packProgress{PacksSent: PacksSent{Portfolios: 1, Mails: 1, Files: 1}, After: "2", Again: []string{"2"}}, at)
	require.EqualValues(t, 1, l.uploads.Load())

	l.during(func(http.ResponseWriter, *http.Request) bool { return false })
	sent, _, err := l.month(at)
	require.NoError(t, err)
	require.Equal(t, PacksSent{Portfolios: 2, Mails: 2, Files: 2}, sent)
	require.Len(t, l.desk.box.Mails(), 2, "each once")
	require.EqualValues(t, 2, l.uploads.Load())

	sent, _, err = l.month(packProgress{PacksSent: PacksSent{Portfolios: 7}, After: "1"})
	require.NoError(t, err)
	require.Equal(t, PacksSent{Portfolios: 8, Mails: 1, Files: 1}, sent, "portfolio 1 is not made again")
}

func TestWhoseOwnerCannotBeToldIsNotedAndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	l := newLandlords(t, "1", "2", "77")
	l.during(func(w http.ResponseWriter, r *http.Request) bool {
		refused := r.Method == http.MethodPost && r.URL.Query().Get("objectID") == "1"
		if refused {
			w.WriteHeader(http.StatusBadRequest)
		}
		return refused
	})
	sent, _, err := l.month(nil)
	require.NoError(t, err)
	require.Equal(t, 3, sent.Portfolios)
	require.Equal(t, 2, sent.Mails, "what RentVine does not take is mailed all the same")
	require.ElementsMatch(t, []string{"1", "77"}, []string{sent.Failed[0].PortfolioID, sent.Failed[1].PortfolioID})
	require.Equal(t, 2, sent.Problems)
}

func TestAPartnerThatIsAwayEndsTheTry(t *testing.T) {
	t.Parallel()
	var ids []string
	for n := range 3 * packsListed {
		ids = append(ids, "3"+strings.Repeat("0", n/10+1)+string(rune('0'+n%10)))
	}
	l := newLandlords(t, ids...)
	asked := atomic.Int32{}
	l.during(func(w http.ResponseWriter, r *http.Request) bool {
		away := strings.HasSuffix(r.URL.Path, "/files")
		if away {
			asked.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return away
	})
	_, at, err := l.month(nil)
	require.Error(t, err)
	require.Len(t, at.Again, packsListed)
	require.EqualValues(t, packsListed, asked.Load(), "the others wait for the next try")
}

func TestAMonthThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	_, err := newLandlords(t).acts.sendOwnerPacks(t.Context(), "october")
	require.ErrorContains(t, err, "a month is such as 2026-10")
}
