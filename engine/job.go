package engine

import (
	"encoding/json"
	"time"
)

// Phase is what a runner is asked to do with a step.
type Phase string

// The phases of a step.
const (
	PhasePlan  Phase = "plan"
	PhaseApply Phase = "apply"
)

// Job is all that a runner needs to carry out one phase of one step. It holds
// secrets and lives in the runner's memory only.
type Job struct {
	Run       string  `json:"run"`
	RunKind   RunKind `json:"run_kind"`
	Step      string  `json:"step"`
	Stack     string  `json:"stack"`
	Component string  `json:"component"` // address
	Kind      Kind    `json:"kind"`
	Phase     Phase   `json:"phase"`
	Attempt   int     `json:"attempt"`
	Destroy   bool    `json:"destroy"`

	Sources   string `json:"sources"`    // SHA-256 of the bundle to fetch, in hex
	LogOffset int64  `json:"log_offset"` // where this attempt's log begins
	PlanHash  string `json:"plan_hash"`  // SHA-256 of the plan to apply
	// Environment is a keyed digest of the stack's own environment, without
	// credentials. The report of a plan gives it back.
	Environment string `json:"environment"`
	PlannedIn   string `json:"planned_in,omitempty"` // Environment that the plan to apply was made in; empty where nobody knows

	Terraform *TerraformJob `json:"terraform,omitempty"`
	Ansible   *AnsibleJob   `json:"ansible,omitempty"`

	Env map[string]string `json:"env"` // credentials and the stack's variables, for the tool's own environment
	// Access is what the phase authenticates with beyond Env, if anything.
	Access *CloudAccess `json:"access,omitempty"`

	Mask []string `json:"mask"` // values to hide in the log
	// Secrets are the references behind what stands in, within all of the above,
	// for secrets that are kept elsewhere. The runner puts those in their places.
	Secrets map[string]string `json:"secrets,omitempty"`
	Grace   time.Duration     `json:"grace"` // between interrupt and kill, when cancelled

	// Dir is a folder of this attempt's own. It outlives the runner where that is
	// killed, and has what another needs to go on. It is made by the runner.
	Dir string `json:"-"`
	// Hurry is closed when somebody asked twice to stop: what is left of the
	// grace is waived. It is made by the runner.
	Hurry chan struct{} `json:"-"`
}

// SameEnvironment refuses to begin an apply in another environment than the one
// that its plan was made in, which is a part of what was approved. An apply that
// has begun goes on, so it is asked after a runner knows that it takes over none.
func (j *Job) SameEnvironment() error {
	if j.PlannedIn != "" && j.PlannedIn != j.Environment {
		return Conflict("the environment variables of the stack changed since %s was planned; start a new run", j.Component)
	}
	return nil
}

// TerraformJob is a Terraform root module with its inputs.
type TerraformJob struct {
	Source    string                     `json:"source"` // "modules/aws/network" (shipped) or "./web" (a folder of the bundle)
	Inputs    map[string]json.RawMessage `json:"inputs"`
	Sensitive []string                   `json:"sensitive"` // names of inputs that are sensitive
	Providers []ProviderSettings         `json:"providers"`
	State     StateAccess                `json:"state"`
	Lock      bool                       `json:"lock"` // take the state lock; previews and drift checks do not
	Resources ResourceChoice             `json:"resources"`
	Imports   map[string]string          `json:"imports,omitempty"` // identifier of what exists, by the address it gets
}

// ProviderSettings are the settings of one provider block. Values are JSON.
type ProviderSettings struct {
	Name     string                     `json:"name"` // "aws"
	Settings map[string]json.RawMessage `json:"settings"`
	// DefaultTags are put on every resource where the provider can do that.
	DefaultTags map[string]string `json:"default_tags"`
}

// StateAccess is where Terraform keeps its state and what lets it in.
type StateAccess struct {
	Address  string `json:"address"` // URL; locks are taken at the same one with LOCK and UNLOCK
	Username string `json:"username"`
	Password string `json:"password"`
}

// AnsibleJob is a playbook with its inventory and variables.
type AnsibleJob struct {
	Playbook  string                     `json:"playbook"` // "playbooks/web" (shipped) or "./site.yml" (a file of the bundle)
	Inventory Inventory                  `json:"inventory"`
	Vars      map[string]json.RawMessage `json:"vars"`
	Sensitive []string                   `json:"sensitive"` // names of vars that are sensitive
	Ready     *Readiness                 `json:"ready,omitempty"`
	// HostKeys are the SSH keys that hosts are known by, beside those that the
	// inventory itself gives.
	HostKeys map[string][]string `json:"host_keys,omitempty"`
	// Late is set where the play is planned in the middle of an apply, which may
	// just have made its machines.
	Late bool `json:"late,omitempty"`
}

// Readiness says when a host counts as reachable.
type Readiness struct {
	Port    int           `json:"port"`
	Timeout time.Duration `json:"timeout"`
}

// Inventory is the hosts of a play by group.
type Inventory struct {
	Groups []Group `json:"groups"`
}

// Group is one group of hosts with variables of its own.
type Group struct {
	Name  string                     `json:"name"`
	Hosts []Host                     `json:"hosts"`
	Vars  map[string]json.RawMessage `json:"vars,omitempty"`
}

// Host is one machine of an inventory.
type Host struct {
	Name     string                     `json:"name"`
	Address  string                     `json:"address"`
	User     string                     `json:"user,omitempty"`
	Port     int                        `json:"port,omitempty"`
	Vars     map[string]json.RawMessage `json:"vars,omitempty"`
	Resource string                     `json:"resource,omitempty"`  // Terraform address that made it
	HostKeys []string                   `json:"host_keys,omitempty"` // SSH keys that it has, as in "ssh-ed25519 AAAA..."
}

// Outcome is how a phase ended.
type Outcome string

// The outcomes of a phase.
const (
	OutcomePlanned   Outcome = "planned"   // there is something to do
	OutcomeUnchanged Outcome = "unchanged" // there is nothing to do
	OutcomeApplied   Outcome = "applied"
	OutcomeFailed    Outcome = "failed"
	OutcomeCancelled Outcome = "cancelled"
	// OutcomeInterrupted is an apply whose tool was killed.
	OutcomeInterrupted Outcome = "interrupted"
)

// Report is a runner's last word on a phase. Plan and Outputs come with
// outcomes planned and unchanged, Recap with those of playbooks.
type Report struct {
	Outcome  Outcome `json:"outcome"`
	Reason   string  `json:"reason,omitempty"`    // of a failure; for people, without secrets
	Walls    string  `json:"walls,omitempty"`     // what the sandbox held, in words; "none" for nothing
	PlanHash string  `json:"plan_hash,omitempty"` // SHA-256 of the plan artifact, in hex
	Plan     *Plan   `json:"plan,omitempty"`
	// Hidden is the SHA-256, in hex, of the values that the plan's changes leave
	// out because they are sensitive. It tells plans apart and is not kept.
	Hidden string `json:"hidden,omitempty"`
	// Environment is that of the job that the plan was made for.
	Environment string  `json:"environment,omitempty"`
	Outputs     Outputs `json:"outputs,omitempty"` // as planned, secrets included
	Applied     Summary `json:"applied"`
	Recap       *Recap  `json:"recap,omitempty"`
	// Hosts are those of the inventory that a playbook worked on.
	Hosts []SeenHost `json:"hosts,omitempty"`
}

// The names of the artifacts that a step leaves.
const (
	ArtifactPlan     = "plan"      // what the tool applies: Terraform's plan and the files it made, or the frozen play
	ArtifactPlanJSON = "plan.json" // Terraform's plan JSON, sensitive values masked
	ArtifactChanges  = "changes"   // Plan as JSON
	ArtifactOutputs  = "outputs"   // Outputs as JSON: those planned, until the step is applied
	ArtifactRecap    = "recap"     // Recap as JSON
	ArtifactErrored  = "errored"   // a state that could not be written
	ArtifactHosts    = "hosts"     // []SeenHost as JSON: the inventory of a play that had nothing to do
)

// Evaluated is a component whose expressions have been turned into values.
type Evaluated struct {
	Terraform *TerraformJob
	Ansible   *AnsibleJob
	Mask      []string          // sensitive values that were used, for hiding in logs
	Secrets   map[string]string // the references behind what stands in for secrets that are kept elsewhere
}
