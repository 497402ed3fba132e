package engine

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestRandomWalkNeverSticksOrPanics lets anything happen in any order: a run
// that nobody can move any more must be final, a busy one must have somebody to
// move it, and one that succeeds has done all of its steps, each after its needs.
func TestRandomWalkNeverSticksOrPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rev := chain()
		rev.Blueprint.Approval.AutoApprove = rapid.SampledFrom([]AutoApprove{AutoNever, AutoNoChanges, AutoAdditions, AutoAlways}).Draw(t, "auto")
		rev.Blueprint.Approval = Stricter(rev.Blueprint.Approval, ApprovalRule{Approvals: rapid.IntRange(0, 2).Draw(t, "approvals"), NotAuthor: rapid.Bool().Draw(t, "not author")})
		rev.Blueprint.Approval.OnDeferred = rapid.SampledFrom([]OnDeferred{DeferredAsk, DeferredApply}).Draw(t, "deferred")
		kind := rapid.SampledFrom([]RunKind{RunApply, RunDestroy, RunPreview, RunDrift}).Draw(t, "kind")
		parts := applyParts(&rev.Blueprint, 1)
		if kind != RunDrift {
			parts = whole(t, anyStanding(t, rev), kind, rev)
		}
		r := newRun(StartRequest{Stack: "shop", Kind: kind}, ada, rev, parts, noon)
		r.Authors = []Author{{Person: "eve", Did: "wrote revision 7"}}
		if err := r.Begin(noon); err != nil {
			t.Fatal(err)
		}
		for range 400 {
			if r.Status.Final() {
				checkEnd(t, r)
				return
			}
			before, was, began := alreadyApplied(r), r.Status, !r.ApplyingAt.IsZero()
			walk(t, r)
			if was == RunApproved && r.Status == RunApplying && r.busy() {
				checkBeginning(t, r, began)
			}
			checkOrder(t, r, before)
			if !r.Status.Final() && r.Status != RunPlanned && !r.busy() {
				t.Fatalf("run is %s and nobody will move it", r.Status)
			}
		}
	})
}

// checkBeginning checks that the first step of a plan begins with what the rule
// asks for, by people who may give it, and in no freeze unless more is applied.
func checkBeginning(t *rapid.T, r *Run, more bool) {
	if until, _, frozen := r.InForce().frozen(noon); !more && frozen && !r.broken(noon) {
		t.Fatalf("an apply begins in a freeze until %s", until)
	}
	auto := slices.ContainsFunc([]AutoApprove{AutoAlways, AutoAdditions}, func(a AutoApprove) bool { return a == r.InForce().AutoApprove })
	voted := map[string]bool{}
	for _, a := range r.said() {
		if p := r.approver(a); (mayOn(p, MayApprove, "shop") || r.InForce().Approvals == 0 && mayOn(p, MayApply, "shop")) && (r.InForce().Approvals == 0 || p.User != "ada") && (!r.InForce().NotAuthor || p.User != "eve") {
			voted[a.By] = true
		}
	}
	if !auto && !r.applicable(noon) {
		t.Fatal("an apply begins that nobody behind it may apply")
	}
	if !auto && len(voted) < max(1, r.InForce().Approvals) {
		t.Fatalf("an apply begins with the approvals of %v under %+v", voted, r.InForce())
	}
}

// checkEnd checks the steps of a run that is over.
func checkEnd(t *rapid.T, r *Run) {
	if strings.HasPrefix(r.Reason, "not done") {
		t.Fatalf("run is %s: %s", r.Status, r.Reason)
	}
	for _, s := range r.Steps {
		if s.Status.Active() || !s.ReadyAt.IsZero() || r.Kind.Changing() && r.Status == RunSucceeded && !s.done() {
			t.Fatalf("run is %s with step %s %s", r.Status, s.Component.Address, s.Status)
		}
	}
}

func alreadyApplied(r *Run) []string {
	return r.addresses(func(s *Step) bool { return s.Status == StepApplied })
}

// checkOrder checks that what was applied since before came after its needs.
func checkOrder(t *rapid.T, r *Run, before []string) {
	for _, address := range alreadyApplied(r) {
		if !slices.Contains(before, address) && !r.all(r.Step(address).Needs, (*Step).done) {
			t.Fatalf("%s was applied before %v", address, r.Step(address).Needs)
		}
	}
}

// anyStanding is a stack that was applied in parts, at revisions in which its
// components need each other in any order, circles included.
func anyStanding(t *rapid.T, now *Revision) standing {
	there := standing{deployed: map[string]int{}, states: map[string]int{}, revisions: map[int]*Revision{0: now, 1: now}}
	addresses := []string{"terraform.a", "terraform.b", "ansible.c", "terraform.x", "terraform.y", "ansible.z"}
	for number := 2; number <= 3; number++ {
		rev := &Revision{Stack: "shop", Number: number}
		for _, address := range addresses {
			kind, _, _ := strings.Cut(address, ".")
			rev.Blueprint.Components = append(rev.Blueprint.Components, Component{Address: address, Kind: Kind(kind), Cloud: CloudLocal,
				Needs: rapid.SliceOfDistinct(rapid.SampledFrom(addresses), rapid.ID).Draw(t, "needs"), OnDestroy: kind == "ansible" && rapid.Bool().Draw(t, "on_destroy")})
		}
		there.revisions[number] = rev
	}
	for _, address := range addresses {
		there.deployed[address] = rapid.IntRange(1, 3).Draw(t, "at")
		if now.Blueprint.Component(address) == nil && strings.HasPrefix(address, "terraform.") {
			there.states[address] = rapid.IntRange(2, 3).Draw(t, "written at")
		}
	}
	return there
}

// word lets somebody say something of the plan that waits, which may be refused.
func word(t *rapid.T, r *Run) {
	by := rapid.SampledFrom([]Principal{ada, bob, carl, eve, robot}).Draw(t, "by")
	by.Rights = rightsNow(r, by)
	var err error
	switch rapid.IntRange(0, 3).Draw(t, "word") {
	case 0:
		err = r.Apply(by, r.Digest, "", noon)
	case 1:
		err = r.BreakGlass(by, r.Digest, "fire", noon)
	default:
		err = r.Approve(by, r.Digest, "", noon)
	}
	if err != nil && !Refused(err) {
		t.Fatalf("word refused: %v", err)
	}
}

func rightsNow(r *Run, p Principal) *Rights {
	if now, known := r.who[p.User]; known {
		return now.Rights
	}
	return p.Rights
}

// turn changes what is around the run: a role, or the policies over it.
func turn(t *rapid.T, r *Run) {
	if r.who == nil {
		r.who = map[string]Principal{}
		for _, p := range []Principal{ada, bob, carl, eve, robot} {
			r.who[p.User] = p
		}
	}
	p := r.who[rapid.SampledFrom([]string{"ada", "bob", "carl", "eve"}).Draw(t, "who")]
	p.Rights = Everywhere(rapid.SampledFrom([]Role{RoleViewer, RoleDeployer, RoleApprover, RoleApprover}).Draw(t, "role"))
	r.who[p.User] = p
	r.Policies = rapid.SampledFrom([][]Policy{nil, nil, {{Rule: weekend}}, {{Rule: ApprovalRule{Approvals: 1}}}}).Draw(t, "policies")
	if !r.ReleaseAt.IsZero() {
		r.ReleaseAt = noon
	}
}

// walk makes one random move that somebody could make now.
func walk(t *rapid.T, r *Run) {
	s := rapid.SampledFrom(r.Steps).Draw(t, "step")
	out := func() map[string]OutputDigest {
		return map[string]OutputDigest{"id": digest(rapid.SampledFrom([]string{"x", "y"}).Draw(t, "id")), "ip": {Unknown: rapid.Bool().Draw(t, "unknown"), Digest: "z"}}
	}
	var err error
	switch rapid.IntRange(0, 12).Draw(t, "move") {
	case 0:
		if r.Status == RunPlanned {
			word(t, r)
		}
	case 10:
		turn(t, r)
	case 11:
		if !r.ReleaseAt.IsZero() && !noon.Before(r.ReleaseAt) {
			err = r.Release(noon)
		}
	case 1:
		if rapid.IntRange(0, 9).Draw(t, "cancel") == 0 {
			err = r.Cancel(ada, noon)
		}
	case 2, 3, 4, 5:
		if !s.ReadyAt.IsZero() && !r.Reconsider(noon) {
			_, err = r.Claim(s.ID, Claim{Worker: "w"}, noon)
		}
	case 6:
		if s.Status.Active() {
			err = r.Lose(inHand(r, s), noon.Add(Lease))
		}
	default:
		if s.Status == StepPlanning {
			o := rapid.SampledFrom([]Outcome{OutcomePlanned, OutcomePlanned, OutcomeUnchanged, OutcomeFailed, OutcomeCancelled}).Draw(t, "outcome")
			err = r.End(s.ID, s.Attempt, Result{Outcome: o, PlanHash: "p", ChangesHash: rapid.SampledFrom([]string{"c", "d"}).Draw(t, "changes"), Summary: Summary{Create: 1}, Outputs: out()}, noon)
		} else if s.Status == StepApplying {
			o := rapid.SampledFrom([]Outcome{OutcomeApplied, OutcomeApplied, OutcomeFailed, OutcomeCancelled}).Draw(t, "outcome")
			err = r.End(s.ID, s.Attempt, Result{Outcome: o, Outputs: out()}, noon)
		}
	}
	if err != nil {
		t.Fatalf("move refused: %v", err)
	}
}
