package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	stdsync "sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/bookkeeping"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/quickbooks"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/sandbox"
	boxbooks "github.com/aictive/keyholder/sandbox/quickbooks"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/finance"
)

// Who is asked about money.
const (
	accountantMail = "nora@example.com"
	controllerMail = "victor@example.com"
)

// Accounts at RentVine.
const (
	rentAccount    = "1"
	lateFeeAccount = "3"
	miscAccount    = "10" // which no category means
)

func TestACharge(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	id := b.charge("1850.00", rentAccount)
	require.Equal(t, finance.TransactionResult{Outcome: "booked", Entries: 1}, b.plays("lease_charge.created", id, nil))
	booked := []string{"C" + id + "-1 2026-11-21 Rental Income -185000, Tenant Receivables 185000"}
	require.Equal(t, booked, b.entries())
	require.Equal(t, []string{"finance-summary/1"}, b.started)
	journal := b.journal("charge/" + id)
	require.Len(t, journal, 1)
	require.NotEmpty(t, journal[0].QuickBooksID)
	require.False(t, journal[0].PostedAt.IsZero())

	again := b.tells("lease_charge.created", id)
	require.NoError(t, b.runs("charge/"+id, finance.TransactionInput{}, func() {
		b.at(0, func() { b.tell(again) })
		b.at(time.Millisecond, func() { b.tell(again) }) // a repeat of the webhook
	}))
	require.Equal(t, finance.TransactionResult{Outcome: "booked"}, b.result())
	b.plays("lease_charge.updated", id, nil) // nothing has changed
	require.Equal(t, booked, b.entries())
	require.Len(t, b.started, 1, "nothing new is told")
	require.Empty(t, b.findings(""))
	b.sound()
}

func TestAChargeChanges(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	id := b.charge("1850.00", rentAccount)
	b.plays("lease_charge.created", id, nil)
	line := func(n int, cents int64) string {
		return fmt.Sprintf("C%s-%d 2026-11-21 Rental Income %d, Tenant Receivables %d", id, n, -cents, cents)
	}

	b.change(id, map[string]any{"amount": "1900.00"})
	require.Equal(t, finance.TransactionResult{Outcome: "booked", Entries: 2}, b.plays("lease_charge.updated", id, nil))
	want := []string{line(1, 185000), line(2, -185000), line(3, 190000)}
	require.Equal(t, want, b.entries())

	b.change(id, map[string]any{"isVoided": true})
	require.Equal(t, finance.TransactionResult{Outcome: "voided", Entries: 1}, b.plays("lease_charge.updated", id, nil))
	want = append(want, line(4, -190000))
	require.Equal(t, want, b.entries())
	require.Zero(t, b.balance("Rental Income"))

	b.plays("lease_charge.updated", id, nil)
	require.Equal(t, want, b.entries())

	b.change(id, map[string]any{"isVoided": false})
	require.Equal(t, finance.TransactionResult{Outcome: "booked", Entries: 1}, b.plays("lease_charge.updated", id, nil))
	want = append(want, line(5, 190000))
	require.Equal(t, want, b.entries())

	b.change(id, map[string]any{"accountID": lateFeeAccount})
	b.plays("lease_charge.updated", id, nil)
	require.Equal(t, int64(-190000), b.balance("Late Fee Income"))
	require.Zero(t, b.balance("Rental Income"))
	b.sound()
}

// TestAChargeChangesWhileItIsBooked has all the changes reach one run.
func TestAChargeChangesWhileItIsBooked(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	id := b.charge("100.00", rentAccount)
	n := 0
	require.NoError(t, b.runs("charge/"+id, finance.TransactionInput{}, func() {
		b.at(0, func() { b.tell(b.tells("lease_charge.created", id)) })
		b.env.SetOnActivityCompletedListener(func(info *activity.Info, _ converter.EncodedValue, _ error) {
			if info.ActivityType.Name == activities.BookTransaction.Name && n < 30 {
				n++
				b.change(id, map[string]any{"amount": fmt.Sprintf("%d.00", 100+n)})
				b.tell(b.tells("lease_charge.updated", id))
			}
		})
	}))
	require.Equal(t, 30, n)
	require.Equal(t, int64(-13000), b.balance("Rental Income"))
	require.Len(t, b.entries(), 61)
	b.sound()
}

func TestAChargeMovesAcrossAClosedMonth(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	late := b.post("lease_charge.created", map[string]any{"amount": "50.00", "accountID": lateFeeAccount, "datePosted": "2026-10-15", "description": ""})
	id := b.charge("1850.00", rentAccount)
	b.plays("lease_charge.created", late, nil)
	b.plays("lease_charge.created", id, nil)
	b.change(id, map[string]any{"datePosted": "2026-10-31"})
	b.plays("lease_charge.updated", id, nil)
	b.plays("lease_charge.updated", id, nil)
	require.Equal(t, []string{
		"C" + late + "-1 2026-11-21 Late Fee Income -5000, Tenant Receivables 5000", // October is closed
		"C" + id + "-1 2026-11-21 Rental Income -185000, Tenant Receivables 185000",
		"C" + id + "-2 2026-11-21 Rental Income 185000, Tenant Receivables -185000",
		"C" + id + "-3 2026-11-21 Rental Income -185000, Tenant Receivables 185000",
	}, b.entries())
	journal := b.journal("charge/" + id)
	require.Equal(t, "2026-10-31", journal[2].Of)

	b.start = time.Date(2026, 12, 20, 18, 0, 0, 0, time.UTC) // November is closed
	b.change(id, map[string]any{"isVoided": true})
	b.plays("lease_charge.updated", id, nil)
	require.Equal(t, "2026-12-20", b.journal("charge/" + id)[3].Day)
	require.Zero(t, b.balance("Rental Income"))
	b.sound()
}

func TestAPaymentACreditAndBills(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	payment := b.post("payment.received", map[string]any{"amount": "1850.00"})
	require.Equal(t, finance.TransactionResult{Outcome: "booked", Entries: 1}, b.plays("payment.received", payment, nil))
	require.Equal(t, []string{"P" + payment + "-1 2026-11-21 Tenant Receivables -185000, Trust Checking 185000"}, b.entries())
	require.Zero(t, b.questions(accountantMail), "nobody is asked what a payment is for")

	credit := b.charge("25.00", rentAccount)
	b.change(credit, map[string]any{"type": "credit"})
	b.plays("lease_charge.created", credit, nil)
	require.Equal(t, int64(2500), b.balance("Rental Income"))
	require.Equal(t, int64(-187500), b.balance("Tenant Receivables"))

	bill := b.bill()
	require.Equal(t, finance.TransactionResult{Outcome: "booked", Entries: 1}, b.plays("invoice.generated", bill, nil))
	require.Contains(t, b.entries(), "I"+bill+"-1 2026-11-21 Cleaning & Turnover 4000, Repairs & Maintenance 13050, Vendor Payables -17050")
	b.call(http.MethodPut, "/_records/rentvine/bills/"+bill, map[string]any{"isVoided": true}, nil)
	require.Equal(t, "voided", b.plays("invoice.generated", bill, nil).Outcome)
	require.Zero(t, b.balance("Vendor Payables"))

	require.NoError(t, b.runs("invoice/999", finance.TransactionInput{}, func() {
		b.at(0, func() {
			b.tell(b.eventOf("invoice.generated", "999", map[string]any{"leaseID": b.lease, "datePosted": "2026-11-21", "amount": "12.00"}))
		})
	}))
	require.Equal(t, "nothing_to_book", b.result().Outcome)
	require.Empty(t, b.journal("invoice/999"))
	require.Empty(t, b.findings(""))
	b.sound()
}

func TestAnUnsureChargeIsAnswered(t *testing.T) {
	t.Parallel()
	for name, say := range map[string]func(b *books) *updated{
		"by link": func(b *books) *updated {
			return command(b.scenario, durable.GiveAnswer, b.said(accountantMail, "categorise", "late_fee"))
		},
		"by signal": func(b *books) *updated {
			b.fact(b.said(accountantMail, "categorise", "late_fee"))
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBooks(t)
			id := b.charge("60.00", miscAccount)
			var told *updated
			result := b.plays("lease_charge.created", id, func() {
				b.at(5*time.Hour, func() {
					require.Equal(t, finance.StageUnsure, b.describe().Stage)
					require.Empty(t, b.entries(), "it waits for the answer")
					told = say(b)
				})
			})
			require.Equal(t, finance.TransactionResult{Outcome: "booked", Entries: 1}, result)
			require.Equal(t, []string{"C" + id + "-1 2026-11-21 Late Fee Income -6000, Tenant Receivables 6000"}, b.entries())
			mails := b.mails(accountantMail)
			require.Equal(t, 1, b.questions(accountantMail))
			require.Contains(t, mails[0].Text, "http://keyholder.test/a/")
			require.NotContains(t, mails[0].Text, "{link}")
			require.Empty(t, b.openBids(accountantMail), "the question is closed")
			if told != nil {
				require.NoError(t, told.err)
				require.True(t, told.done)
			}

			b.change(id, map[string]any{"amount": "70.00"})
			require.Equal(t, finance.TransactionResult{Outcome: "booked", Entries: 2}, b.plays("lease_charge.updated", id, nil))
			require.Equal(t, int64(-7000), b.balance("Late Fee Income"), "as somebody said before")
			require.Equal(t, 1, b.questions(accountantMail))
			b.sound()
		})
	}
}

func TestAnUnsureChargeIsAnsweredLate(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	id := b.charge("60.00", miscAccount)
	asked := func() [2]int { return [2]int{b.questions(accountantMail), b.questions(controllerMail)} }
	result := b.plays("lease_charge.created", id, func() {
		b.at(time.Hour, func() { require.Equal(t, [2]int{1, 0}, asked()) })
		b.at(25*time.Hour, func() { require.Equal(t, [2]int{2, 0}, asked()) })
		b.at(71*time.Hour, func() {
			require.Equal(t, [2]int{3, 0}, asked())
			require.Empty(t, b.entries())
		})
		b.at(73*time.Hour, func() {
			require.Equal(t, [2]int{3, 1}, asked())
			require.Equal(t, []string{"C" + id + "-1 2026-11-21 Tenant Receivables 6000, Uncategorized -6000"}, b.entries())
		})
		b.at(200*time.Hour, func() { b.says(controllerMail, "categorise", "other_income") })
	})
	require.Equal(t, finance.TransactionResult{Outcome: "booked", Entries: 3}, result)
	require.Equal(t, [2]int{3, 1}, asked())
	require.Zero(t, b.balance("Uncategorized"))
	require.Equal(t, int64(-6000), b.balance("Other Income"))
	require.Empty(t, b.openBids(accountantMail))
	require.Empty(t, b.openBids(controllerMail))
	b.sound()
}

func TestAnUnsureChargeIsNeverAnswered(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	id := b.charge("60.00", miscAccount)
	began := b.start
	result := b.plays("lease_charge.created", id, func() {
		b.at(48*time.Hour+time.Minute, func() {
			b.tell(b.tells("lease_charge.updated", id)) // no change: the questions go on
			bad := b.said(accountantMail, "categorise", "repairs")
			b.fact(bad)
		})
	})
	require.Equal(t, finance.TransactionResult{Outcome: "unsure", Entries: 1}, result)
	require.InDelta(t, 33*24, b.start.Sub(began).Hours(), 1)
	require.Equal(t, 3, b.questions(accountantMail))
	require.Equal(t, 1, b.questions(controllerMail))
	require.Equal(t, int64(-6000), b.balance("Uncategorized"))
	require.Empty(t, b.openBids(controllerMail))
	b.sound()
}

func TestAnUnsureChargeIsVoided(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	id := b.charge("60.00", miscAccount)
	result := b.plays("lease_charge.created", id, func() {
		b.at(time.Hour, func() {
			require.Len(t, b.openBids(accountantMail), 1)
			b.change(id, map[string]any{"isVoided": true})
			b.tell(b.tells("lease_charge.updated", id))
		})
	})
	require.Equal(t, finance.TransactionResult{Outcome: "voided"}, result)
	require.Empty(t, b.entries())
	require.Empty(t, b.openBids(accountantMail))
}

// TestAnUnsureBillOfSeveralParts asks for one of them, and keeps what was said.
func TestAnUnsureBillOfSeveralParts(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	bill := b.bill("7", "130.50", "1", "40.00") // an account of income is none of a bill's
	b.plays("invoice.generated", bill, func() {
		b.at(time.Hour, func() { b.says(accountantMail, "categorise", "insurance") })
	})
	want := "I" + bill + "-1 2026-11-21 Insurance 4000, Repairs & Maintenance 13050, Vendor Payables -17050"
	require.Equal(t, []string{want}, b.entries())
	b.plays("invoice.generated", bill, nil)
	require.Equal(t, []string{want}, b.entries(), "nothing has changed")
	require.Equal(t, 1, b.questions(accountantMail))
	b.sound()
}

func TestRentVineDoesNotShowItYet(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	id := b.charge("1850.00", rentAccount)
	looks := 0
	b.rentvine.set(func(r *http.Request) []byte {
		if !strings.Contains(r.URL.Path, "/transactions") {
			return nil
		}
		if looks++; looks > 8 {
			return nil
		}
		return []byte("[]")
	}, nil)
	require.Equal(t, "booked", b.plays("lease_charge.created", id, nil).Outcome)
	require.Len(t, b.entries(), 1)
	require.Empty(t, b.findings(""))
}

func TestRentVineNeverShowsIt(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	require.NoError(t, b.runs("charge/987654", finance.TransactionInput{}, func() {
		b.at(0, func() { b.tell(b.eventOf("lease_charge.created", "987654", map[string]any{"leaseID": b.lease})) })
	}))
	require.Equal(t, finance.TransactionResult{Outcome: "not_found"}, b.result())
	require.Empty(t, b.findings(""))
	require.Empty(t, b.journal("charge/987654"))
}

func TestRentVineShowsItNoMore(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	id := b.charge("1850.00", rentAccount)
	b.plays("lease_charge.created", id, nil)
	b.rentvine.set(func(r *http.Request) []byte {
		if strings.Contains(r.URL.Path, "/transactions") {
			return []byte("[]")
		}
		return nil
	}, nil)
	require.Equal(t, "not_found", b.plays("lease_charge.updated", id, nil).Outcome)
	require.Len(t, b.entries(), 1, "it stays booked")
	found := b.findings(store.FindingOpen)
	require.Len(t, found, 1)
	require.Equal(t, "missing_at_rentvine", found[0].Kind)
	require.Contains(t, b.started, "finding/"+found[0].ID)

	b.rentvine.set(nil, nil)
	b.plays("lease_charge.updated", id, nil)
	require.Empty(t, b.findings(store.FindingOpen), "RentVine shows it again")
	require.Len(t, b.entries(), 1)
}

func TestQuickBooksLosesReplies(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	id := b.charge("1850.00", rentAccount)
	lost := 0
	b.quickbooks.set(nil, func(r *http.Request, reply []byte) ([]byte, error) {
		if isEntry(r) && lost < 2 {
			lost++
			return nil, errors.New("the connection broke")
		}
		return reply, nil
	})
	require.Equal(t, finance.TransactionResult{Outcome: "booked", Entries: 1}, b.plays("lease_charge.created", id, nil))
	require.Equal(t, 1, lost, "the repeat finds the entry")
	require.Len(t, b.entries(), 1)
	b.sound()
}

// TestQuickBooksClosesAnAccount answers a fault in a 200, waits, and books once the
// account is open again.
func TestQuickBooksClosesAnAccount(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.reviewed = true
	id := b.charge("1850.00", rentAccount)
	closed := []byte(`{"Fault":{"Error":[{"Message":"Object Not Found","Detail":"Something you're trying to use has been made inactive.","code":"610"}],"type":"ValidationFault"},"time":"2026-11-21T18:00:00Z"}`)
	b.quickbooks.set(func(r *http.Request) []byte {
		if isEntry(r) {
			return closed
		}
		return nil
	}, nil)
	result := b.plays("lease_charge.created", id, func() {
		b.at(time.Hour, func() {
			require.Equal(t, finance.StageRefused, b.describe().Stage)
			found := b.findings(store.FindingOpen)
			require.Len(t, found, 1)
			require.Equal(t, "not_booked/charge/"+id, found[0].ID)
			require.Equal(t, 1, b.questions(accountantMail), "its review asks")
		})
		b.at(7*time.Hour, func() { b.quickbooks.set(nil, nil) })
	})
	require.Equal(t, finance.TransactionResult{Outcome: "booked", Entries: 1}, result)
	require.Len(t, b.entries(), 1)
	require.Empty(t, b.findings(store.FindingOpen), "it is booked")
	require.Equal(t, 1, b.count("finding/not_booked/charge/"+id), "one review")
	b.sound()
}

// TestAnAccountIsMissing in QuickBooks' chart: a booking waits, and the worker that comes
// after the account was added finishes it.
func TestAnAccountIsMissing(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	id := b.charge("1850.00", rentAccount)
	b.quickbooks.set(nil, func(_ *http.Request, reply []byte) ([]byte, error) {
		return bytes.ReplaceAll(reply, []byte("Rental Income"), []byte("Old Income")), nil
	})
	err := b.runs("charge/"+id, finance.TransactionInput{}, func() {
		b.at(0, func() { b.tell(b.tells("lease_charge.created", id)) })
		b.at(3*time.Hour, b.env.CancelWorkflow)
	})
	require.True(t, temporal.IsCanceledError(err), "it waits: %v", err)
	require.Empty(t, b.entries())
	require.Empty(t, b.journal("charge/"+id), "no plan names an account that is not there")

	b.quickbooks.set(nil, nil)
	b.restart()
	require.Equal(t, finance.TransactionResult{Outcome: "booked", Entries: 1}, b.plays("lease_charge.updated", id, nil))
	require.Len(t, b.entries(), 1)
	b.sound()
}

func TestPartnersAreAwayFromTheBooks(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]struct {
		partner string
		fault   sandbox.Fault
		lasts   time.Duration
		refused bool
	}{
		"QuickBooks throttles":         {sandbox.QuickBooks, sandbox.Fault{Status: http.StatusTooManyRequests, RetryAfter: "2s"}, 5 * time.Minute, false},
		"QuickBooks for 20 hours":      {sandbox.QuickBooks, sandbox.Fault{Status: http.StatusServiceUnavailable}, 20 * time.Hour, false},
		"RentVine for more than a day": {sandbox.RentVine, sandbox.Fault{Status: http.StatusServiceUnavailable}, 26 * time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBooks(t)
			id := b.charge("1850.00", rentAccount)
			event := b.tells("lease_charge.created", id)
			require.NoError(t, b.box.SetFault(away.partner, away.fault))
			require.NoError(t, b.runs("charge/"+id, finance.TransactionInput{}, func() {
				b.at(0, func() { b.tell(event) })
				b.at(away.lasts, func() {
					require.Empty(t, b.postings())
					b.box.ClearFault(away.partner)
				})
			}))
			require.Equal(t, finance.TransactionResult{Outcome: "booked", Entries: 1}, b.result())
			require.Len(t, b.entries(), 1)
			require.Empty(t, b.findings(store.FindingOpen))
			require.Equal(t, away.refused, len(b.findings("")) > 0)
			b.sound()
		})
	}
}

// TestRentVineRefusesWhatIsBooked, and shows it unchanged later: the finding goes.
func TestRentVineRefusesWhatIsBooked(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	id := b.charge("1850.00", rentAccount)
	b.plays("lease_charge.created", id, nil)
	event := b.tells("lease_charge.updated", id)
	require.NoError(t, b.box.SetFault(sandbox.RentVine, sandbox.Fault{Status: http.StatusBadRequest}))
	require.NoError(t, b.runs("charge/"+id, finance.TransactionInput{}, func() {
		b.at(0, func() { b.tell(event) })
		b.at(time.Hour, func() {
			require.Len(t, b.findings(store.FindingOpen), 1)
			b.box.ClearFault(sandbox.RentVine)
		})
	}))
	require.Len(t, b.entries(), 1)
	require.Empty(t, b.findings(store.FindingOpen))
}

// TestARunDies between plan and post.
func TestARunDies(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	id := b.charge("1850.00", rentAccount)
	planned, err := b.store.BookTransaction(t.Context(), store.BookedTransaction{
		ID: "charge/" + id, Kind: "charge", Number: id, LeaseID: b.lease, PropertyID: "1", PortfolioID: "1",
		Account: rentAccount, Category: "rent", Amount: 185000, Day: "2026-11-21", Counts: true, SeenAt: b.start.Add(-time.Hour),
	}, func([]store.JournalEntry) ([]store.JournalEntry, error) {
		return []store.JournalEntry{{
			Number: 1, Day: "2026-11-21", Currency: "USD", Lines: []store.JournalLine{
				{Role: bookkeeping.RoleReceivables, Account: "Tenant Receivables", Debit: 185000},
				{Role: "rent", Account: "Rental Income", Credit: 185000},
			},
		}}, nil
	})
	require.NoError(t, err)
	require.Len(t, planned, 1)
	require.Empty(t, b.entries())
	require.Equal(t, finance.TransactionResult{Outcome: "booked", Entries: 1}, b.plays("lease_charge.updated", id, nil))
	require.Len(t, b.entries(), 1)
	require.Equal(t, []string{"finance-summary/1"}, b.started, "what the next run has posted is told")
	b.sound()
}

func TestABookingGoesOn(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	id := b.charge("60.00", miscAccount)
	err := b.runs("charge/"+id, finance.TransactionInput{}, func() {
		b.at(0, func() { b.tell(b.tells("lease_charge.created", id)) })
		b.at(30*time.Hour, func() {
			b.env.SetContinueAsNewSuggested(true)
			b.tell(b.tells("lease_charge.updated", id))
		})
	})
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, err, &next)
	require.Equal(t, 2, b.questions(accountantMail))
	var in finance.TransactionInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
	b.start = b.env.Now()
	require.NoError(t, b.runs("charge/"+id, in, func() {
		b.at(time.Hour, func() { require.Equal(t, 2, b.questions(accountantMail), "not before it is due") })
		b.at(19*time.Hour, func() {
			require.Equal(t, 3, b.questions(accountantMail))
			b.says(accountantMail, "categorise", "parking")
		})
	}))
	require.Equal(t, finance.TransactionResult{Outcome: "booked", Entries: 1}, b.result())
	require.Equal(t, int64(-6000), b.balance("Parking Income"))
}

func TestManyEventsAboutOneCharge(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	id := b.charge("1850.00", rentAccount)
	require.NoError(t, b.runs("charge/"+id, finance.TransactionInput{}, func() {
		b.at(0, func() {
			for range 50 {
				b.tell(b.tells("lease_charge.updated", id))
			}
			b.env.SignalWorkflow("nobody knows it", 1)
		})
	}))
	require.Equal(t, finance.TransactionResult{Outcome: "booked", Entries: 1}, b.result())
	require.Len(t, b.entries(), 1)
	require.Equal(t, 1, b.describe().Unusable)
	require.LessOrEqual(t, b.calls(sandbox.RentVine, http.MethodGet, "/transactions"), 2)
}

func TestABookingIsCancelled(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	id := b.charge("60.00", miscAccount)
	err := b.runs("charge/"+id, finance.TransactionInput{}, func() {
		b.at(0, func() { b.tell(b.tells("lease_charge.created", id)) })
		b.at(time.Hour, b.env.CancelWorkflow)
	})
	require.True(t, temporal.IsCanceledError(err), "%v", err)
	require.Empty(t, b.entries())
}

// books is a scenario about the money of one lease, with QuickBooks. The sandbox keeps
// the story's time.
type books struct {
	*scenario
	lease                string
	rentvine, quickbooks *carrier
	qb                   *quickbooks.Client
	// others are workflows that run beside the one at play: they take signals.
	others map[string]bool
	mu     stdsync.Mutex
	// started are the workflows that those at play have started, signals what others were
	// told, as "id name".
	started, signals []string
	heard            []finance.Booked
	// reviewed has reviews run beside what starts them, until they end.
	reviewed bool
}

func newBooks(t *testing.T) *books {
	t.Helper()
	b := &books{
		scenario: newScenarioWith(t, (*scenario).now), lease: "1", rentvine: &carrier{}, quickbooks: &carrier{}, others: map[string]bool{},
	}
	b.connect()
	return b
}

// connect gives the activities their partners.
func (b *books) connect() {
	b.t.Helper()
	// The breakers keep real time, and the stories do not.
	patient := func(c *carrier) partner.HTTPConfig { return partner.HTTPConfig{BreakAfter: 1_000_000, Transport: c} }
	b.acts.RentVine = rentvine.New(rentvine.Config{
		BaseURL: b.base + "/rentvine/api/manager", AccessKey: "key", Secret: "secret", HTTP: patient(b.rentvine),
	})
	b.t.Cleanup(b.acts.RentVine.Close)
	keys, err := store.ParseTokenKeys("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	require.NoError(b.t, err)
	b.qb = quickbooks.New(quickbooks.Config{
		BaseURL: b.base + "/quickbooks", Realm: boxbooks.DevRealm, PerMinute: 100_000, HTTP: patient(b.quickbooks),
		Tokens: quickbooks.NewTokens(quickbooks.OAuthConfig{
			TokenURL: b.base + "/quickbooks/oauth2/v1/tokens/bearer", ClientID: boxbooks.DevClientID, ClientSecret: boxbooks.DevClientSecret,
			RefreshToken: boxbooks.DevRefreshToken, Store: store.NewToken(b.store, keys, "quickbooks/"+boxbooks.DevRealm),
			HTTP: partner.HTTPConfig{BreakAfter: 1_000_000},
		}),
	})
	b.t.Cleanup(b.qb.Close)
	b.acts.QuickBooks = activities.QuickBooks{Client: b.qb}
}

// restart is another process, which remembers nothing but what the store keeps.
func (b *books) restart() {
	b.t.Helper()
	b.wire()
	b.connect()
}

// carrier carries requests to a stand-in, and may spoil them.
type carrier struct {
	mu      stdsync.Mutex
	instead func(*http.Request) []byte
	after   func(*http.Request, []byte) ([]byte, error)
}

// set has instead answer in the partner's place where it is not nil, with a 200, and
// after change the reply to what was carried out, or lose it.
func (c *carrier) set(instead func(*http.Request) []byte, after func(*http.Request, []byte) ([]byte, error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instead, c.after = instead, after
}

func (c *carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.instead != nil {
		if body := c.instead(r); body != nil {
			header := http.Header{"Content-Type": {"application/json"}}
			return &http.Response{StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
		}
	}
	reply, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || c.after == nil {
		return reply, err
	}
	body, err := io.ReadAll(reply.Body)
	if err := errors.Join(err, reply.Body.Close()); err != nil {
		return nil, err
	}
	if body, err = c.after(r, body); err != nil {
		return nil, err
	}
	reply.Body, reply.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return reply, nil
}

func isEntry(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/journalentry")
}

// post makes the record that an event is about in RentVine, and returns its id.
func (b *books) post(event string, fields map[string]any) string {
	b.t.Helper()
	all := map[string]any{"leaseID": b.lease}
	for k, v := range fields {
		all[k] = v
	}
	var made struct {
		ID string `json:"transaction_id"`
	}
	b.call(http.MethodPost, "/_send/rentvine/"+event, all, &made)
	require.NotEmpty(b.t, made.ID)
	return made.ID
}

// charge is one of the story's day.
func (b *books) charge(amount, account string) string {
	b.t.Helper()
	return b.post("lease_charge.created", map[string]any{"amount": amount, "accountID": account, "description": "", "datePosted": b.start.Format(time.DateOnly)})
}

func (b *books) change(id string, fields map[string]any) {
	b.t.Helper()
	b.call(http.MethodPut, "/_records/rentvine/transactions/"+id, fields, nil)
}

// bill makes one of several parts, each an account and an amount.
func (b *books) bill(parts ...string) string {
	b.t.Helper()
	if parts == nil {
		parts = []string{"7", "130.50", "8", "40.00"}
	}
	var charges []map[string]string
	for i := 0; i < len(parts); i += 2 {
		charges = append(charges, map[string]string{"ledgerID": "1000000001", "chargeAccountID": parts[i], "amount": parts[i+1], "description": ""})
	}
	body, err := json.Marshal(map[string]any{
		"payeeContactID": "11", "billDate": "2026-11-21", "dateDue": "2026-12-21", "reference": "INV-7", "charges": charges,
	})
	require.NoError(b.t, err)
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, b.base+"/rentvine/api/manager/accounting/bills", bytes.NewReader(body))
	require.NoError(b.t, err)
	req.SetBasicAuth("key", "secret")
	reply, err := http.DefaultClient.Do(req)
	require.NoError(b.t, err)
	var made struct {
		Bill struct {
			ID string `json:"billID"`
		} `json:"bill"`
	}
	require.NoError(b.t, errors.Join(json.NewDecoder(reply.Body).Decode(&made), reply.Body.Close()))
	require.NotEmpty(b.t, made.Bill.ID)
	return made.Bill.ID
}

func (b *books) eventOf(kind, id string, data map[string]any) durable.Event {
	ev := b.event(kind, data)
	ev.EntityID = id
	return ev
}

// tells is RentVine's event about a transaction or a bill.
func (b *books) tells(kind, id string) durable.Event {
	if strings.HasPrefix(kind, "invoice") {
		return b.eventOf(kind, id, map[string]any{"invoiceID": id, "propertyID": "1", "datePosted": "2026-11-21"})
	}
	return b.eventOf(kind, id, map[string]any{"transactionID": id, "leaseID": b.lease, "propertyID": "1"})
}

// plays runs the workflow from an event to its end.
func (b *books) plays(kind, id string, during func()) finance.TransactionResult {
	b.t.Helper()
	prefix := finance.ChargePrefix
	switch {
	case strings.HasPrefix(kind, "payment"):
		prefix = finance.PaymentPrefix
	case strings.HasPrefix(kind, "invoice"):
		prefix = finance.InvoicePrefix
	}
	event := b.tells(kind, id)
	require.NoError(b.t, b.runs(prefix+id, finance.TransactionInput{}, func() {
		b.at(0, func() { b.tell(event) })
		if during != nil {
			during()
		}
	}))
	return b.result()
}

func (b *books) result() finance.TransactionResult {
	b.t.Helper()
	var result finance.TransactionResult
	require.NoError(b.t, b.env.GetWorkflowResult(&result))
	return result
}

// runs plays the workflow of a transaction; during is told what to do meanwhile.
func (b *books) runs(id string, in finance.TransactionInput, during func()) error {
	b.t.Helper()
	return b.execute(id, finance.TransactionName, in, during)
}

// execute plays a workflow in an environment of its own, and lets two minutes pass.
func (b *books) execute(id, name string, in any, during func()) error {
	b.t.Helper()
	b.freshEnvironment(id)
	b.acts.RegisterQuickBooks(b.env)
	b.env.SetWorkerOptions(b.workerOptions(&manyTries{}))
	b.env.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, _ converter.EncodedValues) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.started = append(b.started, info.WorkflowExecution.ID)
	})
	b.env.OnSignalExternalWorkflow(mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything).
		Return(func(_, id, _, name string, arg any) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			if !b.others[id] {
				return errors.New("no such workflow runs")
			}
			b.signals = append(b.signals, id+" "+name)
			if booked, ok := arg.(finance.Booked); ok {
				b.heard = append(b.heard, booked)
			}
			return nil
		}).Maybe()
	if !b.reviewed {
		// Else the environment would go on until somebody decides.
		b.env.OnWorkflow(finance.ReviewName, mock.Anything, mock.Anything).Return(func(_ workflow.Context, in finance.ReviewInput) (finance.ReviewResult, error) {
			return finance.ReviewResult{}, b.store.NoteReview(context.Background(), in.FindingID, b.now())
		}).Maybe()
	}
	if during != nil {
		during()
	}
	b.env.ExecuteWorkflow(name, in)
	require.True(b.t, b.env.IsWorkflowCompleted())
	b.start = b.env.Now().Add(2 * time.Minute)
	return b.env.GetWorkflowError()
}

// count is how often a workflow was started.
func (b *books) count(id string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(b.started), func(s string) bool { return s != id }))
}

func (b *books) describe() finance.TransactionDescription {
	b.t.Helper()
	value, err := b.env.QueryWorkflow(finance.DescribeTransaction.Name)
	require.NoError(b.t, err)
	var d finance.TransactionDescription
	require.NoError(b.t, value.Get(&d))
	return d
}

func (b *books) journal(id string) []store.JournalEntry {
	b.t.Helper()
	entries, err := b.store.Entries(context.Background(), id)
	require.NoError(b.t, err)
	return entries
}

func (b *books) findings(state store.FindingState) []store.Finding {
	b.t.Helper()
	found, err := b.store.Findings(context.Background(), state)
	require.NoError(b.t, err)
	return found
}

// questions counts the mails to an address that ask something.
func (b *books) questions(address string) int {
	b.t.Helper()
	return len(slices.DeleteFunc(b.mails(address), func(m email) bool { return !strings.Contains(m.Text, "keyholder.test/a/") }))
}

// inBooks is QuickBooks as the stand-in shows it.
func (b *books) inBooks() boxbooks.Books {
	b.t.Helper()
	var shown boxbooks.Books
	b.call(http.MethodGet, "/_books", nil, &shown)
	return shown
}

func (b *books) postings() []boxbooks.BookAccount {
	return slices.DeleteFunc(b.inBooks().Accounts, func(a boxbooks.BookAccount) bool { return a.Lines == 0 })
}

// balance is what an account of QuickBooks holds, debits less credits, in cents.
func (b *books) balance(account string) int64 { return b.inBooks().Account(account).Balance }

// entries are those of QuickBooks in the order in which they came, as "number day account
// debit less credit, ...".
func (b *books) entries() []string {
	b.t.Helper()
	names := map[string]string{}
	for _, a := range b.inBooks().Accounts {
		names[a.ID] = a.Name
	}
	var all []quickbooks.JournalEntry
	err := b.qb.JournalEntries(context.Background(), "2026-01-01", "2027-12-31", func(e quickbooks.JournalEntry) bool {
		all = append(all, e)
		return true
	})
	require.NoError(b.t, err)
	slices.SortFunc(all, func(x, y quickbooks.JournalEntry) int { return strings.Compare(x.ID, y.ID) })
	lines := []string{}
	for _, e := range all {
		var moves []string
		for _, l := range e.Lines {
			moves = append(moves, fmt.Sprintf("%s %d", names[l.AccountID], l.Debit-l.Credit))
		}
		slices.Sort(moves)
		lines = append(lines, e.Number+" "+e.Day+" "+strings.Join(moves, ", "))
	}
	return lines
}

// sound: QuickBooks' books balance, and are those of the journal, each entry once.
func (b *books) sound() {
	b.t.Helper()
	require.True(b.t, b.inBooks().Balanced)
	compared, differences, err := activities.CompareBooks(context.Background(), b.store, b.qb, "2026-01-01", "2027-12-31")
	require.NoError(b.t, err)
	require.Empty(b.t, differences)
	require.Equal(b.t, b.inBooks().Entries, compared)
	b.nothingTwice()
}

// said is the answer to the newest open question of a purpose to an address.
func (b *books) said(address, purpose, choice string) durable.Answer {
	b.t.Helper()
	for _, q := range slices.Backward(b.openBids(address)) {
		if string(q.Purpose) == purpose {
			return durable.Answer{ID: "link-" + q.ID, QuestionID: q.ID, Step: q.Step, Person: q.Person, Choice: choice, Via: "link"}
		}
	}
	require.Failf(b.t, "not asked", "%s of %s", purpose, address)
	return durable.Answer{}
}

func (b *books) says(address, purpose, choice string) {
	b.t.Helper()
	b.fact(b.said(address, purpose, choice))
}
