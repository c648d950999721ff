package quickbooks

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// money is an amount in cents; on the wire it is a number such as 12.50.
type money int64

// maxMoney is the highest amount that a line may have.
const maxMoney money = 9_999_999_999_999

var errMoney = errors.New("an amount is a number with at most two decimals")

var decimal = regexp.MustCompile(`^(-?)(\d{1,13})(?:\.(\d{1,2})0*)?$`)

// String is such as "-12.50".
func (m money) String() string {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	return fmt.Sprintf("%s%d.%02d", sign, m/100, m%100)
}

// MarshalJSON writes a number.
func (m money) MarshalJSON() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalJSON reads a number; the error says that it is none, or too fine.
func (m *money) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	parts := decimal.FindStringSubmatch(string(b))
	if parts == nil {
		return errMoney
	}
	cents, err := strconv.ParseInt(parts[2]+(parts[3] + "00")[:2], 10, 64)
	if err != nil {
		return errMoney
	}
	if *m = money(cents); strings.HasPrefix(parts[1], "-") {
		*m = -*m
	}
	return nil
}
