// Package inspection judges whether a repair that was reported as done may be closed:
// the checklist of its trade, photos of before and after, and photos that were used
// already. It is a pure function over what was counted; the opinion of a language
// model can ask for a review and passes nothing that the rules do not.
package inspection

import (
	"fmt"
	"slices"
	"strings"
)

// Version names the rules. It changes with every change of what Judge answers.
const Version = "2026-11-22"

// Code names what was found.
type Code string

// The findings.
const (
	CodePhotosMissingBefore Code = "photos_missing_before"
	CodePhotosMissingAfter  Code = "photos_missing_after"
	// CodePhotoReused: a photo was shown for another work order before.
	CodePhotoReused Code = "photo_reused"
	// CodePhotoSame: one picture is shown as before and as after.
	CodePhotoSame           Code = "photo_same"
	CodeChecklistIncomplete Code = "checklist_incomplete"
	// CodeOpinion is a model's concern: somebody should look. It fails nothing by itself.
	CodeOpinion Code = "opinion"
)

// Input is what there is to judge.
type Input struct {
	// Checklist is what should be confirmed, Ticked what was, in the same words.
	Checklist []string
	Ticked    []string
	// Before and After are how many different photos there are of each state, Photos is
	// how many of each are wanted.
	Before int
	After  int
	Photos int
	// Same tells that one picture is shown as before and as after.
	Same bool
	// Reused are photos that were shown for other work orders.
	Reused []Reuse
	// Opinion is nil where nobody was asked.
	Opinion *Opinion
}

// Reuse is a photo that was shown before.
type Reuse struct {
	PhotoID string `json:"photo_id"`
	// WorkOrderID is the other work order.
	WorkOrderID string `json:"work_order_id"`
}

// Opinion is what a model thinks of the work.
type Opinion struct {
	Concern bool
	// Reason is one of Concerns.
	Reason string
	// By is "model <name>".
	By string
}

// Verdict is the answer.
type Verdict struct {
	Passed bool `json:"passed"`
	// Findings are in the order of the codes above. A verdict that passed may carry an
	// opinion, which asks for a review.
	Findings []Finding `json:"findings,omitempty"`
	// By is who decided: "rules <version>", with ", model <name>" where one was heard.
	By string `json:"by"`
}

// Review tells that the rules pass the work and a model asks somebody to look.
func (v Verdict) Review() bool { return v.Passed && len(v.Findings) > 0 }

// Finding is something that is missing or odd.
type Finding struct {
	Code Code `json:"code"`
	// Text is a sentence for people that says what to do.
	Text string `json:"text"`
}

// maxNamed is how many items of a checklist one finding names.
const maxNamed = 3

// Judge says whether the work may be closed.
func Judge(in Input) Verdict {
	v := Verdict{Passed: true, By: "rules " + Version}
	fail := func(found bool, code Code, text string) {
		if found {
			v.Passed = false
			v.Findings = append(v.Findings, Finding{code, text})
		}
	}
	fail(in.Before < in.Photos, CodePhotosMissingBefore, missing(in.Photos-in.Before, "before"))
	fail(in.After < in.Photos, CodePhotosMissingAfter, missing(in.Photos-in.After, "after"))
	fail(len(in.Reused) > 0, CodePhotoReused, reused(in.Reused))
	fail(in.Same, CodePhotoSame, "The same photo is shown as before and after: send one of each.")
	open := unticked(in)
	fail(len(open) > 0, CodeChecklistIncomplete, "Please confirm: "+listed(open)+".")
	if in.Opinion == nil {
		return v
	}
	v.By += ", " + in.Opinion.By
	if in.Opinion.Concern {
		text := "Somebody should look at the photos."
		if slices.Contains(Concerns(), in.Opinion.Reason) && in.Opinion.Reason != noConcern {
			text = "Somebody should look at the photos: " + in.Opinion.Reason + "."
		}
		v.Findings = append(v.Findings, Finding{CodeOpinion, text})
	}
	return v
}

func missing(n int, field string) string {
	if n == 1 {
		return fmt.Sprintf("Send a photo of the place %s the work.", field)
	}
	return fmt.Sprintf("Send %d more photos of the place %s the work.", n, field)
}

func reused(photos []Reuse) string {
	if len(photos) == 0 {
		return ""
	}
	text := "A photo was sent for another job already: send a new one."
	if id := photos[0].WorkOrderID; id != "" {
		text = fmt.Sprintf("A photo was sent for another job already (work order %s): send a new one.", id)
	}
	return text
}

// unticked are the items of the checklist that nobody confirmed.
func unticked(in Input) []string {
	var open []string
	for _, item := range in.Checklist {
		if !slices.Contains(in.Ticked, item) {
			open = append(open, item)
		}
	}
	return open
}

func listed(items []string) string {
	more := ""
	if len(items) > maxNamed {
		more = fmt.Sprintf(" and %d more", len(items)-maxNamed)
		items = items[:maxNamed]
	}
	return strings.Join(items, "; ") + more
}
