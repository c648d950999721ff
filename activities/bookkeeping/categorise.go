package bookkeeping

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aictive/keyholder/policy"
)

// Choice is the category of one part.
type Choice struct {
	// Category is the id of the likeliest, "" where there is none; it may be taken where
	// Confidence, in percent, is enough.
	Category   string `json:"category"`
	Confidence int    `json:"confidence"`
	// Why is a sentence that quotes nothing of the transaction.
	Why string `json:"why"`
}

// Categories are the choices for the parts of a transaction, in their order.
type Categories struct {
	Parts []Choice `json:"parts"`
}

// Unsure are the indexes of parts about which somebody is to be asked.
func (c Categories) Unsure(sureFrom int) []int {
	var unsure []int
	for i, p := range c.Parts {
		if p.Confidence < sureFrom {
			unsure = append(unsure, i)
		}
	}
	return unsure
}

// Taken are the categories as Target wants them: "" where one is unsure.
func (c Categories) Taken(sureFrom int) []string {
	taken := make([]string, len(c.Parts))
	for i, p := range c.Parts {
		if p.Confidence >= sureFrom {
			taken[i] = p.Category
		}
	}
	return taken
}

// How sure one can be, in percent.
const (
	// accountSure is RentVine's account alone; accountAndText when the text says the same.
	accountSure    = 95
	accountAndText = 99
	// textLeast and textMost are the text alone: a short word and many.
	textLeast = 70
	textMost  = 90
	// doubtful is a guess with something against it.
	doubtful = 50
	certain  = 100
)

// Categorise says what each part is for. RentVine's account speaks strongest; then the
// words of the part's text or, where that says nothing, of the transaction's; the more and
// the longer, the surer. Where account and text contradict each other, or the text speaks
// for several, the confidence is below what the policy takes for sure.
//
// Texts are what anybody wrote: they only ever choose among the policy's categories.
func Categorise(t Transaction, rules policy.Finance) Categories {
	var fitting, others []policy.BookCategory
	for _, c := range rules.Categories {
		if Fits(t.Kind, c) {
			fitting = append(fitting, c)
		} else {
			others = append(others, c)
		}
	}
	most := max(0, min(doubtful, rules.Questions.SureFrom-1))
	whole := wordsOf(t.Text)
	parts := make([]Choice, len(t.Parts))
	for i, p := range t.Parts {
		if t.Kind == Payment {
			parts[i] = Choice{Confidence: certain, Why: "A payment needs no category."}
			continue
		}
		meant := byAccount(p, fitting)
		said := speaking(wordsOf(p.Text), fitting)
		// Of several parts, each has its own account: the whole's text cannot contradict it.
		if len(said) == 0 && (len(t.Parts) == 1 || len(meant) == 0) {
			said = speaking(whole, fitting)
		}
		if len(meant) == 0 && len(byNumberOrName(p, others)) > 0 {
			parts[i] = Choice{Why: fmt.Sprintf("RentVine's account is for something that no %s is booked on.", t.Kind)}
			continue
		}
		parts[i] = choose(meant, said, most)
	}
	return Categories{parts}
}

// choose weighs what the account means against what the text says, the strongest first;
// most is the most confidence there is when in doubt.
func choose(meant []policy.BookCategory, said []voice, most int) Choice {
	switch {
	case len(meant) > 1:
		return Choice{Confidence: 0, Why: fmt.Sprintf("Number and name of RentVine's account mean different things: %s and %s.", meant[0].Name, meant[1].Name)}
	case len(meant) == 1:
		return byAccountAndText(meant[0], said, most)
	case len(said) == 0:
		return Choice{Why: "Neither RentVine's account nor the text is known."}
	case len(said) > 1 && said[0].strength == said[1].strength:
		return Choice{Why: fmt.Sprintf("The text speaks for %s as much as for %s.", said[0].category.Name, said[1].category.Name)}
	case len(said) > 1 && said[0].strength < 2*said[1].strength:
		return Choice{said[0].category.ID, most, fmt.Sprintf("The text speaks for %s, but for %s too.", said[0].category.Name, said[1].category.Name)}
	}
	best := said[0]
	return Choice{best.category.ID, min(textMost, textLeast+max(0, best.strength-shortWord)), fmt.Sprintf("The text speaks for %s.", best.category.Name)}
}

// shortWord is how many letters add nothing to textLeast.
const shortWord = 4

func byAccountAndText(c policy.BookCategory, said []voice, most int) Choice {
	own := slices.IndexFunc(said, func(v voice) bool { return v.category.ID == c.ID })
	switch {
	case len(said) == 0:
		return Choice{c.ID, accountSure, fmt.Sprintf("RentVine's account means %s.", c.Name)}
	case own < 0 || said[own].strength < said[0].strength:
		return Choice{c.ID, most, fmt.Sprintf("RentVine's account means %s, but the text speaks for %s.", c.Name, said[0].category.Name)}
	}
	return Choice{c.ID, accountAndText, fmt.Sprintf("RentVine's account and the text mean %s.", c.Name)}
}

// rentCategory is the category that RentVine's mark "rent" of an account means, where its
// number and name mean none.
const rentCategory = "rent"

// byAccount are the categories that RentVine's account means: one at best.
func byAccount(p Part, categories []policy.BookCategory) []policy.BookCategory {
	found := byNumberOrName(p, categories)
	if len(found) > 0 || !p.IsRent {
		return found
	}
	at := slices.IndexFunc(categories, func(c policy.BookCategory) bool { return c.ID == rentCategory })
	if at < 0 {
		return nil
	}
	return categories[at : at+1]
}

func byNumberOrName(p Part, categories []policy.BookCategory) []policy.BookCategory {
	var found []policy.BookCategory
	for _, c := range categories {
		if slices.ContainsFunc(c.RentVine, func(name string) bool {
			return same(name, p.AccountNumber) || same(name, p.Account)
		}) {
			found = append(found, c)
		}
	}
	return found
}

// same compares numbers or names in any case and spacing; nothing is like "".
func same(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	return len(x) > 0 && strings.EqualFold(strings.Join(x, " "), strings.Join(y, " "))
}
