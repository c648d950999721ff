package books

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

const (
	opening = 25_000_00
	bankFee = 15_00
	// batches is how many in a hundred payments begin a deposit of several.
	batches = 10
)

// Statement is the bank's, from the first day to the last.
type Statement struct {
	Account, From, To string
	Lines             []Line
	// Opening and Closing are balances in cents; Closing is Opening and all lines.
	Opening, Closing int64
}

// Line is one of a statement. Amount is negative for what leaves.
type Line struct {
	// ID is the FITID, Day is YYYY-MM-DD.
	ID, Day         string
	Amount          int64
	Text, Reference string
	// Balance is that after the line.
	Balance int64
}

// bank makes the statement: a line for each payment up to three days later, or for two
// to four of a day together, and the bank's fee each month.
func (m *maker) bank() {
	st := Statement{Account: "9876543210", From: day(m.from), To: day(m.to), Opening: opening, Closing: opening}
	var payments []Transaction
	for _, t := range m.Transactions {
		if t.Kind == Payment {
			payments = append(payments, t)
		}
	}
	of := map[string]Planted{} // what a line tells, by its first payment's reference or its day
	var lines []Line
	for i := 0; i < len(payments); {
		n := 1
		if between(m.rng, 1, 100) <= batches {
			n = int(between(m.rng, 2, 4))
		}
		group := payments[i : i+1]
		for len(group) < n && i+len(group) < len(payments) && payments[i+len(group)].Day == group[0].Day {
			group = payments[i : i+len(group)+1]
		}
		i += len(group)
		lines = m.deposit(lines, group, of)
	}
	for _, first := range m.firsts {
		if last := first.AddDate(0, 1, -1); !last.After(m.to) {
			line := Line{Day: day(last), Amount: -bankFee, Text: "MONTHLY SERVICE FEE"}
			of[line.key()] = Planted{Kind: BankFee, Amount: line.Amount}
			lines = append(lines, line)
		}
	}
	slices.SortStableFunc(lines, func(a, b Line) int { return strings.Compare(a.Day, b.Day) })
	for i := range lines {
		l := &lines[i]
		st.Closing += l.Amount
		told, known := of[l.key()]
		l.ID, l.Balance = fmt.Sprintf("F%06d", i+1), st.Closing
		if known {
			told.Line = l.ID
			m.Planted = append(m.Planted, told)
		}
	}
	st.Lines = lines
	m.Statement = st
}

// key tells lines apart that something is to be said of.
func (l Line) key() string { return l.Day + " " + l.Text + " " + l.Reference }

// deposit adds the line of some payments of a day, or tells that the bank has none yet.
func (m *maker) deposit(lines []Line, group []Transaction, of map[string]Planted) []Line {
	posted, err := time.Parse(time.DateOnly, group[0].Day)
	if err != nil {
		return lines // cannot be: it was made by day
	}
	line := Line{Day: day(posted.AddDate(0, 0, int(between(m.rng, 0, 3)))), Text: "ACH CREDIT RENT", Reference: group[0].Reference}
	told := Planted{Kind: Batch}
	for _, p := range group {
		line.Amount += p.Amount
		told.Transactions = append(told.Transactions, p.ID)
	}
	told.Amount = line.Amount
	switch {
	case line.Day > day(m.to):
		told.Kind = Pending
		m.Planted = append(m.Planted, told)
		return lines
	case len(group) > 1:
		line.Text, line.Reference = fmt.Sprintf("DEPOSIT %d ITEMS", len(group)), "DEP-"+group[0].ID
		of[line.key()] = told
	case between(m.rng, 1, 4) == 1:
		line.Reference = ""
	}
	return append(lines, line)
}

// CSV writes the statement with the headings date, amount, description, reference and
// balance.
func (s Statement) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"date", "amount", "description", "reference", "balance"})
	for _, l := range s.Lines {
		_ = out.Write([]string{l.Day, amountOf(l.Amount), l.Text, l.Reference, amountOf(l.Balance)})
	}
	out.Flush()
	return out.Error()
}

// OFX writes the statement in the form of OFX 1.02, as most banks do.
func (s Statement) OFX(w io.Writer) error {
	compact := func(day string) string { return strings.ReplaceAll(day, "-", "") + "120000" }
	var b strings.Builder
	b.WriteString("OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:USASCII\nCHARSET:1252\nCOMPRESSION:NONE\n" +
		"OLDFILEUID:NONE\nNEWFILEUID:NONE\n\n<OFX>\n")
	fmt.Fprintf(&b, "<SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS><DTSERVER>%s<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1>\n", compact(s.To))
	fmt.Fprintf(&b, "<BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS><STMTRS><CURDEF>USD\n"+
		"<BANKACCTFROM><BANKID>121000358<ACCTID>%s<ACCTTYPE>CHECKING</BANKACCTFROM>\n<BANKTRANLIST><DTSTART>%s<DTEND>%s\n",
		s.Account, compact(s.From), compact(s.To))
	for _, l := range s.Lines {
		kind := "CREDIT"
		if l.Amount < 0 {
			kind = "SRVCHG"
		}
		fmt.Fprintf(&b, "<STMTTRN><TRNTYPE>%s<DTPOSTED>%s<TRNAMT>%s<FITID>%s", kind, compact(l.Day), amountOf(l.Amount), l.ID)
		if l.Reference != "" {
			fmt.Fprintf(&b, "<REFNUM>%s", l.Reference)
		}
		fmt.Fprintf(&b, "<NAME>%s</STMTTRN>\n", l.Text)
	}
	fmt.Fprintf(&b, "</BANKTRANLIST>\n<LEDGERBAL><BALAMT>%s<DTASOF>%s</LEDGERBAL>\n</STMTRS></STMTTRNRS></BANKMSGSRSV1>\n</OFX>\n",
		amountOf(s.Closing), compact(s.To))
	_, err := io.WriteString(w, b.String())
	return err
}

// Counts are how many of each there are, for people.
func (b Books) Counts() map[string]int {
	counts := map[string]int{
		"portfolios": len(b.Portfolios), "properties": len(b.Properties), "leases": len(b.Leases), "transactions": len(b.Transactions),
		"events": len(b.Events), "bank_lines": len(b.Statement.Lines),
	}
	for _, t := range b.Transactions {
		counts[t.Kind+"s"]++
	}
	return counts
}

// Dollars is an amount as the sandbox writes it: "1850.50".
func Dollars(cents int64) string { return amountOf(cents) }
