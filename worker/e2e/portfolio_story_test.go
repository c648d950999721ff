package e2e_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/portfolio"
)

const (
	// homeDay is how long a day lasts while a home is let: a showing is hours ahead.
	homeDay = "20s"
	// yearDay is how long one lasts while certificates expire.
	yearDay = "250ms"
)

// The people of the stories about homes; manager, escalation contact and agent are the
// policy's.
const (
	managerMail    = "grace@example.com"
	escalationMail = "omar@example.com"
	agentMail      = "chloe@example.com"
	patMail        = "pat@example.org"
	patPhone       = "+13235550190"
	quinnMail      = "quinn@example.org"
)

// showings is a policy by which homes are shown all day long, half a day ahead, and nobody
// is reminded within a story.
func showings(t *testing.T, changes ...string) string {
	t.Helper()
	var slots []string
	for hour := 0; hour < 24; hour += 4 {
		slots = append(slots, fmt.Sprintf("{from: %02d:00, to: %02d:30}", hour, hour))
	}
	return steady(t, append([]string{
		"        days: [mon, tue, wed, thu, fri, sat]\n        slots: [{from: 10:00, to: 10:30}, {from: 12:00, to: 12:30}, {from: 17:00, to: 17:30}]\n        offered: 5\n        lead: 4h",
		"        days: [mon, tue, wed, thu, fri, sat, sun]\n        slots: [" + strings.Join(slots, ", ") + "]\n        offered: 5\n        lead: 12h",
		"ask_again: 1d\n        times: 2", "ask_again: 9d\n        times: 2",
		"questions: {remind_after: 2d, times: 3} # then the first", "questions: {remind_after: 9d, times: 3} # then the first",
		"publish_after: 2d", "publish_after: 9d",
		"caps: {routine_per_day: 6}", "caps: {routine_per_day: 1000}",
	}, changes...)...)
}

// certificates is a policy by which nobody is reminded of the checklist of a new property
// within weeks.
func certificates(t *testing.T) string {
	t.Helper()
	return steady(t, "questions: {remind_after: 2d, times: 3} # then the first", "questions: {remind_after: 30d, times: 3} # then the first",
		"        - Photos of each unit\n      within: 14d", "        - Photos of each unit\n      within: 60d")
}

// homes are the properties of a stack. Data is its folder.
type homes struct {
	*ledger
	data string
}

// startHomes runs a stack.
func startHomes(t *testing.T, o e2e.Options) *homes {
	t.Helper()
	if o.Data == "" {
		o.Data = t.TempDir()
	}
	return &homes{&ledger{t, start(t, o)}, o.Data}
}

// sweeps looks through all properties and returns the workflow.
func (h *homes) sweeps() string {
	h.Helper()
	run, err := h.s.Client.ExecuteWorkflow(h.Context(), client.StartWorkflowOptions{ID: "homes-sweep", TaskQueue: workflows.TaskQueue}, portfolio.SweepName, activities.None{})
	require.NoError(h, err)
	require.NoError(h, run.Get(h.Context(), nil))
	return run.GetID()
}

// adopts has all properties followed as they are, and waits for one of them.
func (h *homes) adopts(propertyID string) string {
	h.Helper()
	sweep := h.sweeps()
	h.property(propertyID, func(d portfolio.PropertyDescription) bool { return d.Stage == portfolio.PropertyLet })
	return sweep
}

func (h *homes) property(id string, fits func(portfolio.PropertyDescription) bool) portfolio.PropertyDescription {
	h.Helper()
	var last portfolio.PropertyDescription
	require.Eventually(h, func() bool {
		d, err := h.s.DescribeProperty(h.Context(), id)
		last = d
		return err == nil && fits(d)
	}, 4*soon, 50*time.Millisecond, "%s", lazily(func() string { return fmt.Sprintf("property %s stays %+v", id, last) }))
	return last
}

func (h *homes) vacancy(unitID string, fits func(portfolio.VacancyDescription) bool) portfolio.VacancyDescription {
	h.Helper()
	var last portfolio.VacancyDescription
	require.Eventually(h, func() bool {
		d, err := h.s.DescribeVacancy(h.Context(), unitID)
		last = d
		return err == nil && fits(d)
	}, 4*soon, 50*time.Millisecond, "%s", lazily(func() string { return fmt.Sprintf("vacancy %s stays %+v\n%s", unitID, last, h.seen()) }))
	return last
}

// fills in the form behind the link in a mail to somebody.
func (h *homes) fills(to, choice string, fields map[string]string, files map[string][][]byte, contains ...string) {
	h.Helper()
	h.presses(h.mailed(to, append(contains, "/a/")...).Text, choice, fields, files)
}

// presses a button of the page behind the link in a text or mail.
func (h *homes) presses(message, choice string, fields map[string]string, files map[string][][]byte) {
	h.Helper()
	page := e2e.LinkIn(message)
	require.NotEmpty(h, page, message)
	said, err := h.s.AnswerForm(h.Context(), page, choice, fields, files)
	require.NoError(h, err)
	require.Equal(h, http.StatusOK, said.Status, said.Body)
}

// texted waits for the newest text to a number that contains something.
func (h *homes) texted(to string, contains ...string) e2e.Text {
	h.Helper()
	var found e2e.Text
	require.Eventually(h, func() bool {
		texts, err := h.s.Texts(h.Context(), to)
		for _, m := range texts {
			if containsAll(m.Body, contains...) {
				found = m
			}
		}
		return err == nil && found.Body != ""
	}, 4*soon, 25*time.Millisecond, "text to %s with %q: %s", to, contains, h.seen())
	return found
}

var windowChoice = regexp.MustCompile(`at_[0-9]+`)

// chooses a time for a showing: the first that is offered behind the link.
func (h *homes) chooses(message string) {
	h.Helper()
	page, err := h.s.OpenLink(h.Context(), e2e.LinkIn(message))
	require.NoError(h, err)
	window := windowChoice.FindString(page.Body)
	require.NotEmpty(h, window, page.Body)
	h.presses(message, window, nil, nil)
}

// moveOut ends the lease of a unit, which the property hears of.
func (h *homes) moveOut(leaseID string) {
	h.Helper()
	require.NoError(h, h.s.ChangeLease(h.Context(), leaseID, map[string]any{"primaryLeaseStatusID": "3"}))
}

// publishes unit 1 at a rent, by the manager's word.
func (h *homes) publishes(rent string) {
	h.Helper()
	h.fills(managerMail, "publish", map[string]string{"rent": rent}, nil, "Publish 12 Elm Street")
	h.vacancy("1", func(d portfolio.VacancyDescription) bool { return !d.ListedAt.IsZero() })
}

// listed tells whether a unit is offered, in the feed and on its page alike.
func (h *homes) listed(unitID string) bool {
	h.Helper()
	ids, err := h.s.Listed(h.Context())
	require.NoError(h, err)
	page, err := h.s.Home(h.Context(), unitID)
	require.NoError(h, err)
	shown := slices.Contains(ids, unitID)
	return shown && page.Status == http.StatusOK
}

// asksByForm asks about unit 1 on its page, and returns the text that answers.
func (h *homes) asksByForm() e2e.Text {
	h.Helper()
	said, err := h.s.AskAbout(h.Context(), "1", map[string]string{
		"name": "Pat Prospect", "email": patMail, "phone": patPhone, "texts": "on", "message": "Is there a garden?", "src": "zillow",
	})
	require.NoError(h, err)
	require.Equal(h, http.StatusOK, said.Status, said.Body)
	return h.texted(patPhone, "When would you like to see it?")
}

// asksByMail asks about unit 1 by a mail, and returns the mail that answers.
func (h *homes) asksByMail() e2e.Mail {
	h.Helper()
	out, code := command(h.T, nil, "send", "mail", "--unit", "1", "--from", "Quinn Prospect <"+quinnMail+">", "--data", h.data)
	require.Zero(h, code, out)
	return h.mailed(quinnMail, "When would you like to see it?", "/a/")
}

// applies once the showing is over.
func (h *homes) applies() {
	h.Helper()
	h.presses(h.texted(patPhone, "Would you like to apply").Body, "apply", nil, nil)
	h.vacancy("1", func(d portfolio.VacancyDescription) bool {
		return slices.Contains(d.Prospects, portfolio.StatusCount{Status: "applied", Count: 1})
	})
	applicants, err := h.s.Applicants(h.Context())
	require.NoError(h, err)
	require.Equal(h, []e2e.Applicant{{UnitID: "1", FirstName: "Pat", LastName: "Prospect", Email: patMail, Phone: patPhone}}, applicants)
}

// signs lets RentVine tell of a new lease of unit 1.
func (h *homes) signs() {
	h.Helper()
	today := businessToday(h.T, h.s)
	_, err := h.s.Lease(h.Context(), "lease.created", map[string]any{
		"unitID": "1", "tenantName": "Pat Prospect", "phone": patPhone, "email": patMail, "rent": "1950.00",
		"moveInDate": today.AddDate(0, 0, 14).Format(time.DateOnly), "startDate": today.AddDate(0, 0, 14).Format(time.DateOnly),
		"endDate": today.AddDate(0, 0, 379).Format(time.DateOnly),
	})
	require.NoError(h, err)
}

// result waits for a vacancy to end and returns what it came to.
func (h *homes) result(unitID string) (r portfolio.VacancyResult) {
	h.Helper()
	h.ends(portfolio.VacancyID(unitID))
	require.NoError(h, h.s.Client.GetWorkflow(h.Context(), portfolio.VacancyID(unitID), "").Get(h.Context(), &r))
	return r
}

// owners is the page of a portfolio's owners, as the link that is printed shows it.
func (h *homes) owners(portfolioID string) string {
	h.Helper()
	link, code := command(h.T, nil, "owner", "page", "--portfolio", portfolioID, "--data", h.data)
	require.Zero(h, code, link)
	page, err := h.s.OpenLink(h.Context(), strings.TrimSpace(link))
	require.NoError(h, err)
	require.Equal(h, http.StatusOK, page.Status, page.Body)
	return page.Body
}

// A home becomes empty and is let: the manager approves the listing, prospects ask by form
// and by mail and are answered within seconds, one of them sees the home and applies, and
// the lease ends it. Workers are killed in between.
func TestAnEmptyHomeIsLet(t *testing.T) {
	t.Parallel()
	h := startHomes(t, e2e.Options{Args: []string{"--without", "worker", "--policy", showings(t), "--day", homeDay}})
	running := worker(t, h.s)
	again := func() {
		t.Helper()
		require.NoError(t, running.Kill())
		running = worker(t, h.s)
	}
	h.adopts("1")
	require.False(t, h.listed("1"))
	h.moveOut("1")
	h.mailed(managerMail, "Publish 12 Elm Street")
	again()
	h.publishes("1950.00")
	require.Eventually(t, func() bool { return h.listed("1") }, 2*soon, 200*time.Millisecond, "a feed is served for a while")

	began := time.Now()
	asked := h.asksByForm()
	t.Logf("the form was answered after %s", time.Since(began))
	require.Less(t, time.Since(began), soon)
	began = time.Now()
	h.asksByMail()
	t.Logf("the mail was answered after %s", time.Since(began))
	require.Less(t, time.Since(began), soon)

	h.chooses(asked.Body)
	h.texted(patPhone, "we show you")
	for _, to := range []string{patMail, agentMail} {
		require.Eventually(t, func() bool {
			invited, err := h.s.Invitations(t.Context(), to)
			return err == nil && len(invited) == 1
		}, 2*soon, 100*time.Millisecond, to)
	}
	again()
	h.applies()
	h.signs()
	r := h.result("1")
	require.Equal(t, portfolio.VacancyResult{Outcome: portfolio.StageLet, DaysListed: r.DaysListed, Leads: 2, Showings: 1, Applications: 1, Cost: r.Cost}, r)
	require.Positive(t, r.Cost, "Zillow takes a fee")

	h.mailed(quinnMail, "not available any more")
	h.mailed(managerMail, "12 Elm Street: let", "Zillow")
	h.mailed(agentMail, "applicants", "Pat Prospect")
	page, err := h.s.Home(t.Context(), "1")
	require.NoError(t, err)
	require.Equal(t, http.StatusNotFound, page.Status)
	require.Eventually(t, func() bool { return !h.listed("1") }, 2*soon, 200*time.Millisecond)
	d := h.property("1", func(d portfolio.PropertyDescription) bool { return d.Empty == 0 })
	require.NotContains(t, d.Running, portfolio.VacancyID("1"))
	require.Contains(t, strings.ToLower(h.owners("1")), "zillow", "the letting is among the figures")
	noDuplicates(t, h.s)
	cost, err := h.s.Cost(t.Context(), portfolio.VacancyID("1"))
	require.NoError(t, err)
	t.Logf("%d actions: %s", cost.Actions, cost.Breakdown())
}

// insured makes a new property in Los Angeles with a unit, and returns its id and the watch
// over its insurance.
func (h *homes) insured() (propertyID, watch string) {
	h.Helper()
	propertyID, _, err := h.s.Place(h.Context(), "property.created", map[string]any{"name": "9 Birch Lane", "address": "9 Birch Lane"})
	require.NoError(h, err)
	_, _, err = h.s.Place(h.Context(), "unit.created", map[string]any{"propertyID": propertyID, "rent": "2100.00"})
	require.NoError(h, err)
	return propertyID, portfolio.ComplianceID(propertyID, "", "insurance")
}

func (h *homes) watch(id string, fits func(portfolio.ComplianceDescription) bool) portfolio.ComplianceDescription {
	h.Helper()
	var last portfolio.ComplianceDescription
	require.Eventually(h, func() bool {
		d, err := h.s.DescribeCompliance(h.Context(), id)
		last = d
		return err == nil && fits(d)
	}, 4*soon, 50*time.Millisecond, "%s", lazily(func() string { return fmt.Sprintf("%s stays %+v\n%s", id, last, h.seen()) }))
	return last
}

// renews the insurance on the day on which it was last written about, by the newest letter
// that contains something, with the policy as a document. It returns how it then stands.
func (h *homes) renews(id, goodFor string, contains ...string) portfolio.ComplianceDescription {
	h.Helper()
	d := h.watch(id, func(d portfolio.ComplianceDescription) bool { return len(d.Timeline) > 0 })
	days, err := time.ParseDuration(goodFor)
	require.NoError(h, err)
	day := d.Timeline[len(d.Timeline)-1].At
	until := day.Add(days).Format(time.DateOnly)
	h.fills(managerMail, "renewed", map[string]string{"renewed_on": day.AddDate(0, 0, -1).Format(time.DateOnly), "good_until": until},
		map[string][][]byte{"evidence": {[]byte("%PDF-1.4\n1 0 obj <</Type /Catalog>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n")}}, contains...)
	return h.watch(id, func(d portfolio.ComplianceDescription) bool { return d.Due == until && d.Filing == 0 })
}

// filed waits for the sheet and the document of a renewal at RentVine.
func (h *homes) filed(propertyID, name string) {
	h.Helper()
	var files []string
	require.Eventually(h, func() bool {
		all, err := h.s.Filed(h.Context(), e2e.FiledOnProperty, propertyID)
		require.NoError(h, err)
		files = slices.DeleteFunc(all, func(f string) bool { return !strings.HasPrefix(f, name) || !strings.HasSuffix(f, ".pdf") })
		return len(files) > 1
	}, 2*soon, 50*time.Millisecond, "%s: %v", name, lazily(func() string { return strings.Join(files, " ") }))
	require.Len(h, files, 2)
}

// A new property has a checklist and certificates to bring; one is renewed by link with a
// document, runs out in spite of reminders, and is renewed again. The calendar and RentVine
// show it.
func TestACertificateExpiresAndIsRenewed(t *testing.T) {
	t.Parallel()
	h := startHomes(t, e2e.Options{Args: []string{"--policy", certificates(t), "--day", yearDay}})
	propertyID, watch := h.insured()
	h.fills(managerMail, "close", map[string]string{"items": "0,1", "note": "an old friend"}, nil, "New property: 9 Birch Lane", "Keys, codes")
	h.mailed(managerMail, "Property insurance needed by", "9 Birch Lane")
	d := h.renews(watch, "1800h", "Property insurance", "9 Birch Lane")
	h.filed(propertyID, "compliance-insurance-"+d.Renewed+"-until-"+d.Due)
	calendar, code := command(t, nil, "compliance", "calendar", "--data", h.data)
	require.Zero(t, code, calendar)
	feed, err := h.s.OpenLink(t.Context(), strings.TrimSpace(calendar))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, feed.Status)
	require.Contains(t, feed.Body, "DTSTART;VALUE=DATE:"+strings.ReplaceAll(d.Due, "-", ""))

	h.mailed(managerMail, "Property insurance due on "+d.Due, "9 Birch Lane")
	for _, to := range []string{managerMail, escalationMail} {
		h.mailed(to, "Overdue since "+d.Due, "Property insurance", "9 Birch Lane")
	}
	d = h.renews(watch, "8760h", "Overdue since "+d.Due, "Property insurance", "9 Birch Lane")
	h.filed(propertyID, "compliance-insurance-"+d.Renewed+"-until-"+d.Due)
	out, code := command(t, nil, "compliance", "list", "--property", propertyID, "--data", h.data)
	require.Zero(t, code, out)
	require.Regexp(t, `valid +insurance`, out)
	noDuplicates(t, h.s)
}

// closesMonth runs the month end of a month, and does not wait for it.
func (h *homes) closesMonth(id, month string) client.WorkflowRun {
	h.Helper()
	clock, err := h.s.ClockOf(h.Context(), portfolio.PropertyID("1"))
	require.NoError(h, err)
	run, err := h.s.Client.ExecuteWorkflow(h.Context(), client.StartWorkflowOptions{ID: id, TaskQueue: workflows.TaskQueue},
		portfolio.MonthEndName, portfolio.MonthEndInput{Clock: clock, Month: month})
	require.NoError(h, err)
	return run
}

// packs counts the mails with each pack, by the name of the document. One that was sent
// again with the Message-ID of before is the same mail to whoever gets it.
func (h *homes) packs() map[string]int {
	h.Helper()
	var mails []e2e.Mail
	require.NoError(h, h.s.Get(h.Context(), "/_mails", &mails))
	counts, seen := map[string]int{}, map[string]bool{}
	for _, m := range mails {
		if seen[m.MessageID] {
			continue
		}
		seen[m.MessageID] = true
		for _, a := range m.Attachments {
			if strings.HasPrefix(a.Name, "owner-pack-") && a.ContentType == "application/pdf" && a.Size > 10_000 {
				counts[a.Name]++
			}
		}
	}
	return counts
}

var ownerLink = regexp.MustCompile(`https?://\S+/o/[A-Za-z0-9_.-]*[A-Za-z0-9_-]`)

// At month end each portfolio's owner gets the pack, once, and RentVine has it, once,
// although the worker is killed while they are sent and somebody begins it all again. The
// page shows what the pack says.
func TestOwnersGetThePackOnce(t *testing.T) {
	t.Parallel()
	h := startHomes(t, e2e.Options{Args: []string{"--without", "worker", "--policy", unhurried(t)}})
	running := worker(t, h.s)
	var made struct {
		Portfolios int `json:"portfolios"`
	}
	require.NoError(t, h.s.Post(t.Context(), "/_generate/portfolio", map[string]any{"properties": 20, "seed": 5}, &made))
	h.adopts("1")
	place, err := time.LoadLocation("America/Los_Angeles")
	require.NoError(t, err)
	today := time.Now().In(place)
	h.ends(h.posts("lease_charge.created", map[string]any{"amount": "713.00", "accountID": "1", "description": "Rent", "datePosted": today.Format(time.DateOnly)}))
	h.ends(h.posts("payment.received", map[string]any{"amount": "713.00", "datePosted": today.Format(time.DateOnly)}))

	month := today.Format("2006-01")
	require.NoError(t, h.s.Fault(t.Context(), "rentvine", map[string]any{"latency": "700ms", "method": "POST"}))
	h.closesMonth("month-end-killed", month)
	require.Eventually(t, func() bool { return len(h.packs()) > 0 }, 2*soon, 20*time.Millisecond)
	time.Sleep(300 * time.Millisecond) // the next ones are on their way to RentVine
	require.NoError(t, running.Kill())
	require.Less(t, len(h.packs()), made.Portfolios+2)
	require.NoError(t, h.s.Mend(t.Context(), "rentvine"))
	worker(t, h.s)
	all := made.Portfolios + 2
	var done activities.PacksSent
	require.NoError(t, h.closesMonth("month-end-again", month).Get(t.Context(), &done))
	require.Zero(t, done.Problems, "%+v", done)
	require.Equal(t, all, done.Portfolios)

	counts := h.packs()
	require.Len(t, counts, all)
	for n := range all {
		id := fmt.Sprint(n + 1)
		name := "owner-pack-" + id + "-" + month + ".pdf"
		require.Equal(t, 1, counts[name], name)
		files, err := h.s.Filed(t.Context(), e2e.FiledOnPortfolio, id)
		require.NoError(t, err)
		require.Equal(t, []string{name}, files)
	}
	noDuplicates(t, h.s)
	mail := h.mailed("contact21@example.com", "713.00")
	page, err := h.s.OpenLink(t.Context(), ownerLink.FindString(mail.Text))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, page.Status, page.Body)
	require.Contains(t, page.Body, "713.00")
	require.Equal(t, page.Body, h.owners("1"))
}

// newHouse is a property that RentVine tells of, and its two units.
type newHouse struct{ id, first, second string }

// bought makes an empty property with two units at RentVine, of which nobody is told.
func (h *homes) bought() newHouse {
	h.Helper()
	made := map[string]string{}
	add := func(what string, fields map[string]any) string {
		require.NoError(h, h.s.Post(h.Context(), "/_records/rentvine/"+what, fields, &made))
		return made[map[string]string{"properties": "property_id", "units": "unit_id"}[what]]
	}
	p := newHouse{id: add("properties", map[string]any{"name": "9 Birch Lane", "address": "9 Birch Lane"})}
	p.first = add("units", map[string]any{"propertyID": p.id, "address2": "1", "rent": "2100.00"})
	p.second = add("units", map[string]any{"propertyID": p.id, "address2": "2", "rent": "1900.00"})
	return p
}

// events are what RentVine tells of it, each with a field that nobody knows.
func (p newHouse) events() []map[string]any {
	event := func(name, about string, data map[string]any, changes map[string]any) map[string]any {
		data["propertyID"], data["moonPhase"] = p.id, []any{"waning", 3}
		return map[string]any{"event_type": name, "event_id": name + "-" + about, "data": data, "changes": changes, "shard": 7}
	}
	change := func(before, after string) map[string]any { return map[string]any{"old": before, "new": after} }
	return []map[string]any{
		event("property.created", p.id, map[string]any{"name": "9 Birch Lane"}, nil),
		event("unit.created", p.first, map[string]any{"unitID": p.first}, nil),
		event("unit.created", p.second, map[string]any{"unitID": p.second}, nil),
		event("property.updated", p.id, map[string]any{"vacancy_rate": "1.00"}, map[string]any{"vacancy_rate": change("0.00", "1.00"), "moonPhase": change("full", "waning")}),
		event("unit.updated", p.first, map[string]any{"unitID": p.first, "rent": "2100.00"}, map[string]any{"rent": change("1950.00", "2100.00")}),
	}
}

// standing is how a property is described, in words that are the same for all of them.
func (h *homes) standing(p newHouse) portfolio.PropertyDescription {
	h.Helper()
	d, err := h.s.DescribeProperty(h.Context(), p.id)
	require.NoError(h, err)
	for i, id := range d.Running {
		parts := strings.Split(id, "/")
		for n, part := range parts {
			parts[n] = map[string]string{p.id: "property", p.first: "first", p.second: "second"}[part]
			if parts[n] == "" {
				parts[n] = part
			}
		}
		d.Running[i] = strings.Join(parts, "/")
	}
	slices.Sort(d.Running)
	d.PropertyID, d.ReadAt, d.NextAt, d.Timeline = "", time.Time{}, time.Time{}, nil
	delete(d.Events, "property.found") // the nightly sweep has found it, or was late
	return d
}

// Events of a property in any order, twice, and with what nobody knows of, come to the same.
func TestPropertyEventsInAnyOrder(t *testing.T) {
	t.Parallel()
	h := startHomes(t, e2e.Options{Args: []string{"--policy", showings(t)}})
	orders := [][]int{{0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}, {3, 0, 0, 4, 1, 4, 2, 3}, {2, 1, 4, 2, 0, 1, 3, 0}, {1, 4, 1, 0, 3, 2}}
	var all []newHouse
	for _, order := range orders {
		p := h.bought()
		events := p.events()
		for _, n := range order {
			said, err := h.s.Deliver(t.Context(), h.s.Ingress, events[n])
			require.NoError(t, err)
			require.Less(t, said.Status, 300, said.Body)
		}
		all = append(all, p)
	}
	var first portfolio.PropertyDescription
	for i, p := range all {
		h.property(p.id, func(d portfolio.PropertyDescription) bool {
			// The price is looked at once the last event is in, and leaves when that is done.
			priced := false
			for _, said := range d.Timeline {
				priced = priced || said.What == portfolio.PricingID(p.first)+" begins"
			}
			return priced && !slices.Contains(d.Running, portfolio.PricingID(p.first)) && strings.HasPrefix(d.Onboarding, "0 of") &&
				slices.Contains(d.Running, portfolio.VacancyID(p.first)) && slices.Contains(d.Running, portfolio.VacancyID(p.second))
		})
		now := h.standing(p)
		if i == 0 {
			first = now
			t.Logf("%+v", first)
			require.Equal(t, map[string]int{"property.created": 1, "property.updated": 1, "unit.created": 2, "unit.updated": 1}, first.Events)
			require.True(t, first.New)
			continue
		}
		require.Equal(t, first, now, "%v", orders[i])
	}
}
