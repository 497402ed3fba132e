package client

import (
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// Finding is one thing that is not as the stack says.
type Finding struct {
	ID         string        `json:"id"`
	Stack      string        `json:"stack"`
	Component  string        `json:"component"`
	Change     engine.Change `json:"change"`
	Run        string        `json:"run"`
	FirstSeen  time.Time     `json:"first_seen"`
	LastSeen   time.Time     `json:"last_seen"`
	ResolvedAt *time.Time    `json:"resolved_at,omitempty"`
}

// Schedule starts runs of a stack by the clock.
type Schedule struct {
	ID        string     `json:"id"`
	Stack     string     `json:"stack"`
	Name      string     `json:"name"`
	Kind      string     `json:"kind"`
	Cron      string     `json:"cron"`
	Timezone  string     `json:"timezone"`
	Paused    bool       `json:"paused"`
	NextRunAt time.Time  `json:"next_run_at"`
	LastRunAt *time.Time `json:"last_run_at,omitempty"`
	LastRun   string     `json:"last_run,omitempty"`
	CreatedBy string     `json:"created_by"`
}

// CreateSchedule makes a schedule.
type CreateSchedule struct {
	Name     string `json:"name" minLength:"1" maxLength:"64"`
	Kind     string `json:"kind" enum:"apply,destroy,preview,drift"`
	Cron     string `json:"cron" doc:"Five fields, or @every 6h."`
	Timezone string `json:"timezone,omitempty" doc:"IANA name; UTC where it is missing."`
}

// PauseSchedule stops a schedule from firing, or lets it go on.
type PauseSchedule struct {
	Paused bool `json:"paused"`
}

// Signal tells a runner to stop.
type Signal struct {
	Stop bool `json:"stop"`
	Kill bool `json:"kill"`
}

// LogSize is how long a log is now.
type LogSize struct {
	Size int64 `json:"size"`
}

// Diagnostic is one mistake in a revision.
type Diagnostic struct {
	Severity  string `json:"severity"`
	Summary   string `json:"summary"`
	Detail    string `json:"detail,omitempty"`
	File      string `json:"file,omitempty"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndLine   int    `json:"end_line,omitempty"`
	EndColumn int    `json:"end_column,omitempty"`
	Snippet   string `json:"snippet,omitempty"`
}

// Engine gives the diagnostic as the engine has it.
func (d Diagnostic) Engine() engine.Diagnostic {
	return engine.Diagnostic{Severity: engine.Severity(d.Severity), Summary: d.Summary, Detail: d.Detail, File: d.File,
		Start: engine.Position{Line: d.Line, Column: d.Column}, End: engine.Position{Line: d.EndLine, Column: d.EndColumn}, Snippet: d.Snippet}
}

// FieldError is one thing that is wrong with a request's shape.
type FieldError struct {
	Message  string `json:"message"`
	Location string `json:"location,omitempty"`
}

// Problem is an error as the API sends it. Source: RFC 9457.
type Problem struct {
	Type        string       `json:"type"`
	Title       string       `json:"title"`
	Status      int          `json:"status"`
	Detail      string       `json:"detail,omitempty"`
	Diagnostics []Diagnostic `json:"diagnostics,omitempty"`
	Errors      []FieldError `json:"errors,omitempty"`
	RequestID   string       `json:"request_id,omitempty"`
	// Code names what a program does something about: one of the constants.
	Code string `json:"error,omitempty" doc:"What a program does something about, such as authorization_pending of RFC 8628."`
}
