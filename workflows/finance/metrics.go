package finance

import "github.com/aictive/keyholder/workflows/durable"

// transactionsEnded counts transactions that have been settled.
var transactionsEnded = durable.Counter{Metric: durable.Metric{
	Name: "keyholder_transactions_total", Help: "Transactions of RentVine that need no more work, by outcome: booked, voided, nothing_to_book, no_books, not_found and so on. One that changes later counts again.", Labels: []string{"outcome"},
}}

// Metrics are those of this package.
func Metrics() []durable.Metric { return []durable.Metric{transactionsEnded.Metric} }
