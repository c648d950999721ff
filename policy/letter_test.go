package policy

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestLetterReminder(t *testing.T) {
	t.Parallel()
	s := mustLoad(t).Sales()
	data := LetterData{
		Recipient: "Ruth Lawson", Role: Words(RoleConveyancer), Address: "123 High Street, London SW1A 1AA", Postcode: "SW1A 1AA",
		InvitedOn: s.Date(at(t, "2026-11-20T10:00:00Z")), Number: 1, Of: 3,
	}
	heading, body, err := s.Letter(LetterReminder, data)
	require.NoError(t, err)
	require.Equal(t, "Reminder: your invitation for 123 High Street, London", heading)
	require.Equal(t, `Hello Ruth Lawson,

On Friday 20 November 2026 you were invited on OpenMoove to join the sale of 123 High Street, London, SW1A 1AA, as conveyancer. The invitation is still waiting for you.

To accept, please follow the steps in OpenMoove's invitation e-mail, which has your code. If you cannot find it, it may be in your junk folder.

If you have accepted in the meantime, thank you: there is nothing more to do.

Kind regards
Harbor Homes Sales`, body)

	data.Number = 3
	_, body, err = s.Letter(LetterReminder, data)
	require.NoError(t, err)
	require.Contains(t, body, "folder.\n\nThis is our last reminder. If we hear nothing, we will ask for somebody else to be chosen, so that the sale is not held up.\n\nIf you have")
}

func TestLetterChoose(t *testing.T) {
	t.Parallel()
	s := mustLoad(t).Sales()
	data := LetterData{
		Recipient: "Olivia Grant", Role: "conveyancer", Professional: "Ruth Lawson, Lawson Conveyancing", Address: "123 High Street", Postcode: "SW1A 1AA",
		InvitedOn: "Friday 20 November 2026", Number: 3, Options: []string{"Pemberton Solicitors (covers SW, 3 of 20 cases)", "Quayside Legal"},
	}
	heading, body, err := s.Letter(LetterChoose, data)
	require.NoError(t, err)
	require.Equal(t, "Please choose another conveyancer for 123 High Street", heading)
	require.Equal(t, `Hello Olivia Grant,

Ruth Lawson, Lawson Conveyancing was invited on Friday 20 November 2026 to join the sale of 123 High Street, SW1A 1AA, as conveyancer, and has not accepted after 3 reminders.

Whom would you like instead? Please tell us here:

{link}

You can choose from:

- Pemberton Solicitors (covers SW, 3 of 20 cases)
- Quayside Legal

There you can also say that you would rather wait a little longer, or that you will take care of it yourself.

Kind regards
Harbor Homes Sales`, body)
}

func TestLetterChosenAndMilestones(t *testing.T) {
	t.Parallel()
	s := mustLoad(t).Sales()
	heading, body, err := s.Letter(LetterChosen, LetterData{
		Company: "Another Name", Recipient: "Olivia Grant", Role: "conveyancer", Professional: "Pemberton Solicitors", Email: "sales@pemberton.example.com",
		Address: "123 High Street", Postcode: "SW1A 1AA",
	})
	require.NoError(t, err)
	require.Equal(t, "Please invite Pemberton Solicitors for 123 High Street", heading)
	require.Contains(t, body, "please open the sale in OpenMoove and invite Pemberton Solicitors there, at sales@pemberton.example.com.\n")
	require.True(t, strings.HasSuffix(body, "\n\nKind regards\nAnother Name"))

	heading, body, err = s.Letter(LetterMilestonesMissing, LetterData{
		Recipient: "Priya Nair", Method: Words(MethodSecureSale), Address: "123 High Street", Milestones: []string{"Auction Exchange", "Completion"},
	})
	require.NoError(t, err)
	require.Equal(t, "Milestones are missing: 123 High Street", heading)
	require.Contains(t, body, "for the sale method \"secure sale\".\n\nMissing:\n\n- Auction Exchange\n- Completion\n\nPlease")

	_, _, err = s.Letter("invitation_lost", LetterData{})
	require.ErrorIs(t, err, ErrUnknownText)
	s.Texts["wrong"] = Letter{Subject: "x", Body: "{{.Nothing}}"}
	_, _, err = s.Letter("wrong", LetterData{})
	require.Error(t, err)
}

func TestLetterChanges(t *testing.T) {
	t.Parallel()
	s := mustLoad(t).Sales()
	data := LetterData{
		Recipient: "Olivia Grant", Address: "123 High Street", Postcode: "SW1A 1AA", Percent: 50, Current: "Offer Acceptance", Status: "Sold subject to contract",
		Changes: []string{`"Property Marketing" is completed`, "Ruth Lawson has joined\nas conveyancer"},
	}
	heading, body, err := s.Letter(LetterChanges, data)
	require.NoError(t, err)
	require.Equal(t, "Sale of 123 High Street: something has changed", heading)
	require.Equal(t, `Hello Olivia Grant,

This is about the sale of 123 High Street, SW1A 1AA.

What has changed:

- "Property Marketing" is completed
- Ruth Lawson has joined as conveyancer

50 % of the steps are completed; the next one is "Offer Acceptance". The status in OpenMoove is "Sold subject to contract".

Kind regards
Harbor Homes Sales`, body)

	data.Changes = slices.Repeat([]string{"a change"}, maxChanges+1)
	_, body, err = s.Letter(LetterChanges, data)
	require.NoError(t, err)
	require.Equal(t, maxChanges, strings.Count(body, "\n- a change"))
}

func TestLettersOnReportedMilestones(t *testing.T) {
	t.Parallel()
	s := mustLoad(t).Sales()
	data := LetterData{
		Recipient: "Ruth Lawson", Address: "123 High Street", Postcode: "SW1A 1AA", Step: "Exchange of Contracts", By: "Case system",
		DoneOn: "Friday 20 November 2026", ReportedOn: "Saturday 21 November 2026",
	}
	heading, body, err := s.Letter(LetterReported, data)
	require.NoError(t, err)
	require.Equal(t, "Sale of 123 High Street: Exchange of Contracts is reported as done", heading)
	require.Equal(t, `Hello Ruth Lawson,

Case system has reported that "Exchange of Contracts" was done on Friday 20 November 2026, at the sale of 123 High Street, SW1A 1AA.

OpenMoove does not show it yet, so here it counts as reported, awaiting OpenMoove. Please tick it off there: we cannot do that for you, because OpenMoove's API lets no other system write milestones.

Kind regards
Harbor Homes Sales`, body)

	heading, body, err = s.Letter(LetterUnconfirmed, data)
	require.NoError(t, err)
	require.Equal(t, "Sale of 123 High Street: Exchange of Contracts is still open in OpenMoove", heading)
	require.Equal(t, `Hello Ruth Lawson,

Case system reported on Saturday 21 November 2026 that "Exchange of Contracts" was done, at the sale of 123 High Street, SW1A 1AA. OpenMoove still does not show it as completed.

Please look at the sale. If the step is done, tick it off in OpenMoove, which lets no other system do that. If it is not, please clear that up with whoever reported it.

Kind regards
Harbor Homes Sales`, body)

	data.By, data.DoneOn = "", ""
	_, body, err = s.Letter(LetterReported, data)
	require.NoError(t, err)
	require.Contains(t, body, "Another system has reported that \"Exchange of Contracts\" was done, at the sale of 123 High Street")
}

func TestLettersReadWellWithoutValues(t *testing.T) {
	t.Parallel()
	s := mustLoad(t).Sales()
	require.Len(t, s.Texts, len(letters()))
	for _, id := range slices.Sorted(maps.Keys(letters())) {
		for _, data := range sampleLetters() {
			heading, body, err := s.Letter(id, data)
			require.NoError(t, err, id)
			require.NotEmpty(t, heading, id)
			for _, wrong := range []string{"  ", " ,", " .", ",,", "\n\n\n", "<no value>", " \n"} {
				require.NotContains(t, heading+"\n"+body, wrong, id)
			}
		}
	}
}

func TestRefusedLetters(t *testing.T) {
	t.Parallel()
	const subject = `subject: "Please choose another {{with .Role}}{{.}}{{else}}professional{{end}}{{with .Address}} for {{.}}{{end}}"`
	for name, c := range map[string][3]string{
		"subject missing":         {subject, "", "invitation_choose.subject must be given"},
		"link in the subject":     {subject, `subject: "Choose {link}"`, "invitation_choose.subject has braces"},
		"broken subject":          {subject, `subject: "{{.Compny}}"`, "invitation_choose.subject cannot be rendered"},
		"endless subject":         {subject, `subject: "` + strings.Repeat("x", 251) + `"`, "invitation_choose.subject is too long"},
		"nothing without a value": {subject, `subject: "{{.Address}}"`, "invitation_choose.subject renders to nothing"},
		"link only at times":      {"        {link}\n", "        {{with .Options}}{link}{{end}}\n", "must contain {link}, whatever else is known"},
		"misspelt link":           {"        {link}\n", "        {link} or {Link}\n", "invitation_choose.body has braces"},
		"link without a question": {"Thank you for choosing", "{link} Thank you for choosing", "invitation_chosen.body has braces"},
		"unknown key":             {subject, "heading: x\n      " + subject, "invitation_choose.heading is not a known key; known are subject, body"},
		"plain text":              {"invitation_chosen:", "invitation_chosen: text\n    other:", "texts.invitation_chosen must be a map"},
		"endless with long values": {
			"Thank you for choosing", strings.Repeat("{{range .Milestones}}{{range $.Milestones}}{{.}}{{end}}{{end}}", 2),
			"invitation_chosen.body cannot be rendered",
		},
	} {
		_, err := load(t, c[0], c[1])
		require.ErrorContains(t, err, c[2], name)
	}
}

// Whatever people and partners send, every letter that Load takes renders; its
// lines are those of the template, and so are its placeholders.
func TestAnyLetterRenders(t *testing.T) {
	t.Parallel()
	s := mustLoad(t).Sales()
	ids := slices.Sorted(maps.Keys(letters()))
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
			"{link}", "{code}", "{{.}}", "a\r\nBcc: b@example.com", "a\n\nb", "x\u2028y", "\u202e", strings.Repeat("界", 5000), "Dvořák",
		}))
		list := rapid.SliceOfN(value, 0, 40)
		data := LetterData{
			Company: value.Draw(t, "company"), Recipient: value.Draw(t, "recipient"), Role: value.Draw(t, "role"), Method: value.Draw(t, "method"),
			Professional: value.Draw(t, "professional"), Firm: value.Draw(t, "firm"), Email: value.Draw(t, "email"), Address: value.Draw(t, "address"),
			Postcode: value.Draw(t, "postcode"), InvitedOn: value.Draw(t, "invited"), Number: rapid.Int().Draw(t, "number"), Of: rapid.Int().Draw(t, "of"),
			Alert: value.Draw(t, "alert"), Step: value.Draw(t, "step"), DueOn: value.Draw(t, "due"), Current: value.Draw(t, "current"),
			Percent: rapid.Int().Draw(t, "percent"), Status: value.Draw(t, "status"), By: value.Draw(t, "by"),
			DoneOn: value.Draw(t, "done"), ReportedOn: value.Draw(t, "reported"),
			Options: list.Draw(t, "options"), Milestones: list.Draw(t, "milestones"), Changes: list.Draw(t, "changes"),
		}
		id := rapid.SampledFrom(ids).Draw(t, "id")
		heading, body, err := s.Letter(id, data)
		require.NoError(t, err)
		again, bodyAgain, err := s.Letter(id, data)
		require.NoError(t, err)
		require.Equal(t, heading+body, again+bodyAgain)
		require.True(t, utf8.ValidString(heading+body))
		require.LessOrEqual(t, len(body), maxLetter)
		require.LessOrEqual(t, utf8.RuneCountInString(heading), maxSubject)
		require.NotContains(t, heading, "{")
		require.Equal(t, strings.Count(s.Texts[id].Body, "{link}"), strings.Count(body, "{"))
		require.False(t, strings.ContainsFunc(heading, unicode.IsControl))
		require.False(t, strings.ContainsFunc(strings.ReplaceAll(body, "\n", ""), unicode.IsControl))
		require.NotContains(t, body, "\nBcc")
		require.LessOrEqual(t, strings.Count(body, "\n"), strings.Count(s.Texts[id].Body, "\n")+max(maxOptions, maxMilestones, maxChanges))
	})
}

func TestLettersKeepAccents(t *testing.T) {
	t.Parallel()
	s := mustLoad(t).Sales()
	_, body, err := s.Letter(LetterReminder, LetterData{Recipient: "Antonín Dvořák – “Tony” {x}"})
	require.NoError(t, err)
	require.Contains(t, body, "Hello Antonín Dvořák – “Tony” (x),")
	data := LetterData{Options: []string{"a", " ", "b"}}
	_, body, err = s.Letter(LetterChoose, data)
	require.NoError(t, err)
	require.Contains(t, body, "\n- a\n- b\n")
	require.Equal(t, []string{"a", " ", "b"}, data.Options, "the caller's list stays as it is")
}

func TestTidy(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a\n  - b\n\nc", tidy("\n \na \t\n  - b\r\n \n\n\t\nc\n\n"))
	require.Empty(t, tidy(" \n\n"))
}
