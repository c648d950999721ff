package activities

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/activities/leasescore"
	"github.com/aictive/keyholder/policy"
	phones "github.com/aictive/keyholder/sandbox/twilio"
	"github.com/aictive/keyholder/store"
)

// leaseLetter is a letter to the tenant of the mail room.
func leaseLetter(step, text string) Letter {
	return Letter{
		Step: step, To: Person{ID: "7", Name: "José O'Neil", Phone: tenantPhone, Email: tenantMail}, ContactID: "7", Text: text,
		Data: policy.LeaseData{
			Address: "410 NW Lovejoy St", Unit: "3", LeaseID: "5", End: "2027-01-31", NewEnd: "2028-01-31", From: "2027-02-01",
			DueBy: "2027-01-11", Months: 12, Rent: 1850_00, NewRent: 1905_00,
		},
	}
}

func (r *mailRoom) letters(letters ...Letter) ([]Sent, error) {
	return r.acts.sendLetters(r.ctx, SendLettersInput{
		Ref: "renewal/5@1", LeaseID: "5", PortfolioID: "1", PropertyID: "1", State: "CA", Zone: "America/Los_Angeles", Campaign: "renewal", Letters: letters,
	})
}

func (r *mailRoom) letter(l Letter) Sent {
	r.t.Helper()
	sent, err := r.letters(l)
	require.NoError(r.t, err)
	require.Len(r.t, sent, 1)
	return sent[0]
}

// question is the one that was asked in a step.
func (r *mailRoom) question(step, person string) store.Question {
	r.t.Helper()
	q, err := r.acts.Store.Question(r.t.Context(), r.acts.Keys.QuestionID("renewal/5@1", step, person))
	require.NoError(r.t, err)
	return q
}

func (r *mailRoom) speaks(language string) {
	r.t.Helper()
	_, err := r.acts.saveContact(r.ctx, SaveContactInput{ID: "7", Language: language, Source: "page", At: r.now})
	require.NoError(r.t, err)
}

// offered is the letter with the renewal offer, as a question.
func offered(step string) Letter {
	l := leaseLetter(step, policy.TextRenewalOffer)
	l.Ask = &LetterAsk{
		Purpose: "offer", Choices: []string{"accept", "decline", "counter", "think_about_it"},
		Fields:  []Field{{Name: "amount", Kind: FieldMoney, For: []string{"counter"}, Currency: "USD"}, {Name: "move", Label: "Move", Kind: FieldText}},
		Details: []Detail{{Label: "Rent", Text: "$1,905.00"}}, Until: time.Date(2027, 1, 12, 0, 0, 0, 0, time.UTC),
	}
	return l
}

func TestALetterIsTextedInItsLanguage(t *testing.T) {
	t.Parallel()
	r := newMailRoom(t, by(12))
	require.Equal(t, sentBy("offer/1/7", SMS), r.letter(offered("offer/1/7")))
	texts := r.phones.Messages(10)
	require.Len(t, texts, 1)
	english := r.question("offer/1/7", "7")
	require.Equal(t, "Harbor Homes "+english.Code+": we would like you to stay at 410 NW Lovejoy St for $1,905.00 a month. Reply 1 = accept, "+
		"2 = decline, by Mon, Jan 11, 2027, or see all terms and suggest another rent: "+r.acts.PublicURL+"/a/"+r.acts.Keys.Token(english.ID), texts[0].Body)
	require.Equal(t, "Renewal: 410 NW Lovejoy St, unit 3", english.Title)
	require.Equal(t, []Option{
		{Key: "1", Choice: "accept", Label: "I accept"}, {Key: "2", Choice: "decline", Label: "I do not want to renew"},
		{Key: "3", Choice: "counter", Label: "I suggest another rent"}, {Key: "4", Choice: "think_about_it", Label: "think about it"},
	}, english.Options)
	require.Equal(t, "The monthly rent that you suggest", english.Fields[0].Label)
	require.Equal(t, "Move", english.Fields[1].Label, "what the text has no words for keeps its own")
	require.Equal(t, []Detail{{Label: "Rent", Text: "$1,905.00"}}, english.Details)
	require.True(t, english.ExpiresAt.Equal(time.Date(2027, 1, 12, 0, 0, 0, 0, time.UTC)))
	require.Equal(t, store.Purpose("offer"), english.Purpose)

	r.speaks("es-MX")
	require.Equal(t, sentBy("offer/2/7", SMS), r.letter(offered("offer/2/7")))
	spanish := r.question("offer/2/7", "7")
	texts = r.phones.Messages(10)
	require.Len(t, texts, 2)
	body := texts[slices.IndexFunc(texts, func(m phones.Message) bool { return strings.Contains(m.Body, spanish.Code+":") })].Body
	require.Contains(t, body, "Responda 1 = acepto, 2 = no, hasta el lun 11 ene 2027")
	require.Equal(t, "Renovación: 410 NW Lovejoy St, unidad 3", spanish.Title)
	require.Equal(t, "Propongo otra renta", spanish.Options[2].Label)
	require.Empty(t, r.box.Mails())
}

func TestALetterIsMailedInFull(t *testing.T) {
	t.Parallel()
	r := newMailRoom(t, by(12))
	l := offered("offer/1/7")
	l.MailOnly = true
	require.Equal(t, sentBy("offer/1/7", Mail), r.letter(l))
	mails := r.box.Mails()
	require.Len(t, mails, 1)
	require.Equal(t, "Stay at 410 NW Lovejoy St: our renewal offer", mails[0].Subject)
	for _, part := range []string{
		"Hello José O'Neil,\n", "- A new term of 12 months, until Mon, Jan 31, 2028.\n", "- Rent: $1,905.00 a month from Mon, Feb 1, 2027 (now $1,850.00).\n",
		r.acts.PublicURL + "/a/" + r.acts.Keys.Token(r.question("offer/1/7", "7").ID), "not a legal notice",
	} {
		require.Contains(t, strings.ReplaceAll(mails[0].Text, "\r\n", "\n"), part)
	}
	require.Empty(t, r.phones.Messages(10))

	welcome := leaseLetter("welcome/1/7", "welcome_day")
	require.Equal(t, sentBy("welcome/1/7", Mail), r.letter(welcome), "a text without words for a text message is mailed")
	require.Equal(t, "Welcome home", r.box.Mails()[1].Subject)
}

func TestChannelsOfALetter(t *testing.T) {
	t.Parallel()
	words, none := policy.LeaseText{SMS: "x"}, policy.LeaseText{}
	both, mailFirst, mails := []Channel{SMS, Mail}, []Channel{Mail, SMS}, []Channel{Mail}
	reach := Person{Phone: tenantPhone, Email: tenantMail}
	for _, c := range []struct {
		name string
		l    Letter
		text policy.LeaseText
		want []Channel
	}{
		{"a tenant", Letter{To: reach, ContactID: "7", Class: Routine}, words, both},
		{"a tenant, without words", Letter{To: reach, ContactID: "7"}, none, mails},
		{"a tenant, by mail alone", Letter{To: reach, ContactID: "7", MailOnly: true}, words, mails},
		{"staff", Letter{To: reach, Class: Work}, words, both},
		{"an owner", Letter{To: reach, Class: Routine}, words, mailFirst},
		{"an owner without mail", Letter{To: Person{Phone: tenantPhone}, Class: Routine}, words, both},
	} {
		require.Equal(t, c.want, letterChannels(c.l, c.text), c.name)
	}
}

func TestARepeatedLetterIsSentOnce(t *testing.T) {
	t.Parallel()
	r := newMailRoom(t, by(12))
	owner := leaseLetter("owner/1/9", policy.TextOwnerDone)
	owner.To, owner.ContactID = Person{ID: "9", Email: "owner9@example.com"}, ""
	for range 3 {
		sent, err := r.letters(offered("offer/1/7"), owner)
		require.NoError(t, err)
		require.Equal(t, []Sent{sentBy("offer/1/7", SMS), sentBy("owner/1/9", Mail)}, sent)
	}
	require.Len(t, r.phones.Messages(10), 1)
	require.Len(t, r.box.Mails(), 1)
}

// An earlier try of a text may have got through. With the same words it is looked up;
// with others it could not be found, so that it must not be sent again.
func TestALetterWhoseWordsHaveChangedIsNotTextedTwice(t *testing.T) {
	t.Parallel()
	r := newMailRoom(t, by(12))
	same := r.acts.Policy.Current().Version() + " en"
	for step, note := range map[string]string{"same/1/7": same, "changed/1/7": "an older version en", "language/1/7": strings.Replace(same, " en", " es", 1)} {
		_, first, err := r.acts.Store.BeginEffect(t.Context(), "renewal/5@1/"+step+"/sms", note)
		require.NoError(t, err)
		require.True(t, first)
	}
	r.acts.Store = older{r.acts.Store, time.Minute}
	require.Equal(t, sentBy("changed/1/7", Mail), r.letter(leaseLetter("changed/1/7", policy.TextRenewalWithdrawn)))
	require.Equal(t, sentBy("language/1/7", Mail), r.letter(leaseLetter("language/1/7", policy.TextRenewalWithdrawn)))
	require.Empty(t, r.phones.Messages(10))
	require.Len(t, r.box.Mails(), 2)
	require.Equal(t, sentBy("same/1/7", SMS), r.letter(leaseLetter("same/1/7", policy.TextRenewalWithdrawn)))
	require.Len(t, r.phones.Messages(10), 1)

	noMail := leaseLetter("changed/1/7", policy.TextRenewalWithdrawn)
	noMail.To.Email = ""
	require.Equal(t, Sent{Step: "changed/1/7", Outcome: MessageImpossible, Why: "sms: refused as conflict; mail: no address"}, r.letter(noMail))
}

func TestALetterThatFailsLeavesTheOthersSent(t *testing.T) {
	t.Parallel()
	r := newMailRoom(t, by(12))
	unknown := leaseLetter("x/1/7", "renewal_hello")
	sent, err := r.letters(leaseLetter("a/1/7", policy.TextRenewalDone), unknown, leaseLetter("b/1/7", policy.TextRenewalWithdrawn))
	require.ErrorContains(t, err, `give the text "renewal_hello" under leasing.texts`)
	require.NotContains(t, err.Error(), "José")
	require.Nil(t, sent)
	require.Equal(t, []Sent{sentBy("a/1/7", SMS), sentBy("b/1/7", SMS)}, SentBefore(err))
	require.Len(t, r.phones.Messages(10), 2)

	many := make([]Letter, maxLetters+1)
	for i := range many {
		many[i] = leaseLetter("many/"+strconv.Itoa(i), policy.TextRenewalDone)
	}
	_, err = r.letters(many...)
	var app *temporal.ApplicationError
	require.True(t, errors.As(err, &app) && app.NonRetryable(), err)
	require.ErrorContains(t, err, "at most 100")
	require.Len(t, r.phones.Messages(10), 2)
}

// An edit of the policy counts for the next letter.
func TestALetterSaysWhatThePolicySaysNow(t *testing.T) {
	t.Parallel()
	r := newMailRoom(t, by(12))
	text, err := os.ReadFile(filepath.Join("..", "policy", "policy.yaml"))
	require.NoError(t, err)
	const old = "subject: Your lease is renewed"
	require.Contains(t, string(text), old)
	file := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), old, "subject: It is renewed", 1)), 0o600))
	r.acts.Policy, err = policy.Open(file, nil)
	require.NoError(t, err)
	l := leaseLetter("done/1/7", policy.TextRenewalDone)
	l.MailOnly = true
	require.Equal(t, sentBy("done/1/7", Mail), r.letter(l))
	require.Equal(t, "It is renewed", r.box.Mails()[0].Subject)
}

func TestLeasingIsReadPerProperty(t *testing.T) {
	t.Parallel()
	r := newMailRoom(t, by(12))
	portland, err := r.acts.readLeasing(t.Context(), ReadLeasingInput{PortfolioID: "2", PropertyID: "2"})
	require.NoError(t, err)
	require.Equal(t, "lee", portland.Inspector.ID)
	require.Equal(t, r.acts.Policy.Leasing("2", "2"), portland)
}

// The weights of policy are those of the assessment.
func TestEveryFactorOfTheAssessmentMayBeWeighed(t *testing.T) {
	t.Parallel()
	require.ElementsMatch(t, leasescore.Names(), policy.ScoringFactors())
}
