package rentvine

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strconv"

	"github.com/aictive/keyholder/clients/partner"
)

// pageSize is what clients are known to ask for; the server's maximum is not
// known and may be less (1.5).
const pageSize = 100

// maxPages bounds every walk over a list.
const maxPages = 100

// Page picks one page of a list.
type Page struct {
	// Number counts from 1; 0 is 1.
	Number int
	// Size is the rows wanted; 0 leaves it to RentVine: 15 or 25, by resource (1.5).
	Size int
}

func (p Page) set(q url.Values) {
	if p.Number > 1 {
		q.Set("page", strconv.Itoa(p.Number))
	}
	if p.Size > 0 {
		q.Set("pageSize", strconv.Itoa(p.Size))
	}
}

// list is how one collection is read.
type list[T any] struct {
	op, path string
	query    url.Values
	from     func(row) (T, error)
	id       func(T) string
	// most bounds the pages of a walk; 0 is maxPages.
	most int
	// passes lets a walk pass over what cannot be read, and end with partner.Malformed.
	passes bool
}

// passed is what a walk has passed over.
type passed struct {
	rows, pages int
	// inARow counts the last pages of which nothing could be read.
	inARow int
}

// mostPassed is how many pages in a row, of which nothing can be read, end a walk.
const mostPassed = 3

func (p passed) err(op string) error {
	if p == (passed{}) {
		return nil
	}
	return &partner.Error{
		Op: "rentvine." + op, Kind: partner.Malformed,
		Message: fmt.Sprintf("%d rows and %d whole pages of the list could not be read", p.rows, p.pages),
	}
}

// page reads a page; pass may take rows that cannot be read.
func (l list[T]) page(ctx context.Context, c *Client, p Page, pass func(error) bool) ([]T, error) {
	q := url.Values{}
	for name, values := range l.query {
		q[name] = values
	}
	p.set(q)
	var rows []T
	err := c.get(ctx, l.op, l.path, q, many(&rows, l.from, pass))
	return rows, err
}

// each shows visit every row until it says stop. RentVine gives no total, no next
// link and maybe fewer rows a page than asked for, so the end is an empty page, one
// shorter than the first, or one that only repeats the page before (a list that is
// not paged at all). A list of more pages than are allowed is partner.Invalid.
func (l list[T]) each(ctx context.Context, c *Client, visit func(T) (more bool)) error {
	return l.eachFrom(ctx, c, 1, func(_ int, r T) bool { return visit(r) })
}

// eachFrom is each from a page on, which counts from 1, and tells visit which page a
// row is on. A walk that passes over what cannot be read goes on with the next row or page,
// and ends with partner.Malformed when it has shown all others; not where its first page is
// unreadable as a whole.
func (l list[T]) eachFrom(ctx context.Context, c *Client, from int, visit func(page int, r T) (more bool)) error {
	from, most := max(from, 1), cmp.Or(l.most, maxPages)
	full, before := 0, ""
	var lost passed
	for n := from; n <= most; n++ {
		bad := 0
		rows, err := l.page(ctx, c, Page{Number: n, Size: pageSize}, func(error) bool {
			bad++
			return l.passes
		})
		switch {
		case err == nil:
			lost.rows += bad
		case l.passes && n > from && partner.KindOf(err) == partner.Malformed:
			lost.pages, bad = lost.pages+1, 1
		default:
			return err
		}
		if len(rows) == 0 && bad > 0 {
			if lost.inARow++; n == from || lost.inARow == mostPassed {
				return lost.err(l.op)
			}
			continue
		}
		lost.inARow = 0
		if len(rows) == 0 || l.id(rows[0]) == before {
			return lost.err(l.op)
		}
		for _, r := range rows {
			if !visit(n, r) {
				return nil
			}
		}
		if full == 0 {
			full = len(rows) + bad
		}
		if len(rows)+bad < full {
			return lost.err(l.op)
		}
		before = l.id(rows[0])
	}
	return &partner.Error{
		Op: "rentvine." + l.op, Kind: partner.Invalid, Message: fmt.Sprintf("the list has more than %d pages", most),
	}
}

// all collects every row once, even where a new one moves others to the next page
// meanwhile.
func (l list[T]) all(ctx context.Context, c *Client) ([]T, error) {
	var rows []T
	seen := map[string]bool{}
	err := l.each(ctx, c, func(r T) bool {
		if id := l.id(r); !seen[id] {
			seen[id] = true
			rows = append(rows, r)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}
