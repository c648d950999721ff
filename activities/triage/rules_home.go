package triage

// homeRules are the emergencies of a home that is cold, hot or open.
var homeRules = []rule{
	{
		id: "no-heat", level: levelEmergency, category: CategoryNoHeat, problem: "No heat", trade: TradeHVAC,
		why: "a home without heating is reported", limit: limitCold,
		phrases: []string{
			"no|without|zero|lost ?any|our|the|my ?working @heat", "@heat ?system|unit|thing ?in|at|for ?@my ?whole|entire ?@home ?@is ?all|completely|still|now|just|been @out",
			"@heat .. @wont .. @work|heat|heating|stay_on|getting_warm|warm|warming|blow*", "@dont have|get|got|getting ?any @heat", "havent|hasnt|aint ?had|got ?any|no @heat",
			"@heat .. blow* .. cold|cool", "freezing|ice_cold .. inside|in", "its|is|it_is ?so|really|very|super ?so|really cold ?in inside|here|@my ?@home", "its|it_is|im|i_am|we_are|were ?literally freezing",
			"no hay|tengo|tenemos|funciona|sirve|prende ?la|el calefaccion|calefactor", "sin calefaccion", "calefaccion .. no .. funciona|sirve|prende|calienta", "boiler .. error|lockout|fault",
		},
		except: []string{
			"hot water heater|boiler|tank", "water heater*", "@cooker ?@is|does|will|can|do ?no|not|isnt|doesnt|wont|hasnt|cant|dont ?getting|any|have|get|working ?no @heat",
			"heat lamp*|wave|stroke|gun|shield|index|tape", "no heat|heating issue*|problem*|complaint*|bill*", "no heat in|from ?@my @cooker", "pool|spa|towel|seat|car heater*|heat|heating",
			"freezer|fridge|refrigerator ?@is ?not freezing|cold|ice_cold", "freezing rain|food|compartment|point", "water ?@is freezing|ice_cold|cold",
		},
	},
	{
		id: "no-cooling", level: levelEmergency, category: CategoryNoCooling, problem: "No cooling", trade: TradeHVAC,
		why: "a home without working air conditioning is reported", limit: limitHot,
		phrases: []string{
			"no|without|lost ?any|our|the|my ?working @ac", "@ac ?unit|system|thing ?in|at|for ?@my ?whole|entire ?@home ?@is ?all|completely|still|now|just|been @out",
			"@ac .. @wont .. @work|cool|cooling|blow*|cold|keep*", "@dont have|get|got|getting ?any @ac", "havent|hasnt|aint ?had|got ?any|no @ac", "@ac .. blow* .. hot|warm|heat",
			"aire acondicionado .. no .. funciona|enfria|sirve|prende", "no funciona|enfria|sirve|prende ?el aire ?acondicionado", "sin aire ?acondicionado", "too|so|extremely|unbearably hot inside|in",
		},
		except: []string{
			"ac adapter*|filter*|outlet*|remote*|cover*", "fridge|refrigerator|freezer|wine_cooler ?@is ?not|isnt|wont|stopped ?cooling|working", "no @ac issue*|problem*|filter*", "cooling rack|fan",
		},
	},
	{
		id: "hvac-winter", level: levelEmergency, category: CategoryNoHeat, problem: "No heat", trade: TradeHVAC, forTrade: TradeHVAC, months: heatingMonths,
		why: "an HVAC failure is reported in the heating season", limit: limitCold,
		phrases: []string{"@wont @work", "unit|system|hvac|thermostat ?@is ?not @out", "broken", "no funciona"},
		except:  []string{"water heater ?@is ?@wont @work|@out", "@ac ?unit|system ?@is ?@wont @work|@out|cool|cooling"},
	},
	{
		id: "hvac-summer", level: levelEmergency, category: CategoryNoCooling, problem: "No cooling", trade: TradeHVAC, forTrade: TradeHVAC, months: coolingMonths,
		why: "an HVAC failure is reported in the cooling season", limit: limitHot,
		phrases: []string{"@wont @work", "unit|system|hvac|thermostat ?@is ?not @out", "broken", "no funciona"},
		except:  []string{"water heater ?@is ?@wont @work|@out", "@heat ?unit|system ?@is ?@wont @work|@out"},
	},
	{
		id: "security", level: levelEmergency, category: CategorySecurity, problem: "Home not secure", trade: TradeLocksmith,
		why: "a break-in, or a door or window that does not secure the home, is reported",
		phrases: []string{
			"break in|ins", "breakin|breakins|burglar*|burgled|intruder*|robbed|robbery|prowler|home_invasion", "broke into", "broken into", "someone|somebody|man|stranger .. trying_to_get|break|broke|breaking ?in|into",
			"@door .. @wont .. lock*|close|closing|shut|latch*|secure|securing", "cant|cannot|unable_to|can_not lock|close|secure|shut .. @door|@home", "lock|locks|deadbolt|dead_bolt ?on ?@my ?front|back|main|entry ?door ?@is @out|missing|jammed|stuck|damaged",
			"broken|smashed|shattered|busted|missing|kicked_in ?front|back|glass|sliding|main|entry|patio|bedroom|kitchen|bathroom|living_room @door", "@door .. smashed|shattered|broken|kicked_in|busted|off_the_hinges|off_its_hinges",
			"se metieron", "robo|robaron|ladron*", "puerta|cerradura|ventana|chapa .. rota|quebrada|forzada", "puerta|cerradura|ventana .. no .. cierra",
		},
		except: []string{
			"@inside door|doors|drawer*|lock|locks", "door bell|stop|stopper*|mat|knocker", "window blind*|screen*|shade*|sill*|ac|unit|treatment*|cover*|crank|air_conditioner", "broken|missing|busted window blind*|screen*|shade*|ac",
			"screen door|window", "car|vehicle|truck window|door|lock", "garage door opener|remote", "lock screen", "broken door bell|stop|stopper",
		},
	},
}
