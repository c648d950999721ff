package policy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConflictRules(t *testing.T) {
	t.Parallel()
	p, err := parse("test", embedded)
	require.NoError(t, err)
	require.Len(t, p.Sync().Conflicts, len(conflictFields()), "the built-in policy names every field")
	for field, built := range conflictFields() {
		require.Equal(t, built.rule, p.ConflictRule(field), field)
		require.Equal(t, built.rule, (&Policy{}).ConflictRule(field), "%s, which a policy need not name", field)
		require.NotContains(t, built.cannot, built.rule)
	}
	p.Sync().Conflicts["unit_rent"] = ConflictOurs
	require.Equal(t, ConflictPerson, p.ConflictRule(FieldUnitRent), "the result shares nothing with the policy")

	alone := strings.Replace(string(embedded), "  sync:\n", "  sync: {conflicts: {work_order_worker: ours}}\n  ignored:\n", 1)
	alone = alone[:strings.Index(alone, "  ignored:\n")] + alone[strings.Index(alone, "  portfolio:\n    currency"):]
	p, err = parse("test", []byte(alone))
	require.NoError(t, err, "rules need no comparison")
	require.False(t, p.Sync().On())
	require.Equal(t, ConflictOurs, p.ConflictRule(FieldWorkOrderWorker))
	_, err = parse("test", []byte(strings.Replace(alone, "work_order_worker: ours}", "work_order_worker: ours}, every: 15m", 1)))
	require.ErrorContains(t, err, "sync.time_zone must be given", "a part of the rest needs all of it")
	_, err = parse("test", []byte(strings.Replace(alone, "work_order_worker: ours", "work_order_worker: person", 1)))
	require.ErrorContains(t, err, "work_order_worker cannot be person")

	for to, want := range map[string]string{
		"      unit_rent: ours":           "",
		"      unit_rent: theirs":         "company.sync.conflicts.unit_rent must be partner, ours, newest or person",
		"      unit_rent: newest":         "company.sync.conflicts.unit_rent cannot be newest: RentVine does not say when it was changed",
		"      unit_deposit: ours":        "company.sync.conflicts.unit_deposit is not a known field; known are lease_end, lease_rent, unit_rent, work_order_schedule, work_order_status, work_order_worker",
		"      work_order_status: person": "",
		"      work_order_status: newest": "",
	} {
		text := strings.Replace(string(embedded), "      unit_rent: person", to, 1)
		if strings.Contains(to, "work_order_status") {
			text = strings.Replace(string(embedded), "      work_order_status: partner", to, 1)
			want = "company.sync.conflicts.work_order_status cannot be person: nobody waits for an answer about a work order, which goes on meanwhile"
			if strings.HasSuffix(to, "newest") {
				want = "company.sync.conflicts.work_order_status cannot be newest: RentVine does not say when it was changed"
			}
		}
		p, err := parse("test", []byte(text))
		if want == "" {
			require.NoError(t, err)
			require.Equal(t, ConflictOurs, p.ConflictRule(FieldUnitRent))
			continue
		}
		require.ErrorContains(t, err, want)
	}
}
