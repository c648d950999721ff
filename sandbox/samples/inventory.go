package samples

import _ "embed"

//go:embed inventory.csv
var inventory string

// Inventory is a stock list, with every part that a repair is likely to ask for.
func Inventory() string { return inventory }
