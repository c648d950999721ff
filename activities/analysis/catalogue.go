package analysis

import (
	"slices"

	"github.com/aictive/keyholder/activities/triage"
)

// item is a part that rules and models may name.
type item struct {
	Part
	// trades use it; others may not ask for it.
	trades []triage.Trade
}

var (
	plumbing   = []triage.Trade{triage.TradePlumbing}
	electrical = []triage.Trade{triage.TradeElectrical}
	general    = []triage.Trade{triage.TradeGeneral}
	hvac       = []triage.Trade{triage.TradeHVAC}
	locksmith  = []triage.Trade{triage.TradeLocksmith}
	doors      = []triage.Trade{triage.TradeGeneral, triage.TradeLocksmith}
	wired      = []triage.Trade{triage.TradeGeneral, triage.TradeElectrical}
	piped      = []triage.Trade{triage.TradeGeneral, triage.TradePlumbing}
)

// catalogue is every part; Quantity is the most that one repair uses up. It is never
// changed.
var catalogue = []item{
	{Part{"TAP-CARTRIDGE", "Tap cartridge", 2}, plumbing},
	{Part{"TAP-WASHER", "Tap washer set", 2}, plumbing},
	{Part{"TAP-KITCHEN", "Kitchen tap", 1}, plumbing},
	{Part{"TAP-BASIN", "Bathroom tap", 1}, plumbing},
	{Part{"TAP-AERATOR", "Tap aerator", 2}, plumbing},
	{Part{"HOSE-BIB", "Outdoor tap", 1}, plumbing},
	{Part{"SHOWER-HEAD", "Shower head", 1}, plumbing},
	{Part{"SHOWER-CARTRIDGE", "Shower cartridge", 1}, plumbing},
	{Part{"TOILET-FLAPPER", "Toilet flapper", 2}, plumbing},
	{Part{"TOILET-FILL-VALVE", "Toilet fill valve", 2}, plumbing},
	{Part{"TOILET-WAX-RING", "Toilet wax ring", 1}, plumbing},
	{Part{"TOILET-SEAT", "Toilet seat", 2}, piped},
	{Part{"TOILET-HANDLE", "Toilet handle", 2}, piped},
	{Part{"SINK-TRAP", "Sink trap", 2}, plumbing},
	{Part{"SUPPLY-LINE", "Braided supply line", 2}, plumbing},
	{Part{"SHUTOFF-VALVE", "Shutoff valve", 2}, plumbing},
	{Part{"DISPOSAL", "Garbage disposal", 1}, plumbing},
	{Part{"WH-ELEMENT", "Water heater element", 2}, plumbing},
	{Part{"WH-THERMOSTAT", "Water heater thermostat", 2}, plumbing},
	{Part{"SPRINKLER-HEAD", "Sprinkler head", 4}, piped},
	{Part{"OUTLET", "Wall outlet", 4}, electrical},
	{Part{"OUTLET-GFCI", "GFCI outlet", 2}, electrical},
	{Part{"LIGHT-SWITCH", "Light switch", 2}, electrical},
	{Part{"BREAKER-20A", "20 A breaker", 2}, electrical},
	{Part{"BULB-LED", "LED bulb", 4}, wired},
	{Part{"LIGHT-FIXTURE", "Light fixture", 1}, electrical},
	{Part{"EXHAUST-FAN", "Exhaust fan", 1}, electrical},
	{Part{"DOORBELL", "Doorbell kit", 1}, wired},
	{Part{"SMOKE-ALARM", "Smoke alarm", 4}, wired},
	{Part{"CO-ALARM", "Carbon monoxide alarm", 2}, wired},
	{Part{"BATTERY-9V", "9 V battery", 6}, wired},
	{Part{"THERMOSTAT", "Thermostat", 1}, hvac},
	{Part{"HVAC-FILTER", "Air filter", 4}, hvac},
	{Part{"AC-CAPACITOR", "AC capacitor", 1}, hvac},
	{Part{"AC-DRAIN-KIT", "AC drain line kit", 1}, hvac},
	{Part{"FURNACE-IGNITER", "Furnace igniter", 1}, hvac},
	{Part{"DEADBOLT", "Deadbolt", 2}, doors},
	{Part{"LOCKSET", "Door lockset", 2}, doors},
	{Part{"KEY-BLANK", "Key blank", 4}, locksmith},
	{Part{"MAILBOX-LOCK", "Mailbox lock", 1}, doors},
	{Part{"GARAGE-REMOTE", "Garage door remote", 2}, general},
	{Part{"DOOR-HINGE", "Door hinge", 3}, general},
	{Part{"WEATHER-STRIP", "Weather strip", 4}, general},
	{Part{"WINDOW-LATCH", "Window latch", 2}, doors},
	{Part{"SCREEN-MESH", "Screen mesh", 2}, general},
	{Part{"BLIND", "Window blind", 4}, general},
	{Part{"FRIDGE-GASKET", "Fridge door gasket", 1}, general},
	{Part{"ICE-MAKER-VALVE", "Ice maker valve", 1}, piped},
	{Part{"OVEN-ELEMENT", "Oven element", 2}, wired},
	{Part{"DISHWASHER-PUMP", "Dishwasher drain pump", 1}, piped},
	{Part{"WASHER-HOSE", "Washing machine hose", 2}, piped},
	{Part{"DRYER-BELT", "Dryer belt", 1}, general},
	{Part{"PEST-TRAP", "Pest trap set", 4}, general},
	{Part{"MOLD-CLEANER", "Mold cleaner", 2}, general},
	{Part{"ROOF-SEALANT", "Roof sealant", 4}, general},
	{Part{"GUTTER-BRACKET", "Gutter bracket", 6}, general},
	{Part{"DRYWALL-PATCH", "Drywall patch", 4}, general},
	{Part{"PAINT", "Interior paint, 1 gal", 4}, general},
	{Part{"CAULK", "Silicone caulk", 4}, piped},
	{Part{"CABINET-HINGE", "Cabinet hinge", 6}, general},
	{Part{"FLOOR-PLANK", "Floor plank pack", 4}, general},
	{Part{"RAIL-BRACKET", "Handrail bracket", 4}, general},
}

// Catalogue is every part that an analysis may name. Quantity is the most of it that
// one repair asks for.
func Catalogue() []Part {
	parts := make([]Part, len(catalogue))
	for i, c := range catalogue {
		parts[i] = c.Part
	}
	return parts
}

func findItem(sku string) (item, bool) {
	i := slices.IndexFunc(catalogue, func(c item) bool { return c.SKU == sku })
	if i < 0 {
		return item{}, false
	}
	return catalogue[i], true
}

// some is a quantity of a part of the catalogue.
func some(sku string, quantity int) Part {
	c, ok := findItem(sku)
	if !ok {
		return Part{}
	}
	c.Quantity = min(max(quantity, 1), c.Quantity)
	return c.Part
}
