package intake

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/workflows/sales"
)

// canary is in values only and can be no field's name; nothing that comes out of a
// refusal may have it.
const canary = "canary.7f@nest"

// soon is far more than any input of a fuzzer takes.
const soon = 5 * time.Second

// requireProblems checks that problems are fit for a reply, a log and a file.
func requireProblems(t *testing.T, problems []Problem) {
	t.Helper()
	require.LessOrEqual(t, len(problems), maxProblems+1)
	for _, p := range problems {
		require.NotEmpty(t, p.Message)
		require.NotContains(t, p.Message, "canary")
		require.NotContains(t, p.Path, "canary.")
		require.Regexp(t, `^[A-Za-z0-9_ -]*(\[[0-9]+\])?$`, p.Path)
		require.Less(t, len(p.Message), 400)
	}
}

var (
	e164         = regexp.MustCompile(`^\+[1-9][0-9]{5,15}$`)
	normalCode   = regexp.MustCompile(`^([A-Z0-9]{2,4} [0-9][A-Z]{2}|BFPO [0-9]{1,4})$`)
	normalDomain = regexp.MustCompile(`^[^@]+@[^@\sA-Z]+$`)
)

// requireNormal checks what was let through, and that reading it again changes
// nothing.
func requireNormal(t testing.TB, s sales.NewSale) {
	t.Helper()
	require.Regexp(t, e164, s.Phone)
	require.Regexp(t, normalCode, s.Postcode)
	require.Regexp(t, normalDomain, s.Email)
	require.Contains(t, []string{"standard", "modern_auction", "secure_sale"}, string(s.Method))
	again, problems := Sale(encode(t, s))
	require.Empty(t, problems)
	require.Equal(t, s, again)
}

func FuzzSale(f *testing.F) {
	for _, sample := range []string{"standard", "modern_auction", "secure_sale"} {
		body, err := os.ReadFile("../../testdata/sales/" + sample + ".json")
		require.NoError(f, err)
		f.Add(body)
	}
	for _, name := range Columns() {
		f.Add(encode(f, good(map[string]any{name: canary})))
		f.Add(encode(f, good(map[string]any{name: []any{canary, map[string]any{canary: canary}}})))
	}
	f.Add(encode(f, map[string]any{canary: canary, "note": canary}))
	f.Add([]byte(`{"first_name":"` + canary + `","first_name":"` + canary + `"} ` + canary))
	f.Add([]byte(canary))
	f.Add([]byte("{\"email\":\"\xff" + canary))
	f.Fuzz(func(t *testing.T, body []byte) {
		began := time.Now()
		s, problems := Sale(body)
		require.Less(t, time.Since(began), soon)
		if len(problems) > 0 {
			requireProblems(t, problems)
			require.Zero(t, s)
			return
		}
		requireNormal(t, s)
	})
}

func FuzzFile(f *testing.F) {
	for _, sample := range []string{"portfolio", "with-mistakes"} {
		body, err := os.ReadFile("../../testdata/sales/import/" + sample + ".csv")
		require.NoError(f, err)
		f.Add(body, false)
	}
	for _, line := range []string{canary, `"` + canary, `"` + canary + `"x`, strings.Repeat(canary+",", 6), basil + canary, canary + "\x00", canary + "\xff",
		strings.Repeat(";", 5) + canary, `"` + canary + "\r\n" + `",,,,,` + canary} {
		f.Add(lines(must, ada, line, basil), false)
		f.Add(lines(line, must, ada), false)
	}
	f.Add(encode(f, []any{good(map[string]any{"email": canary}), canary, nil, good(nil)}), true)
	f.Add(encode(f, map[string]any{"sales": []any{good(nil)}, canary: canary}), true)
	f.Add([]byte(`{"sales":[{"`+canary+`":1}]}{`), true)
	f.Fuzz(func(t *testing.T, body []byte, isJSON bool) {
		media := "text/csv"
		if isJSON {
			media = "application/json"
		}
		began := time.Now()
		rows, err := File(media, body)
		require.Less(t, time.Since(began), soon)
		if err != nil {
			var bad *FileError
			require.ErrorAs(t, err, &bad)
			require.NotContains(t, bad.Detail, "canary.")
			require.GreaterOrEqual(t, bad.Line, 0)
			require.LessOrEqual(t, bad.Line, 1+lineEnds(body))
			require.Nil(t, rows)
			return
		}
		require.NotEmpty(t, rows)
		require.True(t, slices.IsSortedFunc(rows, func(a, b Row) int { return a.Number - b.Number }))
		for _, r := range rows {
			require.Positive(t, r.Number)
			if len(r.Problems) > 0 {
				requireProblems(t, r.Problems)
				require.Zero(t, r.Sale)
				continue
			}
			requireNormal(t, r.Sale)
		}
	})
}

// FuzzRecords: what Go's own reader takes without complaint, ours takes the same.
func FuzzRecords(f *testing.F) {
	f.Add("a,b\n\"c\"\"d\",\"e\nf\"\n")
	f.Add("a\r\n\r\n\"\"\r\n,")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\r") {
			return // it takes CR alone as text
		}
		r := csv.NewReader(strings.NewReader(text))
		r.FieldsPerRecord = -1
		records, err := r.ReadAll()
		if err != nil || slices.ContainsFunc(records, func(r []string) bool { return len(r) > maxColumns }) {
			return
		}
		s := splitter{rest: []byte(text), separator: ',', line: 1}
		for _, want := range records {
			if strings.TrimSpace(strings.Join(want, "")) == "" {
				continue // a blank line to us
			}
			got, more, bad := s.next()
			require.Nil(t, bad)
			require.True(t, more)
			require.False(t, got.misquoted)
			cells := make([]string, len(got.cells))
			for i, c := range got.cells {
				cells[i] = strings.ReplaceAll(string(c.value()), "\r\n", "\n")
			}
			require.Equal(t, want, cells)
		}
		_, more, bad := s.next()
		require.Nil(t, bad)
		require.False(t, more)
	})
}

// TestSaleTwice: what was normalised once is not changed again, and other spellings
// mean the same.
func TestSaleTwice(t *testing.T) {
	t.Parallel()
	space := rapid.SampledFrom([]string{" ", "  ", "\u00a0", "\u2003 "})
	name := rapid.StringMatching(`[A-ZÀ-Ž][a-zà-ž'’-]{0,10}( [A-Z][a-z]{1,8}){0,2}`)
	rapid.Check(t, func(r *rapid.T) {
		spaced := func(text string) string {
			return space.Draw(r, "space") + strings.ReplaceAll(text, " ", space.Draw(r, "inner")) + space.Draw(r, "end")
		}
		s := map[string]any{
			"first_name": spaced(name.Draw(r, "first")), "last_name": spaced(name.Draw(r, "last")),
			"email":             rapid.StringMatching(`[A-Za-z0-9+_-]{1,20}(\.[A-Za-z0-9]{1,5})?@([A-Za-z0-9]{1,10}|[a-zäöü]{1,9})\.(COM|com|co\.uk|Example)`).Draw(r, "email"),
			"phone_number":      spaced(rapid.StringMatching(`(0|\+44 |0044 |\+44 \(0\)|44 )(7700 900[0-9]{3}|20 7946 0[0-9]{3}|1632 96[0-9]{4})`).Draw(r, "phone")),
			"property_address":  spaced(rapid.StringMatching(`(Flat [1-9], )?[1-9][0-9]{0,2} [A-Z][a-z]{2,9} (Road|Street), [A-Z][a-z]{2,9}`).Draw(r, "address")),
			"property_postcode": spaced(rapid.StringMatching(`([EeNn][1-9]|[Ss][Ww]1[AaWw]|[Cc][Rr][1-9]|[Bb][Ss][1-9][0-9]) ?[0-9][ABDEabde][LNPlnp]`).Draw(r, "postcode")),
			"sale_method":       rapid.SampledFrom([]string{"standard", "modern_auction", "secure_sale", ""}).Draw(r, "method"),
			"products":          rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z0-9-]{1,20}`), 0, 10, rapid.ID[string]).Draw(r, "products"),
		}
		body, err := json.Marshal(s)
		if err != nil {
			r.Fatal(err)
		}
		once, problems := Sale(body)
		if len(problems) > 0 {
			r.Fatalf("%s: %v", body, problems)
		}
		body, err = json.Marshal(once)
		if err != nil {
			r.Fatal(err)
		}
		twice, problems := Sale(body)
		require.Empty(r, problems)
		require.Equal(r, once, twice)
	})
}
