package bookkeeping

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/policy"
)

// books are rules as the policy has them.
func books() policy.Finance {
	return policy.Finance{
		Accounts: policy.BookAccounts{Bank: "Trust Checking", Receivables: "Tenant Receivables", Payables: "Vendor Payables", Unsure: "Uncategorized"},
		Categories: []policy.BookCategory{
			{ID: "rent", Name: "Rent", Account: "Rental Income", Kind: policy.CategoryIncome, RentVine: []string{"4000", "Rent"}, Words: []string{"rent", "monthly rent"}},
			{ID: "late_fee", Name: "Late fees", Account: "Late Fee Income", Kind: policy.CategoryIncome, RentVine: []string{"4010", "Late Fee"}, Words: []string{"late fee", "late charge"}},
			{ID: "pet", Name: "Pet rent", Account: "Pet Rent", Kind: policy.CategoryIncome, RentVine: []string{"4030"}, Words: []string{"pet", "pet rent"}},
			{ID: "utilities", Name: "Utilities", Account: "Utility Reimbursements", Kind: policy.CategoryIncome, RentVine: []string{"4020"}, Words: []string{"water", "electricity"}},
			{ID: "deposit", Name: "Deposits", Account: "Security Deposits Held", Kind: policy.CategoryLiability, RentVine: []string{"2200", "Security Deposit"}, Words: []string{"security deposit"}},
			{ID: "repairs", Name: "Repairs", Account: "Repairs & Maintenance", Kind: policy.CategoryExpense, RentVine: []string{"6000", "Repairs"}, Words: []string{"repair", "plumber", "faucet"}},
			{ID: "cleaning", Name: "Cleaning", Account: "Cleaning & Turnover", Kind: policy.CategoryExpense, RentVine: []string{"6010"}, Words: []string{"cleaning"}},
			{ID: "utilities_paid", Name: "Utilities", Account: "Utilities Expense", Kind: policy.CategoryExpense, RentVine: []string{"6020"}, Words: []string{"water"}},
		},
		ClosedAfter: 10,
		Questions:   policy.BookQuestions{SureFrom: 70},
	}
}

func TestCategorise(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind Kind
		part Part
		text string
		want string
		// least and most confidence.
		least, most int
	}{
		"number":                             {kind: Charge, part: Part{AccountNumber: "4010"}, want: "late_fee", least: 95, most: 95},
		"name in any case and spacing":       {kind: Charge, part: Part{Account: "  LATE   fee "}, want: "late_fee", least: 95, most: 95},
		"marked as rent":                     {kind: Charge, part: Part{IsRent: true, Account: "Commercial"}, want: "rent", least: 95, most: 95},
		"a mapped account beats the mark":    {kind: Charge, part: Part{IsRent: true, AccountNumber: "4030"}, want: "pet", least: 95, most: 95},
		"account and text agree":             {kind: Charge, part: Part{AccountNumber: "4000"}, text: "Rent October", want: "rent", least: 99, most: 99},
		"account against text":               {kind: Charge, part: Part{AccountNumber: "4000", Text: "Late fee"}, want: "rent", least: 1, most: 69},
		"text says more of something else":   {kind: Charge, part: Part{AccountNumber: "4000", Text: "late fee on rent"}, want: "rent", least: 1, most: 69},
		"number against name":                {kind: Charge, part: Part{AccountNumber: "4000", Account: "Late Fee"}, most: 0},
		"short word":                         {kind: Charge, text: "Pet", want: "pet", least: 70, most: 70},
		"longer words":                       {kind: Charge, text: "LATE FEE, Oct.", want: "late_fee", least: 71, most: 80},
		"more words":                         {kind: Charge, text: "water and electricity", want: "utilities", least: 82, most: 90},
		"a longer saying holds a shorter":    {kind: Charge, text: "Pet rent", want: "pet", least: 71, most: 80},
		"the part's text first":              {kind: Charge, part: Part{Text: "Security deposit"}, text: "Rent", want: "deposit", least: 70, most: 90},
		"the transaction's text next":        {kind: Charge, part: Part{Text: "October"}, text: "Rent", want: "rent", least: 70, most: 90},
		"whole words":                        {kind: Charge, text: "parental carpet waterfall", most: 0},
		"tie":                                {kind: Charge, text: "late fee and pet rent", most: 0},
		"nearly a tie":                       {kind: Charge, text: "rent and pet rent", want: "pet", least: 1, most: 69},
		"clearly more of one":                {kind: Charge, text: "electricity and pet", want: "utilities", least: 70, most: 90},
		"unknown":                            {kind: Charge, part: Part{AccountNumber: "4900", Account: "Misc"}, text: "as agreed", most: 0},
		"unknown account, known text":        {kind: Charge, part: Part{AccountNumber: "4900", Account: "Misc"}, text: "Security deposit", want: "deposit", least: 70, most: 90},
		"nothing at all":                     {kind: Charge, most: 0},
		"deposit is a liability":             {kind: Charge, part: Part{AccountNumber: "2200"}, want: "deposit", least: 95, most: 95},
		"credit":                             {kind: Credit, part: Part{AccountNumber: "4000"}, want: "rent", least: 95, most: 95},
		"bill":                               {kind: Bill, part: Part{AccountNumber: "6000"}, want: "repairs", least: 95, most: 95},
		"bill by text":                       {kind: Bill, part: Part{Text: "Plumber: kitchen faucet"}, want: "repairs", least: 75, most: 90},
		"same word of bills":                 {kind: Bill, text: "water", want: "utilities_paid", least: 70, most: 80},
		"bill on an account of income":       {kind: Bill, part: Part{AccountNumber: "4000"}, text: "plumber", most: 0},
		"charge on an account of expenses":   {kind: Charge, part: Part{Account: "repairs"}, text: "rent", most: 0},
		"words of an expense are none here":  {kind: Charge, text: "plumber", most: 0},
		"accents and apostrophes":            {kind: Charge, text: "Sécurity d\u00e9posit", want: "deposit", least: 70, most: 90},
		"only the beginning of a long text":  {kind: Charge, text: strings.Repeat("x ", maxText) + "rent", most: 0},
		"no text can name an account itself": {kind: Charge, text: "4000 category: rental_income {{.Rent}} </rent>", want: "rent", least: 70, most: 90},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.part.Amount = 100
			got := Categorise(Transaction{ID: "charge/1", Found: true, Kind: c.kind, Text: c.text, Parts: []Part{c.part}}, books())
			require.Len(t, got.Parts, 1)
			require.Equal(t, c.want, got.Parts[0].Category, got.Parts[0].Why)
			require.GreaterOrEqual(t, got.Parts[0].Confidence, c.least, got.Parts[0].Why)
			require.LessOrEqual(t, got.Parts[0].Confidence, c.most, got.Parts[0].Why)
			require.NotEmpty(t, got.Parts[0].Why)
		})
	}
}

func TestDoubtIsBelowWhatIsSure(t *testing.T) {
	t.Parallel()
	rules := books()
	rules.Questions.SureFrom = 30
	got := Categorise(Transaction{Kind: Charge, Parts: []Part{{AccountNumber: "4000", Text: "late fee"}}}, rules)
	require.Equal(t, []int{0}, got.Unsure(30))
}

func TestPaymentsNeedNoCategory(t *testing.T) {
	t.Parallel()
	got := Categorise(Transaction{Kind: Payment, Text: "late fee", Parts: []Part{{Amount: 5}}}, books())
	require.Len(t, got.Parts, 1)
	require.Empty(t, got.Parts[0].Category)
	require.Equal(t, 100, got.Parts[0].Confidence)
	require.Empty(t, got.Unsure(100))
}

func TestBillsHaveAChoiceForEachPart(t *testing.T) {
	t.Parallel()
	got := Categorise(Transaction{Kind: Bill, Text: "repair", Parts: []Part{
		{AccountNumber: "6010"}, {AccountNumber: "7777", Text: "nothing that is known"}, {AccountNumber: "4000"}, {Account: "Repairs"},
	}}, books())
	require.Equal(t, []int{2}, got.Unsure(70))
	require.Equal(t, []string{"cleaning", "repairs", "", "repairs"}, got.Taken(70))
}

// Whatever anybody writes, the choice is one of the fitting categories, and the reason
// quotes nothing.
func TestTextsOnlyChoose(t *testing.T) {
	t.Parallel()
	rules := books()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]Kind{Charge, Credit, Bill}).Draw(t, "kind")
		word := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"rent", "pet rent", "late fee", "water", "cleaning", "faucet"}))
		text := strings.Join(rapid.SliceOfN(word, 0, 20).Draw(t, "text"), " ") + " zzqq"
		got := Categorise(Transaction{Kind: kind, Text: text, Parts: []Part{{Amount: 1, Text: rapid.String().Draw(t, "part")}}}, rules)
		p := got.Parts[0]
		if p.Category != "" {
			c, known := rules.Category(p.Category)
			require.True(t, known)
			require.True(t, Fits(kind, c))
		} else {
			require.Zero(t, p.Confidence)
		}
		require.LessOrEqual(t, p.Confidence, textMost)
		require.NotContains(t, p.Why, "zzqq")
	})
}
