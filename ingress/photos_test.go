package ingress

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A phone on a poor line sends for longer than the server waits for others.
func TestUpload_hasTime(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	const limit = 200 * time.Millisecond
	d := open(t, awayRouter(t), func(c *Config) { c.People, c.Limits.Read, c.Limits.Write = r.people, limit, limit })
	q := r.askForm("w", "done", doneOptions, doneFields)
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile("before", "x.png")
	require.NoError(t, err)
	_, err = part.Write(aPhoto(t, 1))
	require.NoError(t, err)
	require.NoError(t, w.WriteField("choice", "done"))
	require.NoError(t, w.Close())
	conn, begun := d.dial(), time.Now()
	conn.write(fmt.Sprintf("POST /a/%s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", r.keys.Token(q.ID), w.FormDataContentType(), body.Len()))
	conn.write(body.String()[:200])
	require.Eventually(t, func() bool { return time.Since(begun) > 3*limit }, time.Minute, limit)
	conn.write(body.String()[200:])
	require.Equal(t, http.StatusUnprocessableEntity, conn.status(), "all of it was read: the other photos are missing")
}
