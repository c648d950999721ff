package e2e

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aictive/keyholder/workflows/portfolio"
)

// The kinds of objects that files are attached to at RentVine (contracts/rentvine.md
// 2.11).
const (
	FiledOnProperty  = "6"
	FiledOnPortfolio = "11"
	filedOnWorkOrder = "16"
)

// Place makes or changes a property or unit in the sandbox's RentVine, by a sample such
// as "property.created", and lets RentVine tell of it. It returns its ids.
func (s *Stack) Place(ctx context.Context, sample string, fields map[string]any) (propertyID, unitID string, err error) {
	var sent struct {
		Status     int    `json:"status"`
		PropertyID string `json:"property_id"`
		UnitID     string `json:"unit_id"`
	}
	if err := s.Post(ctx, "/_send/rentvine/"+sample, fields, &sent); err != nil {
		return "", "", err
	}
	if sent.Status != http.StatusAccepted && sent.Status != http.StatusOK {
		return "", "", fmt.Errorf("the ingress answered %d", sent.Status)
	}
	return sent.PropertyID, sent.UnitID, nil
}

// DescribeProperty asks the workflow of a property where it stands.
func (s *Stack) DescribeProperty(ctx context.Context, propertyID string) (portfolio.PropertyDescription, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return portfolio.DescribeProperty.Ask(ctx, s.Client, portfolio.PropertyID(propertyID), "")
}

// DescribeVacancy asks the marketing of a unit where it stands.
func (s *Stack) DescribeVacancy(ctx context.Context, unitID string) (portfolio.VacancyDescription, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return portfolio.DescribeVacancy.Ask(ctx, s.Client, portfolio.VacancyID(unitID), "")
}

// DescribeCompliance asks the watch over a requirement where it stands.
func (s *Stack) DescribeCompliance(ctx context.Context, workflowID string) (portfolio.ComplianceDescription, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return portfolio.DescribeCompliance.Ask(ctx, s.Client, workflowID, "")
}

// Listed are the ids of the units in the feed for portals.
func (s *Stack) Listed(ctx context.Context) ([]string, error) {
	reply, err := exchange(ctx, http.MethodGet, s.Ingress+"/listings.xml", nil, nil)
	if err != nil {
		return nil, err
	}
	if reply.Status != http.StatusOK {
		return nil, fmt.Errorf("the ingress answered %d: %s", reply.Status, reply.Body)
	}
	var feed struct {
		Listings []struct {
			ID string `xml:"id,attr"`
		} `xml:"Listing"`
	}
	if err := xml.Unmarshal([]byte(reply.Body), &feed); err != nil {
		return nil, err
	}
	var ids []string
	for _, l := range feed.Listings {
		ids = append(ids, l.ID)
	}
	return ids, nil
}

// Home is the page of a unit that is offered.
func (s *Stack) Home(ctx context.Context, unitID string) (Reply, error) {
	return exchange(ctx, http.MethodGet, s.Ingress+"/listings/"+unitID, nil, nil)
}

// AskAbout fills in the form on the page of a unit.
func (s *Stack) AskAbout(ctx context.Context, unitID string, fields map[string]string) (Reply, error) {
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, value)
	}
	return exchange(ctx, http.MethodPost, s.Ingress+"/listings/"+unitID, strings.NewReader(form.Encode()),
		map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
}

// Applicant is a prospect as RentVine has him.
type Applicant struct {
	UnitID    string `json:"unitID"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Email     string `json:"email"`
	Phone     string `json:"phone"`
}

// Applicants lists the prospects at RentVine.
func (s *Stack) Applicants(ctx context.Context) ([]Applicant, error) {
	var rows []struct {
		Prospect Applicant `json:"prospect"`
	}
	if err := s.RentVine(ctx, "/screening/prospects?pageSize=100", &rows); err != nil {
		return nil, err
	}
	var all []Applicant
	for _, row := range rows {
		all = append(all, row.Prospect)
	}
	return all, nil
}

// Filed lists the names of the files on an object in RentVine, in the order of their
// ids; the kind is such as FiledOnProperty.
func (s *Stack) Filed(ctx context.Context, kind, id string) ([]string, error) {
	var names []string
	for page := 1; ; page++ {
		var rows []struct {
			File struct {
				Name string `json:"fileName"`
			} `json:"file"`
			Attachment struct {
				ObjectTypeID string `json:"objectTypeID"`
				ObjectID     string `json:"objectID"`
			} `json:"attachment"`
		}
		err := s.RentVine(ctx, fmt.Sprintf("/files?includes=attachment&pageSize=100&page=%d", page), &rows)
		if err != nil || len(rows) == 0 {
			return names, err
		}
		for _, row := range rows {
			if row.Attachment.ObjectTypeID == kind && row.Attachment.ObjectID == id {
				names = append(names, row.File.Name)
			}
		}
	}
}
