package quickbooks

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

const (
	maxEntryLines = 100
	// entriesPage is how many entries are asked for at once, entriesMost how many are
	// listed in all.
	entriesPage = 500
	entriesMost = 50_000
)

// The posting types and the kind of a line that moves money.
const (
	postingDebit  = "Debit"
	postingCredit = "Credit"
	detailJournal = "JournalEntryLineDetail"
)

// NewJournalEntry is an entry to post.
type NewJournalEntry struct {
	RequestID string
	// Number is the document's, of at most MaxNumber characters; QuickBooks may let two
	// entries have the same.
	Number string
	// Day is when it counts, YYYY-MM-DD.
	Day string
	// Note is for the company itself; FindJournalEntry knows the entry by it.
	Note string
	// Lines are 2 to 100 whose debits are their credits.
	Lines []JournalLine
}

// JournalLine moves money on one account: one of Debit and Credit is above 0, the other
// one is 0. Accounts of the types Accounts Receivable and Accounts Payable are refused,
// because QuickBooks asks such a line for a customer or vendor.
type JournalLine struct {
	AccountID     string
	Debit, Credit Amount
	Text          string
}

// JournalEntry is an entry as QuickBooks knows it.
type JournalEntry struct {
	ID        string
	SyncToken string
	Number    string
	// Day is YYYY-MM-DD.
	Day  string
	Note string
	// Total is the sum of the debits.
	Total Amount
	Lines []JournalLine
}

type wireEntry struct {
	ID          wire.ID         `json:"Id"`
	SyncToken   wire.Text       `json:"SyncToken"`
	DocNumber   wire.Text       `json:"DocNumber"`
	TxnDate     wire.Text       `json:"TxnDate"`
	PrivateNote wire.Text       `json:"PrivateNote"`
	Line        []wireEntryLine `json:"Line"`
}

type wireEntryLine struct {
	DetailType  wire.Text `json:"DetailType"`
	Amount      Amount    `json:"Amount"`
	Description wire.Text `json:"Description"`
	Detail      struct {
		PostingType wire.Text `json:"PostingType"`
		AccountRef  wireRef   `json:"AccountRef"`
	} `json:"JournalEntryLineDetail"`
}

// entry leaves lines that move nothing, such as notes, out. A TotalAmt is not read:
// QuickBooks shows none of entries, or 0.
func (w wireEntry) entry(op string, kind partner.Kind) (JournalEntry, error) {
	if w.ID == "" {
		return JournalEntry{}, &partner.Error{Op: "quickbooks." + op, Kind: kind, Message: "a journal entry without an id"}
	}
	e := JournalEntry{ID: string(w.ID), SyncToken: string(w.SyncToken), Number: string(w.DocNumber), Day: string(w.TxnDate), Note: string(w.PrivateNote)}
	for _, l := range w.Line {
		if l.DetailType != detailJournal {
			continue
		}
		line := JournalLine{AccountID: string(l.Detail.AccountRef.Value), Text: string(l.Description)}
		switch l.Detail.PostingType {
		case postingDebit:
			line.Debit = l.Amount
			e.Total += l.Amount
		case postingCredit:
			line.Credit = l.Amount
		default:
			return JournalEntry{}, &partner.Error{Op: "quickbooks." + op, Kind: kind, Message: "a line of a journal entry is neither debit nor credit"}
		}
		e.Lines = append(e.Lines, line)
	}
	return e, nil
}

// CreateJournalEntry posts an entry. A repeat with the same RequestID gets the first
// reply again. Errors are *partner.Error: Invalid for one that QuickBooks would not take
// either, NotFound where an account is no longer active, UnknownOutcome also where
// QuickBooks has booked something else than was sent, which a person has to look at.
func (c *Client) CreateJournalEntry(ctx context.Context, e NewJournalEntry) (JournalEntry, error) {
	const op = "create_journal_entry"
	q, err := requestID(op, e.RequestID)
	if err == nil {
		err = e.check(op)
	}
	if err != nil {
		return JournalEntry{}, err
	}
	lines, personal := e.lines()
	body := map[string]any{"DocNumber": e.Number, "TxnDate": e.Day, "PrivateNote": clean(e.Note, maxNote), "Line": lines}
	var reply wireEntry
	err = c.call(ctx, request{
		op: op, method: http.MethodPost, path: "/journalentry", query: q, body: body, key: "JournalEntry", personal: personal,
	}, &reply)
	if err != nil {
		return JournalEntry{}, err
	}
	made, err := reply.entry(op, partner.UnknownOutcome)
	if err == nil && !made.Says(e) {
		err = &partner.Error{
			Op: "quickbooks." + op, Kind: partner.UnknownOutcome, Status: http.StatusOK,
			Message: fmt.Sprintf("entry %s is not what was sent: another day or other lines; compare it in QuickBooks", made.ID),
		}
	}
	if err != nil {
		return JournalEntry{}, err
	}
	return made, nil
}

// Says tells whether the entry moves the same money as one that was sent, on its day.
func (e JournalEntry) Says(sent NewJournalEntry) bool {
	return e.Day == sent.Day && sameMoney(e.Lines, sent.Lines)
}

// check refuses what QuickBooks would refuse.
func (e NewJournalEntry) check(op string) error {
	if err := cmp.Or(documentNumber(op, e.Number), day(op, e.Day)); err != nil {
		return err
	}
	if len(e.Lines) < 2 || len(e.Lines) > maxEntryLines {
		return invalid(op, "a journal entry has 2 to %d lines", maxEntryLines)
	}
	debits, credits := Amount(0), Amount(0)
	for i, l := range e.Lines {
		if err := number(op, l.AccountID); err != nil {
			return err
		}
		if l.Debit < 0 || l.Credit < 0 || (l.Debit > 0) == (l.Credit > 0) || max(l.Debit, l.Credit) > maxAmount {
			return invalid(op, "line %d needs either a debit or a credit, above 0", i+1)
		}
		debits, credits = debits+l.Debit, credits+l.Credit
	}
	if debits != credits {
		return invalid(op, "debits are not credits")
	}
	return nil
}

// lines is what is sent, and the texts that errors must not repeat.
func (e NewJournalEntry) lines() (lines []map[string]any, personal []string) {
	for _, l := range e.Lines {
		posting := postingDebit
		if l.Credit > 0 {
			posting = postingCredit
		}
		line := map[string]any{
			"DetailType": detailJournal, "Amount": max(l.Debit, l.Credit),
			detailJournal: map[string]any{"PostingType": posting, "AccountRef": ref{l.AccountID}},
		}
		if l.Text != "" {
			line["Description"] = clean(l.Text, maxDescription)
			personal = append(personal, l.Text)
		}
		lines = append(lines, line)
	}
	return lines, personal
}

// sameMoney compares lines in any order, but for their texts.
func sameMoney(a, b []JournalLine) bool {
	sorted := func(lines []JournalLine) []JournalLine {
		lines = slices.Clone(lines)
		for i := range lines {
			lines[i].Text = ""
		}
		slices.SortFunc(lines, func(x, y JournalLine) int {
			return cmp.Or(cmp.Compare(x.AccountID, y.AccountID), cmp.Compare(x.Debit, y.Debit), cmp.Compare(x.Credit, y.Credit))
		})
		return lines
	}
	return slices.Equal(sorted(a), sorted(b))
}

// FindJournalEntry finds the entry with a number and a note. Errors are *partner.Error.
func (c *Client) FindJournalEntry(ctx context.Context, number, note string) (JournalEntry, bool, error) {
	const op = "find_journal_entry"
	var reply struct{ JournalEntry []wireEntry }
	if err := c.query(ctx, op, "select * from JournalEntry where DocNumber = "+quoted(number), &reply); err != nil {
		return JournalEntry{}, false, err
	}
	for _, w := range reply.JournalEntry {
		if string(w.PrivateNote) == clean(note, maxNote) {
			e, err := w.entry(op, partner.Malformed)
			return e, err == nil, err
		}
	}
	return JournalEntry{}, false, nil
}

// JournalEntries shows each entry of the days from to to (YYYY-MM-DD, both included), in
// pages, until each returns false. What is posted meanwhile may be missing. Errors are
// *partner.Error; Invalid where there are more than 50,000: ask for fewer days.
func (c *Client) JournalEntries(ctx context.Context, from, to string, each func(JournalEntry) bool) error {
	const op = "list_journal_entries"
	if err := cmp.Or(day(op, from), day(op, to)); err != nil {
		return err
	}
	for start := 1; start <= entriesMost; start += entriesPage {
		var reply struct{ JournalEntry []wireEntry }
		statement := fmt.Sprintf("select * from JournalEntry where TxnDate >= %s and TxnDate <= %s orderby Id startposition %d maxresults %d",
			quoted(from), quoted(to), start, entriesPage)
		if err := c.query(ctx, op, statement, &reply); err != nil {
			return err
		}
		for _, w := range reply.JournalEntry {
			e, err := w.entry(op, partner.Malformed)
			if err != nil {
				return err
			}
			if !each(e) {
				return nil
			}
		}
		if len(reply.JournalEntry) < entriesPage {
			return nil
		}
	}
	return invalid(op, "there are more than %d entries: ask for fewer days", entriesMost)
}
