package intake

import (
	"regexp"
	"strings"
)

// field is one of the fields of POST clients/ (contracts/openmoove.md 2).
type field int

// The fields, in the order of documentation.
const (
	firstName field = iota
	lastName
	sellerEmail
	phoneNumber
	address
	postcode
	saleMethod
	estateAgent
	conveyancer
	mortgageBroker
	auctioneer
	products

	fieldCount
	noField field = -1
)

// fields holds what is known of each: its name, whether a sale must have it, and
// the most characters that it takes (0: its own check knows).
var fields = [fieldCount]struct {
	name     string
	required bool
	most     int
}{
	firstName:      {"first_name", true, 150},
	lastName:       {"last_name", true, 150},
	sellerEmail:    {"email", true, maxEmail},
	phoneNumber:    {"phone_number", true, 0},
	address:        {"property_address", true, 255},
	postcode:       {"property_postcode", true, 0},
	saleMethod:     {"sale_method", false, 0},
	estateAgent:    {"estate_agent_email", false, maxEmail},
	conveyancer:    {"conveyancer_email", false, maxEmail},
	mortgageBroker: {"mortgage_broker_email", false, maxEmail},
	auctioneer:     {"auctioneer_email", false, maxEmail},
	products:       {"products", false, 0},
}

// Columns are the names that a file may have, in the order of documentation.
func Columns() []string {
	names := make([]string, fieldCount)
	for i, f := range fields {
		names[i] = f.name
	}
	return names
}

// fieldNamed returns the field of an exact name, or noField.
func fieldNamed(name string) field {
	for i, f := range fields {
		if f.name == name {
			return field(i)
		}
	}
	return noField
}

// nameable is what a caller's own name for a field may look like to be repeated
// to them. Anything else may be data, such as a file's first row in place of its
// header.
var nameable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_ -]{0,39}$`)

// otherNames are words that other systems use, in the form of columnName.
var otherNames = map[string]field{
	"forename": firstName, "given_name": firstName, "seller_first_name": firstName,
	"surname": lastName, "family_name": lastName, "seller_last_name": lastName,
	"mail": sellerEmail, "e_mail": sellerEmail, "email_address": sellerEmail, "seller_email": sellerEmail, "client_email": sellerEmail,
	"phone": phoneNumber, "mobile": phoneNumber, "mobile_number": phoneNumber, "telephone": phoneNumber, "tel": phoneNumber,
	"address": address, "street": address,
	"postcode": postcode, "post_code": postcode, "postal_code": postcode, "zip": postcode,
	"method": saleMethod, "sale_type": saleMethod,
	"agent": estateAgent, "agent_email": estateAgent, "estate_agent": estateAgent,
	"solicitor": conveyancer, "solicitor_email": conveyancer, "lawyer_email": conveyancer, "conveyancer": conveyancer,
	"broker": mortgageBroker, "broker_email": mortgageBroker, "mortgage_broker": mortgageBroker,
	"auctioneer": auctioneer,
	"product":    products, "packs": products,
}

// columnName folds what people vary in a header: case, spaces and hyphens.
func columnName(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return r == '_' || r == '-' || r == ' ' || r == '\u00a0'
	}), "_")
}

// nearest is the field that an unknown name probably means, "" where none is near.
func nearest(name string) string {
	if !nameable.MatchString(name) {
		return ""
	}
	name = columnName(name)
	if f, ok := otherNames[name]; ok {
		return fields[f].name
	}
	best, least := "", 2+len(name)/4
	for _, f := range fields {
		if d := distance(name, f.name); d < least {
			best, least = f.name, d
		}
	}
	return best
}

// distance counts the letters to insert, remove, replace or swap with their
// neighbour to make one ASCII word of another.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
