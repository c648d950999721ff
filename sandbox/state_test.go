package sandbox_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox"
)

func stateFile(t *testing.T) (string, func(*sandbox.Config)) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "data", "sandbox.json")
	return file, func(c *sandbox.Config) { c.StateFile = file }
}

// attach uploads a file to a work order.
func (r *rig) attach(workOrder, name, data string) {
	r.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", name)
	require.NoError(r.t, err)
	_, err = io.WriteString(part, data)
	require.NoError(r.t, err)
	require.NoError(r.t, w.Close())
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost,
		r.base+"/rentvine/api/manager/files?objectTypeID=16&objectID="+workOrder, &form)
	require.NoError(r.t, err)
	req.SetBasicAuth("key", "api-secret")
	req.Header.Set("Content-Type", w.FormDataContentType())
	res, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	require.NoError(r.t, res.Body.Close())
	require.Equal(r.t, http.StatusOK, res.StatusCode)
}

func (r *rig) create(description string) (id string) {
	r.t.Helper()
	var made struct {
		WorkOrder struct{ WorkOrderID string }
	}
	require.Equal(r.t, 200, r.call(http.MethodPost, "/rentvine/api/manager/maintenance/work-orders",
		`{"propertyID":1,"priorityID":3,"vendorContactID":11,"description":"`+description+`"}`, &made))
	require.NotEmpty(r.t, made.WorkOrder.WorkOrderID)
	return made.WorkOrder.WorkOrderID
}

func (r *rig) body(path string) string {
	r.t.Helper()
	res, err := r.do(http.MethodGet, path, "")
	require.NoError(r.t, err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(r.t, err)
	require.Equal(r.t, http.StatusOK, res.StatusCode, "%s: %s", path, raw)
	return string(raw)
}

// settled waits until no text is on its way.
func (r *rig) settled() {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		var messages []map[string]any
		r.call(http.MethodGet, "/_messages", "", &messages)
		for _, m := range messages {
			if m["status"] == "queued" || m["status"] == "sent" {
				return false
			}
		}
		return true
	}, 5*time.Second, 5*time.Millisecond)
}

func TestEverythingOutlivesARestart(t *testing.T) {
	t.Parallel()
	file, keep := stateFile(t)
	r := newRig(t, keep)
	id := r.create("Burst pipe")
	r.create("Burst pipe") // alike: a duplicate
	n, err := strconv.Atoi(id)
	require.NoError(t, err)
	require.Greater(t, n, 1_000_000, "not the number of a work order of another life")
	r.attach(id, "report.pdf", "%PDF \x00\xff")
	require.Equal(t, 200, r.call(http.MethodPut, "/_records/rentvine/work-orders/"+id+"/status", `{"status":"Scheduled"}`, nil))
	require.Equal(t, 200, r.call(http.MethodPost, "/rentvine/api/manager/chat/messages", `{"chatObjectTypeID":1,"objectID":"`+id+`","message":"On my way"}`, nil))
	require.Equal(t, 201, r.text("same"))
	require.Equal(t, 201, r.text("same"))
	require.Equal(t, 200, r.call(http.MethodPost, "/_reply", `{"from":"+12135550111","body":"STOP"}`, nil))
	require.NoError(t, r.mail())
	require.NoError(t, r.mail())
	r.settled()

	api := "/rentvine/api/manager"
	reads := []string{
		"/_messages", "/_mails", "/_mails/1/html", "/_mails/2/attachments/0", "/_duplicates",
		api + "/maintenance/work-orders", api + "/maintenance/work-orders/" + id, api + "/files?includes=attachment",
		api + "/files/1/download", api + "/chat/messages?chatObjectTypeID=1&objectID=" + id,
		api + "/leases/export", api + "/properties", api + "/leases/1/recurring-charges",
		"/twilio/2010-04-01/Accounts/" + account + "/Messages.json",
	}
	r.body(reads[9]) // marks the chat as read
	before := map[string]string{}
	for _, path := range reads {
		before[path] = r.body(path)
	}
	require.JSONEq(t, `{"twilio":1,"rentvine":1,"openmoove":0,"quickbooks":0,"smtp":1}`, before["/_duplicates"])
	stop(t, r.Sandbox)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	r.start(keep)
	for path, want := range before {
		require.Equal(t, want, r.body(path), path)
	}
	require.Equal(t, http.StatusBadRequest, r.call(http.MethodPost, "/twilio/2010-04-01/Accounts/"+account+"/Messages.json",
		"From=%2B12135550100&To=%2B12135550111&Body=x", nil), "who said STOP stays opted out")
	require.Equal(t, 201, r.text("same"))
	require.NoError(t, r.mail())
	r.attach(id, "report.pdf", "again")
	r.create("Burst pipe")
	next, err := strconv.Atoi(r.create("Another"))
	require.NoError(t, err)
	require.Equal(t, n+3, next, "ids go on")
	require.Equal(t, map[string]int{"twilio": 2, "rentvine": 3, "openmoove": 0, "quickbooks": 0, "smtp": 2}, r.Duplicates())
	require.Contains(t, r.body("/_mails"), `"id":3`)
}

// Without Close, as after a kill: the file is there by itself soon after a change.
func TestAKillLosesLittle(t *testing.T) {
	t.Parallel()
	file, keep := stateFile(t)
	r := newRig(t, keep)
	id := r.create("Burst pipe")
	holds := func(text string) func() bool {
		return func() bool {
			raw, err := os.ReadFile(file)
			return err == nil && bytes.Contains(raw, []byte(text))
		}
	}
	require.Eventually(t, holds("Burst pipe"), 5*time.Second, 10*time.Millisecond)
	require.Equal(t, 201, r.text("the second change"))
	require.NoError(t, r.mail())
	require.Eventually(t, holds("the second change"), 5*time.Second, 10*time.Millisecond)
	require.Eventually(t, holds("wo.4711@example.com"), 5*time.Second, 10*time.Millisecond)
	left, err := os.ReadFile(file)
	require.NoError(t, err)

	copied := filepath.Join(t.TempDir(), "copy.json")
	require.NoError(t, os.WriteFile(copied, left, 0o600))
	r.start(func(c *sandbox.Config) { c.StateFile = copied })
	require.Contains(t, r.body("/rentvine/api/manager/maintenance/work-orders/"+id), "Burst pipe")
	require.Contains(t, r.body("/_messages"), "the second change")
	require.Contains(t, r.body("/_mails"), "wo.4711@example.com")
	r.settled()
}

// A text that was on its way when the sandbox ended travels on in the next life.
func TestATextOnItsWayTravelsOn(t *testing.T) {
	t.Parallel()
	file, keep := stateFile(t)
	r := newRig(t, keep, func(c *sandbox.Config) { c.TextPace = time.Hour })
	require.Equal(t, 201, r.text("slow"))
	stop(t, r.Sandbox)
	left, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(left), `"status":"queued"`)
	r.start(keep)
	r.settled()
	require.Contains(t, r.body("/_messages"), `"status":"delivered"`)
}

func TestResetIsKeptAtOnce(t *testing.T) {
	t.Parallel()
	file, keep := stateFile(t)
	r := newRig(t, keep)
	first, err := strconv.Atoi(r.create("Burst pipe"))
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, r.call(http.MethodPost, "/_reset", "", nil))
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NotContains(t, string(raw), "Burst pipe")
	second, err := strconv.Atoi(r.create("Another"))
	require.NoError(t, err)
	require.Equal(t, first+1, second, "no id names a second work order")
}

func TestAFileThatCannotBeUsedIsSetAside(t *testing.T) {
	t.Parallel()
	good := `{"version":1,"rentvine":{"tables":{}},"twilio":{},"mailbox":{}}`
	for name, content := range map[string]string{
		"empty": "", "half": good[:len(good)/2], "other version": `{"version":99}`, "no tables": good,
		"not ours": `[1,2,3]`, "no sections": `{"version":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, keep := stateFile(t)
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
			require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
			r := newRig(t, keep)
			aside, err := os.ReadFile(file + ".broken")
			require.NoError(t, err)
			require.Equal(t, content, string(aside))
			require.Contains(t, r.body("/rentvine/api/manager/maintenance/work-orders"), "kitchen tap", "the seed")
			id := r.create("Burst pipe")
			stop(t, r.Sandbox)
			r.start(keep)
			require.Contains(t, r.body("/rentvine/api/manager/maintenance/work-orders/"+id), "Burst pipe")
		})
	}
}

func TestAStateThatIsAFolderIsRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s, err := sandbox.New(sandbox.Config{
		HTTPAddr: "127.0.0.1:0", SMTPAddr: "127.0.0.1:0", IngressURL: "http://127.0.0.1", RentVineWebhookSecret: secret,
		TwilioAuthToken: "12345", TwilioAccountSID: account, TwilioNumber: ours, RentVineKey: "key", RentVineSecret: "s",
		StateFile: folder,
	})
	require.NoError(t, err)
	require.ErrorContains(t, s.Start(t.Context()), folder)
	require.DirExists(t, folder, "it is not ours to move")
	stop(t, s)
}
