// Package ingress is the HTTP door: it verifies what partners post, decodes it
// into one typed event, and hands it to the workflow of its entity in a single
// call to Temporal. It acknowledges only what Temporal has confirmed and whose
// receipt is kept.
//
// A delivery passes, in this order: size and content type, signature
// (signature.go), decoding (decode.go), the memory of recent events (recent.go),
// the route table (routes.go), SignalWithStart (deliver.go), and the receipt
// (receipts.go). Nothing is parsed before its signature has been verified; the experimental in-body scheme
// is the documented exception.
package ingress
