package ingress

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/aictive/keyholder/ingress/pages"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/store/blobs"
	"github.com/aictive/keyholder/workflows/durable"
)

// form is what somebody sent from a question's page.
type form struct {
	option store.Option
	note   string
	// typed is what was posted by name, as it was typed; ticks of a field are several.
	typed map[string][]string
	// uploads are the files that could be read, in the order sent.
	uploads []upload
	// refused says of fields with files what was wrong with one.
	refused map[string]string
}

// upload is a file as it is kept, and the field that it was sent for.
type upload struct {
	field string
	// data is a JPEG, or a PDF file where ending is blobs.PDF.
	data   []byte
	ending string
	// digest is that of store.Photo.
	digest string
}

// uploaded tells whether a field takes files.
func uploaded(f store.Field) bool { return f.Kind == store.FieldPhotos || f.Kind == store.FieldFiles }

// wordFor is what people call what a field takes.
func wordFor(f store.Field) string {
	if f.Kind == store.FieldFiles {
		return "file"
	}
	return "photo"
}

// formProblem is what is wrong with a field, "" for the form as a whole.
type formProblem struct{ field, text string }

// needsForm tells whether a choice must come with something filled in, which a text
// message cannot bring.
func needsForm(q store.Question, choice string) bool {
	return slices.ContainsFunc(q.Fields, func(f store.Field) bool { return slices.Contains(f.For, choice) })
}

// takesFiles tells whether the question's form has photos or files to upload.
func takesFiles(q store.Question) bool { return slices.ContainsFunc(q.Fields, uploaded) }

// check brings what was typed into the form in which answers have it, or says what is
// wrong with which field. A field that belongs to other choices is left out where it
// makes no sense: whoever declines is not asked to mend a price.
func (f form) check(q store.Question) (fields map[string]string, problems []formProblem) {
	fields = map[string]string{}
	for _, field := range q.Fields {
		required := slices.Contains(field.For, f.option.Choice)
		concerned := required || len(field.For) == 0
		value, why := readField(field, f.typed[field.Name])
		if uploaded(field) {
			why = f.refused[field.Name]
		}
		if why == "" && required && value == "" && !f.hasFile(field.Name) {
			why = unfilled(field)
		}
		switch {
		case why != "" && concerned:
			problems = append(problems, formProblem{field.Name, why})
		case why == "" && value != "":
			fields[field.Name] = value
		}
	}
	if len(problems) > 0 {
		problems = append(problems, f.lostFiles(q, problems)...)
	}
	return fields, problems
}

func (f form) hasFile(field string) bool {
	return slices.ContainsFunc(f.uploads, func(u upload) bool { return u.field == field })
}

// lostFiles says that files must be chosen again: a page cannot put them back.
func (f form) lostFiles(q store.Question, problems []formProblem) []formProblem {
	var lost []formProblem
	for _, field := range q.Fields {
		said := slices.ContainsFunc(problems, func(p formProblem) bool { return p.field == field.Name })
		if !said && f.hasFile(field.Name) {
			lost = append(lost, formProblem{field.Name, "Please choose the " + wordFor(field) + "s once more."})
		}
	}
	return lost
}

func unfilled(field store.Field) string {
	switch field.Kind {
	case store.FieldMoney:
		return "Please write the amount."
	case store.FieldDate:
		return "Please choose the day."
	case store.FieldRating:
		return "Please choose from 1 to 5."
	case store.FieldChecks:
		return "Please tick what was done."
	case store.FieldPhotos, store.FieldFiles:
		return "Please add at least one " + wordFor(field) + "."
	case store.FieldText:
	}
	return "Please fill this in."
}

// readField is a field's value as answers have it, "" where nothing was typed, or
// what is wrong with it.
func readField(field store.Field, typed []string) (value, why string) {
	first := ""
	if len(typed) > 0 {
		first = strings.TrimSpace(typed[0])
	}
	if first == "" && len(typed) <= 1 {
		return "", ""
	}
	switch field.Kind {
	case store.FieldMoney:
		return readMoney(first, field.Currency)
	case store.FieldDate:
		return readDate(first, field)
	case store.FieldText:
		return readText(typed[0])
	case store.FieldRating:
		if len(first) == 1 && first >= "1" && first <= "5" {
			return first, ""
		}
		return "", "Please choose from 1 to 5."
	case store.FieldChecks:
		return readChecks(typed, len(field.Items))
	case store.FieldPhotos, store.FieldFiles:
	}
	return "", "" // files are not typed
}

var (
	plainAmount   = regexp.MustCompile(`^[0-9]{1,9}(?:\.[0-9]{1,2})?$`)
	groupedAmount = regexp.MustCompile(`^[0-9]{1,3}(?:,[0-9]{3}){1,2}(?:\.[0-9]{1,2})?$|^[0-9]{1,3}(?:[ '’][0-9]{3}){1,2}(?:\.[0-9]{1,2})?$`)
	commaAmount   = regexp.MustCompile(`^[0-9]{1,9},[0-9]{1,2}$|^[0-9]{1,3}(?:[. ][0-9]{3}){1,2},[0-9]{1,2}$`)
)

// readMoney reads "1,250.50", "$1250.5", "1250 USD" and, where money is written so,
// "1.250,50". What could mean two amounts is refused: nobody is to be held to a price
// that he did not mean.
func readMoney(text, currency string) (value, why string) {
	why = "Write the amount in figures, such as 1250.50."
	amount := strings.TrimSpace(norm.NFKC.String(text))
	for _, sign := range []string{currency, symbolOf(currency)} {
		sign = strings.TrimSpace(sign)
		if n := len(sign); n > 0 && len(amount) > n && strings.EqualFold(amount[:n], sign) {
			amount = strings.TrimSpace(amount[n:])
		} else if n > 0 && len(amount) > n && strings.EqualFold(amount[len(amount)-n:], sign) {
			amount = strings.TrimSpace(amount[:len(amount)-n])
		}
	}
	switch {
	case plainAmount.MatchString(amount):
	case groupedAmount.MatchString(amount):
		amount = strings.NewReplacer(",", "", " ", "", "'", "", "’", "").Replace(amount)
	case currency == "EUR" && commaAmount.MatchString(amount):
		amount = strings.NewReplacer(".", "", " ", "", ",", ".").Replace(amount)
	default:
		return "", why
	}
	cents, err := policy.ParseCents(amount)
	if err != nil {
		return "", why
	}
	return cents.String(), ""
}

// symbolOf is what stands before an amount: "$", or the code and a space.
func symbolOf(currency string) string {
	return strings.TrimSuffix(policy.Money{Currency: currency}.String(), policy.Cents(0).String())
}

func readDate(text string, field store.Field) (value, why string) {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || len(text) != len(time.DateOnly) {
		return "", "Choose the day from the calendar, or write it like 2026-11-24."
	}
	early, late := field.From != "" && text < field.From, field.To != "" && text > field.To
	if early || late || day.Year() < 2000 {
		return "", "Choose a day " + rangeOf(field) + "."
	}
	return text, ""
}

// rangeOf is "from Nov 24, 2026 to Jan 23, 2027", as far as the field is bounded.
func rangeOf(field store.Field) string {
	var parts []string
	for _, bound := range []struct{ word, day string }{{"from", field.From}, {"to", field.To}} {
		if day, err := time.Parse(time.DateOnly, bound.day); err == nil {
			parts = append(parts, bound.word+" "+day.Format("Jan 2, 2006"))
		}
	}
	return cmp.Or(strings.Join(parts, " "), "after 1999")
}

// cleanNote is free text with plain line ends and nothing that cannot be seen.
func cleanNote(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\r\n", "\n")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
	return strings.TrimSpace(text)
}

func readText(text string) (value, why string) {
	text = cleanNote(text)
	if n := utf8.RuneCountInString(text); n > maxNote {
		return "", fmt.Sprintf("That is too long by %d characters: %d at most.", n-maxNote, maxNote)
	}
	return text, ""
}

// readChecks joins the numbers of what was ticked, in order, each once.
func readChecks(typed []string, items int) (value, why string) {
	ticked := map[int]bool{}
	for _, text := range typed {
		for part := range strings.SplitSeq(text, ",") {
			n, err := strconv.Atoi(strings.TrimSpace(part))
			if err != nil || n < 0 || n >= items {
				return "", "Please tick again what was done."
			}
			ticked[n] = true
		}
	}
	var numbers []string
	for n := range items {
		if ticked[n] {
			numbers = append(numbers, strconv.Itoa(n))
		}
	}
	return strings.Join(numbers, ","), ""
}

// formPage is the question's page with its form, filled in as it was typed, and with
// what is wrong.
func formPage(q store.Question, token string, f form, problems []formProblem) pages.View {
	v := askPage(q)
	if v.HideNote = hidesNote(q); !v.HideNote {
		v.Note = f.note
	}
	for _, d := range q.Details {
		v.Details = append(v.Details, pages.Detail{Label: d.Label, Text: d.Text})
	}
	for _, id := range q.Photos {
		if at := token + "/photo/" + id; strings.HasSuffix(id, blobs.PDF) {
			v.Documents = append(v.Documents, at)
		} else {
			v.Photos = append(v.Photos, at)
		}
	}
	wanting := 0 // options with which something must be filled in
	for _, o := range q.Options {
		if needsForm(q, o.Choice) {
			wanting++
		}
	}
	for i, o := range q.Options {
		v.Options[i].Plain = wanting > 0 && !needsForm(q, o.Choice)
	}
	v.OneTap = wanting == 0
	fields := slices.Clone(q.Fields)
	slices.SortStableFunc(fields, func(a, b store.Field) int { return cmp.Compare(rank(a), rank(b)) })
	for _, field := range fields {
		shown := shownField(field, f.typed[field.Name])
		needed := neededFor(q, field)
		// The browser can only insist where every choice that it checks needs the field.
		shown.Insist = len(needed) > 0 && len(needed) == wanting
		if len(needed) < len(q.Options) {
			shown.NeededFor = quotedList(needed)
		}
		for _, p := range problems {
			if p.field == field.Name {
				shown.Problem = p.text
			}
		}
		v.Fields = append(v.Fields, shown)
	}
	for _, p := range problems {
		brief, _, more := strings.Cut(p.text, ". ") // the rest is said beside the field
		if more && p.field != "" {
			p.text = brief + "."
		}
		v.Problems = append(v.Problems, pages.Problem{Text: p.text, Field: p.field, Label: labelOfField(q, p.field)})
	}
	v.Multipart = takesFiles(q)
	return v
}

// hidesNote tells whether a field of the form takes the place of the note.
func hidesNote(q store.Question) bool {
	wanted := slices.ContainsFunc(q.Options, func(o store.Option) bool { return o.WantsNote })
	return slices.ContainsFunc(q.Fields, func(f store.Field) bool {
		return f.Name == "note" || f.Kind == store.FieldText && !wanted
	})
}

// rank puts files last: where a form is too large for us, what stands before them
// has been read.
func rank(f store.Field) int {
	if uploaded(f) {
		return 1
	}
	return 0
}

// neededFor are the labels of the options with which a field must be filled in.
func neededFor(q store.Question, field store.Field) []string {
	var labels []string
	for _, o := range q.Options {
		if slices.Contains(field.For, o.Choice) {
			labels = append(labels, o.Label)
		}
	}
	return labels
}

func shownField(field store.Field, typed []string) pages.Field {
	s := pages.Field{
		Name: field.Name, Label: field.Label, Kind: string(field.Kind), Optional: len(field.For) == 0,
		From: field.From, To: field.To, MaxNote: maxNote,
	}
	if len(typed) > 0 {
		s.Value = typed[0]
	}
	switch field.Kind {
	case store.FieldMoney:
		s.Symbol, s.Currency = strings.TrimSpace(symbolOf(field.Currency)), field.Currency
	case store.FieldDate:
		if field.From != "" || field.To != "" {
			r := rangeOf(field)
			s.Hint = strings.ToUpper(r[:1]) + r[1:]
		}
	case store.FieldChecks:
		ticked, _ := readChecks(typed, len(field.Items))
		numbers := strings.Split(ticked, ",")
		for i, item := range field.Items {
			s.Items = append(s.Items, pages.Item{Number: i, Label: item, Ticked: slices.Contains(numbers, strconv.Itoa(i))})
		}
	case store.FieldRating:
		for n := 1; n <= 5; n++ {
			s.Items = append(s.Items, pages.Item{Number: n, Label: strconv.Itoa(n), Ticked: s.Value == strconv.Itoa(n)})
		}
	case store.FieldPhotos, store.FieldFiles:
		for n := range mostFiles(field) {
			s.Items = append(s.Items, pages.Item{Number: n + 1})
		}
		s.Hint = fmt.Sprintf("Up to %s, %d MB each: JPEG, PNG, WebP or GIF, not HEIC.", plural(mostFiles(field), "photo"), maxPhotoBytes>>20)
		if field.Kind == store.FieldFiles {
			s.Hint = fmt.Sprintf("Up to %s: PDF of at most %d MB, or photos as JPEG, PNG, WebP or GIF, not HEIC.",
				plural(mostFiles(field), "file"), maxPDFBytes>>20)
		}
	case store.FieldText:
	}
	return s
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}

func quotedList(labels []string) string {
	var list []string
	for _, label := range labels {
		list = append(list, "“"+label+"”")
	}
	return strings.Join(list, " or ")
}

func labelOfField(q store.Question, name string) string {
	for _, f := range q.Fields {
		if f.Name == name {
			return f.Label
		}
	}
	return ""
}

// photosOf are the photos and files of an answer that are kept.
func photosOf(kept []store.Photo) []durable.Photo {
	var list []durable.Photo
	for _, p := range kept {
		list = append(list, durable.Photo{ID: p.ID, Field: p.Field, Digest: p.Digest})
	}
	return list
}
