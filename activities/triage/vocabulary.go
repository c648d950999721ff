package triage

import "time"

// vocabulary lists the words that patterns name with @. It is never changed, and
// only looked up.
var vocabulary = map[string][]string{
	"no": {
		"no", "not", "isnt", "is not", "wasnt", "was not", "arent", "are not", "aint", "without", "never",
		"nor", "not any", "sin", "ningun", "ninguna",
	},
	"a":     {"a", "an", "any", "the", "some", "more", "sign of", "signs of", "sign of a", "signs of a", "sign of any", "signs of any"},
	"is":    {"is", "are", "was", "were", "has", "have", "has been", "have been", "had been", "got", "gets", "keeps", "kept", "started", "went", "goes"},
	"my":    {"a", "an", "the", "my", "our", "their", "his", "her", "this"},
	"home":  {"home", "house", "apartment", "apt", "unit", "building", "flat", "place", "room", "bedroom", "kitchen", "bathroom", "hallway", "condo"},
	"dont":  {"dont", "doesnt", "didnt", "cant", "cannot", "do not", "does not", "did not", "can not", "not"},
	"door":  {"door", "doors", "window", "windows", "lock", "locks", "deadbolt", "dead bolt", "gate", "slider"},
	"fixed": {"fixed", "repaired", "resolved", "stopped", "gone", "patched", "sorted"},
	"leak":  {"leak*", "leek", "leeks", "leeking", "laeking", "leeaking"},
	"smell": {
		"smell*", "smel", "odor*", "odour*", "stink*", "stench", "whiff", "reek*", "scent", "fume*", "hissing", "olor",
	},
	"minor":  {"small", "slow", "minor", "tiny", "little", "slight", "slightly", "very small", "very slow", "occasional", "pinhole"},
	"fuel":   {"gas", "gass", "gaz", "propane", "lpg"},
	"petrol": {"gasoline", "petrol", "diesel", "kerosene"},
	"sounding": {
		"going off", "goes off", "go off", "went off", "gone off", "wont stop", "sounding", "sounds", "sounded", "ringing",
		"rings", "rang", "beep*", "blaring", "alarming", "alerting", "alert", "triggered", "activated", "screaming",
		"screeching", "buzzing", "tripped", "sonando", "suena", "sono",
	},
	"alarm": {"alarm", "alarms", "detector", "detectors", "sensor", "sensors", "monitor", "monitors"},
	"beeps": {"beep*", "chirp*"},
	"co":    {"carbon monoxide", "carbon monoxid", "carbon dioxide", "carbonmonoxide", "monoxide", "co", "co2"},
	"out": {
		"out", "off", "down", "dead", "broke*", "busted", "bust", "kaput", "gone", "died", "quit", "stopped", "failed",
		"failing", "malfunction*", "conked out", "packed up", "not on", "shut off", "shut down", "knackered", "inoperable",
	},
	"wont": {
		"wont", "will not", "doesnt", "does not", "dosent", "didnt", "did not", "isnt", "is not", "not", "cant",
		"cannot", "can not", "never", "wasnt", "hasnt", "stopped", "quit", "aint", "dont", "do not", "refuses to",
		"no longer", "wouldnt", "couldnt", "unable to",
	},
	"work": {
		"work", "works", "working", "worked", "turn on", "turning on", "come on", "coming on", "came on", "start",
		"starting", "kick on", "kicking on", "run", "running", "ignite", "light", "fire", "fire up", "go on", "respond*",
	},
	"heat":      {"heat", "heating", "heater", "heaters", "furnace", "furnaces", "boiler", "boilers", "radiator", "radiators", "heat pump", "central heating"},
	"ac":        {"ac", "air con", "aircon", "air conditioning", "air conditioner", "airconditioning", "airconditioner", "air condition", "central air", "cooling", "aire acondicionado", "hvac cooling"},
	"power":     {"power", "electricity", "electric", "electrics", "electrical power", "leccy"},
	"socket":    {"outlet", "outlets", "socket", "sockets", "plug", "plugs", "receptacle", "receptacles", "light switch", "switch", "breaker", "breakers", "breaker box", "breaker panel", "electrical panel", "electric panel", "fuse box", "fusebox", "consumer unit", "wiring", "wire", "wires", "power point", "junction box", "light fixture", "enchufe"},
	"burst":     {"burst*", "bursted", "broke*", "rupture*", "busted", "crack*", "exploded", "split", "hit", "cut", "damage*", "disconnected", "severed"},
	"pipe":      {"pipe", "pipes", "water main", "main", "plumbing", "water line", "water lines", "water heater", "supply line", "supply hose", "tubing", "hot water tank", "hose"},
	"above":     {"ceiling", "ceilings", "wall", "walls", "roof", "upstairs", "everywhere", "above", "downstairs", "techo", "through"},
	"pours":     {"pouring", "gushing", "spraying", "everywhere", "shooting", "streaming", "pooling", "seeping", "rushing", "cascading", "squirting", "all over"},
	"hot":       {"burning", "burnt", "burned", "burns", "smok*", "hot", "melt*", "sizzl*", "buzzing", "popping", "scorch*", "exploded", "charred", "crackling"},
	"electrics": {"light fixture", "light fixtures", "light fitting", "ceiling light", "ceiling lights", "light switch", "outlet", "outlets", "breaker*", "electrical", "fuse box", "fusebox", "socket", "sockets", "chandelier", "recessed light*", "electric panel", "electric meter", "power strip", "light bulb*"},
	"fixture": {
		"faucet", "faucets", "tap", "taps", "shower head", "showerhead", "spigot", "hose bib", "hose", "sprinkler",
		"sprinklers", "toilet tank", "toilet flapper", "garden tap", "shower arm",
	},
	"appliance": {
		"ac", "ac unit", "air conditioner", "fridge", "refrigerator", "freezer", "ice maker", "icemaker", "dishwasher",
		"washer", "washing machine", "dehumidifier", "car", "vehicle", "truck",
	},
	"drain":  {"toilet", "toilets", "drain", "drains", "sink", "sinks", "tub", "tubs", "bathtub", "bathtubs", "shower", "showers", "bath", "loo"},
	"inside": {"closet", "cabinet", "cupboard", "shower", "fridge", "refrigerator", "freezer", "oven", "dishwasher", "microwave", "washer", "dryer", "screen", "pantry", "bathroom", "bedroom", "interior", "storage", "mailbox", "wardrobe", "kitchen cabinet", "medicine cabinet", "washing machine"},
	"cooker": {"oven", "ovens", "stove", "stoves", "dryer", "dryers", "microwave", "dishwasher", "pool", "spa", "hot tub", "jacuzzi", "iron", "kettle", "cooktop", "range", "towel", "burner", "grill", "cooker", "hob"},
}

// vulnerable finds people whom cold and heat endanger sooner. It errs on their
// side: "no children" counts too.
var vulnerable = compile([]string{
	"baby|babies|infant*|newborn*|toddler*|child|children|childs|kid|kids|son|daughter|twins|bebe*|nino|nina|ninos|ninas|hijo|hija|hijos",
	"elder*|senior|seniors|old_people|old_person|old_man|old_lady|old_woman|old_couple|grandma*|grandmother*|grandpa*|grandfather*|grandparent*|anciano*|anciana*|abuelo*|abuela*",
	"year|yr|yrs|years|mo|month|months|week|weeks old", "pregnan*|embarazada", "am|is|are|very|seriously|chronically|mentally ill", "sick|illness|disease|asthma*|copd|oxygen|dialysis|medical|diabet*|cancer|surgery|fever|flu|pneumonia|enfermo*|enferma*",
	"disab*|handicap*|wheelchair*|bedridden|hospice|ventilator|immunocompromised",
})

// oldThings are old without being vulnerable.
var oldThings = compile([]string{"year|yr|yrs|years|month|months|week|weeks old furnace|boiler|heater|ac|unit|system|house|building|home|apartment|equipment|thermostat|radiator|radiators"})

// tradeNames maps the beginnings of words in a partner's trade names, in order.
var tradeNames = []struct {
	trade    Trade
	prefixes []string
}{
	{TradeGas, []string{"gas", "propane"}},
	{TradePlumbing, []string{"plumb", "drain", "sewer", "septic", "water"}},
	{TradeElectrical, []string{"electr"}},
	{TradeHVAC, []string{"hvac", "heat", "air", "cool", "furnace", "boiler", "ac"}},
	{TradeLocksmith, []string{"lock", "secur"}},
	{TradeGeneral, []string{"general", "handy", "maint"}},
}

var (
	heatingMonths = []time.Month{time.October, time.November, time.December, time.January, time.February, time.March, time.April}
	coolingMonths = []time.Month{time.May, time.June, time.July, time.August, time.September}
)
