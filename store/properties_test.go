package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func TestProperties(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		_, err := s.Property(ctx, "1")
		require.ErrorIs(t, err, store.ErrNotFound)
		require.NoError(t, s.PutProperties(ctx))
		require.Error(t, s.PutProperties(ctx, store.PropertyRef{ID: "1"}, store.PropertyRef{AddressKey: "a"}), "one without an id")

		require.NoError(t, s.PutProperties(ctx, store.PropertyRef{ID: "1", AddressKey: "a"}))
		require.NoError(t, s.PutProperties(ctx, store.PropertyRef{ID: "1", TransactionID: "u1", SellerKey: "s"}))
		require.NoError(t, s.PutProperties(ctx, store.PropertyRef{ID: "1"}))
		p, err := s.Property(ctx, "1")
		require.NoError(t, err)
		p.KnownSince = time.Time{}
		require.Equal(t, store.PropertyRef{ID: "1", TransactionID: "u1", AddressKey: "a", SellerKey: "s"}, p)

		require.NoError(t, s.PutProperties(ctx, store.PropertyRef{ID: "1", AddressKey: "b"}))
		p, err = s.Property(ctx, "1")
		require.NoError(t, err)
		p.KnownSince = time.Time{}
		require.Equal(t, "b", p.AddressKey, "what is known better takes its place")
	})
}

func TestPropertiesAtOneAddress(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		require.NoError(t, s.PutProperties(ctx,
			store.PropertyRef{ID: "10", AddressKey: "a"}, store.PropertyRef{ID: "9", AddressKey: "a"},
			store.PropertyRef{ID: "8", AddressKey: "b"}, store.PropertyRef{ID: "7"},
			// The same one twice in one call.
			store.PropertyRef{ID: "9", TransactionID: "u9"}))
		list, err := s.PropertiesAt(ctx, "a")
		require.NoError(t, err)
		require.Equal(t, []store.PropertyRef{{ID: "9", AddressKey: "a", TransactionID: "u9"}, {ID: "10", AddressKey: "a"}}, timeless(t, list))
		for _, nowhere := range []string{"c", ""} {
			list, err = s.PropertiesAt(ctx, nowhere)
			require.NoError(t, err)
			require.Empty(t, list, "%q", nowhere)
		}
		n, err := s.KnownProperties(ctx, "7", "8", "9", "10", "11")
		require.NoError(t, err)
		require.Equal(t, 4, n)
		require.NoError(t, s.ForgetProperty(ctx, "8"))
		_, err = s.Property(ctx, "8")
		require.ErrorIs(t, err, store.ErrNotFound)
	})
}

func TestManyProperties(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		refs := make([]store.PropertyRef, 2501)
		for i := range refs {
			refs[i] = store.PropertyRef{ID: fmt.Sprint(i), AddressKey: "a"}
		}
		require.NoError(t, s.PutProperties(ctx, refs...))
		list, err := s.PropertiesAt(ctx, "a")
		require.NoError(t, err)
		require.Len(t, list, 100)
		require.Equal(t, refs[:100], timeless(t, list))
	})
}

// Two processes that learn of the same properties in different orders.
func TestPropertiesPutAtOnce(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		stores := []store.Store{open(), open()}
		refs := make([]store.PropertyRef, 60)
		for i := range refs {
			refs[i] = store.PropertyRef{ID: fmt.Sprint(i), TransactionID: fmt.Sprint("u", i)}
		}
		errs := make([]error, 20)
		together(len(errs), func(i int) {
			mine := append(append([]store.PropertyRef{}, refs[i*3:]...), refs[:i*3]...)
			errs[i] = stores[i%2].PutProperties(t.Context(), mine...)
		})
		for _, err := range errs {
			require.NoError(t, err)
		}
		var ids []string
		for _, ref := range refs {
			ids = append(ids, ref.ID)
		}
		n, err := stores[0].KnownProperties(t.Context(), ids...)
		require.NoError(t, err)
		require.Equal(t, len(refs), n)
	})
}

// timeless checks that each is known since a moment ago, and leaves that out.
func timeless(t *testing.T, list []store.PropertyRef) []store.PropertyRef {
	t.Helper()
	out := slices.Clone(list)
	for i := range out {
		require.WithinDuration(t, time.Now(), out[i].KnownSince, time.Minute)
		out[i].KnownSince = time.Time{}
	}
	return out
}
