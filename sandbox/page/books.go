package page

// Books is what the page of QuickBooks' books shows. Amounts are texts such as "12.50",
// "" for 0.
type Books struct {
	Balanced        bool
	Debits, Credits string
	// Entries counts journal entries, Duplicates those with a number that another one has.
	Entries, Duplicates int
	Accounts            []BookAccount
	// Account is the one whose postings are shown, "" for all.
	Account  string
	Postings []Posting
}

// BookAccount is one row of the trial balance.
type BookAccount struct {
	ID, Name, Type         string
	Inactive, Here         bool
	Lines                  int
	Debits, Credits, Saldo string
	// Owes tells that the credits are more.
	Owes bool
}

// Posting is a document in the journal.
type Posting struct {
	ID, Kind, Number, Day, Note string
	Lines                       []PostingLine
}

// PostingLine is one of its lines.
type PostingLine struct{ Account, Debit, Credit string }
