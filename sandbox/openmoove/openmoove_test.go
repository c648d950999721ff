package openmoove_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/aictive/keyholder/sandbox/openmoove"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// account is a sandbox over real HTTP and the raw calls that tests make.
type account struct {
	t      *testing.T
	server *openmoove.Server
	url    string
	client *http.Client
}

func open(t *testing.T, cfg openmoove.Config) account {
	t.Helper()
	s, err := openmoove.New(cfg)
	require.NoError(t, err)
	h := httptest.NewServer(s)
	client := &http.Client{
		Transport:     &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		h.Close()
		s.Close()
	})
	return account{t, s, h.URL, client}
}

// answer is what a call got.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a account) call(method, path, body string) answer {
	a.t.Helper()
	return a.with(method, path, body, openmoove.DevKey)
}

func (a account) with(method, path, body, key string) answer {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	require.NoError(a.t, err)
	req.Header.Set("X-API-KEY", key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.client.Do(req)
	require.NoError(a.t, err)
	defer func() { _ = resp.Body.Close() }()
	out, err := io.ReadAll(resp.Body)
	require.NoError(a.t, err)
	return answer{resp.StatusCode, resp.Header, string(out)}
}

func (a account) get(path string) object {
	a.t.Helper()
	got := a.call(http.MethodGet, path, "")
	require.Equal(a.t, http.StatusOK, got.status, got.body)
	return parse(a.t, got.body)
}

func (a account) list(path string) []object {
	a.t.Helper()
	got := a.call(http.MethodGet, path, "")
	require.Equal(a.t, http.StatusOK, got.status, got.body)
	var out []object
	require.NoError(a.t, json.Unmarshal([]byte(got.body), &out))
	return out
}

type object = map[string]any

func parse(t *testing.T, body string) object {
	t.Helper()
	var out object
	require.NoError(t, json.Unmarshal([]byte(body), &out), body)
	return out
}

// sale is a request that is right, with changes; nil takes a field away.
func sale(t *testing.T, changes object) string {
	t.Helper()
	fields := object{
		"first_name": "Jane", "last_name": "Doe", "email": "jane.doe@example.com", "phone_number": "07700 900123",
		"property_address": "4 Park Row, Leeds", "property_postcode": "LS1 5HD", "estate_agent_email": "agent@oakfield.example.com",
	}
	for k, v := range changes {
		fields[k] = v
		if v == nil {
			delete(fields, k)
		}
	}
	raw, err := json.Marshal(fields)
	require.NoError(t, err)
	return string(raw)
}

func (a account) create(changes object) object {
	a.t.Helper()
	got := a.call(http.MethodPost, "/clients/", sale(a.t, changes))
	require.Equal(a.t, http.StatusCreated, got.status, got.body)
	return parse(a.t, got.body)
}

func id(created object) string { return fmt.Sprintf("%.0f", created["property_id"]) }

func uuidOf(created object) string { return created["property"].(object)["transactionId"].(string) }

func names(rows []object) (out []string) {
	for _, r := range rows {
		out = append(out, r["name"].(string))
	}
	return out
}

func TestACreateIsAnsweredInTheContractsForm(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, time.May, 4, 10, 0, 0, 0, time.UTC)
	a := open(t, openmoove.Config{IDsAfter: 100, Now: func() time.Time { return now }})
	got := a.create(object{
		"sale_method": "modern_auction", "products": []string{"moove-ready-pack"}, "conveyancer_email": "new@firm.example.com",
		"mortgage_broker_email": "loans@firm.example.com", "auctioneer_email": "lots@hammond.example.com",
	})
	require.EqualValues(t, 101, got["property_id"])
	require.NotZero(t, got["mover_id"])
	require.Equal(t, "Client and property created successfully", got["message"])
	require.EqualValues(t, 1, got["estate_agent_id"])
	require.EqualValues(t, 4, got["auctioneer_id"])
	require.Greater(t, got["conveyancer_id"], 4.0)
	require.NotContains(t, got, "mortgage_broker_id")
	require.Equal(t, "0", got["total_amount"])
	purchase := got["purchases"].([]any)[0].(object)
	require.Equal(t, "Moove Ready Pack", purchase["product_name"])
	require.Equal(t, "0", purchase["amount"])
	require.Equal(t, "2030-05-04T10:00:00Z", purchase["purchased_at"])

	pack := got["property"].(object)["propertyPack"].(object)
	require.Equal(t, "Modern Method of Auction", pack["priceInformation"].(object)["disposal"])
	require.Equal(t, object{"buildingNumber": "4", "street": "Park Row", "line1": "4 Park Row, Leeds", "postcode": "LS1 5HD", "countryCode": "GBR"}, pack["address"])
	require.Equal(t, "For sale", got["property"].(object)["status"])
	require.NotEqual(t, uuidOf(got), got["property"].(object)["externalIds"].(object)["openmoove"])
	require.Len(t, got["property"].(object)["participants"], 3, "the seller and who has an account")

	require.Equal(t, got["property"], a.get("/properties/"+uuidOf(got)+"/"))
	detail := a.get("/properties/101/detail/")
	require.Equal(t, "+447700900123", detail["seller"].(object)["phone_number"], "any valid form is kept as E.164")
	require.EqualValues(t, 4, detail["milestones_count"])
	require.EqualValues(t, 0, detail["completed_milestones"])
	team := detail["team"].(object)
	require.Equal(t, "active", team["auctioneer"].(object)["status"])
	require.Equal(t, "Hammond Auctions", team["auctioneer"].(object)["firm"])
	require.Nil(t, team["auctioneer"].(object)["invited_at"])
	require.Equal(t, "invited", team["conveyancer"].(object)["status"])
	require.Equal(t, "2030-05-04T10:00:00Z", team["conveyancer"].(object)["invited_at"])

	plain := a.create(nil)
	require.EqualValues(t, 102, plain["property_id"])
	require.Equal(t, []any{}, plain["purchases"])
	require.NotContains(t, plain, "auctioneer_id")
}

func TestEachPathTakesItsOwnIDs(t *testing.T) {
	t.Parallel()
	a := open(t, openmoove.Config{})
	const uuid = "11111111-1111-4111-8111-000000000001"
	for path, want := range map[string]int{
		"/properties/" + uuid + "/": 200, "/properties/1/": 404, "/properties/1/detail/": 200, "/properties/" + uuid + "/detail/": 404,
		"/properties/" + uuid + "/milestones/": 200, "/properties/1/milestones/": 200, "/properties/99/milestones/": 404,
		"/properties/" + uuid + "/milestones/current/": 200, "/properties/1/milestones/current/": 200,
		"/properties/1/chat/": 200, "/properties/" + uuid + "/chat/summary/": 200, "/properties/x/chat/": 404,
		"/products/": 200, "/": 404, "/nothing/": 404, "/properties//1/": 404, "/properties/1/../1/detail/": 404,
		"/properties/22222222-2222-4222-8222-000000000001/": 404, // externalIds.openmoove is no id of a path
	} {
		got := a.call(http.MethodGet, path, "")
		require.Equal(t, want, got.status, "%s: %s", path, got.body)
		if want == 404 {
			require.JSONEq(t, `{"detail":"Not found."}`, got.body)
		}
		require.NotEmpty(t, got.header.Get("X-RateLimit-Limit"), path)
	}
	require.Equal(t, 405, a.call(http.MethodDelete, "/properties/1/milestones/", "").status, "nothing writes a milestone")
	require.Equal(t, 405, a.call(http.MethodGet, "/clients/", "").status)
	require.JSONEq(t, `{"count":0,"next":null,"previous":null,"results":[],"message":"Chat integration not yet implemented"}`,
		a.call(http.MethodGet, "/properties/1/chat/", "").body)
	require.Equal(t, "Mock chat summary - real implementation pending", a.get("/properties/1/chat/summary/")["message"])
	require.Equal(t, "moove-ready-pack", a.get("/products/")["results"].([]any)[0].(object)["slug"])
}

func TestAPathWithoutItsSlash(t *testing.T) {
	t.Parallel()
	a := open(t, openmoove.Config{Limits: "2/1h"})
	for range 3 {
		got := a.call(http.MethodGet, "/properties?page=2", "")
		require.Equal(t, http.StatusMovedPermanently, got.status)
		require.Equal(t, "/properties/?page=2", got.header.Get("Location"))
		require.Equal(t, "2", got.header.Get("X-RateLimit-Remaining"), "it does not count")
	}
	require.Equal(t, 404, a.call(http.MethodPost, "/clients", sale(t, nil)).status, "a body would be lost on the way")
	require.Equal(t, 3, a.server.Count())
}

func TestTheKeyIsChecked(t *testing.T) {
	t.Parallel()
	a := open(t, openmoove.Config{Key: "om_other", Limits: "1/1h"})
	for _, key := range []string{"", openmoove.DevKey, "om_othe"} {
		got := a.with(http.MethodGet, "/products/", "", key)
		require.Equal(t, http.StatusUnauthorized, got.status)
		require.JSONEq(t, `{"detail":"Invalid API key provided"}`, got.body)
		require.Equal(t, "1", got.header.Get("X-RateLimit-Remaining"))
	}
	require.Equal(t, 200, a.with(http.MethodGet, "/products/", "", "om_other").status, "who is refused does not use up the key")
}

func TestEverythingWrongIsToldAtOnceInOneOfThreeShapes(t *testing.T) {
	t.Parallel()
	a := open(t, openmoove.Config{})
	long := strings.Repeat("é", 151)
	required := []any{"This field is required."}
	for name, c := range map[string]struct {
		body string
		want object
	}{
		"nothing given": {`{}`, object{
			"first_name": required, "last_name": required, "email": required, "phone_number": required,
			"property_address": required, "property_postcode": required,
			"non_field_errors": []any{"At least one professional email must be provided"},
		}},
		"missing and malformed": {sale(t, object{"first_name": nil, "last_name": "  ", "phone_number": "12"}), object{
			"first_name": required, "last_name": []any{"This field may not be blank."}, "phone_number": []any{"Invalid phone number format"},
		}},
		"nobody": {sale(t, object{"estate_agent_email": ""}), object{
			"non_field_errors": []any{"At least one professional email must be provided"},
		}},
		"no auctioneer": {sale(t, object{"sale_method": "secure_sale"}), object{
			"non_field_errors": []any{"auctioneer_email is required for auction sale methods"},
		}},
		"malformed only": {sale(t, object{"phone_number": "invalid", "email": "x@y", "conveyancer_email": "law firm"}), object{
			"detail": "Some fields have an invalid format",
			"field_errors": object{
				"phone_number": []any{"Invalid phone number format"}, "email": []any{"Enter a valid email address"},
				"conveyancer_email": []any{"Enter a valid email address"},
			},
		}},
		"too long": {sale(t, object{
			"first_name": long, "last_name": long, "property_address": strings.Repeat("a", 256), "property_postcode": "LS1 5HD ABC",
		}), object{
			"detail": "Some fields have an invalid format",
			"field_errors": object{
				"first_name":        []any{"Ensure this field has no more than 150 characters."},
				"last_name":         []any{"Ensure this field has no more than 150 characters."},
				"property_address":  []any{"Ensure this field has no more than 255 characters."},
				"property_postcode": []any{"Ensure this field has no more than 10 characters."},
			},
		}},
		"unknown choices": {sale(t, object{"sale_method": "raffle", "products": []string{"moove-ready-pack", "gold"}}), object{
			"sale_method": []any{`"raffle" is not a valid choice.`}, "products": []any{"Object with slug=gold does not exist."},
		}},
		"wrong types": {sale(t, object{"first_name": []int{1}, "products": "gold", "estate_agent_email": true}), object{
			"first_name": []any{"Not a valid string."}, "products": []any{"Expected a list of items."},
			"estate_agent_email": []any{"Not a valid string."},
		}},
		"an auctioneer who refuses": {sale(t, object{"sale_method": "modern_auction", "auctioneer_email": "Refuse.lots@example.com"}), object{
			"auctioneer_email": []any{"This auctioneer does not take new sales."},
		}},
		"a list":   {`[]`, object{"non_field_errors": []any{"Invalid data. Expected a dictionary."}}},
		"no JSON":  {`{"first_name"`, object{"detail": "JSON parse error"}},
		"too much": {`{} {}`, object{"detail": "JSON parse error"}},
	} {
		got := a.call(http.MethodPost, "/clients/", c.body)
		require.Equal(t, http.StatusBadRequest, got.status, name)
		require.Equal(t, c.want, parse(t, got.body), name)
	}
	require.Equal(t, 3, a.server.Count(), "nothing was created")
	a.create(object{"first_name": strings.Repeat("é", 150), "phone_number": "+44 (0)20 7946 0000", "sale_method": ""})
}

func TestTheListGoesOnByPages(t *testing.T) {
	t.Parallel()
	a := open(t, openmoove.Config{})
	for i := range 120 {
		a.server.Create(object{"property_address": strconv.Itoa(i) + " Long Road", "property_postcode": "LS1 5HD", "email": "a@example.com"})
	}
	first := a.get("/properties/")
	require.EqualValues(t, 123, first["count"])
	require.Len(t, first["results"], 20)
	require.Nil(t, first["previous"])
	require.Equal(t, a.url+"/properties/?page=2", first["next"])
	row := first["results"].([]any)[0].(object)
	require.Equal(t, object{
		"id": 1.0, "address": "14 Orchard Lane, Guildford", "postcode": "GU1 4AB", "uprn": 10090000001.0, "sale_method": "standard",
		"created_at": "2026-08-03T09:30:00Z",
	}, row, "the list has no transaction id")

	second := a.get("/properties/?page=2&page_size=1000")
	require.Len(t, second["results"], 23, "a page has 100 at most")
	require.Nil(t, second["next"])
	require.Equal(t, a.url+"/properties/?page_size=1000", second["previous"])
	require.EqualValues(t, 101, second["results"].([]any)[0].(object)["id"], "the newest come last")
	for _, wrong := range []string{"0", "-1", "3", "x", "9223372036854775807"} {
		got := a.call(http.MethodGet, "/properties/?page_size=100&page="+wrong, "")
		require.Equal(t, http.StatusNotFound, got.status, wrong)
		require.JSONEq(t, `{"detail":"Invalid page."}`, got.body)
	}
}

func TestMilestonesFollowTheSaleMethod(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, time.May, 4, 10, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	a := open(t, openmoove.Config{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	standard := uuidOf(a.create(nil))
	require.Equal(t, []string{
		"Instruction", "Legal Pack Preparation", "Property Marketing", "Offer Acceptance", "Exchange of Contracts", "Completion",
	}, names(a.list("/properties/"+standard+"/milestones/")))
	for _, method := range []string{"modern_auction", "secure_sale"} {
		made := a.create(object{"sale_method": method, "auctioneer_email": "lots@hammond.example.com"})
		require.Equal(t, []string{"Legal Pack Preparation", "Auction Marketing Period", "Auction Exchange", "Completion"},
			names(a.list("/properties/"+id(made)+"/milestones/")))
	}
	current := a.get("/properties/" + standard + "/milestones/current/")
	require.Equal(t, "Instruction", current["name"])
	require.Equal(t, "2030-05-06T23:59:59Z", current["due_date"])
	require.EqualValues(t, 2, current["days_until_due"])
	require.Equal(t, "Estate Agent", current["assigned_to"])
	require.Equal(t, "high", current["priority"])
	require.Equal(t, false, current["is_overdue"])
	require.Nil(t, current["completed_at"])

	mu.Lock()
	now = now.AddDate(0, 0, 3)
	mu.Unlock()
	current = a.get("/properties/" + standard + "/milestones/current/")
	require.Equal(t, true, current["is_overdue"], "it is the view at the moment of reading")
	require.EqualValues(t, -1, current["days_until_due"])
	require.Equal(t, 404, a.call(http.MethodGet, "/properties/3/milestones/current/", "").status, "all are completed")
	require.Nil(t, a.list("/properties/2/milestones/")[2]["due_date"])
}

func TestAnInvitationIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	a := open(t, openmoove.Config{})
	made := a.create(object{"conveyancer_email": "sam.lee@fielding.example.com"})
	member := func(property string) object {
		return a.get("/properties/" + property + "/detail/")["team"].(object)["conveyancer"].(object)
	}
	require.Equal(t, "invited", member(id(made))["status"])
	p, err := a.server.Property(id(made))
	require.NoError(t, err)
	require.Len(t, p.Team[1].Code, 12)
	_, err = a.server.Accept(id(made), "auctioneer")
	require.ErrorIs(t, err, openmoove.ErrNotFound)
	_, err = a.server.Accept("77", "conveyancer")
	require.ErrorIs(t, err, openmoove.ErrNotFound)
	for range 2 {
		_, err = a.server.Accept(id(made), "conveyancer")
		require.NoError(t, err)
	}
	accepted := member(id(made))
	require.Equal(t, "active", accepted["status"])
	require.Equal(t, "Sam Lee", accepted["name"])
	require.NotNil(t, accepted["invited_at"])
	require.False(t, p.Team[1].Active, "who holds the record as it was sees no change")
	require.Len(t, a.get("/properties/" + uuidOf(made) + "/")["participants"], 3)

	later := a.create(object{"conveyancer_email": "Sam.Lee@fielding.example.com"})
	require.Equal(t, "active", member(id(later))["status"], "somebody with an account is attached at once")
	require.Equal(t, made["conveyancer_id"], later["conveyancer_id"])
}

func TestOptionsTakeThingsAway(t *testing.T) {
	t.Parallel()
	a := open(t, openmoove.Config{})
	a.server.SetOptions(openmoove.Options{WithoutTeam: true})
	require.NotContains(t, a.get("/properties/1/detail/"), "team")
	a.server.SetOptions(openmoove.Options{WithoutDetail: true})
	require.Equal(t, 404, a.call(http.MethodGet, "/properties/1/detail/", "").status)
	a.server.Reset()
	require.Contains(t, a.get("/properties/1/detail/"), "team")
}

func TestNothingStopsADuplicate(t *testing.T) {
	t.Parallel()
	a := open(t, openmoove.Config{})
	a.create(nil)
	require.Zero(t, a.server.Duplicates())
	a.create(object{"property_address": "4  park row, leeds", "property_postcode": "ls15hd", "email": "Jane.Doe@example.com"})
	a.create(nil)
	require.Equal(t, 2, a.server.Duplicates())
	a.create(object{"email": "john@example.com"})
	a.create(object{"property_address": "5 Park Row, Leeds"})
	require.Equal(t, 2, a.server.Duplicates())
	a.server.Reset()
	require.Zero(t, a.server.Duplicates())
	require.Equal(t, 3, a.server.Count())
	require.EqualValues(t, 9, a.create(nil)["property_id"], "no id names a second property")
}

func TestASnapshotHoldsEverything(t *testing.T) {
	t.Parallel()
	a := open(t, openmoove.Config{IDsAfter: 500})
	made := a.create(object{"conveyancer_email": "sam@fielding.example.com", "products": []string{"moove-ready-pack"}})
	a.create(nil)
	a.create(nil)
	_, err := a.server.Accept(id(made), "conveyancer")
	require.NoError(t, err)
	yes, none := true, time.Time{}
	_, err = a.server.SetMilestone("1", "13", openmoove.MilestoneChange{Completed: &yes, DueDate: &none})
	require.NoError(t, err)
	snapshot, changes := a.server.Snapshot()
	require.EqualValues(t, 5, changes)

	b := open(t, openmoove.Config{IDsAfter: 400})
	require.NoError(t, b.server.Restore(snapshot))
	for _, path := range []string{
		"/properties/", "/properties/501/detail/", "/properties/1/milestones/", "/properties/" + uuidOf(made) + "/", "/properties/501/milestones/current/",
	} {
		want := strings.ReplaceAll(a.call(http.MethodGet, path, "").body, a.url, b.url)
		require.JSONEq(t, want, b.call(http.MethodGet, path, "").body, path)
	}
	require.Equal(t, 2, b.server.Duplicates())
	next := b.create(object{"conveyancer_email": "sam@fielding.example.com"})
	require.EqualValues(t, 504, next["property_id"], "the higher of clock and snapshot counts")
	require.Equal(t, made["conveyancer_id"], next["conveyancer_id"])
	require.Equal(t, "active", b.get("/properties/504/detail/")["team"].(object)["conveyancer"].(object)["status"])
	seen := map[float64]bool{}
	for _, p := range []string{"1", "501", "502", "503", "504"} {
		for _, m := range b.list("/properties/" + p + "/milestones/") {
			require.False(t, seen[m["id"].(float64)], "two milestones have one id")
			seen[m["id"].(float64)] = true
		}
	}

	later := open(t, openmoove.Config{IDsAfter: 600})
	require.NoError(t, later.server.Restore(snapshot))
	require.EqualValues(t, 601, later.create(nil)["property_id"])
	for _, bad := range []string{``, `[]`, `{"properties":[null]}`, `{"properties":[{"id":5}]}`,
		`{"properties":[{"id":5,"transaction_id":"a"},{"id":5,"transaction_id":"b"}]}`} {
		require.Error(t, later.server.Restore([]byte(bad)), bad)
	}
	_, err = later.server.Property("601")
	require.NoError(t, err, "a snapshot that is refused changes nothing")
}
