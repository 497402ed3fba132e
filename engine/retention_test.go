package engine

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"
)

// drops notes what it is asked to remove.
type drops struct {
	RetentionStore
	stacks []string
	asked  []string
	left   map[string]int // by kind, to be removed
	fails  error
}

func (d *drops) FreeStacks(_ context.Context, after string, limit int) ([]string, error) {
	i, _ := slices.BinarySearch(d.stacks, after)
	for i < len(d.stacks) && d.stacks[i] <= after {
		i++
	}
	return d.stacks[i:min(len(d.stacks), i+limit)], nil
}

func (d *drops) drop(kind, stack string, keep int, before time.Time, limit int) (int, error) {
	n := min(limit, d.left[kind])
	d.left[kind] -= n
	d.asked = append(d.asked, kind+" "+stack+" "+before.Format(time.DateOnly))
	if keep < 1 {
		return 0, errors.New("the newest are to stay")
	}
	return n, d.fails
}

func (d *drops) DropLogs(_ context.Context, stack string, keep int, before time.Time, limit int) (int, error) {
	return d.drop("logs", stack, keep, before, limit)
}

func (d *drops) DropChecks(_ context.Context, stack string, keep int, before time.Time, limit int) (int, error) {
	return d.drop("checks", stack, keep, before, limit)
}

func (d *drops) DropStates(_ context.Context, stack string, keep int, before time.Time, limit int) (int, error) {
	return d.drop("states", stack, keep, before, limit)
}

func TestRetentionGoesOnUntilNothingIsLeft(t *testing.T) {
	d := &drops{stacks: []string{"a", "b"}, left: map[string]int{"logs": 2*removeBatch + 3}}
	now := time.Date(2026, 4, 10, 12, 0, 0, 0, time.UTC)
	r := &Retention{Store: d, Logs: Keep{For: 24 * time.Hour}, States: Keep{Count: 5, For: 48 * time.Hour}, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}

	sum, err := r.Clean(t.Context())

	if err != nil || sum != (Removed{Logs: 2*removeBatch + 3}) {
		t.Errorf("removed %+v: %v", sum, err)
	}
	want := []string{"states a 2026-04-08", "logs a 2026-04-09", "logs a 2026-04-09", "logs a 2026-04-09", "states b 2026-04-08", "logs b 2026-04-09"}
	if !slices.Equal(d.asked, want) {
		t.Errorf("asked for %q", d.asked)
	}
}

func TestRetentionStopsAtAnError(t *testing.T) {
	d := &drops{stacks: []string{"a", "b"}, left: map[string]int{}, fails: errors.New("the disk is full")}
	r := &Retention{Store: d, Logs: Keep{Count: 1, For: time.Hour}, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	if _, err := r.Clean(t.Context()); !errors.Is(err, d.fails) || len(d.asked) != 1 {
		t.Errorf("asked %q: %v", d.asked, err)
	}
}
