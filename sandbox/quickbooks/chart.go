package quickbooks

import (
	"slices"
	"strings"
)

// The accounts of the seed that others name.
const (
	AccountPayable     = "Accounts Payable (A/P)"
	AccountReceivable  = "Accounts Receivable (A/R)"
	AccountRepairs     = "Repairs & Maintenance"
	AccountChecking    = "Checking"
	AccountUndeposited = "Undeposited Funds"
)

// The types of accounts.
const (
	typeBank        = "Bank"
	typeReceivable  = "Accounts Receivable"
	typePayable     = "Accounts Payable"
	typeOtherAsset  = "Other Current Asset"
	typeOtherLiable = "Other Current Liability"
	typeIncome      = "Income"
	typeExpense     = "Expense"
)

// account is one of the chart of accounts. What was posted to it is derived from the
// documents, and is kept nowhere else.
type account struct {
	ID, Name, Type string
	Active         bool
	debits         money
	credits        money
	lines          int
}

func (a *account) balance() money { return a.debits - a.credits }

// shown is the account over the wire. QuickBooks keeps a balance of assets and
// liabilities alone, debits less credits; that of income and expenses is 0.
func (a *account) shown() any {
	balance, class := a.balance(), "Asset"
	switch a.Type {
	case typePayable, typeOtherLiable:
		class = "Liability"
	case typeIncome:
		balance, class = 0, "Revenue"
	case typeExpense:
		balance, class = 0, "Expense"
	}
	return record{
		"Id": a.ID, "SyncToken": "0", "Name": a.Name, "FullyQualifiedName": a.Name, "AccountType": a.Type, "Classification": class,
		"Active": a.Active, "SubAccount": false, "CurrentBalance": balance, "CurrencyRef": record{"value": "USD", "name": "United States Dollar"},
		"domain": "QBO", "sparse": false,
	}
}

func (a *account) field(name string) (string, bool) {
	switch strings.ToLower(name) {
	case "id":
		return a.ID, true
	case "name", "fullyqualifiedname":
		return a.Name, true
	case "accounttype":
		return a.Type, true
	case "active":
		return yes(a.Active), true
	}
	return "", false
}

// chart is fit for a manager of property.
func chart() []*account {
	var all []*account
	for _, a := range []struct{ id, name, kind string }{
		{"40", "Trust Checking", typeBank}, {"35", AccountChecking, typeBank}, {"36", AccountUndeposited, typeOtherAsset},
		{"34", AccountReceivable, typeReceivable}, {"41", "Tenant Receivables", typeOtherAsset},
		{"33", AccountPayable, typePayable}, {"42", "Vendor Payables", typeOtherLiable},
		{"43", "Security Deposits Held", typeOtherLiable}, {"44", "Uncategorized", typeOtherLiable},
		{"50", "Rental Income", typeIncome}, {"51", "Late Fee Income", typeIncome}, {"52", "Utility Reimbursements", typeIncome},
		{"53", "Pet Rent", typeIncome}, {"54", "Parking Income", typeIncome}, {"55", "Other Income", typeIncome},
		{"77", AccountRepairs, typeExpense}, {"78", "Cleaning & Turnover", typeExpense}, {"79", "Utilities Expense", typeExpense},
		{"80", "Insurance", typeExpense}, {"81", "Property Taxes", typeExpense}, {"82", "Management Fees", typeExpense},
	} {
		all = append(all, &account{ID: a.id, Name: a.name, Type: a.kind, Active: true})
	}
	return all
}

func (d *db) account(id string) *account {
	if i := slices.IndexFunc(d.accounts, func(a *account) bool { return a.ID == id }); i >= 0 {
		return d.accounts[i]
	}
	return nil
}

func (d *db) accountNamed(name string) *account {
	if i := slices.IndexFunc(d.accounts, func(a *account) bool { return a.Name == name }); i >= 0 {
		return d.accounts[i]
	}
	return nil
}

// SetActive makes an account active or not, as a person does in QuickBooks; false where
// there is none of that name.
func (s *Server) SetActive(name string, active bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accountNamed(name)
	if a == nil {
		return false
	}
	a.Active = active
	s.Inactive = slices.DeleteFunc(s.Inactive, func(id string) bool { return id == a.ID })
	if !active {
		s.Inactive = append(s.Inactive, a.ID)
	}
	return true
}
