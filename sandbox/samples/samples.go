// Package samples holds webhook bodies about the sandbox's seeded records: one for
// each event of RentVine's integration guide, plus one in the envelope of live
// deliveries (contracts/rentvine.md 6.1), one about a repair that is no emergency and
// one about a lease in Oregon; and one for each event of OpenMoove (contracts/openmoove.md 3). RentVine's live
// event names are not on record: the sample's is a guess.
package samples

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:embed bodies/*.json openmoove/*.json
var files embed.FS

// The folders of the partners, whose events have names in common.
const (
	rentVine  = "bodies"
	openMoove = "openmoove"
)

// Names lists RentVine's samples in alphabetical order: event names such as
// "work_order.created", and "work_order.created.live", "work_order.created.tap" and
// "lease.created.oregon".
func Names() []string { return names(rentVine) }

// Get is a sample of RentVine, the caller's to change. An unknown name is an error that
// lists those that there are.
func Get(name string) ([]byte, error) { return get(rentVine, name) }

// OpenMooveNames lists OpenMoove's samples in alphabetical order: event names such as
// "property.created".
func OpenMooveNames() []string { return names(openMoove) }

// OpenMoove is a sample of OpenMoove, the caller's to change. An unknown name is an
// error that lists those that there are.
func OpenMoove(name string) ([]byte, error) { return get(openMoove, name) }

func names(folder string) []string {
	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		return nil // cannot be: the folder is part of the program
	}
	var out []string
	for _, f := range entries {
		out = append(out, strings.TrimSuffix(f.Name(), ".json"))
	}
	return out
}

func get(folder, name string) ([]byte, error) {
	if strings.ContainsAny(name, "/\\") {
		return nil, unknown(folder, name)
	}
	body, err := files.ReadFile(path.Join(folder, name+".json"))
	if err != nil {
		return nil, unknown(folder, name)
	}
	return body, nil
}

func unknown(folder, name string) error {
	return fmt.Errorf("no sample %q; there are %s", name, strings.Join(names(folder), ", "))
}
