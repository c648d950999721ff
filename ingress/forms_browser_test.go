package ingress

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/store/blobs"
)

// browse opens a browser of a small phone.
func browse(t *testing.T) context.Context {
	t.Helper()
	if !hasBrowser() {
		t.Skip("needs Chromium or Chrome on PATH")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-component-update", true))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(360, 740, chromedp.EmulateScale(2), chromedp.EmulateMobile)))
	return ctx
}

// contrasts lists texts of the page that stand out too little (WCAG: 4.5 to 1).
const contrasts = `(() => {
  const parse = c => { const m = c.match(/[\d.]+/g).map(Number); return m.length > 3 && m[3] === 0 ? null : m; };
  const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c) return c; } return [255, 255, 255]; };
  const bad = [];
  for (const e of document.querySelectorAll("main *")) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !e.checkVisibility()) continue;
    const a = light(parse(getComputedStyle(e).color).slice(0, 3)), b = light(ground(e).slice(0, 3));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) bad.push(e.tagName + " " + e.textContent.trim().slice(0, 30) + " " + ratio.toFixed(2));
  }
  return bad.join("; ");
})()`

// small lists what is too small for a thumb, in CSS pixels.
const small = `[...document.querySelectorAll("button, input:not([type=radio]):not([type=checkbox]), .rating label, .checks label, textarea, summary")]
  .filter(e => e.checkVisibility() && (e.getBoundingClientRect().height < 44 || e.getBoundingClientRect().width < 44))
  .map(e => e.outerHTML.slice(0, 60)).join("; ")`

// legible shoots a page in light and dark and checks what can be measured.
func legible(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	for _, scheme := range []string{"dark", "light"} {
		require.NoError(t, chromedp.Do(ctx, colours(scheme), shot(name+"-"+scheme)))
		bad, err := chromedp.Run(ctx, chromedp.Evaluate[string](contrasts))
		require.NoError(t, err)
		require.Empty(t, bad, "%s, %s: contrast", name, scheme)
	}
	tiny, err := chromedp.Run(ctx, chromedp.Evaluate[string](small))
	require.NoError(t, err)
	require.Empty(t, tiny, "%s: too small", name)
	width, err := chromedp.Run(ctx, chromedp.Evaluate[float64](`document.documentElement.scrollWidth`))
	require.NoError(t, err)
	require.LessOrEqual(t, width, 360.0, "%s: nothing to scroll sideways", name)
}

func TestForm_bidInABrowser(t *testing.T) {
	t.Parallel()
	ctx := browse(t)
	r := newRig(t, testTemporal(t))
	r.work()
	id := r.begin("asking", "1")
	q := r.askForm(id, "bid", bidOptions, bidFields)
	price, send := chromedp.CSS(`#field-price`), chromedp.CSS(`button[value=bid]`)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(r.url+"/a/"+r.keys.Token(q.ID)), chromedp.WaitVisible(price)))
	legible(t, ctx, "bid")

	// The browser insists on what the choice needs, so that nothing is sent.
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(send)))
	missing, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.querySelector("#field-price").matches(":invalid")`))
	require.NoError(t, err)
	require.True(t, missing)
	require.Zero(t, r.counted("link_answer", "incomplete"))

	require.NoError(t, chromedp.Do(ctx, chromedp.SendKeys(price, "about 90"),
		chromedp.SetValue(chromedp.CSS("#field-earliest"), "2026-11-25"), chromedp.SendKeys(chromedp.CSS("#field-note"), "I have the part."),
		chromedp.Click(send), chromedp.WaitVisible(chromedp.CSS("[role=alert]"))))
	legible(t, ctx, "bid-problem")
	kept, err := chromedp.Run(ctx, chromedp.Value(chromedp.CSS("#field-earliest")))
	require.NoError(t, err)
	require.Equal(t, "2026-11-25", kept)
	require.NoError(t, chromedp.Do(ctx, chromedp.SetValue(price, "$90"), chromedp.Click(send), chromedp.WaitVisible(chromedp.CSS("[role=status]"))))
	require.Equal(t, map[string]string{"price": "90.00", "earliest": "2026-11-25", "note": "I have the part."}, r.told(id).Answers[0].Fields)
}

func TestForm_photosInABrowser(t *testing.T) {
	t.Parallel()
	ctx := browse(t)
	r := newRig(t, testTemporal(t))
	r.work()
	id := r.begin("asking", "1")
	folder := t.TempDir()
	var paths []string
	for i := range 3 {
		path := filepath.Join(folder, fmt.Sprintf("a photo with quite a long name %d.png", i))
		require.NoError(t, os.WriteFile(path, aPhoto(t, uint8(40+50*i)), 0o600))
		paths = append(paths, path)
	}
	heic := filepath.Join(folder, "IMG_0042.HEIC")
	require.NoError(t, os.WriteFile(heic, []byte("\x00\x00\x00\x24ftypheic\x00\x00\x00\x00"), 0o600))

	q := r.askForm(id, "done", doneOptions, doneFields)
	before, after := chromedp.CSS(`#field-before > .file input`), chromedp.CSS(`#field-after > .file input`)
	done := chromedp.CSS("button[value=done]")
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(r.url+"/a/"+r.keys.Token(q.ID)), chromedp.WaitVisible(done),
		chromedp.SetUploadFiles(before, []string{heic}), chromedp.SetUploadFiles(after, paths[1:]),
		chromedp.Click(chromedp.CSS(`#field-checks label:nth-child(2)`)), chromedp.Click(chromedp.CSS("#field-after summary"))))
	legible(t, ctx, "done")
	whole(t, ctx, "done-whole")
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(done), chromedp.WaitVisible(chromedp.CSS("[role=alert]"))))
	legible(t, ctx, "done-problem")
	whole(t, ctx, "done-problem-whole")
	require.NoError(t, chromedp.Do(ctx, chromedp.SetUploadFiles(before, paths[:1]), chromedp.SetUploadFiles(after, paths[1:]),
		chromedp.Click(done), chromedp.WaitVisible(chromedp.CSS("[role=status]"))))
	given := r.told(id).Answers[0]
	require.Len(t, given.Photos, 3)
	require.Equal(t, "1", given.Fields["checks"])

	// Who reviews the repair sees them, under the page's own policy.
	review, err := r.store.Ask(t.Context(), store.Question{
		ID: r.keys.QuestionID(id, "review", "manager"), Address: "m", WorkflowID: id, Step: "review", Person: "manager", Title: "Leaking tap, 12 Elm St",
		Details: []store.Detail{{Label: "Why", Text: "The photo after the repair was used for another job."}}, Options: doneOptions[:1],
		Photos: []string{given.Photos[0].ID, given.Photos[1].ID, given.Photos[2].ID},
	})
	require.NoError(t, err)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(r.url+"/a/"+r.keys.Token(review.ID)), chromedp.WaitVisible(chromedp.CSS("img"))))
	require.Eventually(t, func() bool {
		shown, err := chromedp.Run(ctx, chromedp.Evaluate[float64](`[...document.images].filter(i => i.complete && i.naturalWidth === 64).length`))
		return err == nil && shown == 3
	}, 20*time.Second, 20*time.Millisecond)
	legible(t, ctx, "review")
	data, _, err := r.photos.Open(t.Context(), blobs.PhotoKey(given.Photos[0].ID))
	require.NoError(t, err)
	require.NotEmpty(t, data)
}

func TestForm_ratingInABrowser(t *testing.T) {
	t.Parallel()
	ctx := browse(t)
	r := newRig(t, testTemporal(t))
	r.work()
	id := r.begin("asking", "1")
	fixed := []store.Option{{Key: "1", Choice: "fixed", Label: "Yes, it is fixed"}, {Key: "2", Choice: "not_fixed", Label: "No, not yet"}}
	q := r.askForm(id, "confirm", fixed, []store.Field{
		{Name: "rating", Label: "How was the visit?", Kind: store.FieldRating}, {Name: "comment", Label: "Anything to tell us?", Kind: store.FieldText}})
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(r.url+"/a/"+r.keys.Token(q.ID)), chromedp.WaitVisible(chromedp.CSS("button")),
		chromedp.Click(chromedp.CSS(".rating label:nth-child(4)"))))
	legible(t, ctx, "rating")
	whole(t, ctx, "rating-whole")
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("button[value=fixed]")), chromedp.WaitVisible(chromedp.CSS("[role=status]"))))
	require.Equal(t, map[string]string{"rating": "4"}, r.told(id).Answers[0].Fields)
	require.True(t, strings.HasPrefix(http.StatusText(r.open(http.MethodGet, r.keys.Token(q.ID)).status), "OK"))
}

// whole shoots the page from top to bottom.
func whole(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	height, err := chromedp.Run(ctx, chromedp.Evaluate[float64](`document.documentElement.scrollHeight`))
	require.NoError(t, err)
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(360, int64(height), chromedp.EmulateScale(2), chromedp.EmulateMobile), shot(name),
		chromedp.EmulateViewport(360, 740, chromedp.EmulateScale(2), chromedp.EmulateMobile)))
}
