package ansible

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestTasksOfOneNameAreChangesOfTheirOwn(t *testing.T) {
	t.Parallel()
	task := func(host, name, status, diff string) engine.TaskResult {
		return engine.TaskResult{Host: host, Task: name, Status: status, Diff: diff}
	}
	tests := map[string]struct {
		tasks []engine.TaskResult
		want  map[string]string // diff by subject
	}{
		"twice on a host": {
			tasks: []engine.TaskResult{task("web-1", "copy", "changed", "a"), task("web-1", "copy", "changed", "b"), task("web-1", "copy", "changed", "c")},
			want:  map[string]string{"web-1: copy": "a", "web-1: copy (2)": "b", "web-1: copy (3)": "c"},
		},
		"the number stays where the first does not change": {
			tasks: []engine.TaskResult{task("web-1", "copy", "ok", ""), task("web-1", "copy", "changed", "b")},
			want:  map[string]string{"web-1: copy (2)": "b"},
		},
		"once on each host": {
			tasks: []engine.TaskResult{task("web-1", "copy", "changed", "a"), task("web-2", "copy", "changed", "b")},
			want:  map[string]string{"web-1: copy": "a", "web-2: copy": "b"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := outcome{recap: engine.Recap{Tasks: tt.tasks}}
			got := map[string]string{}
			for _, c := range out.plan(true).Changes {
				got[c.Subject] = c.Diff
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
