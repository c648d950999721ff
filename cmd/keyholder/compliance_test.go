package main

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

// demanded is a store with some requirements in it.
func demanded(t *testing.T) (url string) {
	t.Helper()
	url = "sqlite:" + filepath.Join(t.TempDir(), "keyholder.db")
	s, err := store.Open(t.Context(), url)
	require.NoError(t, err)
	now := time.Now()
	require.NoError(t, s.SeePlace(t.Context(), store.Place{PropertyID: "1", PortfolioID: "1", Address: "12 Elm St", Active: true, SeenAt: now}))
	day := func(days int) string { return now.UTC().AddDate(0, 0, days).Format(time.DateOnly) }
	for _, c := range []store.ComplianceItem{
		{Key: "compliance/1/insurance", PropertyID: "1", RequirementID: "insurance", Name: "Insurance", Kind: "insurance", State: "valid", Due: day(200), Renewed: day(-165)},
		{Key: "compliance/1/3/alarms", PropertyID: "1", UnitID: "3", RequirementID: "alarms", Name: "Alarms", Kind: "inspection", State: "due", Due: day(20)},
		{Key: "compliance/2/licence", PropertyID: "2", RequirementID: "licence", Name: "Licence", Kind: "licence", State: "overdue", Due: day(-3)},
		{Key: "compliance/2/gas", PropertyID: "2", RequirementID: "gas", Name: "Gas", Kind: "certificate", State: "unknown"},
	} {
		c.ChangedAt = now
		require.NoError(t, s.KeepCompliance(t.Context(), c))
	}
	require.NoError(t, s.Close())
	return url
}

func TestComplianceList(t *testing.T) {
	t.Parallel()
	c := command{t: t, dir: t.TempDir(), settings: map[string]string{"KEYHOLDER_STORE_URL": demanded(t)}}
	listed := func(flags ...string) (ids []string) {
		s := c.run(append([]string{"compliance", "list"}, flags...)...)
		require.NoError(t, s.failed)
		for _, line := range strings.Split(strings.TrimSpace(s.out.String()), "\n")[1:] {
			ids = append(ids, regexp.MustCompile(` {2,}`).Split(line, -1)[2])
		}
		return ids
	}
	require.Equal(t, []string{"licence", "alarms", "insurance", "gas"}, listed(), "what is due first, and at last what nobody knows")
	require.Equal(t, []string{"alarms", "insurance"}, listed("--property", "1"))
	require.Equal(t, []string{"gas"}, listed("--state", "unknown"))
	require.Equal(t, []string{"licence", "alarms"}, listed("--due-within", "60d"))
	var rows []complianceRow
	require.NoError(t, json.Unmarshal([]byte(c.run("compliance", "list", "--json", "--state", "due").out.String()), &rows))
	require.Equal(t, [3]string{"12 Elm St", "3", "alarms"}, [3]string{rows[0].Address, rows[0].Unit, rows[0].Requirement})
	require.Equal(t, "There are no such requirements.\n", c.run("compliance", "list", "--property", "9").out.String())
	for _, bad := range [][]string{{"--state", "late"}, {"--due-within", "soon"}, {"--due-within", "-3d"}} {
		require.ErrorAs(t, c.run(append([]string{"compliance", "list"}, bad...)...).failed, new(usageError))
	}
}

func TestComplianceImport_checksFirst(t *testing.T) {
	t.Parallel()
	c := command{t: t, dir: t.TempDir(), settings: map[string]string{"TEMPORAL_ADDRESS": nowhere}}
	good := c.file("good.csv", "\ufeffProperty,unit,requirement,renewed_on,good_until\n1,,insurance,2026-01-31,\n1,3,alarms,2026-02-28,2027-01-01\n")
	s := c.run("compliance", "import", good, "--dry-run")
	require.NoError(t, s.failed)
	require.Equal(t, "2 rows are fit; nothing was recorded (--dry-run)\n", s.out.String())
	require.ErrorContains(t, c.run("compliance", "import", good).failed, "--by")
	require.ErrorContains(t, c.run("compliance", "import", good, "--by", "ann").failed, nowhere, "Temporal is needed")

	bad := c.file("bad.csv", "property,requirement,renewed_on\n1,insurance,31.01.2026\n,insurance,2026-01-31\n1/2,insurance,2026-01-31\n1,insurance,2026-01-31\n")
	s = c.run("compliance", "import", bad, "--by", "ann")
	require.ErrorContains(t, s.failed, "3 of 4 rows are wrong; nothing was recorded")
	require.Equal(t, "line 2: renewed_on must be a day such as 2026-01-31\nline 3: property and requirement must be filled in\n"+
		"line 4: property, unit and requirement are ids\n", s.err.String())
	for name, text := range map[string]string{
		"empty": "", "no column": "property,renewed_on\n1,2026-01-31\n", "ragged": "property,requirement,renewed_on\n1,insurance\n",
	} {
		require.ErrorAs(t, c.run("compliance", "import", c.file("x.csv", text)).failed, new(usageError), name)
	}
	require.ErrorAs(t, c.run("compliance", "import", filepath.Join(c.dir, "none.csv")).failed, new(usageError))
}

func TestComplianceRenew_checksFirst(t *testing.T) {
	t.Parallel()
	c := command{t: t, dir: t.TempDir(), settings: map[string]string{"TEMPORAL_ADDRESS": nowhere}}
	require.ErrorContains(t, c.run("compliance", "renew", "insurance", "--property", "1", "--on", "soon").failed, "--on must be a day")
	require.ErrorContains(t, c.run("compliance", "renew", "insurance", "--property", "1", "--on", "2026-01-31").failed, "--by and --why")
	require.ErrorContains(t, c.run("compliance", "renew", "insurance", "--on", "2026-01-31").failed, "property and requirement")
	require.ErrorContains(t, c.run("compliance", "renew", "insurance", "--property", "1", "--on", "2026-01-31", "--by", "ann", "--why", "paper").failed, nowhere)
}

func TestComplianceCalendar(t *testing.T) {
	t.Parallel()
	c := command{t: t, dir: t.TempDir(), settings: map[string]string{"KEYHOLDER_LINK_KEY": "a link key of the tests", "KEYHOLDER_PUBLIC_URL": "https://keyholder.test/x/"}}
	s := c.run("compliance", "calendar")
	require.NoError(t, s.failed)
	token, ok := strings.CutPrefix(strings.TrimSpace(s.out.String()), "https://keyholder.test/x/calendar/")
	require.True(t, ok, s.out.String())
	token, ok = strings.CutSuffix(token, ".ics")
	require.True(t, ok)
	keys := store.NewKeys("a link key of the tests")
	what, ok := keys.CalendarOf(token, time.Now().AddDate(4, 11, 0))
	require.True(t, ok)
	require.Equal(t, "compliance", what)
	_, ok = keys.CalendarOf(token, time.Now().AddDate(5, 0, 1))
	require.False(t, ok)
}
