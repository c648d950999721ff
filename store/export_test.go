package store

// SetClock makes the ledger of calls read an SQL expression as its clock.
func SetClock(s Store, expression string) { s.(*database).clock = expression }
