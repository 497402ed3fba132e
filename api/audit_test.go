package api

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
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
