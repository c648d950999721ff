package main

// workflows shows what the work itself does: promises, repairs, books, leases, sales.
func workflows() Dashboard {
	return Dashboard{
		UID: "keyholder-workflows", Title: "Keyholder: workflows and promises", Description: "What the workflows do: promises to tenants, what ended how, and what waits.",
		Variables: []Variable{{Name: "type", Label: "Workflow", Query: "label_values(keyholder_workflows_open, type)"}},
		Rows: []Row{
			{Title: "Promises and repairs", Panels: []Panel{
				graph("Outcomes of promises", "In the last hour.", "short", Query{Expr: `sum by (promise, outcome) (increase(keyholder_sla_promises_total[1h]))`, Legend: "{{promise}} {{outcome}}"}),
				graph("Time until somebody took it", "By severity, in business time.", "s", quantiles("keyholder_work_order_acknowledge_seconds", "", "severity", "{{severity}}")...),
				graph("Time until the repair was done", "By kind, in business time.", "s", quantiles("keyholder_work_order_repair_seconds", "", "kind", "{{kind}}")[:2]...),
				graph("Work orders by promise", "Running ones.", "short", Query{Expr: `max by (state) (keyholder_sla_open)`, Legend: "{{state}}"}).stacked(),
				graph("Parked events", "How many wait for a person.", "short", Query{Expr: `max(keyholder_parked_events)`, Legend: "parked"}),
				graph("Oldest parked event", "How long it has waited.", "s", Query{Expr: `max(keyholder_parked_oldest_age_seconds)`, Legend: "oldest"}).limit(4 * 3600),
			}},
			{Title: "Workflows", Panels: []Panel{
				graph("Open by type", "Counted once a minute at most, by Temporal's visibility.", "short", Query{Expr: `max by (type) (keyholder_workflows_open{type=~"$type"})`, Legend: "{{type}}"}).stacked(),
				graph("Completed", "Runs that reached their end.", "short", Query{Expr: rate(`temporal_workflow_completed_total{workflow_type=~"$type"}`, "workflow_type"), Legend: "{{workflow_type}}"}),
				graph("Failed, cancelled, continued", "Runs that failed or were cancelled, and long ones that went on in a new run.", "short",
					Query{Expr: rate(`temporal_workflow_failed_total{workflow_type=~"$type"}`, "workflow_type"), Legend: "failed {{workflow_type}}"},
					Query{Expr: rate(`temporal_workflow_canceled_total{workflow_type=~"$type"}`, "workflow_type"), Legend: "cancelled {{workflow_type}}"},
					Query{Expr: rate(`temporal_workflow_continue_as_new_total{workflow_type=~"$type"}`, "workflow_type"), Legend: "continued {{workflow_type}}"}),
			}},
			{Title: "What became of it, in the last hour", Panels: []Panel{
				graph("Transactions", "Charges, payments and bills, by outcome.", "short", Query{Expr: `sum by (outcome) (increase(keyholder_transactions_total[1h]))`, Legend: "{{outcome}}"}),
				graph("Campaigns of leases", "Move-ins, renewals and retention, by outcome.", "short", Query{Expr: `sum by (kind, outcome) (increase(keyholder_campaigns_ended_total[1h]))`, Legend: "{{kind}} {{outcome}}"}),
				graph("Lettings and invitations", "Empty homes let, and professionals who were invited.", "short",
					Query{Expr: `sum by (outcome) (increase(keyholder_lettings_ended_total[1h]))`, Legend: "letting {{outcome}}"},
					Query{Expr: `sum by (how) (increase(keyholder_invitations_ended_total[1h]))`, Legend: "invitation {{how}}"}),
			}},
			{Title: "Agreement with partners", Panels: []Panel{
				graph("Comparison with RentVine", "Time since the last one that went through, by kind.", "s", Query{Expr: `time() - max by (kind) (keyholder_sync_last_success_timestamp_seconds > 0)`, Legend: "{{kind}}"}).limit(26 * 3600),
				graph("Records not told", "What the last comparison found and could tell no workflow of.", "short", Query{Expr: `max(keyholder_sync_untold)`, Legend: "untold"}).limit(1),
				graph("Conflicts", "Fields that both sides had changed, in the last hour.", "short", Query{Expr: `sum by (field, outcome) (increase(keyholder_conflicts_total[1h]))`, Legend: "{{field}} {{outcome}}"}),
				graph("Age of sales", "The sale read longest ago, beside what it should be.", "s",
					Query{Expr: `max by (class) (keyholder_openmoove_sale_age_seconds{stat="max"})`, Legend: "{{class}}"},
					Query{Expr: `max by (class) (keyholder_openmoove_sale_age_target_seconds)`, Legend: "{{class}} at most"}),
				graph("Sales followed", "Those followed, late, never read and failing.", "short",
					Query{Expr: `sum(max by (class) (keyholder_openmoove_sales))`, Legend: "followed"}, Query{Expr: `sum(max by (class) (keyholder_openmoove_sales_late))`, Legend: "late"},
					Query{Expr: `sum(max by (class) (keyholder_openmoove_sales_never_read))`, Legend: "never read"}, Query{Expr: `sum(max by (class) (keyholder_openmoove_sales_failing))`, Legend: "failing"}),
				graph("Age of the counts", "How old the counts of open workflows are.", "s", Query{Expr: `min(keyholder_visibility_age_seconds)`, Legend: "age"}).limit(600),
			}},
		},
	}
}
