package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/ingress/intake/intaketest"
	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/sales"
)

// saleOf is a fictitious sale; number makes it one of its own.
func saleOf(number int, method string) map[string]any {
	return map[string]any{
		"first_name": "Harriet", "last_name": "Seller", "email": fmt.Sprintf("test+%d@example.com", number),
		"phone_number": "07700 900123", "property_address": fmt.Sprintf("%d Larkhall Rise, London", number),
		"property_postcode": "sw46lb", "sale_method": method,
	}
}

// sell submits a sale that is expected to be created at once.
func sell(t *testing.T, s *e2e.Stack, sale map[string]any) e2e.Submitted {
	t.Helper()
	status, out, err := s.Sell(t.Context(), sale)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, status)
	return out
}

func describeSale(t *testing.T, s *e2e.Stack, property string) sales.SaleDescription {
	t.Helper()
	d, err := sales.DescribeSale.Ask(t.Context(), s.Client, sales.SaleID(property), "")
	require.NoError(t, err)
	return d
}

func TestTheSampleSalesAreCreatedOnce(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := start(t, e2e.Options{Data: data})
	files, err := filepath.Glob(repo + "/testdata/sales/*.json")
	require.NoError(t, err)
	require.Len(t, files, 3)
	for range 2 {
		p, err := e2e.Run(keyholder(), append([]string{"sale", "create", "--data", data}, files...), nil)
		require.NoError(t, err)
		select {
		case <-p.Done():
			require.Zero(t, p.ExitCode(), p.Output())
		case <-time.After(60 * time.Second):
			require.NoError(t, p.Kill())
			t.Fatal("the command did not end", p.Output())
		}
	}

	// The same sale from many sides at once is one property.
	var wg sync.WaitGroup
	ids := make([]string, 20)
	for i := range ids {
		wg.Go(func() {
			sale := saleOf(1, "standard")
			if i%2 == 1 {
				sale["property_address"] = "1 LARKHALL RISE London"
			}
			_, out, err := s.Sell(t.Context(), sale)
			if err == nil {
				ids[i] = out.PropertyID
			}
		})
	}
	wg.Wait()
	require.NotEmpty(t, ids[0])
	for _, id := range ids {
		require.Equal(t, ids[0], id)
	}
	properties, err := s.Properties(t.Context())
	require.NoError(t, err)
	require.Len(t, properties, 4)
	noDuplicates(t, s)
}

func TestAWebhookThatOvertakesTheReplyStartsNoSecondSale(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{})
	require.NoError(t, s.Put(t.Context(), "/_records/openmoove/options", map[string]bool{"webhook_first": true}, nil))
	out := sell(t, s, saleOf(1, "modern_auction"))
	require.Eventually(t, func() bool {
		d := describeSale(t, s, out.PropertyID)
		return d.Events["property.created"] == 1 && d.Origin == sales.OriginCreated && len(d.Team) > 1
	}, soon, 50*time.Millisecond)
	d, err := s.Client.DescribeWorkflowExecution(t.Context(), sales.SaleID(out.PropertyID), "")
	require.NoError(t, err)
	info := d.GetWorkflowExecutionInfo()
	require.Equal(t, info.GetFirstRunId(), info.GetExecution().GetRunId())
	noDuplicates(t, s)
}

// OpenMoove is down: the caller is told that the sale is queued, and it is created
// by itself when OpenMoove is back.
func TestASaleIsQueuedWhileOpenMooveIsDown(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{})
	require.NoError(t, s.Fault(t.Context(), "openmoove", map[string]any{"status": 503}))
	body, err := json.Marshal(saleOf(1, "standard"))
	require.NoError(t, err)
	reply, err := s.API(t.Context(), http.MethodPost, "/v1/sales", "application/json", body, "Prefer", "wait=1")
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, reply.Status, reply.Body)
	var queued e2e.Submitted
	require.NoError(t, json.Unmarshal([]byte(reply.Body), &queued))
	require.Equal(t, "queued", queued.Status)
	require.NoError(t, s.Mend(t.Context(), "openmoove"))
	require.Eventually(t, func() bool {
		reply, err := s.API(t.Context(), http.MethodGet, "/v1/sales/"+queued.RequestID, "", nil)
		return err == nil && reply.Status == http.StatusOK && strings.Contains(reply.Body, `"created"`)
	}, 60*time.Second, 200*time.Millisecond)
	noDuplicates(t, s)
}

// Two workers are killed in the middle of an import. Every good row is one
// property in the end, and the key's limits are kept.
func TestAnImportSurvivesKilledWorkers(t *testing.T) {
	t.Parallel()
	const rows, bad, duplicates, seed = 300, 10, 15, 3
	s := start(t, e2e.Options{Args: []string{"--without", "worker"}, Env: []string{"KEYHOLDER_OPENMOOVE_LIMITS=2000/1m,60000/1h"}})
	submitted, err := s.Import(t.Context(), intaketest.CSV(rows, bad, duplicates, seed))
	require.NoError(t, err)
	created := func(n int) func(e2e.ImportState) bool {
		return func(i e2e.ImportState) bool { return i.Counts["created"] >= n }
	}
	for _, n := range []int{20, 120} {
		w := worker(t, s)
		_, err = s.UntilImported(t.Context(), submitted.ID, created(n), 90*time.Second)
		require.NoError(t, err)
		require.NoError(t, w.Kill())
	}
	worker(t, s)
	state, err := s.UntilImported(t.Context(), submitted.ID, func(i e2e.ImportState) bool { return i.Status == "finished" }, 120*time.Second)
	require.NoError(t, err)
	require.Equal(t, rows-bad-duplicates, state.Counts["created"], "%v", state.Counts)
	require.Equal(t, bad, state.Counts["invalid"])
	require.Equal(t, duplicates, state.Counts["duplicate"])

	properties, err := s.Properties(t.Context())
	require.NoError(t, err)
	got := map[string]int{}
	for _, p := range properties {
		got[p.Address+"|"+p.Postcode+"|"+p.Email]++
	}
	want := map[string]int{}
	for _, sale := range intaketest.Good(rows, bad, duplicates, seed) {
		want[sale.Address+"|"+sale.Postcode+"|"+sale.Email]++
	}
	require.Equal(t, want, got)
	statuses, err := s.Statuses(t.Context(), "openmoove")
	require.NoError(t, err)
	require.Zero(t, statuses["429"], statuses)
	noDuplicates(t, s)
	for _, p := range properties {
		require.NotEmpty(t, describeSale(t, s, p.ID.String()).Origin)
	}
}

// An interactive sale does not wait for an import that has the limits in use.
func TestASaleIsNotStuckBehindAnImport(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Env: []string{"KEYHOLDER_OPENMOOVE_LIMITS=60/15s,100000/1h"}})
	submitted, err := s.Import(t.Context(), intaketest.CSV(400, 0, 0, 4))
	require.NoError(t, err)
	_, err = s.UntilImported(t.Context(), submitted.ID, func(i e2e.ImportState) bool { return i.Counts["created"] > 10 }, 60*time.Second)
	require.NoError(t, err)
	for i := range 3 {
		began := time.Now()
		sell(t, s, saleOf(i+1, "standard"))
		require.Less(t, time.Since(began), 10*time.Second)
	}
	state, err := s.ImportState(t.Context(), submitted.ID)
	require.NoError(t, err)
	require.Positive(t, state.Counts["waiting"])
	reply, err := s.API(t.Context(), http.MethodPost, "/v1/sales/import/"+submitted.ID+"/cancel", "application/json", []byte(`{"by":"test","why":"enough seen"}`))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, reply.Status, reply.Body)
	state, err = s.UntilImported(t.Context(), submitted.ID, func(i e2e.ImportState) bool { return i.Status == "cancelled" && i.Counts["waiting"] == 0 }, 60*time.Second)
	require.NoError(t, err)
	require.Positive(t, state.Counts["cancelled"])
	statuses, err := s.Statuses(t.Context(), "openmoove")
	require.NoError(t, err)
	require.Zero(t, statuses["429"], statuses)
}

// Days last two seconds: one invitation is accepted, the other gets its reminders.
func TestInvitationsAreFollowedUp(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--day", "2s"}})
	accepted, ignored := saleOf(1, "standard"), saleOf(2, "standard")
	accepted["conveyancer_email"] = "willing@example.com"
	ignored["conveyancer_email"] = "silent@example.com"
	out := sell(t, s, accepted)
	sell(t, s, ignored)
	require.NoError(t, s.Accept(t.Context(), out.PropertyID, "conveyancer"))
	mails := func(to, about string) []e2e.Mail {
		all, err := s.Mails(t.Context(), to)
		require.NoError(t, err)
		return slices.DeleteFunc(all, func(m e2e.Mail) bool { return !strings.Contains(m.Subject, about) })
	}
	require.Eventually(t, func() bool { return len(mails("silent@example.com", "Reminder")) == 3 }, 90*time.Second, 200*time.Millisecond)
	require.Eventually(t, func() bool { return len(mails("agent@oakfield.example.com", "choose another")) == 1 }, 60*time.Second, 200*time.Millisecond)
	require.LessOrEqual(t, len(mails("willing@example.com", "Reminder")), 1, "accepted at once, or at least before the second reminder")
	asked := mails("agent@oakfield.example.com", "choose another")
	link := linkPattern.FindString(asked[0].Text)
	require.NotEmpty(t, link)
	page, err := s.OpenLink(t.Context(), link)
	require.NoError(t, err)
	require.Contains(t, page.Body, "Lawson Conveyancing")
	said, err := s.AnswerLink(t.Context(), link, "choose:lawson")
	require.NoError(t, err)
	require.Contains(t, said.Body, "invite them in OpenMoove")
	require.Eventually(t, func() bool { return len(mails("agent@oakfield.example.com", "lease invite")) == 1 }, 30*time.Second, 200*time.Millisecond)
	noDuplicates(t, s)
}

// What a program gets wrong is said at once and field by field, and nothing is
// half-imported.
func TestABadImportIsRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--without", "worker"}})
	utf16 := append([]byte{0xff, 0xfe}, []byte("f\x00i\x00")...)
	header := "first_name,last_name,email,phone_number,property_address,property_postcode\n"
	for name, c := range map[string]struct {
		body   string
		detail string
	}{
		"empty":            {"", "empty"},
		"header alone":     {header, "no sales"},
		"UTF-16":           {string(utf16), "UTF-8"},
		"unknown column":   {strings.Replace(header, "email", "emial", 1) + "a,b,c,d,e,f\n", "emial"},
		"unbalanced quote": {header + "\"a,b,c,d,e,f\n", "quote"},
	} {
		reply, err := s.API(t.Context(), http.MethodPost, "/v1/sales/import", "text/csv", []byte(c.body))
		require.NoError(t, err)
		require.GreaterOrEqual(t, reply.Status, 400, name)
		require.Less(t, reply.Status, 500, name)
		require.Contains(t, reply.Body, c.detail, name)
	}
	mistakes, err := os.ReadFile(repo + "/testdata/sales/import/with-mistakes.csv")
	require.NoError(t, err)
	reply, err := s.API(t.Context(), http.MethodPost, "/v1/sales/import", "text/csv", mistakes)
	require.NoError(t, err)
	require.Contains(t, reply.Body, "problems")
}
