package deploy

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const manifests = root + "/deploy/kubernetes"

// kinds decode each kind that may be used.
var kinds = map[string]func() any{
	"v1/Namespace":                           func() any { return &corev1.Namespace{} },
	"v1/ConfigMap":                           func() any { return &corev1.ConfigMap{} },
	"v1/Secret":                              func() any { return &corev1.Secret{} },
	"v1/Service":                             func() any { return &corev1.Service{} },
	"v1/PersistentVolumeClaim":               func() any { return &corev1.PersistentVolumeClaim{} },
	"apps/v1/Deployment":                     func() any { return &appsv1.Deployment{} },
	"batch/v1/Job":                           func() any { return &batchv1.Job{} },
	"autoscaling/v2/HorizontalPodAutoscaler": func() any { return &autoscalingv2.HorizontalPodAutoscaler{} },
	"policy/v1/PodDisruptionBudget":          func() any { return &policyv1.PodDisruptionBudget{} },
	"networking.k8s.io/v1/NetworkPolicy":     func() any { return &networkingv1.NetworkPolicy{} },
	"temporal.io/v1alpha1/Connection":        func() any { return &connection{} },
	"temporal.io/v1alpha1/WorkerDeployment":  func() any { return &workerDeployment{} },
}

// decode reads manifests strictly: a field that its kind does not have is an error.
func decode(t *testing.T, text []byte) []any {
	t.Helper()
	var all []any
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		var meta metav1.TypeMeta
		require.NoError(t, yaml.Unmarshal(document, &meta))
		made, ok := kinds[meta.APIVersion+"/"+meta.Kind]
		require.True(t, ok, "nobody checks %s/%s", meta.APIVersion, meta.Kind)
		object := made()
		require.NoError(t, strictly(document, object), string(document))
		all = append(all, object)
	}
}

// strictly decodes as the API server does: names of fields are told apart by case.
func strictly(document []byte, object any) error {
	text, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return err
	}
	unknown, err := json.UnmarshalStrict(text, object)
	return errors.Join(append(unknown, err)...)
}

// build is what kubectl apply --kustomize sends.
func build(t *testing.T, folder string) []any {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(manifests, folder))
	require.NoError(t, err)
	text, err := built.AsYaml()
	require.NoError(t, err)
	return decode(t, text)
}

// pods are the templates of pods by the name of what makes them.
func pods(objects []any) map[string]corev1.PodTemplateSpec {
	found := map[string]corev1.PodTemplateSpec{}
	for _, o := range objects {
		switch o := o.(type) {
		case *appsv1.Deployment:
			found[o.Name] = o.Spec.Template
		case *batchv1.Job:
			found[o.Name] = o.Spec.Template
		case *workerDeployment:
			found[o.Name] = o.Spec.Template
		}
	}
	return found
}

// jobs are applied by hand, beside the rest.
func jobs(t *testing.T) []any {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(manifests, "job-*.yaml"))
	require.NoError(t, err)
	require.Len(t, files, 3)
	var all []any
	for _, path := range files {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		all = append(all, decode(t, text)...)
	}
	return all
}

func TestManifestsAreWhatTheirKindsAllow(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"", "../kubernetes-queues"} {
		for _, o := range build(t, folder) {
			if checked, ok := o.(interface{ check() error }); ok {
				require.NoError(t, checked.check())
			}
			if meta, ok := o.(metav1.Object); ok && meta.GetName() != "keyholder" {
				require.Equal(t, "keyholder", meta.GetNamespace(), meta.GetName())
			}
		}
	}
}

func TestPodsHaveAsFewRightsAsTheyCan(t *testing.T) {
	t.Parallel()
	all := pods(slices.Concat(build(t, ""), build(t, "../kubernetes-queues"), jobs(t)))
	require.Len(t, all, 9)
	for name, pod := range all {
		require.True(t, *pod.Spec.SecurityContext.RunAsNonRoot, name)
		require.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, pod.Spec.SecurityContext.SeccompProfile.Type, name)
		require.False(t, *pod.Spec.AutomountServiceAccountToken, name)
		for _, c := range pod.Spec.Containers {
			require.True(t, *c.SecurityContext.ReadOnlyRootFilesystem, name)
			require.False(t, *c.SecurityContext.AllowPrivilegeEscalation, name)
			require.Equal(t, []corev1.Capability{"ALL"}, c.SecurityContext.Capabilities.Drop, name)
			require.NotZero(t, c.Resources.Limits.Memory().Value(), name)
			require.NotZero(t, c.Resources.Requests.Cpu().MilliValue(), name)
			require.Equal(t, "registry.example.com/keyholder:v0.9.0", c.Image, "%s: the image is set in one place", name)
		}
	}
}

func TestPodsFindWhatTheyMountAndRead(t *testing.T) {
	t.Parallel()
	objects := build(t, "")
	text, err := os.ReadFile(filepath.Join(manifests, "secrets.example.yaml"))
	require.NoError(t, err)
	objects = append(objects, decode(t, text)...)
	data := map[string]map[string]string{}
	claims := map[string]bool{}
	for _, o := range objects {
		switch o := o.(type) {
		case *corev1.ConfigMap:
			data["config "+o.Name] = o.Data
		case *corev1.Secret:
			data["secret "+o.Name] = o.StringData
			for key, value := range o.StringData {
				require.Empty(t, value, "a value for %s stands in the example", key)
			}
		case *corev1.PersistentVolumeClaim:
			claims[o.Name] = true
		}
	}
	known := variables(t)
	for name, values := range data {
		for variable := range values {
			if strings.HasPrefix(variable, "KEYHOLDER_") {
				require.True(t, known[variable], "%s: the program has no %s", name, variable)
			}
		}
	}
	for name, pod := range pods(slices.Concat(objects, build(t, "../kubernetes-queues"), jobs(t))) {
		for _, v := range pod.Spec.Volumes {
			require.True(t, v.ConfigMap == nil || data["config "+v.ConfigMap.Name] != nil, "%s: %s", name, v.Name)
			require.True(t, v.PersistentVolumeClaim == nil || claims[v.PersistentVolumeClaim.ClaimName], "%s: %s", name, v.Name)
		}
		for _, from := range pod.Spec.Containers[0].EnvFrom {
			require.True(t, from.ConfigMapRef == nil || data["config "+from.ConfigMapRef.Name] != nil, name)
			require.True(t, from.SecretRef == nil || data["secret "+from.SecretRef.Name] != nil, name)
		}
		for _, e := range pod.Spec.Containers[0].Env {
			if ref := e.ValueFrom.SecretKeyRef; ref != nil {
				require.Contains(t, data["secret "+ref.Name], ref.Key, name)
			}
			if ref := e.ValueFrom.ConfigMapKeyRef; ref != nil {
				require.Contains(t, data["config "+ref.Name], ref.Key, name)
			}
		}
	}
}

// The controller tells a worker where Temporal is and which version it is. Words of our
// own beside these would be another version than the one that it waits for.
func TestTheControllerHasTheLastWordOnVersions(t *testing.T) {
	t.Parallel()
	for _, o := range build(t, "../kubernetes-queues") {
		if c, ok := o.(*corev1.ConfigMap); ok && c.Name == "keyholder" {
			require.NotContains(t, c.Data, "KEYHOLDER_BUILD_ID")
			require.NotContains(t, c.Data, "TEMPORAL_ADDRESS")
		}
		if w, ok := o.(*workerDeployment); ok {
			for _, from := range w.Spec.Template.Spec.Containers[0].EnvFrom {
				require.True(t, from.ConfigMapRef == nil || from.ConfigMapRef.Name != "temporal", w.Name)
			}
		}
	}
}

// Each queue has workers, and no queue is of two deployments.
func TestEveryQueueBelongsToOneDeployment(t *testing.T) {
	t.Parallel()
	var served []string
	for _, o := range build(t, "../kubernetes-queues") {
		if w, ok := o.(*workerDeployment); ok {
			require.NotEqual(t, "worker", w.Name, "the deployment for all queues is taken out")
			args := w.Spec.Template.Spec.Containers[0].Args
			require.Equal(t, []string{"worker", "--queues"}, args[:2])
			served = append(served, strings.Split(args[2], ",")...)
		}
	}
	require.ElementsMatch(t, queues(t), served)
}

func TestMistakesAreCaught(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, strictly([]byte("spec: {hostport: a:1}"), &connection{}), "unknown field", "a misspelt field is an error")
	var w workerDeployment
	require.NoError(t, yaml.Unmarshal([]byte("spec: {workerOptions: {connectionRef: {name: a}, temporalNamespace: b}, rollout: {strategy: Progressive, steps: [{rampPercentage: 50, pauseDuration: 1m}, {rampPercentage: 5, pauseDuration: 1m}]}}"), &w))
	require.ErrorContains(t, w.check(), "must grow")
}
