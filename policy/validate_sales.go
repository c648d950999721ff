package policy

import (
	"fmt"
	"io"
	"maps"
	"net/mail"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"
	"github.com/nyaruka/phonenumbers"
)

// Bounds that keep Sales small enough for workflow histories.
const (
	maxReminders  = 10
	maxProducts   = 20
	maxMilestones = 30
	maxAreas      = 200
	maxCapacity   = 10000
	// maxLine bounds a name, in bytes.
	maxLine = 100
)

var slugPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,99}$`)

// sales reads the sales section, nil for none, and its directory, whose bytes go
// into the hash too.
func (l *loader) sales(node ast.Node, hash io.Writer) (salesSection, []listed) {
	var s salesSection
	if node == nil {
		return s, nil
	}
	s.begin()
	l.into(node, &s, "sales")
	if s.Reported.Events == nil {
		s.Reported.Events = usualEvents()
	}
	people := make([]listed, 0, len(s.Professionals))
	for i, p := range s.Professionals {
		people = append(people, listed{Professional: p, path: fmt.Sprintf("professionals[%d]", i)})
	}
	complete := true
	if s.Directory != "" {
		more := l.readSalesDirectory(s.Directory, hash)
		people = append(people, more.people...)
		l.problems = append(l.problems, more.problems...)
		complete = !more.broken
	}
	for _, p := range people {
		for i := range p.Areas {
			p.Areas[i] = normalArea(p.Areas[i])
		}
	}
	l.failAll("sales", validateSales(s))
	l.professionals(people)
	c := &checker{}
	c.defaults(s.Defaults, people, complete)
	l.failAll("sales", c.problems)
	return s, people
}

func (l *loader) readSalesDirectory(name string, hash io.Writer) *directory {
	l.directory = beside(l.name, name)
	text, seen, problem := readDirectory(l.directory)
	l.directorySeen = seen
	if problem != "" {
		l.fail("sales.directory", problem)
		return &directory{broken: true}
	}
	_, _ = hash.Write([]byte{0}) // a hash never fails
	_, _ = hash.Write(text)
	return parseDirectory(filepath.Base(l.directory), text)
}

// validateSales says everything that is wrong with the section but for the
// professionals and who of them is a default.
func validateSales(s salesSection) []Problem {
	c := &checker{}
	c.must(s.Name != "" && len(s.Name) <= 60, "name", "must be given and have at most 60 bytes")
	c.must(s.TimeZone != "", "time_zone", "must be given")
	c.zone(s.TimeZone, "time_zone")
	c.must(phonenumbers.GetSupportedRegions()[s.Region], "region", `must be a country such as "GB"`)
	c.must(s.Manager.Name != "" && isLine(s.Manager.Name), "manager.name", "must be given and be one line of at most 100 bytes")
	c.must(isEmail(s.Manager.Email), "manager.email", "must be an e-mail address")
	c.hours(s.WorkingHours, "working_hours")
	c.invitations(s.Invitations)
	c.progress(s.Progress)
	c.polling(s.Polling)
	c.reported(s.Reported)
	c.report(s.Report)
	c.size(len(s.Products), "products", 0, maxProducts)
	c.each(s.Products, "products", slugPattern.MatchString, `must be a slug such as "moove-ready-pack"`)
	for _, method := range slices.Sorted(maps.Keys(s.Milestones)) {
		path := join("milestones", method)
		c.must(slices.Contains(Methods(), method), path, "is not a sale method; those are %s", strings.Join(Methods(), ", "))
		c.size(len(s.Milestones[method]), path, 1, maxMilestones)
		c.each(s.Milestones[method], path, func(name string) bool { return name != "" && isLine(name) },
			"must be given and be one line of at most 100 bytes")
	}
	c.letters(s.Texts)
	return c.problems
}

// each checks the items of a list: all right, none twice.
func (c *checker) each(items []string, path string, right func(string) bool, message string) {
	seen := make(map[string]bool, len(items))
	for i, item := range items {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.must(right(item), at, "%s", message)
		c.must(!seen[item], at, "is there twice")
		seen[item] = true
	}
}

func (c *checker) hours(h WorkingHours, path string) {
	c.days(h.Days, path+".days")
	c.must(h.From < h.To, path, "must end after they begin, on the same day")
	c.zone(h.Zone, path+".zone")
}

func (c *checker) days(days []string, path string) {
	c.size(len(days), path, 1, 7)
	c.each(days, path, func(d string) bool { return slices.Contains(weekdays(), d) }, "must be one of "+strings.Join(weekdays(), ", "))
}

func (c *checker) invitations(i Invitations) {
	const path = "invitations.remind_after"
	c.size(len(i.RemindAfter), path, 1, maxReminders)
	for n, d := range i.RemindAfter {
		at := fmt.Sprintf("%s[%d]", path, n)
		c.within(d, at, 90*day)
		c.must(n == 0 || i.RemindAfter[n-1] < d, at, "must be later than the one before")
	}
	c.within(i.AskAgentAfter, "invitations.ask_agent_after", 90*day)
	c.within(i.AnswerWithin, "invitations.answer_within", 90*day)
}

// professionals checks the directory, of both files together.
func (l *loader) professionals(people []listed) {
	c := &checker{}
	c.size(len(people), "professionals", 1, maxProfessionals)
	l.failAll("sales", c.problems)
	ids, mails := make(map[string]bool, len(people)), make(map[string]bool, len(people))
	known := postcodeAreas()
	for _, p := range people {
		c := &checker{}
		c.professional(p.Professional, known)
		c.must(p.ID == "" || !ids[p.ID], "id", "is the id of an earlier professional")
		mailbox := p.Role + " " + strings.ToLower(p.Email)
		c.must(p.Email == "" || !mails[mailbox], "email", "is that of an earlier professional of this role")
		ids[p.ID], mails[mailbox] = true, true
		for _, problem := range c.problems {
			l.failListed(p, problem)
		}
	}
}

// failListed records a problem where the professional is written.
func (l *loader) failListed(p listed, problem Problem) {
	column, _, _ := strings.Cut(problem.Path, "[")
	switch {
	case p.file == "":
		l.fail(join("sales", p.path, problem.Path), problem.Message)
	case !slices.Contains(p.unread, column):
		problem.File, problem.Line = p.file, p.line
		l.problems = append(l.problems, problem)
	}
}

func (c *checker) professional(p Professional, knownAreas []string) {
	c.must(idPattern.MatchString(p.ID), "id", "must be given: small letters, digits, - and _")
	c.must(slices.Contains(Roles(), p.Role), "role", "must be one of %s", strings.Join(Roles(), ", "))
	c.must(p.Name != "" || p.Firm != "", "name", "must be given where there is no firm")
	c.must(isLine(p.Name), "name", "must be one line of at most 100 bytes")
	c.must(isLine(p.Firm), "firm", "must be one line of at most 100 bytes")
	c.must(isEmail(p.Email), "email", "must be an e-mail address")
	c.must(p.Phone == "" || isPhone(p.Phone), "phone", "must be a phone number in E.164 form: +, country code, number")
	c.size(len(p.Areas), "areas", 1, maxAreas)
	c.each(p.Areas, "areas", func(a string) bool { return isArea(a, knownAreas) },
		`must be a postcode area such as "SW", a district "SW1A", a sector "SW1A 1", or "*"`)
	c.size(len(p.Methods), "methods", 1, len(Methods()))
	c.each(p.Methods, "methods", func(m string) bool { return slices.Contains(Methods(), m) }, "must be one of "+strings.Join(Methods(), ", "))
	c.count(p.Capacity, "capacity", 1, maxCapacity)
	if h := p.Hours; len(h.Days) > 0 || h.From != 0 || h.To != 0 || h.Zone != "" {
		c.hours(h, "hours")
	}
}

// defaults checks who is taken where nobody fits: each chosen role that anybody
// has needs one. Where the directory could not be read completely, who is missing
// may be in the part that is.
func (c *checker) defaults(defaults map[string]string, people []listed, complete bool) {
	roles, filled := make(map[string][]string, len(people)), map[string]bool{}
	for _, p := range people {
		roles[p.ID] = append(roles[p.ID], p.Role)
		filled[p.Role] = true
	}
	for _, role := range slices.Sorted(maps.Keys(defaults)) {
		path := join("defaults", role)
		if !slices.Contains(chosenRoles(), role) {
			c.must(false, path, "is not a role that is filled by itself; those are %s", strings.Join(chosenRoles(), ", "))
			continue
		}
		has, ok := roles[defaults[role]]
		c.must(ok || !complete, path, "must be the id of a professional")
		c.must(!ok || slices.Contains(has, role), path, "names a professional of another role")
	}
	for _, role := range chosenRoles() {
		c.must(defaults[role] != "" || !filled[role], join("defaults", role), "must be given, as there are professionals of that role")
	}
}

// isLine tells whether the text is one line of at most maxLine bytes without control
// characters.
func isLine(text string) bool {
	return len(text) <= maxLine && !hasBreaks(text)
}

// hasBreaks tells whether the text has breaks of lines or other control characters.
func hasBreaks(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' })
}

// isEmail tells whether the text is a plain address as OpenMoove takes it.
func isEmail(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Address == text && len(text) <= 254 && emailPattern.MatchString(text) &&
		!strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsControl(r) })
}
