// Package durable is a thin typed kit over Temporal's Go SDK. It adds what the
// SDK leaves to habit: names and types that the compiler checks (Definition,
// Signal, Update, Query, Activity), business time that can be scaled (Clock,
// Alarm), deduplication of events (Seen), and an orderly end (Settle).
//
// Workflow functions stay plain named func(workflow.Context, I) (O, error), so
// that every habit, tool and document of the SDK goes on applying.
package durable
