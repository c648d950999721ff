package triage

// minorRules are the borderline cases: they name the problem, and are an
// emergency only where the partner's priority is high.
var minorRules = []rule{
	{
		id: "drip", level: levelMinor, category: CategoryLeak, problem: "Slow leak", trade: TradePlumbing,
		why:     "a drip or slow leak is reported",
		phrases: []string{"drip|drips|dripping|dripped|drippy|goteo|gotea|gotera*|goteando", "@leak", "toilet|toilets .. running|runs|keeps_filling", "running toilet*", "water pressure .. low|weak", "low water pressure", "water stain*|spot*|damage", "wet carpet|carpets|ceiling|wall|floor", "carpet|carpets ?@is wet|damp"},
		except: []string{
			"@no ?@a ?visible|active|longer|further ?water|gas|oil @leak", "no_longer|not|stopped|never drip*|@leak", "@dont leak*|drip*", "@leak|drip* was|has_been|have_been|is|are|got|were ?now ?already ?been @fixed", "fixed|repaired|resolved ?@a @leak|drip",
			"news|info|data|light|air|oil|freon @leak", "@leak oil|air|freon|cold_air", "car|vehicle|truck ?@is @leak ?oil|fluid|coolant", "no water damage|stain*|spot*", "drip tray|pan|coffee|edge|irrigation", "@leak detector*|detection|test|inspection|sensor*|check", "no hay ?@a|una fuga ?de ?agua", "used to leak|drip",
		},
	},
	{
		id: "clog", level: levelMinor, category: CategorySewage, problem: "Blocked drain", trade: TradePlumbing,
		why:     "a blocked toilet or drain is reported",
		phrases: []string{"@drain .. clog*|block*|plugged|slow|slowly|stopped_up|not_drain*|wont_drain|not_flush*|wont_flush|doesnt_flush", "clog*|blocked|plugged|slow .. @drain|pipe|pipes", "inodoro|lavabo|fregadero|drenaje .. tapado|no baja"},
		except:  []string{"@no ?@a clog*", "no longer clog*|blocked"},
	},
	{
		id: "no-hot-water", level: levelMinor, category: CategoryOther, problem: "No hot water", trade: TradePlumbing,
		why: "a lack of hot water is reported",
		phrases: []string{
			"no|without|lost|any ?any hot|warm water", "hot water ?heater|tank ?@is ?all|still @out|not_working", "hot water .. @wont .. work*|get|stay|last", "water heater ?@is ?all|still @out|not_working", "water heater .. @wont .. @work|heat*",
			"water .. lukewarm|not_hot|not_getting_hot|wont_get_hot|ice_cold", "no hay agua caliente", "sin agua caliente", "pilot light .. out|off|wont", "no gas ?supply|service",
		},
		except: []string{"no gas leak*|smell*|odor*|odour*", "no hot water issue*|problem*", "cold water line|valve|tap|faucet|handle"},
	},
	{
		id: "some-power", level: levelMinor, category: CategoryPower, problem: "Partial power loss", trade: TradeElectrical,
		why: "a loss of power to a part of the home is reported",
		phrases: []string{
			"outlet|outlets|socket|sockets|plug|plugs|light_switch .. @wont .. work*", "outlet|outlets|socket|sockets|light_switch ?@is ?all @out", "breaker|breakers|fuse .. trip*|blew|blown|wont_reset", "trip*|blown .. breaker|breakers|fuse", "no|lost|without ?any|the power|electricity to|in|at|from|for",
			"lights|lamps|outlets|power .. @out .. half|part|some", "half|part|some of .. power|lights|outlets|electricity", "lights|light|lamp* .. flicker*|dim|dimming", "flicker* .. lights|light", "partial power",
		},
		except: []string{"@no ?@a flicker*", "trip hazard", "tripped on|over"},
	},
	{
		id: "locked-out", level: levelMinor, category: CategorySecurity, problem: "Locked out", trade: TradeLocksmith,
		why:     "a lockout or a lost key is reported",
		phrases: []string{"locked ?myself|ourselves|out out|of", "lockout", "lost|missing|stolen ?@my ?house|apartment|front|only ?door key|keys|fob", "key|keys .. broke*|stuck|wont_turn|doesnt_work|snapped", "keypad|smart_lock .. @out|@wont"},
		except:  []string{"@no ?@a locked out", "lockout tag|box"},
	},
	{
		id: "weak-heating", level: levelMinor, category: CategoryNoHeat, problem: "Weak heating", trade: TradeHVAC,
		why:     "heating that works badly is reported",
		phrases: []string{"@heat .. weak|barely|uneven|lukewarm|noisy|loud|banging|intermittent*|struggl*"},
		except:  []string{"water heater*", "@cooker ?@is @heat"},
	},
	{
		id: "weak-cooling", level: levelMinor, category: CategoryNoCooling, problem: "Weak cooling", trade: TradeHVAC,
		why:     "air conditioning that works badly is reported",
		phrases: []string{"@ac .. weak|barely|uneven|noisy|loud|intermittent*|struggl*|frozen|iced|ice"},
	},
	{
		id: "said-urgent", level: levelMinor, category: CategoryOther, problem: "Urgent request", trade: TradeGeneral,
		why:     "the report calls itself urgent",
		phrases: []string{"emergency|emergencia|urgent|urgente|urgently|911|999|dangerous|peligro*|unsafe"},
		except:  []string{"@no ?@a|really|very|so|that|terribly ?@a emergency|urgent", "emergency exit*|light*|contact*|number*|brake|kit|room|escape|key*", "nothing urgent"},
	},
}
