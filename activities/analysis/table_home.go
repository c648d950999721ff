package analysis

import "github.com/aictive/keyholder/activities/triage"

var openingRules = []rule{
	{
		id: "mailbox", problem: "Mailbox lock or key", trade: triage.TradeLocksmith, skill: skillLocks, priority: PriorityLow, minutes: 30, parts: []string{"MAILBOX-LOCK"},
		phrases: []string{"mailbox|mail_box|letterbox ... key|keys|lock|@wont|broken|stuck|jam*|loose", "key|keys|lock .. mailbox|mail_box"},
	},
	{
		id: "garage", problem: "Garage door problem", trade: triage.TradeGeneral, skill: skillCarpentry, priority: PriorityNormal, minutes: 90, parts: []string{"GARAGE-REMOTE"},
		phrases: []string{"garage ?door ... @wont|@out|stuck|broken|nois*|off_track|opener|remote|spring", "garage_opener|garage_remote|garage_door_opener"},
	},
	{
		id: "keys", problem: "Lost keys or locked out", trade: triage.TradeLocksmith, skill: skillLocks, priority: PriorityUrgent, minutes: 45, parts: []string{"KEY-BLANK"},
		phrases: []string{"locked ?myself|ourselves out", "lockout", "lost|missing|stolen .. key|keys|fob", "key|keys|fob ... broke*|snapped|stuck|copy|copies|spare|extra|demagnet*|wont_turn", "spare|extra|new|copy_of_the ?house|door key|keys"},
	},
	{
		id: "lock", problem: "Door lock problem", trade: triage.TradeLocksmith, skill: skillLocks, priority: PriorityNormal, minutes: 60, parts: []string{"DEADBOLT", "LOCKSET"},
		phrases: []string{"lock|locks|deadbolt|dead_bolt|door_knob|doorknob|door_handle|latch ... stick*|stiff|jam*|hard|loose|broken|@wont|fell_off|stuck|wobbl*|change*|rekey*", "change|rekey|loose|broken|stiff|sticky .. lock|locks|deadbolt|doorknob|door_handle", "cerradura|chapa"},
		except:  []string{"window lock|latch", "cabinet|drawer|child|screen lock|latch"},
	},
	{
		id: "screen", problem: "Torn screen", trade: triage.TradeGeneral, skill: skillCarpentry, priority: PriorityLow, minutes: 45, parts: []string{"SCREEN-MESH"},
		phrases: []string{"screen|screens|screen_door|window_screen ... torn|rip*|hole*|missing|broken|bent|off|tear|fell", "torn|ripped|missing|broken|new .. screen|screens|window_screen|screen_door"},
		except:  []string{"tv|phone|computer|lock screen", "smoke screen"},
	},
	{
		id: "blinds", problem: "Broken blinds", trade: triage.TradeGeneral, skill: skillCarpentry, priority: PriorityLow, minutes: 45, parts: []string{"BLIND"},
		phrases: []string{"blind|blinds|shade|shades|curtain_rod ... broke*|@wont|stuck|fell*|missing|cord|replace*|off", "broken|missing|new .. blind|blinds|shades|curtain_rod"},
	},
	{
		id: "window", problem: "Window problem", trade: triage.TradeGeneral, skill: skillCarpentry, priority: PriorityNormal, minutes: 75, parts: []string{"WINDOW-LATCH", "WEATHER-STRIP"},
		phrases: []string{"window|windows ... stuck|@wont|draft*|draught*|latch|lock|crank|seal|fog*|condensation|crack*|loose|painted_shut|rattl*|hard", "draft*|draughty|cracked|stuck|foggy .. window|windows", "ventana|ventanas"},
		except:  []string{"car|computer window", "window ac|unit|air_conditioner|shopping"},
	},
	{
		id: "door", problem: "Door needs adjusting", trade: triage.TradeGeneral, skill: skillCarpentry, priority: PriorityNormal, minutes: 60, parts: []string{"DOOR-HINGE", "WEATHER-STRIP"},
		phrases: []string{"door|doors ... stick*|stuck|squeak*|creak*|hinge*|off_track|off_the_track|drag*|scrap*|@wont|draft*|weather*|warp*|loose|hole", "squeaky|sticking|warped|drafty .. door|doors", "puerta|puertas .. no|atorada|rechina"},
		except:  []string{"fridge|refrigerator|freezer|oven|microwave|dishwasher|washer|dryer|cabinet|garage|car door|doors", "next door", "out of doors", "knocked on ?@my door"},
	},
}

var applianceRules = []rule{
	{
		id: "ice-maker", problem: "Ice maker problem", trade: triage.TradeGeneral, skill: skillAppliances, priority: PriorityLow, minutes: 60, parts: []string{"ICE-MAKER-VALVE"},
		phrases: []string{"ice_maker|icemaker ... @wont|@out|@leak|broken|stuck|no|jam*", "no ice|water .. fridge|refrigerator|ice_maker"},
	},
	{
		id: "fridge", problem: "Fridge problem", trade: triage.TradeGeneral, skill: skillAppliances, priority: PriorityUrgent, minutes: 90, parts: []string{"FRIDGE-GASKET"},
		phrases: []string{"fridge|refrig*|freezer ... @wont|@out|warm|not_cold|@leak|nois*|loud|broken|frost*|ice|seal|gasket|freez*|spoil*|light|door|handle|water", "broken|warm|noisy|leaking .. fridge|refrigerator|freezer", "refrig* .. no", "nevera|heladera"},
	},
	{
		id: "oven", problem: "Oven or stove problem", trade: triage.TradeGeneral, skill: skillAppliances, priority: PriorityNormal, minutes: 90, parts: []string{"OVEN-ELEMENT"},
		phrases: []string{"oven|stove|range|cooktop|stovetop|burner|burners|broiler|hob ... @wont|@out|broken|uneven|heat*|knob*|crack*|element|igniter|door|light|click*", "broken|cracked .. oven|stove|cooktop|burner", "estufa|horno .. no"},
		except:  []string{"range hood", "price range", "range of"},
	},
	{
		id: "dishwasher", problem: "Dishwasher problem", trade: triage.TradeGeneral, skill: skillAppliances, priority: PriorityNormal, minutes: 75, parts: []string{"DISHWASHER-PUMP"},
		phrases: []string{"dishwasher|dish_washer ... @wont|@out|@leak|broken|drain*|clean*|dirty|nois*|smell*|stuck|door|standing_water|start", "broken|leaking|clogged .. dishwasher|dish_washer", "lavaplatos|lavavajillas"},
	},
	{
		id: "dryer", problem: "Dryer problem", trade: triage.TradeGeneral, skill: skillAppliances, priority: PriorityNormal, minutes: 75, parts: []string{"DRYER-BELT"},
		phrases: []string{"dryer|drier ... @wont|@out|broken|heat*|nois*|loud|spin*|squeak*|vent|lint|dry|takes", "broken|noisy .. dryer", "dryer_vent|secadora"},
		except:  []string{"hair dryer|drier"},
	},
	{
		id: "washer", problem: "Washing machine problem", trade: triage.TradeGeneral, skill: skillAppliances, priority: PriorityNormal, minutes: 75, parts: []string{"WASHER-HOSE"},
		phrases: []string{"washer|washing_machine|laundry_machine ... @wont|@out|@leak|broken|spin*|drain*|nois*|loud|shak*|stuck|smell*|overflow*|fill*", "broken|leaking|noisy .. washer|washing_machine", "lavadora"},
		except:  []string{"pressure|power washer", "dish washer", "tap|faucet washer*"},
	},
	{
		id: "microwave", problem: "Microwave problem", trade: triage.TradeGeneral, skill: skillAppliances, priority: PriorityLow, minutes: 60,
		phrases: []string{"microwave ... @wont|@out|broken|heat*|door|handle|nois*|spark*|light|turntable", "broken microwave", "microondas"},
	},
}

var homeRules = []rule{
	{
		id: "roof", problem: "Roof leak", trade: triage.TradeGeneral, skill: skillRoofs, priority: PriorityUrgent, minutes: 180, parts: []string{"ROOF-SEALANT"}, over: []string{"drip"},
		phrases: []string{"roof|skylight|chimney ... drip*|@leak|missing|shingle*|damage*|stain*", "@leak|drip* .. roof|skylight|chimney|attic", "shingle|shingles", "attic .. wet|@leak|water", "techo .. gotea|goteando|goteras"},
		except:  []string{"@no ?@a @leak|drip*"},
	},
	{
		id: "gutter", problem: "Gutter problem", trade: triage.TradeGeneral, skill: skillRoofs, priority: PriorityNormal, minutes: 120, parts: []string{"GUTTER-BRACKET"}, over: []string{"clog", "drip"},
		phrases: []string{"gutter|gutters|downspout|downspouts|rain_pipe"},
	},
	{
		id: "bed-bugs", problem: "Bed bugs", trade: triage.TradeGeneral, skill: skillPests, priority: PriorityUrgent, minutes: 120,
		phrases: []string{"bed_bug|bed_bugs|bedbug|bedbugs|chinches"},
	},
	{
		id: "rodents", problem: "Rodents", trade: triage.TradeGeneral, skill: skillPests, priority: PriorityUrgent, minutes: 90, parts: []string{"PEST-TRAP"},
		phrases: []string{"mouse|mice|rat|rats|rodent|rodents|droppings|squirrel|squirrels|raccoon|raccoons|racoon|possum|opossum", "raton|ratones|rata|ratas"},
		except:  []string{"computer|wireless|bluetooth mouse", "mouse pad", "bird|dog droppings"},
	},
	{
		id: "insects", problem: "Insects", trade: triage.TradeGeneral, skill: skillPests, priority: PriorityNormal, minutes: 60, parts: []string{"PEST-TRAP"},
		phrases: []string{"ant|ants|roach|roaches|cockroach|cockroaches|wasp|wasps|hornet|hornets|bees|beehive|termite|termites|flea|fleas|spider|spiders|bugs|insects|silverfish|moths|pests|pest|infest*|exterminat*|maggots|gnats", "cucaracha|cucarachas|hormigas|aranas"},
	},
	{
		id: "mold", problem: "Mold", trade: triage.TradeGeneral, skill: skillWalls, priority: PriorityUrgent, minutes: 120, parts: []string{"MOLD-CLEANER"},
		phrases: []string{"mold|moldy|mould|mouldy|mildew|black_mold|fungus|moho|humedad", "musty|mouldering smell*|odor*|odour*"},
		except:  []string{"@no ?@a ?visible mold|mould|mildew", "crown mold", "mold ?is ?now gone"},
	},
	{
		id: "railing", problem: "Loose railing or step", trade: triage.TradeGeneral, skill: skillCarpentry, priority: PriorityUrgent, minutes: 90, parts: []string{"RAIL-BRACKET"},
		phrases: []string{"railing|railings|handrail|banister|bannister|step|steps|stair|stairs|deck_board|deck|balcony ... loose|broke*|rot|rotten|rotting|wobbl*|crack*|missing|uneven", "loose|broken|rotten|wobbly .. railing|handrail|banister|step|steps|stair|stairs"},
	},
	{
		id: "cabinet", problem: "Loose cabinet or drawer", trade: triage.TradeGeneral, skill: skillCarpentry, priority: PriorityLow, minutes: 45, parts: []string{"CABINET-HINGE"},
		phrases: []string{"cabinet|cabinets|cupboard|drawer|drawers|closet|closet_door|shelf|shelves|towel_bar|towel_rack|countertop ... loose|broke*|hinge*|off|stuck|fell*|falling|@wont|sag*|crack*|handle", "loose|broken .. cabinet|cupboard|drawer|shelf|shelves|closet|towel_bar"},
	},
	{
		id: "caulk", problem: "Worn caulk or grout", trade: triage.TradeGeneral, skill: skillWalls, priority: PriorityLow, minutes: 60, parts: []string{"CAULK"},
		phrases: []string{"caulk|caulking|grout|sealant|recaulk*|regrout*"},
	},
	{
		id: "floor", problem: "Floor damage", trade: triage.TradeGeneral, skill: skillCarpentry, priority: PriorityNormal, minutes: 120, parts: []string{"FLOOR-PLANK"},
		phrases: []string{"floor|floors|flooring|floorboard|floorboards|tile|tiles|linoleum|vinyl|carpet|laminate ... loose|broke*|crack*|lift*|buckl*|creak*|squeak*|soft|uneven|torn|warp*|damage*|bubbl*|stain*", "loose|broken|cracked|creaky|torn .. floor|floorboard|tile|tiles|carpet"},
	},
	{
		id: "wall", problem: "Wall or ceiling damage", trade: triage.TradeGeneral, skill: skillWalls, priority: PriorityLow, minutes: 120, parts: []string{"DRYWALL-PATCH", "PAINT"},
		phrases: []string{"wall|walls|ceiling|drywall|plaster|baseboard|trim ... hole*|crack*|peel*|dent*|stain*|bubbl*|flak*|damage*|loose", "hole|holes|crack|cracks|dent .. wall|walls|ceiling|drywall"},
		except:  []string{"wall outlet|socket|switch|heater|clock"},
	},
	{
		id: "paint", problem: "Painting", trade: triage.TradeGeneral, skill: skillWalls, priority: PriorityLow, minutes: 180, parts: []string{"PAINT"},
		phrases: []string{"paint|painting|repaint|repainting|touch_up_paint|repainted"},
	},
	{
		id: "sprinkler", problem: "Sprinkler problem", trade: triage.TradeGeneral, skill: skillGardens, priority: PriorityNormal, minutes: 75, parts: []string{"SPRINKLER-HEAD"},
		phrases: []string{"sprinkler|sprinklers|irrigation|drip_line ... @wont|@out|broken|@leak|stuck|head|heads|on", "broken|leaking .. sprinkler|sprinklers|irrigation"},
		except:  []string{"fire sprinkler*"},
	},
	{
		id: "fence", problem: "Fence or gate problem", trade: triage.TradeGeneral, skill: skillGardens, priority: PriorityNormal, minutes: 120,
		phrases: []string{"fence|fences|gate|fence_post ... broke*|loose|lean*|fell*|fallen|rot|rotten|missing|blew|@wont|down", "broken|fallen|leaning .. fence|gate"},
		except:  []string{"baby gate"},
	},
	{
		id: "grounds", problem: "Yard work", trade: triage.TradeGeneral, skill: skillGardens, priority: PriorityLow, minutes: 120,
		phrases: []string{"tree|branch|branches|bush|bushes|hedge|weeds|lawn|grass ... trim*|cut*|overgrown|dead|remov*|mow*|prun*|hang*", "overgrown|mow|trim|prune .. tree|lawn|grass|bush|bushes|hedge|yard|weeds"},
	},
}
