package store_test

import (
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

// FuzzCursors holds that no cursor that somebody makes up is an error of ours.
func FuzzCursors(f *testing.F) {
	s := open(f, sqliteURL(f))
	newStack(f, s, "shop")
	for _, after := range []string{"", "7", "input/size", "environment/", "run-06dq", "'; DROP TABLE runs; --", "99999999999999999999", "\xff", "-1"} {
		f.Add(after)
	}
	f.Fuzz(func(t *testing.T, after string) {
		p, ctx := engine.Page{After: after, Limit: 2}, t.Context()
		for what, err := range map[string]error{
			"events":     second(s.Events(ctx, engine.EventFilter{}, p)),
			"runs":       second(s.Runs(ctx, engine.RunFilter{}, p)),
			"stacks":     second(s.Stacks(ctx, p)),
			"revisions":  second(s.Revisions(ctx, "shop", p)),
			"variables":  second(s.Variables(ctx, "shop", p)),
			"findings":   second(s.Findings(ctx, "shop", false, p)),
			"states":     second(s.StateVersions(ctx, "shop", "", p)),
			"deliveries": second(s.Deliveries(ctx, "whk-1", p)),
			"webhooks":   second(s.Webhooks(ctx, p)),
			"hooks":      second(s.Hooks(ctx, "shop", p)),
			"users":      second(s.Users(ctx, p)),
			"tokens":     second(s.Tokens(ctx, "ada", p)),
			"schedules":  second(s.Schedules(ctx, "shop", p)),
		} {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }
