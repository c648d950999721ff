package ingress

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/portfolio"
)

// letting is a rig with the built-in policy.
func letting(t *testing.T, temporal client.Client) *rig {
	t.Helper()
	r := newRig(t, temporal)
	rules, err := policy.Open(policy.BuiltIn, nil)
	require.NoError(t, err)
	r.people.cfg.Rules, r.people.cfg.LeadsAddress = rules, "leads@example.com"
	return r
}

var changed = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

// home is a listing that has all that the feed needs.
func home(unitID string) store.Listing {
	return store.Listing{
		UnitID: unitID, PropertyID: "1", PortfolioID: "1", Address: "12 Elm St & Co <West>", UnitLabel: "4", City: "Portland", State: "OR", ZipCode: "97201",
		Latitude: 45.5202471, Longitude: -122.6741949, Located: true, Beds: 2, Baths: 1, Size: 850, Rent: 185000, Currency: "USD",
		Available: "2027-04-01", Headline: "2 bedrooms in Portland", Text: "Sunny & quiet <b>corner</b>.\nBook a showing.", Contact: "Chloe Park",
		WorkflowID: "vacancy/" + unitID, PublishedAt: changed, ChangedAt: changed,
	}
}

func (r *rig) publish(list ...store.Listing) {
	r.t.Helper()
	for _, l := range list {
		require.NoError(r.t, r.store.Publish(r.t.Context(), l))
	}
	r.people.feed.made = time.Time{}
}

func (r *rig) get(path string, header ...string) answer {
	r.t.Helper()
	req := r.request(http.MethodGet, path, "")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return r.do(req)
}

// leads is a Temporal that takes signals of prospects.
type leads struct {
	client.Client
	got []portfolio.Lead
	to  []string
	err error
}

func (l *leads) SignalWorkflow(_ context.Context, workflowID, _, name string, arg any) error {
	if l.err != nil {
		return l.err
	}
	if name != portfolio.LeadReceived.Name {
		return errors.New("another signal: " + name)
	}
	l.got, l.to = append(l.got, arg.(portfolio.Lead)), append(l.to, workflowID)
	return nil
}

func TestFeed(t *testing.T) {
	t.Parallel()
	r := letting(t, nil)
	studio := home("13")
	studio.Beds, studio.UnitLabel, studio.Located, studio.Size, studio.Available, studio.Rent = 0, "", false, 0, "", 99950
	r.publish(home("12"), studio)
	got := r.get("/listings.xml")
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, "application/xml; charset=utf-8", got.header.Get("Content-Type"))
	for _, part := range []string{
		`<hotPadsItems version="2.1">`, `<Listing id="12" type="RENTAL" companyId="1" propertyType="CONDO">`, "<unit>4</unit>",
		`<street hide="false">12 Elm St &amp; Co &lt;West&gt;</street>`, "<latitude>45.520247</latitude>", "<lastUpdated>2027-03-01T12:00:00.000Z</lastUpdated>",
		"<contactEmail>leads+12@example.com</contactEmail>", "Sunny &amp; quiet &lt;b&gt;corner&lt;/b&gt;.", "<price>1850</price>", "<dateAvailable>2027-04-01</dateAvailable>",
		"<website>" + testPublicURL + "/listings/12?src=hotpads</website>",
		`<Listing id="13" type="RENTAL" companyId="1" propertyType="HOUSE">`, "<price>999.50</price>", "<numBedrooms>0</numBedrooms>",
	} {
		require.Contains(t, got.body, part)
	}
	validFeed(t, got.body)

	r.people.cfg.LeadsAddress = ""
	r.publish()
	require.Contains(t, r.get("/listings.xml").body, "<contactEmail>"+r.people.cfg.Rules.Portfolio("1", "1").Agent.Email+"</contactEmail>")
}

func TestFeed_isEmptyAndValidWithoutListings(t *testing.T) {
	t.Parallel()
	r := letting(t, nil)
	got := r.get("/listings.xml")
	require.Equal(t, http.StatusOK, got.status)
	require.NotContains(t, got.body, "<Listing ")
	validFeed(t, got.body)
}

// validFeed checks a document against the schema.
func validFeed(t *testing.T, document string) {
	t.Helper()
	lint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("the schema is not checked: xmllint (libxml2-utils) is not on the PATH")
	}
	path := filepath.Join(t.TempDir(), "listings.xml")
	require.NoError(t, os.WriteFile(path, []byte(document), 0o600))
	said, err := exec.CommandContext(t.Context(), lint, "--nonet", "--noout", "--schema", "testdata/hotpads-2.1.xsd", path).CombinedOutput()
	require.NoError(t, err, "%s\n%s", said, document)
}

func TestFeed_leavesOutWhatTheFormatCannotSay(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(l *store.Listing){
		"":                      func(*store.Listing) {},
		"a street":              func(l *store.Listing) { l.Address = "" },
		"a city":                func(l *store.Listing) { l.City = "" },
		"a state of two":        func(l *store.Listing) { l.State = "Oregon" },
		"a zip code":            func(l *store.Listing) { l.ZipCode = "972" },
		"a text":                func(l *store.Listing) { l.Text = "" },
		"a rent in US dollars":  func(l *store.Listing) { l.Rent = 0 },
		"a rent in US":          func(l *store.Listing) { l.Currency = "GBP" },
		"the number of bedroom": func(l *store.Listing) { l.Beds = -1 },
		"the number of bath":    func(l *store.Listing) { l.Baths = 0 },
		"a size":                func(l *store.Listing) { l.Size = -1 },
		"a day":                 func(l *store.Listing) { l.Available = "soon" },
		"an id":                 func(l *store.Listing) { l.UnitID = "a b" },
	} {
		l := home("12")
		change(&l)
		item := feedItem(l, policy.Person{Email: "agent@example.com"}, "", testPublicURL)
		missing := item.missing(l)
		if want == "" {
			require.Empty(t, missing)
			continue
		}
		require.Contains(t, missing, want)
	}
	nobody := feedItem(home("12"), policy.Person{}, "", testPublicURL)
	require.Contains(t, nobody.missing(home("12")), "contact")

	r := letting(t, nil)
	bad := home("13")
	bad.Beds = -1
	r.publish(home("12"), bad)
	got := r.get("/listings.xml")
	require.Contains(t, got.body, `<Listing id="12"`)
	require.NotContains(t, got.body, `<Listing id="13"`)
	require.Equal(t, 1, r.logs.FilterMessageSnippet("left out of the feed").Len())
	families, err := r.registry.Gather()
	require.NoError(t, err)
	states := map[string]float64{}
	for _, f := range families {
		if f.GetName() == "keyholder_ingress_listings" {
			for _, m := range f.GetMetric() {
				states[m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
			}
		}
	}
	require.Equal(t, map[string]float64{"in_feed": 1, "left_out": 1}, states)
}

func TestFeed_isNotSentAgainUnchanged(t *testing.T) {
	t.Parallel()
	r := letting(t, nil)
	r.publish(home("12"), home("13"))
	first := r.get("/listings.xml")
	etag, modified := first.header.Get("ETag"), first.header.Get("Last-Modified")
	require.NotEmpty(t, etag)
	r.publish()
	require.Equal(t, http.StatusNotModified, r.get("/listings.xml", "If-None-Match", etag).status)
	require.Equal(t, http.StatusNotModified, r.get("/listings.xml", "If-Modified-Since", modified).status)

	// A home that is withdrawn changes the feed, though nothing in it is newer.
	require.NoError(t, r.store.Withdraw(t.Context(), "13"))
	_, again, later, err := r.people.currentFeed(t.Context(), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.NotEqual(t, etag, again)
	before, err := http.ParseTime(modified)
	require.NoError(t, err)
	require.True(t, later.After(before))
	got := r.get("/listings.xml", "If-None-Match", etag)
	require.Equal(t, http.StatusOK, got.status)
	require.NotContains(t, got.body, `<Listing id="13"`)
}

func TestListings(t *testing.T) {
	t.Parallel()
	r := letting(t, nil)
	require.Contains(t, r.get("/listings").body, "No home is offered")
	r.publish(home("12"))
	got := r.get("/listings?src=zillow")
	require.Equal(t, http.StatusOK, got.status)
	for _, part := range []string{"2 bedrooms in Portland", "$1,850 a month", `href="listings/12?src=zillow"`, "12 Elm St &amp; Co &lt;West&gt;"} {
		require.Contains(t, got.body, part)
	}
	require.NotContains(t, got.body, "More homes")
	for i := range listingsShown {
		r.publish(home("a" + strings.Repeat("x", i)))
	}
	more := r.get("/listings")
	require.Contains(t, more.body, "More homes")
	require.Equal(t, listingsShown, strings.Count(more.body, `class="card" href=`))
	require.Equal(t, http.StatusOK, r.get("/listings?after=%22%3E%3Cscript").status)
}

func TestListing(t *testing.T) {
	t.Parallel()
	r := letting(t, nil)
	r.publish(home("12"))
	got := r.get("/listings/12?src=zillow")
	require.Equal(t, http.StatusOK, got.status)
	require.Contains(t, got.header.Get("Content-Security-Policy"), "default-src 'none'")
	require.Empty(t, got.header.Get("X-Robots-Tag"), "it may be found")
	for _, part := range []string{
		"2 bedrooms in Portland", "$1,850 a month", "2 bedrooms, 1 bathroom, 850 sq ft", "April 1, 2027", "Chloe Park",
		"Sunny &amp; quiet &lt;b&gt;corner", `name="src" value="zillow"`, "reply STOP",
	} {
		require.Contains(t, got.body, part)
	}
	require.Contains(t, r.get("/listings/12?src=%22x").body, `name="src" value=""`)
	for _, path := range []string{"/listings/13", "/listings/a%20b", "/listings/" + strings.Repeat("1", 65)} {
		gone := r.get(path)
		require.Equal(t, http.StatusNotFound, gone.status, path)
		require.Contains(t, gone.body, "not offered")
	}
}

func typedLead() url.Values {
	return url.Values{
		"name": {" Ana  Perez "}, "email": {"Ana@Example.org"}, "phone": {"(503) 555-0123"}, "texts": {"1"},
		"message": {"Is it still free?\r\nThank you."}, "src": {"Zillow"}, "leave_empty": {""},
	}
}

func (r *rig) apply(unitID string, typed url.Values) answer {
	r.t.Helper()
	return r.do(r.request(http.MethodPost, "/listings/"+unitID, typed.Encode()))
}

func TestLead(t *testing.T) {
	t.Parallel()
	temporal := &leads{}
	r := letting(t, temporal)
	r.publish(home("12"))
	for range 2 {
		got := r.apply("12", typedLead())
		require.Equal(t, http.StatusOK, got.status)
		require.Contains(t, got.body, "Thank you")
	}
	require.Equal(t, []string{"vacancy/12", "vacancy/12"}, temporal.to)
	lead := temporal.got[0]
	require.WithinDuration(t, time.Now(), lead.At, time.Minute)
	require.Equal(t, lead.ID, temporal.got[1].ID, "the same twice is one")
	require.Regexp(t, `^lead-[A-Za-z0-9_-]{10,60}$`, lead.ID)
	lead.ID, lead.At = "", time.Time{}
	require.Equal(t, portfolio.Lead{
		Name: "Ana Perez", Email: "ana@example.org", Phone: "+15035550123", Texts: true, Message: "Is it still free?\nThank you.", Source: "zillow", Via: "form",
	}, lead)

	other := typedLead()
	other.Set("message", "Something else")
	require.Equal(t, http.StatusOK, r.apply("12", other).status)
	require.NotEqual(t, temporal.got[0].ID, temporal.got[2].ID)
	for _, entry := range r.logs.All() {
		for _, private := range []string{"Perez", "example.org", "5550123", "still free"} {
			require.NotContains(t, entry.Message, private)
			for _, field := range entry.Context {
				require.NotContains(t, field.String, private)
			}
		}
	}
}

func TestLead_thatIsWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change map[string]string
		want   string
	}{
		"no name":             {map[string]string{"name": " "}, "Please write your name"},
		"a long name":         {map[string]string{"name": strings.Repeat("a", 101)}, "100 characters"},
		"nowhere to answer":   {map[string]string{"email": "", "phone": "", "texts": ""}, "e-mail address or a phone number"},
		"a wrong address":     {map[string]string{"email": "ana@nowhere"}, "check the address"},
		"two addresses":       {map[string]string{"email": "a@b.com, c@d.com"}, "check the address"},
		"a wrong number":      {map[string]string{"phone": "12345"}, "check the number"},
		"texts to no number":  {map[string]string{"phone": ""}, "the number that we may text"},
		"a very long message": {map[string]string{"message": strings.Repeat("a", 2001)}, "2,000 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			temporal := &leads{}
			r := letting(t, temporal)
			r.publish(home("12"))
			typed := typedLead()
			for field, value := range c.change {
				typed.Set(field, value)
			}
			got := r.apply("12", typed)
			require.Equal(t, http.StatusUnprocessableEntity, got.status)
			require.Contains(t, got.body, c.want)
			require.Contains(t, got.body, `role="alert"`)
			require.Contains(t, got.body, `name="src" value="Zillow"`, "what was typed is kept")
			require.Empty(t, temporal.got)
		})
	}
}

func TestLead_thatCannotBeTaken(t *testing.T) {
	t.Parallel()
	temporal := &leads{err: serviceerror.NewUnavailable("away")}
	r := letting(t, temporal)
	r.publish(home("12"))
	got := r.apply("12", typedLead())
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.NotEmpty(t, got.header.Get("Retry-After"))
	require.Contains(t, got.body, "Nothing is lost")
	require.Contains(t, got.body, `value="Ana Perez"`)

	temporal.err = serviceerror.NewNotFound("closed")
	got = r.apply("12", typedLead())
	require.Equal(t, http.StatusGone, got.status)
	require.Contains(t, got.body, "not offered")
	require.Equal(t, http.StatusNotFound, r.apply("99", typedLead()).status)

	temporal.err = nil
	machine := typedLead()
	machine.Set("leave_empty", "http://spam.example")
	require.Equal(t, http.StatusOK, r.apply("12", machine).status)
	require.Empty(t, temporal.got)
	require.Equal(t, 1, r.counted("lead_form", "machine"))

	foreign := r.request(http.MethodPost, "/listings/12", typedLead().Encode())
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusForbidden, r.do(foreign).status)
	huge := typedLead()
	huge.Set("message", strings.Repeat("a", maxLeadForm))
	require.Equal(t, http.StatusRequestEntityTooLarge, r.apply("12", huge).status)

	status := http.StatusOK
	for i := 0; status == http.StatusOK && i < 20; i++ {
		status = r.apply("12", typedLead()).status
	}
	require.Equal(t, http.StatusTooManyRequests, status)
}

// hearing is a vacancy that only counts its leads.
func hearing(ctx workflow.Context, _ string) ([]portfolio.Lead, error) {
	if err := workflow.Await(ctx, func() bool { return portfolio.LeadReceived.Pending(ctx) }); err != nil {
		return nil, err
	}
	list, _ := portfolio.LeadReceived.Drain(ctx)
	return list, nil
}

func TestLead_reachesItsWorkflowFromABrowser(t *testing.T) {
	t.Parallel()
	ctx := browse(t)
	r := letting(t, testTemporal(t))
	w := worker.New(r.temporal, r.queue, worker.Options{WorkerStopTimeout: time.Second})
	w.RegisterWorkflowWithOptions(hearing, workflow.RegisterOptions{Name: "hearing"})
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	l := home("12")
	l.WorkflowID = r.begin("hearing", "12")
	r.publish(l)

	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(r.url+"/listings"), chromedp.WaitVisible(chromedp.CSS(".homes a"))))
	legible(t, ctx, "listings")
	button := chromedp.CSS("form button")
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(".homes a")), chromedp.WaitVisible(button)))
	legible(t, ctx, "listing")
	require.NoError(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#field-name"), "Ana"), chromedp.SendKeys(chromedp.CSS("#field-phone"), "12"),
		chromedp.Click(button), chromedp.WaitVisible(chromedp.CSS("[role=alert]"))))
	legible(t, ctx, "listing-problem")
	require.NoError(t, chromedp.Do(ctx, chromedp.SetValue(chromedp.CSS("#field-phone"), "503 555 0123"), chromedp.Click(chromedp.CSS("#field-texts")),
		chromedp.Click(button), chromedp.WaitVisible(chromedp.CSS("[role=status]"))))
	var got []portfolio.Lead
	require.NoError(t, r.temporal.GetWorkflow(t.Context(), l.WorkflowID, "").Get(t.Context(), &got))
	require.Len(t, got, 1)
	require.Equal(t, "+15035550123", got[0].Phone)
	require.True(t, got[0].Texts)
	require.Equal(t, "website", got[0].Source)
	require.Equal(t, http.StatusGone, r.apply("12", typedLead()).status, "its marketing is over")
}

func TestSourceOf(t *testing.T) {
	t.Parallel()
	sources := []policy.ListingSource{
		{ID: "zillow", Match: []string{"zillow", "Zillow.com"}}, {ID: "website"}, {ID: "craigslist", Match: []string{"craigslist.org"}}, {ID: "sign"},
	}
	for said, want := range map[string]string{
		"": "website", "zillow": "zillow", "ZILLOW": "zillow", "convo.zillow.com": "zillow", "notzillow.com": "website",
		"craigslist": "craigslist", "reply.craigslist.org": "craigslist", "sign": "sign", "gmail.com": "website", "x.zillow": "website",
	} {
		require.Equal(t, want, sourceOf(sources, said), said)
	}
	require.Equal(t, otherSource, sourceOf(nil, "zillow"))
}
