package triage

// lifeSafetyRules are those where the tenant is first told to call the emergency
// services. Their exclusions are tight: they never leap over words that they do
// not name, and never reach into another clause.
var lifeSafetyRules = []rule{
	{
		id: "gas", level: levelLifeSafety, category: CategoryGas, problem: "Gas smell or leak", trade: TradeGas,
		why:    "a smell or leak of gas is reported",
		always: []string{"@fuel @leak|@smell repair|fix|response|help|visit|complaint|emergency"},
		phrases: []string{
			"@fuel .. @smell|@leak", "@smell|@leak .. @fuel", "@petrol .. @smell|@leak", "@smell|@leak .. @petrol",
			"rotten|rotting egg*", "@smell .. rotten|rotting|sulfur|sulphur|sulfuric",
			"@fuel ?@is coming|escaping|filling|seeping", "@fuel @alarm ... @sounding",
			"@fuel line|lines|pipe|pipes|main|hose|connector .. @burst", "@burst .. @fuel line|lines|pipe|pipes|main|hose",
			"huele .. gas", "fuga|escape|olor .. gas",
		},
		except: []string{
			"@no ?@a ?natural @fuel leak*|smell*|odor*|odour*", "@no ?@a leak*|smell*|odor*|odour* of ?@a ?natural @fuel",
			"@dont smell* ?@a|like|of ?@a ?natural @fuel",
			"no huele a gas", "no hay ?una fuga|olor de|a gas",
			"@fuel leak was|has_been|is fixed|repaired by ?the gas_company|utility|plumber|technician|fire_department",
			"annual|yearly|routine @fuel leak|safety inspection|test|check", "@fuel leak detector|inspection|test|certificate",
			"sewer|sewage @fuel ?smell*|odor*", "@smell ?like|of sewer|sewage @fuel", "@fuel station",
			"@fuel ?hot water heater|tank ?@is leaking water",
		},
	},
	{
		id: "co-alarm", level: levelLifeSafety, category: CategoryCarbonMonoxide, problem: "Carbon monoxide alarm", trade: TradeGas,
		why: "a carbon monoxide alarm or exposure is reported",
		phrases: []string{
			"@co ?gas @alarm ... @sounding", "@sounding ... @co @alarm", "@co @alarm .. reads|reading|says|shows|showing|detected|detecting",
			"carbon|monoxide .. @leak|poison*|detected|present|high|level*|reading*|exposure|smell*|symptom*",
			"positive|detect*|high|@leak|exposure|exposed|poison*|levels|smell* .. monoxide", "monoxido de carbono",
		},
		except: []string{
			"@co @alarm ?@is ?a|with ?low|dead|weak batter*", "low|dead|weak batter* ?on|in|from ?@my @co @alarm",
			"@co @alarm ?@is @beeps ?for|because|due|from|with ?of|to ?@my|its ?low|dead|weak batter*",
			"@co @alarm ?@is ?about ?@beeps once|every",
			"@no ?@a carbon monoxide leak*|poison*|detected|smell*|exposure", "alarma|detector de monoxido de carbono",
		},
	},
	{
		id: "smoke-alarm", level: levelLifeSafety, category: CategoryFire, problem: "Smoke or fire alarm", trade: TradeGeneral,
		why: "a sounding smoke or fire alarm is reported",
		phrases: []string{
			"smoke|fire @alarm ... @sounding", "@sounding ... smoke|fire @alarm",
			"alarma|detector de humo|incendio* ... @sounding", "@sounding ... alarma|detector de humo|incendio*",
			"smoke and|or carbon|co ?monoxide @alarm ... @sounding",
		},
		except: []string{
			"smoke|fire @alarm ?@is ?a|with ?low|dead|weak batter*", "low|dead|weak batter* ?@beeps ?on|in|from ?@my smoke|fire @alarm",
			"smoke|fire @alarm ?@is @beeps ?for|because|due|from|with ?of|to ?@my|its ?low|dead|weak batter*",
			"smoke|fire @alarm ?@is @beeps ?about once|every", "fire @alarm test*|inspection*|drill*",
		},
	},
	{
		id: "fire", level: levelLifeSafety, category: CategoryFire, problem: "Fire or smoke", trade: TradeGeneral,
		why: "fire, smoke or a smell of burning is reported",
		always: []string{
			"on fire", "caught fire", "fire|flames .. spreading|spreads|burning",
			"smoke ?is coming|filling|pouring|billowing|everywhere|rising",
		},
		phrases: []string{
			"fire|fires|flame|flames|ablaze|smoke|smokey|smoky|smouldering|smoldering|smolder*",
			"burning|burnt|burned .. smell*|odor*|odour*", "smell*|odor|odour .. burn*", "burning plastic|rubber|wire*|electric*|up",
			"incendio*|fuego|llamas|humo", "huele .. quemado|quemando", "quemando",
		},
		except: []string{
			"fire extinguisher*|place|places|pit|escape*|door|doors|drill*|exit*|code*|hydrant*|sprinkler*|station|marshal*|insurance|stick|tv|rated|ant|ants|inspection*|safety|wood|lane|watch|proof|blanket*|department_inspection",
			"smoke|fire @alarm", "@no ?@a ?visible fire|smoke|flame|flames ?or|and|nor ?fire|smoke|flame|flames",
			"@wont fire ?up", "fire up", "cigarette|cigarettes|tobacco|weed|marijuana|pot|cannabis|secondhand|second_hand|cigar smoke ?smell*|odor*",
			"neighbor|neighbors|neighbour|neighbours|people|tenants|guests|who|they|he|she smoke", "allowed|permitted|like|want to smoke",
			"smoke shop|break|free|damage|stain*|residue", "non|no smoke|smoking policy|zone|building|area", "camp|bon|gun|cease fire",
			"fire my|the landlord|manager", "pilot ?light flame", "alarma|detector de humo|incendio*", "extintor de incendio*",
			"no hay humo|fuego|incendio|llamas",
		},
	},
	{
		id: "shock", level: levelLifeSafety, category: CategoryPower, problem: "Electrical danger", trade: TradeElectrical,
		why: "sparks, a shock, exposed wires or burning electrics are reported",
		phrases: []string{
			"spark|sparks|sparked|sparking|sparky|arcing|chispas|chispazo*", "electrocut*", "electric|electrical shock*",
			"got|get|getting|was|been|were|gets shocked|zapped", "shocked|shocks|shocking|zapped|zaps .. me|us|by|from|when|her|him|my",
			"live|exposed|bare|hanging|frayed ?electrical|electric|power wire|wires|wiring|cable|cables", "wire|wires|wiring .. exposed|hanging|frayed|melt*",
			"@socket .. @hot", "@hot .. @socket", "power|electric|electrical line|lines|pole .. down|downed|fell|fallen|snapped",
			"downed|fallen ?live power|electric|electrical line*|wire*|cable*", "me .. electrocut*|corriente",
		},
		except: []string{
			"@no ?@a spark|sparks|sparking|arcing|shock|shocks|exposed|live|bare ?electrical ?wire|wires|wiring", "spark plug*",
			"stove|burner|burners|igniter|ignitor|range|cooktop|oven|grill|pilot|hob ?@is ?just|only spark|sparks|sparking ?but ?it @wont light|ignite|start",
			"no hay chispas", "shocked at|that|to", "cable tv|box|internet",
		},
	},
	{
		id: "water-and-electricity", level: levelLifeSafety, category: CategoryLeak, problem: "Water near electrics", trade: TradePlumbing,
		why: "water is reported to reach electrical fittings",
		phrases: []string{
			"@leak|drip*|pouring|gushing|flooding|spraying .. @electrics", "water .. @electrics", "agua .. enchufe*|lampara*|foco*",
		},
		except: []string{
			"@no ?@a @leak|drip*", "no longer @leak|drip*", "water heater|meter|pump|softener ?electrical breaker*|outlet*|panel",
			"@no ?running|hot water",
		},
	},
	{
		id: "trapped", level: levelLifeSafety, category: CategoryOther, problem: "Person trapped", trade: TradeGeneral,
		why: "somebody is reported trapped",
		phrases: []string{
			"trapped|stuck ?inside|in ?of ?@my elevator|lift", "elevator|lift .. stuck|trapped .. people|person|inside|with|someone|me|us",
			"people|person|someone|child|tenant|i_am|im|we_are|were .. trapped", "atrapad* .. ascensor|elevador",
		},
		except: []string{
			"no_one|nobody|noone ?@is trapped|stuck ?inside|in ?@my ?elevator|lift", "mouse|rat|animal|bird|cat|squirrel|raccoon|water|air ?@is trapped",
		},
	},
	{
		id: "gas-trade", level: levelLifeSafety, category: CategoryGas, problem: "Gas smell or leak", trade: TradeGas,
		why: "a smell or leak is reported under the trade gas", forTrade: TradeGas,
		phrases: []string{"@smell|@leak"},
		except: []string{
			"@no ?@a ?natural ?@fuel @smell|@leak", "@no ?@a @smell|@leak of ?@fuel", "no longer @leak|@smell", "@dont smell* ?@a|like|of ?natural ?@fuel",
			"leak|leaks test|inspection|check", "water @leak", "@leak water",
		},
	},
}
