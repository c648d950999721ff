package main

// partners shows the calls to other systems.
func partners() Dashboard {
	const chosen = `{partner=~"$partner"}`
	return Dashboard{
		UID: "keyholder-partners", Title: "Keyholder: partners", Description: "Calls to RentVine, OpenMoove, Twilio, QuickBooks, mail and the others: do they work, how fast, and how many are left.",
		Variables: []Variable{{Name: "partner", Label: "Partner", Query: "label_values(keyholder_partner_requests_total, partner)"}},
		Rows: []Row{
			{Title: "Do they work", Panels: []Panel{
				graph("Calls", "By partner.", "reqps", Query{Expr: rate("keyholder_partner_requests_total"+chosen, "partner"), Legend: "{{partner}}"}),
				graph("Share that fails", "Whatever is not ok. A partner may rightly refuse some.", "percentunit",
					Query{Expr: share(`keyholder_partner_requests_total{partner=~"$partner",outcome!~"ok|cancelled"}`, "keyholder_partner_requests_total"+chosen, "partner"), Legend: "{{partner}}"}).limit(0.2),
				graph("Breaker", "1 while calls are refused because the partner does not work.", "short", Query{Expr: `max by (partner) (keyholder_partner_breaker_open{partner=~"$partner"})`, Legend: "{{partner}}"}).limit(1),
				graph("Outcomes", "What is not ok, by kind.", "reqps", Query{Expr: rate(`keyholder_partner_requests_total{partner=~"$partner",outcome!="ok"}`, "partner, outcome"), Legend: "{{partner}} {{outcome}}"}).stacked().wide(),
				list("Busiest operations", "Calls a second, by operation.", "reqps", `topk(20, `+rate("keyholder_partner_requests_total"+chosen, "partner, op, outcome")+`)`),
			}},
			{Title: "How fast", Panels: []Panel{
				graph("Time of a call", "19 of 20 calls are faster. Dots are traces.", "s", Query{Expr: quantile("0.95", "keyholder_partner_request_seconds", chosen, "partner"), Legend: "{{partner}}", Exemplars: true}).wide(),
				graph("Time by method", "Half of the calls are faster.", "s", Query{Expr: quantile("0.5", "keyholder_partner_request_seconds", chosen, "partner, method"), Legend: "{{partner}} {{method}}"}).wide(),
			}},
			{Title: "How many are left", Panels: []Panel{
				graph("Budget left", "Of what the partner allows within the window.", "percentunit",
					Query{Expr: `min by (partner, window) (keyholder_partner_budget_remaining{partner=~"$partner"} / keyholder_partner_budget_limit{partner=~"$partner"})`, Legend: "{{partner}} {{window}}"}),
				graph("Calls left", "The same as a number.", "short", Query{Expr: `min by (partner, window) (keyholder_partner_budget_remaining{partner=~"$partner"})`, Legend: "{{partner}} {{window}}"}),
				graph("Renewals of tokens", "In the last hour, by outcome.", "short", Query{Expr: `sum by (partner, outcome) (increase(keyholder_partner_token_refresh_total{partner=~"$partner"}[1h]))`, Legend: "{{partner}} {{outcome}}"}),
				number("Refresh token ends in", "Somebody has to authorise the app again before.", "s", `max by (partner) (keyholder_partner_token_expires_seconds{partner=~"$partner"}) - time()`,
					Step{From: 0, Color: red}, Step{From: 14 * 86400, Color: green}),
			}},
		},
	}
}
