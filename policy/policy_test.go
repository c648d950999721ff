package policy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// load parses the built-in policy with old replaced by new, which must be there.
func load(t *testing.T, replace ...string) (*Policy, error) {
	t.Helper()
	text := string(embedded)
	for i := 0; i < len(replace); i += 2 {
		require.Contains(t, text, replace[i])
		text = strings.Replace(text, replace[i], replace[i+1], 1)
	}
	return parse("test", []byte(text))
}

func mustLoad(t *testing.T, replace ...string) *Policy {
	t.Helper()
	p, err := load(t, replace...)
	require.NoError(t, err)
	return p
}

func TestBuiltIn(t *testing.T) {
	t.Parallel()
	p, err := Load("")
	require.NoError(t, err)
	require.Regexp(t, "^[0-9a-f]{12}$", p.Version())

	la := p.For("1", "1")
	require.Equal(t, "Harbor Homes", la.Company)
	require.Equal(t, "911", la.EmergencyNumber)
	require.Equal(t, Person{"grace", "Grace Lindqvist", "+12135550140", "grace@example.com"}, la.Manager)
	require.Equal(t, 15*time.Minute, la.SLA.Acknowledge)
	require.Equal(t, 72*time.Hour, la.LinkTTL)
	require.Equal(t, Date{2026, time.January, 5}, la.OnCall.Starts)
	require.Equal(t, "21:00", la.QuietHours.From.String())
	require.Equal(t, "31", la.Technicians[0].ID)
	require.Equal(t, "Maria Fixit", la.Technicians[0].Person.Name)

	portland := p.For("2", "2")
	require.Equal(t, "helen", portland.Manager.ID)
	require.Len(t, portland.OnCall.Teams, 2)
	require.Equal(t, 7*24*time.Hour, portland.OnCall.Every, "what the portfolio leaves out is the company's")
	require.Equal(t, "34", portland.Technicians[0].ID)

	lee, ok := portland.Person("lee")
	require.True(t, ok)
	require.Equal(t, "Lee Pipe", lee.Name)
	_, ok = portland.Person("maria")
	require.False(t, ok)
}

func TestSettingsSurviveJSONAndAreSmall(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	want := p.For("2", "2")
	encoded, err := json.Marshal(want)
	require.NoError(t, err)
	require.Less(t, len(encoded), 16<<10)
	require.Contains(t, string(encoded), `"quiet_hours":{"from":"21:00","to":"08:00"}`)
	var got Settings
	require.NoError(t, json.Unmarshal(encoded, &got))
	require.Equal(t, want, got)
}

func TestOverridesMergeInOrder(t *testing.T) {
	t.Parallel()
	text := strings.Replace(string(embedded), "    property_manager: helen", `    property_manager: helen
    quiet_hours: {from: 20:00}
    people: {helen: {phone: "+15035550199"}}
    sla: {accept: 45m}`, 1) + `
properties:
  7:
    sla: {on_site: 1d12h}
    escalation: [ana]
    texts: {tenant_done: "{{.Company}}: done."}
`
	q, err := parse("test", []byte(text))
	require.NoError(t, err)
	s := q.For("2", "7")
	require.Equal(t, SLA{Acknowledge: 15 * time.Minute, Accept: 45 * time.Minute, OnSite: 36 * time.Hour}, s.SLA)
	require.Equal(t, Person{"helen", "Helen Sato", "+15035550199", "helen@example.com"}, s.Manager)
	require.Equal(t, "20:00", s.QuietHours.From.String())
	require.Equal(t, "08:00", s.QuietHours.To.String())
	require.Len(t, s.Escalation, 1)
	require.Equal(t, "{{.Company}}: done.", s.Texts[TextTenantDone])
	require.Contains(t, s.Texts[TextTenantClosed], "closed")
	require.Equal(t, 4*time.Hour, q.For("1", "1").SLA.OnSite)
}

func TestPeople(t *testing.T) {
	t.Parallel()
	text := string(embedded) + `
properties: {7: {people: {ana: {phone: "+15035550199"}, zoe: {name: Zoe, phone: "+15035550198", email: zoe@example.com}}}}
`
	p, err := parse("test", []byte(text))
	require.NoError(t, err)
	people := p.People()
	require.Len(t, people, 16)
	require.Equal(t, Person{"ana", "Ana Volt", "+12135550133", "technician3@example.com"}, people[1])
	require.Equal(t, Person{"ana", "Ana Volt", "+15035550199", "technician3@example.com"}, people[2])
	require.Equal(t, "zoe", people[15].ID)
}

func TestSettingsShareNothing(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	s := p.For("2", "2")
	s.Texts[TextTenantDone] = "changed"
	s.Technicians[0].Trades[0] = "changed"
	s.Technicians[0].Shifts[0].Days[0] = "changed"
	s.OnCall.Teams[0][0].Name = "changed"
	s.Escalation[0].Name = "changed"
	s.Statuses.Repaired.Names[0] = "changed"
	s.OnCallAt(time.Now())[0].Phone = "changed"
	require.Equal(t, mustLoad(t).For("2", "2"), p.For("2", "2"))
}

func TestEverythingWrongIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := load(t,
		"gap: 3m", "gap: 0s",
		"every: 7d", "every: 36h",
		`"+12135550141"`, `"555-0111"`,
		"escalation: [omar, grace]", "escalation: [omar, nobody]",
		"change_at: 09:00", "change_at: 9am",
		"time_zone: America/Los_Angeles", "time_zone: America/Nowhere",
		"    acknowledge: 15m", "    acknowledge: 15",
		"{{.Company}}: {{with .Person}}{{.}}{{else}}our technician{{end}} is at", "{{.Compny}} is at",
		"link_ttl: 3d", "link_til: 3d",
		"trades: [electrical, hvac, locksmith, general]\n        latitude: 45.4871", "trades: [magic]\n        latitude: 145.4871",
		"max_jobs: 3", "max_jobs: three")
	var invalid *InvalidError
	require.ErrorAs(t, err, &invalid)
	var got []string
	for _, p := range invalid.Problems {
		require.Positive(t, p.Line, p)
		got = append(got, p.Path)
	}
	require.ElementsMatch(t, []string{
		"company.on_call.gap", "company.on_call.every", "company.people.omar.phone", "company.escalation[1]",
		"company.on_call.change_at", "company.time_zone", "company.sla.acknowledge", "company.sla.acknowledge",
		"company.texts.tenant_on_site", "company.link_til", "company.link_ttl",
		"portfolios.2.technicians[1].trades[0]", "portfolios.2.technicians[1].latitude",
		"company.technicians[0].max_jobs", "company.technicians[0].max_jobs",
	}, got, err)
	require.NotContains(t, err.Error(), "555", "values stay out of errors")
	line := 1 + strings.Count(string(embedded)[:strings.Index(string(embedded), "gap: 3m")], "\n")
	require.Contains(t, invalid.Problems, Problem{Path: "company.on_call.gap", Line: line, Message: "must be longer than 0 and at most 24h0m0s"})
}

func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	const twice = "{person: ana, id: 9, trades: [gas], latitude: 1, longitude: 1, max_jobs: 1, shifts: [{days: [mon], from: 8:00, to: 9:00}]}"
	many := strings.Repeat("#", maxFile+1)
	for name, text := range map[string]string{
		"empty":           "",
		"not a map":       "- 1",
		"broken":          "company: [",
		"two documents":   "company: {}\n---\ncompany: {}",
		"too large":       many,
		"nothing in it":   "company: {}",
		"unknown section": string(embedded) + "\nbuildings: {}\n",
		"duplicate key":   string(embedded) + "\ncompany: {}\n",
		"null section":    string(embedded) + "\nproperties:\n",
		"null value":      string(embedded) + "\nproperties: {7: {escalation: }}\n",
		"alias":           string(embedded) + "\nproperties: {7: {name: &a x}, 8: {name: *a}}\n",
		"a list for text": string(embedded) + "\nproperties: {7: {name: [x]}}\n",
		"text for a list": string(embedded) + "\nproperties: {7: {escalation: ana}}\n",
		"text for a map":  string(embedded) + "\nproperties: {7: {sla: fast}}\n",
		"empty team":      string(embedded) + "\nproperties: {7: {on_call: {teams: [[]]}}}\n",
		"no team":         string(embedded) + "\nproperties: {7: {on_call: {teams: []}}}\n",
		"person twice":    string(embedded) + "\nproperties: {7: {on_call: {teams: [[ana, ana]]}}}\n",
		"unknown text":    string(embedded) + "\nproperties: {7: {texts: {tenant_hello: hi}}}\n",
		"no code":         string(embedded) + "\nproperties: {7: {texts: {page_on_call: wake up}}}\n",
		"stray link":      string(embedded) + "\nproperties: {7: {texts: {tenant_done: 'see {link}'}}}\n",
		"broken template": string(embedded) + "\nproperties: {7: {texts: {tenant_done: '{{.Unit'}}}\n",
		"very long text":  string(embedded) + "\nproperties: {7: {texts: {tenant_done: '" + strings.Repeat("x", 700) + "'}}}\n",
		"local zone":      string(embedded) + "\nproperties: {7: {time_zone: Local}}\n",
		"no such country": string(embedded) + "\nproperties: {7: {region: XX}}\n",
		"NaN":             string(embedded) + "\nproperties: {7: {dispatch: {max_distance_km: .nan}}}\n",
		"same technician": string(embedded) + "\nproperties: {7: {technicians: [" + twice + ", " + twice + "]}}\n",
		"person unknown":  string(embedded) + "\nproperties: {7: {property_manager: nobody}}\n",
		"half a person":   string(embedded) + "\nproperties: {7: {people: {new: {name: New}}}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse("test", []byte(text))
			var invalid *InvalidError
			require.ErrorAs(t, err, &invalid)
			require.Less(t, len(err.Error()), 8000)
		})
	}
}

func TestLoadFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(path, append([]byte("\xef\xbb\xbf# ours\n"), embedded...), 0o600))
	p, err := Load(path)
	require.NoError(t, err)
	require.NotEqual(t, mustLoad(t).Version(), p.Version())

	_, err = Load(filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
	var invalid *InvalidError
	require.NotErrorAs(t, err, &invalid)
}

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"15m": 15 * time.Minute, "4h": 4 * time.Hour, "3d": 72 * time.Hour, "1d12h": 36 * time.Hour, "0s": 0, "1h30m": 90 * time.Minute,
	} {
		got, err := parseDuration(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "15", "-4h", "3 d", "d", "1.5d", "-1d", "+1d", "1d-2h", "1d1d", "99999d", "9999999h", "x"} {
		_, err := parseDuration(text)
		require.Error(t, err, text)
	}
}
