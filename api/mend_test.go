package api

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// write adds a version of the state by hand.
func (s *system) write(text string) {
	s.t.Helper()
	s.must(s.send("POST", backend, engine.RoleOperator, strings.NewReader(text)), http.StatusOK)
}

func (s *system) versions() []client.StateVersion {
	s.t.Helper()
	page, err := s.as(engine.RoleViewer).StateVersions(s.t.Context(), "hello", "terraform.greeting", client.Page{Limit: 9})
	s.ok(err)
	return page.Items
}

// did reports whether the audit log has the action.
func (s *system) did(action string) bool {
	s.t.Helper()
	events, err := s.store.Events(s.t.Context(), engine.EventFilter{Stack: "hello"}, engine.Page{Limit: 100})
	s.ok(err)
	for _, e := range events {
		if e.Action == action {
			return true
		}
	}
	return false
}

// applying brings a run to the middle of its apply.
func (s *system) applying() (client.Run, engine.Claim) {
	s.t.Helper()
	run := s.start("apply")
	s.plan(run)
	run = s.read(run.ID)
	_, err := s.as(engine.RoleApprover).Approve(s.t.Context(), run.ID, run.Digest, "")
	s.ok(err)
	return run, s.claim(s.read(run.ID))
}

func TestStateVersionIsRestoredAsANewOne(t *testing.T) {
	s := newSystem(t)
	s.submit()
	s.write(stateText(3, "a"))
	s.write(stateText(4, "a"))
	old := s.versions()[1]
	v, err := s.as(engine.RoleOperator).RestoreState(t.Context(), old.ID, "the last one was a mistake")
	s.ok(err)
	if v.Serial != 5 || v.Lineage != "a" || v.By != "operator" || len(s.versions()) != 3 || !s.did("state.restore") {
		t.Errorf("version %+v of %d", v, len(s.versions()))
	}
}

func TestStateVersionThatCannotBeRestored(t *testing.T) {
	tests := map[string]struct {
		prepare func(s *system)
		role    engine.Role
		reason  string
		kind    error
	}{
		"the newest already":     {func(*system) {}, engine.RoleOperator, "why not", engine.ErrConflict},
		"without a reason":       {func(s *system) { s.write(stateText(2, "a")) }, engine.RoleOperator, "", engine.ErrInvalid},
		"by who may only look":   {func(s *system) { s.write(stateText(2, "a")) }, engine.RoleViewer, "why not", engine.ErrForbidden},
		"while a run changes it": {func(s *system) { s.write(stateText(2, "a")); s.start("apply") }, engine.RoleOperator, "why not", engine.ErrConflict},
		"while it is locked": {func(s *system) {
			s.write(stateText(2, "a"))
			s.must(s.send("LOCK", backend, engine.RoleOperator, strings.NewReader(`{"ID":"one"}`)), http.StatusOK)
		}, engine.RoleOperator, "why not", engine.ErrConflict},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			s.submit()
			s.write(stateText(1, "a"))
			first := s.versions()[0]
			tt.prepare(s)
			before := len(s.versions())
			if _, err := s.as(tt.role).RestoreState(t.Context(), first.ID, tt.reason); !errors.Is(err, tt.kind) {
				t.Errorf("error = %v", err)
			}
			if len(s.versions()) != before {
				t.Error("there is another version")
			}
		})
	}
}

func TestStateThatTerraformCouldNotWriteIsWrittenForIt(t *testing.T) {
	s := newSystem(t)
	s.submit()
	run, claim := s.applying()
	s.must(s.send("LOCK", backend, "", strings.NewReader(`{"ID":"one"}`), basic(run.Steps[0].ID, claim.StateToken)...), http.StatusOK)
	s.ok(client.New(s.url, claim.Token).Runner().PutArtifact(t.Context(), engine.ArtifactErrored, []byte(stateText(1, "a"))))
	if v := s.versions(); len(v) != 1 || v[0].Run != run.ID || !s.did("state.errored") {
		t.Errorf("versions %+v", v)
	}
}

// interrupted is a run whose runner was given up and came back with a state.
func (s *system) interrupted(state string) client.Run {
	s.t.Helper()
	run, claim := s.applying()
	s.must(s.send("LOCK", backend, "", strings.NewReader(`{"ID":"one"}`), basic(run.Steps[0].ID, claim.StateToken)...), http.StatusOK)
	s.loseRunners()
	s.must(s.send("POST", backend, "", strings.NewReader(state), basic(run.Steps[0].ID, claim.StateToken)...), http.StatusUnauthorized)
	s.ok(client.New(s.url, claim.Token).Runner().PutArtifact(s.t.Context(), engine.ArtifactErrored, []byte(state)))
	return run
}

func TestStateOfAnInterruptedApplyIsRecovered(t *testing.T) {
	s := newSystem(t)
	s.submit()
	run := s.interrupted(stateText(1, "a"))
	if len(s.versions()) > 0 {
		t.Error("a runner that was given up wrote a state")
	}
	c := s.as(engine.RoleOperator)
	v, err := c.RecoverState(t.Context(), "hello", "terraform.greeting", "it is whole", true)
	s.ok(err)
	if v.Serial != 1 || len(s.versions()) > 0 {
		t.Errorf("a look at it wrote %+v", v)
	}
	v, err = c.RecoverState(t.Context(), "hello", "terraform.greeting", "it is whole", false)
	s.ok(err)
	if v.Run != run.ID || v.By != "operator" || len(s.versions()) != 1 || !s.did("state.recover") {
		t.Errorf("version %+v", v)
	}
	locks, err := c.Locks(t.Context(), "hello")
	s.ok(err)
	if len(locks) > 0 {
		t.Errorf("locks %+v", locks)
	}
	if _, err := c.RecoverState(t.Context(), "hello", "terraform.greeting", "once more", false); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("recovered twice: %v", err)
	}
}

func TestStateThatWasOvertakenIsNotRecovered(t *testing.T) {
	s := newSystem(t)
	s.submit()
	s.interrupted(stateText(1, "a"))
	c := s.as(engine.RoleOperator)
	s.ok(c.BreakLock(t.Context(), "hello", "terraform.greeting", "it is over"))
	s.write(stateText(1, "a") + " ")
	_, err := c.RecoverState(t.Context(), "hello", "terraform.greeting", "it is whole", false)
	if !errors.Is(err, engine.ErrConflict) || !strings.Contains(err.Error(), "operator") || !strings.Contains(err.Error(), "serial 1") {
		t.Errorf("error = %v", err)
	}
}

func TestLocksOfWhatIsOverAreFreed(t *testing.T) {
	lock := strings.NewReader
	t.Run("a step that has ended", func(t *testing.T) {
		s := newSystem(t)
		s.submit()
		run, claim := s.applying()
		s.must(s.send("LOCK", backend, "", lock(`{"ID":"one"}`), basic(run.Steps[0].ID, claim.StateToken)...), http.StatusOK)
		_, err := s.runs.Sweep(t.Context())
		s.ok(err)
		s.locked(true)
		s.ok(client.New(s.url, claim.Token).Runner().Report(t.Context(), engine.Report{Outcome: engine.OutcomeFailed, Reason: "no"}))
		_, err = s.runs.Sweep(t.Context())
		s.ok(err)
		s.locked(false)
	})
	t.Run("but not that of an interrupted one", func(t *testing.T) {
		s := newSystem(t)
		s.submit()
		s.interrupted(stateText(1, "a"))
		_, err := s.runs.Sweep(t.Context())
		s.ok(err)
		s.locked(true)
	})
	t.Run("and a step takes over its own", func(t *testing.T) {
		s := newSystem(t)
		s.submit()
		run, claim := s.applying()
		for _, id := range []string{`{"ID":"one"}`, `{"ID":"two"}`} {
			s.must(s.send("LOCK", backend, "", lock(id), basic(run.Steps[0].ID, claim.StateToken)...), http.StatusOK)
		}
		s.must(s.send("LOCK", backend, engine.RoleOperator, lock(`{"ID":"three"}`)), http.StatusLocked)
	})
}

func (s *system) locked(want bool) {
	s.t.Helper()
	locks, err := s.as(engine.RoleViewer).Locks(s.t.Context(), "hello")
	s.ok(err)
	if (len(locks) > 0) != want {
		s.t.Errorf("locks %+v", locks)
	}
}

func TestPlanLeavesNoState(t *testing.T) {
	s := newSystem(t)
	s.submit()
	claim := s.claim(s.start("preview"))
	err := client.New(s.url, claim.Token).Runner().PutArtifact(t.Context(), engine.ArtifactErrored, []byte(stateText(1, "a")))
	if !errors.Is(err, engine.ErrConflict) || len(s.versions()) > 0 {
		t.Errorf("%d versions, error = %v", len(s.versions()), err)
	}
	_, err = s.as(engine.RoleOperator).RecoverState(t.Context(), "hello", "terraform.greeting", "it was offered", false)
	if !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("error = %v", err)
	}
}
