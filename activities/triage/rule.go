package triage

import (
	"slices"
	"time"
)

// level is how severe a finding is.
type level int

const (
	levelNone level = iota
	// levelMinor is a borderline case: an emergency only at a high priority.
	levelMinor
	levelEmergency
	levelLifeSafety
)

// rule is one line of the table. Patterns are words of normalised text:
//
//	leak*        a word that begins so
//	gas|propane  one of these words
//	?any         may be there or not
//	..           up to three words of the same clause; ... is up to six
//	@smell       one of the words listed under that name in vocabulary
//	has_been     words that belong together
//
// The rule applies where always matches, or where phrases matches what is left of
// the text after except has been taken out of it.
type rule struct {
	id       string
	level    level
	category Category
	problem  string
	trade    Trade
	// why says in words what was found.
	why string
	// limit makes the rule depend on the temperature.
	limit limit
	// forTrade and months, where given, limit the rule to reports of that trade
	// and time of year; an unknown month is any.
	forTrade Trade
	months   []time.Month
	always   []string
	phrases  []string
	except   []string
}

// compiled is a rule ready for use.
type compiled struct {
	rule
	always, phrases, except patterns
}

// table is every rule, the most severe first. It is never changed.
var table = compileAll(slices.Concat(lifeSafetyRules, emergencyRules, homeRules, minorRules))

func compileAll(rules []rule) []compiled {
	out := make([]compiled, len(rules))
	for i, r := range rules {
		out[i] = compiled{r, compile(r.always), compile(r.phrases), compile(r.except)}
	}
	return out
}

// judge says what the rule makes of a normalised text.
func (c *compiled) judge(text string, trade Trade, month time.Month) finding {
	if c.forTrade != "" && c.forTrade != trade {
		return finding{}
	}
	if c.months != nil && month != 0 && !slices.Contains(c.months, month) {
		return finding{}
	}
	// Most rules match nothing: the exclusions are looked for in the others only.
	if !c.always.match(text) && (!c.phrases.match(text) || !c.phrases.match(c.except.cut(text))) {
		return finding{}
	}
	if c.limit == limitNone {
		return finding{&c.rule, c.level, c.why}
	}
	reached, why := c.limit.reached(text)
	f := finding{&c.rule, c.level, c.why + ", " + why}
	if !reached {
		f.level = levelMinor
	}
	return f
}
