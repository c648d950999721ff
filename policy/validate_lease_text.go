package policy

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// welcomePrefix begins the ids of the series of mails at a move-in.
	welcomePrefix = "welcome_"
	// maxLanguages, maxLabel and maxWords bound the texts; labels are in characters.
	maxLanguages = 20
	maxLabel     = 120
	maxWords     = 100
)

var languagePattern = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$`)

// leaseKind is what a text of leasing must have. The zero value tells something.
type leaseKind struct {
	// choices and fields are those of a question, which need labels.
	choices, fields []string
	// page tells that it is answered on its page alone; others may be answered by the
	// number of a choice too.
	page bool
}

func (k leaseKind) asks() bool { return len(k.choices) > 0 }

// leaseTexts is every text that the policy's own language must have, but for those of
// the series of mails, which Welcome names.
func leaseTexts() map[string]leaseKind {
	question := func(choices string, fields ...string) leaseKind {
		return leaseKind{choices: strings.Fields(choices), fields: fields}
	}
	page := func(choices string, fields ...string) leaseKind {
		k := question(choices, fields...)
		k.page = true
		return k
	}
	return map[string]leaseKind{
		TextMoveInInspection: {}, TextMoveInInspectionOff: {}, TextMoveInMoved: {}, TextMoveInCancelled: {},
		TextMoveInUtility: question("done help"), TextMoveInContact: question("text mail", "language"),
		TextRenewalOffer: page("accept decline counter", "amount", "note"), TextRenewalSign: page("sign decline", "name"),
		TextRenewalWithdrawn: {}, TextRenewalDone: {},
		TextRetentionSurvey: page("send", "rating", "note"), TextRetentionIncentive: question("accept decline"),
		TextInspectorDone: question("done not_done"),
		TextPackageOrder:  question("confirm cannot"), TextPackageOff: {}, TextUtilityRequest: {}, TextUtilityOff: {},
		TextOwnerApprove: question("approve change decline", "amount"), TextOwnerDone: {},
		TextManagerMoveInDate: question("date none", "date"), TextManagerNotice: {},
		TextManagerWorth: question("offer let_go"), TextManagerLaw: question("confirm decline"),
		TextManagerApprove: question("approve change decline", "amount"), TextManagerCounter: question("agree stand decline"),
		TextManagerConflict:  question("ours theirs"),
		TextManagerIncentive: question("approve decline"), TextOutreach: question("done cannot", "note"),
	}
}

// laterTexts need not be given: policies that were written before them stay right.
func laterTexts() []string { return []string{TextManagerConflict} }

// leaseTexts checks those that are given, and, where leases are accompanied, that none
// is missing.
func (c *checker) leaseTexts(l leasing) {
	known := leaseTexts()
	c.words(l)
	c.size(len(l.Texts), "leasing.texts", 0, maxLanguages)
	for _, language := range slices.Sorted(maps.Keys(l.Texts)) {
		path, samples := join("leasing.texts", language), sampleLeases(language)
		c.must(languagePattern.MatchString(language), path, `must be named by a language such as "en" or "pt-BR"`)
		for _, id := range slices.Sorted(maps.Keys(l.Texts[language])) {
			at := join(path, id)
			kind, ok := known[id]
			if !ok && !strings.HasPrefix(id, welcomePrefix) {
				c.must(false, at, "is not a text that is used anywhere")
				continue
			}
			c.leaseText(l.Texts[language][id], kind, samples, at)
		}
	}
	if !l.on() {
		return
	}
	own, ok := l.Texts[l.Language]
	c.must(ok, "leasing.language", "must be one of those of leasing.texts")
	for _, id := range slices.Sorted(maps.Keys(known)) {
		_, given := own[id]
		c.must(given || !ok || slices.Contains(laterTexts(), id), join("leasing.texts", l.Language, id), "must be given")
	}
}

func (c *checker) words(l leasing) {
	for _, language := range slices.Sorted(maps.Keys(l.Words)) {
		path := join("leasing.words", language)
		c.must(languagePattern.MatchString(language), path, `must be named by a language such as "en" or "pt-BR"`)
		c.size(len(l.Words[language]), path, 0, maxWords)
		for _, word := range slices.Sorted(maps.Keys(l.Words[language])) {
			c.line(l.Words[language][word], join(path, word))
		}
	}
}

func (c *checker) leaseText(t leaseSource, k leaseKind, samples []leaseView, path string) {
	c.must(t.Subject != "", path+".subject", "must be given")
	c.must(t.Body != "", path+".body", "must be given")
	c.must(t.Title != "" || !k.asks(), path+".title", "must be given: it heads the page of the question")
	c.labels(t.Options, k.choices, path+".options")
	c.labels(t.Fields, k.fields, path+".fields")
	const stray = "has braces that would be sent as they are; only a question knows {link} and {code}, in its body and sms"
	subjects := c.tryLease(t.Subject, samples, path+".subject")
	c.must(!contain(subjects, "{", "}"), path+".subject", stray)
	c.must(subjects == nil || utf8.RuneCountInString(oneLine(subjects[0], maxSubject+1)) <= maxSubject, path+".subject", "is too long for a subject")
	c.must(!contain(c.tryLease(t.Title, samples, path+".title"), "{", "}"), path+".title", stray)
	c.placeholders(c.tryLease(string(t.Body), samples, path+".body"), k.asks(), false, path+".body")
	texts := c.tryLease(t.SMS, samples, path+".sms")
	c.placeholders(texts, k.asks(), k.asks() && !k.page, path+".sms")
	if texts != nil {
		c.must(Segments(fillSample(asSMS(texts[0]))) <= maxSegments, path+".sms", "is longer than %d text messages", maxSegments)
	}
}

// placeholders checks that a part of a question has what it needs to be answered,
// whatever else is known, and that nothing else is in braces.
func (c *checker) placeholders(tries []string, link, code bool, path string) {
	hasLink, hasCode := true, true
	for i, out := range tries {
		hasLink, hasCode = hasLink && strings.Contains(out, "{link}"), hasCode && strings.Contains(out, "{code}")
		if link {
			tries[i] = strings.NewReplacer("{link}", "", "{code}", "").Replace(out)
		}
	}
	c.must(!link || hasLink, path, "asks for an answer, so it must contain {link}, whatever else is known")
	c.must(!code || hasCode, path, "may be answered by a number, so it must contain {code}, whatever else is known")
	c.must(!contain(tries, "{", "}"), path, "has braces that would be sent as they are; only a question knows {link} and {code}")
}

// labels checks that each choice or field has one, and nothing else has.
func (c *checker) labels(labels map[string]string, of []string, path string) {
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		c.must(slices.Contains(of, name), join(path, name), "is not used here; used are: %s", strings.Join(of, ", "))
	}
	for _, name := range of {
		label := labels[name]
		c.must(label != "" && utf8.RuneCountInString(label) <= maxLabel && !hasBreaks(label), join(path, name),
			"must be given and be one line of at most %d characters", maxLabel)
	}
}

// sampleLeases are what a text is tried with: values about as long as they come, none,
// and the longest that the rendering lets through.
func sampleLeases(language string) []leaseView {
	usual := LeaseData{
		Company: "Thirty Characters Of A Company", Recipient: "Alexandria Richardson", Tenant: "Christopher Montgomery",
		Address: "12345 Martin Luther King Boulevard, Los Angeles", Unit: "1204B", LeaseID: "104711",
		MoveIn: "2026-09-23", End: "2027-09-22", NewEnd: "2028-09-22", From: "2027-09-23", DueBy: "2027-07-28", When: "2026-09-22 10:00",
		Rent: 12_345_00, NewRent: 12_945_00, Amount: 12_645_00, Currency: "USD", Increase: 49, Months: 12,
		Item: "a professional carpet cleaning", Person: "Maria Fixit", Reason: strings.Repeat("open work orders ", 5),
		Note: strings.Repeat("what somebody wrote ", 4), Count: 2, Lines: []string{"410 NW Lovejoy St, unit 3: $1,950.00", "$2,010.00"},
	}
	long := strings.Repeat("\U0001F3E0", maxLeaseNote)
	longest := LeaseData{
		Company: long, Recipient: long, Tenant: long, Address: long, Unit: long, LeaseID: long, MoveIn: long, End: long, NewEnd: long,
		From: long, DueBy: long, When: long, Rent: -1, NewRent: -1, Amount: -1, Currency: long, Increase: -1, Months: 60,
		Item: long, Person: long, Reason: long, Note: long, Count: 10, Lines: slices.Repeat([]string{long}, maxLeaseLines),
	}
	return []leaseView{
		usual.view(language, maxValue, maxReason), LeaseData{}.view(language, maxValue, maxReason),
		longest.view(language, maxName, maxLeaseNote),
	}
}

// tryLease renders a template with all samples, nil where it is empty or fails.
func (c *checker) tryLease(source string, samples []leaseView, path string) []string {
	if source == "" {
		return nil
	}
	var tries []string
	for _, view := range samples {
		out, err := execute(path, source, maxLetter, view)
		if err != nil {
			c.must(false, path, "cannot be rendered: %s", firstLine(err.Error()))
			return nil
		}
		if strings.TrimSpace(out) == "" {
			c.must(false, path, "renders to nothing")
			return nil
		}
		tries = append(tries, out)
	}
	return tries
}
