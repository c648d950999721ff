package store

import "strings"

// SubjectOf is a person as the audit names them, whether as whose personal data an entry's
// details are or as who acted, by the id of a Person: "contact/21", or "person/<id>" for
// whoever is no contact at RentVine.
func SubjectOf(person string) string {
	if person == "" {
		return ""
	}
	if contact, ok := strings.CutPrefix(person, "contact:"); ok {
		return "contact/" + contact
	}
	return "person/" + person
}
