package api

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// submitPlay stores the stack hello with a playbook in place of its module.
func (s *system) submitPlay() {
	s.t.Helper()
	s.must(s.request("POST", "/v1/stacks/hello/revisions", engine.RoleOperator, client.SubmitFiles{Files: map[string]string{
		"stack.hcl": `
stack "hello" {}

ansible "site" {
  playbook = "./site.yml"
  inventory {
    group "all_hosts" { hosts = [{ name = "web-1", address = "127.0.0.1" }] }
  }
}
`, "site.yml": "- hosts: all\n  tasks: []\n",
	}}), http.StatusCreated)
}

// interruptedPlay is a run whose runner was lost in the middle of its play.
func (s *system) interruptedPlay() client.Run {
	s.t.Helper()
	run, claim := s.applying()
	const log = "PLAY [all] ***\n\nTASK [Install] ***\nchanged: [web-1]\n\nTASK [Start] ***\n"
	_, err := client.New(s.url, claim.Token).Runner().AppendLog(s.t.Context(), 0, []byte(log))
	s.ok(err)
	s.loseRunners()
	return s.read(run.ID)
}

// job asks for the job of the run's step, as its runner does.
func (s *system) job(run client.Run) error {
	s.t.Helper()
	_, err := client.New(s.url, s.claim(run).Token).Runner().Job(s.t.Context())
	return err
}

func TestPlayThatWasInterruptedKeepsTheNextRunOut(t *testing.T) {
	s := newSystem(t)
	s.submitPlay()
	run := s.interruptedPlay()
	c := s.as(engine.RoleOperator)
	locks, err := c.Locks(t.Context(), "hello")
	s.ok(err)
	if run.Status != string(engine.RunInterrupted) || len(locks) != 1 || locks[0].Holder != "run "+run.ID || !strings.Contains(locks[0].Reason, "may still run") {
		t.Fatalf("run is %s, locks %+v", run.Status, locks)
	}
	_, err = s.runs.Sweep(t.Context())
	s.ok(err)

	next := s.start("apply")
	err = s.job(next)
	for _, want := range []string{"hello/ansible.site is locked by run " + run.ID + " since 2026-01-02", "interrupted", "cloudops state unlock hello ansible.site --reason"} {
		if !errors.Is(err, engine.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("the next run is not told %q: %v", want, err)
		}
	}
	s.ok(s.job(s.start("preview")))
	s.must(s.send("UNLOCK", "/v1/state/hello/ansible.site", engine.RoleAdmin, nil), http.StatusLocked)
	if _, err := c.RecoverState(t.Context(), "hello", "ansible.site", "there is none", false); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("a play has a state: %v", err)
	}
	_, err = c.Cancel(t.Context(), next.ID)
	s.ok(err)
	s.loseRunners()
	s.ok(c.BreakLock(t.Context(), "hello", "ansible.site", "nothing runs"))
	s.ok(s.job(s.start("apply")))
}

func TestPlanAfterAnInterruptedPlayTellsWhereItWas(t *testing.T) {
	s := newSystem(t)
	s.submitPlay()
	run := s.interruptedPlay()
	p, err := s.as(engine.RoleViewer).Progress(t.Context(), run.Steps[0].ID)
	s.ok(err)
	if len(p.Finished) != 1 || p.Finished[0] != (client.Touched{Address: "web-1: Install", Action: "update", Host: "web-1", Task: "Install"}) {
		t.Errorf("finished %+v", p.Finished)
	}
	if len(p.Unknown) != 1 || p.Unknown[0].Address != "web-1: Start" || len(p.Lines) != 2 {
		t.Errorf("not known %+v; in words %q", p.Unknown, p.Lines)
	}
	preview := s.start("preview")
	s.plan(preview)
	plan, err := s.runs.Plan(t.Context(), preview.Steps[0].ID)
	s.ok(err)
	if len(plan.Notes) != 1 || !strings.Contains(plan.Notes[0], "run "+run.ID+` was at task "Start" on web-1`) {
		t.Errorf("notes %q", plan.Notes)
	}
}
