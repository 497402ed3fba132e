package web_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

// people have a role each that is not one of those that are always there
// everywhere: in a project, for a stack, or of their own permissions.
func (s *site) people() []string {
	s.t.Helper()
	ctx, boss := s.t.Context(), engine.Principal{User: "boss", Rights: engine.Everywhere(engine.RoleAdmin)}
	for name, permissions := range map[string][]string{"planner": {"read", "plan"}, "writer": {"read", "submit"}, "keeper": {"read", "credential.write"}} {
		role, err := engine.NewCustomRole(engine.Role(name), "", permissions)
		ok(s.t, err)
		ok(s.t, s.access.PutRole(ctx, boss, role))
	}
	for name, scopes := range map[string]map[engine.Role]engine.Scope{
		"planner": {"planner": {}}, "writer": {"writer": {}}, "keeper": {"keeper": engine.ProjectScope("other"), engine.RoleViewer: {}},
		"insider": {engine.RoleOperator: engine.ProjectScope("pay")}, "guest": {engine.RoleDeployer: engine.StackScope("pay.web")},
		"owner": {engine.RoleAdmin: engine.ProjectScope("pay")},
	} {
		ok(s.t, s.access.CreateUser(ctx, boss, name, nil, password))
		for role, scope := range scopes {
			ok(s.t, s.access.Bind(ctx, boss, engine.Binding{Subject: engine.Subject{Kind: engine.SubjectUser, Name: name}, Role: role, Scope: scope}))
		}
	}
	names := []string{"planner", "writer", "keeper", "insider", "guest", "owner", "outsider"}
	for _, r := range engine.Roles() {
		names = append(names, string(r))
	}
	return names
}

var (
	linkRule     = regexp.MustCompile(`href="(/[^"#]*)`)
	formRule     = regexp.MustCompile(`(?:method="post" action|formaction)="(/[^"]*)"`)
	searchedRule = regexp.MustCompile(`([?&](?:actor|action|subject|request)=)[^&]*`)
)

// TestPagesOfferNothingThatWouldBeRefused follows every link of every page as
// different people, and looks up what each form takes.
func TestPagesOfferNothingThatWouldBeRefused(t *testing.T) {
	s := newSite(t)
	_, params := s.outsider()
	run := s.start("pay.web", engine.RunPreview)
	s.planned(run.ID, "terraform.a", engine.Plan{Changes: []engine.Change{{Action: engine.ActionCreate, Subject: "aws_vpc.a"}}})
	for _, name := range s.people() {
		b := s.browser(engine.Role(name))
		who, err := s.access.PrincipalOf(t.Context(), name)
		ok(t, err)
		seen := map[string]bool{}
		for queue := []string{"/"}; len(queue) > 0; queue = queue[1:] {
			at := queue[0]
			if seen[place(at)] || strings.HasPrefix(at, "/static/") || strings.HasPrefix(at, "/docs") {
				continue
			}
			seen[place(at)] = true
			_, status, text := b.answer("GET "+at, nil, nil)
			if status != http.StatusOK {
				t.Errorf("%s is led to %s: status %d", name, at, status)
			}
			for _, found := range linkRule.FindAllStringSubmatch(text, -1) {
				queue = append(queue, strings.ReplaceAll(found[1], "&amp;", "&"))
			}
			for _, found := range formRule.FindAllStringSubmatch(text, -1) {
				if perm, scope := takes(t, found[1]); !mayThere(who, perm, scope) {
					t.Errorf("%s is offered %s on %s, which takes %s", name, found[1], at, perm)
				}
			}
		}
		if sees := who.May(engine.MayRead, engine.StackScope("pay.web")); seen["/stacks/pay.web"] != sees || seen["/runs/"+params[":run"]] != sees {
			t.Errorf("%s finds the stack: %v", name, !sees)
		}
	}
}

// takes finds in the table what sending a form takes, and where.
func takes(t *testing.T, path string) (engine.Permission, engine.Scope) {
	t.Helper()
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(path, "/")
	for route, perm := range pageTable(t) {
		method, pattern, _ := strings.Cut(route, " ")
		same := slices.EqualFunc(strings.Split(pattern, "/"), parts, func(p, part string) bool { return p == part || strings.HasPrefix(p, ":") })
		if method == "GET" || !same {
			continue
		}
		switch parts[1] {
		case "stacks", "runs":
			return perm, engine.StackScope("pay.web")
		case "projects":
			if len(parts) > 2 {
				return perm, engine.ProjectScope(parts[2])
			}
		case "variable-sets":
			if len(parts) > 2 {
				return perm, engine.ProjectScope(engine.ProjectOf(parts[2]))
			}
		}
		return perm, engine.Scope{}
	}
	t.Fatalf("there is no form for %s", path)
	return "", engine.Scope{}
}

// mayThere is what the door asks: a form that is about nothing in particular is
// open to who holds the permission somewhere.
func mayThere(who engine.Principal, perm engine.Permission, scope engine.Scope) bool {
	if scope == (engine.Scope{}) || !perm.Scoped() {
		return perm == engine.MaySelf || who.MayAnywhere(perm)
	}
	return who.May(perm, scope)
}

// place is a link without what is looked for in the audit log, which leads on
// to as many searches as there are events.
func place(link string) string {
	return searchedRule.ReplaceAllString(link, "$1")
}
