package activities

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/clients/inventory"
	"github.com/aictive/keyholder/clients/llm"
	"github.com/aictive/keyholder/clients/mail"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/clients/twilio"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/store/blobs"
	"github.com/aictive/keyholder/workflows/durable"
)

// QueueRentVine is the task queue of everything that calls RentVine: a slow or
// broken RentVine holds up nobody else.
const QueueRentVine = "keyholder-rentvine"

// Config is what the activities work with. Every field is needed.
type Config struct {
	RentVine  *rentvine.Client
	OpenMoove OpenMoove
	Twilio    *twilio.Client
	Mail      *mail.Client
	Policy    *policy.File
	Store     store.Store
	Keys      store.Keys
	// Model gives its opinion beside the rules; nil where none is configured.
	Model *llm.Client
	// QuickBooks books orders; Inventory is the stock list, nil where there is none.
	QuickBooks QuickBooks
	Inventory  *inventory.Client
	// Photos are the pictures that people uploaded, under blobs.PhotoKey.
	Photos   *blobs.Bucket
	Outbound Outbound
	// OutgoingWebhooks go to the systems that are told of sales.
	OutgoingWebhooks OutgoingWebhooks
	// Clock is this process's business clock.
	Clock durable.Clock
	// Now is the machine's clock where people's time counts: quiet hours, caps, duty,
	// windows. Nil means time.Now; where time skips, it follows.
	Now func() time.Time
	// PublicURL is where people reach action links, without a trailing slash.
	PublicURL string
	// StatusCallbackURL receives Twilio's delivery reports.
	StatusCallbackURL string
	// MailDomain is the right half of every Message-ID.
	MailDomain string
	// Redeliver sends a parked event through the ingress's route table again.
	Redeliver func(context.Context, durable.Event) (Redelivery, error)
	// Deliver sends an event that the comparison with a partner has found through the route
	// table.
	Deliver func(context.Context, durable.Event) (Redelivery, error)
	// HandOver tells the workflow of a sale what is known of it; follows is false where
	// that has ended.
	HandOver func(context.Context, SaleFacts) (follows bool, err error)
	// ShowSale tells the workflow of a property's sale what a read has shown; follows is
	// false where that has ended.
	ShowSale func(ctx context.Context, propertyID string, view SaleView) (follows bool, err error)
	// FindLease tells the workflow of a lease that the sweep has found something, and
	// starts it where it does not run and starts is true.
	FindLease func(ctx context.Context, ev durable.Event, starts bool) error
	// FindProperty tells the workflow of a property that something of it has changed, and
	// starts it where it does not run.
	FindProperty func(ctx context.Context, ev durable.Event) error
	// Endings reads how runs of workflows ended.
	Endings Endings
	Log     *zap.Logger
}

// Activities is the code behind the handles.
type Activities struct {
	Config
	properties *propertyCache
	zones      *zoneFinder
	products   productList
	vendors    vendorList
	swaps      swapMemory
	leaseNames leaseStatuses
	// ledgerAccounts is RentVine's chart of accounts, bookAccounts QuickBooks'.
	ledgerAccounts ledgerAccounts
	bookAccounts   bookAccounts
	market         *market
	// tenanciesTurn is held by whoever looks through the leases.
	tenanciesTurn sync.Mutex
	// conflictsMet counts fields that both sides had changed.
	conflictsMet *prometheus.CounterVec
	// assigning lets one choice of professionals see the one before it.
	assigning sync.Mutex
}

// New prepares the activities.
func New(cfg Config) *Activities {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Activities{Config: cfg, properties: newPropertyCache(), zones: &zoneFinder{}, market: newMarket(), conflictsMet: newConflictsMet()}
}

// businessNow is the business time now.
func (a *Activities) businessNow() time.Time { return a.Clock.At(a.Now()) }

// Register binds the code of every activity that runs on the workflows' own task
// queue, and all look-ups that run inside workflow tasks.
func (a *Activities) Register(r worker.ActivityRegistry) {
	ReadSettings.Bind(r, a.readSettings)
	ReadLeasing.Bind(r, a.readLeasing)
	WriteListing.Bind(r, a.writeListing)
	PublishListing.Bind(r, a.publishListing)
	WithdrawListing.Bind(r, a.withdrawListing)
	RecordLetting.Bind(r, a.recordLetting)
	ReadReport.Bind(r, a.readReport)
	ReadFinance.Bind(r, a.readFinance)
	ReadPortfolio.Bind(r, a.readPortfolio)
	CategorizeTransaction.Bind(r, a.categorizeTransaction)
	DetectAnomalies.Bind(r, a.detectAnomalies)
	ReportRefusal.Bind(r, a.reportRefusal)
	ReadFinding.Bind(r, a.readFinding)
	SettleFinding.Bind(r, a.settleFinding)
	MailFinanceReport.Bind(r, a.mailFinanceReport)
	SendMessages.Bind(r, a.sendMessages)
	SendLetters.Bind(r, a.sendLetters)
	CloseQuestions.Bind(r, a.closeQuestions)
	CloseSteps.Bind(r, a.closeSteps)
	SaveContact.Bind(r, a.saveContact)
	ReadEngagement.Bind(r, a.readEngagement)
	ClaimIncident.Bind(r, a.claimIncident)
	EndIncident.Bind(r, a.endIncident)
	ListTechnicians.Bind(r, a.listTechnicians)
	AssignTechnician.Bind(r, a.assignTechnician)
	ReleaseTechnician.Bind(r, a.releaseTechnician)
	FreeWindows.Bind(r, a.freeWindows)
	BookAppointment.Bind(r, a.bookAppointment)
	CancelAppointment.Bind(r, a.cancelAppointment)
	CancelVisit.Bind(r, a.cancelVisit)
	SendInvitations.Bind(r, a.sendInvitations)
	MailIncidentReport.Bind(r, a.mailIncidentReport)
	ReserveParts.Bind(r, a.reserveParts)
	ReleaseParts.Bind(r, a.releaseParts)
	UseParts.Bind(r, a.useParts)
	RedeliverEvent.Bind(r, a.redeliverEvent)
	ReadDirectory.Bind(r, a.readDirectory)
	AssignProfessional.Bind(r, a.assignProfessional)
	HandOverSale.Bind(r, a.handOverSale)
	FinishImport.Bind(r, a.finishImport)
	ReleaseSale.Bind(r, a.releaseSale)
	MailSalesReport.Bind(r, a.mailSalesReport)
	AnalyzeMaintenance.Bind(r, a.analyzeMaintenance)
	InspectQuality.Bind(r, a.inspectQuality)
	ReadCards.Bind(r, a.readCards)
	RecordWork.Bind(r, a.recordWork)
	RecordRepair.Bind(r, a.recordRepair)
	ReadIncentiveRecord.Bind(r, a.readIncentiveRecord)
	RecordRetention.Bind(r, a.recordRetention)
	KeepCompliance.Bind(r, a.keepCompliance)
	DropCompliance.Bind(r, a.dropCompliance)
	KnownCompliance.Bind(r, a.knownCompliance)
}

// RegisterOpenMoove binds the code of the activities on QueueOpenMoove.
func (a *Activities) RegisterOpenMoove(r worker.ActivityRegistry) {
	CreateSale.Bind(r, a.createSale)
	ReadSale.Bind(r, a.readSale)
}

// RegisterBulk binds the code of the activities on QueueBulk.
func (a *Activities) RegisterBulk(r worker.ActivityRegistry) {
	ImportBatch.Bind(r, a.importBatch)
	PollSales.Bind(r, a.pollSales)
	SweepLeases.Bind(r, a.sweepLeases)
	ReadTenancies.Bind(r, a.readTenancies)
	SweepProperties.Bind(r, a.sweepProperties)
	ReconcileRentVine.Bind(r, a.reconcileRentVine)
	FindMissing.Bind(r, a.findMissing)
	MatchBank.Bind(r, a.matchBank)
	FileOwnerLedgers.Bind(r, a.fileOwnerLedgers)
	SendOwnerPacks.Bind(r, a.sendOwnerPacks)
	SendOwnerDigests.Bind(r, a.sendOwnerDigests)
	RecordEndings.Bind(r, a.recordEndings)
}

// RegisterRentVine binds the code of the activities on QueueRentVine.
func (a *Activities) RegisterRentVine(r worker.ActivityRegistry) {
	RefreshReport.Bind(r, a.readReport)
	UpdateWorkOrder.Bind(r, a.updateWorkOrder)
	AttachIncidentReport.Bind(r, a.attachIncidentReport)
	ReadOwners.Bind(r, a.readOwners)
	AttachPhotos.Bind(r, a.attachPhotos)
	ListVendors.Bind(r, a.listVendors)
	ReadLease.Bind(r, a.readLease)
	ReadProperty.Bind(r, a.readProperty)
	WriteProspect.Bind(r, a.writeProspect)
	CountOpenWorkOrders.Bind(r, a.countOpenWorkOrders)
	WriteRenewal.Bind(r, a.writeRenewal)
	AssessLease.Bind(r, a.assessLease)
	SuggestRent.Bind(r, a.suggestRent)
	PriceUnit.Bind(r, a.priceUnit)
	WriteUnitRent.Bind(r, a.writeUnitRent)
	ScheduleInspection.Bind(r, a.scheduleInspection)
	FileEvidence.Bind(r, a.fileEvidence)
	CreateCheck.Bind(r, a.createCheck)
	ReadTransaction.Bind(r, a.readTransaction)
	MailSummary.Bind(r, a.mailSummary)
}

// RegisterQuickBooks binds the code of the activities on QueueQuickBooks.
func (a *Activities) RegisterQuickBooks(r worker.ActivityRegistry) {
	CreatePurchaseOrder.Bind(r, a.createPurchaseOrder)
	CancelPurchaseOrder.Bind(r, a.cancelPurchaseOrder)
	BookTransaction.Bind(r, a.bookTransaction)
}

// RegisterWebhooks binds the code of the activities on QueueWebhooks.
func (a *Activities) RegisterWebhooks(r worker.ActivityRegistry) {
	PostWebhook.Bind(r, a.postWebhook)
}
