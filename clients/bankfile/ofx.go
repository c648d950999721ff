package bankfile

import (
	"math/big"
	"regexp"
	"strings"
	"time"

	"github.com/aclindsa/ofxgo"
)

// isOFX tells OFX of either form by its header.
func isOFX(text string) bool {
	head := strings.ToUpper(text[:min(len(text), 1024)])
	return strings.Contains(head, "OFXHEADER") || strings.Contains(head, "<OFX>")
}

var (
	transactionTag = regexp.MustCompile(`(?i)<STMTTRN>`)
	amountTag      = regexp.MustCompile(`(?i)<(?:[A-Z0-9]*AMT|[A-Z]*RATE|VALUE)>\s*([^<\r\n]*)`)
	plainNumber    = regexp.MustCompile(`^[+-]?[0-9]{0,15}[.,]?[0-9]{0,8}\s*$`)
)

func readOFX(text string, o Options, p *problems) Statement {
	text = strings.TrimSpace(text)
	if crowded(text) {
		p.add(0, "it has more elements than one statement: export one bank account alone")
		return Statement{}
	}
	// The library takes numbers of any length and exponent.
	lines := lineCounter{text: text}
	for _, found := range amountTag.FindAllStringSubmatchIndex(text, -1) {
		if !plainNumber.MatchString(text[found[2]:found[3]]) {
			p.add(lines.at(found[0]), "it is no amount such as 1234.50")
		}
	}
	starts := transactionTag.FindAllStringIndex(text, MaxLines+1)
	if len(starts) > MaxLines {
		p.add(0, "it has more than %d movements: export a shorter time", MaxLines)
	}
	if strings.Count(strings.ToUpper(text), "<TRNAMT>") != len(starts) {
		p.add(0, "there are movements without an amount in it")
	}
	if len(p.list) > 0 {
		return Statement{}
	}
	response, err := ofxgo.DecodeResponse(strings.NewReader(text))
	if err != nil {
		p.add(0, "it cannot be read as OFX: download it again, or as CSV")
		return Statement{}
	}
	if len(response.Bank) != 1 || len(response.CreditCard)+len(response.InvStmt) > 0 {
		p.add(0, "it has %d statements of bank accounts, and %d others: export one bank account alone",
			len(response.Bank), len(response.CreditCard)+len(response.InvStmt))
		return Statement{}
	}
	statement, ok := response.Bank[0].(*ofxgo.StatementResponse)
	if !ok || statement.BankTranList == nil {
		p.add(0, "there are no movements in it")
		return Statement{}
	}
	lines = lineCounter{text: text}
	at := make([]int, len(starts))
	for i, start := range starts {
		at[i] = lines.at(start[0])
	}
	return statementOf(statement, at, o, p)
}

// lineCounter tells the numbers of lines, of places that only move on.
type lineCounter struct {
	text        string
	place, line int
}

func (c *lineCounter) at(place int) int {
	c.line += strings.Count(c.text[c.place:place], "\n")
	c.place = place
	return c.line + 1
}

// maxElements is how many tags there may be before, between and after movements. It
// bounds how deep they can be nested, which the library does not.
const maxElements = 1000

func crowded(text string) bool {
	for part := range strings.SplitSeq(strings.ToUpper(text), "</STMTTRN>") {
		if strings.Count(part, "<") > maxElements {
			return true
		}
	}
	return false
}

func statementOf(r *ofxgo.StatementResponse, at []int, o Options, p *problems) Statement {
	s := Statement{Account: o.Account}
	if s.Account == "" {
		s.Account = mask(string(r.BankAcctFrom.AcctID))
	}
	if currency := r.CurDef.String(); currency != o.Currency {
		p.add(0, "it is in another currency than %s", o.Currency)
	}
	seen := map[string]bool{}
	sum := int64(0)
	for i, t := range r.BankTranList.Transactions {
		line := 0
		if len(at) == len(r.BankTranList.Transactions) {
			line = at[i]
		}
		l := movement(t, line, o, p)
		if l.ID != "" && seen[l.ID] {
			p.add(line, "its FITID is that of a movement before: download it again, or as CSV")
		}
		seen[l.ID] = true
		sum += l.Amount
		if l.Amount != 0 {
			s.Lines = append(s.Lines, l)
		}
	}
	giveIDs(s.Lines)
	s.From, s.To = dayOf(r.BankTranList.DtStart), dayOf(r.BankTranList.DtEnd)
	if first, last := span(s.Lines); first != "" {
		// Some banks leave the days out, or write others than they mean.
		if s.From == "" || first < s.From {
			s.From = first
		}
		s.To = max(s.To, last)
	}
	if s.From == "" || s.To < s.From {
		p.add(0, "it does not say from when to when it is")
	}
	// A balance of a later day may know of movements that are not in the file.
	if day := dayOf(r.DtAsOf); day != "" && day <= s.To {
		closing, ok := cents(&r.BalAmt.Rat)
		if !ok {
			p.add(0, "its balance has more than two decimals")
		}
		s.Opening, s.Closing, s.Balances = closing-sum, closing, true
	}
	return s
}

func movement(t ofxgo.Transaction, line int, o Options, p *problems) Line {
	l := Line{ID: clean(string(t.FiTID)), Day: dayOf(t.DtPosted), Reference: clean(string(t.CheckNum), string(t.RefNum))}
	name := string(t.Name)
	if t.Payee != nil {
		name = string(t.Payee.Name)
	}
	l.Text = clean(name, string(t.ExtdName), string(t.Memo))
	amount, ok := cents(&t.TrnAmt.Rat)
	l.Amount = amount
	switch {
	case !ok:
		p.add(line, "its amount has more than two decimals")
	case l.Day == "":
		p.add(line, "it has no day")
	case t.CorrectFiTID != "":
		p.add(line, "it corrects an earlier movement, which is not supported: export CSV")
	case t.Currency != nil && t.Currency.CurSym.String() != o.Currency:
		p.add(line, "it is in another currency than %s", o.Currency)
	}
	return l
}

// dayOf is the day as the bank wrote it, in its own zone; "" for none.
func dayOf(d ofxgo.Date) string {
	if d.IsZero() || d.Year() < 1970 {
		return ""
	}
	return d.Format(time.DateOnly)
}

// cents is false where there are fractions of them.
func cents(r *big.Rat) (int64, bool) {
	c := new(big.Rat).Mul(r, big.NewRat(100, 1))
	return c.Num().Int64(), c.IsInt() && c.Num().IsInt64()
}
