package quickbooks

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/aictive/keyholder/clients/partner"
)

// Amount is money in hundredths of the company's currency; on the wire it is a number
// such as 12.50.
type Amount int64

// MarshalJSON writes a number with two decimals.
func (a Amount) MarshalJSON() ([]byte, error) {
	sign, n := "", int64(a)
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Appendf(nil, "%s%d.%02d", sign, n/100, n%100), nil
}

// maxAmountText is the longest number that is read.
const maxAmountText = 30

// UnmarshalJSON reads a number, or its text, that has no more than two decimals.
func (a *Amount) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	value, ok := new(big.Rat), len(text) <= maxAmountText && !strings.ContainsAny(text, "eE/")
	if ok && text != "null" {
		value, ok = value.SetString(text)
	}
	if !ok {
		return partner.ShapeError("an amount is not a number")
	}
	value.Mul(value, big.NewRat(100, 1))
	if !value.IsInt() || !value.Num().IsInt64() {
		return partner.ShapeError("an amount has more than two decimals")
	}
	*a = Amount(value.Num().Int64())
	return nil
}
