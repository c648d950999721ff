package ingress

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxWait is the longest that a caller may wait for an outcome.
const maxWait = 30 * time.Second

// preferredWait reads how long a caller will wait (RFC 7240): "wait=N" in seconds,
// at most 30, or "respond-async", which alone means not at all. applied is what
// Preference-Applied says, "" where nothing was preferred. The first of equal
// preferences counts, and what cannot be read is passed over.
func preferredWait(h http.Header, otherwise time.Duration) (wait time.Duration, applied string) {
	var async, timed bool
	for _, sent := range strings.Split(strings.Join(h.Values("Prefer"), ","), ",") {
		preference, _, _ := strings.Cut(sent, ";")
		name, value, _ := strings.Cut(preference, "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "respond-async":
			async = true
		case "wait":
			seconds, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 31)
			if err == nil && !timed {
				timed, wait = true, min(time.Duration(seconds)*time.Second, maxWait)
			}
		}
	}
	var names []string
	if async {
		names = append(names, "respond-async")
	}
	switch {
	case timed:
		names = append(names, "wait="+strconv.Itoa(int(wait/time.Second)))
	case !async:
		wait = otherwise
	}
	return wait, strings.Join(names, ", ")
}
