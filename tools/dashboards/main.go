// Command dashboards writes Grafana's dashboards as JSON, into deploy/grafana unless an
// argument names another folder. A file here holds one dashboard; panel.go is the kit.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	dir := filepath.Join("deploy", "grafana")
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	if err := write(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// all are the dashboards, by the name of their file.
func all() map[string]Dashboard {
	return map[string]Dashboard{
		"overview.json":  overview(),
		"ingress.json":   ingress(),
		"workflows.json": workflows(),
		"partners.json":  partners(),
		"workers.json":   workers(),
		"server.json":    server(),
	}
}

func write(dir string) error {
	for name, d := range all() {
		text, err := d.JSON()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
