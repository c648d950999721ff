package ingress

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// unread is why a body was not read: the status to answer, a short fixed name for
// metrics and the log, and what the sender should do.
type unread struct {
	status         int
	reason, detail string
}

// readBody reads a body of at most limit bytes, whatever its framing, in one of the
// media types and UTF-8. A compressed body could unpack to any size and is refused.
// refused is nil where it has read all.
func readBody(c echo.Context, limit int64, types ...string) (media string, body []byte, refused *unread) {
	req := c.Request()
	if media, refused = mediaTypeOf(req.Header, types); refused != nil {
		return "", nil, refused
	}
	tooLarge := &unread{http.StatusRequestEntityTooLarge, "body_too_large", fmt.Sprintf("Send a body of at most %d bytes.", limit)}
	if req.ContentLength > limit {
		return "", nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response().Writer, req.Body, limit))
	var over *http.MaxBytesError
	var network net.Error
	switch {
	case err == nil:
		return media, body, nil
	case errors.As(err, &over):
		return "", nil, tooLarge
	case errors.As(err, &network) && network.Timeout():
		c.Response().Header().Set("Connection", "close")
		return "", nil, &unread{http.StatusRequestTimeout, "body_too_slow", "The body did not arrive in time. Send it again."}
	}
	return "", nil, &unread{http.StatusBadRequest, "body_broken", "The body ended early. Send it again."}
}

func mediaTypeOf(h http.Header, types []string) (string, *unread) {
	for _, encoding := range h.Values("Content-Encoding") {
		if encoding != "" && !strings.EqualFold(encoding, "identity") {
			return "", &unread{http.StatusUnsupportedMediaType, "content_encoding", "Send the body without Content-Encoding."}
		}
	}
	wrong := &unread{http.StatusUnsupportedMediaType, "content_type", "Send one Content-Type: " + strings.Join(types, " or ") + ", in UTF-8."}
	sent := h.Values("Content-Type")
	if len(sent) != 1 {
		return "", wrong
	}
	media, params, err := mime.ParseMediaType(sent[0])
	charset, given := params["charset"]
	if err != nil || !slices.Contains(types, media) || given && !strings.EqualFold(charset, "utf-8") {
		return "", wrong
	}
	return media, nil
}
