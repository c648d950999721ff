package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

const day = 24 * time.Hour

// noon is a business time.
func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func TestContacts(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		first := noon()
		want := store.Contact{ID: "7", Language: "es", SMSConsent: store.ConsentGiven, PreferredChannel: "sms", Source: "move_in", At: first}
		require.NoError(t, s.SaveContact(ctx, want))
		require.NoError(t, s.SaveContact(ctx, want), "again is harmless")
		require.NoError(t, s.SaveContact(ctx, store.Contact{ID: "8", Source: "rentvine", At: first}))
		want.ConsentSource, want.ConsentAt = "move_in", first
		is := func(want store.Contact, why string) {
			t.Helper()
			got, err := s.Contacts(ctx, []string{"7", "nobody", "8"})
			require.NoError(t, err)
			require.Equal(t, map[string]store.Contact{"7": want, "8": {ID: "8", Source: "rentvine", At: first}}, got, why)
		}
		is(want, "kept whole")

		require.NoError(t, s.SaveContact(ctx, store.Contact{ID: "7", Source: "rentvine", At: first.Add(time.Hour)}))
		want.Source, want.At = "rentvine", first.Add(time.Hour)
		is(want, "empty fields leave what is known, and the consent its own source")

		require.NoError(t, s.SaveContact(ctx, store.Contact{ID: "7", Language: "fr", SMSConsent: store.ConsentRefused, Source: "late", At: first.Add(-time.Hour)}))
		is(want, "what was said earlier changes nothing that is known")

		require.NoError(t, s.SaveContact(ctx, store.Contact{ID: "7", SMSConsent: store.ConsentRefused, Source: "text", At: first.Add(30 * time.Minute)}))
		want.SMSConsent, want.ConsentSource, want.ConsentAt = store.ConsentRefused, "text", first.Add(30*time.Minute)
		is(want, "a consent counts by its own time")

		got, err := s.Contacts(ctx, nil)
		require.NoError(t, err)
		require.Empty(t, got)
		_, err = s.Contacts(ctx, make([]string, 201))
		require.ErrorContains(t, err, "at most 200")
	})
}

func TestAnEarlierWordFillsInWhatNobodyKnew(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		require.NoError(t, s.SaveContact(ctx, store.Contact{ID: "7", Language: "es", Source: "page", At: noon()}))
		require.NoError(t, s.SaveContact(ctx, store.Contact{
			ID: "7", Language: "en", SMSConsent: store.ConsentGiven, PreferredChannel: "mail", Source: "lease", At: noon().Add(-day),
		}))
		got, err := s.Contacts(ctx, []string{"7"})
		require.NoError(t, err)
		require.Equal(t, store.Contact{
			ID: "7", Language: "es", SMSConsent: store.ConsentGiven, PreferredChannel: "mail", Source: "page", At: noon(),
			ConsentSource: "lease", ConsentAt: noon().Add(-day),
		}, got["7"])
	})
}

func TestContactsThatMakeNoSense(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s := open()
		for name, change := range map[string]func(*store.Contact){
			"no id":            func(c *store.Contact) { c.ID = "" },
			"a long id":        func(c *store.Contact) { c.ID = strings.Repeat("1", 65) },
			"a long language":  func(c *store.Contact) { c.Language = strings.Repeat("e", 65) },
			"a long source":    func(c *store.Contact) { c.Source = strings.Repeat("e", 65) },
			"another consent":  func(c *store.Contact) { c.SMSConsent = "perhaps" },
			"another channel":  func(c *store.Contact) { c.PreferredChannel = "pigeon" },
			"nobody said when": func(c *store.Contact) { c.At = time.Time{} },
		} {
			c := store.Contact{ID: "7", At: noon()}
			change(&c)
			require.ErrorIs(t, s.SaveContact(t.Context(), c), store.ErrInvalidContact, name)
		}
	})
}

func claim(key string, at time.Time) store.CampaignMessage {
	return store.CampaignMessage{Key: key, Person: "contact:7", Campaign: "renewal", At: at}
}

func TestClaimsOfCampaigns(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		limits := []store.CampaignLimit{{Most: 3, Within: 7 * day}, {Most: 4, Within: 30 * day}}
		for _, step := range []struct {
			why    string
			m      store.CampaignMessage
			freeAt time.Time
		}{
			{"the first", claim("1", noon()), time.Time{}},
			{"another campaign counts too", store.CampaignMessage{Key: "2", Person: "contact:7", Campaign: "retention", At: noon().Add(day)}, time.Time{}},
			{"the third", claim("3", noon().Add(2*day)), time.Time{}},
			{"one too many in a week", claim("4", noon().Add(3*day)), noon().Add(7 * day)},
			{"and just before it is over", claim("4", noon().Add(7*day-time.Microsecond)), noon().Add(7 * day)},
			{"one that counts already passes", claim("3", noon().Add(3*day)), time.Time{}},
			{"somebody else", store.CampaignMessage{Key: "5", Person: "contact:8", Campaign: "renewal", At: noon().Add(3 * day)}, time.Time{}},
			{"when the week is over", claim("4", noon().Add(7*day)), time.Time{}},
			{"the fifth in a month waits longer than a week", claim("6", noon().Add(8*day)), noon().Add(30 * day)},
			{"which ends too", claim("6", noon().Add(30*day)), time.Time{}},
		} {
			freeAt, err := s.ClaimCampaign(ctx, step.m, limits...)
			require.NoError(t, err, step.why)
			require.Equal(t, step.freeAt, freeAt, step.why)
		}
		free, err := s.ClaimCampaign(ctx, claim("7", noon().Add(30*day)), store.CampaignLimit{Most: 1, Within: day}, store.CampaignLimit{Within: day})
		require.NoError(t, err)
		require.Equal(t, noon().Add(31*day), free, "a limit that was lowered counts from the latest")
		require.NoError(t, s.ReleaseCampaign(ctx, "6"))
		free, err = s.ClaimCampaign(ctx, claim("7", noon().Add(30*day)), limits...)
		require.NoError(t, err)
		require.Zero(t, free, "what was taken back counts no more")

		for name, change := range map[string]func(*store.CampaignMessage){
			"no key": func(m *store.CampaignMessage) { m.Key = "" }, "no person": func(m *store.CampaignMessage) { m.Person = "" },
			"no campaign": func(m *store.CampaignMessage) { m.Campaign = "" }, "no time": func(m *store.CampaignMessage) { m.At = time.Time{} },
		} {
			m := claim("8", noon())
			change(&m)
			_, err := s.ClaimCampaign(ctx, m)
			require.Error(t, err, name)
		}
	})
}

// Campaigns that were held back until the same moment do not pass together.
func TestClaimsAtOnceKeepTheCap(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		stores := []store.Store{open(), open()}
		limit := store.CampaignLimit{Most: 3, Within: 7 * day}
		for round := range 5 {
			// Who has been written to before: what makes the others wait is there already.
			mine := func(i int, at time.Time) store.CampaignMessage {
				return store.CampaignMessage{Key: fmt.Sprint(round, "/", i), Person: fmt.Sprint("contact:", round), Campaign: "renewal", At: at}
			}
			_, err := stores[0].ClaimCampaign(t.Context(), mine(-1, noon().Add(-8*day)), limit)
			require.NoError(t, err)
			free, errs := make([]time.Time, 12), make([]error, 12)
			together(len(free), func(i int) {
				free[i], errs[i] = stores[i%2].ClaimCampaign(t.Context(), mine(i, noon()), limit)
			})
			passed := 0
			for i := range free {
				require.NoError(t, errs[i])
				if free[i].IsZero() {
					passed++
					continue
				}
				require.Equal(t, noon().Add(7*day), free[i])
			}
			require.Equal(t, 3, passed)
		}
	})
}

func TestPruneForgetsOldClaims(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		now := time.Now()
		old := claim("old", now.Add(-63*day))
		old.Person = "contact:6"
		_, err := s.ClaimCampaign(ctx, old)
		require.NoError(t, err)
		_, err = s.ClaimCampaign(ctx, claim("kept", now.Add(-61*day)))
		require.NoError(t, err)
		n, err := s.(store.Pruner).Prune(ctx, now)
		require.NoError(t, err)
		require.EqualValues(t, 2, n, "the claim and its person's row")
		free, err := s.ClaimCampaign(ctx, claim("new", now), store.CampaignLimit{Most: 1, Within: 62 * day})
		require.NoError(t, err)
		require.NotZero(t, free)
	})
}
