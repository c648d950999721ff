package sandbox_test

import (
	"io"
	"net/http"
	"net/smtp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox"
)

const sampleMail = "From: Keyholder <keyholder@example.com>\r\nTo: Grace <grace@example.com>\r\nSubject: =?utf-8?q?Incident_report_=E2=80=93_12_Elm_St?=\r\n" +
	"Message-ID: <wo.4711@example.com>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n" +
	"--c\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nIt is fixed. See https://example.com/report?a=1&b=2.\r\n" +
	"--c\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<h1>It is fixed</h1><script>alert(1)</script>\r\n--c--\r\n" +
	"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"report.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjc=\r\n--b--\r\n"

func (r *rig) mail() error {
	return smtp.SendMail(r.SMTPAddr(), nil, "keyholder@example.com", []string{"grace@example.com"}, []byte(sampleMail))
}

func TestMailsAreKeptAndCanBeRead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.NoError(t, r.mail())
	var mails []map[string]any
	require.Equal(t, 200, r.call(http.MethodGet, "/_mails", "", &mails))
	require.Len(t, mails, 1)
	require.Equal(t, "Incident report – 12 Elm St", mails[0]["subject"])
	require.Equal(t, "wo.4711@example.com", mails[0]["message_id"])
	require.Equal(t, "auto-generated", mails[0]["auto_submitted"])
	require.Contains(t, mails[0]["text"], "It is fixed")

	res, err := r.do(http.MethodGet, "/_mails/1/attachments/0", "")
	require.NoError(t, err)
	data, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, "%PDF-1.7", string(data))
	require.Equal(t, "attachment; filename=report.pdf", res.Header.Get("Content-Disposition"))

	res, err = r.do(http.MethodGet, "/_mails/1/html", "")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Contains(t, res.Header.Get("Content-Security-Policy"), "sandbox")
	require.NotContains(t, res.Header.Get("Content-Security-Policy"), "script-src")
	for _, path := range []string{"/_mails/2/html", "/_mails/x/html", "/_mails/1/attachments/1", "/_mails/1/attachments/-1"} {
		require.Equal(t, http.StatusNotFound, r.call(http.MethodGet, path, "", nil), path)
	}

	require.NoError(t, r.mail())
	require.Equal(t, 1, r.Duplicates()[sandbox.SMTP])
	calls := r.Calls(sandbox.SMTP)
	require.Len(t, calls, 2)
	require.Equal(t, 250, calls[0].Status)
	require.Contains(t, calls[0].Body, "Message-ID: <wo.4711@example.com>")
}

func TestMailFaults(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.NoError(t, r.SetFault(sandbox.SMTP, sandbox.Fault{Status: 451, Times: 1}))
	require.ErrorContains(t, r.mail(), "451")
	require.NoError(t, r.SetFault(sandbox.SMTP, sandbox.Fault{Status: 550}))
	require.ErrorContains(t, r.mail(), "550")
	require.NoError(t, r.SetFault(sandbox.SMTP, sandbox.Fault{ResetAfterCommit: true}))
	require.Error(t, r.mail())
	r.ClearFault(sandbox.SMTP)
	require.NoError(t, r.mail())
	require.Equal(t, 1, r.Duplicates()[sandbox.SMTP], "the one whose answer was lost had arrived")
	calls := r.Calls(sandbox.SMTP)
	require.Equal(t, []int{451, 550, 0, 250}, []int{calls[0].Status, calls[1].Status, calls[2].Status, calls[3].Status})
	require.Equal(t, "reset_after_commit", calls[2].Fault)
}

// A calendar object is one of the mail's forms, not its text, and survives with it.
func TestTheCalendarObjectOfAMail(t *testing.T) {
	t.Parallel()
	const object = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"
	const invitation = "From: Keyholder <keyholder@example.com>\r\nTo: Grace <grace@example.com>\r\nSubject: A visit\r\n" +
		"Message-ID: <visit@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n" +
		"--c\r\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\n" + object + "\r\n" +
		"--c\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nWe come on Tuesday.\r\n--c--\r\n" +
		"--b\r\nContent-Type: application/ics\r\nContent-Disposition: attachment; filename=\"invite.ics\"\r\n\r\n" + object + "\r\n--b--\r\n"
	_, keep := stateFile(t)
	r := newRig(t, keep)
	require.NoError(t, smtp.SendMail(r.SMTPAddr(), nil, "keyholder@example.com", []string{"grace@example.com"}, []byte(invitation)))
	require.NoError(t, r.mail())
	look := func() []map[string]any {
		var mails []map[string]any
		require.Equal(t, 200, r.call(http.MethodGet, "/_mails", "", &mails))
		require.Len(t, mails, 2)
		return mails
	}
	mails := look()
	require.Equal(t, object, mails[0]["calendar"])
	require.Equal(t, "text/calendar; method=REQUEST; charset=utf-8", mails[0]["calendar_type"])
	require.Equal(t, "We come on Tuesday.", mails[0]["text"])
	require.Len(t, mails[0]["attachments"], 1)
	require.NotContains(t, mails[1], "calendar")
	r.settled()
	stop(t, r.Sandbox)
	r.start(keep)
	require.Equal(t, mails, look())
}
