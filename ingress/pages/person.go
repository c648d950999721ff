package pages

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"
)

//go:embed person.html person.css style.css
var personFiles embed.FS

var personPage = template.Must(template.New("person.html").Funcs(template.FuncMap{"style": personStyle}).ParseFS(personFiles, "person.html"))

// personStyle is the sheet of all pages and what this one adds.
func personStyle() (template.CSS, error) {
	shared, err := personFiles.ReadFile("style.css")
	if err != nil {
		return "", err
	}
	own, err := personFiles.ReadFile("person.css")
	return template.CSS(string(shared) + string(own)), err //nolint:gosec // our own embedded files
}

// PersonPolicy is the Content-Security-Policy under which the page of a person works.
func PersonPolicy() (string, error) {
	css, err := personStyle()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(css))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", nil
}

// PersonView is the page of a person: what waits, what was answered lately, and the
// manager's board. All times are ready to read.
type PersonView struct {
	// Up leads from the page to the root of the ingress, such as "../".
	Up string
	// Token is the page's own, for its forms.
	Token   string
	Company string
	// Now is when the page was made, with the zone of its times.
	Now string
	// Said confirms what was done just now, "" where nothing was.
	Said    string
	Waiting []Waiting
	// More tells that there is more than is listed.
	More     bool
	Answered []Answered
	// Manager is nil for everybody else.
	Manager *Manager
}

// Waiting is a question that has no answer yet.
type Waiting struct {
	Title string
	Code  string
	Asked string
	// Until is when it expires, "" for never.
	Until string
	Token string
}

// Answered is a question with its answer.
type Answered struct {
	Title  string
	Code   string
	Answer string
}

// Manager is what a manager sees besides.
type Manager struct {
	// Unknown tells that what is late cannot be shown right now.
	Unknown bool
	Late    []Late
	// More tells that there is more than is listed.
	More  bool
	Teams []Team
	Swaps []Swap
	Form  SwapForm
}

// Late is a workflow that has missed a promise or is overdue.
type Late struct {
	WorkflowID string
	PropertyID string
	// Missed is the promise, such as "on site", "" where none was missed.
	Missed     string
	Stage      string
	WaitingFor string
	// Due is when something falls or fell due, "" where nothing does; Overdue tells
	// which.
	Due     string
	Overdue bool
}

// Team is who is on call.
type Team struct {
	// Of says where, "" where there is one team for all.
	Of    string
	Names []string
	// Until is when others take over, "" where nobody does.
	Until string
}

// Swap is an agreed change of who is on call.
type Swap struct {
	ID      string
	Out, In string
	From    string
	To      string
	// Now tells that it is in force.
	Now bool
}

// SwapForm asks for a swap. What was typed is kept where it was wrong.
type SwapForm struct {
	// Nonce makes the form count once.
	Nonce     string
	Outs, Ins []Choice
	// From and To are as a datetime-local field has them, in Zone.
	From, To string
	Zone     string
	// Wrong says what is wrong, by field: out, in, from, to, or form.
	Wrong map[string]string
}

// Choice is an option of a list.
type Choice struct {
	ID       string
	Name     string
	Selected bool
}

// RenderPerson writes the page. The error is w's.
func RenderPerson(w io.Writer, v PersonView) error {
	return personPage.Execute(w, v)
}
