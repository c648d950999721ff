package intake

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/workflows/sales"
)

// good is a valid sale as a caller writes it; with changes fields of it, and takes
// away those that are set to nil.
func good(changes map[string]any) map[string]any {
	sale := map[string]any{
		"first_name": "Ada", "last_name": "Quill", "email": "test+ada@example.com", "phone_number": "+447700900123",
		"property_address": "1 Tanner Street, London", "property_postcode": "SE1 3LE",
	}
	maps.Copy(sale, changes)
	for name, value := range changes {
		if value == nil {
			delete(sale, name)
		}
	}
	return sale
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	body, err := json.Marshal(v)
	require.NoError(t, err)
	return body
}

// oneField reads a sale that is fine but for one field.
func oneField(t testing.TB, name string, value any) (sales.NewSale, []Problem) {
	t.Helper()
	return Sale(encode(t, good(map[string]any{name: value})))
}

func paths(problems []Problem) []string {
	list := []string{}
	for _, p := range problems {
		list = append(list, p.Path)
	}
	return list
}

func TestSaleNormalises(t *testing.T) {
	t.Parallel()
	got, problems := Sale([]byte("\xef\xbb\xbf" + `{
		"first_name": "  Zoe\u0308 \u00a0 Marie ", "last_name": "O’Neill-Łukasz\n", "email": " Test+Zoe@EXAMPLE.Com ",
		"phone_number": "07700 900123", "property_address": "Flat 2,   14 St. John's  Road", "property_postcode": " sw1a1aa ",
		"sale_method": "modern_auction", "products": ["moove-ready-pack", " search-pack "], "estate_agent_email": null,
		"conveyancer_email": "", "mortgage_broker_email": "Desk@Broker.Example.com", "auctioneer_email": "lots@gavelton.example.com"}`))
	require.Empty(t, problems)
	require.Equal(t, sales.NewSale{
		FirstName: "Zoë Marie", LastName: "O’Neill-Łukasz", Email: "Test+Zoe@example.com", Phone: "+447700900123",
		Address: "Flat 2, 14 St. John's Road", Postcode: "SW1A 1AA", Method: sales.ModernAuction,
		Products: []string{"moove-ready-pack", "search-pack"}, MortgageBroker: "Desk@broker.example.com", Auctioneer: "lots@gavelton.example.com",
	}, got)
}

func TestSaleOptional(t *testing.T) {
	t.Parallel()
	got, problems := Sale(encode(t, good(nil)))
	require.Empty(t, problems)
	require.Equal(t, sales.StandardSale, got.Method)
	require.Nil(t, got.Products)
	for _, method := range []string{"modern_auction", "secure_sale"} {
		got, problems := oneField(t, "sale_method", method)
		require.Empty(t, problems, "the directory chooses an auctioneer")
		require.EqualValues(t, method, got.Method)
	}
	got, problems = oneField(t, "products", []string{})
	require.Empty(t, problems)
	require.Nil(t, got.Products)
	_, problems = Sale(encode(t, good(map[string]any{
		"estate_agent_email": "both@firm.example.com", "conveyancer_email": "both@firm.example.com"})))
	require.Empty(t, problems, "one person may have two roles")
}

func TestSaleRefusesFields(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		changes map[string]any
		path    string
		message string
	}{
		"missing":               {map[string]any{"first_name": nil}, "first_name", "a sale needs this field"},
		"blank":                 {map[string]any{"last_name": " \t\n"}, "last_name", "a sale needs this field"},
		"blank of other spaces": {map[string]any{"property_address": "\u00a0\u2003"}, "property_address", "a sale needs this field"},
		"name too long":         {map[string]any{"first_name": strings.Repeat("é", 151)}, "first_name", "at most 150 characters"},
		"address too long":      {map[string]any{"property_address": strings.Repeat("é", 256)}, "property_address", "at most 255 characters"},
		"e-mail too long":       {map[string]any{"email": "test@" + strings.Repeat("a.", 130) + "com"}, "email", "at most 254 characters"},
		"far too long":          {map[string]any{"last_name": strings.Repeat("x", 1001)}, "last_name", "at most 1,000 characters"},
		"two lines":             {map[string]any{"property_address": "1 Tanner Street\nLondon"}, "property_address", "one line"},
		"line separator":        {map[string]any{"property_address": "1 Tanner Street\u2028London"}, "property_address", "one line"},
		"tab":                   {map[string]any{"property_address": "1 Tanner Street\tLondon"}, "property_address", "control characters"},
		"NUL":                   {map[string]any{"first_name": "A\x00da"}, "first_name", "control characters"},
		"DEL":                   {map[string]any{"first_name": "A\x7fda"}, "first_name", "control characters"},
		"text turned around":    {map[string]any{"first_name": "A\u202eda"}, "first_name", "invisible characters"},
		"zero-width space":      {map[string]any{"email": "test\u200b@example.com"}, "email", "invisible characters"},
		"lost letter":           {map[string]any{"last_name": "Szyma\ufffdski"}, "last_name", "characters were lost"},
		"e-mail":                {map[string]any{"email": "nobody"}, "email", "e-mail address"},
		"phone":                 {map[string]any{"phone_number": "call me"}, "phone_number", "country code"},
		"postcode":              {map[string]any{"property_postcode": "SW1A"}, "property_postcode", "UK postcode"},
		"method":                {map[string]any{"sale_method": "auction"}, "sale_method", "standard, modern_auction and secure_sale"},
		"method in capitals":    {map[string]any{"sale_method": "Standard"}, "sale_method", "Choose one of"},
		"auctioneer unwanted":   {map[string]any{"auctioneer_email": "lots@example.com"}, "auctioneer_email", "out of a standard sale"},
		"professional's e-mail": {map[string]any{"mortgage_broker_email": "desk"}, "mortgage_broker_email", "e-mail address"},
		"seller and agent":      {map[string]any{"estate_agent_email": "TEST+ada@Example.com"}, "estate_agent_email", "seller's"},
		"slug":                  {map[string]any{"products": []string{"a", "Ready Pack"}}, "products[1]", "slug"},
		"empty slug":            {map[string]any{"products": []string{""}}, "products[0]", "slug"},
		"long slug":             {map[string]any{"products": []string{strings.Repeat("a", 101)}}, "products[0]", "slug"},
		"spaces, then a slug":   {map[string]any{"products": []string{strings.Repeat(" ", 1000) + "a"}}, "products[0]", "slug"},
		"product twice":         {map[string]any{"products": []string{"a", "b", "a"}}, "products[2]", "once"},
		"many products":         {map[string]any{"products": strings.Split("a b c d e f g h i j k", " ")}, "products", "at most 10"},
		"number":                {map[string]any{"first_name": 7}, "first_name", "as text"},
		"boolean":               {map[string]any{"sale_method": true}, "sale_method", "as text"},
		"object":                {map[string]any{"property_address": map[string]any{"line_1": "1 Tanner Street"}}, "property_address", "as text"},
		"phone as number":       {map[string]any{"phone_number": 447700900123}, "phone_number", "leading 0"},
		"products as text":      {map[string]any{"products": "moove-ready-pack"}, "products", "list of slugs"},
		"product as number":     {map[string]any{"products": []any{"a", 7}}, "products[1]", "as text"},
		"product as list":       {map[string]any{"products": []any{[]string{"a"}}}, "products[0]", "as text"},
		"unknown":               {map[string]any{"colour": "red"}, "colour", "The fields are first_name, last_name"},
		"unknown but near":      {map[string]any{"propertypostcode": "SE1 3LE"}, "propertypostcode", "did you mean property_postcode?"},
		"other name":            {map[string]any{"Postcode": "SE1 3LE"}, "Postcode", "did you mean property_postcode?"},
		"case counts":           {map[string]any{"FIRST_NAME": "Ada"}, "FIRST_NAME", "did you mean first_name?"},
		"data for a name":       {map[string]any{"test+ada@example.com": ""}, "", "There is no such field"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, problems := Sale(encode(t, good(c.changes)))
			require.Len(t, problems, 1)
			require.Equal(t, c.path, problems[0].Path)
			require.Contains(t, problems[0].Message, c.message)
			require.Zero(t, got)
		})
	}
}

func TestSaleTellsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	_, problems := Sale([]byte(`{"colour": {"a": [1, {"b": []}]}, "sale_method": "x", "products": ["A", 1], "email": "x", "auctioneer_email": "y"}`))
	require.Equal(t, []string{"colour", "first_name", "last_name", "email", "phone_number", "property_address", "property_postcode",
		"sale_method", "auctioneer_email", "products[0]", "products[1]"}, paths(problems))
}

func TestSaleRefusesRepeatedKeys(t *testing.T) {
	t.Parallel()
	_, problems := Sale([]byte(`{"first_name": "Ada", "first\u005fname": "Eve", "colour": 1, "colour": 2}`))
	require.Equal(t, []string{"first_name", "colour", "colour"}, paths(problems)[:3])
	require.Contains(t, problems[0].Message, "once")
	require.Contains(t, problems[2].Message, "once")
}

func TestSaleRefusesBodies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, message string }{
		"empty":        {"", "there is nothing"},
		"blank":        {" \n\t", "there is nothing"},
		"BOM alone":    {"\xef\xbb\xbf", "there is nothing"},
		"no JSON":      {"first_name=Ada", "line 1: Send valid JSON"},
		"cut":          {"{\n\"first_name\": \"A", "line 2: Send valid JSON"},
		"trailing":     {"{}\n\n{}", "line 3: Send one JSON value and nothing after it"},
		"trailing x":   {"{} x", "nothing after it"},
		"array":        {"[]", "as one JSON object"},
		"text":         {`"sale"`, "as one JSON object"},
		"null":         {"null", "as one JSON object"},
		"UTF-16":       {"\xff\xfe{\x00}\x00", "UTF-16"},
		"UTF-16 plain": {"\x00{\x00}", "UTF-16"},
		"Windows-1252": {"{\"first_name\": \"Zo\xeb\"}", "not UTF-8"},
		"too large":    {`{"first_name": "` + strings.Repeat("x", MaxSaleBytes) + `"}`, "64 KiB"},
		"too deep":     {strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), "valid JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, problems := Sale([]byte(c.body))
			require.Len(t, problems, 1)
			require.Empty(t, problems[0].Path)
			require.Contains(t, problems[0].Message, c.message)
			require.Zero(t, got)
		})
	}
}

func TestSaleListsBoundedProblems(t *testing.T) {
	t.Parallel()
	fields := map[string]any{}
	for i := range 5000 {
		fields[strings.Repeat("a", i%8+1)+string(rune('A'+i%26))+strings.Repeat("_", i%30)] = i
	}
	_, problems := Sale(encode(t, fields))
	require.Len(t, problems, maxProblems+1)
	require.Contains(t, problems[maxProblems].Message, "more problems")
}

// Deep values were once a way to exhaust the stack of readers like this one.
func TestSaleIsQuickWithDeepValues(t *testing.T) {
	t.Parallel()
	const depth = 6_000
	body := `{"products": ` + strings.Repeat(`[`, depth) + strings.Repeat(`]`, depth) + `, "x": ` + strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth) + `}`
	began := time.Now()
	_, problems := Sale([]byte(body))
	require.Contains(t, paths(problems), "products[0]")
	require.Less(t, time.Since(began), 5*time.Second)
}

func TestSamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../testdata/sales/*.json")
	require.NoError(t, err)
	require.Len(t, files, 3)
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		got, problems := Sale(body)
		require.Empty(t, problems, file)
		require.Equal(t, strings.TrimSuffix(filepath.Base(file), ".json"), string(got.Method))
		require.Regexp(t, `^\+44770090012\d$`, got.Phone)
		require.Regexp(t, `^test\+[a-z]+@example\.com$`, got.Email)
		professionals := strings.Join([]string{got.EstateAgent, got.Conveyancer, got.MortgageBroker, got.Auctioneer}, "|")
		require.Equal(t, map[string]string{
			"standard": "|sales@pemberton.example.com||", "modern_auction": "|||", "secure_sale": "|||lots@gavelton.example.com",
		}[string(got.Method)], professionals)
	}
}
