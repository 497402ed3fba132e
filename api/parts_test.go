package api

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// offer stores a revision of the stack hello with components of the module
// greeting, each written as its name and, after "<", what it needs; "!" in front
// is for prevent_destroy.
func (s *system) offer(components ...string) {
	s.t.Helper()
	files := helloFiles()
	files["stack.hcl"] = `stack "hello" {}` + "\n"
	for _, text := range components {
		name, need, _ := strings.Cut(strings.TrimPrefix(text, "!"), "<")
		if need != "" {
			need = "depends_on = [terraform." + need + "]"
		}
		files["stack.hcl"] += fmt.Sprintf("terraform %q {\n  source = \"./greeting\"\n  prevent_destroy = %v\n  %s\n}\n", name, text[0] == '!', need)
	}
	s.must(s.request("POST", "/v1/stacks/hello/revisions", engine.RoleOperator, client.SubmitFiles{Files: files}), http.StatusCreated)
}

var (
	operator = engine.Principal{User: "operator", Rights: engine.Everywhere(engine.RoleOperator)}
	approver = engine.Principal{User: "approver", Kind: engine.Person, Rights: engine.Everywhere(usual(engine.RoleApprover)...)}
)

// ask starts a run of the stack hello.
func (s *system) ask(kind engine.RunKind, only ...string) *engine.Run {
	s.t.Helper()
	run, err := s.runs.Start(s.t.Context(), operator, engine.StartRequest{Stack: "hello", Kind: kind, Only: only})
	s.ok(err)
	return run
}

// see takes a run to its end, in which all steps find something to do and do it
// but those that fail to.
func (s *system) see(id string, fails ...string) *engine.Run {
	s.t.Helper()
	for {
		run, err := s.store.Run(s.t.Context(), id)
		s.ok(err)
		switch {
		case run.Status.Final():
			return run
		case run.Status == engine.RunPlanned:
			_, err := s.runs.Approve(s.t.Context(), approver, id, run.Digest, "")
			s.ok(err)
		default:
			i := slices.IndexFunc(run.Steps, func(step *engine.Step) bool { return !step.ReadyAt.IsZero() })
			if i < 0 {
				s.t.Fatalf("run is %s and nobody can move it", run.Status)
			}
			s.step(run.Steps[i].ID, fails)
		}
	}
}

// step carries out the phase that a step is in.
func (s *system) step(id string, fails []string) {
	s.t.Helper()
	claim, step, err := s.runs.Claim(s.t.Context(), id, "worker")
	s.ok(err)
	runner := client.New(s.url, claim.Token).Runner()
	switch {
	case step.Phase() == engine.PhasePlan:
		s.sendPlan(runner)
	case slices.Contains(fails, step.Component.Address):
		s.ok(runner.Report(s.t.Context(), engine.Report{Outcome: engine.OutcomeFailed, Reason: "it broke"}))
	default:
		s.leave(claim, step)
		s.ok(runner.Report(s.t.Context(), engine.Report{Outcome: engine.OutcomeApplied}))
	}
}

// leave writes the state that an apply ends with: one resource, or none.
func (s *system) leave(claim engine.Claim, step *engine.Step) {
	s.t.Helper()
	resources := `{"mode":"managed","type":"terraform_data","name":"a","instances":[{"attributes":{"id":"x"}}]}`
	if step.Destroy {
		resources = ""
	}
	older, err := s.store.StateVersions(s.t.Context(), "hello", step.Component.Address, engine.Page{Limit: 100})
	s.ok(err)
	state := strings.Replace(stateText(len(older)+1, step.Component.Address), "[]", "["+resources+"]", 1)
	s.must(s.send("POST", "/v1/state/hello/"+step.Component.Address, "", strings.NewReader(state), basic(step.ID, claim.StateToken)...), http.StatusOK)
}

// whereabouts tells the revision that the stack hello is at, with those of its
// components.
func (s *system) whereabouts() string {
	s.t.Helper()
	stack, err := s.store.Stack(s.t.Context(), "hello")
	s.ok(err)
	deployed, err := s.store.Deployed(s.t.Context(), "hello")
	s.ok(err)
	return fmt.Sprint(stack.Applied, deployed)
}

func (s *system) isAt(want string) {
	s.t.Helper()
	if got := s.whereabouts(); got != want {
		s.t.Errorf("the stack is at %s, not %s", got, want)
	}
}

func TestRunThatWaitedSeesWhatRunsBeforeItDid(t *testing.T) {
	s := newSystem(t)
	s.offer("greeting", "a")
	first := s.ask(engine.RunApply)
	s.offer("greeting")
	second := s.ask(engine.RunApply)
	if second.Status != engine.RunPending || len(second.Steps) != 1 {
		t.Fatalf("run %+v", second)
	}
	s.see(first.ID)
	if run := s.see(second.ID); run.Status != engine.RunSucceeded || run.Step("terraform.a").Status != engine.StepApplied {
		t.Errorf("run is %s with %v", run.Status, run.Steps)
	}
	s.isAt("2 map[terraform.greeting:2]")
}

func TestRunThatMayNoLongerBeginFails(t *testing.T) {
	s := newSystem(t)
	s.offer("greeting", "b<greeting")
	s.see(s.ask(engine.RunApply).ID)
	destroy := s.ask(engine.RunDestroy)
	late, last := s.ask(engine.RunApply, "terraform.b"), s.ask(engine.RunApply)
	s.see(destroy.ID)
	if run := s.see(late.ID); run.Status != engine.RunFailed || !strings.Contains(run.Reason, "terraform.greeting, which is not applied yet") {
		t.Errorf("run is %s: %s", run.Status, run.Reason)
	}
	s.isAt("0 map[]")
	s.see(last.ID)
	s.isAt("1 map[terraform.b:1 terraform.greeting:1]")
}

func TestRetryBringsTheStackToItsRevision(t *testing.T) {
	s := newSystem(t)
	s.offer("greeting", "b<greeting")
	again := func(id string) {
		t.Helper()
		run, err := s.runs.Retry(t.Context(), operator, id, "")
		s.ok(err)
		if run = s.see(run.ID); run.Status != engine.RunSucceeded || len(run.Steps) != 1 {
			t.Errorf("run is %s with %d steps", run.Status, len(run.Steps))
		}
	}
	run := s.see(s.ask(engine.RunApply).ID, "terraform.b")
	s.isAt("0 map[terraform.greeting:1]")
	again(run.ID)
	s.isAt("1 map[terraform.b:1 terraform.greeting:1]")

	run = s.see(s.ask(engine.RunDestroy).ID, "terraform.greeting")
	s.isAt("1 map[terraform.greeting:1]")
	again(run.ID)
	s.isAt("0 map[]")
}

func TestRunsOnPartsBringTheStackToItsRevisionTogether(t *testing.T) {
	s := newSystem(t)
	s.offer("greeting", "b", "c")
	s.see(s.ask(engine.RunApply).ID)
	s.offer("greeting", "b")
	for _, part := range []struct{ name, want string }{
		{"terraform.b", "1 map[terraform.b:2 terraform.c:1 terraform.greeting:1]"},
		{"terraform.greeting", "1 map[terraform.b:2 terraform.c:1 terraform.greeting:2]"},
		{"terraform.c", "2 map[terraform.b:2 terraform.greeting:2]"},
	} {
		s.see(s.ask(engine.RunApply, part.name).ID)
		s.isAt(part.want)
	}
}

func TestDestroyOfAnOlderRevisionDoesNotGetAroundProtection(t *testing.T) {
	s := newSystem(t)
	s.offer("greeting")
	s.offer("!greeting")
	s.see(s.ask(engine.RunApply).ID)
	s.offer("b")
	_, err := s.runs.Start(t.Context(), operator, engine.StartRequest{Stack: "hello", Kind: engine.RunDestroy, Revision: 1})
	if !errors.Is(err, engine.ErrConflict) || !strings.Contains(err.Error(), "revision 2 has prevent_destroy") {
		t.Errorf("it says %v", err)
	}
}

func TestDestroyAfterTheClockWasPutBack(t *testing.T) {
	s := newSystem(t)
	s.offer("greeting")
	s.see(s.ask(engine.RunApply).ID)
	s.clock.add(-time.Hour)
	s.see(s.ask(engine.RunDestroy).ID)
	s.isAt("0 map[]")
	first, second := s.ask(engine.RunApply), s.ask(engine.RunApply)
	s.clock.add(-time.Hour)
	third := s.ask(engine.RunApply)
	s.see(first.ID)
	for _, run := range []*engine.Run{second, third} {
		if got := s.read(run.ID).Status; got != "planning" {
			t.Errorf("a run is %s when its turn has come", got)
		}
		s.see(run.ID)
	}
}
