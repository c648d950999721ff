package main

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
)

const novemberBegins = `Date,Amount,Description,Reference,Balance
2026-11-02,"1,850.00",ACH payment/1,7001,"2,850.00"
2026-11-03,-12.50,Fee,,"2,837.50"
`

func TestBankImport(t *testing.T) {
	t.Parallel()
	k := keepBooks(t)
	file := k.file("begin.csv", novemberBegins)

	s := k.run("bank", "import", file, "--dry-run")
	require.NoError(t, s.failed)
	require.Equal(t, "Trust Checking, 2026-11-02 to 2026-11-03: 2 lines\n"+
		"opening 1000.00 + lines 1837.50 = closing 2837.50 USD\nnothing was stored (--dry-run)\n", s.out.String())
	require.Empty(t, s.err.String(), "nothing is triggered")
	open, err := k.store.OpenBankLines(t.Context(), "Trust Checking", "")
	require.NoError(t, err)
	require.Empty(t, open)

	s = k.run("bank", "import", file)
	require.NoError(t, s.failed, "without Temporal the lines are stored all the same")
	require.Equal(t, "Trust Checking, 2026-11-02 to 2026-11-03: 2 lines, 2 added, 0 known\n"+
		"opening 1000.00 + lines 1837.50 = closing 2837.50 USD\n", s.out.String())
	require.Contains(t, s.err.String(), "warning: the lines are stored and not matched yet; the next daily run matches them: no Temporal cluster answers at "+nowhere)
	open, err = k.store.OpenBankLines(t.Context(), "Trust Checking", "")
	require.NoError(t, err)
	require.Len(t, open, 2)
	require.Equal(t, [4]any{"2026-11-02", int64(185_000), "ACH payment/1", "7001"}, [4]any{open[0].Day, open[0].Amount, open[0].Text, open[0].Reference})
	statements, err := k.store.BankStatements(t.Context(), "Trust Checking")
	require.NoError(t, err)
	require.Len(t, statements, 1)
	require.Equal(t, [3]int64{100_000, 283_750, 183_750}, [3]int64{statements[0].Opening, statements[0].Closing, statements[0].Sum})
	require.WithinDuration(t, time.Now(), statements[0].At, time.Minute)

	require.Contains(t, k.run("bank", "import", file).out.String(), "2026-11-03: 2 lines, read in before\n")
	require.Contains(t, k.run("bank", "import", file, "--dry-run").out.String(), "2026-11-03: 2 lines, read in before\n")
	s = k.run("bank", "import", file, "--account", "Reserve")
	require.ErrorContains(t, s.failed, "read in before for another account than Reserve; nothing was stored")
}

// Statements may overlap, and what is missing between them is said.
func TestBankImportProves(t *testing.T) {
	t.Parallel()
	k := keepBooks(t)
	require.NoError(t, k.run("bank", "import", k.file("1.csv", novemberBegins)).failed)

	s := k.run("bank", "import", k.file("3.csv", "Date,Amount,Description,Reference,Balance\n2026-11-10,5.00,x,,2900.00\n"))
	require.NoError(t, s.failed)
	require.Contains(t, s.out.String(), "opening 2895.00 + lines 5.00 = closing 2900.00 USD\n"+
		"The statement from 2026-11-10 does not begin with the balance of 2026-11-03: read in what is missing between them. The difference is 57.50.\n")
	require.Contains(t, k.run("bank", "status").out.String(), "The difference is 57.50.\n")

	s = k.run("bank", "import", k.file("2.csv", "Date,Amount,Description,Reference,Balance\n2026-11-04,57.50,x,,2895.00\n"))
	require.NoError(t, s.failed)
	require.Contains(t, s.out.String(), "closing 2895.00 USD\nno gap to the statements before and after\n")
	require.NotContains(t, k.run("bank", "status").out.String(), "The difference is")

	s = k.run("bank", "import", k.file("again.csv", novemberBegins+"2026-11-03,-1.00,Fee,,\"2,836.50\"\n"), "--dry-run")
	require.Contains(t, s.out.String(), "cover the same days: their balances cannot be compared.\n")
	s = k.run("bank", "import", k.file("again.csv", novemberBegins+"2026-11-03,-1.00,Fee,,\"2,836.50\"\n"))
	require.Contains(t, s.out.String(), "3 lines, 1 added, 2 known\n")

	k.settings["KEYHOLDER_POLICY"] = k.policy(t, "reference: reference, balance: balance}", `reference: "", balance: ""}`)
	s = k.run("bank", "import", k.file("plain.csv", "Date,Amount,Description\n2026-12-01,5.00,x\n"), "--account", "Reserve")
	require.NoError(t, s.failed)
	require.Equal(t, "Reserve, 2026-12-01 to 2026-12-01: 1 lines, 1 added, 0 known\nlines 5.00 USD; not proven, for the file has no balances\n", s.out.String())
	require.Equal(t, "warning: bookings are matched with the lines of Trust Checking alone (finance.accounts.bank in the policy), so these stay open\n", s.err.String())
}

func TestAFileThatIsWrongIsNotReadByHalf(t *testing.T) {
	t.Parallel()
	k := keepBooks(t)
	s := k.run("bank", "import", k.file("wrong.csv", novemberBegins+"2026-11-04,much,x,,\n04.11.2026,1.00,x,,\n"))
	require.Error(t, s.failed)
	require.NotErrorAs(t, s.failed, new(usageError))
	require.ErrorContains(t, s.failed, "wrong.csv: line 4: the amount is no amount")
	require.ErrorContains(t, s.failed, "line 5: the date is not as")
	require.ErrorContains(t, s.failed, "nothing was stored")
	open, err := k.store.OpenBankLines(t.Context(), "Trust Checking", "")
	require.NoError(t, err)
	require.Empty(t, open)
}

func TestBankStatus(t *testing.T) {
	t.Parallel()
	k := keepBooks(t)
	s := k.run("bank", "status")
	require.NoError(t, s.failed)
	require.Contains(t, s.out.String(), "Trust Checking: no statement was read in; \"keyholder bank import FILE\" does it.\n")

	k.book("payment/1", ago(45), 185_000, 185_000)
	k.book("payment/2", ago(3), 5_000, 5_000)
	k.book("payment/3", ago(3), 9_900) // QuickBooks does not have it yet
	s = k.run("bank", "import", k.file("x.csv", "Date,Amount,Description,Reference,Balance\n"+
		ago(45)+",1849.70,ACH\x1b payment/1,7001,2849.70\n"+ago(20)+",-12.50,Fee,,2837.20\n"))
	require.NoError(t, s.failed)
	lines, err := k.store.OpenBankLines(t.Context(), "Trust Checking", "")
	require.NoError(t, err)
	n, err := k.store.MatchBank(t.Context(), []store.BankMatch{{ID: "m", How: "tolerant", At: time.Now(), Lines: []string{lines[0].ID}, Bookings: []string{"payment/1#1"}}})
	require.NoError(t, err)
	require.Equal(t, 1, n)

	s = k.run("bank", "status")
	require.NoError(t, s.failed)
	require.Equal(t, "Trust Checking, statements until "+ago(20)+`, amounts in USD

         lines of the bank  bookings  difference
matched  1849.70            1850.00   -0.30
open     -12.50             50.00     -62.50
all      1837.20            1900.00   -62.80

open for days  lines  amount  bookings  amount
0-7            0      0.00    1         50.00
8-30           1      -12.50  0         0.00
31-60          0      0.00    0         0.00
over 60        0      0.00    0         0.00

oldest open lines  amount  about
`+ago(20)+`         -12.50  Fee

oldest open bookings  amount  about
`+ago(3)+`            50.00   payment/2#1

last statements           lines  sum      opening  closing
`+ago(45)+" to "+ago(20)+`  2      1837.20  1000.00  2837.20

What is matched differs by -0.30: small differences that matches within the tolerance, and people, have let pass. What is open explains the rest.
`, s.out.String())

	s = k.run("bank", "status", "--json")
	require.NoError(t, s.failed)
	require.JSONEq(t, `{"account":"Trust Checking","currency":"USD","today":"`+ago(0)+`",
		"matched":{"lines":"1849.70","bookings":"1850.00","difference":"-0.30"},
		"open":{"lines":"-12.50","bookings":"50.00","difference":"-62.50"},
		"all":{"lines":"1837.20","bookings":"1900.00","difference":"-62.80"},
		"open_lines":[{"age":"0-7","count":0,"amount":"0.00"},{"age":"8-30","count":1,"amount":"-12.50"},{"age":"31-60","count":0,"amount":"0.00"},{"age":"over 60","count":0,"amount":"0.00"}],
		"open_bookings":[{"age":"0-7","count":1,"amount":"50.00"},{"age":"8-30","count":0,"amount":"0.00"},{"age":"31-60","count":0,"amount":"0.00"},{"age":"over 60","count":0,"amount":"0.00"}],
		"oldest_lines":[{"day":"`+ago(20)+`","amount":"-12.50","about":"Fee"}],
		"oldest_bookings":[{"day":"`+ago(3)+`","amount":"50.00","about":"payment/2#1"}],
		"statements":[{"from":"`+ago(45)+`","to":"`+ago(20)+`","lines":2,"sum":"1837.20","opening":"1000.00","closing":"2837.20"}],
		"flaws":[]}`, s.out.String())
}

// What a person is shown of a bank's text disturbs no terminal, and the list is bounded.
func TestBankStatusIsBounded(t *testing.T) {
	t.Parallel()
	k := keepBooks(t)
	text := "Date,Amount,Description,Reference,Balance\n"
	for range openShown + 5 {
		text += ago(70) + ",1.00,ACH\x1b[31m\u202e x,7001,\n"
	}
	require.NoError(t, k.run("bank", "import", k.file("x.csv", text)).failed)
	rules, err := policy.Load("")
	require.NoError(t, err)
	status, err := readBankStatus(t.Context(), k.store, ago(0), rules.Finance())
	require.NoError(t, err)
	require.Len(t, status.OldestLines, openShown)
	require.Equal(t, aged{Age: "over 60", Count: openShown + 5, Amount: 1500}, status.OpenLines[3])
	require.Equal(t, "ACH [31m x 7001", status.OldestLines[0].About)
	require.Equal(t, "Nothing is matched yet.", status.proof())
	status.Matched = sides(1500, 1500)
	require.Equal(t, "What is matched is equal on both sides; what is open explains all that differs.", status.proof())
}

// An import triggers the Schedule that matches, of a real Temporal.
func TestBankImportBeginsMatching(t *testing.T) {
	t.Parallel()
	if _, err := cluster.FindTemporal(); err != nil {
		t.Skip("needs a Temporal server: ", err)
	}
	server, err := cluster.StartDevServer(t.Context(), cluster.DevServerOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })
	c, err := cluster.Dial(t.Context(), cluster.Options{Address: server.Address(), Plain: true})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	_, err = cluster.Setup(t.Context(), c, cluster.SetupOptions{})
	require.NoError(t, err)
	k := keepBooks(t)
	k.settings["TEMPORAL_ADDRESS"] = server.Address()

	s := k.run("bank", "import", k.file("1.csv", novemberBegins))
	require.NoError(t, s.failed)
	require.Contains(t, s.err.String(), "there is no Schedule finance-reconcile-bank; create it with \"keyholder schedules apply\"")

	rules, err := policy.Load("")
	require.NoError(t, err)
	wanted, _ := workflows.Schedules(rules.Sales(), rules.Leasing("", ""), rules.Finance(), rules.Portfolio("", ""), rules.Sync(), durable.Clock{})
	var only []client.ScheduleOptions
	for _, w := range wanted {
		if w.ID == workflows.ScheduleBank {
			only = append(only, w)
		}
	}
	_, err = cluster.ApplySchedules(t.Context(), c, only, nil)
	require.NoError(t, err)

	s = k.run("bank", "import", k.file("1.csv", novemberBegins))
	require.NoError(t, s.failed)
	require.Empty(t, s.err.String())
	require.Contains(t, s.out.String(), "read in before\n")
	require.Contains(t, s.out.String(), "matching with bookings has begun (Schedule finance-reconcile-bank)\n")
	require.Eventually(t, func() bool {
		d, err := c.ScheduleClient().GetHandle(t.Context(), workflows.ScheduleBank).Describe(t.Context())
		return err == nil && d.Info.NumActions == 1
	}, 30*time.Second, 100*time.Millisecond)
}

// The address of a running "keyholder dev" counts where Temporal's own settings are silent.
func TestTemporalBesideDev(t *testing.T) {
	for _, name := range []string{"TEMPORAL_ADDRESS", "TEMPORAL_PROFILE"} {
		t.Setenv(name, "")
		require.NoError(t, os.Unsetenv(name))
	}
	env := map[string]string{"TEMPORAL_ADDRESS": nowhere}
	require.Equal(t, nowhere, temporalBeside(env))
	t.Setenv("TEMPORAL_PROFILE", "cloud")
	require.Empty(t, temporalBeside(env))
}
