package ingress

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func TestParseReply(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, key, code, note string }{
		{"1", "1", "", ""},
		{" 1. ", "1", "", ""},
		{"1)", "1", "", ""},
		{"(1)", "1", "", ""},
		{"#2", "2", "", ""},
		{"'1'", "1", "", ""},
		{"01", "1", "", ""},
		{"0", "0", "", ""},
		{"1 K7", "1", "K7", ""},
		{"k7 1", "1", "K7", ""},
		{"K7: 1", "1", "K7", ""},
		{"K7-1", "1", "K7", ""},
		{"1k7", "1", "K7", ""},
		{"1 for k7", "1", "K7", ""},
		{"Re: K7 1", "1", "K7", ""},
		{"RE: 1", "1", "", ""},
		{"Fwd: re: 2 M44", "2", "M44", ""},
		{"reply 1", "1", "", ""},
		{"Option 2 please", "2", "", "please"},
		{" 1 - on my way", "1", "", "on my way"},
		{"1, on my way", "1", "", "on my way"},
		{"1 - 20 mins", "1", "", "20 mins"},
		{"1 K7 at the door by 5", "1", "K7", "at the door by 5"},
		{"1\n\nOn Tue 3 Nov, Keyholder wrote:\n> Reply 2", "1", "", "On Tue 3 Nov, Keyholder wrote:\n> Reply 2"},
		{"１", "1", "", ""},
		{"１　Ｋ７", "1", "K7", ""},
		{"1️⃣", "1", "", ""},
		{"①", "1", "", ""},
		{"👍 1", "1", "", ""},
		{"1 👍🏽", "1", "", "👍"},
		{"\u200b1\ufeff", "1", "", ""},
		{"One", "1", "", ""},
		{"two!", "2", "", ""},
		{"K7 two", "2", "K7", ""},
		{"K7", "", "K7", ""},
		{"K7 on my way", "", "K7", "on my way"},
		{"10", "10", "", ""},
		// No option is read into these.
		{"1.5 hours", "", "", "1.5 hours"},
		{"1:30 pm", "", "", "1:30 pm"},
		{"1/2", "", "", "1/2"},
		{"1 or 2", "", "", "1 or 2"},
		{"1, 2?", "1", "", "2?"},
		{"1, 2", "", "", "1, 2"},
		{"1 2", "", "", "1 2"},
		{"2 mins away", "", "", "2 mins away"},
		{"1 hour", "", "", "1 hour"},
		{"2h", "", "", "2h"},
		{"20min", "", "", "20min"},
		{"50%", "", "", "50%"},
		{"12345", "", "", "12345"},
		{"not 1", "", "", "not 1"},
		{"One of my people is on the way", "", "", "One of my people is on the way"},
		{"I'm driving, text you at 2", "", "", "I'm driving, text you at 2"},
		{"Liked “Reply 1 = on it”", "", "", "Liked “Reply 1 = on it”"},
		{"", "", "", ""},
		{"🙏", "", "", "🙏"},
	} {
		t.Run(c.text, func(t *testing.T) {
			t.Parallel()
			r := parseReply(c.text)
			require.Equal(t, []string{c.key, c.code, c.note}, []string{r.key, r.code, r.note})
		})
	}
}

func TestParseReply_bounds(t *testing.T) {
	t.Parallel()
	r := parseReply("1 " + strings.Repeat("é", 5000))
	require.Equal(t, "1", r.key)
	require.LessOrEqual(t, utf8.RuneCountInString(r.note), maxNote)
	require.Equal(t, "1", parseReply("1 \xff\xfe").key)
}

func FuzzParseReply(f *testing.F) {
	for _, s := range []string{"1", "k7 1", "1️⃣", "yes 👍🏽", "1.5", "\xff1", "Re: re: re"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := parseReply(text)
		if r.key != "" && !keyPattern.MatchString(r.key) {
			t.Errorf("key %q", r.key)
		}
		if r.code != "" && !codePattern.MatchString(r.code) {
			t.Errorf("code %q", r.code)
		}
		if n := utf8.RuneCountInString(r.note); n > maxNote {
			t.Errorf("a note of %d characters", n)
		}
		q := store.Question{ID: "a", Code: "K7", Options: ladder}
		if d := decide([]store.Question{q}, nil, r); d.verdict == answersOne && d.option.Choice == "" {
			t.Error("an answer without a choice")
		}
	})
}

var ladder = []store.Option{{Key: "1", Choice: "acknowledge", Label: "I'm on it"}, {Key: "2", Choice: "decline", Label: "Can't, next please"}}

func TestDecide(t *testing.T) {
	t.Parallel()
	slots := []store.Option{{Key: "1", Choice: "am", Label: "Morning"}, {Key: "2", Choice: "pm", Label: "After-noon"}, {Key: "3", Choice: "none", Label: "Neither"}}
	k7 := store.Question{ID: "k7", WorkflowID: "work-order/k7", Code: "K7", Title: "Water leak, 12 Elm St", Options: ladder}
	m4 := store.Question{ID: "m4", WorkflowID: "work-order/m4", Code: "M4", Title: "No heat, 4 Oak Ave", Options: ladder}
	s3 := store.Question{ID: "s3", WorkflowID: "work-order/s3", Code: "S3", Title: "Visit", Options: slots}
	done := store.Question{ID: "c5", WorkflowID: "work-order/c5", Code: "C5", Title: "Old leak", Options: ladder, Answer: "decline"}
	shut := store.Question{ID: "d6", WorkflowID: "work-order/d6", Code: "D6", Title: "Older leak", Options: ladder, ClosedAt: time.Unix(1, 0)}
	again := k7
	again.ID, again.Code, again.AskedAt = "n8", "N8", time.Unix(60, 0)
	type qs = []store.Question
	for _, c := range []struct {
		name         string
		open, recent qs
		text         string
		verdict      verdict
		id, choice   string
	}{
		{"one open, a number", qs{k7}, qs{k7}, "1", answersOne, "k7", "acknowledge"},
		{"one open, the other number", qs{k7}, qs{k7}, "2", answersOne, "k7", "decline"},
		{"one open, number and code", qs{k7}, qs{k7}, "K7 2", answersOne, "k7", "decline"},
		{"one open, yes", qs{k7}, qs{k7}, "Yes", answersOne, "k7", "acknowledge"},
		{"one open, ok", qs{k7}, qs{k7}, "ok thanks", answersOne, "k7", "acknowledge"},
		{"one open, on it", qs{k7}, qs{k7}, "On it mate, cheers", answersOne, "k7", "acknowledge"},
		{"one open, the label", qs{k7}, qs{k7}, "I’m on it!", answersOne, "k7", "acknowledge"},
		{"one open, on my way", qs{k7}, qs{k7}, "I am on my way", answersOne, "k7", "acknowledge"},
		{"one open, no worries", qs{k7}, qs{k7}, "no worries", answersOne, "k7", "acknowledge"},
		{"one open, thumbs up", qs{k7}, qs{k7}, "👍🏾", answersOne, "k7", "acknowledge"},
		{"one open, thumbs down", qs{k7}, qs{k7}, "👎", answersOne, "k7", "decline"},
		{"one open, can't", qs{k7}, qs{k7}, "Can’t, sorry", answersOne, "k7", "decline"},
		{"one open, a label of several", qs{s3}, qs{s3}, "after-noon", answersOne, "s3", "pm"},
		{"one open, no where no label says no", qs{s3}, qs{s3}, "no", asksWhich, "s3", ""},
		{"one open, yes with doubts", qs{k7}, qs{k7}, "yes but I can't before 9", asksWhich, "k7", ""},
		{"one open, absolutely not", qs{k7}, qs{k7}, "absolutely not", asksWhich, "k7", ""},
		{"one open, a question back", qs{k7}, qs{k7}, "who is this?", asksWhich, "k7", ""},
		{"one open, no such option", qs{k7}, qs{k7}, "5", asksWhich, "k7", ""},
		{"one open, time rather than option", qs{k7}, qs{k7}, "2 mins away", asksWhich, "k7", ""},
		{"one open, thanks alone says nothing", qs{k7}, qs{k7}, "thanks", asksWhich, "k7", ""},
		{"one open, unknown code", qs{k7}, qs{k7}, "1 Z9", asksWhich, "k7", ""},
		{"one open, a road that looks like a code", qs{k7}, qs{k7}, "A40 is jammed", asksWhich, "k7", ""},
		{"paged twice, a number", qs{k7, again}, qs{again, k7}, "1", answersOne, "n8", "acknowledge"},
		{"paged twice, the older code", qs{k7, again}, qs{again, k7}, "1 K7", answersOne, "k7", "acknowledge"},
		{"paged twice and closed, a number", nil, qs{again, k7}, "1", answersOne, "n8", "acknowledge"},
		{"two open, the code decides", qs{k7, m4}, qs{m4, k7}, "1 m4", answersOne, "m4", "acknowledge"},
		{"two open, code and yes", qs{k7, m4}, qs{m4, k7}, "k7 yes", answersOne, "k7", "acknowledge"},
		{"two open, a number", qs{k7, m4}, qs{m4, k7}, "1", asksWhich, "k7 m4", ""},
		{"two open, yes", qs{k7, m4}, qs{m4, k7}, "yes", asksWhich, "k7 m4", ""},
		{"two open, code alone", qs{k7, m4}, qs{m4, k7}, "M4", asksWhich, "m4", ""},
		{"two open, one answered", qs{done, m4}, qs{m4, done}, "1", answersOne, "m4", "acknowledge"},
		{"closed, by code", nil, qs{done, shut}, "1 D6", answersOne, "d6", "acknowledge"},
		{"closed by code while another is open", qs{k7}, qs{k7, shut}, "2 D6", answersOne, "d6", "decline"},
		{"the only one is closed", nil, qs{shut}, "1", answersOne, "d6", "acknowledge"},
		{"change of mind", qs{done}, qs{done}, "1", answersOne, "c5", "acknowledge"},
		{"thanks afterwards", qs{done}, qs{done}, "Ok thanks", chatter, "", ""},
		{"several closed", nil, qs{done, shut}, "1", nothingOpen, "", ""},
		{"nothing at all", nil, nil, "1", nothingOpen, "", ""},
		{"a stranger says hello", nil, nil, "hello", nothingOpen, "", ""},
		{"a stranger with a code", nil, nil, "1 K7", nothingOpen, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := decide(c.open, c.recent, parseReply(c.text))
			require.Equal(t, c.verdict, d.verdict)
			ids := d.question.ID
			for _, q := range d.list {
				ids = strings.TrimSpace(ids + " " + q.ID)
			}
			require.Equal(t, []string{c.id, c.choice}, []string{ids, d.option.Choice})
		})
	}
}

func TestAskBack(t *testing.T) {
	t.Parallel()
	k7 := store.Question{Code: "K7", Title: "Water leak, 12 Elm St", Options: ladder}
	m4 := store.Question{Code: "M4", Title: "No heat, 4 Oak Ave", Options: ladder}
	require.Equal(t, "Which one? K7 Water leak, 12 Elm St: reply 1 K7 or 2 K7. M4 No heat, 4 Oak Ave: reply 1 M4 or 2 M4.",
		askBack(decision{verdict: asksWhich, list: []store.Question{k7, m4}}))
	require.Equal(t, "Sorry, that was not clear. K7 Water leak, 12 Elm St: reply 1 K7 or 2 K7.",
		askBack(decision{verdict: asksWhich, list: []store.Question{k7}}))
	long := store.Question{Code: "K7", Title: strings.Repeat("very long ", 30), Options: append(ladder, ladder...)}
	many := make([]store.Question, 20)
	for i := range many {
		many[i] = long
	}
	text := askBack(decision{verdict: asksWhich, list: many})
	require.LessOrEqual(t, utf8.RuneCountInString(text), 640)
	require.Contains(t, text, "And 16 more.")
}

// The signer of these tests is held against Twilio's published vector.
func TestTwilioSign_vector(t *testing.T) {
	t.Parallel()
	form := url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"}, "From": {"+14158675309"}, "To": {"+18005551212"}}
	require.Equal(t, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", twilioSign("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", form))
}

func TestTwilioForm_refuses(t *testing.T) { //nolint:tparallel // the subtests share one rig
	t.Parallel()
	r := newRig(t, nil) // no refused form gets as far as Temporal
	form := url.Values{"MessageSid": {"SM1"}, "From": {testPhone}, "Body": {"STOP"}}
	for _, path := range []string{"/webhooks/twilio/message", "/webhooks/twilio/status"} {
		good := twilioSign(testAuthToken, testPublicURL+path, form)
		big := url.Values{"MessageSid": {"SM1"}, "From": {testPhone}, "Body": {strings.Repeat("x", twilioMaxBody)}}
		many := url.Values{"MessageSid": {"SM1"}}
		for i := range twilioMaxParams {
			many.Set(fmt.Sprint("p", i), "")
		}
		for _, c := range []struct {
			name, kind, signature, body, query string
			chunked                            bool
			status                             int
		}{
			{name: "no signature", body: form.Encode(), status: 401},
			{name: "wrong token", signature: twilioSign("other", testPublicURL+path, form), body: form.Encode(), status: 401},
			{name: "signed for another host", signature: twilioSign(testAuthToken, "https://elsewhere.example.com"+path, form), body: form.Encode(), status: 401},
			{name: "a parameter added", signature: good, body: form.Encode() + "&OptOutType=START", status: 401},
			{name: "a query added", signature: good, body: form.Encode(), query: "?a=1", status: 401},
			{name: "JSON", kind: "application/json", signature: good, body: "{}", status: 415},
			{name: "no content type", kind: "-", signature: good, body: form.Encode(), status: 415},
			{name: "too large", signature: twilioSign(testAuthToken, testPublicURL+path, big), body: big.Encode(), status: 413},
			{name: "too large in chunks", signature: twilioSign(testAuthToken, testPublicURL+path, big), body: big.Encode(), chunked: true, status: 413},
			{name: "too many parameters", signature: twilioSign(testAuthToken, testPublicURL+path, many), body: many.Encode(), status: 400},
			{name: "broken escapes", signature: good, body: "MessageSid=%zz", status: 400},
			{name: "no MessageSid", signature: twilioSign(testAuthToken, testPublicURL+path, url.Values{"From": {"1"}}), body: "From=1", status: 400},
		} {
			t.Run(path+" "+c.name, func(t *testing.T) {
				req := r.request(http.MethodPost, path+c.query, c.body)
				if c.kind != "" {
					req.Header.Set("Content-Type", strings.Trim(c.kind, "-"))
				}
				if c.chunked {
					req.ContentLength = -1
				}
				if c.signature != "" {
					req.Header.Set("X-Twilio-Signature", c.signature)
				}
				got := r.do(req)
				require.Equal(t, c.status, got.status, got.body)
				require.Equal(t, "application/problem+json", got.header.Get("Content-Type"))
			})
		}
	}
	out, err := r.store.OptedOut(t.Context(), r.keys.Address(testPhone))
	require.NoError(t, err)
	require.False(t, out, "nothing of a refused form is used")

	signedWithQuery := r.request(http.MethodPost, "/webhooks/twilio/message?a=1&b=%2F", form.Encode())
	signedWithQuery.Header.Set("X-Twilio-Signature", twilioSign(testAuthToken, testPublicURL+"/webhooks/twilio/message?a=1&b=%2F", form))
	require.Equal(t, 200, r.do(signedWithQuery).status)
}

func TestMessage_keywords(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	optedOut := func() bool {
		out, err := r.store.OptedOut(t.Context(), r.keys.Address(testPhone))
		require.NoError(t, err)
		return out
	}
	for i, c := range []struct {
		body, optOutType string
		out, silent      bool
	}{
		{"STOP", "", true, true}, {"start", "", false, true},
		{"Stop.", "", true, true}, {"UNSTOP", "", false, true},
		{"stopall", "", true, true}, {"START", "", false, true},
		{"Unsubscribe", "", true, true}, {"START", "", false, true},
		{"CANCEL", "", true, true}, {"START", "", false, true},
		{"END", "", true, true}, {"START", "", false, true},
		{"quit", "", true, true},
		{"YES", "", true, false}, // may be an answer: it is for Twilio to say START
		{"yes", "START", false, true},
		{"alto", "STOP", true, true}, // a keyword of the account's own
		{"HELP", "", true, false}, {"ayuda", "HELP", true, false},
	} {
		form := url.Values{"MessageSid": {fmt.Sprint("SM", i)}, "From": {testPhone}, "Body": {c.body}}
		if c.optOutType != "" {
			form.Set("OptOutType", c.optOutType)
		}
		got := r.twilio("/webhooks/twilio/message", form)
		require.Equal(t, 200, got.status)
		require.Equal(t, "text/xml; charset=utf-8", got.header.Get("Content-Type"))
		require.Equal(t, c.out, optedOut(), c.body)
		require.Equal(t, c.silent, got.body == xml.Header+"<Response/>", got.body)
	}
	require.Contains(t, r.text("SMhelp", "help").body, "Reply with the number")
}

func TestMessage_unknownSenders(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, from := range []string{"", "TWILIO", "72345"} {
		got := r.twilio("/webhooks/twilio/message", url.Values{"MessageSid": {"SM1"}, "From": {from}, "Body": {"1"}})
		require.Equal(t, []any{200, xml.Header + "<Response/>"}, []any{got.status, got.body})
	}
	require.Equal(t, 3, r.counted("sms", "unknown_sender"))
}

func TestMessage_answers(t *testing.T) {
	t.Parallel()
	r := newRig(t, testTemporal(t))
	r.work()
	first, second, third := r.begin("asking", "1"), r.begin("asking", "2"), r.begin("asking", "3")
	k := r.ask(first, "page-1", `Water <leak> & more, 12 Elm St`)

	got := r.text("SM1", "1 - on my way")
	require.Equal(t, xml.Header+"<Response><Message>You are on it, thank you.</Message></Response>", got.body)
	require.Equal(t, "acknowledge", r.question(k.ID).Answer)
	require.Equal(t, "on my way", r.told(first).Answers[0].Note)

	// The same webhook again: the same outcome, although meanwhile another question
	// waits that a bare 1 would answer.
	m := r.ask(second, "page-1", "No heat, 4 Oak Ave")
	require.Equal(t, got.body, r.text("SM1", "1 - on my way").body)
	require.Empty(t, r.told(second).Answers)
	require.Len(t, r.told(first).Answers, 1)
	require.Zero(t, r.told(first).Copies, "Temporal knows the repeated command")

	// Two are open: asked back, then told apart by code. The text that was not
	// clear stays no answer, however often it comes.
	n := r.ask(third, "page-2", "No power, 9 Ash Rd")
	unclear := r.text("SM2", "1").body
	require.Contains(t, unclear, "Which one? "+m.Code+" No heat, 4 Oak Ave: reply 1 "+m.Code+" or 2 "+m.Code)
	require.Contains(t, r.text("SM3", strings.ToLower(n.Code)+" 2").body, "You are on it")
	require.Contains(t, r.text("SM2", "1").body, "not clear")
	require.Len(t, r.told(third).Answers, 1)
	require.Equal(t, "decline", r.told(third).Answers[0].Choice)
	require.Equal(t, "page-2", r.told(third).Answers[0].Step)

	// A closed question's code still reaches the workflow.
	late := r.ask(third, "page-3", "No power, 9 Ash Rd")
	require.NoError(t, r.store.CloseQuestions(t.Context(), third, ""))
	require.Contains(t, r.text("SM4", "1 "+late.Code).body, "Somebody was faster")
	require.Equal(t, "acknowledge", r.question(late.ID).Answer)
	require.Equal(t, 1, r.counted("sms", "late"))

	// The workflow has ended.
	r.end(first)
	require.Contains(t, r.text("SM5", "2 "+k.Code).body, "already closed")
	require.Equal(t, "acknowledge", r.question(k.ID).Answer, "the first answer is kept")
	require.Equal(t, 1, r.counted("sms", "gone"))
}

func TestMessage_workflowGoneIsRecorded(t *testing.T) {
	t.Parallel()
	r := newRig(t, testTemporal(t))
	q := r.ask("work-order/never-was", "page-1", "Water leak, 12 Elm St")
	require.Contains(t, r.text("SM1", "2").body, "already closed")
	require.Equal(t, "decline", r.question(q.ID).Answer)
}

// Two machines must not talk to each other for ever.
func TestMessage_talksBackWithinLimits(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	said := 0
	for i := range 20 {
		if strings.Contains(r.text(fmt.Sprint("SM", i), "I am driving and will reply later").body, "<Message>") {
			said++
		}
	}
	require.Equal(t, 6, said)
}

// sent records an outbound text as the send does.
func (r *rig) sent(ref, workflowID, step string) {
	r.t.Helper()
	require.NoError(r.t, r.store.RecordMessage(r.t.Context(), store.Message{
		Key: "effect/" + ref, Ref: ref, Channel: "sms", Address: r.keys.Address(testPhone), WorkflowID: workflowID,
		Step: step, Class: "emergency", SentAt: time.Now().UTC(), Status: store.StatusQueued,
	}))
}

func TestStatus(t *testing.T) {
	t.Parallel()
	r := newRig(t, testTemporal(t))
	r.work()
	id := r.begin("asking", "1")
	r.sent("SM1", id, "page-1")
	r.sent("SM2", id, "page-2")
	report := func(ref, status, code string) {
		t.Helper()
		got := r.twilio("/webhooks/twilio/status", url.Values{"MessageSid": {ref}, "MessageStatus": {status}, "ErrorCode": {code}, "To": {testPhone}})
		require.Equal(t, []any{204, ""}, []any{got.status, got.body})
	}
	status := func(ref string) store.MessageStatus {
		t.Helper()
		m, err := r.store.MessageByRef(t.Context(), ref)
		require.NoError(t, err)
		return m.Status
	}
	report("SM1", "sent", "")
	report("SM1", "undelivered", "30003")
	report("SM1", "sent", "")
	report("SM1", "undelivered", "30003")
	require.Equal(t, store.StatusUndelivered, status("SM1"))
	require.Eventually(t, func() bool { return len(r.told(id).Failures) > 0 }, 10*time.Second, 20*time.Millisecond)
	report("SM2", "delivered", "")
	report("SM2", "failed", "30001")
	require.Equal(t, store.StatusDelivered, status("SM2"))
	report("SM2", "a_new_one", "")
	require.Equal(t, 1, r.counted("status", "unknown_status"))

	r.end(id) // whatever was signalled has been taken by now
	failures := r.told(id).Failures
	require.Len(t, failures, 1)
	require.Equal(t, []string{"page-1", "SM1", "undelivered", "30003"},
		[]string{failures[0].Step, failures[0].Ref, failures[0].Status, failures[0].ErrorCode})

	r.sent("SM3", id, "page-3")
	report("SM3", "failed", "30001") // of a workflow that has ended
	require.Equal(t, store.StatusFailed, status("SM3"))
}

// missing tells when a message was looked for in vain.
type missing struct {
	store.Store
	ref chan string
}

func (s missing) MessageByRef(ctx context.Context, ref string) (store.Message, error) {
	m, err := s.Store.MessageByRef(ctx, ref)
	if errors.Is(err, store.ErrNotFound) {
		select {
		case s.ref <- ref:
		default:
		}
	}
	return m, err
}

// A callback can be faster than the send that records its message.
func TestStatus_beforeItsMessage(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	looked := missing{r.store, make(chan string, 1)}
	r.people.cfg.Store = looked
	form := url.Values{"MessageSid": {"SM1"}, "MessageStatus": {"delivered"}}
	done := make(chan answer, 1)
	go func() { done <- r.twilio("/webhooks/twilio/status", form) }()
	require.Equal(t, "SM1", <-looked.ref)
	r.sent("SM1", "work-order/1", "page-1")
	require.Equal(t, 204, (<-done).status)
	m, err := r.store.MessageByRef(t.Context(), "SM1")
	require.NoError(t, err)
	require.Equal(t, store.StatusDelivered, m.Status)

	form.Set("MessageSid", "SMunknown")
	require.Equal(t, 204, r.twilio("/webhooks/twilio/status", form).status)
	require.Equal(t, 1, r.counted("status", "unknown_message"))
}
