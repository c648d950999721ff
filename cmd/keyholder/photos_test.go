package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/store/blobs"
)

func TestOldPhotosGoWithTheirPictures(t *testing.T) {
	t.Parallel()
	st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "keyholder.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	b := &base{store: st, photos: blobs.InMemory()}
	now := time.Now()
	for id, months := range map[string]int{"old": -14, "young": -12} {
		require.NoError(t, b.photos.Put(t.Context(), blobs.PhotoKey(id), []byte(id)))
		require.NoError(t, st.PutPhoto(t.Context(), store.Photo{ID: id, WorkflowID: "w", At: now.AddDate(0, months, 0)}))
	}
	require.NoError(t, b.prunePhotos(t.Context(), now))
	_, _, err = b.photos.Open(t.Context(), blobs.PhotoKey("old"))
	require.ErrorIs(t, err, blobs.ErrNotFound)
	_, _, err = b.photos.Open(t.Context(), blobs.PhotoKey("young"))
	require.NoError(t, err)
	left, err := st.PhotosOf(t.Context(), "w")
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.NoError(t, b.prunePhotos(t.Context(), now), "again")
}
