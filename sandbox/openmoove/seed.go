package openmoove

import "time"

// fresh is the seed, which is small and never changes; new properties and milestones
// come after ids.
func (s *Server) fresh(property, milestone int) db {
	d := db{uuids: map[string]int{}, people: map[string]person{}, alikes: map[string]int{}}
	for i, account := range [][3]string{
		{"agent@oakfield.example.com", "Olivia Grant", "Oakfield Estates"},
		{"agent@northgate.example.com", "Noah Whitfield", "Northgate Property"},
		{"conveyancing@lawson.example.com", "Ruth Lawson", "Lawson Conveyancing"},
		{"lots@hammond.example.com", "Grace Hammond", "Hammond Auctions"},
	} {
		d.people[account[0]] = person{id: i + 1, name: account[1], firm: account[2], active: true}
	}
	d.lastPerson = len(d.people)
	for _, p := range seeded() {
		for i, m := range p.Team {
			made := d.member(m.Role, m.Email, &p)
			if made.Code != "" {
				made.Code = "SEED5CODE2AB"
			}
			p.Team[i] = made
		}
		p.raw = p.encode()
		d.put(&p)
	}
	d.lastProperty, d.lastMilestone = max(d.lastProperty, property), max(d.lastMilestone, milestone)
	return d
}

func seeded() []Property {
	ready := []string{"agent@oakfield.example.com", "conveyancing@lawson.example.com"}
	elm := seedProperty(1, Standard, "14 Orchard Lane, Guildford", "GU1 4AB", 2, "estate_agent", ready[0], "conveyancer", ready[1])
	elm.FirstName, elm.LastName, elm.Email, elm.Phone, elm.TitleNumber = "Meera", "Joshi", "meera.joshi@example.com", "+447700900001", "SY412233"

	harbour := seedProperty(2, ModernAuction, "27 Harbour Street, Bristol", "BS1 5TY", 1,
		"estate_agent", "agent@northgate.example.com", "conveyancer", "newdesk@fielding.example.com", "auctioneer", "lots@hammond.example.com")
	harbour.FirstName, harbour.LastName, harbour.Email, harbour.Phone = "Tom", "Okafor", "tom.okafor@example.com", "+447700900003"
	harbour.Milestones[2].DueDate = time.Time{} // the auction has no day yet

	mill := seedProperty(3, SecureSale, "8 Mill Road, Cambridge", "CB1 2AD", 4,
		"estate_agent", ready[0], "conveyancer", ready[1], "auctioneer", "lots@hammond.example.com")
	mill.FirstName, mill.LastName, mill.Email, mill.Phone = "Ada", "Fenn", "ada.fenn@example.com", "+447700900004"
	mill.Status, mill.TitleNumber = sold, "CB230011"
	return []Property{elm, harbour, mill}
}

// seedProperty begins three weeks apart from the next and has its first milestones
// completed, each a day before it was due. The team is role, e-mail, role, e-mail.
func seedProperty(id int, method, address, postcode string, completed int, team ...string) Property {
	begun := time.Date(2026, time.August, 3, 9, 30, 0, 0, time.UTC).AddDate(0, 0, 21*(id-1))
	digit := string(rune('0' + id))
	p := Property{
		ID: id, MoverID: id, CreatedAt: begun, Address: address, Postcode: postcode, Method: method, Status: forSale, UPRN: uprn(id),
		TransactionID: "11111111-1111-4111-8111-00000000000" + digit, ExternalID: "22222222-2222-4222-8222-00000000000" + digit,
		Milestones: milestonesOf(method, begun, 10*id),
	}
	for i := range p.Milestones[:completed] {
		p.Milestones[i].CompletedAt = p.Milestones[i].DueDate.AddDate(0, 0, -1).Truncate(time.Hour)
	}
	for i := 0; i+1 < len(team); i += 2 {
		p.Team = append(p.Team, Member{Role: team[i], Email: team[i+1]})
	}
	return p
}
