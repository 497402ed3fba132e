package store_test

import (
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

func TestStepIsFoundByIDAndToken(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		newStack(t, s, "shop")
		r := begun(t, "shop", engine.RunApply, noon)
		must(t, s.CreateRun(ctx, r))
		step := r.Steps[0].ID
		claim := engine.Claim{Worker: "w", Token: "token", StateToken: "state"}
		r = got(s.UpdateRun(ctx, r.ID, func(r *engine.Run) error { _, err := r.Claim(step, claim, noon); return err }))(t)

		wantEqual(t, got(s.StepRun(ctx, step))(t), r.ID)
		wantEqual(t, got(s.StepByToken(ctx, claim.Token.Hash()))(t), r.Steps[0])
		_, err := s.StepRun(ctx, "step-1")
		wantKind(t, err, engine.ErrNotFound)
		for _, hash := range []string{"other", ""} { // the second step has no token
			_, err = s.StepByToken(ctx, hash)
			wantKind(t, err, engine.ErrNotFound)
		}
	})
}

// outcome is a run that is over, and what became of terraform.a in it.
type outcome struct {
	kind   engine.RunKind
	run    engine.RunStatus
	step   engine.StepStatus
	takes  bool // the component away
	number int
}

func TestDeployed(t *testing.T) {
	tests := map[string]struct {
		runs []outcome
		want int // 0 for nowhere
	}{
		"nothing was run": {},
		"applied":         {runs: []outcome{{engine.RunApply, engine.RunSucceeded, engine.StepApplied, false, 1}}, want: 1},
		"applied in a run that failed elsewhere": {
			runs: []outcome{{engine.RunApply, engine.RunFailed, engine.StepApplied, false, 1}}, want: 1},
		"applied again": {runs: []outcome{
			{engine.RunApply, engine.RunSucceeded, engine.StepApplied, false, 1},
			{engine.RunApply, engine.RunSucceeded, engine.StepApplied, false, 2}}, want: 2},
		"failed since": {runs: []outcome{
			{engine.RunApply, engine.RunSucceeded, engine.StepApplied, false, 1},
			{engine.RunApply, engine.RunFailed, engine.StepFailed, false, 2}}, want: 1},
		"found unchanged since": {runs: []outcome{
			{engine.RunApply, engine.RunSucceeded, engine.StepApplied, false, 1},
			{engine.RunApply, engine.RunSucceeded, engine.StepUnchanged, false, 2}}, want: 2},
		"found unchanged by a run that failed": {runs: []outcome{
			{engine.RunApply, engine.RunSucceeded, engine.StepApplied, false, 1},
			{engine.RunApply, engine.RunFailed, engine.StepUnchanged, false, 2}}, want: 1},
		"found unchanged by a preview": {runs: []outcome{
			{engine.RunPreview, engine.RunSucceeded, engine.StepUnchanged, false, 2}}},
		"destroyed since": {runs: []outcome{
			{engine.RunApply, engine.RunSucceeded, engine.StepApplied, false, 1},
			{engine.RunDestroy, engine.RunSucceeded, engine.StepApplied, true, 1}}},
		"destroyed by an apply that no longer has it": {runs: []outcome{
			{engine.RunApply, engine.RunSucceeded, engine.StepApplied, false, 1},
			{engine.RunApply, engine.RunSucceeded, engine.StepApplied, true, 1}}},
		"applied after it was destroyed": {runs: []outcome{
			{engine.RunDestroy, engine.RunSucceeded, engine.StepApplied, true, 1},
			{engine.RunApply, engine.RunSucceeded, engine.StepApplied, false, 3}}, want: 3},
	}
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				newStack(t, s, name)
				for i, o := range tt.runs {
					must(t, s.CreateRun(t.Context(), o.of(name, noon.Add(time.Duration(i)*time.Minute))))
				}
				wantEqual(t, got(s.Deployed(t.Context(), name))(t)["terraform.a"], tt.want)
			})
		}
	})
}

func (o outcome) of(stack string, at time.Time) *engine.Run {
	r := newRun(stack, o.kind, at)
	r.Status, r.Revision, r.FinishedAt = o.run, o.number, at
	r.Steps = r.Steps[:1]
	r.Steps[0].Status, r.Steps[0].Revision, r.Steps[0].Destroy = o.step, o.number, o.takes
	return r
}

func TestLastChange(t *testing.T) {
	applied := outcome{engine.RunApply, engine.RunSucceeded, engine.StepApplied, false, 1}
	tests := map[string]struct {
		then     outcome // a run after terraform.a was applied
		applying bool    // that run began to apply
		want     engine.StepStatus
	}{
		"failed in its plan":             {outcome{engine.RunApply, engine.RunFailed, engine.StepFailed, false, 2}, false, engine.StepApplied},
		"failed in its apply":            {outcome{engine.RunApply, engine.RunFailed, engine.StepFailed, false, 2}, true, engine.StepFailed},
		"interrupted":                    {outcome{engine.RunApply, engine.RunInterrupted, engine.StepInterrupted, false, 2}, true, engine.StepInterrupted},
		"is only planned":                {outcome{engine.RunApply, engine.RunPlanned, engine.StepPlanned, false, 2}, false, engine.StepApplied},
		"has its turn in a run at work":  {outcome{engine.RunApply, engine.RunApplying, engine.StepApproved, false, 2}, true, engine.StepApproved},
		"left out by a run at work":      {outcome{engine.RunApply, engine.RunApplying, engine.StepUnchanged, false, 2}, true, engine.StepApplied},
		"skipped":                        {outcome{engine.RunApply, engine.RunDiscarded, engine.StepSkipped, false, 2}, true, engine.StepApplied},
		"found unchanged":                {outcome{engine.RunApply, engine.RunSucceeded, engine.StepUnchanged, false, 2}, false, engine.StepUnchanged},
		"destroyed":                      {outcome{engine.RunDestroy, engine.RunFailed, engine.StepFailed, true, 1}, true, engine.StepFailed},
		"found unchanged by a preview":   {outcome{engine.RunPreview, engine.RunSucceeded, engine.StepUnchanged, false, 2}, false, engine.StepApplied},
		"planned by a drift check, only": {outcome{engine.RunDrift, engine.RunSucceeded, engine.StepPlanned, false, 1}, false, engine.StepApplied},
	}
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				newStack(t, s, name)
				_, err := s.LastChange(t.Context(), name, "terraform.a")
				wantKind(t, err, engine.ErrNotFound)
				first, then := applied.of(name, noon), tt.then.of(name, noon.Add(time.Minute))
				first.ApplyingAt, then.Digest = noon, "d"
				if tt.applying {
					then.ApplyingAt = noon.Add(time.Minute)
				}
				must(t, s.CreateRun(t.Context(), first))
				must(t, s.CreateRun(t.Context(), then))
				wantEqual(t, got(s.LastChange(t.Context(), name, "terraform.a"))(t).Status, tt.want)
			})
		}
	})
}

func TestSweepFindsStepsThatWaitOrAreLost(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		newStack(t, s, "shop")
		r := begun(t, "shop", engine.RunDrift, noon)
		must(t, s.CreateRun(ctx, r))
		first, second := r.Steps[0].ID, r.Steps[1].ID
		queue := engine.QueueName(engine.CloudAWS, "drift")
		both := []engine.Dispatch{{Step: first, Attempt: 1, Queue: queue}, {Step: second, Attempt: 1, Queue: queue}}

		never := noon.Add(24 * time.Hour)
		wantEqual(t, got(s.WaitingSteps(ctx, noon, never, 9))(t), []engine.Dispatch(nil)) // since noon is not before it
		wantEqual(t, byStep(got(s.WaitingSteps(ctx, noon.Add(1000), never, 9))(t)), byStep(both))
		wantEqual(t, len(got(s.WaitingSteps(ctx, noon.Add(1000), never, 1))(t)), 1)
		wantEqual(t, len(got(s.WaitingSteps(ctx, noon.Add(-time.Hour), noon.Add(-1000), 9))(t)), 2) // the clock went back
		wantEqual(t, got(s.HeldSteps(ctx))(t), []engine.Held(nil))

		got(s.UpdateRun(ctx, r.ID, func(r *engine.Run) error {
			_, err := r.Claim(first, engine.Claim{Worker: "w", Token: "t", StateToken: "s"}, noon)
			return err
		}))(t)
		wantEqual(t, got(s.WaitingSteps(ctx, noon.Add(time.Hour), never, 9))(t), both[1:])
		held := got(s.HeldSteps(ctx))(t)
		wantEqual(t, held, []engine.Held{{Step: first, Run: r.ID, Attempt: 1, Until: noon.Add(engine.Lease)}})

		got(s.UpdateRun(ctx, r.ID, func(r *engine.Run) error { return r.Lose(held[0], noon.Add(engine.Lease)) }))(t)
		wantEqual(t, len(got(s.HeldSteps(ctx))(t)), 0)
		again := got(s.WaitingSteps(ctx, noon.Add(time.Hour), never, 9))(t)
		wantEqual(t, again[1], engine.Dispatch{Step: first, Attempt: 2, Queue: queue})
	})
}

// Redis loses all queues at once, and each has to be filled again: two hundred
// checks that wait in one were once all that was handed over.
func TestEveryQueueIsHandedOverAgain(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		for i := range 3 {
			must(t, s.CreateRun(t.Context(), begun(t, "shop", engine.RunDrift, noon.Add(time.Duration(i)*time.Second))))
		}
		must(t, s.CreateRun(t.Context(), begun(t, "shop", engine.RunApply, noon.Add(time.Minute))))

		perQueue := map[string]int{}
		for _, d := range got(s.WaitingSteps(t.Context(), noon.Add(time.Hour), noon.Add(2*time.Hour), 2))(t) {
			perQueue[d.Queue]++
		}

		wantEqual(t, perQueue, map[string]int{"aws-drift": 2, "aws-run": 1})
	})
}

func byStep(list []engine.Dispatch) map[string]engine.Dispatch {
	m := map[string]engine.Dispatch{}
	for _, d := range list {
		m[d.Step] = d
	}
	return m
}

func TestExpiredPlans(t *testing.T) {
	tests := map[string]struct {
		expires time.Duration
		status  engine.RunStatus
		after   time.Duration
		want    bool
	}{
		"not yet":                {expires: time.Hour, status: engine.RunPlanned, after: time.Hour - time.Second},
		"now":                    {expires: time.Hour, status: engine.RunPlanned, after: time.Hour, want: true},
		"never":                  {expires: 0, status: engine.RunPlanned, after: 1000 * time.Hour},
		"approved in time":       {expires: time.Hour, status: engine.RunApproved, after: 2 * time.Hour},
		"discarded before it is": {expires: time.Hour, status: engine.RunDiscarded, after: 2 * time.Hour},
	}
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				newStack(t, s, name)
				r := planned(name, noon, "d")
				if tt.expires > 0 {
					r.ExpiresAt = noon.Add(tt.expires)
				}
				must(t, s.CreateRun(t.Context(), r))
				got(s.UpdateRun(t.Context(), r.ID, func(r *engine.Run) error { r.Status = tt.status; return nil }))(t)
				want := []string(nil)
				if tt.want {
					want = []string{r.ID}
				}
				wantEqual(t, got(s.ExpiredPlans(t.Context(), noon.Add(tt.after), 9))(t), want)
				got(s.UpdateRun(t.Context(), r.ID, func(r *engine.Run) error { r.Status = engine.RunDiscarded; return nil }))(t)
			})
		}
	})
}

func TestBeatsAreCountedByPart(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		wantEqual(t, got(s.Beats(ctx, "api"))(t), int64(0))
		for range 3 {
			must(t, s.Beat(ctx, "api"))
		}
		must(t, s.Beat(ctx, "other"))
		wantEqual(t, got(s.Beats(ctx, "api"))(t), int64(3))
	})
}
