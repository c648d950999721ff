package sandbox

import (
	"net/http"

	"github.com/aictive/keyholder/sandbox/llm"
)

// SetModel makes the language model behave in one of llm.Modes, until the next
// SetModel or Reset. The error lists them.
func (s *Sandbox) SetModel(mode llm.Mode) error { return s.model.SetMode(mode) }

// putModel is SetModel by hand: {"mode": "gullible"}.
func (s *Sandbox) putModel(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Mode llm.Mode `json:"mode"`
	}
	if err := readJSON(w, r, &in); err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	if err := s.SetModel(in.Mode); err != nil {
		refused(w, http.StatusBadRequest, err)
		return
	}
	respond(w, http.StatusOK, in)
}
