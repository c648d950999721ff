// Package intaketest makes files of fictitious sales, as large as a test or a
// benchmark wants them.
package intaketest

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/aictive/keyholder/workflows/sales"
)

// kind is what becomes of a row.
type kind int

const (
	good kind = iota
	bad
	duplicate
)

// CSV is a file of that many rows below its header, of which exactly bad have a
// mistake and exactly duplicates repeat an earlier good row, half of them in
// another spelling. All others are good, each with a seller and an address of its
// own. The same arguments give the same bytes. It panics where the first row could
// not be good: that takes more rows than bad and duplicates together.
func CSV(rows, bad, duplicates int, seed uint64) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	// A buffer takes everything.
	_ = w.Write(columns[:])
	for _, r := range plan(rows, bad, duplicates, seed) {
		_ = w.Write(r.cells())
	}
	w.Flush()
	return out.Bytes()
}

// Good lists what the good rows of the same CSV mean, in their order and normalised.
func Good(rows, bad, duplicates int, seed uint64) []Sale {
	var list []Sale
	for i, r := range plan(rows, bad, duplicates, seed) {
		if r.kind == good {
			list = append(list, Sale{Line: i + 2, NewSale: sale(seed, r.of)})
		}
	}
	return list
}

// Sale is a good row.
type Sale struct {
	// Line is that in the file; the header is 1.
	Line int
	sales.NewSale
}

// row is a row before it is written: of is the number of the sale that it holds,
// which for a duplicate is the one that it repeats.
type row struct {
	kind kind
	of   int
	seed uint64
	turn int // counts the rows of its kind
}

func plan(rows, bads, duplicates int, seed uint64) []row {
	if bads < 0 || duplicates < 0 || rows <= bads+duplicates {
		panic(fmt.Sprintf("intaketest: %d rows cannot hold %d bad ones, %d duplicates and a good one", rows, bads, duplicates))
	}
	random := rand.New(rand.NewPCG(seed, 1))
	kinds := make([]kind, rows-1)
	for i := range bads {
		kinds[i] = bad
	}
	for i := range duplicates {
		kinds[bads+i] = duplicate
	}
	random.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	list := []row{{seed: seed}}
	goods, turns := []int{0}, map[kind]int{}
	for i, k := range kinds {
		r := row{kind: k, of: i + 1, seed: seed, turn: turns[k]}
		turns[k]++
		switch k {
		case good:
			goods = append(goods, r.of)
		case duplicate:
			r.of = goods[random.IntN(len(goods))]
		case bad:
		}
		list = append(list, r)
	}
	return list
}

// The people and streets are made up; the numbers are from the ranges that Ofcom
// keeps for drama, and example.com is nobody's.
var (
	firstNames = []string{"Amara", "Bryn", "Catrin", "Dermot", "Elsie", "Farid", "Greta", "Hamish", "Imogen", "Jonah"}
	lastNames  = []string{"Ashdown", "Birkett", "Chowdhury", "Dunmore", "Eastlake", "Fenwick", "Garside", "Hollis", "Ingram", "Jessop", "Kettley"}
	streets    = []string{"Alder", "Beacon", "Cobden", "Drapers", "Easter", "Falcon", "Granary", "Harrow", "Ironside", "Juniper", "Kestrel", "Larch"}
	ways       = []string{"Road", "Street", "Avenue", "Lane", "Gardens", "Mews", "Terrace"}
	postcodes  = []string{"SW1A 1AA", "E1 6AN", "N1 9GU", "SE10 8EW", "W1A 0AX", "NW3 2QG", "EC1A 1BB", "WC2N 5DU", "CR0 2YR"}
	methods    = []string{"standard", "modern_auction", "secure_sale"}
)

// sale is the sale of a number: the seller's e-mail and the address are of no other
// number's.
func sale(seed uint64, n int) sales.NewSale {
	s := sales.NewSale{
		FirstName: pick(firstNames, n),
		LastName:  pick(lastNames, n),
		Email:     fmt.Sprintf("test+s%dn%d@example.com", seed, n),
		Phone:     fmt.Sprintf("+447700900%03d", n%1000),
		Address:   fmt.Sprintf("%d %s %s, London", n/(len(streets)*len(ways))+1, pick(streets, n), pick(ways, n/len(streets))),
		Postcode:  pick(postcodes, n),
		Method:    sales.StandardSale,
	}
	switch pick(methods, n) {
	case "modern_auction":
		s.Method = sales.ModernAuction
	case "secure_sale":
		s.Method = sales.SecureSale
	}
	if n%2 == 0 {
		s.Products = []string{"moove-ready-pack"}
	}
	return s
}

func pick(list []string, n int) string { return list[n%len(list)] }

// columns are those of the file.
var columns = [...]string{"first_name", "last_name", "email", "phone_number", "property_address", "property_postcode", "sale_method", "products"}

func (r row) cells() []string {
	s := sale(r.seed, r.of)
	cells := []string{s.FirstName, s.LastName, s.Email, s.Phone, s.Address, s.Postcode, string(s.Method), strings.Join(s.Products, ";")}
	switch r.kind {
	case bad:
		return spoil(cells, r.turn)
	case duplicate:
		if r.turn%2 == 1 {
			respell(cells)
		}
	case good:
	}
	return cells
}

// spoil makes one mistake, each kind in its turn.
func spoil(cells []string, turn int) []string {
	mistakes := [...]struct {
		column int
		value  string
	}{
		{0, ""}, {2, "test at example.com"}, {3, "7700900123"}, {3, "4.47701E+11"}, {4, ""},
		{5, "SW1A"}, {5, "SW1A ICI"}, {6, "auction"}, {7, "Ready Pack"}, {4, strings.Repeat("long ", 60) + "Road"},
	}
	turn %= len(mistakes) + 1
	if turn == len(mistakes) {
		return cells[:len(cells)-1]
	}
	cells[mistakes[turn].column] = mistakes[turn].value
	return cells
}

// respell writes the same sale as somebody else would.
func respell(cells []string) {
	cells[3] = "0" + strings.TrimPrefix(cells[3], "+44")
	cells[4] = strings.ToUpper(strings.ReplaceAll(cells[4], ",", " "))
	cells[5] = strings.ToLower(strings.ReplaceAll(cells[5], " ", ""))
}
