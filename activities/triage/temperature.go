package triage

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// limit is the temperature in a home beyond which a lack of heating or cooling is
// an emergency (research.md 2.1).
type limit int

const (
	limitNone limit = iota
	limitCold
	limitHot
)

// The limits in degrees Fahrenheit; the second where somebody vulnerable is
// mentioned.
const (
	coldBelow, coldBelowVulnerable = 45.0, 55.0
	hotAbove, hotAboveVulnerable   = 95.0, 85.0
)

// reading is a temperature found in a text; unit is 'F', 'C' or 0 where not said.
type reading struct {
	value float64
	unit  byte
}

// reached judges a normalised text, and says how in words. Without a temperature
// the limit is taken as reached. Of several the worst counts.
func (l limit) reached(text string) (bool, string) {
	at, worst, side := coldBelow, math.Inf(1), "below"
	if l == limitHot {
		at, worst, side = hotAbove, math.Inf(-1), "above"
	}
	who := ""
	if vulnerable.match(oldThings.cut(text)) {
		who = " with a vulnerable person"
		at = coldBelowVulnerable
		if l == limitHot {
			at = hotAboveVulnerable
		}
	}
	found := readings(text)
	if len(found) == 0 {
		return true, fmt.Sprintf("and as no temperature is given the limit of %.0f F%s is taken as reached", at, who)
	}
	for _, r := range found {
		if l == limitCold {
			worst = min(worst, r.fahrenheit(l))
		} else {
			worst = max(worst, r.fahrenheit(l))
		}
	}
	over := (l == limitCold && worst < at) || (l == limitHot && worst > at)
	is := "is"
	if !over {
		is = "is not"
	}
	return over, fmt.Sprintf("and %.0f F %s %s the limit of %.0f F%s", worst, is, side, at, who)
}

// fahrenheit reads a number without a unit as Fahrenheit, except that nobody
// complains of heat at 55 F: then it is Celsius.
func (r reading) fahrenheit(l limit) float64 {
	if r.unit == 'C' || (r.unit == 0 && l == limitHot && r.value <= 55) {
		return r.value*9/5 + 32
	}
	return r.value
}

// Words around a number that decide whether it is the temperature of the home.
var (
	degreeWords     = []string{"degree", "degrees", "deg", "degs", "grados"}
	fahrenheitWords = []string{"f", "fahrenheit", "farenheit", "farenheight"}          //nolint:misspell // as people write it
	celsiusWords    = []string{"c", "celsius", "celcius", "centigrade", "centigrados"} //nolint:misspell // as people write it
	measureWords    = []string{"temp", "temps", "temperature", "temperatures", "reads", "reading", "shows", "showing", "says", "temperatura"}
	labelWords      = []string{"apt", "apartment", "unit", "suite", "room", "rm", "number", "no", "building", "bldg", "flat", "ste", "apto"}
	// A set point or the weather is not the temperature of the home.
	settingWords = []string{
		"set", "setting", "setpoint", "turn", "turned", "crank", "cranked", "target", "supposed", "should",
		"usually", "normally", "thermostat", "outside", "outdoors", "outdoor", "weather", "forecast", "oven", "fridge",
		"refrigerator", "freezer", "water", "afuera",
	}
	outsideWords = []string{"outside", "outdoors", "outdoor", "afuera"}
)

// readings finds the temperatures that a normalised text gives for the home. A
// bare number counts only beside a word of measuring.
func readings(text string) []reading {
	var found []reading
	words := strings.Fields(text)
	for i, w := range words {
		value, unit, ok := number(w)
		if !ok {
			continue
		}
		before, after := clauseBefore(words, i), clauseAfter(words, i)
		if n := len(before); n > 0 && slices.Contains([]string{"minus", "negative", "menos"}, before[n-1]) {
			value, before = -value, before[:n-1]
		}
		measured := containsAny(before, measureWords)
		degrees := len(after) > 0 && slices.Contains(degreeWords, after[0])
		if degrees {
			after = after[1:]
		}
		if unit == 0 && len(after) > 0 && (degrees || measured || len(after[0]) > 1) {
			unit = unitOf(after[0])
		}
		labelled := len(before) > 0 && slices.Contains(labelWords, before[len(before)-1])
		set := containsAny(before, settingWords) && !measured
		outside := containsAny(before, outsideWords) || containsAny(after, outsideWords) || containsAny(after, []string{"out"})
		if (unit != 0 || degrees || measured) && !labelled && !set && !outside && math.Abs(value) <= 150 {
			found = append(found, reading{value, unit})
		}
	}
	return found
}

// number reads "38", "-5", "3.5", "38f" and "5c".
func number(word string) (value float64, unit byte, ok bool) {
	digits := strings.TrimRight(word, "fc")
	if len(word)-len(digits) == 1 {
		unit = unitOf(word[len(digits):])
	}
	if len(word)-len(digits) > 1 || len(digits) > 6 || strings.Trim(digits, "-.0123456789") != "" {
		return 0, 0, false
	}
	value, err := strconv.ParseFloat(digits, 64)
	return value, unit, err == nil
}

func unitOf(word string) byte {
	switch {
	case slices.Contains(fahrenheitWords, word):
		return 'F'
	case slices.Contains(celsiusWords, word):
		return 'C'
	}
	return 0
}

// near is how many words around a number are looked at.
const near = 4

func clauseBefore(words []string, i int) []string {
	from := i
	for from > 0 && words[from-1] != "." && i-from < near {
		from--
	}
	return words[from:i]
}

func clauseAfter(words []string, i int) []string {
	to := i + 1
	for to < len(words) && words[to] != "." && to-i <= near {
		to++
	}
	return words[i+1 : to]
}

func containsAny(words, wanted []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(wanted, w) })
}
