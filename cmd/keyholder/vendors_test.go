package main

import (
	"encoding/csv"
	"encoding/json"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox/rentvine"
	"github.com/aictive/keyholder/store"
)

// recorded is a store with some work in it.
func recorded(t *testing.T) (url string) {
	t.Helper()
	url = "sqlite:" + filepath.Join(t.TempDir(), "keyholder.db")
	s, err := store.Open(t.Context(), url)
	require.NoError(t, err)
	now, no := time.Now(), false
	for _, w := range []store.WorkRecord{
		{Key: "1", Worker: "contact:14", AskedAt: now.Add(-2 * time.Hour), AnsweredAt: now.Add(-90 * time.Minute), FinishedAt: now, Estimate: 10_000, Price: 9_000, Rating: 5},
		{Key: "2", Worker: "maria", AskedAt: now, FinishedAt: now, FirstTimeFixed: &no, Rating: 2},
		{Key: "3", Worker: "contact:99", AskedAt: now, AnsweredAt: now},
	} {
		require.NoError(t, s.RecordWork(t.Context(), w))
	}
	require.NoError(t, s.Close())
	return url
}

func TestVendorsCommand(t *testing.T) {
	t.Parallel()
	box := httptest.NewServer(rentvine.New(rentvine.Config{}))
	t.Cleanup(box.Close)
	c := command{t: t, dir: t.TempDir(), settings: map[string]string{
		"KEYHOLDER_STORE_URL": recorded(t), "KEYHOLDER_RENTVINE_URL": box.URL,
		"KEYHOLDER_RENTVINE_ACCESS_KEY": rentvine.DevAccessKey, "KEYHOLDER_RENTVINE_API_SECRET": rentvine.DevSecret,
	}}
	s := c.run("vendors")
	require.NoError(t, s.failed)
	require.Empty(t, s.err.String())
	lines := strings.Split(strings.TrimSpace(s.out.String()), "\n")
	require.Len(t, lines, 1+4+8+1, "four technicians, the eight vendors of RentVine, and one whom it does not know")
	columns := regexp.MustCompile(` {2,}`)
	require.Equal(t, []string{"name", "id", "score", "asked", "answered", "after", "jobs", "fixed at once", "over estimate", "rating"}, columns.Split(lines[0], -1))
	require.Equal(t, []string{"Silver Lake Plumbing", "contact:14", "699", "1", "100%", "30m", "1", "100%", "-10%", "5.0 (1)"}, columns.Split(lines[1], -1))
	require.Equal(t, []string{"-", "contact:99", "615", "1", "100%", "0m", "0", "-", "-", "-"}, columns.Split(lines[2], -1))
	require.Equal(t, []string{"Ana Volt", "ana", "600", "0", "-", "-", "0", "-", "-", "-"}, columns.Split(strings.TrimSpace(lines[3]), -1))
	require.Equal(t, []string{"Maria Fixit", "maria", "495", "1", "0%", "-", "1", "0%", "-", "2.0 (1)"}, columns.Split(lines[13], -1))

	s = c.run("vendors", "--format", "csv")
	require.NoError(t, s.failed)
	rows, err := csv.NewReader(strings.NewReader(s.out.String())).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 14)
	require.Equal(t, []string{"contact:14", "vendor", "Silver Lake Plumbing", "699", "1", "1", "30", "1", "1", "1", "-10", "1", "5.0"}, rows[1])

	s = c.run("vendors", "--format", "json")
	require.NoError(t, s.failed)
	var list []map[string]any
	require.NoError(t, json.Unmarshal([]byte(s.out.String()), &list))
	require.Len(t, list, 13)
	require.Equal(t, map[string]any{
		"id": "maria", "kind": "technician", "name": "Maria Fixit", "score": 495.0, "asked": 1.0, "jobs": 1.0, "rated": 1.0, "rating_tenths": 20.0,
	}, list[12])
}

// The records are there without RentVine too.
func TestVendorsCommandWithoutNames(t *testing.T) {
	t.Parallel()
	c := command{t: t, dir: t.TempDir(), settings: map[string]string{"KEYHOLDER_STORE_URL": recorded(t)}}
	s := c.run("vendors")
	require.NoError(t, s.failed)
	require.Empty(t, s.err.String())
	require.Contains(t, s.out.String(), "contact:14")
	require.NotContains(t, s.out.String(), "Silver Lake")

	c.settings["KEYHOLDER_RENTVINE_URL"] = "http://127.0.0.1:1"
	c.settings["KEYHOLDER_RENTVINE_ACCESS_KEY"], c.settings["KEYHOLDER_RENTVINE_API_SECRET"] = "k", "s"
	s = c.run("vendors")
	require.NoError(t, s.failed)
	require.Contains(t, s.err.String(), "RentVine does not name its vendors: ")
	require.Contains(t, s.out.String(), "contact:14")

	s = c.run("vendors", "--format", "xml")
	require.ErrorAs(t, s.failed, new(usageError))
	require.EqualError(t, s.failed, "--format must be table, csv or json")
	delete(c.settings, "KEYHOLDER_STORE_URL")
	require.ErrorContains(t, c.run("vendors").failed, "KEYHOLDER_STORE_URL")
}

func TestNamesOfVendorsAreHarmless(t *testing.T) {
	t.Parallel()
	require.Equal(t, "Red [31m Pipes Inc", oneLine(" Red \x1b[31m\tPipes\n Inc\u202e "))
	require.Equal(t, "'=HYPERLINK()", harmless("=HYPERLINK()"))
	require.Equal(t, "A=B", harmless("A=B"))
	require.Empty(t, harmless(""))
}
