package activities

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
)

// rented is a lease in RentVine, from 2026-08-01 to 2027-07-31, whose charge of rent is
// 1850.00; RentVine shows that as another text.
func rented(a *account, shown string) (leaseID string) {
	a.t.Helper()
	id, _, err := a.box.PutLease(map[string]any{
		"unitID": "1", "rent": "1850.00", "leaseStatusID": "2", "startDate": "2026-08-01", "moveInDate": "2026-08-01", "endDate": "2027-07-31",
	})
	require.NoError(a.t, err)
	a.twisted(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/recurring-charges") {
			return false
		}
		reply := httptest.NewRecorder()
		a.box.ServeHTTP(reply, r)
		_, _ = strings.NewReplacer("1850.00", shown).WriteString(w, reply.Body.String())
		return true
	})
	return id
}

// agreedOn is a renewal for a year from 2027-08-01 on.
func agreedOn(leaseID string, rent policy.Cents) WriteRenewalInput {
	return WriteRenewalInput{LeaseID: leaseID, OldEnd: "2027-07-31", End: "2028-07-31", Rent: rent, RentFrom: "2027-08-01"}
}

// amounts are what the lease's charges come to, by the days on which they begin and end.
func amounts(a *account, leaseID string) map[string]string {
	a.t.Helper()
	charges, err := a.acts.RentVine.RecurringCharges(a.t.Context(), leaseID)
	require.NoError(a.t, err)
	found := map[string]string{}
	for _, c := range charges {
		found[c.StartDate+" "+c.EndDate] += c.Amount
	}
	return found
}

func TestARenewalIsWrittenOnceHoweverAmountsAreWritten(t *testing.T) {
	t.Parallel()
	for _, rent := range []string{"1850", "1850.0", "1850.00", "1850.0000"} {
		a := newAccount(t)
		id := rented(a, rent)
		view, err := a.acts.readLease(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, policy.Cents(1850_00), view.Rent, rent)
		want := map[string]string{"2026-08-01 2027-07-31": rent, "2027-08-01 2028-07-31": "1900.50"}
		for range 2 {
			written, err := a.acts.writeRenewal(t.Context(), agreedOn(id, 1900_50))
			require.NoError(t, err)
			require.Equal(t, WrittenRenewal{OK: true}, written, rent)
			require.Equal(t, want, amounts(a, id), rent)
		}
	}
}

// The same rent needs no other charge: the one that is there goes on.
func TestARenewalAtTheSameRentProlongsTheCharge(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	id := rented(a, "1850.0000")
	written, err := a.acts.writeRenewal(t.Context(), agreedOn(id, 1850_00))
	require.NoError(t, err)
	require.Equal(t, WrittenRenewal{OK: true}, written)
	require.Equal(t, map[string]string{"2026-08-01 2028-07-31": "1850.0000"}, amounts(a, id))
}

// An amount that cannot be read is not taken for nothing: nobody knows by how much the
// rent rises.
func TestARenewalIsNotWrittenBesideAnAmountThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, rent := range []string{"1,850.00", "1850.125", "much"} {
		a := newAccount(t)
		id := rented(a, rent)
		view, err := a.acts.readLease(t.Context(), id)
		require.NoError(t, err)
		require.Zero(t, view.Rent, rent)
		a.posted()
		written, err := a.acts.writeRenewal(t.Context(), agreedOn(id, 1900_00))
		require.NoError(t, err)
		require.False(t, written.OK)
		require.Len(t, written.Differences, 1, rent)
		require.Regexp(t, `^the amount of charge \d+ of rent cannot be read; please correct it: nothing was written$`, written.Differences[0])
		require.Empty(t, a.posted(), rent)
		a.twisted(nil)
		require.Equal(t, map[string]string{"2026-08-01 2027-07-31": "1850.00"}, amounts(a, id))
	}
}

// Which amounts matter: those of rent that is due when the lease ends, or later.
func TestWhichAmountsHinderARenewal(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	in := agreedOn(rented(a, "1850.00"), 1900_00)
	rent := rentvine.RecurringCharge{ID: "1", IsRent: true, Amount: "1850.00", StartDate: "2026-08-01", EndDate: in.OldEnd}
	for _, c := range []struct {
		name    string
		charge  rentvine.RecurringCharge
		hinders bool
	}{
		{"in force", rentvine.RecurringCharge{IsRent: true, StartDate: "2027-01-01"}, true},
		{"on its last day", rentvine.RecurringCharge{IsRent: true, EndDate: in.OldEnd}, true},
		{"from the new rent's day on", rentvine.RecurringCharge{IsRent: true, StartDate: in.RentFrom}, true},
		{"over", rentvine.RecurringCharge{IsRent: true, EndDate: "2027-07-30"}, false},
		{"no rent", rentvine.RecurringCharge{StartDate: "2026-08-01"}, false},
	} {
		c.charge.ID, c.charge.Amount = "2", "much"
		problems := renewalHindered([]rentvine.RecurringCharge{rent, c.charge}, in)
		require.Equal(t, c.hinders, len(problems) > 0, "%s: %v", c.name, problems)
	}
}

// The greatest charge of rent takes the rise; credits count.
func TestTheGreatestChargeOfRentTakesTheRise(t *testing.T) {
	t.Parallel()
	charge := func(id, amount string, isRent bool) rentvine.RecurringCharge {
		return rentvine.RecurringCharge{ID: id, AccountID: "4", Amount: amount, IsRent: isRent, StartDate: "2026-08-01"}
	}
	charges := []rentvine.RecurringCharge{
		charge("1", "50.0000", true), charge("2", "1850.0000", true), charge("3", "-100.00", true), charge("4", "2000.00", false),
	}
	in := agreedOn("9", 1900_00) // it is 1800.00 now
	steps := renewalOfCharges(charges, in)
	require.Equal(t, []chargeStep{
		{add: &rentvine.NewRecurringCharge{AccountID: "4", Amount: "1950.00", StartDate: "2027-08-01"}},
		{id: "2", end: "2027-07-31"},
	}, steps)

	charges[1].EndDate = "2027-07-31"
	charges = append(charges, charge("5", "1950.0000", true))
	charges[4].StartDate = "2027-08-01"
	require.Empty(t, renewalOfCharges(charges, in), "it was done before, and RentVine writes amounts its own way")
}
