package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/worker/e2e"
)

func TestFormsArePostedAsBrowsersPostThem(t *testing.T) {
	t.Parallel()
	type posted struct {
		Fields map[string][]string
		Photos map[string][]string
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := posted{Photos: map[string][]string{}}
		if r.ParseMultipartForm(1<<20) == nil {
			for name, files := range r.MultipartForm.File {
				for _, f := range files {
					file, err := f.Open()
					if err == nil {
						data, _ := io.ReadAll(file)
						got.Photos[name] = append(got.Photos[name], f.Header.Get("Content-Type")+" "+string(data))
					}
				}
			}
		}
		got.Fields = r.PostForm
		_ = json.NewEncoder(w).Encode(got)
	}))
	t.Cleanup(server.Close)
	s := &e2e.Stack{}
	answer := func(photos map[string][][]byte) (got posted) {
		reply, err := s.AnswerForm(t.Context(), server.URL+"/a/x", "done", map[string]string{"checks": "0,2", "note": "ü & more"}, photos)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal([]byte(reply.Body), &got), reply.Body)
		return got
	}
	fields := map[string][]string{"choice": {"done"}, "checks": {"0,2"}, "note": {"ü & more"}}
	require.Equal(t, posted{fields, map[string][]string{}}, answer(nil))
	require.Equal(t, posted{fields, map[string][]string{"before": {"image/jpeg A", "image/jpeg B"}, "after": {"image/jpeg C"}}},
		answer(map[string][][]byte{"before": {[]byte("A"), []byte("B")}, "after": {[]byte("C")}}))
}

func TestInvitationsAreReadFromMails(t *testing.T) {
	t.Parallel()
	calendar := func(method string, sequence int) string {
		return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nMETHOD:" + method + "\r\nBEGIN:VEVENT\r\nUID:visit-1\r\n" +
			fmt.Sprintf("SEQUENCE:%d\r\n", sequence) + "DTSTAMP:20261122T040000Z\r\nDTSTART:20261124T160000Z\r\nDTEND:20261124T200000Z\r\n" +
			"SUMMARY:Leaking tap\r\nSTATUS:CONFIRMED\r\nATTENDEE:mailto:tara@example.com\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	}
	mails := []map[string]any{
		{"to": []string{"tara@example.com"}, "subject": "Visit", "calendar": calendar("REQUEST", 0), "calendar_type": "text/calendar; charset=UTF-8; method=REQUEST"},
		{"to": []string{"other@example.com"}, "subject": "Visit", "calendar": calendar("REQUEST", 0), "calendar_type": "text/calendar; method=REQUEST"},
		{"to": []string{"tara@example.com"}, "subject": "Hello"},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(mails) }))
	t.Cleanup(server.Close)
	s := &e2e.Stack{Sandbox: server.URL}
	got, err := s.Invitations(t.Context(), "tara@example.com")
	require.NoError(t, err)
	at := time.Date(2026, time.November, 24, 16, 0, 0, 0, time.UTC)
	require.Equal(t, []e2e.Invitation{{
		Method: "REQUEST", Subject: "Visit", UID: "visit-1", Sequence: "0", Start: at, End: at.Add(4 * time.Hour),
		Status: "CONFIRMED", Summary: "Leaking tap", Attendees: []string{"tara@example.com"},
	}}, got)

	mails[0]["calendar"] = calendar("CANCEL", 1)
	_, err = s.Invitations(t.Context(), "tara@example.com")
	require.ErrorContains(t, err, "method is CANCEL", "mail and object must agree")
}

func TestPicturesDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for n := range 20 {
		picture, err := e2e.Picture(n)
		require.NoError(t, err)
		require.Equal(t, "image/jpeg", http.DetectContentType(picture))
		seen[string(picture)] = true
	}
	require.Len(t, seen, 20)
	require.Equal(t, "http://127.0.0.1:8080/a/Ab_c-9", e2e.LinkIn("K7: tell us here: http://127.0.0.1:8080/a/Ab_c-9. Thanks"))
	require.Empty(t, e2e.LinkIn("see http://example.com/about"))
}
