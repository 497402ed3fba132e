package store_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// pagedList is a list with a way to fill it and what its cursors are.
type pagedList struct {
	put    func(t *testing.T, s *store.Store, i int)
	page   func(t *testing.T, s *store.Store, p engine.Page) []any
	cursor func(item any) string
}

// listOf makes a list of any items.
func listOf[T any](put func(*testing.T, *store.Store, int), page func(*testing.T, *store.Store, engine.Page) ([]T, error), cursor func(T) string) pagedList {
	return pagedList{put, func(t *testing.T, s *store.Store, p engine.Page) (all []any) {
		t.Helper()
		for _, item := range got(page(t, s, p))(t) {
			all = append(all, item)
		}
		return all
	}, func(item any) string { return cursor(item.(T)) }}
}

// name is one that does not sort like its number.
func name(i int) string { return fmt.Sprintf("n%d-%d", i%3, i) }

func pagedLists() map[string]pagedList {
	return map[string]pagedList{
		"users": listOf(func(t *testing.T, s *store.Store, i int) { newUser(t, s, name(i)) },
			func(t *testing.T, s *store.Store, p engine.Page) ([]*engine.User, error) {
				return s.Users(t.Context(), p)
			},
			func(u *engine.User) string { return u.Name }),
		"tokens": listOf(func(t *testing.T, s *store.Store, i int) {
			if i == 0 {
				newUser(t, s, "ada")
			}
			must(t, s.CreateToken(t.Context(), &engine.Token{ID: name(i), User: "ada", Hash: name(i), CreatedAt: noon}, "", event("t", "")))
		}, func(t *testing.T, s *store.Store, p engine.Page) ([]*engine.Token, error) {
			return s.Tokens(t.Context(), "ada", p)
		}, func(tok *engine.Token) string { return tok.ID }),
		"credentials": listOf(func(t *testing.T, s *store.Store, i int) {
			must(t, s.PutCredential(t.Context(), &engine.Credential{Name: name(i), Kind: engine.CredentialEnvironment, Cloud: engine.CloudAWS, CreatedAt: noon, UpdatedAt: noon}, event("c", "")))
		}, func(t *testing.T, s *store.Store, p engine.Page) ([]*engine.Credential, error) {
			return s.Credentials(t.Context(), p)
		}, func(c *engine.Credential) string { return c.Name }),
		"schedules": listOf(func(t *testing.T, s *store.Store, i int) {
			must(t, s.PutSchedule(t.Context(), schedule(name(i)), event("s", "shop")))
		}, func(t *testing.T, s *store.Store, p engine.Page) ([]*engine.Schedule, error) {
			return s.Schedules(t.Context(), "shop", p)
		}, func(sch *engine.Schedule) string { return sch.Name }),
		"states": listOf(func(t *testing.T, s *store.Store, i int) {
			for serial := range int64(2) {
				v := state(serial+1, "l", 1)
				v.Stack, v.Component = "lab", name(i)
				must(t, s.PutState(t.Context(), engine.StatePut{}, v))
			}
		}, func(t *testing.T, s *store.Store, p engine.Page) ([]*engine.StateVersion, error) {
			return s.States(t.Context(), "lab", p)
		}, func(v *engine.StateVersion) string { return v.Component }),
		"locks": listOf(func(t *testing.T, s *store.Store, i int) {
			l := lock(name(i))
			l.Component = name(i)
			must(t, s.LockState(t.Context(), engine.StateWriter{}, l))
		}, func(t *testing.T, s *store.Store, p engine.Page) ([]*engine.StateLock, error) {
			return s.StateLocks(t.Context(), "shop", p)
		}, func(l *engine.StateLock) string { return l.Component }),
		"hosts": listOf(func(t *testing.T, s *store.Store, i int) {
			must(t, s.PutHosts(t.Context(), []*engine.KnownHost{{ID: name(i), Stack: "shop", Component: fmt.Sprint("ansible.", i%2), Name: "web",
				FirstSeen: noon, LastSeen: noon, RetiredAt: noon.Add(time.Minute)}}))
		}, func(t *testing.T, s *store.Store, p engine.Page) ([]*engine.KnownHost, error) {
			return s.HostPage(t.Context(), "shop", true, p)
		}, func(h *engine.KnownHost) string { return h.ID }),
		"variables": listOf(func(t *testing.T, s *store.Store, i int) {
			kind := []engine.VariableKind{engine.VariableInput, engine.VariableEnvironment}[i%2]
			must(t, s.PutVariable(t.Context(), &engine.Variable{Stack: "shop", Kind: kind, Name: fmt.Sprint("v", i/2), Value: "1", UpdatedAt: noon}, event("v", "shop")))
		}, func(t *testing.T, s *store.Store, p engine.Page) ([]*engine.Variable, error) {
			return s.Variables(t.Context(), "shop", p)
		}, func(v *engine.Variable) string { return string(v.Kind) + "/" + v.Name }),
		"variable sets": listOf(func(t *testing.T, s *store.Store, i int) {
			must(t, s.PutVariableSet(t.Context(), &engine.VariableSet{Name: name(i), UpdatedAt: noon}, event("v", "")))
			must(t, s.SetShared(t.Context(), name(i), &engine.Variable{Kind: engine.VariableInput, Name: name(i), Value: "1", UpdatedAt: noon}, event("v", "")))
		}, func(t *testing.T, s *store.Store, p engine.Page) ([]*engine.VariableSet, error) {
			return s.VariableSets(t.Context(), p)
		}, func(v *engine.VariableSet) string { return v.Name }),
	}
}

func TestListsComePageByPageInThreeStatementsAtMost(t *testing.T) {
	const items = 7
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		newStack(t, s, "lab")
		statements := 0
		must(t, s.CountReads(func() { statements++ }))
		for title, list := range pagedLists() {
			t.Run(title, func(t *testing.T) {
				before := len(list.page(t, s, engine.Everything())) // of another list's making
				for i := range items {
					list.put(t, s, i)
				}
				statements = 0
				whole := list.page(t, s, engine.Everything())
				if len(whole)-before < items || statements > 3 {
					t.Fatalf("%d of %d items in %d statements", len(whole)-before, items, statements)
				}
				var all []any
				for p := (engine.Page{Limit: 3}); ; p.After = list.cursor(all[len(all)-1]) {
					page := list.page(t, s, p)
					all = append(all, page...)
					if len(page) < 3 {
						break
					}
				}
				if !reflect.DeepEqual(all, whole) {
					t.Errorf("page by page there are %d, at once %d, or in another order", len(all), len(whole))
				}
			})
		}
	})
}
