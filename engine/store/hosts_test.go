package store_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

func host(id, name string) *engine.KnownHost {
	return &engine.KnownHost{
		ID: id, Stack: "shop", Component: "ansible.web", Name: name, Address: "10.0.0.4", Port: 22, User: "admin", Groups: []string{"web"},
		MadeBy: "terraform.web", Resource: "aws_instance.this[0]", ResourceID: "i-1", Keys: []string{"ssh-ed25519 AAAA"}, KeysAt: noon,
		Facts: json.RawMessage(`{"kernel":"6.1"}`), FactsAt: noon, FirstRun: "run-1", LastRun: "run-1", FirstSeen: noon, LastSeen: noon,
	}
}

func TestHostsAreKeptUntilTheyRetire(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		newStack(t, s, "shop")
		first, second := host("host-1", "web-1"), host("host-2", "web-10")
		must(t, s.PutHosts(ctx, []*engine.KnownHost{first, second}))
		wantEqual(t, got(s.Hosts(ctx, "shop", false))(t), []*engine.KnownHost{first, second})
		first.Address = "10.0.0.5"
		must(t, s.PutHosts(ctx, []*engine.KnownHost{first}))
		wantEqual(t, got(s.Hosts(ctx, "shop", false))(t)[0].Address, "10.0.0.5")
		if err := s.PutHosts(ctx, []*engine.KnownHost{host("host-3", "web-1")}); err == nil {
			t.Error("one inventory has two hosts of a name in use")
		}

		changes := []engine.Change{{Subject: "web-1: Write the page"}, {Subject: "web-10: Write the page"}}
		must(t, s.RecordFindings(ctx, "shop", "ansible.web", "run-1", changes, noon))
		must(t, s.RetireHosts(ctx, []*engine.KnownHost{first}, "run-2", "its machine is gone", noon.Add(time.Hour)))
		wantEqual(t, len(got(s.Hosts(ctx, "shop", false))(t)), 1)
		gone := got(s.Hosts(ctx, "shop", true))(t)[0]
		if gone.RetiredAt.IsZero() || gone.RetiredWhy != "its machine is gone" || gone.LastRun != "run-2" || gone.Keys != nil || gone.Facts != nil {
			t.Errorf("the retired host is %+v", gone)
		}
		open := got(s.Findings(ctx, "shop", true, engine.Page{Limit: 10}))(t)
		wantEqual(t, len(open), 1)
		wantEqual(t, open[0].Change.Subject, "web-10: Write the page")
		must(t, s.PutHosts(ctx, []*engine.KnownHost{host("host-3", "web-1")})) // another machine of the name
	})
}

// A drift check beside an apply reads a host, the apply retires it, and the
// check writes what it knows.
func TestARetiredHostDoesNotComeBack(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		newStack(t, s, "shop")
		stale, next := host("host-1", "web-1"), host("host-2", "web-1")
		next.ResourceID = "i-9"
		must(t, s.PutHosts(ctx, []*engine.KnownHost{stale}))
		must(t, s.RetireHosts(ctx, []*engine.KnownHost{stale}, "run-2", "its machine was replaced", noon))
		must(t, s.PutHosts(ctx, []*engine.KnownHost{stale}))
		wantEqual(t, len(got(s.Hosts(ctx, "shop", false))(t)), 0)
		must(t, s.PutHosts(ctx, []*engine.KnownHost{next}))
		must(t, s.PutHosts(ctx, []*engine.KnownHost{stale}))
		wantEqual(t, got(s.Hosts(ctx, "shop", false))(t), []*engine.KnownHost{next})
		for _, h := range got(s.Hosts(ctx, "shop", true))(t) {
			if h.ID == stale.ID && (h.RetiredAt.IsZero() || h.Keys != nil || h.Facts != nil) {
				t.Errorf("the retired host is %+v", h)
			}
		}
	})
}

func TestKeysOfAHostAreAddedAndStayForgotten(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		newStack(t, s, "shop")
		keep := func(keys ...string) []string {
			h := host("host-1", "web-1")
			h.Keys = keys
			must(t, s.PutHosts(ctx, []*engine.KnownHost{h}))
			return got(s.Hosts(ctx, "shop", false))(t)[0].Keys
		}
		wantEqual(t, keep("ssh-ed25519 A"), []string{"ssh-ed25519 A"})
		wantEqual(t, keep(), []string{"ssh-ed25519 A"})
		wantEqual(t, keep("ssh-ed25519 A", "ssh-rsa B"), []string{"ssh-ed25519 A", "ssh-rsa B"})

		must(t, s.ForgetHostKeys(ctx, "shop", "web-1", event("host.forget-keys", "shop")))
		wantEqual(t, keep(), []string(nil)) // by a play that was under way, and saw no other
		wantEqual(t, len(got(s.Events(ctx, engine.EventFilter{Stack: "shop"}, engine.Page{}))(t)), 2)
		wantEqual(t, keep("ssh-ed25519 C"), []string{"ssh-ed25519 C"})

		err := s.ForgetHostKeys(ctx, "shop", "web-2", event("host.forget-keys", "shop"))
		wantKind(t, err, engine.ErrNotFound)
		wantEqual(t, len(got(s.Events(ctx, engine.EventFilter{Stack: "shop"}, engine.Page{}))(t)), 2)
	})
}

func TestFindingsEndWithTheirPlaybook(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		for _, component := range []string{"ansible.web", "ansible.other"} {
			must(t, s.RecordFindings(t.Context(), "shop", component, "run-1", []engine.Change{{Subject: "web-1: Write the page"}}, noon))
		}
		end := func(kind engine.RunKind, ago time.Duration) map[string]bool {
			run := ended(t, s, "shop", kind, ago)
			got(s.UpdateRun(t.Context(), run.ID, func(r *engine.Run) error {
				r.Steps[0].Component.Address, r.Steps[0].Destroy = "ansible.web", kind == engine.RunDestroy
				return nil
			}))(t)
			open := map[string]bool{}
			for _, f := range got(s.Findings(t.Context(), "shop", true, engine.Page{}))(t) {
				open[f.Component] = true
			}
			return open
		}
		wantEqual(t, end(engine.RunApply, time.Hour), map[string]bool{"ansible.web": true})
		wantEqual(t, end(engine.RunDestroy, 0), map[string]bool{})
	})
}

func TestHostsRetireWithTheirPlaybook(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		must(t, s.PutHosts(t.Context(), []*engine.KnownHost{host("host-1", "web-1")}))
		run := ended(t, s, "shop", engine.RunApply, 0)
		finish := func(component string) int {
			got(s.UpdateRun(t.Context(), run.ID, func(r *engine.Run) error {
				r.Steps[0].Component.Address = component
				return nil
			}))(t)
			return len(got(s.Hosts(t.Context(), "shop", false))(t))
		}
		wantEqual(t, finish("ansible.web"), 1)
		wantEqual(t, finish("ansible.other"), 0)
	})
}

func TestHostsStayWithAPlaybookThatTheLastPartLeftOut(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		must(t, s.PutHosts(t.Context(), []*engine.KnownHost{host("host-1", "web-1")}))
		for i, part := range []pass{{engine.RunApply, 1, true, []string{"ansible.web"}}, {engine.RunApply, 1, false, []string{"terraform.a"}}} {
			run := part.of("shop", noon.Add(time.Duration(i)*time.Minute))
			must(t, s.CreateRun(t.Context(), run))
			got(s.UpdateRun(t.Context(), run.ID, func(*engine.Run) error { return nil }))(t)
		}
		wantEqual(t, len(got(s.Hosts(t.Context(), "shop", false))(t)), 1)
	})
}

func TestHostsRetireWithTheirStack(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		must(t, s.PutHosts(t.Context(), []*engine.KnownHost{host("host-1", "web-1")}))
		run := ended(t, s, "shop", engine.RunDestroy, 0)
		got(s.UpdateRun(t.Context(), run.ID, func(*engine.Run) error { return nil }))(t)
		wantEqual(t, len(got(s.Hosts(t.Context(), "shop", false))(t)), 0)
		must(t, errors.Join(s.DeleteStack(t.Context(), "shop", event("stack.delete", "shop"))))
		wantEqual(t, len(got(s.Hosts(t.Context(), "shop", true))(t)), 0)
	})
}
