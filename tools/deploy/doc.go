// Package deploy checks what operators take away: docker-compose.yml, as Docker
// Compose would load it, and the manifests of deploy/kubernetes, as Kubernetes would
// decode them. It is a module of its own, so that the program carries none of that.
package deploy
