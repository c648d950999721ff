package ingress

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
)

// The media types that the API takes.
const (
	mediaJSON = "application/json"
	mediaCSV  = "text/csv"
)

// reply is the answer of the API to a body that was not read.
func (u *unread) reply() apiReply {
	return apiReply{status: u.status, reason: u.reason, detail: u.detail}
}

// isJSON tells malformed text from JSON that is not what it should be.
func isJSON(body []byte) bool {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	return utf8.Valid(body) && json.Valid(body)
}

// allowTime moves the deadlines of a request that may take longer than others: read
// for the rest of the body, 0 for one that has been read; write from now to the end of
// the answer. A server that cannot move deadlines keeps its own.
func allowTime(c echo.Context, read, write time.Duration) {
	control, now := http.NewResponseController(c.Response()), time.Now()
	if read > 0 {
		_ = control.SetReadDeadline(now.Add(read))
	}
	_ = control.SetWriteDeadline(now.Add(write))
}
