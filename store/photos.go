package store

import (
	"context"
	"fmt"
	"time"
)

const (
	// photosListed bounds the photos of one workflow that are listed, usesListed the
	// workflows that used the same picture.
	photosListed = 200
	usesListed   = 20
	// photosKept is how long photos stay after their upload: 13 months.
	photosKept = 13 * 31 * 24 * time.Hour
)

// A Photo is what is known of an uploaded picture; the picture itself is a blob.
type Photo struct {
	// ID names it for ever: the same picture for the same field of the same question
	// has the same one. That of a PDF file ends in ".pdf".
	ID         string
	QuestionID string
	WorkflowID string
	// Field is the field of the form, such as "before".
	Field string
	// Digest is the hex SHA-256 of the picture's pixels, or of a PDF file's bytes.
	Digest string
	// Bytes is how large the kept picture is.
	Bytes int
	// At is when it was uploaded (real time), now where it is zero.
	At time.Time
}

// Photos is what is known of uploaded pictures.
type Photos interface {
	// PutPhoto records a photo; the same ID again is harmless.
	PutPhoto(ctx context.Context, p Photo) error
	// PhotosOf lists a workflow's photos, oldest first, at most 200.
	PhotosOf(ctx context.Context, workflowID string) ([]Photo, error)
	// PhotoUses lists the other workflows for which the same picture was uploaded,
	// first use first, at most 20.
	PhotoUses(ctx context.Context, digest, workflowID string) ([]string, error)
	// OldPhotos lists the IDs of photos that were uploaded 13 months before now (real
	// time) or earlier, at most 500: their blobs may go, and then ForgetPhotos.
	OldPhotos(ctx context.Context, now time.Time) ([]string, error)
	// ForgetPhotos removes what is known of photos; unknown IDs are fine.
	ForgetPhotos(ctx context.Context, ids []string) error
}

// PutPhoto records a photo.
func (d *database) PutPhoto(ctx context.Context, p Photo) error {
	if p.At.IsZero() {
		p.At = time.Now()
	}
	_, err := d.change(ctx, `
		INSERT INTO photos (id, question_id, workflow_id, field, digest, bytes, uploaded_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO NOTHING`,
		p.ID, p.QuestionID, p.WorkflowID, p.Field, p.Digest, p.Bytes, micros(p.At))
	if err != nil {
		return fmt.Errorf("store: put photo: %w", err)
	}
	return nil
}

// PhotosOf lists a workflow's photos.
func (d *database) PhotosOf(ctx context.Context, workflowID string) ([]Photo, error) {
	rows, err := d.read.QueryContext(ctx, `
		SELECT id, question_id, workflow_id, field, digest, bytes, uploaded_at FROM photos
		WHERE workflow_id = $1 ORDER BY uploaded_at, id LIMIT $2`, workflowID, photosListed)
	if err != nil {
		return nil, fmt.Errorf("store: photos: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []Photo
	for rows.Next() {
		var p Photo
		var at int64
		if err := rows.Scan(&p.ID, &p.QuestionID, &p.WorkflowID, &p.Field, &p.Digest, &p.Bytes, &at); err != nil {
			return nil, fmt.Errorf("store: photos: %w", err)
		}
		p.At = fromMicros(at)
		list = append(list, p)
	}
	return list, orNotFound(rows.Err())
}

// PhotoUses lists the other workflows for which the same picture was uploaded.
func (d *database) PhotoUses(ctx context.Context, digest, workflowID string) ([]string, error) {
	return d.texts(ctx, `
		SELECT workflow_id FROM photos WHERE digest = $1 AND workflow_id <> $2
		GROUP BY workflow_id ORDER BY min(uploaded_at), workflow_id LIMIT $3`, digest, workflowID, usesListed)
}

// OldPhotos lists photos that need not be kept any longer.
func (d *database) OldPhotos(ctx context.Context, now time.Time) ([]string, error) {
	const batch = 500
	return d.texts(ctx, `SELECT id FROM photos WHERE uploaded_at <= $1 ORDER BY uploaded_at, id LIMIT $2`,
		micros(now.Add(-photosKept)), batch)
}

// ForgetPhotos removes what is known of photos.
func (d *database) ForgetPhotos(ctx context.Context, ids []string) error {
	for _, id := range ids {
		if _, err := d.change(ctx, `DELETE FROM photos WHERE id = $1`, id); err != nil {
			return fmt.Errorf("store: forget photos: %w", err)
		}
	}
	return nil
}

// texts runs a query whose rows are one text.
func (d *database) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := d.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("store: list: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, fmt.Errorf("store: list: %w", err)
		}
		list = append(list, text)
	}
	return list, orNotFound(rows.Err())
}
