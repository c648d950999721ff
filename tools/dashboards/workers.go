package main

// workers shows how the workers and Temporal get on, as the SDK sees it.
func workers() Dashboard {
	const queue = `{task_queue=~"keyholder.*",task_queue=~"$queue"}`
	return Dashboard{
		UID: "keyholder-workers", Title: "Keyholder: workers and Temporal", Description: "Is there a worker for every queue, is it fast enough, and does Temporal answer. Seen from the worker, so it is the same with Temporal Cloud.",
		Variables: []Variable{{Name: "queue", Label: "Task queue", Query: `label_values(temporal_num_pollers{task_queue=~"keyholder.*"}, task_queue)`}},
		Rows: []Row{
			{Title: "Waiting", Panels: []Panel{
				graph("Workflow tasks wait", "From the task to a worker, 99 of 100. More workers or more pollers make it less.", "s",
					Query{Expr: quantile("0.99", "temporal_workflow_task_schedule_to_start_latency_seconds", queue, "task_queue"), Legend: "{{task_queue}}"}).limit(0.2),
				graph("Activities wait", "From the activity to a slot, 99 of 100. Queues with a limit of the partner wait by design.", "s",
					Query{Expr: quantile("0.99", "temporal_activity_schedule_to_start_latency_seconds", queue, "task_queue"), Legend: "{{task_queue}}"}).limit(5),
				graph("Pollers", "Requests for work that are open at Temporal.", "short", Query{Expr: `sum by (task_queue, poller_type) (temporal_num_pollers` + queue + `)`, Legend: "{{task_queue}} {{poller_type}}"}),
				graph("Slots used", "Of activities, workflow tasks and local activities.", "short", Query{Expr: `sum by (task_queue, worker_type) (temporal_worker_task_slots_used` + queue + `)`, Legend: "{{task_queue}} {{worker_type}}"}),
				graph("Slots free", "None for two minutes is an alert. Not there with slots by resources.", "short", Query{Expr: `sum by (task_queue, worker_type) (temporal_worker_task_slots_available` + queue + `)`, Legend: "{{task_queue}} {{worker_type}}"}),
				graph("Tasks taken", "Workflow tasks a second, by type.", "short", Query{Expr: rate("temporal_workflow_task_queue_poll_succeed_total"+queue, "workflow_type"), Legend: "{{workflow_type}}"}).stacked(),
			}},
			{Title: "Working", Panels: []Panel{
				graph("Workflow task", "Time of the code of a workflow, 99 of 100, by type.", "s", Query{Expr: quantile("0.99", "temporal_workflow_task_execution_latency_seconds", queue, "workflow_type"), Legend: "{{workflow_type}}"}).limit(10),
				graph("Activity", "Time of a try, 19 of 20, by activity.", "s", Query{Expr: quantile("0.95", "temporal_activity_execution_latency_seconds", queue, "activity_type"), Legend: "{{activity_type}}"}),
				graph("Replay", "Time to replay a history, 99 of 100, by type. A large cache makes it rare.", "s", Query{Expr: quantile("0.99", "temporal_workflow_task_replay_latency_seconds", queue, "workflow_type"), Legend: "{{workflow_type}}"}),
				graph("Workflow tasks failed", "By reason and type. Any NonDeterminismError is an alert.", "short", Query{Expr: rate("temporal_workflow_task_execution_failed_total", "failure_reason, workflow_type"), Legend: "{{failure_reason}} {{workflow_type}}"}),
				graph("Activities failed", "Tries that failed, by activity. They are tried again.", "short", Query{Expr: rate("temporal_activity_execution_failed_total", "activity_type"), Legend: "{{activity_type}}"}),
				graph("Local activities", "Time of a try inside a workflow task, 99 of 100.", "s", Query{Expr: quantile("0.99", "temporal_local_activity_execution_latency_seconds", queue, "activity_type"), Legend: "{{activity_type}}"}).limit(5),
			}},
			{Title: "Cache", Panels: []Panel{
				graph("Workflows in the cache", "By worker.", "short", Query{Expr: `sum by (instance) (temporal_sticky_cache_size` + queue + `)`, Legend: "{{instance}}"}),
				graph("Hits and misses", "A miss replays the history from the start.", "short",
					Query{Expr: rate("temporal_sticky_cache_hit_total"+queue, "instance"), Legend: "hit {{instance}}"}, Query{Expr: rate("temporal_sticky_cache_miss_total"+queue, "instance"), Legend: "miss {{instance}}"}),
				graph("Thrown out", "Workflows that left the cache before they ended.", "short", Query{Expr: rate("temporal_sticky_cache_total_forced_eviction_total"+queue, "instance"), Legend: "{{instance}}"}),
			}},
			{Title: "Temporal's answers", Panels: []Panel{
				graph("Requests", "By operation.", "reqps", Query{Expr: rate("temporal_request_total", "operation"), Legend: "{{operation}}"}),
				graph("Time of a request", "99 of 100, by operation.", "s", Query{Expr: quantile("0.99", "temporal_request_latency_seconds", "", "operation"), Legend: "{{operation}}"}).limit(2),
				graph("Requests that failed", "By operation and status. Some NOT_FOUND is normal.", "reqps", Query{Expr: rate("temporal_request_failure_total", "operation, status_code"), Legend: "{{operation}} {{status_code}}"}),
			}},
			{Title: "Processes", Panels: []Panel{
				graph("Memory", "Resident memory of each worker.", "bytes", Query{Expr: `process_resident_memory_bytes{job="keyholder-worker"}`, Legend: "{{instance}}"}),
				graph("Processor", "Cores used by each worker.", "short", Query{Expr: `rate(process_cpu_seconds_total{job="keyholder-worker"}[$__rate_interval])`, Legend: "{{instance}}"}),
				graph("Goroutines", "Of each worker. What only grows is a leak.", "short", Query{Expr: `go_goroutines{job="keyholder-worker"}`, Legend: "{{instance}}"}),
			}},
		},
	}
}
