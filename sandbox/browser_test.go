package sandbox_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox"
)

// browser opens a headless tab and fails the test at its end if the console had
// an error. It skips where no browser is installed.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium or Chrome on PATH: the page is not tested in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.NoFirstRun, chromedp.DisableGPU,
		chromedp.WSURLReadTimeout(60*time.Second))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	// The first call starts the browser, so it has no time limit of its own.
	messages := chromedp.Console(ctx)
	var problems []string
	read := make(chan struct{})
	go func() {
		defer close(read)
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.IsException() || m.Type == chromedp.ConsoleError {
				problems = append(problems, m.String()+" "+m.URL)
			}
		}
	}()
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // ends the browser before its folder is removed
		<-read
		require.Empty(t, problems, "errors in the browser's console")
	})
	return ctx
}

// do carries out steps in the browser within a time limit.
func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	require.NoError(t, chromedp.Do(ctx, steps...))
}

// get reads something in the browser within a time limit.
func get[T any](t *testing.T, ctx context.Context, action chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	require.NoError(t, err)
	return v
}

func css(selector string) chromedp.CSS { return chromedp.CSS(selector) }

func visible(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.WaitVisible(css(selector))
}

func click(selector string) chromedp.Action[chromedp.Void] { return chromedp.Click(css(selector)) }

func TestThePageInABrowser(t *testing.T) {
	r := newRig(t)
	ctx := browser(t) // after what it looks at, so that it ends before that
	require.Equal(t, http.StatusCreated, r.text("Water leak at 12 Elm St <b>unit 1</b>. Reply 1 if you are on it, 2 if you can't. http://127.0.0.1/a/abc."))
	phone := fmt.Sprintf(`[data-phone="%s"]`, theirs)
	input := phone + ` input[name=body]`

	do(t, ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(r.base+"/"), visible(phone+" .bubble"))
	require.Contains(t, get(t, ctx, chromedp.Text(css(phone+" h3"))), "Grace <Lindqvist>", "names are escaped")
	require.Contains(t, get(t, ctx, chromedp.Text(css(phone+" .bubble p"))), "<b>unit 1</b>", "texts are escaped")
	require.Equal(t, "http://127.0.0.1/a/abc", get(t, ctx, chromedp.AttributeValue(css(phone+" .bubble a"), "href")).Value)

	// Typing a reply posts the signed webhook, and its answer arrives on the phone.
	do(t, ctx, chromedp.SendKeys(css(input), "1\r"))
	form := next(t, r.texts)
	require.Equal(t, "1", form.Get("Body"))
	require.Equal(t, theirs, form.Get("From"))
	require.NotEmpty(t, form.Get("signature"))
	do(t, ctx, visible(phone+` .bubble.mine`), visible(phone+` .bubble:nth-child(3) a`))

	// A text that arrives meanwhile does not disturb what is being typed.
	do(t, ctx, chromedp.SendKeys(css(input), "half a sent"))
	require.Equal(t, http.StatusCreated, r.text("Anybody there?"))
	do(t, ctx, visible(phone+` .bubble:nth-child(4)`))
	require.Equal(t, "half a sent", get(t, ctx, chromedp.Value(css(input))))
	require.True(t, get(t, ctx, chromedp.Evaluate[bool](`document.activeElement.name === "body"`)))

	// A button sends a sample webhook.
	do(t, ctx, click(`[data-send="work_order.created"]`))
	require.Equal(t, "work_order.created", r.webhook().body["event_type"])
	do(t, ctx, visible(`#notice.shown`))
	testOtherTabs(t, ctx, r)
}

func testOtherTabs(t *testing.T, ctx context.Context, r *rig) {
	t.Helper()
	require.NoError(t, r.mail())
	do(t, ctx, click(`nav a[href="#mails"]`), visible(`.mail.here h2`), click(`.mail.here summary`), visible(`.mail.here iframe`))
	require.Equal(t, "/_mails/1/attachments/0", get(t, ctx, chromedp.AttributeValue(css(`.mail.here .files a`), "href")).Value)

	away, on := `[data-partner=twilio] .switches button:first-child`, `[data-partner=twilio] [aria-pressed=true]`
	do(t, ctx, click(`nav a[href="#faults"]`), visible(away), click(away), visible(on))
	require.Equal(t, 503, r.text("refused"))
	do(t, ctx, click(on), chromedp.WaitNotPresent(css(on)))
	require.Equal(t, 201, r.text("taken"))

	do(t, ctx, click(`nav a[href="#records"]`), visible(`form[data-status]`),
		chromedp.SetValue(css(`form[data-status] select[name=status]`), "Completed"), click(`form[data-status] button`))
	require.Equal(t, "work_order.updated", r.webhook().body["event_type"])
	do(t, ctx, chromedp.SetValue(css(`form[data-move-out] input`), "2026-11-20"), click(`form[data-move-out] button`))
	told := r.webhook().body
	require.Equal(t, "lease.updated", told["event_type"])
	require.Equal(t, "2026-11-20", told["data"].(map[string]any)["moveOutDate"])

	do(t, ctx, click(`nav a[href="#calls"]`), visible(`.calls .bad`))
}

// TestPictures draws the page as a person finds it in the middle of a story. It
// runs only where somebody wants to look at it.
func TestPictures(t *testing.T) {
	folder := os.Getenv("KEYHOLDER_SCREENSHOTS")
	if folder == "" {
		t.Skip("KEYHOLDER_SCREENSHOTS names no folder")
	}
	ctx := browser(t)
	r := newRig(t, subscribed)
	story(t, r)
	for name, size := range map[string][2]int64{"wide": {1280, 900}, "narrow": {390, 844}} {
		for _, tab := range []string{"phones", "mails", "records", "openmoove", "outgoing", "calls", "faults"} {
			do(t, ctx, chromedp.EmulateViewport(size[0], size[1]), chromedp.Navigate("about:blank"),
				chromedp.Navigate(r.base+"/#"+tab), visible("#"+tab))
			if tab == "openmoove" {
				do(t, ctx, click(`[data-sale="2"] summary`), click(`[data-sale="1"] summary`))
				if name == "wide" {
					do(t, ctx, click(`[data-key="om new"] summary`), click(`[data-key="om options"] summary`))
				}
			}
			if tab == "outgoing" {
				do(t, ctx, click(`#outgoing tr:last-child summary`))
			}
			picture := get(t, ctx, chromedp.CaptureScreenshot())
			require.NoError(t, os.WriteFile(filepath.Join(folder, name+"-"+tab+".png"), picture, 0o600))
		}
	}
}

func story(t *testing.T, r *rig) {
	t.Helper()
	r.call(http.MethodPost, "/_send/rentvine/work_order.created", "", nil)
	for _, m := range [][2]string{
		{theirs, "EMERGENCY K7: water leak, 12 Elm St unit 1 (burst pipe under the kitchen sink). Reply 1 = on it, 2 = can't. http://127.0.0.1:8080/a/mfrggzdfmztwq2lk"},
		{"+12135550101", "We have your report of a water leak at 12 Elm St. Grace is on the way to a phone near you. Reply STOP to hear no more."},
		{"+12135550121", "Job M3: leak at 12 Elm St, 2.1 km from you. Reply 1 to accept, 2 to decline."},
		{"+12135550199", "Your technician Marco will arrive by 17:40."},
	} {
		require.Equal(t, 201, r.call(http.MethodPost, "/twilio/2010-04-01/Accounts/"+account+"/Messages.json",
			url.Values{"From": {ours}, "To": {m[0]}, "Body": {m[1]}}.Encode(), nil))
	}
	r.call(http.MethodPost, "/_reply", `{"from":"`+theirs+`","body":"1"}`, nil)
	require.NoError(t, r.SetFault(sandbox.Twilio, sandbox.Fault{Delivery: "undelivered", Times: 1}))
	r.text("Thank you. Marco Ruiz is on his way; the tenant is told.")
	require.Equal(t, 400, r.call(http.MethodPost, "/twilio/2010-04-01/Accounts/"+account+"/Messages.json", url.Values{"From": {ours}, "To": {"12"}, "Body": {"x"}}.Encode(), nil))
	require.NoError(t, r.SetFault(sandbox.RentVine, sandbox.Fault{Status: 503}))
	r.call(http.MethodGet, "/rentvine/api/manager/maintenance/work-orders", "", nil)
	require.NoError(t, r.mail())
	require.NoError(t, r.mail())
	r.sell("4 Park Row, Leeds")
	auction := r.sell("The Old Rectory, 112 Church Lane, Stratford-upon-Avon")
	require.Equal(t, 200, r.call(http.MethodPost, fmt.Sprintf("%s/%d/accept", sales, auction), `{"role":"conveyancer"}`, nil))
	require.Equal(t, 201, r.call(http.MethodPost, sales, `{"property_address":"31 Quay Street, Whitby","property_postcode":"YO21 1BZ",`+
		`"email":"w@example.com","sale_method":"modern_auction","auctioneer_email":"hammer@gavel.example.com"}`, nil))
	require.Equal(t, 200, r.call(http.MethodPut, options, `{"without_webhooks":true,"changes_a_day":300}`, nil))
	for i, kind := range []string{"sale.created", "sale.milestone_completed", "sale.overdue", "sale.milestone_completed"} {
		status, _ := r.publish("/subscriber/crm", fmt.Sprintf("msg_2kd8f0s%d", i%3),
			fmt.Sprintf(`{"type":"%s","timestamp":"2031-03-03T09:00:00Z","data":{"property_id":%d,"milestone":"Exchange of Contracts"}}`, kind, i))
		require.Equal(t, 204, status)
	}
	require.Eventually(t, func() bool {
		var messages []map[string]any
		r.call(http.MethodGet, "/_messages", "", &messages)
		return len(messages) > 0 && messages[len(messages)-1]["status"] == "undelivered"
	}, 5*time.Second, 10*time.Millisecond)
}

func TestOpenMooveInABrowser(t *testing.T) {
	r := newRig(t)
	ctx := browser(t) // after what it looks at, so that it ends before that
	id := r.sell("4 Park Row <b>, Leeds")
	r.sale()
	card := fmt.Sprintf(`[data-sale="%d"]`, id)
	accept := card + ` [data-accept=conveyancer]`
	do(t, ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(r.base+"/#openmoove"), visible(accept))
	require.Contains(t, get(t, ctx, chromedp.Text(css(card+" h3"))), "4 Park Row <b>, Leeds")
	require.Contains(t, get(t, ctx, chromedp.Text(css(card+" .team"))), "sam.lee@fielding.example.com")

	// Somebody accepts, and the page and the API know it.
	do(t, ctx, click(accept), chromedp.WaitNotPresent(css(accept)))
	require.Equal(t, "property.updated", r.sale().body["event"])
	require.Contains(t, get(t, ctx, chromedp.Text(css(card+" .team"))), "Sam Lee")
	require.NotContains(t, r.body(fmt.Sprintf("%s/properties/%d/detail/", partners, id)), `"invited"`)

	// A milestone is completed, reopened and moved; the list stays open meanwhile.
	first := card + ` .milestones li:first-child`
	do(t, ctx, click(card+" summary"), visible(first+" [data-complete=true]"), click(first+" [data-complete=true]"), visible(first+" [data-complete=false]"))
	told := []any{r.sale().body["event"], r.sale().body["event"]}
	require.ElementsMatch(t, []any{"property.milestone.updated", "property.milestone.completed"}, told)
	do(t, ctx, click(first+" [data-complete=false]"), visible(first+" [data-complete=true]"))
	require.Equal(t, "property.milestone.updated", r.sale().body["event"])
	do(t, ctx, chromedp.SetValue(css(first+" input[name=due]"), "2033-04-05"), click(first+" form button"))
	require.Equal(t, "property.milestone.updated", r.sale().body["event"])
	require.Contains(t, r.body(fmt.Sprintf("%s/properties/%d/milestones/", partners, id)), `"2033-04-05T23:59:59Z"`)

	// A sale that arrives meanwhile is shown by itself and disturbs nobody who types.
	do(t, ctx, click(`[data-key="om new"] summary`), visible(`[data-sale-new] button`),
		chromedp.SendKeys(css(`[data-sale-new] [name=property_address]`), "9 Half"))
	next := r.sell("6 Park Row, Leeds")
	r.sale()
	do(t, ctx, visible(fmt.Sprintf(`[data-sale="%d"]`, next)))
	require.Equal(t, "9 Half", get(t, ctx, chromedp.Value(css(`[data-sale-new] [name=property_address]`))))
	do(t, ctx, chromedp.SendKeys(css(`[data-sale-new] [name=property_postcode]`), "LS1 5HD"),
		chromedp.SetValue(css(`[data-sale-new] [name=sale_method]`), "modern_auction"),
		chromedp.SendKeys(css(`[data-sale-new] [name=email]`), "seller@example.com\r"),
		visible(fmt.Sprintf(`[data-sale="%d"]`, next+1)))
	require.Equal(t, "property.created", r.sale().body["event"])
	require.Contains(t, get(t, ctx, chromedp.Text(css(fmt.Sprintf(`[data-sale="%d"]`, next+1)))), "Modern auction")

	// A sample, a switch and a fault.
	do(t, ctx, click(`[data-from=openmoove][data-send="property.updated"]`))
	require.Equal(t, "property.updated", r.sale().body["event"])
	do(t, ctx, click(`[data-key="om options"] summary`), visible(`[data-option=without_team]`),
		click(`[data-option=without_team]`), visible(`[data-option=without_team][aria-pressed=true]`))
	require.NotContains(t, r.body(partners+"/properties/1/detail/"), `"team"`)
	away := `[data-partner=openmoove] .switches button:first-child`
	do(t, ctx, click(`nav a[href="#faults"]`), visible(away), click(away), visible(`[data-partner=openmoove] [aria-pressed=true]`))
	require.Equal(t, 503, r.call(http.MethodGet, partners+"/products/", "", nil))
}

func TestEvolvingInABrowser(t *testing.T) {
	r := newRig(t, subscribed, hasty)
	ctx := browser(t) // after what it looks at, so that it ends before that
	r.tally()
	rate, set := `[data-changes] input`, `[data-changes] button`
	do(t, ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(r.base+"/#openmoove"), visible(`[data-key="om options"]`),
		click(`[data-key="om new"] summary`), visible(`[data-portfolio] input`), chromedp.SetValue(css(`[data-portfolio] input`), "40"),
		click(`[data-portfolio] button`), visible(`[data-sale]:nth-child(43)`))
	do(t, ctx, click(`[data-key="om options"] summary`), visible(rate), chromedp.SetValue(css(rate), "250"), click(set), visible(`[data-changes="250"]`))
	require.Contains(t, r.body(options), `"changes_a_day":250`)
	require.Contains(t, get(t, ctx, chromedp.Text(css(`[data-key="om options"] summary`))), "250 changes a day")

	// A switch leaves the rate, also while another is typed.
	do(t, ctx, chromedp.SetValue(css(rate), "7"), click(`[data-option=without_webhooks]`), visible(`[data-option=without_webhooks][aria-pressed=true]`))
	require.JSONEq(t, `{"without_team":false,"without_detail":false,"webhook_first":false,"without_webhooks":true,"changes_a_day":250}`, r.body(options))
	require.Equal(t, "7", get(t, ctx, chromedp.Value(css(rate))))
	do(t, ctx, chromedp.WaitNotPresent(css(`[data-from=openmoove]`)))
	require.Eventually(t, func() bool { return len(r.changes(40)) > 10 }, 30*time.Second, 10*time.Millisecond)
	do(t, ctx, chromedp.SetValue(css(rate), "0"), click(set), visible(`[data-changes="0"]`))
	require.JSONEq(t, `{"without_team":false,"without_detail":false,"webhook_first":false,"without_webhooks":true,"changes_a_day":0}`, r.body(options))

	// An outgoing webhook is shown by itself, and so is its repeat.
	do(t, ctx, click(`nav a[href="#outgoing"]`), visible(`#outgoing .empty`))
	const body = `{"type":"sale.<i>changed</i>","timestamp":"2031-03-03T09:00:00Z","data":{}}`
	for range 2 {
		status, _ := r.publish("/subscriber/crm", "msg_1", body)
		require.Equal(t, 204, status)
	}
	do(t, ctx, visible(`#outgoing table`), click(`#outgoing summary`), visible(`#outgoing pre`))
	text := get(t, ctx, chromedp.Text(css(`#outgoing table`)))
	require.Contains(t, text, "sale.<i>changed</i>")
	require.Contains(t, text, "2 times")
}
