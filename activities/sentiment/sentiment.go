// Package sentiment judges the tone of what tenants write: by a lexicon (VADER, in
// English), or by a model within what the lexicon allows. It finds feelings towards
// whoever manages the home, not the state of a tap: words that reports of repairs are
// made of count nothing. Texts are untrusted and bounded.
package sentiment

import (
	"math"
	"strings"
	"sync"

	"github.com/jonreiter/govader"
)

const (
	// Version names the lexicon and our changes to it, for the record.
	Version = "lexicon 1"
	// maxRunes is how much of a text is read, maxTexts how many.
	maxRunes = 2000
	maxTexts = 40
	// complains is the score at or below which a text is a complaint.
	complains = -40
)

// Reading is the tone of several texts.
type Reading struct {
	// Average is from -100 (bad) to 100, of those texts that show any feeling.
	Average int
	// Messages is how many do.
	Messages int
	// Complaints is how many complain, Of how many were read.
	Complaints int
	Of         int
	// By says who judged: "lexicon 1", "model ...".
	By string
	// Overruled says why a model's answer does not stand as it was, "" where it does.
	Overruled string
}

// Read judges texts by the lexicon; of more than 40 the first. Empty ones are not read.
func Read(texts []string) Reading {
	r := Reading{By: Version}
	sum := 0
	for _, t := range kept(texts) {
		r.Of++
		score, felt := judge(t)
		if !felt {
			continue
		}
		sum, r.Messages = sum+score, r.Messages+1
		if score <= complains {
			r.Complaints++
		}
	}
	if r.Messages > 0 {
		r.Average = sum / r.Messages
	}
	return r
}

// kept are the texts that are read.
func kept(texts []string) []string {
	var list []string
	for _, t := range texts {
		if t = plain(t); t != "" && len(list) < maxTexts {
			list = append(list, t)
		}
	}
	return list
}

// Score is the tone of a text from -100 (bad) to 100; 0 where it shows no feeling. Of a
// long one the first 2,000 characters count.
func Score(text string) int {
	score, _ := judge(plain(text))
	return score
}

// judge is the tone of a plain text; felt is false where no word of it shows any.
func judge(text string) (score int, felt bool) {
	if text == "" {
		return 0, false
	}
	said := lexicon().PolarityScores(text)
	score = int(math.Round(said.Compound * 100))
	return min(max(score, -100), 100), said.Positive > 0 || said.Negative > 0
}

// plain cuts a text, and makes it of single spaces and straight apostrophes, as the
// lexicon knows words.
func plain(text string) string {
	// Four bytes are the most that a rune takes, so that no more than needed is copied.
	text = strings.ToValidUTF8(text[:min(len(text), 4*maxRunes)], " ")
	if runes := []rune(text); len(runes) > maxRunes {
		text = string(runes[:maxRunes])
	}
	return strings.Join(strings.Fields(apostrophes.Replace(text)), " ")
}

var apostrophes = strings.NewReplacer("\u2019", "'", "\u2018", "'", "\u201c", `"`, "\u201d", `"`)

// lexicon is loaded when first needed. It is only read afterwards, so that any number
// of goroutines may use it.
var lexicon = sync.OnceValue(func() *govader.SentimentIntensityAnalyzer {
	l := govader.NewSentimentIntensityAnalyzer()
	for _, word := range strings.Fields(matterOfFact) {
		delete(l.Lexicon, word)
	}
	for word, valence := range ours() {
		l.Lexicon[word] = valence
	}
	return l
})

// matterOfFact are words by which reports name what is to be repaired, or are polite;
// the lexicon takes them for feelings.
const matterOfFact = `
broken broke leak leaked leaks leaking damage damaged damages damaging fire fires alarm alarms emergency emergencies
problem problems stuck blocked block blocks blocking cut cuts dead crash crashed shock shocks stink stinks stinky dirty
danger dangerous fail failed fails failing failure failures fault faults faulty lost loss weak low lower lowest warning
warnings trouble troubles defect defects defective drop drops dropped poison clean cleaner cleaning safe safely secure
secured help helping helps like fresh clear cleared share ready yes cool warm energy top kind dear best sincerely please
want interest no odd empty stop stopped stops missing screw number strong pressure hard natural solid free gas urgent
urgently serious falling collapse collapsed super legal crack cracks jam jammed sharp trap traps tank bug bugs
won interests value values play support supports agree agreed well ok okay hand risk risks exposed shake shaking
`

// ours are phrases' words by which tenants of rented homes complain, or praise, and that
// the lexicon does not know. From -4 to 4, as the lexicon's are.
func ours() map[string]float64 {
	return map[string]float64{
		"unresponsive": -2.2, "unanswered": -1.8, "unprofessional": -2.3, "negligent": -2.5, "negligence": -2.5, "slumlord": -3.2,
		"inexcusable": -2.6, "uninhabitable": -2.8, "unlivable": -2.8, "overcharged": -2, "overpriced": -1.8,
		"filthy": -2, "infested": -1.8, "moldy": -1, "fed-up": -2.2, "ignored": -2, "ignoring": -2, "lawyer": -1.8, "attorney": -1.8,
		"lawsuit": -2.2, "sue": -2, "suing": -2.2, "unacceptable": -2.6, "disrespectful": -2.4, "harassment": -2.8,
		"prompt": 1.8, "promptly": 1.8, "courteous": 2.2, "spotless": 1.8, "punctual": 1.6,
	}
}
