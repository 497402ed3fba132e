package client

import (
	"encoding/json"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// Page says which part of a list is wanted.
type Page struct {
	Cursor string // next_cursor of the page before; empty for the first
	Limit  int    // 0 for the server's default
}

// List is one page of a list.
type List[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Pass it as cursor to get the next page; absent on the last."`
}

// Stack is a stack as the API shows it.
type Stack struct {
	Name         string            `json:"name"`
	Description  string            `json:"description"`
	Labels       map[string]string `json:"labels"`
	Latest       int               `json:"latest" doc:"Number of the newest revision; 0 before the first."`
	Applied      int               `json:"applied" doc:"Number of the revision that was last applied; 0 for none."`
	OpenFindings int               `json:"open_findings" doc:"Drift that is not resolved."`
	CreatedAt    time.Time         `json:"created_at"`
	UpdatedAt    time.Time         `json:"updated_at"`
}

// CreateStack makes a stack that has no revision yet.
type CreateStack struct {
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
}

// Component is one part of a stack.
type Component struct {
	Address     string   `json:"address"`
	Kind        string   `json:"kind"`
	Cloud       string   `json:"cloud"`
	Region      string   `json:"region,omitempty"`
	Credentials string   `json:"credentials,omitempty"`
	Source      string   `json:"source"`
	Needs       []string `json:"needs"`
}

// Revision is one submitted version of a stack.
type Revision struct {
	Stack      string      `json:"stack"`
	Number     int         `json:"number"`
	Digest     string      `json:"digest" doc:"SHA-256 of the sources, in hex."`
	Author     string      `json:"author"`
	Message    string      `json:"message"`
	Components []Component `json:"components"`
	CreatedAt  time.Time   `json:"created_at"`
}

// SubmitFiles is a revision given as the texts of its files.
type SubmitFiles struct {
	Files     map[string]string          `json:"files" doc:"Text of each file by its path; stack.hcl at least."`
	Variables map[string]json.RawMessage `json:"variables,omitempty" doc:"Values of the stack's variables."`
	Message   string                     `json:"message,omitempty"`
}

// StartRun starts a run of a stack.
type StartRun struct {
	Kind     string `json:"kind" enum:"apply,destroy,preview,drift"`
	Revision int    `json:"revision,omitempty" doc:"0 for the newest." minimum:"0"`
	Message  string `json:"message,omitempty"`
}

// Decide is a person's word on a plan.
type Decide struct {
	Digest  string `json:"digest,omitempty" doc:"Digest of the joint plan that is meant; wanted for an approval."`
	Comment string `json:"comment,omitempty"`
}

// Summary counts what a plan means to do.
type Summary struct {
	Create  int `json:"create"`
	Update  int `json:"update"`
	Replace int `json:"replace"`
	Delete  int `json:"delete"`
	Outputs int `json:"outputs"`
}

// Engine gives the summary as the engine has it.
func (s Summary) Engine() engine.Summary { return engine.Summary(s) }

// Approval is one person's word on one plan.
type Approval struct {
	By      string    `json:"by"`
	Role    string    `json:"role"`
	Verdict string    `json:"verdict"`
	Digest  string    `json:"digest"`
	Comment string    `json:"comment"`
	At      time.Time `json:"at"`
}

// Run is one pass over a stack.
type Run struct {
	ID         string     `json:"id"`
	Stack      string     `json:"stack"`
	Revision   int        `json:"revision"`
	Kind       string     `json:"kind"`
	Trigger    string     `json:"trigger"`
	Status     string     `json:"status"`
	Reason     string     `json:"reason,omitempty"`
	StartedBy  string     `json:"started_by"`
	Message    string     `json:"message,omitempty"`
	Digest     string     `json:"digest,omitempty" doc:"Of the joint plan; an approval names it."`
	Cancelling bool       `json:"cancelling,omitempty"`
	Summary    Summary    `json:"summary"`
	Approvals  []Approval `json:"approvals,omitempty"`
	Steps      []Step     `json:"steps"`
	CreatedAt  time.Time  `json:"created_at"`
	PlanningAt *time.Time `json:"planning_at,omitempty"`
	PlannedAt  *time.Time `json:"planned_at,omitempty"`
	ApprovedAt *time.Time `json:"approved_at,omitempty"`
	ApplyingAt *time.Time `json:"applying_at,omitempty"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
}

// Step is one component's part in a run.
type Step struct {
	ID        string     `json:"id"`
	Run       string     `json:"run"`
	Address   string     `json:"address"`
	Kind      string     `json:"kind"`
	Cloud     string     `json:"cloud"`
	Needs     []string   `json:"needs"`
	Revision  int        `json:"revision"`
	Destroy   bool       `json:"destroy,omitempty"`
	Status    string     `json:"status"`
	Reason    string     `json:"reason,omitempty"`
	Attempt   int        `json:"attempt"`
	Worker    string     `json:"worker,omitempty"`
	PlanHash  string     `json:"plan_hash,omitempty"`
	Summary   Summary    `json:"summary" doc:"Of the plan."`
	Applied   Summary    `json:"applied" doc:"What the apply did."`
	Notes     []string   `json:"notes,omitempty"`
	QueuedAt  *time.Time `json:"queued_at,omitempty"`
	StartedAt *time.Time `json:"started_at,omitempty"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
}

// StepPlan is one step's plan.
type StepPlan struct {
	Step    string      `json:"step"`
	Address string      `json:"address"`
	Status  string      `json:"status"`
	Summary Summary     `json:"summary"`
	Plan    engine.Plan `json:"plan"`
}

// RunPlan is the joint plan of a run.
type RunPlan struct {
	Run     string     `json:"run"`
	Digest  string     `json:"digest,omitempty"`
	Summary Summary    `json:"summary"`
	Steps   []StepPlan `json:"steps"`
}

// LogChunk is a part of a step's log.
type LogChunk struct {
	Offset int64  `json:"offset" doc:"Of the text's first byte."`
	Text   string `json:"text"`
}

// Output is the value of an output.
type Output struct {
	Value     json.RawMessage `json:"value,omitempty"`
	Sensitive bool            `json:"sensitive,omitempty"`
	Unknown   bool            `json:"unknown,omitempty"`
}

// StateVersion is one version of a component's Terraform state.
type StateVersion struct {
	ID        string    `json:"id"`
	Stack     string    `json:"stack"`
	Component string    `json:"component"`
	Serial    int64     `json:"serial"`
	Lineage   string    `json:"lineage"`
	Size      int       `json:"size" doc:"In bytes."`
	Resources int       `json:"resources"`
	Run       string    `json:"run,omitempty"`
	By        string    `json:"by"`
	CreatedAt time.Time `json:"created_at"`
}

// Lock is a lock on a component's Terraform state.
type Lock struct {
	ID        string    `json:"id"`
	Stack     string    `json:"stack"`
	Component string    `json:"component"`
	Holder    string    `json:"holder"`
	Reason    string    `json:"reason"`
	CreatedAt time.Time `json:"created_at"`
}

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

// Credential is a set of credentials without its values.
type Credential struct {
	Name        string    `json:"name"`
	Cloud       string    `json:"cloud"`
	Description string    `json:"description,omitempty"`
	Keys        []string  `json:"keys" doc:"Names of the environment variables."`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// PutCredential stores credentials. Values are never shown again.
type PutCredential struct {
	Cloud       string            `json:"cloud" enum:"aws,azure,gcp,local"`
	Description string            `json:"description,omitempty"`
	Values      map[string]string `json:"values" doc:"Environment variables that the provider authenticates with."`
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

// User is somebody who can sign in.
type User struct {
	Name      string    `json:"name"`
	Role      string    `json:"role"`
	Disabled  bool      `json:"disabled"`
	CreatedAt time.Time `json:"created_at"`
}

// CreateUser makes a user.
type CreateUser struct {
	Name     string `json:"name"`
	Role     string `json:"role" enum:"viewer,operator,approver,admin"`
	Password string `json:"password"`
}

// UpdateUser changes a user; what is missing stays.
type UpdateUser struct {
	Role     *string `json:"role,omitempty"`
	Disabled *bool   `json:"disabled,omitempty"`
	Password *string `json:"password,omitempty"`
}

// Token is an API token without its secret.
type Token struct {
	ID        string     `json:"id"`
	User      string     `json:"user"`
	Name      string     `json:"name"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	UsedAt    *time.Time `json:"used_at,omitempty"`
}

// CreateToken makes an API token.
type CreateToken struct {
	Name    string `json:"name"`
	Seconds int64  `json:"seconds,omitempty" doc:"How long it is good for; 0 for ever." minimum:"0"`
}

// NewToken is a token that was just made. It is shown this once.
type NewToken struct {
	Token string `json:"token"`
	ID    string `json:"id"`
}

// Login asks for an API token with a password.
type Login struct {
	Name     string `json:"name" maxLength:"64"`
	Password string `json:"password" maxLength:"1024"`
	Label    string `json:"label,omitempty" maxLength:"128" doc:"What the token is called in lists."`
}

// Whoami says who asks.
type Whoami struct {
	Name string `json:"name"`
	Role string `json:"role"`
}

// Event is one line of the audit log.
type Event struct {
	ID      int64           `json:"id"`
	At      time.Time       `json:"at"`
	Actor   string          `json:"actor"`
	Action  string          `json:"action"`
	Stack   string          `json:"stack,omitempty"`
	Run     string          `json:"run,omitempty"`
	Subject string          `json:"subject"`
	Detail  json.RawMessage `json:"detail"`
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
}
