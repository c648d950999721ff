package rentvine

import (
	"maps"
	"net/http"
)

// tradeVendors are the vendors of each trade.
func tradeVendors() map[string][]string {
	return map[string][]string{"1": {"11", "14", "15", "16"}, "2": {"12", "18"}, "3": {"13"}, "4": {"17"}}
}

// vendorTrades lists the trades, with includes=vendors who has each. That there is such
// an include is on record, not what it brings (contracts/rentvine.md 2.6): contacts
// beside the trade are this sandbox's own form.
func (s *Server) vendorTrades(w http.ResponseWriter, r *http.Request) {
	var related beside
	if r.URL.Query().Get("includes") == "vendors" {
		related = vendorsBeside
	}
	s.list("trades", 25, related)(w, r)
}

func vendorsBeside(d *db, rec, row record) {
	contacts := []record{}
	for _, id := range tradeVendors()[str(rec["vendorTradeID"])] {
		if v := d.tables["vendors"].get(id); v != nil {
			contacts = append(contacts, maps.Clone(v))
		}
	}
	row["vendors"] = contacts
}
