package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
)

// Others give the lease another end while its renewal is signed.
func TestConflictsOfALeasesEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule  policy.ConflictRule
		force bool
		late  time.Duration
		want  ConflictOutcome
		end   string
	}{
		{policy.ConflictPerson, false, 0, ConflictAsks, "2027-12-31"},
		{policy.ConflictPerson, true, 0, ConflictOurs, "2028-07-31"},
		{policy.ConflictPartner, false, 0, ConflictTheirs, "2027-12-31"},
		{policy.ConflictOurs, false, 0, ConflictOurs, "2028-07-31"},
		{policy.ConflictNewest, false, -time.Hour, ConflictTheirs, "2027-12-31"},
		{policy.ConflictNewest, false, time.Hour, ConflictOurs, "2028-07-31"},
	} {
		a := newAccount(t)
		a.rule(policy.FieldLeaseEnd, c.rule)
		id := rented(a, "1850.00")
		end := "2027-12-31"
		changed, err := a.acts.RentVine.UpdateLease(t.Context(), id, rentvine.LeaseChange{EndDate: &end})
		require.NoError(t, err)
		a.acts.Now = func() time.Time { return changed.ModifiedAt.Add(c.late) }
		before := amounts(a, id)
		a.posted()
		in := agreedOn(id, 1900_00)
		in.Force = c.force
		for range 2 {
			ctx, audit := watched(t)
			written, err := a.acts.writeRenewal(ctx, in)
			require.NoError(t, err)
			if c.want == ConflictOurs && written.Conflicts == nil {
				require.True(t, written.OK, "it is written already")
				continue
			}
			require.Equal(t, []Conflict{{Field: policy.FieldLeaseEnd, Theirs: "2027-12-31", Ours: "2028-07-31", Rule: c.rule, Outcome: c.want}}, written.Conflicts)
			require.Len(t, audit.conflicts(), 1)
			require.Equal(t, c.want == ConflictOurs, written.OK)
			if c.want != ConflictOurs {
				require.Empty(t, a.posted(), "nothing of it is written")
				require.Equal(t, before, amounts(a, id))
			}
		}
		lease, err := a.acts.RentVine.LeaseWithTenants(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, c.end, lease.EndDate)
	}
}

// Others enter a rent for the time after the lease while its renewal is signed.
func TestConflictsOfALeasesRent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule  policy.ConflictRule
		force bool
		from  string
		theirs, line,
		problem string
		want map[string]string
	}{
		"person": {policy.ConflictPerson, false, "2027-08-01", "1950.00",
			"lease rent: RentVine says 1950.00 from 2027-08-01, we wanted 1900.00 from 2027-08-01: person -> the manager decides", "",
			map[string]string{"2026-08-01 2027-07-31": "1850.00", "2027-08-01 ": "1950.00"}},
		"partner": {policy.ConflictPartner, false, "2027-08-01", "1950.00",
			"lease rent: RentVine says 1950.00 from 2027-08-01, we wanted 1900.00 from 2027-08-01: partner -> kept theirs", "",
			map[string]string{"2026-08-01 2027-07-31": "1850.00", "2027-08-01 ": "1950.00"}},
		"person, all the same": {policy.ConflictPerson, true, "2027-08-01", "1950.00",
			"lease rent: RentVine says 1950.00 from 2027-08-01, we wanted 1900.00 from 2027-08-01: person -> wrote ours", "",
			map[string]string{"2026-08-01 2027-07-31": "1850.00", "2027-08-01 ": "1900.00"}},
		"ours": {policy.ConflictOurs, false, "2027-08-01", "1950.00",
			"lease rent: RentVine says 1950.00 from 2027-08-01, we wanted 1900.00 from 2027-08-01: ours -> wrote ours", "",
			map[string]string{"2026-08-01 2027-07-31": "1850.00", "2027-08-01 ": "1900.00"}},
		"ours, which cannot be put in its place": {policy.ConflictOurs, false, "2027-09-01", "1950.00",
			"lease rent: RentVine says 1950.00 from 2027-09-01, we wanted 1900.00 from 2027-08-01: ours -> kept theirs",
			"another charge of rent begins on 2027-09-01; please remove it at RentVine and enter 1900.00 from 2027-08-01: nothing was written",
			map[string]string{"2026-08-01 2027-07-31": "1850.00", "2027-09-01 ": "1950.00"}},
		"the same": {policy.ConflictPerson, false, "2027-08-01", "1900.0", "", "",
			map[string]string{"2026-08-01 2027-07-31": "1850.00", "2027-08-01 ": "1900.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			a.rule(policy.FieldLeaseRent, c.rule)
			id := rented(a, "1850.00")
			charges, err := a.acts.RentVine.RecurringCharges(t.Context(), id)
			require.NoError(t, err)
			_, err = a.acts.RentVine.AddRecurringCharge(t.Context(), id, rentvine.NewRecurringCharge{
				AccountID: charges[0].AccountID, Amount: c.theirs, Description: "Rent", StartDate: c.from, Frequency: charges[0].Frequency,
			})
			require.NoError(t, err)
			in := agreedOn(id, 1900_00)
			in.Force = c.force
			ctx, audit := watched(t)
			written, err := a.acts.writeRenewal(ctx, in)
			require.NoError(t, err)
			if c.line != "" {
				require.Equal(t, []string{c.line}, audit.conflicts())
			} else {
				require.Empty(t, written.Conflicts)
			}
			if c.problem != "" {
				require.Equal(t, []string{c.problem}, written.Differences)
			}
			require.Equal(t, c.want, amounts(a, id))
			if written.OK {
				again, err := a.acts.writeRenewal(ctx, in)
				require.NoError(t, err)
				require.Equal(t, WrittenRenewal{OK: true}, again)
				require.Equal(t, c.want, amounts(a, id))
			}
		})
	}
}
