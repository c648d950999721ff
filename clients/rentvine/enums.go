package rentvine

import "strconv"

// PrimaryWorkOrderStatus is the fixed group of an account's own status
// (contracts/rentvine.md 6.4; 5 was seen live, the rest is documented).
type PrimaryWorkOrderStatus int

// The groups.
const (
	StatusPending   PrimaryWorkOrderStatus = 1
	StatusOpen      PrimaryWorkOrderStatus = 2
	StatusClosed    PrimaryWorkOrderStatus = 3
	StatusOnHold    PrimaryWorkOrderStatus = 4
	StatusCancelled PrimaryWorkOrderStatus = 5
)

// Ended tells whether nothing more is expected of the work order.
func (s PrimaryWorkOrderStatus) Ended() bool { return s == StatusClosed || s == StatusCancelled }

// String is the group's name, or its number where it is not known.
func (s PrimaryWorkOrderStatus) String() string {
	switch s {
	case StatusPending:
		return "Pending"
	case StatusOpen:
		return "Open"
	case StatusClosed:
		return "Closed"
	case StatusOnHold:
		return "On Hold"
	case StatusCancelled:
		return "Cancelled"
	default:
		return strconv.Itoa(int(s))
	}
}

// Priority of a work order (contracts/rentvine.md 6.4). "Emergency" is not one of
// them: triage decides that.
type Priority int

// The priorities.
const (
	PriorityLow    Priority = 1
	PriorityMedium Priority = 2
	PriorityHigh   Priority = 3
)

// SourceType is how a work order came in (contracts/rentvine.md 2.7).
type SourceType int

// The sources.
const (
	SourcePortal      SourceType = 1
	SourceInPerson    SourceType = 2
	SourceEmail       SourceType = 3
	SourceTextMessage SourceType = 4
	SourcePhone       SourceType = 5
	SourceRecurring   SourceType = 6
)

// PrimaryLeaseStatus is the fixed group of a lease's status (contracts/rentvine.md 6.4).
type PrimaryLeaseStatus int

// The groups.
const (
	LeasePending PrimaryLeaseStatus = 1
	LeaseActive  PrimaryLeaseStatus = 2
	LeaseClosed  PrimaryLeaseStatus = 3
)

// ContactType says what a contact is (contracts/rentvine.md 2.4).
type ContactType int

// The contact types.
const (
	ContactOwner       ContactType = 1
	ContactTenant      ContactType = 2
	ContactVendor      ContactType = 3
	ContactManager     ContactType = 4
	ContactAssociation ContactType = 5
	ContactApplicant   ContactType = 6
)

// ObjectType says what a file belongs to (contracts/rentvine.md 2.11; those that
// this project uses).
type ObjectType int

// The object types.
const (
	ObjectContact    ObjectType = 3
	ObjectLease      ObjectType = 4
	ObjectBill       ObjectType = 5
	ObjectProperty   ObjectType = 6
	ObjectUnit       ObjectType = 7
	ObjectPortfolio  ObjectType = 11
	ObjectWorkOrder  ObjectType = 16
	ObjectInspection ObjectType = 17
	ObjectVendorBill ObjectType = 33
)
