package store_test

import (
	"strconv"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

func TestOutboxHandsOverOldestFirstUntilRelayed(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		drift := begun(t, "shop", engine.RunDrift, noon) // both of its steps are ready at once
		must(t, s.CreateRun(t.Context(), drift))
		must(t, s.CreateRun(t.Context(), begun(t, "shop", engine.RunApply, noon)))
		out := got(s.Outbox(t.Context(), 9))(t)
		wantEqual(t, len(out), 3)
		wantEqual(t, []string{out[0].Step, out[1].Step}, []string{drift.Steps[0].ID, drift.Steps[1].ID})
		wantEqual(t, got(s.Outbox(t.Context(), 1))(t), out[:1])

		must(t, s.Relayed(t.Context(), []int64{out[0].ID, out[2].ID}))
		must(t, s.Relayed(t.Context(), []int64{out[0].ID})) // by another process as well
		must(t, s.Relayed(t.Context(), nil))
		wantEqual(t, got(s.Outbox(t.Context(), 9))(t), out[1:2])
	})
}

func TestEventKeepsEveryField(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		var want engine.Event
		new(filler).fill(&want)
		want.Origin.Agent, want.Origin.Quiet = "", false // no part of events
		must(t, s.AddEvent(t.Context(), want))
		list := got(s.Events(t.Context(), engine.EventFilter{Stack: want.Stack}, engine.Page{}))(t)
		want.ID = list[0].ID // given by the store, as is the place in the chain
		want = want.Link(1, engine.ChainStart)
		wantEqual(t, list, []*engine.Event{&want})
	})
}

func TestEventWithoutDetailHasNone(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		want := event("stack.create", "shop")
		must(t, s.AddEvent(t.Context(), want))
		list := got(s.Events(t.Context(), engine.EventFilter{}, engine.Page{}))(t)
		want.ID, want.Via = list[0].ID, "system"
		want = want.Link(1, engine.ChainStart)
		wantEqual(t, list[0], &want)
	})
}

func TestEventsAreListedNewestFirst(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		for i := range 6 {
			must(t, s.AddEvent(t.Context(), event(strconv.Itoa(i), []string{"shop", "blog"}[i%2])))
		}
		wantEqual(t, actions(t, s, "shop"), []string{"0", "2", "4"})
		all := got(s.Events(t.Context(), engine.EventFilter{}, engine.Page{}))(t)
		wantEqual(t, len(all), 6)
		page := got(s.Events(t.Context(), engine.EventFilter{Stack: "shop"}, engine.Page{After: strconv.FormatInt(all[1].ID, 10), Limit: 1}))(t)
		wantEqual(t, page, []*engine.Event{all[3]})
	})
}
