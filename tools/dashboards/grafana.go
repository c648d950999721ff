package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// schema is the version of Grafana's model that is written; newer ones read it.
const schema = 39

type object = map[string]any

// source is the Prometheus that the reader has chosen at the top of the page.
func source() object { return object{"type": "prometheus", "uid": "${datasource}"} }

// JSON is the dashboard as Grafana reads it. Keys are sorted, so the same dashboard is
// the same text.
func (d Dashboard) JSON() ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // PromQL compares
	encoder.SetIndent("", "  ")
	err := encoder.Encode(object{
		"uid": d.UID, "title": d.Title, "description": d.Description, "tags": []string{"keyholder"},
		"schemaVersion": schema, "version": 1, "editable": true, "graphTooltip": 1, "refresh": "30s", "timezone": "browser",
		"time":       object{"from": "now-6h", "to": "now"},
		"templating": object{"list": d.variables()},
		"panels":     d.panels(),
		"links": []object{{
			"type": "dashboards", "title": "Keyholder", "tags": []string{"keyholder"}, "asDropdown": true, "includeVars": false, "keepTime": true,
		}},
	})
	return text.Bytes(), err
}

func (d Dashboard) variables() []object {
	variables := []object{{
		"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0, "refresh": 1, "current": object{},
	}}
	for _, v := range d.Variables {
		variables = append(variables, object{
			"name": v.Name, "label": v.Label, "type": "query", "datasource": source(), "query": v.Query, "definition": v.Query,
			"refresh": 2, "sort": 1, "multi": true, "includeAll": true, "allValue": ".*",
			"current": object{"text": []string{"All"}, "value": []string{"$__all"}},
		})
	}
	return variables
}

// panels lays rows out from left to right and top to bottom, over 24 columns.
func (d Dashboard) panels() []object {
	var out []object
	y, id := 0, 0
	for _, row := range d.Rows {
		id++
		out = append(out, object{"id": id, "type": "row", "title": row.Title, "collapsed": false, "panels": []object{}, "gridPos": object{"x": 0, "y": y, "w": 24, "h": 1}})
		y++
		x, tallest := 0, 0
		for _, p := range row.Panels {
			if x+p.Width > 24 {
				x, y, tallest = 0, y+tallest, 0
			}
			id++
			out = append(out, p.object(id, object{"x": x, "y": y, "w": p.Width, "h": p.Height}))
			x, tallest = x+p.Width, max(tallest, p.Height)
		}
		y += tallest
	}
	return out
}

func (p Panel) object(id int, at object) object {
	return object{
		"id": id, "type": p.Kind, "title": p.Title, "description": p.Description, "gridPos": at,
		"datasource": source(), "targets": p.targets(), "options": p.options(),
		"fieldConfig": object{"defaults": p.defaults(), "overrides": []object{}},
	}
}

func (p Panel) targets() []object {
	var targets []object
	for i, q := range p.Queries {
		target := object{"refId": string(rune('A' + i)), "datasource": source(), "expr": q.Expr, "editorMode": "code"}
		if p.Kind == "timeseries" {
			target["range"], target["legendFormat"], target["exemplar"] = true, q.Legend, q.Exemplars
		} else {
			target["instant"], target["range"], target["legendFormat"] = true, false, q.Legend
		}
		if p.Kind == "table" {
			target["format"] = "table"
		}
		targets = append(targets, target)
	}
	return targets
}

func (p Panel) options() object {
	switch p.Kind {
	case "stat":
		return object{"reduceOptions": object{"calcs": []string{"lastNotNull"}}, "colorMode": "background", "graphMode": "none", "textMode": "value"}
	case "table":
		return object{"showHeader": true, "sortBy": []object{{"displayName": "Value", "desc": true}}}
	}
	return object{
		"legend":  object{"displayMode": "list", "placement": "bottom", "showLegend": true},
		"tooltip": object{"mode": "multi", "sort": "desc"},
	}
}

func (p Panel) defaults() object {
	steps := []object{{"color": green, "value": nil}}
	for _, s := range p.Steps {
		steps = append(steps, object{"color": s.Color, "value": s.From})
	}
	defaults := object{"unit": p.Unit, "min": 0, "thresholds": object{"mode": "absolute", "steps": steps}}
	if p.Kind != "timeseries" {
		return defaults
	}
	custom := object{"drawStyle": "line", "lineWidth": 1, "fillOpacity": 8, "showPoints": "never", "spanNulls": false}
	if p.Stacked {
		custom["stacking"], custom["fillOpacity"] = object{"mode": "normal", "group": "A"}, 30
	}
	if len(p.Steps) > 0 {
		custom["thresholdsStyle"] = object{"mode": "dashed"}
	}
	defaults["custom"] = custom
	return defaults
}

// check finds what a reader would stumble on.
func (d Dashboard) check() error {
	if d.UID == "" || d.Title == "" || d.Description == "" {
		return fmt.Errorf("%q needs uid, title and description", d.Title)
	}
	var titles []string
	for _, row := range d.Rows {
		for _, p := range row.Panels {
			if p.Description == "" || p.Unit == "" || len(p.Queries) == 0 {
				return fmt.Errorf("%s: panel %q needs description, unit and queries", d.Title, p.Title)
			}
			if slices.Contains(titles, p.Title) {
				return fmt.Errorf("%s: two panels %q", d.Title, p.Title)
			}
			titles = append(titles, p.Title)
		}
	}
	return nil
}
