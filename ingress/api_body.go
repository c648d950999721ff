package ingress

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
)

// The media types that the API takes.
const (
	mediaJSON = "application/json"
	mediaCSV  = "text/csv"
)

// readAPIBody reads a body of at most limit bytes, whatever its framing, in one of
// the media types and UTF-8. A compressed body could unpack to any size and is
// refused.
func readAPIBody(c echo.Context, limit int64, types ...string) (media string, body []byte, refused apiReply, ok bool) {
	req := c.Request()
	media, refused, ok = mediaTypeOf(req.Header, types)
	if !ok {
		return "", nil, refused, false
	}
	tooLarge := apiReply{status: http.StatusRequestEntityTooLarge, reason: "body_too_large", detail: fmt.Sprintf("Send a body of at most %d bytes.", limit)}
	if req.ContentLength > limit {
		return "", nil, tooLarge, false
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response().Writer, req.Body, limit))
	var over *http.MaxBytesError
	var network net.Error
	switch {
	case err == nil:
		return media, body, apiReply{}, true
	case errors.As(err, &over):
		return "", nil, tooLarge, false
	case errors.As(err, &network) && network.Timeout():
		c.Response().Header().Set("Connection", "close")
		return "", nil, apiReply{status: http.StatusRequestTimeout, reason: "body_too_slow", detail: "The body did not arrive in time. Send it again."}, false
	}
	return "", nil, apiReply{status: http.StatusBadRequest, reason: "body_broken", detail: "The body ended early. Send it again."}, false
}

func mediaTypeOf(h http.Header, types []string) (string, apiReply, bool) {
	refuse := func(reason, detail string) (string, apiReply, bool) {
		return "", apiReply{status: http.StatusUnsupportedMediaType, reason: reason, detail: detail}, false
	}
	for _, encoding := range h.Values("Content-Encoding") {
		if encoding != "" && !strings.EqualFold(encoding, "identity") {
			return refuse("content_encoding", "Send the body without Content-Encoding.")
		}
	}
	advice := "Send one Content-Type: " + strings.Join(types, " or ") + ", in UTF-8."
	sent := h.Values("Content-Type")
	if len(sent) != 1 {
		return refuse("content_type", advice)
	}
	media, params, err := mime.ParseMediaType(sent[0])
	charset, given := params["charset"]
	if err != nil || !slices.Contains(types, media) || given && !strings.EqualFold(charset, "utf-8") {
		return refuse("content_type", advice)
	}
	return media, apiReply{}, true
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
