package e2e_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/proto"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows"
)

var write = flag.Bool("write", false, "write the tables of docs/scaling.md anew")

// counted is what a recorded run has cost.
type counted struct {
	e2e.Cost
	bytes int
}

// monthly is how often a case occurs in a month of 100,000 units, and why that number. The
// numbers are assumptions, docs/scaling.md says so; the actions are counted.
type monthly struct {
	what, history string
	cases         int
	why           string
}

var month = []monthly{
	{"charges, payments and bills", "finance.transaction/booked", 260_000, "2.6 a unit: rent charged, rent paid, 0.6 of anything else"},
	{"of these, nobody is sure", "finance.transaction/unsure", 2_600, "1 %"},
	{"findings that somebody answers", "finance.review/answered", 1_300, "0.5 %"},
	{"ordinary repairs, own technicians", "maintenance.work_order/repair_confirmed", 15_000, "2 work orders a unit and year, nine in ten of them"},
	{"repairs that vendors bid for", "maintenance.work_order/repair_by_vendors", 1_200, "7 %"},
	{"their rounds of bids", "maintenance.bidding/two_of_three", 1_200, "one each"},
	{"emergencies", "maintenance.work_order/acknowledged_and_repaired", 500, "3 %"},
	{"leases that renew", "leasing.renewal/renewed", 5_000, "60 % a year"},
	{"and their year", "leasing.lease/renewed", 8_300, "100,000 leases / 12: a twelfth of a lease's year each month"},
	{"move-ins", "leasing.move_in/completed", 3_300, "40 % a year"},
	{"retention", "leasing.retention/kept", 1_000, "12 % a year"},
	{"homes let", "portfolio.vacancy/let", 3_300, "as move-ins"},
	{"rents priced", "portfolio.pricing/changed", 8_300, "each renewal and each letting"},
	{"properties that change", "portfolio.property/let", 3_300, "as move-ins"},
	{"requirements renewed", "portfolio.compliance/renewed", 8_300, "one a unit and year"},
	{"month ends of portfolios", "portfolio.month_end/sent", 1_000, "100 units each"},
	{"summaries of portfolios", "finance.summary/told", 1_000, "as above"},
	{"comparisons with RentVine", "sync.rentvine/reconciled", 2_976, "every 15 minutes"},
	{"rounds of the polling", "sync.openmoove/finished", 4_464, "every 10 minutes"},
	{"days closed", "finance.close_day/found", 31, "daily"},
	{"bank matchings", "finance.reconcile_bank/found", 31, "daily"},
	{"sweeps of leases", "leasing.sweep/found", 31, "daily"},
	{"sweeps of properties", "portfolio.sweep/found", 31, "daily"},
	{"digests", "portfolio.digest/told", 22, "working days"},
	{"months closed", "finance.close_month/reported", 1, "monthly"},
}

// The actions in docs/scaling.md are those of the golden histories.
func TestScalingTablesAreCounted(t *testing.T) {
	t.Parallel()
	byType := map[string][]counted{}
	byName := map[string]counted{}
	for _, wf := range workflows.Registry() {
		paths, err := filepath.Glob(filepath.Join(histories, wf.WorkflowName(), "*.json"))
		require.NoError(t, err)
		require.NotEmpty(t, paths)
		for _, path := range paths {
			c := countFile(t, path)
			byType[wf.WorkflowName()] = append(byType[wf.WorkflowName()], c)
			byName[wf.WorkflowName()+"/"+strings.TrimSuffix(filepath.Base(path), ".json")] = c
		}
	}
	path := filepath.Join(repo, "docs", "scaling.md")
	doc, err := os.ReadFile(path)
	require.NoError(t, err)
	wanted := string(doc)
	for name, table := range map[string]string{"actions": actionsTable(byType), "month": monthTable(t, byName)} {
		begin, end := "<!-- table: "+name+" -->\n", "<!-- end of "+name+" -->"
		before, rest, found := strings.Cut(wanted, begin)
		require.True(t, found, "docs/scaling.md has no %s", begin)
		_, after, found := strings.Cut(rest, end)
		require.True(t, found, "docs/scaling.md has no %s", end)
		wanted = before + begin + table + end + after
	}
	if *write {
		require.NoError(t, os.WriteFile(path, []byte(wanted), 0o644))
		return
	}
	require.Equal(t, wanted, string(doc), "write it anew: go test ./worker/e2e -run ScalingTables -write")
}

func countFile(t *testing.T, path string) counted {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	h, err := client.HistoryFromJSON(file, client.HistoryJSONOptions{})
	require.NoError(t, err)
	return counted{Cost: e2e.CostOf(h.GetEvents()), bytes: proto.Size(h)}
}

func actionsTable(byType map[string][]counted) string {
	var b strings.Builder
	b.WriteString("| workflow | histories | actions | events | bytes |\n|---|---|---|---|---|\n")
	names := make([]string, 0, len(byType))
	for name := range byType {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		of := func(value func(counted) int) string {
			var all []int
			for _, c := range byType[name] {
				all = append(all, value(c))
			}
			slices.Sort(all)
			if all[0] == all[len(all)-1] {
				return thousands(all[0])
			}
			return thousands(all[0]) + " to " + thousands(all[len(all)-1])
		}
		fmt.Fprintf(&b, "| `%s` | %d | %s | %s | %s |\n", name, len(byType[name]),
			of(func(c counted) int { return c.Actions }), of(func(c counted) int { return c.Events }), of(func(c counted) int { return c.bytes }))
	}
	return b.String()
}

func monthTable(t *testing.T, byName map[string]counted) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| what | counted on | actions a case | cases a month | actions a month | GB of history | why so many |\n|---|---|---|---|---|---|---|\n")
	total, size := 0, 0
	rows := slices.Clone(month)
	for _, row := range rows {
		require.Contains(t, byName, row.history, "no such history")
	}
	slices.SortStableFunc(rows, func(a, b monthly) int {
		return cmp.Compare(b.cases*byName[b.history].Actions, a.cases*byName[a.history].Actions)
	})
	for _, row := range rows {
		c := byName[row.history]
		total, size = total+row.cases*c.Actions, size+row.cases*c.bytes
		fmt.Fprintf(&b, "| %s | `%s` | %d | %s | %s | %.2f | %s |\n", row.what, row.history, c.Actions, thousands(row.cases), thousands(row.cases*c.Actions), float64(row.cases*c.bytes)/1e9, row.why)
	}
	fmt.Fprintf(&b, "| **all** | | | | **%s** | **%.1f** | |\n", thousands(total), float64(size)/1e9)
	return b.String()
}

func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
