package engine

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// post carries claims and reports to a run, which may come late, twice, in any
// order, or never.
type post struct {
	run     *Run
	letters []func(*Run) error
	applies map[string]int // claims of a step to be applied
}

// deliver lets a letter change the run, or leave it as it is.
func (p *post) deliver(letter func(*Run) error) error {
	next := *p.run
	next.Approvals = slices.Clone(p.run.Approvals)
	next.Steps = make([]*Step, len(p.run.Steps))
	for i, s := range p.run.Steps {
		step := *s
		next.Steps[i] = &step
	}
	err := letter(&next)
	if err == nil {
		p.run = &next
	}
	return err
}

// claim is what a worker does with a task: its report goes into the post.
func (p *post) claim(step string, outcomes map[Phase]Outcome, res Result) func(*Run) error {
	return func(r *Run) error {
		phase, err := r.Claim(step, Claim{Worker: "w"}, noon)
		if err != nil {
			return err
		}
		if phase == PhaseApply {
			p.applies[step]++
		}
		attempt := r.StepByID(step).Attempt
		res.Outcome = outcomes[phase]
		p.letters = append(p.letters, func(r *Run) error { return r.End(step, attempt, res, noon) })
		return nil
	}
}

// TestDeliveriesInAnyOrderApplyOnce lets claims and reports be delivered twice,
// late, in any order or never: no step is applied twice, what is over stays as
// it is, and nothing waits for nobody.
func TestDeliveriesInAnyOrderApplyOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rev := chain()
		rev.Blueprint.Approval.AutoApprove = rapid.SampledFrom([]AutoApprove{AutoNever, AutoAlways}).Draw(t, "auto")
		p := &post{applies: map[string]int{}, run: newRun(StartRequest{Stack: "shop", Kind: RunApply}, ada, rev, applyParts(&rev.Blueprint, 1), noon)}
		if err := p.run.Begin(noon); err != nil {
			t.Fatal(err)
		}
		for range 150 {
			p.move(t)
			for step, n := range p.applies {
				if n > 1 {
					t.Fatalf("step %s was claimed to be applied %d times", step, n)
				}
			}
			if r := p.run; !r.Status.Final() && r.Status != RunPlanned && !r.busy() {
				t.Fatalf("run is %s and nobody will move it", r.Status)
			}
			if p.run.Status.Final() {
				p.late(t)
				return
			}
		}
	})
}

// move lets one thing happen.
func (p *post) move(t *rapid.T) {
	s := rapid.SampledFrom(p.run.Steps).Draw(t, "step")
	switch rapid.IntRange(0, 9).Draw(t, "move") {
	case 0, 1, 2: // the queue hands a step over, as it may at any time
		outcomes := map[Phase]Outcome{
			PhasePlan:  rapid.SampledFrom([]Outcome{OutcomePlanned, OutcomePlanned, OutcomeUnchanged, OutcomeFailed}).Draw(t, "plan"),
			PhaseApply: rapid.SampledFrom([]Outcome{OutcomeApplied, OutcomeApplied, OutcomeFailed, OutcomeInterrupted}).Draw(t, "apply"),
		}
		out := map[string]OutputDigest{"id": digest(rapid.SampledFrom([]string{"x", "y"}).Draw(t, "id")), "ip": {Unknown: rapid.Bool().Draw(t, "unknown"), Digest: "z"}}
		p.letters = append(p.letters, p.claim(s.ID, outcomes, Result{PlanHash: "p", ChangesHash: "c", Summary: Summary{Create: 1}, Outputs: out}))
	case 3, 4, 5, 6, 7:
		if len(p.letters) == 0 {
			return
		}
		i := rapid.IntRange(0, len(p.letters)-1).Draw(t, "letter")
		letter := p.letters[i]
		if rapid.IntRange(0, 2).Draw(t, "again") > 0 {
			p.letters = slices.Delete(p.letters, i, i+1)
		}
		if rapid.IntRange(0, 5).Draw(t, "lost") > 0 {
			_ = p.deliver(letter) // a refusal is an answer
		}
	case 8:
		if s.Status.Active() && rapid.Bool().Draw(t, "lose") {
			_ = p.deliver(func(r *Run) error { return r.Lose(inHand(r, r.StepByID(s.ID)), noon.Add(Lease)) })
		}
	case 9:
		if p.run.Status == RunPlanned {
			_ = p.deliver(func(r *Run) error { return r.Approve(ada, r.Digest, "", noon) })
		} else if rapid.IntRange(0, 9).Draw(t, "cancel") == 0 {
			_ = p.deliver(func(r *Run) error { return r.Cancel(ada, noon) })
		}
	}
}

// late delivers what is still in the post to a run that is over.
func (p *post) late(t *rapid.T) {
	before := p.run
	for _, letter := range p.letters {
		if err := p.deliver(letter); err == nil {
			t.Fatalf("run is %s, and takes what comes late", before.Status)
		}
	}
}
