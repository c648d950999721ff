package ingress

import (
	"bytes"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/store/blobs"
)

var evidenceFields = []store.Field{{Name: "evidence", Label: "The certificate", Kind: store.FieldFiles, Most: 3, For: []string{"done"}}}

// aPDF is a small one of its own for each text.
func aPDF(text string) []byte {
	return []byte("%PDF-1.4\n1 0 obj\n<<>>\nendobj\n% " + text + "\ntrailer\n<</Root 1 0 R>>\n%%EOF\n")
}

func TestForm_files(t *testing.T) {
	t.Parallel()
	r := newRig(t, testTemporal(t))
	r.work()
	id := r.begin("asking", "1")
	q := r.askForm(id, "done", doneOptions, evidenceFields)
	page := r.open(http.MethodGet, r.keys.Token(q.ID)).body
	require.Contains(t, page, `accept="image/jpeg,image/png,image/webp,image/gif,application/pdf" multiple required`)
	require.Contains(t, page, "Up to 3 files: PDF of at most 10 MB, or photos")
	require.Contains(t, page, "Add files one by one")
	requireLabelled(t, page)

	one := aPDF("<script>alert(1)</script>") // somebody's file stays what it is
	for range 2 {                            // a repeat, as after a lost reply
		got := r.sendFiles(q, "done", nil, file{"evidence", "page.html", one}, file{"evidence", "../x.PDF", one}, file{"evidence", "scan.pdf", aPhoto(t, 5)})
		require.Equal(t, http.StatusOK, got.status, got.body)
	}
	given := r.told(id).Answers
	require.Len(t, given, 1)
	require.Len(t, given[0].Photos, 2, "the same file twice is one")
	kept, err := r.store.PhotosOf(t.Context(), id)
	require.NoError(t, err)
	require.Len(t, kept, 2)
	require.ElementsMatch(t, given[0].Photos, photosOf(kept))
	found := map[string]string{}
	for _, p := range kept {
		data, kind, err := r.photos.Open(t.Context(), blobs.PhotoKey(p.ID))
		require.NoError(t, err)
		require.Len(t, data, p.Bytes)
		require.Equal(t, kind == "application/pdf", strings.HasSuffix(p.ID, blobs.PDF))
		found[kind] = string(data)
	}
	require.Equal(t, string(one), found["application/pdf"], "as it came")
	require.Equal(t, "\xff\xd8", found["image/jpeg"][:2], "a photo is a photo, whatever it is called")
}

func TestForm_filesRefused(t *testing.T) { //nolint:tparallel // the subtests share one rig
	t.Parallel()
	r := newRig(t, nil) // none of them gets as far as Temporal
	files := r.askForm("w", "done", doneOptions, evidenceFields)
	photos := r.askForm("w", "other", doneOptions, doneFields[:1])
	large := func(n int) []byte { return append([]byte("%PDF-1.4\n%%EOF\n"), make([]byte, n)...) }
	for _, c := range []struct {
		name  string
		q     store.Question
		files []file
		says  string
	}{
		{"none", files, nil, "Please add at least one file."},
		{"an empty file", files, []file{{"evidence", "x.pdf", nil}}, "Please add at least one file."},
		{"a page", files, []file{{"evidence", "x.pdf", []byte("<html>%PDF-1.4 %%EOF</html>")}}, "x.pdf: This is neither a PDF nor a photo"},
		{"a picture with a PDF behind", files, []file{{"evidence", "x.pdf", append([]byte("GIF89a"), aPDF("x")...)}}, "This photo is"},
		{"a space before", files, []file{{"evidence", "x.pdf", append([]byte(" "), aPDF("x")...)}}, "neither a PDF"},
		{"a program", files, []file{{"evidence", "x.pdf", []byte("MZ\x90%PDF-")}}, "neither a PDF"},
		{"a head alone", files, []file{{"evidence", "x.pdf", []byte("%PDF-")}}, "This PDF is damaged or did not arrive whole"},
		{"too large", files, []file{{"evidence", "x.pdf", large(maxPDFBytes)}}, "x.pdf: This PDF is larger than 10 MB"},
		{"far too large", files, []file{{"evidence", "x.pdf", large(13 << 20)}}, "x.pdf: This PDF is larger than 10 MB"},
		{"too many", files, []file{{"evidence", "1", aPDF("1")}, {"evidence", "2", aPDF("2")}, {"evidence", "3", aPDF("3")}, {"evidence", "4", aPDF("4")}}, "at most 3 files here"},
		{"too much together", files, []file{{"evidence", "1", large(15 << 20)}, {"evidence", "2", large(15 << 20)}, {"evidence", "3", large(15 << 20)}}, "Together the files have more than 40 MB"},
		{"HEIC", files, []file{{"evidence", "x", []byte("\x00\x00\x00\x24ftypheic\x00\x00\x00\x00")}}, "This is a HEIC photo"},
		{"where photos are asked", photos, []file{{"before", "x.jpg", aPDF("x")}}, "x.jpg: This is not a photo that we can open"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := r.sendFiles(c.q, "done", url.Values{}, c.files...)
			require.Equal(t, http.StatusUnprocessableEntity, got.status)
			require.Contains(t, html.UnescapeString(got.body), c.says)
		})
	}
	got := r.sendFiles(files, "done", url.Values{}, file{"evidence", "ok.pdf", aPDF("x")}, file{"evidence", "x", []byte("?")})
	require.Equal(t, http.StatusUnprocessableEntity, got.status)
	kept, err := r.store.PhotosOf(t.Context(), "w")
	require.NoError(t, err)
	require.Empty(t, kept, "nothing is kept of a form that was not taken")
}

func TestLink_givesDocumentsAsDownloads(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, id := range []string{"photo", "paper.pdf", "other.pdf"} {
		require.NoError(t, r.photos.Put(t.Context(), blobs.PhotoKey(id), bytes.Repeat([]byte(id), 2)))
	}
	token := r.keys.Token(r.askForm("w", "review", bidOptions, nil, "photo", "paper.pdf").ID)
	page := r.open(http.MethodGet, token).body
	require.Contains(t, page, `<a href="`+token+`/photo/paper.pdf" download>Document 1 (PDF)</a>`)
	require.NotContains(t, page, `<img src="`+token+`/photo/paper.pdf"`)
	require.Contains(t, page, `alt="Photo 1 of 1"`)

	got := r.open(http.MethodGet, token+"/photo/paper.pdf")
	require.Equal(t, []any{200, "paper.pdfpaper.pdf", "application/pdf", `attachment; filename="document.pdf"`, "nosniff", "no-store"},
		[]any{got.status, got.body, got.header.Get("Content-Type"), got.header.Get("Content-Disposition"),
			got.header.Get("X-Content-Type-Options"), got.header.Get("Cache-Control")})
	require.Contains(t, got.header.Get("Content-Security-Policy"), "default-src 'none'")
	for _, path := range []string{"/photo/other.pdf", "/photo/paper", "/photo/paper.pdf.jpg", "/photo/photo.pdf"} {
		require.Equal(t, http.StatusNotFound, r.open(http.MethodGet, token+path).status, path)
	}
	require.Equal(t, "inline", r.open(http.MethodGet, token+"/photo/photo").header.Get("Content-Disposition"))
}
