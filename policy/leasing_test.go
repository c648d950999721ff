package policy

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// leasingWrong is what is wrong with leasing that overrides the company's.
func leasingWrong(t *testing.T, p *Policy, overrides string) []Problem {
	t.Helper()
	root, err := syntax("test", []byte("leasing: "+overrides))
	require.NoError(t, err)
	s, d, c := p.company, newDecoder(), &checker{}
	d.into(root, &s, "")
	c.leasing(s)
	return append(d.problems, c.problems...)
}

// leasingProblems are the paths of that.
func leasingProblems(t *testing.T, p *Policy, overrides string) []string {
	t.Helper()
	var paths []string
	for _, problem := range leasingWrong(t, p, overrides) {
		paths = append(paths, problem.Path)
	}
	return paths
}

func TestBuiltInLeasing(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	l := p.Leasing("1", "1")
	require.True(t, l.On())
	require.Equal(t, p.Version(), l.Version)
	require.Equal(t, []string{"Harbor Homes", "America/Los_Angeles", "USD", "en"}, []string{l.Company, l.TimeZone, l.Currency, l.Language})
	require.Equal(t, []string{"grace", "grace", "maria"}, []string{l.Manager.ID, l.Outreach.ID, l.Inspector.ID})
	require.Equal(t, "+12135550131", l.Inspector.Phone)
	require.Equal(t, Welcome{-7, "welcome_week_before"}, l.MoveIn.Welcome[0])
	require.Equal(t, []int{60, 45, 30}, l.Renewal.Chase)
	require.Equal(t, 90*day, l.Renewal.Lead)
	require.Equal(t, Permille(30), l.Renewal.Pricing.Usual)
	require.Equal(t, Cents(300_00), l.Retention.MaxCost)
	require.Equal(t, 10, l.Scoring.Factors["tenure"])
	require.Equal(t, "1", l.MoveIn.Inspection.TypeID)

	portland := p.Leasing("2", "2")
	require.Equal(t, []string{"helen", "helen", "lee"}, []string{portland.Manager.ID, portland.Outreach.ID, portland.Inspector.ID})
	require.Equal(t, l.Renewal, portland.Renewal, "what the portfolio leaves out is the company's")
}

func TestNoticeOfTheBuiltInPolicy(t *testing.T) {
	t.Parallel()
	r := mustLoad(t).Leasing("", "").Renewal
	for _, c := range []struct {
		state    string
		increase Permille
		days     int
		ok       bool
		disputed bool
	}{
		{"OR", 50, 90, true, false}, {"CA", 50, 30, true, false}, {"CA", 100, 30, true, false}, {"CA", 101, 90, true, true},
		{"TX", 50, 30, true, false}, {"OR", 0, 0, false, false},
	} {
		rule, ok := r.NoticeFor(c.state, c.increase)
		require.Equal(t, c.ok, ok, c)
		require.Equal(t, c.days, rule.Days, c)
		require.Equal(t, c.disputed, rule.Disputed != "", c)
	}
	rule, _ := r.NoticeFor("OR", 1)
	require.Equal(t, Permille(100), rule.Cap)
	require.Equal(t, Date{2026, time.November, 21}, rule.AsOf)
}

func TestLeasingSurvivesJSONAndIsSmall(t *testing.T) {
	t.Parallel()
	want := mustLoad(t).Leasing("2", "2")
	encoded, err := json.Marshal(want)
	require.NoError(t, err)
	require.Less(t, len(encoded), 6<<10)
	require.NotContains(t, string(encoded), "{{", "texts stay out of histories")
	var got Leasing
	require.NoError(t, json.Unmarshal(encoded, &got))
	require.Equal(t, want, got)
}

func TestLeasingIsNoPartOfSettings(t *testing.T) {
	t.Parallel()
	encoded, err := json.Marshal(mustLoad(t).For("1", "1"))
	require.NoError(t, err)
	require.NotContains(t, string(encoded), "renewal")
}

func TestLeasingSharesNothing(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	l := p.Leasing("2", "2")
	l.MoveIn.Welcome[0].Text, l.MoveIn.Utilities[0].Name, l.MoveIn.Checks[0].ID, l.MoveIn.UtilityChase[0] = "x", "x", "x", 1
	l.Renewal.Notice[0].State, l.Renewal.RemindOwner[0], l.Renewal.Chase[0] = "x", 1, 1
	l.Retention.Incentives[0].ID, l.Scoring.Factors["tenure"] = "x", 1
	text, _, err := p.LeaseText("2", "2", "en", TextRenewalOffer, LeaseData{})
	require.NoError(t, err)
	text.Options["accept"], text.Fields["amount"] = "x", "x"
	fresh := mustLoad(t)
	require.Equal(t, fresh.Leasing("2", "2"), p.Leasing("2", "2"))
	text, _, err = p.LeaseText("2", "2", "en", TextRenewalOffer, LeaseData{})
	require.NoError(t, err)
	require.Equal(t, "I accept", text.Options["accept"])
}

func TestLeasingDiffersByPortfolioAndProperty(t *testing.T) {
	t.Parallel()
	text := strings.Replace(string(embedded), "      retention: {outreach_by: helen}", `      retention: {outreach_by: helen, max_cost: 200}
      texts: {en: {renewal_done: {subject: Portland says yes}}}`, 1) + `
properties:
  "7": {leasing: {renewal: {chase: [40], pricing: {most: 4.5%}}, texts: {fr: {renewal_done: {subject: "C'est fait", body: Merci.}}}}}
  "8": {leasing: {renewal: {lead: 0s}}}
`
	p, err := parse("test", []byte(text))
	require.NoError(t, err)
	both := p.Leasing("2", "7")
	require.Equal(t, "lee", both.Inspector.ID)
	require.Equal(t, Cents(200_00), both.Retention.MaxCost)
	require.Equal(t, []int{40}, both.Renewal.Chase)
	require.Equal(t, Permille(45), both.Renewal.Pricing.Most)
	require.Equal(t, Permille(30), both.Renewal.Pricing.Usual)
	require.False(t, p.Leasing("2", "8").On())
	require.True(t, p.Leasing("2", "9").On())
	subject := func(portfolio, property, language string) string {
		got, _, err := p.LeaseText(portfolio, property, language, TextRenewalDone, LeaseData{})
		require.NoError(t, err)
		require.NotEmpty(t, got.Body)
		return got.Subject
	}
	require.Equal(t, "Your lease is renewed", subject("1", "1", "en"))
	require.Equal(t, "Portland says yes", subject("2", "2", "en"))
	require.Equal(t, "Su contrato está renovado", subject("2", "2", "es"))
	require.Equal(t, "C'est fait", subject("2", "7", "fr-CA"))
	require.Equal(t, "Portland says yes", subject("2", "2", "fr-CA"))
}

// Policies that are older than leasing have neither the section nor its texts.
func TestLeasingMayBeLeftOut(t *testing.T) {
	t.Parallel()
	before, rest, ok := strings.Cut(string(embedded), "\n  # Leasing: how leases")
	require.True(t, ok)
	_, rest, ok = strings.Cut(rest, "\nportfolios:")
	require.True(t, ok)
	text := before + "\nportfolios:" + rest
	text = strings.Replace(text, "    leasing:\n      move_in: {inspection: {inspector: lee}}\n      retention: {outreach_by: helen}\n", "", 1)
	p, err := parse("test", []byte(text))
	require.NoError(t, err)
	l := p.Leasing("2", "2")
	require.False(t, l.On())
	require.Equal(t, "helen", l.Manager.ID)
	_, _, err = p.LeaseText("2", "2", "en", TextRenewalOffer, LeaseData{})
	require.ErrorIs(t, err, ErrUnknownText)

	// Whoever names a lead needs the rest: what is missing is listed.
	_, err = parse("test", []byte(text+"\nproperties: {\"7\": {leasing: {renewal: {lead: 90d}}}}\n"))
	var invalid *InvalidError
	require.ErrorAs(t, err, &invalid)
	var paths []string
	for _, problem := range invalid.Problems {
		require.Positive(t, problem.Line, problem)
		paths = append(paths, problem.Path)
	}
	for _, path := range []string{
		"currency", "language", "move_in.late", "move_in.inspection.inspector", "renewal.approval", "renewal.term", "retention.risk", "scoring.factors",
	} {
		require.Contains(t, paths, "properties.7.leasing."+path)
	}

	// Texts alone are no leasing.
	_, err = parse("test", []byte(text+"\nproperties: {\"7\": {leasing: {texts: {en: {renewal_done: {subject: a, body: b}}}}}}\n"))
	require.NoError(t, err)
}

func TestWrongLeasingIsRefused(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	require.Empty(t, leasingProblems(t, p, "{}"))
	for override, path := range map[string]string{
		"{currency: usd}":              "currency",
		"{language: fr}":               "language",
		"{colour: red}":                "colour",
		"{move_in: {late: 91d}}":       "move_in.late",
		"{move_in: {date_within: 0s}}": "move_in.date_within",
		"{move_in: {at: noon}}":        "move_in.at",
		"{move_in: {welcome: [{day: -61, text: welcome_day}]}}":                              "move_in.welcome[0].day",
		"{move_in: {welcome: [{day: 401, text: welcome_day}]}}":                              "move_in.welcome[0].day",
		"{move_in: {welcome: [{day: 0, text: renewal_done}]}}":                               "move_in.welcome[0].text",
		"{move_in: {welcome: [{day: 0, text: welcome_back}]}}":                               "move_in.welcome[0].text",
		"{move_in: {inspection: {inspector: nobody}}}":                                       "move_in.inspection.inspector",
		"{move_in: {inspection: {days_before: -1}}}":                                         "move_in.inspection.days_before",
		"{move_in: {inspection: {takes: 13h}}}":                                              "move_in.inspection.takes",
		"{move_in: {inspection: {type_id: first}}}":                                          "move_in.inspection.type_id",
		`{move_in: {inspection: {status_id: ""}}}`:                                           "move_in.inspection.status_id",
		"{move_in: {inspection: {remind_after: 0s}}}":                                        "move_in.inspection.remind_after",
		"{move_in: {inspection: {times: 11}}}":                                               "move_in.inspection.times",
		`{move_in: {package: {vendor_name: ""}}}`:                                            "move_in.package.vendor_name",
		"{move_in: {package: {vendor_email: crates}}}":                                       "move_in.package.vendor_email",
		"{move_in: {package: {vendor_contact: crates}}}":                                     "move_in.package.vendor_contact",
		`{move_in: {package: {item: "a\nb"}}}`:                                               "move_in.package.item",
		"{move_in: {package: {cost: -1}}}":                                                   "move_in.package.cost",
		"{move_in: {package: {cost: 100000.01}}}":                                            "move_in.package.cost",
		"{move_in: {package: {days_before: 0}}}":                                             "move_in.package.days_before",
		"{move_in: {package: {confirm_within: 31d}}}":                                        "move_in.package.confirm_within",
		"{move_in: {utilities: [{days_before: 9}]}}":                                         "move_in.utilities[0].name",
		"{move_in: {utilities: [{name: Gas, email: x, days_before: 9}]}}":                    "move_in.utilities[0].email",
		"{move_in: {utilities: [{name: Gas, days_before: 91}]}}":                             "move_in.utilities[0].days_before",
		"{move_in: {utilities: [{name: Gas, days_before: 9}, {name: gas, days_before: 9}]}}": "move_in.utilities[1].name",
		"{move_in: {utility_chase: [10]}}":                                                   "move_in.utility_chase[0]",
		"{move_in: {utility_chase: [5, 5]}}":                                                 "move_in.utility_chase[1]",
		"{move_in: {utility_chase: [-1]}}":                                                   "move_in.utility_chase[0]",
		"{move_in: {checks: [{id: A, name: a, trade: gas, first: 9d, every: 9d}]}}":          "move_in.checks[0].id",
		"{move_in: {checks: [{id: a, trade: gas, first: 9d, every: 9d}]}}":                   "move_in.checks[0].name",
		"{move_in: {checks: [{id: a, name: a, trade: roofing, first: 9d, every: 9d}]}}":      "move_in.checks[0].trade",
		"{move_in: {checks: [{id: a, name: a, trade: gas, first: 0s, every: 9d}]}}":          "move_in.checks[0].first",
		"{move_in: {checks: [{id: a, name: a, trade: gas, first: 9d, every: 6d}]}}":          "move_in.checks[0].every",
		"{renewal: {lead: 367d}}":                                                            "renewal.lead",
		"{renewal: {approval: 0s, escalate_owner: 4d}}":                                      "renewal.approval renewal.escalate_owner",
		"{renewal: {approval: 4d}}":                                                          "renewal.escalate_owner",
		"{renewal: {work_orders_wait: 91d}}":                                                 "renewal.work_orders_wait",
		"{renewal: {remind_owner: [3d, 1d]}}":                                                "renewal.remind_owner[1]",
		"{renewal: {escalate_owner: 3d}}":                                                    "renewal.escalate_owner",
		"{renewal: {decide_within: 31d}}":                                                    "renewal.decide_within",
		"{renewal: {chase: [30, 45]}}":                                                       "renewal.chase[1]",
		"{renewal: {chase: [91]}}":                                                           "renewal.chase[0]",
		"{renewal: {silent_at: 30}}":                                                         "renewal.silent_at",
		"{renewal: {silent_at: -1}}":                                                         "renewal.silent_at",
		"{renewal: {term: 0}}":                                                               "renewal.term",
		"{renewal: {sign_remind: 0s}}":                                                       "renewal.sign_remind",
		"{renewal: {sign_times: 11}}":                                                        "renewal.sign_times",
		"{renewal: {offer_from: 101}}":                                                       "renewal.offer_from",
		"{renewal: {max_risk: 101}}":                                                         "renewal.max_risk",
		"{renewal: {pricing: {least: 4%}}}":                                                  "renewal.pricing.usual",
		"{renewal: {pricing: {most: 2%}}}":                                                   "renewal.pricing.most",
		"{renewal: {pricing: {most: 101%}}}":                                                 "renewal.pricing.most",
		"{renewal: {pricing: {most: 5.25%}}}":                                                "renewal.pricing.most",
		"{renewal: {pricing: {round_to: 0}}}":                                                "renewal.pricing.round_to",
		"{renewal: {pricing: {per_bed: 101%}}}":                                              "renewal.pricing.per_bed",
		"{renewal: {pricing: {per_bath: 101%}}}":                                             "renewal.pricing.per_bath",
		"{renewal: {pricing: {per_size: 101%}}}":                                             "renewal.pricing.per_size",
		"{retention: {risk: 0}}":                                                             "retention.risk",
		"{retention: {every: 0s}}":                                                           "retention.every",
		"{retention: {assess: 0s}}":                                                          "retention.assess",
		"{retention: {survey_remind: 0s}}":                                                   "retention.survey_remind",
		"{retention: {survey_close: 3d}}":                                                    "retention.survey_close",
		"{retention: {incentives: [{id: a b, name: x, cost: 1}]}}":                           "retention.incentives[0].id",
		"{retention: {incentives: [{id: a, cost: 1}]}}":                                      "retention.incentives[0].name",
		"{retention: {incentives: [{id: a, name: x, cost: 999999}]}}":                        "retention.incentives[0].cost",
		"{retention: {incentives: [{id: a, name: x}, {id: a, name: y}]}}":                    "retention.incentives[1].id",
		"{retention: {max_cost: 100001}}":                                                    "retention.max_cost",
		"{retention: {approve_over: 100001}}":                                                "retention.approve_over",
		"{retention: {answer_within: 0s}}":                                                   "retention.answer_within",
		"{retention: {outreach_by: nobody}}":                                                 "retention.outreach_by",
		"{retention: {outreach_within: 61d}}":                                                "retention.outreach_within",
		"{retention: {measure_after: 367d}}":                                                 "retention.measure_after",
		"{scoring: {base: 101}}":                                                             "scoring.base",
		"{scoring: {base_risk: -1}}":                                                         "scoring.base_risk",
		"{scoring: {grace: 61}}":                                                             "scoring.grace",
		"{scoring: {factors: {smile: 1}}}":                                                   "scoring.factors.smile",
		"{scoring: {factors: {tenure: 1001}}}":                                               "scoring.factors.tenure",
		// Switched off, the values are checked all the same: another level may switch it on.
		"{renewal: {lead: 0s, term: 0}}": "renewal.term",
	} {
		t.Run(override[:min(60, len(override))], func(t *testing.T) {
			t.Parallel()
			var want []string
			for path := range strings.FieldsSeq(path) {
				want = append(want, "leasing."+path)
			}
			require.Equal(t, want, leasingProblems(t, p, override))
		})
	}
	require.Empty(t, leasingProblems(t, p, `{move_in: {welcome: [], utilities: [], checks: [], utility_chase: [],
 inspection: {type_id: "", status_id: ""}}, renewal: {lead: 0s, remind_owner: [], chase: [], work_orders_wait: 0s}, retention: {incentives: [], max_cost: 0}}`))
}

func TestWrongNoticeRulesAreRefused(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	const right = "state: OR, over: 0%, days: 90, as_of: 2026-11-21, source: x"
	require.Empty(t, leasingProblems(t, p, "{renewal: {notice: [{"+right+"}, {state: WA, over: 1.5%, cap: 1.6%, days: 60, as_of: 2026-11-21, source: x}]}}"))
	for change, path := range map[string]string{
		"state: OR|state: or": "state", "state: OR|state: XX": "state", "state: OR, |": "state", "over: 0%|over: 101%": "over",
		"over: 0%|over: 5": "over", "days: 90|days: 0": "days", "days: 90|days: 367": "days", "days: 90|days: 90, cap: 0.0%": "",
		"over: 0%|over: 10%, cap: 10%": "cap", ", as_of: 2026-11-21|": "as_of", "2026-11-21|21.11.2026": "as_of", ", source: x|": "source",
		"source: x|source: x, disputed: " + strings.Repeat("y", 201): "disputed", "source: x|source: " + strings.Repeat("y", 201): "source",
	} {
		old, changed, _ := strings.Cut(change, "|")
		require.Contains(t, right, old)
		problems := leasingProblems(t, p, "{renewal: {notice: [{"+strings.Replace(right, old, changed, 1)+"}]}}")
		if path == "" {
			require.Empty(t, problems, change)
			continue
		}
		require.Equal(t, "leasing.renewal.notice[0]."+path, problems[0], change)
	}
	require.Equal(t, []string{"leasing.renewal.notice[1].over"}, leasingProblems(t, p, "{renewal: {notice: [{"+right+"}, {"+right+"}]}}"))
}

func TestLeaseTextsAreChecked(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	for override, message := range map[string]string{
		`{en: {renewal_hello: {subject: a, body: b}}}`:                                          "texts.en.renewal_hello is not a text",
		`{English: {renewal_done: {subject: a, body: b}}}`:                                      "must be named by a language",
		`{fr: {renewal_done: {body: b}}}`:                                                       "texts.fr.renewal_done.subject must be given",
		`{fr: {renewal_done: {subject: a}}}`:                                                    "texts.fr.renewal_done.body must be given",
		`{fr: {welcome_day: {subject: "{{.Zip}}", body: b}}}`:                                   "texts.fr.welcome_day.subject cannot be rendered",
		`{en: {renewal_done: {body: "{{with .Rent}}x{{end}}"}}}`:                                "texts.en.renewal_done.body renders to nothing",
		`{en: {renewal_done: {body: "see {link}"}}}`:                                            "texts.en.renewal_done.body has braces",
		`{en: {renewal_done: {sms: "{code} done"}}}`:                                            "texts.en.renewal_done.sms has braces",
		`{en: {renewal_done: {subject: "{link}"}}}`:                                             "texts.en.renewal_done.subject has braces",
		`{en: {renewal_offer: {title: "{code}"}}}`:                                              "texts.en.renewal_offer.title has braces",
		`{en: {renewal_offer: {title: ""}}}`:                                                    "texts.en.renewal_offer.title must be given",
		`{en: {renewal_offer: {body: "Accept?"}}}`:                                              "texts.en.renewal_offer.body asks for an answer",
		`{en: {renewal_offer: {body: "{{with .Rent}}{link}{{end}} x"}}}`:                        "texts.en.renewal_offer.body asks for an answer",
		`{en: {renewal_offer: {sms: "Accept?"}}}`:                                               "texts.en.renewal_offer.sms asks for an answer",
		`{en: {retention_incentive: {sms: "Yes? {link}"}}}`:                                     "texts.en.retention_incentive.sms may be answered by a number",
		`{en: {retention_incentive: {options: {accept: ""}}}}`:                                  "texts.en.retention_incentive.options.accept must be given",
		`{en: {retention_incentive: {options: {perhaps: Perhaps}}}}`:                            "texts.en.retention_incentive.options.perhaps is not used here",
		`{en: {renewal_offer: {fields: {note: ` + strings.Repeat("x", 121) + `}}}}`:             "texts.en.renewal_offer.fields.note must be given and be one line",
		`{en: {renewal_done: {sms: ` + strings.Repeat("x", 620) + `}}}`:                         "texts.en.renewal_done.sms is longer than 4 text messages",
		`{en: {renewal_done: {subject: ` + strings.Repeat("x", 251) + `}}}`:                     "texts.en.renewal_done.subject is too long",
		`{en: {renewal_done: {body: "{{range .Lines}}{{range $.Lines}}{{.}}{{end}}{{end}}."}}}`: "longer than",
	} {
		wrong := leasingWrong(t, p, "{texts: "+override+"}")
		require.NotEmpty(t, wrong, override)
		require.Contains(t, wrong[0].String(), message, override)
	}
	_, err := withProperty(t, `{leasing: {words: {es: {Trash: ""}, Spanish: {}}}}`)
	require.ErrorContains(t, err, "words.es.Trash must be given")
	require.ErrorContains(t, err, "words.Spanish must be named by a language")
	_, err = load(t, "        renewal_withdrawn:\n          subject: Our", "        renewal_gone:\n          subject: Our")
	require.ErrorContains(t, err, "leasing.texts.en.renewal_withdrawn must be given")
	require.ErrorContains(t, err, "leasing.texts.en.renewal_gone is not a text")
	_, err = load(t, "        welcome_day:\n          subject: Welcome", "        welcome_today:\n          subject: Welcome")
	require.ErrorContains(t, err, "leasing.move_in.welcome[2].text must be one of leasing.texts.en")
}

// whole has a value for everything, as long as they come.
func whole() LeaseData {
	return LeaseData{
		Recipient: "Alexandria Richardson", Tenant: "Christopher Montgomery", Address: "12345 Martin Luther King Boulevard, Los Angeles",
		Unit: "1204B", LeaseID: "104711", MoveIn: "2026-09-23", End: "2027-09-22", NewEnd: "2028-09-22", From: "2027-09-23", DueBy: "2027-07-28",
		When: "2026-09-22 10:00", Rent: 12_345_00, NewRent: 12_945_00, Amount: 12_645_00, Increase: 49, Months: 12, Item: "a professional carpet cleaning",
		Person: "Maria Fixit", Reason: "Two work orders are still open, one of them since June.", Note: "We would stay for less.", Count: 2, Lines: []string{"One", "Two"},
	}
}

func TestBuiltInLeaseTextsAreShortAndPlain(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	own := p.company.Leasing.Texts["en"]
	for id := range leaseTexts() {
		require.Contains(t, own, id)
	}
	for _, language := range []string{"en", "es"} {
		for _, id := range slices.Sorted(maps.Keys(p.company.Leasing.Texts[language])) {
			text, in, err := p.LeaseText("1", "1", language, id, whole())
			require.NoError(t, err, id)
			require.Equal(t, language, in)
			kind := leaseTexts()[id]
			require.NotContains(t, text.Body, "<no value>", id)
			require.NotContains(t, text.Body, "\n\n\n", id)
			require.Contains(t, text.Body, "Harbor Homes", id)
			require.LessOrEqual(t, utf8.RuneCountInString(text.Subject), 130, id)
			if text.SMS == "" {
				require.False(t, kind.asks() && slices.Contains([]string{"retention", "renewal", "manager"}, strings.Split(id, "_")[0]), id)
				continue
			}
			start := "Harbor Homes: "
			if kind.asks() {
				start = "Harbor Homes {code}: "
			}
			require.True(t, strings.HasPrefix(text.SMS, start), "%s: %s", id, text.SMS)
			for _, r := range fillSample(text.SMS) {
				require.Positive(t, septets(r), "%s has %q", id, r)
			}
			require.LessOrEqual(t, Segments(fillSample(text.SMS)), 3, "%s: %s", id, fillSample(text.SMS))
		}
	}
}

// What tenants read is there in Spanish too.
func TestTenantsTextsAreThereInSpanish(t *testing.T) {
	t.Parallel()
	l := mustLoad(t).company.Leasing
	for id := range l.Texts["en"] {
		tenants := strings.HasPrefix(id, "move_in_") || strings.HasPrefix(id, "renewal_") || strings.HasPrefix(id, "retention_") || strings.HasPrefix(id, welcomePrefix)
		_, ok := l.Texts["es"][id]
		require.Equal(t, tenants, ok, id)
	}
}

func TestLeaseTextSpeaksTheLanguage(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	render := func(language, id string, data LeaseData) LeaseText {
		t.Helper()
		text, _, err := p.LeaseText("1", "1", language, id, data)
		require.NoError(t, err)
		return text
	}
	utility := LeaseData{Address: "12 Elm St", MoveIn: "2026-12-01", Item: "Electricity"}
	require.Equal(t, "Harbor Homes {code}: is Electricity at your new home in your name from Tue, Dec 1, 2026? Reply 1 = done, 2 = I need help. {link}",
		render("en", TextMoveInUtility, utility).SMS)
	require.Equal(t, "Harbor Homes {code}: ¿est"+"a a su nombre el servicio de electricidad del nuevo hogar desde el mar 1 dic 2026? Responda 1 = si, 2 = necesito ayuda. {link}",
		strings.NewReplacer("á", "a", "í", "i").Replace(render("es", TextMoveInUtility, utility).SMS))
	require.Equal(t, "Servicio de electricidad, 12 Elm St", render("es", TextMoveInUtility, utility).Title)
	require.Equal(t, "Ya está arreglado", render("es-419", TextMoveInUtility, utility).Options["done"])
	require.Contains(t, render("es", TextMoveInInspection, LeaseData{When: "2026-12-02 15:30"}).Body, "será el mié 2 dic 2026, 15:30")
	require.Contains(t, render("en", TextMoveInInspection, LeaseData{When: "2026-12-02 15:30"}).Body, "on Wed, Dec 2, 2026, 3:30 PM")
	for asked, want := range map[string]string{
		"en": "en", "es": "es", "es-MX": "es", "ES_mx": "es", "en-GB": "en", "fr": "en", "": "en", "not a language": "en", strings.Repeat("x", 9999): "en",
	} {
		_, in, err := p.LeaseText("1", "1", asked, TextRenewalDone, LeaseData{})
		require.NoError(t, err)
		require.Equal(t, want, in, asked)
	}
	_, in, err := p.LeaseText("1", "1", "es", TextManagerNotice, LeaseData{})
	require.NoError(t, err)
	require.Equal(t, "en", in, "a text that a language lacks is the policy's own")
	_, _, err = p.LeaseText("1", "1", "es", "hello", LeaseData{})
	require.ErrorIs(t, err, ErrUnknownText)

	q, err := load(t, "    language: en #", "    language: es #")
	require.Nil(t, q)
	require.ErrorContains(t, err, "leasing.texts.es.manager_notice must be given")
}

// A policy that was written before a text was added stays right: the built-in text is sent.
func TestATextThatCameLaterIsBuiltIn(t *testing.T) {
	t.Parallel()
	text := string(embedded)
	from := strings.Index(text, "        manager_conflict:\n")
	p, err := parse("test", []byte(text[:from]+text[strings.Index(text, "        manager_incentive:\n"):]))
	require.NoError(t, err)
	require.NotContains(t, p.company.Leasing.Texts["en"], TextManagerConflict)
	want, _, err := mustLoad(t).LeaseText("1", "1", "es", TextManagerConflict, whole())
	require.NoError(t, err)
	got, in, err := p.LeaseText("1", "1", "es", TextManagerConflict, whole())
	require.NoError(t, err)
	require.Equal(t, "en", in)
	require.Equal(t, want, got)
	require.Contains(t, got.Body, "{link}")
}

// Days of languages that are not known here keep their digits.
func TestDaysInALanguage(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"en", "2026-02-28", "Sat, Feb 28, 2026"}, {"es-MX", "2026-02-28", "sáb 28 feb 2026"}, {"de", "2026-02-28", "2026-02-28"},
		{"en", "2026-02-30", "2026-02-30"}, {"en", "soon", "soon"}, {"es", "", ""},
	} {
		require.Equal(t, c[2], dayIn(c[0], c[1]))
	}
	require.Equal(t, "2026-02-28 09:05", instantIn("de", "2026-02-28 09:05"))
	require.Equal(t, "Sat, Feb 28, 2026, 9:05 AM", instantIn("en", "2026-02-28 09:05"))
	require.Equal(t, "sáb 28 feb 2026, 09:05", instantIn("es", "2026-02-28 09:05"))
}

// Whatever people and partners send, every text renders, in every part bounded, and no
// value brings in a placeholder.
func TestAnyLeaseDataRenders(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	texts := p.company.Leasing.Texts
	rapid.Check(t, func(t *rapid.T) {
		language := rapid.SampledFrom([]string{"en", "es"}).Draw(t, "language")
		id := rapid.SampledFrom(slices.Sorted(maps.Keys(texts[language]))).Draw(t, "id")
		value := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"{code}", "{link}", "{{.}}", "a\nb", "\u202eabc", "2026-01-01", strings.Repeat("x", 9000)}))
		var d LeaseData
		for _, v := range []*string{
			&d.Company, &d.Recipient, &d.Tenant, &d.Address, &d.Unit, &d.LeaseID, &d.MoveIn, &d.End, &d.NewEnd, &d.From, &d.DueBy, &d.When,
			&d.Currency, &d.Item, &d.Person, &d.Reason, &d.Note,
		} {
			*v = value.Draw(t, "value")
		}
		d.Lines = rapid.SliceOfN(value, 0, 30).Draw(t, "lines")
		d.Rent, d.NewRent, d.Amount = Cents(rapid.Int64().Draw(t, "rent")), Cents(rapid.Int64().Draw(t, "new")), Cents(rapid.Int64().Draw(t, "amount"))
		d.Increase, d.Months, d.Count = Permille(rapid.IntRange(-2000, 2000).Draw(t, "by")), rapid.Int().Draw(t, "months"), rapid.Int().Draw(t, "count")
		got, _, err := p.LeaseText("1", "1", language, id, d)
		require.NoError(t, err)
		source := texts[language][id]
		for _, part := range [][2]string{{source.Subject, got.Subject}, {string(source.Body), got.Body}, {source.SMS, got.SMS}, {source.Title, got.Title}} {
			require.True(t, utf8.ValidString(part[1]))
			for _, placeholder := range []string{"{link}", "{code}"} {
				require.Equal(t, strings.Count(part[0], placeholder), strings.Count(part[1], placeholder))
			}
			require.NotContains(t, part[1], "\u202e")
		}
		require.NotContains(t, got.SMS+got.Subject+got.Title, "\n")
		require.LessOrEqual(t, utf8.RuneCountInString(got.Title), maxTitle)
		require.LessOrEqual(t, len(got.Body), maxLetter)
	})
}

func TestPermilleRefusesWhatIsNoPercentage(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "5", "5.25%", "-1%", "+1%", "1,5%", " 1%", "1000%", "x%", "%", ".5%"} {
		untouched := Permille(7)
		require.Error(t, untouched.UnmarshalText([]byte(text)), text)
		require.Equal(t, Permille(7), untouched, text)
	}
}
