package quickbooks

import (
	"slices"
)

// move is money on one account: a debit above 0, a credit below.
type move struct {
	account string
	amount  money
}

// moves is what a document does to the accounts. Their sum is 0.
func (s *Server) moves(kind string, d *document) []move {
	if d == nil {
		return nil
	}
	var out []move
	receivable := s.accountNamed(AccountReceivable).ID
	for _, l := range d.Lines {
		switch {
		case kind == kindEntry && l.Journal != nil && l.Journal.PostingType == debit:
			out = append(out, move{l.Journal.Account.value(), l.amount()})
		case kind == kindEntry && l.Journal != nil:
			out = append(out, move{l.Journal.Account.value(), -l.amount()})
		case kind == kindInvoice && l.Sales != nil:
			if item := withID(s.items, l.Sales.Item.value()); item != nil {
				out = append(out, move{item.Income.value(), -l.amount()})
			}
		case kind == kindBill && l.Expense != nil:
			out = append(out, move{l.Expense.Account.value(), l.amount()})
		}
	}
	switch kind {
	case kindInvoice:
		out = append(out, move{receivable, d.Total})
	case kindPayment:
		out = append(out, move{d.DepositTo.value(), d.Total}, move{receivable, -d.Total})
	case kindBill:
		out = append(out, move{d.Payables.value(), -d.Total})
	}
	return out
}

// move takes what a document did to the books back and lets the next one do its part;
// nil is none. Afterwards the books balance, or nothing has changed.
func (s *Server) move(kind string, old, next *document) *fault {
	sum := money(0)
	for _, m := range s.moves(kind, next) {
		sum += m.amount
	}
	if sum != 0 {
		return broken("a document's debits are not its credits")
	}
	if f := s.pay(kind, old, next); f != nil {
		return f
	}
	s.book(s.moves(kind, old), -1)
	s.book(s.moves(kind, next), 1)
	if s.trial() != 0 {
		s.OutOfBalance = true
	}
	return nil
}

// book adds moves, or takes them back where sign is -1.
func (d *db) book(moves []move, sign money) {
	for _, m := range moves {
		a := d.account(m.account)
		if a == nil {
			continue // of a damaged snapshot: the trial balance tells
		}
		a.lines += int(sign)
		a.debits += sign * max(m.amount, 0)
		a.credits += sign * max(-m.amount, 0)
	}
}

// trial is the trial balance: 0 where the books add up.
func (d *db) trial() money {
	sum := money(0)
	for _, a := range d.accounts {
		sum += a.balance()
	}
	return sum
}

// pay keeps what is open of the invoices that a payment names.
func (s *Server) pay(kind string, old, next *document) *fault {
	if kind != kindPayment {
		if kind == kindInvoice && next == nil && *old.Balance != old.Total {
			return s.business("The invoice is linked to a payment.")
		}
		return nil
	}
	paid := map[string]money{}
	for sign, d := range map[money]*document{-1: old, 1: next} {
		if d == nil {
			continue
		}
		for _, l := range d.Lines {
			if len(l.Linked) != 1 || l.Linked[0].Type != kindInvoice {
				return s.badReference("Transactions", "Line.LinkedTxn")
			}
			paid[l.Linked[0].ID] += sign * l.amount()
		}
	}
	var changed []*document
	for id, amount := range paid {
		invoice := s.find(kindInvoice, id)
		if invoice == nil || next != nil && invoice.Customer.value() != next.Customer.value() {
			return s.badReference("Transactions", "Line.LinkedTxn")
		}
		open := *invoice.Balance - amount
		if open < 0 {
			return s.business("The payment is more than what is open of the invoice.")
		}
		after := *invoice
		after.Balance = &open
		changed = append(changed, &after)
	}
	for _, invoice := range changed {
		s.replace(kindInvoice, invoice)
	}
	return nil
}

// Books are the company's books. Amounts are cents.
type Books struct {
	// Balanced tells that all debits are all credits, now and after each write before.
	Balanced bool  `json:"balanced"`
	Debits   int64 `json:"debits"`
	Credits  int64 `json:"credits"`
	// Documents counts what is kept by kind; Entries are journal entries.
	Documents map[string]int `json:"documents"`
	Entries   int            `json:"entries"`
	// Duplicates counts documents with a number that another one of their kind had.
	Duplicates int           `json:"duplicates"`
	Accounts   []BookAccount `json:"accounts"`
}

// BookAccount is one account with what was posted to it, in cents.
type BookAccount struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Type    string `json:"type"`
	Active  bool   `json:"active"`
	Debits  int64  `json:"debits"`
	Credits int64  `json:"credits"`
	// Balance is debits less credits, of income and expenses too.
	Balance int64 `json:"balance"`
	// Lines counts the lines on it.
	Lines int `json:"lines"`
}

// Books shows the accounts and whether they add up.
func (s *Server) Books() Books {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Books{Documents: map[string]int{}, Entries: len(s.Documents[kindEntry]), Duplicates: s.Twice}
	for _, kind := range kinds() {
		out.Documents[kind] = len(s.Documents[kind])
	}
	for _, a := range s.accounts {
		out.Accounts = append(out.Accounts, BookAccount{
			ID: a.ID, Name: a.Name, Type: a.Type, Active: a.Active,
			Debits: int64(a.debits), Credits: int64(a.credits), Balance: int64(a.balance()), Lines: a.lines,
		})
		out.Debits, out.Credits = out.Debits+int64(a.debits), out.Credits+int64(a.credits)
	}
	out.Balanced = out.Debits == out.Credits && !s.OutOfBalance
	return out
}

// Account finds one by its name; the zero BookAccount where there is none.
func (b Books) Account(name string) BookAccount {
	if i := slices.IndexFunc(b.Accounts, func(a BookAccount) bool { return a.Name == name }); i >= 0 {
		return b.Accounts[i]
	}
	return BookAccount{}
}

// Posting is a document with its moves, as a person reads it.
type Posting struct {
	ID, Kind, Number, Day, Note string
	Lines                       []PostingLine
}

// PostingLine is one move, in cents; one of Debit and Credit is 0.
type PostingLine struct {
	Account       string
	Debit, Credit int64
}

// Postings lists what changed an account, "" for all, the newest first, at most as many
// as asked for.
func (s *Server) Postings(accountID string, most int) []Posting {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Posting
	for _, kind := range kinds() {
		found := 0
		for _, d := range slices.Backward(s.Documents[kind]) {
			if found == most {
				break
			}
			moves := s.moves(kind, d)
			if len(moves) == 0 || accountID != "" && !slices.ContainsFunc(moves, func(m move) bool { return m.account == accountID }) {
				continue
			}
			found++
			p := Posting{ID: d.ID, Kind: kind, Number: d.number(), Day: d.TxnDate, Note: d.PrivateNote}
			for _, m := range moves {
				p.Lines = append(p.Lines, PostingLine{Account: s.accountName(m.account), Debit: int64(max(m.amount, 0)), Credit: int64(max(-m.amount, 0))})
			}
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b Posting) int { return older(b.ID, a.ID) })
	return out[:min(len(out), most)]
}

func (d *db) accountName(id string) string {
	if a := d.account(id); a != nil {
		return a.Name
	}
	return id
}

// rebuild derives accounts and indexes from the documents.
func (s *Server) rebuild() {
	s.accounts, s.items, s.byID, s.byNumber = chart(), items(), map[[2]string]*document{}, map[[2]string][]string{}
	for _, id := range s.Inactive {
		if a := s.account(id); a != nil {
			a.Active = false
		}
	}
	for _, kind := range kinds() {
		for _, d := range s.Documents[kind] {
			s.index(kind, d)
			s.book(s.moves(kind, d), 1)
		}
	}
	if s.trial() != 0 {
		s.OutOfBalance = true
	}
}
