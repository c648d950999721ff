package store

import (
	"context"
	"time"
)

// A KnownRecord is a record of a partner as its workflow last knew it: the values of the
// fields that we follow. A value that may be personal is kept as a keyed hash.
type KnownRecord struct {
	// Record is such as "work-order/4711": the id of its workflow, after the source where
	// that is not RentVine.
	Record string
	Fields map[string]string
	// At is when the reading began that saw it last or, for KnowFields, when fields were
	// written (real time).
	At time.Time
	// Written are the fields that we have written since it was read, and when.
	Written map[string]time.Time
	// Listed marks what a list has last shown of it, "" where nobody has looked since the
	// fields changed. Moves counts what was told of it. Know takes a mark, and no count.
	Listed string
	Moves  int
	// LeftOut tells that KnownRecords leaves it out.
	LeftOut bool
}

// Known is what is known of partners' records, for whoever compares.
type Known interface {
	// Know keeps records as they were read in place of what was known; an earlier At changes
	// nothing, and fields that were written later keep their values. An error may leave some
	// unkept: keeping all again is harmless.
	Know(ctx context.Context, records ...KnownRecord) error
	// KnowFields changes the fields named alone, which we wrote ourselves. Where nothing is
	// known of the record it does nothing.
	KnowFields(ctx context.Context, k KnownRecord) error
	// KnownRecord returns one, or ErrNotFound; KnownOf returns those of these names that are
	// known, by name; KnownRecords lists those of a kind, the name up to its first slash,
	// after one, at most most, without those that are left out.
	KnownRecord(ctx context.Context, record string) (KnownRecord, error)
	KnownOf(ctx context.Context, records []string) (map[string]KnownRecord, error)
	KnownRecords(ctx context.Context, kind, after string, most int) ([]KnownRecord, error)
	// ListedAs keeps the mark of what a list shows of a record, and counts a move where it was
	// told. Where nothing is known of the record it does nothing.
	ListedAs(ctx context.Context, record, mark string, told bool) error
	// LeaveOut leaves a record, as it is known, out of KnownRecords until it is known anew.
	LeaveOut(ctx context.Context, k KnownRecord) error
}
