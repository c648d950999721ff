package policy

import "strings"

// The letters of sales: mails of a subject and paragraphs.
const (
	// LetterReminder reminds somebody of an invitation.
	LetterReminder = "invitation_reminder"
	// LetterChoose asks whom to take instead of somebody who does not accept. It
	// carries the placeholder {link}, which the sender fills in.
	LetterChoose = "invitation_choose"
	// LetterChosen answers that: the invitation itself has to be made at OpenMoove,
	// whose API has none (contracts/openmoove.md 2).
	LetterChosen = "invitation_chosen"
	// LetterMilestonesMissing tells the manager of milestones that OpenMoove did not
	// make.
	LetterMilestonesMissing = "milestones_missing"
	// LetterProgress tells that something about a sale's progress has changed.
	LetterProgress = "progress"
	// LetterChanges tells what has changed at a sale.
	LetterChanges = "changes"
	// LetterReported tells that another system reported a milestone as done. It has to
	// be completed at OpenMoove, whose API cannot (contracts/openmoove.md 2).
	LetterReported = "milestone_reported"
	// LetterUnconfirmed tells that OpenMoove still does not show such a milestone as
	// completed.
	LetterUnconfirmed = "milestone_unconfirmed"
)

// letters is every letter that a policy with sales must have.
func letters() map[string]kind {
	return map[string]kind{
		LetterReminder: tells, LetterChoose: asks, LetterChosen: tells, LetterMilestonesMissing: tells, LetterProgress: tells,
		LetterChanges: tells, LetterReported: tells, LetterUnconfirmed: tells,
	}
}

// LetterData is what a letter may say. Values come from people and partners: Letter
// makes them harmless. Company is filled in from the policy where it is empty.
type LetterData struct {
	Company string
	// Recipient is the name of whom the letter goes to.
	Recipient string
	// Role and Method are in words: see Words.
	Role   string
	Method string
	// Professional is whom the letter is about: name, firm or both (see
	// Professional.Title); Firm and Email are that professional's.
	Professional string
	Firm         string
	Email        string
	// Address may end with the postcode, which is not said twice.
	Address  string
	Postcode string
	// InvitedOn is a date as people read it: see Sales.Date.
	InvitedOn string
	// Number and Of tell which reminder it is, from 1. With LetterChoose, Number is
	// how many were sent.
	Number int
	Of     int
	// Alert says what LetterProgress is about, such as "Overdue"; Step is the milestone,
	// "" for the sale as a whole, DueOn its date as people read it, Current the
	// milestone that comes next, and Percent how many are completed.
	Alert   string
	Step    string
	DueOn   string
	Current string
	Percent int
	// Status is OpenMoove's of the sale, such as "For sale".
	Status string
	// By is the person or system that reported Step; DoneOn is when it was done and
	// ReportedOn when that was reported, as people read dates.
	By         string
	DoneOn     string
	ReportedOn string
	// Options are whom one may choose, best first; at most maxOptions are said.
	Options []string
	// Milestones are names; at most maxMilestones are said.
	Milestones []string
	// Changes are lines; at most maxChanges are said.
	Changes []string
}

const (
	// maxName bounds names, addresses and options, in characters.
	maxName = 255
	// maxOptions bounds the options of a letter.
	maxOptions = 10
	// maxChanges bounds the changes of a letter.
	maxChanges = 30
	// maxLetterSource bounds the template of a letter's body, in bytes.
	maxLetterSource = 4000
	// maxLetter bounds a rendered letter, in bytes. Load sees to it that no values
	// can reach it.
	maxLetter = 48 << 10
	// maxSubject bounds a letter's subject, in characters.
	maxSubject = 250
)

// Letter renders a letter. It depends on nothing but the policy and data. Line
// breaks are those of the template; the placeholder {link} stays as it is, and
// values can bring in neither. The error is ErrUnknownText, or the template's, which
// Load rules out.
func (s Sales) Letter(id string, data LetterData) (heading, body string, err error) {
	l, ok := s.Texts[id]
	if !ok {
		return "", "", unknownText(id)
	}
	if data.Company == "" {
		data.Company = s.Name
	}
	return l.render(id, data)
}

func (l Letter) render(id string, data LetterData) (heading, body string, err error) {
	data = data.clean()
	if body, err = execute(id, l.Body, maxLetter, data); err != nil {
		return "", "", err
	}
	data.Address = cleanLine(data.Address, maxValue, same) // a subject is short
	if heading, err = execute(id, l.Subject, maxLetter, data); err != nil {
		return "", "", err
	}
	return oneLine(heading, maxSubject), tidy(body), nil
}

// clean copies the lists.
func (d LetterData) clean() LetterData {
	for _, v := range []*string{&d.Company, &d.Role, &d.Method, &d.Postcode, &d.InvitedOn, &d.Alert, &d.DueOn, &d.Status, &d.DoneOn, &d.ReportedOn} {
		*v = cleanLine(*v, maxValue, same)
	}
	for _, v := range []*string{&d.Recipient, &d.Professional, &d.Firm, &d.Email, &d.Address, &d.Step, &d.Current, &d.By} {
		*v = cleanLine(*v, maxName, same)
	}
	if place, ok := strings.CutSuffix(d.Address, d.Postcode); ok && d.Postcode != "" {
		d.Address = strings.TrimRight(place, ", ")
	}
	d.Options = cleanLines(d.Options, maxOptions, maxName)
	d.Milestones = cleanLines(d.Milestones, maxMilestones, maxLine)
	d.Changes = cleanLines(d.Changes, maxChanges, maxName)
	return d
}

// cleanLines leaves out what is empty.
func cleanLines(values []string, most, limit int) []string {
	var out []string
	for _, v := range values {
		if v = cleanLine(v, limit, same); v != "" && len(out) < most {
			out = append(out, v)
		}
	}
	return out
}

// oneLine puts a text on one line of at most limit characters.
func oneLine(text string, limit int) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	return strings.TrimSpace(string(runes[:min(len(runes), limit)]))
}

// tidy drops spaces at the ends of lines and all but one of several empty lines,
// which templates leave behind.
func tidy(body string) string {
	var lines []string
	for line := range strings.SplitSeq(body, "\n") {
		line = strings.TrimRight(line, " \t\r")
		if line != "" || len(lines) > 0 && lines[len(lines)-1] != "" {
			lines = append(lines, line)
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
