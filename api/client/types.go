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
	Hold         *Hold             `json:"hold,omitempty" doc:"Legal hold; nothing of the stack is removed."`
	ReadBy       []string          `json:"read_by,omitempty" doc:"Stacks that read its outputs; not in lists."`
	CreatedAt    time.Time         `json:"created_at"`
	UpdatedAt    time.Time         `json:"updated_at"`
}

// Hold is a legal hold.
type Hold struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
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
	Constraint  string   `json:"constraint,omitempty" doc:"On the version of a module from a registry."`
	Version     string   `json:"version,omitempty" doc:"That was chosen."`
	Commit      string   `json:"commit,omitempty" doc:"Of a module from Git."`
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
	Upstreams  []Upstream  `json:"upstreams,omitempty"`
	Scales     []Scalable  `json:"scales,omitempty"`
	CreatedAt  time.Time   `json:"created_at"`
}

// Upstream is another stack whose outputs a revision reads.
type Upstream struct {
	Name    string   `json:"name" doc:"Label of its block."`
	Stack   string   `json:"stack"`
	Trigger bool     `json:"trigger" doc:"A change of these outputs starts a run."`
	Outputs []string `json:"outputs"`
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
	// Only names the components that are wanted.
	Only []string `json:"only,omitempty" doc:"Addresses of the components that are wanted, or names of blocks with for_each; all without."`
	// Replace and Target name resources behind their component and a colon.
	Replace []string `json:"replace,omitempty" doc:"Resources to be made anew, as in terraform.web:aws_instance.this[0]."`
	Target  []string `json:"target,omitempty" doc:"Resources to be looked at alone, with what they rest on."`
	// RefreshOnly changes nothing but the state.
	RefreshOnly bool `json:"refresh_only,omitempty" doc:"Take what changed outside of Terraform into the state, and change nothing else."`
}

// Scale asks for another value of a variable with a scale block, and a run.
type Scale struct {
	Component string `json:"component,omitempty" doc:"Component whose input is meant; without it name is a variable."`
	Name      string `json:"name" doc:"Input of the component, or variable of the stack."`
	Value     int    `json:"value"`
	Message   string `json:"message,omitempty" doc:"Why."`
}

// Scalable is a variable that may be changed on its own, within bounds.
type Scalable struct {
	Variable string   `json:"variable"`
	Min      int      `json:"min"`
	Max      int      `json:"max"`
	Value    int      `json:"value" doc:"In this revision."`
	Inputs   []string `json:"inputs" doc:"Inputs that are this variable and nothing else."`
}

// EditState moves resources within a state or into another one, or forgets them.
type EditState struct {
	From   string `json:"from" doc:"Address of a resource, of an instance or of a module, as in aws_instance.this[0] or module.web."`
	To     string `json:"to,omitempty" doc:"Its new address, behind a component and a colon where that is another one, as in terraform.web:aws_instance.this. Empty forgets it."`
	Reason string `json:"reason" minLength:"1"`
}

// EditedState is what was, or would be, done.
type EditedState struct {
	Resources []string       `json:"resources"`
	Versions  []StateVersion `json:"versions"`
}

// Host is a machine that a playbook was run on.
type Host struct {
	ID         string          `json:"id"`
	Stack      string          `json:"stack"`
	Component  string          `json:"component" doc:"Whose inventory it is in."`
	Name       string          `json:"name"`
	Address    string          `json:"address"`
	Port       int             `json:"port,omitempty"`
	User       string          `json:"user,omitempty"`
	Groups     []string        `json:"groups"`
	MadeBy     string          `json:"made_by,omitempty" doc:"Terraform component whose state has the machine."`
	Resource   string          `json:"resource,omitempty"`
	ResourceID string          `json:"resource_id,omitempty" doc:"The cloud's identifier of it."`
	Keys       []string        `json:"keys" doc:"SSH host keys that it is known by."`
	KeysAt     *time.Time      `json:"keys_at,omitempty"`
	Facts      json.RawMessage `json:"facts,omitempty"`
	FactsAt    *time.Time      `json:"facts_at,omitempty"`
	FirstRun   string          `json:"first_run"`
	LastRun    string          `json:"last_run"`
	FirstSeen  time.Time       `json:"first_seen"`
	LastSeen   time.Time       `json:"last_seen"`
	RetiredAt  *time.Time      `json:"retired_at,omitempty"`
	RetiredWhy string          `json:"retired_why,omitempty"`
}

// Retry starts a run of what another one did not finish.
type Retry struct {
	Message string `json:"message,omitempty"`
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
	Import  int `json:"import,omitempty"`
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
	Origin     string     `json:"origin,omitempty" doc:"What this run follows from, once: a run of another stack, or the time of a schedule."`
	Status     string     `json:"status"`
	Reason     string     `json:"reason,omitempty"`
	StartedBy  string     `json:"started_by"`
	Message    string     `json:"message,omitempty"`
	Digest     string     `json:"digest,omitempty" doc:"Of the joint plan; an approval names it."`
	Cancelling bool       `json:"cancelling,omitempty"`
	Partial    bool       `json:"partial,omitempty" doc:"Leaves something out, so that the stack as a whole is not at the revision after it."`
	Summary    Summary    `json:"summary"`
	Approvals  []Approval `json:"approvals,omitempty"`
	Glass      *Glass     `json:"break_glass,omitempty" doc:"Two people went past a freeze, or are about to."`
	ReleaseAt  *time.Time `json:"release_at,omitempty" doc:"When a freeze ends that the approved plan waits for."`
	Steps      []Step     `json:"steps"`
	CreatedAt  time.Time  `json:"created_at"`
	PlanningAt *time.Time `json:"planning_at,omitempty"`
	PlannedAt  *time.Time `json:"planned_at,omitempty"`
	ApprovedAt *time.Time `json:"approved_at,omitempty"`
	ApplyingAt *time.Time `json:"applying_at,omitempty"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
	PurgedAt   *time.Time `json:"purged_at,omitempty" doc:"When log and plan were removed, by the rules of retention."`
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
	Walls     string     `json:"walls,omitempty" doc:"What the sandbox held around the last phase, in words."`
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
	Policy  Verdict    `json:"policy" doc:"What policies say of the plan."`
	Cost    Verdict    `json:"cost" doc:"What the plan would cost."`
}

// Verdict is what a check beside the tools says of a joint plan.
type Verdict struct {
	Status string `json:"status" enum:"not_checked"`
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

// Reason says why somebody does what needs one.
type Reason struct {
	Reason string `json:"reason" minLength:"1" doc:"Why; kept in the audit log."`
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
