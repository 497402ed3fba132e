package engine

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// AutoApprove says which plans need no person.
type AutoApprove string

// What may go on without a person.
const (
	AutoNever     AutoApprove = "never"      // even an empty plan is shown to a person
	AutoNoChanges AutoApprove = "no_changes" // the default
	AutoAdditions AutoApprove = "additions"  // plans that only create
	AutoAlways    AutoApprove = "always"
)

// OnDeferred says what happens to a plan that could be made only after an
// upstream component was applied.
type OnDeferred string

// The answers to a plan that was made late.
const (
	DeferredAsk   OnDeferred = "ask"
	DeferredApply OnDeferred = "apply"
)

// ApprovalRule says what a plan takes before it is applied. What is empty asks
// for nothing, so that of several rules the zero one changes none.
type ApprovalRule struct {
	// Approvals counts people other than who started the run. At 0 one
	// confirmation is enough, and it may come from who started the run.
	Approvals int
	Roles     []Role // whose approval counts; empty for every role that may approve

	NotAuthor  bool // nobody approves a change of their own
	NotStarter bool // nor a run of their own; with Approvals that is so anyway

	AutoApprove AutoApprove
	OnDeferred  OnDeferred
	Expires     time.Duration // 0 for never

	Classes map[Class]ClassRule `json:",omitempty"` // what changes of a class take beyond that
	Freeze  []Window            `json:",omitempty"` // when no apply begins
}

// ClassRule is what a plan with changes of a class takes beyond what all plans take.
type ClassRule struct {
	Approvals int // people other than who started the run; at least 1
	Roles     []Role
	NotAuthor bool
}

// Policy is a rule over all stacks of a project, or over all there are.
type Policy struct {
	Project   string // empty for the installation
	Source    string // as it was written
	Rule      ApprovalRule
	UpdatedBy string
	UpdatedAt time.Time
}

// From names where the policy comes from.
func (p Policy) From() string {
	if p.Project == "" {
		return "the installation"
	}
	return "project " + p.Project
}

// nobody stands where the roles of two rules have none in common: then nobody
// can approve. No role is called so.
const nobody Role = "(nobody)"

// Stricter gives the rule that holds where both do. Field by field the stricter
// one wins: the higher number of approvals, the roles that both name, either
// one's bar, the earlier expiry, what lets fewer plans pass, and the freeze
// windows of both. The order of the rules makes no difference, nor does it how
// often one is named.
func Stricter(a, b ApprovalRule) ApprovalRule {
	return ApprovalRule{
		Approvals:   max(a.Approvals, b.Approvals),
		Roles:       commonRoles(a.Roles, b.Roles),
		NotAuthor:   a.NotAuthor || b.NotAuthor,
		NotStarter:  a.NotStarter || b.NotStarter,
		AutoApprove: stricterAuto(a.AutoApprove, b.AutoApprove),
		OnDeferred:  firstOf(a.OnDeferred, b.OnDeferred, DeferredAsk, DeferredApply),
		Expires:     sooner(a.Expires, b.Expires),
		Classes:     stricterClasses(a.Classes, b.Classes),
		Freeze:      allWindows(a.Freeze, b.Freeze),
	}
}

// commonRoles gives the roles that are in both lists, where an empty one has
// all of them.
func commonRoles(a, b []Role) []Role {
	a, b = slices.Compact(slices.Sorted(slices.Values(a))), slices.Compact(slices.Sorted(slices.Values(b)))
	switch {
	case len(a) == 0 && len(b) == 0:
		return nil
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	both := slices.DeleteFunc(a, func(r Role) bool { return !slices.Contains(b, r) })
	if len(both) == 0 {
		return []Role{nobody}
	}
	return both
}

func stricterAuto(a, b AutoApprove) AutoApprove {
	return firstOf(a, b, AutoNever, AutoNoChanges, AutoAdditions, AutoAlways)
}

// firstOf gives of two words the one that stands first in the order, in which
// an empty one comes last.
func firstOf[T ~string](a, b T, order ...T) T {
	for _, word := range order {
		if a == word || b == word {
			return word
		}
	}
	return ""
}

// sooner gives the lesser of two times of which 0 stands for never.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

func stricterClasses(a, b map[Class]ClassRule) map[Class]ClassRule {
	var both map[Class]ClassRule
	for _, c := range Classes() {
		x, inA := a[c]
		y, inB := b[c]
		if !inA && !inB {
			continue
		}
		if both == nil {
			both = map[Class]ClassRule{}
		}
		both[c] = ClassRule{Approvals: max(x.Approvals, y.Approvals), Roles: commonRoles(x.Roles, y.Roles), NotAuthor: x.NotAuthor || y.NotAuthor}
	}
	return both
}

// meant gives the rule of a stack with what goes without saying in it, so that
// no other rule lets more plans pass.
func (r ApprovalRule) meant() ApprovalRule {
	r.AutoApprove, r.OnDeferred = cmp.Or(r.AutoApprove, AutoNoChanges), cmp.Or(r.OnDeferred, DeferredAsk)
	return Stricter(r, ApprovalRule{})
}

// under gives the rule of a stack as it is under policies.
func (r ApprovalRule) under(policies []Policy) ApprovalRule {
	r = r.meant()
	for _, p := range policies {
		r = Stricter(r, p.Rule)
	}
	return r
}

// can returns an ErrInvalid where nobody could ever approve by the rule, which
// comes of rules whose roles have none in common.
func (r ApprovalRule) can() error {
	if slices.Contains(r.Roles, nobody) {
		return Invalid("the approval rules over it want roles that have none in common, so that nobody could approve; name a role that is in all of them, or name none")
	}
	for _, c := range Classes() {
		if slices.Contains(r.Classes[c].Roles, nobody) {
			return Invalid("the approval rules over it want roles for class %q that have none in common, so that nobody could approve; name a role that is in all of them, or name none", c)
		}
	}
	return nil
}

// roles lists the roles that the rule names.
func (r ApprovalRule) roles() []Role {
	all := slices.Clone(r.Roles)
	for _, c := range Classes() {
		all = append(all, r.Classes[c].Roles...)
	}
	return all
}

// among checks that each role that the rule names is one by which people approve.
func (r ApprovalRule) among(d *Directory) error {
	for _, role := range r.roles() {
		set, err := d.role(role)
		if err != nil {
			return Invalid("the approval rule names role %q, which there is not; make it first, or correct its name", role)
		}
		if !set.has(MayApprove) {
			return Invalid("the approval rule names role %q, by which nobody may approve", role)
		}
	}
	return nil
}

// Need is one thing that a plan has to have before it is applied.
type Need struct {
	Class     Class // of the changes that it is for; empty for every plan
	Approvals int   // people, at least 1
	Roles     []Role
	// Open is a mere confirmation, which may come from a program.
	Open       bool
	NotStarter bool
	NotAuthor  bool
}

// String words what is wanted, as in "2 approvals by dba for changes of class destroy".
func (n Need) String() string {
	text := count(n.Approvals, "approval")
	if n.Open {
		text = "a confirmation"
	}
	if len(n.Roles) > 0 {
		text += " by " + roleList(n.Roles)
	}
	if n.Class != "" {
		text += " for changes of class " + string(n.Class)
	}
	return text
}

// bars words whose approval does not count towards the need, "" for nobody's.
func (n Need) bars() string {
	switch {
	case n.NotStarter && n.NotAuthor:
		return ", by others than who started the run or wrote what it brings"
	case n.NotStarter:
		return ", by others than who started the run"
	case n.NotAuthor:
		return ", by others than who wrote what the run brings"
	}
	return ""
}

func roleList(roles []Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, " or ")
}

// needs lists what a plan with changes of the classes takes. A mere confirmation
// goes without saying where a class takes approvals.
func (r ApprovalRule) needs(classes []Class) []Need {
	more := r.classNeeds(classes)
	if r.Approvals == 0 && len(r.Roles) == 0 && len(more) > 0 {
		return more
	}
	all := Need{Approvals: max(1, r.Approvals), Roles: r.Roles, Open: r.Approvals == 0, NotStarter: r.NotStarter || r.Approvals > 0, NotAuthor: r.NotAuthor}
	return append([]Need{all}, more...)
}

// classNeeds lists what it takes beyond what all plans take.
func (r ApprovalRule) classNeeds(classes []Class) (needs []Need) {
	for _, c := range classes {
		if rule := r.Classes[c]; rule.Approvals > 0 {
			needs = append(needs, Need{Class: c, Approvals: rule.Approvals, Roles: rule.Roles, NotStarter: true, NotAuthor: r.NotAuthor || rule.NotAuthor})
		}
	}
	return needs
}
