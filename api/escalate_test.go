package api

import (
	"errors"
	"net/http"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// limited makes a token of the admin that is good for some permissions only.
func (s *system) limited(name engine.Role, permissions ...string) *client.Client {
	s.t.Helper()
	made, err := s.as(engine.RoleAdmin).CreateToken(s.t.Context(), client.CreateToken{Name: string(name), Forever: true, Permissions: permissions})
	s.ok(err)
	s.tokens[name] = engine.Secret(made.Token)
	return s.as(name)
}

// refusedAll wants each attempt to be forbidden.
func (s *system) refusedAll(tries map[string]func() error) {
	s.t.Helper()
	for name, try := range tries {
		if err := try(); !errors.Is(err, engine.ErrForbidden) {
			s.t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLimitedTokenGivesNothingThatItIsNotGoodFor(t *testing.T) {
	s := newSystem(t)
	ctx, admin, secret := t.Context(), s.as(engine.RoleAdmin), "quite another password"
	s.newcomer("mallory")
	s.ok(admin.PutTeam(ctx, "bosses", ""))
	s.ok(admin.Bind(ctx, client.Binding{Subject: "team:bosses", Role: "admin"}))
	c := s.limited("manager", "users.manage", "access.manage", "access.read")
	s.refusedAll(map[string]func() error{
		"its owner's password":   func() error { return c.UpdateUser(ctx, "admin", client.UpdateUser{Password: &secret}) },
		"another's password":     func() error { return c.UpdateUser(ctx, "deployer", client.UpdateUser{Password: &secret}) },
		"a role that holds more": func() error { return c.Bind(ctx, client.Binding{Subject: "user:mallory", Role: "operator"}) },
		"a role for one stack": func() error {
			return c.Bind(ctx, client.Binding{Subject: "user:mallory", Role: "admin", Scope: "stack:web"})
		},
		"the roles of a user":     func() error { return c.UpdateUser(ctx, "mallory", client.UpdateUser{Roles: &[]string{"admin"}}) },
		"a role that is new":      func() error { return c.PutRole(ctx, "more", client.PutRole{Permissions: []string{"apply"}}) },
		"a team that may do more": func() error { return c.AddMember(ctx, "bosses", "mallory") },
		"a user that may do more": func() error {
			return c.CreateUser(ctx, client.CreateUser{Name: "puppet", Roles: []string{"admin"}, Password: password})
		},
	})
	s.ok(c.PutRole(ctx, "helpdesk", client.PutRole{Permissions: []string{"users.manage"}}))
	s.ok(c.UpdateUser(ctx, "mallory", client.UpdateUser{Password: &secret}))
	s.ok(c.CreateUser(ctx, client.CreateUser{Name: "new", Password: password}))
}

// helper may manage users, and nothing else.
func (s *system) helper() *client.Client {
	s.t.Helper()
	s.newcomer("helper")
	s.ok(s.as(engine.RoleAdmin).PutRole(s.t.Context(), "helpdesk", client.PutRole{Permissions: []string{"users.manage", "access.read"}}))
	s.ok(s.as(engine.RoleAdmin).Bind(s.t.Context(), client.Binding{Subject: "user:helper", Role: "helpdesk"}))
	return s.as("helper")
}

func TestPasswordOfAnOwnerIsNoWayToTheirServiceAccounts(t *testing.T) {
	s := newSystem(t)
	ctx, helper, secret, disabled := t.Context(), s.helper(), "quite another password", true
	s.newcomer("carla")
	s.ok(helper.UpdateUser(ctx, "carla", client.UpdateUser{Password: &secret}))
	s.ok(s.as(engine.RoleAdmin).CreateUser(ctx, client.CreateUser{Name: "robot", Kind: "service", Owner: "carla", Roles: []string{"deployer"}}))
	s.refusedAll(map[string]func() error{
		"the password of the owner":    func() error { return helper.UpdateUser(ctx, "carla", client.UpdateUser{Password: &secret}) },
		"the owner is disabled":        func() error { return helper.UpdateUser(ctx, "carla", client.UpdateUser{Disabled: &disabled}) },
		"another owner of the account": func() error { return helper.UpdateUser(ctx, "robot", client.UpdateUser{Owner: new("helper")}) },
		"a token of the account": func() error {
			_, err := helper.CreateToken(ctx, client.CreateToken{Name: "x", User: "robot", Forever: true})
			return err
		},
	})
}

// An owner stands behind the runs of a service account, as if they had started
// them: so that one may apply would let a plan be applied.
func TestNobodyIsMadeToAnswerByWhoMayDoLess(t *testing.T) {
	s := newSystem(t)
	ctx, helper := t.Context(), s.helper()
	s.newcomer("carla")
	s.ok(helper.CreateUser(ctx, client.CreateUser{Name: "hers", Kind: "service"}))
	s.ok(helper.CreateUser(ctx, client.CreateUser{Name: "carlas", Kind: "service", Owner: "carla"}))
	s.refusedAll(map[string]func() error{
		"a new one": func() error {
			return helper.CreateUser(ctx, client.CreateUser{Name: "puppet", Kind: "service", Owner: "deployer"})
		},
		"one that is there": func() error { return helper.UpdateUser(ctx, "hers", client.UpdateUser{Owner: new("deployer")}) },
	})
}

func TestRoleIsNotWeakenedByWhoDoesNotHoldIt(t *testing.T) {
	s := newSystem(t)
	ctx, helper, admin := t.Context(), s.helper(), s.as(engine.RoleAdmin)
	s.ok(admin.PutRole(ctx, "releaser", client.PutRole{Permissions: []string{"read", "apply"}}))
	s.refusedAll(map[string]func() error{
		"a permission less": func() error { return helper.PutRole(ctx, "releaser", client.PutRole{Permissions: []string{"read"}}) },
		"a permission more": func() error {
			return helper.PutRole(ctx, "releaser", client.PutRole{Permissions: []string{"read", "apply", "submit"}})
		},
	})
	s.ok(helper.PutRole(ctx, "releaser", client.PutRole{Description: "of releases", Permissions: []string{"read", "apply", "access.read"}}))
}

func TestWhoMayNotStartRunsScalesNothing(t *testing.T) {
	s := newSystem(t)
	files := helloFiles()
	files["stack.hcl"] = "stack \"hello\" {}\nvariable \"size\" {\n  type    = number\n  default = 1\n}\nterraform \"a\" {\n  source = \"./greeting\"\n}\n"
	s.must(s.request("POST", "/v1/stacks/hello/revisions", engine.RoleOperator, client.SubmitFiles{Files: files}), http.StatusCreated)
	s.newcomer("writer")
	s.ok(s.as(engine.RoleAdmin).PutRole(t.Context(), "writer", client.PutRole{Permissions: []string{"read", "submit"}}))
	s.ok(s.as(engine.RoleAdmin).Bind(t.Context(), client.Binding{Subject: "user:writer", Role: "writer"}))
	s.must(s.request("POST", "/v1/stacks/hello/scale", "writer", client.Scale{Name: "size", Value: 2}), http.StatusForbidden)
	s.must(s.request("POST", "/v1/stacks/hello/scale", engine.RoleOperator, client.Scale{Name: "size", Value: 2}), http.StatusUnprocessableEntity)
}

func TestServiceAccountMayNothingOnceItsOwnerIsDisabled(t *testing.T) {
	s := newSystem(t)
	ctx, admin, disabled := t.Context(), s.as(engine.RoleAdmin), true
	s.newcomer("carla")
	s.ok(admin.CreateUser(ctx, client.CreateUser{Name: "robot", Kind: "service", Owner: "carla", Roles: []string{"operator"}}))
	may := func() bool {
		p, err := s.access.PrincipalOf(ctx, "robot")
		s.ok(err)
		if p.Person() != "carla" {
			t.Errorf("behind it is %s", p.Person())
		}
		return p.May(engine.MayPlan, engine.StackScope("hello"))
	}
	if !may() {
		t.Error("it may not start runs to begin with")
	}
	s.ok(admin.UpdateUser(ctx, "carla", client.UpdateUser{Disabled: &disabled}))
	if may() {
		t.Error("its hooks start runs, and its approvals count")
	}
}
