// Package samples holds one RentVine webhook body for each event of the integration
// guide, about the sandbox's seeded records, plus one in the envelope of live
// deliveries (contracts/rentvine.md 6.1). Live event names are not on record: the
// sample's is a guess.
package samples

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed bodies/*.json
var bodies embed.FS

// Names lists the samples in alphabetical order: event names such as
// "work_order.created", and "work_order.created.live".
func Names() []string {
	files, err := fs.ReadDir(bodies, "bodies")
	if err != nil {
		return nil // cannot be: the folder is part of the program
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ".json"))
	}
	return names
}

// Get is the sample's body, the caller's to change. An unknown name is an error that
// lists those that there are.
func Get(name string) ([]byte, error) {
	body, err := bodies.ReadFile("bodies/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("no sample %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return body, nil
}
