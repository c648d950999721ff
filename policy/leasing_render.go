package policy

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// maxLeaseNote bounds a reason or note in a mail, in characters.
	maxLeaseNote = 500
	// maxLeaseLines bounds the lines of a text.
	maxLeaseLines = 20
	// maxTitle bounds the title of a question, in characters.
	maxTitle = 120
)

// leaseView is LeaseData as templates see it: all in words, "" for what is not known.
type leaseView struct {
	Company, Recipient, Tenant, Address, Unit, LeaseID string
	// Days and an instant, as the text's language writes them.
	MoveIn, End, NewEnd, From, DueBy, When string
	// Amounts, and a share.
	Rent, NewRent, Amount, Increase string
	Months                          int
	Item, Person, Reason, Note      string
	Count                           int
	Lines                           []string
}

// leaseText renders a text; see Policy.LeaseText.
func (s section) leaseText(language, id string, data LeaseData) (LeaseText, string, error) {
	in, source, ok := s.Leasing.source(language, id)
	if !ok {
		return LeaseText{}, "", unknownText(id)
	}
	if data.Company == "" {
		data.Company = s.Name
	}
	if data.Currency == "" {
		data.Currency = s.Leasing.Currency
	}
	if word, ok := s.Leasing.Words[in][data.Item]; ok {
		data.Item = word
	}
	text, err := source.render(id, in, data)
	return text, in, err
}

// source finds a text in a language or one of the same base, else in the policy's own; the
// built-in one stands in for one of laterTexts.
func (l leasing) source(language, id string) (in string, source leaseSource, ok bool) {
	var available []string
	for _, in := range slices.Sorted(maps.Keys(l.Texts)) {
		if _, ok := l.Texts[in][id]; ok {
			available = append(available, in)
		}
	}
	in = Language(language, available)
	if base(in) != base(language) || !slices.Contains(available, in) {
		in = l.Language
	}
	source, ok = l.Texts[in][id]
	if !ok && slices.Contains(laterTexts(), id) {
		built := builtInLeasing()
		in = built.Language
		source, ok = built.Texts[in][id]
	}
	return in, source, ok
}

// builtInLeasing is the section of the policy that is part of the program.
var builtInLeasing = sync.OnceValue(func() leasing {
	p, err := parse("built-in policy", embedded)
	if err != nil {
		return leasing{} // no program is built with one that is wrong
	}
	return p.company.Leasing
})

// base is the language of a tag without its region: "es" of "es-MX".
func base(tag string) string {
	tag, _, _ = strings.Cut(tagOf(tag), "-")
	return tag
}

// render fills the text in, with values as long as there is room for each part. A text
// message has no accents but those that do not make it cost twice.
func (t leaseSource) render(id, language string, data LeaseData) (LeaseText, error) {
	out := LeaseText{Options: maps.Clone(t.Options), Fields: maps.Clone(t.Fields)}
	heading := data.view(language, maxValue, maxReason)
	var err error
	for _, part := range []struct {
		to     *string
		source string
		view   leaseView
	}{
		{&out.Body, string(t.Body), data.view(language, maxName, maxLeaseNote)},
		{&out.Subject, t.Subject, heading},
		{&out.Title, t.Title, heading},
		{&out.SMS, t.SMS, heading},
	} {
		if *part.to, err = execute(id, part.source, maxLetter, part.view); err != nil {
			return LeaseText{}, err
		}
	}
	out.Body = tidy(out.Body)
	out.Subject, out.Title = oneLine(out.Subject, maxSubject), oneLine(out.Title, maxTitle)
	out.SMS = asSMS(out.SMS)
	return out, nil
}

// asSMS is a text on one line, without typographic marks and those accents for which it
// would cost twice.
func asSMS(text string) string {
	return strings.Map(plain, marks.Replace(strings.Join(strings.Fields(text), " ")))
}

// view puts all into words, values of at most value characters, and makes them harmless.
func (d LeaseData) view(language string, value, note int) leaseView {
	clean := func(text string) string { return cleanLine(text, value, same) }
	day := func(text string) string { return clean(dayIn(language, text)) }
	v := leaseView{
		Company: clean(d.Company), Recipient: clean(d.Recipient), Tenant: clean(d.Tenant), Address: clean(d.Address),
		Unit: clean(d.Unit), LeaseID: clean(d.LeaseID),
		MoveIn: day(d.MoveIn), End: day(d.End), NewEnd: day(d.NewEnd), From: day(d.From), DueBy: day(d.DueBy),
		When: clean(instantIn(language, d.When)),
		Rent: d.money(d.Rent), NewRent: d.money(d.NewRent), Amount: d.money(d.Amount),
		Months: d.Months, Item: clean(d.Item), Person: clean(d.Person), Count: d.Count,
		Reason: cleanLine(d.Reason, note, same), Note: cleanLine(d.Note, note, same),
		Lines: cleanLines(d.Lines, maxLeaseLines, value),
	}
	if d.Increase != 0 {
		v.Increase = d.Increase.String()
	}
	return v
}

// money is an amount as people read it, "" for none.
func (d LeaseData) money(amount Cents) string {
	if amount == 0 {
		return ""
	}
	return cleanLine(Money{Amount: amount, Currency: d.Currency}.String(), maxValue, same)
}

// dayIn writes a YYYY-MM-DD as a language does; languages that are not known here have
// the digits as they are, and so has what is no day.
func dayIn(language, text string) string {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return text
	}
	switch base(language) {
	case "en":
		return t.Format("Mon, Jan 2, 2006")
	case "es":
		return spanishDay(t)
	}
	return text
}

// instantIn writes a "2006-01-02 15:04" as a language does; see dayIn.
func instantIn(language, text string) string {
	t, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		return text
	}
	switch base(language) {
	case "en":
		return t.Format("Mon, Jan 2, 2006, 3:04 PM")
	case "es":
		return spanishDay(t) + ", " + t.Format("15:04")
	}
	return text
}

func spanishDay(t time.Time) string {
	days := []string{"dom", "lun", "mar", "mié", "jue", "vie", "sáb"}
	months := []string{"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"}
	return strings.Join([]string{days[t.Weekday()], strconv.Itoa(t.Day()), months[t.Month()-1], strconv.Itoa(t.Year())}, " ")
}
