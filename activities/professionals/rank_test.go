package professionals

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/policy"
)

func builtIn(t *testing.T) policy.Sales {
	t.Helper()
	p, err := policy.Load(policy.BuiltIn)
	require.NoError(t, err)
	return p.Sales()
}

func ids(choices []Choice) []string {
	out := []string{}
	for _, c := range choices {
		out = append(out, c.Professional.ID)
	}
	return out
}

func TestRankOfTheBuiltInDirectory(t *testing.T) {
	t.Parallel()
	const agent, conveyancer, auctioneer = policy.RoleEstateAgent, policy.RoleConveyancer, policy.RoleAuctioneer
	for _, c := range []struct {
		name      string
		need      Need
		load      map[string]int
		want      []string
		reason    string // of the first
		byDefault bool
	}{
		{
			"the agent of the area", Need{Role: agent, Postcode: "SW1A 1AA", Method: "standard"}, nil,
			[]string{"oakfield"}, "covers SW, does standard, 0 of 40 cases", false,
		},
		{
			"another area", Need{Role: agent, Postcode: "m1 1ae", Method: "modern_auction"}, map[string]int{"northgate": 3},
			[]string{"northgate"}, "covers M, does modern_auction, 3 of 30 cases", false,
		},
		{
			"S is Sheffield, not SW", Need{Role: agent, Postcode: "S1 2HE", Method: "standard"}, nil,
			[]string{"northgate"}, "covers S, does standard, 0 of 30 cases", false,
		},
		{
			"the least busy share of capacity", Need{Role: conveyancer, Postcode: "SW1A 1AA", Method: "standard"},
			map[string]int{"lawson": 5, "pemberton": 4, "oakfield": 39}, // 5 of 25 is 4 of 20
			[]string{"pemberton", "lawson"}, "covers SW, does standard, 4 of 20 cases", false,
		},
		{
			"who has more cases may be less busy", Need{Role: conveyancer, Postcode: "SW1A 1AA", Method: "standard"},
			map[string]int{"lawson": 6, "pemberton": 5}, []string{"lawson", "pemberton"}, "covers SW, does standard, 6 of 25 cases", false,
		},
		{
			"only who does the method", Need{Role: conveyancer, Postcode: "W1A 1AA", Method: "secure_sale"}, map[string]int{"pemberton": 19},
			[]string{"pemberton"}, "covers W, does secure_sale, 19 of 20 cases", false,
		},
		{
			"an idle tie goes by id", Need{Role: auctioneer, Postcode: "IV2 3AB", Method: "modern_auction"}, nil,
			[]string{"gavelton", "hammond"}, "covers everywhere, does modern_auction, 0 of 40 cases", false,
		},
		{
			"secure sales have one auctioneer", Need{Role: auctioneer, Postcode: "IV2 3AB", Method: "secure_sale"}, nil,
			[]string{"gavelton"}, "covers everywhere, does secure_sale, 0 of 40 cases", false,
		},
		{
			"a refused auctioneer is replaced by the next", Need{Role: auctioneer, Postcode: "SE1 9SG", Method: "modern_auction", Refused: []string{"gavelton"}}, nil,
			[]string{"hammond"}, "covers everywhere, does modern_auction, 0 of 60 cases", false,
		},
		{
			"nobody covers it: the default, then the rest by workload", Need{Role: agent, Postcode: "IV2 3AB", Method: "standard"}, nil,
			[]string{"oakfield", "northgate"}, "nobody free covers IV2 for standard: the default", true,
		},
		{
			"everybody is full: the default, though full", Need{Role: agent, Postcode: "SW1A 1AA", Method: "standard"}, map[string]int{"oakfield": 41},
			[]string{"oakfield", "northgate"}, "nobody free covers SW1A for standard: the default", true,
		},
		{
			"a default outside its area", Need{Role: conveyancer, Postcode: "M1 1AE", Method: "standard"}, map[string]int{"quayside": 30, "pemberton": 1},
			[]string{"lawson", "pemberton", "quayside"}, "nobody free covers M1 for standard: the default", true,
		},
		{
			"the default was refused: the least busy elsewhere", Need{Role: conveyancer, Postcode: "IV2 3AB", Method: "standard", Refused: []string{"lawson"}},
			map[string]int{"quayside": 3, "pemberton": 3},
			[]string{"quayside", "pemberton"}, "nobody free covers IV2 for standard, the default was refused: by workload, 3 of 30 cases", false,
		},
		{
			"the default does not do auctions", Need{Role: conveyancer, Postcode: "IV2 3AB", Method: "modern_auction"}, map[string]int{"pemberton": 1},
			[]string{"quayside", "pemberton"}, "nobody free covers IV2 for modern_auction, the default does not do that: by workload, 0 of 30 cases", false,
		},
		{
			"nobody left does it: the default all the same", Need{Role: auctioneer, Postcode: "IV2 3AB", Method: "secure_sale", Refused: []string{"gavelton"}}, nil,
			[]string{"hammond"}, "nobody does secure_sale: the default", true,
		},
		{"everybody refused", Need{Role: auctioneer, Postcode: "IV2 3AB", Method: "secure_sale", Refused: []string{"gavelton", "hammond"}}, nil, []string{}, "", false},
		{"no such role", Need{Role: "butler", Postcode: "SW1A 1AA", Method: "standard"}, nil, []string{}, "", false},
		{
			"brokers are listed for people to choose", Need{Role: policy.RoleMortgageBroker, Postcode: "SW1A 1AA", Method: "standard"}, nil,
			[]string{"brightwell"}, "covers everywhere, does standard, 0 of 50 cases", false,
		},
		{
			"no method is the standard one", Need{Role: conveyancer, Postcode: "SE1 9SG"}, nil,
			[]string{"lawson"}, "covers SE, does standard, 0 of 25 cases", false,
		},
		{
			"what is no postcode is not repeated", Need{Role: agent, Postcode: "call Ann 555", Method: "standard"}, nil,
			[]string{"oakfield", "northgate"}, "nobody free covers the postcode for standard: the default", true,
		},
	} {
		got := Rank(builtIn(t), c.need, c.load)
		require.Equal(t, c.want, ids(got), c.name)
		if len(got) > 0 {
			require.Equal(t, c.reason, got[0].Reason, c.name)
			require.Equal(t, c.byDefault, got[0].Default, c.name)
		}
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	s := builtIn(t)
	choice, ok := Choose(s, Need{Role: policy.RoleEstateAgent, Postcode: "SW1A 1AA", Method: "standard"}, nil)
	require.True(t, ok)
	require.Equal(t, "agent@oakfield.example.com", choice.Professional.Email)
	_, ok = Choose(s, Need{Role: policy.RoleMortgageBroker, Postcode: "SW1A 1AA", Method: "standard"}, nil)
	require.False(t, ok, "a mortgage broker is never chosen by itself")
	_, ok = Choose(s, Need{Role: policy.RoleEstateAgent, Postcode: "SW1A 1AA", Refused: []string{"oakfield", "northgate"}}, nil)
	require.False(t, ok)
	_, ok = Choose(policy.Sales{}, Need{Role: policy.RoleEstateAgent, Postcode: "SW1A 1AA"}, nil)
	require.False(t, ok, "a policy without sales")
}

func agent(id string, capacity int, areas ...string) policy.Professional {
	return policy.Professional{ID: id, Role: policy.RoleEstateAgent, Areas: areas, Methods: []string{"standard"}, Capacity: capacity}
}

func TestTheNarrowestAreaBreaksTies(t *testing.T) {
	t.Parallel()
	s := policy.Sales{Professionals: []policy.Professional{
		agent("everywhere", 10, "*"), agent("area", 10, "SW", "*"), agent("wide", 10, "SW1", "SW"),
		agent("district", 10, "SW1A"), agent("sector", 10, "SW", "SW1A 1"), agent("away", 10, "SW1E", "SW1A 2", "S", "W"),
	}}
	need := Need{Role: policy.RoleEstateAgent, Postcode: "SW1A 1AA", Method: "standard"}
	require.Equal(t, []string{"sector", "district", "wide", "area", "everywhere"}, ids(Rank(s, need, nil)))
	require.Equal(t, "covers SW1A 1, does standard, 0 of 10 cases", Rank(s, need, nil)[0].Reason)
	require.Equal(t, "everywhere", Rank(s, need, map[string]int{"sector": 1, "district": 1, "wide": 1, "area": 1})[0].Professional.ID,
		"the workload decides, not the area")
	s.Professionals = []policy.Professional{agent("small", 10, "SW"), agent("large", 20, "SW"), agent("b", 10, "SW")}
	require.Equal(t, []string{"b", "small", "large"}, ids(Rank(s, need, map[string]int{"small": 1, "b": 1, "large": 2})), "equal shares: fewer cases, then id")
}

func TestCovers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		postcode string
		area     string
		covers   bool
	}{
		{"SW1A 1AA", "SW", true},
		{"SW1A 1AA", "S", false},
		{"SW1A 1AA", "W", false},
		{"SW1A 1AA", "SW1A", true},
		{"SW1A 1AA", "SW1", true},
		{"SW1A 1AA", "SW1E", false},
		{"SW1A 1AA", "SW1A 1", true},
		{"SW1A 1AA", "SW1A 2", false},
		{"SW1A 1AA", "*", true},
		{"sw1a1aa", "SW1A 1", true},
		{" Sw1a   1aa ", "SW1A 1", true},
		{"W1A 1AA", "W1", true},
		{"W11 1AA", "W1", false},
		{"W11 1AA", "W11", true},
		{"W1 1AA", "W11", false},
		{"W111AA", "W11 1", true},
		{"W11AA", "W1 1", true},
		{"SW11 1AA", "SW1", false},
		{"SW1A 1AA", "SW11", false},
		{"S1 2HE", "S", true},
		{"S1 2HE", "SW", false},
		{"E1W 1AA", "E1", true},
		{"E1W 1AA", "E", true},
		{"EC1A 1BB", "E", false},
		{"M1 1AE", "M1 1", true},
		{"M1 1AE", "M11", false},
		{"M11 1AE", "M1 1", false},
		{"SW1A", "SW1A", true},
		{"SW1A", "SW1A 1", false},
		{"SW1A", "SW", true},
		{"SW", "SW", false},
		{"", "SW", false},
		{"", "*", true},
		{"10115 Berlin", "*", true},
		{"10115 Berlin", "B", false},
		{"GIR 0AA", "G", false},
	} {
		_, _, covers := locate(c.postcode).covered([]string{"ZE", c.area})
		require.Equal(t, c.covers, covers, "%q in %q", c.postcode, c.area)
	}
}

// Whatever the directory and the workload: the order in which people are listed
// changes nothing, nobody refused is taken, the role is right, and the method is
// wrong only where nobody is left who does it. Somebody is found while anybody of
// the role with the method is left.
func TestRankHoldsItsPromises(t *testing.T) {
	t.Parallel()
	areas := []string{"*", "SW", "S", "W", "SW1", "SW1A", "SW1A 1", "M", "W1"}
	rapid.Check(t, func(t *rapid.T) {
		s := policy.Sales{Defaults: map[string]string{}}
		load := map[string]int{}
		for i := range rapid.IntRange(0, 12).Draw(t, "people") {
			id := fmt.Sprintf("p%d", i)
			s.Professionals = append(s.Professionals, policy.Professional{
				ID: id, Role: rapid.SampledFrom(policy.Roles()).Draw(t, "role"),
				Areas:    rapid.SliceOfNDistinct(rapid.SampledFrom(areas), 1, 3, rapid.ID).Draw(t, "areas"),
				Methods:  rapid.SliceOfNDistinct(rapid.SampledFrom(policy.Methods()), 1, 3, rapid.ID).Draw(t, "methods"),
				Capacity: rapid.IntRange(1, 4).Draw(t, "capacity"),
			})
			load[id] = rapid.IntRange(0, 5).Draw(t, "load")
		}
		for _, p := range s.Professionals {
			if s.Defaults[p.Role] == "" || rapid.Bool().Draw(t, "default") {
				s.Defaults[p.Role] = p.ID
			}
		}
		need := Need{
			Role:     rapid.SampledFrom(policy.Roles()).Draw(t, "needed role"),
			Postcode: rapid.SampledFrom([]string{"SW1A 1AA", "S1 2HE", "W11 1AA", "M1 1AE", "IV2 3AB", "", "nonsense"}).Draw(t, "postcode"),
			Method:   rapid.SampledFrom(policy.Methods()).Draw(t, "method"),
			Refused:  rapid.SliceOfN(rapid.SampledFrom([]string{"p0", "p1", "p2", "p3", "p4", "p5"}), 0, 4).Draw(t, "refused"),
		}
		got := Rank(s, need, load)

		shuffled := s
		shuffled.Professionals = slices.Clone(s.Professionals)
		seed := rapid.Uint64().Draw(t, "seed")
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(shuffled.Professionals), func(i, j int) {
			shuffled.Professionals[i], shuffled.Professionals[j] = shuffled.Professionals[j], shuffled.Professionals[i]
		})
		require.Equal(t, got, Rank(shuffled, need, load))

		able := slices.DeleteFunc(slices.Clone(s.Professionals), func(p policy.Professional) bool {
			return p.Role != need.Role || slices.Contains(need.Refused, p.ID) || !slices.Contains(p.Methods, need.Method)
		})
		require.False(t, len(able) > 0 && len(got) == 0, "somebody is left")
		seen := map[string]bool{}
		for i, c := range got {
			p := c.Professional
			require.False(t, seen[p.ID], "listed twice")
			seen[p.ID] = true
			require.NotContains(t, need.Refused, p.ID)
			require.Equal(t, need.Role, p.Role)
			if !slices.Contains(p.Methods, need.Method) {
				require.Empty(t, able)
				require.True(t, c.Default)
			}
			require.Equal(t, c.Default, i == 0 && strings.HasSuffix(c.Reason, ": the default"))
			if c.Default {
				require.Equal(t, s.Defaults[need.Role], p.ID)
			}
			if strings.HasPrefix(c.Reason, "covers ") {
				require.Less(t, load[p.ID], p.Capacity, "who fits has room")
			}
		}
	})
}

func BenchmarkRank(b *testing.B) {
	s := policy.Sales{}
	for i := range 5000 {
		s.Professionals = append(s.Professionals, agent(fmt.Sprintf("p%04d", i), 10, "SW", "SE", "W", "EC1A", "M1 1"))
	}
	load := map[string]int{"p0000": 1}
	for b.Loop() {
		Rank(s, Need{Role: policy.RoleEstateAgent, Postcode: "M1 1AE", Method: "standard"}, load)
	}
}
