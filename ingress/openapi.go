package ingress

import (
	_ "embed" // the document
	"net/http"

	"github.com/labstack/echo/v4"
)

// openAPIDocument describes the /v1 API in OpenAPI 3.0. A test holds it against
// real requests and answers.
//
//go:embed openapi.json
var openAPIDocument []byte

// openAPI serves the document to anybody: it says nothing of this installation.
func (a *API) openAPI(c echo.Context) error {
	return c.Blob(http.StatusOK, mediaJSON, openAPIDocument)
}
