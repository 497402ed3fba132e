package web_test

import (
	"io"
	"net/http"
	"net/url"
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
	b.get("/users", http.StatusOK).has(`<option value="planner">`)
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

// outsider is a browser of somebody who may do everything, but in another
// project than pay, and the parameters of routes that name what is in pay.
func (s *site) outsider() (*browser, map[string]string) {
	s.t.Helper()
	ctx, boss := s.t.Context(), engine.Principal{User: "boss", Rights: engine.Everywhere(engine.RoleAdmin)}
	for _, name := range []string{"pay", "other"} {
		ok(s.t, s.access.PutProject(ctx, boss, engine.Project{Name: name}))
	}
	ok(s.t, s.access.PutTeam(ctx, boss, engine.Team{Name: "payers"}))
	ok(s.t, s.access.CreateUser(ctx, boss, "outsider", nil, password))
	for subject, project := range map[engine.Subject]string{{Kind: engine.SubjectUser, Name: "outsider"}: "other", {Kind: engine.SubjectTeam, Name: "payers"}: "pay"} {
		ok(s.t, s.access.Bind(ctx, boss, engine.Binding{Subject: subject, Role: engine.RoleAdmin, Scope: engine.ProjectScope(project)}))
	}
	s.submit(map[string]string{"stack.hcl": "stack \"pay.web\" {}\nterraform \"a\" {\n  source = \"./a\"\n}\n", "a/main.tf": ""})
	run := s.start("pay.web", engine.RunApply)
	ok(s.t, s.stacks.PutVariableSet(ctx, boss, &engine.VariableSet{Name: "pay.all", Stacks: []string{"*"}}))
	ok(s.t, s.access.PutCredential(ctx, boss, &engine.Credential{Name: "pay.aws", Cloud: engine.CloudAWS, Values: map[string]engine.Secret{"AWS_REGION": "x"}}))
	return s.browser("outsider"), map[string]string{":stack": "pay.web", ":run": run.ID, ":step": run.Steps[0].ID, ":set": "pay.all", ":project": "pay"}
}

// answer asks for a page or sends a form with the parameters filled in.
func (b *browser) answer(route string, params map[string]string, form url.Values) (at string, status int, text string) {
	b.s.t.Helper()
	method, path, _ := strings.Cut(route, " ")
	at = regexp.MustCompile(`:\w+`).ReplaceAllStringFunc(path, func(p string) string { return params[p] })
	req, err := http.NewRequestWithContext(b.s.t.Context(), method, b.s.url+at, strings.NewReader(form.Encode()))
	ok(b.s.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "text/html")
	res, err := b.client.Do(req)
	ok(b.s.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	ok(b.s.t, err)
	return at, res.StatusCode, string(body)
}

// TestPagesLeaveOutWhatTheirReaderMayNotSee looks through every page as
// somebody who may do everything, but in another project.
func TestPagesLeaveOutWhatTheirReaderMayNotSee(t *testing.T) {
	b, params := newSite(t).outsider()
	for route := range pageTable(t) {
		if !strings.HasPrefix(route, "GET ") || strings.Contains(route, "*") {
			continue
		}
		at, status, text := b.answer(route, params, nil)
		if !strings.Contains(route, ":") && strings.Contains(text, "pay.") {
			t.Errorf("GET %s shows what is in another project: %s", at, text)
		}
		if strings.Contains(route, ":") && status != http.StatusNotFound && status != http.StatusForbidden {
			t.Errorf("GET %s: status %d", at, status)
		}
	}
}

// TestRefusedFormShowsNoMoreThanItsReaderMaySee sends every form: a page that
// answers a form is no way around the permission that it takes to look at it.
func TestRefusedFormShowsNoMoreThanItsReaderMaySee(t *testing.T) {
	b, params := newSite(t).outsider()
	csrf := b.get("/account", http.StatusOK).csrf()
	for route := range pageTable(t) {
		if !strings.HasPrefix(route, "POST ") || strings.HasPrefix(route, "POST /log") {
			continue
		}
		at, status, text := b.answer(route, params, url.Values{
			"csrf_token": {csrf}, "kind": {"user"}, "name": {"viewer"}, "role": {"viewer"}, "scope": {"installation"}, "set": {"pay.x"}, "rule": {"x"},
		})
		for _, hidden := range []string{"pay.web", "pay.all", "pay.aws", "payers"} {
			if strings.Contains(text, hidden) && !strings.Contains(at, hidden) {
				t.Errorf("POST %s: status %d, and shows %s", at, status, hidden)
			}
		}
	}
}

// TestFormsOfWhoMayNotLookShowNothing lets somebody act who may not look.
func TestFormsOfWhoMayNotLookShowNothing(t *testing.T) {
	s := newSite(t)
	ctx, boss := t.Context(), engine.Principal{User: "boss", Rights: engine.Everywhere(engine.RoleAdmin)}
	role, err := engine.NewCustomRole("blind", "", []string{"plan", "approve", "users.manage"})
	ok(t, err)
	ok(t, s.access.PutRole(ctx, boss, role))
	ok(t, s.access.Bind(ctx, boss, engine.Binding{Subject: engine.Subject{Kind: engine.SubjectUser, Name: "viewer"}, Role: "blind"}))
	ok(t, s.access.Unbind(ctx, boss, engine.Binding{Subject: engine.Subject{Kind: engine.SubjectUser, Name: "viewer"}, Role: engine.RoleViewer}))
	s.submit(map[string]string{"stack.hcl": "stack \"web\" {}\nterraform \"hidden\" {\n  source = \"./a\"\n}\n", "a/main.tf": ""})
	run := s.start("web", engine.RunApply)
	b := s.browser("viewer")
	csrf := b.get("/account", http.StatusOK).csrf()
	for route, hidden := range map[string]string{
		"POST /stacks/:stack/runs": "terraform.hidden",
		"POST /runs/:run/approve":  "terraform.hidden",
		"POST /access/teams":       "auditor",
		"POST /users":              "auditor",
	} {
		at, status, text := b.answer(route, map[string]string{":stack": "web", ":run": run.ID}, url.Values{"csrf_token": {csrf}, "kind": {"none"}, "name": {"No Name"}, "team": {"No Name"}})
		if status/100 != 4 || strings.Contains(text, hidden) {
			t.Errorf("POST %s: status %d, shows %s: %v", at, status, hidden, strings.Contains(text, hidden))
		}
	}
}
