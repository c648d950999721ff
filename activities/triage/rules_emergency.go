package triage

// emergencyRules are those for which people are paged at once; the rest of them
// is in rules_home.go.
var emergencyRules = []rule{
	{
		id: "sewage", level: levelEmergency, category: CategorySewage, problem: "Sewage backup", trade: TradePlumbing,
		why: "sewage, or an overflowing toilet or drain, is reported",
		phrases: []string{
			"sewage|sewerage|sewer|septic|feces|faeces|poop|poo|excrement", "human waste",
			"waste|dirty|black|brown water .. coming|backing|up|overflow*|floor",
			"@drain .. backing_up|backed_up|back_up|backs_up|backflow*|backup|backups|coming_up|overflow*|over_flow*|bubbling_up",
			"overflow*|over_flowing .. @drain", "water|stuff|waste .. coming_up .. @drain", "toilet|toilets|toliet .. overflow*",
			"only|single|one toilet .. clog*|block*|plugged|@out|wont_flush|not_flush*|stopped_up", "aguas negras",
			"drenaje|inodoro|excusado|bano .. desbord*|rebos*|derram*",
		},
		except: []string{
			"sewer|sewage|septic ?service bill*|charge*|fee*|inspection*|camera|scope|rate*|payment*|invoice*",
			"dog|cat|bird|pet|mouse|rat|bat|pigeon poop|poo|feces|faeces", "poop|poo bag*|station",
			"@no ?@a sewage|sewer|overflow* ?backup|smell|problem*", "no longer overflow*|backing_up|backed_up",
			"overflow drain|pipe|pan|plate|cover",
		},
	},
	{
		id: "leak-through", level: levelEmergency, category: CategoryLeak, problem: "Water leak", trade: TradePlumbing,
		why: "water through a ceiling or wall, or a leak that gets worse, is reported",
		phrases: []string{
			"drip*|@leak .. @above", "@above .. drip*|@leak", "@leak ?water all_over|onto", "water in|inside|behind ?@my ceiling|ceilings|wall|walls", "@leak .. worse|fast|faster|badly|bad|heavily|gallons|non_stop|nonstop|constantly",
		},
		except: []string{
			"@no ?@a ?visible|active ?water|gas|oil @leak|drip*", "no longer @leak|drip*", "stopped leaking|dripping", "@dont leak*|drip*", "no hay ?@a|una fuga ?de ?agua",
			"leak|leaks|leaking was|has_been|have_been|is|are|got|were ?now ?already ?been @fixed", "fixed|repaired|resolved ?@my leak", "used to leak",
			"oil|freon|refrigerant|coolant|air|light|news|info|data @leak", "@leak oil|freon|refrigerant|coolant|air|cold_air", "wall @socket",
		},
	},
	{
		id: "leak", level: levelEmergency, category: CategoryLeak, problem: "Water leak", trade: TradePlumbing,
		why: "a leak, burst pipe or flood is reported",
		always: []string{
			"not|hasnt|havent|never|wont|didnt|isnt|cant ?been ?get ?it ?to stop|stopped @leak", "@no ?@my ?just|only ?@a @minor @leak",
			"no|any|another leak repair|fix|update|response",
		},
		phrases: []string{
			"@leak", "@burst .. @pipe", "@pipe .. @burst|gushing|spray*|froze|frozen", "frozen pipe|pipes|plumbing",
			"flood|floods|flooded|flooding", "water .. @pours", "pouring|gushing|spraying|rushing|shooting .. water",
			"water .. coming|running|dripping|comes|came .. @above|floor|under|door|basement|carpet|window|light|lights",
			"@above .. bulg*|sagging|wet|soaked|dripping|bubbling", "standing water", "water damage .. spreading|growing|new|worse",
			"cant|cannot|unable_to|can_not ?get ?@my ?turn|shut|stop ?off ?@my water|tap|faucet|shower ?to ?off|stop|stopped",
			"water|tap|faucet|shower .. @wont .. turn_off|shut_off|stop|turning_off|shutting_off",
			"washing_machine|washer|dishwasher|bath|tank|water_heater .. overflow*", "carpet|carpets|floor|floors .. soaked|soaking|under_water|underwater",
			"fuga .. agua", "tuberia*|cano|canos|caneria* .. rot*|revent*|quebrad*|explot*", "inund*", "agua .. techo|chorr*|derram*", "goter* .. techo|pared|luz",
			"escape de agua", "se sale el agua",
		},
		except: []string{
			"@no ?@a ?visible|active ?water|gas|oil leak*|leek*|flood*", "no longer leak*|flood*", "@no flooding|flooded|flood", "stopped leaking",
			"no hay ?@a|una fuga ?de ?agua", "ya no hay ?una fuga ?de ?agua", "no hay agua", "@dont leak*",
			"leak|leaks|leaking was|has_been|have_been|is|are|got|were ?now ?already ?been @fixed", "fixed|repaired|resolved ?@my leak", "used to leak",
			"@minor ?water ?pipe @leak", "@leak ?just ?only ?a @minor|slowly ?bit",
			"leaky|leaking|leaks ?kitchen|bathroom|bath|shower|sink|outdoor|outside|garden|hot|cold @fixture",
			"@fixture ?@is ?a ?bit ?slightly|slowly @leak",
			"@leak ?from|at|in ?@my ?kitchen|bathroom|sink|shower|outdoor|outside|garden|bath @fixture",
			"@appliance ?@is @leak ?water|oil|fluid|coolant|freon", "oil|freon|refrigerant|coolant|air|light|news|info|data @leak",
			"@leak oil|freon|refrigerant|coolant|air|cold_air", "@leak detector*|detection|test|inspection|sensor*|check",
			"flood light*|lamp*|insurance|zone|plain|map|policy", "water heater @is not ?broken|burst|leaking|cracked", "main|front|back door|gate|entrance|lock|window",
			"no running water", "@no ?hot water",
		},
	},
	{
		id: "no-water", level: levelEmergency, category: CategoryNoWater, problem: "No water", trade: TradePlumbing,
		why: "a home without running water is reported",
		phrases: []string{
			"no|without|zero ?any ?running|clean|cold water", "no hot or|and|nor cold ?running water", "no running ?water",
			"water ?supply|service ?to|in|for ?@my ?whole|entire ?@home @is ?completely|all|still|currently @out|cut|cut_off|turned_off|not_working|not_running",
			"water ?supply ?@is ?completely|all cut_off|turned_off|shut_off|not_working|stopped_working", "@dont have|get|got|getting ?got ?any ?running water",
			"havent|hasnt|aint ?had|got ?any|no ?running water", "lost ?all ?@my water", "water pressure @is zero|gone|nil",
			"water .. @wont .. come|coming|run|running|work|working|flow*|turn_on|turning_on", "nothing|no_water .. coming|comes|come ?out .. tap*|faucet*|shower|sink",
			"taps|faucets .. dry|dead|nothing", "no hay agua", "sin agua", "no tengo|tenemos|sale|hay agua",
		},
		except: []string{
			"hot water ?heater|tank", "water heater*|filter*|softener*|bill*|meter*|dispenser*|cooler*|fountain*|bottle*|damage*|pump*|stain*|feature*|bed|slide*",
			"water shut_off|shutoff valve*|date|notice", "no water damage*|leak*|stain*|spot*|mark*|intrusion|pooling|standing|issue*|problem*|bill*|on", "no water coming|dripping|running in|into|through|from|down",
			"no|get|getting ?any water in|to|for|from|at ?@my dishwasher|fridge|refrigerator|ice_maker|icemaker|washing_machine|washer|sprinkler*|hose|garden|pool|fountain|toilet|bidet|hot_tub|spigot",
			"agua caliente", "standing|dirty|storm|rain|pool water", "@dont have|get|see|had ?any water damage|leak*|bill|coming|in|on",
			"water @is not coming|leaking|dripping ?in|through|from",
		},
	},
	{
		id: "no-power", level: levelEmergency, category: CategoryPower, problem: "No power", trade: TradeElectrical,
		why: "a home without electricity is reported",
		phrases: []string{
			"no|without|zero|lost ?any|all|our|the|my @power", "@power ?supply ?in|at|to|for ?@my ?whole|entire ?@home ?@is ?all|completely|still|now|just @out|cut|going_out|cutting_out",
			"power|electric|electrical outage|outages|cut|cuts|failure|loss", "blackout|black_out", "no lights ?at|in|anywhere ?all|@my|whole", "@dont have|get|got|getting ?any @power",
			"havent|hasnt|aint ?had|got ?any|no @power", "@power .. not_working|wont_come|not_on", "no hay luz|electricidad|corriente", "no tengo|tenemos luz|electricidad",
			"sin luz|electricidad|corriente", "se fue la luz|corriente|electricidad",
		},
		except: []string{
			"power|electric wash*|button*|cord*|strip*|tool*|window*|steering|bill*|company|adapter",
			"no|lost|without ?any|the power|electricity to|in|at|from|for ?@my|one|some ?kitchen|bathroom|bedroom|living_room|garage ?wall outlet|outlets|dishwasher|oven|stove|disposal|fridge|refrigerator|microwave|socket|sockets|washer|dryer|doorbell|plug|ac|fan|porch|garage",
			"electric stove|oven|range|dryer|fireplace|gate|blanket|heater|razor|toothbrush|car|vehicle|kettle|cooktop|hob|lock|shower|charger",
			"no electric|electrical issue*|problem*|bill*", "partial power",
		},
	},
	{
		id: "structure", level: levelEmergency, category: CategoryOther, problem: "Structural danger", trade: TradeGeneral,
		why: "something has collapsed, or a tree or car has hit the building",
		phrases: []string{
			"ceiling|ceilings|roof|wall|floor|stairs|staircase|balcony|deck|porch|steps .. collaps*|caved|caving|fell_in|fell_down|falling_down|gave_way|giving_way|came_down|coming_down",
			"tree .. fell|fallen|crashed|landed .. house|roof|building|home|garage|window|apartment|unit", "car|truck|vehicle .. crashed|drove|hit .. house|building|apartment|wall|garage|unit",
			"techo .. cayo|caido|derrumb*|colaps*",
		},
		except: []string{"@no ?@a collaps*"},
	},
}
