package quickbooks

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// party is a vendor, a customer or an item, as it goes over the wire. It is never
// changed.
type party struct {
	ID          string  `json:"Id"`
	SyncToken   string  `json:"SyncToken"`
	DisplayName string  `json:"DisplayName,omitempty"`
	Name        string  `json:"Name,omitempty"`
	Active      bool    `json:"Active"`
	Email       *record `json:"PrimaryEmailAddr,omitempty"`
	Phone       *record `json:"PrimaryPhone,omitempty"`
	Type        string  `json:"Type,omitempty"`
	Income      *ref    `json:"IncomeAccountRef,omitempty"`
}

func (p *party) shown() any { return p }

func (p *party) field(name string) (string, bool) {
	switch strings.ToLower(name) {
	case "id":
		return p.ID, true
	case "displayname":
		return p.DisplayName, p.DisplayName != ""
	case "name":
		return p.Name, p.Name != ""
	case "active":
		return yes(p.Active), true
	}
	return "", false
}

func yes(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

func withID(all []*party, id string) *party {
	if i := slices.IndexFunc(all, func(p *party) bool { return p.ID == id }); i >= 0 {
		return all[i]
	}
	return nil
}

// createParty makes a vendor or a customer. Names are unique over both.
func (s *Server) createParty(kind string, list *[]*party) func(*http.Request, []byte) answer {
	return func(_ *http.Request, body []byte) answer {
		var in party
		if json.Unmarshal(body, &in) != nil {
			return answer{fault: s.validation("2010", "Request has invalid or unsupported property", "the body is not such an object", "")}
		}
		name := in.DisplayName
		taken := func(p *party) bool { return strings.EqualFold(p.DisplayName, name) }
		switch {
		case name == "" || len([]rune(name)) > 100 || strings.ContainsAny(name, ":\t\n"):
			return answer{fault: s.validation("2020", "Required param missing or invalid", "DisplayName "+name, "DisplayName")}
		case slices.ContainsFunc(s.Vendors, taken) || slices.ContainsFunc(s.Customers, taken):
			return answer{fault: s.validation("6240", "Duplicate Name Exists Error", "The name supplied already exists. : "+name, "")}
		case len(*list) >= maxRecords:
			return answer{fault: full()}
		}
		made := &party{ID: s.id(), SyncToken: "0", DisplayName: name, Active: true, Email: in.Email, Phone: in.Phone}
		*list = append(*list, made)
		return answer{name: kind, object: made}
	}
}
