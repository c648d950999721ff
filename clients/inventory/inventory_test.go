package inventory_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/inventory"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/partnertest"
)

const heading = "sku,name,quantity,unit_cost,supplier_contact,lead_days\n"

func ExampleParse() {
	list, err := inventory.Parse([]byte(heading + `PAINT,"Interior paint, 1 gal",6,34.5,,2` + "\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	paint, found := list.Item("paint")
	fmt.Println(paint.Name, paint.Quantity, paint.UnitCost, found)
	// Output: Interior paint, 1 gal 6 3450 true
}

func TestParse(t *testing.T) {
	t.Parallel()
	list, err := inventory.Parse([]byte("\xef\xbb\xbf Name ,SKU,place,quantity\r\nTap,TAP-1,shelf 3,7\r\n"))
	require.NoError(t, err)
	item, ok := list.Item(" tap-1 ")
	require.True(t, ok)
	require.Equal(t, inventory.Item{SKU: "TAP-1", Name: "Tap", Quantity: 7}, item)
	_, ok = list.Item("TAP-2")
	require.False(t, ok)
	other, err := inventory.Parse([]byte("Name,SKU,place,quantity\nTap,TAP-1,shelf 3,8\n"))
	require.NoError(t, err)
	require.NotEqual(t, list.Digest, other.Digest)
}

func TestMistakesAreToldByLineAndColumn(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                   "no heading",
		"sku,name\n":                         "no column quantity",
		heading + "A,Tap,x,,,\n":             "line 2, column 7: quantity must be a whole number",
		heading + "A,Tap,1.5,,,\n":           "line 2, column 7: quantity",
		heading + "A,Tap,-1,,,\n":            "line 2, column 7: quantity",
		heading + ",Tap,1,,,\n":              "line 2, column 1: sku must be",
		heading + "A,,1,,,\n":                "line 2, column 3: name must have",
		heading + "A,Tap,1,\"1,50\",,\n":     "line 2, column 9: unit_cost must be an amount such as 12.50",
		heading + "A,Tap,1,1.505,,\n":        "line 2, column 9: unit_cost",
		heading + "A,Tap,1,,Jane,\n":         "line 2, column 10: supplier_contact must be the contact's id",
		heading + "A,Tap,1,,,soon\n":         "line 2, column 11: lead_days",
		heading + "A,Tap,1,,,\nA,Tap\n":      "line 3, column 1: wrong number of fields",
		heading + "A,Tap,1,,,\na,Tap,1,,,\n": "line 3, column 1: sku is on the list twice",
		heading + "A,\"Tap,1,,,\n":           "line 2, column 13",
		heading:                              "no parts at all",
		heading + "A,\xff,1,,,\n":            "not UTF-8",
	} {
		_, err := inventory.Parse([]byte(text))
		require.ErrorContains(t, err, want, "%q", text)
		require.NotContains(t, err.Error(), "Jane")
	}
	_, err := inventory.Parse([]byte(heading + strings.Repeat("A,Tap,x,,,\n", 1000)))
	require.Less(t, len(err.Error()), 1000)
}

func FuzzParse(f *testing.F) {
	f.Add(heading + "A,Tap,1,1.50,11,3\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := inventory.Parse([]byte(text))
		require.Equal(t, err == nil, list != nil)
	})
}

func TestAFileIsReadAgainAfterAWhile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "stock.csv")
	write := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	slow := inventory.New(inventory.Config{Source: path})
	quick := inventory.New(inventory.Config{Source: path, Fresh: time.Nanosecond})
	_, err := slow.List(t.Context())
	require.Equal(t, partner.Unavailable, partner.KindOf(err))
	require.NotContains(t, err.Error(), path)
	for n := 1; n <= 2; n++ {
		write(fmt.Sprintf("%sA,Tap,%d,,,\n", heading, n))
		list, err := quick.List(t.Context())
		require.NoError(t, err)
		item, _ := list.Item("A")
		require.Equal(t, n, item.Quantity)
		list, err = slow.List(t.Context())
		require.NoError(t, err)
		item, _ = list.Item("A")
		require.Equal(t, 1, item.Quantity, "as of at most a minute ago")
	}
	write(heading + "A,Tap,many,,,\n")
	_, err = quick.List(t.Context())
	require.Equal(t, partner.Malformed, partner.KindOf(err))
	require.ErrorContains(t, err, "line 2, column 7")
	write(strings.Repeat("x", 5<<20+1))
	_, err = quick.List(t.Context())
	require.Equal(t, partner.Malformed, partner.KindOf(err))
	_, err = inventory.New(inventory.Config{Source: t.TempDir()}).List(t.Context())
	require.Equal(t, partner.Unavailable, partner.KindOf(err))
}

func TestAnAddressIsAskedWhetherItHasChanged(t *testing.T) {
	t.Parallel()
	var etag, body atomic.Value
	var full, same atomic.Int32
	etag.Store(`"1"`)
	body.Store(heading + "A,Tap,1,,,\n")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "pass word" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("ETag", etag.Load().(string))
		if r.Header.Get("If-None-Match") == etag.Load() {
			same.Add(1)
			w.WriteHeader(http.StatusNotModified)
			return
		}
		full.Add(1)
		_, _ = fmt.Fprint(w, body.Load())
	}))
	t.Cleanup(server.Close)
	c := inventory.New(inventory.Config{Source: strings.Replace(server.URL, "://", "://me:pass%20word@", 1), Fresh: time.Nanosecond})
	t.Cleanup(c.Close)
	quantity := func(want int) {
		t.Helper()
		list, err := c.List(t.Context())
		require.NoError(t, err)
		item, _ := list.Item("A")
		require.Equal(t, want, item.Quantity)
	}
	quantity(1)
	quantity(1)
	require.EqualValues(t, 1, full.Load())
	require.EqualValues(t, 1, same.Load())
	body.Store(heading + "A,Tap,2,,,\n")
	etag.Store(`"2"`)
	quantity(2)
	body.Store(heading + "broken,\n")
	etag.Store(`"3"`)
	for range 2 { // a list that cannot be used is not remembered as the last one
		_, err := c.List(t.Context())
		require.Equal(t, partner.Malformed, partner.KindOf(err))
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	type client = *inventory.Client
	partnertest.Run(t, partnertest.Suite[client]{
		New: func(base string, limits partner.HTTPConfig) client {
			return inventory.New(inventory.Config{Source: strings.Replace(base, "://", "://user:topsecret@", 1), HTTP: limits, Fresh: time.Nanosecond})
		},
		Refusal: func(_ int, text string) string { return text },
		Secrets: []string{"topsecret"},
		Calls: []partnertest.Call[client]{{
			Name: "list", Body: heading + "A,Tap,1,,,\n",
			Do: func(ctx context.Context, c client) error { _, err := c.List(ctx); return err },
		}},
	})
}

func TestCheckSource(t *testing.T) {
	t.Parallel()
	for source, ok := range map[string]bool{
		"stock.csv": true, "/var/lib/stock.csv": true, "https://example.com/stock.csv": true, "http://user:secret@example.com/x": true,
		"": false, "ftp://example.com/secret": false, "http://": false, "https://%zz/secret": false,
	} {
		err := inventory.CheckSource(source)
		require.Equal(t, ok, err == nil, source)
		if err != nil {
			require.NotContains(t, err.Error(), "secret")
		}
	}
}
