package page

import (
	"regexp"
	"strings"
	"time"
)

// View is all that the page shows at one moment.
type View struct {
	// Version grows with every change.
	Version int64
	// Number is the account's own number, from which texts come.
	Number     string
	Samples    []string
	Phones     []Phone
	MorePhones int
	Mails      []Mail
	Tables     []Table
	// WorkOrders and Statuses are what a status can be changed of, and to.
	WorkOrders []string
	Statuses   []string
	// Leases are those of which a move-out can be recorded.
	Leases    []string
	Calls     []Call
	Partners  []Partner
	Counts    Counts
	OpenMoove OpenMoove
	Outgoing  Outgoing
}

// OpenMoove is the sales there.
type OpenMoove struct {
	// Samples are webhooks to send; none where nothing signs them.
	Samples []string
	Options []Option
	// ChangesADay is how many changes the sales make by themselves in a business day.
	ChangesADay int
	// MaxChangesADay and MaxPortfolio bound what can be asked for.
	MaxChangesADay, MaxPortfolio int
	// Sales are the newest; Count is all.
	Sales []Sale
	Count int
}

// Outgoing is Keyholder's outgoing webhooks as a subscriber gets them.
type Outgoing struct {
	// On tells whether there is a subscriber.
	On bool
	// Webhooks are the newest, newest first; Count is all.
	Webhooks []Webhook
	Count    int
}

// Webhook is one that came, however often.
type Webhook struct {
	Key, ID, Type, Name, Body string
	Deliveries                int
	// BodyChanged tells that a repeat was not the same.
	BodyChanged bool
	Time        time.Time
}

// Option is something that can be switched on and off, by its name in JSON.
type Option struct {
	Name, Label string
	On          bool
}

// Sale is one property in OpenMoove. Times are texts, in business time.
type Sale struct {
	ID                                                       int
	Address, Postcode, Method, Status, Seller, Created, UUID string
	Team                                                     []Professional
	Milestones                                               []Milestone
	Completed                                                int
}

// Professional is somebody of a sale's team.
type Professional struct {
	Role, RoleName, Name, Firm, Email string
	Active                            bool
	// Invited and Code are those of the invitation.
	Invited, Code string
}

// Milestone is a step of a sale; Due is a day such as "2026-12-01" or "".
type Milestone struct {
	ID                 int
	Name, Due          string
	CompletedAt        string
	Completed, Overdue bool
	// Current is the first that is not completed.
	Current bool
}

// Counts are the numbers beside the tabs.
type Counts struct{ Texts, Mails, Sales, Outgoing, Calls, Faults, Duplicates int }

// Phone is one person's phone.
type Phone struct {
	Number   string
	Name     string
	OptedOut bool
	Texts    []Text
}

// Text is one bubble; Mine was typed on the phone.
type Text struct {
	ID     string
	Mine   bool
	Body   string
	Status string
	Failed bool
	Time   time.Time
}

// Mail is one mail.
type Mail struct {
	ID          int
	From, To    string
	Subject     string
	Text        string
	HasHTML     bool
	MessageID   string
	Problem     string
	Time        time.Time
	Attachments []File
}

// File is something to download.
type File struct {
	Name, URL string
	Size      int
}

// Table is records of a partner.
type Table struct {
	Name    string
	Columns []string
	Rows    []Row
}

// Row is one record; URL, where set, downloads it.
type Row struct {
	URL   string
	Cells []string
}

// Call is a request that reached a partner.
type Call struct {
	Key                          string
	Partner, Method, Path, Fault string
	Status                       int
	Body                         string
	Time                         time.Time
}

// Bad tells whether the answer was an error or none.
func (c Call) Bad() bool { return c.Status == 0 || c.Status >= 400 }

// Partner is a stand-in and its faults to switch on.
type Partner struct {
	ID, Name string
	Calls    int
	// Fault is the one that is on, as JSON; "" for none.
	Fault   string
	Presets []Preset
}

// Preset is a fault at the press of a button.
type Preset struct {
	Label, JSON string
	On          bool
}

// Segment is a piece of a text; URL is set where it is a link.
type Segment struct{ Text, URL string }

var link = regexp.MustCompile(`https?://[^\s<>"']+`)

// Split finds the links in a text. Punctuation after a link is not part of it.
func Split(text string) []Segment {
	var out []Segment
	for {
		at := link.FindStringIndex(text)
		if at == nil {
			break
		}
		url := strings.TrimRight(text[at[0]:at[1]], ".,;:!?)")
		if at[0] > 0 {
			out = append(out, Segment{Text: text[:at[0]]})
		}
		out = append(out, Segment{Text: url, URL: url})
		text = text[at[0]+len(url):]
	}
	if text != "" {
		out = append(out, Segment{Text: text})
	}
	return out
}
