package activities

import (
	"cmp"
	"context"
	"errors"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/aictive/keyholder/activities/sourcing"
	"github.com/aictive/keyholder/activities/triage"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/phone"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// ListVendors reads the vendors of a trade, generalists among them, as RentVine and
// policy know them, at most 200. Phones are in E.164 form, "" where they cannot be.
var ListVendors = durable.Activity[ListVendorsInput, []sourcing.Firm]{
	Name: "rentvine.list_vendors", Queue: QueueRentVine, Attempt: 30 * time.Second, Within: 10 * time.Minute,
}

// ListVendorsInput says which.
type ListVendorsInput struct {
	// Trade is one of policy.Trades; "" is all vendors.
	Trade       string `json:"trade,omitempty"`
	PortfolioID string `json:"portfolio_id,omitempty"`
	PropertyID  string `json:"property_id,omitempty"`
}

// ReadCards reads the records of everybody who was asked for work within the last 12
// months, by the id of their candidate.
var ReadCards = durable.Activity[None, map[string]sourcing.Card]{
	Name: "vendors.read_cards", Attempt: 5 * time.Second,
}

// RecordWork notes what became of an offer, an invitation or a job, for the cards.
// Repeating it is harmless.
var RecordWork = durable.Activity[WorkRecord, None]{
	Name: "vendors.record_work", Attempt: 5 * time.Second,
}

// WorkRecord is what is known of one offer, invitation or job. A record of the same Key
// adds to what is there: zero fields leave it as it is. All times are business time.
type WorkRecord struct {
	Key string `json:"key"`
	// Worker is the id of a sourcing.Candidate.
	Worker      string       `json:"worker"`
	WorkOrderID string       `json:"work_order_id,omitempty"`
	Trade       string       `json:"trade,omitempty"`
	AskedAt     time.Time    `json:"asked_at,omitzero"`
	AnsweredAt  time.Time    `json:"answered_at,omitzero"`
	FinishedAt  time.Time    `json:"finished_at,omitzero"`
	Accepted    bool         `json:"accepted,omitempty"`
	Estimate    policy.Cents `json:"estimate,omitempty"`
	Price       policy.Cents `json:"price,omitempty"`
	// FirstTimeFixed is nil where that is not known yet.
	FirstTimeFixed *bool `json:"first_time_fixed,omitempty"`
	// Rating is the tenant's, from 1 to 5.
	Rating int `json:"rating,omitempty"`
}

const (
	// vendorsFresh is how long RentVine's vendors and trades are not read again.
	vendorsFresh = 5 * time.Minute
	// maxFirms bounds the result, which every history keeps.
	maxFirms = 200
	// cardsOver is how far back cards reach, in months of business time.
	cardsOver = 12
)

// vendorList is RentVine's vendors and trades, as this process read them last.
type vendorList struct {
	mu      sync.Mutex
	vendors []rentvine.Vendor
	trades  []rentvine.VendorTrade
	readAt  time.Time
}

func (a *Activities) listVendors(ctx context.Context, in ListVendorsInput) ([]sourcing.Firm, error) {
	if in.Trade != "" && !slices.Contains(policy.Trades(), in.Trade) {
		return nil, toTemporal(ctx, &partner.Error{
			Op: ListVendors.Name, Kind: partner.Invalid, Message: "no trade is called so; there are " + strings.Join(policy.Trades(), ", "),
		})
	}
	vendors, trades, err := a.vendorsAndTrades(ctx)
	if err != nil {
		return nil, toTemporal(ctx, err)
	}
	settings := a.Policy.For(in.PortfolioID, in.PropertyID)
	now := a.businessNow()
	firms := merge(vendors, trades, settings.Repairs.Vendors, now)
	for i, f := range firms {
		firms[i].Phone, firms[i].Email = "", ""
		if number, err := phone.E164(f.Phone, settings.Region); err == nil {
			firms[i].Phone = number
		}
		if address, err := netmail.ParseAddress(f.Email); err == nil {
			firms[i].Email = address.Address
		}
	}
	if in.Trade != "" {
		firms = slices.DeleteFunc(firms, func(f sourcing.Firm) bool { return !sourcing.Suits(f.Trades, in.Trade) })
	}
	// Those that may be asked are kept.
	slices.SortStableFunc(firms, func(a, b sourcing.Firm) int {
		return cmp.Or(cmp.Compare(usable(b, now), usable(a, now)), cmp.Compare(len(a.ContactID), len(b.ContactID)), cmp.Compare(a.ContactID, b.ContactID))
	})
	if len(firms) > maxFirms {
		a.Log.Warn("more vendors than can be chosen from; the last are left out", zap.Int("vendors", len(firms)), zap.String("trade", in.Trade))
		firms = firms[:maxFirms]
	}
	return firms, nil
}

// usable is 1 where a vendor is active and insured now.
func usable(f sourcing.Firm, now time.Time) int {
	if f.Active && f.InsuranceExpires >= now.UTC().Format(time.DateOnly) {
		return 1
	}
	return 0
}

// vendorsAndTrades reads both, or returns what was read a short while ago. RentVine need
// not tell who has which trade: policy says it too.
func (a *Activities) vendorsAndTrades(ctx context.Context) ([]rentvine.Vendor, []rentvine.VendorTrade, error) {
	v := &a.vendors
	v.mu.Lock()
	defer v.mu.Unlock()
	if time.Since(v.readAt) < vendorsFresh {
		return v.vendors, v.trades, nil
	}
	began := time.Now()
	vendors, err := a.RentVine.Vendors(ctx)
	if err != nil {
		return nil, nil, err
	}
	trades, err := a.RentVine.TradesWithVendors(ctx)
	switch kind := partner.KindOf(err); {
	case err == nil:
	case kind == partner.Invalid, kind == partner.NotFound, kind == partner.Malformed:
		a.Log.Warn("RentVine does not say which vendor has which trade; policy does", zap.Error(err))
		trades = nil
	default:
		return nil, nil, err
	}
	v.vendors, v.trades, v.readAt = vendors, trades, began
	return vendors, trades, nil
}

// merge joins what RentVine and policy know of each vendor of RentVine. Trades are
// RentVine's where it names one that we know, else those of policy.
func merge(vendors []rentvine.Vendor, trades []rentvine.VendorTrade, ours []policy.Vendor, now time.Time) []sourcing.Firm {
	has := map[string][]string{}
	for _, t := range trades {
		trade, known := triage.TradeOf(t.Name)
		if !known {
			continue
		}
		for _, id := range t.VendorIDs {
			if !slices.Contains(has[id], string(trade)) {
				has[id] = append(has[id], string(trade))
			}
		}
	}
	extra := map[string]policy.Vendor{}
	for _, v := range ours {
		extra[v.Contact] = v
	}
	firms := make([]sourcing.Firm, 0, len(vendors))
	for _, v := range vendors {
		known := extra[v.ID]
		f := sourcing.Firm{
			ContactID: v.ID, Name: v.Name, Phone: v.Phone, Email: v.Email, Active: v.IsActive, Trades: has[v.ID],
			InsuranceExpires: insuredUntil(v, now), HasPosition: known.Latitude != 0 || known.Longitude != 0,
			Latitude: known.Latitude, Longitude: known.Longitude,
		}
		if len(f.Trades) == 0 {
			f.Trades = slices.Clone(known.Trades)
		}
		firms = append(firms, f)
	}
	return firms
}

// insuredUntil is the last day on which all of a vendor's insurances that RentVine knows
// of are valid; "" where it knows neither of its liability insurance nor of a day for
// all.
func insuredUntil(v rentvine.Vendor, now time.Time) string {
	days := []string{v.LiabilityInsuranceExpires, v.InsuranceExpires}
	if days[0] == "" && days[1] == "" {
		if v.InsuranceDays == nil {
			return ""
		}
		days = append(days, now.UTC().AddDate(0, 0, *v.InsuranceDays).Format(time.DateOnly))
	}
	days = append(days, v.WorkersCompInsuranceExpires)
	return slices.Min(slices.DeleteFunc(days, func(day string) bool { return day == "" }))
}

func (a *Activities) readCards(ctx context.Context, _ None) (map[string]sourcing.Card, error) {
	return Cards(ctx, a.Store, a.Clock)
}

// Cards are the records of everybody who was asked for work within the last 12 months,
// by the id of their candidate.
func Cards(ctx context.Context, kept store.Work, clock durable.Clock) (map[string]sourcing.Card, error) {
	list, err := kept.Cards(ctx, clock.Now().AddDate(0, -cardsOver, 0))
	if err != nil {
		return nil, err
	}
	cards := make(map[string]sourcing.Card, len(list))
	for id, c := range list {
		cards[id] = sourcing.Card(c)
	}
	return cards, nil
}

func (a *Activities) recordWork(ctx context.Context, in WorkRecord) (None, error) {
	err := a.Store.RecordWork(ctx, store.WorkRecord{
		Key: in.Key, Worker: in.Worker, WorkOrderID: in.WorkOrderID, Trade: in.Trade,
		AskedAt: in.AskedAt, AnsweredAt: in.AnsweredAt, FinishedAt: in.FinishedAt, Accepted: in.Accepted,
		Estimate: int64(in.Estimate), Price: int64(in.Price), FirstTimeFixed: in.FirstTimeFixed, Rating: in.Rating,
	})
	if errors.Is(err, store.ErrInvalidWork) {
		err = toTemporal(ctx, &partner.Error{Op: RecordWork.Name, Kind: partner.Invalid, Message: err.Error()})
	}
	return None{}, err
}
