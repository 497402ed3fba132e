package api

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

const backend = "/v1/state/hello/terraform.greeting"

// stateText is a state as Terraform writes it.
func stateText(serial int, lineage string) string {
	return fmt.Sprintf(`{"version":4,"terraform_version":"1.11.4","serial":%d,"lineage":%q,"outputs":{},"resources":[]}`, serial, lineage)
}

// basic is the header that Terraform signs in with.
func basic(name string, password engine.Secret) []string {
	return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password.Reveal()))}
}

func TestStateBackend(t *testing.T) {
	sum := func(text string) string {
		b := md5.Sum([]byte(text))
		return base64.StdEncoding.EncodeToString(b[:])
	}
	type call struct {
		method, query, body string
		headers             []string
		status              int
	}
	lock := `{"ID":"one","Operation":"OperationTypeApply","Who":"me@laptop"}`
	tests := map[string][]call{
		"nothing is there at first":     {{"GET", "", "", nil, http.StatusNoContent}},
		"what is written is read":       {{"POST", "", stateText(1, "a"), nil, http.StatusOK}, {"GET", "", "", nil, http.StatusOK}},
		"what arrives broken is not":    {{"POST", "", stateText(1, "a"), []string{"Content-MD5", sum("x")}, http.StatusUnprocessableEntity}, {"GET", "", "", nil, http.StatusNoContent}},
		"what arrives whole is":         {{"POST", "", stateText(1, "a"), []string{"Content-MD5", sum(stateText(1, "a"))}, http.StatusOK}},
		"the same twice is harmless":    {{"POST", "", stateText(1, "a"), nil, http.StatusOK}, {"POST", "", stateText(1, "a"), nil, http.StatusOK}},
		"an older serial is refused":    {{"POST", "", stateText(2, "a"), nil, http.StatusOK}, {"POST", "", stateText(1, "a"), nil, http.StatusConflict}},
		"another lineage is refused":    {{"POST", "", stateText(1, "a"), nil, http.StatusOK}, {"POST", "", stateText(2, "b"), nil, http.StatusConflict}},
		"what is no state is refused":   {{"POST", "", `{"version":3}`, nil, http.StatusUnprocessableEntity}},
		"a second lock is refused":      {{"LOCK", "", lock, nil, http.StatusOK}, {"LOCK", "", `{"ID":"two"}`, nil, http.StatusLocked}},
		"the same lock may come twice":  {{"LOCK", "", lock, nil, http.StatusOK}, {"LOCK", "", lock, nil, http.StatusOK}},
		"writing takes the lock":        {{"LOCK", "", lock, nil, http.StatusOK}, {"POST", "?ID=two", stateText(1, "a"), nil, http.StatusLocked}, {"POST", "", stateText(1, "a"), nil, http.StatusLocked}},
		"who holds the lock writes":     {{"LOCK", "", lock, nil, http.StatusOK}, {"POST", "?ID=one", stateText(1, "a"), nil, http.StatusOK}},
		"another's lock stays":          {{"LOCK", "", lock, nil, http.StatusOK}, {"UNLOCK", "", `{"ID":"two"}`, nil, http.StatusLocked}},
		"a lock is freed by its holder": {{"LOCK", "", lock, nil, http.StatusOK}, {"UNLOCK", "", lock, nil, http.StatusOK}, {"LOCK", "", `{"ID":"two"}`, nil, http.StatusOK}},
		"a lock is broken by force":     {{"LOCK", "", lock, nil, http.StatusOK}, {"UNLOCK", "", "", nil, http.StatusOK}, {"LOCK", "", `{"ID":"two"}`, nil, http.StatusOK}},
		"there is nothing to unlock":    {{"UNLOCK", "", lock, nil, http.StatusNotFound}},
		"a lock without an ID":          {{"LOCK", "", `{}`, nil, http.StatusUnprocessableEntity}},
		"an unlock that is no JSON":     {{"UNLOCK", "", "x", nil, http.StatusUnprocessableEntity}},
		"a state cannot be deleted":     {{"DELETE", "", "", nil, http.StatusMethodNotAllowed}},
	}
	for name, calls := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			s.submit()
			for _, c := range calls {
				headers := append(basic("anybody", s.tokens[engine.RoleOperator]), c.headers...)
				s.must(s.send(c.method, backend+c.query, "", strings.NewReader(c.body), headers...), c.status)
			}
		})
	}
}

func TestStateOfNoStack(t *testing.T) {
	s := newSystem(t)
	s.must(s.send("POST", backend, engine.RoleOperator, strings.NewReader(stateText(1, "a"))), http.StatusNotFound).problem(t)
	s.must(s.send("LOCK", backend, engine.RoleOperator, strings.NewReader(`{"ID":"one"}`)), http.StatusNotFound).problem(t)
}

func TestLockTellsWhoHoldsItAndWhy(t *testing.T) {
	s := newSystem(t)
	s.submit()
	run := s.start("apply")
	claim := s.claim(run)
	lock := `{"ID":"one","Operation":"OperationTypeApply","Who":"root@worker-7","Version":"1.11.4","Created":"2026-01-02T03:04:05Z","Path":"","Info":""}`
	s.must(s.send("LOCK", backend, "", strings.NewReader(lock), basic(run.Steps[0].ID, claim.StateToken)...), http.StatusOK)
	r := s.must(s.send("LOCK", backend, engine.RoleOperator, strings.NewReader(`{"ID":"two"}`)), http.StatusLocked)
	var info struct{ ID, Operation, Who, Version, Created, Info string }
	r.json(t, &info)
	if !strings.HasPrefix(info.ID, "one (held by run "+run.ID) || info.Who != "run "+run.ID || info.Operation != "OperationTypeApply" || info.Created != "2026-01-02T03:04:05Z" {
		t.Errorf("lock %+v", info)
	}
	if !strings.Contains(info.Info, "2026-01-02 03:04:") {
		t.Errorf("it does not say since when: %q", info.Info)
	}
}

func TestStepUsesTheStateOfItsComponentOnly(t *testing.T) {
	s := newSystem(t)
	s.submit()
	run := s.start("apply")
	claim, step := s.claim(run), run.Steps[0].ID
	tests := map[string]struct {
		path, user string
		token      engine.Secret
		status     int
	}{
		"its own":                    {backend, step, claim.StateToken, http.StatusNoContent},
		"another component's":        {"/v1/state/hello/terraform.other", step, claim.StateToken, http.StatusUnauthorized},
		"another stack's":            {"/v1/state/other/terraform.greeting", step, claim.StateToken, http.StatusUnauthorized},
		"under another step's name":  {backend, "step-none", claim.StateToken, http.StatusUnauthorized},
		"with its runner's token":    {backend, step, claim.Token, http.StatusUnauthorized},
		"with a token of its own":    {backend, step, "cost_guess", http.StatusUnauthorized},
		"without a password":         {backend, step, "", http.StatusUnauthorized},
		"a person with a token":      {backend, "ada", s.tokens[engine.RoleOperator], http.StatusNoContent},
		"a person who may only look": {backend, "ada", s.tokens[engine.RoleViewer], http.StatusForbidden},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if r := s.send("GET", tt.path, "", nil, basic(tt.user, tt.token)...); r.StatusCode != tt.status {
				t.Errorf("status %d: %s", r.StatusCode, r.body)
			}
		})
	}
	r := s.send("UNLOCK", backend, "", nil, basic(step, claim.StateToken)...)
	if r.StatusCode != http.StatusForbidden {
		t.Errorf("a step breaks locks: status %d", r.StatusCode)
	}
}

func TestStateTokenOfAnAttemptThatWasGivenUp(t *testing.T) {
	s := newSystem(t)
	s.submit()
	run := s.start("apply")
	old := s.claim(run)
	s.end(run)
	r := s.must(s.send("POST", backend, "", strings.NewReader(stateText(1, "a")), basic(run.Steps[0].ID, old.StateToken)...), http.StatusUnauthorized)
	if p := r.problem(t); !strings.Contains(p.Detail, "no longer, good for hello/terraform.greeting") {
		t.Errorf("it says %q", p.Detail)
	}
}

func TestStateVersions(t *testing.T) {
	s := newSystem(t)
	s.submit()
	for serial := range 3 {
		s.must(s.send("POST", backend, engine.RoleOperator, strings.NewReader(stateText(serial+1, "a"))), http.StatusOK)
	}
	c := s.as(engine.RoleOperator)
	states, err := c.States(t.Context(), "hello")
	s.ok(err)
	if len(states) != 1 || states[0].Serial != 3 || states[0].By != "operator" || states[0].Size == 0 {
		t.Fatalf("states %+v", states)
	}
	page, err := c.StateVersions(t.Context(), "hello", "terraform.greeting", client.Page{Limit: 2})
	s.ok(err)
	rest, err := c.StateVersions(t.Context(), "hello", "terraform.greeting", client.Page{Limit: 2, Cursor: page.NextCursor})
	s.ok(err)
	if len(page.Items) != 2 || len(rest.Items) != 1 || rest.NextCursor != "" || rest.Items[0].Serial != 1 {
		t.Errorf("pages %+v, %+v", page, rest)
	}
	data, err := c.DownloadState(t.Context(), rest.Items[0].ID)
	s.ok(err)
	if string(data) != stateText(1, "a") {
		t.Errorf("it reads %s", data)
	}
	if _, err := s.as(engine.RoleViewer).DownloadState(t.Context(), rest.Items[0].ID); !errors.Is(err, engine.ErrForbidden) {
		t.Errorf("somebody who may only look: %v", err)
	}
	events, err := s.as(engine.RoleAuditor).Events(t.Context(), client.EventFilter{Stack: "hello", Action: "state.download"}, client.Page{})
	s.ok(err)
	if e := events.Items[0]; e.Actor != "operator" || e.Subject != "terraform.greeting" {
		t.Errorf("the audit log has %+v", e)
	}
}

func TestBrokenLockIsNoted(t *testing.T) {
	s := newSystem(t)
	s.submit()
	s.must(s.send("LOCK", backend, engine.RoleOperator, strings.NewReader(`{"ID":"one","Operation":"apply"}`)), http.StatusOK)
	c := s.as(engine.RoleAdmin)
	locks, err := c.Locks(t.Context(), "hello")
	s.ok(err)
	if len(locks) != 1 || locks[0].Holder != "operator" || locks[0].Reason != "apply" || locks[0].Component != "terraform.greeting" {
		t.Errorf("locks %+v", locks)
	}
	s.ok(c.BreakLock(t.Context(), "hello", "terraform.greeting", "its laptop is gone"))
	if err := c.BreakLock(t.Context(), "hello", "terraform.greeting", "again"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("twice: %v", err)
	}
	events, err := s.as(engine.RoleAuditor).Events(t.Context(), client.EventFilter{Stack: "hello"}, client.Page{})
	s.ok(err)
	if e := events.Items[0]; e.Actor != "admin" || !bytes.Contains(e.Detail, []byte("its laptop is gone")) {
		t.Errorf("the audit log has %+v: %s", e, e.Detail)
	}
}

func TestConcurrentLocksHaveOneWinner(t *testing.T) {
	s := newSystem(t)
	s.submit()
	got := make(chan int)
	const many = 8
	for i := range many {
		go func() {
			lock := strings.NewReader(fmt.Sprintf(`{"ID":"%d"}`, i))
			got <- s.send("LOCK", backend, engine.RoleOperator, lock).StatusCode
		}()
	}
	counts := map[int]int{}
	for range many {
		counts[within(t, func(context.Context) int { return <-got })]++
	}
	if counts[http.StatusOK] != 1 || counts[http.StatusLocked] != many-1 {
		t.Errorf("answers by status: %v", counts)
	}
}
