package ingress

import (
	"bytes"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/png"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/ingress/pages"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/store/blobs"
)

// bid asks for a price, a day and perhaps a note; done for a repair's proof.
var (
	bidOptions = []store.Option{{Key: "1", Choice: "bid", Label: "Send my price"}, {Key: "2", Choice: "decline", Label: "I can't"}}
	bidFields  = []store.Field{
		{Name: "price", Label: "Your price", Kind: store.FieldMoney, Currency: "USD", For: []string{"bid"}},
		{Name: "earliest", Label: "Earliest day", Kind: store.FieldDate, From: "2026-11-24", To: "2027-01-23", For: []string{"bid"}},
		{Name: "note", Label: "Anything else", Kind: store.FieldText},
	}
	doneOptions = []store.Option{{Key: "1", Choice: "done", Label: "It is done"}, {Key: "2", Choice: "more", Label: "Needs more work"}}
	doneFields  = []store.Field{
		{Name: "before", Label: "Photos before", Kind: store.FieldPhotos, Most: 2, For: []string{"done"}},
		{Name: "after", Label: "Photos after", Kind: store.FieldPhotos, Most: 3, For: []string{"done"}},
		{Name: "checks", Label: "What was done", Kind: store.FieldChecks, Items: []string{"Shut-off valve works", "No drip for 5 minutes"}, For: []string{"done"}},
		{Name: "reason", Label: "What is missing", Kind: store.FieldText, For: []string{"more"}},
	}
)

// askForm records a question with a form to the test's phone.
func (r *rig) askForm(workflowID, step string, options []store.Option, fields []store.Field, photos ...string) store.Question {
	r.t.Helper()
	q, err := r.store.Ask(r.t.Context(), store.Question{
		ID: r.keys.QuestionID(workflowID, step, "vendor-1"), Address: r.keys.Address(testPhone),
		WorkflowID: workflowID, Step: step, Person: "vendor-1", Purpose: "bid", Title: "Leaking tap, 12 Elm St",
		Details: []store.Detail{{Label: "What", Text: "Kitchen tap <drips>"}, {Label: "Estimate", Text: "$120.00"}},
		Options: options, Fields: fields, Photos: photos,
		AskedAt: time.Now().UTC(), ExpiresAt: time.Now().UTC().Add(time.Hour),
	})
	require.NoError(r.t, err)
	return q
}

// send posts a form as a browser does without files.
func (r *rig) send(q store.Question, typed url.Values) answer {
	r.t.Helper()
	return r.do(r.request(http.MethodPost, "/a/"+r.keys.Token(q.ID), typed.Encode()))
}

// file is one that a browser sends.
type file struct {
	field, name string
	data        []byte
}

// sendFiles posts a form with files, the choice last as browsers do.
func (r *rig) sendFiles(q store.Question, choice string, typed url.Values, files ...file) answer {
	r.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, name := range slices.Sorted(maps.Keys(typed)) {
		for _, value := range typed[name] {
			require.NoError(r.t, w.WriteField(name, value))
		}
	}
	for _, f := range files {
		part, err := w.CreateFormFile(f.field, f.name)
		require.NoError(r.t, err)
		_, err = part.Write(f.data)
		require.NoError(r.t, err)
	}
	require.NoError(r.t, w.WriteField("choice", choice))
	require.NoError(r.t, w.Close())
	req := r.request(http.MethodPost, "/a/"+r.keys.Token(q.ID), body.String())
	req.Header.Set("Content-Type", w.FormDataContentType())
	return r.do(req)
}

// aPhoto is a picture of its own for each shade.
func aPhoto(t testing.TB, shade uint8) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for i := range m.Pix {
		if m.Pix[i] = shade; i%4 == 3 {
			m.Pix[i] = 255
		}
	}
	m.SetRGBA(0, 0, color.RGBA{shade, 1, 2, 255})
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, m))
	return b.Bytes()
}

func TestReadMoney(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typed, currency, want string }{
		{"1250", "USD", "1250.00"}, {"1,250.50", "USD", "1250.50"}, {"$1250.5", "USD", "1250.50"}, {"$ 1,250", "USD", "1250.00"},
		{"1250 usd", "USD", "1250.00"}, {" 1\u00a0250.50 ", "USD", "1250.50"}, {"1'250", "CHF", "1250.00"}, {"CHF 80", "CHF", "80.00"},
		{"１２５０", "USD", "1250.00"}, {"£300", "GBP", "300.00"}, {"0", "USD", "0.00"}, {"1,234,567.89", "USD", "1234567.89"},
		{"1.250,50", "EUR", "1250.50"}, {"12,5", "EUR", "12.50"}, {"1,250", "EUR", "1250.00"}, {"80 €", "EUR", "80.00"},
		{"12,50", "USD", ""}, {"1.250", "EUR", ""}, {"1.250", "USD", ""}, {"12,50.00", "USD", ""}, {"1,25,000", "USD", ""}, {"£300", "USD", ""},
		{"-5", "USD", ""}, {"1e3", "USD", ""}, {"about 100", "USD", ""}, {"100-200", "USD", ""}, {"$", "USD", ""}, {"1 2 3", "USD", ""},
		{"12345678901", "USD", ""}, {"1250.505", "USD", ""}, {"٣", "USD", ""}, {"1,250 000", "USD", ""},
	} {
		got, why := readMoney(c.typed, c.currency)
		require.Equal(t, c.want, got, "%s %s", c.typed, c.currency)
		require.Equal(t, c.want == "", why != "", c.typed)
	}
}

func TestReadField(t *testing.T) {
	t.Parallel()
	day := store.Field{Kind: store.FieldDate, From: "2026-11-24", To: "2027-01-23"}
	checks := store.Field{Kind: store.FieldChecks, Items: []string{"a", "b", "c"}}
	for _, c := range []struct {
		field store.Field
		typed []string
		want  string
		bad   bool
	}{
		{day, []string{"2026-11-24"}, "2026-11-24", false},
		{day, []string{"2027-01-23"}, "2027-01-23", false},
		{day, []string{"2026-11-23"}, "", true},
		{day, []string{"2027-01-24"}, "", true},
		{day, []string{"2026-02-30"}, "", true},
		{day, []string{"11/24/2026"}, "", true},
		{day, []string{" "}, "", false},
		{store.Field{Kind: store.FieldDate}, []string{"0001-01-01"}, "", true},
		{store.Field{Kind: store.FieldRating}, []string{"5"}, "5", false},
		{store.Field{Kind: store.FieldRating}, []string{"6"}, "", true},
		{store.Field{Kind: store.FieldRating}, []string{"4.5"}, "", true},
		{store.Field{Kind: store.FieldRating}, nil, "", false},
		{checks, []string{"2", "0", "2"}, "0,2", false},
		{checks, []string{"0,1"}, "0,1", false},
		{checks, []string{"3"}, "", true},
		{checks, []string{"-1"}, "", true},
		{checks, []string{"x", "1"}, "", true},
		{checks, []string{"1", ""}, "", true},
		{store.Field{Kind: store.FieldText}, []string{" one\r\ntwo\x00\x1b "}, "one\ntwo", false},
		{store.Field{Kind: store.FieldText}, []string{strings.Repeat("é", 500)}, strings.Repeat("é", 500), false},
		{store.Field{Kind: store.FieldText}, []string{strings.Repeat("é", 501)}, "", true},
		{store.Field{Kind: store.FieldText}, []string{"\xff\x00"}, "", false},
		{store.Field{Kind: store.FieldPhotos}, []string{"typed"}, "", false},
	} {
		got, why := readField(c.field, c.typed)
		require.Equal(t, c.want, got, "%v %q", c.field.Kind, c.typed)
		require.Equal(t, c.bad, why != "", "%v %q: %s", c.field.Kind, c.typed, why)
	}
}

func TestForm_page(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	q := r.askForm("w", "bid", bidOptions, bidFields)
	body := r.open(http.MethodGet, r.keys.Token(q.ID)).body
	for _, want := range []string{
		`<dt>What</dt><dd>Kitchen tap &lt;drips&gt;</dd>`,
		`<span aria-hidden="true">$</span><input type="text" id="field-price" name="price" value="" inputmode="decimal" autocomplete="off" maxlength="20" required aria-describedby="hint-price">`,
		`<input type="date" id="field-earliest" name="earliest" value="" min="2026-11-24" max="2027-01-23" required`,
		`From Nov 24, 2026 to Jan 23, 2027`, `Needed for “Send my price”.`,
		`<textarea id="field-note" name="note" rows="3" maxlength="500"></textarea>`,
		`<button type="submit" name="choice" value="bid">`, `<button type="submit" name="choice" value="decline" formnovalidate>`,
	} {
		require.Contains(t, body, want)
	}
	require.NotContains(t, body, "multipart")
	require.NotContains(t, body, "Add a note", "the form has a place for it")
	require.NotContains(t, body, "One tap is enough")
	requireLabelled(t, body)

	done := r.open(http.MethodGet, r.keys.Token(r.askForm("w", "done", doneOptions, doneFields).ID)).body
	require.Contains(t, done, `enctype="multipart/form-data"`)
	require.Equal(t, 5, strings.Count(done, `type="file"`), "2 before, 3 after")
	require.NotContains(t, done, " required", "each choice needs something else")
	require.Less(t, strings.Index(done, `name="reason"`), strings.Index(done, `name="before"`), "photos come last")
	requireLabelled(t, done)

	rate := r.open(http.MethodGet, r.keys.Token(r.askForm("w", "rate", bidOptions, []store.Field{{Name: "rating", Label: "How was it?", Kind: store.FieldRating}}).ID)).body
	require.Contains(t, rate, "One tap is enough")
	require.NotContains(t, rate, "formnovalidate")
	require.Equal(t, 5, strings.Count(rate, `type="radio" name="rating"`))
	requireLabelled(t, rate)
}

// requireLabelled: every control has a label, and every reference an aim.
func requireLabelled(t *testing.T, body string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`<(?:input|textarea)[^>]*>`).FindAllString(body, -1) {
		id := regexp.MustCompile(` id="([^"]*)"`).FindStringSubmatch(m)
		if id != nil {
			require.Contains(t, body, `<label for="`+id[1]+`"`)
			continue
		}
		before := body[:strings.Index(body, m)]
		require.Greater(t, strings.LastIndex(before, "<label"), strings.LastIndex(before, "</label>"), m)
	}
	for _, m := range regexp.MustCompile(`(?:aria-describedby="|href="#)([^"]*)"`).FindAllStringSubmatch(body, -1) {
		for id := range strings.FieldsSeq(m[1]) {
			require.Equal(t, 1, strings.Count(body, ` id="`+id+`"`), id)
		}
	}
}

func TestForm_answers(t *testing.T) {
	t.Parallel()
	r := newRig(t, testTemporal(t))
	r.work()
	id := r.begin("asking", "1")
	q := r.askForm(id, "bid", bidOptions, bidFields)

	wrong := r.send(q, url.Values{"choice": {"bid"}, "price": {"12,50"}, "note": {`I have "the" <part>`}})
	require.Equal(t, http.StatusUnprocessableEntity, wrong.status)
	for _, want := range []string{
		`role="alert"`, `<a href="#field-price">Your price</a>: Write the amount in figures, such as 1250.50.`,
		`<a href="#field-earliest">Earliest day</a>: Please choose the day.`, `value="12,50"`, `I have &#34;the&#34; &lt;part&gt;`,
		`id="problem-price"`, `aria-invalid="true"`, `aria-describedby="hint-price problem-price"`, `<title>Please check: `,
	} {
		require.Contains(t, wrong.body, want)
	}
	requireLabelled(t, wrong.body)
	require.Empty(t, r.told(id).Answers)
	require.Empty(t, r.question(q.ID).Answer)
	require.Equal(t, 1, r.counted("link_answer", "incomplete"))

	right := r.send(q, url.Values{"choice": {"bid"}, "price": {"$1,250.5"}, "earliest": {"2026-11-25"}, "note": {"  part\r\nis here "}, "other": {"x"}})
	require.Equal(t, http.StatusOK, right.status)
	given := r.told(id).Answers[0]
	require.Equal(t, map[string]string{"price": "1250.50", "earliest": "2026-11-25", "note": "part\nis here"}, given.Fields)
	require.Equal(t, []any{"bid", "", "link"}, []any{given.Choice, given.Note, given.Via})
	require.Empty(t, given.Photos)
	again := r.send(q, url.Values{"choice": {"bid"}})
	require.Equal(t, http.StatusOK, again.status, "the first answer is shown")
	require.Len(t, r.told(id).Answers, 1)
}

func TestForm_whoDeclinesFillsInNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, testTemporal(t))
	r.work()
	id := r.begin("asking", "1")
	q := r.askForm(id, "bid", bidOptions, bidFields)
	require.Equal(t, http.StatusOK, r.send(q, url.Values{"choice": {"decline"}, "price": {"dunno"}, "earliest": {"2026-12-01"}}).status)
	require.Equal(t, map[string]string{"earliest": "2026-12-01"}, r.told(id).Answers[0].Fields, "what makes sense is passed on")
}

// What the workflow refuses can be mended on the same page.
func TestForm_refusedByTheWorkflow(t *testing.T) {
	t.Parallel()
	r := newRig(t, testTemporal(t))
	r.work()
	q := r.askForm(r.begin("asking", "1"), "bid", []store.Option{{Key: "1", Choice: "refused", Label: "Send"}}, bidFields[:1])
	got := r.send(q, url.Values{"choice": {"refused"}, "price": {"80"}})
	require.Equal(t, http.StatusUnprocessableEntity, got.status)
	require.Contains(t, got.body, "this job is taken")
	require.Contains(t, got.body, `value="80"`)
	require.Equal(t, 1, r.counted("link_answer", "refused"))
}

func TestForm_photos(t *testing.T) {
	t.Parallel()
	r := newRig(t, testTemporal(t))
	r.work()
	id := r.begin("asking", "1")
	q := r.askForm(id, "done", doneOptions, doneFields)
	before, after := aPhoto(t, 10), aPhoto(t, 20)

	typed := url.Values{"checks": {"1", "0"}}
	for range 2 { // a repeat, as after a lost reply
		got := r.sendFiles(q, "done", typed, file{"before", "IMG_1.png", before}, file{"before", "copy of IMG_1.png", before},
			file{"after", "../../etc/passwd", after}, file{"after", "", nil}, file{"strange", "x.exe", []byte("MZ")})
		require.Equal(t, http.StatusOK, got.status, got.body)
	}
	given := r.told(id).Answers
	require.Len(t, given, 1)
	require.Equal(t, map[string]string{"checks": "0,1"}, given[0].Fields)
	require.Len(t, given[0].Photos, 2, "the same picture twice is one")
	kept, err := r.store.PhotosOf(t.Context(), id)
	require.NoError(t, err)
	require.Len(t, kept, 2)
	for i, p := range kept {
		require.Contains(t, given[0].Photos, photosOf(kept)[i])
		data, kind, err := r.photos.Open(t.Context(), blobs.PhotoKey(p.ID))
		require.NoError(t, err)
		require.Equal(t, "image/jpeg", kind)
		require.Equal(t, "\xff\xd8", string(data[:2]))
		require.Len(t, data, p.Bytes)
	}

	// The same picture for another job is found.
	other := r.begin("asking", "2")
	q2 := r.askForm(other, "done", doneOptions, doneFields)
	require.Equal(t, http.StatusOK, r.sendFiles(q2, "done", typed, file{"before", "a", aPhoto(t, 30)}, file{"after", "b", after}).status)
	for _, p := range r.told(other).Answers[0].Photos {
		uses, err := r.store.PhotoUses(t.Context(), p.Digest, other)
		require.NoError(t, err)
		require.Len(t, uses, map[string]int{"before": 0, "after": 1}[p.Field])
	}
}

func TestForm_photosRefused(t *testing.T) { //nolint:tparallel // the subtests share one rig
	t.Parallel()
	r := newRig(t, nil) // none of them gets as far as Temporal
	q := r.askForm("w", "done", doneOptions, doneFields)
	good := file{"after", "after.png", aPhoto(t, 1)}
	shades := func(field string, n int) (list []file) {
		for i := range n {
			list = append(list, file{field, fmt.Sprint(i), aPhoto(t, uint8(i))})
		}
		return list
	}
	for _, c := range []struct {
		name  string
		files []file
		says  string
	}{
		{"none", []file{good}, "Photos before</a>: Please add at least one photo."},
		{"an empty file", []file{good, {"before", "x.jpg", nil}}, "Please add at least one photo."},
		{"HEIC", []file{good, {"before", "IMG_7.HEIC", []byte("\x00\x00\x00\x24ftypheic\x00\x00\x00\x00")}}, "IMG_7.HEIC: This is a HEIC photo, which we cannot open: please send JPEG. On an iPhone choose Settings > Camera"},
		{"SVG", []file{good, {"before", "<b>.jpg", []byte("<svg/>")}}, "<b>.jpg: This is not a photo that we can open"},
		{"cut", []file{good, {"before", "x", aPhoto(t, 3)[:90]}}, "damaged"},
		{"too many of one", append(shades("before", 3), good), "Please send at most 2 photos here."},
		{"a large file", []file{good, {"before", "x", bytes.Repeat([]byte("\xff\xd8\xff"), 5<<20)}}, "larger than 12 MB"},
		{"too much together", append(slices.Repeat([]file{{"before", "x", make([]byte, 11<<20)}}, 4), good), "Together the photos have more than 40 MB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := r.sendFiles(q, "done", url.Values{"checks": {"1"}, "reason": {"kept text"}}, c.files...)
			require.Equal(t, http.StatusUnprocessableEntity, got.status)
			require.Contains(t, html.UnescapeString(got.body), c.says)
			require.Contains(t, got.body, "kept text")
			require.Contains(t, got.body, `name="checks" value="1" checked`)
			require.NotContains(t, got.body, "<b>.jpg")
			if c.name != "too much together" { // there the last ones were not read
				require.Contains(t, got.body, "Please choose the photos once more.", "files cannot be put back")
			}
			requireLabelled(t, got.body)
		})
	}
	require.Empty(t, r.question(q.ID).Answer)
	kept, err := r.store.PhotosOf(t.Context(), "w")
	require.NoError(t, err)
	require.Empty(t, kept, "nothing is kept of a form that was not taken")

	garbage := r.request(http.MethodPost, "/a/"+r.keys.Token(q.ID), "no parts at all")
	garbage.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	require.Equal(t, http.StatusBadRequest, r.do(garbage).status)
	plain := r.askForm("w", "bid", bidOptions, bidFields)
	require.Equal(t, http.StatusUnsupportedMediaType, r.sendFiles(plain, "decline", nil).status, "nobody asked for files")
}

func TestUploads_areBounded(t *testing.T) {
	t.Parallel()
	u := newUploads()
	var ends []func()
	for i := range uploadsAtOnce {
		end, ok := u.begin(fmt.Sprint(i))
		require.True(t, ok)
		ends = append(ends, end)
	}
	_, ok := u.begin("one more")
	require.False(t, ok)
	ends[3]()
	end, ok := u.begin("one more")
	require.True(t, ok)
	_, ok = u.begin("one more")
	require.False(t, ok, "one at a time of a question")
	end()

	r := newRig(t, nil)
	q := r.askForm("w", "done", doneOptions, doneFields)
	end, ok = r.people.uploads.begin(q.ID)
	require.True(t, ok)
	got := r.sendFiles(q, "more", url.Values{"reason": {"x"}})
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.Equal(t, "15", got.header.Get("Retry-After"))
	end()
}

// broken is a store without a place for photos.
func TestForm_photosCannotBeKept(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.people.cfg.Photos = nil
	q := r.askForm("w", "done", doneOptions, doneFields)
	got := r.sendFiles(q, "done", url.Values{"checks": {"1"}}, file{"before", "a", aPhoto(t, 1)}, file{"after", "b", aPhoto(t, 2)})
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.Contains(t, got.body, "Please send it again in a moment.")
	require.Contains(t, got.body, `value="1" checked`)
}

func TestLink_showsPhotos(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, id := range []string{"listed", "other"} {
		require.NoError(t, r.photos.Put(t.Context(), blobs.PhotoKey(id), []byte("the picture "+id)))
	}
	q := r.askForm("w", "review", bidOptions, nil, "listed", "gone")
	token := r.keys.Token(q.ID)
	page := r.open(http.MethodGet, token)
	require.Contains(t, page.body, `<img src="`+token+`/photo/listed" alt="Photo 1 of 2"`)
	require.Contains(t, page.header.Get("Content-Security-Policy"), "img-src 'self'")

	got := r.open(http.MethodGet, token+"/photo/listed")
	require.Equal(t, []any{200, "the picture listed", "image/jpeg", "no-store", "nosniff"},
		[]any{got.status, got.body, got.header.Get("Content-Type"), got.header.Get("Cache-Control"), got.header.Get("X-Content-Type-Options")})
	another := r.keys.Token(r.askForm("w", "another", bidOptions, nil).ID)
	for _, path := range []string{token + "/photo/other", token + "/photo/gone", another + "/photo/listed", "wrong/photo/listed", token + "/photo/..%2flisted"} {
		require.Equal(t, http.StatusNotFound, r.open(http.MethodGet, path).status, path)
	}
}

// A text cannot bring a price: its sender is shown where it can be given.
func TestSMS_formNeedsTheLink(t *testing.T) {
	t.Parallel()
	r := newRig(t, testTemporal(t))
	r.work()
	id := r.begin("asking", "1")
	q := r.askForm(id, "bid", bidOptions, bidFields)
	link := testPublicURL + "/a/" + r.keys.Token(q.ID)
	for _, text := range []string{"1", "1 " + q.Code, "Yes"} {
		got := r.text("SM"+text, text)
		require.Contains(t, html.UnescapeString(got.body), `for "Send my price" please use the link `+link)
	}
	require.Contains(t, r.text("SM1", "1").body, link, "the same webhook again")
	require.Empty(t, r.told(id).Answers)
	require.Empty(t, r.question(q.ID).Answer)
	require.NotContains(t, r.text("SM2", "2").body, "link")
	require.Equal(t, "decline", r.told(id).Answers[0].Choice)
}

// FuzzForm: whatever a body holds, it is read or refused, and what is read has the
// form that answers promise.
func FuzzForm(f *testing.F) {
	photo := aPhoto(f, 1)
	f.Add([]byte("--x\r\nContent-Disposition: form-data; name=\"price\"\r\n\r\n1,250.50\r\n--x\r\nContent-Disposition: form-data; name=\"before\"; filename=\"a\"\r\n\r\n" + string(photo) + "\r\n--x\r\nContent-Disposition: form-data; name=\"choice\"\r\n\r\ndone\r\n--x--\r\n"))
	f.Add([]byte("--x\r\nContent-Disposition: form-data; name=\"checks\"\r\n\r\n0,1\r\n--x\r\nContent-Disposition: form-data; name=\"earliest\"\r\n\r\n2026-12-01\r\n--x--"))
	f.Add([]byte("--x"))
	fields := append(slices.Clone(doneFields), bidFields...)
	fields = append(fields, store.Field{Name: "rating", Kind: store.FieldRating})
	q := store.Question{ID: "q", Title: "t", Options: doneOptions, Fields: fields}
	canonical := map[string]*regexp.Regexp{
		"price": regexp.MustCompile(`^\d{1,9}\.\d\d$`), "earliest": regexp.MustCompile(`^202[67]-\d\d-\d\d$`),
		"checks": regexp.MustCompile(`^[01](,1)?$`), "rating": regexp.MustCompile(`^[1-5]$`),
		"note": regexp.MustCompile(`^(?s).{1,500}$`), "reason": regexp.MustCompile(`^(?s).{1,500}$`),
	}
	u := newUploads()
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := u.readForm(t.Context(), io.MultiReader(bytes.NewReader(body)), "x", q)
		if err == nil {
			require.LessOrEqual(t, len(got.uploads), maxPhotos)
		}
		got.option = q.Options[0]
		values, problems := got.check(q)
		for name, value := range values {
			require.Regexp(t, canonical[name], value)
		}
		var page bytes.Buffer
		require.NoError(t, pages.Render(&page, formPage(q, "token", got, problems)))
	})
}
