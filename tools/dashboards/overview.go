package main

// overview is for the manager on duty: is somebody being looked after, and does anything
// need a person now.
func overview() Dashboard {
	return Dashboard{
		UID: "keyholder-overview", Title: "Keyholder: overview",
		Description: "For whoever is on duty: what waits for a person, and whether everything is running.",
		Rows: []Row{
			{Title: "Now", Panels: []Panel{
				number("Alerts firing", "Alerts that fire now; the table below names them.", "short", `count(ALERTS{alertstate="firing"}) or vector(0)`, warn(1), bad(3)),
				number("Promises missed", "Running work orders that have missed a promise to the tenant.", "short", `sum(max by (state) (keyholder_sla_open{state=~".+_missed"})) or vector(0)`, bad(1)),
				number("Work orders open", "Work orders whose response is running.", "short", `sum(max by (type) (keyholder_workflows_open{type="maintenance.work_order"}))`),
				number("Events parked", "Events that no workflow takes. Somebody has to replay or discard them.", "short", `max(keyholder_parked_events)`, warn(1), bad(50)),
				number("Oldest parked", "How long the oldest of them has waited.", "s", `max(keyholder_parked_oldest_age_seconds)`, warn(3600), bad(4*3600)),
				number("Partners away", "Partners whose circuit breaker is open.", "short", `sum(max by (partner) (keyholder_partner_breaker_open))`, bad(1)),
			}},
			{Title: "What needs somebody", Panels: []Panel{
				list("Alerts", "What fires now. docs/operations.md has an entry for each.", "short", `ALERTS{alertstate="firing"}`),
				graph("Running work orders by promise", "How the promises of running work orders stand.", "short",
					Query{Expr: `max by (state) (keyholder_sla_open)`, Legend: "{{state}}"}).wide().stacked(),
			}},
			{Title: "Promises", Panels: []Panel{
				number("Promises kept", "Of those whose outcome became certain in the chosen time.", "percentunit",
					`sum(increase(keyholder_sla_promises_total{outcome="kept"}[$__range])) / sum(increase(keyholder_sla_promises_total[$__range]))`, good(0.95)...),
				graph("Time to acknowledge", "From the report until somebody took it, by how severe it is.", "s",
					Query{Expr: quantile("0.5", "keyholder_work_order_acknowledge_seconds", "", "severity"), Legend: "half {{severity}}"},
					Query{Expr: quantile("0.95", "keyholder_work_order_acknowledge_seconds", "", "severity"), Legend: "19 of 20 {{severity}}"}),
				graph("Promises kept and missed", "Outcomes a second.", "short",
					Query{Expr: rate("keyholder_sla_promises_total", "promise, outcome"), Legend: "{{promise}} {{outcome}}"}).wide(),
			}},
			{Title: "Is it running", Panels: []Panel{
				graph("Deliveries taken", "Webhooks that were accepted, by partner.", "reqps",
					Query{Expr: rate(`keyholder_ingress_webhooks_total{code="202"}`, "source"), Legend: "{{source}}"}),
				graph("Messages", "Texts and mails that left, and those that did not.", "reqps",
					Query{Expr: rate(`keyholder_partner_requests_total{partner=~"twilio|mail"}`, "partner, outcome"), Legend: "{{partner}} {{outcome}}"}),
				graph("Open workflows", "What runs, by type. Counted once a minute at most.", "short",
					Query{Expr: `max by (type) (keyholder_workflows_open)`, Legend: "{{type}}"}).stacked(),
				graph("Parts up", "Processes that Prometheus reaches.", "short", Query{Expr: `sum by (job) (up{job=~"keyholder-.+|temporal"})`, Legend: "{{job}}"}),
				graph("Versions", "Processes by version: two during a deploy, one else.", "short", Query{Expr: `count by (version) (keyholder_build_info)`, Legend: "{{version}}"}),
				graph("Age of the comparison with RentVine", "Since the last one that went through. A full one runs once a day.", "s",
					Query{Expr: `time() - max by (kind) (keyholder_sync_last_success_timestamp_seconds > 0)`, Legend: "{{kind}}"}).limit(26 * 3600),
			}},
		},
	}
}
