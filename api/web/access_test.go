package web_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestRolesAreGivenAndTakenOnThePages(t *testing.T) {
	s := newSite(t)
	b := s.browser(engine.RoleAdmin)
	b.submitForm("/projects", http.StatusSeeOther, "project", "pay", "description", "Card payments")
	b.submitForm("/access/teams", http.StatusSeeOther, "team", "payers")
	b.submitForm("/access/teams/payers/add", http.StatusSeeOther, "user", "viewer")
	b.submitForm("/projects/pay/grant", http.StatusSeeOther, "kind", "team", "name", "payers", "role", "operator", "scope", "project:pay")
	b.submitForm("/access/roles", http.StatusSeeOther, "role", "planner", "permission", "read", "permission", "plan")
	b.get("/projects", http.StatusOK).has("Card payments")
	b.get("/projects/pay", http.StatusOK).has("payers", "operator")
	b.get("/access", http.StatusOK).has("planner", "read, plan", "payers", "project:pay")
	b.submitForm("/access/grant", http.StatusNotFound, "kind", "user", "name", "nobody", "role", "viewer")
	b.submitForm("/access/revoke", http.StatusConflict, "kind", "user", "name", "admin", "role", "admin").has("last admin")
	b.submitForm("/access/revoke", http.StatusSeeOther, "kind", "team", "name", "payers", "role", "operator", "scope", "project:pay")
	b.get("/projects/pay", http.StatusOK).has("Nobody has a role here")
	b.submitForm("/projects/pay/delete", http.StatusSeeOther)
	b.submitForm("/access/teams/payers/delete", http.StatusSeeOther)
	b.submitForm("/access/roles/planner/delete", http.StatusSeeOther)
}

// submitForm sends a form of the page of roles and teams.
func (b *browser) submitForm(path string, status int, fields ...string) page {
	b.s.t.Helper()
	return b.post(path, status, append(fields, "csrf_token", b.get("/account", http.StatusOK).csrf())...)
}

// TestPagesLeaveOutWhatTheirReaderMayNotSee looks through every page as
// somebody who may do everything, but in another project.
func TestPagesLeaveOutWhatTheirReaderMayNotSee(t *testing.T) {
	s := newSite(t)
	ctx, boss := t.Context(), engine.Principal{User: "boss", Rights: engine.Everywhere(engine.RoleAdmin)}
	for _, name := range []string{"pay", "other"} {
		ok(t, s.access.PutProject(ctx, boss, engine.Project{Name: name}))
	}
	ok(t, s.access.CreateUser(ctx, boss, "outsider", nil, password))
	ok(t, s.access.Bind(ctx, boss, engine.Binding{Subject: engine.Subject{Kind: engine.SubjectUser, Name: "outsider"}, Role: engine.RoleAdmin, Scope: engine.ProjectScope("other")}))
	s.submit(map[string]string{"stack.hcl": "stack \"pay.web\" {}\nterraform \"a\" {\n  source = \"./a\"\n}\n", "a/main.tf": ""})
	run := s.start("pay.web", engine.RunApply)
	ok(t, s.stacks.PutVariableSet(ctx, boss, &engine.VariableSet{Name: "pay.all", Stacks: []string{"*"}}))
	ok(t, s.access.PutCredential(ctx, boss, &engine.Credential{Name: "pay.aws", Cloud: engine.CloudAWS, Values: map[string]engine.Secret{"AWS_REGION": "x"}}))
	params := map[string]string{":stack": "pay.web", ":run": run.ID, ":step": run.Steps[0].ID, ":set": "pay.all", ":project": "pay"}
	b := s.browser("outsider")
	for route := range pageTable(t) {
		method, path, _ := strings.Cut(route, " ")
		if method != "GET" || strings.Contains(path, "*") {
			continue
		}
		at := regexp.MustCompile(`:\w+`).ReplaceAllStringFunc(path, func(p string) string { return params[p] })
		res, err := b.client.Get(s.url + at)
		ok(t, err)
		body, err := io.ReadAll(res.Body)
		ok(t, err)
		res.Body.Close()
		text := string(body)
		if at == path && strings.Contains(text, "pay.") {
			t.Errorf("GET %s shows what is in another project: %s", at, text)
		}
		if at != path && res.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s: status %d", at, res.StatusCode)
		}
	}
}
