package activities

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// recording are the activities that tell the audit what they did, by their handles. A new
// activity must be in one of the lists: what writes at a partner, writes to people, or
// decides what others act on is in this one.
var recording = strings.Fields(`
	AnalyzeMaintenance AssessLease AttachIncidentReport AttachPhotos BookTransaction CancelPurchaseOrder
	CategorizeTransaction CreateCheck CreatePurchaseOrder CreateSale DetectAnomalies FileEvidence FileOwnerLedgers
	FindMissing ImportBatch InspectQuality MailFinanceReport MailIncidentReport MailSalesReport MailSummary MatchBank
	PostWebhook PriceUnit ReportRefusal ScheduleInspection SendInvitations SendLetters SendMessages SendOwnerDigests
	SendOwnerPacks SuggestRent UpdateWorkOrder WriteListing WriteProspect WriteRenewal WriteUnitRent
`)

// silent are the activities that read, or keep something in our own store, of which their
// workflows tell the audit. RecordEndings writes the audit itself.
var silent = strings.Fields(`
	AssignProfessional AssignTechnician BookAppointment CancelAppointment CancelVisit ClaimIncident CloseQuestions
	CloseSteps CountOpenWorkOrders DropCompliance EndIncident FinishImport FreeWindows HandOverSale KeepCompliance
	KnownCompliance ListTechnicians ListVendors PollSales PublishListing ReadCards ReadDirectory ReadEngagement
	ReadFinance ReadFinding ReadIncentiveRecord ReadLease ReadLeasing ReadOwners ReadPortfolio ReadProperty ReadReport
	ReadSale ReadSettings ReadTenancies ReadTransaction ReconcileRentVine RecordEndings RecordLetting RecordRepair
	RecordRetention RecordWork RedeliverEvent RefreshReport ReleaseParts ReleaseSale ReleaseTechnician ReserveParts
	SaveContact SettleFinding SweepLeases SweepProperties UseParts WithdrawListing
`)

// source is what functions of this package call, by their names; those of methods begin
// with a dot.
type source map[string][]string

// readSource parses the package without its tests, and finds which function each handle is
// bound to.
func readSource(t *testing.T) (calls source, bound map[string]string) {
	t.Helper()
	calls, bound = source{}, map[string]string{}
	files, err := fs.Glob(os.DirFS("."), "*.go")
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			caller := f.Name.Name
			if f.Recv != nil {
				caller = "." + caller
			}
			ast.Inspect(f.Body, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if called, ok := n.Fun.(*ast.Ident); ok {
						calls[caller] = append(calls[caller], called.Name)
					}
					if handle, run, ok := binding(n); ok {
						bound[handle] = "." + run
					}
				case *ast.SelectorExpr:
					// Methods, called or handed on; a.Store.Effect is none of ours.
					if _, ok := n.X.(*ast.Ident); ok {
						calls[caller] = append(calls[caller], "."+n.Sel.Name)
					}
				}
				return true
			})
		}
	}
	return calls, bound
}

// binding reads "Handle.Bind(r, a.run)".
func binding(call *ast.CallExpr) (handle, run string, ok bool) {
	bind, isBind := call.Fun.(*ast.SelectorExpr)
	if !isBind || bind.Sel.Name != "Bind" || len(call.Args) != 2 {
		return "", "", false
	}
	h, isHandle := bind.X.(*ast.Ident)
	f, isMethod := call.Args[1].(*ast.SelectorExpr)
	if !isHandle || !isMethod {
		return "", "", false
	}
	return h.Name, f.Sel.Name, true
}

// reaches tells whether a function calls another one in the end.
func (s source) reaches(from, to string) bool {
	seen, open := map[string]bool{from: true}, []string{from}
	for len(open) > 0 {
		next := open[0]
		open = open[1:]
		if next == to {
			return true
		}
		for _, called := range s[next] {
			if !seen[called] {
				seen[called], open = true, append(open, called)
			}
		}
	}
	return false
}

func TestEveryActivityEitherRecordsOrIsKnownToBeSilent(t *testing.T) {
	t.Parallel()
	calls, bound := readSource(t)
	require.Greater(t, len(bound), 80)
	for handle, run := range bound {
		records := slices.Contains(recording, handle)
		require.NotEqual(t, records, slices.Contains(silent, handle), "%s must be in one of the lists recording and silent", handle)
		require.Equal(t, records, calls.reaches(run, "record"), "%s is in the list that says whether it records", handle)
	}
	for _, handle := range slices.Concat(recording, silent) {
		require.Contains(t, bound, handle, "there is no such activity any more")
	}
}
