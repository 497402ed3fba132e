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
