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
}

func (l list[T]) page(ctx context.Context, c *Client, p Page) ([]T, error) {
	q := url.Values{}
	for name, values := range l.query {
		q[name] = values
	}
	p.set(q)
	var rows []T
	err := c.get(ctx, l.op, l.path, q, many(&rows, l.from))
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
// row is on.
func (l list[T]) eachFrom(ctx context.Context, c *Client, from int, visit func(page int, r T) (more bool)) error {
	from, most := max(from, 1), cmp.Or(l.most, maxPages)
	full, before := 0, ""
	for n := from; n <= most; n++ {
		rows, err := l.page(ctx, c, Page{Number: n, Size: pageSize})
		if err != nil {
			return err
		}
		if len(rows) == 0 || l.id(rows[0]) == before {
			return nil
		}
		for _, r := range rows {
			if !visit(n, r) {
				return nil
			}
		}
		if n == from {
			full = len(rows)
		}
		if len(rows) < full {
			return nil
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
