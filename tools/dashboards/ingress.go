package main

// ingress shows what comes in: webhooks, the API and people.
func ingress() Dashboard {
	return Dashboard{
		UID: "keyholder-ingress", Title: "Keyholder: ingress", Description: "What comes in from partners, programs and people, and how it is answered.",
		Variables: []Variable{{Name: "source", Label: "Partner", Query: "label_values(keyholder_ingress_webhooks_total, source)"}},
		Rows: []Row{
			{Title: "Webhooks", Panels: []Panel{
				graph("Deliveries by partner", "All deliveries, whatever the answer.", "reqps", Query{Expr: rate(`keyholder_ingress_webhooks_total{source=~"$source"}`, "source"), Legend: "{{source}}"}),
				graph("Answers", "By HTTP status and reason. accepted is taken; duplicate was known; parked waits for somebody.", "reqps",
					Query{Expr: rate(`keyholder_ingress_webhooks_total{source=~"$source"}`, "code, reason"), Legend: "{{code}} {{reason}}"}).stacked(),
				graph("Share refused", "401 is a bad signature, 429 too many, 5xx not confirmed by Temporal.", "percentunit",
					Query{Expr: share(`keyholder_ingress_webhooks_total{source=~"$source",code=~"[45].."}`, `keyholder_ingress_webhooks_total{source=~"$source"}`, "source"), Legend: "{{source}}"}).limit(0.05),
				graph("Time to answer", "From the headers to the reply, in which Temporal has confirmed. Dots are traces.", "s", quantiles("keyholder_ingress_webhook_seconds", `{source=~"$source"}`, "", "")...).limit(2),
				graph("Parked", "Events that no workflow takes, by reason, in the last hour.", "short",
					Query{Expr: `sum by (source, reason) (increase(keyholder_ingress_parked_total{source=~"$source"}[1h]))`, Legend: "{{source}} {{reason}}"}).limit(10),
				graph("Ids used twice", "Deliveries whose id was confirmed before with another body, in the last hour.", "short",
					Query{Expr: `sum by (source) (increase(keyholder_ingress_key_reused_total{source=~"$source"}[1h]))`, Legend: "{{source}}"}),
			}},
			{Title: "API and people", Panels: []Panel{
				graph("Requests to /v1", "By route and HTTP status.", "reqps", Query{Expr: rate("keyholder_ingress_api_requests_total", "route, code"), Legend: "{{route}} {{code}}"}),
				graph("Time of /v1", "Waiting for an outcome included, which the caller asks for.", "s", quantiles("keyholder_ingress_api_seconds", "", "route", "{{route}}")[1]),
				graph("People", "Texts, links and pages, by outcome.", "reqps", Query{Expr: rate("keyholder_ingress_people_total", "kind, outcome"), Legend: "{{kind}} {{outcome}}"}),
			}},
			{Title: "Processes", Panels: []Panel{
				graph("Memory of the ingress", "Resident memory of each process.", "bytes", Query{Expr: `process_resident_memory_bytes{job="keyholder-ingress"}`, Legend: "{{instance}}"}),
				graph("Processor of the ingress", "Cores used by each process.", "short", Query{Expr: `rate(process_cpu_seconds_total{job="keyholder-ingress"}[$__rate_interval])`, Legend: "{{instance}}"}),
				graph("Requests to Temporal", "What the ingress asks of Temporal, 99 of 100 by operation.", "s",
					Query{Expr: quantile("0.99", "temporal_request_latency_seconds", `{job="keyholder-ingress"}`, "operation"), Legend: "{{operation}}"}).limit(2),
			}},
		},
	}
}
