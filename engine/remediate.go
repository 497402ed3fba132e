package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// remediate starts what the stack wants done about drift, once the check is
// over, or says why it is left alone.
func (s *Runs) remediate(ctx context.Context, run *Run) {
	if run.Kind != RunDrift || run.Status != RunSucceeded || run.Summary().Empty() {
		return
	}
	rules, err := s.driftRules(ctx, run)
	if err != nil {
		s.leave(ctx, run, err)
		return
	}
	req, others := remedy(run, rules)
	if len(req.Only) == 0 {
		return
	}
	if err := s.startRemedy(ctx, run, req); err != nil {
		s.leave(ctx, run, err)
	} else if len(others) > 0 {
		s.leave(ctx, run, Conflict("a run is of one revision; %s drifted at another one than %d and is left to the next check", strings.Join(others, ", "), req.Revision))
	}
}

// driftRules reads the rule of each revision that a check was of.
func (s *Runs) driftRules(ctx context.Context, run *Run) (map[int]DriftRule, error) {
	rules := map[int]DriftRule{}
	for _, step := range run.Steps {
		if _, ok := rules[step.Revision]; ok {
			continue
		}
		rev, err := s.Store.Revision(ctx, run.Stack, step.Revision)
		if err != nil {
			return nil, err
		}
		rules[step.Revision] = rev.Blueprint.Drift
	}
	return rules, nil
}

// remedy is the run that puts right what has drifted, as far as the rule of the
// revision that it is deployed at says so. Of several revisions the newest
// comes first; the components that have to wait are the others.
func remedy(run *Run, rules map[int]DriftRule) (req StartRequest, others []string) {
	drifted := slices.DeleteFunc(slices.Clone(run.Steps), func(s *Step) bool {
		rule := rules[s.Revision].Remediate
		return s.Summary.Empty() || rule != RemediatePlan && rule != RemediateApply
	})
	req = StartRequest{Stack: run.Stack, Kind: RunApply, Trigger: TriggerDrift, Message: "remediation of drift found by " + run.ID, AutoApprove: AutoNoChanges}
	for _, step := range drifted {
		req.Revision = max(req.Revision, step.Revision)
	}
	for _, step := range drifted {
		if step.Revision == req.Revision {
			req.Only = append(req.Only, step.Component.Address)
		} else {
			others = append(others, step.Component.Address)
		}
	}
	if rules[req.Revision].Remediate == RemediateApply {
		req.AutoApprove = AutoAlways
	}
	return req, others
}

// startRemedy starts the run, unless the last one that changed a component did
// not come to its end, or was of another revision: what it left there is for a
// person to look at.
func (s *Runs) startRemedy(ctx context.Context, run *Run, req StartRequest) error {
	for _, address := range req.Only {
		last, err := s.Store.LastChange(ctx, run.Stack, address)
		if err != nil {
			return err
		}
		if last.Status.CutShort() || last.Revision != req.Revision {
			return Conflict("the last change of %s is that of run %s to revision %d, which is %s; it is not taken back to revision %d before a person has looked at it",
				address, last.Run, last.Revision, last.Status, req.Revision)
		}
	}
	rev, err := s.outline(ctx, run.Stack, req.Revision)
	if err != nil {
		return err
	}
	req.starters = append(slices.Clone(run.Starters), rev.Author, rev.Person)
	_, err = s.Start(ctx, Principal{User: run.StartedBy, Rights: Everywhere(RoleDeployer)}, req)
	return err
}

// leave notes why drift is left alone. The next check finds it again and tries
// again.
func (s *Runs) leave(ctx context.Context, run *Run, why error) {
	s.Log.WarnContext(ctx, "drift is left alone", "run", run.ID, "err", why)
	if !errors.Is(why, ErrConflict) && !errors.Is(why, ErrInvalid) {
		return // not worded for people
	}
	e := newEvent(s.Now(), ActorEngine, "drift.leave", run.Stack, run.ID, map[string]any{"reason": why.Error()})
	e.Run = run.ID
	if err := s.Store.AddEvent(ctx, e); err != nil {
		s.Log.WarnContext(ctx, "event not written", "action", e.Action, "run", run.ID, "err", err) // the line above tells it, too
	}
}
