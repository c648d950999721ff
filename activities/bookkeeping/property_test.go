package bookkeeping

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/policy"
)

// net are the sums of debits minus credits by account, of entries up to a day; "" is all.
func net(entries []Entry, until string) map[string]policy.Cents {
	sums := map[string]policy.Cents{}
	for _, e := range entries {
		if until != "" && e.Day > until {
			continue
		}
		for _, l := range e.Lines {
			sums[l.Account] += l.Debit - l.Credit
		}
	}
	for account, sum := range sums {
		if sum == 0 {
			delete(sums, account)
		}
	}
	return sums
}

// apply is what a run of the workflow does with the state that it reads.
func apply(t *rapid.T, booked []Entry, state Transaction, today string, rules policy.Finance) []Entry {
	choice := Categorise(state, rules).Taken(rules.Questions.SureFrom)
	want, err := Target(state, choice, rules)
	require.NoError(t, err)
	planned, err := Plan(booked, want, state.Day, today, rules.ClosedAfter)
	require.NoError(t, err)
	return append(booked[:len(booked):len(booked)], planned...)
}

func days(from, count int) *rapid.Generator[string] {
	return rapid.Map(rapid.IntRange(from, from+count), func(n int) string {
		return time.Date(2027, 12, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n).Format(time.DateOnly)
	})
}

func states() *rapid.Generator[Transaction] {
	return rapid.Custom(func(t *rapid.T) Transaction {
		// What a record is never changes but for charge and credit.
		kind := rapid.SampledFrom([]Kind{Charge, Charge, Credit, Payment, Bill}).Draw(t, "kind")
		state := Transaction{ID: "charge/12", Kind: kind, Found: true, Day: days(-40, 130).Draw(t, "day")}
		most := 1
		if kind == Bill {
			most = 4
		}
		for range rapid.IntRange(1, most).Draw(t, "parts") {
			state.Parts = append(state.Parts, Part{
				Amount:        policy.Cents(rapid.Int64Range(0, 300000).Draw(t, "cents")),
				AccountNumber: rapid.SampledFrom([]string{"", "4000", "4010", "2200", "6000", "6010", "4900"}).Draw(t, "account"),
				Text:          rapid.SampledFrom([]string{"", "rent", "late fee", "faucet", "pet rent", "something"}).Draw(t, "text"),
			})
		}
		state.Voided = rapid.IntRange(0, 3).Draw(t, "voided") == 0
		state.Found = rapid.IntRange(0, 7).Draw(t, "found") > 0
		return state
	})
}

// Whatever happens to a record, in whatever order it is heard of and however often, the
// books end as if only its last state had ever been.
func TestAnySequenceEndsInTheSameBooks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rules := books()
		rules.ClosedAfter = rapid.IntRange(0, 40).Draw(t, "closed after")
		history := rapid.SliceOfN(states(), 1, 12).Draw(t, "history")
		var booked []Entry
		clock := 0
		for _, state := range history {
			clock += rapid.IntRange(0, 25).Draw(t, "days pass")
			// Late and repeated events read the present state, so they apply it again.
			for range rapid.IntRange(1, 3).Draw(t, "heard") {
				before := len(booked)
				today := days(clock, 0).Draw(t, "today")
				booked = apply(t, booked, state, today, rules)
				for _, e := range booked[before:] {
					requireOpen(t, e.Day, today, rules.ClosedAfter)
				}
			}
		}
		final := history[len(history)-1]
		today := days(clock, 0).Draw(t, "today")
		alone := apply(t, nil, final, today, rules)
		require.Equal(t, net(alone, ""), net(booked, ""))
		requireSound(t, booked, final)
		require.Len(t, apply(t, booked, final, days(clock+400, 0).Draw(t, "much later"), rules), len(booked), "the last state once more adds nothing")
	})
}

// Nothing is ever booked in a month that is closed.
func requireOpen(t *rapid.T, day, today string, closedAfter int) {
	got, err := BookDay(day, today, closedAfter)
	require.NoError(t, err)
	require.Equal(t, day, got)
}

func requireSound(t *rapid.T, booked []Entry, final Transaction) {
	reversed, inForce := map[int]int{}, 0
	for i, e := range booked {
		require.True(t, e.Balanced())
		require.Equal(t, i+1, e.Number)
		if e.Reverses > 0 {
			reversed[e.Reverses]++
			require.Less(t, e.Reverses, e.Number)
			require.Zero(t, booked[e.Reverses-1].Reverses, "a reversal is not reversed")
			require.Equal(t, 1, reversed[e.Reverses])
			require.GreaterOrEqual(t, e.Day, booked[e.Reverses-1].Day)
		}
	}
	for _, e := range booked {
		if e.Reverses == 0 && reversed[e.Number] == 0 {
			inForce++
			require.Equal(t, final.Day, e.Of)
		}
	}
	require.Equal(t, final.Counts(), inForce == 1)
	require.LessOrEqual(t, inForce, 1)
}

// While all months are open the books of every day are those of the last state alone.
func TestOpenMonthsAreRightOnEveryDay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rules := books()
		rules.ClosedAfter = 1000
		history := rapid.SliceOfN(states(), 1, 8).Draw(t, "history")
		var booked []Entry
		for _, state := range history {
			booked = apply(t, booked, state, "2028-03-01", rules)
		}
		alone := apply(t, nil, history[len(history)-1], "2028-03-01", rules)
		until := days(-40, 130).Draw(t, "until")
		require.Equal(t, net(alone, until), net(booked, until))
	})
}
