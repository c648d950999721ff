package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func TestAuditVerify(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	head := a.heads()["work-order/4711"]
	require.Equal(t, "work-order/4711: all 4 entries hold, head "+head.Hash+"\n", a.says("verify", "work-order/4711"))
	require.Regexp(t, `^4 entities, 7 entries: all chains hold\.\nanchor [0-9a-f]{64} of 4 heads at 20\S+Z\n$`, a.says("verify", "--all"))
	require.ErrorContains(t, a.run("audit", "verify", "lease/9").failed, "the audit has nothing of lease/9")

	a.tamper(`UPDATE audit_entries SET what = 'no emergency' WHERE id = 'answer/1'`)
	s := a.run("audit", "verify", "work-order/4711")
	require.EqualError(t, s.failed, "the audit does not hold: 1 fault in 1 entity")
	require.Equal(t, "work-order/4711: entry 3: it was changed\n", s.out.String())
	anchors := filepath.Join(a.dir, "anchors")
	s = a.run("audit", "verify", "--all", "--anchor", anchors)
	require.EqualError(t, s.failed, "the audit does not hold: 1 fault in 4 entities")
	require.NoFileExists(t, anchors, "what does not hold is not anchored")
	left, err := filepath.Glob(filepath.Join(a.dir, ".anchor-*"))
	require.NoError(t, err)
	require.Empty(t, left)
	require.NotErrorAs(t, s.failed, new(usageError), "it exits 1")

	require.Contains(t, a.says("work-order/4711"), "does NOT hold: 1 fault, the first at entry 3: it was changed.")
}

// A head that is gone hides its entity from every list but this.
func TestAuditVerify_findsEntriesWithoutAHead(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	a.tamper(`DELETE FROM audit_heads WHERE entity IN ('lease/3', 'work-order/4712')`)
	s := a.run("audit", "verify", "--all")
	require.EqualError(t, s.failed, "the audit does not hold: 2 faults in 4 entities")
	require.Contains(t, s.out.String(), "lease/3: entry 1: ")
	require.Contains(t, s.out.String(), "work-order/4712: entry 1: ")
	require.Error(t, a.run("audit", "verify", "lease/3").failed)
	require.Contains(t, a.says("lease/3"), "does NOT hold")
}

func TestAuditAnchor(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	anchors := filepath.Join(a.dir, "anchors")
	first := a.says("verify", "--all", "--anchor", anchors)
	content, err := os.ReadFile(anchors)
	require.NoError(t, err)
	sum := regexp.MustCompile(`anchor ([0-9a-f]{64})`).FindStringSubmatch(first)[1]
	require.True(t, strings.HasPrefix(string(content), `{"anchor":"`+sum+`","at":"20`), "what is printed is what is kept")
	require.Equal(t, 5, strings.Count(string(content), "\n"))
	require.NotContains(t, string(content), "Elm")

	// Chains go on, and are anchored again.
	a.append(store.AuditEntry{ID: "ended/1", Entity: "work-order/4711", Kind: store.AuditEnded, At: auditedAt, What: "completed"},
		store.AuditEntry{ID: "note/9", Entity: "sale/1", Kind: store.AuditDecision, At: auditedAt, What: "new"})
	require.Contains(t, a.says("verify", "--all", "--against", anchors, "--anchor", anchors), anchors+": 4 heads compared, of 1 anchor\n")
	require.Contains(t, a.says("verify", "--all", "--against", anchors), anchors+": 9 heads compared, of 2 anchors\n")
	// Erasing changes nothing that is anchored.
	a.says("erase", "--subject", "contact/21", "--by", "ann", "--why", "asked")
	a.says("verify", "--all", "--against", anchors)
}

// Whoever cuts the tail and moves the head has a chain that holds; the anchor knows better.
func TestAuditAnchor_findsWhatIsCut(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	anchors := filepath.Join(a.dir, "anchors")
	a.says("verify", "--all", "--anchor", anchors)
	a.tamper(`DELETE FROM audit_entries WHERE id = 'note/1'`,
		`UPDATE audit_heads SET seq = 3, hash = (SELECT hash FROM audit_entries WHERE id = 'answer/1') WHERE entity = 'work-order/4711'`,
		`DELETE FROM audit_entries WHERE entity = 'lease/3'`, `DELETE FROM audit_heads WHERE entity = 'lease/3'`)
	require.Contains(t, a.says("verify", "--all"), "3 entities, 5 entries: all chains hold.")
	s := a.run("audit", "verify", "--all", "--against", anchors)
	require.EqualError(t, s.failed, "the audit does not hold: 2 faults in 3 entities")
	require.Contains(t, s.out.String(), "work-order/4711: entry 4: it is gone; the anchor of 20")
	require.Contains(t, s.out.String(), "lease/3: entry 1: it is gone; the anchor of 20")

	// Something else in its place does not help.
	a.append(store.AuditEntry{ID: "note/x", Entity: "work-order/4711", Kind: store.AuditDecision, At: auditedAt, What: "nothing happened"})
	s = a.run("audit", "verify", "--all", "--against", anchors)
	require.Contains(t, s.out.String(), "work-order/4711: entry 4: the anchor of 20")
	require.Contains(t, s.out.String(), "has another hash")
}

func TestAuditAnchor_mustBeWhole(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	anchors := filepath.Join(a.dir, "anchors")
	a.says("verify", "--all", "--anchor", anchors)
	content, err := os.ReadFile(anchors)
	require.NoError(t, err)
	whole := string(content)
	lines := strings.SplitAfter(whole, "\n")
	for name, text := range map[string]string{
		"cut":     strings.Join(lines[:3], ""),
		"changed": strings.Replace(whole, "lease/3", "lease/4", 1),
		"fewer":   strings.Replace(whole, `"heads":4`, `"heads":3`, 1),
		"no head": lines[0] + "{}\n" + strings.Join(lines[2:], ""),
		"begins":  strings.Join(lines[1:], ""),
	} {
		s := a.run("audit", "verify", "--all", "--against", a.file(name, text))
		require.ErrorContains(t, s.failed, "the file was changed or cut, and proves nothing", name)
	}
	require.ErrorContains(t, a.run("audit", "verify", "--all", "--against", a.file("empty", "")).failed, "has no anchors")
	require.ErrorAs(t, a.run("audit", "verify", "--all", "--anchor", filepath.Join(a.dir, "none", "anchors")).failed, new(usageError))
}
