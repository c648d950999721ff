// Package blobs keeps bytes that are too large for a database or a history, such as
// photos that people upload: in a folder, in memory, or where else a URL of
// gocloud.dev/blob points.
package blobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"
	"gocloud.dev/gcerrors"
)

// ErrNotFound is returned where there is nothing under a key.
var ErrNotFound = errors.New("blobs: not found")

// MaxBytes is the largest blob that is kept or read.
const MaxBytes = 16 << 20

// callTime limits one read or write.
const callTime = 15 * time.Second

// Bucket is where blobs are. It is safe for concurrent use, also by several
// processes that share the place.
type Bucket struct{ bucket *blob.Bucket }

// Open opens the bucket of a URL:
//
//	file:///var/lib/keyholder/blobs   a folder, made where missing
//	file:.data/blobs                  the same, relative to the current folder
//	mem://                            memory, gone with Close
//
// The folder must be one that all processes reach.
func Open(rawURL string) (*Bucket, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("blobs: the URL cannot be read: want file:///path or mem://")
	}
	switch {
	case u.Scheme == "mem" && u.Host == "" && u.Path == "" && u.Opaque == "":
		return InMemory(), nil
	case u.Scheme == "file" && u.Host == "" && (u.Path != "" || u.Opaque != "") && u.RawQuery == "":
		folder, err := url.PathUnescape(u.Opaque)
		if err != nil {
			return nil, errors.New("blobs: the path of the URL is not well encoded")
		}
		return openFolder(filepath.FromSlash(u.Path + folder))
	}
	return nil, fmt.Errorf("blobs: %q is no place for blobs: want file:///path or mem://", u.Redacted())
}

// InMemory is a bucket that ends with the process.
func InMemory() *Bucket { return &Bucket{memblob.OpenBucket(nil)} }

func openFolder(folder string) (*Bucket, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	// Metadata would be a second file beside each; NoTempDir keeps the half-written
	// file on the disk to which it is renamed.
	b, err := fileblob.OpenBucket(folder, &fileblob.Options{Metadata: fileblob.MetadataDontWrite, NoTempDir: true, DirFileMode: 0o700})
	if err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	return &Bucket{b}, nil
}

// PDF ends the ID of an upload that is a PDF file; all others are photos.
const PDF = ".pdf"

// PhotoKey is the key of an uploaded photo or PDF file.
func PhotoKey(id string) string {
	if strings.HasSuffix(id, PDF) {
		return "photos/" + id
	}
	return "photos/" + id + ".jpg"
}

// Put keeps data under a key, in place of what was there. It is all there or not at
// all once Put returns.
func (b *Bucket) Put(ctx context.Context, key string, data []byte) error {
	if !validKey(key) || len(data) > MaxBytes {
		return fmt.Errorf("blobs: put: a key of letters, digits and /.-_ and at most %d bytes are needed", MaxBytes)
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if err := b.bucket.WriteAll(ctx, key, data, &blob.WriterOptions{ContentType: typeOf(key)}); err != nil {
		return fmt.Errorf("blobs: put: %w", err)
	}
	return nil
}

// Open reads what is under a key, and its media type. ErrNotFound where there is
// nothing; more than MaxBytes is an error.
func (b *Bucket) Open(ctx context.Context, key string) (data []byte, contentType string, err error) {
	if !validKey(key) {
		return nil, "", ErrNotFound
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	r, err := b.bucket.NewReader(ctx, key, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, "", ErrNotFound
	}
	if err != nil {
		return nil, "", fmt.Errorf("blobs: open: %w", err)
	}
	defer func() { _ = r.Close() }() // read to the end or given up
	data, err = io.ReadAll(io.LimitReader(r, MaxBytes+1))
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("blobs: open: %w", err)
	case len(data) > MaxBytes:
		return nil, "", fmt.Errorf("blobs: open: larger than %d bytes", MaxBytes)
	}
	return data, typeOf(key), nil
}

// Delete removes what is under a key; nothing there is fine.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	if !validKey(key) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if err := b.bucket.Delete(ctx, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("blobs: delete: %w", err)
	}
	return nil
}

// Close ends the bucket; one in memory forgets all.
func (b *Bucket) Close() error { return b.bucket.Close() }

// validKey tells whether a key is one of ours, and means the same everywhere.
func validKey(key string) bool {
	if key == "" || len(key) > 200 || strings.HasPrefix(key, "/") || strings.Contains(key, "..") || strings.Contains(key, "//") {
		return false
	}
	return strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/.-_") == ""
}

// typeOf is the media type of a key: what we keep is named after what it is.
func typeOf(key string) string {
	switch {
	case strings.HasSuffix(key, ".jpg"):
		return "image/jpeg"
	case strings.HasSuffix(key, PDF):
		return "application/pdf"
	default:
		return "application/octet-stream"
	}
}
