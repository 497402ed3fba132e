package engine

import (
	"context"
	"errors"
	"strconv"
	"testing"
)

func subjectUser(name string) Subject { return Subject{SubjectUser, name} }

func TestRights(t *testing.T) {
	planner, err := NewCustomRole("planner", "", []string{"read", "plan"})
	if err != nil {
		t.Fatal(err)
	}
	d := &Directory{
		Projects: []Project{{Name: "pay"}},
		Teams:    []Team{{Name: "core"}},
		Members:  []Member{{Team: "core", User: "bob"}},
		Roles:    []CustomRole{planner},
		Bindings: []Binding{
			{subjectUser("ada"), RoleAdmin, Scope{}},
			{subjectUser("eve"), RoleAdmin, ProjectScope("pay")},
			{Subject{SubjectTeam, "core"}, "planner", ProjectScope("pay")},
			{subjectUser("bob"), RoleApprover, StackScope("pay.web")},
			{subjectUser("bob"), RoleViewer, ProjectScope(DefaultProject)},
			{subjectUser("gone"), "no such role", Scope{}},
		},
	}
	tests := map[string]struct {
		user  string
		perm  Permission
		scope Scope
		want  bool
	}{
		"everywhere holds for each stack":                {"ada", MayApply, StackScope("pay.web"), true},
		"everywhere holds for what is not of a project":  {"ada", MayManageSystem, Scope{}, true},
		"a project holds for its stacks":                 {"eve", MayApply, StackScope("pay.web"), true},
		"a project does not hold for another":            {"eve", MayRead, StackScope("payroll.web"), false},
		"a project does not hold for everything":         {"eve", MayRead, Scope{}, false},
		"an admin of a project cannot manage users":      {"eve", MayManageUsers, ProjectScope("pay"), false},
		"an admin of a project gives roles in it":        {"eve", MayManageAccess, ProjectScope("pay"), true},
		"a team's role holds for its members":            {"bob", MayPlan, StackScope("pay.api"), true},
		"a role of one's own holds what it was given":    {"bob", MaySubmit, StackScope("pay.api"), false},
		"a stack holds for itself":                       {"bob", MayApprove, StackScope("pay.web"), true},
		"a stack does not hold for its project":          {"bob", MayApprove, ProjectScope("pay"), false},
		"a stack without a project is of the default":    {"bob", MayRead, StackScope("web"), true},
		"a role that is gone holds nothing":              {"gone", MayRead, Scope{}, false},
		"nobody may do nothing":                          {"", MayRead, StackScope("web"), false},
		"a permission that there is not is held by none": {"ada", "fly", Scope{}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := Principal{User: tt.user, Rights: d.Rights(tt.user)}
			if got := p.May(tt.perm, tt.scope); got != tt.want {
				t.Errorf("may = %v", got)
			}
			if err := p.Check(tt.perm, tt.scope); (err == nil) != tt.want || err != nil && !errors.Is(err, ErrForbidden) {
				t.Errorf("check = %v", err)
			}
		})
	}
}

func TestTokenIsGoodForNoMoreThanItSays(t *testing.T) {
	p := func(l *Limit) Principal {
		return Principal{User: "ada", Token: "tok-1", Rights: Everywhere(RoleOperator), Limit: l}
	}
	tests := map[string]struct {
		limit *Limit
		perm  Permission
		scope Scope
		want  bool
	}{
		"without a limit all its owner may":         {nil, MayPlan, StackScope("pay.web"), true},
		"what it names":                             {&Limit{Permissions: []Permission{MayRead}}, MayRead, StackScope("pay.web"), true},
		"not what it does not name":                 {&Limit{Permissions: []Permission{MayRead}}, MayPlan, StackScope("pay.web"), false},
		"in its project":                            {&Limit{Scope: ProjectScope("pay")}, MayPlan, StackScope("pay.web"), true},
		"not in another":                            {&Limit{Scope: ProjectScope("pay")}, MayPlan, StackScope("web"), false},
		"not what its owner may not":                {&Limit{Permissions: []Permission{MayApply}}, MayApply, StackScope("web"), false},
		"it makes no tokens that are good for more": {&Limit{Scope: ProjectScope("pay")}, MaySelf, Scope{}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := p(tt.limit).May(tt.perm, tt.scope); got != tt.want {
				t.Errorf("may = %v", got)
			}
			if within := p(tt.limit).Within(tt.perm); tt.scope.Stack != "" && within.Holds(tt.scope.Stack) != tt.want {
				t.Errorf("within = %+v", within)
			}
		})
	}
}

func TestRolesOfOursAreOfNamedPermissions(t *testing.T) {
	for _, role := range Roles() {
		if len(role.Permissions()) == 0 {
			t.Errorf("%s holds nothing", role)
		}
	}
	if RoleAuditor.May(MaySubmit) || RoleOperator.May(MayApply) || RoleDeployer.May(MayApprove) || RoleApprover.May(MayApply) {
		t.Error("a role holds what it should not")
	}
	for _, perm := range []Permission{MayReadState, MaySubmit, MayPlan, MayApprove, MayApply, MayWriteState, MayManage, MayWriteCredentials, MayWritePolicy, MayManageAccess, MayManageUsers, MayManageSystem} {
		if RoleAuditor.May(perm) {
			t.Errorf("an auditor may %s", perm)
		}
	}
}

func TestScopesAreReadAsTheyAreWritten(t *testing.T) {
	for _, s := range []Scope{{}, ProjectScope("pay"), StackScope("pay.web"), StackScope("web")} {
		if got, err := ParseScope(s.String()); err != nil || got != s {
			t.Errorf("%s is read as %+v, %v", s, got, err)
		}
	}
	for _, text := range []string{"project:", "project:a.b", "stack:", "stack:default.web", "team:web", "x"} {
		if s, err := ParseScope(text); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q is read as %+v, %v", text, s, err)
		}
	}
}

// oneDirectory has nothing else.
type oneDirectory struct {
	UserStore
	DirectoryStore
	CredentialStore
	EventStore
	directory *Directory
}

func (k oneDirectory) Directory(context.Context) (*Directory, error) { return k.directory, nil }

func TestDirectoryOfARestoredDatabaseIsReadAnew(t *testing.T) {
	a := &Access{}
	for _, version := range []int64{5, 3} {
		a.Store = oneDirectory{directory: &Directory{Version: version}}
		if d, err := a.directory(t.Context(), version); err != nil || d.Version != version {
			t.Errorf("version %d is known at version %d: %v", d.Version, version, err)
		}
	}
}

// busybody has a thousand roles.
func busybody() Principal {
	d := &Directory{Bindings: []Binding{{subjectUser("bob"), RoleApprover, StackScope("pay.web")}, {subjectUser("bob"), RoleOperator, ProjectScope("pay")}}}
	for i := range 1000 {
		d.Bindings = append(d.Bindings, Binding{subjectUser("bob"), RoleViewer, StackScope("web-" + strconv.Itoa(i))})
	}
	return Principal{User: "bob", Rights: d.Rights("bob")}
}

// decidedWrongly asks what is asked at the door, once with either answer.
func decidedWrongly(p Principal, scope Scope) bool {
	return !p.MayAnywhere(MayApprove) || !p.May(MayApprove, scope) || p.MayAnywhere(MayManage) || p.May(MayManage, scope)
}

func TestDecisionsDoNotListAllThatSomebodyHas(t *testing.T) {
	p, scope := busybody(), StackScope("pay.web")
	if made := testing.AllocsPerRun(100, func() {
		if decidedWrongly(p, scope) {
			t.Error("decided wrongly")
		}
	}); made != 0 {
		t.Errorf("%.0f allocations for two decisions", made)
	}
}

func BenchmarkDecision(b *testing.B) {
	p, scope := busybody(), StackScope("pay.web")
	for b.Loop() {
		if decidedWrongly(p, scope) {
			b.Fatal("decided wrongly")
		}
	}
	b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
}
