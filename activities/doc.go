// Package activities is what workflows may ask for. Each file is one partner or
// capability: the typed handles that workflows use, the limits, how each is safe
// to repeat, and the code behind it.
package activities
