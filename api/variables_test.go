package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/blueprint"
)

// sized is the stack hello with a variable block.
func sized(block string) client.SubmitFiles {
	files := helloFiles()
	files["stack.hcl"] = "variable \"size\" {\n" + block + "\n}\n" + hello
	return client.SubmitFiles{Files: files}
}

// secrets tells which of the values that are kept for a stack are hidden.
func (s *system) secrets(stack string) map[string]bool {
	s.t.Helper()
	kept, err := s.as(engine.RoleViewer).Variables(s.t.Context(), stack)
	s.ok(err)
	hidden := map[string]bool{}
	for _, v := range kept {
		hidden[v.Name] = v.Secret
	}
	return hidden
}

// keep stores the value of size for the stack hello.
func (s *system) keep(value string, secret bool) {
	s.t.Helper()
	_, err := s.as(engine.RoleOperator).SetVariable(s.t.Context(), "hello", "input", "size", client.SetVariable{Value: json.RawMessage(value), Secret: secret})
	s.ok(err)
}

// actions counts what the audit log says of the stack hello, by actor and action.
func (s *system) actions() map[string]int {
	s.t.Helper()
	events, err := s.store.Events(s.t.Context(), engine.EventFilter{Stack: "hello"}, engine.Page{Limit: 100})
	s.ok(err)
	counts := map[string]int{}
	for _, e := range events {
		counts[e.Actor+" "+e.Action]++
	}
	return counts
}

const sensitive = "  sensitive = true"

func TestKeptValueIsHiddenOnlyByTheRevisionThatIsStored(t *testing.T) {
	broken := sized(sensitive)
	broken.Files["stack.hcl"] += "broken {}\n"
	tests := map[string]struct {
		stack, query string
		sub          client.SubmitFiles
		status       int
		hidden       bool
	}{
		"stored":             {"hello", "", sized(sensitive), http.StatusCreated, true},
		"checked only":       {"hello", "?dry_run=true", sized(sensitive), http.StatusCreated, false},
		"refused":            {"hello", "", broken, http.StatusUnprocessableEntity, false},
		"sent for another":   {"other", "", sized(sensitive), http.StatusUnprocessableEntity, false},
		"checked as another": {"other", "?dry_run=true", sized(sensitive), http.StatusUnprocessableEntity, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			s.must(s.request("POST", "/v1/stacks/hello/revisions?", engine.RoleOperator, sized("  default = 1")), http.StatusCreated)
			s.keep("3", false)

			s.must(s.request("POST", "/v1/stacks/"+tt.stack+"/revisions"+tt.query, engine.RoleAdmin, tt.sub), tt.status)

			if got := s.secrets("hello")["size"]; got != tt.hidden {
				t.Errorf("the value is hidden: %t", got)
			}
			if got := s.actions()["admin variable.hide"] == 1; got != tt.hidden {
				t.Errorf("events %v", s.actions())
			}
		})
	}
}

func TestSourcesOfAnotherStackSaySoWithoutItsValues(t *testing.T) {
	s := newSystem(t)
	s.must(s.request("POST", "/v1/stacks/hello/revisions", engine.RoleOperator, sized("  default = 1")), http.StatusCreated)
	s.keep(`"a secret"`, false)
	p := s.must(s.request("POST", "/v1/stacks/other/revisions", engine.RoleOperator, sized("  type = number")), http.StatusUnprocessableEntity).problem(t)
	if p.Detail != `the sources describe stack "hello", but were sent for stack "other"` || len(p.Diagnostics) > 0 {
		t.Errorf("it reads %+v", p)
	}
}

func TestKeptValuesThatDoNotFitAreToldWithAllOtherMistakes(t *testing.T) {
	s := newSystem(t)
	s.must(s.request("POST", "/v1/stacks/hello/revisions", engine.RoleOperator, sized(sensitive+"\n  default = 1")), http.StatusCreated)
	s.keep("3", true)
	admin := s.as(engine.RoleAdmin)
	for _, set := range []string{"one", "two"} {
		s.ok(admin.PutVariableSet(t.Context(), set, client.PutVariableSet{Stacks: []string{"hello"}}))
		_, err := admin.SetShared(t.Context(), set, "input", "place", client.SetVariable{Value: json.RawMessage(`"here"`)})
		s.ok(err)
	}
	sub := sized("  default = 1")
	sub.Files["stack.hcl"] += "variable \"place\" {}\n\nbroken {}\n"

	p := s.must(s.request("POST", "/v1/stacks/hello/revisions", engine.RoleOperator, sub), http.StatusUnprocessableEntity).problem(t)

	var told []string
	for _, d := range p.Diagnostics {
		told = append(told, d.Engine().String())
	}
	text := strings.Join(told, "\n")
	for _, want := range []string{
		`stack.hcl:1:1: Kept value does not fit: variable "size" of stack hello is kept as a secret`,
		`Kept value does not fit: stack hello has variable place from two sets, one and two`,
		`variable "place" {}`, "broken",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if len(told) != 3 {
		t.Errorf("%d mistakes:\n%s", len(told), text)
	}
}

// between is a store in which somebody else is quicker: before a revision is
// written, do comes to pass, once.
type between struct {
	engine.Store
	do func()
}

func (b *between) AddRevision(ctx context.Context, r *engine.Revision, with engine.Beside, events ...engine.Event) error {
	if do := b.do; do != nil {
		b.do = nil
		do()
	}
	return b.Store.AddRevision(ctx, r, with, events...)
}

func TestVariableSetDoesNotTakeBackWhatIsSubmittedMeanwhile(t *testing.T) {
	race := &between{}
	s := newSystem(t, func(d *Deps) {
		race.Store = d.Store
		d.Stacks.Store = race
	})
	s.must(s.request("POST", "/v1/stacks/hello/revisions", engine.RoleOperator, sized("  default = 1")), http.StatusCreated)
	admin := s.as(engine.RoleAdmin)
	s.ok(admin.PutVariableSet(t.Context(), "all", client.PutVariableSet{Stacks: []string{"*"}}))
	newer := sized("  default = 1")
	newer.Files["greeting/main.tf"] += "# newer\n"
	race.do = func() { // by somebody who had not seen the value yet
		rev, err := s.store.Revision(t.Context(), "hello", 1)
		s.ok(err)
		rev.Sources = bundle(t, newer.Files)
		s.ok(s.store.AddRevision(t.Context(), rev, engine.Beside{}))
	}

	done, err := admin.SetShared(t.Context(), "all", "input", "size", client.SetVariable{Value: json.RawMessage("4")})

	if err != nil || len(done) != 1 || done[0].Revision != 3 {
		t.Fatalf("revised %+v, %v", done, err)
	}
	last, err := s.store.Revision(t.Context(), "hello", 3)
	s.ok(err)
	tree, err := blueprint.Unpack(last.Sources)
	s.ok(err)
	if got := string(tree["greeting/main.tf"].Data); got != newer.Files["greeting/main.tf"] || string(last.Variables["size"]) != "4" {
		t.Errorf("size is %s in\n%s", last.Variables["size"], got)
	}
}

// leaving is a store whose caller leaves as soon as something is written.
type leaving struct {
	engine.Store
	leave context.CancelFunc
}

func (l *leaving) SetShared(ctx context.Context, set string, v *engine.Variable, e engine.Event) error {
	defer l.leave()
	return l.Store.SetShared(ctx, set, v, e)
}

func TestVariableSetRevisesStacksAfterItsCallerIsGone(t *testing.T) {
	s := newSystem(t)
	s.must(s.request("POST", "/v1/stacks/hello/revisions", engine.RoleOperator, sized("  default = 1")), http.StatusCreated)
	s.ok(s.as(engine.RoleAdmin).PutVariableSet(t.Context(), "all", client.PutVariableSet{Stacks: []string{"*"}}))
	ctx, leave := context.WithCancel(t.Context())
	stacks := *s.server.Stacks
	stacks.Store = &leaving{s.store, leave}

	done, err := stacks.SetShared(ctx, engine.Principal{User: "admin"}, "all", &engine.Variable{Kind: engine.VariableInput, Name: "size", Value: "4"})

	if err != nil || len(done) != 1 || done[0].Err != nil {
		t.Errorf("revised %+v, %v", done, err)
	}
}
