package ingress

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/ingress/pages"
	"github.com/aictive/keyholder/ingress/picture"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/store/blobs"
)

// What one form may bring.
const (
	// maxPhotos is how many photos, maxPhotoBytes how large each.
	maxPhotos     = 6
	maxPhotoBytes = 12 << 20
	// maxPDFBytes is how large a PDF file may be.
	maxPDFBytes = 10 << 20
	// maxFormBytes bounds a form with photos as a whole.
	maxFormBytes = 40 << 20
	// maxTypedBytes bounds all that was typed, maxParts the parts of the body.
	maxTypedBytes = 64 << 10
	maxParts      = 200
)

// How much this process does at once. A decoder may need 256 MiB, an upload holds
// one file, and of those before it the photos made of them or the PDF files.
const (
	uploadsAtOnce  = 8
	decodingAtOnce = 2
	// uploadTime is how long sending a form may take: 40 MB on a poor line.
	uploadTime = 4 * time.Minute
	// decodeTime limits one photo, its turn included.
	decodeTime = 30 * time.Second
	// keepTime limits the storing of a form's photos.
	keepTime = 20 * time.Second
)

// uploads bounds the work with photos. A question has one upload at a time: whoever
// holds one link cannot take up all places.
type uploads struct {
	decoding chan struct{}

	mu      sync.Mutex
	running map[string]bool
}

func newUploads() *uploads {
	return &uploads{decoding: make(chan struct{}, decodingAtOnce), running: map[string]bool{}}
}

// begin takes a place for a question's upload; end gives it back.
func (u *uploads) begin(question string) (end func(), ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.running[question] || len(u.running) >= uploadsAtOnce {
		return nil, false
	}
	u.running[question] = true
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		delete(u.running, question)
	}, true
}

// read makes a photo of a file when it is its turn.
func (u *uploads) read(ctx context.Context, file []byte) (picture.Photo, error) {
	ctx, cancel := context.WithTimeout(ctx, decodeTime)
	defer cancel()
	select {
	case u.decoding <- struct{}{}:
		defer func() { <-u.decoding }()
	case <-ctx.Done():
		return picture.Photo{}, ctx.Err()
	}
	return picture.Read(ctx, file)
}

// mostFiles is how many photos or files a field takes.
func mostFiles(f store.Field) int {
	if f.Most < 1 || f.Most > maxPhotos {
		return maxPhotos
	}
	return f.Most
}

const photoAdvice = " On an iPhone choose Settings > Camera > Formats > Most Compatible and take it again, or send a screenshot of it."

// adviceOn says what to do about a file that is not taken.
func adviceOn(err error) string {
	switch {
	case errors.Is(err, errPDFLarge):
		return fmt.Sprintf("This PDF is larger than %d MB: please send a smaller one, or its pages as photos.", maxPDFBytes>>20)
	case errors.Is(err, errPDFBroken):
		return "This PDF is damaged or did not arrive whole: please send it again."
	case errors.Is(err, errNoFile):
		return "This is neither a PDF nor a photo that we can open: please send PDF, JPEG, PNG, WebP or GIF."
	case errors.Is(err, picture.ErrHEIC):
		return "This is a HEIC photo, which we cannot open: please send JPEG." + photoAdvice
	case errors.Is(err, picture.ErrKind):
		return "This is not a photo that we can open: please send JPEG, PNG, WebP or GIF."
	case errors.Is(err, picture.ErrLarge):
		return fmt.Sprintf("This photo is too large, %d megapixels at most: please send a smaller copy or a screenshot of it.", picture.MaxPixels/1_000_000)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "This photo took too long to open: please send it again, or as JPEG."
	default:
		return "This photo is damaged or did not arrive whole: please send it again."
	}
}

var (
	errFormTooLarge = errors.New("ingress: the form is too large")
	errFormBroken   = errors.New("ingress: the form cannot be read")
)

// What is wrong with a PDF file.
var (
	errPDFLarge  = errors.New("ingress: the PDF file is too large")
	errPDFBroken = errors.New("ingress: the PDF file has no end")
	errNoFile    = errors.New("ingress: neither a PDF file nor a photo")
)

// isPDF tells by the first bytes, whatever the file is called.
func isPDF(file []byte) bool { return bytes.HasPrefix(file, []byte("%PDF-")) }

// readFile reads a PDF file or a photo. A PDF file is kept as it came, for a certificate
// with a signature must not change: nobody here opens it, and whoever may see it gets it
// as a download.
func (u *uploads) readFile(ctx context.Context, field store.Field, file []byte) (upload, error) {
	if field.Kind == store.FieldFiles && isPDF(file) {
		switch {
		case len(file) > maxPDFBytes:
			return upload{}, errPDFLarge
		case !bytes.Contains(file, []byte("%%EOF")):
			return upload{}, errPDFBroken
		}
		sum := sha256.Sum256(file)
		return upload{field.Name, file, blobs.PDF, hex.EncodeToString(sum[:])}, nil
	}
	photo, err := u.read(ctx, file)
	if field.Kind == store.FieldFiles && errors.Is(err, picture.ErrKind) {
		err = errNoFile
	}
	return upload{field.Name, photo.JPEG, "", photo.Digest}, err
}

// photoForm is a form with photos while it is read.
type photoForm struct {
	form
	readers *uploads
	fields  map[string]store.Field
	// size is how many bytes were typed, counts how many files each field has.
	size   int
	counts map[string]int
	total  int
}

// readForm reads the parts of a form with photos, one at a time. It reads the whole
// form also where a photo is of no use, so that all that was typed can be shown
// again; with an error it returns what had come by then.
func (u *uploads) readForm(ctx context.Context, body io.Reader, boundary string, q store.Question) (form, error) {
	p := &photoForm{readers: u, fields: map[string]store.Field{}, counts: map[string]int{},
		form: form{typed: map[string][]string{}, refused: map[string]string{}}}
	for _, f := range q.Fields {
		p.fields[f.Name] = f
	}
	whole := &io.LimitedReader{R: body, N: maxFormBytes}
	reader := multipart.NewReader(whole, boundary)
	for range maxParts {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) && whole.N > 0 {
			return p.form, nil
		}
		if err == nil {
			err = p.take(ctx, part)
		}
		switch {
		case whole.N <= 0, errors.Is(err, errFormTooLarge):
			return p.form, errFormTooLarge
		case err != nil:
			return p.form, errFormBroken
		}
	}
	return p.form, errFormBroken
}

// take reads one part: a file, or what was typed.
func (p *photoForm) take(ctx context.Context, part *multipart.Part) error {
	name := part.FormName()
	field, known := p.fields[name]
	switch {
	case known && uploaded(field):
		return p.takeFile(ctx, part, field)
	case part.FileName() != "" || !known && name != "choice" && name != "note":
		_, err := io.Copy(io.Discard, part) // nobody asked for it
		return err
	}
	text, err := io.ReadAll(io.LimitReader(part, int64(maxTypedBytes-p.size)+1))
	if err != nil {
		return err
	}
	if p.size += len(text); p.size > maxTypedBytes {
		return errFormTooLarge
	}
	p.typed[name] = append(p.typed[name], string(text))
	return nil
}

func (p *photoForm) takeFile(ctx context.Context, part *multipart.Part, field store.Field) error {
	file, err := io.ReadAll(io.LimitReader(part, maxPhotoBytes+1))
	if err != nil || len(file) == 0 { // nothing was chosen
		return err
	}
	p.counts[field.Name]++
	p.total++
	why := ""
	switch most := mostFiles(field); {
	case p.counts[field.Name] > most:
		why = fmt.Sprintf("Please send at most %s here.", plural(most, wordFor(field)))
	case p.total > maxPhotos:
		why = fmt.Sprintf("Please send at most %s in all.", plural(maxPhotos, wordFor(field)))
	case p.refused[field.Name] != "": // one complaint a field
	case len(file) > maxPhotoBytes && isPDF(file) && field.Kind == store.FieldFiles:
		why = nameOfFile(part) + adviceOn(errPDFLarge)
	case len(file) > maxPhotoBytes:
		why = nameOfFile(part) + fmt.Sprintf("This photo is larger than %d MB: please send a smaller copy or a screenshot of it.", maxPhotoBytes>>20)
	default:
		read, readErr := p.readers.readFile(ctx, field, file)
		if readErr == nil {
			p.uploads = append(p.uploads, read)
			return nil
		}
		why = nameOfFile(part) + adviceOn(readErr)
	}
	if p.refused[field.Name] == "" {
		p.refused[field.Name] = why
	}
	_, err = io.Copy(io.Discard, part)
	return err
}

// nameOfFile says of which of several files a complaint is, as the phone calls it.
func nameOfFile(part *multipart.Part) string {
	name := clip(cleanText(part.FileName()), 40)
	if name == "" {
		return ""
	}
	return name + ": "
}

// keep stores a form's photos and files. The same form again stores nothing new: each is
// named after its question, its field and its pixels or bytes.
func (p *People) keep(ctx context.Context, q store.Question, files []upload) ([]store.Photo, error) {
	if len(files) == 0 {
		return nil, nil
	}
	if p.cfg.Photos == nil {
		return nil, errors.New("ingress: there is no place for photos")
	}
	ctx, cancel := context.WithTimeout(ctx, keepTime)
	defer cancel()
	var kept []store.Photo
	for _, u := range files {
		sum := sha256.Sum256([]byte(q.ID + "\x00" + u.field + "\x00" + u.digest))
		photo := store.Photo{
			ID: hex.EncodeToString(sum[:16]) + u.ending, QuestionID: q.ID, WorkflowID: q.WorkflowID, Field: u.field,
			Digest: u.digest, Bytes: len(u.data), At: time.Now().UTC(),
		}
		if slices.ContainsFunc(kept, func(k store.Photo) bool { return k.ID == photo.ID }) {
			continue // the same picture twice
		}
		// The picture first: what the store names is there.
		if err := p.cfg.Photos.Put(ctx, blobs.PhotoKey(photo.ID), u.data); err != nil {
			return nil, err
		}
		if err := p.cfg.Store.PutPhoto(ctx, photo); err != nil {
			return nil, err
		}
		kept = append(kept, photo)
	}
	return kept, nil
}

// allowUpload gives a form with photos the time that it needs, which is more than
// the server gives to others.
func allowUpload(c echo.Context) {
	control := http.NewResponseController(c.Response())
	// A server that knows no deadlines has none to lengthen.
	_ = control.SetReadDeadline(time.Now().Add(uploadTime))
	_ = control.SetWriteDeadline(time.Now().Add(uploadTime + time.Minute))
}

// drain reads what a browser still sends, as far as that makes sense: it shows no
// reply before it has sent everything.
func drain(c echo.Context) {
	_, _ = io.Copy(io.Discard, io.LimitReader(c.Request().Body, 2*maxFormBytes)) // it may have hung up
}

// showPhoto shows a photo that the question names, and no other. A PDF file is a download:
// it is somebody else's, and must not run as a page of this site.
func (p *People) showPhoto(c echo.Context) error {
	const kind = "link_photo"
	q, stopped := p.question(c)
	if stopped != nil {
		return p.showStop(c, kind, stopped)
	}
	id := c.Param("id")
	if !slices.Contains(q.Photos, id) || p.cfg.Photos == nil {
		return p.showStop(c, kind, noPhoto())
	}
	data, contentType, err := p.cfg.Photos.Open(c.Request().Context(), blobs.PhotoKey(id))
	switch {
	case errors.Is(err, blobs.ErrNotFound):
		return p.showStop(c, kind, noPhoto())
	case err != nil:
		p.cfg.Log.Warn("a photo could not be read", zap.Error(err))
		return p.showStop(c, kind, &stopPage{http.StatusServiceUnavailable, "away", pages.View{
			Heading: "Not now", Text: "This photo cannot be shown just now. Please try again in a moment.", Tone: pages.Bad}})
	}
	p.count(kind, "shown")
	keepPrivate(c.Response().Header(), "default-src 'none'; frame-ancestors 'none'")
	how := "inline"
	if strings.HasSuffix(id, blobs.PDF) {
		how = `attachment; filename="document.pdf"`
	}
	c.Response().Header().Set("Content-Disposition", how)
	return c.Blob(http.StatusOK, contentType, data)
}

func noPhoto() *stopPage {
	return &stopPage{http.StatusNotFound, "unknown", pages.View{
		Heading: "No such photo", Text: "It is not part of this question, or it is too old.", Tone: pages.Bad}}
}
