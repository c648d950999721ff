package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBuiltInSales(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	s := p.Sales()
	require.True(t, s.Given())
	require.Equal(t, p.Version(), s.Version)
	require.Equal(t, "Europe/London", s.TimeZone)
	require.Equal(t, Contact{"Priya Nair", "priya@example.com"}, s.Manager)
	require.Equal(t, Invitations{[]time.Duration{3 * day, 7 * day, 14 * day}, 3 * day, 7 * day}, s.Invitations)
	require.Equal(t, []string{"moove-ready-pack"}, s.Products)
	require.Equal(t, []string{"Legal Pack Preparation", "Auction Marketing Period", "Auction Exchange", "Completion"}, s.Milestones[MethodModernAuction])
	require.Len(t, s.Milestones, len(Methods()))

	lawson, ok := s.Professional(s.Defaults[RoleConveyancer])
	require.True(t, ok)
	require.Equal(t, Professional{
		ID: "lawson", Role: RoleConveyancer, Name: "Ruth Lawson", Firm: "Lawson Conveyancing", Email: "conveyancing@lawson.example.com",
		Areas: []string{"SW", "SE", "W"}, Methods: []string{MethodStandard}, Capacity: 25,
	}, lawson)
	require.Equal(t, "Ruth Lawson, Lawson Conveyancing", lawson.Title())
	require.Equal(t, "Europe/London", s.HoursOf(lawson).Zone)
	require.Equal(t, "09:00", s.HoursOf(lawson).From.String())
	northgate, ok := s.ProfessionalAt(RoleEstateAgent, " Agent@Northgate.example.com")
	require.True(t, ok)
	require.Equal(t, "08:30", s.HoursOf(northgate).From.String())
	require.Equal(t, "Europe/London", s.HoursOf(northgate).Zone)
	_, ok = s.ProfessionalAt(RoleConveyancer, northgate.Email)
	require.False(t, ok)
	quayside, _ := s.Professional("quayside")
	require.Equal(t, "Quayside Legal", quayside.Title())
	_, ok = s.Professional("nobody")
	require.False(t, ok)
	require.Equal(t, "Wednesday 1 July 2026", s.Date(at(t, "2026-06-30T23:30:00Z")))
	require.Equal(t, "mortgage broker", Words(RoleMortgageBroker))
}

func TestSalesMayBeLeftOut(t *testing.T) {
	t.Parallel()
	without, _, ok := strings.Cut(string(embedded), "\nsales:")
	require.True(t, ok)
	p, err := parse("test", []byte(without))
	require.NoError(t, err)
	require.False(t, p.Sales().Given())
	_, _, err = p.Sales().Letter(LetterReminder, LetterData{})
	require.ErrorIs(t, err, ErrUnknownText)
}

func TestSalesShareNothing(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	s := p.Sales()
	s.WorkingHours.Days[0] = "changed"
	s.Invitations.RemindAfter[0] = 1
	s.Products[0] = "changed"
	s.Milestones[MethodStandard][0] = "changed"
	s.Defaults[RoleConveyancer] = "changed"
	s.Professionals[1].ID = "changed"
	s.Professionals[1].Areas[0] = "changed"
	s.Professionals[1].Methods[0] = "changed"
	s.Professionals[1].Hours.Days[0] = "changed"
	s.Texts[LetterReminder] = Letter{}
	require.Equal(t, mustLoad(t).Sales(), p.Sales())
}

func TestSalesSurviveJSONAndAreSmallWithoutTheDirectory(t *testing.T) {
	t.Parallel()
	want := mustLoad(t).Sales()
	encoded, err := json.Marshal(want)
	require.NoError(t, err)
	var got Sales
	require.NoError(t, json.Unmarshal(encoded, &got))
	require.Equal(t, want, got)
	require.Equal(t, 1, strings.Count(string(encoded), `"hours"`), "who has none of his own has none in JSON")

	small := want.WithoutDirectory()
	require.Empty(t, small.Professionals)
	require.NotEmpty(t, want.Professionals, "it is a copy")
	encoded, err = json.Marshal(small)
	require.NoError(t, err)
	require.Less(t, len(encoded), 8<<10)
	require.NotContains(t, string(encoded), "oakfield.example.com")
}

// The largest section that Load takes is still small for a history.
func TestSalesAreBounded(t *testing.T) {
	t.Parallel()
	var names, slugs []string
	for i := range maxMilestones {
		names = append(names, fmt.Sprintf("%02d%s", i, strings.Repeat("<", maxLine-2))) // JSON writes < as six bytes
	}
	for i := range maxProducts {
		slugs = append(slugs, fmt.Sprintf("p%02d%s", i, strings.Repeat("x", 90)))
	}
	list := "[" + strings.Join(names, ", ") + "]"
	long := strings.Repeat("é", maxLetterSource/2-20) // what is left holds the {link} of a question
	p := mustLoad(t,
		"products: [moove-ready-pack]", "products: ["+strings.Join(slugs, ", ")+"]",
		"modern_auction: [Legal Pack Preparation, Auction Marketing Period, Auction Exchange, Completion]", "modern_auction: "+list,
		"secure_sale: [Legal Pack Preparation, Auction Marketing Period, Auction Exchange, Completion]", "secure_sale: "+list,
		"        Whom would you like instead? Please tell us here:", strings.Repeat(" ", 8)+long[:2000],
	)
	encoded, err := json.Marshal(p.Sales().WithoutDirectory())
	require.NoError(t, err)
	require.Less(t, len(encoded), 64<<10)
	_, err = load(t, "        Whom would you like instead? Please tell us here:", strings.Repeat(" ", 8)+long)
	require.ErrorContains(t, err, "is longer than 4000 bytes")
}

func TestEverythingWrongWithSalesIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := load(t,
		"  name: Harbor Homes Sales", "  name: "+strings.Repeat("x", 61),
		"time_zone: Europe/London", "time_zone: Europe/Nowhere",
		"region: GB", "region: UK",
		"email: priya@example.com", "email: priya",
		"{days: [mon, tue, wed, thu, fri], from: 09:00, to: 17:30}", "{days: [mon, mon, moonday], from: 17:30, to: 09:00}",
		"remind_after: [3d, 7d, 14d]", "remind_after: [3d, 3d, 0s]",
		"ask_agent_after: 3d", "ask_agent_after: -3d",
		"answer_within: 7d # how long that", "answer_for: 7d # how long that",
		"products: [moove-ready-pack]", "products: [Moove Ready]",
		"      - Instruction", "      - Completion",
		"    secure_sale: [", "    raffle: [",
		"defaults: {estate_agent: oakfield, conveyancer: lawson, auctioneer: hammond}",
		"defaults: {estate_agent: nobody, conveyancer: hammond, mortgage_broker: brightwell}",
		"      role: estate_agent", "      role: butler",
		"agent@northgate.example.com", "agent at northgate",
		"areas: [M, LS, S, L]", "areas: [m, LX, SW1AA, ls 1, LS, ls]",
		"    - id: pemberton", "    - id: lawson",
		"email: sales@pemberton.example.com", "email: Conveyancing@Lawson.example.com",
		"      methods: [modern_auction]\n      capacity: 60", "      methods: []\n      capacity: 0",
		"      capacity: 40\n    - id: brightwell", "      capacity: 10001\n      phone: 020 7946 0000\n    - id: brightwell",
		"from: 08:30, to: 18:00}", "from: 18:30, to: 18:00, zone: Nowhere}",
		"{{with .Postcode}}, {{.}}{{end}}{{with .Role}}", "{{with .Zip}}, {{.}}{{end}}{{with .Role}}",
		"        {link}\n", "        {code}\n",
		"milestones_missing:", "milestones_mising:",
	)
	var invalid *InvalidError
	require.ErrorAs(t, err, &invalid)
	var got []string
	for _, p := range invalid.Problems {
		require.Positive(t, p.Line, p)
		require.Empty(t, p.File)
		got = append(got, strings.TrimPrefix(p.Path, "sales."))
	}
	require.ElementsMatch(t, []string{
		"name", "time_zone", "region", "manager.email",
		"working_hours.days[1]", "working_hours.days[2]", "working_hours",
		"invitations.remind_after[1]", "invitations.remind_after[2]", "invitations.remind_after[2]",
		"invitations.ask_agent_after", "invitations.ask_agent_after", "invitations.answer_for", "invitations.answer_within",
		"products[0]", "milestones.standard[5]", "milestones.raffle",
		"defaults.estate_agent", "defaults.conveyancer", "defaults.mortgage_broker", "defaults.auctioneer",
		"professionals[0].role", "professionals[1].email", "professionals[1].areas[1]", "professionals[1].areas[2]",
		"professionals[1].areas[3]", "professionals[1].areas[5]", "professionals[3].id", "professionals[3].email", "professionals[5].methods", "professionals[5].capacity",
		"professionals[6].capacity", "professionals[6].phone", "professionals[1].hours", "professionals[1].hours.zone",
		"texts.invitation_reminder.body", "texts.invitation_choose.body", "texts.invitation_choose.body",
		"texts.milestones_missing", "texts.milestones_mising",
	}, got, err)
	for _, value := range []string{"Nowhere", "butler", "at northgate", "7946", "LX"} {
		require.NotContains(t, err.Error(), value, "values stay out of errors")
	}
	require.Contains(t, err.Error(), "sales.professionals[1].areas[1] must be a postcode area")
}

func TestRefusedSales(t *testing.T) {
	t.Parallel()
	without, _, _ := strings.Cut(string(embedded), "\nsales:")
	for name, text := range map[string]string{
		"nothing in it": "sales: {}",
		"a list":        "sales: []",
		"null":          "sales:",
		"no directory":  strings.Replace(string(embedded)[len(without)+1:], "defaults:", "directory: none.csv\n  defaults:", 1),
		"a folder":      strings.Replace(string(embedded)[len(without)+1:], "defaults:", "directory: .\n  defaults:", 1),
	} {
		_, err := parse("test", []byte(without+"\n"+text+"\n"))
		var invalid *InvalidError
		require.ErrorAs(t, err, &invalid, name)
		require.Contains(t, err.Error(), "sales", name)
	}
}

func TestDefaultsAreNeededForRolesThatAreFilled(t *testing.T) {
	t.Parallel()
	_, err := load(t, ", auctioneer: hammond}", "}")
	require.ErrorContains(t, err, "defaults.auctioneer must be given, as there are professionals of that role")

	text := string(embedded)
	from, to := strings.Index(text, "    - id: hammond"), strings.Index(text, "    - id: brightwell")
	text = strings.Replace(text[:from]+text[to:], ", auctioneer: hammond}", "}", 1)
	_, err = parse("test", []byte(text))
	require.NoError(t, err, "no auctioneers, no default")
}

func TestAShiftMayHaveItsOwnZone(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, "from: 00:00, to: 00:00}", "from: 00:00, to: 00:00, zone: Europe/London}")
	require.Equal(t, "Europe/London", p.For("1", "1").Technicians[0].Shifts[0].Zone)
}

func TestPostcodeAreas(t *testing.T) {
	t.Parallel()
	require.Len(t, postcodeAreas(), 124)
	for _, area := range []string{"*", "S", "SW", "M1", "SW1A", "SW1A 1", "EC1A 1", "M1 1", "W11", "ZE", "IM9"} {
		require.True(t, isArea(area, postcodeAreas()), area)
	}
	for _, area := range []string{"", "**", "SWX", "QQ", "sw", "1", "SW1AA", "SW1A 1AA", "SW1A1", "SW 1", "SW-", "SW*", "S,W"} {
		require.False(t, isArea(area, postcodeAreas()), area)
	}
}

func TestIsEmail(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"a@b.co", "first.last+tag@sub.example.com", "o'brien@example.com"} {
		require.True(t, isEmail(good), good)
	}
	for _, bad := range []string{
		"", "a", "a@b", "a b@example.com", "A <a@example.com>", "<a@example.com>", "a@example.com, b@example.com", "a@example.com\r\nBcc: b@example.com",
		"a\x00@example.com", "jörg@example.com", strings.Repeat("a", 250) + "@example.com",
	} {
		require.False(t, isEmail(bad), bad)
	}
}

// writePolicy puts the built-in policy and a directory beside it into a folder.
func writePolicy(t *testing.T, csv []byte, replace ...string) string {
	t.Helper()
	folder := t.TempDir()
	text := bytes.Replace(embedded, []byte("  defaults: {"), []byte("  directory: professionals.csv\n  defaults: {"), 1)
	for i := 0; i < len(replace); i += 2 {
		require.Contains(t, string(text), replace[i])
		text = bytes.Replace(text, []byte(replace[i]), []byte(replace[i+1]), 1)
	}
	path := filepath.Join(folder, "policy.yaml")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	if csv != nil {
		require.NoError(t, os.WriteFile(filepath.Join(folder, "professionals.csv"), csv, 0o600))
	}
	return path
}
