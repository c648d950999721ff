package blobs_test

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store/blobs"
)

func folderURL(folder string) string {
	return "file://" + (&url.URL{Path: filepath.ToSlash(folder)}).EscapedPath()
}

func TestBucket(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]string{"memory": "mem://", "folder": folderURL(filepath.Join(t.TempDir(), "not there yet", "blobs"))} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := blobs.Open(at)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, b.Close()) })
			ctx, key := t.Context(), blobs.PhotoKey("0af3")
			require.Equal(t, "photos/0af3.jpg", key)
			_, _, err = b.Open(ctx, key)
			require.ErrorIs(t, err, blobs.ErrNotFound)

			require.NoError(t, b.Put(ctx, key, []byte("one")))
			require.NoError(t, b.Put(ctx, key, []byte("other")))
			data, kind, err := b.Open(ctx, key)
			require.NoError(t, err)
			require.Equal(t, []any{"other", "image/jpeg"}, []any{string(data), kind})

			paper := blobs.PhotoKey("0af3.pdf")
			require.Equal(t, "photos/0af3.pdf", paper)
			require.NoError(t, b.Put(ctx, paper, []byte("paper")))
			data, kind, err = b.Open(ctx, paper)
			require.NoError(t, err)
			require.Equal(t, []any{"paper", "application/pdf"}, []any{string(data), kind})

			require.NoError(t, b.Delete(ctx, key))
			require.NoError(t, b.Delete(ctx, key), "it is gone already")
			_, _, err = b.Open(ctx, key)
			require.ErrorIs(t, err, blobs.ErrNotFound)

			for _, bad := range []string{"", "/etc/passwd", "../x", "photos/../../x", "a//b", "a b", "a\x00b", `a\b`} {
				require.Error(t, b.Put(ctx, bad, nil), bad)
				_, _, err := b.Open(ctx, bad)
				require.ErrorIs(t, err, blobs.ErrNotFound, bad)
				require.NoError(t, b.Delete(ctx, bad))
			}
			require.ErrorContains(t, b.Put(ctx, "large", make([]byte, blobs.MaxBytes+1)), "at most")

			gone, cancel := context.WithCancel(ctx)
			cancel()
			require.Error(t, b.Put(gone, key, []byte("x")))
		})
	}
}

// Two processes share a folder: what one has put the other opens, whole.
func TestBucketIsShared(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	one, err := blobs.Open(folderURL(folder))
	require.NoError(t, err)
	other, err := blobs.Open(folderURL(folder))
	require.NoError(t, err)
	first, second := bytes.Repeat([]byte("a"), 1<<20), bytes.Repeat([]byte("b"), 1<<20)
	require.NoError(t, one.Put(t.Context(), "x.jpg", first))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { _ = one.Put(context.Background(), "x.jpg", second) }) // the reader says what is there
	}
	for range 20 {
		data, _, err := other.Open(t.Context(), "x.jpg")
		require.NoError(t, err)
		require.Len(t, data, 1<<20)
		require.Empty(t, bytes.Trim(data, string(data[:1])), "one or the other")
	}
	wg.Wait()
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing lies beside it")
}

func TestOpenSaysWhatItWants(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "photos", "s3://bucket", "file://host/x", "file:", "mem://x", "file:///x?metadata=skip", "postgres://user:secret@host/x", ":"} {
		_, err := blobs.Open(bad)
		require.Error(t, err, bad)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestOpenTakesRelativeFolders(t *testing.T) {
	t.Chdir(t.TempDir())
	b, err := blobs.Open("file:data%20here/blobs")
	require.NoError(t, err)
	require.NoError(t, b.Put(t.Context(), "photos/a.jpg", []byte("x")))
	require.FileExists(t, "data here/blobs/photos/a.jpg")
}
