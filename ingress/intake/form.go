package intake

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/sales"
)

// form is one sale as it was written, before it is checked, and what is wrong with
// it so far.
type form struct {
	text     [fieldCount]string
	products []product
	// spoilt are the fields that have a problem already and are not looked at again.
	spoilt   [fieldCount]bool
	problems []Problem
}

// product is one item of the list of products.
type product struct {
	text      string
	wrongType bool // it was no text
}

// add notes a problem; beyond maxProblems it only says that there are more.
func (f *form) add(path, message string) {
	switch n := len(f.problems); {
	case n < maxProblems:
		f.problems = append(f.problems, Problem{Path: path, Message: message})
	case n == maxProblems:
		f.problems = append(f.problems, Problem{Message: "There are more problems; correct these first."})
	}
}

func (f *form) spoil(x field, message string) {
	f.spoilt[x] = true
	f.add(fields[x].name, message)
}

// put fills in a field. Text that no field could take is not kept.
func (f *form) put(x field, text string) {
	if utf8.RuneCountInString(text) > maxCell {
		f.spoil(x, adviceCellLimit)
		return
	}
	f.text[x] = text
}

// sale checks everything. Where there is any problem the sale is the zero value.
func (f *form) sale() (sales.NewSale, []Problem) {
	s := sales.NewSale{
		FirstName: f.line(firstName),
		LastName:  f.line(lastName),
		Email:     f.email(sellerEmail),
		Phone:     f.phone(),
		Address:   f.line(address),
		Postcode:  f.postcode(),
	}
	f.place(s.Address, s.Postcode)
	f.method(&s)
	s.EstateAgent = f.professional(estateAgent, s.Email)
	s.Conveyancer = f.professional(conveyancer, s.Email)
	s.MortgageBroker = f.professional(mortgageBroker, s.Email)
	s.Auctioneer = f.professional(auctioneer, s.Email)
	// An auction without an auctioneer is fine here: the directory chooses one.
	if s.Method == sales.StandardSale && s.Auctioneer != "" {
		f.spoil(auctioneer, "Leave the auctioneer out of a standard sale, or choose an auction as sale_method.")
	}
	s.Products = f.slugs()
	if len(f.problems) > 0 {
		return sales.NewSale{}, f.problems
	}
	return s, nil
}

// line is a field's text in its one form, "" where it is absent or unfit.
func (f *form) line(x field) string {
	if f.spoilt[x] {
		return ""
	}
	text, advice := clean(f.text[x])
	most := fields[x].most
	switch {
	case advice != "":
		f.spoil(x, advice)
	case text == "" && fields[x].required:
		f.spoil(x, "Give a value: a sale needs this field.")
	case most > 0 && utf8.RuneCountInString(text) > most:
		f.spoil(x, fmt.Sprintf("Use at most %d characters.", most))
	default:
		return text
	}
	return ""
}

// place refuses an address that names no place: whoever compares sales
// (store.Keys.SaleAddress) could not tell it from another one in the postcode.
func (f *form) place(text, code string) {
	if text == "" {
		return
	}
	var compare store.Keys
	if compare.SaleAddress(text, code) == compare.SaleAddress("", code) {
		f.spoil(address, "Write the house and street: this has nothing but the postcode, or no letter or digit at all.")
	}
}

func (f *form) email(x field) string {
	text := f.line(x)
	if text == "" {
		return ""
	}
	address, ok := emailAddress(text)
	if !ok {
		f.spoil(x, adviceEmail)
		return ""
	}
	return address
}

// professional is the e-mail of one who works on the sale: never the seller, whose
// account it would become.
func (f *form) professional(x field, seller string) string {
	address := f.email(x)
	if address != "" && strings.EqualFold(address, seller) {
		f.spoil(x, "Give the professional's own e-mail: this is the seller's.")
		return ""
	}
	return address
}

func (f *form) phone() string {
	text := f.line(phoneNumber)
	if text == "" {
		return ""
	}
	number, advice := phoneE164(text)
	if advice != "" {
		f.spoil(phoneNumber, advice)
	}
	return number
}

func (f *form) postcode() string {
	text := f.line(postcode)
	if text == "" {
		return ""
	}
	code, ok := ukPostcode(text)
	if !ok {
		f.spoil(postcode, advicePostcode)
	}
	return code
}

// method leaves the sale without one where what was given is none.
func (f *form) method(s *sales.NewSale) {
	text := f.line(saleMethod)
	switch text {
	case "":
		if !f.spoilt[saleMethod] {
			s.Method = sales.StandardSale
		}
	case string(sales.StandardSale):
		s.Method = sales.StandardSale
	case string(sales.ModernAuction):
		s.Method = sales.ModernAuction
	case string(sales.SecureSale):
		s.Method = sales.SecureSale
	default:
		f.spoil(saleMethod, "Choose one of standard, modern_auction and secure_sale.")
	}
}

var slug = regexp.MustCompile(`^[a-z0-9-]{1,100}$`)

// slugs is the list of products, none where none was given.
func (f *form) slugs() []string {
	if f.spoilt[products] || len(f.products) == 0 {
		return nil
	}
	if len(f.products) > maxProducts {
		f.spoil(products, fmt.Sprintf("Name at most %d products.", maxProducts))
		return nil
	}
	known := map[string]bool{}
	list := make([]string, 0, len(f.products))
	for i, p := range f.products {
		text := strings.TrimSpace(p.text)
		switch {
		case p.wrongType:
			f.add(productPath(i), adviceText)
		case !slug.MatchString(text):
			f.add(productPath(i), "Name the product by its slug: small letters, digits and hyphens, at most 100.")
		case known[text]:
			f.add(productPath(i), "Name each product once.")
		}
		known[text] = true
		list = append(list, text)
	}
	return list
}

func productPath(i int) string { return fmt.Sprintf("%s[%d]", fields[products].name, i) }
