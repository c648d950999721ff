package quickbooks

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// jline is one line of an entry: "Debit 35 12.50".
func jline(text string) string {
	var posting, account, amount string
	_, err := fmt.Sscan(text, &posting, &account, &amount)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"DetailType":"JournalEntryLineDetail","Amount":%s,"JournalEntryLineDetail":{"PostingType":%q,"AccountRef":{"value":%q}}}`, amount, posting, account)
}

func entryOf(number string, lines ...string) string {
	var all []string
	for _, l := range lines {
		all = append(all, jline(l))
	}
	return fmt.Sprintf(`{"DocNumber":%q,"TxnDate":"2026-11-02","PrivateNote":"charge/1","Line":[%s]}`, number, strings.Join(all, ","))
}

const (
	anInvoice = `{"DocNumber":"I1","CustomerRef":{"value":"60"},"TxnDate":"2026-11-01","DueDate":"2026-12-01","Line":[{"Amount":100.10,"DetailType":"SalesItemLineDetail","Description":"Rent","SalesItemLineDetail":{"ItemRef":{"value":"70"}}}]}`
	aBill     = `{"DocNumber":"B1","VendorRef":{"value":"50"},"APAccountRef":{"value":"33"},"TxnDate":"2026-11-03","Line":[{"Amount":40,"DetailType":"AccountBasedExpenseLineDetail","AccountBasedExpenseLineDetail":{"AccountRef":{"value":"77"}}}]}`
)

func aPayment(invoice, amount string) string {
	return fmt.Sprintf(`{"PaymentRefNum":"P1","CustomerRef":{"value":"60"},"DepositToAccountRef":{"value":"40"},"TxnDate":"2026-11-05","TotalAmt":%s,"Line":[{"Amount":%s,"LinkedTxn":[{"TxnId":%q,"TxnType":"Invoice"}]}]}`, amount, amount, invoice)
}

// balances are those of accounts that have one, and tell whether the books add up.
func balances(t *testing.T, s *Server) map[string]int64 {
	t.Helper()
	b := s.Books()
	require.True(t, b.Balanced)
	out := map[string]int64{}
	for _, a := range b.Accounts {
		if a.Balance != 0 {
			out[a.Name] = a.Balance
		}
	}
	return out
}

func made(body map[string]any, kind string) map[string]any {
	m, _ := body[kind].(map[string]any)
	return m
}

func TestEachDocumentMovesItsAccounts(t *testing.T) {
	t.Parallel()
	s := New(Config{})
	entry := made(call(t, s, "POST", "/journalentry?requestid=e", entryOf("J1", "Debit 41 1500.25", "Credit 50 1400", "Credit 53 100.25"), 200), "JournalEntry")
	require.Equal(t, map[string]int64{"Tenant Receivables": 150025, "Rental Income": -140000, "Pet Rent": -10025}, balances(t, s))
	invoice := made(call(t, s, "POST", "/invoice", anInvoice, 200), "Invoice")
	require.InDelta(t, 100.10, invoice["TotalAmt"], 0)
	payment := made(call(t, s, "POST", "/payment", aPayment(invoice["Id"].(string), "60.05"), 200), "Payment")
	bill := made(call(t, s, "POST", "/bill", aBill, 200), "Bill")
	require.InDelta(t, 40.0, bill["Balance"], 0)
	require.Equal(t, map[string]int64{
		"Tenant Receivables": 150025, "Rental Income": -150010, "Pet Rent": -10025, AccountReceivable: 4005, "Trust Checking": 6005, AccountRepairs: 4000, AccountPayable: -4000,
	}, balances(t, s))
	require.InDelta(t, 40.05, made(call(t, s, "GET", "/invoice/"+invoice["Id"].(string), "", 200), "Invoice")["Balance"], 0)
	require.Equal(t, map[string]int{"JournalEntry": 1, "Invoice": 1, "Payment": 1, "Bill": 1, "PurchaseOrder": 0}, s.Books().Documents)

	// A sparse change leaves the rest, a full one does not.
	id := entry["Id"].(string)
	changed := made(call(t, s, "POST", "/journalentry", fmt.Sprintf(`{"Id":%q,"SyncToken":"0","sparse":true,"PrivateNote":"n","Line":[%s,%s]}`, id, jline("Debit 41 1"), jline("Credit 50 1")), 200), "JournalEntry")
	require.Equal(t, "J1", changed["DocNumber"])
	require.Len(t, changed["Line"], 2)
	require.Equal(t, int64(100), balances(t, s)["Tenant Receivables"])
	require.Equal(t, entry, made(call(t, s, "POST", "/journalentry?requestid=e", entryOf("J1", "Debit 41 9", "Credit 50 9"), 200), "JournalEntry"), "the original reply, as it was")
	changed = made(call(t, s, "POST", "/journalentry", fmt.Sprintf(`{"Id":%q,"SyncToken":"1","TxnDate":"2026-11-09","Line":[%s,%s]}`, id, jline("Debit 41 2"), jline("Credit 50 2")), 200), "JournalEntry")
	require.NotContains(t, changed, "DocNumber")
	require.Equal(t, "5010", code(call(t, s, "POST", "/journalentry?operation=delete", fmt.Sprintf(`{"Id":%q,"SyncToken":"1"}`, id), 400)))

	// What is taken away takes its money along.
	require.Equal(t, "6000", code(call(t, s, "POST", "/invoice?operation=delete", fmt.Sprintf(`{"Id":%q,"SyncToken":"0"}`, invoice["Id"]), 400)), "it is paid")
	for kind, d := range map[string]map[string]any{"payment": payment, "bill": bill, "journalentry": changed} {
		call(t, s, "POST", "/"+kind+"?operation=delete", fmt.Sprintf(`{"Id":%q,"SyncToken":%q}`, d["Id"], d["SyncToken"]), 200)
	}
	require.Equal(t, map[string]int64{AccountReceivable: 10010, "Rental Income": -10010}, balances(t, s))
	call(t, s, "POST", "/invoice?operation=delete", fmt.Sprintf(`{"Id":%q,"SyncToken":"0"}`, invoice["Id"]), 200)
	require.Empty(t, balances(t, s))
	for _, a := range s.Books().Accounts {
		require.Zero(t, a.Lines, a.Name)
		require.Zero(t, a.Debits, a.Name)
	}
}

func TestWhatDoesNotBelongInTheBooksIsRefused(t *testing.T) {
	t.Parallel()
	s := New(Config{})
	require.True(t, s.SetActive("Pet Rent", false))
	require.False(t, s.SetActive("nothing", false))
	invoice := made(call(t, s, "POST", "/invoice", anInvoice, 200), "Invoice")["Id"].(string)
	before := balances(t, s)
	for name, c := range map[string]struct{ path, body, code string }{
		"out of balance":     {"/journalentry", entryOf("J", "Debit 41 10.01", "Credit 50 10"), "6000"},
		"one line":           {"/journalentry", entryOf("J", "Debit 41 0"), "6000"},
		"no lines":           {"/journalentry", `{"DocNumber":"J"}`, "2020"},
		"unknown account":    {"/journalentry", entryOf("J", "Debit 41 10", "Credit 999 10"), "2500"},
		"inactive account":   {"/journalentry", entryOf("J", "Debit 41 10", "Credit 53 10"), "610"},
		"receivable":         {"/journalentry", entryOf("J", "Debit 34 10", "Credit 50 10"), "6000"},
		"payable":            {"/journalentry", entryOf("J", "Debit 77 10", "Credit 33 10"), "6000"},
		"three decimals":     {"/journalentry", entryOf("J", "Debit 41 10.005", "Credit 50 10.005"), "2090"},
		"text for money":     {"/journalentry", strings.ReplaceAll(entryOf("J", "Debit 41 10", "Credit 50 10"), ":10,", `:"10",`), "2090"},
		"negative":           {"/journalentry", entryOf("J", "Debit 41 -10", "Credit 50 -10"), "2020"},
		"neither":            {"/journalentry", entryOf("J", "Left 41 10", "Credit 50 10"), "2020"},
		"a bad day":          {"/journalentry", strings.Replace(entryOf("J", "Debit 41 10", "Credit 50 10"), "2026-11-02", "11/02/2026", 1), "2020"},
		"a long number":      {"/journalentry", entryOf(strings.Repeat("1", 22), "Debit 41 10", "Credit 50 10"), "2050"},
		"a misspelt field":   {"/journalentry", strings.Replace(entryOf("J", "Debit 41 10", "Credit 50 10"), "TxnDate", "Txndate2", 1), "2010"},
		"too much paid":      {"/payment", aPayment(invoice, "100.11"), "6000"},
		"nothing paid":       {"/payment", aPayment(invoice, "0"), "6000"},
		"no such invoice":    {"/payment", aPayment("999", "1"), "2500"},
		"number of a bill":   {"/invoice", anInvoice, "6140"},
		"no such customer":   {"/invoice", strings.Replace(anInvoice, `"60"`, `"61"`, 1), "2500"},
		"no such item":       {"/invoice", strings.Replace(anInvoice, `"70"`, `"71"`, 1), "2500"},
		"payables elsewhere": {"/bill", strings.Replace(aBill, `"33"`, `"35"`, 1), "2500"},
		"taken by a vendor":  {"/customer", `{"DisplayName":"pacific plumbing"}`, "6240"},
	} {
		require.Equal(t, c.code, code(call(t, s, "POST", c.path, c.body, 400)), name)
	}
	require.Equal(t, before, balances(t, s))
	require.Zero(t, s.Books().Entries)

	named := strings.Replace(entryOf("J", "Debit 34 10", "Credit 50 10"), `{"PostingType":"Debit"`, `{"Entity":{"Type":"Customer","EntityRef":{"value":"60"}},"PostingType":"Debit"`, 1)
	call(t, s, "POST", "/journalentry", named, 200)
	require.Zero(t, s.Duplicates())
	call(t, s, "POST", "/journalentry", entryOf("J", "Debit 41 10", "Credit 50 10"), 200)
	require.Equal(t, 1, s.Duplicates(), "QuickBooks takes the number again")
	require.Equal(t, 1, s.Books().Duplicates)
}

func TestQueries(t *testing.T) {
	t.Parallel()
	s := New(Config{})
	for i, day := range []string{"2026-10-31", "2026-11-01", "2026-11-01", "2026-11-30", "2026-12-01"} {
		call(t, s, "POST", "/journalentry", strings.Replace(entryOf(fmt.Sprintf("J%d", i), "Debit 41 10", "Credit 50 10"), "2026-11-02", day, 1), 200)
	}
	s.SetActive("Pet Rent", false)
	ask := func(query string, status int) map[string]any {
		return call(t, s, "GET", "/query?query="+url.QueryEscape(query), "", status)
	}
	numbers := func(query string) (out []string) {
		rows, _ := made(ask(query, 200), "QueryResponse")["JournalEntry"].([]any)
		for _, r := range rows {
			out = append(out, r.(map[string]any)["DocNumber"].(string))
		}
		return out
	}
	const november = "select * from JournalEntry where TxnDate >= '2026-11-01' and TxnDate <= '2026-11-30'"
	require.Equal(t, []string{"J1", "J2", "J3"}, numbers(november))
	require.Equal(t, []string{"J2"}, numbers(november+" orderby Id startposition 2 maxresults 1"))
	require.Empty(t, numbers(november+" STARTPOSITION 4 MAXRESULTS 10"))
	require.Equal(t, []string{"J4", "J3", "J2", "J1", "J0"}, numbers("select * from journalentry ORDER BY TxnDate DESC"), "of one day the order is turned too")
	require.Equal(t, []string{"J3"}, numbers("select * from JournalEntry where DocNumber = 'J3' and TxnDate > '2026-11-01'"))
	require.Empty(t, numbers("select * from JournalEntry where DocNumber = 'J3' and TxnDate < '2026-11-30'"))
	require.Equal(t, []string{"J0", "J4"}, numbers("select * from JournalEntry where DocNumber in ('J4', 'J0')"))
	require.InDelta(t, 5.0, made(ask("select count(*) from JournalEntry", 200), "QueryResponse")["totalCount"], 0)
	require.InDelta(t, 3.0, made(ask(strings.Replace(november, "*", "count(*)", 1), 200), "QueryResponse")["totalCount"], 0)
	accounts := func(query string) int { return len(made(ask(query, 200), "QueryResponse")["Account"].([]any)) }
	require.Equal(t, len(chart())-1, accounts("select * from Account"))
	require.Equal(t, len(chart()), accounts("select * from Account where Active in (true, false)"))
	require.Equal(t, 1, accounts("select * from Account where Active = false"))
	require.Equal(t, "4001", code(ask("select * from JournalEntry where PrivateNote = 'x'", 400)), "QuickBooks does not filter by it either")
	for _, wrong := range []string{"select * from Nothing", "select Id from Account", "select * from Account where", "select * from Account where Name = x", "select * from Account where Name = 'x' or Name = 'y'"} {
		require.Equal(t, "4000", code(ask(wrong, 400)), wrong)
	}
}

func TestBalancesOverTheWire(t *testing.T) {
	t.Parallel()
	s := New(Config{})
	call(t, s, "POST", "/journalentry", entryOf("J", "Debit 40 10.07", "Credit 43 4", "Credit 50 6.07"), 200)
	for name, want := range map[string]float64{"Trust Checking": 10.07, "Security Deposits Held": -4, "Rental Income": 0} {
		rows := made(call(t, s, "GET", "/query?query="+url.QueryEscape("select * from Account where Name = '"+name+"'"), "", 200), "QueryResponse")["Account"].([]any)
		require.InDelta(t, want, rows[0].(map[string]any)["CurrentBalance"], 0, name)
	}
	require.EqualValues(t, -607, s.Books().Account("Rental Income").Balance, "which QuickBooks shows in reports alone")
}

func TestBooksOutliveARestart(t *testing.T) {
	t.Parallel()
	s := New(Config{})
	first := call(t, s, "POST", "/journalentry?requestid=a", entryOf("J1", "Debit 41 10", "Credit 50 10"), 200)["JournalEntry"]
	invoice := made(call(t, s, "POST", "/invoice?requestid=i", anInvoice, 200), "Invoice")
	call(t, s, "POST", "/payment?requestid=p", aPayment(invoice["Id"].(string), "100.10"), 200)
	call(t, s, "POST", "/bill?requestid=b", aBill, 200)
	s.SetActive("Pet Rent", false)
	next := New(Config{}).with(s)
	require.Equal(t, s.Books(), next.Books())
	require.Equal(t, s.Postings("", 10), next.Postings("", 10))
	require.Equal(t, first, call(t, next, "POST", "/journalentry?requestid=a", "{}", 200)["JournalEntry"])
	require.Equal(t, invoice, made(call(t, next, "POST", "/invoice?requestid=i", "{}", 200), "Invoice"), "as it was before it was paid")
	call(t, next, "POST", "/journalentry", entryOf("J1", "Debit 41 10", "Credit 50 10"), 200)
	require.Equal(t, 1, next.Duplicates())
	require.True(t, next.Books().Balanced)

	older := New(Config{})
	require.NoError(t, older.Restore([]byte(`{"last":101,"accounts":[],"vendors":[],"orders":[{"Id":"101","SyncToken":"0","DocNumber":"1","TotalAmt":12.5,"MetaData":{"CreateTime":"x"},"Line":[{"Amount":12.5,"Description":"x"}]}],"requests":{"r":{"name":"PurchaseOrder","object":{"Id":"101","TotalAmt":12.50}}},"duplicates":0,"tokens":{"generation":0}}`)))
	require.Equal(t, "12.50", older.Orders()[0].Total)
	require.Len(t, older.Books().Accounts, len(chart()))
	require.InDelta(t, 12.5, made(call(t, older, "POST", "/purchaseorder?requestid=r", "{}", 200), "PurchaseOrder")["TotalAmt"], 0)

	// Books that were tampered with tell.
	raw, err := s.Snapshot()
	require.NoError(t, err)
	require.NoError(t, older.Restore([]byte(strings.Replace(string(raw), `"Amount":10.00`, `"Amount":11.00`, 1))))
	require.False(t, older.Books().Balanced)
	require.Error(t, older.Restore([]byte(`{"documents":null}`)))
}

// TestAnySequenceOfWritesAddsUp compares the accounts with a count of its own.
func TestAnySequenceOfWritesAddsUp(t *testing.T) {
	t.Parallel()
	accounts := []string{"40", "41", "43", "50", "77"}
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		s, want := New(Config{PerMinute: 10_000}), map[string]int64{}
		type kept struct {
			id            string
			token         int
			debit, credit string
			cents         int64
		}
		var all []kept
		apply := func(k kept, sign int64) {
			want[k.debit] += sign * k.cents
			want[k.credit] -= sign * k.cents
		}
		for n := range 60 {
			k := kept{debit: accounts[random.IntN(5)], credit: accounts[random.IntN(5)], cents: random.Int64N(1_000_000) + 1}
			lines := []string{fmt.Sprintf("Debit %s %d.%02d", k.debit, k.cents/100, k.cents%100), fmt.Sprintf("Credit %s %d.%02d", k.credit, k.cents/100, k.cents%100)}
			body := entryOf(fmt.Sprint(n), lines...)
			at := random.IntN(len(all) + 1)
			switch pick := random.IntN(4); {
			case at == len(all) || pick == 0:
				path := fmt.Sprintf("/journalentry?requestid=%d", n)
				k.id = made(call(t, s, "POST", path, body, 200), "JournalEntry")["Id"].(string)
				call(t, s, "POST", path, body, 200) // a replay
				apply(k, 1)
				all = append(all, k)
			case pick == 1:
				call(t, s, "POST", "/journalentry?operation=delete", fmt.Sprintf(`{"Id":%q,"SyncToken":"%d"}`, all[at].id, all[at].token), 200)
				apply(all[at], -1)
				all = append(all[:at], all[at+1:]...)
			default:
				call(t, s, "POST", "/journalentry", strings.Replace(body, "{", fmt.Sprintf(`{"Id":%q,"SyncToken":"%d",`, all[at].id, all[at].token), 1), 200)
				apply(all[at], -1)
				k.id, k.token = all[at].id, all[at].token+1
				apply(k, 1)
				all[at] = k
			}
		}
		books := s.Books()
		require.True(t, books.Balanced)
		require.Equal(t, len(all), books.Entries)
		for _, a := range books.Accounts {
			require.Equal(t, want[a.ID], a.Balance, "seed %d, %s", seed, a.Name)
		}
		require.Equal(t, books, New(Config{}).with(s).Books())
	}
}
