package api

import (
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// inProject makes the stack pay.hello with a run, credentials, a variable set,
// a schedule and a state, and users who have a role on project, or stack, alone.
func (s *system) inProject() (ids map[string]string) {
	s.t.Helper()
	ctx, boss := s.t.Context(), engine.Principal{User: "boss", Rights: engine.Everywhere(engine.RoleAdmin)}
	for _, name := range []string{"pay", "other"} {
		s.ok(s.access.PutProject(ctx, boss, engine.Project{Name: name}))
	}
	for name, scope := range map[string]engine.Scope{"insider": engine.ProjectScope("pay"), "outsider": engine.ProjectScope("other"), "neighbour": engine.StackScope("pay.other")} {
		s.newcomer(name)
		s.ok(s.access.Bind(ctx, boss, engine.Binding{Subject: engine.Subject{Kind: engine.SubjectUser, Name: name}, Role: engine.RoleAdmin, Scope: scope}))
	}
	files := helloFiles()
	files["stack.hcl"] = strings.Replace(hello, `stack "hello"`, `stack "pay.hello"`, 1)
	s.must(s.request("POST", "/v1/stacks/pay.hello/revisions", "insider", map[string]any{"files": files}), http.StatusCreated)
	run, err := s.as("insider").StartRun(ctx, "pay.hello", client.StartRun{Kind: "apply"})
	s.ok(err)
	s.ok(s.as("insider").PutCredential(ctx, "pay.aws", client.PutCredential{Cloud: "aws", Values: map[string]string{"AWS_REGION": "eu-west-1"}}))
	s.ok(s.as("insider").PutVariableSet(ctx, "pay.all", client.PutVariableSet{Stacks: []string{"*"}}))
	sch, err := s.as("insider").CreateSchedule(ctx, "pay.hello", client.CreateSchedule{Name: "nightly", Kind: "preview", Cron: "0 1 * * *"})
	s.ok(err)
	state := `{"version":4,"serial":1,"lineage":"a","resources":[]}`
	v, err := s.server.States.Put(ctx, engine.StateWriter{By: "insider"}, "pay.hello", "terraform.greeting", "", []byte(state))
	s.ok(err)
	return map[string]string{
		"stack": "pay.hello", "run": run.ID, "step": run.Steps[0].ID, "schedule": sch.ID, "version": v.ID,
		"credential": "pay.aws", "set": "pay.all", "project": "pay",
	}
}

// newcomer makes a user without any role, with a token.
func (s *system) newcomer(name string) {
	s.t.Helper()
	boss := engine.Principal{User: "boss", Rights: engine.Everywhere(engine.RoleAdmin)}
	s.ok(s.access.CreateUser(s.t.Context(), boss, name, nil, password))
	token, _, err := s.access.CreateToken(s.t.Context(), engine.Principal{User: name}, engine.TokenRequest{Name: "test", Forever: true})
	s.ok(err)
	s.tokens[engine.Role(name)] = token
}

var parameter = regexp.MustCompile(`[:*]\w+`)

// TestNobodyIsToldOfWhatTheyMayNotSee asks for each thing of a project on each
// route as somebody who may do everything, but elsewhere, and for one that
// there is not: the answers differ in nothing.
func TestNobodyIsToldOfWhatTheyMayNotSee(t *testing.T) {
	s := newSystem(t)
	ids := s.inProject()
	never := map[string]string{
		"stack": "pay.never", "run": "run-never", "step": "step-never", "schedule": "sch-never", "version": "sv-never",
		"credential": "pay.never", "set": "pay.never", "project": "never",
	}
	for _, route := range slices.Sorted(maps.Keys(s.server.permissions)) {
		method, path, _ := strings.Cut(route, " ")
		about := strings.TrimLeft(parameter.FindString(path), ":*")
		if perm := s.server.permissions[route]; ids[about] == "" || perm == asRunner || perm == public || !perm.Scoped() && perm != asState {
			continue
		}
		for _, who := range []engine.Role{"outsider", "neighbour"} {
			var answers []string
			for _, names := range []map[string]string{ids, never} {
				at := parameter.ReplaceAllStringFunc(path, func(p string) string {
					if name, ok := names[p[1:]]; ok {
						return name
					}
					return "7"
				})
				r := s.send(method, at, who, nil)
				answers = append(answers, http.StatusText(r.StatusCode)+" "+strings.ReplaceAll(string(r.body), names[about], "X"))
			}
			if answers[0] != answers[1] || !strings.HasPrefix(answers[0], "Not Found") {
				t.Errorf("%s as %s: of what is there %q, of what is not %q", route, who, answers[0], answers[1])
			}
		}
	}
}

func TestListsLeaveOutWhatTheirReaderMayNotSee(t *testing.T) {
	s := newSystem(t)
	ids := s.inProject()
	for _, path := range []string{"/v1/stacks", "/v1/runs", "/v1/credentials", "/v1/variable-sets", "/v1/projects", "/v1/events"} {
		for who, want := range map[engine.Role]bool{"insider": true, "admin": true, "outsider": false, "neighbour": false} {
			r := s.must(s.request("GET", path, who, nil), http.StatusOK)
			seen := strings.Contains(string(r.body), "pay.hello") || strings.Contains(string(r.body), "pay.a") || strings.Contains(string(r.body), `"pay"`) && who != "neighbour"
			if seen != want {
				t.Errorf("GET %s as %s: %s", path, who, r.body)
			}
		}
	}
	s.newcomer("nobody")
	s.must(s.request("GET", "/v1/stacks", "nobody", nil), http.StatusForbidden)
	s.must(s.request("GET", "/v1/runs/"+ids["run"], "nobody", nil), http.StatusForbidden)
	s.must(s.request("GET", "/v1/runs/run-never", "nobody", nil), http.StatusForbidden)
}

func TestRolesOfAProjectHoldThereAndNowhereElse(t *testing.T) {
	s := newSystem(t)
	ids := s.inProject()
	s.submit() // the stack hello, of the default project
	s.must(s.request("GET", "/v1/runs/"+ids["run"], "insider", nil), http.StatusOK)
	s.must(s.request("GET", "/v1/stacks/hello", "insider", nil), http.StatusNotFound)
	s.must(s.request("POST", "/v1/stacks", "insider", map[string]string{"name": "web"}), http.StatusForbidden)
	s.must(s.request("POST", "/v1/stacks", "insider", map[string]string{"name": "pay.web"}), http.StatusCreated)
	s.must(s.request("POST", "/v1/stacks", engine.RoleAdmin, map[string]string{"name": "none.web"}), http.StatusUnprocessableEntity)
	s.must(s.request("POST", "/v1/stacks", engine.RoleAdmin, map[string]string{"name": "default.web"}), http.StatusUnprocessableEntity)
	s.must(s.request("PUT", "/v1/credentials/aws", "insider", map[string]any{"cloud": "aws", "values": map[string]string{"A": "b"}}), http.StatusNotFound)
	s.must(s.request("GET", "/v1/users", "insider", nil), http.StatusForbidden)
	s.must(s.request("GET", "/v1/projects/pay/bindings", "insider", nil), http.StatusOK)
}

func TestNobodyGivesWhatTheyDoNotHave(t *testing.T) {
	s := newSystem(t)
	s.inProject()
	s.newcomer("new")
	ctx, insider, admin := t.Context(), s.as("insider"), s.as(engine.RoleAdmin)
	s.ok(insider.Bind(ctx, client.Binding{Subject: "user:new", Role: "operator", Scope: "project:pay"}))
	s.must(s.request("GET", "/v1/stacks/pay.hello", "new", nil), http.StatusOK)
	for name, b := range map[string]client.Binding{
		"in the whole installation": {Subject: "user:new", Role: "viewer"},
		"in another project":        {Subject: "user:new", Role: "viewer", Scope: "project:other"},
	} {
		if err := insider.Bind(ctx, b); !errors.Is(err, engine.ErrForbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.ok(admin.PutRole(ctx, "giver", client.PutRole{Permissions: []string{"read", "access.manage", "users.manage"}}))
	s.newcomer("giver")
	s.ok(admin.Bind(ctx, client.Binding{Subject: "user:giver", Role: "giver"}))
	giver, secret := s.as("giver"), "quite another password"
	for name, try := range map[string]func() error{
		"a role that holds more":     func() error { return giver.Bind(ctx, client.Binding{Subject: "user:giver", Role: "admin"}) },
		"a new role that holds more": func() error { return giver.PutRole(ctx, "more", client.PutRole{Permissions: []string{"apply"}}) },
		"a new user that may do more": func() error {
			return giver.CreateUser(ctx, client.CreateUser{Name: "puppet", Roles: []string{"admin"}, Password: password})
		},
		"the password of an admin": func() error { return giver.UpdateUser(ctx, "admin", client.UpdateUser{Password: &secret}) },
		"the roles of an admin":    func() error { return giver.UpdateUser(ctx, "admin", client.UpdateUser{Roles: &[]string{}}) },
	} {
		if err := try(); !errors.Is(err, engine.ErrForbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.ok(admin.PutTeam(ctx, "bosses", ""))
	s.ok(admin.Bind(ctx, client.Binding{Subject: "team:bosses", Role: "admin"}))
	if err := giver.AddMember(ctx, "bosses", "giver"); !errors.Is(err, engine.ErrForbidden) {
		t.Errorf("a team that may do more: %v", err)
	}
}

func TestLastAdminStays(t *testing.T) {
	s := newSystem(t)
	ctx, admin := t.Context(), s.as(engine.RoleAdmin)
	roles := []string{"viewer"}
	for name, try := range map[string]func() error{
		"its role":  func() error { return admin.Unbind(ctx, client.Binding{Subject: "user:admin", Role: "admin"}) },
		"its roles": func() error { return admin.UpdateUser(ctx, "admin", client.UpdateUser{Roles: &roles}) },
	} {
		if err := try(); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.ok(admin.PutTeam(ctx, "bosses", ""))
	s.ok(admin.Bind(ctx, client.Binding{Subject: "team:bosses", Role: "admin"}))
	s.ok(admin.AddMember(ctx, "bosses", "viewer"))
	s.ok(admin.Unbind(ctx, client.Binding{Subject: "user:admin", Role: "admin"}))
	s.must(s.request("GET", "/v1/users", engine.RoleAdmin, nil), http.StatusForbidden)
	if err := s.as(engine.RoleViewer).RemoveMember(ctx, "bosses", "viewer"); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("the last one by a team: %v", err)
	}
}

func TestRoleIsGoneTheMomentItIsTaken(t *testing.T) {
	s := newSystem(t)
	ids := s.inProject()
	s.ok(s.as(engine.RoleAdmin).Unbind(t.Context(), client.Binding{Subject: "user:insider", Role: "admin", Scope: "project:pay"}))
	s.must(s.request("GET", "/v1/runs/"+ids["run"], "insider", nil), http.StatusForbidden)
}

func TestRoleIsGoneInEveryProcess(t *testing.T) {
	s := newSystem(t)
	s.inProject()
	ctx, elsewhere := t.Context(), &engine.Access{Store: s.access.Store, Now: s.clock.now}
	may := func() bool {
		p, err := elsewhere.ByToken(ctx, s.tokens["insider"])
		s.ok(err)
		return p.May(engine.MayApply, engine.StackScope("pay.hello"))
	}
	if !may() {
		t.Error("the role does not hold to begin with")
	}
	role := client.Binding{Subject: "user:insider", Role: "admin", Scope: "project:pay"}
	s.ok(s.as(engine.RoleAdmin).Unbind(ctx, role))
	if may() {
		t.Error("the role holds in a process that had read it")
	}
	s.ok(s.as(engine.RoleAdmin).Bind(ctx, role))
	if !may() {
		t.Error("the role does not hold again")
	}
}

func TestProjectThatIsInUseStays(t *testing.T) {
	s := newSystem(t)
	s.inProject()
	admin := s.as(engine.RoleAdmin)
	if err := admin.DeleteProject(t.Context(), "pay"); !errors.Is(err, engine.ErrConflict) || !strings.Contains(err.Error(), "stack pay.hello") {
		t.Errorf("deleted with what is in it: %v", err)
	}
	s.newcomer("caretaker")
	s.ok(admin.PutRole(t.Context(), "caretaker", client.PutRole{Permissions: []string{"system.manage"}}))
	s.ok(admin.Bind(t.Context(), client.Binding{Subject: "user:caretaker", Role: "caretaker"}))
	if err := s.as("caretaker").DeleteProject(t.Context(), "pay"); !errors.Is(err, engine.ErrConflict) || strings.Contains(err.Error(), "pay.") {
		t.Errorf("who may not look into it is told %v", err)
	}
	s.ok(admin.DeleteProject(t.Context(), "other"))
	s.must(s.request("GET", "/v1/stacks", "outsider", nil), http.StatusForbidden)
}

// judged are the writes whose route does not say where they are: what is behind
// them asks for the permission there by itself, as the tests beside it show.
var judged = map[string]any{
	"POST /v1/audit/checkpoint":    nil,
	"POST /v1/stacks":              map[string]string{"name": "web"},
	"POST /v1/bindings":            client.Binding{Subject: "user:outsider", Role: "viewer"},
	"DELETE /v1/bindings":          nil,
	"PUT /v1/rule":                 map[string]string{"rule": "approval { approvals = 0 }"},
	"DELETE /v1/rule":              nil,
	"POST /v1/webhooks":            map[string]any{"name": "x", "url": "https://example.com/", "events": []string{"run.*"}},
	"PATCH /v1/webhooks/:id":       map[string]any{},
	"POST /v1/webhooks/:id/rotate": nil,
	"POST /v1/webhooks/:id/test":   nil,
	"DELETE /v1/webhooks/:id":      nil,
	"POST /v1/hooks/:id/rotate":    nil,
	"DELETE /v1/hooks/:id":         nil,
}

// TestWritesThatSayNoPlaceAreJudgedBehindTheirRoute fails for a new one that
// nobody has looked at, and lets somebody who is admin of another project, and
// so is let through by the route, try each in the whole installation.
func TestWritesThatSayNoPlaceAreJudgedBehindTheirRoute(t *testing.T) {
	s := newSystem(t)
	s.inProject()
	hook := s.as(engine.RoleAdmin)
	made, _, err := hook.CreateWebhook(t.Context(), client.CreateWebhook{Name: "chat", URL: "https://example.com/", Events: []string{"run.*"}})
	s.ok(err)
	for _, route := range slices.Sorted(maps.Keys(s.server.permissions)) {
		method, path, _ := strings.Cut(route, " ")
		about := strings.TrimLeft(parameter.FindString(path), ":*")
		thing := slices.Contains(things, engine.Thing(about))
		if perm := s.server.permissions[route]; !unsafe(method) || thing || !perm.Scoped() || !strings.HasPrefix(path, "/v1/") {
			continue
		}
		body, known := judged[route]
		if !known {
			t.Errorf("%s says no place, and nobody has looked at what is behind it", route)
			continue
		}
		at := strings.ReplaceAll(path, ":id", made)
		if route == "DELETE /v1/bindings" {
			at += "?subject=user:admin&role=admin"
		}
		if got := s.request(method, at, "outsider", body).StatusCode; got != http.StatusForbidden && got != http.StatusNotFound {
			t.Errorf("%s in the whole installation by an admin of a project: status %d", route, got)
		}
	}
}
