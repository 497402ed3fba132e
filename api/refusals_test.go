package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func TestRefusedAttemptsAreEvents(t *testing.T) {
	s := newSystem(t, withPages)
	s.submit()
	viewer := s.tokens[engine.RoleViewer].Reveal()
	for name, tt := range map[string]struct {
		method, path, token string
		actor, subject      string
		says                string
	}{
		"what a role may not":     {"DELETE", "/v1/stacks/hello", viewer, "viewer", "DELETE /v1/stacks/:stack", `"permission":"manage","reason":"viewer may not manage`},
		"a token that nobody has": {"GET", "/v1/users", "cop_sesame-secret", "unknown", "GET /v1/users", `"status":401`},
		"a runner's route":        {"GET", "/v1/runner/job", "cor_sesame-secret", "unknown", "GET /v1/runner/job", `"status":401`},
		"a state":                 {"POST", "/v1/state/hello/terraform.greeting", viewer, "viewer", "POST /v1/state/:stack/:component", `"permission":"state.write"`},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(s.noted("access.refused"))
			res := s.send(tt.method, tt.path, "", nil, "Authorization", "Bearer "+tt.token)
			events := s.noted("access.refused")[before:]
			if len(events) != 1 {
				t.Fatalf("status %d, %d events", res.StatusCode, len(events))
			}
			e := events[0]
			if e.Actor != tt.actor || e.Subject != tt.subject || !strings.Contains(string(e.Detail), tt.says) || e.Address != "127.0.0.1" || e.Request == "" {
				t.Errorf("%+v: %s", e, e.Detail)
			}
			if strings.Contains(string(e.Record()), "sesame") || strings.Contains(string(e.Record()), viewer) {
				t.Errorf("the token is in %s", e.Record())
			}
		})
	}
	before := len(s.noted("access.refused"))
	s.send("GET", "/v1/users", "", nil)
	s.send("GET", "/v1/nothing", "", nil, "Authorization", "Bearer none")
	s.send("GET", "/stacks", "", nil, "Accept", "text/html")
	if n := len(s.noted("access.refused")); n != before {
		t.Errorf("%d events of what only has to sign in, or is not there", n-before)
	}
}

func TestSameRefusalIsWrittenOnceAMinute(t *testing.T) {
	s := newSystem(t)
	try := func() {
		s.must(s.request("GET", "/v1/users", engine.RoleViewer, nil), http.StatusForbidden)
	}
	for range 20 {
		try()
	}
	if n := len(s.noted("access.refused")); n != 1 {
		t.Fatalf("%d events", n)
	}
	s.clock.add(refusalWindow)
	try()
	events := s.noted("access.refused")
	if len(events) != 3 || !strings.Contains(string(events[1].Detail), `"repeated":19`) || strings.Contains(string(events[2].Detail), "repeated") {
		t.Errorf("%d events", len(events))
	}
}

func TestManyWhoAreRefusedCannotFillTheDatabase(t *testing.T) {
	s := newSystem(t)
	now, written := s.clock.now(), 0
	for i := range 3 * maxRefusals {
		a := attempt{engine.Event{Actor: "unknown", Subject: "GET /v1/users"}, http.StatusUnauthorized, &denial{}, "/v1/users"}
		written += len(s.server.refusals.take(time.Duration(i).String(), a, now))
	}
	if written != maxRefusals+1 || len(s.server.refusals.seen) != maxRefusals+1 {
		t.Errorf("%d events of %d kinds", written, len(s.server.refusals.seen))
	}
	late := s.server.refusals.flush(now.Add(refusalWindow))
	if len(late) != 1 || !strings.Contains(string(late[0].Detail), `"repeated":1999`) {
		t.Errorf("late: %d", len(late))
	}
	if len(s.server.refusals.kinds) != 0 {
		t.Errorf("counted on: %v", s.server.refusals.kinds)
	}
}

func TestEachThingThatSomebodyIsRefusedIsNamed(t *testing.T) {
	s := newSystem(t)
	for _, id := range []string{"a", "b", "c", "b"} {
		s.must(s.request("DELETE", "/v1/teams/"+id, engine.RoleViewer, nil), http.StatusForbidden)
	}
	var paths []string
	for _, e := range s.noted("access.refused") {
		var detail struct{ Path string }
		s.ok(json.Unmarshal(e.Detail, &detail))
		paths = append(paths, detail.Path)
	}
	if want := []string{"/v1/teams/a", "/v1/teams/b", "/v1/teams/c"}; !slices.Equal(paths, want) {
		t.Errorf("the log names %q", paths)
	}
}

// Things of others are answered as if they were not there, and the attempt at them
// is an event all the same; so is a call that nobody has signed.
func TestAttemptsAtWhatIsHiddenAreEvents(t *testing.T) {
	s := newSystem(t)
	s.submit()
	admin := engine.Principal{User: "admin", Rights: engine.Everywhere(engine.RoleAdmin)}
	hook := &engine.Hook{Stack: "hello", Name: "push", Kind: engine.RunPreview}
	_, err := s.server.Hooks.Add(t.Context(), admin, hook)
	s.ok(err)
	_, token, err := s.access.CreateToken(t.Context(), admin, engine.TokenRequest{Name: "mine"})
	s.ok(err)
	for path, who := range map[string]engine.Role{"DELETE /v1/tokens/" + token.ID: engine.RoleOperator, "POST /v1/hooks/" + hook.ID: ""} {
		method, at, _ := strings.Cut(path, " ")
		s.must(s.request(method, at, who, nil), http.StatusNotFound)
		events := s.noted("access.refused")
		if e := events[len(events)-1]; !strings.HasPrefix(e.Subject, method) || !strings.Contains(string(e.Detail), at) || e.Actor != cmp.Or(string(who), engine.ActorUnknown) {
			t.Errorf("%s: the last event is %s", path, e.Record())
		}
	}
	n := len(s.noted("access.refused"))
	s.must(s.request("DELETE", "/v1/tokens/tok-none", engine.RoleOperator, nil), http.StatusNotFound)
	if len(s.noted("access.refused")) != n {
		t.Error("what is not there was refused")
	}
}

// Somebody who floods the log with refusals of their own hides nobody else's.
func TestRefusalsOfOneHideThoseOfNobodyElse(t *testing.T) {
	s := newSystem(t)
	now, of := s.clock.now(), map[string]int{}
	for i := range 3 * maxRefusals {
		for _, actor := range []string{"eve", engine.ActorUnknown} {
			a := attempt{engine.Event{Actor: actor, Subject: "GET /v1/users"}, http.StatusForbidden, &denial{}, "/v1/users"}
			for _, e := range s.server.refusals.take(fmt.Sprint(i), a, now) {
				of[e.Actor]++
			}
		}
	}
	a := attempt{engine.Event{Actor: "mallory", Subject: "DELETE /v1/stacks/:stack", Stack: "prod"}, http.StatusForbidden, &denial{}, "/v1/stacks/prod"}
	if events := s.server.refusals.take("prod", a, now); len(events) != 1 || events[0].Stack != "prod" || of["eve"] != maxOfOne+1 || of[engine.ActorUnknown] != maxRefusals+1 {
		t.Errorf("%v, then %v", of, events)
	}
}

func TestSignInsThatFailAreEventsAlsoOfNamesThatNobodyHas(t *testing.T) {
	s := newSystem(t, withPages)
	guess := func(name string) {
		s.must(s.request("POST", "/v1/login", "", map[string]string{"name": name, "password": "wrong sesame wrong"}), http.StatusUnauthorized)
	}
	guess("nobody-1")
	guess("nobody-2")
	s.clock.add(refusalWindow)
	guess("nobody-3")
	events := s.noted("access.refused")
	if len(events) != 3 || events[0].Actor != engine.ActorUnknown || events[0].Address != "127.0.0.1" || !strings.Contains(string(events[1].Detail), `"repeated":1`) {
		t.Errorf("%+v", events)
	}
	for _, e := range events {
		if strings.Contains(string(e.Record()), "sesame") {
			t.Errorf("the password is in %s", e.Record())
		}
	}
}

func TestSignInBeforeThePasswordIsChangedIsAnEventWithItsReason(t *testing.T) {
	s := newSystem(t)
	s.ok(s.as(engine.RoleAdmin).CreateUser(t.Context(), client.CreateUser{Name: "ada", Roles: []string{"viewer"}, Password: password}))
	s.must(s.request("POST", "/v1/login", "", map[string]string{"name": "ada", "password": string(password)}), http.StatusForbidden)
	if events := s.noted("access.refused"); len(events) != 1 || !strings.Contains(string(events[0].Detail), "ada has to choose a password first") {
		t.Errorf("%+v", events)
	}
}

// Whoever audits a project reads what was tried there, also by who may such a thing
// nowhere.
func TestRefusalsAreOfThePlaceWhereTheyWere(t *testing.T) {
	s := newSystem(t)
	s.submit()
	run := s.start("apply")
	for path, place := range map[string][2]string{
		"POST /v1/runs/" + run.ID + "/approve": {"hello", ""},
		"DELETE /v1/stacks/hello":              {"hello", ""},
		"DELETE /v1/credentials/pay.prod":      {"", "pay"},
		"POST /v1/runs/run-none/approve":       {"", ""},
	} {
		method, path, _ := strings.Cut(path, " ")
		before := len(s.noted("access.refused"))
		s.must(s.request(method, path, engine.RoleViewer, map[string]string{}), http.StatusForbidden)
		events := s.noted("access.refused")[before:]
		if len(events) != 1 || events[0].Stack != place[0] || events[0].Project != place[1] {
			t.Errorf("%s %s: %+v, want it of %v", method, path, events, place)
		}
	}
}
