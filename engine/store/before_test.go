package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// TestEachEventBeginsWhereTheOneBeforeEnds has eight writers change the same
// thing, which may not be there yet: what one of them has replaced is what the
// one before has made.
func TestEachEventBeginsWhereTheOneBeforeEnds(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		now := func() time.Time { return noon }
		ada := engine.Principal{User: "ada", Rights: engine.Everywhere(engine.RoleAdmin)}
		stacks, access := &engine.Stacks{Store: s, Now: now}, &engine.Access{Store: s, Now: now}
		policies := &engine.Policies{Store: s, Directory: s.Directory, Now: now, Parse: func(string) (engine.ApprovalRule, error) { return engine.ApprovalRule{}, nil }}
		newStack(t, s, "shop")
		for action, change := range map[string]func(ctx context.Context, text string) error{
			"variable.set": func(ctx context.Context, text string) error {
				_, err := stacks.SetVariable(ctx, ada, &engine.Variable{Stack: "shop", Kind: engine.VariableEnvironment, Name: "URL", Value: engine.Secret(text)})
				return err
			},
			"variable-set.put": func(ctx context.Context, text string) error {
				return stacks.PutVariableSet(ctx, ada, &engine.VariableSet{Name: "prod", Description: text, Stacks: []string{text}})
			},
			"credential.put": func(ctx context.Context, text string) error {
				return access.PutCredential(ctx, ada, &engine.Credential{Name: "prod", Cloud: "aws", Description: text, Values: map[string]engine.Secret{"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hush"}})
			},
			"policy.set": func(ctx context.Context, text string) error {
				_, err := policies.Put(ctx, ada, "", "# "+text)
				return err
			},
			"stack.hold": func(ctx context.Context, text string) error { return stacks.Hold(ctx, ada, "shop", text) },
		} {
			var group sync.WaitGroup
			for w := range 8 {
				group.Go(func() {
					for i := range 3 {
						if err := change(t.Context(), fmt.Sprintf("w%d-%d", w, i)); err != nil {
							t.Errorf("%s: %v", action, err)
						}
					}
				})
			}
			group.Wait()
			events := got(s.EventsAfter(t.Context(), engine.EventFilter{Action: action}, 0, 100))(t)
			wantEqual(t, len(events), 24)
			var last json.RawMessage
			for _, e := range events {
				if string(e.Before) != string(last) {
					t.Errorf("%s: event %d replaces %s, not %s", action, e.Seq, e.Before, last)
				}
				last = bytes.Replace(e.After, []byte(`"changed":true,`), nil, 1)
			}
		}
		whole(t, s)
	})
}

// TestEventsOfAProjectAreThoseOfItsStacksAndItsOwn is what its auditors see, and
// what is searched for by its name.
func TestEventsOfAProjectAreThoseOfItsStacksAndItsOwn(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		for _, e := range []engine.Event{
			{Action: "run.start", Stack: "pay.web"}, {Action: "policy.set", Project: "pay"}, {Action: "policy.set", Project: "payments"},
			{Action: "run.start", Stack: "payments.web"}, {Action: "policy.set"}, {Action: "run.start", Stack: "web"},
		} {
			e.At, e.Actor = noon, "ada"
			must(t, s.AddEvent(t.Context(), e))
		}
		seqs := func(f engine.EventFilter, w *engine.Within) (list []int64) {
			for _, e := range got(s.Events(t.Context(), f, engine.Page{Within: w}))(t) {
				list = append(list, e.Seq)
			}
			return list
		}
		pay := &engine.Within{Projects: []string{"pay"}}
		wantEqual(t, seqs(engine.EventFilter{}, pay), []int64{2, 1})
		wantEqual(t, seqs(engine.EventFilter{Project: "payments"}, nil), []int64{4, 3})
		wantEqual(t, len(seqs(engine.EventFilter{Project: "payments"}, pay)), 0)
		wantEqual(t, seqs(engine.EventFilter{}, &engine.Within{Stacks: []string{"pay.web"}}), []int64{1})
		wantEqual(t, seqs(engine.EventFilter{Project: engine.DefaultProject}, nil), []int64{6})
	})
}

// Who audits a project learns of its roles, and of no other project.
func TestEventsOfAProjectTellOfNoOther(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		boss := engine.Principal{User: "boss", Rights: engine.Everywhere(engine.RoleAdmin)}
		access := &engine.Access{Store: s, Now: func() time.Time { return noon }}
		zoe := newUser(t, s, "zoe")
		for _, name := range []string{"pay", "merger"} {
			must(t, access.PutProject(t.Context(), boss, engine.Project{Name: name}))
		}
		bind := func(scope engine.Scope) {
			must(t, access.Bind(t.Context(), boss, engine.Binding{Subject: engine.Subject{Kind: engine.SubjectUser, Name: zoe.Name}, Role: engine.RoleViewer, Scope: scope}))
		}
		bind(engine.ProjectScope("merger"))
		bind(engine.ProjectScope("pay"))
		bind(engine.StackScope("pay.web"))
		seen := got(s.Events(t.Context(), engine.EventFilter{Action: "access"}, engine.Page{Within: &engine.Within{Projects: []string{"pay"}}}))(t)
		wantEqual(t, len(seen), 2)
		for _, e := range seen {
			if record := string(e.Record()); strings.Contains(record, "merger") || !strings.Contains(record, `"before":{"roles":[]}`) {
				t.Errorf("it tells %s", record)
			}
		}
	})
}
