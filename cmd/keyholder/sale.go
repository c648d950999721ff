package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aictive/keyholder/ingress"
)

func saleCommand() *cobra.Command {
	var f apiFlags
	cmd := &cobra.Command{
		Use:   "sale",
		Short: "Create sales at OpenMoove and look at them",
		Args:  args(cobra.NoArgs),
		RunE:  named,
	}
	f.register(cmd)
	cmd.AddCommand(saleCreateCommand(&f), saleShowCommand(&f))
	return cmd
}

// maxSaleWait is the longest that the ingress waits for a sale.
const maxSaleWait = 30 * time.Second

func saleCreateCommand(f *apiFlags) *cobra.Command {
	var wait time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "create FILE...",
		Short: "Create the sale of each file (JSON); - is standard input",
		Long: `Submits sales to the ingress, one a file, and prints what became of each. The same
sale (address, postcode and seller's e-mail) is created once, however often it is
submitted. A sale that is queued is created by itself; "keyholder sale show" tells
when. Exits 1 where any sale was refused.`,
		Example: `  keyholder sale create testdata/sales/*.json
  keyholder sale create --wait 0s sale.json`,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, files []string) error {
			if wait < 0 || wait > maxSaleWait {
				return usageError{fmt.Errorf("--wait must be from 0s to %s", maxSaleWait)}
			}
			client, err := f.client()
			if err != nil {
				return err
			}
			failed := 0
			for _, file := range files {
				if err := createSale(cmd, client, file, wait, asJSON); err != nil {
					if cmd.Context().Err() != nil {
						return errors.New("interrupted; submitting a sale again is safe")
					}
					failed++
					printFailed(cmd, err, file)
				}
			}
			if failed > 0 {
				return fmt.Errorf("%d of %d sales were not taken", failed, len(files))
			}
			return nil
		},
	}
	cmd.Flags().DurationVar(&wait, "wait", 5*time.Second, "how long to wait for each property, up to 30s")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answers as they are, one a line")
	return cmd
}

// printFailed says why a sale was not taken, with the fields that are wrong.
func printFailed(cmd *cobra.Command, err error, file string) {
	word, fields := "failed", []ingress.FieldError(nil)
	if refusal := new(apiRefusal); errors.As(err, &refusal) && !refusal.transient() {
		word, fields = "refused", refusal.problem.Errors
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%-8s  %v  (%s)\n", word, err, file)
	printFields(cmd.ErrOrStderr(), fields)
}

// saleReply is what the ingress answers about a sale.
type saleReply struct {
	Status        string `json:"status"`
	RequestID     string `json:"request_id"`
	PropertyID    string `json:"property_id"`
	TransactionID string `json:"transaction_id"`
	WorkflowID    string `json:"workflow_id"`
	Message       string `json:"message"`
	Team          []struct {
		Role   string `json:"role"`
		Email  string `json:"email"`
		Reason string `json:"reason"`
	} `json:"team"`
	MissingMilestones []string             `json:"missing_milestones"`
	Errors            []ingress.FieldError `json:"errors"`
}

// createSale submits one file and prints a line.
func createSale(cmd *cobra.Command, client *apiClient, file string, wait time.Duration, asJSON bool) error {
	body, err := readInput(cmd, file)
	if err != nil {
		return err
	}
	seconds := int((wait + time.Second - 1) / time.Second)
	answer, err := client.do(cmd.Context(), apiCall{
		method: http.MethodPost, path: "/v1/sales", media: "application/json", body: body,
		prefer: fmt.Sprintf("wait=%d", seconds), limit: wait + apiLimit,
	})
	if err != nil {
		return err
	}
	if asJSON {
		fmt.Fprintf(cmd.OutOrStdout(), "%s\n", answer.body)
	}
	var sale saleReply
	if err := answer.into(&sale); err != nil {
		return err
	}
	if asJSON {
		return nil
	}
	what := "property " + sale.PropertyID
	if sale.PropertyID == "" {
		what = "request " + sale.RequestID
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%-8s  %s  (%s)\n", sale.Status, what, file)
	if sale.Message != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "  %s\n", sale.Message)
	}
	if sale.PropertyID == "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "  Next: keyholder sale show %s%s\n", sale.RequestID, sameFlags(cmd))
	}
	if len(sale.MissingMilestones) > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "  OpenMoove lacks the milestones %s\n", strings.Join(sale.MissingMilestones, ", "))
	}
	return nil
}

func saleShowCommand(f *apiFlags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show REQUEST_ID",
		Short: "Tell what became of a sale",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			client, err := f.client()
			if err != nil {
				return err
			}
			answer, err := client.do(cmd.Context(), apiCall{method: http.MethodGet, path: "/v1/sales/" + url.PathEscape(given[0])})
			if err != nil {
				return err
			}
			var sale saleReply
			if err := answer.into(&sale); err != nil {
				return err
			}
			if asJSON {
				fmt.Fprintln(cmd.OutOrStdout(), string(answer.body))
				return nil
			}
			printSale(cmd, sale)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answer as it is")
	return cmd
}

func printSale(cmd *cobra.Command, sale saleReply) {
	line := func(label, value string) {
		if value != "" {
			fmt.Fprintf(cmd.OutOrStdout(), "%-12s %s\n", label, value)
		}
	}
	line("status", sale.Status)
	line("because", sale.Message)
	line("property", sale.PropertyID)
	line("transaction", sale.TransactionID)
	line("workflow", sale.WorkflowID)
	for _, m := range sale.Team {
		line(strings.ReplaceAll(m.Role, "_", " "), fmt.Sprintf("%s (%s)", m.Email, m.Reason))
	}
	line("missing", strings.Join(sale.MissingMilestones, ", "))
	printFields(cmd.OutOrStdout(), sale.Errors)
}
