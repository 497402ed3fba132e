package engine

import "time"

// Schedule starts runs of a stack by the clock.
type Schedule struct {
	ID        string
	Stack     string
	Name      string // unique in its stack; "drift" comes from the stack's own drift block
	Kind      RunKind
	Cron      string // five fields, or "@every 6h"
	Timezone  string // IANA name
	Paused    bool
	NextRunAt time.Time
	LastRunAt time.Time // zero before the first
	LastRun   string
	CreatedBy string
	CreatedAt time.Time
}
