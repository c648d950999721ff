// Package cluster is how Keyholder reaches and prepares a Temporal cluster: it
// dials one as the environment says (Dial), keeps payloads private (Keys,
// CodecHandler), makes a namespace fit for the workflows (Setup, Check), and runs
// Temporal's dev server for `keyholder dev` and the tests (StartDevServer).
package cluster
