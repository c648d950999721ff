package deploy

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The resources of Temporal's worker controller that the manifests use, as the API
// temporal.io/v1alpha1 of its release 1.8 has them (github.com/temporalio/
// temporal-worker-controller). They are written down here because its module cannot be
// had from the module proxy.
type (
	connection struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata"`

		Spec struct {
			HostPort string `json:"hostPort"`
			TLS      *struct {
				ServerName string `json:"serverName,omitempty"`
			} `json:"tls,omitempty"`
			MutualTLSSecretRef *reference                `json:"mutualTLSSecretRef,omitempty"`
			APIKeySecretRef    *corev1.SecretKeySelector `json:"apiKeySecretRef,omitempty"`
		} `json:"spec"`
	}
	workerDeployment struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata"`

		Spec struct {
			Replicas                *int32                 `json:"replicas,omitempty"`
			Template                corev1.PodTemplateSpec `json:"template"`
			MinReadySeconds         int32                  `json:"minReadySeconds,omitempty"`
			ProgressDeadlineSeconds *int32                 `json:"progressDeadlineSeconds,omitempty"`
			Rollout                 rollout                `json:"rollout"`
			Sunset                  struct {
				ScaledownDelay metav1.Duration `json:"scaledownDelay"`
				DeleteDelay    metav1.Duration `json:"deleteDelay"`
			} `json:"sunset"`
			WorkerOptions struct {
				ConnectionRef       reference `json:"connectionRef"`
				TemporalNamespace   string    `json:"temporalNamespace"`
				UnsafeCustomBuildID string    `json:"unsafeCustomBuildID,omitempty"`
			} `json:"workerOptions"`
		} `json:"spec"`
	}
	reference struct {
		Name string `json:"name"`
	}
	rollout struct {
		Strategy string `json:"strategy"`
		Gate     *struct {
			WorkflowType string `json:"workflowType"`
		} `json:"gate,omitempty"`
		Steps []struct {
			RampPercentage int             `json:"rampPercentage"`
			PauseDuration  metav1.Duration `json:"pauseDuration"`
		} `json:"steps,omitempty"`
	}
)

// check refuses what the rules of the API would refuse.
func (c connection) check() error {
	if !regexp.MustCompile(`^[a-zA-Z0-9.-]+:[0-9]+$`).MatchString(c.Spec.HostPort) {
		return fmt.Errorf("connection %s: %q is no host and port", c.Name, c.Spec.HostPort)
	}
	if c.Spec.MutualTLSSecretRef != nil && c.Spec.APIKeySecretRef != nil {
		return fmt.Errorf("connection %s: only one of mutualTLSSecretRef and apiKeySecretRef", c.Name)
	}
	return nil
}

func (w workerDeployment) check() error {
	if w.Spec.WorkerOptions.ConnectionRef.Name == "" || w.Spec.WorkerOptions.TemporalNamespace == "" {
		return errors.New("worker options without connection or namespace")
	}
	if policy := w.Spec.Template.Spec.RestartPolicy; policy != "" && policy != corev1.RestartPolicyAlways {
		return errors.New("the restart policy of a worker is Always")
	}
	if w.Spec.Rollout.Strategy != "Progressive" || len(w.Spec.Rollout.Steps) == 0 {
		return errors.New("a progressive rollout has steps")
	}
	last := 0
	for _, s := range w.Spec.Rollout.Steps {
		if s.RampPercentage <= last || s.RampPercentage > 99 {
			return fmt.Errorf("ramp of %d %% after %d %%: it must grow, up to 99", s.RampPercentage, last)
		}
		if s.PauseDuration.Duration < 30*time.Second {
			return errors.New("a pause is 30 s at least")
		}
		last = s.RampPercentage
	}
	return nil
}
