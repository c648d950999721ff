package cluster_test

import (
	"fmt"
	"strings"

	"github.com/aictive/keyholder/cluster"
)

// A key is replaced by putting the new one in front: it encrypts from now on, and
// what the old one encrypted stays readable.
func ExampleParseKeys() {
	before := "2026-10:" + strings.Repeat("A", 43) + "="
	after := "2026-11:" + strings.Repeat("B", 42) + "E=," + before

	was, err := cluster.ParseKeys(before)
	if err != nil {
		fmt.Println(err)
		return
	}
	is, err := cluster.ParseKeys(after)
	if err != nil {
		fmt.Println(err)
		return
	}
	old, _ := was.Converters()
	now, _ := is.Converters()
	payload, err := old.ToPayload("no water in unit 12")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(payload.GetMetadata()[cluster.MetadataKeyID]))
	fmt.Println(now.ToString(payload))
	// Output:
	// 2026-10
	// "no water in unit 12"
}
