package engine

import (
	"time"
)

// RunKind is what a run is for.
type RunKind string

// The kinds of run. Apply and destroy change infrastructure and run one at a
// time a stack; previews and drift checks change nothing and run beside them.
const (
	RunApply   RunKind = "apply"
	RunDestroy RunKind = "destroy"
	RunPreview RunKind = "preview"
	RunDrift   RunKind = "drift"
)

// Changing reports whether runs of the kind change infrastructure.
func (k RunKind) Changing() bool { return k == RunApply || k == RunDestroy }

// Class returns which of a cloud's two queues the run's steps wait in.
func (k RunKind) Class() string {
	if k == RunDrift {
		return "drift"
	}
	return "run"
}

// Trigger is what started a run.
type Trigger string

// The triggers of a run.
const (
	TriggerManual   Trigger = "manual"
	TriggerSchedule Trigger = "schedule"
	TriggerDrift    Trigger = "drift"    // a drift check with remediation
	TriggerUpstream Trigger = "upstream" // outputs of another stack changed
)

// Run is one pass over a stack: plan, approve, apply, or a part of that.
type Run struct {
	ID        string
	Stack     string
	Revision  int
	Kind      RunKind
	Trigger   Trigger
	Origin    string // what this one follows from, a run or the time of a schedule; a stack has one run at most for it
	Status    RunStatus
	Reason    string // why it failed, waits or ended; for people
	StartedBy string // name of the principal
	Message   string // from who started it
	// Starters are the people behind the start: a service account stands for its
	// owner, a schedule for who made it.
	Starters []string
	// Authors are the people whose changes the run may bring, as far as they are
	// known by now.
	Authors []Author
	Rule    ApprovalRule // of the stack; InForce has what holds
	// Policies are over the rule, as they are when the run is read. Lists leave
	// them out.
	Policies []Policy
	// Partial says that the stack as a whole is not at Revision once the run has
	// succeeded: something that it leaves out is not. While the run is pending it
	// says that somebody asked for some of the components only.
	Partial   bool
	Resources ResourceChoice

	Digest    string // of the joint plan that waits for approval or was approved
	Approvals []Approval
	Applier   string  // who let the approved plan be applied; empty where that took nobody
	Covered   []Class // of change that the apply was let go with; a late plan has no others unasked
	Glass     Glass   // broken, or about to be, to apply in a freeze
	CancelBy  string  // who asked to stop it; empty for nobody
	Kill      bool    // asked twice: stop at once, without the grace

	Steps []*Step

	CreatedAt  time.Time
	PlanningAt time.Time
	PlannedAt  time.Time
	ExpiresAt  time.Time // when a plan is turned down that has not begun to be applied; zero while there is none, or for never
	ReleaseAt  time.Time // when a freeze ends that an approved plan waits for; zero while none does
	ApprovedAt time.Time
	ApplyingAt time.Time
	FinishedAt time.Time
	PurgedAt   time.Time // when log and plan were removed, which are not kept for ever

	who     map[string]Principal // people as they are now, by name; those who matter to a move
	changes Changes              // what follows from the moves since it was read
}

// Verdict is what a person says to a plan.
type Verdict string

// The verdicts.
const (
	Approved  Verdict = "approved"
	Discarded Verdict = "discarded"
)

// Approval is one person's word on one joint plan.
type Approval struct {
	By      string
	Role    Role
	Verdict Verdict
	Digest  string
	Comment string
	At      time.Time
}

// Step is one component's part in a run.
type Step struct {
	ID        string
	Run       string
	Position  int // in the order of the blueprint
	Component Component
	Needs     []string // addresses that come first; for a destroy those that need it
	Revision  int      // that its sources come from
	Destroy   bool     // it takes the component away
	Status    StepStatus
	Reason    string

	// Attempt counts the times a runner has claimed the step. Everything a
	// runner sends names its attempt; that of an older one is refused.
	Attempt    int
	Worker     string
	Walls      string    // what the sandbox held around the last phase, in words; empty where no runner told
	LeaseUntil time.Time // zero while nobody has it
	ReadyAt    time.Time // since when it waits in a queue; zero while it doesn't
	TokenHash  string    // of the runner's token for this attempt
	StateHash  string    // of the token for the Terraform state of this attempt
	Lost       int       // leases that ran out

	PlanHash        string                  // SHA-256 of what will be applied, in hex
	ChangesHash     string                  // of the plan's changes only: two plans that do the same agree in it
	ApprovedChanges string                  // ChangesHash that was approved
	Summary         Summary                 // of the plan
	Applied         Summary                 // of what the apply did
	Notes           []string                // what the plan could not tell
	Inputs          map[string]string       // digest of each output its plan was made with, by "address.output", and of the "environment"
	Predicted       map[string]OutputDigest // outputs as planned
	Actual          map[string]OutputDigest // outputs as applied

	QueuedAt  time.Time
	StartedAt time.Time // of the phase it is or was last in
	EndedAt   time.Time
}

// OutputDigest says of an output's value that it is unknown, or else gives a
// keyed digest of it, so that two values can be compared without reading them.
type OutputDigest struct {
	Unknown bool     `json:"unknown,omitempty"`
	From    []string `json:"from,omitempty"` // what an unknown one is made from
	Digest  string   `json:"digest,omitempty"`
}

// Step returns the step of the component at address, or nil.
func (r *Run) Step(address string) *Step {
	for _, s := range r.Steps {
		if s.Component.Address == address {
			return s
		}
	}
	return nil
}

// StepByID returns the step with the identifier, or nil.
func (r *Run) StepByID(id string) *Step {
	for _, s := range r.Steps {
		if s.ID == id {
			return s
		}
	}
	return nil
}

// unfinished lists the components that the run has not made as it was meant to.
// What it found unchanged counts in a run that succeeded only: what the plan
// rested on may have come out otherwise.
func (r *Run) unfinished() []string {
	return r.addresses(func(s *Step) bool {
		return s.Status != StepApplied && (s.Status != StepUnchanged || r.Status != RunSucceeded)
	})
}

// addresses lists the components of the steps that want is true for.
func (r *Run) addresses(want func(*Step) bool) (addresses []string) {
	for _, s := range r.Steps {
		if want(s) {
			addresses = append(addresses, s.Component.Address)
		}
	}
	return addresses
}

// Summary adds up the plans of all steps.
func (r *Run) Summary() Summary {
	var sum Summary
	for _, s := range r.Steps {
		sum = sum.Add(s.Summary)
	}
	return sum
}

// Dispatch hands one step to its queue. It is written beside the change that
// made the step ready and relayed after the commit.
type Dispatch struct {
	ID      int64 // of the outbox row; 0 before it is written
	Step    string
	Attempt int // that the next claim will have: tells a handover from the one before
	Queue   string
}

// Applied tells which revision the stack is at once the run is over, 0 for
// nothing; false where the run says nothing about it.
func (r *Run) Applied() (revision int, ok bool) {
	if r.Status != RunSucceeded || !r.Kind.Changing() || r.Partial {
		return 0, false
	}
	if r.Kind == RunDestroy {
		return 0, true
	}
	return r.Revision, true
}

// Changes is what has to be written with a run.
type Changes struct {
	Dispatches []Dispatch
	Events     []Event
	Locks      []StateLock // to be taken, where the state is not locked already
}

// TakeChanges returns what has to be written in the same transaction as the
// run, and forgets it.
func (r *Run) TakeChanges() Changes {
	c := r.changes
	r.changes = Changes{}
	return c
}
