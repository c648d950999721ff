package ingress

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// The phones of the built-in policy's property manager, of an escalation contact, of
// somebody on call, and of the manager of portfolio 2.
const (
	gracePhone = "+12135550140"
	omarPhone  = "+12135550141"
	almaPhone  = "+12135550142"
	helenPhone = "+15035550140"
)

// ruled is a rig with the built-in policy.
func ruled(t *testing.T, temporal client.Client) *rig {
	t.Helper()
	r := newRig(t, temporal)
	rules, err := policy.Open(policy.BuiltIn, nil)
	require.NoError(t, err)
	r.people.known = &policyPeople{rules: rules, keys: r.keys}
	return r
}

func (r *rig) personToken(phone string) string {
	return r.keys.PersonToken(r.keys.Address(phone), time.Now().Add(time.Hour))
}

func (r *rig) page(method, token string) answer {
	r.t.Helper()
	return r.do(r.request(method, "/p/"+token, ""))
}

// pose records a question to an address, hours before now.
func (r *rig) pose(address, workflowID, step, title string, ago, expiresIn time.Duration) store.Question {
	r.t.Helper()
	now := time.Now().UTC()
	q := store.Question{
		ID: r.keys.QuestionID(workflowID, step, address), Address: r.keys.Address(address), WorkflowID: workflowID, Step: step,
		Person: "p", Purpose: "accept", Title: title, Options: ladder, AskedAt: now.Add(-ago),
	}
	if expiresIn != 0 {
		q.ExpiresAt = now.Add(expiresIn)
	}
	q, err := r.store.Ask(r.t.Context(), q)
	require.NoError(r.t, err)
	return q
}

func (r *rig) textFrom(phone, ref, body string) answer {
	r.t.Helper()
	return r.twilio("/webhooks/twilio/message", url.Values{
		"MessageSid": {ref}, "AccountSid": {"AC1"}, "From": {phone}, "To": {"+14155550100"}, "Body": {body}, "NumMedia": {"0"},
	})
}

var linkInText = regexp.MustCompile(regexp.QuoteMeta(testPublicURL) + `(/p/\S+)`)

func TestListByText(t *testing.T) {
	t.Parallel()
	r := ruled(t, nil)
	r.pose(testPhone, "w", "s", "Water leak", time.Hour, time.Hour)
	said := r.text("SM1", "List")
	require.Equal(t, http.StatusOK, said.status)
	link := linkInText.FindStringSubmatch(said.body)
	require.Len(t, link, 2, said.body)
	got := r.do(r.request(http.MethodGet, link[1], ""))
	require.Equal(t, http.StatusOK, got.status)
	require.Contains(t, got.body, "Water leak")
	address, ok := r.keys.PersonOf(strings.TrimPrefix(link[1], "/p/"), time.Now().Add(personLife-time.Minute))
	require.Equal(t, []any{r.keys.Address(testPhone), true}, []any{address, ok})
	_, ok = r.keys.PersonOf(strings.TrimPrefix(link[1], "/p/"), time.Now().Add(personLife))
	require.False(t, ok, "good for 7 days")

	require.Contains(t, r.textFrom(gracePhone, "SM2", "LINK").body, "/p/", "the policy names her; she was never asked")
	require.Contains(t, r.textFrom(almaPhone, "SM3", " links. ").body, "/p/")
	require.Contains(t, r.textFrom(helenPhone, "SM4", "tasks!").body, "/p/", "an override names her")
	stranger := r.textFrom("+14155559999", "SM5", "LIST")
	require.Contains(t, stranger.body, "There is no open question for this number")
	require.NotContains(t, stranger.body, "/p/")
	require.NotContains(t, r.text("SM6", "list of things I will not do").body, "/p/", "the whole message only")
	require.Contains(t, r.text("SM7", "HELP").body, "LIST")
	require.LessOrEqual(t, len(saidHelp), 160, "one text")
	require.Equal(t, []int{4, 1, 1}, []int{r.counted("sms", "list"), r.counted("sms", "list_unknown"), r.counted("sms", "help")})
	require.Empty(t, r.question(r.keys.QuestionID("w", "s", testPhone)).Answer)
}

func TestListByText_isLimited(t *testing.T) {
	t.Parallel()
	r := ruled(t, nil)
	r.pose(testPhone, "w", "s", "Water leak", time.Hour, time.Hour)
	for i := range 6 {
		require.Contains(t, r.text(fmt.Sprint("SM", i), "LIST").body, "/p/")
	}
	require.Contains(t, r.text("SM7", "LIST").body, "<Response/>", "two machines do not talk for ever")
	require.Equal(t, 1, r.counted("sms", "list_limited"))
	require.Contains(t, r.textFrom(gracePhone, "SM8", "LIST").body, "/p/")
}

func TestListByText_storeAway(t *testing.T) {
	t.Parallel()
	r := ruled(t, nil)
	r.people.cfg.Store = brokenStore{r.store}
	require.Equal(t, http.StatusServiceUnavailable, r.text("SM1", "LIST").status)
	require.Contains(t, r.textFrom(gracePhone, "SM2", "LIST").body, "/p/", "known by the policy alone")
}

// brokenStore cannot read what a person's page shows.
type brokenStore struct{ store.Store }

var errBroken = errors.New("the disk is full")

func (brokenStore) WasAsked(context.Context, string) (bool, error) { return false, errBroken }

func (brokenStore) WaitingQuestions(context.Context, string, time.Time) ([]store.Question, error) {
	return nil, errBroken
}

func (brokenStore) PutSwap(context.Context, store.Swap, time.Time) error { return errBroken }

func TestPersonPage(t *testing.T) {
	t.Parallel()
	r := ruled(t, nil) // the page of one who is no manager never asks Temporal
	older := r.pose(testPhone, "work-order/1", "offer", `Water leak, 12 <b>Elm</b>`, 3*time.Hour, 5*time.Hour)
	newer := r.pose(testPhone, "work-order/2", "offer", "No heat, 4 Oak Ave", time.Hour, 0)
	r.pose(testPhone, "work-order/3", "offer", "Expired leak", time.Hour, -time.Minute)
	r.pose("+14155550102", "work-order/4", "offer", "Somebody else's leak", time.Hour, time.Hour)
	r.pose(testPhone, "work-order/5", "offer", "Closed leak", time.Hour, time.Hour)
	require.NoError(t, r.store.CloseQuestions(t.Context(), "work-order/5", ""))
	answered := r.pose(testPhone, "work-order/6", "offer", "Answered leak", 2*time.Hour, time.Hour)
	long := r.pose(testPhone, "work-order/7", "offer", "Answered long ago", 8*24*time.Hour, 0)
	for _, q := range []store.Question{answered, long} {
		_, err := r.store.RecordAnswer(t.Context(), q.ID, "decline")
		require.NoError(t, err)
	}
	token := r.personToken(testPhone)
	got := r.page(http.MethodGet, token)
	require.Equal(t, http.StatusOK, got.status)
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=UTF-8", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "X-Robots-Tag": "noindex, nofollow",
	} {
		require.Equal(t, want, got.header.Get(name), name)
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(got.body)
	require.Len(t, style, 2)
	sum := sha256.Sum256([]byte(style[1]))
	require.Contains(t, got.header.Get("Content-Security-Policy"), "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")

	require.Contains(t, got.body, `Water leak, 12 &lt;b&gt;Elm&lt;/b&gt;`)
	for _, q := range []store.Question{older, newer} {
		require.Contains(t, got.body, `href="../a/`+r.keys.Token(q.ID)+`"`)
		require.Contains(t, got.body, ">"+q.Code+"<")
	}
	require.Less(t, strings.Index(got.body, "No heat"), strings.Index(got.body, "Water leak"), "newest first")
	los, err := time.LoadLocation("America/Los_Angeles")
	require.NoError(t, err)
	require.Contains(t, got.body, "Answer by "+older.ExpiresAt.In(los).Format("Mon, Jan 2, 3:04\u00a0PM\u00a0MST"))
	require.Contains(t, got.body, "Asked "+newer.AskedAt.In(los).Format("Mon, Jan 2, 3:04\u00a0PM\u00a0MST"))
	require.Contains(t, got.body, "Answered leak")
	require.Contains(t, got.body, "Your answer: Can&#39;t, next please")
	require.NotContains(t, got.body, r.keys.Token(answered.ID))
	for _, absent := range []string{"Expired leak", "Somebody else", "Closed leak", "long ago", "<script", "On call", "swap", "Late"} {
		require.NotContains(t, got.body, absent)
	}
	linked := r.do(r.request(http.MethodGet, "/a/"+r.keys.Token(older.ID), ""))
	require.Equal(t, http.StatusOK, linked.status)

	head := r.page(http.MethodHead, token)
	require.Equal(t, []any{http.StatusOK, "", "no-store"}, []any{head.status, head.body, head.header.Get("Cache-Control")})
	require.Equal(t, http.StatusMethodNotAllowed, r.page(http.MethodPost, token).status)

	nobody := r.page(http.MethodGet, r.personToken("+14155550199"))
	require.Equal(t, http.StatusOK, nobody.status)
	require.Contains(t, nobody.body, "Nothing waits for you right now.")
}

// A question that was put again is one to its reader, and what goes by mail to
// somebody whom the policy names is on their page too.
func TestPersonPage_collects(t *testing.T) {
	t.Parallel()
	r := ruled(t, nil)
	first := r.pose(almaPhone, "work-order/1", "page/1", "Water leak", time.Hour, time.Hour)
	second := r.pose(almaPhone, "work-order/1", "page/2", "Water leak", time.Minute, time.Hour)
	other := r.pose(almaPhone, "work-order/1", "page/3", "Water leak: a window", time.Minute, time.Hour)
	mailed := r.pose("Alma@example.com", "work-order/2", "approve", "Approve $300.00", 2*time.Hour, time.Hour)
	got := r.page(http.MethodGet, r.personToken(almaPhone)).body
	for q, want := range map[string]bool{first.ID: false, second.ID: true, other.ID: true, mailed.ID: true} {
		require.Equal(t, want, strings.Contains(got, r.keys.Token(q)))
	}
	require.Less(t, strings.Index(got, r.keys.Token(second.ID)), strings.Index(got, r.keys.Token(mailed.ID)))

	for i := range maxWaiting + 5 {
		r.pose(testPhone, fmt.Sprint("work-order/", i), "offer", "Leak", time.Duration(i)*time.Minute, time.Hour)
	}
	got = r.page(http.MethodGet, r.personToken(testPhone)).body
	require.Equal(t, maxWaiting, strings.Count(got, `class="item"`))
	require.Contains(t, got, "There is more")
}

func TestPersonPage_thatShowsNothing(t *testing.T) { //nolint:tparallel // the subtests share one rig
	t.Parallel()
	r := ruled(t, nil)
	r.pose(testPhone, "w", "s", "Secret Street", time.Hour, time.Hour)
	me, later := r.keys.Address(testPhone), time.Now().Add(time.Hour)
	good := r.keys.PersonToken(me, later)
	for _, c := range []struct {
		name, token, outcome string
		status               int
		says                 string
	}{
		{"expired just now", r.keys.PersonToken(me, time.Now()), "expired", 410, "Text LIST"},
		{"no token at all", "x", "unknown", 404, "This link does not work"},
		{"another secret", store.NewKeys("another").PersonToken(me, later), "unknown", 404, "This link does not work"},
		{"prolonged", strings.Replace(r.keys.PersonToken(me, time.Unix(1, 0)), "-1-", "-9999999999-", 1), "unknown", 404, "This link does not work"},
		{"one letter less", good[:len(good)-1], "unknown", 404, "This link does not work"},
		{"a link to a report", r.keys.ReportToken("sales", later), "unknown", 404, "This link does not work"},
		{"hostile", "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "unknown", 404, "This link does not work"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := r.counted("person_open", c.outcome)
			got := r.page(http.MethodGet, c.token)
			require.Equal(t, c.status, got.status)
			require.Contains(t, got.body, c.says)
			require.NotContains(t, got.body, "Secret Street")
			require.Equal(t, "no-referrer", got.header.Get("Referrer-Policy"))
			require.Equal(t, before+1, r.counted("person_open", c.outcome))
			require.Equal(t, c.status, r.do(r.request(http.MethodPost, "/p/"+c.token+"/swap", "")).status)
		})
	}
	r.people.cfg.Store = brokenStore{r.store}
	away := r.page(http.MethodGet, good)
	require.Equal(t, http.StatusServiceUnavailable, away.status)
	require.Equal(t, "15", away.header.Get("Retry-After"))
	require.NotContains(t, away.body, "disk")
}

func TestPersonPage_limits(t *testing.T) {
	t.Parallel()
	r := ruled(t, nil)
	limited := func(tokens ...string) (at int) {
		for at = range 200 {
			if got := r.page(http.MethodGet, tokens[at%len(tokens)]); got.status == http.StatusTooManyRequests {
				return at
			}
		}
		t.Fatal("never limited")
		return 0
	}
	me := r.keys.Address(testPhone)
	require.GreaterOrEqual(t, limited("guess"), 40)
	require.GreaterOrEqual(t, limited(r.personToken(testPhone), r.keys.PersonToken(me, time.Now().Add(2*time.Hour))), 40, "all links of a person together")
	require.Equal(t, http.StatusOK, r.page(http.MethodGet, r.personToken(gracePhone)).status)
}

// The whole door: its log has the route and not the link, and the page follows
// business time while its link does not.
func TestPersonPage_throughTheDoor(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ahead := durable.Clock{Epoch: time.Now().Add(-time.Hour), Scale: 3} // two hours ahead
	d := open(t, awayRouter(t), func(c *Config) {
		c.People = NewPeople(PeopleConfig{Keys: r.keys, Store: r.store, Clock: ahead, Log: c.Log})
	})
	r.pose(testPhone, "w/1", "s", "Expires in an hour", time.Minute, time.Hour)
	r.pose(testPhone, "w/2", "s", "Expires in three", time.Minute, 3*time.Hour)
	token := r.personToken(testPhone)
	got := d.do(http.MethodGet, "/p/"+token, nil, nil)
	require.Equal(t, http.StatusOK, got.status)
	require.Contains(t, got.body, "Expires in three")
	require.NotContains(t, got.body, "Expires in an hour")
	require.Contains(t, got.body, "UTC", "without a policy times are UTC")
	require.Equal(t, http.StatusForbidden, d.do(http.MethodPost, "/p/"+token+"/swap", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, strings.NewReader("cancel=a")).status)
	require.Contains(t, d.log.String(), `"route":"/p/:token"`)
	require.Contains(t, d.log.String(), `"route":"/p/:token/swap"`)
	for _, secret := range []string{token, r.keys.Address(testPhone), "Expires in"} {
		require.NotContains(t, d.log.String(), secret)
	}
}

// late starts a workflow that nobody works on, with what the board looks for.
func (r *rig) late(id string, attributes ...temporal.SearchAttributeUpdate) string {
	r.t.Helper()
	id = r.t.Name() + "/" + id
	run, err := r.temporal.ExecuteWorkflow(r.t.Context(), client.StartWorkflowOptions{
		ID: id, TaskQueue: "nobody", TypedSearchAttributes: temporal.NewSearchAttributes(attributes...)}, "asking", "")
	require.NoError(r.t, err)
	r.t.Cleanup(func() { // it may have ended
		_ = r.temporal.TerminateWorkflow(context.Background(), run.GetID(), run.GetRunID(), "the test is over")
	})
	return id
}

// What is late comes from a real Temporal, while no worker is up.
func TestBoard(t *testing.T) {
	t.Parallel()
	r := ruled(t, testTemporal(t))
	now := time.Now().UTC()
	missed := r.late("missed", durable.SLAState.ValueSet("on_site_missed"), durable.Stage.ValueSet("dispatching"),
		durable.WaitingFor.ValueSet("technician"), durable.PropertyID.ValueSet("4711"))
	overdue := r.late("overdue", durable.DueBy.ValueSet(now.Add(-time.Hour)), durable.Stage.ValueSet("awaiting_owner"), durable.SLAState.ValueSet("on_track"))
	longer := r.late("longer", durable.DueBy.ValueSet(now.Add(-3*time.Hour)))
	fine := r.late("fine", durable.SLAState.ValueSet("on_track"), durable.DueBy.ValueSet(now.Add(time.Hour)))
	other := r.late("other", durable.Stage.ValueSet("paging"))
	visit := r.late("visit", durable.SLAState.ValueSet("visit_missed"))
	ended := r.late("ended", durable.SLAState.ValueSet("accept_missed"))
	require.NoError(t, r.temporal.TerminateWorkflow(t.Context(), ended, "", "over"))

	token := r.personToken(gracePhone)
	var body string
	require.Eventually(t, func() bool {
		body = r.page(http.MethodGet, token).body
		return strings.Contains(body, missed) && strings.Contains(body, overdue) && strings.Contains(body, longer) && strings.Contains(body, visit) && !strings.Contains(body, ended)
	}, 20*time.Second, 200*time.Millisecond)
	for _, absent := range []string{fine, other, "cannot be shown", "Nothing is late"} {
		require.NotContains(t, body, absent)
	}
	require.Contains(t, body, "Missed: arrival")
	require.Contains(t, body, "Missed: visit")
	for _, said := range []string{"dispatching", "technician", "4711", "awaiting owner", "Overdue"} {
		require.Contains(t, body, said)
	}
	require.Less(t, strings.Index(body, missed), strings.Index(body, longer), "broken promises first")
	require.Less(t, strings.Index(body, longer), strings.Index(body, overdue), "then what was due first")
	require.NotContains(t, r.page(http.MethodGet, r.personToken(almaPhone)).body, missed, "for managers only")
	for _, phone := range []string{omarPhone, helenPhone} {
		require.Contains(t, r.page(http.MethodGet, r.personToken(phone)).body, missed)
	}

	// The board counts in business time.
	r.people.cfg.Clock = durable.Clock{Epoch: now.Add(-time.Hour), Scale: 3} // two hours ahead
	require.Contains(t, r.page(http.MethodGet, token).body, fine)
	r.people.cfg.Clock = durable.Clock{Epoch: now.Add(-2 * time.Hour), Scale: 0.01} // two hours behind
	require.NotContains(t, r.page(http.MethodGet, token).body, overdue)
}

// The page shows the rest while Temporal is away, and soon.
func TestBoard_temporalAway(t *testing.T) {
	t.Parallel()
	away, err := client.NewLazyClient(client.Options{HostPort: "127.0.0.1:1", Logger: quiet{}})
	require.NoError(t, err)
	t.Cleanup(away.Close)
	r := ruled(t, away)
	r.pose(gracePhone, "w", "s", "Approve $300.00", time.Hour, time.Hour)
	begun := time.Now()
	got := r.page(http.MethodGet, r.personToken(gracePhone))
	require.Less(t, time.Since(begun), 10*time.Second)
	require.Equal(t, http.StatusOK, got.status)
	for _, said := range []string{"cannot be shown right now", "Approve $300.00", "On call now", "Arrange a swap"} {
		require.Contains(t, got.body, said)
	}
}

func TestWorseFirst(t *testing.T) {
	t.Parallel()
	at := func(h int) time.Time { return time.Unix(int64(h)*3600, 0) }
	order := []lateWorkflow{
		{id: "a", sla: "accept_missed", due: at(1)}, {id: "b", sla: "acknowledge_missed", due: at(2)}, {id: "c", sla: "on_site_missed"},
		{id: "d", sla: "on_track", due: at(1)}, {id: "e", due: at(2)}, {id: "f", due: at(2)}, {id: "g"},
	}
	for i := range order {
		for j := range order {
			require.Equal(t, i < j, worseFirst(order[i], order[j]) < 0, "%s and %s", order[i].id, order[j].id)
		}
	}
}

func TestLocalTime(t *testing.T) {
	t.Parallel()
	when := time.Date(2026, 11, 24, 23, 4, 0, 0, time.UTC)
	for _, c := range []struct{ region, zone, want string }{
		{"US", "America/Los_Angeles", "Tue, Nov 24, 3:04 PM PST"},
		{"GB", "Europe/London", "Tue 24 Nov, 23:04 GMT"},
		{"BR", "America/Sao_Paulo", "Tue 24 Nov, 20:04 UTC-03"},
		{"US", "", "Tue, Nov 24, 11:04 PM UTC"},
		{"", "", "Tue 24 Nov, 23:04 UTC"},
	} {
		shown := localTimeOf(policy.Settings{Region: c.region, TimeZone: c.zone}).at(when)
		require.Equal(t, c.want, strings.ReplaceAll(shown, "\u00a0", " "))
	}
}

// The page works in a real browser on a small phone under its own policy.
// KEYHOLDER_SHOTS names a folder for screenshots.
func TestPersonPage_inABrowser(t *testing.T) {
	t.Parallel()
	if !hasBrowser() {
		t.Skip("needs Chromium or Chrome on PATH")
	}
	r := ruled(t, testTemporal(t))
	q := r.pose(testPhone, "work-order/1", "offer", "Leaking tap in the bathroom, 12 Elm Street, Flat 2", time.Hour, 26*time.Hour)
	r.pose(testPhone, "work-order/2", "window", "When may we come? No heat, 4 Oak Avenue", 2*time.Hour, 3*time.Hour)
	done := r.pose(testPhone, "work-order/3", "check", "Is the sink fixed? 9 Pine Road", 20*time.Hour, time.Hour)
	_, err := r.store.RecordAnswer(t.Context(), done.ID, "acknowledge")
	require.NoError(t, err)
	r.pose(gracePhone, "work-order/4", "approve", "Approve $412.50: water heater, 77 Birch Lane", time.Hour, 26*time.Hour)
	missed := r.late("4711", durable.SLAState.ValueSet("on_site_missed"), durable.Stage.ValueSet("dispatching"),
		durable.WaitingFor.ValueSet("technician"), durable.PropertyID.ValueSet("1"), durable.DueBy.ValueSet(time.Now().Add(-time.Hour)))
	require.Eventually(t, func() bool {
		return strings.Contains(r.page(http.MethodGet, r.personToken(gracePhone)).body, missed)
	}, 20*time.Second, 200*time.Millisecond)

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-component-update", true))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	number := func(script string) float64 {
		t.Helper()
		n, err := chromedp.Run(ctx, chromedp.Evaluate[float64](script))
		require.NoError(t, err)
		return n
	}
	const width = `document.documentElement.scrollWidth`

	require.NoError(t, chromedp.Do(ctx,
		chromedp.EmulateViewport(360, 740, chromedp.EmulateScale(2), chromedp.EmulateMobile),
		chromedp.Navigate(r.url+"/p/"+r.personToken(testPhone)), chromedp.WaitVisible(chromedp.CSS("a.item")),
		shot("person"), colours("dark"), shot("person-dark"), colours("light")))
	require.LessOrEqual(t, number(width), 360.0, "nothing to scroll sideways")
	require.InDelta(t, 2, number(`document.querySelectorAll("a.item").length`), 0.1)
	require.GreaterOrEqual(t, number(`document.querySelector("a.item").getBoundingClientRect().height`), 56.0, "a link for a thumb")
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("a.item")), chromedp.WaitVisible(chromedp.CSS("form"))))
	title, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("h1")))
	require.NoError(t, err)
	require.Equal(t, q.Title, title)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(r.url+"/p/"+r.personToken("+14155550199")), shot("person-empty")))

	require.NoError(t, chromedp.Do(ctx,
		chromedp.EmulateViewport(360, 2300, chromedp.EmulateScale(2), chromedp.EmulateMobile),
		chromedp.Navigate(r.url+"/p/"+r.personToken(gracePhone)), chromedp.WaitVisible(chromedp.CSS("#swap")),
		shot("manager"), colours("dark"), shot("manager-dark"), colours("light")))
	require.LessOrEqual(t, number(width), 360.0)
	require.Zero(t, number(`[...document.querySelectorAll("select,input:not([type=hidden])")].filter(e => !e.labels.length).length`), "every field has a label")

	fill := func(from, to string) {
		t.Helper()
		number(fmt.Sprintf(`(() => { const f = document.querySelector("#swap"); f.out.value = "alma"; f.in.value = "omar"; f.from.value = %q; f.to.value = %q; return 0 })()`, from, to))
		require.NoError(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("#swap button"))))
	}
	los := localTimeOf(r.people.known.now().company()).zone
	soon := time.Now().In(los).Add(time.Hour)
	fill(soon.Format(fieldTime), soon.Add(-30*time.Minute).Format(fieldTime))
	require.NoError(t, chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS("[role=alert]")), shot("swap-wrong")))
	require.LessOrEqual(t, number(width), 360.0)
	require.InDelta(t, 1, number(`document.querySelectorAll("[aria-invalid]").length`), 0.1)
	fill(time.Now().In(los).Format(fieldTime), soon.Format(fieldTime))
	require.NoError(t, chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS("[role=status]")), shot("swap-made")))
	require.LessOrEqual(t, number(width), 360.0)
	live, err := r.store.LiveSwaps(t.Context(), time.Now())
	require.NoError(t, err)
	require.Len(t, live, 1)
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("button[name=cancel]")), chromedp.WaitNotPresent(chromedp.CSS("button[name=cancel]"))))
	live, err = r.store.LiveSwaps(t.Context(), time.Now())
	require.NoError(t, err)
	require.Empty(t, live)
}
