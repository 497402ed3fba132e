package engine

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Hold is a legal hold: while a stack is under one, nothing of it is removed.
type Hold struct {
	By, Reason string
	At         time.Time
}

// Keep says what is kept of something: both its newest Count, at least one, and
// all that is younger than For. With 0 for For all is kept.
type Keep struct {
	Count int
	For   time.Duration
}

// Retention removes what is kept no longer. It never removes the newest state
// of a component, a run that changed something, what the audit log has of people
// and of changes, or anything of a stack under a legal hold.
type Retention struct {
	Store  RetentionStore
	Logs   Keep // logs and plans, by runs of a stack
	Checks Keep // drift checks and previews as a whole, of a stack
	States Keep // versions of a component's state
	Now    func() time.Time
	Log    *slog.Logger
}

// Removed counts what was removed.
type Removed struct{ Logs, Checks, States int }

// Batches bound how long one statement holds the database.
const (
	stackBatch  = 500
	removeBatch = 50
)

// Clean goes through all stacks and removes, in batches, what is kept no longer.
func (r *Retention) Clean(ctx context.Context) (sum Removed, err error) {
	for after := ""; ; {
		stacks, err := r.Store.FreeStacks(ctx, after, stackBatch)
		if err != nil {
			return sum, fmt.Errorf("retention: %w", err)
		}
		for _, stack := range stacks {
			if err := r.clean(ctx, stack, &sum); err != nil {
				return sum, fmt.Errorf("retention of stack %s: %w", stack, err)
			}
			after = stack
		}
		if len(stacks) < stackBatch {
			if sum != (Removed{}) {
				r.Log.InfoContext(ctx, "removed what is kept no longer", "logs", sum.Logs, "checks", sum.Checks, "states", sum.States)
			}
			return sum, nil
		}
	}
}

func (r *Retention) clean(ctx context.Context, stack string, sum *Removed) error {
	now := r.Now()
	for _, part := range []struct {
		keep   Keep
		remove func(ctx context.Context, stack string, keep int, before time.Time, limit int) (int, error)
		count  *int
	}{
		{r.Checks, r.Store.DropChecks, &sum.Checks},
		{r.States, r.Store.DropStates, &sum.States},
		{r.Logs, r.Store.DropLogs, &sum.Logs},
	} {
		for n := removeBatch; part.keep.For > 0 && n == removeBatch; {
			var err error
			if n, err = part.remove(ctx, stack, max(1, part.keep.Count), now.Add(-part.keep.For), removeBatch); err != nil {
				return err
			}
			*part.count += n
		}
	}
	return nil
}

// Hold puts a stack under a legal hold, or changes the reason of the one it is under.
func (s *Stacks) Hold(ctx context.Context, p Principal, stack, reason string) error {
	h := &Hold{By: p.User, Reason: reason, At: s.Now()}
	e := s.event(p, "stack.hold", stack, map[string]any{"reason": reason})
	return s.Store.HoldStack(ctx, stack, h, replacing(e, func(before *Stack) (was, is map[string]any) { return before.hold().told(), h.told() }))
}

// Release ends a stack's legal hold.
func (s *Stacks) Release(ctx context.Context, p Principal, stack, reason string) error {
	st, err := s.Store.Stack(ctx, stack)
	if err != nil {
		return err
	}
	if st.Hold == nil {
		return Conflict("stack %s is under no legal hold", stack)
	}
	e := s.event(p, "stack.release", stack, map[string]any{"reason": reason})
	return s.Store.HoldStack(ctx, stack, nil, replacing(e, func(before *Stack) (was, is map[string]any) { return before.hold().told(), nil }))
}

func (s *Stack) hold() *Hold {
	if s == nil {
		return nil
	}
	return s.Hold
}
