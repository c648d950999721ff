package policy

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

// ConflictRule decides what holds where somebody has changed a field at a partner that we
// were about to write.
type ConflictRule string

// The rules.
const (
	// ConflictPartner: what the partner holds stays.
	ConflictPartner ConflictRule = "partner"
	// ConflictOurs: ours is written.
	ConflictOurs ConflictRule = "ours"
	// ConflictNewest: the later of both. A change whose time the partner does not say is
	// taken for the later one, since we knew the record without it.
	ConflictNewest ConflictRule = "newest"
	// ConflictPerson: nothing is written until the manager has decided.
	ConflictPerson ConflictRule = "person"
)

// UnmarshalText reads a rule.
func (r *ConflictRule) UnmarshalText(text []byte) error {
	switch given := ConflictRule(strings.TrimSpace(string(text))); given {
	case ConflictPartner, ConflictOurs, ConflictNewest, ConflictPerson:
		*r = given
		return nil
	}
	return errors.New("must be partner, ours, newest or person")
}

// ConflictField is what both we and people at the partner write, under its key in
// "sync.conflicts".
type ConflictField string

// The fields. The schedule is the scheduled days and the appointment's window; the worker
// is the assigned user and the vendor, who are one decision.
const (
	FieldWorkOrderStatus   ConflictField = "work_order_status"
	FieldWorkOrderWorker   ConflictField = "work_order_worker"
	FieldWorkOrderSchedule ConflictField = "work_order_schedule"
	FieldUnitRent          ConflictField = "unit_rent"
	FieldLeaseEnd          ConflictField = "lease_end"
	FieldLeaseRent         ConflictField = "lease_rent"
)

// conflictField is what is built in for a field: its rule, and those that cannot be
// carried out there, with why.
type conflictField struct {
	rule   ConflictRule
	cannot map[ConflictRule]string
}

// conflictFields are all fields.
func conflictFields() map[ConflictField]conflictField {
	noTime := map[ConflictRule]string{
		ConflictNewest: "cannot be newest: RentVine does not say when it was changed",
	}
	nobodyAsked := map[ConflictRule]string{
		ConflictNewest: noTime[ConflictNewest],
		ConflictPerson: "cannot be person: nobody waits for an answer about a work order, which goes on meanwhile",
	}
	return map[ConflictField]conflictField{
		FieldWorkOrderStatus:   {ConflictPartner, nobodyAsked},
		FieldWorkOrderWorker:   {ConflictPartner, nobodyAsked},
		FieldWorkOrderSchedule: {ConflictPartner, nobodyAsked},
		FieldUnitRent:          {ConflictPerson, noTime},
		FieldLeaseEnd:          {ConflictPerson, nil},
		FieldLeaseRent:         {ConflictPerson, noTime},
	}
}

// conflictRule is the rule of a field: the policy's, else the built-in one.
func conflictRule(given map[string]ConflictRule, field ConflictField) ConflictRule {
	if rule, ok := given[string(field)]; ok {
		return rule
	}
	return conflictFields()[field].rule
}

// ConflictRule is what holds for a field: the policy's rule, else the built-in one.
func (p *Policy) ConflictRule(field ConflictField) ConflictRule {
	return conflictRule(p.company.Sync.Conflicts, field)
}

// ConflictRule is what holds for a field now; see Policy.ConflictRule.
func (f *File) ConflictRule(field ConflictField) ConflictRule { return f.Current().ConflictRule(field) }

// conflicts checks the rules of conflicts.
func (c *checker) conflicts(given map[string]ConflictRule, path string) {
	known := conflictFields()
	for _, key := range slices.Sorted(maps.Keys(given)) {
		at := join(path, key)
		field, ok := known[ConflictField(key)]
		if !ok {
			c.must(false, at, "is not a known field; known are %s", strings.Join(conflictKeys(), ", "))
			continue
		}
		why, cannot := field.cannot[given[key]]
		c.must(!cannot, at, "%s", why)
	}
}

// conflictKeys are the keys of all fields, in order.
func conflictKeys() []string {
	var keys []string
	for f := range conflictFields() {
		keys = append(keys, string(f))
	}
	slices.Sort(keys)
	return keys
}
