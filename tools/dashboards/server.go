package main

// server shows a Temporal server of one's own. On Temporal Cloud there is nothing to see here.
func server() Dashboard {
	return Dashboard{
		UID: "keyholder-server", Title: "Keyholder: Temporal's server", Description: "A Temporal server of one's own and its database, as its own metrics tell. Empty with Temporal Cloud.",
		Rows: []Row{
			{Title: "Frontend", Panels: []Panel{
				graph("Server requests", "By operation.", "reqps", Query{Expr: rate(`service_requests{service_name="frontend"}`, "operation"), Legend: "{{operation}}"}),
				graph("Server errors", "By kind. Some are answers: a workflow that is not found, or already started.", "reqps", Query{Expr: rate("service_error_with_type", "service_name, error_type"), Legend: "{{service_name}} {{error_type}}"}),
				graph("Server latency", "99 of 100, by operation. Polls are long on purpose and left out.", "s",
					Query{Expr: quantile("0.99", "service_latency", `{service_name="frontend",operation!~"Poll.*|GetWorkflowExecutionHistory"}`, "operation"), Legend: "{{operation}}"}).limit(2),
			}},
			{Title: "Database", Panels: []Panel{
				graph("Database requests", "By operation.", "reqps", Query{Expr: rate("persistence_requests", "operation"), Legend: "{{operation}}"}),
				graph("Database latency", "19 of 20, by operation.", "s", Query{Expr: quantile("0.95", "persistence_latency", "", "operation"), Legend: "{{operation}}"}).limit(0.5),
				graph("Database errors", "By kind. NotFound is an answer.", "reqps", Query{Expr: rate("persistence_error_with_type", "error_type"), Legend: "{{error_type}}"}),
				graph("Visibility latency", "99 of 100, by operation: what lists and counts take.", "s", Query{Expr: quantile("0.99", "visibility_persistence_latency", "", "operation"), Legend: "{{operation}}"}),
				graph("Lock of a shard", "Wait for the lock of a history shard, 19 of 20. Above 5 ms there are too few shards, or the database is slow.", "s",
					Query{Expr: quantile("0.95", "lock_latency", `{operation="ShardInfo"}`, ""), Legend: "19 of 20"}).limit(0.005),
				graph("Tasks of the history service", "Time to process, 99 of 100, by type.", "s", Query{Expr: quantile("0.99", "task_latency", "", "task_type"), Legend: "{{task_type}}"}),
			}},
			{Title: "Matching and workflows", Panels: []Panel{
				graph("Sync match", "Share of tasks that go straight to a waiting worker. Low means too few pollers.", "percentunit",
					Query{Expr: share(`poll_success_sync{taskqueue=~"keyholder.*"}`, `poll_success{taskqueue=~"keyholder.*"}`, "taskqueue"), Legend: "{{taskqueue}}"}),
				graph("Workflows ended", "Successes by type.", "short", Query{Expr: rate("workflow_success", "workflowType"), Legend: "{{workflowType}}"}),
				graph("Size of histories", "19 of 20, in bytes. A run is ended at 50 MiB.", "bytes", Query{Expr: quantile("0.95", "history_size", "", "operation"), Legend: "{{operation}}"}),
				graph("Schedules", "Actions started, and missed for good, in the last hour.", "short",
					Query{Expr: `sum by (namespace) (increase(schedule_action_success[1h]))`, Legend: "started {{namespace}}"}, Query{Expr: `sum by (namespace) (increase(schedule_missed_catchup_window[1h]))`, Legend: "missed {{namespace}}"}),
				graph("Server memory", "Heap in use, by service.", "bytes", Query{Expr: `sum by (service_name) (memory_heapinuse)`, Legend: "{{service_name}}"}),
				graph("Loaded task queues", "Parts of task queues in memory.", "short", Query{Expr: `sum(loaded_task_queue_partition_count)`, Legend: "partitions"}),
			}},
		},
	}
}
