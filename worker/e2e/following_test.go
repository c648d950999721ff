package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/sales"
	partnersync "github.com/aictive/keyholder/workflows/sync"
)

// following is a portfolio that evolves by itself and what has come of it. A big one:
//
//	KEYHOLDER_E2E_SALES=300 KEYHOLDER_E2E_DAY=1h KEYHOLDER_E2E_FOR=8m \
//	  go test ./worker/e2e -run TestSalesAreFollowed -v -timeout 60m
type following struct {
	*testing.T
	stack *e2e.Stack
	sales int
	// day is how long a business day lasts, phase each part of the test.
	day, phase time.Duration
	clock      durable.Clock

	before   []listing
	first    int // the number of the last change before the test made any
	happened []happened
	// letters and webhooks are all that came, letters by their id.
	letters  map[int]letter
	webhooks []outgoing
	// statusRead is when the status of a sale was read first, by its UUID; calledAt is
	// when calls were looked through last (real time).
	statusRead map[string]time.Time
	calledAt   time.Time
	// silenced is when webhooks were switched off and on again (business time).
	silenced, heard time.Time
}

// Sales evolve by themselves, with webhooks, then without, then with them again. Each
// change reaches the estate agent's inbox and the subscriber once, and the key's
// limits are kept.
func TestSalesAreFollowed(t *testing.T) {
	t.Parallel()
	f := followed(t)
	limits := int(24 * time.Hour / f.day)
	f.stack = start(t, e2e.Options{
		Args: []string{"--day", f.day.String()},
		// The contract's, as fast as the clock.
		Env: []string{fmt.Sprintf("KEYHOLDER_OPENMOOVE_LIMITS=%d/1m,%d/1h", 100*limits, 1000*limits)},
	})
	f.adopt()
	f.introduce()
	f.evolve()
	f.settle()
	f.idle()
	f.check()
	f.checkReport()
	statuses, err := f.stack.Statuses(t.Context(), "openmoove")
	require.NoError(t, err)
	require.Zero(t, statuses["429"], statuses)
	noDuplicates(t, f.stack)
	require.Zero(t, f.count("ExecutionStatus = 'Failed' OR ExecutionStatus = 'Terminated'"))
	t.Logf("OpenMoove answered %v", statuses)
}

// followed reads the settings of the run.
func followed(t *testing.T) *following {
	t.Helper()
	f := &following{T: t, sales: 60, day: 4 * time.Minute, phase: 10 * time.Second, letters: map[int]letter{}, statusRead: map[string]time.Time{}}
	read := func(name string, into func(string) error) {
		if text := os.Getenv(name); text != "" {
			require.NoError(t, into(text), name)
		}
	}
	length := func(d *time.Duration) func(string) error {
		return func(text string) (err error) { *d, err = time.ParseDuration(text); return err }
	}
	read("KEYHOLDER_E2E_SALES", func(text string) (err error) { f.sales, err = strconv.Atoi(text); return err })
	read("KEYHOLDER_E2E_DAY", length(&f.day))
	read("KEYHOLDER_E2E_FOR", length(&f.phase))
	return f
}

// real is how long a business duration lasts.
func (f *following) real(business time.Duration) time.Duration {
	return time.Duration(float64(business) / float64(24*time.Hour) * float64(f.day))
}

// realAt is the real time of a business time.
func (f *following) realAt(business time.Time) time.Time {
	return f.clock.Epoch.Add(f.clock.Real(business.Sub(f.clock.Epoch)))
}

func (f *following) get(path string, into any) {
	f.Helper()
	require.NoError(f, f.stack.Get(f.Context(), path, into))
}

// options sets how much happens at OpenMoove and whether it tells.
func (f *following) options(changesADay int, silent bool) {
	f.Helper()
	require.NoError(f, f.stack.Put(f.Context(), "/_records/openmoove/options", map[string]any{"changes_a_day": changesADay, "without_webhooks": silent}, nil))
}

// wait collects until a condition holds or the time is up, and tells whether it does.
func (f *following) wait(limit time.Duration, is func() bool) bool {
	f.Helper()
	end, tick := time.NewTimer(limit), time.NewTicker(500*time.Millisecond)
	defer end.Stop()
	defer tick.Stop()
	for {
		f.collect()
		if is() {
			return true
		}
		select {
		case <-tick.C:
		case <-end.C:
			return is()
		}
	}
}

// within is wait for so much business time, and some more on a busy machine.
func (f *following) within(business time.Duration, is func() bool) bool {
	f.Helper()
	return f.wait(f.real(business)+3*soon, is)
}

// pass lets time pass.
func (f *following) pass(d time.Duration) {
	f.Helper()
	f.wait(d, func() bool { return false })
}

// collect reads the inbox, which keeps the last 500 mails alone.
func (f *following) collect() {
	f.Helper()
	var mails []letter
	f.get("/_mails", &mails)
	for _, m := range mails {
		f.letters[m.ID] = m
	}
	if time.Since(f.calledAt) < 5*time.Second {
		return
	}
	f.calledAt = time.Now()
	var calls []struct {
		Time time.Time `json:"time"`
		Path string    `json:"path"`
	}
	f.get("/_calls?partner=openmoove", &calls)
	for _, c := range calls {
		if id := propertyPath.FindStringSubmatch(c.Path); id != nil {
			if first, ok := f.statusRead[id[1]]; !ok || c.Time.Before(first) {
				f.statusRead[id[1]] = c.Time
			}
		}
	}
}

// propertyPath is where OpenMoove shows the status.
var propertyPath = regexp.MustCompile(`/properties/([0-9a-f]{8}-[0-9a-f-]{27})/$`)

// adopt makes the portfolio, as one that was there before, and waits until each sale
// was read and is followed.
func (f *following) adopt() {
	began := time.Now()
	var made struct{ IDs []int }
	require.NoError(f, f.stack.Post(f.Context(), "/_records/openmoove/portfolio", map[string]any{"count": f.sales, "seed": 4, "quiet": true}, &made))
	require.Len(f, made.IDs, f.sales)
	f.get("/_records/openmoove/properties", &f.before)
	require.Len(f, f.before, f.sales+3)
	all := func() bool { return f.count("WorkflowType = 'sales.sale'") == len(f.before) && f.report().Unknown == 0 }
	require.True(f, f.within(3*time.Hour, all), "%d of %d sales are followed", f.count("WorkflowType = 'sales.sale'"), len(f.before))
	var err error
	f.clock, err = f.stack.ClockOf(f.Context(), sales.SaleID(strconv.Itoa(f.before[0].ID)))
	require.NoError(f, err)
	require.False(f, f.clock.IsReal())
	var log []happened
	f.get("/_records/openmoove/changes", &log)
	f.first = log[len(log)-1].N
	f.Logf("%d sales were adopted and read in %s", len(f.before), time.Since(began).Round(time.Second))
}

// introduce lets OpenMoove tell of every second sale, so that its UUID is known, and
// with it its status.
func (f *following) introduce() {
	var some []string
	for i, l := range f.before {
		if i%2 == 0 {
			require.Eventually(f, func() bool { // a busy machine's 503 asks for it again
				var sent struct{ Status int }
				err := f.stack.Post(f.Context(), "/_send/openmoove/property.updated", map[string]int{"property_id": l.ID}, &sent)
				return err == nil && (sent.Status == http.StatusAccepted || sent.Status == http.StatusOK)
			}, time.Minute, 100*time.Millisecond)
			some = append(some, l.TransactionID)
		}
	}
	known := func() bool {
		f.calledAt = time.Time{}
		f.collect()
		return !slices.ContainsFunc(some, func(id string) bool { return f.statusRead[id].IsZero() })
	}
	require.True(f, f.within(3*time.Hour, known), "not all statuses were read")
}

func (f *following) count(query string) int {
	f.Helper()
	counted, err := f.stack.Client.CountWorkflow(f.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: query})
	require.NoError(f, err)
	return int(counted.GetCount())
}

// portfolioReport is a part of GET /v1/reports/sales.
type portfolioReport struct {
	At       time.Time `json:"at"`
	Followed int       `json:"followed"`
	Unknown  int       `json:"unknown"`
	Overdue  int       `json:"overdue"`
	Lists    struct {
		Overdue struct {
			Sales []struct {
				PropertyID string `json:"property_id"`
			} `json:"sales"`
			LeftOut int `json:"left_out"`
		} `json:"overdue"`
	} `json:"lists"`
}

func (f *following) report() (r portfolioReport) {
	f.Helper()
	reply, err := f.stack.API(f.Context(), http.MethodGet, "/v1/reports/sales", "", nil)
	require.NoError(f, err)
	require.Equal(f, http.StatusOK, reply.Status, reply.Body)
	require.NoError(f, json.Unmarshal([]byte(reply.Body), &r))
	return r
}

// changesADay is six of each sale: one in two hours and more, so that each is seen on
// its own.
func (f *following) changesADay() int { return 6 * f.sales }

// evolve lets things happen.
func (f *following) evolve() {
	f.options(f.changesADay(), false)
	f.pass(f.phase)
	f.options(f.changesADay(), true)
	f.silenced = f.clock.Now()
	f.pass(f.phase)
	f.heard = f.clock.Now()
	f.options(f.changesADay(), false)
	f.pass(f.phase)
	f.options(0, false)
	f.get(fmt.Sprintf("/_records/openmoove/changes?after=%d", f.first), &f.happened)
	require.NotEmpty(f, f.happened)
	require.Equal(f, f.first+1, f.happened[0].N, "the log has all of it")
	f.Logf("%d changes", len(f.happened))
}

// settle waits until all has been told: team and status are part of every fourth
// read at least, and letters of one sale leave an hour apart.
func (f *following) settle() {
	began := time.Now()
	f.within(6*time.Hour, func() bool { return len(f.problems()) == 0 })
	f.Logf("settled in %s", time.Since(began).Round(time.Second))
}

// problems compares what happened with letters and with webhooks, each on its own.
func (f *following) problems() (problems []string) {
	f.Helper()
	f.get("/_webhooks", &f.webhooks)
	for _, c := range slices.Concat(f.byLetters(), f.byWebhooks()) {
		problems = append(problems, c.problems...)
	}
	return problems
}

// checks are one for each sale.
func (f *following) checks(toldOf func(listing) []told) []*saleCheck {
	var out []*saleCheck
	for _, l := range f.before {
		c := &saleCheck{before: l, told: toldOf(l), real: f.realAt, statusKnown: f.statusKnown(l)}
		for _, h := range f.happened {
			if h.PropertyID == l.ID {
				c.happened = append(c.happened, h)
			}
		}
		c.run()
		out = append(out, c)
	}
	return out
}

func (f *following) byLetters() []*saleCheck {
	mails := f.mails()
	return f.checks(func(l listing) (list []told) {
		for _, m := range mails {
			if m.Subject == changesLetter(l.Address) {
				list = append(list, m.lines()...)
			}
		}
		return list
	})
}

func (f *following) byWebhooks() []*saleCheck {
	all := webhooksOf(f.webhooks)
	return f.checks(func(l listing) (list []told) {
		for _, o := range all[l.ID] {
			if said, ok := o.said(); ok {
				list = append(list, said)
			}
		}
		return list
	})
}

// mails are all letters in their order.
func (f *following) mails() []letter {
	var list []letter
	for _, m := range f.letters {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b letter) int { return a.ID - b.ID })
	return list
}

// statusKnown is from when changes of a sale's status must be told, zero for not: it
// was read, which only those can who know the UUID (contracts/openmoove.md 4.1).
func (f *following) statusKnown(l listing) time.Time {
	if at, ok := f.statusRead[l.TransactionID]; ok {
		return f.clock.At(at.Add(time.Second))
	}
	return time.Time{}
}

// check is the end of the test: what was told, to whom, and how often.
func (f *following) check() {
	require.Empty(f, f.problems())
	letters, hooks := f.byLetters(), f.byWebhooks()
	for i, c := range letters {
		require.Equal(f, texts(c.matches), texts(hooks[i].matches), "letters and webhooks of property %d say the same", c.before.ID)
	}
	f.checkLetters()
	bodies := map[string]bool{}
	repeated := 0
	for _, o := range f.webhooks {
		require.False(f, o.BodyChanged, o)
		key := fmt.Sprint(o.Type, o.Timestamp, o.Body)
		require.False(f, bodies[key], "twice: %v", o)
		bodies[key] = true
		repeated += o.Deliveries - 1
	}
	require.Less(f, len(f.webhooks), 5000, "the subscriber keeps no more")
	merged, silent := 0, 0
	for _, c := range letters {
		merged, silent = merged+c.merged, silent+c.silent
	}
	f.Logf("%d changes: %d were merged with a later one, %d of a status that nobody could see; %d mails, %d webhooks, %d of them repeated",
		len(f.happened), merged, silent, len(f.letters), len(f.webhooks), repeated)
	f.delays(letters)
}

// checkLetters checks who got letters, and that none came twice.
func (f *following) checkLetters() {
	mails := f.mails()
	ids, same := map[string]bool{}, map[string]bool{}
	agents := map[string]string{}
	for _, l := range f.before {
		agents[changesLetter(l.Address)] = l.agent()
	}
	for i, m := range mails {
		require.Equal(f, i+1, m.ID, "a letter was missed")
		require.NotEmpty(f, m.MessageID)
		require.False(f, ids[m.MessageID], "the same Message-ID twice: %s", m.Subject)
		ids[m.MessageID] = true
		if strings.HasSuffix(m.Subject, "something has changed") {
			require.Equal(f, agents[m.Subject], strings.Join(m.To, ","), m.Subject)
		}
		key := fmt.Sprint(m.To, "\x00", m.Subject, "\x00", m.Text)
		require.False(f, same[key], "the same letter twice: %s to %v", m.Subject, m.To)
		same[key] = true
	}
}

// checkReport compares the report with what OpenMoove has.
func (f *following) checkReport() {
	var now []listing
	f.get("/_records/openmoove/properties", &now)
	london, err := time.LoadLocation("Europe/London")
	require.NoError(f, err)
	r := f.report()
	today := r.At.In(london).Format(time.DateOnly)
	open := 0
	overdue := []string{}
	for _, l := range now {
		if !l.open() {
			continue
		}
		open++
		for _, m := range l.Milestones {
			if m.CompletedAt.IsZero() && !m.DueDate.IsZero() && m.DueDate.UTC().Format(time.DateOnly) < today {
				overdue = append(overdue, strconv.Itoa(l.ID))
				break
			}
		}
	}
	require.Equal(f, open, r.Followed)
	require.Zero(f, r.Lists.Overdue.LeftOut)
	listed := []string{}
	for _, s := range r.Lists.Overdue.Sales {
		listed = append(listed, s.PropertyID)
	}
	require.ElementsMatch(f, overdue, listed)
	require.Len(f, overdue, r.Overdue)
	f.Logf("the report has %d sales, %d of them overdue", r.Followed, r.Overdue)
}

// idle lets time pass in which nothing happens at OpenMoove, and counts what that
// costs.
func (f *following) idle() {
	before := f.costs()
	mails, webhooks, began := len(f.letters), len(f.webhooks), time.Now()
	f.pass(max(f.real(time.Hour), f.phase/2))
	f.get("/_webhooks", &f.webhooks)
	days := float64(time.Since(began)) / float64(f.day)
	actions, busy := 0, 0
	for id, c := range f.costs() {
		if spent := c.Actions - before[id].Actions; spent > 0 && id != poller {
			actions += spent
			busy++
		}
	}
	f.Logf("%.2f business days in which nothing happens at OpenMoove: %d sales took %d actions, %.2f a sale and day; %d letters and %d webhooks, of what time brought",
		days, busy, actions, float64(actions)/days/float64(len(f.before)), len(f.letters)-mails, len(f.webhooks)-webhooks)
	all := f.costs()[poller]
	f.Logf("the poller: %d events, %d actions since the start (%s)", all.Events, all.Actions, all.Breakdown())
}

// poller names the poller among costs.
const poller = "poller"

// costs are those of all sales and of the poller.
func (f *following) costs() map[string]e2e.Cost {
	f.Helper()
	out := map[string]e2e.Cost{}
	for _, l := range f.before {
		id := sales.SaleID(strconv.Itoa(l.ID))
		c, err := f.stack.Cost(f.Context(), id)
		require.NoError(f, err)
		out[id] = c
	}
	id, err := f.stack.Newest(f.Context(), partnersync.OpenMooveName)
	require.NoError(f, err)
	out[poller], err = f.stack.Cost(f.Context(), id)
	require.NoError(f, err)
	return out
}
