package sandbox

import (
	"bytes"
	"fmt"
	"net/http"

	"go.uber.org/zap"

	"github.com/aictive/keyholder/sandbox/page"
	"github.com/aictive/keyholder/sandbox/quickbooks"
)

// shownPostings bounds the journal on the page of the books.
const shownPostings = 200

// getBooks tells what is booked at the partner that keeps books.
func (s *Sandbox) getBooks(w http.ResponseWriter, r *http.Request) {
	if partner := r.URL.Query().Get("partner"); partner != "" && partner != QuickBooks {
		refused(w, http.StatusNotFound, fmt.Errorf("books are kept by %s alone", QuickBooks))
		return
	}
	respond(w, http.StatusOK, s.quickbooks.Books())
}

// books is the page of the trial balance and the journal, of one account where the query
// names it.
func (p *peoplesPage) books(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	if err := p.page.Books(&b, p.sandbox.booksView(r.URL.Query().Get("account"))); err != nil {
		p.sandbox.log.Error("the page of the books cannot be drawn", zap.Error(err))
		http.Error(w, "the page cannot be drawn", http.StatusInternalServerError)
		return
	}
	sendPage(w, b.Bytes())
}

func (s *Sandbox) booksView(account string) page.Books {
	books := s.quickbooks.Books()
	v := page.Books{
		Balanced: books.Balanced, Debits: cents(books.Debits), Credits: cents(books.Credits), Entries: books.Entries, Duplicates: books.Duplicates,
	}
	for _, a := range books.Accounts {
		if a.ID == account {
			v.Account = a.Name
		}
		v.Accounts = append(v.Accounts, page.BookAccount{
			ID: a.ID, Name: a.Name, Type: a.Type, Inactive: !a.Active, Here: a.ID == account, Lines: a.Lines,
			Debits: cents(a.Debits), Credits: cents(a.Credits), Saldo: cents(max(a.Balance, -a.Balance)), Owes: a.Balance < 0,
		})
	}
	if account != "" && v.Account == "" {
		account = "" // there is none
	}
	for _, p := range s.quickbooks.Postings(account, shownPostings) {
		shown := page.Posting{ID: p.ID, Kind: p.Kind, Number: p.Number, Day: p.Day, Note: p.Note}
		for _, l := range p.Lines {
			shown.Lines = append(shown.Lines, page.PostingLine{Account: l.Account, Debit: cents(l.Debit), Credit: cents(l.Credit)})
		}
		v.Postings = append(v.Postings, shown)
	}
	return v
}

// cents is an amount as people write it, "" for 0.
func cents(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%02d", n/100, n%100)
}

// Books is what is booked at QuickBooks.
func (s *Sandbox) Books() quickbooks.Books { return s.quickbooks.Books() }
