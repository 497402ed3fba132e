package engine

import (
	"context"
	"time"
)

// StackStore keeps stacks and their revisions.
type StackStore interface {
	// CreateStack wraps ErrConflict where the name is taken.
	CreateStack(ctx context.Context, s *Stack, e Event) error
	Stack(ctx context.Context, name string) (*Stack, error)
	// Stacks lists by name.
	Stacks(ctx context.Context, p Page) ([]*Stack, error)
	// DeleteStack removes the stack and all that belongs to it. It wraps
	// ErrConflict while a run is not final, a state holds resources or is locked,
	// a decommission play has yet to run or another stack reads its outputs.
	DeleteStack(ctx context.Context, name string, e Event) error
	// AddRevision gives the revision the next number of its stack and makes the
	// stack where it is new. It wraps ErrConflict where the newest revision is
	// another than with.After.
	AddRevision(ctx context.Context, r *Revision, with Beside, events ...Event) error
	// Revision reads with sources and variables.
	Revision(ctx context.Context, stack string, number int) (*Revision, error)
	// Revisions lists without sources and variables, newest first; a cursor is a number.
	Revisions(ctx context.Context, stack string, p Page) ([]*Revision, error)
}

// UpstreamStore knows which stacks read the outputs of which.
type UpstreamStore interface {
	// Readers lists, by name, the stacks whose newest revision reads the stack.
	Readers(ctx context.Context, stack string) ([]Reader, error)
	// StaleReaders lists those that have yet to look at the last change of a
	// stack that they read.
	StaleReaders(ctx context.Context, limit int) ([]Reader, error)
	// SawUpstream notes that the reader has looked at r.Change, and what it saw.
	SawUpstream(ctx context.Context, r Reader, seen map[string]string) error
}

// RunFilter narrows a list of runs. Empty fields match everything.
type RunFilter struct {
	Stack  string
	Kind   RunKind
	Status RunStatus
}

// RunStore keeps runs with their steps.
type RunStore interface {
	// CreateRun writes a new run with its steps, dispatches and events. It
	// wraps ErrConflict where r changes the stack and is not pending, while
	// another changing run of the stack is under way or waits for its turn.
	CreateRun(ctx context.Context, r *Run) error
	// Run reads the run with its steps and approvals.
	Run(ctx context.Context, id string) (*Run, error)
	// Runs lists newest first, with steps, without approvals, in at most
	// three statements.
	Runs(ctx context.Context, f RunFilter, p Page) ([]*Run, error)
	// NewestRuns gives, by stack, the newest run of each that has one, without
	// steps and approvals, in one statement.
	NewestRuns(ctx context.Context, stacks []string) (map[string]*Run, error)
	// UpdateRun reads the run, lets change edit it and writes it back with
	// what TakeChanges and Applied give, in one transaction; its steps may be
	// replaced while it is pending. Writers of one run wait for each other. An
	// error of change is returned as it is, and nothing is written.
	UpdateRun(ctx context.Context, id string, change func(*Run) error) (*Run, error)
	// StepRun names the run that a step belongs to.
	StepRun(ctx context.Context, step string) (run string, err error)
	// StepByToken finds the step whose current attempt has the token.
	StepByToken(ctx context.Context, tokenHash string) (*Step, error)
	// NextPending names the oldest pending changing run of a stack that has no
	// changing run under way, or "".
	NextPending(ctx context.Context, stack string) (run string, err error)
	// NewestRun names the run of the stack whose identifier is the last in order, or "".
	NewestRun(ctx context.Context, stack string) (run string, err error)
	// ActiveRun names the changing run that is under way on the stack, or "".
	ActiveRun(ctx context.Context, stack string) (run string, err error)
	// Deployed gives the revision that each component of the stack is at: of
	// its newest step that was applied, or found unchanged by a run that
	// succeeded, in apply runs. Components destroyed since are left out, and
	// those that the stack no longer had when a run over all of it succeeded.
	Deployed(ctx context.Context, stack string) (map[string]int, error)
	// LastChange finds the component's newest step in a run that has begun to
	// apply, skipped ones left out, or that found it unchanged and succeeded. It
	// wraps ErrNotFound for a component that was never applied.
	LastChange(ctx context.Context, stack, component string) (*Step, error)
}

// SweepStore finds what time has done to runs.
type SweepStore interface {
	// HeldSteps lists the steps that runners have in hand.
	HeldSteps(ctx context.Context) ([]Held, error)
	// Beat adds one to the beats of a part of the server.
	Beat(ctx context.Context, part string) error
	// Beats counts them.
	Beats(ctx context.Context, part string) (int64, error)
	// WaitingSteps lists dispatches of steps that wait in a queue since before
	// from, or since a time that is past to, as it is after a clock went back:
	// of each queue the first perQueue.
	WaitingSteps(ctx context.Context, from, to time.Time, perQueue int) ([]Dispatch, error)
	// ExpiredPlans names runs that wait for approval past their rule's expiry at t.
	ExpiredPlans(ctx context.Context, t time.Time, limit int) ([]string, error)
	// ThawedPlans names runs whose approved plan waits for a freeze that is over at t.
	ThawedPlans(ctx context.Context, t time.Time, limit int) ([]string, error)
	// PendingStacks names stacks that have a pending changing run and none under way.
	PendingStacks(ctx context.Context, limit int) ([]string, error)
}

// OutboxStore hands over what was written beside runs.
type OutboxStore interface {
	// Outbox lists dispatches that were not relayed yet, oldest first.
	Outbox(ctx context.Context, limit int) ([]Dispatch, error)
	// Relayed removes them.
	Relayed(ctx context.Context, ids []int64) error
}

// ArtifactStore keeps what steps leave, encrypted.
type ArtifactStore interface {
	// PutArtifact keeps data under the step and name, in place of what was there.
	PutArtifact(ctx context.Context, step, name string, data []byte) error
	// Artifact wraps ErrNotFound where there is none.
	Artifact(ctx context.Context, step, name string) ([]byte, error)
}

// LogStore keeps the logs of steps: one stream of bytes a step.
type LogStore interface {
	// AppendLog adds data at offset. A chunk that is there already, whole or
	// in part, is added only as far as it is new; one that would leave a hole
	// wraps ErrConflict. It returns the size of the log after.
	AppendLog(ctx context.Context, step string, offset int64, data []byte) (size int64, err error)
	// ReadLog returns up to limit bytes from offset, and the size of the log.
	ReadLog(ctx context.Context, step string, offset int64, limit int) (data []byte, size int64, err error)
}

// StateStore keeps Terraform states, encrypted, and their locks.
type StateStore interface {
	// PutState adds versions, all or none. It wraps ErrConflict where the lineage
	// is another or the serial is not above the latest (the same serial with the
	// same data is accepted and changes nothing), and where a step that writes is
	// no longer in the hands of that attempt. It returns a *LockedError where the
	// state has another lock than put.Lock.
	PutState(ctx context.Context, put StatePut, vs ...*StateVersion) error
	// LatestState wraps ErrNotFound where the component has none.
	LatestState(ctx context.Context, stack, component string) (*StateVersion, error)
	// State reads one version.
	State(ctx context.Context, id string) (*StateVersion, error)
	// StateVersions lists newest first, without data; an empty component means all.
	StateVersions(ctx context.Context, stack, component string, p Page) ([]*StateVersion, error)
	// LatestStates lists the newest version of each component, with data.
	LatestStates(ctx context.Context, stack string) ([]*StateVersion, error)
	// States lists the same by component, without data.
	States(ctx context.Context, stack string, p Page) ([]*StateVersion, error)
	// LockState returns a *LockedError where somebody else holds the lock. A step
	// takes its own lock over: of its runners, one at a time has it in hand, and
	// others get an ErrConflict.
	LockState(ctx context.Context, w StateWriter, l *StateLock, events ...Event) error
	// UnlockState wraps ErrNotFound where there is no lock, and returns a *LockedError where id is not
	// the lock's. The events are noted with it.
	UnlockState(ctx context.Context, w StateWriter, stack, component, id string, events ...Event) error
	// StateLock wraps ErrNotFound where the state is free.
	StateLock(ctx context.Context, stack, component string) (*StateLock, error)
	// StateLocks lists the locks of a stack by component.
	StateLocks(ctx context.Context, stack string, p Page) ([]*StateLock, error)
	// OrphanedLocks lists locks of steps that no runner has in hand and that are
	// not interrupted.
	OrphanedLocks(ctx context.Context, limit int) ([]*StateLock, error)
	// InterruptedStep finds the last step that changed the component, where that
	// was interrupted; else it wraps ErrNotFound.
	InterruptedStep(ctx context.Context, stack, component string) (*Step, error)
	// ErroredStep finds the newest step of the component that left a state which
	// could not be written.
	ErroredStep(ctx context.Context, stack, component string) (*Step, error)
}

// FindingStore keeps what drift checks found.
type FindingStore interface {
	// RecordFindings makes found the open findings of the component: what was
	// open keeps its first-seen time, what is missing in found is resolved.
	RecordFindings(ctx context.Context, stack, component, run string, found []Change, at time.Time) error
	// Findings lists by last seen, newest first.
	Findings(ctx context.Context, stack string, openOnly bool, p Page) ([]*Finding, error)
	// OpenFindings counts open findings by stack.
	OpenFindings(ctx context.Context, stacks []string) (map[string]int, error)
}

// HostStore keeps the machines that playbooks were run on.
type HostStore interface {
	// Hosts lists by component and name those in use, or retired ones, too.
	Hosts(ctx context.Context, stack string, retired bool) ([]*KnownHost, error)
	// HostPage gives a part of the same list; a cursor is an ID.
	HostPage(ctx context.Context, stack string, retired bool, p Page) ([]*KnownHost, error)
	// PutHosts inserts or updates by ID, all or none. Keys are added to those that
	// are kept, facts stay where none are given, and what has retired stays so.
	PutHosts(ctx context.Context, hosts []*KnownHost) error
	// ForgetHostKeys drops the keys of the stack's hosts in use of the name. It
	// wraps ErrNotFound where there is none.
	ForgetHostKeys(ctx context.Context, stack, name string, e Event) error
	// RetireHosts ends hosts, forgets their keys and facts and resolves what is
	// open of findings on them.
	RetireHosts(ctx context.Context, hosts []*KnownHost, run, why string, at time.Time) error
}

// ScheduleStore keeps schedules.
type ScheduleStore interface {
	PutSchedule(ctx context.Context, s *Schedule, e Event) error // inserts or replaces by ID
	Schedule(ctx context.Context, id string) (*Schedule, error)
	Schedules(ctx context.Context, stack string, p Page) ([]*Schedule, error) // by name
	DeleteSchedule(ctx context.Context, id string, e Event) error
	// DueSchedules lists what is not paused and due at t.
	DueSchedules(ctx context.Context, t time.Time, limit int) ([]*Schedule, error)
	// NextDue tells when the next schedule is due; the zero time for never.
	NextDue(ctx context.Context) (time.Time, error)
	// FireSchedule moves the schedule from was to next and keeps the run that
	// it started at; nothing happens where somebody else did so first. An empty
	// run leaves the last one.
	FireSchedule(ctx context.Context, id string, was, next, at time.Time, run string) error
}

// RetentionStore removes what is kept no longer. The Drop methods take a stack,
// how many of the newest stay whatever their age, before when something has to
// have ended, and how many to remove at most; they give how many they removed,
// and remove nothing of a stack under a legal hold.
type RetentionStore interface {
	// HoldStack puts a stack under a legal hold; nil ends it.
	HoldStack(ctx context.Context, name string, h *Hold, e Event) error
	// FreeStacks lists by name the stacks after one that are under no hold.
	FreeStacks(ctx context.Context, after string, limit int) ([]string, error)
	DropLogs(ctx context.Context, stack string, keep int, before time.Time, limit int) (int, error)
	DropChecks(ctx context.Context, stack string, keep int, before time.Time, limit int) (int, error)
	DropStates(ctx context.Context, stack string, keep int, before time.Time, limit int) (int, error)
	// TakeChore reports whether a chore is due, and makes it due again at next:
	// of several processes one gets it.
	TakeChore(ctx context.Context, name string, now, next time.Time) (bool, error)
}

// StoredResponse is the answer to a write that named an idempotency key.
type StoredResponse struct {
	Request string // digest of method, path and body
	Status  int    // 0 while the request is being answered
	Type    string // content type
	Body    []byte
}

// IdempotencyStore remembers answers to writes.
type IdempotencyStore interface {
	// BeginRequest reserves the key for user and returns nil, or returns what
	// is kept under it.
	BeginRequest(ctx context.Context, user, key, request string, at time.Time) (*StoredResponse, error)
	// FinishRequest keeps the answer; AbandonRequest frees the key.
	FinishRequest(ctx context.Context, user, key string, r StoredResponse) error
	AbandonRequest(ctx context.Context, user, key string) error
	// ForgetRequests drops what was kept before t.
	ForgetRequests(ctx context.Context, t time.Time) error
}

// Store is everything the engine keeps.
type Store interface {
	PolicyStore
	DeedStore
	StackStore
	UpstreamStore
	RunStore
	SweepStore
	OutboxStore
	ArtifactStore
	LogStore
	StateStore
	FindingStore
	HostStore
	CredentialStore
	IssuerStore
	ScheduleStore
	UserStore
	DirectoryStore
	VariableStore
	RetentionStore
	AuditStore
	IdempotencyStore
	WebhookStore
}
