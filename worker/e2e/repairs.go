package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"maps"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
)

// Tap lets the sandbox's RentVine report a leaking tap, which is no emergency, with
// changes to the sample's data, and returns the work order's id.
func (s *Stack) Tap(ctx context.Context, data map[string]any) (string, error) {
	var sent struct {
		Status      int    `json:"status"`
		WorkOrderID string `json:"work_order_id"`
	}
	if err := s.Post(ctx, "/_send/rentvine/work_order.created.tap", data, &sent); err != nil {
		return "", err
	}
	if sent.Status != http.StatusAccepted {
		return "", fmt.Errorf("the ingress answered %d", sent.Status)
	}
	return sent.WorkOrderID, nil
}

// SetStatus changes a work order's status in RentVine as the office would, by name:
// "Cancelled", "Merged", "Completed" end it, "In Progress" reopens it.
func (s *Stack) SetStatus(ctx context.Context, workOrderID, name string) error {
	return s.Put(ctx, "/_records/rentvine/work-orders/"+workOrderID+"/status", map[string]string{"status": name}, nil)
}

// MoveOut ends a lease in RentVine as the office would; date is YYYY-MM-DD, "" is
// today.
func (s *Stack) MoveOut(ctx context.Context, leaseID, date string) error {
	return s.Put(ctx, "/_records/rentvine/leases/"+leaseID+"/move-out", map[string]string{"date": date}, nil)
}

var actionLink = regexp.MustCompile(`https?://\S+/[ap]/[A-Za-z0-9_.-]*[A-Za-z0-9_-]`)

// LinkIn is the first link to a question, or to the page of a person, in a text or
// mail, "" where there is none.
func LinkIn(text string) string { return actionLink.FindString(text) }

// AnswerForm fills in the form behind an action link: a choice, fields by name, and
// photos or documents by the name of their field. Boxes to tick are their numbers, joined
// by commas.
func (s *Stack) AnswerForm(ctx context.Context, link, choice string, fields map[string]string, photos map[string][][]byte) (Reply, error) {
	if len(photos) == 0 {
		form := url.Values{"choice": {choice}}
		for name, value := range fields {
			form.Set(name, value)
		}
		return exchange(ctx, http.MethodPost, link, strings.NewReader(form.Encode()),
			map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	err := form.WriteField("choice", choice)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		err = errors.Join(err, form.WriteField(name, fields[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(photos)) {
		for i, photo := range photos[name] {
			err = errors.Join(err, addFile(form, name, i+1, photo))
		}
	}
	if err = errors.Join(err, form.Close()); err != nil {
		return Reply{}, err
	}
	return exchange(ctx, http.MethodPost, link, &body, map[string]string{"Content-Type": form.FormDataContentType()})
}

// addFile adds a photo, or a document, as a phone names it.
func addFile(form *multipart.Writer, field string, number int, file []byte) error {
	contentType, name := "image/jpeg", fmt.Sprintf("IMG_%04d.jpg", number)
	if bytes.HasPrefix(file, []byte("%PDF-")) {
		contentType, name = "application/pdf", fmt.Sprintf("scan %d.pdf", number)
	}
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition(field, name)}, "Content-Type": {contentType},
	})
	if err == nil {
		_, err = part.Write(file)
	}
	return err
}

// Picture is a photo as a phone may take it; each number is another picture.
func Picture(number int) ([]byte, error) {
	const side = 96
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	for i := range side * side {
		x, y := i%side, i/side
		img.Set(x, y, color.RGBA{R: uint8(x*2 + number*37), G: uint8(y*2 + number*101), B: uint8((x + y) * (number%7 + 1)), A: 255})
	}
	var out bytes.Buffer
	err := jpeg.Encode(&out, img, nil)
	return out.Bytes(), err
}

// Invitation is a calendar object that came by mail.
type Invitation struct {
	// Method is REQUEST or CANCEL, as the mail and the object say.
	Method string
	// Subject is the mail's.
	Subject string
	// UID names the event in every mail about it; the highest Sequence counts.
	UID, Sequence string
	// Start and End are instants, in UTC.
	Start, End time.Time
	// Status is such as CONFIRMED or CANCELLED.
	Status            string
	Summary, Location string
	// Attendees are addresses without "mailto:".
	Attendees []string
}

// Invitations lists the calendar objects mailed to an address, oldest first.
func (s *Stack) Invitations(ctx context.Context, to string) ([]Invitation, error) {
	var mails []struct {
		To           []string `json:"to"`
		Subject      string   `json:"subject"`
		Calendar     string   `json:"calendar"`
		CalendarType string   `json:"calendar_type"`
	}
	if err := s.Get(ctx, "/_mails", &mails); err != nil {
		return nil, err
	}
	var all []Invitation
	for _, m := range mails {
		if m.Calendar == "" || !slices.Contains(m.To, to) {
			continue
		}
		i, err := readInvitation(m.Calendar)
		if err == nil && !strings.Contains(strings.ToUpper(m.CalendarType), "METHOD="+i.Method) {
			err = fmt.Errorf("the object's method is %s, the mail's type %q", i.Method, m.CalendarType)
		}
		if err != nil {
			return nil, fmt.Errorf("the mail %q: %w", m.Subject, err)
		}
		i.Subject = m.Subject
		all = append(all, i)
	}
	return all, nil
}

func readInvitation(text string) (Invitation, error) {
	calendar, err := ics.ParseCalendar(strings.NewReader(text))
	if err != nil {
		return Invitation{}, err
	}
	events := calendar.Events()
	if len(events) != 1 {
		return Invitation{}, fmt.Errorf("it has %d events, not 1", len(events))
	}
	event, i := events[0], Invitation{}
	for _, p := range calendar.CalendarProperties {
		if p.IANAToken == string(ics.PropertyMethod) {
			i.Method = p.Value
		}
	}
	for property, into := range map[ics.ComponentProperty]*string{
		ics.ComponentPropertyUniqueId: &i.UID, ics.ComponentPropertySequence: &i.Sequence, ics.ComponentPropertyStatus: &i.Status,
		ics.ComponentPropertySummary: &i.Summary, ics.ComponentPropertyLocation: &i.Location,
	} {
		if p := event.GetProperty(property); p != nil {
			*into = p.Value
		}
	}
	for _, a := range event.Attendees() {
		i.Attendees = append(i.Attendees, a.Email())
	}
	var from, until error
	i.Start, from = event.GetStartAt()
	i.End, until = event.GetEndAt()
	i.Start, i.End = i.Start.UTC(), i.End.UTC()
	return i, errors.Join(from, until)
}

// Attached lists the names of the files on a work order in RentVine, in order of
// their ids.
func (s *Stack) Attached(ctx context.Context, workOrderID string) ([]string, error) {
	return s.Filed(ctx, filedOnWorkOrder, workOrderID)
}
