package triage

// Text is a report's text as rules read it: plain small words, clauses apart.
type Text struct{ words string }

// ReadText prepares a text, HTML or plain, for Phrases; of a long one it keeps 10 kB.
func ReadText(text string) Text {
	words, _ := normalise(text)
	return Text{words}
}

// Phrases are compiled phrases of the rules' language, for other tables than this
// package's. They are never changed.
type Phrases struct{ phrases, except patterns }

// NewPhrases compiles phrases, and those that are taken out of the text first. Both
// are for tables that are part of the program: a phrase that cannot be read panics.
func NewPhrases(phrases, except []string) Phrases {
	return Phrases{compile(phrases), compile(except)}
}

// Match tells whether the text says any of the phrases.
func (p Phrases) Match(t Text) bool {
	return p.phrases.match(t.words) && p.phrases.match(p.except.cut(t.words))
}
