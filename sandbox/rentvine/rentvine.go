// Package rentvine stands in for the RentVine Manager API in development and tests:
// in memory, over real HTTP, with the traps of contracts/rentvine.md section 4. It
// shares no code with the client, so that one mistake cannot hide in both.
package rentvine

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// Credentials that the sandbox takes where none are configured.
const (
	DevAccessKey = "rv_dev"
	DevSecret    = "rv_dev_secret"
)

// ActorKey is the field that the record given to OnChange has in addition: the
// user id of who made the change. It belongs into the event, not into its data.
const ActorKey = "userID"

// Actors of changes.
const (
	// ActorAPI is whoever writes by the API.
	ActorAPI = "api"
	// ActorOffice is the person in RentVine's own pages, here the sandbox's.
	ActorOffice = "1"
)

// FileReply is which of two recorded replies an upload gets (contracts/rentvine.md
// 2.11).
type FileReply string

// The upload replies.
const (
	// FileReplyDocs is {"file":{..},"attachment":{..}}.
	FileReplyDocs FileReply = "docs"
	// FileReplyLive is {"fileAttachment":{"fileID":".."}}.
	FileReplyLive FileReply = "live"
)

// Config shapes the sandbox. The zero value works.
type Config struct {
	// AccessKey and Secret are what HTTP Basic must carry; "" is the dev one.
	AccessKey, Secret string
	// FileReply is the form of upload replies; "" is FileReplyDocs.
	FileReply FileReply
	// MaxPageSize caps pageSize; 0 is 250. RentVine's own is not known.
	MaxPageSize int
	// UnknownID is the status for a record that is not there; 0 is 404. RentVine's
	// own is not known.
	UnknownID int
	// WorkOrdersAfter is the id before that of the first new work order; 0 goes on
	// after the seeded ones.
	WorkOrdersAfter int
	// LeasesAfter is the same for leases and their new tenants, for transactions and
	// bills.
	LeasesAfter int
	// UnnamedLeases makes rows of transactions name only the unit, not the lease: which
	// of both RentVine does is not known (contracts/rentvine.md 2.10).
	UnnamedLeases bool
	// Now is the time that records are stamped with; nil is time.Now.
	Now func() time.Time
	// OnChange hears of each committed change of a work order, and of a lease that is
	// ended by hand or changed by the API, its recurring charges too, of a property or unit
	// changed by the API, and of each charge or bill made by it: "work_order.created",
	// "work_order.updated", "lease.updated", "property.updated", "unit.updated",
	// "lease_charge.created" or "invoice.generated", a copy of the record (of money, what
	// AccountingEvent says) with ActorKey, and the changed
	// fields as {old, new}. It is called outside the lock, on the writer's
	// goroutine, so it must not wait for the network.
	OnChange func(event string, record map[string]any, changes map[string][2]any)
}

// Server is the stand-in. It serves paths below /api/manager and is safe for
// concurrent use.
type Server struct {
	cfg Config
	mux *http.ServeMux

	mu sync.Mutex
	db
}

// New is a sandbox with its seeded records.
func New(cfg Config) *Server {
	if cfg.AccessKey == "" {
		cfg.AccessKey = DevAccessKey
	}
	if cfg.Secret == "" {
		cfg.Secret = DevSecret
	}
	if cfg.FileReply == "" {
		cfg.FileReply = FileReplyDocs
	}
	if cfg.MaxPageSize <= 0 {
		cfg.MaxPageSize = 250
	}
	if cfg.UnknownID == 0 {
		cfg.UnknownID = http.StatusNotFound
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Server{cfg: cfg, mux: http.NewServeMux()}
	s.routes()
	s.Reset()
	return s
}

// Reset restores the seeded records and forgets everything else but which ids of
// work orders, leases and the like were given out: none names a second one.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.fresh()
	for _, name := range []string{"workOrders", "leases", "tenants", "transactions", "bills", "portfolios", "properties", "units", "prospects"} {
		if t := s.tables[name]; t != nil {
			next.tables[name].last = max(next.tables[name].last, t.last)
		}
	}
	s.db = next
}

// fresh is the seed; new work orders, leases and tenants come after the configured ids.
func (s *Server) fresh() db {
	d := seeded()
	for name, last := range map[string]int{
		"workOrders": s.cfg.WorkOrdersAfter, "leases": s.cfg.LeasesAfter, "tenants": max(s.cfg.LeasesAfter, lastContact),
		"transactions": s.cfg.LeasesAfter, "bills": s.cfg.LeasesAfter,
	} {
		d.tables[name].last = max(d.tables[name].last, last)
	}
	return d
}

// ServeHTTP answers one request. A wrong key gets 401 with an empty body
// (contracts/rentvine.md 1.7).
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	userOK := subtle.ConstantTimeCompare([]byte(user), []byte(s.cfg.AccessKey)) == 1
	if !userOK || subtle.ConstantTimeCompare([]byte(password), []byte(s.cfg.Secret)) != 1 {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// routes is the whole API. Whatever is not here, wrong methods included, is 404
// (contracts/rentvine.md 1.7).
func (s *Server) routes() {
	m := s.mux
	m.HandleFunc("GET /properties", s.list("properties", 25, nil))
	m.HandleFunc("GET /properties/export", s.list("properties", 25, portfolioBeside))
	m.HandleFunc("GET /properties/{id}", s.detail("properties"))
	m.HandleFunc("POST /properties/{id}", s.updateProperty)
	m.HandleFunc("GET /properties/units", s.list("units", 25, nil))
	m.HandleFunc("GET /properties/units/export", s.list("units", 25, propertyBeside))
	m.HandleFunc("GET /properties/{id}/units", s.unitsOfProperty)
	m.HandleFunc("GET /properties/{id}/units/{unit}", s.unitOfProperty)
	m.HandleFunc("POST /properties/{id}/units/{unit}", s.updateUnit)

	m.HandleFunc("GET /leases", s.leases)
	m.HandleFunc("GET /leases/export", s.leaseExport)
	m.HandleFunc("GET /leases/statuses", s.list("leaseStatuses", 25, nil))
	m.HandleFunc("GET /leases/{id}", s.lease)
	m.HandleFunc("POST /leases/{id}", s.updateLease)
	m.HandleFunc("GET /leases/{id}/recurring-charges", s.recurringCharges)
	m.HandleFunc("POST /leases/{id}/recurring-charges", s.addRecurringCharge)
	m.HandleFunc("POST /leases/{id}/recurring-charges/{charge}", s.updateRecurringCharge)
	m.HandleFunc("DELETE /leases/{id}/recurring-charges/{charge}", s.deleteRecurringCharge)
	s.accountingRoutes(m)

	for path, table := range map[string]string{"tenants": "tenants", "owners": "owners", "vendors": "vendors"} {
		m.HandleFunc("GET /"+path, s.list(table, 25, nil))
		m.HandleFunc("GET /"+path+"/search", s.list(table, 25, nil))
		m.HandleFunc("GET /"+path+"/{id}", s.detail(table))
	}
	m.HandleFunc("POST /owners/{id}", s.update("owners", "email"))
	m.HandleFunc("POST /vendors/{id}", s.update("vendors", "email"))
	m.HandleFunc("GET /portfolios", s.list("portfolios", 25, nil))
	m.HandleFunc("GET /portfolios/search", s.portfolioSearch)

	m.HandleFunc("GET /maintenance/vendor-trades", s.vendorTrades)
	m.HandleFunc("GET /maintenance/vendor-trades/{id}", s.detail("trades"))
	m.HandleFunc("GET /maintenance-technicians", s.list("technicians", 25, nil))
	m.HandleFunc("GET /maintenance/work-order/statuses", s.list("statuses", 15, nil))
	m.HandleFunc("GET /maintenance/work-order/statuses/{id}", s.detail("statuses"))
	m.HandleFunc("GET /maintenance/work-orders", s.workOrders)
	m.HandleFunc("POST /maintenance/work-orders", s.createWorkOrder)
	m.HandleFunc("GET /maintenance/work-orders/{id}", s.workOrder)
	m.HandleFunc("POST /maintenance/work-orders/{id}", s.updateWorkOrder)

	m.HandleFunc("GET /maintenance/inspections", s.inspections)
	m.HandleFunc("POST /maintenance/inspections", s.createInspection)
	m.HandleFunc("GET /maintenance/inspections/{id}", s.detail("inspections"))

	m.HandleFunc("GET /screening/prospects", s.prospects)
	m.HandleFunc("POST /screening/prospects", s.createProspect)
	m.HandleFunc("GET /screening/prospects/{id}", s.detail("prospects"))
	m.HandleFunc("POST /screening/prospects/{id}", s.update("prospects", "status"))

	m.HandleFunc("POST /files", s.upload)
	m.HandleFunc("GET /files", s.files)
	m.HandleFunc("GET /files/{id}", s.detail("files"))
	m.HandleFunc("GET /files/{id}/download", s.download)
	m.HandleFunc("DELETE /files/{id}", s.deleteFile)
	m.HandleFunc("GET /chat/messages", s.chatMessages)
	m.HandleFunc("POST /chat/messages", s.addChatMessage)

	m.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
}

// reply answers 200, creates included (contracts/rentvine.md 1.4).
func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// refuse answers 400 keyed by field path (contracts/rentvine.md 1.7).
func refuse(w http.ResponseWriter, problems map[string][]string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(problems)
}

func (s *Server) unknown(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(s.cfg.UnknownID)
	_, _ = w.Write([]byte(`{"message":["Record not found"]}`))
}

// today is the day in UTC.
func (s *Server) today() string { return s.cfg.Now().UTC().Format(time.DateOnly) }

// now is the time in the space-separated form (contracts/rentvine.md 1.6).
func (s *Server) now() string { return s.cfg.Now().UTC().Format(time.DateTime) }
