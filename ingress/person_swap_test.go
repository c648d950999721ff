package ingress

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

var nonceInPage = regexp.MustCompile(`name="nonce" value="([A-Z2-7]{26})"`)

// nonce is that of a form that the page of a manager shows.
func (r *rig) nonce(token string) string {
	r.t.Helper()
	found := nonceInPage.FindStringSubmatch(r.page(http.MethodGet, token).body)
	require.Len(r.t, found, 2)
	return found[1]
}

// post sends a form; redirects are not followed.
func (r *rig) post(path string, form url.Values, header map[string]string) answer {
	r.t.Helper()
	req := r.request(http.MethodPost, path, form.Encode())
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(r.t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return answer{resp.StatusCode, resp.Header, string(body)}
}

func (r *rig) swaps() []store.Swap {
	r.t.Helper()
	list, err := r.store.LiveSwaps(r.t.Context(), r.people.cfg.Clock.Now())
	require.NoError(r.t, err)
	return list
}

// inField is a time as a datetime-local field of the built-in policy's company has it.
func (r *rig) inField(t time.Time) string {
	return t.In(localTimeOf(r.people.known.now().company()).zone).Format(fieldTime)
}

func TestSwap(t *testing.T) {
	t.Parallel()
	r := ruled(t, nil)
	token := r.personToken(gracePhone)
	now := time.Now()
	settings := r.people.known.now().company()
	out := settings.OnCallAt(now)[0]
	before := r.page(http.MethodGet, token).body
	require.Contains(t, before, "Everywhere else")
	require.Contains(t, before, "Portfolio 2")
	require.Regexp(t, `<p class="names">`+out.Name+`, then `, before)
	require.Contains(t, before, "until "+localTimeOf(settings).at(settings.OnCallUntil(now)))

	form := url.Values{"nonce": {r.nonce(token)}, "out": {out.ID}, "in": {"maria"}, "from": {r.inField(now)}, "to": {r.inField(now.Add(3 * time.Hour))}}
	made := r.post("/p/"+token+"/swap", form, nil)
	require.Equal(t, http.StatusSeeOther, made.status, made.body)
	require.Equal(t, "../"+token+"?done=swapped", made.header.Get("Location"))
	require.Equal(t, "no-store", made.header.Get("Cache-Control"))
	live := r.swaps()
	require.Len(t, live, 1)
	require.Equal(t, []string{out.ID, "maria", "grace"}, []string{live[0].Out, live[0].In, live[0].By})
	require.Equal(t, now.Truncate(time.Minute).UTC(), live[0].From, "typed in the company's zone")
	require.Equal(t, 3*time.Hour, live[0].To.Sub(live[0].From))
	require.WithinDuration(t, now, live[0].At, time.Minute)

	again := r.post("/p/"+token+"/swap", form, nil)
	require.Equal(t, http.StatusSeeOther, again.status, "the same form again is the same swap")
	require.Len(t, r.swaps(), 1)

	after := r.page(http.MethodGet, token+"?done=swapped").body
	require.Contains(t, after, "The swap is made.")
	require.Contains(t, after, "Maria Fixit for "+out.Name)
	require.Regexp(t, `<p class="names">Maria Fixit, then `, after)
	require.Contains(t, after, "until "+localTimeOf(settings).at(live[0].To))
	require.NotContains(t, r.page(http.MethodGet, token+"?done=%3Cb%3E").body, "role=\"status\"")

	cancelled := r.post("/p/"+r.personToken(omarPhone)+"/swap", url.Values{"cancel": {live[0].ID}}, nil)
	require.Equal(t, http.StatusSeeOther, cancelled.status)
	require.Contains(t, cancelled.header.Get("Location"), "done=cancelled")
	require.Empty(t, r.swaps())
	require.Equal(t, http.StatusSeeOther, r.post("/p/"+token+"/swap", form, nil).status)
	require.Empty(t, r.swaps(), "an old form does not bring it back")
	require.Regexp(t, `<p class="names">`+out.Name+`, then `, r.page(http.MethodGet, token).body)
	require.Equal(t, []int{3, 1}, []int{r.counted("person_swap", "swapped"), r.counted("person_swap", "cancelled")})

	for _, entry := range r.logs.All() {
		all := entry.Message + fmt.Sprint(entry.ContextMap())
		for _, secret := range []string{token, "grace", "maria", "Maria", out.ID, gracePhone, r.keys.Address(gracePhone)} {
			require.NotContains(t, all, secret)
		}
	}
}

func TestSwap_thatIsWrong(t *testing.T) { //nolint:tparallel // the subtests share one rig
	t.Parallel()
	r := ruled(t, nil)
	token := r.personToken(gracePhone)
	now := time.Now()
	at := func(d time.Duration) string { return r.inField(now.Add(d)) }
	busy := store.Swap{ID: "busy", Out: "ben", In: "omar", From: now.Add(time.Hour), To: now.Add(3 * time.Hour)}
	require.NoError(t, r.store.PutSwap(t.Context(), busy, now))
	nonce := r.nonce(token)
	for _, c := range []struct{ name, field, value, wrong, says string }{
		{"nobody is out", "out", "", "out", "Choose somebody"},
		{"a stranger is out", "out", "zoe", "out", "Choose somebody"},
		{"who is never on call is out", "out", "maria", "out", "Choose somebody"},
		{"nobody stands in", "in", "", "in", "Choose who stands in"},
		{"a stranger stands in", "in", "<b>", "in", "Choose who stands in"},
		{"for oneself", "in", "alma", "in", "somebody else"},
		{"no beginning", "from", "", "from", "Enter a day"},
		{"a beginning that is none", "from", "tomorrow", "from", "Enter a day"},
		{"long past", "from", at(-25 * time.Hour), "from", "in the past"},
		{"far ahead", "from", at(400 * 24 * time.Hour), "from", "more than a year"},
		{"a time that the clocks leave out", "from", "2027-03-14T02:30", "from", "does not exist"},
		{"no end", "to", "", "to", "Enter a day"},
		{"over", "to", at(-time.Minute), "to", "in the past"},
		{"ends when it begins", "to", at(2 * time.Hour), "to", "after the beginning"},
		{"too long", "to", at(70 * 24 * time.Hour), "to", "Two months"},
		{"somebody stands in already", "out", "ben", "out", "stands in for them"},
		{"no nonce", "nonce", "", "form", "send the form again"},
		{"a made-up nonce", "nonce", "../../x", "form", "send the form again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			form := url.Values{"nonce": {nonce}, "out": {"alma"}, "in": {"grace"}, "from": {at(2 * time.Hour)}, "to": {at(4 * time.Hour)}}
			form.Set(c.field, c.value)
			r.people.visits = newVisitLimits(1000, 1000)
			got := r.post("/p/"+token+"/swap", form, nil)
			require.Equal(t, http.StatusUnprocessableEntity, got.status, got.body)
			require.Contains(t, got.body, `role="alert"`)
			require.Contains(t, got.body, c.says)
			if c.wrong != "form" {
				require.Contains(t, got.body, `id="`+c.wrong+`-wrong"`)
			}
			require.Contains(t, got.body, `action="../../p/`+token+`/swap"`, "links lead on from here too")
			require.Regexp(t, nonceInPage, got.body)
			if c.field != "from" {
				require.Contains(t, got.body, `value="`+at(2*time.Hour)+`"`, "what was typed is kept")
			}
			if c.field == "to" {
				require.Contains(t, got.body, `<option value="alma" selected>`)
				require.Contains(t, got.body, nonce)
			}
			require.NotContains(t, got.body, "<b>")
			require.Len(t, r.swaps(), 1)
		})
	}
	for i := range store.MaxSwaps - 1 {
		require.NoError(t, r.store.PutSwap(t.Context(), store.Swap{ID: fmt.Sprint(i), Out: fmt.Sprint("p", i), In: "omar", From: busy.From, To: busy.To}, now))
	}
	form := url.Values{"nonce": {nonce}, "out": {"alma"}, "in": {"grace"}, "from": {at(2 * time.Hour)}, "to": {at(4 * time.Hour)}}
	full := r.post("/p/"+token+"/swap", form, nil)
	require.Equal(t, http.StatusUnprocessableEntity, full.status)
	require.Contains(t, full.body, "too many swaps")
}

func TestSwap_thatIsRefused(t *testing.T) { //nolint:tparallel // the subtests share one rig
	t.Parallel()
	r := ruled(t, nil)
	token, now := r.personToken(gracePhone), time.Now()
	form := url.Values{"nonce": {r.nonce(token)}, "out": {"alma"}, "in": {"grace"}, "from": {r.inField(now)}, "to": {r.inField(now.Add(time.Hour))}}
	for _, c := range []struct {
		name, token string
		header      map[string]string
		body        url.Values
		status      int
		says        string
	}{
		{"from another site", token, map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.com"}, form, 403, "another site"},
		{"from another site, old browser", token, map[string]string{"Origin": "https://evil.example.com"}, form, 403, "another site"},
		{"by somebody on call", r.personToken(almaPhone), nil, form, 403, "Only property managers"},
		{"by a stranger", r.personToken(testPhone), nil, form, 403, "Only property managers"},
		{"a cancel by a stranger", r.personToken(testPhone), nil, url.Values{"cancel": {"a"}}, 403, "Only property managers"},
		{"not a form", token, map[string]string{"Content-Type": "application/json"}, form, 415, "use the form"},
		{"a long body", token, nil, url.Values{"in": {strings.Repeat("x", swapMaxBody)}}, 413, "use the form"},
		{"nonsense", token, nil, nil, 422, "The swap was not made"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := r.post("/p/"+c.token+"/swap", c.body, c.header)
			require.Equal(t, c.status, got.status)
			require.Contains(t, got.body, c.says)
			require.Empty(t, r.swaps())
		})
	}
	for _, header := range []map[string]string{{"Sec-Fetch-Site": "same-origin", "Origin": "null"}, {"Origin": "null"}, {"Origin": "https://keyholder.example.com"}} {
		require.Equal(t, http.StatusSeeOther, r.post("/p/"+token+"/swap", form, header).status)
	}
	require.Len(t, r.swaps(), 1)

	r.people.cfg.Store = brokenStore{r.store}
	form.Set("nonce", "AAAAAAAAAAAAAAAAAAAAAAAAAA")
	away := r.post("/p/"+token+"/swap", form, nil)
	require.Equal(t, http.StatusServiceUnavailable, away.status)
	require.NotContains(t, away.body, "disk")
}
