package policy

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The texts of the maintenance workflow. Those that ask something carry the
// placeholders {code} and {link}, which the sender fills in.
const (
	TextPageOnCall               = "page_on_call"
	TextPageAgain                = "page_again"
	TextPageStopped              = "page_stopped"
	TextTenantLifeSafety         = "tenant_life_safety"
	TextTenantReceived           = "tenant_received"
	TextTenantOnCallAcknowledged = "tenant_on_call_acknowledged"
	TextTenantTechnicianAssigned = "tenant_technician_assigned"
	TextTenantOnSite             = "tenant_on_site"
	TextTenantDone               = "tenant_done"
	TextTenantClosed             = "tenant_closed"
	TextJoinedTenant             = "joined_tenant"
	TextManagerOpened            = "manager_opened"
	TextManagerAcknowledged      = "manager_acknowledged"
	TextManagerBreach            = "manager_breach"
	TextManagerNobodyAnswers     = "manager_nobody_answers"
	TextManagerDispatchFailed    = "manager_dispatch_failed"
	TextManagerJoined            = "manager_joined"
	TextManagerAssigned          = "manager_technician_assigned"
	TextManagerOnSite            = "manager_on_site"
	TextManagerDone              = "manager_done"
	TextManagerClosed            = "manager_closed"
	TextManagerGivenBack         = "manager_job_given_back"
	TextTenantGivenBack          = "tenant_job_given_back"
	TextOfferTechnician          = "offer_technician"
	TextOfferWithdrawn           = "offer_withdrawn"
	TextTechnicianOnSite         = "technician_on_site"
	TextTechnicianDone           = "technician_done"
	TextOrdinaryTenantReceived   = "ordinary_tenant_received"
	TextOrdinaryManagerOpened    = "ordinary_manager_opened"
	TextIncidentSubject          = "incident_subject"
)

// The texts of ordinary repairs, needed where repairs are coordinated. Workers are
// our technicians and vendors alike.
const (
	TextRepairOffer              = "repair_offer"
	TextRepairBid                = "repair_bid"
	TextRepairAward              = "repair_award"
	TextRepairOwnerApprove       = "repair_owner_approve"
	TextRepairOwnerAgain         = "repair_owner_again"
	TextRepairManagerApprove     = "repair_manager_approve"
	TextRepairAccounting         = "repair_accounting"
	TextRepairTenantWindows      = "repair_tenant_windows"
	TextRepairTenantWindowsAgain = "repair_tenant_windows_again"
	TextRepairManagerWindow      = "repair_manager_window"
	TextRepairTenantReminder     = "repair_tenant_reminder"
	TextRepairWorkerWay          = "repair_worker_way"
	TextRepairWorkerSite         = "repair_worker_site"
	TextRepairWorkerLate         = "repair_worker_late"
	TextRepairWorkerDone         = "repair_worker_done"
	TextRepairWorkerAgain        = "repair_worker_again"
	TextRepairManagerReview      = "repair_manager_review"
	TextRepairTenantConfirm      = "repair_tenant_confirm"
	TextRepairTenantConfirmAgain = "repair_tenant_confirm_again"
	TextRepairManagerNoBids      = "repair_manager_no_bids"
	TextRepairManagerStuck       = "repair_manager_stuck"
	TextRepairBidClosed          = "repair_bid_closed"
	TextRepairBidLost            = "repair_bid_lost"
	TextRepairTenantBooked       = "repair_tenant_booked"
	TextRepairWorkerBooked       = "repair_worker_booked"
	TextRepairTenantOnTheWay     = "repair_tenant_on_the_way"
	TextRepairTenantMoved        = "repair_tenant_moved"
	TextRepairTenantReplaced     = "repair_tenant_replaced"
	TextRepairTenantStopped      = "repair_tenant_stopped"
	TextRepairTenantClosed       = "repair_tenant_closed"
	TextRepairTenantReopened     = "repair_tenant_reopened"
	TextRepairWorkerStopped      = "repair_worker_stopped"
	TextRepairWorkerBack         = "repair_worker_back"
	TextRepairOwnerStopped       = "repair_owner_stopped"
	TextRepairManagerStopped     = "repair_manager_stopped"
	TextRepairManagerClosed      = "repair_manager_closed"
	TextRepairManagerNotice      = "repair_manager_notice"
	TextRepairVisitSubject       = "repair_visit_subject"
)

// kind says what a text is for, which decides what Load asks of it.
type kind int

const (
	tells   kind = iota // a text message; placeholders would be sent as they are
	asks                // a text message with a question: {code} is needed
	subject             // the subject of a mail: one line, never split
	links               // asks for what only the page takes: {code} and {link} are needed
	lists               // asks for one of several windows, which make it long
)

// texts is every text that a policy must have, but for those of repairs where none
// are coordinated.
func texts() map[string]kind {
	all := repairTexts()
	maps.Copy(all, responseTexts())
	return all
}

func responseTexts() map[string]kind {
	return map[string]kind{
		TextPageOnCall: asks, TextPageAgain: asks, TextPageStopped: tells,
		TextTenantLifeSafety: tells, TextTenantReceived: tells, TextTenantOnCallAcknowledged: tells,
		TextTenantTechnicianAssigned: tells, TextTenantOnSite: tells, TextTenantDone: tells,
		TextTenantClosed: tells, TextJoinedTenant: tells,
		TextManagerOpened: tells, TextManagerAcknowledged: tells, TextManagerBreach: tells,
		TextManagerNobodyAnswers: tells, TextManagerDispatchFailed: tells, TextManagerJoined: tells,
		TextManagerAssigned: tells, TextManagerOnSite: tells, TextManagerDone: tells, TextManagerClosed: tells,
		TextManagerGivenBack: tells, TextTenantGivenBack: tells,
		TextOfferTechnician: asks, TextOfferWithdrawn: tells, TextTechnicianOnSite: asks, TextTechnicianDone: asks,
		TextOrdinaryTenantReceived: tells, TextOrdinaryManagerOpened: tells,
		TextIncidentSubject: subject,
	}
}

func repairTexts() map[string]kind {
	return map[string]kind{
		TextRepairOffer: asks, TextRepairBid: links, TextRepairAward: asks, TextRepairOwnerApprove: asks,
		TextRepairOwnerAgain: asks, TextRepairManagerApprove: asks, TextRepairAccounting: asks,
		TextRepairTenantWindows: lists, TextRepairTenantWindowsAgain: lists, TextRepairManagerWindow: lists,
		TextRepairTenantReminder: asks, TextRepairWorkerWay: asks, TextRepairWorkerSite: asks,
		TextRepairWorkerLate: asks, TextRepairWorkerDone: links, TextRepairWorkerAgain: links,
		TextRepairManagerReview: asks, TextRepairTenantConfirm: asks, TextRepairTenantConfirmAgain: asks,
		TextRepairManagerNoBids: asks, TextRepairManagerStuck: asks, TextRepairBidClosed: tells,
		TextRepairBidLost: tells, TextRepairTenantBooked: tells, TextRepairWorkerBooked: tells,
		TextRepairTenantOnTheWay: tells, TextRepairTenantMoved: tells, TextRepairTenantReplaced: tells,
		TextRepairTenantStopped: tells, TextRepairTenantClosed: tells, TextRepairTenantReopened: tells,
		TextRepairWorkerStopped: tells, TextRepairWorkerBack: tells, TextRepairOwnerStopped: tells,
		TextRepairManagerStopped: tells, TextRepairManagerClosed: tells, TextRepairManagerNotice: tells,
		TextRepairVisitSubject: subject,
	}
}

// TextData is what a text may say. Values come from people and partners: Text
// makes them harmless. Company and EmergencyNumber are filled in from the
// settings where they are empty.
type TextData struct {
	Company string
	// Problem is triage's short words, such as "Water leak".
	Problem string
	Reason  string
	Address string
	Unit    string
	// WorkOrder is the number that people see.
	WorkOrder string
	// Person is whom the text is about; By is who did it.
	Person string
	By     string
	// DueBy is a time as people read it, in the property's zone.
	DueBy           string
	EmergencyNumber string
	// Price is an amount as people read it, Window a visit's time or those that may be
	// chosen ("1 = Tue Nov 24 8-12, 2 = ..."), and Count how many there were.
	Price  string
	Window string
	Count  int
}

const (
	// maxRendered bounds a rendered text, in bytes.
	maxRendered = 2000
	// maxValue, maxReason and maxWindow bound what one value adds, in characters.
	maxValue  = 60
	maxReason = 160
	maxWindow = 240
)

// ErrUnknownText is returned for a text that the settings do not have.
var ErrUnknownText = errors.New("policy: no such text")

func unknownText(id string) error { return fmt.Errorf("%w: %s", ErrUnknownText, id) }

// Text renders a text. It depends on nothing but the settings and data. The
// placeholders {code} and {link} stay as they are, and values cannot bring in
// others. The error is ErrUnknownText, or the template's, which Load rules out.
func (s Settings) Text(id string, data TextData) (string, error) {
	source, ok := s.Texts[id]
	if !ok {
		return "", unknownText(id)
	}
	if data.Company == "" {
		data.Company = s.Company
	}
	if data.EmergencyNumber == "" {
		data.EmergencyNumber = s.EmergencyNumber
	}
	return render(id, source, data)
}

func render(id, source string, data TextData) (string, error) {
	out, err := execute(id, source, maxRendered, data.clean())
	return strings.Join(strings.Fields(out), " "), err
}

// execute is pure: data holds strings and numbers only, and the built-in functions
// touch nothing else. workflowcheck cannot see that through text/template's
// reflection. The result has at most limit bytes.
//
//workflowcheck:ignore
func execute(id, source string, limit int, data any) (string, error) {
	t, err := template.New(id).Option("missingkey=error").Parse(source)
	if err != nil {
		return "", fmt.Errorf("policy: %w", err)
	}
	out := bounded{limit: limit}
	if err := t.Execute(&out, data); err != nil {
		return "", fmt.Errorf("policy: %w", err)
	}
	return out.String(), nil
}

// bounded refuses to grow beyond limit bytes.
type bounded struct {
	strings.Builder
	limit int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.limit {
		return 0, fmt.Errorf("the text is longer than %d bytes", b.limit)
	}
	return b.Builder.Write(p)
}

func (d TextData) clean() TextData {
	for _, v := range []*string{&d.Company, &d.Problem, &d.Address, &d.Unit, &d.WorkOrder, &d.Person, &d.By, &d.DueBy,
		&d.EmergencyNumber, &d.Price} {
		*v = cleanValue(*v, maxValue)
	}
	d.Reason = cleanValue(d.Reason, maxReason)
	d.Window = cleanValue(d.Window, maxWindow)
	return d
}

// Made once, because a policy has many texts: typographic marks as GSM-7 has them,
// and braces as none.
var (
	marks = strings.NewReplacer("\u2018", "'", "\u2019", "'", "\u201c", `"`, "\u201d", `"`,
		"\u2013", "-", "\u2014", "-", "\u2026", "...")
	braces = strings.NewReplacer("{", "(", "}", ")")
)

// cleanValue makes a value fit for a text message: one line, no placeholders,
// typographic marks and accents as GSM-7 has them where it has none (one other
// character would more than halve what a segment holds), and bounded.
func cleanValue(v string, limit int) string {
	return cleanLine(marks.Replace(cut(v, limit)), limit, plain)
}

// cleanLine makes a value fit to be read: one line, no placeholders, nothing
// invisible, and at most limit characters, each as fold has it.
func cleanLine(v string, limit int, fold func(rune) rune) string {
	v = braces.Replace(cut(v, limit))
	var b strings.Builder
	n := 0
	for _, r := range strings.Join(strings.Fields(norm.NFC.String(v)), " ") {
		if n == limit {
			break
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			continue
		}
		b.WriteRune(fold(r))
		n++
	}
	return strings.TrimSpace(b.String())
}

// cut keeps the work on a value bounded; limit is in characters.
func cut(v string, limit int) string {
	if len(v) > 8*limit {
		return strings.ToValidUTF8(v[:8*limit], "")
	}
	return v
}

// same keeps the letter as it is: mails know all of them.
func same(r rune) rune { return r }

// plain is the letter without its accent where GSM-7 lacks the one with it.
func plain(r rune) rune {
	if septets(r) > 0 {
		return r
	}
	base, _ := utf8.DecodeRuneInString(norm.NFD.String(string(r)))
	if septets(base) > 0 {
		return base
	}
	return r
}
