package main

import (
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

// audited is a store with the audit of a small case.
type audited struct {
	command
	path string
}

var auditedAt = time.Date(2026, 11, 21, 5, 52, 1, 0, time.UTC)

func newAudited(t *testing.T) audited {
	t.Helper()
	a := audited{path: filepath.Join(t.TempDir(), "keyholder.db")}
	a.command = command{t: t, dir: t.TempDir(), settings: map[string]string{"KEYHOLDER_STORE_URL": "sqlite:" + a.path}}
	at := func(seconds int) time.Time { return auditedAt.Add(time.Duration(seconds) * time.Second) }
	a.append(
		store.AuditEntry{ID: "event/rentvine/1", Entity: "work-order/4711", Kind: store.AuditEvent, At: at(0), Actor: "rentvine", What: "work_order.created by webhook", Ref: "4711"},
		store.AuditEntry{
			ID: "effect/page", Entity: "work-order/4711", Kind: store.AuditMessage, At: at(2), What: "text to oncall-1: page", Partner: "twilio", Ref: "SM1",
			Links: []string{"question/q1"}, Subject: "person/1", Details: "Burst pipe at 12 Elm St",
		},
		store.AuditEntry{ID: "answer/1", Entity: "work-order/4711", Kind: store.AuditAnswer, At: at(62), Actor: "person/1", What: "acknowledge", Links: []string{"question/q1"}},
		store.AuditEntry{ID: "note/1", Entity: "work-order/4711", Kind: store.AuditDecision, At: at(70), Actor: "policy", What: "bids are asked for", Links: []string{"bidding/4711/1"}},
		store.AuditEntry{ID: "note/2", Entity: "bidding/4711/1", Kind: store.AuditDecision, At: at(71), What: "three vendors invited", Links: []string{"work-order/4711", "lease/3"}},
		store.AuditEntry{ID: "effect/mail", Entity: "lease/3", Kind: store.AuditMessage, At: at(-90000), What: "mail", Partner: "mail", Subject: "contact/21", Details: "Dear Jane"},
		store.AuditEntry{ID: "effect/mail2", Entity: "work-order/4712", Kind: store.AuditMessage, At: at(90000), What: "mail", Partner: "mail", Subject: "contact/21", Details: "Dear Jane"},
	)
	return a
}

func (a audited) append(entries ...store.AuditEntry) {
	a.t.Helper()
	s, err := store.Open(a.t.Context(), "sqlite:"+a.path)
	require.NoError(a.t, err)
	require.NoError(a.t, s.Append(a.t.Context(), entries...))
	require.NoError(a.t, s.Close())
}

// tamper changes the store as somebody would who owns its file.
func (a audited) tamper(statements ...string) {
	a.t.Helper()
	db, err := sql.Open("sqlite", a.path)
	require.NoError(a.t, err)
	for _, trigger := range []string{"audit_entries_stay", "audit_entries_last", "audit_entries_erased", "audit_heads_stay", "audit_heads_forward"} {
		_, err := db.ExecContext(a.t.Context(), "DROP TRIGGER IF EXISTS "+trigger)
		require.NoError(a.t, err)
	}
	for _, s := range statements {
		_, err := db.ExecContext(a.t.Context(), s)
		require.NoError(a.t, err)
	}
	require.NoError(a.t, db.Close())
}

func (a audited) heads() map[string]store.AuditHead {
	a.t.Helper()
	s, err := store.Open(a.t.Context(), "sqlite:"+a.path)
	require.NoError(a.t, err)
	list, err := s.AuditEntities(a.t.Context(), "", "", 0)
	require.NoError(a.t, err)
	require.NoError(a.t, s.Close())
	heads := map[string]store.AuditHead{}
	for _, h := range list {
		heads[h.Entity] = h
	}
	return heads
}

// says runs a command that succeeds, and returns what it prints.
func (a audited) says(args ...string) string {
	a.t.Helper()
	s := a.run(append([]string{"audit"}, args...)...)
	require.NoError(a.t, s.failed)
	return s.out.String()
}

func TestAuditOfAnEntity(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	head := a.heads()["work-order/4711"]
	require.Equal(t, `work-order/4711
  4 entries from 2026-11-20 23:52:01 CST to 2026-11-20 23:53:11 CST: 1 answer, 1 decision, 1 event, 1 message
  decided by 1 person/1, 1 policy
  The chain of work-order/4711 is verified: 4 entries, head `+head.Hash+`.
  1 entry has personal details, which --details shows

time                     kind      who       what
2026-11-20 23:52:01 CST  event     rentvine  work_order.created by webhook [4711]
2026-11-20 23:52:03 CST  message   workflow  text to oncall-1: page [twilio SM1]
                                             links: question/q1
2026-11-20 23:53:03 CST  answer    person/1  acknowledge
                                             links: question/q1
2026-11-20 23:53:11 CST  decision  policy    bids are asked for
                                             links: bidding/4711/1
`, a.says("work-order/4711", "--zone", "America/Chicago"))
	require.Contains(t, a.says("work-order/4711", "--details"), "details: Burst pipe at 12 Elm St\n")

	linked := a.says("work-order/4711", "--linked", "--zone", "UTC")
	require.Contains(t, linked, "5 entries")
	require.Contains(t, linked, "decision  bidding/4711/1   workflow  three vendors invited\n")
	require.Contains(t, linked, "The chain of bidding/4711/1 is verified")
	require.NotContains(t, linked, "of lease/3 is", "what linked entities link to is not followed")

	require.Contains(t, a.says("work-order/4711", "--zone", "UTC", "--since", "2026-11-21T05:53:00Z", "--until", "2026-11-21"), "2 entries from 2026-11-21 05:53:03 UTC")
	require.Contains(t, a.says("work-order/4711", "--until", "2026-11-01"), "The chain of work-order/4711 is verified: 4 entries")
}

func TestAuditFiles(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	rows, err := csv.NewReader(strings.NewReader(a.says("work-order/4711", "--format", "csv"))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 5)
	var out struct {
		Company string
		Chains  []struct{ Verified bool }
		Entries []struct{ ID string }
	}
	require.NoError(t, json.Unmarshal([]byte(a.says("work-order/4711", "--format", "json")), &out))
	require.Len(t, out.Entries, 4)
	require.True(t, out.Chains[0].Verified)
	require.NotEmpty(t, out.Company)

	file := filepath.Join(a.dir, "case.pdf")
	require.Contains(t, a.says("work-order/4711", "--format", "pdf", "--out", file), file+": ")
	pdf, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(pdf), "%PDF-"))
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestAuditUsage(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	s := a.run("audit", "work-order/4799")
	require.EqualError(t, s.failed, "the audit has nothing of work-order/4799; it has work-order/4711, work-order/4712")
	require.EqualError(t, a.run("audit", "é").failed, `the audit has nothing of é; "keyholder audit list" shows what it has`)
	for _, bad := range [][]string{
		{},
		{"work-order/4711", "--format", "xml"},
		{"work-order/4711", "--format", "pdf"},
		{"work-order/4711", "--zone", "Mars/Olympus"},
		{"work-order/4711", "--since", "yesterday"},
		{"work-order/4711", "--since", "0d"},
		{"work-order/4711", "--since", "2026-11-22", "--until", "2026-11-20"},
		{"list", "--kind", "effect"},
		{"verify"},
		{"verify", "--all", "work-order/4711"},
		{"verify", "work-order/4711", "--anchor", "x"},
		{"verify", "--all", "--against", filepath.Join(a.dir, "none")},
		{"erase", "--by", "ann", "--why", "asked"},
		{"erase", "--subject", "contact/21", "--entity", "lease/3", "--by", "ann", "--why", "asked"},
		{"erase", "--subject", "contact/21"},
		{"report"},
		{"report", "--month", "2026-11", "--format", "pdf"},
		{"report", "--month", "2026-11", "--portfolio", "x"},
	} {
		require.ErrorAs(t, a.run(append([]string{"audit"}, bad...)...).failed, new(usageError), "%v", bad)
	}
}

func TestAuditMoment(t *testing.T) {
	t.Parallel()
	chicago, err := time.LoadLocation("America/Chicago")
	require.NoError(t, err)
	for text, want := range map[string]time.Time{
		"2026-11-20":           time.Date(2026, 11, 21, 0, 0, 0, 0, chicago),
		"2026-11-20T15:04:05Z": time.Date(2026, 11, 20, 15, 4, 5, 0, time.UTC),
		"36h":                  auditedAt.Add(-36 * time.Hour),
		"30d":                  auditedAt.AddDate(0, 0, -30),
	} {
		got, err := auditMoment("--until", text, chicago, auditedAt, 1)
		require.NoError(t, err, text)
		require.True(t, want.Equal(got), "%s: %s", text, got)
	}
	for _, text := range []string{"", "d", "-3d", "1.5d", "999999d", "-1h", "2026-13-01", "30 d"} {
		_, err := auditMoment("--since", text, chicago, auditedAt, 0)
		require.ErrorAs(t, err, new(usageError), text)
	}
}

func TestAuditList(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	require.Equal(t, `last                  entries  entity
2026-11-21T05:53:12Z        1  bidding/4711/1
2026-11-20T04:52:01Z        1  lease/3
2026-11-21T05:53:11Z        4  work-order/4711
2026-11-22T06:52:01Z        1  work-order/4712
`, a.says("list"))
	require.Equal(t, `last                  entries  entity
2026-11-21T05:52:03Z        1  work-order/4711
2026-11-22T06:52:01Z        1  work-order/4712
`, a.says("list", "--prefix", "work-order/", "--kind", "message,conflict"))
	require.NotContains(t, a.says("list", "--since", "2026-11-21"), "lease/3")
	require.Equal(t, "The audit has no such entries.\n", a.says("list", "--prefix", "sale/"))
	require.Equal(t, "The audit has no such entries.\n", a.says("list", "--kind", "conflict"))
}

func TestAuditListReadsPages(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	entries := make([]store.AuditEntry, 0, 2*auditPage+1)
	for i := range 2*auditPage + 1 {
		entries = append(entries, store.AuditEntry{ID: fmt.Sprint("x", i), Entity: fmt.Sprintf("lot/%05d", i/2), Kind: store.AuditDecision, At: auditedAt, What: "x"})
	}
	a.append(entries...)
	require.Equal(t, auditPage+2, strings.Count(a.says("list", "--prefix", "lot/"), "\n"), "with the heading")
	require.Equal(t, auditPage+2, strings.Count(a.says("list", "--prefix", "lot/", "--kind", "decision"), "\n"))
	require.Contains(t, a.says("verify", "--all"), fmt.Sprintf("%d entities, %d entries: all chains hold.\n", auditPage+5, 2*auditPage+8))
}

func TestAuditErase(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	require.Equal(t, "the details of 2 entries would be erased (--dry-run)\n", a.says("erase", "--subject", "contact/21", "--dry-run"))
	require.Contains(t, a.says("lease/3", "--details"), "Dear Jane")
	require.Equal(t, "the details of 2 entries were erased\n", a.says("erase", "--subject", "contact/21", "--by", "ann", "--why", "request 118"))
	require.Equal(t, "the details of 0 entries were erased\n", a.says("erase", "--subject", "contact/21", "--by", "ann", "--why", "request 118"))
	require.Contains(t, a.says("verify", "--all"), "4 entities, 9 entries: all chains hold.\n")
	text := a.says("lease/3", "--details")
	require.NotContains(t, text, "Jane")
	require.Contains(t, text, "details: (erased)")
	require.Contains(t, text, "request 118")
	require.Contains(t, a.says("work-order/4711", "--details"), "12 Elm St", "another person's stay")
	require.Equal(t, "the details of 1 entry were erased\n", a.says("erase", "--entity", "work-order/4711", "--by", "ann", "--why", "request 119"))
	require.NotContains(t, a.says("work-order/4711", "--details"), "12 Elm St")
}

func TestAuditReport(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	text := a.says("report", "--month", "2026-11", "--zone", "UTC")
	require.Contains(t, text, "2026-11-01 00:00 UTC until 2026-12-01 00:00 UTC, all portfolios: 7 entries on 4 entities\n")
	require.Contains(t, text, "Event to first effect                  1, median 2s, 95 % within 2s\n")
	require.Contains(t, text, "Question to answer                     1, median 1m, 95 % within 1m\n")
	require.Contains(t, text, "Chains that do not hold                0\n")
	require.Contains(t, a.says("report", "--month", "2026-12"), "0 entries on 0 entities")
	require.Contains(t, a.says("report", "--month", "2026-11", "--format", "csv"), "message,mail,2,,\r\n")

	a.tamper(`UPDATE audit_entries SET what = 'something else' WHERE id = 'note/1'`)
	var out struct{ Broken []string }
	require.NoError(t, json.Unmarshal([]byte(a.says("report", "--month", "2026-11", "--format", "json")), &out))
	require.Equal(t, []string{"work-order/4711"}, out.Broken)
}

func TestAuditReportOfAPortfolio(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	s, err := store.Open(t.Context(), "sqlite:"+a.path)
	require.NoError(t, err)
	require.NoError(t, s.SeePlace(t.Context(), store.Place{PropertyID: "1", PortfolioID: "7", Active: true, Units: []store.PlaceUnit{{UnitID: "5"}}, SeenAt: auditedAt}))
	_, err = s.SeeTenancy(t.Context(), store.Tenancy{LeaseID: "3", PropertyID: "1", PortfolioID: "8", Status: "active", SeenAt: auditedAt})
	require.NoError(t, err)
	require.NoError(t, s.ReplaceOpenRequests(t.Context(), []store.OpenRequest{{WorkOrderID: "4711", PropertyID: "1", PortfolioID: "7", OpenedAt: auditedAt}}))
	require.NoError(t, s.Close())
	require.Contains(t, a.says("report", "--month", "2026-11", "--portfolio", "7"), "portfolio 7: 5 entries on 2 entities", "the order and its bidding")
	require.Contains(t, a.says("report", "--month", "2026-11", "--portfolio", "8"), "portfolio 8: 1 entry on 1 entity")
}

func TestAuditPortfolio_has(t *testing.T) {
	t.Parallel()
	p := auditPortfolio{"property/1": true, "unit/5": true, "lease/3": true, "work-order/9": true, "portfolio/7": true, "charge/12": true}
	for _, in := range []string{
		"property/1", "compliance/1/gas", "vacancy/5", "pricing/5", "lease/3", "renewal/3/2027-01-31", "move-in/3", "retention/3/1",
		"work-order/9", "bidding/9/1", "finance-summary/7", "charge/12",
	} {
		require.True(t, p.has(in), in)
	}
	for _, out := range []string{"property", "", "property/11", "vacancy/1", "lease/1", "sale/1", "charge/1", "portfolio"} {
		require.False(t, p.has(out), out)
	}
}
