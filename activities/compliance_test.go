package activities

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/workflows/durable"
)

func TestStatusSheet(t *testing.T) {
	t.Parallel()
	in := FileEvidenceInput{
		ComplianceRow: ComplianceRow{
			PropertyID: "1", UnitID: "3", RequirementID: "smoke_alarms", Name: "Smoke alarm test", Kind: "inspection", State: "valid",
			Due: "2027-11-21", Renewed: "2026-11-21", ChangedAt: time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC),
		},
		Property: "12 Elm St", Unit: "Apt 3", Zone: "America/Los_Angeles", By: "grace", Note: "all fine", Photos: []durable.Photo{{ID: "1"}},
	}
	one, err := in.statusSheet("Elm & Co", "Letter")
	require.NoError(t, err)
	two, err := in.statusSheet("Elm & Co", "Letter")
	require.NoError(t, err)
	require.Equal(t, one, two, "every try files the same")
	require.True(t, bytes.HasPrefix(one, []byte("%PDF-")))
	in.Note, in.Property = strings.Repeat("long\n\x00", 100_000), strings.Repeat("x", 100_000)
	long, err := in.statusSheet("Elm & Co", "A4")
	require.NoError(t, err)
	require.Equal(t, 1, bytes.Count(long, []byte("/Type /Page\n")), "one page")
}

func TestFileNamesOfEvidence(t *testing.T) {
	t.Parallel()
	in := FileEvidenceInput{ComplianceRow: ComplianceRow{RequirementID: "insurance", State: "valid", Renewed: "2026-11-21", Due: "2027-11-21"}}
	require.Equal(t, "compliance-insurance-2026-11-21-until-2027-11-21-valid", in.fileName())
	in.UnitID, in.Due, in.State = "3", "", "not_applicable"
	require.Equal(t, "compliance-insurance-unit-3-2026-11-21-not_applicable", in.fileName())
}
