package main

import "testing"
import "os"

func TestTmpLeaseYear(t *testing.T) {
	if err := os.Chdir(".."); err != nil { t.Fatal(err) }
	if err := leaseYear(t.Context(), settings{binary: "/tmp/h_keyholder", small: os.Getenv("SMALL") != ""}, t.TempDir()); err != nil { t.Fatal(err) }
}
