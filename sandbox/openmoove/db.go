package openmoove

import (
	"crypto/rand"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// maxProperties bounds what is kept. Nothing is dropped to make room: a create is
// refused.
const maxProperties = 50_000

// codeLength is that of invitation codes (contracts/openmoove.md 2).
const codeLength = 12

var errFull = errors.New("the sandbox holds as many properties as it can; POST /_reset")

// db is everything that the sandbox remembers. The Server's lock guards it.
type db struct {
	properties []*Property       // by rising id
	uuids      map[string]int    // ids by transaction id
	people     map[string]person // by e-mail in lower case
	alikes     map[string]int    // how many properties are the same sale
	duplicates int

	lastProperty, lastMilestone, lastPerson, lastMover, lastPurchase int
}

// person is a professional. Who is active has an account and is attached to a sale
// at once.
type person struct {
	id         int
	name, firm string
	active     bool
}

// order is a sale to create, checked.
type order struct {
	firstName, lastName, email, phone, address, postcode, method string
	products                                                     []string
	team                                                         map[string]string // e-mails by role
}

// at is where the property with an id is or would be.
func (d *db) at(id int) (int, bool) {
	return slices.BinarySearchFunc(d.properties, id, func(p *Property, id int) int { return p.ID - id })
}

// withID finds a property by its integer id, nil for none.
func (d *db) withID(text string) *Property {
	id, err := strconv.Atoi(text)
	if err != nil {
		return nil
	}
	if i, ok := d.at(id); ok {
		return d.properties[i]
	}
	return nil
}

// withUUID finds a property by its transaction id, nil for none.
func (d *db) withUUID(text string) *Property {
	id, ok := d.uuids[strings.ToLower(text)]
	if !ok {
		return nil
	}
	i, _ := d.at(id)
	return d.properties[i]
}

// put adds a property or takes the place of the one with its id, and takes note of
// all ids in it.
func (d *db) put(p *Property) {
	i, known := d.at(p.ID)
	if known {
		d.properties[i] = p
	} else {
		d.properties = slices.Insert(d.properties, i, p)
		d.uuids[p.TransactionID] = p.ID
		alike := p.alike()
		d.alikes[alike]++
		if d.alikes[alike] > 1 {
			d.duplicates++
		}
	}
	d.lastProperty, d.lastMover = max(d.lastProperty, p.ID), max(d.lastMover, p.MoverID)
	for _, m := range p.Milestones {
		d.lastMilestone = max(d.lastMilestone, m.ID)
	}
	for _, b := range p.Purchases {
		d.lastPurchase = max(d.lastPurchase, b.ID)
	}
	for _, m := range p.Team {
		d.lastPerson = max(d.lastPerson, m.PersonID)
		email := strings.ToLower(m.Email)
		if was := d.people[email]; !was.active {
			d.people[email] = person{id: m.PersonID, name: m.Name, firm: m.Firm, active: m.Active}
		}
	}
}

// create makes the property of an order. Nothing stops a second one of the same
// sale, as with OpenMoove (contracts/openmoove.md 1).
func (s *Server) create(o order) (*Property, error) {
	if len(s.properties) >= maxProperties {
		return nil, errFull
	}
	p := s.begin(o, s.cfg.Now())
	s.note(p, Change{Kind: Created, Status: p.Status})
	s.commit(p)
	return p, nil
}

// begin is the property of an order that was created at a time (business time), not
// yet in its place.
func (s *Server) begin(o order, created time.Time) *Property {
	d := &s.db
	p := &Property{
		ID: d.lastProperty + 1, TransactionID: uuid.NewString(), ExternalID: uuid.NewString(), MoverID: d.lastMover + 1,
		CreatedAt: created.UTC().Truncate(time.Microsecond), FirstName: o.firstName, LastName: o.lastName, Email: o.email, Phone: o.phone,
		Address: o.address, Postcode: o.postcode, Method: o.method, Status: forSale,
	}
	p.UPRN = uprn(p.ID)
	p.Milestones = milestonesOf(o.method, p.CreatedAt, d.lastMilestone)
	for _, role := range Roles() {
		if email := o.team[role]; email != "" {
			p.Team = append(p.Team, d.member(role, email, p))
		}
	}
	for i, slug := range o.products {
		p.Purchases = append(p.Purchases, Purchase{ID: d.lastPurchase + 1 + i, Product: slug, PurchasedAt: p.CreatedAt})
	}
	return p
}

// member is a professional as he joins a sale: attached at once with an account,
// else invited.
func (d *db) member(role, email string, p *Property) Member {
	m := Member{Role: role, Email: email}
	known, ok := d.people[strings.ToLower(email)]
	if !ok {
		d.lastPerson++
		known = person{id: d.lastPerson}
		d.people[strings.ToLower(email)] = known
	}
	m.PersonID, m.Name, m.Firm, m.Active = known.id, known.name, known.firm, known.active
	if !m.Active {
		m.Code, m.InvitedAt = rand.Text()[:codeLength], p.CreatedAt
	}
	return m
}

// uprn is a property reference number of the size of real ones.
func uprn(id int) int { return 10_090_000_000 + id }

// splitName puts all but the last word into the first name.
func splitName(name string) (first, last string) {
	i := strings.LastIndex(name, " ")
	if i < 0 {
		return "", name
	}
	return name[:i], name[i+1:]
}
