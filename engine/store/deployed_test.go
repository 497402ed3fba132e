package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// pass is a run that succeeded, with the components that it applied; "-" in
// front is for one that it took down.
type pass struct {
	kind     engine.RunKind
	revision int
	partial  bool
	applied  []string
}

func (p pass) of(stack string, at time.Time) *engine.Run {
	r := newRun(stack, p.kind, at)
	r.Status, r.Revision, r.Partial, r.FinishedAt, r.Steps = engine.RunSucceeded, p.revision, p.partial, at, nil
	for i, name := range p.applied {
		address, destroy := strings.CutPrefix(name, "-")
		r.Steps = append(r.Steps, &engine.Step{ID: engine.NewID("step", at), Run: r.ID, Position: i, Revision: p.revision,
			Component: engine.Component{Address: address}, Destroy: destroy, Status: engine.StepApplied})
	}
	return r
}

func TestDeployedForgetsWhatTheStackNoLongerHas(t *testing.T) {
	first := pass{engine.RunApply, 1, false, []string{"terraform.a", "ansible.b"}}
	tests := map[string]struct {
		then []pass
		want map[string]int
	}{
		"a playbook with nothing to take down left":   {[]pass{{engine.RunApply, 2, false, []string{"terraform.a"}}}, map[string]int{"terraform.a": 2}},
		"not while only a part was run":               {[]pass{{engine.RunApply, 2, true, []string{"terraform.a"}}}, map[string]int{"terraform.a": 2, "ansible.b": 1}},
		"by the part that was left to do":             {[]pass{{engine.RunApply, 2, true, []string{"terraform.a"}}, {engine.RunApply, 2, false, []string{"terraform.c"}}}, map[string]int{"terraform.a": 2, "terraform.c": 2}},
		"a destroy of all":                            {[]pass{{engine.RunDestroy, 1, false, []string{"-terraform.a"}}}, map[string]int{}},
		"a destroy of a part":                         {[]pass{{engine.RunDestroy, 1, true, []string{"-terraform.a"}}}, map[string]int{"ansible.b": 1}},
		"a destroy with nothing to take down":         {[]pass{{engine.RunDestroy, 1, false, nil}}, map[string]int{}},
		"applied again after all was destroyed":       {[]pass{{engine.RunDestroy, 1, false, nil}, first}, map[string]int{"terraform.a": 1, "ansible.b": 1}},
		"an older revision is applied again, and all": {[]pass{{engine.RunApply, 2, false, []string{"terraform.c"}}, first}, map[string]int{"terraform.a": 1, "ansible.b": 1}},
	}
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				newStack(t, s, name)
				for i, p := range append([]pass{first}, tt.then...) {
					must(t, s.CreateRun(t.Context(), p.of(name, noon.Add(time.Duration(i)*time.Minute))))
				}
				wantEqual(t, got(s.Deployed(t.Context(), name))(t), tt.want)
			})
		}
	})
}

func TestRefreshBringsNoComponentToARevision(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		must(t, s.CreateRun(t.Context(), pass{engine.RunApply, 1, false, []string{"terraform.a"}}.of("shop", noon)))
		refresh := pass{engine.RunApply, 2, true, []string{"terraform.a"}}.of("shop", noon.Add(time.Minute))
		refresh.Resources.RefreshOnly = true
		must(t, s.CreateRun(t.Context(), refresh))
		wantEqual(t, got(s.Deployed(t.Context(), "shop"))(t), map[string]int{"terraform.a": 1})
	})
}
