package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sethvargo/go-retry"
	enumspb "go.temporal.io/api/enums/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/aictive/keyholder/workflows/durable"
)

const (
	// DefaultRetentionDays is how long closed workflows must stay readable: the
	// ingress asks them whether they knew an event.
	DefaultRetentionDays = 90

	// settleFor bounds the wait until a cluster's caches show a change; the
	// server refreshes them at least once a minute.
	settleFor = 75 * time.Second
)

// SetupOptions say what a cluster must have.
type SetupOptions struct {
	// Namespace is the namespace to prepare; "" means "default".
	Namespace string
	// RetentionDays is the least retention; 0 means DefaultRetentionDays. A longer
	// one is left alone.
	RetentionDays int
}

func (o SetupOptions) filled() SetupOptions {
	if o.Namespace == "" {
		o.Namespace = client.DefaultNamespace
	}
	if o.RetentionDays == 0 {
		o.RetentionDays = DefaultRetentionDays
	}
	return o
}

func (o SetupOptions) retention() time.Duration {
	return time.Duration(o.RetentionDays) * 24 * time.Hour
}

// Finding is one difference between a cluster and what Keyholder needs.
type Finding struct {
	// What names the thing, such as "search attribute Stage".
	What string
	// Have and Want are its state before, and the state needed.
	Have, Want string
	// Fixed tells that Setup has put it right.
	Fixed bool
	// Advice says what a person can do where it is not fixed.
	Advice string
}

// String is one line for a person.
func (f Finding) String() string {
	switch {
	case f.Fixed:
		return fmt.Sprintf("%s: was %s, now %s", f.What, f.Have, f.Want)
	case f.Advice != "":
		return fmt.Sprintf("%s: is %s, needs %s: %s", f.What, f.Have, f.Want, f.Advice)
	default:
		return fmt.Sprintf("%s: is %s, needs %s", f.What, f.Have, f.Want)
	}
}

// Report is what Setup did, or what Check saw.
type Report struct {
	Namespace string
	// Findings lists the differences; empty where the cluster was as it must be.
	Findings []Finding
}

// OK tells whether nothing is left to do.
func (r Report) OK() bool {
	return !slices.ContainsFunc(r.Findings, func(f Finding) bool { return !f.Fixed })
}

// Check lists every difference and changes nothing. The error is for a cluster
// that cannot be asked.
func Check(ctx context.Context, c client.Client, o SetupOptions) (Report, error) {
	o = o.filled()
	report := Report{Namespace: o.Namespace}
	have, err := retention(ctx, c, o.Namespace)
	if errors.As(err, new(*serviceerror.NamespaceNotFound)) {
		report.Findings = append(report.Findings, Finding{What: "namespace " + o.Namespace, Have: missing, Want: "registered"})
		for _, name := range slices.Sorted(maps.Keys(durable.SearchAttributes())) {
			report.Findings = append(report.Findings, attributeFinding(name, missing))
		}
		return report, nil
	}
	if err != nil {
		return report, fmt.Errorf("describe namespace %s: %w", o.Namespace, err)
	}
	if have < o.retention() {
		report.Findings = append(report.Findings, retentionFinding(have, o))
	}
	attributes, err := attributeFindings(ctx, c, o.Namespace)
	report.Findings = append(report.Findings, attributes...)
	return report, err
}

// Setup makes the cluster as it must be; what is right already is left alone, so
// it can run as often as one likes. What the cluster refuses (Temporal Cloud keeps
// namespaces and search attributes to its own tools) comes back as a finding with
// advice, not as an error.
func Setup(ctx context.Context, c client.Client, o SetupOptions) (Report, error) {
	o = o.filled()
	report := Report{Namespace: o.Namespace}
	found, err := ensureNamespace(ctx, c, o)
	report.Findings = append(report.Findings, found...)
	if err != nil || !report.OK() {
		return report, err
	}
	found, err = ensureAttributes(ctx, c, o.Namespace)
	report.Findings = append(report.Findings, found...)
	return report, err
}

const missing = "missing"

func retention(ctx context.Context, c client.Client, namespace string) (time.Duration, error) {
	ns, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	if err != nil {
		return 0, err
	}
	return ns.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(), nil
}

func retentionFinding(have time.Duration, o SetupOptions) Finding {
	return Finding{
		What: fmt.Sprintf("retention of namespace %s", o.Namespace),
		Have: fmt.Sprintf("%g days", have.Hours()/24), Want: fmt.Sprintf("%d days", o.RetentionDays),
	}
}

func ensureNamespace(ctx context.Context, c client.Client, o SetupOptions) ([]Finding, error) {
	have, err := retention(ctx, c, o.Namespace)
	if errors.As(err, new(*serviceerror.NamespaceNotFound)) {
		return registerNamespace(ctx, c, o)
	}
	if err != nil {
		return nil, fmt.Errorf("describe namespace %s: %w", o.Namespace, err)
	}
	if have >= o.retention() {
		return nil, nil
	}
	finding := retentionFinding(have, o)
	_, err = c.WorkflowService().UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{
		Namespace: o.Namespace,
		Config:    &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(o.retention())},
	})
	advice := fmt.Sprintf("set it in Temporal Cloud's page of the namespace, or: tcld namespace retention set -n %s -rd %d", o.Namespace, o.RetentionDays)
	return settle(finding, err, advice)
}

func registerNamespace(ctx context.Context, c client.Client, o SetupOptions) ([]Finding, error) {
	finding := Finding{What: "namespace " + o.Namespace, Have: missing, Want: "registered"}
	_, err := c.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace:                        o.Namespace,
		Description:                      "Property-management workflows of Keyholder",
		WorkflowExecutionRetentionPeriod: durationpb.New(o.retention()),
	})
	if errors.As(err, new(*serviceerror.NamespaceAlreadyExists)) {
		err = nil // another setup was quicker
	}
	found, err := settle(finding, err, "create it with Temporal Cloud's page or tcld, with a retention of 90 days, then run setup again")
	if err != nil || !found[0].Fixed {
		return found, err
	}
	// The services learn of a namespace with a delay.
	return found, eventually(ctx, func(ctx context.Context) error {
		_, err := attributes(ctx, c, o.Namespace)
		return err
	})
}

// settle turns the answer to a change into its finding: a refusal is advice, any
// other failure an error.
func settle(f Finding, err error, advice string) ([]Finding, error) {
	switch {
	case err == nil:
		f.Fixed = true
		return []Finding{f}, nil
	case refused(err):
		f.Advice = "this cluster does not let us change it (" + err.Error() + "); " + advice
		return []Finding{f}, nil
	default:
		return []Finding{f}, fmt.Errorf("%s: %w", f.What, err)
	}
}

func refused(err error) bool {
	return errors.As(err, new(*serviceerror.PermissionDenied)) || errors.As(err, new(*serviceerror.Unimplemented))
}

func attributes(ctx context.Context, c client.Client, namespace string) (map[string]enumspb.IndexedValueType, error) {
	list, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return nil, fmt.Errorf("list search attributes of namespace %s: %w", namespace, err)
	}
	return list.GetCustomAttributes(), nil
}

func attributeFinding(name, have string) Finding {
	return Finding{What: "search attribute " + name, Have: have, Want: durable.SearchAttributes()[name].String()}
}

func attributeFindings(ctx context.Context, c client.Client, namespace string) ([]Finding, error) {
	have, err := attributes(ctx, c, namespace)
	if err != nil {
		return nil, err
	}
	want := durable.SearchAttributes()
	var found []Finding
	for _, name := range slices.Sorted(maps.Keys(want)) {
		switch typ, exists := have[name]; {
		case !exists:
			found = append(found, attributeFinding(name, missing))
		case typ != want[name]:
			f := attributeFinding(name, typ.String())
			f.Advice = "the type of a search attribute cannot be changed: remove it (temporal operator search-attribute remove) or use another namespace"
			found = append(found, f)
		}
	}
	return found, nil
}

func ensureAttributes(ctx context.Context, c client.Client, namespace string) ([]Finding, error) {
	found, err := attributeFindings(ctx, c, namespace)
	if err != nil {
		return nil, err
	}
	add := map[string]enumspb.IndexedValueType{}
	for _, name := range slices.Sorted(maps.Keys(durable.SearchAttributes())) {
		if slices.Contains(found, attributeFinding(name, missing)) {
			add[name] = durable.SearchAttributes()[name]
		}
	}
	if len(add) == 0 {
		return found, nil
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: namespace, SearchAttributes: add})
	for i, f := range found {
		if f.Have != missing {
			continue
		}
		settled, failed := settle(f, err, "add it with Temporal Cloud's page of the namespace, or: tcld namespace search-attributes add")
		found[i] = settled[0]
		if failed != nil {
			return found, failed
		}
	}
	if refused(err) {
		return found, nil
	}
	return found, eventually(ctx, func(ctx context.Context) error {
		left, err := attributeFindings(ctx, c, namespace)
		if err == nil && slices.ContainsFunc(left, func(f Finding) bool { return f.Have == missing }) {
			err = errors.New("added search attributes do not show yet")
		}
		if err != nil {
			return err
		}
		return usable(ctx, c, namespace)
	})
}

// usable asks for workflows by every search attribute. The list of them comes from the
// database, while workflows and schedules are checked against what the server knows of the
// namespace, which is seconds older.
func usable(ctx context.Context, c client.Client, namespace string) error {
	var terms []string
	for _, name := range slices.Sorted(maps.Keys(durable.SearchAttributes())) {
		terms = append(terms, name+" IS NULL")
	}
	_, err := c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: namespace, Query: strings.Join(terms, " AND ")})
	return err
}

// eventually repeats a look at the cluster until it succeeds, at most settleFor.
func eventually(ctx context.Context, look func(context.Context) error) error {
	backoff := retry.WithMaxDuration(settleFor, retry.NewConstant(250*time.Millisecond))
	return retry.Do(ctx, backoff, func(ctx context.Context) error { return retry.RetryableError(look(ctx)) })
}
