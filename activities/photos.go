package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/store/blobs"
	"github.com/aictive/keyholder/workflows/durable"
)

// AttachPhotos attaches uploaded photos to a work order and returns the ids of the
// files, in the order of the photos, "" for a photo that is not kept any more. It is
// safe to repeat: each file's name is unique on the work order, and a try that may
// be a repeat looks for it first.
var AttachPhotos = durable.Activity[AttachPhotosInput, []string]{
	Name: "rentvine.attach_photos", Queue: QueueRentVine, Attempt: 2 * time.Minute, Within: 72 * time.Hour,
}

// maxPhotos bounds the photos of one call.
const maxPhotos = 40

// AttachPhotosInput names the work order and the photos.
type AttachPhotosInput struct {
	// Ref is the workflow's id and step.
	Ref         string          `json:"ref"`
	WorkOrderID string          `json:"work_order_id"`
	Photos      []durable.Photo `json:"photos"`
}

func (a *Activities) attachPhotos(ctx context.Context, in AttachPhotosInput) ([]string, error) {
	if len(in.Photos) > maxPhotos {
		return nil, temporal.NewNonRetryableApplicationError(
			fmt.Sprintf("rentvine.attach_photos: at most %d photos in a call", maxPhotos), "invalid", nil)
	}
	ids := make([]string, 0, len(in.Photos))
	var refused error
	for _, p := range in.Photos {
		id, err := a.attachPhoto(ctx, in, p)
		switch {
		case err == nil, errors.Is(err, blobs.ErrNotFound):
		case retryable(partner.KindOf(err)):
			return nil, toTemporal(ctx, err)
		default:
			// The others are attached all the same.
			refused = cmp.Or(refused, err)
		}
		ids = append(ids, id)
	}
	if refused != nil {
		return nil, toTemporal(ctx, refused)
	}
	return ids, nil
}

// photoFile is the file's name, by which a repeat recognises it.
func photoFile(p durable.Photo) string {
	if strings.HasSuffix(p.ID, blobs.PDF) {
		return fmt.Sprintf("document-%s-%s.pdf", p.Field, p.ID[:min(8, len(p.ID)-len(blobs.PDF))])
	}
	return fmt.Sprintf("photo-%s-%s.jpg", p.Field, p.ID[:min(8, len(p.ID))])
}

// attachPhoto reads the photo first: what is gone has no effect to be recorded.
func (a *Activities) attachPhoto(ctx context.Context, in AttachPhotosInput, p durable.Photo) (string, error) {
	data, contentType, err := a.Photos.Open(ctx, blobs.PhotoKey(p.ID))
	if err != nil {
		return "", err
	}
	name := photoFile(p)
	return a.once(ctx, effect{
		key:   in.Ref + "/photo/" + p.ID,
		about: writing(atRentVine, "file "+name+" on work order "+in.WorkOrderID),
		find: func(ctx context.Context, _ time.Time) (string, bool, error) {
			f, found, err := a.RentVine.FindFile(ctx, rentvine.ObjectWorkOrder, in.WorkOrderID, name)
			return f.ID, found, err
		},
		act: func(ctx context.Context) (string, error) {
			f, err := a.RentVine.UploadFile(ctx, rentvine.ObjectWorkOrder, in.WorkOrderID, name, contentType, data)
			return f.ID, err
		},
	})
}
