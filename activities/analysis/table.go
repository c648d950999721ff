package analysis

import (
	"slices"

	"github.com/aictive/keyholder/activities/triage"
)

// rule is one line of the table of everyday problems. Phrases are in the language of
// triage's rules. The first rule that applies decides.
type rule struct {
	id string
	// problem is short words for a text message.
	problem string
	trade   triage.Trade
	skill   string
	// priority is the least.
	priority Priority
	minutes  int
	// parts are SKUs, one each.
	parts []string
	// over names rules of triage that see less: this rule's trade stands where they
	// found no emergency.
	over            []string
	phrases, except []string
}

type compiled struct {
	rule
	triage.Phrases
}

// table is every rule, the most special first. It is never changed.
var table = compileAll(slices.Concat(plumbingRules, electricalRules, comfortRules, openingRules, applianceRules, homeRules))

func compileAll(rules []rule) []compiled {
	out := make([]compiled, len(rules))
	for i, r := range rules {
		out[i] = compiled{r, triage.NewPhrases(r.phrases, r.except)}
	}
	return out
}

// The skills, beside the trade itself.
const (
	skillTaps       = "taps and valves"
	skillDrains     = "drains"
	skillToilets    = "toilets"
	skillHeaters    = "water heaters"
	skillWiring     = "wiring"
	skillLights     = "lighting"
	skillAlarms     = "smoke alarms"
	skillCooling    = "air conditioning"
	skillHeating    = "heating"
	skillLocks      = "locks"
	skillCarpentry  = "carpentry"
	skillAppliances = "appliances"
	skillPests      = "pest control"
	skillWalls      = "walls and paint"
	skillRoofs      = "roofs and gutters"
	skillGardens    = "grounds"
)

var plumbingRules = []rule{
	{
		id: "outdoor-tap", problem: "Leaking outdoor tap", trade: triage.TradePlumbing, skill: skillTaps, priority: PriorityNormal, minutes: 60, parts: []string{"HOSE-BIB"},
		phrases: []string{"outdoor|outside|garden|yard tap|faucet|spigot|hose_bib .. drip*|@leak", "spigot|hose_bib .. drip*|@leak", "drip*|@leak .. outdoor|outside|garden tap|faucet|spigot", "@leak|drip* .. spigot|hose_bib"},
		except:  []string{"@no ?@a @leak|drip*"},
	},
	{
		id: "tap", problem: "Leaking tap", trade: triage.TradePlumbing, skill: skillTaps, priority: PriorityNormal, minutes: 45, parts: []string{"TAP-CARTRIDGE", "TAP-WASHER"},
		phrases: []string{
			"tap|taps|faucet|faucets|fawcet|mixer_tap ... drip*|@leak", "drip*|@leak ... tap|taps|faucet|faucets", "leaky tap|faucet", "tap|taps|faucet|faucets .. loose|wobbl*|broken|handle|stiff|squeak*",
			"grifo|llave|canilla .. gotea|goteando|goteo|fuga",
		},
		except: []string{"@no ?@a @leak|drip*", "gas tap|taps"},
	},
	{
		id: "toilet-seat", problem: "Broken toilet seat or handle", trade: triage.TradePlumbing, skill: skillToilets, priority: PriorityLow, minutes: 30, parts: []string{"TOILET-SEAT", "TOILET-HANDLE"},
		phrases: []string{"toilet seat|handle|lever|lid|chain .. broke*|loose|crack*|snapped|off|missing|wobbl*", "broken|cracked|loose|new|replace toilet seat|handle|lever|lid"},
	},
	{
		id: "toilet-clog", problem: "Clogged toilet", trade: triage.TradePlumbing, skill: skillDrains, priority: PriorityUrgent, minutes: 60,
		phrases: []string{"toilet|toilets|toliet|loo|commode ... clog*|block*|plugged|stopped_up|wont_flush|not_flush*|doesnt_flush|not_flushing|backed_up", "clog*|blocked|plugged .. toilet|toilets|toliet|loo", "inodoro|excusado .. tapado|no"},
		except:  []string{"no longer clog*|blocked", "@no clog*"},
	},
	{
		id: "toilet-running", problem: "Running toilet", trade: triage.TradePlumbing, skill: skillToilets, priority: PriorityNormal, minutes: 45, parts: []string{"TOILET-FLAPPER", "TOILET-FILL-VALVE"},
		phrases: []string{"toilet|toilets|cistern|toilet_tank ... running|runs|keeps_filling|fills|refill*|wont_stop|hissing|filling", "running toilet*"},
	},
	{
		id: "toilet-leak", problem: "Leaking toilet", trade: triage.TradePlumbing, skill: skillToilets, priority: PriorityNormal, minutes: 75, parts: []string{"TOILET-WAX-RING", "SUPPLY-LINE"},
		phrases: []string{"toilet|toilets|toliet|cistern .. @leak|drip*|loose|wobbl*|rocks|rocking", "@leak|water .. around|behind|under .. toilet", "@leak .. toilet"},
		except:  []string{"@no ?@a @leak"},
	},
	{
		id: "disposal", problem: "Garbage disposal problem", trade: triage.TradePlumbing, skill: skillDrains, priority: PriorityNormal, minutes: 60, parts: []string{"DISPOSAL"},
		phrases: []string{"disposal|disposals|garburator|insinkerator|dispose_all ... jam*|stuck|hum|hums|humming|@out|@wont|broke*|clog*|noise*|@leak|reset|smell*", "jammed|broken|stuck|clogged|new|humming .. disposal|garburator"},
		except:  []string{"waste|trash|rubbish|medical disposal"},
	},
	{
		id: "shower", problem: "Leaking shower", trade: triage.TradePlumbing, skill: skillTaps, priority: PriorityNormal, minutes: 60, parts: []string{"SHOWER-CARTRIDGE", "SHOWER-HEAD"},
		phrases: []string{"shower|showers|showerhead|shower_head .. drip*|@leak|broken|fell_off", "drip*|@leak .. shower|showerhead|shower_head", "bathtub|tub spout .. drip*|@leak"},
		except:  []string{"@no ?@a @leak|drip*", "shower curtain*|rod|rail|door|caddy"},
	},
	{
		id: "sink-leak", problem: "Leak under the sink", trade: triage.TradePlumbing, skill: skillTaps, priority: PriorityNormal, minutes: 60, parts: []string{"SINK-TRAP", "SUPPLY-LINE"},
		phrases: []string{"@leak|drip*|water|wet|puddle .. under|below|beneath|underneath .. sink|basin|vanity|cabinet", "under|below|beneath|underneath .. sink|basin .. @leak|drip*|wet|water", "sink|basin .. @leak|drip*", "p trap .. @leak|broke*|loose"},
		except:  []string{"@no ?@a @leak", "leak* ?@is ?now fixed"},
	},
	{
		id: "drain", problem: "Clogged drain", trade: triage.TradePlumbing, skill: skillDrains, priority: PriorityNormal, minutes: 60,
		phrases: []string{
			"drain|drains|sink|sinks|tub|tubs|bathtub|bath|shower|basin ... clog*|block*|plugged|slow|slowly|backed_up|standing_water|wont_drain|not_drain*|doesnt_drain|isnt_draining|gurgl*|stopped_up",
			"clog*|blocked|plugged|slow .. drain|drains|sink|tub|bathtub|shower|pipe|pipes", "lavabo|fregadero|drenaje|desague .. tapado|no",
		},
		except: []string{"@no clog*", "dryer ?vent"},
	},
	{
		id: "hot-water", problem: "No hot water", trade: triage.TradePlumbing, skill: skillHeaters, priority: PriorityUrgent, minutes: 120, parts: []string{"WH-ELEMENT", "WH-THERMOSTAT"},
		phrases: []string{
			"no|without|any|lost ?any hot|warm water|shower|showers", "hot water ... @wont ... work*|last|stay|get|come|hot", "hot water .. @out|runs_out|gone|stopped", "water heater ... @wont|@out|@leak|drip*|noise*|noisy|rust*|broken",
			"water .. lukewarm|ice_cold|not_hot|not_getting_hot|wont_get_hot|tepid", "only cold water", "agua caliente", "pilot light .. out|off|wont",
		},
		except: []string{"no hot water issue*|problem*"},
	},
	{
		id: "pressure", problem: "Low water pressure", trade: triage.TradePlumbing, skill: skillTaps, priority: PriorityNormal, minutes: 60, parts: []string{"TAP-AERATOR"},
		phrases: []string{"water pressure .. low|weak|bad|poor|dropped|terrible", "low|weak|bad|poor|no water pressure", "trickle ?of water", "water|shower .. trickl*"},
	},
	{
		id: "pipe-noise", problem: "Noisy pipes", trade: triage.TradePlumbing, skill: skillTaps, priority: PriorityLow, minutes: 60,
		phrases: []string{"pipe|pipes|plumbing .. bang*|knock*|noise*|noisy|hammer*|rattl*|whistl*", "water hammer"},
	},
}

var electricalRules = []rule{
	{
		id: "smoke-chirp", problem: "Chirping smoke alarm", trade: triage.TradeElectrical, skill: skillAlarms, priority: PriorityUrgent, minutes: 30, parts: []string{"BATTERY-9V", "SMOKE-ALARM"},
		phrases: []string{
			"smoke|fire @alarm ... @beeps|low|batter*|dead|missing|broken|replace*|expired|@wont", "@beeps|batter*|replace|new|missing|test .. smoke|fire @alarm", "alarma|detector de humo .. bateria*|pita",
		},
	},
	{
		id: "co-chirp", problem: "Carbon monoxide alarm battery", trade: triage.TradeElectrical, skill: skillAlarms, priority: PriorityUrgent, minutes: 30, parts: []string{"BATTERY-9V", "CO-ALARM"},
		phrases: []string{"@co @alarm ... @beeps|low|batter*|dead|missing|broken|replace*|expired|@wont", "@beeps|batter*|replace|new|missing .. @co @alarm"},
	},
	{
		id: "breaker", problem: "Tripping breaker", trade: triage.TradeElectrical, skill: skillWiring, priority: PriorityUrgent, minutes: 90, parts: []string{"BREAKER-20A"},
		phrases: []string{"breaker|breakers|fuse|fuses ... trip*|blew|blow*|blown|wont_reset|flips|keeps", "trip*|blown|blew .. breaker|breakers|fuse|fuses"},
		except:  []string{"tripped on|over"},
	},
	{
		id: "outlet", problem: "Dead outlet", trade: triage.TradeElectrical, skill: skillWiring, priority: PriorityNormal, minutes: 60, parts: []string{"OUTLET", "OUTLET-GFCI"},
		phrases: []string{
			"outlet|outlets|socket|sockets|receptacle|receptacles|plug|plugs|gfci|gfi ... @wont|@out|loose|broken|crack*|no_power|trip*", "dead|broken|loose|cracked outlet|outlets|socket|sockets|receptacle",
			"no power .. outlet|outlets|socket|sockets", "enchufe|enchufes .. no|roto",
		},
		except: []string{"drain|sink|tub|bath|sparkplug plug|plugs", "dryer outlet hose|vent"},
	},
	{
		id: "light-switch", problem: "Broken light switch", trade: triage.TradeElectrical, skill: skillWiring, priority: PriorityNormal, minutes: 45, parts: []string{"LIGHT-SWITCH"},
		phrases: []string{"light_switch|dimmer|wall_switch|switch ... @wont|@out|loose|broken|crack*|stuck", "broken|loose|cracked light_switch|dimmer|switch"},
	},
	{
		id: "light-flicker", problem: "Flickering lights", trade: triage.TradeElectrical, skill: skillLights, priority: PriorityUrgent, minutes: 60, parts: []string{"LIGHT-SWITCH", "BULB-LED"},
		phrases: []string{"light|lights|lamp|lamps ... flicker*|dim|dims|dimming|blink*", "flicker* .. light|lights|lamp"},
		except:  []string{"@no ?@a flicker*"},
	},
	{
		id: "light", problem: "Light out", trade: triage.TradeElectrical, skill: skillLights, priority: PriorityLow, minutes: 30, parts: []string{"BULB-LED", "LIGHT-FIXTURE"},
		phrases: []string{
			"light|lights|lamp|bulb|bulbs|light_bulb|lightbulb|fixture|light_fixture ... @out|@wont|burned_out|burnt_out|burned|broken|replace*|missing|loose", "replace|change|new|need|needs .. bulb|bulbs|lightbulb|light_fixture", "foco|luz .. fundid*|no",
		},
		except: []string{"pilot light*", "fridge|refrigerator|oven|warning|check_engine|indicator light*", "light blue|green|gray|grey|brown|colored|rain|noise"},
	},
	{
		id: "fan", problem: "Broken fan", trade: triage.TradeElectrical, skill: skillWiring, priority: PriorityLow, minutes: 60, parts: []string{"EXHAUST-FAN"},
		phrases: []string{"exhaust|extractor|bathroom|ceiling|vent|range_hood fan ... @wont|@out|nois*|loud|wobbl*|broken|rattl*|squeak*", "ceiling_fan|exhaust_fan|range_hood"},
	},
	{
		id: "doorbell", problem: "Broken doorbell", trade: triage.TradeElectrical, skill: skillWiring, priority: PriorityLow, minutes: 45, parts: []string{"DOORBELL"},
		phrases: []string{"doorbell|door_bell|intercom|door_chime ... @wont|@out|broken|replace*|stuck", "broken|new doorbell|door_bell|intercom"},
	},
}

var comfortRules = []rule{
	{
		id: "air-filter", problem: "Air filter change", trade: triage.TradeHVAC, skill: skillHeating, priority: PriorityLow, minutes: 20, parts: []string{"HVAC-FILTER"},
		phrases: []string{"ac|furnace|air|hvac|heater|air_conditioner|return filter|filters", "filter|filters .. ac|furnace|hvac|heater|air_conditioner", "change|replace|new|dirty|clogged ?the air filter|filters"},
	},
	{
		id: "ac-water", problem: "AC leaking water", trade: triage.TradeHVAC, skill: skillCooling, priority: PriorityUrgent, minutes: 75, parts: []string{"AC-DRAIN-KIT"}, over: []string{"drip"},
		phrases: []string{"@ac ?unit ... @leak|drip*", "@leak|drip*|water .. from ?@my @ac"},
		except:  []string{"@no ?@a @leak|drip*"},
	},
	{
		id: "ac", problem: "AC problem", trade: triage.TradeHVAC, skill: skillCooling, priority: PriorityUrgent, minutes: 120, parts: []string{"AC-CAPACITOR"},
		phrases: []string{"@ac ?unit ... @wont|@out|weak|barely|warm|hot|nois*|loud|smell*|freez*|frozen|ice|iced|rattl*|short_cycl*|struggl*|service|tune_up", "aire acondicionado"},
		except:  []string{"no ac issue*|problem*"},
	},
	{
		id: "thermostat", problem: "Thermostat problem", trade: triage.TradeHVAC, skill: skillHeating, priority: PriorityUrgent, minutes: 60, parts: []string{"THERMOSTAT"},
		phrases: []string{"thermostat|thermostats ... @wont|@out|blank|broken|wrong|batter*|stuck|replace*", "broken|new|blank thermostat", "termostato"},
		except:  []string{"water_heater|oven|fridge thermostat"},
	},
	{
		id: "heating", problem: "Heating problem", trade: triage.TradeHVAC, skill: skillHeating, priority: PriorityUrgent, minutes: 120, parts: []string{"FURNACE-IGNITER"},
		phrases: []string{"furnace|heater|heating|boiler|radiator|radiators|heat_pump|baseboard ... @wont|@out|weak|barely|lukewarm|nois*|loud|bang*|uneven|cold|smell*|service|tune_up|struggl*|@leak", "calefaccion|calefactor"},
		except:  []string{"water heater*", "@no heating issue*|problem*", "pool|spa|car|towel heater*"},
	},
	{
		id: "vent", problem: "Blocked vent", trade: triage.TradeHVAC, skill: skillHeating, priority: PriorityLow, minutes: 60,
		phrases: []string{"vent|vents|duct|ducts|register ... dust*|dirty|block*|no_air|clean*|loose|rattl*", "clean ?@my air duct|ducts|vents"},
		except:  []string{"dryer vent*"},
	},
}
