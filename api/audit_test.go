package api

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// noted lists the events of an action, oldest first.
func (s *system) noted(action string) []*engine.Event {
	s.t.Helper()
	list, err := s.store.EventsAfter(s.t.Context(), engine.EventFilter{Action: action}, 0, 1000)
	s.ok(err)
	return list
}

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

// export is what the API gives of the audit log.
func (s *system) export(query string, role engine.Role) string {
	s.t.Helper()
	return string(s.must(s.request("GET", "/v1/audit/export?"+query, role, nil), http.StatusOK).body)
}

func TestExportIsVerifiedElsewhere(t *testing.T) {
	s := newSystem(t)
	s.submit()
	v := engine.NewVerifier()
	for line := range strings.Lines(s.export("", engine.RoleAuditor)) {
		v.Line([]byte(line))
	}
	r := v.Finish()
	if !r.Whole() || r.Events < 8 || r.Signed != r.Last {
		t.Errorf("%+v", r)
	}
	if e := s.noted("audit.export"); len(e) != 1 || e[0].Actor != "auditor" {
		t.Errorf("events of the export: %v", e)
	}
}

func TestExportAsCSVAndCloudEvents(t *testing.T) {
	s := newSystem(t)
	s.submit()
	rows, err := csv.NewReader(strings.NewReader(s.export("format=csv&stack=hello", engine.RoleAuditor))).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][3] != "stack.submit" || rows[1][8] != "127.0.0.1" || !strings.HasPrefix(rows[1][10], "token tok-") {
		t.Errorf("%v, rows %q", err, rows)
	}
	var list []map[string]any
	if err := json.Unmarshal([]byte(s.export("format=cloudevents&action=user.create", engine.RoleAuditor)), &list); err != nil || len(list) != len(engine.Roles()) {
		t.Errorf("%v, %d events", err, len(list))
	}
	if lines := strings.Count(s.export("actor=operator", engine.RoleAuditor), "\n"); lines != 2 { // with his token
		t.Errorf("%d lines of what the operator did", lines)
	}
}

func TestEventsAreSearchedByQuery(t *testing.T) {
	s := newSystem(t)
	s.submit()
	all, err := s.as(engine.RoleAuditor).Events(t.Context(), client.EventFilter{}, client.Page{})
	s.ok(err)
	submit := s.noted("stack.submit")[0]
	for name, f := range map[string]client.EventFilter{
		"action":  {Action: "stack"},
		"request": {Request: submit.Request},
		"time":    {From: submit.At, To: submit.At.Add(time.Second), Stack: "hello"},
		"text":    {Text: "DIGEST", Action: "stack"},
	} {
		list, err := s.as(engine.RoleAuditor).Events(t.Context(), f, client.Page{})
		if err != nil || len(list.Items) != 1 || list.Items[0].Seq != submit.Seq || list.Items[0].Hash != submit.Hash {
			t.Errorf("%s: %v, %d of %d", name, err, len(list.Items), len(all.Items))
		}
	}
	s.must(s.request("GET", "/v1/events?from="+url.QueryEscape("yesterday"), engine.RoleAuditor, nil), http.StatusUnprocessableEntity)
}

func TestForwardersAreSetUp(t *testing.T) {
	s := newSystem(t)
	admin := s.as(engine.RoleAdmin)
	add := client.AddForwarder{Name: "siem", Address: "https://logs.example.com/in", Secret: "sesame", Header: map[string]string{"Authorization": "sesame"}, FromNow: true}
	made, err := admin.AddForwarder(t.Context(), add)
	s.ok(err)
	if made.Seq == 0 || made.Kind != "http" {
		t.Errorf("made %+v", made)
	}
	for _, bad := range []client.AddForwarder{add, {Name: "x", Address: "ftp://a"}, {Name: "x", Address: "https://user:pw@a"}, {Name: "x y", Address: "https://a"}, {Name: "x", Address: "s3://a"}, {Name: "x", Address: "tls://a/b"}} {
		if _, err := admin.AddForwarder(t.Context(), bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	if _, err := s.as(engine.RoleAuditor).AddForwarder(t.Context(), add); err == nil {
		t.Error("an auditor sends the log to where he likes")
	}
	paused, err := admin.PauseForwarder(t.Context(), "siem", true)
	s.ok(err)
	list, err := admin.Forwarders(t.Context())
	s.ok(err)
	if !paused.Paused || len(list) != 1 || !list[0].Paused || list[0].Address != add.Address {
		t.Errorf("%+v", list)
	}
	if seen, err := s.as(engine.RoleAuditor).Forwarders(t.Context()); err != nil || len(seen) != 1 || seen[0].Address != "https://logs.example.com/..." {
		t.Errorf("an auditor sees %+v, %v", seen, err)
	}
	s.ok(admin.RemoveForwarder(t.Context(), "siem"))
	if err := admin.RemoveForwarder(t.Context(), "siem"); err == nil {
		t.Error("twice")
	}
	var log strings.Builder
	for _, e := range s.noted("forwarder") {
		log.Write(e.Record())
	}
	if strings.Contains(log.String(), "sesame") || strings.Count(log.String(), `"action"`) != 3 {
		t.Error(log.String())
	}
}

func TestNoSecretIsInAnEvent(t *testing.T) {
	s := newSystem(t)
	s.submit()
	const sesame = "sesame-open-please"
	admin := s.as(engine.RoleAdmin)
	s.ok(admin.CreateUser(t.Context(), client.CreateUser{Name: "ada", Password: sesame, Roles: []string{"viewer"}, MustChange: new(false)}))
	token, err := client.New(s.url, "").Login(t.Context(), "ada", sesame, "laptop")
	s.ok(err)
	again := sesame + "-again"
	s.ok(admin.UpdateUser(t.Context(), "ada", client.UpdateUser{Password: &again}))
	_, err = client.New(s.url, "").Login(t.Context(), "ada", sesame, "laptop")
	if err == nil {
		t.Error("the old password is good")
	}
	for _, value := range []string{sesame, sesame + "2"} {
		s.ok(admin.PutCredential(t.Context(), "aws", client.PutCredential{Cloud: "aws", Values: map[string]string{"AWS_SECRET_ACCESS_KEY": value}}))
		s.must(s.request("PUT", "/v1/stacks/hello/variables/environment/TOKEN", engine.RoleOperator, map[string]any{"value": value, "secret": true}), http.StatusOK)
	}
	s.must(s.request("DELETE", "/v1/stacks/hello/variables/environment/TOKEN", engine.RoleOperator, nil), http.StatusOK)
	s.must(s.request("PUT", "/v1/variable-sets/all", engine.RoleAdmin, map[string]any{"stacks": []string{"*"}}), http.StatusNoContent)
	s.must(s.request("PUT", "/v1/variable-sets/all/variables/environment/TOKEN", engine.RoleAdmin, map[string]any{"value": sesame, "secret": true}), http.StatusOK)
	s.ok(admin.DeleteCredential(t.Context(), "aws"))
	s.send("GET", "/v1/users", "", nil, "Authorization", "Bearer "+sesame)

	export := s.export("", engine.RoleAuditor)
	for name, secret := range map[string]string{"value": sesame, "token": token.Reveal(), "admin's token": s.tokens[engine.RoleAdmin].Reveal()} {
		if strings.Contains(export, secret) {
			t.Errorf("the %s stands in the audit log", name)
		}
	}
	for _, want := range []string{`"action":"credential.put"`, `"keys":["AWS_SECRET_ACCESS_KEY"]`, `"value":"[hidden]"`, `"changed":true`, `"action":"session.refused"`, `"action":"access.refused"`} {
		if !strings.Contains(export, want) {
			t.Errorf("the audit log has no %s", want)
		}
	}
}

// TestDocumentedProgramVerifiesTheLog runs the program of docs/audit.md.
func TestDocumentedProgramVerifiesTheLog(t *testing.T) {
	python := enginetest.Need(t, "python3", "apt-get install python3")
	doc, err := os.ReadFile("../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "```python\n")
	program, _, _ := strings.Cut(rest, "```")
	s := newSystem(t)
	s.submit()
	s.ok(s.store.AddEvent(t.Context(), engine.Event{At: s.clock.now(), Actor: "Ada <é> \u2028", Action: "note", Subject: "\"\\\t\x01", Detail: []byte(`{"n":9007199254740993,"z":[true,null,-1],"a":{"é":"\u003c"}}`)}))
	export := s.export("", engine.RoleAuditor)
	for text, whole := range map[string]bool{export: true, strings.Replace(export, `"actor":"boss"`, `"actor":"eve"`, 1): false} {
		cmd := exec.Command(python, "-c", program)
		cmd.Stdin, cmd.Env = strings.NewReader(text), append(os.Environ(), "PYTHONIOENCODING=utf-8")
		if out, err := cmd.CombinedOutput(); (err == nil) != whole {
			t.Errorf("whole is %v: %v\n%s", whole, err, out)
		}
	}
}
