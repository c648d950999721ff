package main

import (
	"errors"
	"fmt"
)

// settled takes the version that Temporal's worker controller gives to the pods it
// makes, where there is one: it waits for workers that call themselves so, and
// routes to no others.
func (c BuildConfig) settled() (BuildConfig, error) {
	if c.ControllerBuildID == "" {
		return c, nil
	}
	if c.BuildID != "" && c.BuildID != c.ControllerBuildID {
		return c, usageError{fmt.Errorf("KEYHOLDER_BUILD_ID is %q and the worker controller's TEMPORAL_WORKER_BUILD_ID %q: leave KEYHOLDER_BUILD_ID out", c.BuildID, c.ControllerBuildID)}
	}
	if c.ControllerDeployment == "" {
		return c, usageError{errors.New("TEMPORAL_WORKER_BUILD_ID needs TEMPORAL_DEPLOYMENT_NAME beside it")}
	}
	c.BuildID, c.Deployment = c.ControllerBuildID, c.ControllerDeployment
	return c, nil
}

// awaited is the deployment that needs a current version before a worker is ready, ""
// without versioning. Under the controller there is none, which would be a deadlock:
// it makes a version current once its pods are ready.
func (c BuildConfig) awaited() string {
	if c.BuildID == "" || c.ControllerBuildID != "" {
		return ""
	}
	return c.Deployment
}
