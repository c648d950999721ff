package ingress

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/portfolio"
)

// mailed is a rig that takes mail; parked has what was parked.
func mailed(t *testing.T, temporal *leads) (r *rig, parked *[]durable.Event) {
	t.Helper()
	r, parked = letting(t, temporal), &[]durable.Event{}
	verifier, err := NewVerifier(SourceMail, Signature{Secrets: []Secret{{Value: "secret"}}})
	require.NoError(t, err)
	cfg := r.people.cfg
	cfg.Mail = verifier
	cfg.Park = func(_ context.Context, e durable.Event) (Result, error) {
		if temporal.err != nil && temporal.got == nil && !workflowGone(temporal.err) {
			return Result{}, temporal.err
		}
		*parked = append(*parked, e)
		return Result{Outcome: Parked, WorkflowID: "parked/mail/1"}, nil
	}
	cfg.Registerer = nil
	r.serve(NewPeople(cfg))
	r.publish(home("12"))
	return r, parked
}

func (r *rig) mail(raw string) answer {
	r.t.Helper()
	raw = strings.ReplaceAll(raw, "\n", "\r\n")
	req := r.request(http.MethodPost, "/webhooks/mail", raw)
	req.Header.Set("Content-Type", "message/rfc822")
	require.NoError(r.t, r.people.cfg.Mail.Sign(req.Header, []byte(raw), "", time.Now()))
	return r.do(req)
}

const simpleMail = `From: "Ana =?utf-8?q?P=C3=A9rez?=" <Ana@Example.org>
To: leads+12@example.com
Subject: The flat
Message-ID: <1@example.org>

Is it still free?
`

func TestMail(t *testing.T) {
	t.Parallel()
	temporal := &leads{}
	r, parked := mailed(t, temporal)
	for range 2 {
		got := r.mail(simpleMail)
		require.Equal(t, http.StatusAccepted, got.status, got.body)
		require.JSONEq(t, `{"status":"accepted","workflow_id":"vacancy/12"}`, got.body)
	}
	require.Equal(t, temporal.got[0].ID, temporal.got[1].ID, "the same twice is one")
	lead := temporal.got[0]
	lead.ID, lead.At = "", time.Time{}
	require.Equal(t, portfolio.Lead{Name: "Ana Pérez", Email: "ana@example.org", Message: "Is it still free?", Source: "website", Via: "mail"}, lead)
	require.Equal(t, http.StatusAccepted, r.mail(strings.Replace(simpleMail, "<1@", "<2@", 1)).status)
	require.NotEqual(t, temporal.got[0].ID, temporal.got[2].ID)
	require.Empty(t, *parked)
}

func TestMail_refused(t *testing.T) {
	t.Parallel()
	temporal := &leads{}
	r, _ := mailed(t, temporal)
	forged := r.request(http.MethodPost, "/webhooks/mail", simpleMail)
	forged.Header.Set("Content-Type", "message/rfc822")
	forged.Header.Set("X-Mail-Signature", "sha256="+strings.Repeat("0", 64))
	require.Equal(t, http.StatusUnauthorized, r.do(forged).status)
	wrong := r.request(http.MethodPost, "/webhooks/mail", simpleMail)
	wrong.Header.Set("Content-Type", "application/json")
	require.Equal(t, http.StatusUnsupportedMediaType, r.do(wrong).status)
	require.Equal(t, http.StatusRequestEntityTooLarge, r.mail(simpleMail+strings.Repeat("a", maxMail)).status)
	require.Equal(t, http.StatusUnprocessableEntity, r.mail("this is no mail").status)
	require.Empty(t, temporal.got)

	temporal.err = serviceerror.NewUnavailable("away")
	for _, raw := range []string{simpleMail, strings.Replace(simpleMail, "leads+12@", "office@", 1)} {
		got := r.mail(raw)
		require.Equal(t, http.StatusServiceUnavailable, got.status, "nothing has confirmed it")
		require.NotEmpty(t, got.header.Get("Retry-After"))
	}
	require.Equal(t, http.StatusNotFound, newRig(t, nil).do(newRig(t, nil).request(http.MethodPost, "/webhooks/mail", "")).status, "without a key there is no such door")
}

func TestMail_thatNoHomeTakesIsParked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		raw, reason string
		err         error
	}{
		"no unit":        {strings.Replace(simpleMail, "leads+12@", "office@", 1), mailNoUnit, nil},
		"not offered":    {strings.Replace(simpleMail, "+12@", "+13@", 1), mailNotLet, nil},
		"just let":       {simpleMail, mailNotLet, serviceerror.NewNotFound("closed")},
		"nobody to tell": {strings.Replace(simpleMail, "Ana@Example.org", "no-reply@zillow.com", 1), mailNoContact, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, parked := mailed(t, &leads{err: c.err})
			got := r.mail(c.raw)
			require.Equal(t, http.StatusAccepted, got.status)
			require.JSONEq(t, fmt.Sprintf(`{"status":"parked","workflow_id":"parked/mail/1","reason":%q}`, c.reason), got.body)
			require.Len(t, *parked, 1)
			e := (*parked)[0]
			require.Equal(t, SourceMail, e.Source)
			require.Equal(t, "lead_mail."+c.reason, e.Type)
			var kept map[string]string
			require.NoError(t, json.Unmarshal(e.Data, &kept))
			require.Equal(t, "Is it still free?", kept["text"])
			for _, entry := range r.logs.All() {
				require.NotContains(t, fmt.Sprint(entry), "example.org")
			}
		})
	}
}

func TestMail_byMachinesIsPassedOver(t *testing.T) {
	t.Parallel()
	for name, headers := range map[string]string{
		"an auto reply":  "Auto-Submitted: auto-replied\n",
		"with a remark":  "Auto-Submitted: auto-notified; owner-email=\"x\"\n",
		"generated":      "Auto-Submitted: auto-generated\n",
		"bulk":           "Precedence: bulk\n",
		"an old reply":   "Precedence: auto_reply\n",
		"a bounce":       "Return-Path: <>\n",
		"a report":       "Content-Type: multipart/report; boundary=x\n",
		"a mailer":       "From: MAILER-DAEMON@example.org\n",
		"a postmaster":   "From: postmaster@example.org\n",
		"a mailing list": "Precedence: list\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			temporal := &leads{}
			r, parked := mailed(t, temporal)
			raw := headers + simpleMail
			if strings.HasPrefix(headers, "From") {
				raw = headers + strings.SplitN(simpleMail, "\n", 2)[1]
			}
			got := r.mail(raw)
			require.Equal(t, http.StatusAccepted, got.status)
			require.JSONEq(t, `{"status":"ignored","reason":"automatic"}`, got.body)
			require.Empty(t, temporal.got)
			require.Empty(t, *parked)
		})
	}
}

// What portals and mail programs send, and the lead that it is.
func TestMail_shapes(t *testing.T) {
	t.Parallel()
	const portalText = "New lead\nName: Bo Lee\nE-mail: leads@example.com bo@example.net\nPhone: (503) 555-0188\nMessage: may I see it?"
	quoted := "=\n"
	for name, c := range map[string]struct {
		raw  string
		want portfolio.Lead
	}{
		"a portal's relay": {
			"From: Bo <no-reply@zillow.com>\nReply-To: bo.1@convo.zillow.com\nTo: leads+12@example.com\nPrecedence: bulk\n\nHi",
			portfolio.Lead{Email: "bo.1@convo.zillow.com", Message: "Hi", Source: "zillow"},
		},
		"a portal's own mail": {
			"From: Zillow <leads@mail.zillow.com>\nTo: leads+12@example.com\nAuto-Submitted: auto-generated\n\n" + portalText,
			portfolio.Lead{Name: "Bo Lee", Email: "bo@example.net", Phone: "+15035550188", Message: portalText, Source: "zillow"},
		},
		"a portal's with no one to reply to": {
			"From: x@apartments.com\nReply-To: noreply@apartments.com\nTo: leads+12@example.com\n\n" + portalText,
			portfolio.Lead{Name: "Bo Lee", Email: "bo@example.net", Phone: "+15035550188", Message: portalText, Source: "apartments"},
		},
		"only a phone": {
			"From: noreply@zillow.com\nTo: leads+12@example.com\n\ncall 503-555-0188",
			portfolio.Lead{Phone: "+15035550188", Message: "call 503-555-0188", Source: "zillow"},
		},
		"the subject's ref": {
			"From: bo@example.net\nTo: office@example.com\nSubject: 14 Oak St Unit 9 (ref: 12)\n\nHi",
			portfolio.Lead{Email: "bo@example.net", Message: "Hi", Source: "website"},
		},
		"a hidden receiver": {
			"From: bo@example.net\nTo: office@example.com\nDelivered-To: Leads+12@example.com\n\nHi",
			portfolio.Lead{Email: "bo@example.net", Message: "Hi", Source: "website"},
		},
		"HTML alone": {
			"From: bo@example.net\nTo: leads+12@example.com\nContent-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n" +
				"<html><head><style>p{color:red}</style></head><body><p>Caf=E9 &amp; bar</p>" + quoted + "<p>Bye<br>Bo</p></body></html>",
			portfolio.Lead{Email: "bo@example.net", Message: "Café & bar\n Bye\nBo", Source: "website"},
		},
		"parts": {
			"From: bo@example.net\nTo: leads+12@example.com\nContent-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=b\n\n" +
				"--b\nContent-Type: text/html\n\n<p>marked</p>\n--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\ncGxhaW4=\n--b--\n" +
				"--a\nContent-Type: text/plain\nContent-Disposition: attachment; filename=x.txt\n\nattached\n--a--\n",
			portfolio.Lead{Email: "bo@example.net", Message: "plain", Source: "website"},
		},
		"a broken part": {
			"From: bo@example.net\nTo: leads+12@example.com\nContent-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/plain\n\nthe text\n--a\nContent-Ty",
			portfolio.Lead{Email: "bo@example.net", Message: "the text", Source: "website"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			temporal := &leads{}
			r, parked := mailed(t, temporal)
			got := r.mail(c.raw)
			require.Equal(t, http.StatusAccepted, got.status, got.body)
			require.Empty(t, *parked)
			require.Len(t, temporal.got, 1)
			lead := temporal.got[0]
			require.NotEmpty(t, lead.ID)
			lead.ID, lead.At, c.want.Via = "", time.Time{}, "mail"
			require.Equal(t, c.want, lead)
		})
	}
}

func TestMail_theUnit(t *testing.T) {
	t.Parallel()
	plus := newMailDoor("rentals@acme.example").unit
	for _, c := range []struct{ to, subject, want string }{
		{"rentals+7@acme.example", "unit 8", "7"},
		{"LEADS+7@acme.example", "", "7"},
		{"Ana <x@y.example>, leads+7@acme.example", "", "7"},
		{"myleads+7@acme.example", "", ""},
		{"", "Unit 8", ""},
		{"", "I would like to see unit #8", ""},
		{"", "About ref. 8", "8"},
		{"", "12 Elm St Unit 4", ""},
		{"", "United 4 ever", ""},
		{"", "reference 4", ""},
		{"", "", ""},
	} {
		m := mailMessage{to: []string{c.to}, subject: c.subject}
		require.Equal(t, c.want, m.unit(plus), "%+v", c)
	}
}

func TestNobodyReads(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"no-reply@x.com": true, "noreply@x.com": true, "no_reply+1@x.com": true, "donotreply@x.com": true, "do-not-reply@x.com": true,
		"notifications@x.com": true, "MAILER-DAEMON@x.com": true, "reply-12@x.com": false, "norma@x.com": false, "ana@x.com": false,
	} {
		require.Equal(t, want, nobodyReads(address), address)
	}
}

func FuzzReadMail(f *testing.F) {
	f.Add([]byte(simpleMail))
	f.Add([]byte("From: a@b.cc\nContent-Type: multipart/mixed; boundary=a\n\n--a\n--a\n\n--a--"))
	f.Add([]byte("Content-Type: text/html; charset=utf-16\n\n<"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := readMail(raw)
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(m.text), 4*maxMailText)
		m.unit(newMailDoor("").unit)
		m.addressInText(func(string) bool { return false })
		m.phonesInText()
	})
}
