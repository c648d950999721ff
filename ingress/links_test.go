package ingress

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func (r *rig) open(method, token string) answer {
	r.t.Helper()
	return r.do(r.request(method, "/a/"+token, ""))
}

func TestLink_page(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil) // opening a link never gets as far as Temporal
	q := r.ask("work-order/1", "page-1", `Water leak, 12 <b>Elm</b> "St"`)
	token := r.keys.Token(q.ID)
	got := r.open(http.MethodGet, token)
	require.Equal(t, http.StatusOK, got.status)
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=UTF-8", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "X-Robots-Tag": "noindex, nofollow",
	} {
		require.Equal(t, want, got.header.Get(name), name)
	}
	policy := got.header.Get("Content-Security-Policy")
	require.Contains(t, policy, "default-src 'none'")
	require.Contains(t, policy, "form-action 'self'")
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(got.body)
	require.Len(t, style, 2)
	sum := sha256.Sum256([]byte(style[1]))
	require.Contains(t, policy, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")

	require.Contains(t, got.body, `<html lang="en">`)
	require.Contains(t, got.body, `name="viewport"`)
	require.Contains(t, got.body, `Water leak, 12 &lt;b&gt;Elm&lt;/b&gt; &#34;St&#34;`)
	require.Contains(t, got.body, `<button type="submit" name="choice" value="acknowledge">I&#39;m on it</button>`)
	require.Contains(t, got.body, q.Code)
	require.NotContains(t, got.body, "<script")
	require.NotContains(t, got.body, token, "the address is the key: the page need not repeat it")

	head := r.open(http.MethodHead, token)
	require.Equal(t, []any{http.StatusOK, "", "no-store"}, []any{head.status, head.body, head.header.Get("Cache-Control")})
	require.Empty(t, r.question(q.ID).Answer)
}

func TestLink_aMailedQuestionShowsNoCode(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	q, err := r.store.Ask(t.Context(), store.Question{
		ID: r.keys.QuestionID("w", "choose", "p"), Address: "a", WorkflowID: "w", Step: "choose", Person: "p", Purpose: chooseProfessional,
		Title: "Another conveyancer for property 7", Options: []store.Option{{Key: "1", Choice: "wait", Label: "Keep waiting"}},
	})
	require.NoError(t, err)
	require.NotEmpty(t, q.Code)
	badge := `<span class="code"`
	asked := r.open(http.MethodGet, r.keys.Token(q.ID)).body
	require.Contains(t, asked, "Keep waiting")
	require.NotContains(t, asked, badge)
	require.NoError(t, r.store.CloseQuestions(t.Context(), "w", ""))
	settled := r.open(http.MethodGet, r.keys.Token(q.ID)).body
	require.Contains(t, settled, "Already settled")
	require.NotContains(t, settled, badge)
	texted := r.ask("w2", "texted", "Leak")
	require.Contains(t, r.open(http.MethodGet, r.keys.Token(texted.ID)).body, badge)
}

func TestLink_notes(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	q, err := r.store.Ask(t.Context(), store.Question{
		ID: r.keys.QuestionID("w", "s", "p"), Address: "a", WorkflowID: "w", Step: "s", Person: "p", Title: "Leak",
		Options: []store.Option{{Key: "1", Choice: "yes", Label: "Accept"}, {Key: "2", Choice: "time", Label: "Propose a time", WantsNote: true}},
	})
	require.NoError(t, err)
	require.Contains(t, r.open(http.MethodGet, r.keys.Token(q.ID)).body, `<label for="note">Note for “Propose a time”</label>`)
}

func TestLink_thatAsksNothing(t *testing.T) { //nolint:tparallel // the subtests share one rig
	t.Parallel()
	r := newRig(t, nil)
	expired, err := r.store.Ask(t.Context(), store.Question{
		ID: r.keys.QuestionID("w", "expired", "p"), Address: "a", WorkflowID: "w", Step: "expired", Title: "Secret Street",
		Options: ladder, ExpiresAt: time.Now().UTC().Add(-time.Minute),
	})
	require.NoError(t, err)
	answered, closed := r.ask("w", "answered", "Answered leak"), r.ask("v", "closed", "Closed leak")
	_, err = r.store.RecordAnswer(t.Context(), answered.ID, "decline")
	require.NoError(t, err)
	require.NoError(t, r.store.CloseQuestions(t.Context(), "v", ""))
	good := r.keys.Token(closed.ID)
	for _, c := range []struct {
		name, token string
		status      int
		says        string
	}{
		{"no token at all", "x", 404, "This link does not work"},
		{"a signature of another secret", store.NewKeys("another").Token(closed.ID), 404, "This link does not work"},
		{"one letter wrong", good[:16] + "aaaaaaaaaaaaaaaa", 404, "This link does not work"},
		{"a question that is not there", r.keys.Token(r.keys.QuestionID("nobody", "asked", "this")), 404, "This link does not work"},
		{"expired", r.keys.Token(expired.ID), 410, "This link has expired"},
		{"answered", r.keys.Token(answered.ID), 200, "Can&#39;t, next please"},
		{"closed", good, 200, "Already settled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := r.open(http.MethodGet, c.token)
			require.Equal(t, c.status, got.status)
			require.Contains(t, got.body, c.says)
			require.NotContains(t, got.body, "<form")
			require.NotContains(t, got.body, "Secret Street")
			require.Equal(t, "no-referrer", got.header.Get("Referrer-Policy"))
			if c.status != 200 {
				require.Equal(t, c.status, r.tap(c.token, "acknowledge", "").status)
			}
		})
	}
	require.Equal(t, 2, r.counted("link_open", "answered")+r.counted("link_open", "settled"))
}

func TestLink_answers(t *testing.T) {
	t.Parallel()
	r := newRig(t, testTemporal(t))
	r.work()
	id := r.begin("asking", "1")
	q := r.ask(id, "page-1", "Water leak, 12 Elm St")
	token := r.keys.Token(q.ID)

	got := r.tap(token, "acknowledge", "  10 minutes\r\naway ")
	require.Equal(t, http.StatusOK, got.status)
	require.Contains(t, got.body, "You are on it, thank you.")
	require.Equal(t, "10 minutes\naway", r.told(id).Answers[0].Note)
	require.Equal(t, "acknowledge", r.question(q.ID).Answer)

	again := r.tap(token, "decline", "")
	require.Equal(t, http.StatusOK, again.status)
	require.Contains(t, again.body, "<strong>I&#39;m on it</strong>")
	require.Equal(t, 1, r.counted("link_answer", "repeated"))
	require.Contains(t, r.open(http.MethodGet, token).body, "<strong>I&#39;m on it</strong>")
	require.Len(t, r.told(id).Answers, 1)
	require.Zero(t, r.told(id).Copies)

	// Somebody else answers the same matter later, from a page opened before it was
	// closed.
	other := r.ask(id, "page-2", "Water leak, 12 Elm St")
	require.NoError(t, r.store.CloseQuestions(t.Context(), id, ""))
	late := r.tap(r.keys.Token(other.ID), "acknowledge", "")
	require.Contains(t, late.body, "Somebody was faster")
	require.Equal(t, 1, r.counted("link_answer", "late"))

	third := r.ask(id, "page-3", "Water leak, 12 Elm St")
	r.end(id)
	gone := r.tap(r.keys.Token(third.ID), "acknowledge", "")
	require.Equal(t, http.StatusOK, gone.status)
	require.Contains(t, gone.body, "Already settled")
}

// Two taps at once are one answer, and both see the same words.
func TestLink_twoTapsAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, testTemporal(t))
	r.work()
	id := r.begin("asking", "1")
	q := r.ask(id, "page-1", "Water leak, 12 Elm St")
	both := make(chan answer, 2)
	for range 2 {
		go func() { both <- r.tap(r.keys.Token(q.ID), "acknowledge", "") }()
	}
	for range 2 {
		got := <-both
		require.Equal(t, http.StatusOK, got.status)
		require.Contains(t, got.body, "<strong>I&#39;m on it</strong>")
	}
	require.Len(t, r.told(id).Answers, 1)
}

func TestLink_refusals(t *testing.T) { //nolint:tparallel // the subtests share one rig
	t.Parallel()
	r := newRig(t, testTemporal(t))
	r.work()
	id := r.begin("asking", "1")
	q, err := r.store.Ask(t.Context(), store.Question{
		ID: r.keys.QuestionID(id, "offer", "tech-1"), Address: "a", WorkflowID: id, Step: "offer", Person: "tech-1", Title: "Leak",
		Options: []store.Option{{Key: "1", Choice: "refused", Label: "Accept"}},
	})
	require.NoError(t, err)
	path := "/a/" + r.keys.Token(q.ID)
	for _, c := range []struct {
		name, kind, body string
		header           map[string]string
		status           int
		says             string
	}{
		{"by the workflow", "", "choice=refused", nil, 422, "this job is taken"},
		{"not an option", "", "choice=acknowledge", nil, 400, "not one of the answers"},
		{"no choice", "", "", nil, 400, "not one of the answers"},
		{"a long note", "", "choice=refused&note=" + strings.Repeat("x", 501), nil, 400, "too long"},
		{"a long body", "", "choice=refused&note=" + strings.Repeat("x", linkMaxBody), nil, 413, "too long"},
		{"not a form", "application/json", "{}", nil, 415, "use the buttons"},
		{"from another site", "", "choice=refused", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.com"}, 403, "another site"},
		{"from another site, old browser", "", "choice=refused", map[string]string{"Origin": "https://evil.example.com"}, 403, "another site"},
		{"from our page, no referrer", "", "choice=refused", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 422, "this job is taken"},
		{"from our page, old browser", "", "choice=refused", map[string]string{"Origin": "null"}, 422, "this job is taken"},
		{"from our page behind a proxy", "", "choice=refused", map[string]string{"Origin": "https://keyholder.example.com"}, 422, "this job is taken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := r.request(http.MethodPost, path, c.body)
			if c.kind != "" {
				req.Header.Set("Content-Type", c.kind)
			}
			for k, v := range c.header {
				req.Header.Set(k, v)
			}
			got := r.do(req)
			require.Equal(t, c.status, got.status)
			require.Contains(t, got.body, c.says)
		})
	}
	require.Empty(t, r.question(q.ID).Answer)
	require.Empty(t, r.told(id).Answers)
}

func TestLink_limits(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	q := r.ask("w", "s", "Leak")
	limited := func(token string) (at int) {
		for at = range 200 {
			if got := r.open(http.MethodGet, token); got.status == http.StatusTooManyRequests {
				require.Equal(t, "15", got.header.Get("Retry-After"))
				return at
			}
		}
		t.Fatal("never limited")
		return 0
	}
	require.GreaterOrEqual(t, limited("guess"), 40)
	require.Equal(t, http.StatusTooManyRequests, r.open(http.MethodGet, "another-guess").status)
	require.GreaterOrEqual(t, limited(r.keys.Token(q.ID)), 40, "a guesser behind the same proxy locks nobody out")
}

// The page works in a real browser under its own policy: it is styled, its form
// posts and the recorded answer is shown. KEYHOLDER_SHOTS names a folder for
// screenshots.
func TestLink_inABrowser(t *testing.T) {
	t.Parallel()
	if !hasBrowser() {
		t.Skip("needs Chromium or Chrome on PATH")
	}
	r := newRig(t, testTemporal(t))
	r.work()
	id := r.begin("asking", "1")
	q := r.ask(id, "page-1", "Water leak, 12 Elm Street, Flat 2")
	page := r.url + "/a/" + r.keys.Token(q.ID)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-component-update", true))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)

	require.NoError(t, chromedp.Do(ctx,
		chromedp.EmulateViewport(390, 844, chromedp.EmulateScale(2), chromedp.EmulateMobile),
		chromedp.Navigate(page), chromedp.WaitVisible(chromedp.CSS("button")), shot("ask"), colours("dark"), shot("ask-dark"), colours("light")))
	height, err := chromedp.Run(ctx, chromedp.Evaluate[float64](`document.querySelector("button").getBoundingClientRect().height`))
	require.NoError(t, err)
	width, err := chromedp.Run(ctx, chromedp.Evaluate[float64](`document.documentElement.scrollWidth`))
	require.NoError(t, err)
	require.NoError(t, chromedp.Do(ctx,
		chromedp.Click(chromedp.CSS("summary")), chromedp.SendKeys(chromedp.CSS("#note"), "on my way"), shot("ask-note"),
		chromedp.Click(chromedp.CSS(`button[value="acknowledge"]`)), chromedp.WaitVisible(chromedp.CSS("[role=status]")), shot("recorded")))
	told, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("[role=status]")))
	require.NoError(t, err)
	require.NoError(t, chromedp.Do(ctx,
		chromedp.Navigate(r.url+"/a/wrong"), shot("unknown"), colours("dark"), shot("unknown-dark")))
	require.GreaterOrEqual(t, height, 56.0, "a button for a thumb")
	require.LessOrEqual(t, width, 390.0, "nothing to scroll sideways")
	require.Contains(t, told, "You are on it, thank you.")
	require.Equal(t, "on my way", r.told(id).Answers[0].Note)
}

func hasBrowser() bool {
	for _, name := range []string{"headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if _, err := exec.LookPath(name); err == nil {
			return true
		}
	}
	return false
}

func colours(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
		return err
	})
}

func shot(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		folder := os.Getenv("KEYHOLDER_SHOTS")
		if folder == "" {
			return nil
		}
		png, err := chromedp.CaptureScreenshot()(ctx, t)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(folder, url.PathEscape(name)+".png"), png, 0o600)
	})
}

// Opening is noted once, by GET alone, and answers nothing.
func TestLink_openingIsNoted(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	q := r.ask("lease/1", "offer", "Your lease")
	token := r.keys.Token(q.ID)
	require.Equal(t, http.StatusOK, r.open(http.MethodHead, token).status)
	require.Zero(t, r.question(q.ID).OpenedAt, "HEAD is no reader")
	before := time.Now().Add(-time.Second)
	require.Equal(t, http.StatusOK, r.open(http.MethodGet, token).status)
	opened := r.question(q.ID).OpenedAt
	require.WithinRange(t, opened, before, time.Now())
	require.Equal(t, http.StatusOK, r.open(http.MethodGet, token).status)
	got := r.question(q.ID)
	require.Equal(t, opened, got.OpenedAt, "the first time is kept")
	require.Empty(t, got.Answer)
	require.True(t, got.ClosedAt.IsZero())
}
