package engine

import (
	"encoding/json"
	"time"
)

// Kind is what carries out a component.
type Kind string

// The kinds of component.
const (
	KindTerraform Kind = "terraform"
	KindAnsible   Kind = "ansible"
)

// Cloud names the queue that a component's steps wait in.
type Cloud string

// The clouds. Local is for components that need none.
const (
	CloudAWS   Cloud = "aws"
	CloudAzure Cloud = "azure"
	CloudGCP   Cloud = "gcp"
	CloudLocal Cloud = "local"
)

// Clouds lists every cloud there is a queue for.
func Clouds() []Cloud { return []Cloud{CloudAWS, CloudAzure, CloudGCP, CloudLocal} }

// Stack is what a team provisions and configures as one thing.
type Stack struct {
	Name        string
	Description string
	Labels      map[string]string
	Latest      int   // number of the newest revision; 0 before the first
	Applied     int   // number of the revision that was last applied; 0 when nothing is
	Hold        *Hold // legal; nil for none
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Revision is one submitted version of a stack: its sources, the values of
// its variables and what was understood of them.
type Revision struct {
	Stack     string
	Number    int
	Digest    string // SHA-256 of Sources, in hex
	Author    string
	Person    string // behind the author when it was written; empty for the author
	Message   string
	CreatedAt time.Time
	Blueprint Blueprint

	// Sources is a tar.gz of the stack's folder, modules fetched from
	// elsewhere included. Lists leave it empty.
	Sources []byte
	// Variables are the values given with the revision, JSON by name.
	Variables map[string]json.RawMessage
}

// Beside is what is written together with a revision: all of it or nothing.
type Beside struct {
	Drift *Schedule // in place of the schedule named "drift", which goes where this is nil
	// After is the number that the stack's newest revision has to have, so that
	// none is taken back which somebody else has submitted since; 0 for any.
	After  int
	Keep   *Variable // for the stack
	Forget *Variable
	Hide   []string // input variables kept for the stack that are secrets from now on
}

// Blueprint is what the engine has to know of a parsed stack in order to run
// it. Expressions stay in the sources and are evaluated when a step starts.
type Blueprint struct {
	Name        string
	Description string
	Labels      map[string]string
	Approval    ApprovalRule
	Drift       DriftRule
	Components  []Component // in an order in which each follows what it needs
	Upstreams   []Upstream  // other stacks whose outputs are read, by name
	Outputs     []string    // names of the stack's outputs
	Scales      []Scale     // variables that may be changed on their own
}

// Component returns the component at address, or nil.
func (b *Blueprint) Component(address string) *Component {
	for i := range b.Components {
		if b.Components[i].Address == address {
			return &b.Components[i]
		}
	}
	return nil
}

// Component is one part of a stack: a Terraform root module or a playbook.
type Component struct {
	Address     string // "terraform.web"
	Kind        Kind
	Cloud       Cloud
	Region      string // region or location of its cloud block, if any
	Credentials string // name of the stored credentials, if any
	Source      string // as written: module source or playbook
	Needs       []string
	Refs        []Ref
	OnDestroy   bool // an ansible component with a decommission play

	PreventDestroy bool // no run takes it away

	Constraint string // on the version of a module from a registry
	Version    string // that was chosen
	Commit     string // of a module from Git
}

// Lock is what a version is chosen for: the source with its constraint.
func (c Component) Lock() string { return c.Source + " " + c.Constraint }

// Ref says that an input of a component is made from an output of another.
type Ref struct {
	Input    string // attribute it is used in, such as "inputs.subnet_ids"
	Upstream string // address of the other component, or of an upstream block
	Output   string // name of its output
}

// Remediation says what a drift check starts when it finds something.
type Remediation string

// The answers to drift.
const (
	RemediateNone  Remediation = "none"
	RemediatePlan  Remediation = "plan"
	RemediateApply Remediation = "apply"
)

// DriftRule says when a stack is checked for drift and what counts.
type DriftRule struct {
	Schedule  string // cron expression or "@every 6h"; empty for never
	Timezone  string // IANA name; empty for UTC
	Remediate Remediation
	Ignore    []string // "terraform.network:aws_vpc.main.tags.LastSeen"
}
