package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// filled is a directory with something in each of its lists.
func filled(t testing.TB, d *engine.Directory) {
	role, err := engine.NewCustomRole("planner", "plans", []string{"read", "plan"})
	must(t, err)
	d.Projects = []engine.Project{{Name: "pay", Description: "Payments"}}
	d.Teams = []engine.Team{{Name: "core", Description: "Platform"}, {Name: "web"}}
	d.Members = []engine.Member{{Team: "core", User: "ada"}, {Team: "web", User: "ada", Source: "sso"}}
	d.Roles = []engine.CustomRole{role}
	d.Bindings = []engine.Binding{
		{Subject: engine.Subject{Kind: engine.SubjectTeam, Name: "core"}, Role: "planner", Scope: engine.ProjectScope("pay")},
		{Subject: engine.Subject{Kind: engine.SubjectUser, Name: "ada"}, Role: engine.RoleViewer},
		{Subject: engine.Subject{Kind: engine.SubjectUser, Name: "ada"}, Role: engine.RoleOperator, Scope: engine.StackScope("pay.web")},
	}
}

func TestDirectoryIsKeptWhole(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		want := &engine.Directory{Version: 1}
		filled(t, want)
		must(t, s.ChangeDirectory(t.Context(), func(d *engine.Directory) error { filled(t, d); return nil }, event("access.bind", "")))
		wantEqual(t, got(s.Directory(t.Context()))(t), want)
		wantEqual(t, got(s.DirectoryVersion(t.Context()))(t), int64(1))
		wantEqual(t, actions(t, s, ""), []string{"access.bind"})
	})
}

func TestOnlyWhatDiffersInTheDirectoryIsWritten(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		change := func(edit func(d *engine.Directory)) *engine.Directory {
			must(t, s.ChangeDirectory(t.Context(), func(d *engine.Directory) error { edit(d); return nil }))
			return got(s.Directory(t.Context()))(t)
		}
		change(func(d *engine.Directory) { filled(t, d) })
		after := change(func(d *engine.Directory) {
			d.Bindings = d.Bindings[:2] // of ada's two only the one for a stack goes
			d.Teams[1].Description = "Web tier"
			d.Members = d.Members[1:]
		})
		wantEqual(t, len(after.Bindings), 2)
		wantEqual(t, after.Bindings[1].Role, engine.RoleViewer)
		wantEqual(t, after.Teams[1], engine.Team{Name: "web", Description: "Web tier"})
		wantEqual(t, after.Members, []engine.Member{{Team: "web", User: "ada", Source: "sso"}})
	})
}

func TestRefusedChangeOfTheDirectoryLeavesNothing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		err := s.ChangeDirectory(t.Context(), func(d *engine.Directory) error { filled(t, d); return engine.Conflict("no") }, event("access.bind", ""))
		wantKind(t, err, engine.ErrConflict)
		wantEqual(t, got(s.Directory(t.Context()))(t), &engine.Directory{})
		wantEqual(t, len(actions(t, s, "")), 0)
	})
}

func TestChangesOfTheDirectoryWaitForEachOther(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		var all sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			all.Go(func() {
				errs[i] = s.ChangeDirectory(context.WithoutCancel(t.Context()), func(d *engine.Directory) error {
					d.Teams = append(d.Teams, engine.Team{Name: fmt.Sprint("team-", i)})
					return nil
				})
			})
		}
		all.Wait()
		for _, err := range errs {
			must(t, err)
		}
		d := got(s.Directory(t.Context()))(t)
		wantEqual(t, len(d.Teams), len(errs))
		wantEqual(t, d.Version, int64(len(errs)))
	})
}

func TestListsShowWhatLiesWithin(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		for _, name := range []string{"web", "pay.api", "pay.web", "pa.web", "data.lake"} {
			must(t, s.CreateStack(t.Context(), &engine.Stack{Name: name, CreatedAt: noon, UpdatedAt: noon}, engine.Event{At: noon, Action: "stack.create", Stack: name, Detail: []byte("{}")}))
		}
		tests := map[string]struct {
			within engine.Within
			want   []string
		}{
			"everything":            {engine.Within{All: true}, []string{"data.lake", "pa.web", "pay.api", "pay.web", "web"}},
			"a project":             {engine.Within{Projects: []string{"pay"}}, []string{"pay.api", "pay.web"}},
			"what has no project":   {engine.Within{Projects: []string{engine.DefaultProject}}, []string{"web"}},
			"a project and a stack": {engine.Within{Projects: []string{"pa"}, Stacks: []string{"web"}}, []string{"pa.web", "web"}},
			"nothing":               {engine.Within{}, nil},
		}
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				var names, events []string
				for _, st := range got(s.Stacks(t.Context(), engine.Page{Within: &tt.within}))(t) {
					names = append(names, st.Name)
				}
				for _, e := range got(s.Events(t.Context(), engine.EventFilter{}, engine.Page{Within: &tt.within}))(t) {
					events = append(events, e.Stack)
				}
				wantEqual(t, names, tt.want)
				wantEqual(t, len(events), len(tt.want))
			})
		}
	})
}

func TestWhatIsLeftInAProjectIsNamed(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		wantEqual(t, got(s.InProject(t.Context(), "pay"))(t), "")
		must(t, s.PutVariableSet(t.Context(), &engine.VariableSet{Name: "pay.all", UpdatedAt: noon}, event("put", "")))
		wantEqual(t, got(s.InProject(t.Context(), "pay"))(t), "variable set pay.all")
		must(t, s.CreateStack(t.Context(), &engine.Stack{Name: "pay.web", CreatedAt: noon, UpdatedAt: noon}, event("create", "")))
		wantEqual(t, got(s.InProject(t.Context(), "pay"))(t), "stack pay.web")
	})
}
