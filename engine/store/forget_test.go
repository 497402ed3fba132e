package store_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// bound is a change that gives ada a role in a scope.
func bound(role engine.Role, scope engine.Scope) func(*engine.Directory) error {
	return func(d *engine.Directory) error {
		d.Bindings = append(d.Bindings, engine.Binding{Subject: engine.Subject{Kind: engine.SubjectUser, Name: "ada"}, Role: role, Scope: scope})
		return nil
	}
}

func TestStackThatIsMadeAnewBeginsWithoutRolesAndWebhooks(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "pay.web")
		must(t, s.ChangeDirectory(t.Context(), bound(engine.RoleOperator, engine.StackScope("pay.web"))))
		must(t, s.ChangeDirectory(t.Context(), bound(engine.RoleViewer, engine.StackScope("pay.api"))))
		for _, stack := range []string{"pay.web", "pay.api"} {
			w := webhook("whk-"+stack, stack)
			w.Project, w.Stack = "", stack
			must(t, s.CreateWebhook(t.Context(), w, event("webhook.create", "")))
		}
		must(t, s.DeleteStack(t.Context(), "pay.web", event("stack.delete", "pay.web")))
		d := got(s.Directory(t.Context()))(t)
		wantEqual(t, d.Version, int64(3))
		wantEqual(t, len(d.Bindings), 1)
		wantEqual(t, d.Bindings[0].Scope, engine.StackScope("pay.api"))
		left := got(s.Webhooks(t.Context(), engine.Everything()))(t)
		wantEqual(t, len(left), 1)
		wantEqual(t, left[0].Stack, "pay.api")
	})
}

func TestWebhookIsLeftInItsProject(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		for name, of := range map[string]engine.Webhook{"all": {}, "chat": {Project: "pay"}, "siem": {Stack: "data.lake"}, "web": {Stack: "web"}} {
			w := webhook("whk-"+name, name)
			w.Project, w.Stack = of.Project, of.Stack
			must(t, s.CreateWebhook(t.Context(), w, event("webhook.create", "")))
		}
		for project, want := range map[string]string{"pay": "webhook chat", "data": "webhook siem", "other": ""} {
			wantEqual(t, got(s.InProject(t.Context(), project))(t), want)
		}
	})
}

func TestRoleForAStackShowsNothingElseThatIsCalledSo(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		must(t, s.PutVariableSet(t.Context(), &engine.VariableSet{Name: "pay.web", UpdatedAt: noon}, event("put", "")))
		must(t, s.PutCredential(t.Context(), &engine.Credential{Name: "pay.web", Kind: engine.CredentialEnvironment, Cloud: engine.CloudAWS, CreatedAt: noon, UpdatedAt: noon}, event("put", "")))
		for want, within := range map[int]engine.Within{0: {Stacks: []string{"pay.web"}}, 1: {Projects: []string{"pay"}}} {
			page := engine.Page{Within: &within}
			wantEqual(t, len(got(s.VariableSets(t.Context(), page))(t)), want)
			wantEqual(t, len(got(s.Credentials(t.Context(), page))(t)), want)
		}
	})
}

func TestRoleOfAnotherVersionKeepsWhatThisOneDoesNotKnow(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		db := got(s.SQL())(t)
		_, err := db.ExecContext(t.Context(), `INSERT INTO roles (name, description, permissions) VALUES ('pilot', '', '["read","fly"]')`)
		must(t, err)
		must(t, s.ChangeDirectory(t.Context(), bound("pilot", engine.Scope{})))
		d := got(s.Directory(t.Context()))(t)
		wantEqual(t, d.Roles[0].Permissions(), []engine.Permission{"read", "fly"})
		p := engine.Principal{User: "ada", Rights: d.Rights("ada")}
		wantEqual(t, []bool{p.May("read", engine.Scope{}), p.May("fly", engine.Scope{})}, []bool{true, false})
	})
}

// TestDirectoryIsReadAsItWasAtOneMoment reads while ada is taken out of a team
// before the team is given a role, and the other way round: never both.
func TestDirectoryIsReadAsItWasAtOneMoment(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		var over atomic.Bool
		ctx, done := context.WithoutCancel(t.Context()), make(chan error, 1)
		member := engine.Member{Team: "web", User: "ada"}
		role := engine.Binding{Subject: engine.Subject{Kind: engine.SubjectTeam, Name: "web"}, Role: engine.RoleAdmin}
		change := func(members []engine.Member, bindings []engine.Binding) error {
			return s.ChangeDirectory(ctx, func(d *engine.Directory) error { d.Members, d.Bindings = members, bindings; return nil })
		}
		go func() {
			var err error
			for i := 0; err == nil && i < 40; i++ {
				if err = change(nil, nil); err == nil && i%2 == 0 {
					err = change([]engine.Member{member}, nil)
				} else if err == nil {
					err = change(nil, []engine.Binding{role})
				}
			}
			over.Store(true)
			done <- err
		}()
		for !over.Load() {
			if d := got(s.Directory(ctx))(t); len(d.Members) > 0 && len(d.Bindings) > 0 {
				t.Fatalf("version %d has ada in the team, and the team's role", d.Version)
			}
		}
		must(t, <-done)
	})
}

func TestStackIsDeletedWhileItsRolesAreTakenBack(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		none := func(d *engine.Directory) error { d.Bindings = nil; return nil }
		for range 20 {
			newStack(t, s, "pay.web")
			must(t, s.ChangeDirectory(t.Context(), bound(engine.RoleOperator, engine.StackScope("pay.web"))))
			done := make(chan error)
			go func() { done <- s.ChangeDirectory(context.WithoutCancel(t.Context()), none) }()
			must(t, s.DeleteStack(t.Context(), "pay.web", event("stack.delete", "pay.web")))
			must(t, <-done)
		}
	})
}
