package store

// A Detail is one line of what the page of a question shows: a label and what it
// says, such as "Price" and "$120.00". No names of people.
type Detail struct {
	Label string `json:"label"`
	Text  string `json:"text"`
}

// FieldKind says what a form's field takes, and the form in which an answer has it.
type FieldKind string

// The kinds.
const (
	// FieldMoney is an amount: "1250.00".
	FieldMoney FieldKind = "money"
	// FieldDate is a day: "2026-11-24".
	FieldDate FieldKind = "date"
	// FieldText is free text of at most 500 characters.
	FieldText FieldKind = "text"
	// FieldRating is a whole number from 1 to 5.
	FieldRating FieldKind = "rating"
	// FieldChecks are items to tick: their numbers from 0, joined by commas.
	FieldChecks FieldKind = "checks"
	// FieldPhotos are pictures to upload; an answer has them beside its fields.
	FieldPhotos FieldKind = "photos"
	// FieldFiles are pictures or PDF files to upload; an answer has them among its photos.
	FieldFiles FieldKind = "files"
)

// A Field is something that the form of a question asks beside the choice. A text
// message cannot fill it in.
type Field struct {
	// Name is what the answer has it under: small letters and "_".
	Name  string    `json:"name"`
	Label string    `json:"label"`
	Kind  FieldKind `json:"kind"`
	// For are the choices with which it must be filled in; with others it may be left
	// out.
	For []string `json:"for,omitempty"`
	// Currency is that of money, ISO 4217.
	Currency string `json:"currency,omitempty"`
	// From and To bound a date, both included.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Items are what may be ticked.
	Items []string `json:"items,omitempty"`
	// Most is how many photos or files may be uploaded.
	Most int `json:"most,omitempty"`
}
