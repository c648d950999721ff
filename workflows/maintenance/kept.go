package maintenance

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
)

// KeptPart is a part of the work order that was left as somebody has set it at RentVine.
type KeptPart struct {
	Field policy.ConflictField `json:"field"`
	// Decision is ours that was not written: until it is another one, theirs stays.
	Decision string `json:"decision"`
}

// decision is what a wish has decided about a part, "" for nothing: taking back what we
// wrote ourselves decides nothing about theirs, nor does closing the work order.
func decision(wish activities.UpdateWorkOrderInput, field policy.ConflictField) string {
	var values []string
	switch field {
	case policy.FieldWorkOrderWorker:
		values = []string{wish.AssignedUserID, wish.VendorContactID}
	case policy.FieldWorkOrderSchedule:
		values = []string{wish.ScheduledDate, wish.ScheduledEndDate, wish.WindowStart, wish.WindowEnd}
	case policy.FieldWorkOrderStatus:
		if wish.Primary != 0 && !wish.Closes {
			values = append(slices.Clone(wish.StatusNames), strconv.Itoa(wish.Primary))
		}
	case policy.FieldUnitRent, policy.FieldLeaseEnd, policy.FieldLeaseRent:
	}
	if strings.Join(values, "") == "" {
		return ""
	}
	return strings.Join(values, "/")
}

// conflicted notes what others had changed at RentVine when we wrote a wish, and remembers
// what was kept as they have set it.
func (s *State) conflicted(wish activities.UpdateWorkOrderInput, met []activities.Conflict, now time.Time) {
	for _, c := range met {
		s.note(now, c.Text(), "")
		if c.Outcome == activities.ConflictOurs {
			continue
		}
		s.Kept = slices.DeleteFunc(s.Kept, func(k KeptPart) bool { return k.Field == c.Field })
		s.Kept = append(s.Kept, KeptPart{Field: c.Field, Decision: decision(wish, c.Field)})
		if c.Field != policy.FieldWorkOrderStatus && decision(wish, policy.FieldWorkOrderSchedule) != "" {
			s.note(now, "our schedule was not written to RentVine: the manager has to see that both appointments agree", "")
		}
	}
}

// keeps tells whether a part stays as others have set it.
func (s *State) keeps(field policy.ConflictField) bool {
	return slices.ContainsFunc(s.Kept, func(k KeptPart) bool { return k.Field == field })
}

// leaveOut is a wish without the parts that stay as others have set them. A part about
// which we have decided anew since is wished again. Who has given the job to somebody has a
// time in mind: where their worker stays, their schedule stays too.
func (s *State) leaveOut(wish activities.UpdateWorkOrderInput) activities.UpdateWorkOrderInput {
	s.Kept = slices.DeleteFunc(s.Kept, func(k KeptPart) bool {
		now := decision(wish, k.Field)
		return now != "" && now != k.Decision
	})
	worker := s.keeps(policy.FieldWorkOrderWorker)
	if worker {
		wish.AssignedUserID, wish.VendorContactID, wish.ClearAssigned, wish.ClearVendor = "", "", false, false
	}
	if worker || s.keeps(policy.FieldWorkOrderSchedule) {
		wish.ScheduledDate, wish.ScheduledEndDate, wish.WindowStart, wish.WindowEnd, wish.ClearSchedule = "", "", "", "", false
	}
	if s.keeps(policy.FieldWorkOrderStatus) && !wish.Closes {
		wish.StatusNames, wish.Primary = nil, 0
	}
	return wish
}
