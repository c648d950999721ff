package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/activities/sheet"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/store/blobs"
	"github.com/aictive/keyholder/workflows/durable"
)

// KeepCompliance keeps a requirement in the store as it stands; DropCompliance sets it
// aside, by its workflow's id, and KnownCompliance returns what was known of it, the zero
// row for nothing. Repeating any is harmless: the row is replaced as a whole, and only the
// requirement's own workflow writes it.
var (
	KeepCompliance = durable.Activity[ComplianceRow, None]{
		Name: "compliance.keep", Attempt: 5 * time.Second,
	}
	DropCompliance = durable.Activity[string, None]{
		Name: "compliance.drop", Attempt: 5 * time.Second,
	}
	KnownCompliance = durable.Activity[string, ComplianceRow]{
		Name: "compliance.known", Attempt: 5 * time.Second,
	}
)

// FileEvidence files a status sheet and the evidence of a renewal at RentVine, on the
// property, and returns how many files there are; evidence that is not kept any more is
// left out. It is safe to repeat: each file's name is unique on the property, and a try
// that may be a repeat looks for it first.
var FileEvidence = durable.Activity[FileEvidenceInput, int]{
	Name: "rentvine.file_evidence", Queue: QueueRentVine, Attempt: 3 * time.Minute, Within: 12 * time.Hour, Priority: 4,
}

type (
	// ComplianceRow is a requirement as it stands (store.ComplianceItem). Days are
	// YYYY-MM-DD in the property's zone, "" where unknown.
	ComplianceRow struct {
		// Key is the workflow's id.
		Key           string `json:"key"`
		PropertyID    string `json:"property_id"`
		UnitID        string `json:"unit_id,omitempty"`
		PortfolioID   string `json:"portfolio_id,omitempty"`
		RequirementID string `json:"requirement_id"`
		Name          string `json:"name"`
		Kind          string `json:"kind"`
		// State is "unknown", "valid", "due" or "overdue"; "dropped" of one that was watched.
		State   string `json:"state"`
		Due     string `json:"due,omitempty"`
		Renewed string `json:"renewed,omitempty"`
		// ChangedAt is business time.
		ChangedAt time.Time `json:"changed_at,omitzero"`
	}
	// FileEvidenceInput is what was recorded of a requirement.
	FileEvidenceInput struct {
		// Ref is the workflow's id and incarnation.
		Ref string `json:"ref"`
		ComplianceRow
		// Property and Unit are what people call them, Unit is "" for the whole property.
		Property string `json:"property"`
		Unit     string `json:"unit,omitempty"`
		Zone     string `json:"zone,omitempty"`
		// By is the id of who recorded it, Note what he said; untrusted.
		By     string          `json:"by"`
		Note   string          `json:"note,omitempty"`
		Photos []durable.Photo `json:"photos,omitempty"`
	}
)

func (a *Activities) keepCompliance(ctx context.Context, in ComplianceRow) (None, error) {
	return None{}, a.Store.KeepCompliance(ctx, store.ComplianceItem(in))
}

func (a *Activities) dropCompliance(ctx context.Context, key string) (None, error) {
	return None{}, a.Store.DropCompliance(ctx, key)
}

func (a *Activities) knownCompliance(ctx context.Context, key string) (ComplianceRow, error) {
	item, err := a.Store.Compliance(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return ComplianceRow{}, nil
	}
	return ComplianceRow(item), err
}

func (a *Activities) fileEvidence(ctx context.Context, in FileEvidenceInput) (int, error) {
	if len(in.Photos) > maxPhotos {
		return 0, temporal.NewNonRetryableApplicationError(
			fmt.Sprintf("rentvine.file_evidence: at most %d files in a call", maxPhotos), string(partner.Invalid), nil)
	}
	rules := a.Policy.Portfolio(in.PortfolioID, in.PropertyID)
	paper := "A4"
	if a.Policy.For(in.PortfolioID, in.PropertyID).Region == "US" {
		paper = "Letter"
	}
	pdf, err := in.statusSheet(cmp.Or(rules.Company, "Keyholder"), paper)
	if err != nil {
		return 0, err
	}
	if err := a.fileOnProperty(ctx, in, in.fileName()+".pdf", "application/pdf", pdf); err != nil {
		return 0, toTemporal(ctx, err)
	}
	filed, refused := 1, error(nil)
	for _, p := range in.Photos {
		data, contentType, err := a.Photos.Open(ctx, blobs.PhotoKey(p.ID))
		if errors.Is(err, blobs.ErrNotFound) {
			continue
		}
		if err == nil {
			err = a.fileOnProperty(ctx, in, in.fileName()+"-"+p.ID[:min(8, len(p.ID))]+extensionOf(contentType), contentType, data)
		}
		switch {
		case err == nil:
			filed++
		case retryable(partner.KindOf(err)):
			return filed, toTemporal(ctx, err)
		default:
			refused = cmp.Or(refused, err) // the others are filed all the same
		}
	}
	return filed, toTemporal(ctx, refused)
}

func (a *Activities) fileOnProperty(ctx context.Context, in FileEvidenceInput, name, contentType string, data []byte) error {
	_, err := a.once(ctx, effect{
		key:   in.Ref + "/file/" + name,
		about: writing(atRentVine, "file "+name+" on property "+in.PropertyID, "property/"+in.PropertyID),
		find: func(ctx context.Context, _ time.Time) (string, bool, error) {
			f, found, err := a.RentVine.FindFile(ctx, rentvine.ObjectProperty, in.PropertyID, name)
			return f.ID, found, err
		},
		act: func(ctx context.Context) (string, error) {
			f, err := a.RentVine.UploadFile(ctx, rentvine.ObjectProperty, in.PropertyID, name, contentType, data)
			return f.ID, err
		},
	})
	return err
}

// fileName is what the files of one renewal are called, without an extension.
func (in FileEvidenceInput) fileName() string {
	name := "compliance-" + in.RequirementID
	if in.UnitID != "" {
		name += "-unit-" + in.UnitID
	}
	if in.Renewed != "" {
		name += "-" + in.Renewed
	}
	if in.Due != "" {
		name += "-until-" + in.Due
	}
	return name + "-" + in.State
}

func extensionOf(contentType string) string {
	switch contentType {
	case "application/pdf":
		return ".pdf"
	case "image/png":
		return ".png"
	}
	return ".jpg"
}

// statusSheet is one page that says how the requirement stands. The same input gives the
// same bytes.
func (in FileEvidenceInput) statusSheet(company, paper string) ([]byte, error) {
	const label, longest = 42.0, 500
	s, err := sheet.New(paper)
	if err != nil {
		return nil, fmt.Errorf("draw the status sheet: %w", err)
	}
	company = sheet.Line(company, longest)
	s.PDF.SetTitle(sheet.Line(in.Name, longest), true)
	s.PDF.SetAuthor(company, true)
	s.PDF.SetCreator("Keyholder", true)
	s.PDF.SetProducer("Keyholder", true)
	s.PDF.SetLang("en")
	s.PDF.SetCreationDate(in.ChangedAt)
	s.PDF.SetModificationDate(in.ChangedAt)
	s.OnPage = func() {
		s.One(sheet.Face{Style: "B", Size: 10.5, Ink: sheet.InkAccent}, sheet.Margin, 12, s.Width, company, "L")
		s.Rule(19, 0.5, sheet.InkAccent)
	}
	s.Page()
	s.Para(sheet.Face{Style: "B", Size: 18, Ink: sheet.InkText}, sheet.Line(in.Name, longest))
	s.Y += 4
	ink := sheet.InkGood
	if in.State == "overdue" || in.State == "due" {
		ink = sheet.InkBad
	}
	rows := []struct{ what, text string }{
		{"Property", in.Property}, {"Unit", in.Unit}, {"Kind", policy.Words(in.Kind)}, {"State", policy.Words(in.State)},
		{"Renewed on", in.Renewed}, {"Due", in.Due}, {"Recorded by", in.By},
		{"Recorded on", DayIn(in.ChangedAt, in.Zone)}, {"Files", fmt.Sprint(len(in.Photos))}, {"Note", in.Note},
	}
	for _, r := range rows {
		if r.text = sheet.Line(r.text, longest); strings.TrimSpace(r.text) == "" {
			continue
		}
		face := sheet.Body()
		if r.what == "State" {
			face = sheet.Face{Style: "B", Size: face.Size, Ink: ink}
		}
		s.Row(2, sheet.Left(sheet.Muted(), 0, label, r.what), sheet.Left(face, label, s.Width-label, r.text))
	}
	return s.Bytes()
}
