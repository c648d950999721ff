package policy

import (
	"maps"
	"slices"
	"strings"
)

// maxSegments bounds a text message rendered with long values.
const maxSegments = 4

// sample has values about as long as they come; its length does not depend on
// other keys of the policy.
func sample() TextData {
	return TextData{
		Company: "Thirty Characters Of A Company", Problem: "Carbon monoxide alarm",
		Reason:  "rule heat: no heating is reported, and 38 F is below the limit of 45 F",
		Address: "12345 Martin Luther King Boulevard, Los Angeles", Unit: "1204B", WorkOrder: "104711",
		Person: "Alexandria Richardson", By: "Christopher Montgomery", DueBy: "Wed 11:45 PM", EmergencyNumber: "911",
		Price: "$12,345.00", Window: "Wed, Nov 25, 12 PM - 4 PM", Count: 3,
	}
}

// sampleOf is sample with several windows in a text that lists them.
func sampleOf(k kind) TextData {
	data := sample()
	if k == lists {
		data.Window = cleanValue(strings.Repeat("1 = Wed Nov 25 12 PM-4 PM, ", 10), maxWindow)
	}
	return data
}

// fillSample puts a code and a link of usual length in the place of {code} and
// {link}, to see how long a text will be.
func fillSample(text string) string {
	return strings.NewReplacer("{code}", "K7", "{link}", "https://keyholder.example.com/a/"+strings.Repeat("a", 32)).Replace(text)
}

// texts checks them all. Those of repairs may be left out where none are
// coordinated, as in policies older than them.
func (c *checker) texts(sources map[string]string, repairs bool) {
	known, optional := texts(), repairTexts()
	for _, id := range slices.Sorted(maps.Keys(sources)) {
		if _, ok := known[id]; !ok {
			c.must(false, join("texts", id), "is not a text that is used anywhere")
		}
	}
	for _, id := range slices.Sorted(maps.Keys(known)) {
		source, ok := sources[id]
		if _, of := optional[id]; of && !ok && !repairs {
			continue
		}
		if source == "" {
			c.must(false, join("texts", id), "must be given")
			continue
		}
		c.text(id, source, known[id])
	}
}

// text renders with long values and with none, so that both branches of an if or
// with are seen.
func (c *checker) text(id, source string, k kind) {
	path := join("texts", id)
	for _, data := range []TextData{sampleOf(k), {Problem: "Other"}} {
		out, err := render(id, source, data)
		if err != nil {
			c.must(false, path, "cannot be rendered: %s", firstLine(err.Error()))
			return
		}
		c.must(out != "", path, "renders to nothing")
	}
	out, _ := render(id, source, sampleOf(k))
	code, link := strings.Contains(out, "{code}"), strings.Contains(out, "{link}")
	switch k {
	case links:
		c.must(code && link, path, "asks for what only the page takes, so it must contain {code} and {link}")
	case asks, lists:
		c.must(code, path, "asks for an answer, so it must contain {code}")
	case tells, subject:
		c.must(!code && !link, path, "asks nothing, so {code} and {link} would be sent as they are")
	}
	if k == subject {
		c.must(len(out) <= 250, path, "is too long for a subject")
		return
	}
	filled := fillSample(out)
	c.must(Segments(filled) <= maxSegments, path, "is longer than %d text messages", maxSegments)
}
