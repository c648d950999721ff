package policy

import "strings"

// salesSection is "sales" of the file. Professionals are those of the file alone.
type salesSection struct {
	Name          string                  `json:"name"`
	TimeZone      string                  `json:"time_zone"`
	Region        string                  `json:"region"`
	Manager       Contact                 `json:"manager"`
	WorkingHours  WorkingHours            `json:"working_hours"`
	Invitations   Invitations             `json:"invitations"`
	Progress      Progress                `json:"progress"`
	Polling       Polling                 `json:"polling"`
	Reported      Reported                `json:"reported"`
	Report        SalesReport             `json:"report"`
	Products      []string                `json:"products"`
	Milestones    map[string][]string     `json:"milestones"`
	Defaults      map[string]string       `json:"defaults"`
	Directory     string                  `json:"directory"`
	Professionals []Professional          `json:"professionals"`
	Texts         map[string]letterSource `json:"texts"`
}

// letterSource is Letter as it is written in the file.
type letterSource struct {
	Subject string     `json:"subject"`
	Body    paragraphs `json:"body"`
}

// paragraphs is a text of several lines, which keep their breaks.
type paragraphs string

// UnmarshalText takes the lines as they are.
func (p *paragraphs) UnmarshalText(text []byte) error {
	*p = paragraphs(strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")))
	return nil
}

// longest is how long the text may be, in bytes.
func (p *paragraphs) longest() int { return maxLetterSource }

// resolve is what others see, with everybody of the directory. It shares nothing
// with the section.
func (s salesSection) resolve(version string, people []listed) Sales {
	out := Sales{
		Version: version, Name: s.Name, TimeZone: s.TimeZone, Region: s.Region, Manager: s.Manager,
		WorkingHours: s.WorkingHours, Invitations: s.Invitations, Progress: s.Progress.resolve(),
		Polling: s.Polling, Reported: s.Reported, Products: s.Products,
		Milestones: s.Milestones, Defaults: s.Defaults, Texts: make(map[string]Letter, len(s.Texts)),
	}
	if s.Report.Given() {
		out.Report = s.Report
	}
	for id, l := range s.Texts {
		out.Texts[id] = Letter{Subject: l.Subject, Body: string(l.Body)}
	}
	for _, p := range people {
		out.Professionals = append(out.Professionals, p.Professional)
	}
	return out.clone()
}
