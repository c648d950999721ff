package bankfile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/bankfile"
)

const sgmlHeader = "OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:102\r\nSECURITY:NONE\r\nENCODING:USASCII\r\nCHARSET:1252\r\nCOMPRESSION:NONE\r\nOLDFILEUID:NONE\r\nNEWFILEUID:NONE\r\n\r\n"

const xmlHeader = `<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>
`

// ofx is a statement of the transactions in either form.
func ofx(xml bool, currency, asOf, transactions string) string {
	text := "<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0\n<SEVERITY>INFO\n</STATUS><DTSERVER>20261105120000[-8:PST]\n<LANGUAGE>ENG\n</SONRS></SIGNONMSGSRSV1>\n" +
		"<BANKMSGSRSV1><STMTTRNRS><TRNUID>1\n<STATUS><CODE>0\n<SEVERITY>INFO\n</STATUS><STMTRS><CURDEF>" + currency + "\n" +
		"<BANKACCTFROM><BANKID>121000248\n<ACCTID>000123456789\n<ACCTTYPE>CHECKING\n</BANKACCTFROM>\n" +
		"<BANKTRANLIST><DTSTART>20261101000000[-8:PST]\n<DTEND>20261104235959[-8:PST]\n" + transactions + "</BANKTRANLIST>\n" +
		"<LEDGERBAL><BALAMT>2825.00\n<DTASOF>" + asOf + "\n</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n"
	if !xml {
		return sgmlHeader + text
	}
	lines := strings.Split(text, "\n")
	for i, l := range lines { // leaves are closed
		if at := strings.LastIndex(l, "<"); at >= 0 && !strings.HasSuffix(l, ">") {
			tag, _, _ := strings.Cut(l[at+1:], ">")
			lines[i] = l + "</" + tag + ">"
		}
	}
	return xmlHeader + strings.Join(lines, "\n")
}

func transaction(day, amount, id, more string) string {
	return fmt.Sprintf("<STMTTRN><TRNTYPE>CREDIT\n<DTPOSTED>%s\n<TRNAMT>%s\n<FITID>%s\n<CHECKNUM>7001\n%s</STMTTRN>\n", day, amount, id, more)
}

func TestOFX(t *testing.T) {
	t.Parallel()
	for _, xml := range []bool{false, true} {
		text := ofx(xml, "USD", "20261104", transaction("20261102233000[-8:PST]", "1850.00", "A1", "<NAME>ACH payment/13\n<MEMO>rent\n")+
			transaction("20261103", "-25,00", "A2", "<NAME>Fee\n")+transaction("20261103", "0.00", "A3", "<NAME>Note\n"))
		s, err := bankfile.Read(strings.NewReader(text), "export.qfx", bankfile.Options{Currency: "USD"})
		require.NoError(t, err, xml)
		require.Len(t, s.ID, 64)
		s.ID = ""
		require.Equal(t, bankfile.Statement{
			Account: "...6789", Currency: "USD", From: "2026-11-01", To: "2026-11-04",
			Opening: 100000, Closing: 282500, Balances: true,
			Lines: []bankfile.Line{
				{ID: "A1", Day: "2026-11-02", Text: "ACH payment/13 rent", Reference: "7001", Amount: 185000},
				{ID: "A2", Day: "2026-11-03", Text: "Fee", Reference: "7001", Amount: -2500},
			},
		}, s)
	}
	s, err := bankfile.Read(strings.NewReader(ofx(false, "USD", "20261109", transaction("20261102", "1.00", "A1", ""))), "x.ofx",
		bankfile.Options{Currency: "USD", Account: "Trust Checking"})
	require.NoError(t, err)
	require.Equal(t, "Trust Checking", s.Account)
	require.False(t, s.Balances, "the balance of a later day may know of more")
	s, err = bankfile.Read(strings.NewReader(strings.ReplaceAll(ofx(false, "USD", "20261104",
		transaction("20261102", "1.00", "", "<NAME>Caf\xe9\n")+transaction("20261102", "1.00", "", "<NAME>Caf\xe9\n")), "<FITID>\n", "")), "x.ofx", bankfile.Options{Currency: "USD"})
	require.NoError(t, err)
	require.Equal(t, "Café", s.Lines[0].Text)
	require.NotEqual(t, s.Lines[0].ID, s.Lines[1].ID, "a bank that gives no ids")
}

func TestOFXThatIsRefused(t *testing.T) {
	t.Parallel()
	fine := transaction("20261102", "1.00", "A1", "")
	for name, c := range map[string]struct{ text, want string }{
		"twice":     {ofx(false, "USD", "20261104", fine+fine), "line 32: its FITID is that of a movement before"},
		"currency":  {ofx(false, "EUR", "20261104", fine), "another currency than USD"},
		"exponent":  {ofx(false, "USD", "20261104", transaction("20261102", "1e999999999", "A1", "")), "it is no amount"},
		"fractions": {ofx(false, "USD", "20261104", transaction("20261102", "1.005", "A1", "")), "more than two decimals"},
		"no amount": {ofx(false, "USD", "20261104", strings.Replace(fine, "<TRNAMT>1.00\n", "", 1)), "movements without an amount"},
		"no day":    {ofx(false, "USD", "20261104", strings.Replace(fine, "<DTPOSTED>20261102\n", "", 1)), "it has no day"},
		"correction": {ofx(false, "USD", "20261104", transaction("20261102", "1.00", "A2", "<CORRECTFITID>A1\n<CORRECTACTION>REPLACE\n")),
			"it corrects an earlier movement"},
		"nested": {ofx(false, "USD", "20261104", strings.Repeat("<A>", 1000)), "more elements than one statement"},
		"broken": {ofx(false, "USD", "20261104", fine)[:700], "it cannot be read as OFX"},
		"none":   {sgmlHeader + "<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0\n<SEVERITY>INFO\n</STATUS><DTSERVER>20261105\n<LANGUAGE>ENG\n</SONRS></SIGNONMSGSRSV1></OFX>", "it has 0 statements of bank accounts"},
	} {
		s, err := bankfile.Read(strings.NewReader(c.text), "x.ofx", bankfile.Options{Currency: "USD"})
		require.ErrorContains(t, err, c.want, name)
		require.Empty(t, s, name)
	}
}

// Whatever the file holds, it is read or refused.
func FuzzOFX(f *testing.F) {
	for _, xml := range []bool{false, true} {
		f.Add(ofx(xml, "USD", "20261104", transaction("20261102", "1.00", "A1", "<NAME>x\n")))
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := bankfile.Read(strings.NewReader(text), "x.ofx", bankfile.Options{Currency: "USD", Account: "Trust", Columns: columns})
		if err != nil {
			require.Empty(t, s)
			return
		}
		require.LessOrEqual(t, s.From, s.To)
	})
}
