package analysis

import "regexp"

// What is taken out of a text before it leaves the house. The order matters: a link
// may hold an address, an address digits.
var masks = []struct {
	found *regexp.Regexp
	shown string
}{
	{regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]{1,20}://[^\s<>"']+|\bwww\.[^\s<>"']+|\b(?:[a-z0-9-]+\.)+(?:com|net|org|io|co|us|uk|app|me|info|biz|link|ly)(?:/[^\s<>"']*)?\b`), "[link]"},
	{regexp.MustCompile(`[^\s<>"'()@]+@[^\s<>"'()@]+`), "[e-mail]"},
	{regexp.MustCompile(`\+?\(?\p{Nd}(?:[\s().\-\x{2010}-\x{2015}/]{0,3}\p{Nd}){3,}`), "[number]"},
}

// Mask hides links, e-mail addresses and all that has four digits or more, such as
// phone numbers, door codes and accounts. Figures such as "72 degrees" stay.
func Mask(text string) string {
	for _, m := range masks {
		text = m.found.ReplaceAllString(text, m.shown)
	}
	return text
}
