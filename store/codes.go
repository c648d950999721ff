package store

import "hash/fnv"

// Codes are one letter and one digit or more. Letters and digits that are
// mistaken for one another (I and 1, O and 0) are left out. A code has a digit,
// so it is none of the words that people text (STOP, START, HELP, YES, NO), and
// it starts with a letter, so it is no number.
const (
	codeLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	codeDigits  = "23456789"
	// codesPerAddress is how many codes of an address are looked at. The longest
	// code has room for six times as many.
	codesPerAddress = 2000
	longestCode     = 4
)

// newCode is a code that is not taken: of two characters while there is one,
// else longer. Where the search starts depends on the question, so that a code
// says nothing about how many questions there were.
func newCode(questionID string, taken map[string]bool) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(questionID)) // never fails
	start := h.Sum64()
	size := uint64(len(codeLetters))
	for length := 2; ; length++ {
		size *= uint64(len(codeDigits))
		for i := range size {
			code := codeAt((start+i)%size, length)
			if !taken[code] || length > longestCode {
				return code
			}
		}
	}
}

// codeAt is the code of a length by its number.
func codeAt(n uint64, length int) string {
	code := make([]byte, length)
	for i := length - 1; i > 0; i-- {
		code[i] = codeDigits[n%uint64(len(codeDigits))]
		n /= uint64(len(codeDigits))
	}
	code[0] = codeLetters[n%uint64(len(codeLetters))]
	return string(code)
}

// looksLikeCode tells whether a text could be a code: one letter and digits.
func looksLikeCode(s string) bool {
	if len(s) < 2 || (s[0]|0x20) < 'a' || (s[0]|0x20) > 'z' {
		return false
	}
	for _, c := range s[1:] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
