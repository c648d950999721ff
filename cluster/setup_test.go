package cluster_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/workflows/durable"
)

func retentionDays(t *testing.T, c client.Client, namespace string) float64 {
	t.Helper()
	ns, err := c.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	require.NoError(t, err)
	return ns.Config.WorkflowExecutionRetentionTtl.AsDuration().Hours() / 24
}

// The namespace that a dev server starts with lacks only retention; a second
// setup has nothing to do.
func TestSetupRaisesRetention(t *testing.T) {
	t.Parallel()
	needTemporal(t)
	server, err := cluster.StartDevServer(t.Context(), cluster.DevServerOptions{Namespace: "acme"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	c := dial(t, cluster.Options{Address: server.Address()})
	o := cluster.SetupOptions{Namespace: server.Namespace()}
	seen, err := cluster.Check(t.Context(), c, o)
	require.NoError(t, err)
	require.False(t, seen.OK())
	require.Len(t, seen.Findings, 1, "the search attributes came with the start")
	require.Equal(t, "retention of namespace acme: is 1 days, needs 90 days", seen.Findings[0].String())
	require.InDelta(t, 1, retentionDays(t, c, "acme"), 0, "a check changes nothing")

	done, err := cluster.Setup(t.Context(), c, o)
	require.NoError(t, err)
	require.True(t, done.OK())
	require.Equal(t, "retention of namespace acme: was 1 days, now 90 days", done.Findings[0].String())
	require.InDelta(t, 90, retentionDays(t, c, "acme"), 0)

	again, err := cluster.Setup(t.Context(), c, cluster.SetupOptions{Namespace: "acme", RetentionDays: 30})
	require.NoError(t, err)
	require.Empty(t, again.Findings, "a longer retention is left alone")
}

func TestSetupOfNewNamespace(t *testing.T) {
	t.Parallel()
	c := dial(t, cluster.Options{Address: devServer(t).Address()})
	o := cluster.SetupOptions{Namespace: "fresh-" + uuid.NewString(), RetentionDays: 91}
	all := 1 + len(durable.SearchAttributes())
	seen, err := cluster.Check(t.Context(), c, o)
	require.NoError(t, err)
	require.Len(t, seen.Findings, all)

	done, err := cluster.Setup(t.Context(), c, o)
	require.NoError(t, err)
	require.True(t, done.OK())
	require.Len(t, done.Findings, all)
	require.InDelta(t, 91, retentionDays(t, c, o.Namespace), 0)

	seen, err = cluster.Check(t.Context(), c, o)
	require.NoError(t, err)
	require.Empty(t, seen.Findings)

	// It can be used at once.
	fresh := dial(t, cluster.Options{Address: devServer(t).Address(), Namespace: o.Namespace})
	_, err = fresh.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: "first", TaskQueue: "nobody",
		TypedSearchAttributes: durableStage("triage"),
	}, "nothing")
	require.NoError(t, err)
}

// A search attribute with another type cannot be put right by us: that is said,
// and the others are still added.
func TestSetupReportsWrongType(t *testing.T) {
	t.Parallel()
	odd := "odd-" + uuid.NewString()
	c := dial(t, cluster.Options{Address: devServer(t).Address()})
	_, err := c.WorkflowService().RegisterNamespace(t.Context(), &workflowservice.RegisterNamespaceRequest{
		Namespace: odd, WorkflowExecutionRetentionPeriod: days(90),
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err = c.OperatorService().AddSearchAttributes(t.Context(), &operatorservice.AddSearchAttributesRequest{
			Namespace: odd, SearchAttributes: map[string]enumspb.IndexedValueType{"Stage": enumspb.INDEXED_VALUE_TYPE_TEXT},
		})
		return err == nil
	}, time.Minute, 100*time.Millisecond)
	done, err := cluster.Setup(t.Context(), c, cluster.SetupOptions{Namespace: odd})
	require.NoError(t, err)
	require.False(t, done.OK())
	left := 0
	for _, f := range done.Findings {
		if !f.Fixed {
			left++
			require.Contains(t, f.String(), "search attribute Stage: is Text, needs Keyword: the type of a search attribute cannot be changed")
		}
	}
	require.Equal(t, 1, left)
	require.Len(t, done.Findings, len(durable.SearchAttributes()))
}

// A cluster that keeps its settings to itself, as Temporal Cloud does, gets
// advice for each difference and no error.
func TestSetupOnManagedCluster(t *testing.T) {
	t.Parallel()
	o := cluster.SetupOptions{Namespace: "managed-" + uuid.NewString()}
	whole := dial(t, cluster.Options{Address: devServer(t).Address()})
	_, err := whole.WorkflowService().RegisterNamespace(t.Context(), &workflowservice.RegisterNamespaceRequest{
		Namespace: o.Namespace, WorkflowExecutionRetentionPeriod: days(90),
	})
	require.NoError(t, err)
	c := managed{Client: whole}
	require.Eventually(t, func() bool {
		_, err := cluster.Check(t.Context(), c, o)
		return err == nil
	}, time.Minute, 100*time.Millisecond)
	done, err := cluster.Setup(t.Context(), c, o)
	require.NoError(t, err)
	require.False(t, done.OK())
	require.Len(t, done.Findings, len(durable.SearchAttributes()))
	require.Contains(t, done.Findings[0].String(), "tcld namespace search-attributes add")

	done, err = cluster.Setup(t.Context(), c, cluster.SetupOptions{Namespace: o.Namespace, RetentionDays: 100})
	require.NoError(t, err)
	require.Len(t, done.Findings, 1)
	require.Contains(t, done.Findings[0].String(), "tcld namespace retention set -n "+o.Namespace+" -rd 100")

	done, err = cluster.Setup(t.Context(), c, cluster.SetupOptions{Namespace: "absent"})
	require.NoError(t, err)
	require.Contains(t, done.Findings[0].String(), "namespace absent: is missing, needs registered: this cluster does not let us change it")
}

// managed refuses changes as Temporal Cloud does; what is read is real.
type managed struct{ client.Client }

func (m managed) WorkflowService() workflowservice.WorkflowServiceClient {
	return managedWorkflows{m.Client.WorkflowService()}
}

func (m managed) OperatorService() operatorservice.OperatorServiceClient {
	return managedOperator{m.Client.OperatorService()}
}

type managedWorkflows struct {
	workflowservice.WorkflowServiceClient
}

func (managedWorkflows) RegisterNamespace(context.Context, *workflowservice.RegisterNamespaceRequest, ...grpc.CallOption) (*workflowservice.RegisterNamespaceResponse, error) {
	return nil, serviceerror.NewPermissionDenied("Request unauthorized.", "")
}

func (managedWorkflows) UpdateNamespace(context.Context, *workflowservice.UpdateNamespaceRequest, ...grpc.CallOption) (*workflowservice.UpdateNamespaceResponse, error) {
	return nil, serviceerror.NewPermissionDenied("Request unauthorized.", "")
}

type managedOperator struct {
	operatorservice.OperatorServiceClient
}

func (managedOperator) AddSearchAttributes(context.Context, *operatorservice.AddSearchAttributesRequest, ...grpc.CallOption) (*operatorservice.AddSearchAttributesResponse, error) {
	return nil, serviceerror.NewUnimplemented("unknown method AddSearchAttributes")
}
