package rentvine

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"time"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

// maxUpload is the longest file that is sent, in bytes.
const maxUpload = 20 << 20

// File is an uploaded file and what it is attached to (contracts/rentvine.md 2.11).
type File struct {
	ID, AttachmentID string
	Title, Name      string
	// Size is bytes, 0 where RentVine does not say.
	Size int
	// Object and ObjectID are zero where the reply does not say what the file
	// belongs to.
	Object   ObjectType
	ObjectID string
	// CreatedAt is read as UTC where the wire gives no zone.
	CreatedAt time.Time
}

// UploadFile attaches a file to an object. RentVine has no idempotency key: where
// an earlier try may have got through, look with FindFile first. The result holds
// the ids that the reply gave; live replies are shorter than the documented ones.
// Errors are *partner.Error.
func (c *Client) UploadFile(
	ctx context.Context, object ObjectType, objectID, fileName, contentType string, data []byte,
) (File, error) {
	const op = "upload_file"
	var out File
	if err := number(op, objectID); err != nil {
		return out, err
	}
	if len(data) > maxUpload {
		return out, &partner.Error{Op: "rentvine." + op, Kind: partner.Invalid, Message: "the file is longer than 20 MiB"}
	}
	payload, err := formFile(fileName, contentType, data)
	if err != nil {
		return out, &partner.Error{Op: "rentvine." + op, Kind: partner.Invalid, Message: "the file cannot be encoded"}
	}
	q := objectQuery(object, objectID)
	if err := c.call(ctx, op, http.MethodPost, "/files", q, payload, one(&out, fileFrom)); err != nil {
		return File{}, err
	}
	out.Object, out.ObjectID = object, objectID
	if out.Name == "" {
		out.Name = fileName
	}
	return out, nil
}

func formFile(name, contentType string, data []byte) (partner.RawBody, error) {
	var buf bytes.Buffer
	form := multipart.NewWriter(&buf)
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition("file", name)},
		"Content-Type":        {contentType},
	})
	if err != nil {
		return partner.RawBody{}, err
	}
	if _, err := part.Write(data); err != nil {
		return partner.RawBody{}, err
	}
	if err := form.Close(); err != nil {
		return partner.RawBody{}, err
	}
	return partner.RawBody{ContentType: form.FormDataContentType(), Bytes: buf.Bytes()}, nil
}

// Files reads one page of all files: RentVine was seen to ignore its own filters by
// object. Errors are *partner.Error.
func (c *Client) Files(ctx context.Context, p Page) ([]File, error) {
	return files(url.Values{"includes": {"attachment"}}).page(ctx, c, p, nil)
}

// FindFile looks for a file of that name on that object. A file of that name for
// which RentVine does not say the object counts as found, so names should be unique.
// The filter is sent and applied here again. Errors are *partner.Error; more than
// 100 pages of files is Invalid.
func (c *Client) FindFile(ctx context.Context, object ObjectType, objectID, fileName string) (file File, found bool, err error) {
	if err := number("find_file", objectID); err != nil {
		return File{}, false, err
	}
	err = files(objectQuery(object, objectID)).each(ctx, c, func(f File) bool {
		unsaid := f.ObjectID == "" && f.Object == 0
		if f.Name == fileName && (unsaid || f.Object == object && f.ObjectID == objectID) {
			file, found = f, true
		}
		return !found
	})
	return file, found, err
}

func files(q url.Values) list[File] {
	return list[File]{op: "list_files", path: "/files", query: q, from: fileFrom, id: func(f File) string { return f.ID }}
}

func objectQuery(object ObjectType, objectID string) url.Values {
	return url.Values{
		"objectTypeID": {strconv.Itoa(int(object))}, "objectID": {objectID}, "includes": {"attachment"},
	}
}

// fileFrom reads {"file":{},"attachment":{}} and the live {"fileAttachment":{}}.
func fileFrom(r row) (File, error) {
	var f struct {
		FileID           key     `json:"fileID"`
		FileAttachmentID key     `json:"fileAttachmentID"`
		Title            text    `json:"title"`
		FileName         text    `json:"fileName"`
		FileSize         whole   `json:"fileSize"`
		DateTimeCreated  instant `json:"dateTimeCreated"`
		ObjectTypeID     whole   `json:"objectTypeID"`
		ObjectID         key     `json:"objectID"`
	}
	if !wire.IsObject(r["file"]) && !wire.IsObject(r["fileAttachment"]) {
		return File{}, partner.ShapeError("the reply has no object named file or fileAttachment")
	}
	for _, name := range []string{"file", "fileAttachment", "attachment"} {
		if err := r.beside(name, &f); err != nil {
			return File{}, err
		}
	}
	if f.FileID == "" {
		return File{}, partner.ShapeError("a file without an id")
	}
	return File{
		ID: string(f.FileID), AttachmentID: string(f.FileAttachmentID), Title: string(f.Title), Name: string(f.FileName),
		Size: int(f.FileSize), Object: ObjectType(f.ObjectTypeID), ObjectID: string(f.ObjectID), CreatedAt: time.Time(f.DateTimeCreated),
	}, nil
}
