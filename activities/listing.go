package activities

import (
	"context"
	"errors"
	"time"

	"github.com/aictive/keyholder/activities/listingtext"
	"github.com/aictive/keyholder/clients/llm"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// WriteListing writes the words of a listing: by the policy's templates, or by a model
// from the facts alone, where one is configured and its words stand the check. It changes
// nothing, and never fails for the model's sake.
var WriteListing = durable.Activity[WriteListingInput, listingtext.Words]{
	Name: "agents.write_listing", Attempt: 20 * time.Second, Within: 45 * time.Second,
}

// PublishListing puts a home into the feed and on the listing page, in place of what was
// there; WithdrawListing takes it out. RecordLetting keeps how it ended, under a key that
// names the campaign for ever. Repeating any is harmless.
var (
	PublishListing = durable.Activity[Listing, None]{
		Name: "listings.publish", Attempt: 5 * time.Second,
	}
	WithdrawListing = durable.Activity[string, None]{
		Name: "listings.withdraw", Attempt: 5 * time.Second,
	}
	RecordLetting = durable.Activity[Letting, None]{
		Name: "listings.record_letting", Attempt: 5 * time.Second,
	}
)

type (
	// WriteListingInput is what a listing may say, and the policy's templates.
	WriteListingInput struct {
		Facts    listingtext.Facts `json:"facts"`
		Headline string            `json:"headline"`
		Text     []string          `json:"text"`
	}
	// Listing is a home to publish. The view's list of units is left out.
	Listing struct {
		Property  PropertyView `json:"property"`
		Unit      UnitView     `json:"unit"`
		Rent      policy.Cents `json:"rent"`
		Currency  string       `json:"currency"`
		Available string       `json:"available"`
		Headline  string       `json:"headline"`
		Text      string       `json:"text"`
		// Contact is the company's name.
		Contact string `json:"contact"`
		// WorkflowID takes the leads.
		WorkflowID string `json:"workflow_id"`
		// PublishedAt and ChangedAt are business time.
		PublishedAt time.Time `json:"published_at"`
		ChangedAt   time.Time `json:"changed_at"`
	}
	// Letting is how the marketing of a home ended: see store.Letting.
	Letting struct {
		Key          string        `json:"key"`
		UnitID       string        `json:"unit_id"`
		PropertyID   string        `json:"property_id"`
		PortfolioID  string        `json:"portfolio_id"`
		Outcome      string        `json:"outcome"`
		EmptyAt      time.Time     `json:"empty_at,omitzero"`
		ListedAt     time.Time     `json:"listed_at,omitzero"`
		EndedAt      time.Time     `json:"ended_at"`
		Leads        int           `json:"leads"`
		Showings     int           `json:"showings"`
		Applications int           `json:"applications"`
		FirstReply   time.Duration `json:"first_reply"`
		Cost         policy.Cents  `json:"cost"`
		Lost         policy.Cents  `json:"lost"`
		Source       string        `json:"source,omitempty"`
		// Sources count the leads of each.
		Sources map[string]int `json:"sources,omitempty"`
	}
)

func (a *Activities) publishListing(ctx context.Context, in Listing) (None, error) {
	p, u := in.Property, in.Unit
	beds := -1
	if u.BedsKnown {
		beds = u.Beds
	}
	return None{}, a.Store.Publish(ctx, store.Listing{
		UnitID: u.ID, PropertyID: p.ID, PortfolioID: p.PortfolioID, Address: p.Address, UnitLabel: u.Label,
		City: p.City, State: p.State, ZipCode: p.PostalCode, Latitude: p.Latitude, Longitude: p.Longitude, Located: p.Located,
		Beds: beds, Baths: u.Baths, Size: u.Size, Rent: int64(in.Rent), Currency: in.Currency, Available: in.Available,
		Headline: in.Headline, Text: in.Text, Contact: in.Contact, WorkflowID: in.WorkflowID,
		PublishedAt: in.PublishedAt, ChangedAt: in.ChangedAt,
	})
}

func (a *Activities) withdrawListing(ctx context.Context, unitID string) (None, error) {
	return None{}, a.Store.Withdraw(ctx, unitID)
}

func (a *Activities) recordLetting(ctx context.Context, in Letting) (None, error) {
	return None{}, a.Store.RecordLetting(ctx, store.Letting{
		Key: in.Key, UnitID: in.UnitID, PropertyID: in.PropertyID, PortfolioID: in.PortfolioID, Outcome: in.Outcome,
		EmptyAt: in.EmptyAt, ListedAt: in.ListedAt, EndedAt: in.EndedAt, Leads: in.Leads, Showings: in.Showings,
		Applications: in.Applications, FirstReply: in.FirstReply, Cost: int64(in.Cost), Lost: int64(in.Lost),
		Source: in.Source, Sources: in.Sources,
	})
}

func (a *Activities) writeListing(ctx context.Context, in WriteListingInput) (listingtext.Words, error) {
	words := a.listingWords(ctx, in)
	if words.Model != "" {
		decided(ctx, byModel, "words of the listing, by model "+words.Model)
	} else {
		decided(ctx, byPolicy, "words of the listing, by the policy's templates")
	}
	return words, nil
}

func (a *Activities) listingWords(ctx context.Context, in WriteListingInput) listingtext.Words {
	words := listingtext.Template(in.Headline, in.Text, in.Facts)
	if a.Model == nil {
		return words
	}
	said, err := a.askListing(ctx, in.Facts)
	if err == nil {
		return said
	}
	a.modelFailed(WriteListing.Name, err)
	words.Refused = failureOf(err)
	return words
}

func (a *Activities) askListing(ctx context.Context, f listingtext.Facts) (listingtext.Words, error) {
	prompt, err := listingtext.Prompt(f)
	if err != nil {
		return listingtext.Words{}, err
	}
	answer, err := a.ask(ctx, llm.Request{
		System: listingtext.Instructions, User: prompt, SchemaName: listingtext.SchemaName, Schema: listingtext.Schema(),
	})
	if err != nil {
		return listingtext.Words{}, err
	}
	said, err := listingtext.ReadAnswer(answer, a.Model.Model(), f)
	if err != nil {
		return listingtext.Words{}, errors.Join(errContradiction, err)
	}
	return said, nil
}
