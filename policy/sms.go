package policy

import (
	"strings"
	"unicode/utf16"
)

// The characters of GSM 03.38: those that take one septet, and those that take
// two.
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtended = "\f^{}\\[~]|€"
)

// septets is how much room a character takes in GSM-7, 0 where it has none.
func septets(r rune) int {
	switch {
	case strings.ContainsRune(gsmBasic, r):
		return 1
	case strings.ContainsRune(gsmExtended, r):
		return 2
	}
	return 0
}

// Segments is how many parts a text message is sent and billed as: 160
// characters of GSM-7, or 153 each in several; 70 and 67 UTF-16 units where a
// single character is not in GSM-7.
func Segments(text string) int {
	length, one, each := 0, 160, 153
	for _, r := range text {
		n := septets(r)
		if n == 0 {
			length, one, each = len(utf16.Encode([]rune(text))), 70, 67
			break
		}
		length += n
	}
	if length <= one {
		return min(length, 1)
	}
	return (length + each - 1) / each
}
