package policy

import (
	"maps"
	"slices"
	"strings"
)

// sampleLetters are what a letter is tried with: values about as long as they come,
// none, and the longest that Letter lets through, so that both branches of an if
// and the last of the reminders are seen.
func sampleLetters() []LetterData {
	long := strings.Repeat("\U0001F3E0", maxName)
	return []LetterData{
		{
			Company: "Harbor Homes Sales", Recipient: "Alexandria Richardson", Role: Words(RoleMortgageBroker),
			Method: Words(MethodModernAuction), Professional: "Christopher Montgomery, Montgomery & Daughters",
			Firm: "Montgomery & Daughters", Email: "christopher.montgomery@example.com",
			Address: "Flat 12, 145 Great Northumberland Street, London", Postcode: "SW1A 1AA",
			InvitedOn: "Wednesday 23 September 2026", Number: 2, Of: 3,
			Alert: "Back on track", Step: "Auction Marketing Period", DueOn: "Wednesday 23 September 2026", Current: "Auction Exchange", Percent: 50,
			Status: "Sold subject to contract", By: "Pemberton Case Management", DoneOn: "Wednesday 23 September 2026", ReportedOn: "Wednesday 23 September 2026",
			Options:    []string{"Montgomery & Daughters (covers SW, 3 of 10 cases)", "Pemberton LLP (covers SW, 9 of 10 cases)"},
			Milestones: []string{"Legal Pack Preparation", "Auction Marketing Period"},
			Changes:    []string{`"Legal Pack Preparation" is completed`, `"Auction Exchange" is now due on Wednesday 23 September 2026`},
		},
		{},
		{
			Company: long, Recipient: long, Role: long, Method: long, Professional: long, Firm: long, Email: long, Address: long,
			Postcode: long, InvitedOn: long, Number: 10, Of: 10, Alert: long, Step: long, DueOn: long, Current: long, Percent: 100,
			Status: long, By: long, DoneOn: long, ReportedOn: long,
			Options: slices.Repeat([]string{long}, maxOptions), Milestones: slices.Repeat([]string{long}, maxMilestones),
			Changes: slices.Repeat([]string{long}, maxChanges),
		},
	}
}

func (c *checker) letters(sources map[string]letterSource) {
	known := letters()
	for _, id := range slices.Sorted(maps.Keys(sources)) {
		if _, ok := known[id]; !ok {
			c.must(false, join("texts", id), "is not a letter that is used anywhere")
		}
	}
	for _, id := range slices.Sorted(maps.Keys(known)) {
		source, ok := sources[id]
		path := join("texts", id)
		if !ok {
			c.must(false, path, "must be given")
			continue
		}
		c.must(source.Subject != "", path+".subject", "must be given")
		c.must(source.Body != "", path+".body", "must be given")
		if source.Subject != "" && source.Body != "" {
			c.letter(Letter{Subject: source.Subject, Body: string(source.Body)}, path, known[id])
		}
	}
}

// letter tries subject and body apart, so that the mistakes of both are told.
func (c *checker) letter(l Letter, path string, k kind) {
	const braces = "has braces that would be sent as they are; a letter knows only {link}, in the body of a question"
	if tries := c.try(l.Subject, path+".subject"); tries != nil {
		c.must(!contain(tries, "{", "}"), path+".subject", braces)
		c.must(len([]rune(oneLine(tries[0], maxSubject+1))) <= maxSubject, path+".subject", "is too long for a subject")
	}
	tries := c.try(l.Body, path+".body")
	if tries == nil {
		return
	}
	if k == asks {
		always := true
		for i, out := range tries {
			always = always && strings.Contains(out, "{link}")
			tries[i] = strings.ReplaceAll(out, "{link}", "")
		}
		c.must(always, path+".body", "asks for an answer, so it must contain {link}, whatever else is known")
	}
	c.must(!contain(tries, "{", "}"), path+".body", braces)
}

// try renders a template with all samples, nil where one of them fails.
func (c *checker) try(source, path string) []string {
	var tries []string
	for _, data := range sampleLetters() {
		out, err := execute(path, source, maxLetter, data.clean())
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

// contain tells whether a text has any of the parts.
func contain(texts []string, parts ...string) bool {
	return slices.ContainsFunc(texts, func(text string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
	})
}
