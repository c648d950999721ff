package intake

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/workflows/sales"
)

const (
	must  = "first_name,last_name,email,phone_number,property_address,property_postcode"
	ada   = "Ada,Quill,test+ada@example.com,07700900123,\"1 Tanner Street, London\",se13le"
	basil = "Basil,Roe,test+basil@example.com,07700900124,2 Tanner Street,SE1 3LE"
)

func lines(list ...string) []byte { return []byte(strings.Join(list, "\n") + "\n") }

// refused is the error of a file that must be refused.
func refused(t testing.TB, media string, body []byte) *FileError {
	t.Helper()
	rows, err := File(media, body)
	require.Nil(t, rows)
	var bad *FileError
	require.ErrorAs(t, err, &bad)
	require.NotEmpty(t, bad.Detail)
	return bad
}

func TestFileReadsCSV(t *testing.T) {
	t.Parallel()
	want := []Row{
		{Number: 2, Sale: sales.NewSale{FirstName: "Ada", LastName: "Quill", Email: "test+ada@example.com", Phone: "+447700900123",
			Address: "1 Tanner Street, London", Postcode: "SE1 3LE", Method: sales.StandardSale}},
		{Number: 3, Sale: sales.NewSale{FirstName: "Basil", LastName: "Roe", Email: "test+basil@example.com", Phone: "+447700900124",
			Address: "2 Tanner Street", Postcode: "SE1 3LE", Method: sales.StandardSale}},
	}
	comma := string(lines(must, ada, basil))
	for name, body := range map[string]string{
		"LF":                  comma,
		"no end of line":      strings.TrimSuffix(comma, "\n"),
		"CR LF":               strings.ReplaceAll(comma, "\n", "\r\n"),
		"CR":                  strings.ReplaceAll(comma, "\n", "\r"),
		"BOM":                 "\xef\xbb\xbf" + comma,
		"all in quotes":       `"` + strings.ReplaceAll(must, ",", `","`) + "\"\n" + ada + "\n\"" + strings.ReplaceAll(basil, ",", `","`) + `"`,
		"other names":         strings.Replace(comma, must, " First Name ,LAST-NAME,E-mail,Phone_Number,property  address,Property-Postcode", 1),
		"blank cells":         strings.ReplaceAll(strings.ReplaceAll(strings.Replace(comma, must, must+",sale_method,products", 1), "se13le", "se13le, ,"), "SE1 3LE", "SE1 3LE,,\"\""),
		"unnamed column":      strings.ReplaceAll(strings.ReplaceAll(strings.Replace(comma, must, must+",", 1), "se13le", "se13le,"), "SE1 3LE", "SE1 3LE,"),
		"lines of separators": comma + ",,,,,\n , ,\n",
	} {
		if name == "other names" {
			body = strings.Replace(body, "E-mail", "email", 1)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, err := File("text/csv", []byte(body))
			require.NoError(t, err)
			require.Equal(t, want, rows)
		})
	}
	for _, separator := range []string{";", "\t"} {
		body := strings.ReplaceAll(must, ",", separator) + "\n" +
			strings.Join([]string{"Ada", "Quill", "test+ada@example.com", "07700900123", "1 Tanner Street, London", "se13le"}, separator) + "\n" +
			strings.ReplaceAll(basil, ",", separator)
		rows, err := File("text/csv; charset=UTF-8", []byte(body))
		require.NoError(t, err)
		require.Equal(t, want, rows, separator)
	}
}

func TestFileCountsLinesAsEditorsDo(t *testing.T) {
	t.Parallel()
	body := strings.Join([]string{"", " ", must, "", ada, "", strings.Replace(ada, "Street, London", "Street,\r\n\n\rLondon", 1), basil}, "\r\n")
	rows, err := File("text/csv", []byte(body))
	require.NoError(t, err)
	numbers := []int{}
	for _, r := range rows {
		numbers = append(numbers, r.Number)
	}
	require.Equal(t, []int{5, 7, 11}, numbers)
	require.Equal(t, []string{"property_address"}, paths(rows[1].Problems))
}

func TestFileProducts(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string][]string{
		"moove-ready-pack": {"moove-ready-pack"}, "a;b": {"a", "b"}, "a|b": {"a", "b"}, " a ; b ;": {"a", "b"}, ";": nil, "": nil,
	} {
		rows, err := File("text/csv", lines(must+",products", basil+","+cell))
		require.NoError(t, err)
		require.Empty(t, rows[0].Problems)
		require.Equal(t, want, rows[0].Sale.Products, cell)
	}
	rows, err := File("text/csv", lines(strings.ReplaceAll(must+";products", ",", ";"), strings.ReplaceAll(basil+`;"a;b"`, ",", ";")))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, rows[0].Sale.Products)
}

func TestFileRefusesRows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		line    string
		path    string
		message string
	}{
		"a cell too few":     {"Ada,Quill,test+ada@example.com,07700900123,1 Tanner Street", "", "5 cells and the header names 6"},
		"a cell too many":    {basil + ",", "", "7 cells and the header names 6"},
		"very many":          {strings.Repeat("x,", 5000) + "x", "", "5001 cells"},
		"quote in a cell":    {`Ada,Quill,test+ada@example.com,07700900123,12" Lane,SE1 3LE`, "", "double those inside"},
		"quotes in a cell":   {`Ada,Quill,test+ada@example.com,07700900123,12 "Rose" Lane,SE1 3LE`, "", "double those inside"},
		"not doubled":        {`Ada,Quill,test+ada@example.com,07700900123,"12 "Rose" Lane",SE1 3LE`, "", "double those inside"},
		"after the quote":    {`Ada,Quill,test+ada@example.com,07700900123,"Rose" Lane,SE1 3LE`, "", "double those inside"},
		"before the quote":   {`Ada,Quill,test+ada@example.com,07700900123, "Rose Lane",SE1 3LE`, "", "double those inside"},
		"Excel's trick":      {`Ada,Quill,test+ada@example.com,="07700900123",1 Rose Lane,SE1 3LE`, "", "double those inside"},
		"long cell":          {strings.Repeat("é", 1001) + ",Quill,test+ada@example.com,07700900123,1 Rose Lane,SE1 3LE", "first_name", "1,000 characters"},
		"long, with quotes":  {`"` + strings.Repeat(`é""`, 501) + `",Quill,test+ada@example.com,07700900123,1 Rose Lane,SE1 3LE`, "first_name", "1,000 characters"},
		"just no long cell":  {`"` + strings.Repeat(`""`, 1000) + `",Quill,test+ada@example.com,07700900123,1 Rose Lane,SE1 3LE`, "first_name", "150 characters"},
		"blank cell":         {"Ada,Quill, ,07700900123,1 Rose Lane,SE1 3LE", "email", "a sale needs this field"},
		"lost zero":          {"Ada,Quill,test+ada@example.com,7700900123,1 Rose Lane,SE1 3LE", "phone_number", "spreadsheets drop"},
		"scientific":         {"Ada,Quill,test+ada@example.com,4.47701E+11,1 Rose Lane,SE1 3LE", "phone_number", "scientific notation"},
		"cell of two lines":  {"Ada,Quill,test+ada@example.com,07700900123,\"1 Rose Lane\nLondon\",SE1 3LE", "property_address", "one line"},
		"formula, no e-mail": {"Ada,Quill,=HYPERLINK(1),07700900123,1 Rose Lane,SE1 3LE", "email", "e-mail address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, err := File("text/csv", lines(must, c.line, basil))
			require.NoError(t, err)
			require.Len(t, rows, 2)
			require.Len(t, rows[0].Problems, 1)
			require.Equal(t, c.path, rows[0].Problems[0].Path)
			require.Contains(t, rows[0].Problems[0].Message, c.message)
			require.Equal(t, 2, rows[0].Number)
			require.Zero(t, rows[0].Sale)
			require.Empty(t, rows[1].Problems, "the other row is not touched")
		})
	}
}

func TestFileUnnamedColumnWithValue(t *testing.T) {
	t.Parallel()
	rows, err := File("text/csv", lines(must+",", basil+",note"))
	require.NoError(t, err)
	require.Equal(t, []Problem{{Message: "Cell 7 has a value but its column has no name."}}, rows[0].Problems)
}

func TestFileRefusesCSV(t *testing.T) {
	t.Parallel()
	many := must + strings.Repeat("\n"+basil, MaxRows+1)
	for name, c := range map[string]struct {
		body   string
		line   int
		detail string
	}{
		"empty":                {"", 0, "The file is empty"},
		"BOM alone":            {"\xef\xbb\xbf", 0, "The file is empty"},
		"blank lines":          {"\r\n\r\n  \n", 0, "The file is empty"},
		"header only":          {must + "\n", 0, "no sales"},
		"header, blanks":       {must + "\n\n,,,,,\n", 0, "no sales"},
		"UTF-16 LE":            {"\xff\xfef\x00i\x00", 1, "UTF-16. Save the file as CSV in UTF-8"},
		"UTF-16 BE":            {"\xfe\xff\x00f\x00i", 1, "UTF-16. Save"},
		"UTF-16 without mark":  {"f\x00i\x00r\x00s\x00t\x00", 1, "UTF-16. Save"},
		"NUL byte":             {must + "\n" + ada + "\n" + strings.Replace(basil, "Roe", "R\x00e", 1), 3, "NUL byte"},
		"a workbook":           {"PK\x03\x04\x14\x00\x06xxxxxxxxxxxxxxxxxxx", 1, "workbook"},
		"Windows-1252":         {must + "\r\n" + ada + "\r\n" + strings.Replace(basil, "Roe", "Ren\xe9", 1) + "\r\n", 3, "not UTF-8; an older Windows encoding, perhaps. Save the file as CSV in UTF-8"},
		"cut letter":           {must + "\n" + ada + "\n\xc3", 3, "not UTF-8"},
		"missing columns":      {"first_name,email,property_address\nx", 1, "Add the missing columns: last_name, phone_number, property_postcode."},
		"unknown columns":      {must + ",postcode,colour\nx", 1, "Rename or remove the unknown columns: postcode (did you mean property_postcode?), colour."},
		"twice":                {must + ",First Name,email,EMAIL\nx", 1, "more than once: email, first_name."},
		"all three":            {"\n\n" + strings.Replace(must, "email", "emial", 1) + ",last_name\nx", 3, "Add the missing columns: email. Rename or remove the unknown columns: emial (did you mean email?). Keep one each of the columns that are there more than once: last_name."},
		"data for a column":    {must + ",test+ada@example.com\nx", 1, "unknown columns: column 7."},
		"no header":            {ada + "\n" + basil, 1, "no column that is known"},
		"other separator":      {strings.ReplaceAll(must, ",", "|") + "\n", 1, "no column that is known"},
		"two separators":       {strings.Replace(must, ",", ";", 1) + "\nx", 1, "separated in different ways"},
		"very many columns":    {must + strings.Repeat(",", 200) + "\n", 1, "more than 100 columns"},
		"quotes in the header": {must + `,12"` + "\nx", 1, "without quotes"},
		"quote never closed":   {must + "\n" + ada + "\n" + `Basil,"Roe,test+basil@example.com` + "\n" + basil, 3, "nothing after it can be trusted"},
		"closed in another":    {must + "\n" + ada + "\n" + `Basil,"Roe,x` + "\n" + ada + "\n" + basil, 3, "nothing after it can be trusted"},
		"odd after a quote":    {must + "\n" + `Ada,Quill,x,y,"12" Lane",SE1 3LE` + "\n" + basil, 2, "nothing after it can be trusted"},
		"second line of cell":  {must + "\n" + "Ada,\"Qu\nill\",\"x\ny\"z,SE1 3LE\n" + basil, 3, "nothing after it can be trusted"},
		"open in the header":   {`"` + must + "\n" + basil, 1, "nothing after it can be trusted"},
		"too many rows":        {many, MaxRows + 2, "more than 10000 rows"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := refused(t, "text/csv", []byte(c.body))
			require.Contains(t, bad.Detail, c.detail)
			require.Equal(t, c.line, bad.Line)
			for _, value := range []string{"Ada", "Basil", "Quill", "Roe", "test+", "Tanner"} {
				require.NotContains(t, bad.Detail, value)
			}
		})
	}
	rows, err := File("text/csv", []byte(strings.TrimSuffix(many, "\n"+basil)))
	require.NoError(t, err)
	require.Len(t, rows, MaxRows)
}

func TestFileReadsJSON(t *testing.T) {
	t.Parallel()
	list := []any{good(nil), 7, good(map[string]any{"email": "x"}), []any{good(nil)}, nil, good(map[string]any{"first_name": "Eve"})}
	for _, body := range [][]byte{encode(t, list), encode(t, map[string]any{"sales": list})} {
		rows, err := File("application/json", body)
		require.NoError(t, err)
		require.Len(t, rows, 6)
		for i, r := range rows {
			require.Equal(t, i+1, r.Number)
		}
		require.Equal(t, "Ada", rows[0].Sale.FirstName)
		require.Equal(t, "Eve", rows[5].Sale.FirstName)
		require.Equal(t, []string{"email"}, paths(rows[2].Problems))
		for _, i := range []int{1, 3, 4} {
			require.Equal(t, []Problem{{Message: "Write the sale as a JSON object."}}, rows[i].Problems)
		}
	}
}

func TestFileRefusesJSON(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body   string
		line   int
		detail string
	}{
		"empty":           {"", 0, "there is nothing"},
		"no sales":        {"[]", 0, "no sales"},
		"no sales in it":  {`{"sales": []}`, 0, "no sales"},
		"one sale":        {`{"first_name": "Ada"}`, 0, "array of sales"},
		"no object":       {`{}`, 0, "array of sales"},
		"not a list":      {`{"sales": {}}`, 0, "array of sales"},
		"more than sales": {`{"sales": [{}], "note": 1}`, 0, "array of sales"},
		"sales twice":     {`{"sales": [{}], "sales": []}`, 0, "array of sales"},
		"text":            {`"Ada"`, 0, "array of sales"},
		"lines of JSON":   {"{}\n{}", 2, "nothing after it"},
		"broken":          {"[\n{},\n{\"first_name\": \"Ada\",}\n]", 3, "broken or cut"},
		"cut":             {"[\n{},", 2, "broken or cut"},
		"UTF-16":          {"\xfe\xff\x00[", 1, "UTF-16"},
		"Latin 1":         {"[\n\"\xe9\"]", 2, "not UTF-8"},
		"too many":        {"[" + strings.Repeat("0,", MaxRows) + "0]", 0, "more than 10000 rows"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := refused(t, "application/json", []byte(c.body))
			require.Contains(t, bad.Detail, c.detail)
			require.Equal(t, c.line, bad.Line)
			require.NotContains(t, bad.Detail, "Ada")
		})
	}
}

func TestFileRefusesMediaTypes(t *testing.T) {
	t.Parallel()
	for _, media := range []string{"", "text/plain", "application/vnd.ms-excel", "text/csv; charset", "multipart/form-data"} {
		require.Contains(t, refused(t, media, lines(must, ada)).Detail, "text/csv or application/json", media)
	}
	require.Contains(t, refused(t, "text/csv; charset=windows-1252", lines(must, ada)).Detail, "UTF-8")
	require.Contains(t, refused(t, "text/csv", make([]byte, MaxFileBytes+1)).Detail, "64 MiB")
	require.EqualError(t, &FileError{Line: 3, Detail: "Save."}, "line 3: Save.")
	require.EqualError(t, &FileError{Detail: "Save."}, "Save.")
}

// A cell of 10 MB costs its row and no memory of its own. Not parallel: it counts
// what is allocated.
func TestFileHugeCell(t *testing.T) {
	const size = 10 << 20
	for name, first := range map[string]string{
		"plain": strings.Repeat("x", size), "in quotes": `"` + strings.Repeat("x", size) + `"`, "of quotes": `"` + strings.Repeat(`""`, size/2) + `"`,
	} {
		body := lines(must, first+",Quill,test+ada@example.com,07700900123,1 Rose Lane,SE1 3LE", basil)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		rows, err := File("text/csv", body)
		runtime.ReadMemStats(&after)
		require.NoError(t, err, name)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20), name)
		require.Len(t, rows, 2)
		require.Equal(t, []Problem{{Path: "first_name", Message: adviceCellLimit}}, rows[0].Problems)
		require.Empty(t, rows[1].Problems)
	}
	rows, err := File("application/json", encode(t, []any{good(map[string]any{"first_name": strings.Repeat("x", size)}), good(nil)}))
	require.NoError(t, err)
	require.Equal(t, []Problem{{Path: "first_name", Message: adviceCellLimit}}, rows[0].Problems)
	require.Empty(t, rows[1].Problems)
}

func TestFileSamples(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile("../../testdata/sales/import/portfolio.csv")
	require.NoError(t, err)
	rows, err := File("text/csv", body)
	require.NoError(t, err)
	require.Len(t, rows, 12)
	kinds := map[string]int{}
	for i, r := range rows {
		require.Empty(t, r.Problems, r.Number)
		require.Equal(t, i+2, r.Number)
		require.Regexp(t, `^\+447700900\d{3}$`, r.Sale.Phone)
		require.Regexp(t, `@example\.com$`, r.Sale.Email)
		kinds[string(r.Sale.Method)]++
	}
	require.Equal(t, map[string]int{"standard": 6, "modern_auction": 3, "secure_sale": 3}, kinds)
}

func TestFileSampleWithMistakes(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile("../../testdata/sales/import/with-mistakes.csv")
	require.NoError(t, err)
	rows, err := File("text/csv", body)
	require.NoError(t, err)
	got := []string{}
	for _, r := range rows {
		got = append(got, fmt.Sprint(r.Number, " ", strings.Join(paths(r.Problems), " ")))
	}
	require.Equal(t, []string{
		"2 ", "3 first_name", "4 last_name", "5 email", "6 email", "7 phone_number", "8 phone_number", "9 phone_number", "10 property_address",
		"12 property_postcode", "13 property_postcode", "14 sale_method", "15 auctioneer_email", "16 conveyancer_email", "17 estate_agent_email",
		"18 products[1] products[2]", "19 products", "20 ", "21 ", "22 ", "23 property_address", "24 first_name",
		"25 first_name email phone_number property_postcode", "26 ", "27 ",
	}, got)
	for _, r := range rows {
		good := r.Number == 2 || r.Number >= 26
		require.Equal(t, good, len(r.Problems) == 0, r.Number)
	}
	require.Equal(t, rows[0].Sale, rows[len(rows)-1].Sale, "the last row repeats the first")
}

func TestColumnsAreTheFieldsOfASale(t *testing.T) {
	t.Parallel()
	wire := map[string]any{}
	full := sales.NewSale{Products: []string{"a"}, EstateAgent: "a", Conveyancer: "b", MortgageBroker: "c", Auctioneer: "d"}
	require.NoError(t, json.Unmarshal(encode(t, full), &wire))
	require.Len(t, wire, len(Columns()))
	for _, name := range Columns() {
		require.Contains(t, wire, name)
	}
}
