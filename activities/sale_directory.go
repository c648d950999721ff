package activities

import (
	"context"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities/professionals"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// ReadDirectory reads the sales policy as it is now, and who could take a role. It
// is a recorded look-up, like ReadSettings.
var ReadDirectory = durable.Activity[ReadDirectoryInput, Directory]{
	Name: "policy.read_directory", Attempt: 5 * time.Second,
}

// AssignProfessional counts a sale among the cases of the professional whom
// somebody has chosen. Repeating it is harmless.
var AssignProfessional = durable.Activity[AssignProfessionalInput, None]{
	Name: "sales.assign_professional", Attempt: 5 * time.Second,
}

// ReadDirectoryInput says about whom; empty fields ask for nothing.
type ReadDirectoryInput struct {
	// Role, Postcode and Method choose the candidates.
	Role     Role       `json:"role,omitempty"`
	Postcode string     `json:"postcode,omitempty"`
	Method   SaleMethod `json:"method,omitempty"`
	// Email is whom to find in the directory; he is no candidate.
	Email string `json:"email,omitempty"`
}

// Directory is the sales policy without its directory, and what was asked for.
type Directory struct {
	Settings policy.Sales `json:"settings"`
	// Known is the entry of Email, nil where the directory has none.
	Known *policy.Professional `json:"known,omitempty"`
	// Candidates are at most three, best first.
	Candidates []professionals.Choice `json:"candidates,omitempty"`
	// Subscribers are the systems that are told what happens to sales.
	Subscribers []Interest `json:"subscribers,omitempty"`
}

// AssignProfessionalInput names the sale by its request id.
type AssignProfessionalInput struct {
	RequestID    string `json:"request_id"`
	Role         Role   `json:"role"`
	Professional string `json:"professional"`
}

// maxCandidates is how many a person chooses from.
const maxCandidates = 3

func (a *Activities) readDirectory(ctx context.Context, in ReadDirectoryInput) (Directory, error) {
	rules := a.Policy.Sales()
	out := Directory{Settings: rules.WithoutDirectory()}
	for _, s := range a.OutgoingWebhooks.Subscribers {
		out.Subscribers = append(out.Subscribers, s.Interest)
	}
	var refused []string
	for _, p := range rules.Professionals {
		if in.Email != "" && p.Role == string(in.Role) && strings.EqualFold(p.Email, in.Email) {
			out.Known = &p
			refused = append(refused, p.ID)
		}
	}
	if in.Postcode == "" {
		return out, nil
	}
	load, err := a.Store.CaseLoad(ctx)
	if err != nil {
		return Directory{}, err
	}
	need := professionals.Need{Role: string(in.Role), Postcode: in.Postcode, Method: string(in.Method), Refused: refused}
	for _, c := range professionals.Rank(rules, need, load) {
		if len(out.Candidates) < maxCandidates {
			out.Candidates = append(out.Candidates, c)
		}
	}
	return out, nil
}

func (a *Activities) assignProfessional(ctx context.Context, in AssignProfessionalInput) (None, error) {
	return None{}, a.Store.AssignCase(ctx, in.RequestID, string(in.Role), in.Professional)
}
