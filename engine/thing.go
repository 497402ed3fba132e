package engine

// Thing is a kind of what people ask for by name or identifier.
type Thing string

// The kinds of thing.
const (
	ThingStack       Thing = "stack"
	ThingRun         Thing = "run"
	ThingStep        Thing = "step"
	ThingSchedule    Thing = "schedule"
	ThingVersion     Thing = "version" // of a state
	ThingCredentials Thing = "credential"
	ThingVariableSet Thing = "set"
	ThingProject     Thing = "project"
)

// missing says that there is no such thing.
var missing = map[Thing]string{ // #nosec G101 -- words of messages
	ThingStack: "there is no stack %q", ThingRun: "there is no run %s", ThingStep: "there is no step %s",
	ThingSchedule: "there is no schedule %s", ThingVersion: "there is no state version %s",
	ThingCredentials: "there are no credentials named %q", ThingVariableSet: "there is no variable set %q", ThingProject: "there is no project %q",
}

// Missing is the ErrNotFound for a thing. Who may not see one is told the same
// as where there is none.
func Missing(t Thing, name string) error { return NotFound(missing[t], name) }
