package ingress

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"github.com/aictive/keyholder/store"
)

const (
	// maxReply is how much of a text is read, maxNote how much of it is kept as the
	// person's note, both in characters.
	maxReply = 1600
	maxNote  = 500
	// maxListed and maxListTitle bound a reply that lists questions.
	maxListed    = 4
	maxListTitle = 60
)

// textReply is what a text says, whatever was asked.
type textReply struct {
	// key is the option that was typed, such as "1", or "".
	key string
	// code is the question that was named, such as "K7", or "".
	code string
	// words is what else was said: lower-case words, for yes, no and labels.
	words []string
	// note is the same as it was typed.
	note string
}

var (
	wordPattern = regexp.MustCompile(`[\p{L}\p{N}]+(?:['’][\p{L}\p{N}]+)*`)
	keyPattern  = regexp.MustCompile(`^\d{1,2}$`)
	codePattern = regexp.MustCompile(`^[A-Z]\d{1,4}$`)
	bothPattern = regexp.MustCompile(`^(\d)([A-Z]\d{1,4})$`)
	// notAKey is what follows a number that is no option: "1.5 h", "1:30", "2 mins",
	// "1 or 2".
	notAKey = regexp.MustCompile(`(?i)^(?:[.:,/-]\d|\s*[.,/&]\s*\d{1,2}\s*$|\s*(?:%|(?:or|and|&|to|/)\s*\d|\d{1,2}\b|h|hrs?|hours?|m|mins?|minutes?|days?|miles?|mi|km|am|pm|o'?clock)(?:[^\pL\pN]|$))`)
	// emojiWords are the signs that people answer with.
	emojiWords = strings.NewReplacer("👍", " yes ", "👌", " yes ", "✅", " yes ", "✔", " yes ", "🆗", " yes ", "👎", " no ", "❌", " no ")
	numerals   = map[string]string{"one": "1", "two": "2", "three": "3", "four": "4", "five": "5"}
	// leaders may stand before an answer, joiners between its parts.
	leaders = []string{"re", "fwd", "fw", "reply", "option", "answer", "press", "choice", "code", "ref", "number"}
	joiners = []string{"for", "on", "re", "to", "code"}
)

// cleanText brings a text into one spelling: fullwidth digits and keycap emoji become
// plain digits, marks that only decorate are dropped.
func cleanText(text string) string {
	if r := []rune(text); len(r) > maxReply {
		text = string(r[:maxReply])
	}
	drop := runes.Remove(runes.Predicate(func(r rune) bool {
		return r == '\u20e3' || r == '\ufe0f' || (r >= 0x1f3fb && r <= 0x1f3ff) || unicode.Is(unicode.Cf, r)
	}))
	out, _, err := transform.String(transform.Chain(drop, norm.NFKC), text)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(out)
}

// parseReply reads a text from its beginning: an option, a question's code, both
// in any order, else only words. It rather reads nothing than guess: an answer
// that nobody gave stops a ladder.
func parseReply(text string) textReply {
	text = cleanText(text)
	var r textReply
	rest := text
	for r.key == "" || r.code == "" {
		at := wordPattern.FindStringIndex(rest)
		if at == nil {
			break
		}
		word, after := strings.ToUpper(rest[at[0]:at[1]]), rest[at[1]:]
		if !r.take(word, after) {
			break
		}
		rest = after
	}
	if word := strings.ToLower(strings.Trim(rest, " .!")); r.key == "" && numerals[word] != "" {
		r.key, rest = numerals[word], ""
	}
	r.note = clip(strings.TrimLeft(rest, " \t\r\n.,:;)]}-–—=*/>\"'"), maxNote)
	for _, w := range wordPattern.FindAllString(emojiWords.Replace(rest), -1) {
		r.words = append(r.words, plainWord(w))
	}
	return r
}

// take reads one word as part of the answer and tells whether it is one.
func (r *textReply) take(word, after string) bool {
	nothingYet := r.key == "" && r.code == ""
	next := strings.ToUpper(wordPattern.FindString(after))
	both := bothPattern.FindStringSubmatch(word)
	switch {
	case r.key == "" && keyPattern.MatchString(word) && !notAKey.MatchString(after):
		r.key = cmp.Or(strings.TrimLeft(word, "0"), "0")
	case r.code == "" && codePattern.MatchString(word):
		r.code = word
	case nothingYet && both != nil:
		r.key, r.code = both[1], both[2]
	case slices.Contains(leaders, strings.ToLower(word)):
		return nothingYet && slices.Contains([]string{"RE", "FWD", "FW"}, word) || keyPattern.MatchString(next) || codePattern.MatchString(next) || bothPattern.MatchString(next)
	case r.key != "" && slices.Contains(joiners, strings.ToLower(word)):
		return codePattern.MatchString(next)
	default:
		return false
	}
	return true
}

// plainWord is a word without case and apostrophes: "I'm" is "im".
func plainWord(word string) string {
	return strings.NewReplacer("'", "", "’", "").Replace(strings.ToLower(word))
}

// yesPhrases mean the first option of the only open question; niceties add
// nothing to them, and noPhrases mean the option whose label says no.
var (
	yesPhrases = []string{"yes", "yep", "yeah", "yup", "y", "ya", "ok", "okay", "k", "kk", "sure", "roger", "affirmative", "absolutely",
		"ack", "acknowledged", "confirmed", "accept", "accepted", "on it", "im on it", "i am on it", "on my way", "im on my way",
		"i am on my way", "omw", "will do", "got it", "got this", "gotcha", "ive got it", "ive got this", "i got this", "righto", "no problem", "no worries"}
	niceties  = []string{"please", "thanks", "thank you", "thx", "ta", "cheers", "sorry", "mate", "boss", "now", "there", "this", "all"}
	noPhrases = []string{"no", "nope", "nah", "n", "cant", "cannot", "can not", "i cant", "i cannot", "unable", "decline", "declined", "no can do", "not me", "cant do"}
)

// madeOf tells whether the words are nothing but phrases of the lists, with one
// of needed or more among them.
func madeOf(words, needed, allowed []string) bool {
	found := false
	for len(words) > 0 {
		n, isNeeded := longest(words, needed), true
		if n == 0 {
			n, isNeeded = longest(words, allowed), false
		}
		if n == 0 {
			return false
		}
		found = found || isNeeded
		words = words[n:]
	}
	return found
}

// longest is how many words the longest phrase has that the words begin with.
func longest(words, phrases []string) int {
	for n := min(5, len(words)); n > 0; n-- {
		if slices.Contains(phrases, strings.Join(words[:n], " ")) {
			return n
		}
	}
	return 0
}

// pickOption is the option that the reply means, where it can only be about q.
func pickOption(q store.Question, r textReply) (store.Option, bool) {
	if r.key != "" {
		i := slices.IndexFunc(q.Options, func(o store.Option) bool { return strings.EqualFold(o.Key, r.key) })
		return optionAt(q.Options, i)
	}
	if len(r.words) == 0 {
		return store.Option{}, false
	}
	i := slices.IndexFunc(q.Options, func(o store.Option) bool { return slices.Equal(labelWords(o), r.words) })
	switch {
	case i >= 0:
	case madeOf(r.words, yesPhrases, niceties):
		i = 0
	case madeOf(r.words, noPhrases, niceties):
		i = slices.IndexFunc(q.Options, func(o store.Option) bool { return longest(labelWords(o), noPhrases) > 0 })
	}
	return optionAt(q.Options, i)
}

func optionAt(options []store.Option, i int) (store.Option, bool) {
	if i < 0 || i >= len(options) {
		return store.Option{}, false
	}
	return options[i], true
}

func labelWords(o store.Option) []string {
	var words []string
	for _, w := range wordPattern.FindAllString(o.Label, -1) {
		words = append(words, plainWord(w))
	}
	return words
}

// verdict is what a text turned out to be.
type verdict string

const (
	answersOne  verdict = "answers"      // option answers question
	asksWhich   verdict = "asked_back"   // it may answer one of list
	nothingOpen verdict = "nothing_open" // there is nothing that it could answer
	chatter     verdict = "chatter"      // nothing to reply to, such as "thanks"
	asksForForm verdict = "form_needed"  // option answers question, and needs its form filled in
)

type decision struct {
	verdict  verdict
	question store.Question
	option   store.Option
	list     []store.Question
}

// decide says which question a reply answers. open are those that the phone may
// answer, recent the latest ones, closed ones too. A code decides; without one
// there must be only one question that still waits. Late answers count as
// answers: the workflow records them.
func decide(open, recent []store.Question, r textReply) decision {
	waiting := latest(slices.DeleteFunc(slices.Clone(open), func(q store.Question) bool { return q.Answer != "" }))
	if r.code != "" {
		byCode := func(q store.Question) bool { return strings.EqualFold(q.Code, r.code) }
		for _, list := range [][]store.Question{open, recent} {
			if i := slices.IndexFunc(list, byCode); i >= 0 {
				return about(list[i], r)
			}
		}
		return askOrNothing(waiting)
	}
	if len(waiting) > 0 {
		if len(waiting) == 1 {
			return about(waiting[0], r)
		}
		return decision{verdict: asksWhich, list: waiting}
	}
	polite := slices.Concat(yesPhrases, niceties)
	if r.key == "" && (len(r.words) == 0 || madeOf(r.words, polite, nil)) && len(recent) > 0 {
		return decision{verdict: chatter}
	}
	for _, list := range [][]store.Question{latest(open), latest(recent)} {
		if len(list) == 1 && r.key != "" {
			return about(list[0], r)
		}
	}
	return decision{verdict: nothingOpen}
}

// latest keeps the newest question of each workflow and purpose, in the order
// given: a page that was repeated is still one question to its reader.
func latest(questions []store.Question) []store.Question {
	type subject struct {
		workflow string
		purpose  store.Purpose
	}
	newest := map[subject]store.Question{}
	for _, q := range questions {
		key := subject{q.WorkflowID, q.Purpose}
		if kept, ok := newest[key]; !ok || !q.AskedAt.Before(kept.AskedAt) {
			newest[key] = q
		}
	}
	return slices.DeleteFunc(slices.Clone(questions), func(q store.Question) bool {
		return newest[subject{q.WorkflowID, q.Purpose}].ID != q.ID
	})
}

// about decides where the question is known.
func about(q store.Question, r textReply) decision {
	if option, ok := pickOption(q, r); ok && needsForm(q, option.Choice) {
		return decision{verdict: asksForForm, question: q, option: option}
	} else if ok {
		return decision{verdict: answersOne, question: q, option: option}
	}
	return decision{verdict: asksWhich, list: []store.Question{q}}
}

func askOrNothing(waiting []store.Question) decision {
	if len(waiting) == 0 {
		return decision{verdict: nothingOpen}
	}
	return decision{verdict: asksWhich, list: waiting}
}

// What the ingress itself says in a text.
const (
	saidHelp     = "Reply with the number of your answer, such as 1, or with number and code, such as 1 K7. LIST sends a link to all that waits for you. STOP ends all texts."
	saidNothing  = "There is no open question for this number, so nothing was recorded. In an emergency call your local emergency number."
	saidReceived = "Received, we will confirm."
	saidSettled  = "Thank you. This matter is already closed, there is nothing left to do."
	saidRefused  = "Sorry, that answer could not be taken."
	saidTaken    = "Thank you, your answer is recorded."
)

// saidOf is what the person is told: the workflow's words where it had some.
func saidOf(d handover) string {
	if d.said != "" {
		return d.said
	}
	switch d.fate {
	case fateTaken, fateLate:
		return saidTaken
	case fateReceived:
		return saidReceived
	case fateGone:
		return saidSettled
	case fateRefused, fateAway:
		return saidRefused
	default:
		return saidRefused
	}
}

// askForForm sends a text's sender to the page, for an answer that needs more than a
// text can say.
func askForForm(d decision, link string) string {
	return fmt.Sprintf("Not recorded yet: for \"%s\" please use the link %s", clip(d.option.Label, maxListTitle), link)
}

// askBack asks a text's sender what it was about, in 640 characters at most.
func askBack(d decision) string {
	if d.verdict == nothingOpen {
		return saidNothing
	}
	if len(d.list) == 1 {
		return "Sorry, that was not clear. " + howTo(d.list[0])
	}
	parts := []string{"Which one?"}
	for _, q := range d.list[:min(maxListed, len(d.list))] {
		parts = append(parts, howTo(q))
	}
	if more := len(d.list) - maxListed; more > 0 {
		parts = append(parts, fmt.Sprintf("And %d more.", more))
	}
	return clip(strings.Join(parts, " "), 640)
}

// howTo is "K7 Water leak, 12 Elm St: reply 1 K7 or 2 K7."
func howTo(q store.Question) string {
	var replies []string
	for _, o := range q.Options[:min(5, len(q.Options))] {
		replies = append(replies, o.Key+" "+q.Code)
	}
	list := strings.Join(replies, ", ")
	if i := strings.LastIndex(list, ", "); i >= 0 {
		list = list[:i] + " or " + list[i+2:]
	}
	return fmt.Sprintf("%s %s: reply %s.", q.Code, clip(q.Title, maxListTitle), list)
}
