package api

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// stepAuth is what the run's first step signs in to its state with.
func stepAuth(run client.Run, claim engine.Claim) []string {
	return basic(run.Steps[0].ID, claim.StateToken)
}

func TestUnlockOfAStepMayComeTwice(t *testing.T) {
	const lock, another = `{"ID":"one","Operation":"OperationTypeApply"}`, `{"ID":"two","Operation":"OperationTypePlan"}`
	s := newSystem(t)
	s.submit()
	run, claim := s.applying()
	for _, method := range []string{"LOCK", "UNLOCK", "UNLOCK"} {
		s.must(s.send(method, backend, "", strings.NewReader(lock), stepAuth(run, claim)...), http.StatusOK)
	}
	s.must(s.send("UNLOCK", backend, engine.RoleOperator, strings.NewReader(lock)), http.StatusNotFound)
	s.must(s.send("LOCK", backend, engine.RoleOperator, strings.NewReader(another)), http.StatusOK)
	s.must(s.send("UNLOCK", backend, "", strings.NewReader(lock), stepAuth(run, claim)...), http.StatusOK)
	s.locked(true)
}

// lateReader does something before the first byte of a body is read.
type lateReader struct {
	io.Reader
	before func()
}

func (r *lateReader) Read(p []byte) (int, error) {
	if r.before != nil {
		r.before()
		r.before = nil
	}
	return r.Reader.Read(p)
}

// slowly sends a body that comes only after the server has let its sender in
// and something else has happened.
func (s *system) slowly(method, body string, meanwhile func(), headers ...string) int {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+backend, &lateReader{strings.NewReader(body), meanwhile})
	s.ok(err)
	req.Header.Set("Expect", "100-continue")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := (&http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}).Do(req)
	s.ok(err)
	s.ok(res.Body.Close())
	return res.StatusCode
}

func TestSlowWriteOfAnAttemptThatWasGivenUpMeanwhile(t *testing.T) {
	lock := `{"ID":"one"}`
	for method, body := range map[string]string{"POST": stateText(1, "a"), "LOCK": lock, "UNLOCK": lock} {
		t.Run(method, func(t *testing.T) {
			s := newSystem(t)
			s.submit()
			run, claim := s.applying()
			if method == "UNLOCK" {
				s.must(s.send("LOCK", backend, "", strings.NewReader(lock), stepAuth(run, claim)...), http.StatusOK)
			}
			if got := s.slowly(method, body, s.loseRunners, stepAuth(run, claim)...); got != http.StatusConflict {
				t.Errorf("status %d", got)
			}
			if len(s.versions()) > 0 {
				t.Error("a runner that was given up wrote a state")
			}
			s.locked(method == "UNLOCK")
		})
	}
}

func TestSlowWriteMeetsALockThatCameMeanwhile(t *testing.T) {
	s := newSystem(t)
	s.submit()
	meanwhile := func() {
		s.must(s.send("LOCK", backend, engine.RoleAdmin, strings.NewReader(`{"ID":"one"}`)), http.StatusOK)
	}
	if got := s.slowly("POST", stateText(1, "a"), meanwhile, basic("me", s.tokens[engine.RoleOperator])...); got != http.StatusLocked {
		t.Errorf("status %d", got)
	}
	if len(s.versions()) > 0 {
		t.Error("a locked state was written")
	}
}

func TestApplyOfSevenHoursRenewsAndWritesItsState(t *testing.T) {
	s := newSystem(t)
	s.submit()
	run, claim := s.applying()
	s.must(s.send("LOCK", backend, "", strings.NewReader(`{"ID":"one"}`), stepAuth(run, claim)...), http.StatusOK)
	runner := client.New(s.url, claim.Token).Runner()
	for hour := range 7 {
		s.clock.add(time.Hour)
		_, err := runner.Renew(t.Context(), time.Nanosecond, engine.Signal{})
		s.ok(err)
		s.must(s.send("POST", backend+"?ID=one", "", strings.NewReader(stateText(hour+1, "a")), stepAuth(run, claim)...), http.StatusOK)
	}
	s.must(s.send("UNLOCK", backend, "", strings.NewReader(`{"ID":"one"}`), stepAuth(run, claim)...), http.StatusOK)
	s.ok(runner.Report(t.Context(), engine.Report{Outcome: engine.OutcomeApplied}))
	if run := s.read(run.ID); run.Status != string(engine.RunSucceeded) || len(s.versions()) != 7 {
		t.Errorf("run is %s (%s) with %d versions", run.Status, run.Reason, len(s.versions()))
	}
}

func TestLockOfARunIsBrokenWithAReasonOnly(t *testing.T) {
	s := newSystem(t)
	s.submit()
	s.interrupted(stateText(1, "a"))
	for _, body := range []string{"", `{"ID":"one"}`} {
		r := s.must(s.send("UNLOCK", backend, engine.RoleAdmin, strings.NewReader(body)), http.StatusLocked)
		if !strings.Contains(string(r.body), "cloudops state unlock hello terraform.greeting --reason") {
			t.Errorf("it does not say how: %s", r.body)
		}
	}
	s.locked(true)
	if err := s.as(engine.RoleOperator).BreakLock(t.Context(), "hello", "terraform.greeting", ""); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("without a reason: %v", err)
	}
	s.ok(s.as(engine.RoleOperator).BreakLock(t.Context(), "hello", "terraform.greeting", "nothing runs"))
	s.locked(false)
}

func TestForcedUnlockIsNoted(t *testing.T) {
	s := newSystem(t)
	s.submit()
	for _, unlock := range []string{"", `{"ID":"one"}`} { // by force, and by who has seen the identifier
		s.must(s.send("LOCK", backend, engine.RoleAdmin, strings.NewReader(`{"ID":"one","Operation":"apply"}`)), http.StatusOK)
		s.must(s.send("UNLOCK", backend, engine.RoleOperator, strings.NewReader(unlock)), http.StatusOK)
		events, err := s.store.Events(t.Context(), engine.EventFilter{Stack: "hello"}, engine.Page{Limit: 1})
		s.ok(err)
		want := `{"holder":"admin","lock":"one","reason":"terraform force-unlock"}`
		if e := events[0]; e.Action != "state.break-lock" || e.Actor != "operator" || string(e.Detail) != want {
			t.Errorf("the audit log has %s by %s: %s", e.Action, e.Actor, e.Detail)
		}
	}
}

func TestStackIsKeptWhileSomebodyHoldsAState(t *testing.T) {
	s := newSystem(t)
	s.submit()
	s.must(s.send("LOCK", backend, engine.RoleOperator, strings.NewReader(`{"ID":"one"}`)), http.StatusOK)
	p := s.must(s.send("DELETE", "/v1/stacks/hello", engine.RoleAdmin, nil), http.StatusConflict).problem(t)
	if !strings.Contains(p.Detail, "is locked by operator") || !strings.Contains(p.Detail, "cloudops state unlock hello terraform.greeting") {
		t.Errorf("it reads %s", p.Detail)
	}
	s.must(s.send("UNLOCK", backend, engine.RoleOperator, strings.NewReader(`{"ID":"one"}`)), http.StatusOK)
	s.ok(s.as(engine.RoleAdmin).DeleteStack(t.Context(), "hello"))
	s.submit()
	s.locked(false)
	s.write(stateText(1, "b"))
}
