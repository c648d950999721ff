package openmoove

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// Messages of 400 (contracts/openmoove.md 1); those that are not on record there
// are Django REST framework's.
const (
	isRequired     = "This field is required."
	isBlank        = "This field may not be blank."
	isNull         = "This field may not be null."
	isNoText       = "Not a valid string."
	wrongPhone     = "Invalid phone number format"
	wrongEmail     = "Enter a valid email address"
	noProfessional = "At least one professional email must be provided"
	noAuctioneer   = "auctioneer_email is required for auction sale methods"
	refusedAuction = "This auctioneer does not take new sales."
)

// maxEmail is the longest e-mail address.
const maxEmail = 254

// problems collects everything that is wrong with a request.
type problems struct {
	fields map[string][]string
	whole  []string
	// malformed is true as long as all that is wrong is the form of values.
	malformed bool
}

func (p *problems) add(field, message string) {
	if p.fields == nil {
		p.fields = map[string][]string{}
	}
	p.fields[field] = append(p.fields[field], message)
}

// body is the 400 body, nil where nothing is wrong. The contract has three shapes and
// does not say when which is used; here values of a wrong form alone have the one
// with field_errors, and what concerns the whole request is non_field_errors, beside
// the fields where there are both.
func (p *problems) body() any {
	switch {
	case len(p.fields) == 0 && len(p.whole) == 0:
		return nil
	case p.malformed && len(p.whole) == 0:
		return map[string]any{"detail": "Some fields have an invalid format", "field_errors": p.fields}
	}
	body := map[string]any{}
	for field, messages := range p.fields {
		body[field] = messages
	}
	if len(p.whole) > 0 {
		body["non_field_errors"] = p.whole
	}
	return body
}

// check reads an order from a request's fields and tells everything that is wrong.
func check(fields map[string]any) (order, problems) {
	c := checker{fields: fields, problems: problems{malformed: true}}
	o := order{
		firstName: c.text("first_name", 150), lastName: c.text("last_name", 150), email: c.email("email", true),
		phone: c.phone("phone_number"), address: c.text("property_address", 255), postcode: c.text("property_postcode", 10),
		method: c.method(), products: c.products(), team: map[string]string{},
	}
	for _, role := range Roles() {
		field := role + "_email"
		if email := c.email(field, false); email != "" || c.problems.fields[field] != nil {
			o.team[role] = email
		}
	}
	if len(o.team) == 0 {
		c.problems.whole = append(c.problems.whole, noProfessional)
	}
	if _, given := o.team["auctioneer"]; !given && (o.method == ModernAuction || o.method == SecureSale) {
		c.problems.whole = append(c.problems.whole, noAuctioneer)
	}
	if c.problems.body() == nil && strings.HasPrefix(strings.ToLower(o.team["auctioneer"]), "refuse") {
		c.problems.malformed = false
		c.problems.add("auctioneer_email", refusedAuction)
	}
	return o, c.problems
}

// checker reads fields and notes what is wrong with them.
type checker struct {
	fields   map[string]any
	problems problems
}

// value is a field's text. Where it has none, ok is false, and that is a problem of a
// required field.
func (c *checker) value(field string, required bool) (text string, ok bool) {
	v, given := c.fields[field]
	var problem string
	switch v := v.(type) {
	case string:
		if text = strings.TrimSpace(v); text != "" {
			return text, true
		}
		problem = isBlank
	case json.Number:
		return v.String(), true
	case nil:
		problem = isRequired
		if given {
			problem = isNull
		}
	default:
		problem, required = isNoText, true
	}
	if required {
		c.problems.malformed = false
		c.problems.add(field, problem)
	}
	return "", false
}

func (c *checker) text(field string, longest int) string {
	text, ok := c.value(field, true)
	if ok && utf8.RuneCountInString(text) > longest {
		c.problems.add(field, fmt.Sprintf("Ensure this field has no more than %d characters.", longest))
	}
	return text
}

var emailForm = regexp.MustCompile(`^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]+@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}$`)

func (c *checker) email(field string, required bool) string {
	text, ok := c.value(field, required)
	switch {
	case ok && !emailForm.MatchString(text):
		c.problems.add(field, wrongEmail)
	case len(text) > maxEmail:
		c.problems.add(field, fmt.Sprintf("Ensure this field has no more than %d characters.", maxEmail))
	}
	return text
}

// phone takes any valid form and gives it as E.164.
func (c *checker) phone(field string) string {
	text, ok := c.value(field, true)
	if !ok {
		return ""
	}
	n, err := phonenumbers.Parse(text, "GB")
	if err != nil || phonenumbers.IsPossibleNumberWithReason(n) != phonenumbers.IS_POSSIBLE {
		c.problems.add(field, wrongPhone)
		return ""
	}
	return phonenumbers.Format(n, phonenumbers.E164)
}

func (c *checker) method() string {
	v, given := c.fields["sale_method"]
	method, isText := v.(string)
	switch {
	case !given || (isText && method == ""):
		return Standard
	case isText && slices.Contains([]string{Standard, ModernAuction, SecureSale}, method):
		return method
	}
	if !isText {
		method = fmt.Sprint(v)
	}
	c.problems.add("sale_method", strconv.Quote(method)+" is not a valid choice.")
	return ""
}

func (c *checker) products() []string {
	v, given := c.fields["products"]
	if !given || v == nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		c.problems.malformed = false
		c.problems.add("products", "Expected a list of items.")
		return nil
	}
	var slugs []string
	for _, one := range list {
		slug, _ := one.(string)
		if slug != productSlug {
			c.problems.malformed = false
			c.problems.add("products", fmt.Sprintf("Object with slug=%v does not exist.", one))
			continue
		}
		slugs = append(slugs, slug)
	}
	return slugs
}
