package sandbox_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox"
	"github.com/aictive/keyholder/sandbox/quickbooks"
)

// qbEntry posts a journal entry of an amount and returns the status, 0 where the
// connection broke.
func (r *rig) qbEntry(token, requestid, number, amount string) int {
	r.t.Helper()
	line := func(posting, account string) string {
		return fmt.Sprintf(`{"DetailType":"JournalEntryLineDetail","Amount":%s,"JournalEntryLineDetail":{"PostingType":%q,"AccountRef":{"value":%q}}}`, amount, posting, account)
	}
	body := fmt.Sprintf(`{"DocNumber":%q,"TxnDate":"2026-11-02","PrivateNote":"<charge>","Line":[%s,%s]}`, number, line("Debit", "41"), line("Credit", "50"))
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.base+qbCompany+"/journalentry?requestid="+requestid, strings.NewReader(body))
	require.NoError(r.t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, res.Body)
	require.NoError(r.t, res.Body.Close())
	return res.StatusCode
}

func TestEntriesWhoseRepliesAreLostAreBookedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.qbToken()
	require.NoError(t, r.SetFault(sandbox.QuickBooks, sandbox.Fault{ResetAfterCommit: true, Rate: 0.05, Method: http.MethodPost}))
	lost := 0
	for n := range 200 {
		id := fmt.Sprint("J", n)
		for r.qbEntry(token, id, id, "10.01") != http.StatusOK {
			lost++
			require.Less(t, lost, 100)
		}
	}
	require.Positive(t, lost, "one in twenty of 200")
	var books quickbooks.Books
	require.Equal(t, 200, r.call(http.MethodGet, "/_books?partner=quickbooks", "", &books))
	require.Equal(t, r.Books(), books)
	require.True(t, books.Balanced)
	require.Equal(t, 200, books.Entries)
	require.EqualValues(t, 200_200, books.Account("Tenant Receivables").Balance)
	require.Zero(t, r.Duplicates()[sandbox.QuickBooks])
	require.Equal(t, 404, r.call(http.MethodGet, "/_books?partner=rentvine", "", nil))
}

func TestTheLimitOfTheCompanyCanBeSet(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *sandbox.Config) { c.QuickBooksPerMinute = 2 })
	token := r.qbToken()
	require.Equal(t, 200, r.qbEntry(token, "1", "1", "1"))
	require.Equal(t, 200, r.qbEntry(token, "2", "2", "1"))
	require.Equal(t, 429, r.qbEntry(token, "3", "3", "1"))
}

func TestThePageOfTheBooks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.qbToken()
	tab := browser(t)
	do(t, tab, chromedp.Navigate(r.base+"/books"))
	require.Contains(t, get(t, tab, chromedp.Text(css("main"))), "Nothing is booked yet")
	require.Equal(t, 200, r.qbEntry(token, "1", "<J1>", "1234.50"))
	require.Equal(t, 200, r.qbEntry(token, "2", "<J1>", "0.05"))
	do(t, tab, chromedp.Navigate(r.base+"/books"))
	shown := get(t, tab, chromedp.Text(css("main")))
	for _, want := range []string{"The books balance: 1234.55 in debits", "2 journal entries, 1 with the number of another one", "<J1>", "<charge>", "0.05"} {
		require.Contains(t, shown, want)
	}
	do(t, tab, chromedp.Navigate(r.base+"/books?account=50"))
	require.Contains(t, get(t, tab, chromedp.Text(css("main"))), "Journal: Rental Income")
	do(t, tab, chromedp.Navigate(r.base+"/books?account=35"))
	require.Contains(t, get(t, tab, chromedp.Text(css("main"))), "Nothing is booked yet")
}
